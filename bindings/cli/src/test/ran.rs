//! What became of a test, of whichever kind it is.

use davy::Position;
use davy::testing::TestRun;
use davy_rules::{RegoTestOutcome, RegoTestRun};

/// A test that was run.
pub(super) enum Ran {
    /// Snapshots and what must be decided from them.
    Decisions(TestRun),
    /// A rule in Rego that must be true.
    Rego(RegoTestRun),
}

/// Whether a test passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Passed,
    Failed,
    /// Something kept it from being judged.
    Broken,
    /// It says itself that it is not to be run.
    Skipped,
}

impl Ran {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Decisions(run) => &run.name,
            Self::Rego(run) => &run.name,
        }
    }

    pub(super) fn position(&self) -> &Position {
        match self {
            Self::Decisions(run) => &run.position,
            Self::Rego(run) => &run.position,
        }
    }

    pub(super) fn result(&self) -> Became {
        match self {
            Self::Decisions(run) if run.passed() => Became::Passed,
            Self::Decisions(run) if run.broken.is_empty() => Became::Failed,
            Self::Decisions(_) => Became::Broken,
            Self::Rego(run) => match run.outcome {
                RegoTestOutcome::Passed => Became::Passed,
                RegoTestOutcome::Failed { .. } => Became::Failed,
                RegoTestOutcome::Broken { .. } => Became::Broken,
                RegoTestOutcome::Skipped => Became::Skipped,
            },
        }
    }

    /// The first thing that did not come as expected, on one line.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Decisions(run) => match run.broken.first() {
                Some(broken) => broken.message.clone(),
                None => {
                    let first = run.looks.iter().flat_map(|look| &look.mismatches).next();
                    first.map_or_else(String::new, |first| {
                        let decided =
                            if first.decided.is_empty() { "nothing".to_owned() } else { first.decided.join(", ") };
                        format!("{}: expected {}, decided {decided}", first.key, first.expected.join(", "))
                    })
                }
            },
            Self::Rego(run) => match &run.outcome {
                RegoTestOutcome::Failed { value, .. } => format!("expected true, found {value}"),
                RegoTestOutcome::Broken { problem, .. } => problem.clone(),
                RegoTestOutcome::Passed | RegoTestOutcome::Skipped => String::new(),
            },
        }
    }
}
