//! The ways in which a policy can judge, one by one: what a complete set of tests has seen.

use std::collections::BTreeSet;

use super::coverage::{Branch, Way};
use crate::bundle::Bundle;
use crate::document::{BurnOutcome, OnFault, Position};
use crate::engine::Engine;
use crate::policy::{BudgetPlan, HealthPlan, Policy, Rule};
use crate::{Name, Share};

/// Every branch of a bundle, each once: what environments share is judged in one place.
pub(super) fn of_bundle(bundle: &Bundle, engine: &Engine) -> Vec<Branch> {
    let mut all = Branches::default();
    let spec = &bundle.rollout().spec.value;
    for (name, _) in spec.environments.iter().flat_map(|named| &named.value.0) {
        all.add("environment", Some(&name.value), &name.position, Way::Decided);
    }
    let policies = bundle.policies();
    for policy in policies.named.values().chain(&policies.any) {
        of_policy(policy, &mut all);
    }
    for ready in engine.all_rules() {
        let parts = ready.rule.iter().flat_map(|rule| rule.branches());
        all.all.extend(parts.map(|part| Branch::of_rule(&ready.plan.name, &part)));
    }
    all.all.into_iter().collect()
}

#[derive(Default)]
struct Branches {
    all: BTreeSet<Branch>,
}

impl Branches {
    fn add(&mut self, gate: &'static str, subject: Option<&Name>, position: &Position, way: Way) {
        self.all.insert(Branch { gate, position: position.clone(), subject: subject.cloned(), way });
    }

    fn outcomes(&mut self, gate: &'static str, subject: Option<&Name>, position: &Position, ways: &[Way]) {
        ways.iter().for_each(|way| self.add(gate, subject, position, way.clone()));
    }
}

fn of_policy(policy: &Policy, all: &mut Branches) {
    if let Some(plan) = &policy.health {
        of_health(plan, all);
    }
    for probe in &policy.probes {
        all.outcomes("probes", Some(&probe.flow.value), &probe.position, &[Way::Pass, Way::Hold, Way::Fail]);
    }
    if let Some(plan) = &policy.budget {
        of_budget(plan, all);
    }
    for window in policy.calendar.iter().flat_map(|plan| &plan.windows) {
        let id = window.id();
        all.outcomes("calendar", Some(&id), &window.position, &[Way::Blocks, Way::Lets]);
    }
    for rule in &policy.rules {
        all.outcomes("rules", Some(&rule.name), &rule.position, &[Way::Fires, Way::Quiet]);
    }
    for step in &policy.steps {
        all.add("steps", None, &step.position, Way::Code("steps.met"));
        if !step.at_least().is_zero() {
            all.add("steps", None, &step.position, Way::Code("steps.dwell"));
        }
        if step.min_requests() > crate::Count::ZERO {
            all.add("steps", None, &step.position, Way::Code("steps.exposure"));
        }
    }
    if let Some(bake) = &policy.bake {
        if !bake.duration.value.is_zero() {
            all.add("bake", None, &bake.position, Way::Code("bake.watching"));
        }
        all.add("bake", None, &bake.position, Way::Code("bake.done"));
    }
    for dependency in &policy.requires {
        let environment = Some(&dependency.environment.value);
        all.add("dependencies", environment, &dependency.position, Way::Pass);
        all.add("dependencies", environment, &dependency.position, Way::Code("dependencies.not-passed"));
        if !dependency.soak().is_zero() {
            all.add("dependencies", environment, &dependency.position, Way::Code("dependencies.soaking"));
        }
    }
    if let Some(radius) = &policy.blast_radius {
        all.add("blast-radius", None, &radius.position, Way::Code("blast-radius.within"));
        // Nobody can ask for more than everything.
        if let Some(max) = radius.max_weight.as_ref().filter(|max| max.value < Share::ALL) {
            all.add("blast-radius", None, &max.position, Way::Code("blast-radius.weight"));
        }
        if let Some(concurrent) = &radius.concurrent {
            all.add("blast-radius", None, &concurrent.position, Way::Code("blast-radius.concurrent"));
        }
    }
    if let Some(limit) = &policy.hold_limit {
        all.add("hold", None, &limit.position, Way::Code("hold.limit"));
    }
    for code in policy.overrides.iter().flat_map(|overrides| &overrides.waive_fails).flat_map(|codes| &codes.value) {
        all.add("override", None, &code.position, Way::Waived(code.value.clone()));
    }
}

fn of_health(plan: &HealthPlan, all: &mut Branches) {
    all.add("data", None, &plan.position, Way::Hold);
    for metric in &plan.metrics {
        let ways: &[Way] = match metric.rule {
            Rule::Threshold(_) | Rule::Argo(_) => &[Way::Pass, Way::Hold, Way::Fail],
            // Flagger fails for all metrics together; evidence against one is weighed with that against others.
            Rule::Flagger | Rule::Evidence => &[Way::Pass, Way::Hold],
            // Kayenta names what it saw of a metric; its score decides.
            Rule::Kayenta(_) => &[Way::Pass],
        };
        all.outcomes("health", Some(&metric.name), &metric.position, ways);
        if let Some(plugin) = metric.plugin() {
            all.outcomes("plugin", Some(&metric.name), &metric.position, &[Way::Pass, Way::Hold]);
            if plugin.on_fault == OnFault::Fail {
                all.add("plugin", Some(&metric.name), &metric.position, Way::Fail);
            }
        }
    }
    // Other judges know no horizon. One metric that stays undecided shows it.
    if plan.metrics.iter().any(|metric| matches!(metric.rule, Rule::Threshold(_) | Rule::Evidence)) {
        all.add("health", None, &plan.position, Way::CodeAnywhere("health.horizon"));
    }
    if plan.flagger_threshold.is_some() {
        for code in ["health.flagger-check-failed", "health.flagger-failed-checks"] {
            all.add("health", None, &plan.position, Way::Code(code));
        }
    }
    let of_evidence: &[&'static str] = match &plan.evidence {
        None => &[],
        Some(evidence) if evidence.fixed.is_some() => {
            &["health.not-crossed", "health.crossed", "health.schedule-left", "health.retried"]
        }
        Some(_) => &["health.no-harm", "health.suspicion", "health.harm"],
    };
    let of_kayenta: &[&'static str] = match &plan.kayenta {
        None => &[],
        Some(kayenta) if kayenta.every < kayenta.last => {
            &["health.kayenta-waiting", "health.kayenta-running", "health.kayenta-passed", "health.kayenta-failed"]
        }
        Some(_) => &["health.kayenta-waiting", "health.kayenta-passed", "health.kayenta-failed"],
    };
    for code in of_evidence.iter().chain(of_kayenta).copied() {
        all.add("health", None, &plan.position, Way::Code(code));
    }
}

fn of_budget(plan: &BudgetPlan, all: &mut Branches) {
    for slo in &plan.slos {
        let pairs = || slo.objectives.iter().flat_map(|objective| &objective.pairs);
        let fails = pairs().any(|(urgency, _)| plan.outcome(*urgency) == BurnOutcome::Fail);
        if pairs().next().is_some() {
            all.outcomes("burn", Some(&slo.name), &slo.position, &[Way::Pass, Way::Hold]);
        }
        if fails {
            all.add("burn", Some(&slo.name), &slo.position, Way::Fail);
        }
        all.outcomes("budget", Some(&slo.name), &plan.position, &[Way::Pass, Way::Hold]);
        if !plan.exempt.is_empty() {
            all.add("budget", Some(&slo.name), &plan.position, Way::Code("budget.exempt"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::Cause;

    /// Gates whose findings are branches above, or say nothing about the policy.
    const COUNTED: [&str; 13] = [
        "health",
        "rules",
        "plugin",
        "data",
        "probes",
        "burn",
        "budget",
        "calendar",
        "steps",
        "bake",
        "dependencies",
        "blast-radius",
        "hold",
    ];
    const OF_THE_HOST: [&str; 5] = ["release", "state", "clock", "asked", "override"];

    #[test]
    fn it_is_said_of_every_gate_how_tests_of_it_are_counted() {
        let gate = |code: &&'static str| code.split('.').next().unwrap_or_default();
        let gates: BTreeSet<&str> = Cause::CODES.iter().map(gate).collect();
        let known: BTreeSet<&str> = COUNTED.into_iter().chain(OF_THE_HOST).collect();
        assert_eq!(gates, known, "add the branches of a new gate above, and its name here");
    }
}
