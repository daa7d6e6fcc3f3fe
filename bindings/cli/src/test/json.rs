//! Results for programs.

use davy::testing::{Branch, GateCoverage, Mismatch};
use davy::{Diagnostic, Position, Share, Verdict};
use davy_rules::RegoTestOutcome;
use serde::Serialize;

use super::ran::{Became, Ran};
use super::suite::{Counts, Policy, Suite, Tested};
use crate::error::Error;

#[derive(Serialize)]
struct Results<'a> {
    passed: usize,
    failed: usize,
    skipped: usize,
    files: Vec<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Vec<Covered<'a>>>,
}

#[derive(Serialize)]
struct File<'a> {
    file: String,
    policy: String,
    errors: &'a [Diagnostic],
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
struct Test<'a> {
    name: &'a str,
    position: &'a Position,
    passed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    errors: &'a [Diagnostic],
    looks: Vec<Look<'a>>,
    /// Of a test in Rego that is not true.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    message: String,
    position: &'a Position,
    printed: &'a [String],
}

#[derive(Serialize)]
struct Look<'a> {
    position: &'a Position,
    verdict: Verdict,
    mismatches: &'a [Mismatch],
}

#[derive(Serialize)]
struct Covered<'a> {
    policy: String,
    share: Share,
    reached: usize,
    branches: usize,
    gates: Vec<GateCoverage>,
    unreached: Vec<&'a Branch>,
}

pub(super) fn results(tested: &Tested, coverage: bool) -> Result<String, Error> {
    let Counts { passed, failed, skipped } = tested.counts();
    let files = tested.suites.iter().map(file).collect();
    let coverage = coverage.then(|| tested.policies.iter().map(covered).collect());
    Ok(format!("{}\n", serde_json::to_string_pretty(&Results { passed, failed, skipped, files, coverage })?))
}

fn file(suite: &Suite) -> File<'_> {
    File {
        file: suite.path.display().to_string(),
        policy: suite.policy.display().to_string(),
        errors: &suite.broken,
        tests: suite.runs.iter().map(test).collect(),
    }
}

fn test(ran: &Ran) -> Test<'_> {
    let result = ran.result();
    let mut test = Test {
        name: ran.name(),
        position: ran.position(),
        passed: result == Became::Passed,
        skipped: result == Became::Skipped,
        errors: &[],
        looks: Vec::new(),
        failure: None,
    };
    match ran {
        Ran::Decisions(run) => {
            test.errors = &run.broken;
            let looks = run.looks.iter().map(|look| Look {
                position: &look.position,
                verdict: look.decision.verdict,
                mismatches: &look.mismatches,
            });
            test.looks = looks.collect();
        }
        Ran::Rego(run) => {
            let at = match &run.outcome {
                RegoTestOutcome::Failed { at, .. } | RegoTestOutcome::Broken { at, .. } => Some(at),
                RegoTestOutcome::Passed | RegoTestOutcome::Skipped => None,
            };
            test.failure = at.map(|position| Failure { message: ran.message(), position, printed: &run.printed });
        }
    }
    test
}

fn covered(policy: &Policy) -> Covered<'_> {
    let (reached, branches) = policy.coverage.reached();
    Covered {
        policy: policy.documents.given().display().to_string(),
        share: policy.coverage.share(),
        reached,
        branches,
        gates: policy.coverage.gates(),
        unreached: policy.coverage.unreached().collect(),
    }
}
