//! What is to be said of the plugin that measures a metric: that it did, or why it did not.

use std::collections::BTreeMap;

use super::super::Look;
use crate::decision::{Cause, Finding, HoldKind, NoFlip, Standing};
use crate::document::OnFault;
use crate::plugin::PluginKey;
use crate::policy::{HealthPlan, MetricPlan, PluginPlan};
use crate::snapshot::{Cohort, Observed, PluginObservation, PluginOutcome};
use crate::{Count, Instant};

/// The runs of one metric's plugin, by interval and cohort.
type Runs<'a> = BTreeMap<(Instant, Cohort), &'a PluginObservation>;

pub(super) fn judge(look: Look<'_>, health: &HealthPlan, metric: &MetricPlan, findings: &mut Vec<Finding>) {
    let Some(plugin) = metric.plugin() else { return };
    let own = look.snapshot.plugins.iter().filter(|run| run.metric == metric.name);
    let runs: Runs<'_> = own.map(|run| ((run.start, run.cohort), run)).collect();
    let standing = if metric.dry_run { Standing::DryRun } else { Standing::Counts };
    let mut push = |finding: Finding| {
        let finding = finding.about(&metric.name).from(&metric.position);
        findings.push(Finding { standing: standing.clone(), ..finding });
    };
    let blind = |cause| Finding::hold(HoldKind::Blind, cause).no_flip(NoFlip::NoValue);
    unknown(look, health, metric, plugin, &runs).into_iter().for_each(|cause| push(blind(cause)));
    if plugin.on_fault == OnFault::Fail
        && let Some(cause) = runs.values().find_map(|run| fails(look, health, run))
    {
        push(Finding::fail(cause).no_flip(NoFlip::NoValue));
    }
    let Some(newest) = look.folded.newest().map(|slot| health.grid.start_of(slot)) else { return };
    for cohort in [Cohort::Canary, Cohort::Baseline] {
        let Some(run) = runs.get(&(newest, cohort)) else { continue };
        match said(run) {
            Some(cause) => push(blind(cause).retry_after(health.grid.every())),
            None => {
                let PluginObservation { plugin, engine, fuel, start, .. } = (*run).clone();
                push(Finding::pass(Cause::PluginMeasured { cohort, plugin, engine, fuel, start }));
            }
        }
    }
}

/// Results that nobody says where they come from, or that another plugin computed.
fn unknown(
    look: Look<'_>,
    health: &HealthPlan,
    metric: &MetricPlan,
    plugin: &PluginPlan,
    runs: &Runs<'_>,
) -> Vec<Cause> {
    let pinned = match &plugin.key {
        PluginKey::Pinned(digest) => Some(*digest),
        PluginKey::Native(_) => None,
    };
    let first = health.grid.first_judged(look.snapshot.release.started_at);
    let (mut unrecorded, mut other) = (None, None);
    let mut intervals = Count::ZERO;
    for interval in &look.snapshot.intervals {
        let judged = health.grid.slot(interval.start(), interval.end()).is_some_and(|slot| slot >= first);
        let own = interval.observations().iter().filter(|observation| judged && observation.metric == metric.name);
        let mut known = true;
        for observation in own {
            let run = runs.get(&(interval.start(), observation.cohort));
            match run.filter(|run| agree(&observation.observed, &run.outcome)) {
                Some(run) if run.plugin == pinned => {}
                Some(run) => other = other.or(Some(Cause::PluginOther { found: run.plugin, start: run.start })),
                // What is missing can only tighten.
                None => known &= matches!(observation.observed, Observed::Missing(_)),
            }
        }
        if !known {
            let start: Instant = unrecorded.map_or(interval.start(), |first: Instant| first.min(interval.start()));
            unrecorded = Some(start);
            intervals = intervals.saturating_add(Count::from(1));
        }
    }
    let unrecorded = unrecorded.map(|start| Cause::PluginUnrecorded { start, intervals });
    unrecorded.into_iter().chain(other).collect()
}

fn agree(observed: &Observed, outcome: &PluginOutcome) -> bool {
    match (observed, outcome) {
        (Observed::Gauge(seen), PluginOutcome::Value(value)) => seen.to_bits() == value.to_bits(),
        (Observed::Counts { bad, total }, PluginOutcome::Counts { bad: some, total: all }) => {
            bad == some && total == all
        }
        (Observed::Missing(_), PluginOutcome::Rejected { .. } | PluginOutcome::Faulted { .. }) => true,
        _ => false,
    }
}

/// A fault of the plugin itself, in an interval that is judged.
fn fails(look: Look<'_>, health: &HealthPlan, run: &PluginObservation) -> Option<Cause> {
    let started = health.grid.start_of(health.grid.first_judged(look.snapshot.release.started_at));
    let PluginOutcome::Faulted { fault, .. } = &run.outcome else { return None };
    said(run).filter(|_| !fault.is_of_the_host() && run.start >= started)
}

/// Why a run measured nothing.
fn said(run: &PluginObservation) -> Option<Cause> {
    let (cohort, start) = (run.cohort, run.start);
    match &run.outcome {
        PluginOutcome::Value(_) | PluginOutcome::Counts { .. } => None,
        PluginOutcome::Rejected { message } => Some(Cause::PluginRejected { cohort, message: message.clone(), start }),
        PluginOutcome::Faulted { fault, detail } => {
            Some(Cause::PluginFaulted { cohort, fault: *fault, detail: detail.clone(), start })
        }
    }
}
