//! Nothing panics: not a decision on any state and snapshot, and no parser on any bytes.

use davy::render::{self, Colour};
use davy::{Bundle, Engine, Record, Snapshot, State, canonical_json, page, starter};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::json::{Mutation, at_every_edge, mutated, mutation};
use crate::runner::{breaks, holds};
use crate::strategies::{Case, DOCUMENTS, Shape, any_window, case, policy, thorough_case};

/// A panic is caught by the runner; `look` need only be called.
fn never_panics_on_a_case(case: &Case, look: impl Fn(&Engine, &State, &Snapshot)) {
    look(&case.policy.engine, &case.prior, &case.snapshot);
}

fn never_panics_on_bytes(bytes: &[u8], read: impl Fn(&[u8])) {
    read(bytes);
}

/// Everything that a host does with one look.
fn everything(engine: &Engine, state: &State, snapshot: &Snapshot) {
    let step = engine.decide(state, snapshot);
    let _ = (step.decision.to_string(), render::text_with(&step.decision, Colour::Always));
    let _ = (render::markdown(&step.decision), step.state.to_json());
    let _ = engine.requirements(&step.state, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now);
    if let Ok(record) = step.seal() {
        let _ = record.replay(engine, state, snapshot);
        let _ = record.replay(engine, &step.state, snapshot);
    }
    let _ = engine.decide(&step.state, snapshot).seal();
}

/// A state and a snapshot that parse, and that no engine wrote.
fn strange_case() -> impl Strategy<Value = Case> {
    (case(), vec(mutation(), 0..=6), vec(mutation(), 0..=6)).prop_map(|(case, of_state, of_snapshot)| {
        let next = case.policy.engine.decide(&case.prior, &case.snapshot).state.clone();
        let read_state = |value: &Value| State::from_json(value.to_string().as_bytes());
        let read_snapshot = |value: &Value| Snapshot::from_json(value.to_string().as_bytes());
        let state = serde_json::from_slice(&next.to_json()).unwrap();
        let state = mutated(state, &of_state, |value| read_state(value).is_ok());
        let snapshot =
            mutated(serde_json::to_value(&case.snapshot).unwrap(), &of_snapshot, |value| read_snapshot(value).is_ok());
        // A state's release is checked first: most cases should get past that.
        let mut snapshot = read_snapshot(&snapshot).unwrap();
        if of_snapshot.len() > 1 {
            let known = state.pointer("/release/release").cloned();
            snapshot.release = known.and_then(|known| serde_json::from_value(known).ok()).unwrap_or(snapshot.release);
        }
        Case { prior: read_state(&state).unwrap(), snapshot, ..case }
    })
}

#[test]
fn no_snapshot_and_state_makes_the_engine_panic() {
    holds(128, strange_case(), |case| {
        never_panics_on_a_case(&case, everything);
        Ok(())
    });
}

#[test]
fn no_leaf_of_a_state_at_an_edge_makes_the_engine_panic() {
    let case = thorough_case(Shape::THRESHOLD);
    let state: Value = serde_json::from_slice(&case.prior.to_json()).unwrap();
    let read = |value: Value| State::from_json(value.to_string().as_bytes()).ok();
    let strange: Vec<State> = at_every_edge(&state).filter_map(read).collect();
    assert!(strange.len() > 1000, "only {} states", strange.len());
    for prior in strange {
        never_panics_on_a_case(&Case { prior, ..case.clone() }, |engine, state, snapshot| {
            let step = engine.decide(state, snapshot);
            let _ = (step.seal(), step.decision.to_string());
        });
    }
}

/// A case with windows that no JSON could hold.
fn with_any_windows() -> impl Strategy<Value = Case> {
    (case(), vec(any_window(), 1..=6)).prop_map(|(mut case, windows)| {
        let now = case.snapshot.now;
        case.snapshot.slos.extend(windows.iter().cloned());
        // Most of them end now, so that they are looked at.
        case.snapshot.slos.extend(windows.into_iter().map(|window| davy::SloWindow { end: now, ..window }));
        case
    })
}

#[test]
fn no_window_makes_the_engine_panic() {
    holds(192, with_any_windows(), |case| {
        never_panics_on_a_case(&case, everything);
        prop_assert!(case.policy.engine.decide(&case.prior, &case.snapshot).seal().is_ok(), "not sealed");
        Ok(())
    });
}

#[test]
fn an_engine_that_measures_windows_unchecked_is_caught() {
    let length = |_: &Engine, _: &State, snapshot: &Snapshot| {
        for window in &snapshot.slos {
            let _ = window.end.millis().checked_sub(window.from.millis()).expect("a window ends after it began");
        }
    };
    breaks(512, with_any_windows(), "ends after it began", |case| {
        never_panics_on_a_case(&case, length);
        Ok(())
    });
}

#[test]
fn an_engine_that_subtracts_instants_unchecked_is_caught() {
    let age = |_: &Engine, _: &State, snapshot: &Snapshot| {
        let (now, started) = (snapshot.now.millis(), snapshot.release.started_at.millis());
        let _ = now.checked_sub(started).expect("the release began in the past");
    };
    breaks(512, strange_case(), "began in the past", |case| {
        never_panics_on_a_case(&case, age);
        Ok(())
    });
}

/// Bytes that were meant to be read, with bits flipped and pieces cut, repeated, moved and put in.
fn broken(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\"",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\n",
        b" ",
        b"\t",
        b"- ",
        b"#",
        b"&a ",
        b"*a",
        b"!!int ",
        b"|\n",
        b"null",
        b"1e999",
        b"-0",
        b"0x1f",
        b"1.1x",
        b"5%",
        b"30s",
        b"\\u0000",
        b"\xff",
        b"\xef\xbb\xbf",
        b"---\n",
        b"9007199254740993",
        b"NaN",
        b"2026-02-30T00:00:00Z",
        b"2016-12-31T23:59:60Z",
    ];
    let edit = (any::<Index>(), any::<Index>(), 0..6_u8, 0..8_u8, select(pieces));
    (bytes, vec(edit, 0..=4)).prop_map(|(mut bytes, edits)| {
        for (from, to, change, bit, piece) in edits {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 64));
            let cut = bytes[from..to].to_vec();
            match change {
                0 => drop(bytes.drain(from..to)),
                1 => drop(bytes.splice(from..from, cut)),
                2 => bytes.truncate(to),
                3 => bytes.iter_mut().skip(from).take(1).for_each(|byte| *byte ^= 1 << bit),
                _ => drop(bytes.splice(from..from, piece.to_vec())),
            }
        }
        bytes
    })
}

fn bundle_text() -> impl Strategy<Value = Vec<u8>> {
    let written = select(Shape::ALL.to_vec()).prop_flat_map(policy).prop_map(|policy| policy.text.into_bytes());
    let checkout = include_bytes!("../../../policies/checkout/rollouts.yaml").to_vec();
    let slo = select(DOCUMENTS.to_vec()).prop_map(|(_, document)| document.as_bytes().to_vec());
    prop_oneof![
        4 => written,
        2 => Just(starter("checkout").into_bytes()),
        2 => Just(checkout),
        4 => slo,
        1 => vec(any::<u8>(), 0..64),
    ]
}

fn json_text() -> impl Strategy<Value = Vec<u8>> {
    let of_case = (case(), 0..3_u8).prop_map(|(case, which)| {
        let step = case.policy.engine.decide(&case.prior, &case.snapshot);
        match which {
            0 => serde_json::to_vec(&case.snapshot).unwrap(),
            1 => step.state.to_json(),
            _ => step.seal().map_or(Vec::new(), |record| record.bytes().to_vec()),
        }
    });
    prop_oneof![8 => of_case, 1 => vec(any::<u8>(), 0..64)]
}

/// A rollout that watches both SLOs.
const WATCHING: &[u8] = b"{ apiVersion: davy/v1, kind: Rollout, metadata: { name: checkout }, \
                           spec: { budget: { slos: [availability, latency] } } }";

fn read_bundle(bytes: &[u8]) {
    let slos = DOCUMENTS.map(|(_, document)| document.as_bytes());
    for files in [
        [("a", WATCHING), ("b", bytes), ("c", slos[1])],
        [("a", WATCHING), ("b", slos[0]), ("c", bytes)],
        [("a", bytes), ("b", slos[0]), ("c", slos[1])],
    ] {
        match Bundle::from_files(files) {
            Ok(bundle) => drop((page(&bundle), Engine::new(&bundle), bundle.warnings().len())),
            Err(error) => drop(error.to_string()),
        }
    }
    match Bundle::from_files([("rollouts.yaml", bytes), ("other.yaml", b"")]) {
        Ok(bundle) => drop(page(&bundle)),
        Err(error) => drop(error.to_string()),
    }
    match Bundle::from_files([("rollouts.yaml", bytes)]) {
        Ok(bundle) => {
            let _ = (page(&bundle), Engine::new(&bundle));
        }
        Err(error) => drop(error.to_string()),
    }
}

fn read_json(bytes: &[u8]) {
    let errors = [
        Snapshot::from_json(bytes).err().map(|error| error.to_string()),
        State::from_json(bytes).err().map(|error| error.to_string()),
        Record::from_bytes(bytes).err().map(|error| error.to_string()),
    ];
    assert!(errors.into_iter().flatten().all(|error| !error.is_empty()));
}

#[test]
fn no_bytes_make_the_bundle_reader_panic() {
    holds(256, broken(bundle_text()), |bytes| {
        never_panics_on_bytes(&bytes, read_bundle);
        Ok(())
    });
}

#[test]
fn no_bytes_make_the_json_readers_panic() {
    holds(192, broken(json_text()), |bytes| {
        never_panics_on_bytes(&bytes, read_json);
        Ok(())
    });
}

#[test]
fn a_reader_that_takes_bytes_for_text_is_caught() {
    let as_text = |bytes: &[u8]| {
        let text = str::from_utf8(bytes).expect("JSON is UTF-8");
        read_json(text.as_bytes());
    };
    breaks(512, broken(json_text()), "JSON is UTF-8", |bytes| {
        never_panics_on_bytes(&bytes, as_text);
        Ok(())
    });
}

/// A record that is canonical, and that no engine sealed.
fn forged(case: &Case, mutations: &[Mutation]) -> Option<Record> {
    let record = case.policy.engine.decide(&case.prior, &case.snapshot).seal().ok()?;
    let read = |value: &Value| Record::from_bytes(&canonical_json(value).ok()?).ok();
    let value: Value = serde_json::from_slice(record.bytes()).unwrap();
    read(&mutated(value, mutations, |value| read(value).is_some()))
}

#[test]
fn no_forged_record_makes_replay_panic() {
    holds(96, (case(), vec(mutation(), 1..=6)), |(case, mutations)| {
        if let Some(record) = forged(&case, &mutations) {
            let _ = record.replay(&case.policy.engine, &case.prior, &case.snapshot);
            let _ = (record.decision().to_string(), render::markdown(record.decision()));
        }
        Ok(())
    });
}
