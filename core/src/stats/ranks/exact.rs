//! The exact distribution of the rank statistic of samples without ties.
//!
//! Source: Mann and Whitney's recursion, `w(m, n, u) = w(m − 1, n, u − n) + w(m, n − 1, u)`; R's `pwilcox`, `qwilcox`.

use super::{Alternative, RankTest};

/// As many values as R takes for an exact answer, less one.
const MOST: usize = 49;

impl RankTest {
    /// The probability of ranks at least as far out if nothing differs, exactly.
    ///
    /// Nothing where values are equal, or where a sample has fifty values or more.
    #[must_use]
    pub fn exact_p(&self, alternative: Alternative) -> Option<f64> {
        let (m, n) = self.exact_sizes()?;
        let ways = ways(m, n);
        let all: f64 = ways.iter().sum();
        // Without ties it is whole.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to m n, and whole")]
        let statistic = self.statistic() as usize;
        let at_most = |u: usize| ways.iter().take(u + 1).sum::<f64>() / all;
        let at_least = |u: usize| ways.iter().skip(u).sum::<f64>() / all;
        Some(match alternative {
            Alternative::Differs => {
                let tail = if 2 * statistic > m * n { at_least(statistic) } else { at_most(statistic) };
                (2.0 * tail).min(1.0)
            }
            Alternative::Greater => at_least(statistic),
            Alternative::Less => at_most(statistic),
        })
    }

    /// The sizes of samples that have an exact answer.
    pub(super) fn exact_sizes(&self) -> Option<(usize, usize)> {
        let mut all: Vec<f64> = self.x.iter().chain(&self.y).copied().collect();
        all.sort_unstable_by(f64::total_cmp);
        let differ = all.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let (m, n) = (self.x.len(), self.y.len());
        (differ && m <= MOST && n <= MOST).then_some((m, n))
    }
}

/// The least statistic that is not exceeded with at least this probability.
pub(super) fn quantile(m: usize, n: usize, probability: f64) -> Option<usize> {
    let ways = ways(m, n);
    let all: f64 = ways.iter().sum();
    // R's allowance for rounding.
    let wanted = probability - 10.0 * f64::EPSILON;
    let mut reached = 0.0;
    (probability > 0.0 && probability <= 0.5).then_some(())?;
    ways.iter().position(|ways| {
        reached += ways / all;
        reached >= wanted
    })
}

/// In how many orders of `m` and `n` values each statistic from 0 to `m n` comes about.
fn ways(m: usize, n: usize) -> Vec<f64> {
    // By the number of values of x so far: sums of one more y.
    let mut by_x: Vec<Vec<f64>> = (0..=m).map(|i| one_way(i * n)).collect();
    for j in 1..=n {
        for i in 1..=m {
            let (before, rest) = by_x.split_at_mut(i);
            let (Some(fewer), Some(ways)) = (before.last(), rest.first_mut()) else { continue };
            for (ways, fewer) in ways.iter_mut().skip(j).zip(fewer.iter().take((i - 1) * j + 1)) {
                *ways += fewer;
            }
        }
    }
    by_x.pop().unwrap_or_default()
}

/// One order, whose statistic is 0, of so many statistics above it.
fn one_way(most: usize) -> Vec<f64> {
    let mut ways = vec![0.0; most + 1];
    if let Some(first) = ways.first_mut() {
        *first = 1.0;
    }
    ways
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "whole numbers")]
mod tests {
    use super::*;

    #[test]
    fn all_orders_are_counted() {
        assert_eq!(ways(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(ways(1, 3), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(ways(3, 1), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(ways(4, 5).iter().sum::<f64>(), 126.0);
        // Of two separated samples of three, the smallest p is a tenth.
        let test = RankTest::new(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(test.exact_p(Alternative::Differs), Some(0.1));
    }

    #[test]
    fn the_distribution_is_that_of_every_order() {
        // Every subset of ranks, for samples small enough to write them all down.
        for (m, n) in [(3_usize, 4_usize), (5, 4), (6, 6)] {
            let mut counted = vec![0.0; m * n + 1];
            for subset in (0..1_u32 << (m + n)).filter(|subset| subset.count_ones() as usize == m) {
                let ranks = (0..m + n).filter(|place| subset >> place & 1 == 1).map(|place| place + 1);
                counted[ranks.sum::<usize>() - m * (m + 1) / 2] += 1.0;
            }
            assert_eq!(ways(m, n), counted, "{m} {n}");
        }
    }
}
