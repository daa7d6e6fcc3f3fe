//! A sealed record replays: the same inputs, read again from their bytes, give the same bytes.

use std::cell::Cell;

use davy::{Bundle, Duration, Engine, Record, Snapshot, State};
use proptest::prelude::*;

use crate::runner::{breaks, holds};
use crate::strategies::{Case, case};

/// Decides and seals; the bytes of the record.
type Sealer<'s> = &'s dyn Fn(&Engine, &State, &Snapshot) -> Vec<u8>;

/// What a decision's inputs are kept as, and read again from.
type Archive<'a> = &'a dyn Fn(&State, &Snapshot) -> (State, Snapshot);

fn seals(engine: &Engine, state: &State, snapshot: &Snapshot) -> Vec<u8> {
    engine.decide(state, snapshot).seal().unwrap().bytes().to_vec()
}

fn as_json(state: &State, snapshot: &Snapshot) -> (State, Snapshot) {
    let snapshot = serde_json::to_vec(snapshot).unwrap();
    (State::from_json(&state.to_json()).unwrap(), Snapshot::from_json(&snapshot).unwrap())
}

fn replays(case: &Case, seal: Sealer<'_>, archive: Archive<'_>) -> Result<(), TestCaseError> {
    let sealed = seal(&case.policy.engine, &case.prior, &case.snapshot);
    let record = Record::from_bytes(&sealed).unwrap();
    let (prior, snapshot) = archive(&case.prior, &case.snapshot);
    let engine = Engine::new(&Bundle::from_files(case.policy.bundle.files().iter().cloned()).unwrap());
    let replayed = record.replay(&engine, &prior, &snapshot);
    prop_assert!(replayed.is_ok(), "does not replay: {:?}", replayed);
    let again = seal(&engine, &prior, &snapshot);
    prop_assert_eq!(String::from_utf8(sealed).unwrap(), String::from_utf8(again).unwrap(), "other bytes");
    Ok(())
}

#[test]
fn a_sealed_record_replays_to_the_same_bytes() {
    holds(128, case(), |case| replays(&case, &seals, &as_json));
}

#[test]
fn an_engine_with_a_clock_of_its_own_is_caught() {
    let clock = Cell::new(0_u64);
    let ticks = |engine: &Engine, state: &State, snapshot: &Snapshot| {
        clock.set(clock.get() + 1);
        let mut step = engine.decide(state, snapshot);
        step.decision.at = snapshot.now.minus(Duration::from_millis(clock.get()));
        step.seal().unwrap().bytes().to_vec()
    };
    breaks(512, case(), "does not replay", |case| replays(&case, &ticks, &as_json));
}

#[test]
fn an_archive_that_keeps_the_state_after_the_decision_is_caught() {
    let one_too_late = |engine: &Engine| {
        let engine = engine.clone();
        move |state: &State, snapshot: &Snapshot| {
            let next = engine.decide(state, snapshot).state.clone();
            as_json(&next, snapshot)
        }
    };
    breaks(512, case(), "OtherInput", |case| replays(&case, &seals, &one_too_late(&case.policy.engine)));
}
