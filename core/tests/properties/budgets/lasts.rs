//! What lasts when windows are lost: failures and freezes.

use davy::{Asked, Decision, Engine, SloWindow, Snapshot, Stage, State};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::events::{MINUTES, Traffic, instant, traffic, windows};
use super::{asked, codes, ends, engine, snapshot};
use crate::runner::{breaks, holds};
use crate::{Decider, engine as davys};

/// A look, and then the same evidence again and again, with less and less of it.
#[derive(Debug, Clone)]
struct Losing {
    traffic: Traffic,
    minute: usize,
    first: Asked,
    later: Vec<(u16, Asked, bool, bool)>,
}

fn losing() -> impl Strategy<Value = Losing> {
    let later = vec((any::<u16>(), asked(), any::<bool>(), any::<bool>()), 1..=4);
    (traffic(40), any::<Index>(), asked(), later).prop_map(|(traffic, minute, first, later)| {
        let minute = MINUTES / 2 + minute.index(MINUTES / 2);
        Losing { traffic, minute, first, later }
    })
}

fn nothing_is_undone(losing: &Losing, decide: Decider<'_>) -> Result<(), TestCaseError> {
    let engine = engine("", "");
    let all = windows(&losing.traffic, losing.minute);
    let now = instant(losing.minute);
    let (mut before, mut state) =
        decide(&engine, &State::new(), &snapshot(now, Stage::Canary, losing.first, all.clone()));
    for (kept, asked, live, next_release) in &losing.later {
        let kept = |number: usize| kept >> (number % 16) & 1 == 1;
        let windows: Vec<SloWindow> =
            all.iter().enumerate().filter(|(number, _)| kept(*number)).map(|(_, window)| window.clone()).collect();
        let stage = if *live { Stage::Live } else { Stage::Canary };
        let mut seen = snapshot(now, stage, *asked, windows);
        seen.release.attempt = before.release.attempt;
        if *next_release {
            seen.release.attempt = before.release.attempt.saturating_add(1);
            state = state.next_release();
        }
        let (decision, next) = decide(&engine, &state, &seen);
        let same_release = decision.release == before.release;
        prop_assert!(!same_release || !ends(&before) || ends(&decision), "unlatched: {}\n{}", before, decision);
        let frozen = |decision: &Decision| codes(decision).contains("budget.frozen");
        prop_assert!(!frozen(&before) || frozen(&decision), "unfrozen: {}\n{}", before, decision);
        (before, state) = (decision, State::from_json(&next.to_json()).unwrap());
    }
    Ok(())
}

#[test]
fn losing_windows_never_unlatches_a_failure_and_never_ends_a_freeze() {
    holds(256, losing(), |losing| nothing_is_undone(&losing, &davys));
}

#[test]
fn an_engine_without_memory_of_failures_is_caught() {
    let forgetful = |of: &Engine, state: &State, snapshot: &Snapshot| davys(of, &state.next_release(), snapshot);
    breaks(512, losing(), "unlatched", |losing| nothing_is_undone(&losing, &forgetful));
}

#[test]
fn an_engine_that_freezes_by_the_present_look_alone_is_caught() {
    let forgetful = |of: &Engine, _: &State, snapshot: &Snapshot| davys(of, &State::new(), snapshot);
    let attempts = losing().prop_map(|mut losing| {
        losing.later.iter_mut().for_each(|(_, _, _, next_release)| *next_release = true);
        losing
    });
    breaks(512, attempts, "unfrozen", |losing| nothing_is_undone(&losing, &forgetful));
}

// Across looks, more bad events may help.

/// Looks at a canary and then at the live release.
fn promoted(engine: &Engine, before: &Traffic, after: &Traffic, minute: usize) -> Decision {
    let look = |state: &State, traffic: &Traffic, stage| {
        let step_snapshot = snapshot(instant(minute), stage, Asked::Keep, windows(traffic, minute));
        davys(engine, state, &step_snapshot)
    };
    let (_, state) = look(&State::new(), before, Stage::Canary);
    look(&state, after, Stage::Live).0
}

#[test]
fn what_burned_before_the_live_stage_excuses_it() {
    // A documented surprise: a canary that was worse makes a burn of the live release somebody else's fault.
    let engine = engine("", "");
    breaks(512, (traffic(40), traffic(40), any::<Index>()), "excused", |(canary, live, minute)| {
        let minute = MINUTES / 2 + minute.index(MINUTES / 2);
        let calm = canary.map(|cohorts| cohorts.map(|(_, total)| (0, total)));
        let (better, worse) = (promoted(&engine, &calm, &live, minute), promoted(&engine, &canary, &live, minute));
        prop_assert!(!ends(&better) || ends(&worse), "excused: from {}\nto {}", better, worse);
        Ok(())
    });
}
