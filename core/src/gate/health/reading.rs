//! From the observations of one interval to a reading, and from a reading to its place beside the limits.

use std::borrow::Cow;

use libm::{ceil, exp2, floor, log2};
use serde::{Deserialize, Serialize};

use crate::decision::{Bound, Reading};
use crate::document::Quantile;
use crate::policy::{Criterion, LatencyForm, LatencyLimit, Means, MetricPlan, Query, Relative, SlowRequests};
use crate::snapshot::{Buckets, Cohort, Histogram, Missing, Observation, Observed, coarser};
use crate::{Count, Share};

/// What one interval says about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Judged {
    Read {
        reading: Reading,
        place: Place,
        /// What was missing all the same; a bad reading does not make up for it.
        missing: Option<Nothing>,
    },
    Nothing(Nothing),
}

/// Where a reading lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Place {
    Within,
    Between,
    Beyond,
}

/// Why there is no reading. None of these is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Nothing {
    Missing { cohort: Cohort, missing: Missing },
    WrongForm { cohort: Cohort },
    NoTraffic { cohort: Cohort },
    TooFew { cohort: Cohort, requests: Count },
}

/// The observations of one metric in one interval, by cohort.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) canary: &'a [Observation],
    pub(crate) baseline: &'a [Observation],
}

/// Reads and places one interval of one metric.
pub(crate) fn judge(plan: &MetricPlan, sides: Sides<'_>) -> Judged {
    let read = read(plan, sides).map(|(reading, missing)| (reading, place(&plan.criterion, &reading), missing));
    let not_beyond = !matches!(read, Ok((_, Place::Beyond, _)));
    // What the canary alone shows to be beyond an absolute limit needs no baseline, and no mean.
    if not_beyond
        && let Some(reading) = absolute_part(plan, sides)
        && place(&plan.criterion, &reading) == Place::Beyond
    {
        let missing = read.map_or_else(Some, |(_, _, missing)| missing);
        return Judged::Read { reading, place: Place::Beyond, missing };
    }
    match read {
        Ok((reading, place, missing)) => Judged::Read { reading, place, missing },
        Err(nothing) => Judged::Nothing(nothing),
    }
}

/// Where `reading` lies beside the limits of `criterion`; pure, so that a flip can be verified by asking again.
pub(crate) fn place(criterion: &Criterion, reading: &Reading) -> Place {
    match (criterion, reading) {
        (Criterion::BadShare { max, .. }, Reading::Share { bad, total }) => within_share(*max, *bad, *total),
        (
            Criterion::BadShare { max, relative: Some(relative) },
            Reading::Compared { bad, total, baseline_bad, baseline_total },
        ) => within_share(*max, *bad, *total).max(compare(*relative, *bad, *total, *baseline_bad, *baseline_total)),
        (
            Criterion::Latency { limit: LatencyLimit::Slow(SlowRequests { relative, .. }), .. },
            Reading::Compared { bad, total, baseline_bad, baseline_total },
        ) => compare(*relative, *bad, *total, *baseline_bad, *baseline_total),
        (
            Criterion::Latency { limit: LatencyLimit::Quantile { max, .. }, .. },
            Reading::Latency { above, at_most, .. },
        ) => {
            if at_most.is_some_and(|at_most| at_most <= *max) {
                Place::Within
            } else if above.is_some_and(|above| above >= *max) {
                Place::Beyond
            } else {
                Place::Between
            }
        }
        (
            Criterion::Latency { limit: LatencyLimit::Shift { tolerate, unacceptable, .. }, .. },
            Reading::Later { schema, buckets, .. },
        ) => {
            if *buckets <= shift_in_buckets(*tolerate, *schema) {
                Place::Within
            } else if *buckets > shift_in_buckets(*unacceptable, *schema) {
                Place::Beyond
            } else {
                Place::Between
            }
        }
        (Criterion::Gauge { min, max, .. }, Reading::Gauge { value }) => within_range(*min, *max, *value),
        (Criterion::Gauge { min, max, relative: Some(relative) }, Reading::GaugeCompared { value, baseline }) => {
            let absolute = within_range(*min, *max, *value);
            let compared = if *value <= relative.tolerate.as_f64() * baseline && *baseline > 0.0 {
                Place::Within
            } else if *value > relative.unacceptable.as_f64() * baseline && *baseline > 0.0 {
                Place::Beyond
            } else {
                Place::Between
            };
            absolute.max(compared)
        }
        (Criterion::Events { max }, Reading::Events { count, baseline }) => match baseline {
            _ if count <= max => Place::Within,
            // Both cohorts alike: the cause lies upstream.
            Some(baseline) if baseline > max => Place::Between,
            _ => Place::Beyond,
        },
        // A reading of another form: only a state from elsewhere has one, and it decides nothing.
        _ => Place::Between,
    }
}

/// The limit to show beside a reading.
pub(crate) fn bound(criterion: &Criterion, reading: &Reading) -> Bound {
    let times = |relative: &Relative| Bound::Times { tolerate: relative.tolerate, unacceptable: relative.unacceptable };
    match criterion {
        Criterion::BadShare { max: Some(max), relative: None } => Bound::Share(*max),
        Criterion::BadShare { max: Some(max), relative: Some(relative) } => match reading {
            Reading::Compared { bad, total, .. } if max.admits(*bad, *total) => times(relative),
            _ => Bound::Share(*max),
        },
        Criterion::BadShare { max: None, relative: Some(relative) } => times(relative),
        Criterion::BadShare { max: None, relative: None } => Bound::Share(Share::ALL),
        Criterion::Latency { limit, .. } => match limit {
            LatencyLimit::Quantile { max, .. } => Bound::Seconds(*max),
            LatencyLimit::Shift { tolerate, unacceptable, .. } => {
                Bound::Slower { tolerate: *tolerate, unacceptable: *unacceptable }
            }
            LatencyLimit::Slow(slow) => times(&slow.relative),
            LatencyLimit::Slower { relative, .. } => times(relative),
        },
        Criterion::Gauge { min, max, relative } => match (relative, reading) {
            (Some(relative), Reading::GaugeCompared { value, .. })
                if within_range(*min, *max, *value) == Place::Within =>
            {
                times(relative)
            }
            _ => Bound::Range { min: *min, max: *max },
        },
        Criterion::Events { max } => Bound::Events(*max),
        Criterion::Values { .. } => Bound::Range { min: None, max: None },
    }
}

/// `1 + shift` in whole buckets of this schema, rounded up.
pub(crate) fn shift_in_buckets(shift: Share, schema: i8) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 256 buckets for a shift of 100 %")]
    let buckets = ceil(log2(1.0 + shift.as_fraction()) * exp2(f64::from(schema)) - 1e-9) as i32;
    buckets
}

/// `1 + shift` in whole buckets of this schema, rounded down: what is unacceptable at the declared shift is so
/// at a smaller one.
pub(crate) fn shift_within_buckets(shift: Share, schema: i8) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 256 buckets for a shift of 100 %")]
    let buckets = floor(log2(1.0 + shift.as_fraction()) * exp2(f64::from(schema)) + 1e-9) as i32;
    buckets
}

/// The number of requests that the canary had, if the metric counts requests.
pub(crate) fn canary_requests(sides: Sides<'_>) -> Count {
    sides.canary.iter().fold(Count::ZERO, |sum, observation| {
        sum.saturating_add(match &observation.observed {
            Observed::Counts { total, .. } => *total,
            Observed::Buckets(buckets) => buckets.total(),
            Observed::Histogram(histogram) => histogram.total(),
            Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => Count::ZERO,
        })
    })
}

fn within_share(max: Option<Share>, bad: Count, total: Count) -> Place {
    if max.is_none_or(|max| max.admits(bad, total)) { Place::Within } else { Place::Beyond }
}

fn within_range(min: Option<f64>, max: Option<f64>, value: f64) -> Place {
    let inside = min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
    if inside { Place::Within } else { Place::Beyond }
}

fn compare(relative: Relative, bad: Count, total: Count, baseline_bad: Count, baseline_total: Count) -> Place {
    if relative.tolerate.admits(bad, total, baseline_bad, baseline_total) {
        Place::Within
    } else if relative.unacceptable.admits(bad, total, baseline_bad, baseline_total) {
        Place::Between
    } else {
        Place::Beyond
    }
}

/// The reading, and what was missing beside it.
fn read(plan: &MetricPlan, sides: Sides<'_>) -> Result<(Reading, Option<Nothing>), Nothing> {
    if let Criterion::Gauge { relative: None, .. } = plan.criterion {
        return worst_gauge(plan, sides.canary);
    }
    read_whole(plan, sides).map(|reading| (reading, None))
}

fn read_whole(plan: &MetricPlan, sides: Sides<'_>) -> Result<Reading, Nothing> {
    let enough = |cohort, total: Count| {
        if total == Count::ZERO {
            Err(Nothing::NoTraffic { cohort })
        } else if total < plan.min_requests {
            Err(Nothing::TooFew { cohort, requests: total })
        } else {
            Ok(())
        }
    };
    let (canary, baseline) = (Cohort::Canary, Cohort::Baseline);
    match plan.criterion {
        Criterion::BadShare { relative, .. } => {
            let (bad, total) = counts(canary, sides.canary)?;
            enough(canary, total)?;
            if relative.is_none() {
                return Ok(Reading::Share { bad, total });
            }
            let (baseline_bad, baseline_total) = counts(baseline, sides.baseline)?;
            enough(baseline, baseline_total)?;
            Ok(Reading::Compared { bad, total, baseline_bad, baseline_total })
        }
        Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => {
            let (bad, total) = slow_requests(canary, sides.canary, slow.above)?;
            enough(canary, total)?;
            let (baseline_bad, baseline_total) = slow_requests(baseline, sides.baseline, slow.above)?;
            enough(baseline, baseline_total)?;
            Ok(Reading::Compared { bad, total, baseline_bad, baseline_total })
        }
        Criterion::Latency { limit: LatencyLimit::Slower { quantile, .. }, .. }
        | Criterion::Latency { form: LatencyForm::Classic, limit: LatencyLimit::Quantile { quantile, .. } } => {
            let merged = classic(canary, sides.canary)?;
            enough(canary, merged.total())?;
            let (above, at_most) = classic_quantile(&merged, quantile);
            Ok(Reading::Latency { quantile, above, at_most })
        }
        Criterion::Latency { form: LatencyForm::Native, limit: LatencyLimit::Quantile { quantile, .. } } => {
            let merged = native(canary, sides.canary)?;
            enough(canary, merged.total())?;
            let (above, at_most) = match native_quantile(&merged, quantile) {
                None => (None, Some(0.0)),
                Some(index) => {
                    let upper = native_bound(merged.schema(), index);
                    (Some(native_bound(merged.schema(), index - 1)), Some(upper).filter(|upper| upper.is_finite()))
                }
            };
            Ok(Reading::Latency { quantile, above, at_most })
        }
        Criterion::Latency { limit: LatencyLimit::Shift { quantile, .. }, .. } => {
            let of_canary = native(canary, sides.canary)?;
            enough(canary, of_canary.total())?;
            let of_baseline = native(baseline, sides.baseline)?;
            enough(baseline, of_baseline.total())?;
            let schema = of_canary.schema().min(of_baseline.schema());
            let index = |histogram: &Histogram| {
                native_quantile(histogram, quantile).map_or(-4096, |index| coarser(index, histogram.schema(), schema))
            };
            Ok(Reading::Later { quantile, schema, buckets: index(&of_canary) - index(&of_baseline) })
        }
        Criterion::Gauge { relative: None, .. } => worst_gauge(plan, sides.canary).map(|(reading, _)| reading),
        Criterion::Gauge { relative: Some(_), .. } => {
            let (value, baseline) = (mean(canary, sides.canary)?, mean(baseline, sides.baseline)?);
            Ok(Reading::GaugeCompared { value, baseline })
        }
        Criterion::Events { .. } => {
            let count = events(canary, sides.canary)?;
            Ok(Reading::Events { count, baseline: events(baseline, sides.baseline).ok() })
        }
        Criterion::Values { .. } => Ok(Reading::Gauge { value: value(plan, canary, sides.canary)? }),
    }
}

/// One side as one number, whatever is measured: the share of bad or good events, the upper bound of the bucket that a
/// quantile lies in (its lower one if it has no other), a number of events, the mean over replicas.
pub(super) fn value(plan: &MetricPlan, cohort: Cohort, observations: &[Observation]) -> Result<f64, Nothing> {
    let Criterion::Values { quantile } = plan.criterion else { return Err(Nothing::WrongForm { cohort }) };
    let some = |total: Count| if total == Count::ZERO { Err(Nothing::NoTraffic { cohort }) } else { Ok(()) };
    let within = |above: Option<f64>, at_most: Option<f64>| at_most.or(above).ok_or(Nothing::WrongForm { cohort });
    #[expect(clippy::cast_precision_loss, reason = "a count is at most 2^53 - 1")]
    let number = |count: Count| count.get() as f64;
    // The judge that asks for it takes no plugins.
    let Means::Query(query) = &plan.means else { return Err(Nothing::WrongForm { cohort }) };
    match query {
        Query::Bad { .. } | Query::Good { .. } | Query::Probe(_) => {
            let (bad, total) = counts(cohort, observations)?;
            some(total)?;
            let good = matches!(query, Query::Good { .. });
            Ok(number(if good { total.saturating_sub(bad) } else { bad }) / number(total))
        }
        Query::Buckets(_) => {
            let merged = classic(cohort, observations)?;
            some(merged.total())?;
            let (above, at_most) = classic_quantile(&merged, quantile);
            within(above, at_most)
        }
        Query::Histogram(_) => {
            let merged = native(cohort, observations)?;
            some(merged.total())?;
            let Some(index) = native_quantile(&merged, quantile) else { return Ok(0.0) };
            let bounds = [index - 1, index].map(|index| native_bound(merged.schema(), index));
            let [above, at_most] = bounds.map(|bound| Some(bound).filter(|bound| bound.is_finite()));
            within(above, at_most)
        }
        Query::Gauge(_) => mean(cohort, observations),
        Query::Events(_) => events(cohort, observations).map(number),
        Query::Slo(_) => Err(Nothing::WrongForm { cohort }),
    }
}

/// The reading against an absolute limit alone, where the metric also compares.
fn absolute_part(plan: &MetricPlan, sides: Sides<'_>) -> Option<Reading> {
    match plan.criterion {
        Criterion::BadShare { max: Some(_), relative: Some(_) } => {
            let (bad, total) = counts(Cohort::Canary, sides.canary).ok()?;
            (total >= plan.min_requests).then_some(Reading::Share { bad, total })
        }
        Criterion::Gauge { relative: Some(_), .. } => worst_gauge(plan, sides.canary).ok().map(|(reading, _)| reading),
        _ => None,
    }
}

fn absent(cohort: Cohort) -> Nothing {
    Nothing::Missing { cohort, missing: Missing::NoData }
}

/// What an observation of the wrong form says.
fn unusable(cohort: Cohort, observed: &Observed) -> Nothing {
    match observed {
        Observed::Missing(missing) => Nothing::Missing { cohort, missing: *missing },
        _ => Nothing::WrongForm { cohort },
    }
}

pub(super) fn counts(cohort: Cohort, observations: &[Observation]) -> Result<(Count, Count), Nothing> {
    let mut sum = None;
    for observation in observations {
        let Observed::Counts { bad, total } = observation.observed else {
            return Err(unusable(cohort, &observation.observed));
        };
        let (all_bad, all) = sum.unwrap_or((Count::ZERO, Count::ZERO));
        sum = Some((all_bad.saturating_add(bad), all.saturating_add(total)));
    }
    sum.ok_or(absent(cohort))
}

pub(super) fn events(cohort: Cohort, observations: &[Observation]) -> Result<Count, Nothing> {
    let mut sum = None;
    for observation in observations {
        let Observed::Events(count) = observation.observed else {
            return Err(unusable(cohort, &observation.observed));
        };
        sum = Some(sum.unwrap_or(Count::ZERO).saturating_add(count));
    }
    sum.ok_or(absent(cohort))
}

/// The sum of the replicas' buckets, which must have the same bounds.
pub(super) fn classic(cohort: Cohort, observations: &[Observation]) -> Result<Cow<'_, Buckets>, Nothing> {
    let mut merged: Option<Cow<'_, Buckets>> = None;
    for observation in observations {
        let Observed::Buckets(buckets) = &observation.observed else {
            return Err(unusable(cohort, &observation.observed));
        };
        merged = Some(match merged {
            None => Cow::Borrowed(buckets),
            Some(sum) => Cow::Owned(sum.plus(buckets).ok_or(Nothing::WrongForm { cohort })?),
        });
    }
    merged.ok_or(absent(cohort))
}

/// The sum of the replicas' histograms, at the coarsest resolution among them.
pub(super) fn native(cohort: Cohort, observations: &[Observation]) -> Result<Cow<'_, Histogram>, Nothing> {
    let mut merged: Option<Cow<'_, Histogram>> = None;
    for observation in observations {
        let Observed::Histogram(histogram) = &observation.observed else {
            return Err(unusable(cohort, &observation.observed));
        };
        merged = Some(match merged {
            None => Cow::Borrowed(histogram),
            Some(sum) => Cow::Owned(sum.plus(histogram)),
        });
    }
    merged.ok_or(absent(cohort))
}

pub(super) fn slow_requests(
    cohort: Cohort,
    observations: &[Observation],
    above: f64,
) -> Result<(Count, Count), Nothing> {
    let buckets = classic(cohort, observations)?;
    let boundary = buckets.at_most().iter().find(|(bound, _)| bound.total_cmp(&above).is_eq());
    let (_, fast) = boundary.ok_or(Nothing::WrongForm { cohort })?;
    Ok((buckets.total().saturating_sub(*fast), buckets.total()))
}

/// The bucket that the quantile lies in; nothing is interpolated.
fn classic_quantile(buckets: &Buckets, quantile: Quantile) -> (Option<f64>, Option<f64>) {
    let rank = quantile.rank(buckets.total());
    let mut above = None;
    for (bound, cumulative) in buckets.at_most() {
        if *cumulative >= rank {
            return (above, Some(*bound));
        }
        above = Some(*bound);
    }
    (above, None)
}

/// The index of the bucket that the quantile lies in; `None` for the zero bucket.
fn native_quantile(histogram: &Histogram, quantile: Quantile) -> Option<i32> {
    let rank = quantile.rank(histogram.total());
    let mut cumulative = histogram.zero();
    let mut reached = None;
    for (index, count) in histogram.buckets() {
        if cumulative >= rank {
            break;
        }
        cumulative = cumulative.saturating_add(*count);
        reached = Some(*index);
    }
    reached
}

/// The upper bound of a native bucket in seconds.
fn native_bound(schema: i8, index: i32) -> f64 {
    exp2(f64::from(index) * exp2(-f64::from(schema)))
}

fn gauges(cohort: Cohort, observations: &[Observation]) -> impl Iterator<Item = Result<f64, Nothing>> + '_ {
    observations.iter().map(move |observation| match observation.observed {
        Observed::Gauge(value) => Ok(value),
        _ => Err(unusable(cohort, &observation.observed)),
    })
}

/// The replica that is furthest beyond its limits; a missing replica counts only when no other is beyond.
fn worst_gauge(plan: &MetricPlan, observations: &[Observation]) -> Result<(Reading, Option<Nothing>), Nothing> {
    let Criterion::Gauge { min, max, .. } = plan.criterion else {
        return Err(Nothing::WrongForm { cohort: Cohort::Canary });
    };
    let badness = |value: f64| {
        let above = max.map_or(f64::NEG_INFINITY, |max| value - max);
        let below = min.map_or(f64::NEG_INFINITY, |min| min - value);
        above.max(below)
    };
    let mut worst: Option<f64> = None;
    let mut missing = None;
    for value in gauges(Cohort::Canary, observations) {
        match value {
            Ok(value) if worst.is_none_or(|known| badness(value) > badness(known)) => worst = Some(value),
            Ok(_) => {}
            Err(nothing) => missing = Some(nothing),
        }
    }
    match (worst, missing) {
        (Some(value), Some(nothing)) if within_range(min, max, value) == Place::Within => Err(nothing),
        (Some(value), missing) => Ok((Reading::Gauge { value }, missing)),
        (None, nothing) => Err(nothing.unwrap_or(absent(Cohort::Canary))),
    }
}

/// The mean over replicas, summed in their order.
fn mean(cohort: Cohort, observations: &[Observation]) -> Result<f64, Nothing> {
    let mut sum = 0.0;
    let mut replicas = 0_u32;
    for value in gauges(cohort, observations) {
        sum += value?;
        replicas = replicas.saturating_add(1);
    }
    let mean = sum / f64::from(replicas);
    // No replicas, or a sum beyond what doubles hold.
    if mean.is_finite() { Ok(mean) } else { Err(absent(cohort)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(value: u32) -> Count {
        Count::from(value)
    }

    #[test]
    fn a_shift_is_rounded_up_to_whole_buckets() {
        // Schema 3: a bucket is 9.05 % wide; schema 4: 4.4 %.
        let share = |text: &str| text.parse::<Share>().unwrap();
        assert_eq!(shift_in_buckets(share("5%"), 3), 1);
        assert_eq!(shift_in_buckets(share("5%"), 4), 2);
        assert_eq!(shift_in_buckets(share("25%"), 3), 3);
        assert_eq!(shift_in_buckets(share("100%"), 3), 8);
        assert_eq!(shift_in_buckets(share("0%"), 3), 0);
        assert_eq!(shift_in_buckets(share("100%"), -4), 1);
        assert_eq!(shift_within_buckets(share("25%"), 4), 5);
        assert_eq!(shift_within_buckets(share("100%"), 3), 8);
        assert_eq!(shift_within_buckets(share("25%"), 0), 0);
    }

    #[test]
    fn a_quantile_is_a_bucket_and_never_interpolated() {
        let buckets = Buckets::new(vec![(0.1, n(90)), (0.3, n(98)), (1.0, n(99))], n(100)).unwrap();
        let p = |text: &str| classic_quantile(&buckets, text.parse().unwrap());
        assert_eq!(p("p90"), (None, Some(0.1)));
        assert_eq!(p("p91"), (Some(0.1), Some(0.3)));
        assert_eq!(p("p99"), (Some(0.3), Some(1.0)));
        assert_eq!(p("p99.5"), (Some(1.0), None));
    }

    #[test]
    fn native_buckets_merge_at_the_coarser_resolution() {
        // base^index of schema 1 is base^(2 index) of schema 2.
        for index in -20..20 {
            let upper = native_bound(2, index);
            let coarse = coarser(index, 2, 1);
            assert!(native_bound(1, coarse) >= upper && native_bound(1, coarse - 1) < upper);
        }
        let fine = Histogram::new(2, n(1), vec![(1, n(2)), (2, n(3)), (3, n(4))]).unwrap();
        let coarse = Histogram::new(1, n(0), vec![(1, n(10))]).unwrap();
        let merged = coarse.plus(&fine);
        assert_eq!((merged.schema(), merged.zero(), merged.buckets()), (1, n(1), &[(1, n(15)), (2, n(4))][..]));
    }

    #[test]
    fn the_zero_bucket_is_the_fastest() {
        let histogram = Histogram::new(3, n(99), vec![(5, n(1))]).unwrap();
        assert_eq!(native_quantile(&histogram, "p99".parse().unwrap()), None);
        assert_eq!(native_quantile(&histogram, "p99.9".parse().unwrap()), Some(5));
    }
}
