//! What must hold for any bytes: one function per fuzz target. Each panics where it does not.

mod calendar;
mod choice;
mod decided;
#[cfg(feature = "plugins")]
mod plugins;
mod probes;
#[cfg(feature = "rules")]
mod rules;
mod watch;

pub use calendar::{calendar, cron, ics, rrule};
pub use probes::{answers, flows, har, recorded, recordings};

use std::collections::BTreeMap;

use davy::testing::{Coverage, PolicyTests};
use davy::{Bundle, Engine, Record, ReplayError, Snapshot, State};

/// Whether the bytes were what the target reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// They were read, and everything that follows from them held.
    Read,
    /// They were refused, with an error that says where and why.
    Refused,
}

/// Separates the files of a bundle; YAML never holds it.
const FILE_SEPARATOR: u8 = 0x1e;

/// The files of a bundle, separated by the byte 0x1e.
///
/// A bundle is read the same every time, and decides in every environment that it names.
pub fn bundle(data: &[u8]) -> Input {
    let files: Vec<(String, &[u8])> = data
        .split(|byte| *byte == FILE_SEPARATOR)
        .enumerate()
        .map(|(number, bytes)| (format!("{number}.yaml"), bytes))
        .collect();
    let read = Bundle::from_files(files.iter().map(|(path, bytes)| (path.as_str(), *bytes)));
    let again = Bundle::from_files(files.iter().rev().map(|(path, bytes)| (path.as_str(), *bytes)));
    let (bundle, again) = match (read, again) {
        (Ok(bundle), Ok(again)) => (bundle, again),
        (Err(error), Err(again)) => {
            assert_eq!(error, again, "the order of files means nothing");
            let broken = |diagnostic: &davy::Diagnostic| diagnostic.severity == davy::Severity::Error;
            assert!(error.diagnostics().iter().any(broken), "an error: {error}");
            error.diagnostics().iter().for_each(|diagnostic| lies_within(diagnostic, &files));
            return Input::Refused;
        }
        (read, again) => panic!("read once {read:?}, then {again:?}"),
    };
    assert_eq!((bundle.digest(), bundle.warnings()), (again.digest(), again.warnings()));
    bundle.warnings().iter().for_each(|warning| lies_within(warning, &files));
    assert_eq!(davy::page(&bundle), davy::page(&again));
    watch::under(&bundle);
    Input::Read
}

/// Positions lead an editor to a place that exists, at most one line behind the end.
fn lies_within(diagnostic: &davy::Diagnostic, files: &[(String, &[u8])]) {
    let position = &diagnostic.position;
    let (_, bytes) = files.iter().find(|(path, _)| **path == *position.file).expect("one of the files");
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 2;
    assert!((1..=lines).contains(&(position.line as usize)) && position.column >= 1, "{diagnostic}");
    assert!(!diagnostic.message.is_empty(), "{diagnostic}");
}

/// A snapshot's JSON.
///
/// What was read is written and read again as the same, and its canonical form is a fixed point.
pub fn snapshot(data: &[u8]) -> Input {
    let snapshot = match Snapshot::from_json(data) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            refused(&error, data);
            return Input::Refused;
        }
    };
    let written = serde_json::to_vec(&snapshot).expect("a snapshot is plain data");
    assert_eq!(Snapshot::from_json(&written).as_ref(), Ok(&snapshot));
    let canonical = davy::canonical_json(&snapshot).expect("all its numbers have a canonical form");
    assert_eq!(Snapshot::from_json(&canonical).as_ref(), Ok(&snapshot));
    let value: serde_json::Value = serde_json::from_slice(&canonical).expect("canonical JSON is JSON");
    assert_eq!(davy::canonical_json(&value).as_ref(), Ok(&canonical));
    for interval in &snapshot.intervals {
        let text = davy::canonical_json(interval).expect("a part of the canonical form");
        assert_eq!(interval.digest(), davy::Digest::of(&text));
    }
    Input::Read
}

/// A state's JSON.
///
/// What was read is written and read again as the same, and every engine decides on it.
pub fn state(data: &[u8]) -> Input {
    // A corpus is tried under every bundle; a fuzzer has many inputs to get through.
    let one = std::slice::from_ref(choice::of(data.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))));
    let engines = if cfg!(fuzzing) { one } else { choice::all() };
    if let Err(error) = State::from_json(data) {
        refused(&error, data);
        return Input::Refused;
    }
    for engine in engines {
        let Ok(state) = choice::state(engine, data) else { return Input::Refused };
        let again = State::from_json(&state.to_json()).expect("what was written is read");
        assert_eq!((&again, again.digest()), (&state, state.digest()));
        assert_eq!(state.next_release().next_release(), state.next_release());
        watch::continues(engine, &state);
    }
    Input::Read
}

/// A record's bytes, or any JSON that is one once it is in canonical form.
///
/// What was read holds the very bytes, shows itself in every form, and is replayed without a panic.
pub fn record(data: &[u8]) -> Input {
    let record = match Record::from_bytes(data) {
        Ok(record) => record,
        // Other texts of the same values, such as `60s` or a key that is null, remain.
        Err(ReplayError::NotCanonical) => match canonical(data).and_then(|bytes| Record::from_bytes(&bytes).ok()) {
            Some(record) => record,
            None => return Input::Refused,
        },
        Err(ReplayError::Unreadable(error)) => {
            refused(&error, data);
            return Input::Refused;
        }
        // Not an integer that JSON keeps.
        Err(ReplayError::Canonical(_)) => return Input::Refused,
        Err(error) => panic!("no reason to refuse a record: {error}"),
    };
    let again = Record::from_bytes(record.bytes()).expect("what was read is read again");
    assert_eq!((&again, again.digest()), (&record, davy::Digest::of(record.bytes())));
    decided::shows(record.decision());
    choice::all().iter().for_each(|engine| watch::replays(engine, &record));
    Input::Read
}

/// A rule in Rego or CEL with facts; see `rules` for what holds.
#[cfg(feature = "rules")]
pub fn rules(data: &[u8]) -> Input {
    if rules::holds(data) { Input::Read } else { Input::Refused }
}

fn canonical(data: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(data).ok()?;
    davy::canonical_json(&value).ok()
}

/// Looks at one release: a bundle's number as one digit, a state's JSON (or nothing, for a new one), and one or more
/// snapshots' JSON, each after an empty line and decided on the state that the one before left.
///
/// See `decided` for what holds each time.
pub fn decide(data: &[u8]) -> Input {
    let Some(Looks { engine, mut state, snapshots }) = looks(data) else { return Input::Refused };
    for snapshot in &snapshots {
        decided::holds(engine, &state, snapshot);
        state = engine.decide(&state, snapshot).state;
    }
    Input::Read
}

/// The state that an input of [`decide`] leaves, as JSON, and the bytes of its last record: seeds for other targets.
pub fn leave(data: &[u8]) -> Option<(String, Vec<u8>)> {
    let Looks { engine, mut state, snapshots } = looks(data)?;
    let mut record = None;
    for snapshot in &snapshots {
        let step = engine.decide(&state, snapshot);
        record = step.seal().ok();
        state = step.state;
    }
    Some((choice::state_json(engine, &state), record?.bytes().to_vec()))
}

struct Looks {
    engine: &'static Engine,
    state: State,
    snapshots: Vec<Snapshot>,
}

/// Longer histories find nothing new, slowly.
const MOST_LOOKS: usize = 8;

fn looks(data: &[u8]) -> Option<Looks> {
    let (number, rest) = data.split_first()?;
    let engine = choice::of(*number);
    let mut parts = std::str::from_utf8(rest).ok()?.split("\n\n").map(str::trim);
    let state = match parts.next()? {
        "" => State::new(),
        json => choice::state(engine, json.as_bytes()).ok()?,
    };
    let snapshots: Option<Vec<Snapshot>> =
        parts.take(MOST_LOOKS).map(|json| Snapshot::from_json(json.as_bytes()).ok()).collect();
    snapshots.filter(|snapshots| !snapshots.is_empty()).map(|snapshots| Looks { engine, state, snapshots })
}

/// An error leads to a place within the input.
fn refused(error: &davy::SnapshotError, data: &[u8]) {
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!((1..=lines).contains(&error.line) && error.column >= 1 && !error.message.is_empty(), "{error:?}");
}

/// A document of policy tests.
///
/// What was read is run, however its snapshots are put together, and written again with what was decided.
pub fn policy_test(data: &[u8]) -> Input {
    let tests = match PolicyTests::from_yaml("t_test.yaml", data) {
        Ok(tests) => tests,
        Err(error) => {
            let files = [("t_test.yaml".to_owned(), data)];
            error.diagnostics().iter().for_each(|diagnostic| lies_within(diagnostic, &files));
            return Input::Refused;
        }
    };
    let mut coverage = Coverage::default();
    let runs = tests.run(choice::of(b'0'), &BTreeMap::new(), &mut coverage);
    let decided: Vec<_> = runs.iter().flat_map(|run| &run.looks).map(|look| &look.decision).collect();
    assert!(decided.iter().all(|decision| !decision.findings.is_empty()), "a decision has findings");
    for mismatch in runs.iter().flat_map(|run| &run.looks).flat_map(|look| &look.mismatches) {
        assert!(!mismatch.to_string().is_empty());
    }
    let text = std::str::from_utf8(data).expect("what was read is UTF-8");
    // What is written is read again by whoever runs it.
    if let Ok(updated) = tests.updated(text, &runs) {
        let _ = PolicyTests::from_yaml("t_test.yaml", updated.as_bytes());
    }
    Input::Read
}

/// Bytes of a plugin, in three ways; see `plugins` for what holds.
#[cfg(feature = "plugins")]
pub fn plugin_component(data: &[u8]) -> Input {
    if plugins::component(data) { Input::Read } else { Input::Refused }
}

/// What a plugin says of itself.
#[cfg(feature = "plugins")]
pub fn plugin_description(data: &[u8]) -> Input {
    if plugins::description(data) { Input::Read } else { Input::Refused }
}

/// A schema of parameters, and parameters.
#[cfg(feature = "plugins")]
pub fn plugin_schema(data: &[u8]) -> Input {
    if plugins::schema(data) { Input::Read } else { Input::Refused }
}
