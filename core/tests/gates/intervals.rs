//! Intervals that cannot be trusted, and how findings combine.

use davy::{Asked, Cause, Duration, HoldKind, Interval, Outcome, OverrideAction, Snapshot, Stage, Verdict};

use crate::support::*;
use crate::{COMPARED, RAMP, bad, good, passed, running};

// Intervals that cannot be trusted.

#[test]
fn the_same_interval_again_changes_nothing() {
    let mut watch = Watch::of(&threshold(&[&format!("{ERRORS}, failureLimit: 1")]));
    let failed = [canary("errors", counts(9, 100))];
    let first = said(&watch.sees(failed.clone()));
    let state = watch.state.clone();
    watch.snapshot.intervals = vec![interval(1, failed.clone()), interval(1, failed)];
    assert_eq!(said(&watch.looks()), first);
    assert_eq!(watch.state, state);
}

#[test]
fn an_interval_that_comes_again_with_other_counts_is_never_folded() {
    let mut watch = Watch::of(&threshold(&[ERRORS]));
    watch.sees([canary("errors", counts(0, 100))]);
    let after_one = watch.sees([canary("errors", counts(0, 100))]);
    assert_eq!(said(&after_one), "proceed");
    watch.snapshot.intervals = [1, 2].map(|end| interval(end, [canary("errors", counts(99, 100))])).to_vec();
    let conflict = watch.looks();
    assert_eq!(said(&conflict), "hold data.conflict");
    let cause = Cause::DataConflict { start: minute(0), intervals: count(2) };
    assert_eq!(finding(&conflict, "data.conflict").cause, cause);
    assert_eq!(conflict.hold.unwrap().kind, HoldKind::Blind);
    watch.snapshot.intervals = Vec::new();
    assert_eq!(said(&watch.looks()), "proceed");
}

#[test]
fn an_interval_that_comes_late_is_never_folded() {
    let mut watch = Watch::of(&threshold(&[ERRORS]));
    watch.misses(2);
    watch.sees([canary("errors", counts(0, 100))]);
    watch.snapshot.intervals = [2, 1].map(|end| interval(end, [canary("errors", counts(99, 100))])).to_vec();
    let late = watch.looks();
    assert_eq!(said(&late), "hold data.late");
    let cause = Cause::DataLate { start: minute(0), intervals: count(2) };
    assert_eq!(finding(&late, "data.late").cause, cause);
}

#[test]
fn an_interval_off_the_grid_is_never_folded() {
    let failing = |start: &str, end: &str| {
        let observations = vec![canary("errors", counts(99, 100))];
        look(&threshold(&[ERRORS]), Asked::Promote, |seen| {
            seen.intervals = good();
            seen.intervals.push(Interval::new(at(start), at(end), observations).unwrap());
        })
    };
    for (start, end) in [("09:20:30", "09:21:30"), ("09:20", "09:22"), ("09:20", "09:20:59")] {
        let off = failing(start, end);
        assert_eq!(said(&off), "hold data.off-grid");
        let cause = Cause::DataOffGrid { start: at(start), end: at(end), every: Duration::from_minutes(1) };
        assert_eq!(finding(&off, "data.off-grid").cause, cause);
    }
}

#[test]
fn an_interval_of_the_future_is_not_judged_yet() {
    let early = look(&threshold(&[ERRORS]), Asked::Promote, |seen| {
        seen.intervals = good();
        seen.intervals.push(interval(31, [canary("errors", counts(99, 100))]));
    });
    assert_eq!(said(&early), "proceed");
}

#[test]
fn the_newest_closed_interval_must_be_there() {
    let spec = threshold(&[ERRORS]);
    let stale =
        look(&spec, Asked::Promote, |seen| seen.intervals = vec![interval(29, [canary("errors", counts(0, 100))])]);
    assert_eq!(said(&stale), "hold data.stale");
    let cause = Cause::DataStale { expected: at("09:30"), newest: Some(at("09:29")) };
    assert_eq!(finding(&stale, "data.stale").cause, cause);
    let none = look(&spec, Asked::Promote, |_| {});
    let cause = Cause::DataStale { expected: at("09:30"), newest: None };
    assert_eq!(finding(&none, "data.stale").cause, cause);
    assert_eq!(none.verdict, Verdict::Hold);
}

#[test]
fn intervals_may_come_in_any_order() {
    let spec = threshold(&[&format!("{ERRORS}, patience: 2")]);
    let intervals = |order: [u64; 4]| {
        let mut seen = Snapshot { now: minute(4), ..snapshot(Asked::Promote) };
        let bad_of = |end| if end < 3 { 9 } else { 0 };
        seen.intervals = order.map(|end| interval(end, [canary("errors", counts(bad_of(end), 100))])).to_vec();
        decide(&spec, &seen)
    };
    let sorted = intervals([1, 2, 3, 4]);
    assert_eq!(said(&sorted), EXCEEDED);
    assert_eq!(intervals([4, 2, 3, 1]), sorted);
    assert_eq!(intervals([2, 1, 4, 3]), sorted);
}

// How findings combine.

#[test]
fn a_hold_knows_its_gravest_kind_and_its_end_only_if_all_do() {
    let spec = format!("{RAMP}, {}", "probes: [pay]");
    let soaking = "environments: { staging: {}, prod: { requires: [{ environment: staging, soak: 4h }] } }";
    let both = look(&format!("{RAMP}, {soaking}"), advance("25%"), |seen| {
        seen.passed = vec![passed("staging", "r2", "06:00")];
    });
    assert_eq!(said(&both), "hold dependencies.soaking:staging steps.dwell");
    let hold = both.hold.unwrap();
    assert_eq!((hold.kind, hold.until), (HoldKind::Blocked, Some(at("10:00"))));
    assert_eq!(hold.retry_after, Some(Duration::from_minutes(10)), "the sooner of the two");
    let unknown = look(&spec, Asked::Promote, |_| {});
    let hold = unknown.hold.unwrap();
    assert_eq!((hold.kind, hold.until), (HoldKind::Blind, None));
}

#[test]
fn no_gate_that_only_holds_blocks_an_abort_or_a_rollback() {
    let spec = format!(
        "{RAMP}, bake: {{ for: 1h }}, probes: [pay], holdLimit: {{ after: 1m, then: hold }}, {}, environments: {{ \
         staging: {{}}, prod: {{ requires: [{{ environment: staging }}], blastRadius: {{ maxWeight: 1%, concurrent: 1 }} }} }}",
        threshold(&[ERRORS, COMPARED.replace("errors", "compared").as_str()])
    );
    for asked in [Asked::Start, advance("50%"), Asked::Promote, Asked::Keep] {
        for (stage, verdict) in [(Stage::Canary, Verdict::Abort), (Stage::Live, Verdict::Rollback)] {
            let decision = look(&spec, asked, |seen| {
                seen.stage = stage;
                seen.since = at("09:31");
                seen.running = vec![running("basket", "prod", "r8")];
                seen.overrides = vec![override_that(OverrideAction::Hold)];
                seen.intervals = bad();
                seen.intervals.push(Interval::new(at("09:00"), at("09:05"), Vec::new()).unwrap());
            });
            assert_eq!(decision.verdict, verdict, "{decision}");
            assert!(decision.findings.iter().filter(|finding| holds(finding)).count() >= 4, "{decision}");
            assert_eq!(decision.findings[0].outcome, Outcome::Fail, "the strictest comes first");
        }
    }
}
