//! What holds for every decision.

use davy::{
    Decision, Engine, Interval, Outcome, Override, OverrideAction, Record, Snapshot, State, Step, Verdict,
    Verification, render,
};
use serde_json::Value;

/// Decides and checks everything that needs no second opinion.
pub(crate) fn holds(engine: &Engine, state: &State, snapshot: &Snapshot) {
    let step = engine.decide(state, snapshot);
    let again = engine.decide(state, snapshot);
    assert_eq!((&again.decision, &again.state), (&step.decision, &step.state), "deciding twice");
    shows(&step.decision);
    adds_up(&step.decision, snapshot);
    obeys(&step.decision, snapshot);
    is_not_loosened(engine, state, snapshot, &step.decision);
    ignores_order(engine, state, snapshot, &step);
    keeps_state(&step.state);
    seals(engine, state, snapshot, &step);
    stays_failed(engine, snapshot, &step);
    folds_once(engine, snapshot, &step);
    folds_in_parts(engine, snapshot);
}

/// A decision is JSON that reads as the same decision, and every renderer has words for it.
pub(crate) fn shows(decision: &Decision) {
    let json = serde_json::to_vec(decision).expect("a decision is plain data");
    let read: Decision = serde_json::from_slice(&json).expect("what was written is read");
    assert_eq!(&read, decision);
    let coloured = render::text_with(decision, render::Colour::Always);
    for page in [decision.to_string(), render::markdown(decision), coloured] {
        assert!(page.contains(decision.release.service.as_str()), "{page}");
    }
}

/// The strictest finding that counts is the verdict, and is among its reasons.
fn adds_up(decision: &Decision, snapshot: &Snapshot) {
    let strictest = decision.findings.iter().map(davy::Finding::effective).max().unwrap_or(Outcome::Pass);
    assert_eq!(decision.verdict, Verdict::of(strictest, snapshot.stage));
    assert_eq!(decision.hold.is_some(), decision.verdict == Verdict::Hold);
    assert!(decision.verdict == Verdict::Proceed || decision.reasons().next().is_some());
    assert!(decision.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.effective())));
    if let Some(hold) = decision.hold {
        assert_eq!(Outcome::Hold(hold.kind), strictest);
        assert!(hold.until.is_none_or(|until| until > snapshot.now), "a hold that has ended: {hold:?}");
    }
}

/// What a person forces happens, verified or not.
fn obeys(decision: &Decision, snapshot: &Snapshot) {
    let in_force = |given: &&Override| given.is_in_force(snapshot.now) && given.scope.covers(&snapshot.release);
    for given in snapshot.overrides.iter().filter(in_force) {
        match given.action {
            OverrideAction::Abort => assert!(has_failed(decision), "{given:?}"),
            OverrideAction::Hold => assert_ne!(decision.verdict, Verdict::Proceed, "{given:?}"),
            OverrideAction::Waive { .. } => {}
        }
    }
}

/// What is not verified can only tighten.
fn is_not_loosened(engine: &Engine, state: &State, snapshot: &Snapshot, decision: &Decision) {
    let verified = |given: &&Override| given.verification == Verification::Verified;
    let overrides = snapshot.overrides.iter().filter(verified).cloned().collect();
    let without = engine.decide(state, &Snapshot { overrides, ..snapshot.clone() }).decision;
    assert!(decision.verdict >= without.verdict, "{decision}\nwithout what is not verified\n{without}");
}

fn has_failed(decision: &Decision) -> bool {
    matches!(decision.verdict, Verdict::Abort | Verdict::Rollback)
}

/// The order of a snapshot's lists means nothing.
fn ignores_order(engine: &Engine, state: &State, snapshot: &Snapshot, step: &Step<'_>) {
    let mut turned = snapshot.clone();
    turned.intervals.reverse();
    turned.probes.reverse();
    turned.running.reverse();
    turned.passed.reverse();
    turned.overrides.reverse();
    let other = engine.decide(state, &turned);
    assert_eq!((&other.decision, &other.state), (&step.decision, &step.state), "lists turned around");
    assert_eq!(other.seal(), step.seal(), "lists turned around");
}

/// The state that is left is JSON that reads as the same state.
fn keeps_state(state: &State) {
    let read = State::from_json(&state.to_json()).expect("what was written is read");
    assert_eq!((&read, read.digest()), (state, state.digest()));
}

/// A record replays, from its bytes too. Only a state from elsewhere can keep one from being made.
fn seals(engine: &Engine, state: &State, snapshot: &Snapshot, step: &Step<'_>) {
    let record = match step.seal() {
        Ok(record) => record,
        Err(error) => {
            assert_ne!(state, &State::new(), "{error}");
            return;
        }
    };
    assert_eq!(record.replay(engine, state, snapshot), Ok(()));
    let read = Record::from_bytes(record.bytes()).expect("what was sealed is read");
    assert_eq!(read, record);
    assert_eq!(read.decision(), &step.decision);
    assert_eq!(read.replay(engine, state, snapshot), Ok(()), "read from its bytes");
}

/// A failure stays when the evidence for it is lost.
fn stays_failed(engine: &Engine, snapshot: &Snapshot, step: &Step<'_>) {
    if !has_failed(&step.decision) || !belongs(engine, snapshot, step) {
        return;
    }
    let lost = Snapshot { intervals: Vec::new(), probes: Vec::new(), overrides: Vec::new(), ..snapshot.clone() };
    let later = engine.decide(&step.state, &lost).decision;
    assert!(has_failed(&later), "{later}\nafter\n{}", step.decision);
}

/// Whether the state that is left is that of the snapshot's release under this policy.
fn belongs(engine: &Engine, snapshot: &Snapshot, step: &Step<'_>) -> bool {
    let known = |code| step.decision.findings.iter().all(|finding| finding.code() != code);
    let state: Value = serde_json::from_slice(&step.state.to_json()).expect("a state is JSON");
    let release = serde_json::to_value(&snapshot.release).expect("a release is plain data");
    let owner = &state["service"]["service"];
    known("release.unknown-environment")
        && (owner.is_null() || *owner == release["service"])
        && state["release"]["release"] == release
        && state["release"]["policy"] == engine.digest().to_string()
}

/// Intervals that come again change nothing.
fn folds_once(engine: &Engine, snapshot: &Snapshot, step: &Step<'_>) {
    if belongs(engine, snapshot, step) {
        let again = engine.decide(&step.state, snapshot).state;
        assert_eq!(folded(&again), folded(&step.state), "folded again");
    }
}

/// Intervals split over two calls, at a slot boundary and in time order, fold to the same.
fn folds_in_parts(engine: &Engine, snapshot: &Snapshot) {
    let mut starts: Vec<davy::Instant> = snapshot.intervals.iter().map(Interval::start).collect();
    starts.sort();
    let Some(middle) = starts.get(starts.len() / 2) else { return };
    let part = |wanted: &dyn Fn(&&Interval) -> bool| Snapshot {
        intervals: snapshot.intervals.iter().filter(wanted).cloned().collect(),
        ..snapshot.clone()
    };
    let fresh = State::new();
    let whole = engine.decide(&fresh, snapshot).state;
    let first = engine.decide(&fresh, &part(&|interval| interval.start() < *middle)).state;
    let second = engine.decide(&first, &part(&|interval| interval.start() >= *middle)).state;
    assert_eq!(folded(&second), folded(&whole), "split at {middle}");
}

fn folded(state: &State) -> Value {
    let state: Value = serde_json::from_slice(&state.to_json()).expect("a state is JSON");
    state["release"]["folded"].clone()
}
