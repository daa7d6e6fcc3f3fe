//! Evidence of harm: over all intervals and metrics together, with one level for the whole rollout.

use davy::{Asked, Decision, Finding, Guarantee, Outcome, Stage};

use super::support::*;

const ERRORS: &str = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";

fn evidence(metrics: &[&str]) -> String {
    health("judge: evidence", metrics)
}

fn both(bad: u64, total: u64, baseline_bad: u64, baseline_total: u64) -> [davy::Observation; 2] {
    [canary("errors", counts(bad, total)), baseline("errors", counts(baseline_bad, baseline_total))]
}

fn harm(decision: &Decision) -> &Finding {
    let whole = |finding: &&Finding| ["health.harm", "health.suspicion", "health.no-harm"].contains(&finding.code());
    decision.findings.iter().find(whole).unwrap_or_else(|| panic!("{decision}"))
}

/// Minutes of the same counts until the release ends, at most so many.
fn ends_after(watch: &mut Watch, most: u64, seen: [davy::Observation; 2]) -> Option<u64> {
    (1..=most).find(|_| harm(&watch.sees(seen.clone())).outcome == Outcome::Fail)
}

#[test]
fn an_outage_aborts_in_its_first_interval() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    assert_eq!(said(&watch.sees(both(75, 75, 14, 1425))), "abort health.harm");
}

#[test]
fn a_doubled_error_rate_needs_several_intervals() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    let after = ends_after(&mut watch, 60, both(20, 1000, 30, 3000));
    assert!(after.is_some_and(|after| (3..30).contains(&after)), "{after:?}");
}

#[test]
fn a_canary_that_is_tolerably_worse_is_never_aborted() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    assert_eq!(ends_after(&mut watch, 200, both(11, 1000, 30, 3000)), None);
}

#[test]
fn evidence_that_falls_later_still_aborts() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    assert_eq!(said(&watch.sees(both(75, 75, 14, 1425))), "abort health.harm");
    for _ in 0..30 {
        assert_eq!(said(&watch.sees(both(0, 1000, 100, 3000))), "abort health.harm");
    }
}

#[test]
fn the_level_doubles_with_each_attempt() {
    let needed = |attempt: u32| {
        let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
        watch.snapshot.release.attempt = attempt.try_into().unwrap();
        let decision = watch.sees(both(10, 1000, 30, 3000));
        let davy::Cause::HealthNoHarm { needed, .. } = harm(&decision).cause else { panic!("{decision}") };
        needed
    };
    // As powers of ten: 2^i / α.
    for (attempt, level) in [(1, 200_f64), (2, 400.0), (3, 800.0)] {
        assert!((needed(attempt) - libm::log10(level)).abs() < 1e-9);
    }
}

#[test]
fn one_process_spans_canary_and_live() {
    let spec = format!("bake: {{ for: 30m, against: retained }}, {}", evidence(&[ERRORS]));
    let split = |switch: u64| {
        let mut watch = Watch::of(&spec).asks(Asked::Keep);
        (1..=30).find(|minute| {
            if *minute == switch {
                watch.snapshot.stage = Stage::Live;
            }
            harm(&watch.sees(both(20, 1000, 30, 3000))).outcome == Outcome::Fail
        })
    };
    assert_eq!(split(99), split(3));
}

#[test]
fn no_more_traffic_is_given_while_there_is_a_suspicion() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(advance("25%"));
    let mut words = Vec::new();
    for _ in 0..30 {
        words.push(harm(&watch.sees(both(20, 1000, 30, 3000))).code());
    }
    words.dedup();
    assert_eq!(words, ["health.no-harm", "health.suspicion", "health.harm"]);
}

#[test]
fn the_score_falls_from_100_to_0_on_the_way_to_an_abort() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    let mut scores = Vec::new();
    for _ in 0..30 {
        scores.push(watch.sees(both(20, 1000, 30, 3000)).score.unwrap().get());
    }
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!((scores[0] > 50, scores[29]), (true, 0), "{scores:?}");
    let mut calm = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    assert_eq!(calm.sees(both(10, 1000, 30, 3000)).score.unwrap().get(), 100);
}

#[test]
fn every_finding_of_the_evidence_is_within_the_declared_guarantee() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    let decision = watch.sees(both(10, 1000, 30, 3000));
    let of_health: Vec<&Finding> = decision.findings.iter().filter(|f| f.code().starts_with("health.")).collect();
    assert_eq!(of_health.len(), 3, "{decision}");
    assert!(of_health.iter().all(|finding| matches!(finding.guarantee, Guarantee::Declared(_))), "{decision}");
}

#[test]
fn weights_follow_importance_and_dry_runs_have_none() {
    let other = "name: search, bad: b2, total: t2, tolerate: 1.1x, unacceptable: 1.5x";
    let until = |metrics: &[&str]| {
        let mut watch = Watch::of(&evidence(metrics)).asks(Asked::Keep);
        (1..=60).find(|_| {
            let mut seen = both(20, 1000, 30, 3000).to_vec();
            seen.extend([canary("search", counts(10, 1000)), baseline("search", counts(30, 3000))]);
            harm(&watch.sees(seen)).outcome == Outcome::Fail
        })
    };
    let (alone, dry) = (until(&[ERRORS]), until(&[ERRORS, &format!("{other}, dryRun: true")]));
    let (light, heavy) = (
        until(&[ERRORS, &format!("{other}, importance: 99")]),
        until(&[ERRORS, &format!("{other}, importance: 0.01")]),
    );
    assert_eq!(alone, dry);
    assert_eq!(alone, heavy);
    assert!(light > alone, "{light:?} {alone:?}");
}

#[test]
fn the_score_is_how_much_of_the_way_to_an_abort_is_left() {
    let mut watch = Watch::of(&evidence(&[ERRORS])).asks(Asked::Keep);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let decision = watch.sees(both(18, 1000, 30, 3000));
        let (reached, needed) = match harm(&decision).cause {
            davy::Cause::HealthNoHarm { reached, needed, .. }
            | davy::Cause::HealthSuspicion { reached, needed, .. }
            | davy::Cause::HealthHarm { reached, needed, .. } => (reached, needed),
            ref other => panic!("{other:?}"),
        };
        let left = (100.0 * (1.0 - reached / needed)).clamp(0.0, 100.0).round();
        let score = f64::from(decision.score.unwrap().get());
        assert!((score - left).abs() <= 1.0, "{score} {left}");
        assert!(score <= 0.0 || harm(&decision).outcome != Outcome::Fail, "{decision}");
        seen.insert(decision.score.unwrap());
    }
    assert!(seen.len() > 5, "{seen:?}");
}
