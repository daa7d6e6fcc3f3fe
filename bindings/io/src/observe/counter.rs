//! How much one counter rose in a stretch of time, from its raw samples.
//!
//! The rise between two neighbouring samples belongs to the interval that holds the later one: no event is
//! lost between intervals, and none counts twice. A fall is a restart from zero. A series that begins in the
//! interval counts from zero where its target was scraped right before without it (see [`past`](super::past));
//! otherwise, as for a new process, from its first sample: what was counted before is not known to be new.

use davy::slo::{self, Sample, Slot};
use davy::{Count, Missing};

use super::problem::Problem;
use super::scene::Sight;
use super::target::{Stretch, Target, between};
use crate::prometheus::Series;

/// What a counter says of a stretch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rise {
    /// Nothing: it is not there, or has no two samples to compare.
    Nothing,
    /// Events; zero says that it was seen and stood still.
    Events(Count),
    /// It cannot be used.
    Unusable(Missing, Option<Problem>),
}

/// The rise of one series of a target.
pub(super) fn rise<'a>(sight: Sight<'a>, target: &Target<'_>, series: &'a Series, stretch: Stretch) -> Rise {
    let known = match known(series, stretch) {
        Ok(known) => known,
        Err(missing) => return Rise::Unusable(missing, None),
    };
    let Some(first) = known.first() else { return Rise::Nothing };
    // A series that is first seen at zero began there, whoever saw it.
    let begins = first.at > stretch.start && first.value > 0.0;
    let origin = if begins { sight.origin(target, series, stretch).sample(stretch) } else { Ok(None) };
    match origin {
        Ok(None) => count(series, known, stretch),
        Ok(Some(origin)) => {
            let all: Vec<Sample> = [origin].into_iter().chain(known.iter().copied()).collect();
            count(series, &all, stretch)
        }
        Err(missing) => Rise::Unusable(missing, None),
    }
}

fn count(series: &Series, samples: &[Sample], stretch: Stretch) -> Rise {
    let refused = |cause: String| {
        let problem = Problem::NotACounter { series: series.labels.to_string(), cause: without_code(&cause) };
        Rise::Unusable(Missing::NoAnswer, Some(problem))
    };
    let checked = match slo::Series::new(samples) {
        Ok(checked) => checked,
        Err(error) => return refused(error.to_string()),
    };
    match slo::count(checked, slot(stretch)) {
        Ok(slo::Counted::Events { events, .. }) => Rise::Events(events),
        Ok(slo::Counted::NoData) => Rise::Nothing,
        Err(error) => refused(error.to_string()),
    }
}

/// The samples that count: the last one before the stretch, and those in it; none without one in it.
pub(super) fn known(series: &Series, stretch: Stretch) -> Result<&[Sample], Missing> {
    let samples = between(&series.samples, |sample| sample.at, stretch.start.minus(stretch.lookback), stretch.end);
    let inside = samples.partition_point(|sample| sample.at <= stretch.start);
    if inside == samples.len() {
        return Ok(&[]);
    }
    let known = samples.get(inside.saturating_sub(1)..).unwrap_or_default();
    known.iter().find_map(|sample| no_number(sample.value)).map_or(Ok(known), Err)
}

/// What a value is that no arithmetic may touch.
pub(super) fn no_number(value: f64) -> Option<Missing> {
    if value.is_nan() {
        Some(Missing::Nan)
    } else if value == f64::INFINITY {
        Some(Missing::PositiveInfinity)
    } else if value == f64::NEG_INFINITY {
        Some(Missing::NegativeInfinity)
    } else {
        None
    }
}

pub(super) fn slot(stretch: Stretch) -> Slot {
    Slot { start: stretch.start, end: stretch.end, lookback: stretch.lookback }
}

/// A message of the arithmetic below, whose codes say nothing here.
pub(super) fn without_code(message: &str) -> String {
    message.split_once(": ").map_or(message, |(_, rest)| rest).to_owned()
}

/// A sum that is still a count.
pub(super) fn plus(a: Count, b: Count) -> Option<Count> {
    a.get().checked_add(b.get()).and_then(|sum| Count::new(sum).ok())
}
