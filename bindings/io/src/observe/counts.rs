//! Bad or good events of all events per interval, and events alone.
//!
//! No series of bad events is zero of them only where that is known: the bad ones are selected from the
//! series of all events by labels that those have (`http_requests_total{code=~"5.."}` of
//! `http_requests_total`), or some target of the cohort does have the series. Otherwise it is no data: a name
//! with a slip looks just like it.

use davy::{Cohort, Count, Missing, Name, Observation, Observed};

use super::counter::{Rise, plus, rise};
use super::problem::Problem;
use super::replica::Cells;
use super::scene::Scene;
use super::target::Stretch;
use crate::prometheus::Series;
use crate::promql::Selector;

/// The family of all events.
const TOTAL: usize = 0;
/// The family of those that are bad, or good.
const PART: usize = 1;

/// What is counted of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ratio {
    /// The selector of bad or good events.
    pub(super) part: Selector,
    /// The labels that select them from all events, if they are surely some of them.
    pub(super) narrowing: Option<Vec<String>>,
    /// Whether the part is good.
    pub(super) good: bool,
}

/// What was counted of one replica.
#[derive(Debug, Default)]
struct Tally {
    total: Option<Count>,
    part: Count,
}

/// Sorts what was answered to the two families. Where one is a part of the other it is taken from there, as
/// far as it is there: two answers may be of different moments.
pub(super) fn families<'a>(total: &'a [Series], part: &'a [Series], is_part: bool) -> [Vec<&'a Series>; 2] {
    if !is_part {
        return [total.iter().collect(), part.iter().collect()];
    }
    // Answers come sorted by labels.
    let found = |one: &&Series| {
        let place = total.binary_search_by(|series| series.labels.cmp(&one.labels)).ok()?;
        total.get(place)
    };
    let parts: Vec<&Series> = part.iter().map(|one| found(&one).unwrap_or(one)).collect();
    let unknown = part.iter().filter(|one| found(one).is_none());
    [total.iter().chain(unknown).collect(), parts]
}

/// One interval of a ratio.
pub(super) fn ratio(
    scene: &mut Scene<'_>,
    metric: &Name,
    cohort: Cohort,
    ratio: &Ratio,
    stretch: Stretch,
) -> Vec<Observation> {
    let mut cells: Cells<'_, Tally> = Cells::new();
    let mut unusable = Vec::new();
    scene.each_counted(stretch, &mut cells, |target, cells, sight| {
        for member in &target.members {
            let key = sight.key(member.series);
            match rise(sight, target, member.series, stretch) {
                Rise::Nothing => {}
                Rise::Events(events) => {
                    let Some(tally) = cells.seen(key) else { continue };
                    let sum = if member.family == TOTAL {
                        plus(tally.total.unwrap_or_default(), events)
                    } else {
                        plus(tally.part, events)
                    };
                    match (sum, member.family == TOTAL) {
                        (Some(sum), true) => tally.total = Some(sum),
                        (Some(sum), false) => tally.part = sum,
                        (None, _) => cells.missing(key, Missing::NoAnswer),
                    }
                }
                Rise::Unusable(missing, problem) => {
                    cells.missing(key, missing);
                    unusable.extend(problem);
                }
            }
        }
    });
    let part_is_known = scene.sees(PART, stretch) || scene.proves_zero(TOTAL, ratio.narrowing.as_deref(), stretch);
    if !part_is_known && scene.sees(TOTAL, stretch) {
        unusable.push(Problem::NoPart { selector: ratio.part.to_string() });
    }
    let observed = |tally: Tally| {
        let total = tally.total.ok_or(Missing::NoData)?;
        if !part_is_known {
            return Err(Missing::NoData);
        }
        if tally.part > total {
            unusable.push(Problem::MoreThanTotal { part: tally.part.get(), total: total.get() });
            return Err(Missing::NoAnswer);
        }
        let bad = if ratio.good { total.saturating_sub(tally.part) } else { tally.part };
        Ok(Observed::Counts { bad, total })
    };
    let observations = cells.observations(metric, cohort, scene.replicas, observed);
    scene.note(unusable);
    observations
}

/// One interval of a number of events.
pub(super) fn events(scene: &mut Scene<'_>, metric: &Name, cohort: Cohort, stretch: Stretch) -> Vec<Observation> {
    let mut cells: Cells<'_, Tally> = Cells::new();
    let mut unusable = Vec::new();
    scene.each_counted(stretch, &mut cells, |target, cells, sight| {
        for member in &target.members {
            let key = sight.key(member.series);
            match rise(sight, target, member.series, stretch) {
                Rise::Nothing => {}
                Rise::Events(events) => {
                    let Some(tally) = cells.seen(key) else { continue };
                    match plus(tally.total.unwrap_or_default(), events) {
                        Some(sum) => tally.total = Some(sum),
                        None => cells.missing(key, Missing::NoAnswer),
                    }
                }
                Rise::Unusable(missing, problem) => {
                    cells.missing(key, missing);
                    unusable.extend(problem);
                }
            }
        }
    });
    let observed = |tally: Tally| tally.total.map(Observed::Events).ok_or(Missing::NoData);
    let observations = cells.observations(metric, cohort, scene.replicas, observed);
    scene.note(unusable);
    observations
}
