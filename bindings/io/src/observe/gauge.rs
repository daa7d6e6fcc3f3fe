//! Gauges per interval: of each replica the last value in it, or what an expression has at its end.

use std::collections::BTreeMap;

use davy::{Cohort, Duration, Instant, Missing, Name, Observation, Observed};

use super::counter::no_number;
use super::problem::Problem;
use super::replica::{Cells, Replicas};
use super::scene::Scene;
use super::target::{Stretch, between};
use crate::prometheus::{Labels, Series};

/// The label that tells the selectors of an expression apart when they are asked how fresh they are.
pub(super) const WHICH: &str = "davy_selector";

/// A series that has a value, and from when to when it was seen.
struct Candidate {
    first: Instant,
    last: Instant,
    value: f64,
}

/// One interval of a gauge that is a plain series.
///
/// A series that was seen in the interval counts, gaps or not. Of two that name the same replica one after
/// the other, as when a pod moves, the later counts; at the same time they are ambiguous.
pub(super) fn values(scene: &mut Scene<'_>, metric: &Name, cohort: Cohort, stretch: Stretch) -> Vec<Observation> {
    let mut cells: Cells<'_, Vec<Candidate>> = Cells::new();
    scene.each_seen(stretch, &mut cells, |target, cells, sight| {
        for member in &target.members {
            let (from, to) = (stretch.start.minus(stretch.lookback), stretch.end);
            let known = between(&member.series.samples, |one| one.at, from, to);
            let (Some(first), Some(last)) = (known.first(), known.last()) else { continue };
            if last.at > stretch.start
                && let Some(candidates) = cells.seen(sight.key(member.series))
            {
                candidates.push(Candidate { first: first.at, last: last.at, value: last.value });
            }
        }
    });
    let replicas = scene.replicas;
    let mut ambiguous = Vec::new();
    let observed = |mut candidates: Vec<Candidate>| {
        candidates.sort_by_key(|candidate| candidate.last);
        let series = candidates.len();
        let newest = candidates.pop().ok_or(Missing::NoData)?;
        if candidates.iter().any(|earlier| earlier.last >= newest.first) {
            ambiguous.push(series);
            return Err(Missing::NoAnswer);
        }
        no_number(newest.value).map_or(Ok(Observed::Gauge(newest.value)), Err)
    };
    let observations = cells.observations(metric, cohort, replicas, observed);
    let of = observations.iter().find(|one| one.observed == Observed::Missing(Missing::NoAnswer));
    let replica = of.and_then(|one| one.replica.clone());
    scene.note(ambiguous.first().map(|series| Problem::Ambiguous { replica, series: *series }));
    observations
}

/// An expression at the end of each interval, and how old each of its selectors' series were then.
pub(super) struct Steps<'a> {
    /// By instant: the values by replica.
    values: BTreeMap<Instant, Vec<(&'a Labels, f64)>>,
    /// By selector and replica: when it was evaluated, and the newest sample then.
    fresh: BTreeMap<(&'a str, &'a str), BTreeMap<Instant, f64>>,
}

impl<'a> Steps<'a> {
    pub(super) fn of(values: &'a [Series], fresh: &'a [Series], replicas: Replicas<'_>) -> Self {
        let mut by_instant: BTreeMap<Instant, Vec<(&Labels, f64)>> = BTreeMap::new();
        for series in values {
            for sample in &series.samples {
                by_instant.entry(sample.at).or_default().push((&series.labels, sample.value));
            }
        }
        let mut newest: BTreeMap<(&str, &str), BTreeMap<Instant, f64>> = BTreeMap::new();
        for series in fresh {
            let times = newest.entry((series.labels.get(WHICH), replicas.key(&series.labels))).or_default();
            for sample in &series.samples {
                let known = times.entry(sample.at).or_insert(sample.value);
                *known = known.max(sample.value);
            }
        }
        Self { values: by_instant, fresh: newest }
    }

    /// Whether every selector has a sample from within the interval, of this replica or of no replica.
    fn is_fresh(&self, selectors: usize, key: &str, end: Instant, every: Duration) -> bool {
        let since = end.minus(every);
        (0..selectors).all(|which| {
            let which = which.to_string();
            let times = self.fresh.get(&(which.as_str(), key)).or_else(|| self.fresh.get(&(which.as_str(), "")));
            let newest = times.and_then(|times| times.get(&end));
            #[expect(clippy::cast_possible_truncation, reason = "a time that does not fit is far away all the same")]
            newest.is_some_and(|seconds| Instant::from_millis((seconds * 1000.0).round() as i64) > since)
        })
    }

    /// One interval of the expression.
    pub(super) fn observe(
        &self,
        selectors: usize,
        replicas: Replicas<'_>,
        metric: &Name,
        cohort: Cohort,
        stretch: Stretch,
        problems: &mut Vec<Problem>,
    ) -> Vec<Observation> {
        let mut cells: Cells<'_, Vec<f64>> = Cells::new();
        let every = stretch.end.since(stretch.start);
        for (labels, value) in self.values.get(&stretch.end).map_or(&[][..], Vec::as_slice) {
            let key = replicas.key(labels);
            if !self.is_fresh(selectors, key, stretch.end, every) {
                cells.missing(key, Missing::NoData);
            } else if let Some(values) = cells.seen(key) {
                values.push(*value);
            }
        }
        let observed = |values: Vec<f64>| match values.as_slice() {
            [value] => no_number(*value).map_or(Ok(Observed::Gauge(*value)), Err),
            many => {
                let problem = Problem::Ambiguous { replica: None, series: many.len() };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
                Err(Missing::NoAnswer)
            }
        };
        cells.observations(metric, cohort, replicas, observed)
    }
}
