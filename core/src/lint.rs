//! Warnings: what is accepted and probably does not do what its author expects.

use crate::document::decode::Report;
use crate::document::{Diagnostic, DiagnosticCode as Code, Rollout, diagnostic};
use crate::plan::{Estimate, Planner, Shortfall};
use crate::policy::{BudgetPlan, HealthPlan, ObjectivePlan, Policies, Policy, Rule, SloPlan};
use crate::slo::{Burn, Events, Measured};
use crate::{Count, Duration, Instant};

/// More metrics or steps than this are not planned: it takes milliseconds for each.
const MOST_PLANNED: usize = 32;

/// The warnings of a bundle, in the order of files and lines.
pub(crate) fn warnings(rollout: &Rollout, policies: &Policies) -> Vec<Diagnostic> {
    let mut report = Report::default();
    for policy in policies.named.values().chain(&policies.any) {
        lint_policy(rollout, policy, &mut report);
    }
    diagnostic::sort(&mut report.diagnostics);
    report.diagnostics.dedup();
    report.diagnostics
}

fn lint_policy(rollout: &Rollout, policy: &Policy, report: &mut Report) {
    if policy.health.is_none() && policy.probes.is_empty() && policy.budget.is_none() && policy.rules.is_empty() {
        let hint = "add `health`, `probes`, `budget` or `rules`; without them every release is promoted";
        report.warn(Code::LintNothingJudged, &rollout.spec.position, "nothing judges the release", hint);
    }
    if policy.hold_limit.is_none() {
        let hint = "add `holdLimit: { after: 4h, then: fail }`";
        report.warn(
            Code::LintNoHoldLimit,
            &rollout.spec.position,
            "a release whose data is missing holds for ever",
            hint,
        );
    }
    let largest = policy.blast_radius.as_ref().and_then(|radius| radius.max_weight.as_ref());
    for step in &policy.steps {
        if let Some(largest) = largest.filter(|largest| step.weight.value > largest.value) {
            let message = format!("this step is never reached: `maxWeight` is {}", largest.value);
            report.warn(
                Code::LintUnreachableStep,
                &step.weight.position,
                message,
                "lower the weight, or raise `maxWeight`",
            );
        }
    }
    if let Some(plan) = &policy.budget {
        lint_budget(rollout, plan, report);
    }
    if let Some(plan) = &policy.health {
        lint_health(policy, plan, report);
    }
}

/// What the expected traffic cannot show in time. Where none is expected, nothing is known.
fn lint_plan(policy: &Policy, plan: &HealthPlan, report: &mut Report) {
    if plan.metrics.len() > MOST_PLANNED || policy.steps.len() > MOST_PLANNED {
        return;
    }
    let Ok(planner) = Planner::new(policy, Estimate::default()) else { return };
    for shortfall in planner.shortfalls() {
        let code = match shortfall {
            Shortfall::Undetected { .. } => Code::LintUndetectable,
            Shortfall::Unproved { .. } => Code::LintUnprovable,
        };
        let metric = plan.metrics.iter().find(|metric| metric.name == *shortfall.metric());
        let position = metric.map_or(&plan.position, |metric| &metric.position);
        report.warn(code, position, shortfall.to_string(), shortfall.hint());
    }
}

fn lint_health(policy: &Policy, plan: &HealthPlan, report: &mut Report) {
    lint_plan(policy, plan, report);
    if plan.metrics.iter().all(|metric| metric.dry_run) {
        report.warn(Code::LintOnlyDryRuns, &plan.position, "every metric is a dry run", "let one of them count");
    }
    let ramp = policy.steps.iter().fold(Duration::ZERO, |sum, step| sum.plus(step.at_least()));
    // Argo and Flagger know no horizon.
    let is_timed = plan.metrics.iter().any(|metric| !matches!(metric.rule, Rule::Argo(_) | Rule::Flagger));
    if is_timed && ramp > plan.horizon {
        let message = format!("the ramp takes at least {ramp}, the horizon is {}", plan.horizon);
        report.warn(Code::LintHorizon, &plan.position, message, "raise `horizon`, or shorten the steps");
    }
    let first_judged = plan.grid.warm_up().plus(plan.grid.every()).plus(plan.grid.settle());
    if let Some(step) = policy.steps.first().filter(|step| step.at_least() < first_judged) {
        let message =
            format!("the first interval is judged after {first_judged} at the earliest, later than this step needs");
        report.warn(
            Code::LintBlindStep,
            &step.position,
            message,
            "raise `atLeast`, or lower `warmUp`, `every` or `settle`",
        );
    }
    let compares = plan.metrics.iter().any(|metric| metric.is_relative() && !metric.dry_run);
    let compared_live = policy.bake.as_ref().is_some_and(|bake| bake.against.is_some());
    if compares && !compared_live {
        let message = "metrics compare with a baseline, and in the live stage there is none";
        let is_fixed = plan.evidence.as_ref().is_some_and(|evidence| evidence.fixed.is_some());
        let hint = if is_fixed {
            "add a `budget`, and `bake: { for: 30m, against: slo }`: a fixed schedule ends with the canary stage"
        } else {
            "add `bake: { for: 30m, against: retained }`"
        };
        report.warn(Code::LintNoBake, &plan.position, message, hint);
    }
    for metric in plan.metrics.iter().filter(|metric| metric.is_relative() && metric.proofs.is_empty()) {
        if metric.min_requests <= Count::from(1) && metric.counts_events() {
            let message = "in an interval with few requests a single bad event is many times the baseline";
            report.warn(Code::LintThinTraffic, &metric.position, message, "add `minRequests`, or `patience`");
        }
    }
}

fn lint_budget(rollout: &Rollout, plan: &BudgetPlan, report: &mut Report) {
    let sources = rollout.spec.value.sources.iter().flat_map(|sources| &sources.value.0);
    let sources: Vec<_> = sources.map(|(name, source)| (&name.value, source)).collect();
    for slo in &plan.slos {
        for objective in &slo.objectives {
            lint_pairs(slo, objective, report);
            let source =
                sources.iter().find(|(name, _)| Some(*name) == objective.source.as_ref()).map(|(_, source)| source);
            let Some(source) = source else { continue };
            let longest = objective.pairs.iter().map(|(_, condition)| condition.pair().long).max();
            let longest = longest.map_or(slo.period.nominal(), |long| long.max(slo.period.nominal()));
            if let Some(retention) = source.retention.as_ref().filter(|retention| retention.value < longest) {
                let message =
                    format!("a window of {longest} is longer than the {} that the source keeps", retention.value);
                let hint = "what is left of the budget is computed from a part of it; ask a source that keeps more";
                report.warn(Code::LintRetention, &slo.position, message, hint);
            }
            let fails = objective.pairs.iter().any(|(urgency, _)| plan.attributes(*urgency));
            let cohorts = source.canary.is_some() && source.baseline.is_some();
            if fails && !cohorts {
                let message = format!(
                    "the source of `{}` does not tell canary and baseline apart: beside a baseline its burn can only hold",
                    slo.name
                );
                report.warn(
                    Code::LintNoCohorts,
                    &plan.position,
                    message,
                    "give the source `canary` and `baseline` matchers",
                );
            }
        }
    }
}

fn lint_pairs(slo: &SloPlan, objective: &ObjectivePlan, report: &mut Report) {
    for (_, condition) in &objective.pairs {
        let pair = condition.pair();
        if !pair.threshold.is_reachable(objective.budget) {
            let message = format!(
                "a burn rate of {} over {} can never be exceeded: this budget allows too much",
                pair.threshold, pair.long
            );
            report.warn(
                Code::LintUnreachableBurn,
                &slo.position,
                message,
                "use a stricter target, or a smaller threshold",
            );
            continue;
        }
        if pair.threshold.as_f64() * objective.weight.as_f64() < 1.0 {
            let message =
                format!("{} over {} burns although the budget would last its period", pair.threshold, pair.long);
            report.warn(Code::LintSlowBurn, &slo.position, message, "use `davy/scaling: windows`");
        }
        // The fewer the events, the more one of them weighs.
        let fewest = slo.guards.events.max(Count::from(1));
        let one = Events::of_bad(Count::from(1), fewest).map(|one| Measured::whole(one, Instant::EPOCH));
        let burns = |one: &Measured| condition.judge(one, one, &slo.guards, Instant::EPOCH).burn == Burn::Burning;
        if one.is_ok_and(|one| burns(&one)) {
            let enough = pair.threshold.minimum_total(objective.budget, Count::from(1)).unwrap_or(Count::MAX);
            let message = format!("of fewer than {enough} events in {}, one bad event can burn", pair.short);
            report.warn(Code::LintOneEventBurns, &slo.position, message, "raise `davy/minErrors` or `davy/minEvents`");
        }
    }
}
