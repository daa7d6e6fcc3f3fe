//! What one interval says: shares, latencies, gauges and events.

use davy::{Observation, Verdict};

use crate::support::*;
use crate::{after, compared_with, errors_with};

// Shares.

#[test]
fn a_share_is_compared_in_exact_integers() {
    for (bad, total, verdict) in [
        (1, 100, Verdict::Proceed),
        (12, 1204, Verdict::Proceed),
        (13, 1204, Verdict::Abort),
        (90_071_992_547_409, 9_007_199_254_740_991, Verdict::Proceed),
        (90_071_992_547_410, 9_007_199_254_740_991, Verdict::Abort),
    ] {
        let decision = Watch::of(&threshold(&[ERRORS])).sees([canary("errors", counts(bad, total))]);
        assert_eq!(decision.verdict, verdict, "{bad} of {total}");
    }
}

#[test]
fn a_minimum_of_good_events_is_a_maximum_of_bad_ones() {
    let metric = "name: errors, good: g, total: t, min: 99%";
    assert_eq!(after(metric, "g"), "proceed");
    assert_eq!(after(metric, "u"), EXCEEDED);
}

#[test]
fn failed_runs_of_a_flow_are_bad_events() {
    let metric = "name: errors, probe: login-and-pay, max: 1%";
    assert_eq!(after(metric, "g"), "proceed");
    assert_eq!(after(metric, "b"), EXCEEDED);
}

/// The verdict for so many bad requests of 1 000, where the baseline has 10 of 1 000.
fn against_one_percent(metric: &str, bad: u64) -> String {
    let pair = [canary("errors", counts(bad, 1000)), baseline("errors", counts(10, 1000))];
    said(&Watch::of(&threshold(&[metric])).sees(pair))
}

#[test]
fn a_ratio_leaves_a_gap_in_which_nothing_is_decided() {
    let undecided = "hold health.inconclusive:errors";
    for (bad, expected) in [(0, "proceed"), (15, "proceed"), (16, undecided), (30, undecided), (31, EXCEEDED)] {
        assert_eq!(against_one_percent(&compared_with(""), bad), expected, "{bad} bad requests");
    }
}

#[test]
fn a_baseline_without_bad_requests_tolerates_none() {
    let compare = |bad| {
        let pair = [canary("errors", counts(bad, 1000)), baseline("errors", counts(0, 1000))];
        said(&Watch::of(&threshold(&[&compared_with("")])).sees(pair))
    };
    assert_eq!((compare(0).as_str(), compare(1).as_str()), ("proceed", EXCEEDED));
}

#[test]
fn an_absolute_limit_beside_a_ratio_is_a_second_condition() {
    let metric = errors_with("max: 2%, tolerate: 1.5x, unacceptable: 3x");
    assert_eq!(against_one_percent(&metric, 15), "proceed");
    assert_eq!(against_one_percent(&metric, 20), "hold health.inconclusive:errors");
    assert_eq!(against_one_percent(&metric, 21), EXCEEDED);
    // What is beyond it needs no baseline to be bad.
    let alone = [canary("errors", counts(21, 1000))];
    assert_eq!(said(&Watch::of(&threshold(&[&metric])).sees(alone)), EXCEEDED);
    let alone = [canary("errors", counts(20, 1000))];
    assert_eq!(said(&Watch::of(&threshold(&[&metric])).sees(alone)), "hold health.no-data:errors");
}

// Latency.

fn latency(limit: &str, observations: impl Into<Vec<Observation>>) -> String {
    said(&Watch::of(&threshold(&[&format!("name: latency, {limit}")])).sees(observations))
}

const SLOW: &str = "abort health.limit-exceeded:latency";
const UNDECIDED: &str = "hold health.inconclusive:latency";

#[test]
fn a_quantile_of_classic_buckets_is_a_bucket_and_never_interpolated() {
    // 99 of 100 requests took at most 500 ms, 98 at most 250 ms.
    let seen = || [canary("latency", buckets(&[(0.25, 98), (0.5, 99), (1.0, 99)], 100))];
    // p99 is the 99th request: it took from 250 to 500 ms.
    assert_eq!(latency("buckets: b, max: 500ms", seen()), "proceed");
    assert_eq!(latency("buckets: b, max: 499ms", seen()), UNDECIDED);
    assert_eq!(latency("buckets: b, max: 251ms", seen()), UNDECIDED);
    assert_eq!(latency("buckets: b, max: 250ms", seen()), SLOW);
    // p98 took up to 250 ms, p99.5 more than the last bound.
    assert_eq!(latency("buckets: b, quantile: p98, max: 250ms", seen()), "proceed");
    assert_eq!(latency("buckets: b, quantile: p99.5, max: 1s", seen()), SLOW);
    assert_eq!(latency("buckets: b, quantile: p99.5, max: 2s", seen()), UNDECIDED);
}

#[test]
fn a_quantile_of_native_buckets_is_a_bucket_and_never_interpolated() {
    // Schema 0: bucket 0 is (0.5, 1] seconds, bucket 1 is (1, 2].
    let seen = |slow| [canary("latency", histogram(0, &[(0, 100 - slow), (1, slow)]))];
    assert_eq!(latency("histogram: h, max: 1s", seen(1)), "proceed");
    assert_eq!(latency("histogram: h, max: 1s", seen(2)), SLOW);
    assert_eq!(latency("histogram: h, max: 1500ms", seen(2)), UNDECIDED);
    assert_eq!(latency("histogram: h, max: 2s", seen(2)), "proceed");
    assert_eq!(latency("histogram: h, quantile: p98, max: 1s", seen(2)), "proceed");
}

#[test]
fn replicas_with_other_bounds_cannot_be_added_up() {
    let pods = |bound| {
        let (a, b) = (buckets(&[(0.5, 9)], 9), buckets(&[(bound, 9)], 9));
        [of("pod-a", canary("latency", a)), of("pod-b", canary("latency", b))]
    };
    assert_eq!(latency("buckets: b, max: 500ms", pods(0.5)), "proceed");
    assert_eq!(latency("buckets: b, max: 500ms", pods(0.4)), "hold health.wrong-form:latency");
}

#[test]
fn native_histograms_of_other_resolution_are_added_up_at_the_coarser() {
    // Bucket 1 of schema 1 is (1, 1.41] seconds; at schema 0 it is within (1, 2].
    let pods = [
        of("pod-a", canary("latency", histogram(1, &[(1, 50)]))),
        of("pod-b", canary("latency", histogram(0, &[(0, 50)]))),
    ];
    assert_eq!(latency("histogram: h, max: 2s", pods.clone()), "proceed");
    assert_eq!(latency("histogram: h, max: 1500ms", pods.clone()), UNDECIDED);
    assert_eq!(latency("histogram: h, max: 1s", pods), SLOW);
}

#[test]
fn a_shift_is_rounded_up_to_whole_native_buckets() {
    // At schema 3 a bucket is 9 % wide: 5 % is one bucket, 25 % are three.
    let metric = "histogram: h, tolerate: 5%, unacceptable: 25%";
    for (later, expected) in
        [(-4, "proceed"), (0, "proceed"), (1, "proceed"), (2, UNDECIDED), (3, UNDECIDED), (4, SLOW)]
    {
        let pair =
            [canary("latency", histogram(3, &[(-20 + later, 100)])), baseline("latency", histogram(3, &[(-20, 100)]))];
        assert_eq!(latency(metric, pair), expected, "{later} buckets later");
    }
}

#[test]
fn a_shift_compares_the_quantile_that_the_policy_names() {
    let metric = |quantile: &str| format!("histogram: h, quantile: {quantile}, tolerate: 5%, unacceptable: 25%");
    let pair =
        || [canary("latency", histogram(3, &[(-20, 95), (0, 5)])), baseline("latency", histogram(3, &[(-20, 100)]))];
    assert_eq!(latency(&metric("p95"), pair()), "proceed");
    assert_eq!(latency(&metric("p96"), pair()), SLOW);
}

#[test]
fn slower_than_compares_the_share_of_slow_requests() {
    let metric = "buckets: b, slowerThan: 300ms, tolerate: 1.5x, unacceptable: 3x";
    let slow = |slow: u64| buckets(&[(0.1, 500), (0.3, 1000 - slow), (1.0, 1000)], 1000);
    for (of_canary, expected) in [(15, "proceed"), (16, UNDECIDED), (30, UNDECIDED), (31, SLOW)] {
        let pair = [canary("latency", slow(of_canary)), baseline("latency", slow(10))];
        assert_eq!(latency(metric, pair), expected, "{of_canary} slow requests");
    }
    // Nothing is guessed between two boundaries.
    let elsewhere = [canary("latency", buckets(&[(0.25, 999)], 1000)), baseline("latency", slow(10))];
    assert_eq!(latency(metric, elsewhere), "hold health.wrong-form:latency");
}

// Gauges.

fn cpu(limit: &str, observations: impl Into<Vec<Observation>>) -> String {
    said(&Watch::of(&threshold(&[&format!("name: cpu, gauge: g, {limit}")])).sees(observations))
}

fn pods(values: &[f64]) -> Vec<Observation> {
    (1..).zip(values).map(|(pod, value)| of(&format!("pod-{pod}"), canary("cpu", gauge(*value)))).collect()
}

const BUSY: &str = "abort health.limit-exceeded:cpu";

#[test]
fn the_worst_replica_decides() {
    assert_eq!(cpu("max: 85%", pods(&[0.2, 0.85, 0.1])), "proceed");
    assert_eq!(cpu("max: 85%", pods(&[0.2, 0.86, 0.1])), BUSY);
    assert_eq!(cpu("min: 2, max: 8", pods(&[2.0, 8.0])), "proceed");
    assert_eq!(cpu("min: 2, max: 8", pods(&[1.9, 5.0])), BUSY);
    assert_eq!(cpu("min: -0.5", pods(&[-0.5])), "proceed");
    assert_eq!(cpu("min: -0.5", pods(&[-0.6])), BUSY);
}

#[test]
fn a_replica_without_a_value_hides_no_other_and_is_not_healthy() {
    let with_a_gap = |value| {
        let gap = of("pod-0", canary("cpu", NO_DATA));
        [vec![gap], pods(&[value])].concat()
    };
    assert_eq!(cpu("max: 85%", with_a_gap(0.2)), "hold health.no-data:cpu");
    assert_eq!(cpu("max: 85%", with_a_gap(0.9)), BUSY);
    // A bad replica that is not enough to fail does not make up for the one that is not there.
    let mut watch = Watch::of(&threshold(&["name: cpu, gauge: g, max: 85%, patience: 2"]));
    assert_eq!(said(&watch.sees(with_a_gap(0.9))), "hold health.breach-tolerated:cpu health.no-data:cpu");
}

#[test]
fn means_over_the_replicas_are_compared_with_the_baseline() {
    let beside = |value: f64| baseline("cpu", gauge(value));
    let compare =
        |canary: &[f64], other| cpu("tolerate: 1.5x, unacceptable: 2x", [pods(canary), vec![beside(other)]].concat());
    assert_eq!(compare(&[0.5, 1.0], 0.5), "proceed");
    assert_eq!(compare(&[0.75, 1.0], 0.5), "hold health.inconclusive:cpu");
    assert_eq!(compare(&[1.0, 1.5], 0.5), BUSY);
    // Nothing is a multiple of nothing.
    assert_eq!(compare(&[0.1], 0.0), "hold health.inconclusive:cpu");
    assert_eq!(compare(&[0.0], 0.0), "hold health.inconclusive:cpu");
    assert_eq!(cpu("tolerate: 1.5x, unacceptable: 2x", pods(&[0.1])), "hold health.no-data:cpu");
}

#[test]
fn an_absolute_limit_on_a_gauge_holds_beside_a_ratio() {
    let limit = "max: 85%, tolerate: 1.5x, unacceptable: 2x";
    let beside = baseline("cpu", gauge(0.8));
    assert_eq!(cpu(limit, [pods(&[0.85]), vec![beside.clone()]].concat()), "proceed");
    assert_eq!(cpu(limit, [pods(&[0.86]), vec![beside.clone()]].concat()), BUSY);
    // One replica beyond the limit is not averaged away.
    assert_eq!(cpu(limit, [pods(&[0.9, 0.1]), vec![beside]].concat()), BUSY);
}

// Events.

fn crashes(observations: impl Into<Vec<Observation>>) -> String {
    said(&Watch::of(&threshold(&["name: crashes, events: restarts, max: 2"])).sees(observations))
}

#[test]
fn events_are_counted_per_interval() {
    assert_eq!(crashes([canary("crashes", events(0))]), "proceed");
    assert_eq!(crashes([canary("crashes", events(2))]), "proceed");
    assert_eq!(crashes([canary("crashes", events(3))]), "abort health.limit-exceeded:crashes");
    let pods = [of("pod-a", canary("crashes", events(2))), of("pod-b", canary("crashes", events(1)))];
    assert_eq!(crashes(pods), "abort health.limit-exceeded:crashes");
    // None happened is not the same as not counted.
    assert_eq!(crashes([]), "hold health.no-data:crashes");
}

#[test]
fn events_of_both_cohorts_point_upstream() {
    let with_baseline = |number| crashes([canary("crashes", events(9)), baseline("crashes", events(number))]);
    assert_eq!(with_baseline(2), "abort health.limit-exceeded:crashes");
    assert_eq!(with_baseline(3), "hold health.inconclusive:crashes");
    assert_eq!(crashes([canary("crashes", events(2)), baseline("crashes", events(9))]), "proceed");
}
