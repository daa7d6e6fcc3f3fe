//! How many events fell into one slot of a grid: disjoint whole counts from raw counters.
//!
//! Health needs every event once, in one slot, as an integer. `rate` and `increase` of Prometheus give
//! neither: they extrapolate, and windows that are looked at again and again overlap. Here a counter's
//! value at a grid point is that of the last sample at or before it, and a slot's count is the difference
//! between its two grid points: over adjoining slots the counts add up to the whole.

use thiserror::Error;

use super::counter::{Sample, Series};
use crate::{Count, Duration, Instant};

/// One slot of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The grid point at which it begins.
    pub start: Instant,
    /// The grid point at which it ends; also where the next begins.
    pub end: Instant,
    /// How old the last sample before the start may be to still say what the counter was there.
    ///
    /// Events of a longer gap in the samples are counted in no slot: nobody knows when they happened.
    pub lookback: Duration,
}

/// What was counted in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The slot has no sample, or no other one to compare it with. This is not a count of zero.
    NoData,
    /// Events.
    Events {
        /// How many; zero says that the counter was seen and stood still.
        events: Count,
        /// The instant of the sample from which was counted. After the slot's start the count is partial:
        /// the series began, or came back after a gap, within the slot.
        from: Instant,
        /// The instant of the last sample in the slot.
        to: Instant,
        /// How often the counter began anew.
        resets: usize,
    },
}

/// Samples that do not count events.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SlotError {
    /// A counter of something else than events, such as seconds.
    #[error("B004: the sample at {at} is {value}, which is not a whole number up to 2^53 - 1")]
    NotWhole {
        /// When it was scraped.
        at: Instant,
        /// Its value.
        value: f64,
    },
    /// Series that were not scraped together.
    #[error("B005: series {series} has no sample at the same instants as the first in this slot")]
    NotTogether {
        /// Position of the series, from 0.
        series: usize,
    },
    /// A bucket with fewer events than the one below it.
    #[error("B006: bucket {bucket} counts fewer events than the one below it")]
    NotCumulative {
        /// Position of the bucket, from 0.
        bucket: usize,
    },
    /// No room for the counts, or too much.
    #[error("B007: there are {series} series and room for {room} counts")]
    Room {
        /// Series given.
        series: usize,
        /// Counts that fit.
        room: usize,
    },
}

/// The events that one counter counted in a slot.
///
/// After a reset the counter's new value counts as it is: the process began anew at zero.
///
/// # Errors
/// [`SlotError::NotWhole`] where a sample that is needed is not a count.
///
/// ```
/// use davy::slo::{Counted, Sample, Series, Slot, count};
/// use davy::{Duration, Instant};
///
/// let sample = |s: i64, value: f64| Sample { at: Instant::from_millis(s * 1000), value };
/// // Scraped every 20 s; the process restarts after 40 s.
/// let samples = [sample(0, 100.0), sample(20, 130.0), sample(40, 160.0), sample(60, 10.0), sample(80, 30.0)];
/// let series = Series::new(&samples)?;
/// let slot = |from: i64| Slot {
///     start: Instant::from_millis(from * 1000),
///     end: Instant::from_millis((from + 30) * 1000),
///     lookback: Duration::from_secs(40),
/// };
/// let events = |from| match count(series, slot(from)) {
///     Ok(Counted::Events { events, .. }) => events.get(),
///     other => panic!("{other:?}"),
/// };
/// assert_eq!([events(0), events(30), events(60)], [30, 30 + 10, 20]);
/// # Ok::<(), davy::slo::SeriesError>(())
/// ```
pub fn count(series: Series<'_>, slot: Slot) -> Result<Counted, SlotError> {
    let mut events = [Count::ZERO];
    count_together(&[series], slot, &mut events)
}

/// The events that several counters of *one process*, scraped together, counted in a slot, into `events`
/// in the same order; the result speaks of the last one.
///
/// A fall of any of them is a reset of all. Alone, a counter that restarts at 0 and passes its old value
/// before the next scrape hides the reset, and its count would be too small beside the others'.
///
/// With [`Counted::NoData`], `events` is all zeros and means nothing.
///
/// # Errors
/// [`SlotError`] where a sample that is needed is not a count, the series have different instants, or
/// `events` has another length than `together`.
pub fn count_together(together: &[Series<'_>], slot: Slot, events: &mut [Count]) -> Result<Counted, SlotError> {
    if together.len() != events.len() {
        return Err(SlotError::Room { series: together.len(), room: events.len() });
    }
    events.fill(Count::ZERO);
    let Some(used) = together.first().and_then(|series| select(*series, slot)) else {
        return none_of(together, slot);
    };
    let mut falls = false;
    for (index, series) in together.iter().enumerate() {
        let column = select(*series, slot).filter(|column| column.len() == used.len()).unwrap_or_default();
        if column.is_empty() || column.iter().zip(used).any(|(sample, first)| sample.at != first.at) {
            return Err(SlotError::NotTogether { series: index });
        }
        for sample in column {
            whole(sample)?;
        }
        falls |= column.iter().zip(column.iter().skip(1)).any(|(before, after)| after.value < before.value);
    }
    let columns = || together.iter().filter_map(|series| select(*series, slot));
    let mut resets = 0;
    // Without a fall, one step from the first sample to the last counts the same.
    let steps = if falls { 1..used.len() } else { used.len() - 1..used.len() };
    let stride = if falls { 1 } else { used.len() - 1 };
    for step in steps {
        let pairs = || columns().filter_map(|column| Some((column.get(step - stride)?, column.get(step)?)));
        let fell = pairs().any(|(before, after)| after.value < before.value);
        resets += usize::from(fell);
        for ((before, after), events) in pairs().zip(events.iter_mut()) {
            let (before, after) = (whole(before)?, whole(after)?);
            let rise = if fell { after } else { after.saturating_sub(before) };
            *events = events.saturating_add(rise);
        }
    }
    let (Some(first), Some(last), Some(count)) = (used.first(), used.last(), events.last()) else {
        return Ok(Counted::NoData);
    };
    Ok(Counted::Events { events: *count, from: first.at, to: last.at, resets })
}

/// The cumulative counts of a classic histogram in a slot: one `_bucket` series per rising `le`, the last
/// one `+Inf`, of one process.
///
/// Each count is of the events at or below its bound, as in the histogram itself; the result speaks of all
/// events. Resets are those of [`count_together`].
///
/// # Errors
/// As [`count_together`], and [`SlotError::NotCumulative`] where a bucket counts fewer events than the one
/// below it.
///
/// ```
/// use davy::slo::{Counted, Sample, Series, Slot, count_buckets};
/// use davy::{Count, Duration, Instant};
///
/// let at = Instant::from_millis;
/// let series = |from: f64, to: f64| [Sample { at: at(0), value: from }, Sample { at: at(30_000), value: to }];
/// // The process restarted: `le="+Inf"` fell from 90 to 9, and `le="0.1"` hides it by going from 5 to 7.
/// let (fast, all) = (series(5.0, 7.0), series(90.0, 9.0));
/// let slot = Slot { start: at(0), end: at(30_000), lookback: Duration::ZERO };
/// let mut counts = [Count::ZERO; 2];
/// count_buckets(&[Series::new(&fast)?, Series::new(&all)?], slot, &mut counts)?;
/// assert_eq!(counts.map(Count::get), [7, 9]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn count_buckets(buckets: &[Series<'_>], slot: Slot, counts: &mut [Count]) -> Result<Counted, SlotError> {
    let counted = count_together(buckets, slot, counts)?;
    let falls = counts.iter().zip(counts.iter().skip(1)).position(|(below, above)| above < below);
    match falls {
        Some(below) => Err(SlotError::NotCumulative { bucket: below + 1 }),
        None => Ok(counted),
    }
}

/// The last sample that says what the counter was at the start, if there is one, and those in the slot.
fn select<'a>(series: Series<'a>, slot: Slot) -> Option<&'a [Sample]> {
    let samples = series.until(slot.end).since(slot.start.minus(slot.lookback)).samples();
    let inside = samples.partition_point(|sample| sample.at <= slot.start);
    samples.get(inside)?;
    samples.get(inside.saturating_sub(1)..).filter(|used| used.len() >= 2)
}

/// Nothing to compare in the first series: the same must hold for all.
fn none_of(together: &[Series<'_>], slot: Slot) -> Result<Counted, SlotError> {
    match together.iter().position(|series| select(*series, slot).is_some()) {
        Some(series) => Err(SlotError::NotTogether { series }),
        None => Ok(Counted::NoData),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number in range")]
fn whole(sample: &Sample) -> Result<Count, SlotError> {
    let Sample { at, value } = *sample;
    let refuse = || SlotError::NotWhole { at, value };
    if value.fract() > 0.0 || value > MAX_WHOLE {
        return Err(refuse());
    }
    Count::new(value as u64).map_err(|_| refuse())
}

/// The largest [`Count`], 2^53 − 1.
const MAX_WHOLE: f64 = 9_007_199_254_740_991.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(plain: &[(i64, f64)]) -> Vec<Sample> {
        plain.iter().map(|&(second, value)| Sample { at: Instant::from_millis(second * 1000), value }).collect()
    }

    fn slot(start: i64, end: i64, lookback: u64) -> Slot {
        let at = |second: i64| Instant::from_millis(second * 1000);
        Slot { start: at(start), end: at(end), lookback: Duration::from_secs(lookback) }
    }

    fn events(plain: &[(i64, f64)], slot: Slot) -> Option<u64> {
        match count(Series::new(&samples(plain)).unwrap(), slot).unwrap() {
            Counted::NoData => None,
            Counted::Events { events, .. } => Some(events.get()),
        }
    }

    const STEADY: &[(i64, f64)] = &[(0, 5.0), (15, 9.0), (30, 14.0), (45, 14.0), (60, 20.0)];

    #[test]
    fn a_sample_on_a_grid_point_ends_one_slot_and_begins_the_next() {
        assert_eq!(events(STEADY, slot(0, 30, 0)), Some(9));
        assert_eq!(events(STEADY, slot(30, 60, 0)), Some(6));
        assert_eq!(events(STEADY, slot(0, 60, 0)), Some(15));
    }

    #[test]
    fn a_counter_that_stands_still_counts_zero_and_one_that_is_not_seen_counts_nothing() {
        assert_eq!(events(STEADY, slot(30, 45, 0)), Some(0));
        assert_eq!(events(STEADY, slot(31, 44, 60)), None);
        assert_eq!(events(STEADY, slot(60, 90, 60)), None);
        assert_eq!(events(&[], slot(0, 30, 60)), None);
    }

    #[test]
    fn a_gap_longer_than_the_lookback_is_counted_nowhere() {
        let gap = &[(0, 10.0), (100, 500.0), (115, 503.0)];
        assert_eq!(events(gap, slot(90, 120, 100)), Some(493));
        assert_eq!(events(gap, slot(90, 120, 89)), Some(3));
    }

    #[test]
    fn a_series_that_begins_in_the_slot_counts_from_its_first_sample() {
        let series = samples(&[(10, 40.0), (25, 43.0)]);
        let counted = count(Series::new(&series).unwrap(), slot(0, 30, 60)).unwrap();
        let (from, to) = (Instant::from_millis(10_000), Instant::from_millis(25_000));
        assert_eq!(counted, Counted::Events { events: Count::from(3), from, to, resets: 0 });
        // A host that knows when the process began says so.
        assert_eq!(events(&[(5, 0.0), (10, 40.0), (25, 43.0)], slot(0, 30, 60)), Some(43));
        assert_eq!(events(&[(10, 40.0)], slot(0, 30, 60)), None);
    }

    #[test]
    fn what_is_not_a_count_of_events_is_refused() {
        for value in [0.5, 1e16, 9_007_199_254_740_992.0] {
            let series = samples(&[(0, 0.0), (15, value)]);
            let refused = count(Series::new(&series).unwrap(), slot(0, 30, 0));
            assert!(matches!(refused, Err(SlotError::NotWhole { .. })), "{value}");
        }
    }

    #[test]
    fn series_of_one_process_restart_together_and_are_scraped_together() {
        let (low, all, late) = (samples(&[(0, 5.0), (15, 7.0)]), samples(&[(0, 9.0), (15, 8.0)]), samples(&[(0, 9.0)]));
        let [low, all, late] = [&low, &all, &late].map(|samples| Series::new(samples).unwrap());
        let mut counts = [Count::ZERO; 2];
        let counted = count_buckets(&[low, all], slot(0, 30, 0), &mut counts).unwrap();
        assert!(matches!(counted, Counted::Events { resets: 1, .. }));
        assert_eq!(counts.map(Count::get), [7, 8]);
        for series in [[low, late], [late, low]] {
            let refused = count_together(&series, slot(0, 30, 0), &mut counts);
            assert_eq!(refused, Err(SlotError::NotTogether { series: 1 }), "{series:?}");
        }
        let nothing = count_together(&[late, late], slot(0, 30, 0), &mut counts);
        assert_eq!(nothing, Ok(Counted::NoData));
        assert_eq!(count_together(&[low], slot(0, 30, 0), &mut counts), Err(SlotError::Room { series: 1, room: 2 }));
        assert_eq!(count_together(&[], slot(0, 30, 0), &mut []), Ok(Counted::NoData));
    }

    #[test]
    fn buckets_must_be_cumulative() {
        let (below, above) = (samples(&[(0, 5.0), (15, 9.0)]), samples(&[(0, 5.0), (15, 8.0)]));
        let [below, above] = [&below, &above].map(|samples| Series::new(samples).unwrap());
        let mut counts = [Count::ZERO; 2];
        let refused = count_buckets(&[below, above], slot(0, 30, 0), &mut counts);
        assert_eq!(refused, Err(SlotError::NotCumulative { bucket: 1 }));
    }
}
