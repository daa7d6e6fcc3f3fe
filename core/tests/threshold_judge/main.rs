//! The judge `threshold`: what one interval says about a metric, and how intervals add up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod counting;
mod missing;
mod reading;
mod weighing;

use support::*;

/// One letter per interval: `g`ood, `b`ad, `u`ndecided, `-` no data, `0` no traffic, `.` never reported.
fn after(metric: &str, intervals: &str) -> String {
    let mut watch = Watch::of(&threshold(&[metric]));
    let mut last = String::new();
    for letter in intervals.chars() {
        let bad = match letter {
            'g' => counts(1, 100),
            'u' => counts(2, 100),
            'b' => counts(9, 100),
            '-' => NO_DATA,
            '0' => counts(0, 0),
            _ => {
                watch.misses(1);
                continue;
            }
        };
        last = said(&watch.sees([canary("errors", bad), baseline("errors", counts(1, 100))]));
    }
    last
}

fn errors_with(more: &str) -> String {
    format!("name: errors, bad: b, total: t, {more}")
}

/// 1 % of the baseline's requests are bad: up to 1.5 % is healthy, more than 3 % is a failure.
fn compared_with(more: &str) -> String {
    errors_with(&format!("tolerate: 1.5x, unacceptable: 3x{more}"))
}

fn limited_with(more: &str) -> String {
    errors_with(&format!("max: 1%{more}"))
}

const TOLERATED: &str = "hold health.breach-tolerated:errors";
