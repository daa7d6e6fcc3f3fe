//! From the documents of a bundle to the policy of each environment.

use std::collections::BTreeMap;

use super::{Grid, HealthPlan, MetricPlan, Policy};
use crate::decision::Cause;
use crate::document::decode::{Named, Refine, Report};
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{
    BakeReference, DiagnosticCode as Code, Environment, FlaggerSettings, Health, Judge, Metric, Position, Rollout,
    ScoreLimits, Source, Spanned, Spec, Step,
};
use crate::{Count, Duration, Name, Share};

/// The most metrics that a bundle compiles, over all of its environments.
const MOST_METRICS: usize = 10_000;

/// The policies of a rollout: one per environment, or one for all where none is named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policies {
    pub(crate) any: Option<Policy>,
    pub(crate) named: BTreeMap<Name, Policy>,
}

/// Refines, checks and compiles; everything wrong is reported.
pub(crate) fn compile(rollout: &Rollout, report: &mut Report) -> Policies {
    let spec = &rollout.spec.value;
    if let Some(sources) = &spec.sources {
        unique(sources.value.0.iter().map(|(name, _)| name), "source", report);
        for (_, source) in &sources.value.0 {
            check_placeholders(source, report);
        }
    }
    let Some(environments) = &spec.environments else {
        let policy = compile_environment(spec, &Environment::at(&spec.position), report);
        return Policies { any: Some(policy), named: BTreeMap::new() };
    };
    if !is_affordable(spec, environments, report) {
        return Policies { any: None, named: BTreeMap::new() };
    }
    let mut named = BTreeMap::new();
    for (name, environment) in &environments.value.0 {
        let policy = compile_environment(spec, environment, report);
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
    Policies { any: None, named }
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

fn compile_environment(spec: &Spec, finer: &Environment, report: &mut Report) -> Policy {
    fn value<T: Clone>(finer: &Option<Spanned<T>>, above: &Option<Spanned<T>>) -> Option<T> {
        finer.as_ref().or(above.as_ref()).map(|spanned| spanned.value.clone())
    }
    let policy = Policy {
        steps: value(&finer.steps, &spec.steps).unwrap_or_default(),
        bake: value(&finer.bake, &spec.bake),
        health: health(spec, finer, report),
        probes: value(&finer.probes, &spec.probes).unwrap_or_default(),
        hold_limit: value(&finer.hold_limit, &spec.hold_limit),
        overrides: value(&finer.overrides, &spec.overrides),
        requires: value(&finer.requires, &None).unwrap_or_default(),
        blast_radius: value(&finer.blast_radius, &None),
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
    if let Some(Spanned { value: BakeReference::Reference | BakeReference::Slo, position }) =
        policy.bake.as_ref().and_then(|bake| bake.against.as_ref())
    {
        let hint = "`retained` compares with replicas of the old revision that keep serving".to_owned();
        report.error(Code::NotSupportedYet, position, "this comparison is not supported yet", hint);
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

fn health(spec: &Spec, finer: &Environment, report: &mut Report) -> Option<HealthPlan> {
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
    let judge = judge(&health, given, report);
    check_grid(&health, report);
    for metric in given {
        check_source(metric, spec, report);
    }
    let mut metrics: Vec<MetricPlan> =
        given.iter().filter_map(|metric| MetricPlan::compile(metric, judge, report)).collect();
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    let score = health.score.as_ref().map_or_else(|| ScoreLimits::at(&health.position), |score| score.value.clone());
    if score.fail() > score.pass() {
        let hint = "below `fail` the release fails, from `pass` on it passes".to_owned();
        report.error(Code::Range, &score.position, "`fail` is larger than `pass`", hint);
    }
    let flagger = health.flagger.as_ref().map_or_else(|| FlaggerSettings::at(&health.position), |f| f.value.clone());
    at_least_one(&flagger.threshold, "threshold", report);
    if let (Some(settings), true) = (&health.flagger, judge != Judge::Flagger) {
        report.error(
            Code::Unused,
            &settings.position,
            "`flagger` is not used here",
            "only `judge: flagger` reads it".to_owned(),
        );
    }
    if matches!(judge, Judge::Argo | Judge::Flagger) {
        let given = [
            ("score", health.score.as_ref().map(|score| &score.position)),
            ("horizon", health.horizon.as_ref().map(|horizon| &horizon.position)),
            ("onInconclusive", health.on_inconclusive.as_ref().map(|outcome| &outcome.position)),
        ];
        for (key, position) in given.into_iter().filter_map(|(key, position)| Some((key, position?))) {
            let hint = format!("`judge: {judge}` has no such setting, and its semantics are kept exactly");
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint);
        }
    }
    Some(HealthPlan {
        grid: Grid { every: health.every(), settle: health.settle(), warm_up: health.warm_up() },
        horizon: health.horizon(),
        on_inconclusive: health.on_inconclusive(),
        pass_score: score.pass(),
        fail_score: score.fail(),
        flagger_threshold: (judge == Judge::Flagger).then(|| flagger.threshold().get()),
        metrics,
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

/// The judge, which must exist already.
fn judge(health: &Health, metrics: &[Metric], report: &mut Report) -> Judge {
    let judge = health.judge();
    let position = health.judge.as_ref().map_or(&health.position, |judge| &judge.position);
    let compared = metrics.iter().any(|metric| metric.tolerate.is_some() || metric.unacceptable.is_some());
    let missing = match judge {
        Judge::Kayenta => true,
        Judge::Evidence => compared || health.judge.is_some(),
        Judge::Threshold | Judge::Argo | Judge::Flagger => false,
    };
    if missing {
        let hint = "`judge: threshold` compares interval by interval, without a guarantee".to_owned();
        report.error(Code::NotSupportedYet, position, format!("`judge: {judge}` is not supported yet"), hint);
        return Judge::Threshold;
    }
    judge
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
    let Some(from) = &metric.from else { return };
    let sources = || spec.sources.iter().flat_map(|sources| &sources.value.0).map(|(name, _)| name.value.as_str());
    if spec.whole && !sources().any(|source| source == from.value.as_str()) {
        let hint = did_you_mean(from.value.as_str(), sources());
        report.error(Code::Name, &from.position, format!("no source has the name `{}`", from.value), hint);
    }
}
