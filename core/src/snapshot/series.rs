//! Series: one metric's values over many intervals as columns, for hosts that hold arrays and not JSON.

use std::collections::BTreeMap;

use thiserror::Error;

use super::interval::{Buckets, Cohort, Histogram, Interval, IntervalError, Missing, Observation, Observed};
use crate::{Count, CountError, Duration, Instant, Name};

/// The values of one metric of one cohort, or of one replica of it, over intervals of the same length. Borrowed
/// columns: nothing is copied before the intervals are made.
///
/// ```
/// use davy::{Cohort, Duration, Series, SeriesValues};
/// let starts = [1_795_687_200_000, 1_795_687_230_000];
/// let errors = Series {
///     metric: "errors".parse()?,
///     cohort: Cohort::Canary,
///     replica: None,
///     starts: &starts,
///     values: SeriesValues::Counts { bad: &[3, 0], total: &[1204, 1187] },
/// };
/// let intervals = Series::intervals(Duration::from_secs(30), &[errors])?;
/// assert_eq!(intervals[1].start().to_string(), "2026-11-26T10:00:30Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Series<'a> {
    /// The metric's name in the policy.
    pub metric: Name,
    /// Whose traffic.
    pub cohort: Cohort,
    /// Which pod or zone, if counts are kept apart.
    pub replica: Option<Name>,
    /// When each interval begins, in milliseconds since 1970 UTC.
    pub starts: &'a [i64],
    /// What was seen in each of them.
    pub values: SeriesValues<'a>,
}

/// What was seen in each interval of a series. [`Series::NO_DATA`] stands for a count that the source does not have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SeriesValues<'a> {
    /// Bad events of all events.
    Counts {
        /// Bad events.
        bad: &'a [u64],
        /// All events.
        total: &'a [u64],
    },
    /// Numbers of events.
    Events(&'a [u64]),
    /// Values that go up and down. NaN and infinities are kept as what they are: missing, each in its own way.
    Gauge(&'a [f64]),
    /// Classic cumulative buckets: for each interval as many counts as there are bounds, one interval after the other.
    Buckets {
        /// Rising upper bounds in seconds, the same for all intervals, without the infinite one.
        bounds: &'a [f64],
        /// Requests that took at most so long: `bounds.len()` counts for each interval.
        at_most: &'a [u64],
        /// All requests.
        total: &'a [u64],
    },
    /// Native histograms: the buckets of interval `i` are those from `offsets[i]` to `offsets[i + 1]`.
    Histogram {
        /// The resolution, from -4 to 8.
        schema: i8,
        /// Requests that took no measurable time.
        zero: &'a [u64],
        /// Where each interval's buckets begin; one more than there are intervals.
        offsets: &'a [usize],
        /// Rising bucket indexes of each interval.
        index: &'a [i32],
        /// The count of each bucket.
        count: &'a [u64],
    },
}

/// What is wrong with series.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SeriesError {
    /// Columns that do not fit together.
    #[error("S040: series `{metric}`: `{column}` has {found} values and not {expected}")]
    Length {
        /// The metric.
        metric: Name,
        /// The column.
        column: &'static str,
        /// How many values it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// Offsets that fall, or lead out of the buckets.
    #[error("S041: series `{metric}`: the offsets of interval {row} lead out of the buckets")]
    Offsets {
        /// The metric.
        metric: Name,
        /// Which interval, from 0.
        row: usize,
    },
    /// A count that is too large.
    #[error("series `{metric}`, interval {row}: {cause}")]
    Count {
        /// The metric.
        metric: Name,
        /// Which interval, from 0.
        row: usize,
        /// Why.
        cause: CountError,
    },
    /// A value that no observation has.
    #[error("series `{metric}`, interval {row}: {cause}")]
    Value {
        /// The metric.
        metric: Name,
        /// Which interval, from 0.
        row: usize,
        /// Why.
        cause: IntervalError,
    },
    /// Observations that do not make an interval together.
    #[error("interval from {start}: {cause}")]
    Interval {
        /// When it begins.
        start: Instant,
        /// Why.
        cause: IntervalError,
    },
}

impl Series<'_> {
    /// In place of a count: the source has no value for this interval.
    pub const NO_DATA: u64 = u64::MAX;

    /// The intervals that the series describe together, in time order; each is `every` long.
    ///
    /// # Errors
    /// [`SeriesError`] with the series and the interval that is wrong; nothing is accepted in part.
    pub fn intervals(every: Duration, series: &[Series<'_>]) -> Result<Vec<Interval>, SeriesError> {
        let mut rows: BTreeMap<Instant, Vec<Observation>> = BTreeMap::new();
        for one in series {
            one.check_lengths()?;
            for (row, start) in one.starts.iter().enumerate() {
                let observations =
                    rows.entry(Instant::from_millis(*start)).or_insert_with(|| Vec::with_capacity(series.len()));
                observations.push(Observation {
                    metric: one.metric.clone(),
                    cohort: one.cohort,
                    replica: one.replica.clone(),
                    observed: one.observed(row)?,
                });
            }
        }
        rows.into_iter()
            .map(|(start, observations)| {
                let interval = Interval::new(start, start.plus(every), observations);
                interval.map_err(|cause| SeriesError::Interval { start, cause })
            })
            .collect()
    }

    fn check_lengths(&self) -> Result<(), SeriesError> {
        let rows = self.starts.len();
        let columns: &[(&'static str, usize, usize)] = match &self.values {
            SeriesValues::Counts { bad, total } => &[("bad", bad.len(), rows), ("total", total.len(), rows)],
            SeriesValues::Events(events) => &[("events", events.len(), rows)],
            SeriesValues::Gauge(values) => &[("gauge", values.len(), rows)],
            SeriesValues::Buckets { bounds, at_most, total } => {
                &[("atMost", at_most.len(), rows.saturating_mul(bounds.len())), ("total", total.len(), rows)]
            }
            SeriesValues::Histogram { zero, offsets, index, count, .. } => &[
                ("zero", zero.len(), rows),
                ("offsets", offsets.len(), rows.saturating_add(1)),
                ("count", count.len(), index.len()),
            ],
        };
        match columns.iter().find(|(_, found, expected)| found != expected) {
            Some(&(column, found, expected)) => {
                Err(SeriesError::Length { metric: self.metric.clone(), column, expected, found })
            }
            None => Ok(()),
        }
    }

    fn observed(&self, row: usize) -> Result<Observed, SeriesError> {
        let nothing = Ok(Observed::Missing(Missing::NoData));
        match self.values {
            SeriesValues::Counts { bad, total } => match (self.count(bad, row)?, self.count(total, row)?) {
                (Some(bad), Some(total)) => Ok(Observed::Counts { bad, total }),
                _ => nothing,
            },
            SeriesValues::Events(events) => match self.count(events, row)? {
                Some(events) => Ok(Observed::Events(events)),
                None => nothing,
            },
            SeriesValues::Gauge(values) => Ok(gauge(values.get(row).copied())),
            SeriesValues::Buckets { bounds, at_most, total } => {
                let Some(total) = self.count(total, row)? else { return nothing };
                let first = row.saturating_mul(bounds.len());
                let counts = at_most.get(first..first.saturating_add(bounds.len())).unwrap_or_default();
                let Some(counts) = self.all_counts(counts, row)? else { return nothing };
                let buckets = Buckets::new(bounds.iter().copied().zip(counts).collect(), total);
                buckets.map(Observed::Buckets).map_err(|cause| self.wrong(row, cause))
            }
            SeriesValues::Histogram { schema, zero, offsets, index, count } => {
                let Some(zero) = self.count(zero, row)? else { return nothing };
                let here = match offsets.get(row..row.saturating_add(2)) {
                    Some(&[from, to]) => index.get(from..to).zip(count.get(from..to)),
                    _ => None,
                };
                let outside = || SeriesError::Offsets { metric: self.metric.clone(), row };
                let (index, count) = here.ok_or_else(outside)?;
                let Some(counts) = self.all_counts(count, row)? else { return nothing };
                let histogram = Histogram::new(schema, zero, index.iter().copied().zip(counts).collect());
                histogram.map(Observed::Histogram).map_err(|cause| self.wrong(row, cause))
            }
        }
    }

    /// Nothing where the source has nothing.
    fn count(&self, column: &[u64], row: usize) -> Result<Option<Count>, SeriesError> {
        match column.get(row).copied() {
            None | Some(Self::NO_DATA) => Ok(None),
            Some(value) => match Count::new(value) {
                Ok(count) => Ok(Some(count)),
                Err(cause) => Err(SeriesError::Count { metric: self.metric.clone(), row, cause }),
            },
        }
    }

    fn all_counts(&self, column: &[u64], row: usize) -> Result<Option<Vec<Count>>, SeriesError> {
        (0..column.len()).map(|index| self.count(column, index)).collect::<Result<_, _>>().map_err(
            |error| match error {
                SeriesError::Count { metric, cause, .. } => SeriesError::Count { metric, row, cause },
                other => other,
            },
        )
    }

    fn wrong(&self, row: usize, cause: IntervalError) -> SeriesError {
        SeriesError::Value { metric: self.metric.clone(), row, cause }
    }
}

fn gauge(value: Option<f64>) -> Observed {
    match value {
        None => Observed::Missing(Missing::NoData),
        Some(value) if value.is_nan() => Observed::Missing(Missing::Nan),
        Some(f64::INFINITY) => Observed::Missing(Missing::PositiveInfinity),
        Some(f64::NEG_INFINITY) => Observed::Missing(Missing::NegativeInfinity),
        Some(value) => Observed::Gauge(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTS: [i64; 2] = [1_795_687_200_000, 1_795_687_230_000];

    fn of(metric: &str, values: SeriesValues<'static>) -> Series<'static> {
        Series { metric: metric.parse().unwrap(), cohort: Cohort::Canary, replica: None, starts: &STARTS, values }
    }

    fn intervals(series: &[Series<'_>]) -> Result<Vec<Interval>, SeriesError> {
        Series::intervals(Duration::from_secs(30), series)
    }

    #[test]
    fn columns_of_every_form_say_what_json_says() {
        let series = [
            of("errors", SeriesValues::Counts { bad: &[3, 0], total: &[1204, Series::NO_DATA] }),
            of("events", SeriesValues::Events(&[0, Series::NO_DATA])),
            of("cpu", SeriesValues::Gauge(&[0.5, f64::NAN])),
            of("search", SeriesValues::Buckets { bounds: &[0.1, 0.5], at_most: &[5, 9, 1, 2], total: &[10, 2] }),
            of(
                "latency",
                SeriesValues::Histogram {
                    schema: 3,
                    zero: &[1, 0],
                    offsets: &[0, 2, 2],
                    index: &[-4, 7],
                    count: &[8, 1],
                },
            ),
        ];
        let json = [
            r#"{ "start": "2026-11-26T10:00:00Z", "end": "2026-11-26T10:00:30Z", "observations": [
                { "metric": "errors", "cohort": "canary", "bad": 3, "total": 1204 },
                { "metric": "events", "cohort": "canary", "events": 0 },
                { "metric": "cpu", "cohort": "canary", "gauge": 0.5 },
                { "metric": "search", "cohort": "canary", "buckets": { "atMost": [[0.1, 5], [0.5, 9]], "total": 10 } },
                { "metric": "latency", "cohort": "canary",
                  "histogram": { "schema": 3, "zero": 1, "buckets": [[-4, 8], [7, 1]] } }] }"#,
            r#"{ "start": "2026-11-26T10:00:30Z", "end": "2026-11-26T10:01:00Z", "observations": [
                { "metric": "errors", "cohort": "canary", "missing": "noData" },
                { "metric": "events", "cohort": "canary", "missing": "noData" },
                { "metric": "cpu", "cohort": "canary", "missing": "NaN" },
                { "metric": "search", "cohort": "canary", "buckets": { "atMost": [[0.1, 1], [0.5, 2]], "total": 2 } },
                { "metric": "latency", "cohort": "canary", "histogram": { "schema": 3, "zero": 0, "buckets": [] } }] }"#,
        ];
        let expected: Vec<Interval> = json.iter().map(|json| Interval::from_json(json.as_bytes()).unwrap()).collect();
        assert_eq!(intervals(&series).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_names_the_series_and_the_interval() {
        let cases: [(SeriesValues<'static>, &str); 6] = [
            (SeriesValues::Counts { bad: &[1], total: &[1, 2] }, "S040: series `m`: `bad` has 1 values and not 2"),
            (SeriesValues::Events(&[0, 1 << 60]), "series `m`, interval 1: S012"),
            (SeriesValues::Counts { bad: &[1, 3], total: &[1, 2] }, "S023: 3 bad events of 2"),
            (
                SeriesValues::Buckets { bounds: &[0.5, 0.1], at_most: &[0; 4], total: &[0; 2] },
                "series `m`, interval 0: S024",
            ),
            (
                SeriesValues::Histogram { schema: 0, zero: &[0; 2], offsets: &[0, 2, 1], index: &[1], count: &[1] },
                "S041: series `m`: the offsets of interval 0",
            ),
            (
                SeriesValues::Histogram { schema: 9, zero: &[0; 2], offsets: &[0, 0, 0], index: &[], count: &[] },
                "series `m`, interval 0: S025",
            ),
        ];
        for (values, expected) in cases {
            let error = intervals(&[of("m", values)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let twice = [of("m", SeriesValues::Events(&[0, 1])), of("m", SeriesValues::Events(&[0, 1]))];
        assert!(intervals(&twice).unwrap_err().to_string().starts_with("interval from 2026-11-26T10:00:00Z: S021"));
    }
}
