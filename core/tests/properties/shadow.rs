//! A shadow decides nothing, and decides for itself what it would.

use davy::{Decision, Engine, Snapshot, State};
use proptest::prelude::*;
use proptest::sample::select;

use crate::Decider;
use crate::runner::{breaks, holds};
use crate::strategies::{Evidence, Policy, Run, Shape, closed, policy, run};

fn engine(engine: &Engine, state: &State, snapshot: &Snapshot) -> (Decision, State) {
    crate::engine(engine, state, snapshot)
}

/// A run, and another policy that looks at it.
fn shadowed() -> impl Strategy<Value = (Run, Policy)> {
    let shapes = || select(Shape::ALL.to_vec());
    (shapes().prop_flat_map(|shape| run(shape, Evidence::Patchy)), shapes().prop_flat_map(policy))
}

fn without_shadow(state: &State) -> serde_json::Value {
    let mut json: serde_json::Value = serde_json::from_slice(&state.to_json()).unwrap();
    json.as_object_mut().unwrap().remove("shadow");
    json
}

/// The decision beside a shadow is the decision alone, and the shadow's is what it would decide alone.
fn keeps_out(run: &Run, shadow: &Policy, decide: Decider<'_>) -> Result<(), TestCaseError> {
    let Ok(both) = run.policy.engine.clone().with_shadow(shadow.engine.clone()) else { return Ok(()) };
    let (mut live, mut beside, mut own) = (State::new(), State::new(), State::new());
    for look in &run.looks {
        let snapshot = Snapshot { intervals: closed(&run.intervals, look.now), ..look.clone() };
        let (alone, next_live) = engine(&run.policy.engine, &live, &snapshot);
        let (decision, next_beside) = decide(&both, &beside, &snapshot);
        let (would, next_own) = engine(&shadow.engine, &own, &snapshot);
        let seen = decision.shadow.clone();
        prop_assert_eq!(&Decision { shadow: None, ..decision }, &alone, "the shadow took part");
        prop_assert_eq!(without_shadow(&next_beside), without_shadow(&next_live), "the shadow left something behind");
        let seen = seen.unwrap();
        prop_assert_eq!(seen.verdict, would.verdict, "the shadow decides otherwise beside a policy");
        prop_assert_eq!(seen.bundle, shadow.bundle.digest());
        let agrees = davy::Comparison::between(&alone, &would).is_same();
        prop_assert_eq!(
            seen.agrees_with(&alone),
            agrees,
            "the shadow decides otherwise beside a policy, or it is not said"
        );
        let adds_its_own = seen.adds.iter().all(|finding| would.findings.contains(finding));
        prop_assert!(adds_its_own, "the shadow decides otherwise beside a policy, or it is not said");
        (live, beside, own) = (next_live, next_beside, next_own);
    }
    Ok(())
}

#[test]
fn a_shadow_has_no_part_in_the_decision() {
    holds(128, shadowed(), |(run, shadow)| keeps_out(&run, &shadow, &engine));
}

#[test]
fn a_shadow_that_tightens_the_decision_is_caught() {
    let strictest = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (mut decision, next) = engine(of, state, snapshot);
        let would = decision.shadow.as_ref().map(|shadow| shadow.verdict);
        decision.verdict = decision.verdict.max(would.unwrap_or(decision.verdict));
        (decision, next)
    };
    breaks(512, shadowed(), "the shadow took part", |(run, shadow)| keeps_out(&run, &shadow, &strictest));
}

#[test]
fn a_shadow_that_forgets_what_it_saw_is_caught() {
    let forgetful = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (decision, next) = engine(of, state, snapshot);
        let alone = serde_json::to_vec(&without_shadow(&next)).unwrap();
        (decision, State::from_json(&alone).unwrap())
    };
    breaks(512, shadowed(), "the shadow decides otherwise", |(run, shadow)| keeps_out(&run, &shadow, &forgetful));
}

#[test]
fn a_record_with_a_shadow_replays_with_it_and_with_no_other() {
    holds(64, shadowed(), |(run, shadow)| {
        let Ok(both) = run.policy.engine.clone().with_shadow(shadow.engine.clone()) else { return Ok(()) };
        let look = run.looks.last().unwrap();
        let snapshot = Snapshot { intervals: closed(&run.intervals, look.now), ..look.clone() };
        let prior = State::new();
        let record = both.decide(&prior, &snapshot).seal().unwrap();
        let record = davy::Record::from_bytes(record.bytes()).unwrap();
        prop_assert!(record.replay(&both, &prior, &snapshot).is_ok());
        let alone = record.replay(&run.policy.engine, &prior, &snapshot);
        prop_assert!(alone.is_err_and(|error| error.to_string().contains("R004: the shadow's bundle")));
        Ok(())
    });
}
