//! Intervals split over calls fold to the same state and findings as in one call.

use davy::{Decision, Engine, Interval, Snapshot, State};
use proptest::prelude::*;
use serde_json::Value;

use crate::runner::{breaks, holds};
use crate::strategies::{Evidence, Run, Shape, closed, run, run_of, slots};
use crate::{Decider, engine};

/// How a host hands intervals in.
#[derive(Debug, Clone, Copy)]
struct Host {
    /// It sends what it has sent before once more.
    repeats: bool,
    /// It sends intervals that are not closed yet, too.
    hurries: bool,
}

fn host() -> impl Strategy<Value = Host> {
    (any::<bool>(), any::<bool>()).prop_map(|(repeats, hurries)| Host { repeats, hurries })
}

/// A run whose findings come from intervals alone: a horizon that passes between two looks would latch.
fn runs(shape: Shape) -> impl Strategy<Value = Run> {
    run(Shape { horizon: false, ..shape }, Evidence::Patchy)
}

fn splits_as_it_pleases(run: &Run, host: Host, decide: Decider<'_>) -> Result<(), TestCaseError> {
    let engine = &run.policy.engine;
    let (at_once, folded_at_once) = decide(engine, &State::new(), &run.last());
    let mut state = State::new();
    let mut sent = 0;
    let mut decision = None;
    for (index, look) in run.looks.iter().enumerate() {
        let closed = closed(&run.intervals, look.now).len();
        let end = if host.hurries { run.intervals.len() } else { closed };
        let intervals: Vec<Interval> = run.intervals[if host.repeats { 0 } else { sent }..end].to_vec();
        let (decided, next) = decide(engine, &state, &run.look(index, intervals));
        // The state travels as a host keeps it.
        state = State::from_json(&next.to_json()).unwrap();
        prop_assert_eq!(state.digest(), next.digest(), "the state has another digest when it was kept");
        (decision, sent) = (Some(decided), closed);
    }
    prop_assert_eq!(folded(&folded_at_once), folded(&state), "the folded state differs");
    let (once, split) = (evidence(&at_once), evidence(&decision.unwrap()));
    prop_assert_eq!(once, split, "the findings differ");
    Ok(())
}

/// The part of a state that comes from intervals.
fn folded(state: &State) -> String {
    let value: Value = serde_json::from_slice(&state.to_json()).unwrap();
    value["release"]["folded"].to_string()
}

/// The score and the findings that come from intervals, without the instant at which a failure was first seen.
fn evidence(decision: &Decision) -> (String, Vec<Value>) {
    let from_intervals = |code: &str| code.starts_with("health.") || code.starts_with("data.");
    let findings = decision.findings.iter().filter(|finding| from_intervals(finding.code()));
    let findings = findings.map(|finding| {
        let mut value = serde_json::to_value(finding).unwrap();
        value.as_object_mut().unwrap().remove("latchedAt");
        value
    });
    (format!("{:?}", decision.score), findings.collect())
}

#[test]
fn threshold_folds_the_same_however_intervals_are_split() {
    holds(96, (runs(Shape::THRESHOLD), host()), |(run, host)| splits_as_it_pleases(&run, host, &engine));
}

#[test]
fn argo_folds_the_same_however_intervals_are_split() {
    holds(96, (runs(Shape::ARGO), host()), |(run, host)| splits_as_it_pleases(&run, host, &engine));
}

#[test]
fn flagger_folds_the_same_however_intervals_are_split() {
    holds(96, (runs(Shape::FLAGGER), host()), |(run, host)| splits_as_it_pleases(&run, host, &engine));
}

#[test]
fn it_does_not_matter_how_intervals_reach_kayentas_judge() {
    holds(96, (runs(Shape::KAYENTA), host()), |(run, host)| splits_as_it_pleases(&run, host, &engine));
}

#[test]
fn a_long_release_folds_the_same_however_intervals_are_split() {
    let shape = Shape { horizon: false, gates: false, ..Shape::THRESHOLD };
    let long = run_of(shape, slots(Evidence::Patchy, 250..=300));
    holds(6, (long, host()), |(run, host)| splits_as_it_pleases(&run, host, &engine));
}

/// An engine that keeps one counter per call instead of in the state.
fn counts_per_call(member: &'static str) -> impl Fn(&Engine, &State, &Snapshot) -> (Decision, State) {
    move |of, state, snapshot| {
        let mut value: Value = serde_json::from_slice(&state.to_json()).unwrap();
        reset(&mut value["release"]["folded"], member);
        let state = State::from_json(value.to_string().as_bytes()).unwrap_or_else(|_| state.clone());
        engine(of, &state, snapshot)
    }
}

fn reset(value: &mut Value, member: &str) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                if key == member {
                    *value = 0.into();
                } else {
                    reset(value, member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| reset(item, member)),
        _ => {}
    }
}

#[test]
fn patience_that_is_counted_per_call_is_caught() {
    let bug = counts_per_call("badRun");
    breaks(512, (runs(Shape::THRESHOLD), host()), "differ", |(run, host)| splits_as_it_pleases(&run, host, &bug));
}

#[test]
fn argo_errors_that_are_counted_per_call_are_caught() {
    let bug = counts_per_call("errorRun");
    breaks(512, (runs(Shape::ARGO), host()), "differ", |(run, host)| splits_as_it_pleases(&run, host, &bug));
}

#[test]
fn flagger_checks_that_are_counted_per_call_are_caught() {
    let bug = counts_per_call("failedChecks");
    breaks(512, (runs(Shape::FLAGGER), host()), "differ", |(run, host)| splits_as_it_pleases(&run, host, &bug));
}
