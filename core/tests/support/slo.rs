//! Builders for bundles with SLOs, and for what was seen of one.

use std::num::NonZeroU32;

use davy::{Bundle, Cohort, Count, Decision, Engine, Instant, Part, Seen, Share, SloWindow, Snapshot, State};

use super::{at, document, name, snapshot};

/// An OpenSLO document, part by part.
#[derive(Debug, Clone)]
pub(crate) struct Slo {
    pub(crate) name: &'static str,
    /// In flow style, as everything here.
    pub(crate) annotations: String,
    /// `indicator` or `indicatorRef`; nothing for a composite.
    pub(crate) indicator: String,
    pub(crate) period: String,
    pub(crate) method: &'static str,
    pub(crate) objectives: String,
    /// Nothing for the Workbook's pairs.
    pub(crate) alerts: Vec<String>,
}

/// An SLO of 99 % of the events of thirty days. A page for ten times too fast in 1 h and 5 m: a tenth of the events.
pub(crate) fn slo(name: &'static str) -> Slo {
    Slo {
        name,
        annotations: String::new(),
        indicator: indicator("bad", "total"),
        period: "{ duration: 30d, isRolling: true }".to_owned(),
        method: "Occurrences",
        objectives: "{ target: 0.99 }".to_owned(),
        alerts: vec![alert("page", 10.0, "1h", "5m")],
    }
}

/// Bad of all events.
pub(crate) fn indicator(bad: &str, total: &str) -> String {
    let metric = |query: &str| format!("{{ metricSource: {{ spec: {{ query: {query} }} }} }}");
    let ratio = format!("ratioMetric: {{ counter: true, bad: {}, total: {} }}", metric(bad), metric(total));
    format!("indicator: {{ spec: {{ {ratio} }} }}")
}

/// An alert policy with one condition over a pair of windows.
pub(crate) fn alert(severity: &str, threshold: f64, long: &str, short: &str) -> String {
    let metadata = format!("metadata: {{ name: pair, annotations: {{ davy/shortWindow: {short} }} }}");
    let condition = format!("condition: {{ op: gt, threshold: {threshold}, lookbackWindow: {long} }}");
    format!("{{ spec: {{ conditions: [{{ {metadata}, spec: {{ severity: {severity}, {condition} }} }}] }} }}")
}

impl Slo {
    /// With these annotations, if there are any.
    pub(crate) fn with(self, annotations: &str) -> Self {
        Self { annotations: annotations.to_owned(), ..self }
    }

    pub(crate) fn text(&self) -> String {
        let Self { name, annotations, indicator, period, method, objectives, alerts } = self;
        let indicator = if indicator.is_empty() { String::new() } else { format!("{indicator}, ") };
        let alerts =
            if alerts.is_empty() { String::new() } else { format!(", alertPolicies: [{}]", alerts.join(", ")) };
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{ name: {name}, annotations: {{ {annotations} }} }}\n\
             spec: {{ {indicator}timeWindow: [{period}], budgetingMethod: {method}, objectives: [{objectives}]{alerts} }}\n"
        )
    }
}

/// A rollout of `checkout` with this `spec`, in flow style, and SLOs.
pub(crate) fn bundle_with(spec: &str, slos: &[Slo]) -> Bundle {
    let documents = slos.iter().map(|slo| (format!("{}.yaml", slo.name), slo.text()));
    let files: Vec<(String, String)> = documents.chain([("rollouts.yaml".to_owned(), document(spec))]).collect();
    Bundle::from_files(files.clone()).unwrap_or_else(|error| panic!("{error}\n{files:?}"))
}

pub(crate) fn engine_with(spec: &str, slos: &[Slo]) -> Engine {
    Engine::new(&bundle_with(spec, slos))
}

/// What most tests watch: one SLO, and everything as it is by default.
pub(crate) const BUDGET: &str = "budget: { slos: [availability] }";

/// When the windows end.
pub(crate) fn now() -> Instant {
    at("09:30")
}

/// So many bad of all events of the whole service, in the time up to 09:30, seen whole.
pub(crate) fn window(length: &str, bad: f64, total: f64) -> SloWindow {
    SloWindow {
        slo: name("availability"),
        objective: NonZeroU32::MIN,
        cohort: None,
        from: now().minus(length.parse().unwrap()),
        end: now(),
        part: Part::Bad(Seen::Amount(bad)),
        total: Seen::Amount(total),
        coverage: Share::ALL,
        oldest: None,
        newest: Some(now()),
        resets: Count::ZERO,
    }
}

/// The same window of the canary.
pub(crate) fn by_canary(window: SloWindow) -> SloWindow {
    SloWindow { cohort: Some(Cohort::Canary), ..window }
}

/// The same window of the baseline.
pub(crate) fn by_baseline(window: SloWindow) -> SloWindow {
    SloWindow { cohort: Some(Cohort::Baseline), ..window }
}

/// The same window at another time.
pub(crate) fn ending(end: Instant, window: SloWindow) -> SloWindow {
    SloWindow { from: end.minus(window.length()), end, newest: Some(end), ..window }
}

/// 30 days with a hundredth of the budget spent.
pub(crate) fn month() -> SloWindow {
    window("30d", 100.0, 1_000_000.0)
}

/// Nothing wrong in any window of [`slo`].
pub(crate) fn calm() -> Vec<SloWindow> {
    vec![window("1h", 0.0, 10_000.0), window("5m", 0.0, 1000.0), month()]
}

/// A fifth of the events of the whole service is bad, in both windows.
pub(crate) fn burning() -> Vec<SloWindow> {
    vec![window("1h", 2000.0, 10_000.0), window("5m", 200.0, 1000.0), month()]
}

/// A look at 09:30, from nothing.
pub(crate) fn look_with(engine: &Engine, asked: davy::Asked, windows: impl Into<Vec<SloWindow>>) -> Decision {
    let seen = Snapshot { now: now(), slos: windows.into(), ..snapshot(asked) };
    engine.decide(&State::new(), &seen).decision
}
