//! Conjugate mixtures and the bounds they are inverted to.
//!
//! S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
//! Annals of Statistics 49 (2021) 1055, §3.

use libm::{lgamma, log};

use crate::Count;
use crate::stats::normal::{NormalMixture, Sides};
use crate::stats::special::{bisect, ln_beta, ln_beta_cdf, ln_gamma_cdf};

/// Evidence about a sum of bounded steps: each is at most `h` above and `g` below its mean, and the variances add up
/// to at most V.
///
/// For a share p of events, `g = p` and `h = 1 − p`.
#[derive(Debug, Clone, PartialEq)]
pub struct BetaBinomialMixture {
    r: f64,
    below: f64,
    above: f64,
    /// Up to where the mixture reaches.
    end: f64,
    normalizer: f64,
}

/// Evidence about a sum whose steps have at most an exponential upper tail of the given scale.
#[derive(Debug, Clone, PartialEq)]
pub struct GammaExponentialMixture {
    rho: f64,
    scale: f64,
    normalizer: f64,
}

impl BetaBinomialMixture {
    /// Tuned as [`NormalMixture::tuned`], for steps within `below` and `above` their mean. Nothing for numbers that
    /// cannot be these.
    #[must_use]
    pub fn tuned(variance: f64, alpha: f64, below: f64, above: f64, sides: Sides) -> Option<Self> {
        let known = below > 0.0 && above > 0.0 && below.is_finite() && above.is_finite();
        let rho = NormalMixture::tuned(variance, alpha, sides).filter(|_| known)?.rho();
        let r = (rho - below * above).max(1e-3 * below * above);
        let end = match sides {
            Sides::One => above / (below + above),
            Sides::Two => 1.0,
        };
        let both = below + above;
        let normalizer = ln_incomplete_beta(r / (below * both), r / (above * both), end);
        Some(Self { r, below, above, end, normalizer })
    }

    /// The logarithm of the evidence of a sum with this variance; the sum is at most `variance / below`.
    #[must_use]
    pub fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let Self { r, below: g, above: h, end, normalizer } = *self;
        let both = g + h;
        variance / (g * h) * log(both)
            - (variance + h * sum) / (h * both) * log(g)
            - (variance - g * sum) / (g * both) * log(h)
            + ln_incomplete_beta((r + variance - g * sum) / (g * both), (r + variance + h * sum) / (h * both), end)
            - normalizer
    }

    /// What the sum exceeds at any time with probability at most `alpha`.
    #[must_use]
    pub fn bound(&self, variance: f64, alpha: f64) -> f64 {
        let level = log(1.0 / alpha);
        bisect(0.0, variance / self.below, |sum| self.log_e(sum, variance) < level)
    }
}

impl GammaExponentialMixture {
    /// Tuned as the one-sided [`NormalMixture::tuned`], for tails of this scale. Nothing for numbers that cannot be
    /// these.
    #[must_use]
    pub fn tuned(variance: f64, alpha: f64, scale: f64) -> Option<Self> {
        let known = scale > 0.0 && scale.is_finite();
        let rho = NormalMixture::tuned(variance, alpha, Sides::One).filter(|_| known)?.rho();
        let shape = rho / (scale * scale);
        let normalizer = shape * log(shape) - lgamma(shape) - ln_gamma_cdf(shape, shape);
        Some(Self { rho, scale, normalizer })
    }

    /// The logarithm of the evidence of a sum with this variance.
    #[must_use]
    pub fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let square = self.scale * self.scale;
        let seen = (self.scale * sum + variance) / square;
        let shape = (variance + self.rho) / square;
        let rate = seen + self.rho / square;
        self.normalizer + lgamma(shape) + ln_gamma_cdf(shape, rate) - shape * log(rate) + seen
    }

    /// What the sum exceeds at any time with probability at most `alpha`.
    #[must_use]
    pub fn bound(&self, variance: f64, alpha: f64) -> f64 {
        let level = log(1.0 / alpha);
        let mut end = variance.max(self.scale);
        // The evidence grows without bound: some doubling is enough.
        while self.log_e(end, variance) < level && end < 1e300 {
            end *= 2.0;
        }
        bisect(0.0, end, |sum| self.log_e(sum, variance) < level)
    }
}

/// Limits on the share of events that hold at every look together, with probability at least `1 − alpha`, if all
/// requests are alike; narrowest after `tuned_for` requests. Nothing without requests, or for numbers that cannot
/// be these.
///
/// ```
/// use davy::Count;
/// use davy::stats::published::bernoulli_interval;
///
/// let (low, high) = bernoulli_interval(Count::from(3), Count::from(300), 0.05, 1000.0).expect("fit");
/// assert!(low < 0.0005 && high > 0.04);
/// ```
#[must_use]
pub fn bernoulli_interval(events: Count, total: Count, alpha: f64, tuned_for: f64) -> Option<(f64, f64)> {
    /// At which the mixture is tuned to be narrow.
    const TUNED_AT: f64 = 0.05;
    let known = total > Count::ZERO && events <= total && alpha > 0.0 && alpha < 1.0 && tuned_for > 0.0;
    if !known || !tuned_for.is_finite() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let (events, total) = (events.get() as f64, total.get() as f64);
    let (share, level) = (events / total, log(1.0 / alpha));
    let refuted = |p: f64| {
        let variance = p * (1.0 - p);
        let mixture = BetaBinomialMixture::tuned(variance * tuned_for, TUNED_AT, p, 1.0 - p, Sides::Two);
        // The ends, which no mixture tests, are refuted by any request that is not like them.
        mixture.is_none_or(|mixture| mixture.log_e((share - p) * total, variance * total) >= level)
    };
    let low = if share > 0.0 { bisect(0.0, share, refuted) } else { 0.0 };
    let high = if share < 1.0 { bisect(1.0, share, refuted) } else { 1.0 };
    Some((low, high))
}

/// `ln ∫_0^x t^(a−1) (1 − t)^(b−1) dt`.
fn ln_incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    ln_beta(a, b) + ln_beta_cdf(a, b, x)
}
