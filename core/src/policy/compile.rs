//! From the documents of a bundle to the policy of each environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    BudgetPlan, CalendarDocuments, Calendars, EvidencePlan, FixedLooks, Grid, HealthPlan, KayentaPlan, MetricPlan,
    Planned, PluginFiles, Policy, Ramp, SloPlan, compile_slos, expected,
};
use crate::decision::Cause;
use crate::document::decode::{Named, Refine, Report};
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{
    Bake, BakeReference, DiagnosticCode as Code, Environment, FlaggerSettings, Health, Judge, Metric, OnInconclusive,
    Position, Rollout, ScoreLimits, SloDocuments, Source, Spanned, Spec, Step,
};
use crate::rule::{RuleFiles, compile_rules};
use crate::{Count, Duration, Name, Share};

/// The most metrics that a bundle compiles, over all of its environments.
const MOST_METRICS: usize = 10_000;

/// The policies of a rollout: one per environment, or one for all where none is named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policies {
    pub(crate) any: Option<Policy>,
    pub(crate) named: BTreeMap<Name, Policy>,
    /// Every SLO of the bundle, used or not.
    pub(crate) slos: BTreeMap<Name, Arc<SloPlan>>,
}

/// What an environment is compiled with, beside its own settings.
struct Above<'a> {
    spec: &'a Spec,
    slos: &'a BTreeMap<Name, Arc<SloPlan>>,
    /// Whether an SLO was refused, and is missing from `slos`.
    slos_broken: bool,
    calendars: &'a Calendars,
    plugins: &'a PluginFiles,
    rules: &'a RuleFiles,
}

/// Refines, checks and compiles; everything wrong is reported.
pub(crate) fn compile(
    rollout: &Rollout,
    documents: &SloDocuments,
    calendars: &CalendarDocuments,
    plugins: &PluginFiles,
    rules: &RuleFiles,
    report: &mut Report,
) -> Policies {
    let spec = &rollout.spec.value;
    if let Some(sources) = &spec.sources {
        unique(sources.value.0.iter().map(|(name, _)| name), "source", report);
        for (_, source) in &sources.value.0 {
            check_placeholders(source, report);
        }
    }
    // Documents that were refused are missing here; what refers to them is not reported again.
    let sound = report.diagnostics.is_empty();
    let slos = compile_slos(documents, spec, report);
    let slos: BTreeMap<Name, Arc<SloPlan>> = slos.into_iter().map(|(name, slo)| (name, Arc::new(slo))).collect();
    let slos_broken = !sound || slos.len() < documents.slos.len();
    let calendars = calendars.compile(sound, report);
    calendars.lint(named_calendars(spec), report);
    let above = Above { spec, slos: &slos, slos_broken, calendars: &calendars, plugins, rules };
    let Some(environments) = &spec.environments else {
        let policy = compile_environment(&above, &Environment::at(&spec.position), report);
        return Policies { any: Some(policy), named: BTreeMap::new(), slos };
    };
    if !is_affordable(spec, environments, report) {
        return Policies { any: None, named: BTreeMap::new(), slos };
    }
    let mut named = BTreeMap::new();
    for (name, environment) in &environments.value.0 {
        let policy = compile_environment(&above, environment, report);
        for dependency in &policy.requires {
            let wanted = &dependency.environment;
            let known = || environments.value.0.iter().map(|(name, _)| name.value.as_str());
            if spec.whole && !known().any(|known| known == wanted.value.as_str()) {
                let message = format!("the environment `{}` is not one of this rollout", wanted.value);
                report.error(Code::Name, &wanted.position, message, did_you_mean(wanted.value.as_str(), known()));
            }
        }
        named.insert(name.value.clone(), policy);
    }
    check_cycles(&named, report);
    Policies { any: None, named, slos }
}

/// Every mention of a calendar.
fn named_calendars(spec: &Spec) -> impl Iterator<Item = &Spanned<Name>> + Clone {
    let environments = spec.environments.iter().flat_map(|environments| &environments.value.0);
    let finer = environments.filter_map(|(_, environment)| environment.calendars.as_ref());
    spec.calendars.iter().chain(finer).flat_map(|calendars| &calendars.value)
}

/// Every environment compiles every metric: a small file must not become a large engine.
fn is_affordable(spec: &Spec, environments: &Spanned<Named<Environment>>, report: &mut Report) -> bool {
    let metrics = |health: &Option<Spanned<Health>>| {
        health.iter().flat_map(|health| &health.value.metrics).map(|metrics| metrics.value.len()).sum::<usize>()
    };
    let own: usize = environments.value.0.iter().map(|(_, environment)| metrics(&environment.health)).sum();
    let all = metrics(&spec.health).saturating_mul(environments.value.0.len()).saturating_add(own);
    if all > MOST_METRICS {
        let message = format!("the environments have {all} metrics together; at most {MOST_METRICS} are compiled");
        report.error(Code::Budget, &environments.position, message, "split the bundle".to_owned());
    }
    all <= MOST_METRICS
}

/// An environment that requires itself, through others or not, can never be passed.
fn check_cycles(policies: &BTreeMap<Name, Policy>, report: &mut Report) {
    for (name, policy) in policies {
        for dependency in &policy.requires {
            let mut reached = vec![&dependency.environment.value];
            let mut next = 0;
            while let Some(environment) = reached.get(next).copied() {
                let further = policies.get(environment).map_or(&[][..], |policy| &policy.requires);
                for dependency in further.iter().map(|dependency| &dependency.environment.value) {
                    if !reached.contains(&dependency) {
                        reached.push(dependency);
                    }
                }
                next += 1;
            }
            if reached.contains(&name) {
                let message = format!("`{name}` requires itself");
                report.error(Code::Name, &dependency.environment.position, message, None);
            }
        }
    }
}

fn compile_environment(above: &Above<'_>, finer: &Environment, report: &mut Report) -> Policy {
    let spec = above.spec;
    fn value<T: Clone>(finer: &Option<Spanned<T>>, above: &Option<Spanned<T>>) -> Option<T> {
        finer.as_ref().or(above.as_ref()).map(|spanned| spanned.value.clone())
    }
    let steps = value(&finer.steps, &spec.steps).unwrap_or_default();
    let bake = value(&finer.bake, &spec.bake);
    let policy = Policy {
        health: health(above, finer, (&steps, bake.as_ref()), report),
        steps,
        bake,
        probes: value(&finer.probes, &spec.probes).unwrap_or_default(),
        budget: value(&finer.budget, &spec.budget)
            .and_then(|budget| BudgetPlan::compile(&budget, above.slos, above.slos_broken, report)),
        calendar: above.calendars.plan(finer.calendars.as_ref().or(spec.calendars.as_ref()), report),
        hold_limit: value(&finer.hold_limit, &spec.hold_limit),
        overrides: value(&finer.overrides, &spec.overrides),
        requires: value(&finer.requires, &None).unwrap_or_default(),
        blast_radius: value(&finer.blast_radius, &None),
        rules: compile_rules(&value(&finer.rules, &spec.rules).unwrap_or_default(), above.rules, report),
    };
    check_steps(&policy.steps, report);
    unique(policy.probes.iter().map(|probe| &probe.flow), "probe", report);
    for probe in &policy.probes {
        at_least_one(&probe.patience, "patience", report);
    }
    unique(policy.requires.iter().map(|dependency| &dependency.environment), "dependency", report);
    if let Some(radius) = &policy.blast_radius {
        at_least_one(&radius.concurrent, "concurrent", report);
    }
    let has_budget = finer.budget.is_some() || spec.budget.is_some();
    match policy.bake.as_ref().and_then(|bake| bake.against.as_ref()) {
        Some(Spanned { value: BakeReference::Reference, position }) => {
            let hint = "`retained` compares with replicas of the old revision, `slo` with the error budgets".to_owned();
            report.error(Code::NotSupportedYet, position, "this comparison is not supported yet", hint);
        }
        Some(Spanned { value: BakeReference::Slo, position }) if !has_budget => {
            let hint = "add `budget: { slos: [...] }`".to_owned();
            report.error(Code::Choice, position, "there is no `budget` to judge the live stage by", hint);
        }
        _ => {}
    }
    for code in policy.overrides.iter().flat_map(|overrides| &overrides.waive_fails).flat_map(|codes| &codes.value) {
        if !Cause::CODES.contains(&code.value.as_str()) {
            let hint = did_you_mean(&code.value, Cause::CODES.iter().copied());
            let message = format!("no finding has the code `{}`", shown(&code.value));
            report.error(Code::Name, &code.position, message, hint);
        }
    }
    policy
}

/// A placeholder that nobody fills would select nothing.
fn check_placeholders(source: &Source, report: &mut Report) {
    for field in [&source.canary, &source.baseline].into_iter().flatten() {
        for rest in field.value.split("${").skip(1) {
            let name = rest.split('}').next().unwrap_or_default();
            if !["revision", "stable"].contains(&name) {
                let hint = "`${revision}` and `${stable}` are filled in".to_owned();
                report.error(Code::Name, &field.position, format!("nothing fills in `${{{name}}}`"), hint);
            }
        }
    }
}

fn check_steps(steps: &[Step], report: &mut Report) {
    let mut previous = Share::ZERO;
    for step in steps {
        let weight = step.weight.value;
        if weight <= previous {
            let message = format!("the weight {weight} does not rise above {previous}");
            report.error(
                Code::Range,
                &step.weight.position,
                message,
                "a ramp rises from step to step, above 0%".to_owned(),
            );
        }
        previous = previous.max(weight);
    }
}

fn at_least_one(count: &Option<Spanned<Count>>, key: &str, report: &mut Report) {
    if let Some(Spanned { value: Count::ZERO, position }) = count {
        report.error(Code::Range, position, format!("`{key}` is at least 1"), None);
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a Spanned<Name>>, what: &str, report: &mut Report) {
    let mut seen: BTreeMap<&Name, &Position> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, &name.position) {
            let message = format!("the {what} `{}` stands twice, first in line {}", name.value, first.line);
            report.error(Code::Name, &name.position, message, "keep one of them".to_owned());
        }
    }
}

fn health(
    above: &Above<'_>,
    finer: &Environment,
    (steps, bake): (&[Step], Option<&Bake>),
    report: &mut Report,
) -> Option<HealthPlan> {
    let spec = above.spec;
    let health = match (&spec.health, &finer.health) {
        (Some(above), Some(finer)) => refine_health(&above.value, &finer.value, report),
        (Some(one), None) | (None, Some(one)) => one.value.clone(),
        (None, None) => return None,
    };
    // Something in it, or above this environment, was refused: the rest cannot be judged as a whole.
    if !health.whole || (spec.health.is_none() && !spec.whole) {
        return None;
    }
    let given: &[Metric] = health.metrics.as_ref().map_or(&[], |metrics| &metrics.value);
    unique(given.iter().map(|metric| &metric.name), "metric", report);
    if given.is_empty() {
        report.error(
            Code::Choice,
            &health.position,
            "`health` has no metrics",
            "measure something, or leave `health` out".to_owned(),
        );
    }
    let judge = judge(&health, given);
    check_grid(&health, report);
    for metric in given {
        check_source(metric, spec, report);
    }
    let mut metrics: Vec<MetricPlan> = {
        let planned = Planned::of(&health);
        given.iter().filter_map(|metric| MetricPlan::compile(metric, judge, planned, above.plugins, report)).collect()
    };
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    check_inputs(&metrics, report);
    let grid = Grid { every: health.every(), settle: health.settle(), warm_up: health.warm_up() };
    let gathers = matches!(judge, Judge::Evidence | Judge::GroupSequential);
    let beside = !gathers && given.iter().any(|metric| metric.judge.is_some());
    let has_evidence = gathers || beside;
    let ramp = Ramp::of(steps, bake);
    let mut evidence = if has_evidence { EvidencePlan::compile(&health, &metrics, beside, ramp, report) } else { None };
    if let (Judge::GroupSequential, Some(evidence)) = (judge, &mut evidence) {
        evidence.fixed = FixedLooks::compile((grid, health.horizon()), steps, bake, &health.position, report);
        if let Some(fixed) = &evidence.fixed {
            fixed.take_over(&mut metrics, evidence, report);
        }
    }
    let kayenta = if judge == Judge::Kayenta { KayentaPlan::compile(&health, given, &metrics, report) } else { None };
    let score = health.score.as_ref().map_or_else(|| ScoreLimits::at(&health.position), |score| score.value.clone());
    if score.fail() > score.pass() {
        let hint = "below `fail` the release fails, from `pass` on it passes".to_owned();
        report.error(Code::Range, &score.position, "`fail` is larger than `pass`", hint);
    }
    let flagger = health.flagger.as_ref().map_or_else(|| FlaggerSettings::at(&health.position), |f| f.value.clone());
    at_least_one(&flagger.threshold, "threshold", report);
    let of_evidence = [
        ("falseAborts", health.false_aborts.as_ref().map(|given| &given.position)),
        ("falsePromotions", health.false_promotions.as_ref().map(|given| &given.position)),
        ("advanceBelow", health.advance_below.as_ref().map(|given| &given.position)),
        ("strictNoise", health.strict_noise.as_ref().map(|given| &given.position)),
        ("recentIntervals", health.recent_intervals.as_ref().map(|given| &given.position)),
    ];
    for (key, position) in of_evidence {
        let is_read = has_evidence && (judge != Judge::GroupSequential || key != "advanceBelow");
        if let Some(position) = position.filter(|_| !is_read) {
            let hint = "only `judge: evidence` reads it".to_owned();
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint);
        }
    }
    if let (Some(settings), true) = (&health.flagger, judge != Judge::Flagger) {
        report.error(
            Code::Unused,
            &settings.position,
            "`flagger` is not used here",
            "only `judge: flagger` reads it".to_owned(),
        );
    }
    if let Some(outcome) = health.on_inconclusive.as_ref().filter(|it| it.value == OnInconclusive::Promote && !gathers)
    {
        let hint = "only `judge: evidence` tells what is not proved from what is bad".to_owned();
        report.error(Code::Unused, &outcome.position, "`onInconclusive: promote` is not used here", hint);
    }
    if let (Some(settings), true) = (&health.kayenta, judge != Judge::Kayenta) {
        report.error(
            Code::Unused,
            &settings.position,
            "`kayenta` is not used here",
            "only `judge: kayenta` reads it".to_owned(),
        );
    }
    if matches!(judge, Judge::Argo | Judge::Flagger | Judge::Kayenta) {
        let horizon = health.horizon.as_ref().filter(|_| judge != Judge::Kayenta && !beside);
        let given = [
            ("score", health.score.as_ref().map(|score| &score.position)),
            ("horizon", horizon.map(|horizon| &horizon.position)),
            ("onInconclusive", health.on_inconclusive.as_ref().map(|outcome| &outcome.position)),
        ];
        for (key, position) in given.into_iter().filter_map(|(key, position)| Some((key, position?))) {
            let hint = format!("`judge: {judge}` has no such setting, and its semantics are kept exactly");
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint);
        }
    }
    Some(HealthPlan {
        grid,
        horizon: health.horizon(),
        on_inconclusive: health.on_inconclusive(),
        pass_score: score.pass(),
        fail_score: score.fail(),
        evidence,
        kayenta,
        flagger_threshold: (judge == Judge::Flagger).then(|| flagger.threshold().get()),
        metrics,
        expected: expected(health.expect.as_ref(), report),
        position: health.position.clone(),
    })
}

/// Refines key by key, and metrics by name.
fn refine_health(above: &Health, finer: &Health, report: &mut Report) -> Health {
    let mut health = above.refined_by(finer);
    if let (Some(above), Some(finer)) = (&above.metrics, &finer.metrics) {
        unique(finer.value.iter().map(|metric| &metric.name), "metric", report);
        let mut metrics = above.value.clone();
        for metric in &finer.value {
            match metrics.iter_mut().find(|known| known.name.value == metric.name.value) {
                Some(known) => *known = known.refined_by(metric),
                None => metrics.push(metric.clone()),
            }
        }
        health.metrics = Some(Spanned { value: metrics, position: finer.position.clone() });
    }
    health
}

/// The judge of all metrics but those that have one of their own.
fn judge(health: &Health, metrics: &[Metric]) -> Judge {
    let judge = health.judge();
    let mut own = metrics.iter().filter(|metric| metric.judge.is_none());
    let compared = own.any(|metric| metric.tolerate.is_some() || metric.unacceptable.is_some());
    match judge {
        // Limits alone need no comparison, and no judge.
        Judge::Evidence if health.judge.is_none() && !compared => Judge::Threshold,
        judge => judge,
    }
}

fn check_grid(health: &Health, report: &mut Report) {
    let limits = [
        ("every", &health.every, health.every(), Duration::from_secs(1), Duration::from_minutes(60)),
        ("settle", &health.settle, health.settle(), Duration::ZERO, Duration::from_minutes(60)),
        ("warmUp", &health.warm_up, health.warm_up(), Duration::ZERO, Duration::from_minutes(24 * 60)),
        ("horizon", &health.horizon, health.horizon(), health.every(), Duration::from_minutes(90 * 24 * 60)),
    ];
    for (key, given, value, least, most) in limits {
        if value < least || value > most {
            let position = given.as_ref().map_or(&health.position, |spanned| &spanned.position);
            report.error(Code::Range, position, format!("`{key}` is from {least} to {most}, not {value}"), None);
        }
    }
    if !health.every().millis().is_multiple_of(1000) {
        let position = health.every.as_ref().map_or(&health.position, |spanned| &spanned.position);
        report.error(Code::Range, position, "`every` is a whole number of seconds", None);
    }
}

fn check_source(metric: &Metric, spec: &Spec, report: &mut Report) {
    let inputs = metric.plugin.iter().flat_map(|plugin| &plugin.value.inputs).flat_map(|inputs| &inputs.value);
    let sources = || spec.sources.iter().flat_map(|sources| &sources.value.0).map(|(name, _)| name.value.as_str());
    for from in metric.from.iter().chain(inputs.flat_map(|input| &input.from)) {
        if spec.whole && !sources().any(|source| source == from.value.as_str()) {
            let hint = did_you_mean(from.value.as_str(), sources());
            report.error(Code::Name, &from.position, format!("no source has the name `{}`", from.value), hint);
        }
    }
}

/// What plugins read has names of its own among the observations.
fn check_inputs(metrics: &[MetricPlan], report: &mut Report) {
    let mut seen: BTreeMap<&Name, &Position> = metrics.iter().map(|metric| (&metric.name, &metric.position)).collect();
    for input in metrics.iter().filter_map(MetricPlan::plugin).flat_map(|plugin| &plugin.inputs) {
        if let Some(first) = seen.insert(&input.about, &input.position) {
            let message = format!("`{}` stands twice, first in line {}", input.about, first.line);
            report.error(Code::Name, &input.position, message, "give one of them another name".to_owned());
        }
    }
}
