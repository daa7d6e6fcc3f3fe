//! The gates beside health: what makes a release wait, who may lift that, and what no one may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
#![allow(clippy::float_cmp, reason = "what is left of a budget is rounded in one place only")]

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod burn;
mod calendar;
mod intervals;
mod lasting;
mod overrides;
mod probes;
mod ramp;
mod wanted;
mod windows;

use davy::{Interval, Passed, Running};
use support::*;

/// The newest minute of a look at 09:30, with too many errors.
fn bad() -> Vec<Interval> {
    vec![interval(30, [canary("errors", counts(9, 100))])]
}

/// The same minute without errors.
fn good() -> Vec<Interval> {
    vec![interval(30, [canary("errors", counts(0, 100))])]
}

const RAMP: &str = "steps: [{ weight: 5%, atLeast: 40m }, { weight: 25% }, { weight: 50% }]";

const COMPARED: &str = "name: errors, bad: b, total: t, tolerate: 1.5x, unacceptable: 3x";

fn running(service: &str, environment: &str, revision: &str) -> Running {
    Running { service: name(service), environment: name(environment), revision: name(revision) }
}

fn passed(environment: &str, revision: &str, clock: &str) -> Passed {
    Passed { environment: name(environment), revision: name(revision), at: at(clock) }
}
