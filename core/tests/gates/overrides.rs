//! What people may decide, and what no one may.

use davy::{
    Asked, Cause, Decision, Duration, HoldKind, IgnoredOverride, Outcome, Override, OverrideAction, Snapshot, Stage,
    Standing, Verification,
};

use crate::support::*;
use crate::{RAMP, bad};

// Overrides.

fn with_overrides(spec: &str, overrides: &[Override], change: impl FnOnce(&mut Snapshot)) -> Decision {
    look(spec, advance("25%"), |seen| {
        seen.overrides = overrides.to_vec();
        change(seen);
    })
}

/// Why the only override did not act.
fn ignored(decision: &Decision) -> IgnoredOverride {
    match finding(decision, "override.ignored").cause {
        Cause::OverrideIgnored { why } => why,
        _ => panic!("{decision}"),
    }
}

#[test]
fn a_waiver_lowers_the_holds_that_it_names() {
    let waived = with_overrides(RAMP, &[waive(&["steps.dwell"])], |_| {});
    assert_eq!(said(&waived), "proceed");
    let lowered = finding(&waived, "steps.dwell");
    assert_eq!(lowered.standing, Standing::Waived(name("ticket-7")));
    assert_eq!((lowered.outcome, lowered.effective()), (Outcome::Hold(HoldKind::Waiting), Outcome::Pass));
    let cause = Cause::OverrideWaived { by: text("ana"), reason: text("known and harmless"), expires: at("10:00") };
    assert_eq!(finding(&waived, "override.waived").cause, cause);
    // Only these.
    let other = with_overrides(RAMP, &[waive(&["steps.exposure"])], |_| {});
    assert_eq!((said(&other).as_str(), ignored(&other)), ("hold steps.dwell", IgnoredOverride::NothingToWaive));
    let misspelt = with_overrides(RAMP, &[waive(&["steps"])], |_| {});
    assert_eq!(said(&misspelt), "hold steps.dwell");
}

#[test]
fn a_waiver_may_name_one_subject() {
    let spec = "probes: [pay, login]";
    let promote = |waiver| said(&look(spec, Asked::Promote, |seen| seen.overrides = vec![waiver]));
    assert_eq!(promote(waive(&["probes.stale:pay"])), "hold probes.stale:login");
    assert_eq!(promote(waive(&["probes.stale:pay", "probes.stale:login"])), "proceed");
    assert_eq!(promote(waive(&["probes.stale"])), "proceed");
    assert_eq!(promote(waive(&["probes.stale:search"])), "hold probes.stale:login probes.stale:pay");
}

#[test]
fn a_failure_is_waived_only_where_the_policy_allows_it() {
    let judged = |overrides: &str| {
        let spec = format!("{overrides}{}", threshold(&[ERRORS]));
        with_overrides(&spec, &[waive(&["health.limit-exceeded:errors"])], |seen| seen.intervals = bad())
    };
    let refused = judged("");
    assert_eq!((said(&refused).as_str(), ignored(&refused)), (EXCEEDED, IgnoredOverride::NothingToWaive));
    assert_eq!(said(&judged("overrides: { waiveFails: [probes.failed] }, ")), EXCEEDED);
    assert_eq!(said(&judged("overrides: { waiveFails: [health.limit-exceeded] }, ")), "proceed");
}

#[test]
fn a_waived_failure_fails_again_when_the_waiver_ends() {
    let spec = format!("overrides: {{ waiveFails: [health.limit-exceeded] }}, {}", threshold(&[ERRORS]));
    let mut watch = Watch::of(&spec);
    watch.snapshot.overrides = vec![Override { expires_at: at("09:03"), ..waive(&["health.limit-exceeded"]) }];
    assert_eq!(said(&watch.sees([canary("errors", counts(9, 100))])), "proceed");
    assert_eq!(said(&watch.sees([canary("errors", counts(0, 100))])), "proceed");
    assert_eq!(said(&watch.sees([canary("errors", counts(0, 100))])), EXCEEDED);
}

#[test]
fn what_is_not_verified_can_only_tighten() {
    let unverified = |given: Override| Override { verification: Verification::Unverified, ..given };
    let waived = with_overrides(RAMP, &[unverified(waive(&["steps.dwell"]))], |_| {});
    assert_eq!((said(&waived).as_str(), ignored(&waived)), ("hold steps.dwell", IgnoredOverride::Unverified));
    assert_eq!(
        said(&with_overrides("", &[unverified(override_that(OverrideAction::Hold))], |_| {})),
        "hold override.hold:ticket-7"
    );
    assert_eq!(
        said(&with_overrides("", &[unverified(override_that(OverrideAction::Abort))], |_| {})),
        "abort override.abort:ticket-7"
    );
}

#[test]
fn an_override_acts_from_its_issue_until_it_expires() {
    let hold = || override_that(OverrideAction::Hold);
    let at_time = |clock: &str| {
        with_overrides("", &[hold()], |seen| {
            (seen.now, seen.since, seen.release.started_at) = (at(clock), at("08:00"), at("08:00"))
        })
    };
    for early_or_late in ["08:59:59", "10:00"] {
        let decision = at_time(early_or_late);
        assert_eq!((said(&decision).as_str(), ignored(&decision)), ("proceed", IgnoredOverride::NotInForce));
    }
    for in_time in ["09:00", "09:59:59"] {
        assert_eq!(said(&at_time(in_time)), "hold override.hold:ticket-7");
    }
}

#[test]
fn a_waiver_lives_no_longer_than_the_policy_allows() {
    let until = |spec: &str, action: OverrideAction, clock: &str| {
        let given = Override { expires_at: at(clock), ..override_that(action) };
        with_overrides(spec, &[given], |seen| seen.now = at("09:20"))
    };
    let waive = || OverrideAction::Waive { findings: vec![text("steps.dwell")] };
    let four_hours = format!("overrides: {{ longest: 4h }}, {RAMP}");
    assert_eq!(said(&until(&four_hours, waive(), "13:00")), "proceed");
    let long = until(&four_hours, waive(), "13:00:01");
    assert_eq!((said(&long).as_str(), ignored(&long)), ("hold steps.dwell", IgnoredOverride::TooLong));
    // A day, where the policy does not say.
    let day_before =
        Override { issued_at: at("09:00").minus(Duration::from_minutes(24 * 60)), ..override_that(waive()) };
    assert_eq!(
        said(&with_overrides(RAMP, &[Override { expires_at: at("09:31"), ..day_before.clone() }], |_| {})),
        "hold steps.dwell"
    );
    let day_long = Override { issued_at: at("09:31").minus(Duration::from_minutes(24 * 60)), ..day_before };
    assert_eq!(said(&with_overrides(RAMP, &[Override { expires_at: at("09:31"), ..day_long }], |_| {})), "proceed");
    // What tightens may last.
    assert_eq!(said(&until(&four_hours, OverrideAction::Hold, "23:00")), "hold override.hold:ticket-7 steps.dwell");
}

#[test]
fn an_override_is_about_the_releases_in_its_scope() {
    let scoped = |change: &dyn Fn(&mut davy::Scope)| {
        let mut given = override_that(OverrideAction::Hold);
        change(&mut given.scope);
        with_overrides("", &[given], |_| {})
    };
    let held = "hold override.hold:ticket-7";
    assert_eq!(said(&scoped(&|_| {})), held);
    assert_eq!(said(&scoped(&|scope| scope.environment = Some(name("prod")))), held);
    assert_eq!(said(&scoped(&|scope| scope.revision = Some(name("r2")))), held);
    for elsewhere in [
        scoped(&|scope| scope.service = name("basket")),
        scoped(&|scope| scope.environment = Some(name("staging"))),
        scoped(&|scope| scope.revision = Some(name("r1"))),
    ] {
        assert_eq!((said(&elsewhere).as_str(), ignored(&elsewhere)), ("proceed", IgnoredOverride::OutOfScope));
    }
}

#[test]
fn a_forced_hold_holds_whatever_is_asked_until_it_expires() {
    for asked in [Asked::Start, advance("25%"), Asked::Promote, Asked::Keep] {
        let held = look("", asked, |seen| seen.overrides = vec![override_that(OverrideAction::Hold)]);
        let hold = held.hold.unwrap();
        assert_eq!((hold.kind, hold.until), (HoldKind::Blocked, Some(at("10:00"))));
    }
}

#[test]
fn a_forced_abort_outlives_its_override_and_is_told_once() {
    let mut watch = Watch::of("").asks(Asked::Keep);
    watch.snapshot.now = at("09:30");
    watch.snapshot.overrides = vec![override_that(OverrideAction::Abort)];
    assert_eq!(said(&watch.looks()), "abort override.abort:ticket-7");
    watch.snapshot.now = at("09:31");
    let again = watch.looks();
    assert_eq!(said(&again), "abort override.abort:ticket-7");
    assert_eq!(finding(&again, "override.abort").latched_at, Some(at("09:30")));
    watch.snapshot.now = at("11:00");
    watch.snapshot.overrides = Vec::new();
    assert_eq!(said(&watch.looks()), "abort override.abort:ticket-7");
}

#[test]
fn a_forced_abort_rolls_back_what_is_live() {
    let live = look("", Asked::Keep, |seen| {
        (seen.stage, seen.overrides) = (Stage::Live, vec![override_that(OverrideAction::Abort)]);
    });
    assert_eq!(said(&live), "rollback override.abort:ticket-7");
}

#[test]
fn what_was_forced_is_not_also_ignored() {
    for action in [OverrideAction::Hold, OverrideAction::Abort] {
        let decision = with_overrides("", &[override_that(action)], |_| {});
        assert!(!codes(&decision).contains(&"override.ignored"), "{decision}");
    }
}

#[test]
fn the_same_override_twice_is_one() {
    let hold = override_that(OverrideAction::Hold);
    assert_eq!(said(&with_overrides("", &[hold.clone(), hold], |_| {})), "hold override.hold:ticket-7");
}

// Where there is no policy.

#[test]
fn an_environment_or_service_without_a_policy_holds() {
    let known = "environments: { staging: {} }";
    let environment = look(known, Asked::Start, |_| {});
    assert_eq!(said(&environment), "hold release.unknown-environment:prod");
    let cause = Cause::ReleaseUnknownEnvironment { known: vec![name("staging")] };
    assert_eq!(finding(&environment, "release.unknown-environment").cause, cause);
    let service = look("", Asked::Start, |seen| seen.release.service = name("basket"));
    assert_eq!(said(&service), "hold release.unknown-service:basket");
    // Without `environments` every environment has the policy above.
    assert_eq!(said(&look("", Asked::Start, |_| {})), "proceed");
}

#[test]
fn where_there_is_no_policy_nothing_is_waived_and_everything_can_be_stopped() {
    let known = "environments: { staging: {} }";
    let with = |given: Override| said(&look(known, Asked::Start, |seen| seen.overrides = vec![given]));
    assert_eq!(with(waive(&["release.unknown-environment"])), "hold release.unknown-environment:prod");
    assert_eq!(with(override_that(OverrideAction::Abort)), "abort override.abort:ticket-7");
    let service = look("", Asked::Start, |seen| {
        seen.release.service = name("basket");
        let scope = davy::Scope { service: name("basket"), environment: None, revision: None };
        seen.overrides = vec![Override { scope, ..waive(&["release.unknown-service"]) }];
    });
    assert_eq!(said(&service), "hold release.unknown-service:basket");
}
