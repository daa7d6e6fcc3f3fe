//! What is not covered: missing data, gauges, limits of nothing.

use davy::{Asked, Guarantee, Missing, Observed};

use super::support::*;

const ERRORS: &str = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";

fn watch(metrics: &[&str]) -> Watch {
    Watch::of(&health("judge: evidence", metrics)).asks(Asked::Keep)
}

#[test]
fn missing_data_is_blind_and_never_evidence() {
    for missing in [Missing::NoData, Missing::Nan, Missing::PositiveInfinity] {
        let mut release = watch(&[ERRORS]);
        let seen = [canary("errors", Observed::Missing(missing)), baseline("errors", counts(10, 1000))];
        assert_eq!(said(&release.sees(seen)), "hold health.no-data:errors");
    }
}

#[test]
fn an_interval_without_traffic_says_nothing_and_is_no_reason_to_wait() {
    let mut release = watch(&[ERRORS]).asks(advance("25%"));
    assert_eq!(said(&release.sees([canary("errors", counts(0, 0)), baseline("errors", counts(1, 400))])), "proceed");
}

#[test]
fn a_gauge_is_judged_by_its_limit_and_says_so() {
    let cpu = "name: cpu, gauge: g, max: 85%, patience: 2";
    let mut release = watch(&[ERRORS, cpu]);
    let seen =
        |value| [canary("errors", counts(10, 1000)), baseline("errors", counts(30, 3000)), canary("cpu", gauge(value))];
    assert_eq!(said(&release.sees(seen(0.5))), "proceed");
    release.sees(seen(0.9));
    let decision = release.sees(seen(0.9));
    assert_eq!(said(&decision), "abort health.limit-exceeded:cpu");
    assert!(matches!(finding(&decision, "health.limit-exceeded").guarantee, Guarantee::Outside(_)));
}

#[test]
fn no_event_at_all_is_a_limit_of_its_own() {
    let restarts = "name: restarts, events: restarts, max: 0";
    let mut release = watch(&[ERRORS, restarts]);
    let seen = |number| {
        [
            canary("errors", counts(10, 1000)),
            baseline("errors", counts(30, 3000)),
            canary("restarts", events(number)),
            baseline("restarts", events(0)),
        ]
    };
    assert_eq!(said(&release.sees(seen(0))), "proceed");
    assert_eq!(said(&release.sees(seen(1))), "abort health.limit-exceeded:restarts");
}

#[test]
fn the_interval_that_chooses_thresholds_is_not_judged() {
    let latency = "name: latency, histogram: h, tolerate: 5%, unacceptable: 25%";
    let mut release = watch(&[latency]);
    let slow = histogram(4, &[(0, 500), (40, 4000)]);
    let fast = histogram(4, &[(0, 4000), (8, 400), (16, 100)]);
    assert_eq!(said(&release.sees([canary("latency", slow.clone()), baseline("latency", fast.clone())])), "proceed");
    assert_eq!(said(&release.sees([canary("latency", slow), baseline("latency", fast)])), "abort health.harm");
}

#[test]
fn a_replica_that_has_served_nothing_makes_no_buckets_coarser() {
    let latency = "name: latency, histogram: h, tolerate: 5%, unacceptable: 25%";
    let slow = histogram(4, &[(9, 4000), (17, 400), (25, 100)]);
    let fast = histogram(4, &[(1, 4000), (9, 400), (17, 100)]);
    let seen = || {
        let idle = of("pod-1", baseline("latency", histogram(0, &[])));
        [of("canary-0", canary("latency", slow.clone())), of("pod-0", baseline("latency", fast.clone())), idle]
    };
    let mut release = watch(&[latency]);
    assert_eq!(said(&release.sees(seen())), "proceed");
    assert_eq!(said(&release.sees(seen())), "abort health.harm");
}
