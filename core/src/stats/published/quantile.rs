//! Whether a quantile of two samples is the same.

use libm::exp;

use super::mixture::BetaBinomialMixture;
use super::stitching::minimum;
use crate::stats::normal::Sides;

/// The anytime p-value of "both arms have the same quantile", from all their values so far; tuned for so many of them
/// and this α. Nothing without values, with one that is no number, or for a quantile that is none.
///
/// S. R. Howard, A. Ramdas, Bernoulli 28 (2022) 1704, §5: the smallest evidence, over every value x that the common
/// quantile could have, that the share of either arm below x is not the quantile.
#[must_use]
pub fn quantile_p_value(arms: [&[f64]; 2], quantile: f64, tuned_for: f64, alpha: f64) -> Option<f64> {
    let variance = quantile * (1.0 - quantile);
    let mixture = BetaBinomialMixture::tuned(tuned_for * variance, alpha, quantile, 1.0 - quantile, Sides::Two)?;
    let [a, b] = [Arm::new(arms[0], &mixture, quantile)?, Arm::new(arms[1], &mixture, quantile)?];
    let all = a.sorted.iter().chain(&b.sorted);
    let least = all.map(|x| a.least_log_e(*x) + b.least_log_e(*x)).fold(f64::INFINITY, f64::min);
    Some(exp(-least).min(1.0))
}

struct Arm<'a> {
    sorted: Vec<f64>,
    mixture: &'a BetaBinomialMixture,
    quantile: f64,
    /// The share below x that is the least evidence.
    least_at: f64,
}

impl<'a> Arm<'a> {
    fn new(values: &[f64], mixture: &'a BetaBinomialMixture, quantile: f64) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let known = !values.is_empty() && values.iter().all(|value| value.is_finite());
        let mut arm = Self { sorted, mixture, quantile, least_at: quantile };
        arm.least_at = minimum(0.0, 1.0, |share| arm.log_e(share));
        known.then_some(arm)
    }

    fn log_e(&self, share: f64) -> f64 {
        let n = self.len();
        self.mixture.log_e((share - self.quantile) * n, self.quantile * (1.0 - self.quantile) * n)
    }

    /// The least evidence over the shares that the empirical distribution passes at x.
    fn least_log_e(&self, x: f64) -> f64 {
        let share = |count: usize| as_f64(count) / self.len();
        let below = self.sorted.partition_point(|value| *value < x);
        let up_to = self.sorted.partition_point(|value| *value <= x);
        self.log_e(self.least_at.clamp(share(below), share(up_to)))
    }

    fn len(&self) -> f64 {
        as_f64(self.sorted.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer values than fit in memory")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
