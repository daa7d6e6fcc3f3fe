//! Running tests: look by look, each with the state that it is to be handed.

use std::collections::BTreeMap;

use super::expected::{Mismatch, compare};
use super::scene::Scenes;
use super::{Coverage, PolicyTests, looks};
use crate::decide::decide_and_show;
use crate::decision::Decision;
use crate::document::{CarriedState, Diagnostic, Position};
use crate::engine::Engine;
use crate::plugin::Plugins;
use crate::state::State;

/// What became of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRun {
    /// What the test shows.
    pub name: String,
    /// Where it stands.
    pub position: Position,
    /// The looks that were decided; fewer than the test has, where something kept it from going on.
    pub looks: Vec<LookRun>,
    /// What kept it from going on.
    pub broken: Vec<Diagnostic>,
}

/// What became of one look.
#[derive(Debug, Clone, PartialEq)]
pub struct LookRun {
    /// Where it stands.
    pub position: Position,
    /// What was decided.
    pub decision: Decision,
    /// What was expected and did not come.
    pub mismatches: Vec<Mismatch>,
}

impl TestRun {
    /// Whether everything came as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.broken.is_empty() && self.looks.iter().all(|look| look.mismatches.is_empty())
    }
}

impl PolicyTests {
    /// Runs every test, and counts what it reaches. `files` holds the contents of [`PolicyTests::files`] that there are.
    #[must_use]
    pub fn run(&self, engine: &Engine, files: &BTreeMap<String, Vec<u8>>, coverage: &mut Coverage) -> Vec<TestRun> {
        self.run_with(engine, &Plugins::new(), files, coverage)
    }

    /// The same where plugins measure first. What the tests say that they measured stands.
    #[must_use]
    pub fn run_with(
        &self,
        engine: &Engine,
        plugins: &Plugins,
        files: &BTreeMap<String, Vec<u8>>,
        coverage: &mut Coverage,
    ) -> Vec<TestRun> {
        let scenes = Scenes::new(self, engine, files);
        self.cases()
            .map(|case| {
                let mut run = TestRun {
                    name: case.name.value.clone(),
                    position: case.position.clone(),
                    looks: Vec::new(),
                    broken: Vec::new(),
                };
                let (mut state, mut before) = (State::new(), None);
                let looks = looks(case);
                for (number, look) in looks.iter().enumerate() {
                    let seen = match scenes.snapshot(look.view, before.as_ref()) {
                        Ok(snapshot) => snapshot,
                        Err(broken) => {
                            run.broken = broken;
                            break;
                        }
                    };
                    let prior = match look.state {
                        CarriedState::Carried => state,
                        CarriedState::NextRelease => state.next_release(),
                        CarriedState::New => State::new(),
                    };
                    let mut snapshot = seen.clone();
                    if !plugins.is_empty() {
                        engine.measure(plugins, &mut snapshot);
                    }
                    let step = decide_and_show(engine, &prior, &snapshot, &mut |rules, input| {
                        coverage.see_rules(rules, input);
                    });
                    coverage.see(&step.decision);
                    let is_last = number + 1 == looks.len();
                    let mismatches = match look.expect {
                        Some(expect) => compare(expect, &step.decision),
                        // A look on the way need not expect anything; it leads somewhere.
                        None if is_last => vec![Mismatch::nothing_expected(look.position)],
                        None => Vec::new(),
                    };
                    run.looks.push(LookRun { position: look.position.clone(), decision: step.decision, mismatches });
                    state = step.state;
                    // A later look may change what plugins read.
                    before = Some(seen);
                }
                run
            })
            .collect()
    }
}
