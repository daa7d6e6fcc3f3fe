//! What is known of the traffic before there is any.

use libm::{erfc, exp, log};
use serde::Serialize;

use super::Variation;
use crate::document::Expected;
use crate::{Duration, Rate, Share};
use std::num::NonZeroU32;

/// What the baseline's traffic is expected to be, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Requests of the whole service; of a probe its runs against each cohort; of events how many a whole cohort has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Rate>,
    /// The share of bad events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<Share>,
    /// The latency that half of the requests exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<Duration>,
    /// The latency that a tenth of the requests exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<Duration>,
    /// The latency that a hundredth of the requests exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<Duration>,
    /// The resolution of native histograms: 2 to this power buckets per doubling. 3, unless it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u8>,
    /// Replicas of the baseline whose counts are told apart. Where it is not known, none are, and an abort needs more.
    /// The canary is expected to have as many as its weight asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<NonZeroU32>,
    /// How much replicas vary by themselves; not at all, unless it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Variation>,
}

/// A distribution of latencies through the known quantiles, lognormal between them and beyond.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Latencies {
    /// Standard normal quantile and natural logarithm of the seconds; both rise. At least two.
    points: Vec<(f64, f64)>,
    /// Whether at least one latency is known: else only ratios mean something.
    pub(super) is_located: bool,
}

/// The standard normal quantiles of 90 % and 99 %.
const Z90: f64 = 1.281_551_565_544_6;
const Z99: f64 = 2.326_347_874_040_841;
/// How many times the median the 99th percentile is where it is not known: about what services show.
const USUAL_TAIL: f64 = 4.0;
/// Only ratios of it matter.
const ANY_MEDIAN: f64 = 0.1;
/// The usual resolution of native histograms: buckets that grow by 9 %.
const USUAL_SCHEMA: u8 = 3;

impl Estimate {
    pub(crate) fn of(expected: &Expected) -> Self {
        Self {
            requests: expected.requests.as_ref().map(|it| it.value),
            bad: expected.bad.as_ref().map(|it| it.value),
            p50: expected.p50.as_ref().map(|it| it.value),
            p90: expected.p90.as_ref().map(|it| it.value),
            p99: expected.p99.as_ref().map(|it| it.value),
            schema: expected.schema.as_ref().and_then(|it| u8::try_from(it.value.get()).ok()),
            replicas: expected.replicas.as_ref().and_then(|it| NonZeroU32::new(u32::try_from(it.value.get()).ok()?)),
            noise: None,
        }
    }

    /// What this says, and what `coarser` says where it says nothing.
    #[must_use]
    pub fn or(self, coarser: Self) -> Self {
        Self {
            requests: self.requests.or(coarser.requests),
            bad: self.bad.or(coarser.bad),
            p50: self.p50.or(coarser.p50),
            p90: self.p90.or(coarser.p90),
            p99: self.p99.or(coarser.p99),
            schema: self.schema.or(coarser.schema),
            replicas: self.replicas.or(coarser.replicas),
            noise: self.noise.or(coarser.noise),
        }
    }

    pub(super) fn says_latencies(&self) -> bool {
        self.p50.is_some() || self.p90.is_some() || self.p99.is_some()
    }

    /// Whether the latencies that it names rise, and all are above zero.
    #[must_use]
    pub fn has_rising_latencies(&self) -> bool {
        let known: Vec<Duration> = [self.p50, self.p90, self.p99].into_iter().flatten().collect();
        known.iter().all(|latency| !latency.is_zero()) && known.is_sorted_by(|a, b| a < b)
    }

    /// Replicas of the canary at a weight: as many as serve it as the baseline's serve the rest, and no more than those.
    pub(super) fn canary_replicas(&self, weight: f64) -> u32 {
        let Some(baseline) = self.replicas else { return 1 };
        let baseline = f64::from(baseline.get());
        let fair = baseline * weight / (1.0 - weight).max(f64::MIN_POSITIVE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a number of replicas")]
        let replicas = fair.round().clamp(1.0, baseline) as u32;
        replicas
    }

    pub(super) fn native_schema(&self) -> i8 {
        // A document says at most 8.
        i8::try_from(self.schema.unwrap_or(USUAL_SCHEMA).min(8)).unwrap_or(8)
    }

    pub(super) fn latencies(&self) -> Latencies {
        let known = [(0.0, self.p50), (Z90, self.p90), (Z99, self.p99)];
        let mut points: Vec<(f64, f64)> =
            known.into_iter().filter_map(|(z, latency)| Some((z, log(latency?.as_secs_f64())))).collect();
        let is_located = !points.is_empty() && self.has_rising_latencies();
        if !is_located {
            points = vec![(0.0, log(ANY_MEDIAN))];
        }
        if let [(z, seconds)] = points[..] {
            points.push((z + Z99, seconds + log(USUAL_TAIL)));
        }
        Latencies { points, is_located }
    }
}

/// What is seen of a share is believed with so many requests on both sides.
pub(super) const ENOUGH: f64 = 10.0;
/// So many standard deviations beyond what was seen nothing is asked about.
const BEYOND: f64 = 40.0;

impl Latencies {
    /// Through counts of requests that took longer than each of some rising bounds in seconds, of a total, and of the
    /// usual spread beyond; nothing where no bound has enough requests on both sides.
    pub(super) fn through(slower: impl Iterator<Item = (f64, f64)>, total: f64) -> Option<Self> {
        let known = slower.filter(|(bound, slower)| *bound > 0.0 && slower.min(total - slower) >= ENOUGH);
        let mut points: Vec<(f64, f64)> = known.map(|(bound, slower)| (quantile(slower / total), log(bound))).collect();
        let ((least, first), (most, last)) = (*points.first()?, *points.last()?);
        let (deviates, seconds) = (BEYOND, BEYOND * log(USUAL_TAIL) / Z99);
        points.insert(0, (least - deviates, first - seconds));
        points.push((most + deviates, last + seconds));
        Some(Self { points, is_located: true })
    }

    /// The latency that this share exceeds, if it lies between bounds that [`through`](Self::through) was given.
    pub(super) fn seen_at(&self, share: f64) -> Option<f64> {
        let seen = self.points.get(1..self.points.len().saturating_sub(1))?;
        let ((least, _), (most, _)) = (*seen.first()?, *seen.last()?);
        (least..=most).contains(&quantile(share)).then(|| self.exceeded_by(share))
    }

    /// The share of requests that take longer than `seconds`, where all take `times` as long.
    pub(super) fn slower_than(&self, seconds: f64, times: f64) -> f64 {
        let at = log(seconds / times);
        // The segment that it lies in, or the one nearest to it.
        let last = self.points.len().saturating_sub(2);
        let place = self.points.iter().skip(1).position(|(_, end)| at <= *end).unwrap_or(last).min(last);
        match self.points.get(place..) {
            Some([(from, begin), (to, end), ..]) => {
                let z = from + (at - begin) * (to - from) / (end - begin);
                0.5 * erfc(z / std::f64::consts::SQRT_2)
            }
            _ => 0.0,
        }
    }

    /// By how many per cent fewer requests take longer than `seconds`, if that rises by one.
    pub(super) fn steepness(&self, seconds: f64) -> f64 {
        let step = 1.01;
        let (more, fewer) = (self.slower_than(seconds / step, 1.0), self.slower_than(seconds * step, 1.0));
        let steepness = log(more / fewer) / (2.0 * log(step));
        if steepness.is_finite() && steepness > 0.0 { steepness } else { 1.0 }
    }

    /// The median, in seconds.
    pub(super) fn median(&self) -> f64 {
        self.exceeded_by(0.5)
    }

    /// The latency that this share of requests exceeds, in seconds.
    pub(super) fn exceeded_by(&self, share: f64) -> f64 {
        let (mut low, mut high) = (1e-9, 1e9);
        for _ in 0..100 {
            let middle = exp(0.5 * (log(low) + log(high)));
            if self.slower_than(middle, 1.0) > share { low = middle } else { high = middle }
        }
        low
    }
}

/// The standard normal quantile that this share exceeds.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if 0.5 * erfc(middle / std::f64::consts::SQRT_2) > share { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Option<Duration> {
        Some(Duration::from_millis(millis))
    }

    #[test]
    fn latencies_go_through_what_is_known_of_them() {
        let estimate = Estimate { p50: ms(50), p90: ms(110), p99: ms(420), ..Estimate::default() };
        let latencies = estimate.latencies();
        for (seconds, share) in [(0.05, 0.5), (0.11, 0.1), (0.42, 0.01)] {
            assert!((latencies.slower_than(seconds, 1.0) - share).abs() < 1e-9);
            assert!((latencies.slower_than(2.0 * seconds, 2.0) - share).abs() < 1e-9);
        }
        assert!(latencies.slower_than(0.001, 1.0) > 0.999 && latencies.slower_than(60.0, 1.0) < 1e-6);
        assert!((latencies.median() - 0.05).abs() < 1e-9);
    }

    #[test]
    fn the_tail_is_steeper_than_the_middle() {
        let estimate = Estimate { p50: ms(50), p99: ms(200), ..Estimate::default() };
        let latencies = estimate.latencies();
        // φ(z)/(Q(z)·σ) of a lognormal with a p99 of four times the median.
        for (seconds, steepness) in [(0.05, 1.339), (0.2, 4.473)] {
            assert!((latencies.steepness(seconds) - steepness).abs() < 0.01, "{}", latencies.steepness(seconds));
        }
    }

    #[test]
    fn of_what_is_not_known_the_usual_is_assumed() {
        for estimate in [
            Estimate { p50: ms(50), ..Estimate::default() },
            Estimate { p99: ms(200), ..Estimate::default() },
            Estimate { p50: ms(50), p99: ms(200), ..Estimate::default() },
        ] {
            let latencies = estimate.latencies();
            assert!(latencies.is_located);
            assert!((latencies.slower_than(0.2, 1.0) - 0.01).abs() < 1e-9, "{estimate:?}");
        }
        assert!((Estimate { p99: ms(200), ..Estimate::default() }).latencies().median() > 0.0499);
        assert!(!Estimate::default().latencies().is_located);
        assert!(!Estimate { p50: ms(50), p99: ms(50), ..Estimate::default() }.has_rising_latencies());
    }
}
