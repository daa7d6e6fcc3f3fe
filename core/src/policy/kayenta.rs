//! When `judge: kayenta` analyses, and how it scores.

use std::collections::BTreeMap;

use super::MetricPlan;
use crate::document::decode::Report;
use crate::document::{DiagnosticCode as Code, Health, KayentaSettings, Metric, Position};
use crate::{Duration, Name};

/// More points than anybody compares: the state keeps them all.
const MOST_POINTS: u64 = 5000;
/// More analyses, and more intervals, than anybody waits for: a gap goes through them at once.
const MOST_ANALYSES: u64 = 1000;
const MOST_INTERVALS: u64 = 100_000;

/// What all metrics together are held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KayentaPlan {
    /// The last analysis needs at least this score.
    pub(crate) pass: f64,
    /// An analysis with at most this score fails.
    pub(crate) marginal: f64,
    /// Intervals from one analysis to the next.
    pub(crate) every: u64,
    /// Intervals until the last analysis, which may come earlier than the next would.
    pub(crate) last: u64,
    /// The newest intervals that are compared; nothing for all.
    pub(crate) lookback: Option<usize>,
    /// Of groups, in percent.
    pub(crate) weights: BTreeMap<String, f64>,
    /// The groups of each metric, in the order of the metrics.
    pub(crate) groups: Vec<Vec<Name>>,
}

impl KayentaPlan {
    /// Checks the settings; what is wrong is reported.
    pub(crate) fn compile(
        health: &Health,
        given: &[Metric],
        metrics: &[MetricPlan],
        report: &mut Report,
    ) -> Option<Self> {
        let before = report.diagnostics.len();
        let blank = KayentaSettings::at(&health.position);
        let settings = health.kayenta.as_ref().map_or(&blank, |settings| &settings.value);
        let every = health.every();
        let mut intervals = |key: &str, length: Duration, position: &Position| {
            let whole = length.millis().is_multiple_of(every.millis().max(1));
            if !whole || length < every || length > health.horizon() {
                let message = format!(
                    "`{key}` is a whole number of intervals of {every}, at most the horizon of {}",
                    health.horizon()
                );
                report.error(Code::Range, position, message, None);
            }
            length.millis() / every.millis().max(1)
        };
        let of_horizon = health.horizon.as_ref().map_or(&health.position, |horizon| &horizon.position);
        let last = intervals("horizon", health.horizon(), of_horizon);
        let between = settings.analysis_every.as_ref();
        let between = between.map_or(last, |given| intervals("analysisEvery", given.value, &given.position));
        let lookback = settings.lookback.as_ref();
        let lookback = lookback.map(|given| intervals("lookback", given.value, &given.position));
        if lookback.unwrap_or(last) > MOST_POINTS {
            let message = format!("{} points are compared; at most {MOST_POINTS} are kept", lookback.unwrap_or(last));
            report.error(Code::Budget, of_horizon, message, "raise `every`, or give `lookback`".to_owned());
        }
        let analyses = last.div_ceil(between.max(1));
        if last > MOST_INTERVALS || analyses > MOST_ANALYSES {
            let message = format!(
                "the horizon has {last} intervals and {analyses} analyses; at most {MOST_INTERVALS} and {MOST_ANALYSES} are looked at"
            );
            report.error(Code::Budget, of_horizon, message, "raise `every`, or `analysisEvery`".to_owned());
        }
        let (pass, marginal) = (settings.pass().0, settings.marginal().0);
        if !(marginal >= 0.0 && pass >= marginal && pass <= 100.0) {
            let hint = "at `marginal` or below it fails, from `pass` on it passes".to_owned();
            report.error(Code::Range, &settings.position, "scores rise from 0 over `marginal` and `pass` to 100", hint);
        }
        let weights = settings.group_weights.iter().flat_map(|weights| &weights.value.0);
        let weights: BTreeMap<String, f64> =
            weights.map(|(group, weight)| (group.value.as_str().to_owned(), weight.0)).collect();
        if weights.values().any(|weight| !(0.0..=100.0).contains(weight)) {
            report.error(Code::Range, &settings.position, "the weight of a group is from 0 to 100", None);
        }
        let groups = |metric: &MetricPlan| {
            let given = given.iter().find(|given| given.name.value == metric.name);
            let groups = given.and_then(|given| given.kayenta.as_ref()).and_then(|own| own.value.groups.as_ref());
            groups.map_or_else(Vec::new, |groups| groups.value.iter().map(|group| group.value.clone()).collect())
        };
        let plan = Self {
            pass,
            marginal,
            every: between.max(1),
            last,
            lookback: lookback.and_then(|intervals| usize::try_from(intervals).ok()),
            weights,
            groups: metrics.iter().map(groups).collect(),
        };
        (report.diagnostics.len() == before).then_some(plan)
    }
}
