//! One flow compiled: its targets, its three parts, its schedule and its objectives.

use std::collections::BTreeMap;

use super::expectation;
use super::scope::Scope;
use super::step::{Builder, Section, Surroundings, TargetFacts, without_code};
use super::{Library, feasible, lint, windows};
use crate::document::decode::{Report, Spanned};
use crate::document::diagnostic::{DiagnosticCode as Code, shown};
use crate::document::probe::{
    Defaults, Drift, DriftKind, FlowSpec, LocationMode, ProbeFlow, ProbeTarget, RecordResponses, Route, Schedule,
    TlsSettings, TlsVerify,
};
use crate::policy::PluginFiles;
use crate::probe::language::Languages;
use crate::probe::plan::{DriftPlan, Path, Plan, QuorumPlan, RoutePlan, SchedulePlan, SecretPlan, SloPlan, TargetPlan};
use crate::probe::template::{Part, parts};
use crate::probe::url::{Host, Url};
use crate::probe::windows::RunWindows;
use crate::{Digest, Duration};

/// The longest run of a flow without a schedule.
const UNSCHEDULED: Duration = Duration::from_secs(30);
const TEARDOWN: Duration = Duration::from_secs(10);

/// Compiles a flow; nothing where it has no usable target.
pub(super) fn compile(
    flow: &ProbeFlow,
    digest: Digest,
    libraries: &[Library],
    languages: Languages<'_>,
    plugins: &PluginFiles,
    report: &mut Report,
) -> Option<Plan> {
    let spec = &flow.spec.value;
    let mut builder = Builder::new(libraries, languages, plugins, report);
    let mut scope = builtins(&mut builder);
    let secrets = secrets(spec, &mut builder, &mut scope);
    let targets = targets(spec, &mut builder, &mut scope);
    let blank = Defaults::at(&spec.position);
    let surroundings = Surroundings {
        imports: spec.imports.as_ref().map(|imports| &imports.value),
        defaults: spec.defaults.as_ref().map_or(&blank, |defaults| &defaults.value),
        prefix: String::new(),
    };
    if let Some(setup) = &spec.setup {
        builder.all(&setup.value, &surroundings, &mut scope);
    }
    builder.section = Section::Steps;
    let (steps_from, first_step) = (builder.ops.len(), builder.steps.len());
    builder.all(&spec.steps.value, &surroundings, &mut scope);
    let (teardown_from, last_step, worst) = (builder.ops.len(), builder.steps.len(), builder.worst);
    builder.section = Section::Teardown;
    if let Some(teardown) = &spec.teardown {
        builder.all(&teardown.value, &surroundings, &mut scope);
    }
    check_parts(flow, &mut builder, first_step, last_step);

    let worst = Duration::from_millis(worst);
    let given = spec.schedule.as_ref().map(|schedule| &schedule.value);
    let schedule = given.map(|given| schedule(given, builder.report));
    if let (Some(given), Some(schedule)) = (given, &schedule) {
        feasible::schedule(given, schedule, worst, builder.report);
    }
    let slos = slos(spec, schedule.as_ref(), &mut builder, last_step);
    let (redact_headers, redact_paths) =
        spec.record.as_ref().map_or_else(Default::default, |record| redactions(&record.value, builder.report));
    let record = spec.record.as_ref().map(|record| &record.value);
    let digest = builder.files.values().fold(digest, |digest, file| digest.chain(*file));
    if targets.is_empty() {
        return None;
    }
    Some(Plan {
        name: flow.metadata.value.name.value.clone(),
        position: flow.metadata.value.name.position.clone(),
        digest,
        targets,
        slots: builder.table.slots,
        secrets,
        ops: builder.ops,
        steps_from,
        teardown_from,
        steps: builder.steps,
        groups: builder.groups,
        cookies: surroundings.defaults.cookies(),
        schedule,
        timeout: given.map_or(UNSCHEDULED, Schedule::timeout),
        teardown_timeout: given.map_or(TEARDOWN, Schedule::teardown_timeout),
        slos,
        keep: record.map_or(crate::document::probe::Keep::None, RecordResponses::keep),
        sample: record.map(RecordResponses::sample).unwrap_or_default(),
        redact_headers,
        redact_paths,
        drift: spec.drift.as_ref().map(|drift| drifts(&drift.value)),
    })
}

fn schedule(given: &Schedule, report: &mut Report) -> SchedulePlan {
    let plan = SchedulePlan {
        every: given.every.value,
        jitter: given.jitter.as_ref().map(|jitter| jitter.value).unwrap_or_default(),
        overlap: given.overlap(),
        locations: given.locations.iter().flat_map(|all| &all.value).map(|name| name.value.clone()).collect(),
        rotate: given.mode() == LocationMode::Rotate,
        quorum: given.quorum.as_ref().map(|quorum| QuorumPlan {
            fail: quorum.value.fail.value.get(),
            of: quorum.value.of.value.get(),
            within: quorum.value.within.value,
        }),
        windows: RunWindows::default(),
    };
    let windows = windows::compile(given, &plan, report);
    SchedulePlan { windows, ..plan }
}

fn drifts(drift: &Drift) -> DriftPlan {
    let kinds = |kinds: &Option<Spanned<Vec<DriftKind>>>| kinds.as_ref().map(|kinds| kinds.value.clone());
    DriftPlan {
        baseline: drift.baseline.value.clone(),
        fail_on: kinds(&drift.fail_on).unwrap_or_else(|| vec![DriftKind::Removed, DriftKind::TypeChanged]),
        warn_on: kinds(&drift.warn_on).unwrap_or_default(),
        max_age: drift.max_age(),
    }
}

/// Checks the actions of a library by themselves, with inputs of which nothing is known.
pub(super) fn check_library(
    library: &Library,
    libraries: &[Library],
    languages: Languages<'_>,
    plugins: &PluginFiles,
    report: &mut Report,
) {
    let blank = Defaults::at(&library.document.spec.position);
    for (_, action) in &library.document.spec.value.actions.value.0 {
        let mut builder = Builder::new(libraries, languages, plugins, report);
        builder.stack.push(library.path.clone());
        let mut scope = builtins(&mut builder);
        for (input, declared) in action.inputs.iter().flat_map(|inputs| &inputs.value.0) {
            let name = format!("inputs.{}", input.value);
            let slot = builder.table.add(name.clone(), lint::is_secret_like(input.value.as_str()));
            scope.names.insert(name, slot);
            if let Some(default) = &declared.default {
                let text = Scope::default().text(default, &mut builder.table, builder.report);
                lint::literal(input.value.as_str(), &text, &default.position, builder.report);
            }
        }
        let imports = library.document.spec.value.imports.as_ref().map(|imports| &imports.value);
        let surroundings = Surroundings { imports, defaults: &blank, prefix: String::new() };
        builder.all(&action.steps.value, &surroundings, &mut scope);
        for (_, output) in action.outputs.iter().flat_map(|outputs| &outputs.value.0) {
            scope.text(&output.value, &mut builder.table, builder.report);
        }
        unused(&mut builder);
    }
}

/// The slots that every run fills, in the order that the machine knows.
fn builtins(builder: &mut Builder<'_>) -> Scope {
    let mut scope = Scope::default();
    for name in ["target.name", "target.baseUrl", "run.id", "run.location"] {
        let slot = builder.table.add(name, false);
        scope.names.insert(name.to_owned(), slot);
    }
    scope
}

fn secrets(spec: &FlowSpec, builder: &mut Builder<'_>, scope: &mut Scope) -> Vec<SecretPlan> {
    let all = spec.secrets.iter().flat_map(|secrets| &secrets.value.0);
    let mut plan = |(name, secret): &(Spanned<crate::Name>, crate::document::probe::Secret)| {
        let full = format!("secrets.{}", name.value);
        let slot = builder.table.add(full.clone(), true);
        scope.names.insert(full, slot);
        SecretPlan { name: name.value.clone(), source: secret.from.value.clone(), slot }
    };
    all.map(&mut plan).collect()
}

fn targets(spec: &FlowSpec, builder: &mut Builder<'_>, scope: &mut Scope) -> Vec<TargetPlan> {
    let given = &spec.targets.value.0;
    if given.is_empty() {
        let message = "a flow needs at least one target";
        builder.report.error(Code::MissingKey, &spec.targets.position, message, None);
    }
    let vars_of = |target: &ProbeTarget| -> Vec<(String, Spanned<crate::document::probe::Template>)> {
        let vars = target.vars.iter().flat_map(|vars| &vars.value.0);
        vars.map(|(name, value)| (name.value.to_string(), value.clone())).collect()
    };
    for (_, target) in given {
        for (name, _) in vars_of(target) {
            let full = format!("vars.{name}");
            scope.names.entry(full.clone()).or_insert_with(|| builder.table.add(full, false));
        }
    }
    let mut plans = Vec::new();
    for (name, target) in given {
        let vars = variables(name.value.as_str(), target, &vars_of(target), builder, scope);
        let Some(plan) = one_target(name, target, &vars, builder, scope) else { continue };
        builder.targets.push(TargetFacts { name: name.value.to_string(), hosts: plan.hosts.clone(), vars });
        plans.push(plan);
    }
    plans
}

/// The variables of one target; those that only others have are missing here.
fn variables(
    target: &str,
    given: &ProbeTarget,
    vars: &[(String, Spanned<crate::document::probe::Template>)],
    builder: &mut Builder<'_>,
    scope: &Scope,
) -> BTreeMap<usize, String> {
    let mut known = BTreeMap::new();
    for (name, value) in vars {
        let text = Scope::default().text(value, &mut builder.table, builder.report);
        lint::literal(name, &text, &value.position, builder.report);
        let plain = parts(&value.value.0).into_iter().filter_map(|part| match part {
            Part::Plain(text) => Some(text),
            _ => None,
        });
        if let Some(slot) = scope.names.get(&format!("vars.{name}")) {
            known.insert(*slot, plain.collect());
        }
    }
    for (name, slot) in scope.names.iter().filter(|(name, _)| name.starts_with("vars.")) {
        if !known.contains_key(slot) {
            let message = format!("the target `{target}` has no `{name}`, which another target has");
            let hint = "every target needs the same variables".to_owned();
            builder.report.error(Code::ProbeReference, &given.position, message, hint);
        }
    }
    known
}

fn one_target(
    name: &Spanned<crate::Name>,
    target: &ProbeTarget,
    vars: &BTreeMap<usize, String>,
    builder: &mut Builder<'_>,
    scope: &Scope,
) -> Option<TargetPlan> {
    let base_url = read_url(&target.base_url, builder.report)?;
    let mut hosts = vec![base_url.host().to_string()];
    for host in target.allow_hosts.iter().flat_map(|hosts| &hosts.value) {
        match host.value.parse::<Host>() {
            Ok(host) => hosts.push(host.to_string()),
            Err(error) => builder.report.error(Code::BadValue, &host.position, without_code(&error.to_string()), None),
        }
    }
    let blank = TlsSettings::at(&target.position);
    let tls = target.tls.as_ref().map_or(&blank, |tls| &tls.value);
    if tls.verify() == TlsVerify::Off && !target.staging() {
        let position = tls.verify.as_ref().map_or(&tls.position, |verify| &verify.position);
        let message =
            format!("the target `{}` takes any certificate, and is not marked as a staging target", name.value);
        builder.report.error(
            Code::ProbeTlsOff,
            position,
            message,
            "remove it, or add `staging: true` to the target".to_owned(),
        );
    }
    let mut route = |route: &Option<Spanned<Route>>| {
        let route = &route.as_ref()?.value;
        let base_url = route.base_url.as_ref().and_then(|url| read_url(url, builder.report));
        hosts.extend(base_url.iter().map(|url| url.host().to_string()));
        let headers = builder.headers(route.headers.as_ref(), scope);
        Some(RoutePlan { headers, base_url, connect_to: route.connect_to.as_ref().map(|to| to.value.clone()) })
    };
    let (canary, baseline) = (route(&target.canary), route(&target.baseline));
    Some(TargetPlan {
        name: name.value.clone(),
        base_url,
        hosts,
        policy: target.address_policy(),
        tls_min_version: tls.min_version(),
        tls_verify: tls.verify(),
        vars: vars.iter().map(|(slot, value)| (*slot, value.clone())).collect(),
        canary,
        baseline,
    })
}

fn read_url(given: &Spanned<String>, report: &mut Report) -> Option<Url> {
    let read = given.value.parse::<Url>();
    if let Err(error) = &read {
        report.error(Code::BadValue, &given.position, without_code(&error.to_string()), None);
    }
    read.ok()
}

/// P003, P005 and P012: what concerns the flow as a whole.
fn check_parts(flow: &ProbeFlow, builder: &mut Builder<'_>, first: usize, last: usize) {
    unused(builder);
    let own = builder.steps.get(first..last).unwrap_or_default();
    let expects = own.iter().any(|step| {
        let captures = || step.captures.iter().any(|capture| !capture.optional);
        // A plugin's step ends with what it expected.
        !step.checks.is_empty() || step.poll.is_some() || step.custom.is_some() || captures()
    });
    if !expects {
        let message = "no step expects anything, and a run that expects nothing never passes";
        let position = &flow.spec.value.steps.position;
        builder.report.error(Code::ProbeNoExpectation, position, message, "add `expect` to a step".to_owned());
    }
    if let Some(changes) = builder.changes.clone().filter(|_| flow.spec.value.teardown.is_none()) {
        let message = "the flow changes something and has no `teardown` that cleans up";
        let hint = "add `teardown`, or `teardown: []` if nothing is left behind";
        builder.report.warn(Code::ProbeNoTeardown, &changes, message, hint);
    }
}

/// P003: captures that nothing uses.
fn unused(builder: &mut Builder<'_>) {
    for (slot, position) in &builder.captured {
        if builder.table.used.get(*slot) == Some(&false) {
            let name = builder.table.slots.get(*slot).map(|slot| slot.name.clone()).unwrap_or_default();
            let message = format!("nothing uses the capture `{}`", shown(&name));
            let hint = "remove it, or expect it to exist with `jsonpath`, `header` or `cookie`";
            builder.report.warn(Code::ProbeUnusedCapture, position, message, hint);
        }
    }
}

fn slos(spec: &FlowSpec, schedule: Option<&SchedulePlan>, builder: &mut Builder<'_>, last_step: usize) -> Vec<SloPlan> {
    let mut plans: Vec<SloPlan> = Vec::new();
    for slo in spec.slos.iter().flat_map(|slos| &slos.value) {
        if plans.iter().any(|plan| plan.name == slo.name.value) {
            let message = format!("`{}` is used twice", slo.name.value);
            builder.report.error(Code::ProbeDuplicateId, &slo.name.position, message, "choose another name".to_owned());
        }
        let ids = builder.steps.iter().take(last_step).map(|step| step.id.as_str());
        if let Some(step) = slo.step.as_ref().filter(|step| !ids.clone().any(|id| id == step.value.as_str())) {
            let message = format!("there is no step `{}`", step.value);
            let near = crate::document::diagnostic::did_you_mean(step.value.as_str(), ids);
            builder.report.error(Code::ProbeReference, &step.position, message, near);
        }
        if let (Some(step), None) = (&slo.step, &slo.within) {
            let message = "a `step` without `within` says nothing: its failure fails the run anyway";
            builder.report.error(Code::Choice, &step.position, message, "add `within`".to_owned());
        }
        if let Some(schedule) = schedule {
            feasible::objective(slo, schedule, builder.report);
        }
        plans.push(SloPlan {
            name: slo.name.value.clone(),
            objective: slo.objective.value,
            period: slo.period.value,
            step: slo.step.as_ref().map(|step| step.value.to_string()),
            within: slo.within.as_ref().map(|within| within.value),
            on_retry: slo.on_retry(),
        });
    }
    plans
}

/// Headers and paths that recordings leave out.
fn redactions(record: &RecordResponses, report: &mut Report) -> (Vec<String>, Vec<Path>) {
    let (mut headers, mut paths) = (Vec::new(), Vec::new());
    for redact in record.redact.iter().flat_map(|redact| &redact.value) {
        match redact.value.strip_prefix("header:") {
            Some(name) => headers.push(name.to_ascii_lowercase()),
            None => paths.extend(expectation::path(&redact.value, &redact.position, report)),
        }
    }
    (headers, paths)
}
