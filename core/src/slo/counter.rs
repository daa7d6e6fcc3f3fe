//! Raw samples of one counter, checked once so that all arithmetic on them is total.

use thiserror::Error;

use crate::Instant;

/// The largest value of a counter that is accepted.
///
/// It leaves room for every sum of this module, so that none of them becomes infinite. (A counter above
/// 2^53 no longer counts single events; sums of nanoseconds get there.)
pub const MAX_VALUE: f64 = 1e290;

/// One scraped value of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When it was scraped.
    pub at: Instant,
    /// The counter's value since its process began.
    pub value: f64,
}

/// The samples of one counter of one process, in rising order of time.
///
/// Every value is a number from 0 to [`MAX_VALUE`] and no two samples share an instant. A value below the
/// one before it is no error: it says that the process began anew (a *counter reset*).
///
/// A reset that is overtaken before the next scrape cannot be seen in one counter alone: the events between
/// are lost, and even more events may then look like fewer. [`count_together`](super::count_together) sees it in
/// the counters beside it, and a sample of 0 where the process began shows it to all.
///
/// Sums over replicas are taken after the increase of each, never before: a sum of counters has no resets
/// to see.
///
/// A host that knows when a process began may put a sample of 0 at that instant in front. Otherwise
/// whatever a series counted before its first sample is unknown, and is not counted.
///
/// ```
/// use davy::Instant;
/// use davy::slo::{Sample, Series};
///
/// let at = Instant::from_millis;
/// let samples = [Sample { at: at(0), value: 7.0 }, Sample { at: at(15_000), value: 9.0 }];
/// assert_eq!(Series::new(&samples)?.len(), 2);
/// assert!(Series::new(&[samples[1], samples[0]]).is_err());
/// # Ok::<(), davy::slo::SeriesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a>(&'a [Sample]);

/// Samples that are no counter's.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SeriesError {
    /// NaN, infinite, negative or above [`MAX_VALUE`].
    #[error("B001: sample {index} is {value}; a counter is a number from 0 to 1e290")]
    Value {
        /// Position in the slice, from 0.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// Two samples of one instant.
    #[error("B002: sample {index} has the same time as the one before it, {at}")]
    Twice {
        /// Position of the second, from 0.
        index: usize,
        /// The instant of both.
        at: Instant,
    },
    /// A sample from before the one in front of it.
    #[error("B003: sample {index} is from {at}, which is before the one in front of it")]
    Unsorted {
        /// Position in the slice, from 0.
        index: usize,
        /// Its instant.
        at: Instant,
    },
}

impl<'a> Series<'a> {
    /// No samples.
    pub const EMPTY: Self = Self(&[]);

    /// Checks every value and the order of times, in one pass.
    ///
    /// # Errors
    /// [`SeriesError`] at the first sample that is not a counter's.
    pub fn new(samples: &'a [Sample]) -> Result<Self, SeriesError> {
        // Without an early exit the pass runs at the speed of memory.
        let values = samples.iter().fold(true, |ok, sample| ok & is_value(sample.value));
        let rising = samples.iter().zip(samples.iter().skip(1)).fold(true, |ok, (a, b)| ok & (a.at < b.at));
        if values & rising {
            return Ok(Self(samples));
        }
        let mut before: Option<Instant> = None;
        for (index, &Sample { at, value }) in samples.iter().enumerate() {
            if !is_value(value) {
                return Err(SeriesError::Value { index, value });
            }
            if before == Some(at) {
                return Err(SeriesError::Twice { index, at });
            }
            if before > Some(at) {
                return Err(SeriesError::Unsorted { index, at });
            }
            before = Some(at);
        }
        Ok(Self(samples))
    }

    /// All samples.
    #[must_use]
    pub const fn samples(self) -> &'a [Sample] {
        self.0
    }

    /// How many samples there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The samples at or after `instant`.
    #[must_use]
    pub fn since(self, instant: Instant) -> Self {
        let (_, rest) = self.0.split_at(self.0.partition_point(|sample| sample.at < instant));
        Self(rest)
    }

    /// The samples at or before `instant`.
    #[must_use]
    pub fn until(self, instant: Instant) -> Self {
        let (rest, _) = self.0.split_at(self.0.partition_point(|sample| sample.at <= instant));
        Self(rest)
    }
}

fn is_value(value: f64) -> bool {
    (0.0..=MAX_VALUE).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(plain: &[(i64, f64)]) -> Vec<Sample> {
        plain.iter().map(|&(millis, value)| Sample { at: Instant::from_millis(millis), value }).collect()
    }

    #[test]
    fn what_no_counter_says_is_refused_where_it_stands() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -f64::MIN_POSITIVE, 1e291] {
            let given = samples(&[(0, 1.0), (1, value), (2, f64::NAN)]);
            assert!(matches!(Series::new(&given), Err(SeriesError::Value { index: 1, .. })), "{value}");
        }
        assert!(Series::new(&samples(&[(0, 0.0), (1, -0.0), (2, MAX_VALUE)])).is_ok());
    }

    #[test]
    fn times_must_rise() {
        let twice = samples(&[(0, 1.0), (5, 2.0), (5, 2.0)]);
        assert_eq!(Series::new(&twice), Err(SeriesError::Twice { index: 2, at: Instant::from_millis(5) }));
        let back = samples(&[(0, 1.0), (5, 2.0), (4, 2.0)]);
        assert_eq!(Series::new(&back), Err(SeriesError::Unsorted { index: 2, at: Instant::from_millis(4) }));
    }

    #[test]
    fn a_reset_is_no_error() {
        assert!(Series::new(&samples(&[(0, 9.0), (1, 2.0)])).is_ok());
        assert!(Series::new(&[]).is_ok_and(Series::is_empty));
    }

    #[test]
    fn parts_of_a_series_keep_both_ends() {
        let given = samples(&[(0, 0.0), (5, 1.0), (9, 2.0)]);
        let series = Series::new(&given).unwrap();
        assert_eq!(series.since(Instant::from_millis(5)).len(), 2);
        assert_eq!(series.since(Instant::from_millis(6)).len(), 1);
        assert_eq!(series.until(Instant::from_millis(5)).len(), 2);
        assert_eq!(series.until(Instant::from_millis(4)).len(), 1);
        assert!(series.since(Instant::MAX).is_empty());
    }
}
