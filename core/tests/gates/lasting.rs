//! What lasts between decisions: holds, failures, states and the clock.

use davy::{Asked, HoldKind, OverrideAction, ProbeVerdict, Snapshot, State};

use crate::support::*;
use crate::{bad, good};

// Holds that last.

/// Holds `blocked` by a person, or `waiting` for traffic, or `blind` without data.
fn held_for(spec: &str, minutes: &[&str]) -> Vec<String> {
    let mut watch = Watch::of(&format!("{spec}, {}", threshold(&[ERRORS])));
    let look = |what: &&str| {
        watch.snapshot.overrides = Vec::new();
        let observed = match *what {
            "waiting" => counts(0, 0),
            "blind" => NO_DATA,
            _ => counts(0, 100),
        };
        if *what == "blocked" {
            watch.snapshot.overrides = vec![override_that(OverrideAction::Hold)];
        }
        said(&watch.sees([canary("errors", observed)]))
    };
    minutes.iter().map(look).collect()
}

fn last_of(spec: &str, minutes: &[&str]) -> String {
    held_for(spec, minutes).pop().unwrap()
}

#[test]
fn a_hold_that_lasts_fails_or_goes_on_holding() {
    let fails = "holdLimit: { after: 3m, then: fail }";
    for (what, why) in [("waiting", "health.no-traffic:errors"), ("blind", "health.no-data:errors")] {
        assert_eq!(last_of(fails, &[what; 3]), format!("hold {why}"));
        assert_eq!(last_of(fails, &[what; 4]), "abort hold.limit");
    }
    let holds = "holdLimit: { after: 3m, then: hold }";
    assert_eq!(last_of(holds, &["blind"; 4]), "hold health.no-data:errors hold.limit");
}

#[test]
fn a_hold_without_a_break_is_counted() {
    let fails = "holdLimit: { after: 3m, then: fail }";
    let broken = ["blind", "blind", "blind", "fine", "blind", "blind", "blind"];
    assert_eq!(last_of(fails, &broken), "hold health.no-data:errors");
    let longer = [broken.as_slice(), &["blind"]].concat();
    assert_eq!(last_of(fails, &longer), "abort hold.limit");
}

#[test]
fn a_hold_goes_on_when_its_kind_changes() {
    let fails = "holdLimit: { after: 3m, then: fail }";
    assert_eq!(last_of(fails, &["blind", "waiting", "blind", "waiting"]), "abort hold.limit");
    // A kind that does not count is a break.
    assert_eq!(last_of(fails, &["blind", "blind", "blocked", "blind", "blind"]), "hold health.no-data:errors");
}

#[test]
fn watching_ends_no_wait_and_ends_being_blind() {
    let mut watch = Watch::of(&format!("holdLimit: {{ after: 3m, then: fail }}, {}", threshold(&[ERRORS])));
    let waits = || [canary("errors", counts(0, 0))];
    watch.sees(waits());
    watch.snapshot.asked = Asked::Keep;
    assert_eq!(said(&watch.sees(waits())), "proceed");
    assert_eq!(said(&watch.sees(waits())), "proceed");
    watch.snapshot.asked = Asked::Promote;
    assert_eq!(said(&watch.sees(waits())), "abort hold.limit");

    let blind = "holdLimit: { after: 2m, then: fail, kinds: [blind] }";
    let mut watch = Watch::of(&format!("{blind}, {}", threshold(&[ERRORS]))).asks(Asked::Keep);
    watch.sees([canary("errors", NO_DATA)]);
    watch.sees([canary("errors", counts(0, 100))]);
    assert_eq!(said(&watch.sees([canary("errors", NO_DATA)])), "hold health.no-data:errors");
}

#[test]
fn a_step_that_must_last_is_no_hold_that_lasts() {
    let spec = "steps: [{ weight: 5%, atLeast: 9h }], holdLimit: { after: 1m, then: fail }";
    let mut watch = Watch::of(spec);
    for clock in ["09:10", "09:20", "09:30"] {
        watch.snapshot.now = at(clock);
        assert_eq!(said(&watch.looks()), "hold steps.dwell");
    }
}

#[test]
fn a_freeze_counts_only_when_it_is_named() {
    let held = "hold override.hold:ticket-7";
    assert_eq!(last_of("holdLimit: { after: 3m, then: fail }", &["blocked"; 9]), held);
    assert_eq!(last_of("holdLimit: { after: 3m, then: fail, kinds: [blocked] }", &["blocked"; 4]), "abort hold.limit");
    let waiting_alone = "holdLimit: { after: 3m, then: fail, kinds: [waiting] }";
    assert_eq!(last_of(waiting_alone, &["blind"; 9]), "hold health.no-data:errors");
}

#[test]
fn a_hold_that_lasted_too_long_is_told_once_and_stays() {
    let mut watch = Watch::of(&format!("holdLimit: {{ after: 1m, then: fail }}, {}", threshold(&[ERRORS])));
    let nothing = || [canary("errors", NO_DATA)];
    watch.sees(nothing());
    assert_eq!(said(&watch.sees(nothing())), "abort hold.limit");
    let again = watch.sees(nothing());
    assert_eq!(said(&again), "abort hold.limit");
    assert_eq!(finding(&again, "hold.limit").latched_at, Some(minute(2)));
    assert_eq!(said(&watch.sees([canary("errors", counts(0, 100))])), "abort hold.limit");
}

#[test]
fn a_waiver_reaches_the_limit_of_holds_too() {
    let held = |limit: &str, waiver: &str| {
        let mut watch = Watch::of(&format!("{limit}, {}", threshold(&[ERRORS])));
        watch.sees([canary("errors", NO_DATA)]);
        watch.snapshot.overrides = vec![waive(&[waiver])];
        said(&watch.sees([canary("errors", NO_DATA)]))
    };
    // A hold may always be waived; this one leaves the hold that it came from.
    assert_eq!(held("holdLimit: { after: 1m, then: hold }", "hold.limit"), "hold health.no-data:errors");
    let allowed = "overrides: { waiveFails: [hold.limit] }, holdLimit: { after: 1m, then: fail }";
    assert_eq!(held(allowed, "hold.limit"), "hold health.no-data:errors");
    // A hold that is waived does not last.
    assert_eq!(held("holdLimit: { after: 1m, then: fail }", "health.no-data"), "proceed");
}

// What lasts between decisions.

#[test]
fn losing_evidence_never_unlatches_an_abort() {
    let mut watch = Watch::of(&threshold(&[ERRORS]));
    watch.sees([canary("errors", counts(9, 100))]);
    watch.snapshot.intervals = Vec::new();
    for minutes in [2, 3, 60] {
        watch.snapshot.now = minute(minutes);
        // As a host keeps it: as JSON.
        watch.state = State::from_json(&watch.state.to_json()).unwrap();
        let later = watch.looks();
        assert_eq!(said(&later), EXCEEDED);
        assert_eq!(finding(&later, "health.limit-exceeded").latched_at, Some(minute(1)));
    }
}

#[test]
fn each_failure_that_lost_its_evidence_is_told_beside_the_new_ones() {
    let mut watch = Watch::of("probes: [cart, pay]").asks(Asked::Keep);
    watch.snapshot.now = at("09:30");
    watch.snapshot.probes = vec![run("cart", "09:29", ProbeVerdict::Fail)];
    assert_eq!(said(&watch.looks()), "abort probes.failed:cart");
    watch.snapshot.now = at("09:31");
    watch.snapshot.probes = vec![run("pay", "09:30", ProbeVerdict::Fail)];
    let later = watch.looks();
    assert_eq!(said(&later), "abort probes.failed:cart probes.failed:pay");
    let latched: Vec<_> = later.reasons().map(|finding| finding.latched_at).collect();
    assert!(latched.contains(&Some(at("09:30"))) && latched.contains(&None), "{latched:?}");
}

#[test]
fn a_waiver_lowers_a_latched_failure_only_as_long_as_it_lives() {
    let mut watch = Watch::of("probes: [pay], overrides: { waiveFails: [probes.failed] }").asks(Asked::Keep);
    watch.snapshot.now = at("09:30");
    watch.snapshot.probes = vec![run("pay", "09:29", ProbeVerdict::Fail)];
    assert_eq!(said(&watch.looks()), "abort probes.failed:pay");
    watch.snapshot.now = at("09:31");
    watch.snapshot.probes = Vec::new();
    watch.snapshot.overrides = vec![waive(&["probes.failed"])];
    assert_eq!(said(&watch.looks()), "proceed");
    watch.snapshot.now = at("09:32");
    watch.snapshot.overrides = Vec::new();
    let again = watch.looks();
    assert_eq!(said(&again), "abort probes.failed:pay");
    assert_eq!(finding(&again, "probes.failed").latched_at, Some(at("09:30")));
}

#[test]
fn a_failure_that_was_waived_from_the_start_is_not_latched() {
    let mut watch = Watch::of("probes: [pay], overrides: { waiveFails: [probes.failed] }").asks(Asked::Keep);
    watch.snapshot.now = at("09:30");
    watch.snapshot.probes = vec![run("pay", "09:29", ProbeVerdict::Fail)];
    watch.snapshot.overrides = vec![waive(&["probes.failed"])];
    assert_eq!(said(&watch.looks()), "proceed");
    watch.snapshot.now = at("09:31");
    (watch.snapshot.probes, watch.snapshot.overrides) = (Vec::new(), Vec::new());
    assert_eq!(said(&watch.looks()), "proceed");
}

#[test]
fn a_new_attempt_begins_anew() {
    let mut watch = Watch::of(&threshold(&[ERRORS]));
    watch.sees([canary("errors", counts(9, 100))]);
    watch.snapshot.release.attempt = watch.snapshot.release.attempt.saturating_add(1);
    (watch.snapshot.release.started_at, watch.snapshot.since) = (minute(1), minute(1));
    // Not with the state of the attempt before it.
    let healthy = || [canary("errors", counts(0, 100))];
    assert_eq!(said(&watch.sees(healthy())), "hold state.other-release");
    watch.state = watch.state.next_release();
    assert_eq!(said(&watch.looks()), "proceed");
}

#[test]
fn a_state_that_belongs_elsewhere_holds_and_hides_no_failure() {
    let (spec, other_spec) = (threshold(&[ERRORS]), threshold(&[&format!("{ERRORS}, patience: 1")]));
    let foreign = |spec: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut seen = Snapshot { now: at("09:30"), intervals: good(), ..snapshot(Asked::Promote) };
        change(&mut seen);
        engine(spec).decide(&State::new(), &seen).state
    };
    for (state, code) in [
        (foreign(&other_spec, &|_| {}), "state.other-policy"),
        (foreign(&spec, &|seen| seen.release.revision = name("r3")), "state.other-release"),
        (foreign(&spec, &|seen| seen.release.stable = name("r0")), "state.other-release"),
        (foreign(&spec, &|seen| seen.release.environment = name("staging")), "state.other-release"),
    ] {
        let engine = engine(&spec);
        let with = |intervals| Snapshot { now: at("09:30"), intervals, ..snapshot(Asked::Promote) };
        let healthy = with(good());
        let held = engine.decide(&state, &healthy);
        assert_eq!(said(&held.decision), format!("hold {code}"));
        assert_eq!(held.decision.hold.unwrap().kind, HoldKind::Blind);
        assert_eq!(held.state, state, "it is left to its owner");
        let failing = with(bad());
        assert_eq!(said(&engine.decide(&state, &failing).decision), EXCEEDED);
    }
}

#[test]
fn a_clock_that_runs_backwards_holds_until_it_has_caught_up() {
    let spec = threshold(&[ERRORS]);
    let mut watch = Watch::of(&spec);
    watch.snapshot.now = at("09:30");
    watch.snapshot.intervals = good();
    assert_eq!(said(&watch.looks()), "proceed");
    watch.snapshot.now = at("09:29:59");
    let back = watch.looks();
    assert_eq!(said(&back), "hold clock.backwards");
    let hold = back.hold.unwrap();
    assert_eq!((hold.kind, hold.until), (HoldKind::Blind, Some(at("09:30"))));
    watch.snapshot.now = at("09:30");
    assert_eq!(said(&watch.looks()), "proceed");
    // Nor before the release or its stage began.
    assert_eq!(said(&look("", Asked::Keep, |seen| seen.since = at("09:31"))), "hold clock.backwards");
    assert_eq!(said(&look("", Asked::Keep, |seen| seen.release.started_at = at("09:31"))), "hold clock.backwards");
    // A failure that is known by then still fails.
    let failed = look(&spec, Asked::Keep, |seen| (seen.since, seen.intervals) = (at("09:31"), bad()));
    assert_eq!(said(&failed), EXCEEDED);
}
