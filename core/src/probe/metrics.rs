//! Results as metrics: OpenMetrics text under the names of the Prometheus blackbox exporter and our own, and OTLP JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::message::{Micros, Timings};
use super::result::{FlowPart, FlowResult};
use crate::snapshot::ProbeVerdict;
use crate::{Count, Duration, Instant};

/// Numbers of many runs, kept by a host that serves metrics: the newest run of each series that says something about the
/// service, and counts since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeMetrics(BTreeMap<String, Series>);

/// The runs of one flow against one target from one place for one cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Series {
    labels: Vec<(String, String)>,
    /// Nothing once the prober has failed: its failure is not the service's, and what was before it is no longer known.
    newest: Option<Newest>,
    /// Runs by verdict, and whether they were flaky.
    runs: BTreeMap<(ProbeVerdict, bool), u64>,
    /// Good and bad events by objective.
    slos: BTreeMap<String, (u64, u64)>,
    /// By step: cumulative counts of [`BOUNDS`], the sum, and how many.
    steps: BTreeMap<String, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Newest {
    success: bool,
    duration: Duration,
    status: Option<u16>,
    bytes: u64,
    redirects: u32,
    phases: Timings,
    expires: Option<Instant>,
    at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Histogram {
    buckets: Vec<u64>,
    sum: Micros,
    count: u64,
}

/// Upper bounds of the steps' histogram, in microseconds.
const BOUNDS: [u64; 12] =
    [5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 800_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000];

/// Good and bad events of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SloCounts {
    /// Good events.
    pub good: Count,
    /// Bad events.
    pub bad: Count,
}

/// The events of an objective among results; runs whose verdict is `error` or `skipped` are none.
///
/// They go into [`crate::slo::Events::of_both`] for the arithmetic of error budgets.
pub fn slo_counts<'a>(results: impl IntoIterator<Item = &'a FlowResult>, slo: &str) -> SloCounts {
    let mut counts = SloCounts::default();
    for event in results.into_iter().flat_map(|result| &result.slos).filter(|event| event.slo.as_str() == slo) {
        let side = if event.good { &mut counts.good } else { &mut counts.bad };
        *side = side.saturating_add(Count::from(1));
    }
    counts
}

impl ProbeMetrics {
    /// Adds a run.
    pub fn add(&mut self, result: &FlowResult) {
        let mut labels =
            vec![("flow".to_owned(), result.flow.to_string()), ("target".to_owned(), result.target.to_string())];
        if let Some(location) = &result.location {
            labels.push(("location".to_owned(), location.to_string()));
        }
        if let Some(cohort) = result.cohort {
            labels.push(("cohort".to_owned(), cohort.as_str().to_owned()));
        }
        let series = self.0.entry(written(&labels)).or_insert_with(|| Series {
            labels,
            newest: None,
            runs: BTreeMap::new(),
            slos: BTreeMap::new(),
            steps: BTreeMap::new(),
        });
        match result.verdict {
            ProbeVerdict::Pass | ProbeVerdict::Degraded | ProbeVerdict::Fail => series.newest = Some(newest(result)),
            ProbeVerdict::Error => series.newest = None,
            // A run that was cancelled says nothing, and takes nothing back.
            ProbeVerdict::Skipped => {}
        }
        *series.runs.entry((result.verdict, result.flaky)).or_default() += 1;
        for event in &result.slos {
            let (good, bad) = series.slos.entry(event.slo.to_string()).or_default();
            *(if event.good { good } else { bad }) += 1;
        }
        for step in &result.steps {
            for attempt in &step.attempts {
                series.steps.entry(step.id.clone()).or_default().add(attempt.duration);
            }
        }
    }

    /// As OpenMetrics 1.0 text. Under the blackbox exporter's names is the newest run: a dashboard made for it works. After a
    /// run whose verdict is `error` they are absent until the next one: the prober's fault is no failure of the service.
    #[must_use]
    pub fn to_openmetrics(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, unit: &str, help: &str, lines: Vec<String>| {
            if lines.is_empty() {
                return;
            }
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# TYPE {name} {kind}");
            if !unit.is_empty() {
                let _ = writeln!(text, "# UNIT {name} {unit}");
            }
            let _ = writeln!(text, "# HELP {name} {help}");
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
        };
        let gauge = |name: &str, value: &dyn Fn(&Newest) -> Option<String>| -> Vec<String> {
            let one = |series: &Series| {
                let value = series.newest.as_ref().and_then(value)?;
                Some(format!("{name}{} {value}", braces(&series.labels, &[])))
            };
            self.0.values().filter_map(one).collect()
        };
        let success = gauge("probe_success", &|newest| Some(u8::from(newest.success).to_string()));
        family("probe_success", "gauge", "", "Whether the newest run passed.", success);
        let duration = gauge("probe_duration_seconds", &|newest| Some(newest.duration.as_secs_f64().to_string()));
        family("probe_duration_seconds", "gauge", "seconds", "How long the newest run took.", duration);
        let status = gauge("probe_http_status_code", &|newest| newest.status.map(|status| status.to_string()));
        family("probe_http_status_code", "gauge", "", "The status of the newest run's last answer.", status);
        let bytes = gauge("probe_http_uncompressed_body_length", &|newest| Some(newest.bytes.to_string()));
        family("probe_http_uncompressed_body_length", "gauge", "", "The bytes of its body.", bytes);
        let redirects = gauge("probe_http_redirects", &|newest| Some(newest.redirects.to_string()));
        family("probe_http_redirects", "gauge", "", "How many redirects led to it.", redirects);
        let expiry = gauge("probe_ssl_earliest_cert_expiry", &|newest| {
            newest.expires.map(|expires| (expires.millis() / 1000).to_string())
        });
        family(
            "probe_ssl_earliest_cert_expiry",
            "gauge",
            "",
            "When the first certificate expires, in Unix time.",
            expiry,
        );
        family(
            "probe_http_duration_seconds",
            "gauge",
            "seconds",
            "How long the parts of the newest run's exchanges took together.",
            self.phases(),
        );
        family("davy_probe_runs", "counter", "", "Runs by verdict.", self.runs());
        family("davy_probe_slo_events", "counter", "", "Good and bad events of objectives.", self.slo_events());
        family(
            "davy_probe_step_seconds",
            "histogram",
            "seconds",
            "How long attempts of steps took.",
            self.step_times(),
        );
        text.push_str("# EOF\n");
        text
    }

    fn phases(&self) -> Vec<String> {
        let one = |series: &Series| {
            let phases = &series.newest.as_ref()?.phases;
            let all = [
                ("resolve", phases.dns),
                ("connect", phases.connect),
                ("tls", phases.tls),
                ("processing", phases.wait),
                ("transfer", phases.receive),
            ];
            Some(all.map(|(phase, time)| {
                let seconds = time.unwrap_or_default().as_secs_f64();
                format!("probe_http_duration_seconds{} {seconds}", braces(&series.labels, &[("phase", phase)]))
            }))
        };
        self.0.values().filter_map(one).flatten().collect()
    }

    fn runs(&self) -> Vec<String> {
        let one = |series: &Series| {
            let line = |((verdict, flaky), count): (&(ProbeVerdict, bool), &u64)| {
                let flaky = if *flaky { "true" } else { "false" };
                let labels = braces(&series.labels, &[("verdict", verdict.as_str()), ("flaky", flaky)]);
                format!("davy_probe_runs_total{labels} {count}")
            };
            series.runs.iter().map(line).collect::<Vec<_>>()
        };
        self.0.values().flat_map(one).collect()
    }

    fn slo_events(&self) -> Vec<String> {
        let one = |series: &Series| {
            let line = |(slo, (good, bad)): (&String, &(u64, u64))| {
                [("good", good), ("bad", bad)].map(|(side, count)| {
                    let labels = braces(&series.labels, &[("slo", slo), ("result", side)]);
                    format!("davy_probe_slo_events_total{labels} {count}")
                })
            };
            series.slos.iter().flat_map(line).collect::<Vec<_>>()
        };
        self.0.values().flat_map(one).collect()
    }

    fn step_times(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for series in self.0.values() {
            for (step, histogram) in &series.steps {
                for (bound, count) in BOUNDS.iter().zip(&histogram.buckets) {
                    let bound = Micros(*bound).as_secs_f64();
                    let bound = if bound < 1.0 { bound.to_string() } else { format!("{bound:.1}") };
                    let labels = braces(&series.labels, &[("step", step), ("le", &bound)]);
                    lines.push(format!("davy_probe_step_seconds_bucket{labels} {count}"));
                }
                let labels = braces(&series.labels, &[("step", step), ("le", "+Inf")]);
                lines.push(format!("davy_probe_step_seconds_bucket{labels} {}", histogram.count));
                let labels = braces(&series.labels, &[("step", step)]);
                lines.push(format!("davy_probe_step_seconds_count{labels} {}", histogram.count));
                lines.push(format!("davy_probe_step_seconds_sum{labels} {}", histogram.sum.as_secs_f64()));
            }
        }
        lines
    }

    /// As the body of an OTLP/HTTP request in JSON (`POST /v1/metrics`): runs and events as cumulative sums since
    /// `since`, the newest run's success and time as gauges.
    #[must_use]
    pub fn to_otlp(&self, since: Instant, now: Instant) -> Json {
        // Whole nanoseconds do not fit into a double: OTLP writes 64 bits as text.
        let nanos = |at: Instant| format!("{}000000", at.millis());
        let attributes = |series: &Series, more: &[(&str, &str)]| -> Json {
            let own = series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let all = own.chain(more.iter().copied());
            let all = all.map(|(name, value)| json!({ "key": name, "value": { "stringValue": value } }));
            all.chain([json!({ "key": "synthetic.type", "value": { "stringValue": "test" } })]).collect()
        };
        let point = |series: &Series, more: &[(&str, &str)], value: u64| {
            json!({
                "attributes": attributes(series, more),
                "startTimeUnixNano": nanos(since),
                "timeUnixNano": nanos(now),
                "asInt": value.to_string(),
            })
        };
        let (mut runs, mut events, mut success, mut duration) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for series in self.0.values() {
            for ((verdict, flaky), count) in &series.runs {
                let flaky = if *flaky { "true" } else { "false" };
                runs.push(point(series, &[("verdict", verdict.as_str()), ("flaky", flaky)], *count));
            }
            for (slo, (good, bad)) in &series.slos {
                events.push(point(series, &[("slo", slo), ("result", "good")], *good));
                events.push(point(series, &[("slo", slo), ("result", "bad")], *bad));
            }
            let Some(newest) = &series.newest else { continue };
            let at = nanos(newest.at);
            let own = attributes(series, &[]);
            success
                .push(json!({ "attributes": own, "timeUnixNano": at, "asInt": u8::from(newest.success).to_string() }));
            duration.push(json!({ "attributes": own, "timeUnixNano": at, "asDouble": newest.duration.as_secs_f64() }));
        }
        let sum = |name: &str, unit: &str, points: Vec<Json>| {
            // 2 is AGGREGATION_TEMPORALITY_CUMULATIVE.
            json!({ "name": name, "unit": unit, "sum": { "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": points } })
        };
        let gauge = |name: &str, unit: &str, points: Vec<Json>| json!({ "name": name, "unit": unit, "gauge": { "dataPoints": points } });
        let metrics = json!([
            sum("davy.probe.runs", "{run}", runs),
            sum("davy.probe.slo.events", "{event}", events),
            gauge("davy.probe.success", "1", success),
            gauge("davy.probe.duration", "s", duration),
        ]);
        json!({ "resourceMetrics": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "davy-probe" } }] },
            "scopeMetrics": [{ "scope": { "name": "davy", "version": env!("CARGO_PKG_VERSION") }, "metrics": metrics }],
        }] })
    }
}

impl Histogram {
    fn add(&mut self, time: Micros) {
        self.buckets.resize(BOUNDS.len(), 0);
        for (bound, count) in BOUNDS.iter().zip(&mut self.buckets) {
            *count += u64::from(time.0 <= *bound);
        }
        self.sum = self.sum.plus(time);
        self.count += 1;
    }
}

fn newest(result: &FlowResult) -> Newest {
    let last = result
        .steps
        .iter()
        .filter(|step| step.part == FlowPart::Steps)
        .filter_map(|step| step.attempts.last())
        .next_back();
    let mut phases = Timings::default();
    for attempt in result.attempts() {
        let timings = &attempt.timings;
        for (sum, part) in [
            (&mut phases.dns, timings.dns),
            (&mut phases.connect, timings.connect),
            (&mut phases.tls, timings.tls),
            (&mut phases.wait, timings.wait),
            (&mut phases.receive, timings.receive),
        ] {
            *sum = match (*sum, part) {
                (Some(sum), Some(part)) => Some(sum.plus(part)),
                (sum, part) => sum.or(part),
            };
        }
    }
    Newest {
        success: matches!(result.verdict, ProbeVerdict::Pass | ProbeVerdict::Degraded),
        duration: result.duration(),
        status: last.and_then(|attempt| attempt.status),
        bytes: last.map_or(0, |attempt| attempt.bytes),
        redirects: last.map_or(0, |attempt| attempt.redirects),
        phases,
        expires: result.attempts().filter_map(|attempt| attempt.expires).min(),
        at: result.ended,
    }
}

fn written(labels: &[(String, String)]) -> String {
    braces(labels, &[])
}

/// Labels as OpenMetrics writes them.
fn braces(labels: &[(String, String)], more: &[(&str, &str)]) -> String {
    let own = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<String> = own
        .chain(more.iter().copied())
        .map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{name}=\"{value}\"")
        })
        .collect();
    format!("{{{}}}", all.join(","))
}
