//! The number that would have changed a metric's finding, verified by placing it again.

use super::reading::{Place, place, shift_in_buckets};
use crate::Count;
use crate::decision::{Amount, Flip, FlipBound, FlipOf, NoFlip, Reading};
use crate::policy::{Criterion, LatencyLimit, SlowRequests};

/// The last value within the limits, and what it was.
pub(crate) fn flip(criterion: &Criterion, reading: &Reading) -> Result<Flip, NoFlip> {
    let (flip, at, beyond) = candidate(criterion, reading)?;
    let verified = place(criterion, &at) == Place::Within
        && beyond.is_none_or(|beyond| place(criterion, &beyond) != Place::Within);
    if verified { Ok(flip) } else { Err(NoFlip::NotOneNumber) }
}

/// A flip, the reading at its value, and the next reading beyond it where values are whole.
fn candidate(criterion: &Criterion, reading: &Reading) -> Result<(Flip, Reading, Option<Reading>), NoFlip> {
    let at_most = |of, value, observed| Flip { of, bound: FlipBound::AtMost, value, observed };
    match (*reading, criterion) {
        (Reading::Share { bad, total }, Criterion::BadShare { max: Some(max), .. }) => {
            let last = max.largest_part(total).min(total);
            let with = |bad| Reading::Share { bad, total };
            let flip = at_most(FlipOf::BadEvents, Amount::Count(last), Amount::Count(bad));
            Ok((flip, with(last), next(last, total).map(with)))
        }
        (
            Reading::Compared { bad, total, baseline_bad, baseline_total },
            Criterion::BadShare { relative: Some(relative), .. }
            | Criterion::Latency { limit: LatencyLimit::Slow(SlowRequests { relative, .. }), .. },
        ) => {
            let absolute = match criterion {
                Criterion::BadShare { max: Some(max), .. } => max.largest_part(total),
                _ => total,
            };
            let last = relative.tolerate.largest_part(total, baseline_bad, baseline_total).min(absolute);
            let with = |bad| Reading::Compared { bad, total, baseline_bad, baseline_total };
            let flip = at_most(FlipOf::BadEvents, Amount::Count(last), Amount::Count(bad));
            Ok((flip, with(last), next(last, total).map(with)))
        }
        (Reading::Events { count, baseline }, Criterion::Events { max }) => {
            let with = |count| Reading::Events { count, baseline };
            let flip = at_most(FlipOf::Events, Amount::Count(*max), Amount::Count(count));
            Ok((flip, with(*max), next(*max, Count::MAX).map(with)))
        }
        (
            Reading::Latency { quantile, above, at_most: upper },
            Criterion::Latency { limit: LatencyLimit::Quantile { max, .. }, .. },
        ) => {
            let observed = upper.or(above).ok_or(NoFlip::NoValue)?;
            let flip = at_most(FlipOf::Seconds, Amount::Number(*max), Amount::Number(observed));
            Ok((flip, Reading::Latency { quantile, above: None, at_most: Some(*max) }, None))
        }
        (
            Reading::Later { quantile, schema, buckets },
            Criterion::Latency { limit: LatencyLimit::Shift { tolerate, .. }, .. },
        ) => {
            let last = shift_in_buckets(*tolerate, schema);
            let with = |buckets| Reading::Later { quantile, schema, buckets };
            let (value, observed) = (Amount::Number(f64::from(last)), Amount::Number(f64::from(buckets)));
            Ok((at_most(FlipOf::BucketsLater, value, observed), with(last), Some(with(last.saturating_add(1)))))
        }
        (Reading::Gauge { value }, Criterion::Gauge { min, max, .. }) => {
            let nearer_to_min = match (min, max) {
                (Some(min), Some(max)) => value - min < max - value,
                (min, _) => min.is_some(),
            };
            let (bound, last) = if nearer_to_min { (FlipBound::AtLeast, *min) } else { (FlipBound::AtMost, *max) };
            let last = last.ok_or(NoFlip::NotOneNumber)?;
            let flip = Flip { of: FlipOf::Gauge, bound, value: Amount::Number(last), observed: Amount::Number(value) };
            Ok((flip, Reading::Gauge { value: last }, None))
        }
        (Reading::GaugeCompared { value, baseline }, Criterion::Gauge { relative: Some(relative), .. }) => {
            let absolute = match criterion {
                Criterion::Gauge { max: Some(max), .. } => *max,
                _ => f64::INFINITY,
            };
            let last = (relative.tolerate.as_f64() * baseline).min(absolute);
            if !last.is_finite() {
                return Err(NoFlip::NotOneNumber);
            }
            let flip = at_most(FlipOf::Gauge, Amount::Number(last), Amount::Number(value));
            Ok((flip, Reading::GaugeCompared { value: last, baseline }, None))
        }
        _ => Err(NoFlip::NotOneNumber),
    }
}

fn next(count: Count, most: Count) -> Option<Count> {
    (count < most).then(|| count.saturating_add(Count::from(1)))
}
