//! Strengthening a finding never weakens the verdict.

use davy::{
    Cohort, Engine, Finding, HoldKind, Outcome, Override, OverrideAction, ProbeVerdict, Running, Scope, Snapshot,
    Stage, Standing, State, Verdict, Verification,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::runner::{breaks, holds};
use crate::strategies::{Case, at, case, name};
use crate::{Decider, engine};

/// The verdict that findings make: the strictest outcome that counts.
fn strictest(findings: &[Finding], stage: Stage) -> Verdict {
    Verdict::of(findings.iter().map(Finding::effective).max().unwrap_or(Outcome::Pass), stage)
}

fn the_strictest_finding_decides(case: &Case, decide: Decider<'_>) -> Result<(), TestCaseError> {
    let (decision, _) = decide(&case.policy.engine, &case.prior, &case.snapshot);
    prop_assert_eq!(decision.verdict, strictest(&decision.findings, decision.stage), "not the strictest");
    Ok(())
}

#[test]
fn the_verdict_is_the_strictest_finding_that_counts() {
    holds(192, case(), |case| the_strictest_finding_decides(&case, &engine));
}

#[test]
fn an_engine_that_lets_most_findings_decide_is_caught() {
    let majority = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (mut decision, state) = engine(of, state, snapshot);
        let passed = decision.findings.iter().filter(|finding| finding.effective() == Outcome::Pass).count();
        if passed * 2 > decision.findings.len() {
            decision.verdict = Verdict::Proceed;
        }
        (decision, state)
    };
    breaks(512, case(), "not the strictest", |case| the_strictest_finding_decides(&case, &majority));
}

/// What makes one finding pass, hold and fail, in this order.
const OUTCOMES: [Outcome; 5] = [
    Outcome::Pass,
    Outcome::Hold(HoldKind::Waiting),
    Outcome::Hold(HoldKind::Blocked),
    Outcome::Hold(HoldKind::Blind),
    Outcome::Fail,
];

/// Strengthens every finding in turn, under every standing.
fn stronger_findings_never_weaken(
    findings: &[Finding],
    stage: Stage,
    combine: impl Fn(&[Finding], Stage) -> Verdict,
) -> Result<(), TestCaseError> {
    let waived = Standing::Waived(name("o1"));
    let counts = [Standing::Counts, Standing::DryRun, Standing::NotAsked, Standing::Tolerated, Standing::Softened];
    let mut findings = findings.to_vec();
    for at in 0..findings.len() {
        let known = findings[at].clone();
        for standing in counts.iter().chain([&waived]) {
            let verdicts = OUTCOMES.map(|outcome| {
                findings[at] = Finding { outcome, standing: standing.clone(), ..known.clone() };
                combine(&findings, stage)
            });
            prop_assert!(verdicts.is_sorted(), "weakened: {:?} as {:?} rises to a fail", verdicts, standing);
        }
        findings[at] = known;
    }
    Ok(())
}

#[test]
fn strengthening_a_finding_never_weakens_the_verdict() {
    holds(96, case(), |case| {
        let decision = engine(&case.policy.engine, &case.prior, &case.snapshot).0;
        stronger_findings_never_weaken(&decision.findings, decision.stage, strictest)
    });
}

#[test]
fn a_verdict_by_the_first_hold_in_the_list_is_caught() {
    // Returns early: a hold is enough to know that the release does not proceed.
    let early = |findings: &[Finding], stage| {
        let first = findings.iter().map(Finding::effective).find(|outcome| matches!(outcome, Outcome::Hold(_)));
        first.map_or_else(|| strictest(findings, stage), |outcome| Verdict::of(outcome, stage))
    };
    breaks(512, case(), "weakened", |case| {
        let decision = engine(&case.policy.engine, &case.prior, &case.snapshot).0;
        let mut findings = decision.findings.clone();
        findings.reverse();
        stronger_findings_never_weaken(&findings, decision.stage, early)
    });
}

/// A change of the snapshot after which one finding is stricter than before, and the others are the same.
#[derive(Debug, Clone)]
pub(super) enum Strengthening {
    ForcedHold,
    ForcedAbort,
    NotPassed(Index),
    AnotherRelease,
    ReachedOnlyNow,
    /// A run that passed did not.
    CanaryProbe(Index, ProbeVerdict),
    /// The trouble does not lie upstream after all.
    BaselineProbe(Index),
}

fn strengthening() -> impl Strategy<Value = Strengthening> {
    let verdict = select(vec![ProbeVerdict::Degraded, ProbeVerdict::Error, ProbeVerdict::Fail]);
    prop_oneof![
        Just(Strengthening::ForcedHold),
        Just(Strengthening::ForcedAbort),
        any::<Index>().prop_map(Strengthening::NotPassed),
        Just(Strengthening::AnotherRelease),
        Just(Strengthening::ReachedOnlyNow),
        (any::<Index>(), verdict).prop_map(|(index, verdict)| Strengthening::CanaryProbe(index, verdict)),
        any::<Index>().prop_map(Strengthening::BaselineProbe),
    ]
}

impl Strengthening {
    pub(super) fn apply(&self, snapshot: &mut Snapshot) {
        let forced = |action, snapshot: &Snapshot| Override {
            id: name("forced"),
            action,
            scope: Scope { service: snapshot.release.service.clone(), environment: None, revision: None },
            by: "ada".parse().unwrap(),
            reason: "because".parse().unwrap(),
            issued_at: snapshot.now,
            expires_at: at(1_000_000),
            verification: Verification::Unverified,
        };
        match self {
            Self::ForcedHold => snapshot.overrides.push(forced(OverrideAction::Hold, snapshot)),
            Self::ForcedAbort => snapshot.overrides.push(forced(OverrideAction::Abort, snapshot)),
            Self::NotPassed(index) => {
                if !snapshot.passed.is_empty() {
                    snapshot.passed.remove(index.index(snapshot.passed.len()));
                }
            }
            Self::AnotherRelease => {
                let (service, revision) = (name("another"), name("r9"));
                let environment = snapshot.release.environment.clone();
                snapshot.running.push(Running { service, environment, revision });
            }
            Self::ReachedOnlyNow => snapshot.since = snapshot.since.max(snapshot.now),
            Self::CanaryProbe(index, verdict) => {
                let passed = |probe: &&mut davy::ProbeResult| {
                    probe.cohort == Cohort::Canary && probe.verdict == ProbeVerdict::Pass
                };
                let mut canary: Vec<_> = snapshot.probes.iter_mut().filter(passed).collect();
                if !canary.is_empty() {
                    let at = index.index(canary.len());
                    canary[at].verdict = *verdict;
                }
            }
            Self::BaselineProbe(index) => {
                let cohort = |probe: &&mut davy::ProbeResult| probe.cohort == Cohort::Baseline;
                let mut baseline: Vec<_> = snapshot.probes.iter_mut().filter(cohort).collect();
                if !baseline.is_empty() {
                    let at = index.index(baseline.len());
                    baseline[at].verdict = ProbeVerdict::Pass;
                }
            }
        }
    }
}

fn worse_snapshots_never_help(
    case: &Case,
    stronger: &[Strengthening],
    decide: Decider<'_>,
) -> Result<(), TestCaseError> {
    let mut worse = case.snapshot.clone();
    stronger.iter().for_each(|strengthening| strengthening.apply(&mut worse));
    let (before, _) = decide(&case.policy.engine, &case.prior, &case.snapshot);
    let (after, _) = decide(&case.policy.engine, &case.prior, &worse);
    prop_assert!(before.verdict <= after.verdict, "weakened from {} to {}", before.verdict, after.verdict);
    Ok(())
}

/// Without waivers: they lower a finding by its code, and a stricter finding may have another code.
fn unwaived() -> impl Strategy<Value = Case> {
    case().prop_map(|mut case| {
        case.snapshot.overrides.retain(|given| !matches!(given.action, OverrideAction::Waive { .. }));
        case
    })
}

#[test]
fn a_snapshot_with_a_stricter_finding_never_weakens_the_verdict() {
    holds(192, (unwaived(), vec(strengthening(), 1..=3)), |(case, stronger)| {
        worse_snapshots_never_help(&case, &stronger, &engine)
    });
}

#[test]
fn an_engine_whose_forced_hold_beats_an_abort_is_caught() {
    let person_wins = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let (mut decision, state) = engine(of, state, snapshot);
        if decision.findings.iter().any(|finding| finding.code() == "override.hold") {
            decision.verdict = Verdict::Hold;
        }
        (decision, state)
    };
    breaks(1024, (unwaived(), vec(strengthening(), 1..=3)), "weakened", |(case, stronger)| {
        worse_snapshots_never_help(&case, &stronger, &person_wins)
    });
}
