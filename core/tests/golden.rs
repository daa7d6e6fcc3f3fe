//! Golden records and states: the same bytes in every build and on every platform.
//!
//! `unified-features/` builds this file once more, with features of serde_json switched on that change
//! how it keeps maps and numbers.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop, and leaves the new bytes behind"
)]

use std::path::Path;

use davy::{Bundle, Engine, Record, Snapshot, State};

/// One snapshot of `policies/checkout`, and what deciding it from a new state left behind.
struct Golden {
    name: &'static str,
    snapshot: &'static [u8],
    record: &'static [u8],
    state: &'static [u8],
}

macro_rules! golden {
    ($($name:literal),*) => {
        [$(Golden {
            name: $name,
            snapshot: include_bytes!(concat!("../../policies/checkout/snapshots/", $name, ".json")),
            record: include_bytes!(concat!("golden/", $name, ".record.json")),
            state: include_bytes!(concat!("golden/", $name, ".state.json")),
        }),*]
    };
}

const RELEASES: [Golden; 3] = golden!["healthy", "inconclusive", "regressed"];

fn engine() -> Engine {
    let rollouts = include_bytes!("../../policies/checkout/rollouts.yaml");
    Engine::new(&Bundle::from_files([("rollouts.yaml", rollouts)]).unwrap())
}

#[test]
fn records_and_states_have_the_golden_bytes() {
    let engine = engine();
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    let mut changed = Vec::new();
    for golden in RELEASES {
        let (prior, snapshot) = (State::new(), Snapshot::from_json(golden.snapshot).unwrap());
        let step = engine.decide(&prior, &snapshot);
        let record = step.seal().unwrap();
        for (kind, bytes, expected) in
            [("record", record.bytes(), golden.record), ("state", &step.state.to_json(), golden.state)]
        {
            let name = format!("{}.{kind}.json", golden.name);
            std::fs::create_dir_all(&new).unwrap();
            std::fs::write(new.join(&name), bytes).unwrap();
            if bytes != expected {
                changed.push(name);
            }
        }
    }
    assert!(
        changed.is_empty(),
        "other bytes than core/tests/golden: {changed:?}\n\
         If decisions were meant to change, look at the differences and, from the root of the repository:\n\
         cp {}/*.json core/tests/golden/",
        new.display()
    );
}

#[test]
fn golden_records_replay() {
    let engine = engine();
    for golden in RELEASES {
        let snapshot = Snapshot::from_json(golden.snapshot).unwrap();
        let record = Record::from_bytes(golden.record).unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        let replayed = record.replay(&engine, &State::new(), &snapshot);
        assert_eq!(replayed, Ok(()), "{}", golden.name);
    }
}

#[test]
fn golden_states_are_read_and_written_with_the_same_bytes() {
    for golden in RELEASES {
        let state = State::from_json(golden.state).unwrap();
        assert_eq!(state.to_json(), golden.state, "{}", golden.name);
    }
}

#[test]
fn decisions_survive_json() {
    for golden in RELEASES {
        let record = Record::from_bytes(golden.record).unwrap();
        let json = serde_json::to_vec(record.decision()).unwrap();
        assert_eq!(&serde_json::from_slice::<davy::Decision>(&json).unwrap(), record.decision(), "{}", golden.name);
    }
}

#[test]
fn snapshots_survive_json() {
    for golden in RELEASES {
        let snapshot = Snapshot::from_json(golden.snapshot).unwrap();
        let json = serde_json::to_vec(&snapshot).unwrap();
        let again = Snapshot::from_json(&json).unwrap();
        assert_eq!((&again, serde_json::to_vec(&again).unwrap()), (&snapshot, json), "{}", golden.name);
    }
}
