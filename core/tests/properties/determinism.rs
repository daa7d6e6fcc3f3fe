//! The same inputs in another order give the same decision, state and record.

use davy::{Decision, Engine, Snapshot, State};
use proptest::prelude::*;

use crate::json::shuffled;
use crate::runner::{breaks, holds};
use crate::strategies::{Case, case};

/// Lists of a snapshot whose order means nothing.
const LISTS: [&str; 7] = ["intervals", "observations", "slos", "probes", "running", "passed", "overrides"];

/// What a look leaves behind, record included.
type Sealer<'s> = &'s dyn Fn(&Engine, &State, &Snapshot) -> (Decision, State, Vec<u8>);

fn seals(engine: &Engine, state: &State, snapshot: &Snapshot) -> (Decision, State, Vec<u8>) {
    let step = engine.decide(state, snapshot);
    let record = step.seal().unwrap();
    (step.decision, step.state, record.bytes().to_vec())
}

fn order_means_nothing(case: &Case, seed: u64, seal: Sealer<'_>) -> Result<(), TestCaseError> {
    let text = shuffled(&serde_json::to_value(&case.snapshot).unwrap(), &LISTS, seed);
    let prior: serde_json::Value = serde_json::from_slice(&case.prior.to_json()).unwrap();
    let (snapshot, prior) = (Snapshot::from_json(text.as_bytes()), shuffled(&prior, &[], seed));
    let (snapshot, prior) = (snapshot.unwrap(), State::from_json(prior.as_bytes()).unwrap());
    let engine = &case.policy.engine;
    let (decision, state, record) = seal(engine, &case.prior, &case.snapshot);
    let (again, next, same_record) = seal(engine, &prior, &snapshot);
    prop_assert_eq!(decision, again, "another decision for {}", text);
    prop_assert_eq!(state.to_json(), next.to_json(), "another state for {}", text);
    prop_assert_eq!(record, same_record, "another record for {}", text);
    Ok(())
}

#[test]
fn the_order_of_lists_and_keys_changes_no_byte() {
    holds(128, (case(), any::<u64>()), |(case, seed)| order_means_nothing(&case, seed, &seals));
}

#[test]
fn an_engine_that_keeps_the_first_of_two_equal_intervals_is_caught() {
    let first_come = |engine: &Engine, state: &State, snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        let mut seen = Vec::new();
        snapshot.intervals.retain(|interval| {
            let is_new = !seen.contains(&interval.start());
            seen.push(interval.start());
            is_new
        });
        seals(engine, state, &snapshot)
    };
    breaks(512, (case(), any::<u64>()), "another", |(case, seed)| order_means_nothing(&case, seed, &first_come));
}

#[test]
fn an_engine_that_believes_the_last_probe_in_the_list_is_caught() {
    let last_wins = |engine: &Engine, state: &State, snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        let newest = snapshot.probes.pop();
        snapshot.probes.retain(|probe| newest.as_ref().is_none_or(|newest| probe.flow != newest.flow));
        snapshot.probes.extend(newest);
        seals(engine, state, &snapshot)
    };
    breaks(512, (case(), any::<u64>()), "another", |(case, seed)| order_means_nothing(&case, seed, &last_wins));
}

#[test]
fn a_record_that_hashes_lists_as_they_came_is_caught() {
    let as_they_came = |engine: &Engine, state: &State, snapshot: &Snapshot| {
        let (decision, state, mut record) = seals(engine, state, snapshot);
        record.extend(davy::Digest::of(&serde_json::to_vec(snapshot).unwrap()).as_bytes());
        (decision, state, record)
    };
    let strategy = (case(), any::<u64>());
    breaks(512, strategy, "another record", |(case, seed)| order_means_nothing(&case, seed, &as_they_came));
}
