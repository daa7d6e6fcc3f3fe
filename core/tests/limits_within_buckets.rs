//! Evidence about a latency's limit that lies within a bucket: neither harm nor its absence is read out of requests
//! that may lie on either side.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use davy::{Asked, Observed};
use support::*;

/// What forty intervals of `seen` come to under a limit of 300 ms.
fn after_forty(form: &str, seen: &Observed) -> Vec<&'static str> {
    let spec = health("judge: evidence", &[&format!("name: search, {form}: a, quantile: p99, max: 300ms")]);
    let decision = look(&spec, Asked::Promote, |snapshot| {
        snapshot.intervals = (1..=40).map(|end| interval(end, [canary("search", seen.clone())])).collect();
        snapshot.now = minute(40);
    });
    codes(&decision)
}

#[test]
fn requests_that_may_be_too_slow_prove_nothing() {
    // A tenth lies in the bucket of the limit: all of them may be slower, or none.
    let classic = buckets(&[(0.25, 900), (0.5, 1000)], 1000);
    let native = histogram(0, &[(-3, 900), (-1, 100)]);
    for (form, seen) in [("buckets", classic), ("histogram", native)] {
        let codes = after_forty(form, &seen);
        assert!(codes.contains(&"health.not-proved") && codes.contains(&"health.no-harm"), "{form} {codes:?}");
    }
}

#[test]
fn requests_that_are_surely_fast_or_slow_prove_it() {
    let fast = [("buckets", buckets(&[(0.25, 1000), (0.5, 1000)], 1000)), ("histogram", histogram(0, &[(-3, 1000)]))];
    for (form, seen) in fast {
        assert!(after_forty(form, &seen).contains(&"health.proved"), "{form}");
    }
    let slow =
        [("buckets", buckets(&[(0.25, 900), (0.5, 900)], 1000)), ("histogram", histogram(0, &[(-3, 900), (0, 100)]))];
    for (form, seen) in slow {
        assert!(after_forty(form, &seen).contains(&"health.harm"), "{form}");
    }
}
