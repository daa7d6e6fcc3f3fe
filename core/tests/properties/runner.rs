//! Running a property: it holds, or it breaks as it should.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestError, TestRunner};

const SEED: u64 = 0x6461_7679;

/// The property must hold for `cases` cases.
pub(crate) fn holds<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> TestCaseResult) {
    if let Err(error) = runner(cases, 4096).run(&strategy, property) {
        panic!("{error}");
    }
}

/// A planted bug must be found, and for the reason that is expected.
pub(crate) fn breaks<S: Strategy>(
    cases: u32,
    strategy: S,
    expected: &str,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    match runner(cases, 16).run(&strategy, property) {
        Err(TestError::Fail(reason, _)) if reason.message().contains(expected) => {}
        Err(error) => panic!("found something else than `{expected}`: {error}"),
        Ok(()) => panic!("the planted bug was not found in {cases} cases"),
    }
}

fn runner(cases: u32, max_shrink_iters: u32) -> TestRunner {
    let given = Config::default();
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let cases = cases.saturating_mul(given.cases).div_ceil(256);
    TestRunner::new(Config { cases, rng_seed, max_shrink_iters, failure_persistence: None, ..given })
}
