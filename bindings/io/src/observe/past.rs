//! Where a series that begins began: at zero, or at an old count that its exporter had left out for a while.
//!
//! Exporters of other processes' counters drop a series that stands still and bring it back with its old
//! count when it moves again. So a series that begins is looked up in the day before; where it was there, it
//! goes on from what it was.

use std::collections::{BTreeMap, BTreeSet};

use davy::slo::Sample;
use davy::{Instant, Missing};

use super::target::{Stretch, Target, between};
use crate::prometheus::{HistogramSample, Labels, Series};

/// What series were before the first answer begins.
#[derive(Debug, Default)]
pub(super) struct Past {
    known: BTreeMap<Labels, Series>,
    /// Series that could not be looked up.
    unknown: BTreeSet<Labels>,
}

/// Where a series that begins in a stretch began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Origin<'p> {
    /// It does not begin there, or not where anything is known of it.
    Unseen,
    /// At zero, when its target was scraped without it.
    Zero(Instant),
    /// Where it was before, when its target was scraped without it.
    Was(Instant, &'p Series),
    /// It cannot be said.
    Unknown,
}

impl Past {
    /// Takes what was looked up for some series: those that are not in it were not there.
    pub(super) fn learn(&mut self, found: &[Series]) {
        self.known.extend(found.iter().map(|series| (series.labels.clone(), series.clone())));
    }

    /// Takes that some series could not be looked up.
    pub(super) fn despair<'s>(&mut self, series: impl Iterator<Item = &'s Series>) {
        self.unknown.extend(series.map(|series| series.labels.clone()));
    }

    /// Where a series of a target began. Without a past nothing was open: what begins, begins at zero.
    pub(super) fn origin<'p>(
        past: Option<&'p Self>,
        target: &Target<'_>,
        series: &'p Series,
        stretch: Stretch,
    ) -> Origin<'p> {
        let Some(at) = target.birth(series, stretch) else { return Origin::Unseen };
        if is_seen_before(series, stretch) {
            return Origin::Was(at, series);
        }
        match past {
            Some(past) if past.unknown.contains(&series.labels) => Origin::Unknown,
            Some(past) => past.known.get(&series.labels).map_or(Origin::Zero(at), |known| Origin::Was(at, known)),
            None => Origin::Zero(at),
        }
    }
}

/// Whether the answer itself holds samples from before the look-back.
fn is_seen_before(series: &Series, stretch: Stretch) -> bool {
    let before = stretch.start.minus(stretch.lookback);
    let sample = series.samples.first().map(|sample| sample.at);
    let histogram = series.histograms.first().map(|histogram| histogram.at);
    sample.into_iter().chain(histogram).any(|first| first < before)
}

/// Whether a series begins in a stretch and nothing in the answer says what it was before.
pub(super) fn is_open(target: &Target<'_>, series: &Series, stretch: Stretch) -> bool {
    !is_seen_before(series, stretch) && target.birth(series, stretch).is_some()
}

impl Origin<'_> {
    /// The sample with which a counter's rise begins, if the series begins; an error if it cannot be said.
    pub(super) fn sample(self, stretch: Stretch) -> Result<Option<Sample>, Missing> {
        let before = |series: &Series| {
            let all = between(&series.samples, |one| one.at, Instant::EPOCH, stretch.start.minus(stretch.lookback));
            all.last().map_or(0.0, |sample| sample.value)
        };
        match self {
            Self::Unseen => Ok(None),
            Self::Zero(at) => Ok(Some(Sample { at, value: 0.0 })),
            Self::Was(at, series) => Ok(Some(Sample { at, value: before(series) })),
            Self::Unknown => Err(Missing::NoAnswer),
        }
    }
}

/// The last native histogram that a series had before the look-back of a stretch.
pub(super) fn last_histogram(series: &Series, stretch: Stretch) -> Option<&HistogramSample> {
    let before = stretch.start.minus(stretch.lookback);
    between(&series.histograms, |one| one.at, Instant::EPOCH, before).last()
}
