//! More bad events of the canary in the same traffic never help, whatever judges them.

use davy::{Cohort, Decision, Engine, Interval, Observed, Snapshot, State};
use proptest::prelude::*;

use crate::runner::{breaks, holds};
use crate::strategies::{Evidence, Kind, Run, Shape, Worsening, closed, run, run_of, slots, worsen, worsenings};
use crate::{Decider, engine};

/// Looks at both releases side by side, each with its own state.
fn more_bad_events_never_help(run: &Run, worsenings: &[Worsening], decide: Decider<'_>) -> Result<(), TestCaseError> {
    let worse = worsen(&run.intervals, worsenings);
    let (mut state, mut worse_state) = (State::new(), State::new());
    for (index, look) in run.looks.iter().enumerate() {
        let snapshot = |intervals: &[Interval]| run.look(index, closed(intervals, look.now));
        let (better, next) = decide(&run.policy.engine, &state, &snapshot(&run.intervals));
        let (worse, worse_next) = decide(&run.policy.engine, &worse_state, &snapshot(&worse));
        prop_assert!(
            better.verdict <= worse.verdict,
            "helped: from {} to {} at {}, with {:?}",
            better.verdict,
            worse.verdict,
            look.now,
            worsenings
        );
        (state, worse_state) = (next, worse_next);
    }
    Ok(())
}

/// Metrics that are worse the larger they are.
const THRESHOLD: Shape = Shape { kinds: Kind::ONE_SIDED, gates: false, ..Shape::THRESHOLD };
/// Argo's conditions alone. What ends inconclusive stops the other metrics, and a measurement that fails
/// interrupts a row of errors: with either of them worse may be better, as it is in Argo.
const ARGO: Shape = Shape { kinds: Kind::ABSOLUTE, inconclusive: false, gates: false, ..Shape::ARGO };
const FLAGGER: Shape = Shape { kinds: Kind::ABSOLUTE, gates: false, ..Shape::FLAGGER };

fn holds_for(cases: u32, shape: Shape, evidence: Evidence) {
    holds(cases, (run(shape, evidence), worsenings()), |(run, worse)| {
        more_bad_events_never_help(&run, &worse, &engine)
    });
}

/// Limits and patience, and nothing that softens them.
const LIMITS: Shape = Shape { score: false, inconclusive: false, hold_limits: &[], ..THRESHOLD };

#[test]
fn more_bad_events_never_help_under_threshold() {
    holds_for(256, LIMITS, Evidence::Complete);
    holds_for(256, THRESHOLD, Evidence::Patchy);
}

/// Few intervals of few metrics, so that the interesting ones meet.
fn holds_for_a_short_run(cases: u32, shape: Shape, evidence: Evidence) {
    let short = run_of(shape, slots(evidence, 1..=4));
    holds(cases, (short, worsenings()), |(run, worse)| more_bad_events_never_help(&run, &worse, &engine));
}

#[test]
fn more_bad_events_never_help_when_evidence_is_missing() {
    let kinds = &[Kind::Gauge, Kind::Capped];
    holds_for_a_short_run(512, Shape { kinds, ..LIMITS }, Evidence::Patchy);
}

#[test]
fn more_bad_events_never_help_a_score() {
    let kinds = &[Kind::Share, Kind::Events, Kind::Classic];
    holds_for_a_short_run(1536, Shape { score: true, kinds, ..LIMITS }, Evidence::Patchy);
}

#[test]
fn more_bad_events_never_help_an_inconclusive_limit() {
    let kinds = &[Kind::Compared, Kind::Ratio];
    holds_for_a_short_run(1536, Shape { inconclusive: true, kinds, ..LIMITS }, Evidence::Complete);
}

#[test]
fn more_bad_events_never_help_a_hold_limit() {
    let hold_limits = &["{ after: 1m, then: fail }", "{ after: 90s, then: fail, kinds: [blind] }"];
    holds_for_a_short_run(512, Shape { hold_limits, kinds: &[Kind::Capped], ..LIMITS }, Evidence::Patchy);
}

#[test]
fn more_bad_events_never_help_under_argo() {
    holds_for(256, ARGO, Evidence::ByCohort);
}

#[test]
fn more_bad_events_never_help_under_flagger() {
    holds_for(256, FLAGGER, Evidence::Patchy);
}

#[test]
fn what_argo_calls_inconclusive_is_not_monotone() {
    // A documented surprise: with both conditions, a worse measurement may end the analysis without a failure.
    let both = Shape { kinds: &[Kind::Compared, Kind::Share], inconclusive: true, hold_limits: &[], ..ARGO };
    breaks(4096, (run(both, Evidence::Complete), worsenings()), "helped", |(run, worse)| {
        more_bad_events_never_help(&run, &worse, &engine)
    });
}

/// Drops intervals that look too bad to be true.
fn without_outliers(of: &Engine, state: &State, snapshot: &Snapshot) -> (Decision, State) {
    let mut snapshot = snapshot.clone();
    snapshot.intervals.retain(|interval| {
        !interval.observations().iter().any(|observation| match &observation.observed {
            Observed::Counts { bad, total } => observation.cohort == Cohort::Canary && bad.get() * 2 > total.get(),
            Observed::Gauge(value) => observation.cohort == Cohort::Canary && *value > 1.0,
            _ => false,
        })
    });
    engine(of, state, &snapshot)
}

#[test]
fn a_judge_that_drops_outliers_is_caught() {
    for shape in [THRESHOLD, ARGO, FLAGGER] {
        let plain = Shape { score: false, inconclusive: false, hold_limits: &[], ..shape };
        breaks(1024, (run(plain, Evidence::Complete), worsenings()), "helped", |(run, worse)| {
            more_bad_events_never_help(&run, &worse, &without_outliers)
        });
    }
}
