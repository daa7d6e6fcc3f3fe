//! Losing evidence never unlatches an abort.

use std::collections::{BTreeMap, BTreeSet};

use davy::{Asked, Decision, Duration, Engine, Instant, Name, Outcome, Snapshot, Stage, State, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::findings::Strengthening;
use crate::runner::{breaks, holds};
use crate::strategies::{Evidence, Run, Shape, run};
use crate::{Decider, engine};

/// Evidence that a host no longer has.
#[derive(Debug, Clone)]
struct Loss {
    /// Which intervals, windows and probes are still there, bit by bit.
    kept: u16,
    passed: bool,
    later: u64,
    asked: Asked,
    stage: Option<Stage>,
}

fn loss() -> impl Strategy<Value = Loss> {
    let kept = prop_oneof![Just(0), any::<u16>()];
    let asked = select(vec![Asked::Keep, Asked::Promote, Asked::Start]);
    (kept, any::<bool>(), select(vec![0, 30, 3600_u64]), asked, proptest::option::of(Just(Stage::Live)))
        .prop_map(|(kept, passed, later, asked, stage)| Loss { kept, passed, later, asked, stage })
}

impl Loss {
    fn befall(&self, snapshot: &Snapshot) -> Snapshot {
        fn keep<T: Clone>(kept: u16, items: &[T]) -> Vec<T> {
            items
                .iter()
                .enumerate()
                .filter(|(at, _)| kept >> (at % 16) & 1 == 1)
                .map(|(_, item)| item.clone())
                .collect()
        }
        Snapshot {
            now: snapshot.now.plus(Duration::from_secs(self.later)),
            asked: self.asked,
            stage: self.stage.unwrap_or(snapshot.stage),
            intervals: keep(self.kept, &snapshot.intervals),
            slos: keep(self.kept, &snapshot.slos),
            probes: keep(self.kept, &snapshot.probes),
            passed: if self.passed { snapshot.passed.clone() } else { Vec::new() },
            overrides: Vec::new(),
            ..snapshot.clone()
        }
    }
}

/// Runs of any shape; in some of them a person ends the release, and the order is gone at the next look.
fn ending() -> impl Strategy<Value = (Run, bool, Vec<Loss>)> {
    let run = select(Shape::ALL.to_vec()).prop_flat_map(|shape| run(shape, Evidence::Patchy));
    (run, prop::bool::weighted(0.2), vec(loss(), 1..=3))
}

/// All looks of a run, then those with less evidence; calls `look` with each decision.
fn looks_and_losses(
    (run, person, losses): &(Run, bool, Vec<Loss>),
    decide: Decider<'_>,
    mut look: impl FnMut(&Decision) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut looks: Vec<Snapshot> = run.looks.iter().map(|look| run.look_with_closed(look)).collect();
    if *person {
        Strengthening::ForcedAbort.apply(&mut looks[0]);
    }
    let mut last = run.last();
    for loss in losses {
        last = loss.befall(&last);
        looks.push(last.clone());
    }
    let mut state = State::new();
    for snapshot in &looks {
        let (decision, next) = decide(&run.policy.engine, &state, snapshot);
        look(&decision)?;
        state = State::from_json(&next.to_json()).unwrap();
    }
    Ok(())
}

fn an_abort_stays(case: &(Run, bool, Vec<Loss>), decide: Decider<'_>) -> Result<(), TestCaseError> {
    let mut ended = None;
    looks_and_losses(case, decide, |decision| {
        let fails = decision.verdict >= Verdict::Abort;
        prop_assert!(fails || ended.is_none(), "unlatched at {}: ended at {:?}", decision.at, ended);
        ended = ended.or(fails.then_some(decision.at));
        Ok(())
    })
}

#[test]
fn losing_evidence_never_unlatches_an_abort() {
    holds(192, ending(), |case| an_abort_stays(&case, &engine));
}

#[test]
fn an_engine_that_rebuilds_its_state_from_the_intervals_is_caught() {
    let forgetful = |of: &Engine, _: &State, snapshot: &Snapshot| engine(of, &State::new(), snapshot);
    breaks(512, ending(), "unlatched", |case| an_abort_stays(&case, &forgetful));
}

/// Every failure that is latched stands in the decision once, with the instant at which it was first seen.
fn latches_once(case: &(Run, bool, Vec<Loss>), decide: Decider<'_>) -> Result<(), TestCaseError> {
    let mut first: BTreeMap<(&str, Option<Name>), Instant> = BTreeMap::new();
    looks_and_losses(case, decide, |decision| {
        let mut seen = BTreeSet::new();
        for finding in decision.findings.iter().filter(|finding| finding.effective() == Outcome::Fail) {
            let key = (finding.code(), finding.subject.clone());
            prop_assert!(seen.insert(key.clone()), "latched twice: {:?} at {}", key, decision.at);
            let since = finding.latched_at.unwrap_or(decision.at);
            let known = *first.entry(key.clone()).or_insert(since);
            prop_assert_eq!(known, since, "latched anew: {:?} at {}", key, decision.at);
        }
        Ok(())
    })
}

#[test]
fn a_failure_is_latched_once_and_keeps_its_first_instant() {
    holds(192, ending(), |case| latches_once(&case, &engine));
}

#[test]
fn an_engine_that_latches_at_the_newest_look_is_caught() {
    let newest = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (mut decision, state) = engine(of, state, snapshot);
        decision
            .findings
            .iter_mut()
            .for_each(|finding| finding.latched_at = finding.latched_at.and(Some(snapshot.now)));
        (decision, state)
    };
    breaks(512, ending(), "latched anew", |case| latches_once(&case, &newest));
}
