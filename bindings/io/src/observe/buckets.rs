//! Classic buckets per interval: cumulative counts, each histogram by the differences of its series.

use std::collections::BTreeMap;

use davy::slo::{self, Sample};
use davy::{Buckets, Cohort, Count, Missing, Name, Observation, Observed};

use super::counter::{known, plus, slot, without_code};
use super::past::Origin;
use super::problem::Problem;
use super::replica::Cells;
use super::scene::{Scene, Sight};
use super::target::{Stretch, Target, Targets};
use crate::prometheus::{Labels, Series};

/// Cumulative counts by upper bound; the last bound is infinite.
type Counts = Vec<(f64, Count)>;

/// One interval of a latency.
pub(super) fn buckets<'a>(
    scene: &mut Scene<'a>,
    histograms: &Histograms<'a>,
    metric: &Name,
    cohort: Cohort,
    stretch: Stretch,
) -> Vec<Observation> {
    let mut cells: Cells<'_, Option<Counts>> = Cells::new();
    let mut unusable = Vec::new();
    scene.each_counted(stretch, &mut cells, |target, cells, sight| {
        for histogram in histograms.get(target) {
            let Some(key) = histogram.series.first().map(|(_, series)| sight.key(series)) else { continue };
            match histogram.rises(sight, target, stretch) {
                Ok(None) => {}
                Ok(Some(counts)) => {
                    let Some(sum) = cells.seen(key) else { continue };
                    match add(sum.take(), counts) {
                        Some(both) => *sum = Some(both),
                        None => {
                            let cause = "its bounds are not those of the others".to_owned();
                            unusable.push(Problem::Buckets { series: histogram.labels.to_string(), cause });
                            cells.missing(key, Missing::NoAnswer);
                        }
                    }
                }
                Err((missing, problem)) => {
                    cells.missing(key, missing);
                    unusable.extend(problem);
                }
            }
        }
    });
    let observed = |sum: Option<Counts>| {
        let mut counts = sum.ok_or(Missing::NoData)?;
        let (_, total) = counts.pop().ok_or(Missing::NoData)?;
        Buckets::new(counts, total).map(Observed::Buckets).map_err(|error| {
            unusable.push(Problem::Refused(error.to_string()));
            Missing::NoAnswer
        })
    };
    let observations = cells.observations(metric, cohort, scene.replicas, observed);
    scene.note(unusable);
    observations
}

/// One histogram: its labels without `le`, and its series by rising bound.
struct Histogram<'a> {
    labels: Labels,
    series: Vec<(f64, &'a Series)>,
}

/// The histograms of every target, by job and instance.
pub(super) struct Histograms<'a>(BTreeMap<(&'a str, &'a str), Vec<Histogram<'a>>>);

impl<'a> Histograms<'a> {
    /// Puts series together that differ in `le` alone.
    pub(super) fn of(targets: &Targets<'a>) -> Self {
        let of_target = |target: &Target<'a>| {
            let mut all: BTreeMap<Labels, Vec<(f64, &'a Series)>> = BTreeMap::new();
            for member in &target.members {
                let (labels, le) = member.series.labels.clone().without("le");
                // What is no bound is no bucket either; without the infinite one the histogram is refused.
                let bound = le.and_then(|le| le.parse::<f64>().ok()).unwrap_or(f64::NAN);
                all.entry(labels).or_default().push((bound, member.series));
            }
            let sorted = all.into_iter().map(|(labels, mut series)| {
                series.sort_by(|(a, _), (b, _)| a.total_cmp(b));
                Histogram { labels, series }
            });
            ((target.job, target.instance), sorted.collect())
        };
        Self(targets.iter().map(of_target).collect())
    }

    fn get(&self, target: &Target<'a>) -> &[Histogram<'a>] {
        self.0.get(&(target.job, target.instance)).map_or(&[], Vec::as_slice)
    }
}

impl<'a> Histogram<'a> {
    /// Its cumulative counts, if it was seen.
    fn rises(
        &self,
        sight: Sight<'a>,
        target: &Target<'_>,
        stretch: Stretch,
    ) -> Result<Option<Counts>, (Missing, Option<Problem>)> {
        let refuse = |cause: String| {
            let problem = Problem::Buckets { series: self.labels.to_string(), cause: without_code(&cause) };
            Err((Missing::NoAnswer, Some(problem)))
        };
        let Some((_, infinite)) = self.series.last().filter(|(bound, _)| *bound == f64::INFINITY) else {
            return refuse("there is none up to `+Inf`".to_owned());
        };
        if !self.series.is_sorted_by(|(a, _), (b, _)| a < b) {
            return refuse("two have the same bound, or one has none".to_owned());
        }
        let columns = self.series.iter().map(|(_, series)| known(series, stretch));
        let mut columns = columns
            .map(|known| known.map(<[Sample]>::to_vec).map_err(|missing| (missing, None)))
            .collect::<Result<Vec<_>, _>>()?;
        let begins = |column: &Vec<Sample>| column.first().is_none_or(|first| first.at > stretch.start);
        if columns.iter().all(begins) && !matches!(sight.origin(target, infinite, stretch), Origin::Unseen) {
            for (column, (_, series)) in columns.iter_mut().zip(&self.series) {
                let origin = sight.origin(target, series, stretch).sample(stretch);
                column.splice(0..0, origin.map_err(|missing| (missing, None))?);
            }
        }
        let checked = columns.iter().map(|column| slo::Series::new(column)).collect::<Result<Vec<_>, _>>();
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => return refuse(error.to_string()),
        };
        let mut counts = vec![Count::ZERO; checked.len()];
        match slo::count_buckets(&checked, slot(stretch), &mut counts) {
            Ok(slo::Counted::NoData) => Ok(None),
            Ok(slo::Counted::Events { .. }) => {
                Ok(Some(self.series.iter().map(|(bound, _)| *bound).zip(counts).collect()))
            }
            Err(error) => refuse(error.to_string()),
        }
    }
}

/// The sum of two histograms with the same bounds.
fn add(sum: Option<Counts>, counts: Counts) -> Option<Counts> {
    let Some(sum) = sum else { return Some(counts) };
    let same = sum.len() == counts.len();
    let both = sum.into_iter().zip(counts).map(|((bound, a), (other, b))| {
        bound.total_cmp(&other).is_eq().then(|| plus(a, b)).flatten().map(|sum| (bound, sum))
    });
    both.collect::<Option<Counts>>().filter(|_| same)
}
