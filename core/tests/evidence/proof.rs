//! Evidence that the canary is good enough: what `promote` waits for.

use davy::Asked;

use super::support::*;

const ERRORS: &str = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";

fn watch(metrics: &[&str]) -> Watch {
    Watch::of(&health("judge: evidence, recentIntervals: 5", metrics)).asks(Asked::Promote)
}

fn same(per_mille: u64) -> [davy::Observation; 2] {
    [canary("errors", counts(per_mille * 4, 4000)), baseline("errors", counts(per_mille * 4, 4000))]
}

/// After how many minutes `promote` may proceed.
fn promoted(watch: &mut Watch, most: u64, mut seen: impl FnMut() -> Vec<davy::Observation>) -> Option<u64> {
    (1..=most).find(|_| said(&watch.sees(seen())) == "proceed")
}

#[test]
fn an_identical_canary_is_promoted_once_enough_traffic_was_seen() {
    let mut release = watch(&[ERRORS]);
    let after = promoted(&mut release, 60, || same(10).to_vec());
    assert!(after.is_some_and(|after| (2..30).contains(&after)), "{after:?}");
}

#[test]
fn not_having_found_harm_is_no_proof() {
    let mut release = watch(&[ERRORS]);
    for _ in 0..30 {
        let seen = [canary("errors", counts(0, 20)), baseline("errors", counts(1, 400))];
        assert_eq!(said(&release.sees(seen)), "hold health.not-proved:errors");
    }
}

#[test]
fn advance_does_not_wait_for_a_proof() {
    let mut release = watch(&[ERRORS]).asks(advance("25%"));
    assert_eq!(said(&release.sees([canary("errors", counts(0, 20)), baseline("errors", counts(1, 400))])), "proceed");
}

#[test]
fn a_regression_that_begins_after_the_proof_is_not_promoted() {
    let mut release = watch(&[ERRORS]);
    assert!(promoted(&mut release, 60, || same(10).to_vec()).is_some());
    // Twice as many errors, not yet enough evidence to abort.
    let worse = || [canary("errors", counts(80, 4000)), baseline("errors", counts(40, 4000))];
    let said: Vec<String> = (0..3).map(|_| said(&release.sees(worse()))).collect();
    assert!(said[0] != "proceed" && said[1] != "proceed" && said[2] != "proceed", "{said:?}");
}

#[test]
fn every_metric_needs_its_own_proof() {
    let other = "name: search, bad: b2, total: t2, tolerate: 1.1x, unacceptable: 1.5x";
    let mut release = watch(&[ERRORS, other]);
    let thin = || {
        let mut seen = same(10).to_vec();
        seen.extend([canary("search", counts(0, 10)), baseline("search", counts(0, 10))]);
        seen
    };
    assert_eq!(promoted(&mut release, 30, thin), None);
    assert_eq!(said(&release.looks()), "hold health.not-proved:search");
}

#[test]
fn latency_is_proved_at_the_middle_and_at_the_tail() {
    let shape = |shift: i32| {
        let buckets: Vec<(i32, u64)> = (-20..=20)
            .map(|i: i32| (i + shift, 1500 / (1 + i.unsigned_abs() as u64 * i.unsigned_abs() as u64 / 4)))
            .collect();
        histogram(4, &buckets)
    };
    let latency = "name: latency, histogram: h, tolerate: 5%, unacceptable: 25%";
    let mut same = watch(&[latency]);
    let after = promoted(&mut same, 60, || vec![canary("latency", shape(0)), baseline("latency", shape(0))]);
    assert!(after.is_some_and(|after| after > 1), "{after:?}");
    // 30 % slower.
    let mut slower = watch(&[latency]).asks(Asked::Keep);
    let aborted = (1..=10).find(|_| {
        said(&slower.sees([canary("latency", shape(6)), baseline("latency", shape(0))])) == "abort health.harm"
    });
    assert!(aborted.is_some(), "{}", slower.looks());
}

#[test]
fn classic_buckets_choose_their_thresholds() {
    let shape = |slow: u64| buckets(&[(0.1, 2000), (0.3, 3600 - slow), (1.0, 3960 - slow / 2), (3.0, 4000)], 4000);
    let search = "name: search, buckets: s, tolerate: 1.2x, unacceptable: 2x";
    let mut same = watch(&[search]);
    let after = promoted(&mut same, 60, || vec![canary("search", shape(0)), baseline("search", shape(0))]);
    assert!(after.is_some_and(|after| after > 1), "{after:?}");
    let mut slower = watch(&[search]).asks(Asked::Keep);
    let aborted = (1..=20).find(|_| {
        said(&slower.sees([canary("search", shape(400)), baseline("search", shape(0))])) == "abort health.harm"
    });
    assert!(aborted.is_some(), "{}", slower.looks());
}

#[test]
fn a_known_share_needs_no_baseline() {
    let errors = "name: errors, bad: b, total: t, max: 1%";
    let mut good = watch(&[errors]);
    let after = promoted(&mut good, 60, || vec![canary("errors", counts(20, 4000))]);
    assert!(after.is_some(), "{}", good.looks());
    let mut bad = watch(&[errors]).asks(Asked::Keep);
    let aborted = (1..=20).find(|_| said(&bad.sees([canary("errors", counts(60, 4000))])) == "abort health.harm");
    assert!(aborted.is_some(), "{}", bad.looks());
}

#[test]
fn what_is_undecided_at_the_horizon_does_what_the_policy_says() {
    for (on, expected) in [("hold", "hold health.horizon:errors"), ("fail", "abort health.horizon:errors")] {
        let settings = format!("judge: evidence, horizon: 5m, onInconclusive: {on}");
        let mut release = Watch::of(&health(&settings, &[ERRORS])).asks(Asked::Promote);
        let thin = || [canary("errors", counts(0, 20)), baseline("errors", counts(1, 400))];
        let last = (0..6).map(|_| said(&release.sees(thin()))).last().unwrap();
        assert!(last.contains(expected.split(' ').nth(1).unwrap()), "{last}");
        assert!(last.starts_with(expected.split(' ').next().unwrap()), "{last}");
    }
}

#[test]
fn what_is_undecided_may_be_promoted_if_the_policy_says_so_and_is_never_called_proved() {
    let release =
        || Watch::of(&health("judge: evidence, horizon: 5m, onInconclusive: promote", &[ERRORS])).asks(Asked::Promote);
    let thin = || [canary("errors", counts(0, 20)), baseline("errors", counts(1, 400))];
    let mut undecided = release();
    let all: Vec<String> = (0..6).map(|_| said(&undecided.sees(thin()))).collect();
    assert_eq!(all[3], "hold health.not-proved:errors");
    assert_eq!(all[5], "proceed");
    let decision = undecided.looks();
    assert!(codes(&decision).contains(&"health.horizon") && !codes(&decision).contains(&"health.proved"), "{decision}");
    // Harm still aborts.
    let mut bad = release();
    let last = (0..6).map(|_| said(&bad.sees([canary("errors", counts(20, 20)), baseline("errors", counts(1, 400))])));
    assert_eq!(last.last().unwrap(), "abort health.harm");
}
