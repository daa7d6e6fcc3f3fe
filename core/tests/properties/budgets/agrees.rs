//! The gates decide as a model does that counts every event.

use davy::{Asked, Decision, Engine, Part, Seen, SloWindow, Snapshot, Stage, State};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::events::{MINUTES, Traffic, instant, traffic, window, windows};
use super::model::Model;
use super::{NO_GUARDS, asked, codes, engine, snapshot};
use crate::runner::{breaks, holds};
use crate::{Decider, engine as davys};

/// One release, looked at again and again.
#[derive(Debug, Clone)]
struct Watched {
    traffic: Traffic,
    /// Minutes in time order, and what is asked.
    looks: Vec<(usize, Asked)>,
    /// The look with which the live stage begins.
    live_from: usize,
}

fn watched() -> impl Strategy<Value = Watched> {
    (traffic(40), vec((any::<Index>(), asked()), 1..=6), any::<Index>(), any::<bool>()).prop_map(
        |(traffic, looks, live, goes_live)| {
            // Most of them close together: what lasts is what is interesting.
            let mut looks: Vec<(usize, Asked)> =
                looks.into_iter().map(|(minute, asked)| (MINUTES / 2 + minute.index(MINUTES / 2), asked)).collect();
            looks.sort_by_key(|(minute, _)| *minute);
            let live_from = if goes_live { live.index(looks.len()) } else { looks.len() };
            Watched { traffic, looks, live_from }
        },
    )
}

/// What a host hands in.
type Host<'h> = &'h dyn Fn(&Traffic, usize) -> Vec<SloWindow>;

fn agrees(host: Host<'_>, decide: Decider<'_>) -> impl Fn(Watched) -> Result<(), TestCaseError> {
    let engine = engine("", NO_GUARDS);
    move |watched| {
        let (mut model, mut state) = (Model::default(), State::new());
        for (number, (minute, asked)) in watched.looks.iter().enumerate() {
            let stage = if number < watched.live_from { Stage::Canary } else { Stage::Live };
            let seen = snapshot(instant(*minute), stage, *asked, host(&watched.traffic, *minute));
            let (decision, next) = decide(&engine, &state, &seen);
            let found = (decision.verdict, codes(&decision));
            let expected = model.look(&watched.traffic, *minute, stage, *asked);
            prop_assert_eq!(found, expected, "disagree at {} in {} asked to {}", minute, stage, asked);
            state = State::from_json(&next.to_json()).unwrap();
        }
        Ok(())
    }
}

#[test]
fn the_gates_decide_as_counting_every_event_does() {
    holds(384, watched(), agrees(&windows, &davys));
}

#[test]
fn every_code_of_the_gates_is_reached() {
    let reached = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let noting = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (decision, state) = davys(of, state, snapshot);
        reached.borrow_mut().extend(codes(&decision));
        (decision, state)
    };
    holds(384, watched(), agrees(&windows, &noting));
    let all: Vec<&str> = reached.take().into_iter().collect();
    let unknown = ["budget.exempt", "budget.unknown", "burn.unknown"];
    let of_gates = |code: &&&str| code.starts_with("burn.") || code.starts_with("budget.");
    let mut expected: Vec<&str> = davy::Cause::CODES.iter().filter(of_gates).copied().collect();
    expected.retain(|code| !unknown.contains(code));
    expected.sort_unstable();
    assert_eq!(all, expected);
}

fn disagrees(host: Host<'_>, decide: Decider<'_>) {
    breaks(1024, watched(), "disagree", agrees(host, decide));
}

#[test]
fn a_host_that_counts_a_minute_too_many_is_caught() {
    let minute_more = |traffic: &Traffic, minute: usize| {
        let longer = |window: &SloWindow| {
            let length = window.length().millis() as usize / 60_000;
            let longer = self::window(traffic, window.cohort, length + 1, minute);
            SloWindow { from: window.from, ..longer }
        };
        windows(traffic, minute).iter().map(longer).collect()
    };
    disagrees(&minute_more, &davys);
}

#[test]
fn a_host_that_takes_the_canary_for_the_whole_is_caught() {
    let canary_alone = |traffic: &Traffic, minute: usize| {
        let canary = traffic.map(|[canary, _]| [canary, (0, 0)]);
        windows(&canary, minute)
    };
    disagrees(&canary_alone, &davys);
}

#[test]
fn an_engine_that_takes_no_traffic_for_no_errors_is_caught() {
    let optimistic = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        for window in snapshot.slos.iter_mut().filter(|window| window.total == Seen::Amount(0.0)) {
            window.total = Seen::Amount(1.0);
        }
        davys(of, state, &snapshot)
    };
    disagrees(&windows, &optimistic);
}

#[test]
fn an_engine_that_blames_the_canary_without_a_look_at_the_baseline_is_caught() {
    let hasty = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        for window in snapshot.slos.iter_mut().filter(|window| window.cohort == Some(davy::Cohort::Baseline)) {
            (window.part, window.total) = (Part::Bad(Seen::Amount(0.0)), Seen::Amount(1.0));
        }
        davys(of, state, &snapshot)
    };
    disagrees(&windows, &hasty);
}

/// An engine whose state loses something from look to look.
fn forgets(change: fn(&mut Value)) -> impl Fn(&Engine, &State, &Snapshot) -> (Decision, State) {
    move |of, state, snapshot| {
        let (decision, next) = davys(of, state, snapshot);
        let mut json: Value = serde_json::from_slice(&next.to_json()).unwrap();
        change(&mut json);
        (decision, State::from_json(json.to_string().as_bytes()).unwrap())
    }
}

#[test]
fn an_engine_that_forgets_a_freeze_is_caught() {
    let forgetful = forgets(|state| drop(state["service"].as_object_mut().unwrap().remove("frozen")));
    disagrees(&windows, &forgetful);
}

#[test]
fn an_engine_that_forgets_what_burned_before_is_caught() {
    let forgetful = forgets(|state| state["release"]["course"]["uneasy"] = Value::Array(Vec::new()));
    disagrees(&windows, &forgetful);
}

#[test]
fn an_engine_that_remembers_every_burn_for_ever_is_caught() {
    // What was not calm once never counts again.
    let resentful = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (decision, next) = davys(of, state, snapshot);
        let before: Value = serde_json::from_slice(&state.to_json()).unwrap();
        let mut after: Value = serde_json::from_slice(&next.to_json()).unwrap();
        if let (Some(old), Some(new)) = (
            before.pointer("/release/course/uneasy").and_then(Value::as_array),
            after.pointer_mut("/release/course/uneasy").and_then(Value::as_array_mut),
        ) {
            new.extend(old.iter().cloned());
        }
        (decision, State::from_json(after.to_string().as_bytes()).unwrap())
    };
    disagrees(&windows, &resentful);
}
