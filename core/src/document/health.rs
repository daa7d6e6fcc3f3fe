//! `health`: what is measured and when that is healthy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value as Json, json};

use super::declare::{keywords, record};
use super::decode::{Refusal, Scalar, read_number};
use super::expected::Expected;
use super::kayenta::{KayentaMetric, KayentaSettings};
use super::plugin::MetricPluginUse;
use super::yaml;
use crate::time::serde_as_text;
use crate::{Count, Duration, Name, Share, Tolerance};

record! {
    /// What is measured, on which grid, and how it is judged.
    pub struct Health {
        /// How metrics are judged.
        judge: Judge = "judge", default(Judge::Evidence);
        /// The grid: the length of one interval. Intervals start at whole multiples of it since 1970-01-01T00:00:00Z.
        every: Duration = "every", default(Duration::from_secs(30));
        /// How long after an interval's end its counts may still change.
        settle: Duration = "settle", default(Duration::from_secs(15));
        /// How long after the release's start nothing is judged, and under `judge: evidence` nothing of a replica after its own: caches are cold.
        warm_up: Duration = "warmUp", default(Duration::from_minutes(1));
        /// How long after the release's start a judgement must have been reached.
        horizon: Duration = "horizon", default(Duration::from_minutes(60));
        /// What happens when the horizon passes and a metric is still undecided.
        on_inconclusive: OnInconclusive = "onInconclusive", default(OnInconclusive::Hold);
        /// The largest probability that a good release is ever aborted by the evidence, in all of its attempts together, however often it is looked at. Attempt i spends a 2^i-th of it: the first, at 1%, is aborted at 200 to 1, and needs 199 past rollouts to be ranked among them.
        false_aborts: Share = "falseAborts", default(Share::from_ppm(10_000));
        /// The largest probability that a release is promoted of which some metric is unacceptable.
        false_promotions: Share = "falsePromotions", default(Share::from_ppm(50_000));
        /// How far the evidence of harm may have come, of the way to an abort, for the canary to get more traffic.
        advance_below: Share = "advanceBelow", default(Share::from_ppm(500_000));
        /// How many of the newest intervals must not speak against what was proved, for `promote`; and for how many the evidence may be within the noise of replicas before that holds.
        recent_intervals: Count = "recentIntervals", default(Count::from(10));
        /// Whether the evidence that the noise between replicas leaves must exceed a bound found by simulation over 60 looks, 1.7 to 3.7 times the level, instead of the level itself. It takes longer.
        strict_noise: bool = "strictNoise", default(false);
        /// How many points of the health score are enough when a metric that is not critical fails.
        score: ScoreLimits = "score", optional;
        /// What is measured.
        metrics: Vec<Metric> = "metrics", optional;
        /// Settings of `judge: flagger`.
        flagger: FlaggerSettings = "flagger", optional;
        /// What traffic is expected, for `davy policy plan` and lint.
        expect: Expected = "expect", optional;
        /// Settings of `judge: kayenta`.
        kayenta: KayentaSettings = "kayenta", optional;
    }
}

keywords! {
    /// How metrics are judged.
    pub enum Judge {
        /// Sequential evidence with a guarantee over the whole rollout. Gauges, and limits of zero, are judged by their limits, outside the guarantee.
        Evidence = "evidence",
        /// Fixed limits per interval. No guarantee: the more often one looks, the more often a good release fails.
        Threshold = "threshold",
        /// An exact test at looks that are fixed beforehand, one per interval of a ramp by the clock. It finds a regression somewhat sooner at low traffic, and is refused where anything could react to what is seen. It judges the canary stage alone; `tolerate` is one of odds.
        GroupSequential = "groupSequential",
        /// The measurement and metric states of Argo Rollouts 1.8, surprises included: with two conditions an undecided measurement can pause a release that a worse, tolerated one would let go on.
        Argo = "argo",
        /// The failed-check counter of Flagger, surprises included.
        Flagger = "flagger",
        /// Kayenta's NetflixACAJudge-v1.0, scoring surprises included: values of all intervals, one by one, by a test of Mann and Whitney at every analysis.
        Kayenta = "kayenta",
    }
}

keywords! {
    /// What happens when the horizon passes without a judgement.
    pub enum OnInconclusive {
        /// It holds until a person acts.
        Hold = "hold",
        /// The release fails.
        Fail = "fail",
        /// What is not proved yet no longer keeps the release from `promote`; evidence of harm still does, and so do newest intervals that are bad. Findings say that nothing was proved. Only where evidence judges.
        Promote = "promote",
    }
}

record! {
    /// Limits on the health score: 100 × the importance of the metrics that have not failed / the importance of all.
    pub struct ScoreLimits, blank {
        /// From here on, failed metrics that are not critical are tolerated; a hold of such a metric is tolerated if the score would be this high even if it had failed.
        pass: Points = "pass", default(Points::FULL);
        /// Below this the release fails; between the two it holds.
        fail: Points = "fail", default(Points::FULL);
    }
}

record! {
    /// Settings of `judge: flagger`.
    pub struct FlaggerSettings, blank {
        /// Flagger's `analysis.threshold`: failed checks after which the next check rolls back.
        threshold: Count = "threshold", default(Count::from(1));
    }
}

record! {
    /// One thing that is measured. Exactly one of `bad` with `total`, `good` with `total`, `histogram`, `buckets`, `gauge`, `probe`, `events` and `plugin` says what.
    pub struct Metric {
        /// Its name, as observations in the snapshot give it.
        name: Name = "name", required;
        /// The source, one of `sources`.
        from: Name = "from", optional;
        /// Counter of bad events; with `total`.
        bad: String = "bad", optional;
        /// Counter of good events; with `total`.
        good: String = "good", optional;
        /// Counter of all events.
        total: String = "total", optional;
        /// Native histogram of latencies in seconds.
        histogram: String = "histogram", optional;
        /// Classic cumulative buckets (`le`) of latencies in seconds.
        buckets: String = "buckets", optional;
        /// A value that goes up and down.
        gauge: String = "gauge", optional;
        /// A probe flow, whose failed runs are the bad events.
        probe: Name = "probe", optional;
        /// Events such as log patterns or crash loops, counted per interval.
        events: Name = "events", optional;
        /// A plugin that measures it.
        plugin: MetricPluginUse = "plugin", optional;
        /// The largest healthy value: `1%` of bad events, `300ms` of latency, `0.85` or `85%` of a gauge, a number of events.
        max: Limit = "max", optional;
        /// The smallest healthy value: `99%` of good events, or a number or share of a gauge.
        min: Limit = "min", optional;
        /// How much worse than the baseline is still healthy: `1.1x`, or `5%` slower.
        tolerate: Tolerance = "tolerate", optional;
        /// How much worse than the baseline is a failure; between the two nothing is decided. A shift is rounded to whole buckets of a native histogram: `tolerate` up, and under `judge: evidence` `unacceptable` down.
        unacceptable: Tolerance = "unacceptable", optional;
        /// Which quantile of a latency `max`, `tolerate` and `unacceptable` speak of.
        quantile: Quantile = "quantile", default(Quantile::P99);
        /// A bucket boundary: slower requests are the bad events that `tolerate` and `unacceptable` compare.
        slower_than: Duration = "slowerThan", optional;
        /// Requests that each compared cohort needs in an interval before it is judged.
        min_requests: Count = "minRequests", default(Count::from(1));
        /// Weight in the health score, above 0 and up to 1000.
        importance: Importance = "importance", default(Importance::ONE);
        /// Whether its failure alone fails the release, whatever the score.
        critical: bool = "critical", default(false);
        /// Whether it is judged and shown, but never counts.
        dry_run: bool = "dryRun", default(false);
        /// What missing data means.
        no_data: NoData = "noData", default(NoData::Hold);
        /// An interval counts as failed when it and the ones before it, this many in all, were bad.
        patience: Count = "patience", default(Count::from(1));
        /// Failed intervals that are tolerated over the rollout; one more fails the metric. 0 unless `consecutiveFailureLimit` is given.
        failure_limit: Count = "failureLimit", optional;
        /// Failed intervals in a row that are tolerated; one more fails the metric.
        consecutive_failure_limit: Count = "consecutiveFailureLimit", optional;
        /// Intervals outside the limits, undecided or bad, that are tolerated over the rollout; one more holds until a person acts. Without it the newest interval must be decided.
        inconclusive_limit: Count = "inconclusiveLimit", optional;
        /// Settings of `judge: argo`, with Argo's names and defaults.
        argo: ArgoSettings = "argo", optional;
        /// What traffic is expected of it, over that of `health`.
        expect: Expected = "expect", optional;
        /// Settings of `judge: kayenta`, with Kayenta's names and defaults.
        kayenta: KayentaMetric = "kayenta", optional;
        /// Another judge for this metric beside that of the others, to compare them: only with `dryRun: true`.
        judge: JudgeBeside = "judge", optional;
    }
}

keywords! {
    /// A judge beside another.
    pub enum JudgeBeside {
        /// As `judge: evidence`.
        Evidence = "evidence",
    }
}

keywords! {
    /// What missing data means.
    pub enum NoData {
        /// The release holds, `blind`.
        Hold = "hold",
        /// The interval is bad.
        Fail = "fail",
    }
}

record! {
    /// Settings of `judge: argo`, with the names and defaults of an Argo Rollouts metric.
    pub struct ArgoSettings, blank {
        /// Measurements to take; without it they never end.
        count: Count = "count", optional;
        /// Which condition `max` and `min` stand for.
        condition: ArgoCondition = "condition", default(ArgoCondition::Success);
        /// Failed measurements that are tolerated; -1 switches the limit off.
        failure_limit: ArgoLimit = "failureLimit", default(ArgoLimit(Some(0)));
        /// Inconclusive measurements that are tolerated.
        inconclusive_limit: Count = "inconclusiveLimit", default(Count::ZERO);
        /// Errors in a row that are tolerated.
        consecutive_error_limit: Count = "consecutiveErrorLimit", default(Count::from(4));
        /// Successes in a row that end the metric; 0 is off.
        consecutive_success_limit: Count = "consecutiveSuccessLimit", default(Count::ZERO);
    }
}

keywords! {
    /// Which of Argo's conditions a limit stands for. It decides what NaN means.
    pub enum ArgoCondition {
        /// `successCondition` alone: what does not succeed fails, NaN too.
        Success = "success",
        /// `failureCondition` alone: what does not fail succeeds, NaN too.
        Failure = "failure",
    }
}

/// An absolute limit: a share, a duration or a plain number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// `5%`
    Share(Share),
    /// `300ms`
    Duration(Duration),
    /// `0.85`
    Number(f64),
}

/// A quantile such as `p99`, exact to 0.0001 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantile(Share);

/// A text that is not a quantile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("S018: `{text}` is not a quantile such as `p99`")]
pub struct QuantileError {
    text: String,
}

/// A weight in the health score: above 0 and up to 1000, exact to 0.001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Importance(u32);

/// Points of the health score: a whole number from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Points(u8);

/// More points than there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("S007: a health score has 0 to 100 points, not {0}")]
pub struct PointsError(u8);

/// A limit as Argo writes it; `None` for -1, off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgoLimit(pub Option<u32>);

impl Quantile {
    /// The 99th percentile.
    pub const P99: Quantile = Quantile(Share::from_ppm(990_000));

    /// The share of requests beyond it.
    #[must_use]
    pub fn beyond(self) -> f64 {
        self.0.complement().as_fraction()
    }

    /// The rank of this quantile among `total` requests, from 1, by the nearest-rank rule: the
    /// smallest rank with at least this share of the requests at or below it.
    #[must_use]
    pub fn rank(self, total: Count) -> Count {
        let rank = (u128::from(self.0.ppm()) * u128::from(total.get())).div_ceil(1_000_000);
        u64::try_from(rank).ok().and_then(|rank| Count::new(rank).ok()).unwrap_or(Count::MAX).max(Count::from(1))
    }
}

impl Importance {
    /// The default weight.
    pub const ONE: Importance = Importance(1000);

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

impl Points {
    /// All 100 points.
    pub const FULL: Points = Points(100);

    /// At most 100.
    #[must_use]
    pub const fn new(points: u8) -> Self {
        if points > 100 { Self::FULL } else { Self(points) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Points {
    type Error = PointsError;
    fn try_from(points: u8) -> Result<Self, PointsError> {
        if points > 100 { Err(PointsError(points)) } else { Ok(Self(points)) }
    }
}

impl FromStr for Limit {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(share) = text.parse() {
            return Ok(Self::Share(share));
        }
        if let Some(number) = read_number(text) {
            return Ok(Self::Number(number));
        }
        text.parse().map(Self::Duration).map_err(|_| ())
    }
}

impl FromStr for Quantile {
    type Err = QuantileError;
    fn from_str(text: &str) -> Result<Self, QuantileError> {
        let share = text.strip_prefix('p').and_then(|digits| format!("{digits}%").parse::<Share>().ok());
        share
            .filter(|share| *share > Share::ZERO && *share < Share::ALL)
            .map(Self)
            .ok_or_else(|| QuantileError { text: text.to_owned() })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => share.fmt(f),
            Self::Duration(duration) => duration.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0.to_string().trim_end_matches('%'))
    }
}

impl fmt::Display for Importance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (f64::from(self.0) / 1000.0).fmt(f)
    }
}

/// Defaults appear in the schema as documents write them.
macro_rules! serialize_as_text {
    ($($type:ty),*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}
serialize_as_text!(Limit);

serde_as_text!(Quantile, "a quantile such as `p99`");

impl Serialize for Importance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl Serialize for ArgoLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.map_or(-1, i64::from))
    }
}

impl Scalar for Limit {
    const EXPECTED: &'static str = "a percentage such as `1%`, a duration such as `300ms` or a number";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().map_err(|()| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": ["string", "number"] })
    }
}

impl Scalar for Quantile {
    const EXPECTED: &'static str = "a quantile such as `p99`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^p[0-9]{1,2}(\\.[0-9]{1,4})?$" })
    }
}

impl Scalar for Importance {
    const EXPECTED: &'static str = "a number above 0 and up to 1000 with at most three decimals";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        // A factor has the same range and precision.
        let factor: crate::Factor = format!("{}x", scalar.text).parse().map_err(|_| Refusal::Unreadable)?;
        let thousandths = factor.thousandths();
        if scalar.plain && thousandths > 0 { Ok(Self(thousandths)) } else { Err(Refusal::Unreadable) }
    }
    fn schema() -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1000 })
    }
}

impl Scalar for Points {
    const EXPECTED: &'static str = "a whole number from 0 to 100";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let count = <Count as Scalar>::read(scalar)?;
        u8::try_from(count.get()).ok().filter(|points| *points <= 100).map(Self).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

impl Scalar for ArgoLimit {
    const EXPECTED: &'static str = "a whole number, or `-1` for no limit";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.text == "-1" && scalar.plain {
            return Ok(Self(None));
        }
        let count = <Count as Scalar>::read(scalar)?;
        u32::try_from(count.get()).map(|limit| Self(Some(limit))).map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "integer", "minimum": -1 })
    }
}
