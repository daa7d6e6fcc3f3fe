//! What of a rule's text an input reaches. Asked by tests alone: the interpreter of `regorus` counts lines, which the
//! machine that decides does not.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

/// How long tests may evaluate one rule: no limit of deciding, which counts instructions.
pub(super) const TEST_SECONDS: u64 = 10;

/// An interpreter that counts lines.
pub(super) fn interpreter() -> Engine {
    let mut engine = Engine::new();
    engine.set_enable_coverage(true);
    engine.set_strict_builtin_errors(true);
    let limit = Duration::from_secs(TEST_SECONDS);
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::MIN.saturating_add(999),
    });
    engine
}

/// The value of a rule, or what is wrong with it.
pub(super) fn value_of(engine: &mut Engine, path: String) -> Result<Value, String> {
    match catch_unwind(AssertUnwindSafe(|| engine.eval_rule(path))) {
        Ok(value) => value.map_err(|problem| problem.to_string()),
        Err(_) => Err("the interpreter gave up".to_owned()),
    }
}

/// The lines of a file that were evaluated so far, and those that were not.
pub(super) fn lines(engine: &Engine, file: &str) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let report = engine.get_coverage_report().unwrap_or_default();
    let found = report.files.into_iter().find(|known| known.path == file);
    found.map_or_else(Default::default, |found| (found.covered, found.not_covered))
}
