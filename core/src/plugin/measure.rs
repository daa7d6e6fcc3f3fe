//! Measuring: what plugins compute from the intervals of a snapshot, before it is decided upon.

use std::collections::BTreeMap;

use super::{Data, Evaluated, Measured, MetricInput, NoResult, PluginKey, Plugins, Series};
use crate::document::{Form, Measures};
use crate::engine::Engine;
use crate::policy::{Grid, InputPlan, MetricPlan, PluginPlan};
use crate::snapshot::{
    Cohort, Interval, Missing, Observation, Observed, PluginFault, PluginObservation, PluginOutcome, Snapshot,
};
use crate::{Count, Name, Text};

/// The most values that a plugin is given in one call.
const MOST_VALUES: usize = 1_000_000;

impl Engine {
    /// Runs the plugins of the policy over the closed intervals of the snapshot, and leaves what they measured in the
    /// intervals and how they did in [`Snapshot::plugins`]. What is there already stays.
    ///
    /// What a plugin needs and is missing is missing of its metric too, and a plugin that fails measures nothing: the
    /// release then holds. The same snapshot and plugins give the same result, except where the host fails.
    ///
    /// ```
    /// use davy::plugin::{Data, Measured, MetricInput, Plugins};
    /// # let policy = "
    /// # apiVersion: davy/v1
    /// # kind: Rollout
    /// # metadata: { name: checkout }
    /// # spec:
    /// #   health:
    /// #     metrics:
    /// #       - name: carts
    /// #         plugin: { native: abandoned, measures: counts, inputs: [{ name: carts, events: carts }] }
    /// #         max: 10%
    /// # ";
    /// # let json = br#"{ "now": "2026-11-23T10:03:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    /// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
    /// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" }, "intervals": [{
    /// #   "start": "2026-11-23T10:01:00Z", "end": "2026-11-23T10:01:30Z", "observations":
    /// #   [{ "metric": "carts.carts", "cohort": "canary", "events": 20 }] }] }"#;
    /// # let mut snapshot = davy::Snapshot::from_json(json)?;
    /// let engine = davy::Engine::new(&davy::Bundle::from_files([("rollouts.yaml", policy)])?);
    /// let abandoned = |input: &MetricInput<'_>| match &input.series[0].data {
    ///     Data::Events(carts) => Ok(Measured::Counts { bad: 1, total: carts[0].get() }),
    ///     _ => Err("carts are events".to_owned()),
    /// };
    /// engine.measure(&Plugins::new().native("abandoned".parse()?, abandoned), &mut snapshot);
    /// assert_eq!(snapshot.intervals[0].observations().len(), 2);
    /// assert_eq!(snapshot.plugins[0].metric.as_str(), "carts");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn measure(&self, plugins: &Plugins, snapshot: &mut Snapshot) {
        self.measure_own(plugins, snapshot);
        if let Some(shadow) = self.shadow() {
            // What both measure is there by now, and means the same to both.
            shadow.measure_own(plugins, snapshot);
        }
    }

    fn measure_own(&self, plugins: &Plugins, snapshot: &mut Snapshot) {
        let Some(plan) = self.policy(&snapshot.release.environment).and_then(|policy| policy.health.as_ref()) else {
            return;
        };
        let metrics = || plan.metrics.iter().filter_map(|metric| Some((metric, metric.plugin()?)));
        if metrics().next().is_none() {
            return;
        }
        let first = plan.grid.first_judged(snapshot.release.started_at);
        let mut measured: Vec<(usize, Vec<Observation>)> = Vec::new();
        let mut runs = Vec::new();
        {
            let past = Past::of(plan.grid, snapshot);
            for (index, interval) in snapshot.intervals.iter().enumerate() {
                let slot = plan.grid.slot(interval.start(), interval.end());
                let Some(slot) = slot.filter(|slot| *slot >= first && plan.grid.closes(*slot) <= snapshot.now) else {
                    continue;
                };
                let mut observations = Vec::new();
                for (metric, plugin) in metrics() {
                    let call = Call { plugins, past: &past, grid: plan.grid, slot, metric, plugin };
                    for cohort in call.cohorts() {
                        if !of(interval, &metric.name, cohort).is_empty() {
                            continue;
                        }
                        let (observed, run) = call.measure(cohort);
                        runs.extend(run);
                        observations.push(Observation { metric: metric.name.clone(), cohort, replica: None, observed });
                    }
                }
                if !observations.is_empty() {
                    measured.push((index, observations));
                }
            }
        }
        for (index, mut observations) in measured {
            let Some(interval) = snapshot.intervals.get_mut(index) else { continue };
            observations.extend_from_slice(interval.observations());
            // Finite values of metrics that were not there before: nothing to refuse.
            if let Ok(with) = Interval::new(interval.start(), interval.end(), observations) {
                *interval = with;
            }
        }
        snapshot.plugins.extend(runs);
    }
}

/// The intervals that can be looked at, by number.
struct Past<'a>(BTreeMap<u64, &'a Interval>);

impl<'a> Past<'a> {
    fn of(grid: Grid, snapshot: &'a Snapshot) -> Self {
        let all = snapshot.history.iter().chain(&snapshot.intervals);
        Self(all.filter_map(|interval| Some((grid.slot(interval.start(), interval.end())?, interval))).collect())
    }
}

/// One metric in one interval.
struct Call<'a> {
    plugins: &'a Plugins,
    past: &'a Past<'a>,
    grid: Grid,
    slot: u64,
    metric: &'a MetricPlan,
    plugin: &'a PluginPlan,
}

impl<'a> Call<'a> {
    fn cohorts(&self) -> impl Iterator<Item = Cohort> + use<> {
        let baseline = self.metric.is_relative().then_some(Cohort::Baseline);
        std::iter::once(Cohort::Canary).chain(baseline)
    }

    fn measure(&self, cohort: Cohort) -> (Observed, Option<PluginObservation>) {
        let input = match self.input(cohort) {
            Ok(input) => input,
            Err(missing) => return (Observed::Missing(missing), None),
        };
        let plugin = self.plugins.metric(&self.plugin.key);
        let evaluated = match plugin {
            Some(plugin) if input.values() <= MOST_VALUES => plugin.evaluate(&input),
            Some(_) => fault(PluginFault::BadInput, format!("more than {MOST_VALUES} values")),
            None => fault(PluginFault::NotLoaded, "the host has not loaded it".to_owned()),
        };
        let outcome = outcome(self.plugin.measures, evaluated.result);
        let observed = match &outcome {
            PluginOutcome::Value(value) => Observed::Gauge(*value),
            PluginOutcome::Counts { bad, total } => Observed::Counts { bad: *bad, total: *total },
            PluginOutcome::Rejected { .. } | PluginOutcome::Faulted { .. } => Observed::Missing(Missing::NoAnswer),
        };
        let run = PluginObservation {
            metric: self.metric.name.clone(),
            cohort,
            start: input.start,
            plugin: match &self.plugin.key {
                PluginKey::Pinned(digest) => Some(*digest),
                PluginKey::Native(_) => None,
            },
            engine: Text::lossy(plugin.map_or("none", |plugin| plugin.engine())),
            fuel: evaluated.fuel.map(|fuel| Count::new(fuel).unwrap_or(Count::MAX)),
            outcome,
        };
        (observed, Some(run))
    }

    /// What the plugin sees of this cohort, or why there is nothing to see.
    fn input(&self, cohort: Cohort) -> Result<MetricInput<'a>, Missing> {
        let compares = self.plugin.measures == Measures::Comparison;
        Ok(MetricInput {
            parameters: &self.plugin.parameters,
            start: self.grid.start_of(self.slot),
            every: self.grid.every(),
            window: self.plugin.window,
            series: self.series(cohort)?,
            baseline: if compares { self.series(Cohort::Baseline)? } else { Vec::new() },
        })
    }

    fn series(&self, cohort: Cohort) -> Result<Vec<Series<'a>>, Missing> {
        let mut all = Vec::new();
        for input in &self.plugin.inputs {
            self.check_newest(input, cohort)?;
            let from = self.slot.saturating_sub(u64::from(self.plugin.window.saturating_sub(1)));
            let mut by_replica: BTreeMap<Option<&'a Name>, Series<'a>> = BTreeMap::new();
            for (slot, interval) in self.past.0.range(from..=self.slot) {
                let place = u32::try_from(slot - from).unwrap_or(u32::MAX);
                for observation in of(interval, &input.about, cohort) {
                    let replica = observation.replica.as_ref();
                    let series = by_replica.entry(replica).or_insert_with(|| Series {
                        input: &input.name,
                        replica,
                        at: Vec::new(),
                        data: empty(input.form()),
                    });
                    if push(&mut series.data, &observation.observed) {
                        series.at.push(place);
                    }
                }
            }
            all.extend(by_replica.into_values().filter(|series| !series.at.is_empty()));
        }
        Ok(all)
    }

    /// What the evaluated interval lacks is lacking of the metric.
    fn check_newest(&self, input: &InputPlan, cohort: Cohort) -> Result<(), Missing> {
        let interval = self.past.0.get(&self.slot).ok_or(Missing::NoData)?;
        let own = of(interval, &input.about, cohort);
        if own.is_empty() && !input.optional {
            return Err(Missing::NoData);
        }
        own.iter().try_for_each(|observation| match &observation.observed {
            Observed::Missing(Missing::NoData) if input.optional => Ok(()),
            Observed::Missing(missing) => Err(*missing),
            observed if push(&mut empty(input.form()), observed) => Ok(()),
            _ => Err(Missing::NoAnswer),
        })
    }
}

impl MetricInput<'_> {
    fn values(&self) -> usize {
        self.series.iter().chain(&self.baseline).map(|series| series.at.len()).sum()
    }
}

fn fault(fault: PluginFault, detail: String) -> Evaluated {
    Evaluated { result: Err(NoResult::Faulted(fault, detail)), fuel: None }
}

/// What was measured, if it is what the policy was promised.
fn outcome(measures: Measures, result: Result<Measured, NoResult>) -> PluginOutcome {
    let bad = |detail: String| PluginOutcome::Faulted { fault: PluginFault::BadOutput, detail: Text::lossy(&detail) };
    match (measures, result) {
        (Measures::Value | Measures::Comparison, Ok(Measured::Value(value))) if value.is_finite() => {
            PluginOutcome::Value(value)
        }
        (Measures::Value | Measures::Comparison, Ok(Measured::Value(value))) => bad(format!("the value {value}")),
        (Measures::Counts, Ok(Measured::Counts { bad: some, total })) => match (Count::new(some), Count::new(total)) {
            (Ok(some), Ok(total)) if some <= total => PluginOutcome::Counts { bad: some, total },
            _ => bad(format!("{some} bad events of {total}")),
        },
        (_, Ok(Measured::Value(_))) => bad(format!("a value instead of {measures}")),
        (_, Ok(Measured::Counts { .. })) => bad(format!("counts instead of a {measures}")),
        (_, Err(NoResult::Rejected(message))) => PluginOutcome::Rejected { message: Text::lossy(&message) },
        (_, Err(NoResult::Faulted(fault, detail))) => PluginOutcome::Faulted { fault, detail: Text::lossy(&detail) },
    }
}

fn empty(form: Form) -> Data<'static> {
    match form {
        Form::Counts => Data::Counts(Vec::new()),
        Form::Events => Data::Events(Vec::new()),
        Form::Gauge => Data::Gauge(Vec::new()),
        Form::Buckets => Data::Buckets(Vec::new()),
        Form::Histogram => Data::Histogram(Vec::new()),
    }
}

/// Adds what was seen, if it has the form of the data.
fn push<'a>(data: &mut Data<'a>, observed: &'a Observed) -> bool {
    match (data, observed) {
        (Data::Counts(all), Observed::Counts { bad, total }) => all.push((*bad, *total)),
        (Data::Events(all), Observed::Events(events)) => all.push(*events),
        (Data::Gauge(all), Observed::Gauge(value)) => all.push(*value),
        (Data::Buckets(all), Observed::Buckets(buckets)) => all.push(buckets),
        (Data::Histogram(all), Observed::Histogram(histogram)) => all.push(histogram),
        _ => return false,
    }
    true
}

/// The observations of one name and cohort; they are sorted by both.
fn of<'a>(interval: &'a Interval, metric: &Name, cohort: Cohort) -> &'a [Observation] {
    let all = interval.observations();
    let before = |observation: &Observation| (&observation.metric, observation.cohort) < (metric, cohort);
    let from = all.partition_point(before);
    let rest = all.get(from..).unwrap_or_default();
    let own = |observation: &Observation| observation.metric == *metric && observation.cohort == cohort;
    rest.get(..rest.partition_point(own)).unwrap_or_default()
}
