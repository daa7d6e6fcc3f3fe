//! The same input gives the same bits and spends the same fuel, wherever it runs.

use davy::plugin::PluginObservation;
use davy_plugins::PluginHost;

use crate::support::{component, measured, sum};

/// Floating-point chains whose NaNs and roundings differ where anything does.
const CHAOS: &str = "@good @fn
  (local $i i32) (local $x f64)
  (local.set $x (f64.const 0.1234567))
  (loop $l
    (local.set $x (f64.mul (f64.mul (f64.const 3.99) (local.get $x)) (f64.sub (f64.const 1) (local.get $x))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $l (i32.lt_u (local.get $i) (i32.const 10000))))
  (call $value (f64.add (local.get $x)
    (f64.convert_i64_u (i64.shr_u (i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0))) (i64.const 40))))))";

fn run(host: &PluginHost, bytes: &[u8]) -> PluginObservation {
    let metric = host.plugin(bytes).unwrap().metric().unwrap();
    measured(bytes, metric).plugins.remove(0)
}

/// What must agree: everything but the name of what ran it.
fn told(observation: &PluginObservation) -> String {
    let mut json = serde_json::to_value(observation).unwrap();
    json.as_object_mut().unwrap().remove("engine");
    json.to_string()
}

#[test]
fn pooled_on_demand_and_loaded_again_agree() {
    for bytes in [sum(), component(CHAOS)] {
        let pooled = PluginHost::new().unwrap();
        let on_demand = PluginHost::builder().on_demand().build().unwrap();
        assert!(!on_demand.is_pooled());
        let first = told(&run(&pooled, &bytes));
        for host in [&pooled, &on_demand, &PluginHost::new().unwrap()] {
            assert_eq!(told(&run(host, &bytes)), first);
        }
    }
}

/// Fuel and bits as every machine has them: another build or processor that differs is found out here.
#[test]
fn bits_and_fuel_are_the_pinned_ones() {
    let host = PluginHost::new().unwrap();
    let mut lines = String::new();
    for (name, bytes) in [("sum", sum()), ("chaos", component(CHAOS))] {
        let seen = run(&host, &bytes);
        let davy::plugin::PluginOutcome::Value(value) = seen.outcome else { panic!("{seen:?}") };
        lines += &format!("{name} {:016x} {}\n", value.to_bits(), seen.fuel.unwrap().get());
    }
    assert_eq!(lines, include_str!("same.txt"));
}

#[test]
fn three_processes_agree() {
    let told = |_: usize| {
        let of = ["same::bits_and_fuel_are_the_pinned_ones", "--exact"];
        let run = std::process::Command::new(std::env::current_exe().unwrap()).args(of).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    };
    (0..3).for_each(told);
}

#[cfg(feature = "pulley")]
#[test]
fn interpreted_agrees_bit_for_bit() {
    let interpreted = PluginHost::builder().interpreted().build().unwrap();
    for bytes in [sum(), component(CHAOS)] {
        assert_eq!(told(&run(&interpreted, &bytes)), told(&run(&PluginHost::new().unwrap(), &bytes)));
    }
}

#[test]
fn two_threads_measure_at_once() {
    let host = PluginHost::new().unwrap();
    let bytes = component(CHAOS);
    let expected = told(&run(&host, &bytes));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(told(&run(&host, &bytes)), expected)));
        }
    });
}
