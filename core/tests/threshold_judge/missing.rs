//! What is not a value is never healthy.

use davy::{Cause, Cohort, HoldKind, Observation, Observed};

use crate::support::*;
use crate::{after, errors_with, limited_with};

#[test]
fn every_way_to_see_nothing_holds_under_its_own_name() {
    use HoldKind::{Blind, Waiting};
    let metric = errors_with("max: 5%, tolerate: 1.5x, unacceptable: 3x, minRequests: 10");
    for (observed, code, kind) in [
        (None, "health.no-data", Blind),
        (Some(NO_DATA), "health.no-data", Blind),
        (Some(NAN), "health.no-data", Blind),
        (Some(INFINITE), "health.no-data", Blind),
        (Some(MINUS_INFINITE), "health.no-data", Blind),
        (Some(gauge(0.0)), "health.wrong-form", Blind),
        (Some(counts(0, 0)), "health.no-traffic", Waiting),
        (Some(counts(0, 9)), "health.too-few-requests", Waiting),
    ] {
        for cohort in [Cohort::Canary, Cohort::Baseline] {
            let of_cohort = |observed| Observation { cohort, ..canary("errors", observed) };
            let fine = [canary("errors", counts(1, 100)), baseline("errors", counts(1, 100))];
            let other = fine.into_iter().filter(|observation| observation.cohort != cohort);
            let observations: Vec<Observation> = other.chain(observed.clone().map(of_cohort)).collect();
            let decision = Watch::of(&threshold(&[&metric])).sees(observations);
            assert_eq!(said(&decision), format!("hold {code}:errors"), "{observed:?} of {cohort:?}");
            let hold = decision.hold.unwrap();
            assert_eq!((hold.kind, hold.retry_after), (kind, Some(davy::Duration::from_minutes(1))));
            let about = match finding(&decision, code).cause {
                Cause::HealthNoData { cohort, .. }
                | Cause::HealthWrongForm { cohort }
                | Cause::HealthNoTraffic { cohort }
                | Cause::HealthTooFewRequests { cohort, .. } => cohort,
                _ => panic!("{decision}"),
            };
            assert_eq!(about, cohort, "{observed:?}");
        }
    }
}

#[test]
fn what_the_source_said_is_kept() {
    use davy::Missing;
    for missing in [Missing::NoData, Missing::Nan, Missing::PositiveInfinity, Missing::NegativeInfinity] {
        let decision = Watch::of(&threshold(&[ERRORS])).sees([canary("errors", Observed::Missing(missing))]);
        let cause = Cause::HealthNoData { cohort: Cohort::Canary, missing };
        assert_eq!(finding(&decision, "health.no-data").cause, cause);
    }
}

#[test]
fn just_enough_requests_are_enough() {
    let metric = limited_with(", minRequests: 10");
    let mut watch = Watch::of(&threshold(&[&metric]));
    assert_eq!(said(&watch.sees([canary("errors", counts(0, 10))])), "proceed");
    assert_eq!(said(&watch.sees([canary("errors", counts(1, 9))])), "hold health.too-few-requests:errors");
    assert_eq!(said(&watch.sees([canary("errors", counts(1, 10))])), EXCEEDED);
}

#[test]
fn no_data_fails_only_where_the_policy_says_so() {
    let (holds, fails) = (limited_with(", noData: hold"), limited_with(", noData: fail"));
    let both = |intervals: &str| (after(&holds, intervals), after(&fails, intervals));
    let blind = "hold health.no-data:errors".to_owned();
    let failed = "abort health.data-failed:errors".to_owned();
    assert_eq!(both("g-"), (blind.clone(), failed.clone()));
    assert_eq!(both("g.g"), ("proceed".to_owned(), failed));
    // Zero traffic is not missing data: nobody asked for anything.
    assert_eq!(both("g0"), ("hold health.no-traffic:errors".to_owned(), "hold health.no-traffic:errors".to_owned()));
    // Counted like any bad interval, and still nothing to look at.
    let patient = limited_with(", noData: fail, patience: 2");
    assert_eq!(after(&patient, "g-"), blind);
    assert_eq!(after(&patient, "g-b"), EXCEEDED);
    assert_eq!(after(&patient, "gb-"), "abort health.data-failed:errors");
    assert_eq!(after(&patient, "g.-"), "abort health.data-failed:errors");
}

#[test]
fn nan_and_infinity_are_missing_data_where_missing_data_fails() {
    for observed in [NO_DATA, NAN, INFINITE, MINUS_INFINITE] {
        let decision = Watch::of(&threshold(&[&limited_with(", noData: fail")])).sees([canary("errors", observed)]);
        assert_eq!(said(&decision), "abort health.data-failed:errors");
    }
    // A form that the policy did not ask for is a mistake of the host, not of the canary.
    let decision = Watch::of(&threshold(&[&limited_with(", noData: fail")])).sees([canary("errors", gauge(1.0))]);
    assert_eq!(said(&decision), "hold health.wrong-form:errors");
}

#[test]
fn a_source_that_did_not_answer_never_fails_a_release() {
    let failing = limited_with(", noData: fail");
    let unanswered = || [canary("errors", Observed::Missing(davy::Missing::NoAnswer))];
    let mut watch = Watch::of(&threshold(&[&failing]));
    for _ in 0..3 {
        assert_eq!(said(&watch.sees(unanswered())), "hold health.no-data:errors");
    }
    assert_eq!(said(&watch.sees([canary("errors", counts(0, 100))])), "proceed");
    // It neither breaks a run of bad intervals nor extends it.
    let mut watch = Watch::of(&threshold(&[&limited_with(", noData: fail, patience: 2")]));
    watch.sees([canary("errors", counts(50, 100))]);
    assert_eq!(said(&watch.sees(unanswered())), "hold health.no-data:errors");
    assert_eq!(said(&watch.sees([canary("errors", counts(50, 100))])), EXCEEDED);
}

#[test]
fn intervals_that_never_came_count_as_missing_one_by_one() {
    let metric = limited_with(", noData: fail, failureLimit: 3");
    assert_eq!(after(&metric, "g...g"), "proceed");
    assert_eq!(after(&metric, "g....g"), "abort health.data-failed:errors");
    assert_eq!(after(&metric, "...g"), "proceed");
    assert_eq!(after(&metric, "....g"), "abort health.data-failed:errors");
    assert_eq!(after(&limited_with(", noData: fail, consecutiveFailureLimit: 1"), "g.g.g.g"), "proceed");
}
