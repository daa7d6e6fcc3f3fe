//! Warnings: what is accepted and probably does not do what its author expects.

use crate::document::decode::Report;
use crate::document::{Diagnostic, DiagnosticCode as Code, Rollout, diagnostic};
use crate::policy::{HealthPlan, Policies, Policy};
use crate::{Count, Duration};

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
    if policy.health.is_none() && policy.probes.is_empty() {
        let hint = "add `health` or `probes`; without them every release is promoted";
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
    if let Some(plan) = &policy.health {
        lint_health(policy, plan, report);
    }
}

fn lint_health(policy: &Policy, plan: &HealthPlan, report: &mut Report) {
    if plan.metrics.iter().all(|metric| metric.dry_run) {
        report.warn(Code::LintOnlyDryRuns, &plan.position, "every metric is a dry run", "let one of them count");
    }
    let ramp = policy.steps.iter().fold(Duration::ZERO, |sum, step| sum.plus(step.at_least()));
    if ramp > plan.horizon {
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
    let compares = plan.metrics.iter().any(|metric| metric.is_relative());
    let compared_live = policy.bake.as_ref().is_some_and(|bake| bake.against.is_some());
    if compares && !compared_live {
        let message = "metrics compare with a baseline, and in the live stage there is none";
        report.warn(Code::LintNoBake, &plan.position, message, "add `bake: { for: 30m, against: retained }`");
    }
    for metric in plan.metrics.iter().filter(|metric| metric.is_relative()) {
        if metric.min_requests <= Count::from(1) && metric.counts_events() {
            let message = "in an interval with few requests a single bad event is many times the baseline";
            report.warn(Code::LintThinTraffic, &metric.position, message, "add `minRequests`, or `patience`");
        }
    }
}
