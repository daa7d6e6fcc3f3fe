//! Slow requests counted from histograms, exactly: at bucket bounds, never between them.
//!
//! Where a threshold is not a bound of the histogram, nothing is counted rather than interpolated: a made-up count
//! is no count, and what is proved about counts would not hold.

use std::collections::BTreeMap;

use libm::{ceil, exp2, log, log2};

use crate::Count;

/// The shares of slow requests that thresholds are chosen for: from the middle of the distribution to its tail.
pub const SLOW_SHARES: [f64; 5] = [0.5, 0.25, 0.1, 0.05, 0.01];

/// The resolution of the grid on which raw samples are counted: 16 buckets per doubling, each 4.4 % wide.
pub const SAMPLE_SCHEMA: i8 = 4;

/// A threshold at a bucket bound, and the share of requests that exceeded it where it was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut<B> {
    /// The bound: seconds, or the index of the bucket below it.
    pub at: B,
    /// Strictly between 0 and 1.
    pub share: f64,
}

/// The buckets of a native histogram: bucket `i` holds what took `(base^(i−1), base^i]` seconds, with
/// `base = 2^(2^−schema)` (Prometheus native histograms).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Native<'a> {
    /// From -4, coarse, to 8, fine.
    pub schema: i8,
    /// Requests that took no measurable time.
    pub zero: Count,
    /// Counts by rising index.
    pub buckets: &'a [(i32, Count)],
}

/// Samples in the buckets of [`SAMPLE_SCHEMA`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bucketed {
    /// Samples of at most 2^-64 s.
    pub zero: Count,
    /// Counts by rising index.
    pub buckets: Vec<(i32, Count)>,
    /// Samples that are no latency: below 0 s, infinite, or no number. They are in no bucket.
    pub refused: Count,
}

/// Chooses thresholds among bounds: for each of [`SLOW_SHARES`] the one that a share nearest to it exceeded, in odds.
///
/// `slower` holds the bounds, rising, with the number of requests that took longer, of `total`. A bound that none or
/// all exceeded is never chosen, and none is chosen twice. This must be done once and before the rollout, from
/// traffic that is not judged: thresholds chosen by looking at the canary void the guarantee.
///
/// ```
/// use davy::Count;
/// use davy::stats::cuts;
///
/// let n = |value: u32| Count::from(value);
/// let slower = [(0.1, n(510)), (0.25, n(102)), (0.5, n(40)), (1.0, n(9)), (2.5, n(0))];
/// let chosen: Vec<f64> = cuts(&slower, n(1000)).iter().map(|cut| cut.at).collect();
/// assert_eq!(chosen, [0.1, 0.25, 0.5, 1.0]);   // for 50 %, 25 % and 10 %, 5 %, 1 %
/// ```
#[must_use]
pub fn cuts<B: Copy>(slower: &[(B, Count)], total: Count) -> Vec<Cut<B>> {
    let candidates = || {
        slower.iter().filter(|(_, above)| *above > Count::ZERO && *above < total).map(|(at, above)| {
            #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
            let share = above.get() as f64 / total.get() as f64;
            Cut { at: *at, share }
        })
    };
    let odds = |share: f64| log(share / (1.0 - share));
    let mut chosen: Vec<(usize, Cut<B>)> = Vec::new();
    for target in SLOW_SHARES {
        let distance = |cut: &Cut<B>| (odds(cut.share) - odds(target)).abs();
        let nearest = candidates().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        if let Some((index, cut)) = nearest.filter(|(index, _)| chosen.iter().all(|(other, _)| other != index)) {
            chosen.push((index, cut));
        }
    }
    chosen.sort_by_key(|(index, _)| *index);
    chosen.into_iter().map(|(_, cut)| cut).collect()
}

/// Requests that took longer than `bound` seconds, from classic buckets; nothing where no bucket ends there.
///
/// `at_most` holds cumulative counts by rising upper bound, as `le` has them, and `total` is that of `+Inf`.
#[must_use]
pub fn slower_than(at_most: &[(f64, Count)], total: Count, bound: f64) -> Option<Count> {
    let (_, fast) = at_most.iter().find(|(le, _)| le.total_cmp(&bound).is_eq())?;
    Some(total.saturating_sub(*fast))
}

impl Native<'_> {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> Count {
        self.buckets.iter().fold(self.zero, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Requests that took longer than bucket `index` of `schema` holds; nothing where these buckets are so coarse
    /// that none ends there. Where there are no buckets no request took longer, whatever their resolution is said to be.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::stats::Native;
    ///
    /// let n = |value: u32| Count::from(value);
    /// let seconds = Native { schema: 0, zero: n(1), buckets: &[(-1, n(40)), (0, n(7)), (1, n(2))] };
    /// assert_eq!(seconds.slower_than(0, 0), Some(n(2)));    // than 1 s
    /// assert_eq!(seconds.slower_than(3, -8), Some(n(9)));   // than 0.5 s, a bound of finer buckets, too
    /// assert_eq!(seconds.slower_than(3, -7), None);         // than 0.545 s: within a bucket
    /// let idle = Native { schema: 0, zero: n(0), buckets: &[] };
    /// assert_eq!(idle.slower_than(3, -7), Some(n(0)));
    /// ```
    #[must_use]
    pub fn slower_than(&self, schema: i8, index: i32) -> Option<Count> {
        if self.buckets.is_empty() {
            return Some(Count::ZERO);
        }
        let last = at_schema(index, schema, self.schema)?;
        let slower = self.buckets.iter().filter(|(index, _)| i64::from(*index) > last);
        Some(slower.fold(Count::ZERO, |sum, (_, count)| sum.saturating_add(*count)))
    }

    /// Every bucket's index with the number of requests that took longer: what [`cuts`] chooses from.
    #[must_use]
    pub fn slower(&self) -> Vec<(i32, Count)> {
        let mut above = Count::ZERO;
        let mut slower: Vec<(i32, Count)> = Vec::with_capacity(self.buckets.len());
        for (index, count) in self.buckets.iter().rev() {
            slower.push((*index, above));
            above = above.saturating_add(*count);
        }
        slower.reverse();
        slower
    }
}

/// Counts latencies in seconds on the grid of [`SAMPLE_SCHEMA`], where they add up and compare exactly.
///
/// ```
/// use davy::Count;
/// use davy::stats::bucketed;
///
/// let counted = bucketed([0.99, 1.0, 1.01, 0.0, f64::NAN]);
/// assert_eq!(counted.buckets, [(0, Count::from(2)), (1, Count::from(1))]);   // (0.957, 1] and (1, 1.044]
/// assert_eq!((counted.zero, counted.refused), (Count::from(1), Count::from(1)));
/// ```
#[must_use]
pub fn bucketed(seconds: impl IntoIterator<Item = f64>) -> Bucketed {
    let one = Count::from(1);
    let mut counted = Bucketed::default();
    let mut buckets: BTreeMap<i32, Count> = BTreeMap::new();
    for sample in seconds {
        if !sample.is_finite() || sample < 0.0 {
            counted.refused = counted.refused.saturating_add(one);
        } else if sample <= SHORTEST {
            counted.zero = counted.zero.saturating_add(one);
        } else {
            let bucket = buckets.entry(bucket_of(sample)).or_default();
            *bucket = bucket.saturating_add(one);
        }
    }
    counted.buckets = buckets.into_iter().collect();
    counted
}

/// 2^-64 s: what took no longer took no time.
const SHORTEST: f64 = f64::from_bits((1023 - 64) << 52);
const BUCKETS_PER_DOUBLING: f64 = 16.0;

/// The bucket of a latency above [`SHORTEST`].
fn bucket_of(seconds: f64) -> i32 {
    let upper = |index: i32| exp2(f64::from(index) / BUCKETS_PER_DOUBLING);
    #[expect(clippy::cast_possible_truncation, reason = "logarithms of doubles are small")]
    let mut index = ceil(log2(seconds) * BUCKETS_PER_DOUBLING) as i32;
    // The logarithm is rounded; the bounds decide.
    if upper(index) < seconds {
        index += 1;
    } else if upper(index - 1) >= seconds {
        index -= 1;
    }
    index
}

/// The bucket of schema `to` that ends where this one of schema `from` ends.
fn at_schema(index: i32, from: i8, to: i8) -> Option<i64> {
    let finer = i32::from(to) - i32::from(from);
    let factor = 1_i64.checked_shl(finer.unsigned_abs()).filter(|factor| *factor > 0 && *factor <= 1 << 31)?;
    let index = i64::from(index);
    if finer >= 0 { index.checked_mul(factor) } else { (index % factor == 0).then_some(index / factor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(value: u32) -> Count {
        Count::from(value)
    }

    #[test]
    fn classic_buckets_count_at_their_bounds_only() {
        let at_most = [(0.1, n(90)), (0.3, n(98)), (1.0, n(99))];
        assert_eq!(slower_than(&at_most, n(100), 0.1), Some(n(10)));
        assert_eq!(slower_than(&at_most, n(100), 1.0), Some(n(1)));
        assert_eq!(slower_than(&at_most, n(100), 0.2), None);
        assert_eq!(slower_than(&at_most, n(100), f64::NAN), None);
    }

    #[test]
    fn a_cut_counts_the_same_in_finer_buckets() {
        let coarse = Native { schema: 1, zero: n(3), buckets: &[(-2, n(5)), (0, n(7)), (1, n(11)), (4, n(2))] };
        // The same requests, in buckets of schema 2: an even index ends where half of it ends.
        let fine = Native {
            schema: 2,
            zero: n(3),
            buckets: &[(-5, n(4)), (-4, n(1)), (0, n(7)), (1, n(6)), (2, n(5)), (8, n(2))],
        };
        for index in -4..6 {
            assert_eq!(coarse.slower_than(1, index), fine.slower_than(1, index), "{index}");
        }
        assert_eq!(coarse.total(), fine.total());
        assert_eq!(coarse.slower_than(2, 1), None);
        assert_eq!(fine.slower_than(2, 1), Some(n(7)));
        assert_eq!(coarse.slower_than(-4, i32::MAX), Some(n(0)));
        assert_eq!(coarse.slower_than(-128, 1), None);
        assert_eq!(coarse.slower_than(127, i32::MIN), None);
    }

    #[test]
    fn what_is_slower_than_each_bucket_is_what_a_cut_there_counts() {
        let native = Native { schema: 3, zero: n(3), buckets: &[(-2, n(5)), (0, n(7)), (1, n(11)), (4, n(2))] };
        let slower = native.slower();
        assert!(slower.iter().all(|(index, above)| native.slower_than(3, *index) == Some(*above)));
        assert_eq!(slower.len(), 4);
        let chosen = cuts(&slower, native.total());
        assert_eq!(chosen.iter().map(|cut| cut.at).collect::<Vec<_>>(), [0, 1]);
        assert!((chosen[1].share - 2.0 / 28.0).abs() < 1e-15);
    }

    #[test]
    fn cuts_need_requests_on_both_sides() {
        assert!(cuts(&[(0.1, n(100)), (0.3, n(0))], n(100)).is_empty());
        assert!(cuts::<f64>(&[], n(0)).is_empty());
    }

    #[test]
    fn a_sample_lies_within_the_bounds_of_its_bucket() {
        let upper = |index: i32| exp2(f64::from(index) / 16.0);
        for index in -1024..4096 {
            let bound = upper(index);
            assert_eq!(bucket_of(bound), index, "a bucket holds its upper bound");
            assert_eq!(bucket_of(f64::from_bits(bound.to_bits() + 1)), index + 1);
        }
        assert_eq!(bucket_of(f64::MAX), 16384);
        assert_eq!(bucket_of(f64::from_bits(SHORTEST.to_bits() + 1)), -1023);
        assert_eq!(bucketed([SHORTEST, -1.0, f64::INFINITY]).refused, n(2));
    }
}
