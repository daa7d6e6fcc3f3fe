//! What intervals of a healthy service show of its traffic, for plans that need not be told.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use libm::exp2;

use super::estimate::{Estimate, Latencies};
use crate::stats::Native;
use crate::{Buckets, Cohort, Count, Duration, Histogram, Interval, Name, Observed, Share};

/// What is seen of one metric.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) estimate: Estimate,
    /// The whole shape of the baseline's latencies, where it was seen.
    pub(super) latencies: Option<Latencies>,
}

/// The baseline, all of its intervals and replicas together.
#[derive(Default)]
struct Baseline<'a> {
    replicas: BTreeSet<&'a Name>,
    bad: f64,
    counted: f64,
    native: Option<Histogram>,
    classic: Option<Buckets>,
}

impl Seen {
    /// Nothing where no request of the baseline was counted.
    pub(super) fn of(metric: &Name, intervals: &[Interval]) -> Option<Self> {
        let (mut requests, mut seconds, mut baseline) = (0.0, 0.0, Baseline::default());
        for interval in intervals {
            let (mut all, mut of_baseline) = (0.0, 0.0);
            for observation in interval.observations().iter().filter(|observation| observation.metric == *metric) {
                let Some(total) = total(&observation.observed) else { continue };
                all += total;
                if observation.cohort == Cohort::Baseline {
                    of_baseline += total;
                    baseline.add(observation.replica.as_ref(), &observation.observed);
                }
            }
            if of_baseline > 0.0 {
                requests += all;
                seconds += interval.end().since(interval.start()).as_secs_f64();
            }
        }
        if seconds <= 0.0 {
            return None;
        }
        let latencies = baseline.latencies();
        let exceeded_by = |share| latencies.as_ref().and_then(|latencies| in_millis(latencies.exceeded_by(share)));
        let estimate = Estimate {
            requests: format!("{:.3}/s", requests / seconds).parse().ok(),
            bad: baseline.bad(),
            p50: exceeded_by(0.5),
            p90: exceeded_by(0.1),
            p99: exceeded_by(0.01),
            schema: baseline.native.as_ref().and_then(|native| u8::try_from(native.schema()).ok()),
            replicas: u32::try_from(baseline.replicas.len()).ok().and_then(NonZeroU32::new),
            noise: None,
        };
        Some(Self { estimate, latencies })
    }
}

impl<'a> Baseline<'a> {
    fn add(&mut self, replica: Option<&'a Name>, observed: &Observed) {
        self.replicas.extend(replica);
        match observed {
            Observed::Counts { bad, total } => {
                self.bad += number(*bad);
                self.counted += number(*total);
            }
            Observed::Histogram(now) => {
                self.native = Some(self.native.as_ref().map_or_else(|| now.clone(), |before| before.plus(now)));
            }
            // Other bounds than before say nothing of these.
            Observed::Buckets(now) => match &mut self.classic {
                Some(before) => *before = before.plus(now).unwrap_or_else(|| before.clone()),
                None => self.classic = Some(now.clone()),
            },
            Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => {}
        }
    }

    fn bad(&self) -> Option<Share> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a million")]
        let ppm = (1e6 * self.bad / self.counted).round() as u32;
        (self.counted > 0.0).then(|| Share::from_ppm(ppm))
    }

    fn latencies(&self) -> Option<Latencies> {
        if let Some(native) = &self.native {
            let (schema, zero, buckets) = (native.schema(), native.zero(), native.buckets());
            let width = exp2(-f64::from(schema));
            let slower = Native { schema, zero, buckets }.slower();
            let slower = slower.iter().map(|(index, slower)| (exp2(f64::from(*index) * width), number(*slower)));
            return Latencies::through(slower, number(native.total()));
        }
        let classic = self.classic.as_ref()?;
        let total = number(classic.total());
        let slower = classic.at_most().iter().map(|(bound, within)| (*bound, total - number(*within)));
        Latencies::through(slower, total)
    }
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
