//! Counts of one cohort in one interval: whole, and replica by replica.

use super::super::reading::classic;
use super::super::reading::native;
use super::replicas::Replicas;
use crate::Count;
use crate::policy::{Criterion, LatencyForm, LatencyLimit};
use crate::snapshot::{Cohort, Histogram, Observation, Observed};
use crate::stats::{Arm, Native, slower_than};

/// The requests of a cohort, and of each replica that has a place.
pub(super) struct Counted {
    pub(super) whole: Arm,
    pub(super) replicas: Vec<(usize, Arm)>,
}

/// All of them; nothing where there is none, or one is no count.
pub(super) fn whole(observations: &[Observation], of: impl Fn(&Observed) -> Option<Arm>) -> Option<Arm> {
    let mut sum: Option<(Count, Count)> = None;
    for observation in observations {
        let arm = of(&observation.observed)?;
        let (events, total) = sum.unwrap_or((Count::ZERO, Count::ZERO));
        sum = Some((events.saturating_add(arm.events()), total.saturating_add(arm.total())));
    }
    let (events, total) = sum?;
    Arm::new(events, total).ok()
}

/// The same, with the replicas of the baseline.
pub(super) fn counted(
    known: &Replicas,
    observations: &[Observation],
    of: impl Fn(&Observed) -> Option<Arm>,
) -> Option<Counted> {
    let whole = whole(observations, &of)?;
    let named = observations.iter().filter(|observation| observation.replica.is_some()).count();
    let mut replicas = Vec::with_capacity(named);
    let mut next = 0;
    for observation in observations {
        let place = observation.replica.as_ref().and_then(|name| known.place(name, next));
        if let (Some(place), Some(arm)) = (place, of(&observation.observed)) {
            replicas.push((place, arm));
            next = place + 1;
        }
    }
    Some(Counted { whole, replicas })
}

/// How many replicas of the canary there are: one, where they are not told apart.
pub(super) fn replicas(canary: &[Observation]) -> u32 {
    u32::try_from(canary.len()).unwrap_or(u32::MAX).max(1)
}

/// Bad events, or slow requests beyond a bound.
pub(super) fn bad(criterion: &Criterion, observed: &Observed) -> Option<Arm> {
    match (criterion, observed) {
        (Criterion::Latency { limit: LatencyLimit::Slow(slow), .. }, _) => slow_in_buckets(observed, slow.above),
        (_, Observed::Counts { bad, total }) => Arm::new(*bad, *total).ok(),
        _ => None,
    }
}

/// Requests slower than a bound of classic buckets.
pub(super) fn slow_in_buckets(observed: &Observed, bound: f64) -> Option<Arm> {
    let Observed::Buckets(buckets) = observed else { return None };
    Arm::new(slower_than(buckets.at_most(), buckets.total(), bound)?, buckets.total()).ok()
}

/// Requests slower than a bucket of a native histogram.
pub(super) fn slow_in_histogram(observed: &Observed, schema: i8, index: i32) -> Option<Arm> {
    let Observed::Histogram(histogram) = observed else { return None };
    Arm::new(of_histogram(histogram).slower_than(schema, index)?, histogram.total()).ok()
}

/// The buckets as the arithmetic takes them.
pub(super) fn of_histogram(histogram: &Histogram) -> Native<'_> {
    Native { schema: histogram.schema(), zero: histogram.zero(), buckets: histogram.buckets() }
}

/// Which bound stands for a latency's limit that lies within a bucket.
#[derive(Clone, Copy)]
pub(super) enum Bucket {
    /// The next one up: what is slower than that is surely slower than the limit. For harm.
    Beyond,
    /// The next one down: what is faster than that is surely faster than the limit. To be good enough.
    Within,
}

/// The canary's requests beside an absolute limit; nothing where no bucket ends on that side of a latency's limit.
pub(super) fn absolute(criterion: &Criterion, canary: &[Observation], bucket: Bucket) -> Option<Arm> {
    let Criterion::Latency { form, limit: LatencyLimit::Quantile { max, .. } } = criterion else {
        return whole(canary, |observed| bad(criterion, observed));
    };
    match form {
        LatencyForm::Classic => {
            let buckets = classic(Cohort::Canary, canary).ok()?;
            let (_, fast) = match bucket {
                Bucket::Beyond => buckets.at_most().iter().find(|(bound, _)| bound >= max)?,
                Bucket::Within => buckets.at_most().iter().rfind(|(bound, _)| bound <= max)?,
            };
            Arm::new(buckets.total().saturating_sub(*fast), buckets.total()).ok()
        }
        LatencyForm::Native => {
            let histogram = native(Cohort::Canary, canary).ok()?;
            let exact = libm::log2(*max) * libm::exp2(f64::from(histogram.schema()));
            let index = match bucket {
                Bucket::Beyond => libm::ceil(exact),
                Bucket::Within => libm::floor(exact),
            };
            #[expect(clippy::cast_possible_truncation, reason = "a bucket's index is within 2^18")]
            let slow = of_histogram(&histogram).slower_than(histogram.schema(), index as i32)?;
            Arm::new(slow, histogram.total()).ok()
        }
    }
}
