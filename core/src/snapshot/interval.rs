//! Intervals: closed spans with counts per metric, cohort and replica.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{SerializeStruct as _, Serializer};
use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;

use super::error::{SnapshotError, read};
use crate::{CanonicalError, Count, Digest, Instant, Name, canonical_json};

/// A closed span and everything that was counted in it.
///
/// Observations are kept sorted and each (metric, cohort, replica) stands once. The digest of the
/// canonical form is taken when the interval is made, so that deciding never hashes history.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    start: Instant,
    end: Instant,
    observations: Vec<Observation>,
    digest: Digest,
}

/// An interval as JSON has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Plain {
    start: Instant,
    end: Instant,
    observations: Vec<Observation>,
}

/// What was counted for one metric of one cohort, or of one replica of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The metric's name in the policy.
    pub metric: Name,
    /// Whose traffic.
    pub cohort: Cohort,
    /// Which pod or zone, if counts are kept apart.
    pub replica: Option<Name>,
    /// What was seen.
    pub observed: Observed,
}

/// Whose traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cohort {
    /// The new revision's.
    Canary,
    /// The stable traffic that it is compared with.
    Baseline,
}

impl Cohort {
    /// The word as JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Baseline => "baseline",
        }
    }
}

/// What was seen. The forms are distinct: none of the ways to see nothing is a healthy value.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// Bad events of all events; `total` zero is "no traffic".
    Counts {
        /// Bad events, at most `total`.
        bad: Count,
        /// All events.
        total: Count,
    },
    /// Classic cumulative buckets.
    Buckets(Buckets),
    /// Native exponential histogram.
    Histogram(Histogram),
    /// A finite value that goes up and down.
    Gauge(f64),
    /// A number of events; zero says that none happened, which is not the same as no data.
    Events(Count),
    /// Nothing usable.
    Missing(Missing),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Missing {
    /// The source has no such series.
    #[serde(rename = "noData")]
    NoData,
    /// The source said NaN.
    #[serde(rename = "NaN")]
    Nan,
    /// The source said +Inf.
    #[serde(rename = "+Inf")]
    PositiveInfinity,
    /// The source said -Inf.
    #[serde(rename = "-Inf")]
    NegativeInfinity,
    /// The source could not be asked, or what it said cannot be used. That is nobody's fault but the
    /// source's: it holds, also where the policy says `noData: fail`.
    #[serde(rename = "noAnswer")]
    NoAnswer,
}

/// Classic buckets: how many requests took at most so many seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    at_most: Vec<(f64, Count)>,
    total: Count,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlainBuckets {
    at_most: Vec<(f64, Count)>,
    total: Count,
}

/// A native histogram of latencies: bucket `i` holds the requests in `(base^(i−1), base^i]` seconds,
/// with `base = 2^(2^−schema)` (Prometheus native histograms).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histogram {
    schema: i8,
    zero: Count,
    buckets: Vec<(i32, Count)>,
    #[serde(skip)]
    total: Count,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlainHistogram {
    schema: i8,
    zero: Count,
    buckets: Vec<(i32, Count)>,
}

/// What is wrong with an interval.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum IntervalError {
    /// The end is not after the start.
    #[error("S020: the interval ends at {end}, which is not after its start")]
    Empty {
        /// The end.
        end: Instant,
    },
    /// The same key twice.
    #[error("S021: the metric `{metric}` stands twice for the same cohort and replica")]
    Twice {
        /// The metric.
        metric: Name,
    },
    /// A total beside its parts would count requests twice.
    #[error(
        "S022: the metric `{metric}` is given both for the whole cohort and for replicas of it; give one of the two"
    )]
    WholeAndParts {
        /// The metric.
        metric: Name,
    },
    /// More bad events than events.
    #[error("S023: {bad} bad events of {total}")]
    MoreBadThanTotal {
        /// Bad events.
        bad: u64,
        /// All events.
        total: u64,
    },
    /// Buckets that no histogram has.
    #[error("S024: bucket bounds must be finite and rise, and cumulative counts must not fall nor exceed the total")]
    Buckets,
    /// A native histogram that does not exist.
    #[error(
        "S025: a native histogram has a schema from -4 to 8 and rising bucket indexes, with buckets from 2^-64 s on"
    )]
    Histogram,
    /// Not exactly one form.
    #[error(
        "S026: an observation has exactly one of `bad` with `total`, `buckets`, `histogram`, `gauge`, `events` and `missing`"
    )]
    Form,
    /// A gauge that is not a number.
    #[error("S027: a gauge must be finite; say `\"missing\": \"NaN\"` otherwise")]
    Gauge,
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl Interval {
    /// Checks and sorts the observations.
    ///
    /// # Errors
    /// [`IntervalError`] for an empty span, a key that stands twice, or a whole beside its parts.
    ///
    /// ```
    /// use davy::{Cohort, Count, Interval, Observation, Observed};
    /// let errors = Observation {
    ///     metric: "errors".parse()?,
    ///     cohort: Cohort::Canary,
    ///     replica: None,
    ///     observed: Observed::Counts { bad: Count::from(3), total: Count::from(1204) },
    /// };
    /// let interval = Interval::new("2026-11-23T10:00:00Z".parse()?, "2026-11-23T10:00:30Z".parse()?, vec![errors])?;
    /// assert_eq!(interval.observations().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(start: Instant, end: Instant, mut observations: Vec<Observation>) -> Result<Self, IntervalError> {
        if end <= start {
            return Err(IntervalError::Empty { end });
        }
        observations.sort_by(Observation::order);
        for pair in observations.windows(2) {
            let [a, b] = pair else { continue };
            if a.order(b) == Ordering::Equal {
                return Err(IntervalError::Twice { metric: a.metric.clone() });
            }
            // Without a replica sorts first, so a whole stands right before its parts.
            if (&a.metric, a.cohort) == (&b.metric, b.cohort) && a.replica.is_none() {
                return Err(IntervalError::WholeAndParts { metric: a.metric.clone() });
            }
        }
        for observation in &observations {
            observation.observed.check()?;
        }
        let mut interval = Self { start, end, observations, digest: Digest::of(b"") };
        interval.digest = Digest::of(&canonical_json(&interval)?);
        Ok(interval)
    }

    /// Reads one interval from JSON, in the form that a snapshot holds.
    ///
    /// # Errors
    /// [`SnapshotError`], with a code, line and column.
    ///
    /// ```
    /// let json = r#"{ "start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:00:30Z", "observations": [
    ///   { "metric": "errors", "cohort": "canary", "bad": 3, "total": 1204 }] }"#;
    /// assert_eq!(davy::Interval::from_json(json.as_bytes())?.observations().len(), 1);
    /// # Ok::<(), davy::SnapshotError>(())
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        read(bytes)
    }

    /// When it begins.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// When it ends; this instant is not part of it.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.end
    }

    /// Sorted by metric, cohort and replica.
    #[must_use]
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The digest of its canonical JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Observation {
    fn order(&self, other: &Self) -> Ordering {
        (&self.metric, self.cohort, &self.replica).cmp(&(&other.metric, other.cohort, &other.replica))
    }
}

impl Observed {
    fn check(&self) -> Result<(), IntervalError> {
        match self {
            Self::Counts { bad, total } if bad > total => {
                Err(IntervalError::MoreBadThanTotal { bad: bad.get(), total: total.get() })
            }
            Self::Gauge(value) if !value.is_finite() => Err(IntervalError::Gauge),
            _ => Ok(()),
        }
    }
}

impl Buckets {
    /// Cumulative counts by rising upper bound in seconds, and the number of all requests.
    ///
    /// # Errors
    /// [`IntervalError::Buckets`] where bounds do not rise or counts fall.
    pub fn new(at_most: Vec<(f64, Count)>, total: Count) -> Result<Self, IntervalError> {
        let mut previous = (f64::NEG_INFINITY, Count::ZERO);
        for &(bound, count) in &at_most {
            if !bound.is_finite() || bound <= previous.0 || count < previous.1 || count > total {
                return Err(IntervalError::Buckets);
            }
            previous = (bound, count);
        }
        Ok(Self { at_most, total })
    }

    /// Cumulative counts by rising upper bound in seconds.
    #[must_use]
    pub fn at_most(&self) -> &[(f64, Count)] {
        &self.at_most
    }

    /// All requests.
    #[must_use]
    pub fn total(&self) -> Count {
        self.total
    }

    /// The sum, if both have the same bounds.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let same = self.at_most.len() == other.at_most.len();
        let pairs = self.at_most.iter().zip(&other.at_most);
        let at_most: Option<Vec<(f64, Count)>> = pairs
            .map(|((bound, a), (other_bound, b))| {
                bound.total_cmp(other_bound).is_eq().then(|| (*bound, a.saturating_add(*b)))
            })
            .collect();
        Some(Self { at_most: at_most.filter(|_| same)?, total: self.total.saturating_add(other.total) })
    }
}

impl Histogram {
    /// The resolution, the requests that took no measurable time, and the counts by bucket index.
    ///
    /// # Errors
    /// [`IntervalError::Histogram`] for a schema or index that does not exist.
    pub fn new(schema: i8, zero: Count, buckets: Vec<(i32, Count)>) -> Result<Self, IntervalError> {
        let rising = buckets.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        // Latencies from 2^-64 s on, below the largest double.
        let exponent = |index: i32| (f64::from(index) - 1.0) * libm::exp2(-f64::from(schema));
        let known = buckets.iter().all(|(index, _)| (-64.0..1024.0).contains(&exponent(*index)));
        if !(-4..=8).contains(&schema) || !rising || !known {
            return Err(IntervalError::Histogram);
        }
        let total = buckets.iter().fold(zero, |sum, (_, count)| sum.saturating_add(*count));
        Ok(Self { schema, zero, buckets, total })
    }

    /// From -4, coarse, to 8, fine.
    #[must_use]
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Requests that took no measurable time.
    #[must_use]
    pub fn zero(&self) -> Count {
        self.zero
    }

    /// Counts by rising bucket index.
    #[must_use]
    pub fn buckets(&self) -> &[(i32, Count)] {
        &self.buckets
    }

    /// All requests.
    #[must_use]
    pub fn total(&self) -> Count {
        self.total
    }

    /// The sum, at the coarser resolution of the two; without buckets there is none.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let schema = match (self.buckets.is_empty(), other.buckets.is_empty()) {
            (true, false) => other.schema,
            (false, true) => self.schema,
            (true, true) | (false, false) => self.schema.min(other.schema),
        };
        let mut sum: BTreeMap<i32, Count> = BTreeMap::new();
        for histogram in [self, other] {
            for (index, count) in &histogram.buckets {
                let slot = sum.entry(coarser(*index, histogram.schema, schema)).or_default();
                *slot = slot.saturating_add(*count);
            }
        }
        Self {
            schema,
            zero: self.zero.saturating_add(other.zero),
            buckets: sum.into_iter().collect(),
            total: self.total.saturating_add(other.total),
        }
    }
}

/// The index of the bucket of a coarser resolution that holds this one.
pub(crate) fn coarser(index: i32, from: i8, to: i8) -> i32 {
    let halvings = u32::try_from(i32::from(from) - i32::from(to)).unwrap_or(0);
    ((index - 1) >> halvings) + 1
}

/// Reads an object and checks it before the reader goes on, so that an error points right behind it.
macro_rules! checked {
    ($($Type:ident from $Plain:ident),*) => { $(
        impl<'de> Deserialize<'de> for $Type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Checked;
                impl<'de> de::Visitor<'de> for Checked {
                    type Value = $Type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<$Type, A::Error> {
                        let plain = $Plain::deserialize(de::value::MapAccessDeserializer::new(map))?;
                        plain.try_into().map_err(de::Error::custom)
                    }
                }
                deserializer.deserialize_map(Checked)
            }
        }
    )* };
}
checked!(Interval from Plain, Observation from PlainObservation, Buckets from PlainBuckets, Histogram from PlainHistogram);

impl TryFrom<Plain> for Interval {
    type Error = IntervalError;
    fn try_from(plain: Plain) -> Result<Self, IntervalError> {
        Self::new(plain.start, plain.end, plain.observations)
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut plain = serializer.serialize_struct("Interval", 3)?;
        plain.serialize_field("start", &self.start)?;
        plain.serialize_field("end", &self.end)?;
        plain.serialize_field("observations", &self.observations)?;
        plain.end()
    }
}

impl TryFrom<PlainBuckets> for Buckets {
    type Error = IntervalError;
    fn try_from(plain: PlainBuckets) -> Result<Self, IntervalError> {
        Self::new(plain.at_most, plain.total)
    }
}

impl TryFrom<PlainHistogram> for Histogram {
    type Error = IntervalError;
    fn try_from(plain: PlainHistogram) -> Result<Self, IntervalError> {
        Self::new(plain.schema, plain.zero, plain.buckets)
    }
}

/// An observation as JSON has it: one flat object, which serde's own flattening would read through
/// a buffer that other crates' features change.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlainObservation {
    metric: Name,
    cohort: Cohort,
    replica: Option<Name>,
    bad: Option<Count>,
    total: Option<Count>,
    buckets: Option<Buckets>,
    histogram: Option<Histogram>,
    gauge: Option<f64>,
    events: Option<Count>,
    missing: Option<Missing>,
}

impl TryFrom<PlainObservation> for Observation {
    type Error = IntervalError;
    fn try_from(plain: PlainObservation) -> Result<Self, IntervalError> {
        let observed =
            match (plain.bad, plain.total, plain.buckets, plain.histogram, plain.gauge, plain.events, plain.missing) {
                (Some(bad), Some(total), None, None, None, None, None) => Observed::Counts { bad, total },
                (None, None, Some(buckets), None, None, None, None) => Observed::Buckets(buckets),
                (None, None, None, Some(histogram), None, None, None) => Observed::Histogram(histogram),
                (None, None, None, None, Some(gauge), None, None) => Observed::Gauge(gauge),
                (None, None, None, None, None, Some(events), None) => Observed::Events(events),
                (None, None, None, None, None, None, Some(missing)) => Observed::Missing(missing),
                _ => return Err(IntervalError::Form),
            };
        observed.check()?;
        Ok(Self { metric: plain.metric, cohort: plain.cohort, replica: plain.replica, observed })
    }
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut plain = serializer.serialize_struct("Observation", 5)?;
        plain.serialize_field("metric", &self.metric)?;
        plain.serialize_field("cohort", &self.cohort)?;
        if let Some(replica) = &self.replica {
            plain.serialize_field("replica", replica)?;
        }
        match &self.observed {
            Observed::Counts { bad, total } => {
                plain.serialize_field("bad", bad)?;
                plain.serialize_field("total", total)?;
            }
            Observed::Buckets(buckets) => plain.serialize_field("buckets", buckets)?,
            Observed::Histogram(histogram) => plain.serialize_field("histogram", histogram)?,
            Observed::Gauge(gauge) => plain.serialize_field("gauge", gauge)?,
            Observed::Events(events) => plain.serialize_field("events", events)?,
            Observed::Missing(missing) => plain.serialize_field("missing", missing)?,
        }
        plain.end()
    }
}
