//! What is written can be read again, and is the same.

use std::fmt::Debug;

use davy::{Decision, Record, Snapshot, State};
use proptest::prelude::*;
use serde_json::Value;

use crate::runner::{breaks, holds};
use crate::strategies::case;

/// Writes and reads. The thing under test is this pair, as one function.
fn survives<T: PartialEq + Debug, E: Debug>(
    value: &T,
    write: impl Fn(&T) -> Vec<u8>,
    read: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<(), TestCaseError> {
    let bytes = write(value);
    let text = String::from_utf8_lossy(&bytes);
    let again = read(&bytes);
    prop_assert!(again.is_ok(), "not read again: {:?}: {}", again, text);
    let again = again.unwrap();
    prop_assert_eq!(value, &again, "read as another value: {}", text);
    prop_assert_eq!(&bytes, &write(&again), "written in other bytes: {}", text);
    Ok(())
}

fn write_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    serde_json::to_vec(snapshot).unwrap()
}

fn write_decision(decision: &Decision) -> Vec<u8> {
    serde_json::to_vec(decision).unwrap()
}

fn read_decision(bytes: &[u8]) -> Result<Decision, serde_json::Error> {
    serde_json::from_slice(bytes)
}

#[test]
fn snapshots_survive_json() {
    holds(96, case(), |case| survives(&case.snapshot, write_snapshot, Snapshot::from_json));
}

#[test]
fn states_survive_json() {
    holds(128, case(), |case| {
        let step = case.policy.engine.decide(&case.prior, &case.snapshot);
        survives(&step.state, State::to_json, State::from_json)
    });
}

#[test]
fn decisions_survive_json() {
    holds(128, case(), |case| {
        let decision = case.policy.engine.decide(&case.prior, &case.snapshot).decision;
        survives(&decision, write_decision, read_decision)
    });
}

#[test]
fn records_survive_their_bytes() {
    holds(128, case(), |case| {
        let record = case.policy.engine.decide(&case.prior, &case.snapshot).seal();
        prop_assert!(record.is_ok(), "not sealed: {:?}", record);
        survives(&record.unwrap(), |record| record.bytes().to_vec(), Record::from_bytes)
    });
}

#[test]
fn a_snapshot_written_with_six_digits_is_caught() {
    let rounded = |snapshot: &Snapshot| {
        let mut value = serde_json::to_value(snapshot).unwrap();
        round(&mut value);
        serde_json::to_vec(&value).unwrap()
    };
    breaks(512, case(), "another value", |case| survives(&case.snapshot, rounded, Snapshot::from_json));
}

/// Rounds every number that is not whole.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.as_i64().is_none() && number.as_u64().is_none() => {
            let rounded = number.as_f64().map(|float| format!("{float:.6}"));
            *value = serde_json::from_str(&rounded.unwrap()).unwrap();
        }
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| round(value)),
        _ => {}
    }
}

#[test]
fn a_state_written_without_its_empty_members_is_caught() {
    let without_nulls = |state: &State| {
        let mut value: Value = serde_json::from_slice(&state.to_json()).unwrap();
        if let Some(course) = value.pointer_mut("/release/course").and_then(Value::as_object_mut) {
            course.remove("latched");
        }
        serde_json::to_vec(&value).unwrap()
    };
    breaks(512, case(), "not read again", |case| {
        let step = case.policy.engine.decide(&case.prior, &case.snapshot);
        survives(&step.state, without_nulls, State::from_json)
    });
}

#[test]
fn a_decision_written_without_its_facts_is_caught() {
    let without_facts = |decision: &Decision| {
        let mut value = serde_json::to_value(decision).unwrap();
        for finding in value["findings"].as_array_mut().unwrap() {
            finding["facts"] = Value::Object(serde_json::Map::new());
        }
        serde_json::to_vec(&value).unwrap()
    };
    breaks(512, case(), "not read again", |case| {
        let decision = case.policy.engine.decide(&case.prior, &case.snapshot).decision;
        survives(&decision, without_facts, read_decision)
    });
}

#[test]
fn a_record_written_for_people_is_caught() {
    let pretty = |record: &Record| {
        let value: Value = serde_json::from_slice(record.bytes()).unwrap();
        serde_json::to_vec_pretty(&value).unwrap()
    };
    breaks(512, case(), "NotCanonical", |case| {
        let record = case.policy.engine.decide(&case.prior, &case.snapshot).seal().unwrap();
        survives(&record, pretty, Record::from_bytes)
    });
}
