//! The arithmetic of evidence: against published numbers, by exact enumeration, and by properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod coverage;
mod enumeration;
mod extremes;
mod golden;
mod level;
mod monotone;
mod noise;
mod oracle;
mod oracle_noise;
mod oracle_published;
mod oracle_ranks;
mod planning;
mod processes;
#[path = "../properties/runner.rs"]
mod runner;
mod streams;

use davy::Count;
use davy::stats::{Arm, Pair};

/// Events of so many requests.
fn arm(events: u64, total: u64) -> Arm {
    let count = |value| Count::new(value).unwrap();
    Arm::new(count(events), count(total)).unwrap()
}

/// (events, requests) of the canary and of the baseline.
fn pair(canary: (u64, u64), baseline: (u64, u64)) -> Pair {
    Pair { canary: arm(canary.0, canary.1), baseline: arm(baseline.0, baseline.1) }
}
