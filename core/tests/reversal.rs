//! What was proved must still be true when promotion is asked for: two bad intervals are enough to doubt it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use davy::Asked;
use support::*;

/// What is said after forty good intervals and then some with so many bad requests of the canary.
fn after(bad: u64, intervals: u64) -> Vec<&'static str> {
    let spec = health("judge: evidence", &["name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 1.5x"]);
    let decision = look(&spec, Asked::Promote, |snapshot| {
        let seen = |end| {
            let bad = if end > 40 { bad } else { 10 };
            interval(end, [canary("errors", counts(bad, 1000)), baseline("errors", counts(10, 1000))])
        };
        snapshot.intervals = (1..=40 + intervals).map(seen).collect();
        snapshot.now = minute(40 + intervals);
    });
    codes(&decision)
}

#[test]
fn what_good_intervals_proved_does_not_make_up_for_bad_ones() {
    assert!(after(10, 2).contains(&"health.proved"));
    assert!(after(20, 2).contains(&"health.reversed"));
}

#[test]
fn a_little_chance_does_not_reverse_a_proof() {
    assert!(after(12, 1).contains(&"health.proved"));
}
