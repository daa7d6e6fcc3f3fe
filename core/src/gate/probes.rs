//! Synthetic flows: fresh, passing, and told apart from trouble upstream of both cohorts.

use std::cmp::Reverse;

use super::Look;
use crate::Count;
use crate::decision::{Amount, Cause, Finding, FlipBound, FlipOf, HoldKind, NoFlip, Outside};
use crate::document::{Degraded, ProbeRequirement};
use crate::snapshot::{Cohort, ProbeResult, ProbeVerdict};

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    for requirement in &look.policy.probes {
        let finding = judge_flow(look, requirement);
        let finding = finding.about(&requirement.flow.value).from(&requirement.position);
        findings.push(finding.outside(Outside::SingleRuns));
    }
}

fn judge_flow(look: Look<'_>, requirement: &ProbeRequirement) -> Finding {
    let canary = newest_first(look, requirement, Cohort::Canary);
    let within = requirement.within();
    let fresh = |result: &&ProbeResult| look.snapshot.now.since(result.at) <= within;
    let Some(newest) = canary.first().filter(|result| fresh(result)) else {
        let latest = canary.first().map(|result| result.at);
        return Finding::hold(HoldKind::Blind, Cause::ProbesStale { latest, within }).no_flip(NoFlip::NoValue);
    };
    let at = newest.at;
    match newest.verdict {
        ProbeVerdict::Pass => Finding::pass(Cause::ProbesPassed { at }),
        ProbeVerdict::Degraded => match requirement.degraded() {
            Degraded::Pass => Finding::pass(Cause::ProbesDegraded { at }),
            Degraded::Hold => Finding::hold(HoldKind::Waiting, Cause::ProbesDegraded { at }),
        },
        ProbeVerdict::Skipped | ProbeVerdict::Error => Finding::hold(HoldKind::Blind, Cause::ProbesNotRun { at }),
        ProbeVerdict::Fail => failed(look, requirement, &canary),
    }
}

fn failed(look: Look<'_>, requirement: &ProbeRequirement, canary: &[&ProbeResult]) -> Finding {
    let at = canary.first().map_or(look.snapshot.now, |result| result.at);
    let within = requirement.within();
    // The newest decisive run of the baseline: its prober failing says nothing about upstream.
    let baseline = newest_first(look, requirement, Cohort::Baseline);
    let decisive = |result: &&&ProbeResult| !matches!(result.verdict, ProbeVerdict::Error | ProbeVerdict::Skipped);
    let upstream = baseline
        .iter()
        .find(decisive)
        .is_some_and(|result| result.verdict == ProbeVerdict::Fail && look.snapshot.now.since(result.at) <= within);
    if upstream {
        return Finding::hold(HoldKind::Blocked, Cause::ProbesUpstream { at });
    }
    let in_a_row = canary.iter().filter(decisive).take_while(|result| result.verdict == ProbeVerdict::Fail).count();
    let failures = u32::try_from(in_a_row).map_or(Count::MAX, Count::from);
    let patience = requirement.patience();
    let finding = if failures >= patience {
        Finding::fail(Cause::ProbesFailed { at, failures })
    } else {
        Finding::hold(HoldKind::Waiting, Cause::ProbesFailing { at, failures, patience })
    };
    finding.flips(FlipOf::Failures, FlipBound::AtMost, Amount::Count(Count::ZERO), Amount::Count(failures))
}

/// Runs of this attempt, newest first; of several at one instant the worst counts.
fn newest_first<'a>(look: Look<'a>, requirement: &ProbeRequirement, cohort: Cohort) -> Vec<&'a ProbeResult> {
    let snapshot = look.snapshot;
    let mut results: Vec<&ProbeResult> = snapshot
        .probes
        .iter()
        .filter(|result| result.flow == requirement.flow.value && result.cohort == cohort)
        .filter(|result| snapshot.release.started_at <= result.at && result.at <= snapshot.now)
        .collect();
    results.sort_by_key(|result| Reverse((result.at, result.verdict)));
    results.dedup_by_key(|result| result.at);
    results
}
