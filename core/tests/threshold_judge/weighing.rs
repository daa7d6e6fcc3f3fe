//! Which metrics count: dry runs, importance, critical ones and the score.

use davy::{Decision, Observation, Outcome, Standing, Verdict};

use crate::support::*;

const LESSER: &str = "name: lesser, bad: b, total: t, max: 1%, importance: 1";
const MAJOR: &str = "name: major, bad: b, total: t, max: 1%, importance: 3";

/// With these metrics bad and all others healthy.
fn with_bad(settings: &str, metrics: &[&str], bad: &[&str]) -> Decision {
    let settings = format!("judge: threshold{settings}");
    let observe = |metric: &&str| {
        let (_, rest) = metric.split_once("name: ").unwrap();
        let (name, _) = rest.split_once(',').unwrap();
        canary(name, if bad.contains(&name) { counts(9, 100) } else { counts(0, 100) })
    };
    let observations: Vec<Observation> = metrics.iter().map(observe).collect();
    Watch::of(&health(&settings, metrics)).sees(observations)
}

fn points(decision: &Decision) -> u8 {
    decision.score.unwrap().get()
}

#[test]
fn a_dry_run_is_shown_and_never_counts() {
    let dry = format!("{MAJOR}, dryRun: true");
    let decision = with_bad("", &[LESSER, &dry], &["major"]);
    assert_eq!((said(&decision).as_str(), points(&decision)), ("proceed", 100));
    let shown = finding(&decision, "health.limit-exceeded");
    assert_eq!((shown.outcome, &shown.standing), (Outcome::Fail, &Standing::DryRun));
    // Nor does the guarantee of being critical make it count.
    let critical = format!("{dry}, critical: true");
    assert_eq!(said(&with_bad("", &[LESSER, &critical], &["major"])), "proceed");
    // Nor does missing data of it hold.
    let unseen = Watch::of(&threshold(&[LESSER, &dry])).sees([canary("lesser", counts(0, 100))]);
    assert_eq!(said(&unseen), "proceed");
}

#[test]
fn without_score_limits_every_failure_fails() {
    let decision = with_bad("", &[LESSER, MAJOR], &["lesser"]);
    assert_eq!((said(&decision).as_str(), points(&decision)), ("abort health.limit-exceeded:lesser", 75));
}

#[test]
fn the_score_tolerates_softens_or_fails() {
    let judge = |limits: &str, bad: &[&str]| {
        let decision = with_bad(&format!(", score: {limits}"), &[LESSER, MAJOR], bad);
        let standing = finding(&decision, "health.limit-exceeded").standing.clone();
        (decision.verdict, standing, points(&decision))
    };
    // At `pass` it passes, at `fail` it does not fail yet.
    assert_eq!(judge("{ pass: 75, fail: 50 }", &["lesser"]), (Verdict::Proceed, Standing::Tolerated, 75));
    assert_eq!(judge("{ pass: 76, fail: 75 }", &["lesser"]), (Verdict::Hold, Standing::Softened, 75));
    assert_eq!(judge("{ pass: 80, fail: 76 }", &["lesser"]), (Verdict::Abort, Standing::Counts, 75));
    assert_eq!(judge("{ pass: 75, fail: 26 }", &["major"]), (Verdict::Abort, Standing::Counts, 25));
    assert_eq!(judge("{ pass: 75, fail: 25 }", &["major"]), (Verdict::Hold, Standing::Softened, 25));
}

#[test]
fn a_softened_failure_fails_once_another_joins_it() {
    let spec = health("judge: threshold, score: { pass: 90, fail: 60 }", &[LESSER, MAJOR]);
    let mut watch = Watch::of(&spec);
    let both = |lesser, major| [canary("lesser", counts(lesser, 100)), canary("major", counts(major, 100))];
    assert_eq!(said(&watch.sees(both(9, 0))), "hold health.limit-exceeded:lesser");
    assert_eq!(said(&watch.sees(both(0, 0))), "hold health.limit-exceeded:lesser");
    let joined = watch.sees(both(0, 9));
    assert_eq!(said(&joined), "abort health.limit-exceeded:lesser health.limit-exceeded:major");
    assert_eq!(points(&joined), 0);
}

#[test]
fn a_hold_is_tolerated_only_if_a_failure_would_be() {
    let silent = |limits: &str, metrics: &[&str]| {
        let mut watch = Watch::of(&health(&format!("judge: threshold, score: {limits}"), metrics));
        let decision = watch.sees([canary("lesser", NO_DATA), canary("major", counts(0, 100))]);
        let standing = finding(&decision, "health.no-data").standing.clone();
        (said(&decision), standing, points(&decision))
    };
    let held = "hold health.no-data:lesser".to_owned();
    let two = [LESSER, MAJOR];
    assert_eq!(silent("{ pass: 75, fail: 50 }", &two), ("proceed".to_owned(), Standing::Tolerated, 100));
    assert_eq!(silent("{ pass: 76, fail: 50 }", &two), (held.clone(), Standing::Counts, 100));
    // What is critical is never tolerated, and a dry run is nothing to the score.
    let critical = format!("{LESSER}, critical: true");
    assert_eq!(silent("{ pass: 75, fail: 50 }", &[&critical, MAJOR]), (held, Standing::Counts, 100));
    let dry = format!("{LESSER}, dryRun: true");
    assert_eq!(silent("{ pass: 75, fail: 50 }", &[&dry, MAJOR]), ("proceed".to_owned(), Standing::DryRun, 100));
}

#[test]
fn a_tolerated_failure_does_not_hide_that_the_data_went_missing() {
    let spec = health("judge: threshold, score: { pass: 20, fail: 10 }", &[MAJOR, LESSER]);
    let mut watch = Watch::of(&spec);
    let failed = watch.sees([canary("lesser", counts(0, 100)), canary("major", counts(9, 100))]);
    assert_eq!(said(&failed), "proceed");
    // The worst case is no longer good enough, and every blind metric is in it.
    let blind = watch.sees([canary("lesser", NO_DATA), canary("major", NO_DATA)]);
    assert_eq!(said(&blind), "hold health.no-data:lesser health.no-data:major");
    let seen = watch.sees([canary("lesser", counts(0, 100)), canary("major", counts(0, 100))]);
    assert!(!codes(&seen).contains(&"health.no-data"), "{seen}");
}

#[test]
fn a_critical_metric_fails_alone_whatever_the_score() {
    let critical = format!("{LESSER}, critical: true");
    let decision = with_bad(", score: { pass: 10, fail: 0 }", &[&critical, MAJOR], &["lesser"]);
    assert_eq!((said(&decision).as_str(), points(&decision)), ("abort health.limit-exceeded:lesser", 75));
}

#[test]
fn the_score_is_rounded_down() {
    let metrics = [
        "name: a, bad: b, total: t, max: 1%",
        "name: b, bad: b, total: t, max: 1%",
        "name: c, bad: b, total: t, max: 1%",
    ];
    let judge = |pass: u8| with_bad(&format!(", score: {{ pass: {pass}, fail: 0 }}"), &metrics, &["a"]);
    assert_eq!((judge(66).verdict, points(&judge(66))), (Verdict::Proceed, 66));
    assert_eq!(judge(67).verdict, Verdict::Hold);
}

#[test]
fn the_score_counts_failures_and_not_holds() {
    let mut watch = Watch::of(&threshold(&[LESSER, MAJOR]));
    let decision = watch.sees([canary("lesser", NO_DATA), canary("major", counts(0, 100))]);
    assert_eq!((said(&decision).as_str(), points(&decision)), ("hold health.no-data:lesser", 100));
}
