//! Policies and documents of tests.

use std::collections::BTreeMap;

use davy::testing::{Coverage, PolicyTests, TestRun};
use davy::{Bundle, Engine};

/// Errors of at most 1 %, in intervals of a minute that are judged from the start on.
pub(crate) const POLICY: &str = "
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 5%, atLeast: 2m }, { weight: 25% }]
  health:
    judge: threshold
    every: 1m
    settle: 0s
    warmUp: 0s
    metrics: [{ name: errors, bad: b, total: t, max: 1% }]
";

/// Snapshots that most tests begin with, and room for tests.
pub(crate) const HEAD: &str = "\
apiVersion: davy/v1
kind: PolicyTest
metadata: { name: checkout }
spec:
  snapshots:
    begun:
      snapshot:
        now: 2026-11-23T10:00:00Z
        asked: { advance: { to: 25% } }
        stage: canary
        weight: 5%
        since: 2026-11-23T10:00:00Z
        release: { service: checkout, environment: prod, revision: r2, stable: r1, startedAt: 2026-11-23T10:00:00Z }
    healthy:
      from: begun
      at: 4m
      intervals: [{ from: 0s, to: 4m, observations: [{ metric: errors, cohort: canary, bad: 1, total: 1000 }] }]
  tests:
";

pub(crate) fn bundle() -> Bundle {
    Bundle::from_files([("rollouts.yaml", POLICY)]).unwrap()
}

/// A document with these tests.
pub(crate) fn document(tests: &str) -> String {
    format!("{HEAD}{tests}")
}

pub(crate) fn read(text: &str) -> PolicyTests {
    PolicyTests::from_yaml("t_test.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Runs a document under [`POLICY`].
pub(crate) fn run(text: &str) -> Vec<TestRun> {
    let bundle = bundle();
    let engine = Engine::new(&bundle);
    read(text).run(&engine, &BTreeMap::new(), &mut Coverage::of(&bundle, &engine))
}

/// What did not come as expected, as people read it.
pub(crate) fn why(runs: &[TestRun]) -> Vec<String> {
    let looks = runs.iter().flat_map(|run| &run.looks);
    looks.flat_map(|look| &look.mismatches).map(|mismatch| format!("{} {mismatch}", mismatch.position)).collect()
}
