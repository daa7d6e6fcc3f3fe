;; A probe step by hand: gets /ping, expects 200, and captures the answer's body as `token`.
(module
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $len i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $at) (local.get $len)))
    (local.get $at))
  (data (i32.const 16) "ping" "1.0.0" "gets /ping" "token" "GET" "/ping" "status" "200" "not 200")
  ;; Name, version, summary; the schema; one capture.
  (data (i32.const 80)
    "\10\00\00\00\04\00\00\00" "\14\00\00\00\05\00\00\00" "\19\00\00\00\0a\00\00\00" "\00\01\00\00\4b\00\00\00" "\78\00\00\00\01\00\00\00")
  (data (i32.const 120) "\23\00\00\00\05\00\00\00")
  (data (i32.const 256) "{\"type\":\"object\",\"properties\":{\"tries\":{\"type\":\"integer\",\"maximum\":9}}}    ")
  (func (export "davy:plugin/step@0.1.0#describe") (result i32) (i32.const 80))
  ;; The arguments are more than sixteen, and so lie in memory: the event's case at 48, a response's status at 56, its body at 68.
  (func (export "davy:plugin/step@0.1.0#turn") (param $in i32) (result i32)
    (i32.store8 (i32.const 400) (i32.const 0))
    (if (i32.eqz (i32.load8_u offset=48 (local.get $in)))
      (then
        (i32.store8 (i32.const 404) (i32.const 0))
        (i64.store (i32.const 408) (i64.const 0))
        (i32.store (i32.const 416) (i32.const 40)) (i32.store (i32.const 420) (i32.const 3))
        (i32.store (i32.const 424) (i32.const 43)) (i32.store (i32.const 428) (i32.const 5))
        (i64.store (i32.const 432) (i64.const 0)) (i64.store (i32.const 440) (i64.const 0)))
      (else
        (i32.store8 (i32.const 404) (i32.const 1))
        (i32.store (i32.const 408) (i32.const 500)) (i32.store (i32.const 412) (i32.const 1))
        (i32.store (i32.const 416) (i32.const 540)) (i32.store (i32.const 420) (i32.const 1))
        (i32.store (i32.const 500) (i32.const 48)) (i32.store (i32.const 504) (i32.const 6))
        (i32.store (i32.const 512) (i32.const 54)) (i32.store (i32.const 516) (i32.const 3))
        (if (i32.eq (i32.load16_u offset=56 (local.get $in)) (i32.const 200))
          (then
            (i32.store8 (i32.const 508) (i32.const 0))
            (i32.store (i32.const 520) (i32.const 54)) (i32.store (i32.const 524) (i32.const 3)))
          (else
            (i32.store8 (i32.const 508) (i32.const 2))
            (i32.store (i32.const 520) (i32.const 57)) (i32.store (i32.const 524) (i32.const 7))))
        (i32.store (i32.const 540) (i32.const 35)) (i32.store (i32.const 544) (i32.const 5))
        (i64.store (i32.const 548) (i64.load offset=68 (local.get $in)))))
    (i32.const 400)))
