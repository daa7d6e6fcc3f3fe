//! What intervals of a healthy service show of its traffic, for plans that need not be told.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use libm::exp2;

use super::estimate::{ENOUGH, Estimate, Latencies};
use crate::stats::Native;
use crate::{Buckets, Cohort, Count, Duration, Histogram, Interval, Name, Observed, Rate, Share};

/// What is seen of one metric.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) estimate: Estimate,
    /// The whole shape of the baseline's latencies, where enough requests show it.
    pub(super) latencies: Option<Latencies>,
    /// Where thresholds may lie, if latencies are counted.
    pub(super) buckets: Option<Bounds>,
}

/// The buckets that latencies are counted in.
#[derive(Debug, Clone)]
pub(super) enum Bounds {
    /// Of this resolution.
    Native(i8),
    /// Up to these seconds.
    Classic(Vec<f64>),
}

/// The baseline, all of its intervals and replicas together.
#[derive(Default)]
struct Baseline {
    bad: f64,
    counted: f64,
    native: Option<Histogram>,
    /// One for each set of bounds.
    classic: Vec<Buckets>,
}

impl Seen {
    /// Nothing where no request of the baseline was counted.
    pub(super) fn of(metric: &Name, intervals: &[Interval]) -> Option<Self> {
        let (mut requests, mut of_baseline, mut seconds) = (0.0, 0.0, 0.0);
        let (mut baseline, mut replicas) = (Baseline::default(), Vec::new());
        for interval in intervals {
            let observed = || interval.observations().iter().filter(|observation| observation.metric == *metric);
            let (mut all, mut beside, mut is_counted, mut serving) = (0.0, 0.0, false, BTreeSet::new());
            for observation in observed() {
                let Some(total) = total(&observation.observed) else { continue };
                all += total;
                if observation.cohort == Cohort::Baseline {
                    is_counted = true;
                    beside += total;
                    baseline.add(&observation.observed);
                    serving.extend(&observation.replica);
                }
            }
            // An interval without a request is one, too.
            if is_counted {
                requests += all;
                of_baseline += beside;
                seconds += interval.end().since(interval.start()).as_secs_f64();
            }
            if beside > 0.0 {
                replicas.push(serving.len());
            }
        }
        if of_baseline <= 0.0 {
            return None;
        }
        let (latencies, buckets) = baseline.latencies().unzip();
        let latencies: Option<Latencies> = latencies.flatten();
        let seen_at = |share| latencies.as_ref().and_then(|latencies| in_millis(latencies.seen_at(share)?));
        // Pods come and go: as many as there usually were at a time.
        replicas.sort_unstable();
        let usual = replicas.get(replicas.len() / 2).copied().unwrap_or(0);
        let estimate = Estimate {
            requests: Rate::about(requests / seconds),
            bad: baseline.bad(),
            p50: seen_at(0.5),
            p90: seen_at(0.1),
            p99: seen_at(0.01),
            schema: buckets.as_ref().and_then(Bounds::schema).and_then(|schema| u8::try_from(schema).ok()),
            replicas: u32::try_from(usual).ok().and_then(NonZeroU32::new),
            noise: None,
        };
        Some(Self { estimate, latencies, buckets })
    }
}

impl Bounds {
    pub(super) const fn schema(&self) -> Option<i8> {
        match self {
            Self::Native(schema) => Some(*schema),
            Self::Classic(_) => None,
        }
    }

    pub(super) const fn classic(&self) -> Option<&Vec<f64>> {
        match self {
            Self::Native(_) => None,
            Self::Classic(bounds) => Some(bounds),
        }
    }
}

impl Baseline {
    fn add(&mut self, observed: &Observed) {
        match observed {
            Observed::Counts { bad, total } => {
                self.bad += number(*bad);
                self.counted += number(*total);
            }
            Observed::Histogram(now) => {
                self.native = Some(self.native.as_ref().map_or_else(|| now.clone(), |before| before.plus(now)));
            }
            Observed::Buckets(now) => {
                let sum = self.classic.iter_mut().find_map(|before| Some((before.plus(now)?, before)));
                match sum {
                    Some((sum, before)) => *before = sum,
                    None => self.classic.push(now.clone()),
                }
            }
            Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => {}
        }
    }

    /// Nothing where so few were bad that chance says as much as they.
    fn bad(&self) -> Option<Share> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a million")]
        let ppm = (1e6 * self.bad / self.counted).round().max(1.0) as u32;
        (self.bad >= ENOUGH).then(|| Share::from_ppm(ppm))
    }

    /// Of what has most requests.
    fn latencies(&self) -> Option<(Option<Latencies>, Bounds)> {
        let classic = self.classic.iter().max_by_key(|buckets| buckets.total());
        match (&self.native, classic) {
            (Some(native), classic) if classic.is_none_or(|classic| classic.total() <= native.total()) => {
                let latencies = Latencies::through(slower(native).into_iter(), number(native.total()));
                Some((latencies, Bounds::Native(native.schema())))
            }
            (_, Some(classic)) => {
                let total = number(classic.total());
                let slower = classic.at_most().iter().map(|(bound, within)| (*bound, total - number(*within)));
                let bounds = classic.at_most().iter().map(|(bound, _)| *bound).collect();
                Some((Latencies::through(slower, total), Bounds::Classic(bounds)))
            }
            (_, None) => None,
        }
    }
}

/// Where each bucket begins and ends, with how many requests took longer.
fn slower(native: &Histogram) -> Vec<(f64, f64)> {
    let (schema, zero, buckets) = (native.schema(), native.zero(), native.buckets());
    let width = exp2(-f64::from(schema));
    let bound = |index: i32| exp2(f64::from(index) * width);
    let mut above = number(native.total()) - number(zero);
    let mut known = Vec::with_capacity(2 * buckets.len());
    let mut before = None;
    for (index, slower) in (Native { schema, zero, buckets }).slower() {
        let begin = index.saturating_sub(1);
        if before != Some(begin) {
            known.push((bound(begin), above));
        }
        above = number(slower);
        known.push((bound(index), above));
        before = Some(index);
    }
    known
}

/// The requests that an observation counts.
fn total(observed: &Observed) -> Option<f64> {
    match observed {
        Observed::Counts { total, .. } => Some(number(*total)),
        Observed::Buckets(buckets) => Some(number(buckets.total())),
        Observed::Histogram(histogram) => Some(number(histogram.total())),
        Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => None,
    }
}

fn number(count: Count) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let number = count.get() as f64;
    number
}

/// For display: what is faster than a millisecond is not shown.
fn in_millis(seconds: f64) -> Option<Duration> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between a nanosecond and 30 years")]
    let millis = (1000.0 * seconds).round() as u64;
    (millis > 0).then(|| Duration::from_millis(millis))
}
