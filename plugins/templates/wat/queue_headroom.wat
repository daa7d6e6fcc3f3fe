;; How much of a queue is free: a metric written by hand, on the canonical ABI of `davy:plugin@0.1.0`.
;; `davy plugin build queue_headroom.wat` makes the component of it; no compiler is needed.
(module
  (memory (export "memory") 2)

  ;; Room for what the host passes. Every call has a fresh instance, so that nothing is ever given back.
  (global $heap (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    ;; What is empty may lie anywhere that is aligned.
    (if (i32.eqz (local.get $bytes)) (then (return (local.get $align))))
    (local.set $at (i32.and
      (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $at) (local.get $bytes)))
    (block $enough (loop $grow
      (br_if $enough (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
      (br $grow)))
    (local.get $at))

  ;; Texts: a text is a pair of where it is and how long it is.
  (data (i32.const 16) "queue-headroom")                                    ;; 16, 14
  (data (i32.const 32) "1.0.0")                                             ;; 32, 5
  (data (i32.const 40) "How much of a queue of 100 is free, from 0 to 1")   ;; 40, 47
  (data (i32.const 88) "1")                                                 ;; 88, 1
  (data (i32.const 96) "depth")                                             ;; 96, 5
  (data (i32.const 104) "Length of the queue")                              ;; 104, 19
  (data (i32.const 128) "no depth was observed")                            ;; 128, 21

  ;; The description: name, version, summary; `value` (1) with its unit; the window; one input; no schema.
  (data (i32.const 256)
    "\10\00\00\00\0e\00\00\00" "\20\00\00\00\05\00\00\00" "\28\00\00\00\2f\00\00\00"
    "\01\00\00\00\58\00\00\00\01\00\00\00" "\01\00\00\00" "\40\01\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
  ;; The input: name, summary, form `gauge` (2), not optional (0).
  (data (i32.const 320) "\60\00\00\00\05\00\00\00" "\68\00\00\00\13\00\00\00" "\02\00")
  (func (export "davy:plugin/measure@0.1.0#describe") (result i32) (i32.const 256))

  ;; The result at 512: `error` with the sentence.
  (func $reject (result i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store (i32.const 520) (i32.const 128))
    (i32.store (i32.const 524) (i32.const 21))
    (i32.const 512))

  ;; The result at 512: `ok(value(…))`.
  (func $value (param $value f64) (result i32)
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store8 (i32.const 520) (i32.const 0))
    (f64.store (i32.const 528) (local.get $value))
    (i32.const 512))

  ;; There is one input: the mean over its replicas that were seen in the evaluated interval.
  (func (export "davy:plugin/measure@0.1.0#evaluate")
    (param $parameters i32) (param $parameters_length i32)
    (param $start i64) (param $every i64) (param $window i32)
    (param $series i32) (param $series_count i32) (param $baseline i32) (param $baseline_count i32) (result i32)
    (local $at i32) (local $count i32) (local $sum f64) (local $replicas f64)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $series_count)))
      ;; A series: input 0, replica 8, which intervals 20, how many 24, form 28, values 32, how many 36; 40 bytes.
      (local.set $count (i32.load offset=36 (local.get $series)))
      (if (local.get $count) (then
        ;; The last of `at` plus 1 is the window where the evaluated interval was seen.
        (local.set $at (i32.sub (i32.load offset=24 (local.get $series)) (i32.const 1)))
        (if (i32.eq (local.get $window)
              (i32.add (i32.const 1)
                (i32.load (i32.add (i32.load offset=20 (local.get $series)) (i32.shl (local.get $at) (i32.const 2))))))
          (then
            (local.set $sum (f64.add (local.get $sum)
              (f64.load (i32.add (i32.load offset=32 (local.get $series))
                (i32.shl (i32.sub (local.get $count) (i32.const 1)) (i32.const 3))))))
            (local.set $replicas (f64.add (local.get $replicas) (f64.const 1)))))))
      (local.set $series (i32.add (local.get $series) (i32.const 40)))
      (local.set $series_count (i32.sub (local.get $series_count) (i32.const 1)))
      (br $next)))
    (if (f64.eq (local.get $replicas) (f64.const 0)) (then (return (call $reject))))
    (call $value (f64.max (f64.const 0)
      (f64.sub (f64.const 1) (f64.div (f64.div (local.get $sum) (local.get $replicas)) (f64.const 100)))))))
