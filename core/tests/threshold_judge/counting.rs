//! How intervals add up, and which of them count.

use davy::{Asked, Cause, Guarantee, HoldKind, Observation, Outcome, Outside};

use crate::support::*;
use crate::{TOLERATED, after, compared_with, limited_with};

// How intervals add up.

#[test]
fn one_bad_interval_fails_unless_the_policy_says_otherwise() {
    assert_eq!(after(&limited_with(""), "g"), "proceed");
    assert_eq!(after(&limited_with(""), "ggb"), EXCEEDED);
    assert_eq!(after(&limited_with(""), "ggbggg"), EXCEEDED);
}

#[test]
fn a_failure_limit_counts_over_the_whole_rollout() {
    let metric = limited_with(", failureLimit: 2");
    assert_eq!(after(&metric, "bgb"), TOLERATED);
    assert_eq!(after(&metric, "bgbg"), "proceed");
    assert_eq!(after(&metric, "bgbgggb"), EXCEEDED);
    assert_eq!(after(&metric, "bbb"), EXCEEDED);
}

#[test]
fn a_consecutive_failure_limit_counts_only_runs() {
    let metric = limited_with(", consecutiveFailureLimit: 2");
    assert_eq!(after(&metric, "bbgbbgbbg"), "proceed");
    assert_eq!(after(&metric, "bbgbb"), TOLERATED);
    assert_eq!(after(&metric, "gbbb"), EXCEEDED);
    assert_eq!(after(&limited_with(", consecutiveFailureLimit: 0"), "b"), EXCEEDED);
}

#[test]
fn of_both_failure_limits_the_first_one_exceeded_fails() {
    let metric = limited_with(", failureLimit: 3, consecutiveFailureLimit: 1");
    assert_eq!(after(&metric, "bb"), EXCEEDED);
    assert_eq!(after(&metric, "bgbgb"), TOLERATED);
    assert_eq!(after(&metric, "bgbgbgb"), EXCEEDED);
}

#[test]
fn patience_is_how_many_bad_intervals_in_a_row_make_a_failure() {
    let metric = limited_with(", patience: 3");
    assert_eq!(after(&metric, "bb"), TOLERATED);
    assert_eq!(after(&metric, "bbgbb"), TOLERATED);
    assert_eq!(after(&metric, "bbg"), "proceed");
    assert_eq!(after(&metric, "bbgbbb"), EXCEEDED);
}

#[test]
fn each_further_bad_interval_of_a_run_is_one_more_failure() {
    let metric = limited_with(", patience: 2, failureLimit: 1");
    assert_eq!(after(&metric, "bb"), TOLERATED);
    assert_eq!(after(&metric, "bbb"), EXCEEDED);
    assert_eq!(after(&metric, "bbgb"), TOLERATED);
    assert_eq!(after(&metric, "bbgbb"), EXCEEDED);
    assert_eq!(after(&metric, "bgbgbgbg"), "proceed");
}

#[test]
fn patience_and_consecutive_failures_add_up() {
    let metric = limited_with(", patience: 2, consecutiveFailureLimit: 1");
    assert_eq!(after(&metric, "bbgbbgbb"), TOLERATED);
    assert_eq!(after(&metric, "bbb"), EXCEEDED);
}

#[test]
fn an_interval_that_says_nothing_neither_extends_a_run_nor_breaks_it() {
    for nothing in ["-", "0", ".", "---", "0.-"] {
        let metric = limited_with(", patience: 2");
        assert_eq!(after(&metric, &format!("b{nothing}b")), EXCEEDED, "{nothing}");
        assert_eq!(after(&metric, &format!("b{nothing}g")), "proceed", "{nothing}");
    }
    assert_eq!(after(&compared_with(", patience: 2"), "bub"), EXCEEDED);
}

#[test]
fn the_decision_counts_what_led_to_it() {
    let mut watch = Watch::of(&threshold(&[&limited_with(", patience: 2, failureLimit: 1")]));
    let bad = [canary("errors", counts(9, 100))];
    let (_, second, third) = (watch.sees(bad.clone()), watch.sees(bad.clone()), watch.sees(bad));
    let Cause::HealthBreachTolerated { bad_in_a_row, patience, failed, .. } =
        finding(&second, "health.breach-tolerated").cause
    else {
        panic!("{second}")
    };
    assert_eq!((bad_in_a_row, patience, failed), (count(2), count(2), count(1)));
    let broke = finding(&third, "health.limit-exceeded");
    let Cause::HealthLimitExceeded { start, failed, .. } = broke.cause else { panic!("{third}") };
    assert_eq!((start, failed), (minute(2), count(2)));
    assert_eq!(broke.guarantee, Guarantee::Outside(Outside::FixedLimit));
    assert_eq!(broke.latched_at, None, "it was found just now");
}

// Undecided intervals.

#[test]
fn without_an_inconclusive_limit_the_newest_interval_must_be_decided() {
    assert_eq!(after(&compared_with(""), "gu"), "hold health.inconclusive:errors");
    assert_eq!(after(&compared_with(""), "uuuug"), "proceed");
}

#[test]
fn an_inconclusive_limit_counts_over_the_whole_rollout_and_then_holds() {
    let metric = compared_with(", inconclusiveLimit: 2");
    assert_eq!(after(&metric, "ugu"), "proceed");
    assert_eq!(after(&metric, "uuu"), "hold health.too-inconclusive:errors");
    assert_eq!(after(&metric, "uguguggg"), "hold health.too-inconclusive:errors");
    assert_eq!(after(&compared_with(", inconclusiveLimit: 0"), "u"), "hold health.too-inconclusive:errors");
}

#[test]
fn too_many_undecided_intervals_need_a_person_and_a_failure_still_fails() {
    let mut watch = Watch::of(&threshold(&[&compared_with(", inconclusiveLimit: 0")]));
    let beside = baseline("errors", counts(1, 100));
    let held = watch.sees([canary("errors", counts(2, 100)), beside.clone()]);
    assert_eq!(held.hold.unwrap().kind, HoldKind::Blocked);
    assert_eq!(said(&watch.sees([canary("errors", counts(9, 100)), beside])), EXCEEDED);
}

// Which intervals count.

#[test]
fn the_warm_up_is_not_judged() {
    let spec = "health: { judge: threshold, every: 1m, settle: 0s, warmUp: 90s, metrics: [{ name: errors, bad: b, total: t, max: 1% }] }";
    let mut watch = Watch::of(spec);
    let bad = || [canary("errors", counts(100, 100))];
    let first = watch.sees(bad());
    assert_eq!(said(&first), "hold data.first-interval");
    // The first whole minute after the warm-up is the third; it ends at 09:03.
    assert_eq!(first.hold.unwrap().until, Some(at("09:03")));
    assert_eq!(said(&watch.sees(bad())), "hold data.first-interval");
    assert_eq!(said(&watch.sees(bad())), EXCEEDED);
}

#[test]
fn an_interval_is_judged_once_it_has_settled() {
    let spec = "health: { judge: threshold, every: 1m, settle: 20s, warmUp: 0s, metrics: [{ name: errors, bad: b, total: t, max: 1% }] }";
    let mut seen = snapshot(Asked::Promote);
    seen.intervals = vec![interval(1, [canary("errors", counts(9, 100))])];
    seen.now = at("09:01:19");
    assert_eq!(said(&decide(spec, &seen)), "hold data.first-interval");
    seen.now = at("09:01:20");
    assert_eq!(said(&decide(spec, &seen)), EXCEEDED);
}

#[test]
fn the_replicas_of_a_cohort_are_added_up() {
    let observations = [
        of("pod-a", canary("errors", counts(0, 100))),
        of("pod-b", canary("errors", counts(2, 100))),
        of("pod-c", canary("errors", counts(1, 100))),
    ];
    let decision = Watch::of(&threshold(&[ERRORS])).sees(observations.clone());
    assert_eq!(said(&decision), "proceed");
    let more = [of("pod-d", canary("errors", counts(2, 100)))];
    let decision = Watch::of(&threshold(&[ERRORS])).sees([observations.as_slice(), &more].concat());
    assert_eq!(said(&decision), EXCEEDED);
}

// The horizon.

fn at_horizon(on_inconclusive: &str, metric: &str, observations: impl Into<Vec<Observation>>) -> String {
    let settings = format!("judge: threshold, horizon: 2m{on_inconclusive}");
    let mut watch = Watch::of(&health(&settings, &[metric]));
    let observations = observations.into();
    let before = said(&watch.sees(observations.clone()));
    assert!(!before.contains("health.horizon"), "the horizon is at 09:02: {before}");
    said(&watch.sees(observations))
}

#[test]
fn past_the_horizon_an_undecided_metric_holds_or_fails_as_the_policy_says() {
    let undecided = || [canary("errors", counts(2, 100)), baseline("errors", counts(1, 100))];
    let metric = compared_with("");
    let holding = "hold health.horizon:errors health.inconclusive:errors";
    assert_eq!(at_horizon("", &metric, undecided()), holding);
    assert_eq!(at_horizon(", onInconclusive: hold", &metric, undecided()), holding);
    assert_eq!(at_horizon(", onInconclusive: fail", &metric, undecided()), "abort health.horizon:errors");
}

#[test]
fn past_the_horizon_a_tolerated_breach_and_missing_traffic_are_undecided() {
    let fails = ", onInconclusive: fail";
    let patient = limited_with(", patience: 9");
    assert_eq!(at_horizon(fails, &patient, [canary("errors", counts(9, 100))]), "abort health.horizon:errors");
    let quiet = [canary("errors", counts(0, 0))];
    assert_eq!(at_horizon(fails, &limited_with(""), quiet), "abort health.horizon:errors");
    let thin = [canary("errors", counts(0, 1))];
    assert_eq!(at_horizon(fails, &limited_with(", minRequests: 9"), thin), "abort health.horizon:errors");
}

#[test]
fn the_horizon_is_nothing_to_a_decided_metric_and_decides_nothing_for_a_blind_one() {
    let fails = ", onInconclusive: fail";
    assert_eq!(at_horizon(fails, &limited_with(""), [canary("errors", counts(0, 100))]), "proceed");
    // What cannot be evaluated never fails unless the policy says so in words.
    assert_eq!(at_horizon(fails, &limited_with(""), [canary("errors", NO_DATA)]), "hold health.no-data:errors");
    assert_eq!(at_horizon(fails, &limited_with(""), [canary("errors", gauge(0.0))]), "hold health.wrong-form:errors");
    // An undecided interval that is tolerated decides nothing against the release.
    let tolerated = compared_with(", inconclusiveLimit: 9");
    let undecided = [canary("errors", counts(2, 100)), baseline("errors", counts(1, 100))];
    assert_eq!(at_horizon(fails, &tolerated, undecided), "proceed");
}

#[test]
fn a_hold_at_the_horizon_waits_for_a_person() {
    let mut watch = Watch::of(&health("judge: threshold, horizon: 1m", &[&compared_with("")]));
    let decision = watch.sees([canary("errors", counts(2, 100)), baseline("errors", counts(1, 100))]);
    assert_eq!(finding(&decision, "health.horizon").outcome, Outcome::Hold(HoldKind::Blocked));
    assert_eq!(decision.hold.unwrap().kind, HoldKind::Blocked);
}

// The live stage.

#[test]
fn in_the_live_stage_a_failure_rolls_back_against_the_retained_baseline() {
    let spec = format!("bake: {{ for: 30m, against: retained }}, {}", threshold(&[&compared_with("")]));
    let mut watch = Watch::of(&spec).live().asks(Asked::Keep);
    let beside = || baseline("errors", counts(1, 100));
    assert_eq!(said(&watch.sees([canary("errors", counts(1, 100)), beside()])), "proceed");
    let bad = watch.sees([canary("errors", counts(9, 100)), beside()]);
    assert_eq!(said(&bad), "rollback health.limit-exceeded:errors");
}
