//! Properties of the core, each with a planted bug that breaks it.
//!
//! A property is a function that takes the thing under test: usually a [`Decider`]. One test runs it
//! against the engine and must find nothing; another runs it against the engine with a realistic
//! defect around it and must find a counterexample, so that a property which sees nothing is noticed.
//!
//! Runs are seeded and the same every time. `PROPTEST_CASES=2560` looks ten times as long (256 is the
//! default), and `PROPTEST_RNG_SEED=7` looks elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod budgets;
mod determinism;
mod holds;
mod json;
mod monotone;
mod panics;
mod replay;
mod round_trips;
mod runner;
mod shadow;
mod split;
mod strategies;

use davy::{Decision, Engine, Snapshot, State};

/// The thing under test: what decides, and what it leaves behind.
type Decider<'d> = &'d dyn Fn(&Engine, &State, &Snapshot) -> (Decision, State);

/// The engine itself.
fn engine(engine: &Engine, state: &State, snapshot: &Snapshot) -> (Decision, State) {
    let step = engine.decide(state, snapshot);
    (step.decision, step.state)
}
