//! From evidence to findings: what aborts, what waits, and what the noise leaves of it.

use super::super::Look;
use super::second::{Key as Says, Keys};
use super::{Evidence, gathering};
use crate::decision::{Assumption, Cause, Finding, HoldKind, Key, Method as Named, NoFlip, NoiseSeen, Standing};
use crate::document::Points;
use crate::policy::{EvidencePlan, HealthPlan};
use crate::snapshot::Asked;
use crate::stats::{Level, Method};
use crate::{Count, Name};

/// What the evidence says of the whole release, and its score.
pub(crate) fn judge(look: Look<'_>, health: &HealthPlan, plan: &EvidencePlan, findings: &mut Vec<Finding>) -> Points {
    let known = look.folded.evidence.as_ref().and_then(|evidence| Some((evidence, evidence.kept.keys.as_deref()?)));
    let Some((evidence, keys)) = known else { return Points::FULL };
    if let Some(fixed) = &plan.fixed {
        return super::super::fixed::judge(look, health, fixed, evidence, findings);
    }
    let level = Level::of_attempt(plan.false_aborts, look.snapshot.release.attempt);
    let e = evidence.both.e();
    let meter = level.meter(e);
    let score = points(meter);
    // Both keys abort, so what the noise takes away is no reason to look there first.
    let harmful = suspect(keys, health, |says| says.first.min(says.left.e));
    let (reached, needed) = (libm::log10(e), libm::log10(level.evidence()));
    let assumption = assumption(evidence, keys);
    let standing = if plan.beside { Standing::DryRun } else { Standing::Counts };
    let own = |finding: Finding| {
        let finding = finding.from(&health.position).declared(assumption).no_flip(NoFlip::NotOneNumber);
        Finding { standing: standing.clone(), ..finding }
    };
    findings.push(own(if level.is_reached(e) {
        Finding::fail(Cause::HealthHarm { suspect: harmful.cloned(), reached, needed })
    } else if meter >= plan.advance_below.as_fraction() {
        let cause = Cause::HealthSuspicion { suspect: harmful.cloned(), reached, needed, score };
        Finding::hold(HoldKind::Waiting, cause).retry_after(health.grid.every())
    } else {
        Finding::pass(Cause::HealthNoHarm { reached, needed, score })
    }));
    let first = libm::log10(evidence.first.e());
    let second = libm::log10(evidence.second).max(LEAST);
    if usize::try_from(evidence.alone).unwrap_or(usize::MAX) > plan.recent && !level.is_reached(e) {
        let intervals = Count::from(evidence.alone);
        let suspect = suspect(keys, health, |says| says.first).cloned();
        let cause = Cause::HealthWithinNoise { suspect, intervals, first, second, needed };
        findings.push(own(Finding::hold(HoldKind::Waiting, cause).retry_after(health.grid.every())));
    }
    judge_replicas(evidence, &own, findings);
    if let Some((metric, seen)) = noise(look, evidence, keys, health, plan) {
        findings.push(own(Finding::pass(Cause::HealthNoise { metric, seen: Box::new(seen), first, second, needed })));
    }
    score
}

/// As a power of ten: no evidence at all is written as this.
const LEAST: f64 = -301.0;

/// Replicas of the baseline that are left out, or should be looked at.
fn judge_replicas(evidence: &Evidence, own: &impl Fn(Finding) -> Finding, findings: &mut Vec<Finding>) {
    let left_out = evidence.replicas.sick();
    if !left_out.is_empty() {
        findings.push(own(Finding::pass(Cause::HealthReplicasLeftOut { replicas: left_out })));
    }
    let suspected = evidence.kept.explained.as_ref().map(|explained| explained.suspected.clone()).unwrap_or_default();
    if !suspected.is_empty() {
        findings.push(own(Finding::hold(HoldKind::Blind, Cause::HealthSickReplicas { replicas: suspected })));
    }
}

/// The metric that says most, for people to look at first.
fn suspect<'a>(keys: &Keys, health: &'a HealthPlan, of: fn(&Says) -> f64) -> Option<&'a Name> {
    let says = |index| keys.of(index).as_ref().map_or(1.0, of);
    gathering(health)
        .map(|(index, metric)| (says(index) * f64::from(metric.importance), &metric.name))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// The noise of the test that says most.
fn noise(
    look: Look<'_>,
    evidence: &Evidence,
    keys: &Keys,
    health: &HealthPlan,
    plan: &EvidencePlan,
) -> Option<(Name, NoiseSeen)> {
    let level = Level::of_attempt(plan.false_aborts, look.snapshot.release.attempt);
    let (most, estimate) = keys.most.as_ref().map(|most| (most, &most.estimate))?;
    let metric = health.metrics.get(most.metric)?;
    let test = evidence.tests(most.metric, metric).nth(most.test)?;
    let ranked = look.snapshot.noise_history.as_ref().and_then(|history| history.threshold(level)).is_some();
    let strictness = evidence.strictness(health, plan).filter(|_| !ranked);
    let outage = test.outage.is_some() && !ranked;
    let method = match estimate.method {
        _ if ranked => Named::Ranked,
        Method::Replicas => Named::Replicas,
        Method::FewReplicas => Named::FewReplicas,
        Method::History => Named::History,
        Method::Declared => Named::Declared,
    };
    let finite = |number: f64| Some(number).filter(|number| number.is_finite());
    // What an outage says lacks nothing but evidence, unless the first key has enough by what came before.
    let rests_on_first = outage && (!level.is_reached(evidence.first.e()) || level.is_reached(evidence.second));
    let seen = NoiseSeen {
        method,
        blocks: if rests_on_first || evidence.first.e() < evidence.second { Key::First } else { Key::Second },
        replicas: u32::try_from(estimate.replicas).map_or(Count::MAX, Count::from),
        canary_replicas: finite(1.0 / estimate.concentration),
        dispersion: finite(estimate.spread / estimate.spread_by_chance),
        deviation: libm::sqrt(estimate.noise.max(0.0)),
        correlation: estimate.correlation,
        freedom: estimate.freedom,
        counted: estimate.counted,
        outage,
        strictness,
        detectable: estimate.least_detectable(level.evidence() * strictness.unwrap_or(1.0)),
        needs_replicas: estimate.needs_replicas(),
        excess: finite(estimate.observed / estimate.expected - 1.0),
        placebo: test.noise.worst().and_then(finite),
        young: evidence.replicas.young,
        seen: evidence.replicas.seen,
    };
    Some((metric.name.clone(), seen))
}

/// The weakest assumption under which an abort is seldom false.
fn assumption(evidence: &Evidence, keys: &Keys) -> Assumption {
    if keys.most.is_none() || keys.is_assumed || evidence.by_outage {
        Assumption::IndependentRequests
    } else {
        Assumption::IndependentRequestsOrReplicas
    }
}

/// What the evidence says of one metric being good enough.
pub(crate) fn judge_metric(look: Look<'_>, health: &HealthPlan, plan: &EvidencePlan, index: usize) -> Option<Finding> {
    let (evidence, metric) = (look.folded.evidence.as_ref()?, health.metrics.get(index)?);
    let level = Level::of_attempt(plan.false_aborts, look.snapshot.release.attempt);
    let key = evidence.kept.keys.as_ref()?.of(index)?;
    let e = key.first.min(key.left.e);
    let has_crossed = evidence.exact(health).any(|(other, test, _)| other.name == metric.name && test.has_crossed());
    let score = if has_crossed { Points::new(0) } else { points(level.meter(e)) };
    let needed = libm::log10(plan.proof.evidence());
    let shown = libm::log10(evidence.shown(index).map(super::Shown::e).min_by(f64::total_cmp)?);
    let ratio = evidence.kept.explained.as_ref()?.ratio(index);
    let finding = if !evidence.is_proved(plan, index) {
        Finding::hold(HoldKind::Waiting, Cause::HealthNotProved { shown, needed, score, ratio })
    } else if evidence.shown(index).any(super::Shown::is_reversed) {
        let intervals = u32::try_from(plan.recent).map_or(Count::MAX, Count::from);
        Finding::hold(HoldKind::Waiting, Cause::HealthReversed { intervals, score, ratio })
    } else {
        Finding::pass(Cause::HealthProved { shown, needed, score, ratio })
    };
    let finding = finding.declared(Assumption::IndependentRequests).no_flip(NoFlip::NotOneNumber);
    Some(finding.retry_after(health.grid.every()))
}

/// Whether what is asked waits for a proof, a score, or for neither.
pub(crate) fn is_needed(asked: Asked, cause: &Cause) -> bool {
    match cause {
        Cause::HealthNotProved { .. } | Cause::HealthReversed { .. } => asked == Asked::Promote,
        _ => true,
    }
}

/// 100 points without evidence of harm, 0 where it aborts: the part of the way, in logarithms, that is left.
fn points(meter: f64) -> Points {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let left = ((1.0 - meter.clamp(0.0, 1.0)) * 100.0).round() as u8;
    Points::new(left)
}
