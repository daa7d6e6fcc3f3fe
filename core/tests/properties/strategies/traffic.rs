//! Traffic: what each metric shows in each interval, from healthy to broken, with gaps.

use std::ops::RangeInclusive;

use davy::{Buckets, Cohort, Count, Duration, Histogram, Instant, Interval, Missing, Name, Observation, Observed};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::policy::{Kind, Shape};

/// One side of one metric in one interval.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// From 0, healthy, to 9, broken; about half of it is beyond the limits.
    level: u8,
    requests: u32,
    /// 0 for the whole cohort, otherwise so many replicas.
    replicas: u8,
    /// The whole, or the last replica, has no value.
    missing: Option<Missing>,
}

/// What one interval shows of each metric of the policy; `None` for an interval that never came.
pub(crate) type Slot = Option<Vec<(Seen, Option<Seen>)>>;

/// Which evidence may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Every cohort has a value in every interval that came.
    Complete,
    /// A cohort may have no value, but not a replica of it alone.
    ByCohort,
    /// Values of replicas and of cohorts may be missing.
    Patchy,
}

/// So many intervals.
pub(crate) fn slots(evidence: Evidence, length: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Slot>> {
    let canary = prop_oneof![6 => 0..4_u8, 2 => 4..6_u8, 1 => 6..10_u8];
    let baseline = (prop::bool::weighted(0.9), seen(evidence, prop_oneof![1 => 0..2_u8, 3 => 2..5_u8]))
        .prop_map(move |(given, seen)| (given || evidence == Evidence::Complete).then_some(seen));
    vec(option::weighted(0.9, vec((seen(evidence, canary), baseline), 3)), length)
}

fn seen(evidence: Evidence, level: impl Strategy<Value = u8>) -> impl Strategy<Value = Seen> {
    (
        level,
        prop_oneof![12 => Just(100), 4 => Just(400), 3 => Just(20), 1 => Just(0_u32)],
        prop_oneof![3 => Just(0), 1 => 1..=3_u8],
        option::weighted(0.1, missing()),
    )
        .prop_map(move |(level, requests, replicas, missing)| {
            let missing = missing.filter(|_| match evidence {
                Evidence::Complete => false,
                Evidence::ByCohort => replicas <= 1,
                Evidence::Patchy => true,
            });
            Seen { level, requests, replicas, missing }
        })
}

pub(crate) fn missing() -> impl Strategy<Value = Missing> {
    select(vec![Missing::NoData, Missing::Nan, Missing::PositiveInfinity, Missing::NegativeInfinity, Missing::NoAnswer])
}

/// One interval of every kind of metric, in the middle between healthy and broken.
pub(crate) fn middling() -> Slot {
    let seen = |level| Seen { level, requests: 100, replicas: 0, missing: None };
    Some(Shape::THRESHOLD.kinds.iter().map(|_| (seen(5), Some(seen(3)))).collect())
}

/// The start of interval `slot` of the run.
pub(crate) fn start_of(first: Instant, slot: usize) -> Instant {
    first.plus(Duration::from_secs(30).times(slot as u64))
}

/// The intervals of a run that begins at `first`, in time order.
pub(crate) fn intervals(kinds: &[Kind], slots: &[Slot], first: Instant) -> Vec<Interval> {
    let given = slots.iter().enumerate().filter_map(|(slot, seen)| Some((slot, seen.as_ref()?)));
    given
        .map(|(slot, seen)| {
            let mut observations = Vec::new();
            for (kind, (canary, baseline)) in kinds.iter().zip(seen) {
                observations.extend(observe(*kind, Cohort::Canary, canary));
                observations.extend(baseline.iter().flat_map(|seen| observe(*kind, Cohort::Baseline, seen)));
            }
            Interval::new(start_of(first, slot), start_of(first, slot + 1), observations).unwrap()
        })
        .collect()
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn observe(kind: Kind, cohort: Cohort, seen: &Seen) -> Vec<Observation> {
    let last = seen.replicas.max(1) - 1;
    (0..=last)
        .map(|replica| Observation {
            metric: name(kind.name()),
            cohort,
            replica: (seen.replicas > 0).then(|| name(&format!("pod-{replica}"))),
            observed: match seen.missing {
                Some(missing) if replica == last => Observed::Missing(missing),
                _ => observed(kind, seen.level.saturating_sub(replica), seen.requests),
            },
        })
        .collect()
}

/// A value of the form that the metric needs.
fn observed(kind: Kind, level: u8, requests: u32) -> Observed {
    let per_mille = [0, 5, 10, 20, 40, 60, 120, 250, 500, 1000][usize::from(level)];
    let slow = requests * per_mille / 1000;
    let (total, gauge) = (Count::from(requests), f64::from(level) / 10.0);
    match kind {
        Kind::Share | Kind::Compared | Kind::Capped | Kind::Journey => {
            Observed::Counts { bad: Count::from(slow), total }
        }
        Kind::Classic | Kind::Slow => {
            let fast = requests - slow;
            let at_most = vec![(0.1, fast * 6 / 10), (0.3, fast), (1.0, requests - slow / 4)];
            let at_most = at_most.into_iter().map(|(bound, count)| (bound, Count::from(count))).collect();
            Observed::Buckets(Buckets::new(at_most, total).unwrap())
        }
        Kind::Native | Kind::Shift => {
            // The median moves by a bucket per level, and the tail grows at 0.42 s.
            let buckets = vec![(i32::from(level) - 20, requests - slow), (-10, slow)];
            let buckets = buckets.into_iter().map(|(index, count)| (index, Count::from(count))).collect();
            Observed::Histogram(Histogram::new(3, Count::ZERO, buckets).unwrap())
        }
        Kind::Gauge | Kind::Band | Kind::Ratio => Observed::Gauge(gauge),
        Kind::Events => Observed::Events(Count::from(u32::from(level / 2))),
    }
}

/// More bad events of the canary in the same traffic, at one place.
#[derive(Debug, Clone)]
pub(crate) struct Worsening {
    interval: Index,
    observation: Index,
    /// Which bucket requests leave, and how many buckets later they arrive.
    bucket: Index,
    by: u8,
    amount: u16,
}

pub(crate) fn worsenings() -> impl Strategy<Value = Vec<Worsening>> {
    let worsening = (any::<Index>(), any::<Index>(), any::<Index>(), 1..=8_u8, prop_oneof![1..=5_u16, 1..=400_u16]);
    let worsening = worsening.prop_map(|(interval, observation, bucket, by, amount)| Worsening {
        interval,
        observation,
        bucket,
        by,
        amount,
    });
    vec(worsening, 1..=6)
}

/// The same intervals with more bad events.
pub(crate) fn worsen(intervals: &[Interval], worsenings: &[Worsening]) -> Vec<Interval> {
    let mut worse = intervals.to_vec();
    for worsening in worsenings.iter().filter(|_| !intervals.is_empty()) {
        let interval = &mut worse[worsening.interval.index(intervals.len())];
        let mut observations = interval.observations().to_vec();
        let mut canary: Vec<&mut Observation> =
            observations.iter_mut().filter(|observation| observation.cohort == Cohort::Canary).collect();
        if canary.is_empty() {
            continue;
        }
        let at = worsening.observation.index(canary.len());
        canary[at].observed = worsening.apply(&canary[at].observed);
        *interval = Interval::new(interval.start(), interval.end(), observations).unwrap();
    }
    worse
}

impl Worsening {
    fn apply(&self, observed: &Observed) -> Observed {
        let amount = Count::from(u32::from(self.amount));
        match observed {
            Observed::Counts { bad, total } => {
                Observed::Counts { bad: bad.saturating_add(amount).min(*total), total: *total }
            }
            Observed::Events(count) => Observed::Events(count.saturating_add(amount)),
            Observed::Gauge(value) => Observed::Gauge(value + f64::from(self.amount) / 20.0),
            Observed::Buckets(buckets) => {
                let mut at_most = buckets.at_most().to_vec();
                let left = self.bucket.index(at_most.len());
                let remain = at_most[left].1.saturating_sub(amount);
                at_most[..=left].iter_mut().for_each(|(_, count)| *count = (*count).min(remain));
                Observed::Buckets(Buckets::new(at_most, buckets.total()).unwrap())
            }
            Observed::Histogram(histogram) => {
                let mut buckets = histogram.buckets().to_vec();
                let left = self.bucket.index(buckets.len());
                let (index, count) = buckets[left];
                let moved = count.min(amount);
                buckets[left].1 = count.saturating_sub(moved);
                let arrived = index + i32::from(self.by);
                match buckets.binary_search_by_key(&arrived, |(index, _)| *index) {
                    Ok(at) => buckets[at].1 = buckets[at].1.saturating_add(moved),
                    Err(at) => buckets.insert(at, (arrived, moved)),
                }
                Observed::Histogram(Histogram::new(histogram.schema(), histogram.zero(), buckets).unwrap())
            }
            Observed::Missing(missing) => Observed::Missing(*missing),
        }
    }
}
