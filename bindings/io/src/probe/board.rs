//! What a prober knows of its runs: the newest of each, counts since the start, and how reliable it was itself.

use std::collections::BTreeMap;

use davy::document::probe::DriftKind;
use davy::probe::{Difference, FlowResult, ProbeMetrics};
use davy::{Instant, Name, ProbeVerdict};

use super::timetable::Job;

/// The part of due runs that a prober should carry out, in thousandths.
pub const PROBER_OBJECTIVE: f64 = 0.999;

/// The results of a prober.
#[derive(Debug, Clone)]
pub struct Board {
    since: Instant,
    metrics: ProbeMetrics,
    prober: ProberCounts,
    /// By flow, target and location.
    drift: BTreeMap<(Name, Name, Option<Name>), Vec<Difference>>,
}

/// How reliable the prober was: a service cannot be blamed for a run that did not take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProberCounts {
    /// Runs that were carried out to a verdict about the service.
    pub carried_out: u64,
    /// Runs that ended with the prober's own failure.
    pub failed: u64,
    /// Runs that never began, for the prober was too late or had no free worker.
    pub missed: u64,
    /// Runs that did not begin because the last one was not over. They count for nothing: the service may be slow.
    pub overlapping: u64,
    /// Runs that were cancelled. They count for nothing.
    pub cancelled: u64,
    /// Results that could not be written to where they should go.
    pub unwritten: u64,
}

impl Board {
    /// Without results.
    #[must_use]
    pub fn new(since: Instant) -> Self {
        Self { since, metrics: ProbeMetrics::default(), prober: ProberCounts::default(), drift: BTreeMap::new() }
    }

    /// Adds a run.
    pub fn add(&mut self, result: &FlowResult) {
        self.metrics.add(result);
        match result.verdict {
            ProbeVerdict::Pass | ProbeVerdict::Degraded | ProbeVerdict::Fail => self.prober.carried_out += 1,
            ProbeVerdict::Error => self.prober.failed += 1,
            ProbeVerdict::Skipped => self.prober.cancelled += 1,
        }
    }

    /// Takes how the newest answers to a job differ in shape from those that were recorded.
    pub fn set_drift(&mut self, job: &Job, differences: Vec<Difference>) {
        let key = (job.plan.name().clone(), job.target.clone(), job.location.clone());
        self.drift.insert(key, differences);
    }

    fn drift(&self) -> String {
        if self.drift.is_empty() {
            return String::new();
        }
        let mut text = "# TYPE davy_probe_drift gauge\n# HELP davy_probe_drift Fields that differ in shape from those that were recorded.\n".to_owned();
        for ((flow, target, location), differences) in &self.drift {
            let location = location.as_ref().map_or_else(String::new, |location| format!(",location=\"{location}\""));
            let mut counts: BTreeMap<(&str, DriftKind), u64> = BTreeMap::new();
            for difference in differences {
                *counts.entry((&difference.step, difference.kind)).or_default() += 1;
            }
            for ((step, kind), count) in counts {
                // None of them can hold a quote or a line break.
                text.push_str(&format!(
                    "davy_probe_drift{{flow=\"{flow}\",target=\"{target}\"{location},step=\"{step}\",kind=\"{kind}\"}} {count}\n"
                ));
            }
        }
        text
    }

    /// How reliable the prober was.
    #[must_use]
    pub const fn prober(&self) -> ProberCounts {
        self.prober
    }

    /// Counts what became of runs that gave no result.
    pub const fn prober_mut(&mut self) -> &mut ProberCounts {
        &mut self.prober
    }

    /// As OpenMetrics 1.0 text.
    #[must_use]
    pub fn to_openmetrics(&self) -> String {
        let results = self.metrics.to_openmetrics();
        let results = results.trim_end_matches("# EOF\n");
        let ProberCounts { carried_out, failed, missed, overlapping, cancelled, unwritten } = self.prober;
        let bad = failed + missed;
        let drift = self.drift();
        format!(
            "{results}{drift}# TYPE davy_prober_runs counter\n\
             # HELP davy_prober_runs Runs that were due, by what became of them; an SLI of the prober itself.\n\
             davy_prober_runs_total{{result=\"good\"}} {carried_out}\n\
             davy_prober_runs_total{{result=\"bad\"}} {bad}\n\
             # TYPE davy_prober_objective gauge\n\
             # HELP davy_prober_objective The part of them that should be good.\n\
             davy_prober_objective {PROBER_OBJECTIVE}\n\
             # TYPE davy_prober_not_run counter\n\
             # HELP davy_prober_not_run Runs without a verdict about the service, by reason.\n\
             davy_prober_not_run_total{{reason=\"failed\"}} {failed}\n\
             davy_prober_not_run_total{{reason=\"missed\"}} {missed}\n\
             davy_prober_not_run_total{{reason=\"overlap\"}} {overlapping}\n\
             davy_prober_not_run_total{{reason=\"cancelled\"}} {cancelled}\n\
             # TYPE davy_prober_unwritten counter\n\
             # HELP davy_prober_unwritten Results that could not be written to where they should go.\n\
             davy_prober_unwritten_total {unwritten}\n\
             # EOF\n"
        )
    }

    /// As the body of an OTLP/HTTP request in JSON (`POST /v1/metrics`).
    #[must_use]
    pub fn to_otlp(&self, now: Instant) -> serde_json::Value {
        self.metrics.to_otlp(self.since, now)
    }
}

impl ProberCounts {
    /// The part of due runs that were carried out; nothing where none was due.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn availability(self) -> Option<f64> {
        let all = self.carried_out + self.failed + self.missed;
        (all > 0).then(|| self.carried_out as f64 / all as f64)
    }
}
