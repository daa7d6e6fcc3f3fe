//! Health: whether the release's metrics are within their limits.

mod evidence;
mod fixed;
mod flip;
mod fold;
mod kayenta;
mod plugin;
mod reading;
mod slots;
mod tally;

pub(crate) use evidence::proved_at;
pub(crate) use fold::{Folded, Irregular};
pub(crate) use reading::{Judged, Nothing, shift_in_buckets, shift_within_buckets};
pub(crate) use tally::Mark;

use std::ops::Range;

use super::Look;
use crate::Count;
use crate::decision::{Cause, Finding, Guarantee, HoldKind, NoFlip, Outcome, Outside, Standing};
use crate::document::{NoData, OnInconclusive, Points};
use crate::policy::{EvidencePlan, HealthPlan, MetricPlan, Rule};
use crate::snapshot::{Asked, Missing, Stage};
use flip::flip;
use reading::{Place, bound};
use tally::{Ended, Phase, Tally};

/// One finding per metric, and the health score.
pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) -> Option<Points> {
    let plan = look.policy.health.as_ref()?;
    look.folded.newest()?;
    let stopped = look.folded.argo_stopped(plan);
    let mut spans = Vec::with_capacity(plan.metrics.len());
    for (index, (metric, tally)) in plan.metrics.iter().zip(&look.folded.tallies).enumerate() {
        let from = findings.len();
        match (plan.evidence.as_ref().filter(|_| metric.rule == Rule::Evidence), metric.rule) {
            (Some(of), _) => judge_evidence(look, plan, of, index, findings),
            (None, Rule::Kayenta(_)) => {
                kayenta::judge_metric(look, index).into_iter().for_each(|finding| add(findings, metric, finding));
            }
            (None, _) => add(findings, metric, judge_metric(plan, metric, tally, stopped)),
        }
        if let Some(nothing) = missing_beside(tally) {
            add(findings, metric, nothing_finding(metric, nothing).retry_after(plan.grid.every()));
        }
        plugin::judge(look, plan, metric, findings);
        let unproved = |of| look.folded.evidence.as_ref().is_some_and(|evidence| !evidence.is_proved(of, index));
        let undecided = is_undecided(metric, tally)
            || metric.rule == Rule::Evidence && plan.evidence.as_ref().is_some_and(unproved);
        if undecided && is_past_horizon(look, plan) {
            let cause = Cause::HealthHorizon { horizon: plan.horizon };
            let finding = match plan.on_inconclusive {
                OnInconclusive::Fail => Finding::fail(cause),
                OnInconclusive::Hold => Finding::hold(HoldKind::Blocked, cause),
                OnInconclusive::Promote => {
                    // Never as if it were proved: the finding goes on saying that it is not.
                    let unproved = |finding: &&mut Finding| matches!(finding.cause, Cause::HealthNotProved { .. });
                    for finding in findings.iter_mut().skip(from).filter(unproved) {
                        finding.outcome = Outcome::Pass;
                    }
                    Finding::pass(cause)
                }
            };
            add(findings, metric, finding);
        }
        if look.policy.leaves_out(metric, look.snapshot.stage) {
            for finding in findings.iter_mut().skip(from) {
                finding.standing = Standing::NotAsked;
            }
        }
        spans.push(from..findings.len());
    }
    let of_evidence = plan.evidence.as_ref().map(|of| (of.beside, evidence::judge(look, plan, of, findings)));
    match (of_evidence, &plan.kayenta) {
        (Some((false, score)), _) => Some(score),
        (_, Some(of)) => Some(kayenta::judge(look, plan, of, findings)),
        (_, None) => {
            let score = score(plan, &spans, findings);
            judge_flagger(look, plan, findings);
            Some(score)
        }
    }
}

/// Whether what is asked waits for what was found.
pub(crate) fn is_needed(asked: Asked, cause: &Cause) -> bool {
    evidence::is_needed(asked, cause) && kayenta::is_needed(asked, cause)
}

/// What is proved of one metric, and what its newest interval lacks. An interval without traffic proves nothing
/// and is no reason to wait.
fn judge_evidence(look: Look<'_>, plan: &HealthPlan, of: &EvidencePlan, index: usize, findings: &mut Vec<Finding>) {
    let (Some(metric), Some(tally)) = (plan.metrics.get(index), look.folded.tallies.get(index)) else { return };
    let dry = if metric.dry_run { Standing::DryRun } else { Standing::Counts };
    let own = |finding: Finding| Finding { standing: dry, ..finding.about(&metric.name).from(&metric.position) };
    findings.extend(evidence::judge_metric(look, plan, of, index).map(own));
    if let Some(Judged::Nothing(nothing @ (Nothing::Missing { .. } | Nothing::WrongForm { .. }))) =
        tally.latest.map(|mark| mark.judged)
    {
        add(findings, metric, nothing_finding(metric, nothing).retry_after(plan.grid.every()));
    }
}

/// What the newest interval lacks beside a reading, or after a failure: being bad does not end being blind.
fn missing_beside(tally: &Tally) -> Option<Nothing> {
    let failed = tally.ended.is_some_and(|ended| ended.phase == Phase::Failed);
    match tally.latest?.judged {
        Judged::Read { missing, .. } => missing,
        Judged::Nothing(nothing) => Some(nothing).filter(|_| failed),
    }
}

/// Findings are large: it is filled in where it will stay.
fn add(findings: &mut Vec<Finding>, metric: &MetricPlan, finding: Finding) {
    findings.push(finding);
    if let Some(finding) = findings.last_mut() {
        finding.standing = if metric.dry_run { Standing::DryRun } else { Standing::Counts };
        (finding.subject, finding.source) = (Some(metric.name.clone()), Some(metric.position.clone()));
        finding.guarantee = Guarantee::Outside(Outside::FixedLimit);
    }
}

fn judge_metric(plan: &HealthPlan, metric: &MetricPlan, tally: &Tally, stopped: bool) -> Finding {
    match (tally.ended, tally.latest) {
        (Some(ended), _) => ended_finding(plan, metric, tally, ended),
        (None, Some(mark)) => match metric.rule {
            Rule::Threshold(_) => threshold_finding(plan, metric, tally, mark),
            Rule::Argo(_) if stopped => Finding::pass(Cause::HealthArgoStopped {}),
            Rule::Argo(rule) => {
                argo_finding(plan, metric, tally, mark, rule.count.is_none() && rule.consecutive_success_limit == 0)
            }
            Rule::Flagger | Rule::Evidence | Rule::Kayenta(_) => threshold_finding(plan, metric, tally, mark),
        },
        // A state in which intervals were folded but this metric was not: only from elsewhere.
        (None, None) => {
            let cause = Cause::HealthNoData { cohort: crate::Cohort::Canary, missing: Missing::NoData };
            Finding::hold(HoldKind::Blind, cause).no_flip(NoFlip::NoValue)
        }
    }
}

fn ended_finding(plan: &HealthPlan, metric: &MetricPlan, tally: &Tally, ended: Ended) -> Finding {
    let start = plan.grid.start_of(ended.mark.slot);
    match (ended.phase, ended.mark.judged) {
        (Phase::Failed, Judged::Read { reading, .. }) => {
            let limit = bound(&metric.criterion, &reading);
            let finding = Finding::fail(Cause::HealthLimitExceeded { reading, limit, start, failed: tally.failed });
            Finding { flip: flip(&metric.criterion, &reading), ..finding }
        }
        (Phase::Failed, Judged::Nothing(Nothing::Missing { cohort, missing })) => {
            Finding::fail(Cause::HealthDataFailed { cohort, missing, start }).no_flip(NoFlip::NoValue)
        }
        (Phase::Failed, Judged::Nothing(Nothing::NoTraffic { cohort })) => {
            Finding::fail(Cause::HealthDataFailed { cohort, missing: Missing::Nan, start }).no_flip(NoFlip::NoValue)
        }
        (Phase::Failed | Phase::Unsuccessful, _) => {
            Finding::fail(Cause::HealthArgoUnsuccessful { taken: tally.measurements() })
        }
        (Phase::Error, _) => {
            Finding::fail(Cause::HealthArgoErrors { errors: tally.error_run }).no_flip(NoFlip::NoValue)
        }
        (Phase::Inconclusive, _) => {
            let (taken, inconclusive) = (tally.measurements(), tally.inconclusive);
            Finding::hold(HoldKind::Blocked, Cause::HealthArgoInconclusive { taken, inconclusive })
        }
        (Phase::Successful, _) => Finding::pass(Cause::HealthArgoSuccessful { taken: tally.measurements() }),
    }
}

fn threshold_finding(plan: &HealthPlan, metric: &MetricPlan, tally: &Tally, mark: Mark) -> Finding {
    let (reading, place) = match mark.judged {
        Judged::Nothing(nothing) => return nothing_finding(metric, nothing).retry_after(plan.grid.every()),
        Judged::Read { reading, place, .. } => (reading, place),
    };
    let limit = bound(&metric.criterion, &reading);
    let tolerated = inconclusive_limit(metric);
    let mut finding = match (place, tolerated) {
        (Place::Beyond, _) if metric.rule == Rule::Flagger => {
            Finding::hold(HoldKind::Waiting, Cause::HealthOutsideLimits { reading, limit })
        }
        (Place::Beyond, _) => {
            let cause = Cause::HealthBreachTolerated {
                reading,
                limit,
                bad_in_a_row: tally.bad_run,
                patience: patience(metric),
                failed: tally.failed,
            };
            Finding::hold(HoldKind::Waiting, cause)
        }
        (_, Some(tolerated)) if tally.inconclusive > tolerated => {
            let cause = Cause::HealthTooInconclusive { inconclusive: tally.inconclusive, tolerated };
            return Finding::hold(HoldKind::Blocked, cause).no_flip(NoFlip::NotOneNumber);
        }
        (Place::Between, None) => Finding::hold(HoldKind::Waiting, Cause::HealthInconclusive { reading, limit }),
        (Place::Between, Some(_)) => Finding::pass(Cause::HealthInconclusive { reading, limit }),
        (Place::Within, _) => Finding::pass(Cause::HealthWithinLimits { reading, limit, failed: tally.failed }),
    };
    finding.flip = flip(&metric.criterion, &reading);
    finding.retry_after = Some(plan.grid.every());
    finding
}

/// An Argo measurement that goes on. Without an end it runs in the background and lets steps pass.
fn argo_finding(plan: &HealthPlan, metric: &MetricPlan, tally: &Tally, mark: Mark, endless: bool) -> Finding {
    match mark.judged {
        Judged::Nothing(nothing) => nothing_finding(metric, nothing).retry_after(plan.grid.every()),
        Judged::Read { .. } if !endless => {
            let cause = Cause::HealthArgoRunning { taken: tally.measurements() };
            Finding::hold(HoldKind::Waiting, cause).no_flip(NoFlip::NotOneNumber).retry_after(plan.grid.every())
        }
        Judged::Read { .. } => {
            let finding = threshold_finding(plan, metric, tally, mark);
            Finding { outcome: Outcome::Pass, ..finding }
        }
    }
}

fn nothing_finding(metric: &MetricPlan, nothing: Nothing) -> Finding {
    let (kind, cause) = match nothing {
        Nothing::Missing { cohort, missing } => (HoldKind::Blind, Cause::HealthNoData { cohort, missing }),
        Nothing::WrongForm { cohort } => (HoldKind::Blind, Cause::HealthWrongForm { cohort }),
        Nothing::NoTraffic { cohort } => (HoldKind::Waiting, Cause::HealthNoTraffic { cohort }),
        Nothing::TooFew { cohort, requests } => {
            (HoldKind::Waiting, Cause::HealthTooFewRequests { cohort, requests, needed: metric.min_requests })
        }
    };
    Finding::hold(kind, cause).no_flip(NoFlip::NoValue)
}

fn judge_flagger(look: Look<'_>, plan: &HealthPlan, findings: &mut Vec<Finding>) {
    let Some(threshold) = plan.flagger_threshold else { return };
    let flagger = look.folded.flagger;
    let (failed_checks, threshold) = (flagger.failed_checks, Count::new(threshold).unwrap_or(Count::MAX));
    let finding = if flagger.rolled_back {
        Finding::fail(Cause::HealthFlaggerFailedChecks { failed_checks, threshold })
    } else if flagger.latest_failed {
        let cause = Cause::HealthFlaggerCheckFailed { failed_checks, threshold };
        Finding::hold(HoldKind::Waiting, cause).retry_after(plan.grid.every())
    } else {
        return;
    };
    findings.push(finding.from(&plan.position).outside(Outside::FixedLimit).no_flip(NoFlip::NotOneNumber));
}

/// The score, and what it means for the metrics that are not critical.
///
/// A metric that holds counts as failed in the worst case. If the release would pass even then, its hold is
/// tolerated too: otherwise a metric that gets worse, from holding to failed, would help.
fn score(plan: &HealthPlan, spans: &[Range<usize>], findings: &mut [Finding]) -> Points {
    let (mut all, mut not_failed, mut healthy) = (0_u64, 0_u64, 0_u64);
    for (metric, span) in plan.metrics.iter().zip(spans).filter(|(metric, _)| !metric.dry_run) {
        let own = findings.get(span.clone()).unwrap_or_default();
        let strictest = own.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Pass);
        let importance = u64::from(metric.importance);
        all += importance;
        not_failed += if strictest == Outcome::Fail { 0 } else { importance };
        healthy += if strictest == Outcome::Pass { importance } else { 0 };
    }
    let points = |part: u64| {
        let points = (part * 100).checked_div(all).unwrap_or(100);
        u8::try_from(points).map_or(Points::FULL, Points::new)
    };
    let (score, worst) = (points(not_failed), points(healthy));
    let of_failed = if score < plan.fail_score {
        Standing::Counts
    } else if score < plan.pass_score {
        Standing::Softened
    } else {
        Standing::Tolerated
    };
    let of_holding = if worst < plan.pass_score { Standing::Counts } else { Standing::Tolerated };
    let lesser = |metric: &MetricPlan| !metric.dry_run && !metric.critical;
    for (_, span) in plan.metrics.iter().zip(spans).filter(|(metric, _)| lesser(metric)) {
        for finding in findings.get_mut(span.clone()).unwrap_or_default() {
            match finding.outcome {
                Outcome::Pass => {}
                Outcome::Hold(_) => finding.standing = of_holding.clone(),
                Outcome::Fail => finding.standing = of_failed.clone(),
            }
        }
    }
    score
}

fn inconclusive_limit(metric: &MetricPlan) -> Option<Count> {
    match metric.rule {
        Rule::Threshold(rule) => rule.inconclusive_limit.map(|limit| Count::new(limit).unwrap_or(Count::MAX)),
        Rule::Argo(_) | Rule::Flagger | Rule::Evidence | Rule::Kayenta(_) => None,
    }
}

fn patience(metric: &MetricPlan) -> Count {
    match metric.rule {
        Rule::Threshold(rule) => Count::new(rule.patience).unwrap_or(Count::MAX),
        Rule::Argo(_) | Rule::Flagger | Rule::Evidence | Rule::Kayenta(_) => Count::from(1),
    }
}

/// Whether more data could still decide the metric. What cannot be evaluated is another matter.
fn is_undecided(metric: &MetricPlan, tally: &Tally) -> bool {
    let between = |place| place == Place::Between && inconclusive_limit(metric).is_none();
    tally.ended.is_none()
        && matches!(metric.rule, Rule::Threshold(_))
        && tally.latest.is_some_and(|mark| match mark.judged {
            Judged::Read { place, .. } => between(place) || place == Place::Beyond,
            Judged::Nothing(Nothing::NoTraffic { .. } | Nothing::TooFew { .. }) => true,
            Judged::Nothing(Nothing::Missing { missing, .. }) => {
                metric.no_data == NoData::Fail && missing != Missing::NoAnswer
            }
            Judged::Nothing(Nothing::WrongForm { .. }) => false,
        })
}

/// The horizon is for the ramp; what is live is watched until its bake ends.
fn is_past_horizon(look: Look<'_>, plan: &HealthPlan) -> bool {
    look.snapshot.stage == Stage::Canary && look.snapshot.now >= look.snapshot.release.started_at.plus(plan.horizon)
}
