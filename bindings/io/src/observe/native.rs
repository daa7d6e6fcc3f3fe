//! Native histograms per interval: each by the differences of its samples, bucket by bucket.
//!
//! A restart is a fall of the count or of any bucket, or a finer resolution. A coarser one, or a wider
//! bucket around zero, is none: the sample before is made as coarse, and then compared.

use std::collections::BTreeMap;

use davy::{Cohort, Count, Histogram, Missing, Name, Observation, Observed};

use super::counter::no_number;
use super::past::{Origin, last_histogram};
use super::problem::Problem;
use super::replica::Cells;
use super::scene::{Scene, Sight};
use super::target::{Stretch, Target, between};
use crate::prometheus::{Bounds, HistogramSample, Series};

/// A histogram as whole counts by index; without buckets it has no resolution.
#[derive(Debug, Clone, PartialEq, Default)]
struct Native {
    schema: Option<i8>,
    zero: u64,
    /// The upper bound of the bucket around zero, if it holds anything.
    around_zero: f64,
    buckets: BTreeMap<i32, u64>,
}

/// One interval of a latency.
pub(super) fn histograms(scene: &mut Scene<'_>, metric: &Name, cohort: Cohort, stretch: Stretch) -> Vec<Observation> {
    let mut cells: Cells<'_, Option<Native>> = Cells::new();
    let mut unusable = Vec::new();
    scene.each_counted(stretch, &mut cells, |target, cells, sight| {
        for member in &target.members {
            let key = sight.key(member.series);
            match rise(sight, target, member.series, stretch) {
                Ok(None) => {}
                Ok(Some(rise)) => {
                    let Some(sum) = cells.seen(key) else { continue };
                    *sum = Some(sum.take().unwrap_or_default().plus(rise));
                }
                Err((missing, cause)) => {
                    cells.missing(key, missing);
                    let series = member.series.labels.to_string();
                    unusable.extend(cause.map(|cause| Problem::Histogram { series, cause }));
                }
            }
        }
    });
    let observed = |sum: Option<Native>| {
        let histogram = sum.ok_or(Missing::NoData)?.counted();
        histogram.map(Observed::Histogram).map_err(|cause| {
            unusable.push(Problem::Refused(cause));
            Missing::NoAnswer
        })
    };
    let observations = cells.observations(metric, cohort, scene.replicas, observed);
    scene.note(unusable);
    observations
}

type Unusable = (Missing, Option<&'static str>);

fn refuse(cause: &'static str) -> Unusable {
    (Missing::NoAnswer, Some(cause))
}

/// How much a histogram grew, if it was seen.
fn rise<'a>(
    sight: Sight<'a>,
    target: &Target<'_>,
    series: &'a Series,
    stretch: Stretch,
) -> Result<Option<Native>, Unusable> {
    let all = between(&series.histograms, |one| one.at, stretch.start.minus(stretch.lookback), stretch.end);
    let inside = all.partition_point(|one| one.at <= stretch.start);
    if inside == all.len() {
        let plain = between(&series.samples, |one| one.at, stretch.start.minus(stretch.lookback), stretch.end);
        let wrong = all.is_empty() && !plain.is_empty();
        return if wrong {
            Err(refuse("it is no native histogram; is it one of classic `buckets`?"))
        } else {
            Ok(None)
        };
    }
    let used = all.get(inside.saturating_sub(1)..).unwrap_or_default();
    let mut parts = used.iter().map(Native::read);
    let Some(mut before) = parts.next().transpose()? else { return Ok(None) };
    let mut sum: Option<Native> = None;
    if inside == 0 {
        let origin = match sight.origin(target, series, stretch) {
            Origin::Unseen => None,
            Origin::Zero(_) => Some(Native::default()),
            Origin::Was(_, was) => {
                Some(last_histogram(was, stretch).map_or_else(|| Ok(Native::default()), Native::read)?)
            }
            Origin::Unknown => return Err((Missing::NoAnswer, None)),
        };
        sum = origin.map(|origin| before.since(&origin));
    }
    for after in parts {
        let after = after?;
        sum = Some(sum.unwrap_or_default().plus(after.since(&before)));
        before = after;
    }
    Ok(sum)
}

impl Native {
    fn read(sample: &HistogramSample) -> Result<Self, Unusable> {
        if let Some(missing) = no_number(sample.count) {
            return Err((missing, None));
        }
        let mut native = Self::default();
        for bucket in sample.buckets.iter().filter(|bucket| bucket.count != 0.0) {
            let count = whole(bucket.count).ok_or_else(|| refuse("a bucket does not hold a whole number"))?;
            match bucket.bounds {
                Bounds::Closed => {
                    native.zero = count;
                    native.around_zero = bucket.right;
                }
                Bounds::OpenLeft if bucket.left > 0.0 => {
                    let schema = schema(bucket.left, bucket.right)
                        .filter(|schema| native.schema.is_none_or(|known| known == *schema));
                    let index = schema.and_then(|schema| index(bucket.right, schema));
                    let index = index.ok_or_else(|| refuse("its buckets are not exponential"))?;
                    native.schema = schema;
                    native.buckets.insert(index, count);
                }
                Bounds::OpenLeft | Bounds::OpenRight | Bounds::Open => {
                    return Err(refuse("it has buckets that do not lie above zero"));
                }
            }
        }
        Ok(native)
    }

    /// What came since an earlier sample; everything, if it began anew.
    fn since(&self, before: &Self) -> Self {
        let Some(before) = before.as_coarse_as(self) else { return self.clone() };
        let fell = |(index, count): (&i32, &u64)| self.buckets.get(index).is_none_or(|now| now < count);
        if before.zero > self.zero || before.buckets.iter().any(fell) {
            return self.clone();
        }
        let rise = |(index, now): (&i32, &u64)| {
            let rise = now.saturating_sub(before.buckets.get(index).copied().unwrap_or(0));
            (rise > 0).then_some((*index, rise))
        };
        Self { zero: self.zero - before.zero, buckets: self.buckets.iter().filter_map(rise).collect(), ..self.clone() }
    }

    /// The same at the resolution of another, unless that is finer.
    fn as_coarse_as(&self, other: &Self) -> Option<Self> {
        let (Some(from), Some(to)) = (self.schema, other.schema) else {
            return Some(self.clone()).filter(|_| self.buckets.is_empty() || other.schema.is_some());
        };
        let mut coarse = self.clone().at(to).filter(|_| to <= from)?;
        if other.around_zero > self.around_zero {
            let swallowed = |index: i32| upper_bound(index, to) <= other.around_zero;
            let low: u64 = coarse.buckets.iter().filter(|(index, _)| swallowed(**index)).map(|(_, count)| count).sum();
            coarse.buckets.retain(|index, _| !swallowed(*index));
            coarse.zero = coarse.zero.saturating_add(low);
        }
        Some(coarse)
    }

    /// The same at a coarser resolution.
    fn at(self, schema: i8) -> Option<Self> {
        let Some(from) = self.schema else { return Some(self) };
        let halvings = u32::try_from(i32::from(from) - i32::from(schema)).ok()?;
        let mut buckets = BTreeMap::new();
        for (index, count) in self.buckets {
            let sum: &mut u64 = buckets.entry(((index - 1) >> halvings) + 1).or_default();
            *sum = sum.saturating_add(count);
        }
        Some(Self { schema: Some(schema), buckets, ..self })
    }

    /// The sum, at the coarser resolution of the two.
    fn plus(self, other: Self) -> Self {
        let schema = self.schema.into_iter().chain(other.schema).min();
        let Some((mut sum, other)) = schema.map_or_else(
            || Some((self.clone(), other.clone())),
            |schema| Some((self.clone().at(schema)?, other.clone().at(schema)?)),
        ) else {
            return self;
        };
        for (index, count) in other.buckets {
            let bucket = sum.buckets.entry(index).or_default();
            *bucket = bucket.saturating_add(count);
        }
        sum.schema = schema;
        sum.zero = sum.zero.saturating_add(other.zero);
        sum
    }

    fn counted(self) -> Result<Histogram, String> {
        let count = |count: u64| Count::new(count).map_err(|error| error.to_string());
        let buckets = self.buckets.into_iter().map(|(index, of)| Ok((index, count(of)?)));
        let buckets = buckets.collect::<Result<Vec<_>, String>>()?;
        Histogram::new(self.schema.unwrap_or(0), count(self.zero)?, buckets).map_err(|error| error.to_string())
    }
}

/// The resolution of a bucket: its bounds are `2^(2^-schema)` apart.
fn schema(left: f64, right: f64) -> Option<i8> {
    let doublings = (right / left).log2();
    (-4..=8).find(|schema| (doublings * f64::from(*schema).exp2() - 1.0).abs() < 1e-6)
}

/// The index of the bucket with this upper bound.
fn index(right: f64, schema: i8) -> Option<i32> {
    let exact = right.log2() * f64::from(schema).exp2();
    let index = exact.round();
    #[expect(clippy::cast_possible_truncation, reason = "within the exponents of a double times 2^8")]
    ((exact - index).abs() < 1e-3 && index.abs() < 1e6).then_some(index as i32)
}

fn upper_bound(index: i32, schema: i8) -> f64 {
    (f64::from(index) * (-f64::from(schema)).exp2()).exp2()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number in range")]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number)).then_some(number as u64)
}
