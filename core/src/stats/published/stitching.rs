//! Bounds of the iterated logarithm: stitched over epochs, for sums, quantiles and whole distributions.

use libm::{exp, log, pow, sqrt};

use crate::stats::special::{bisect, zeta};

/// What a sum exceeds at any time with probability at most `alpha`, from variance `least` on; `scale` is that of
/// its upper tail, 0 if it is sub-Gaussian. Epochs grow by `eta`, and `s` above 1 says how α is spent on them.
///
/// S. R. Howard and others, Annals of Statistics 49 (2021) 1055, Theorem 1. The usual choice is `s = 1.4`, `eta = 2`.
#[must_use]
pub fn poly_stitching(variance: f64, alpha: f64, least: f64, scale: f64, s: f64, eta: f64) -> f64 {
    let variance = variance.max(least);
    let spent = log(zeta(s) / pow(log(eta), s));
    let level = s * log(log(eta * variance / least)) + spent + log(1.0 / alpha);
    let (spread, tail) = epochs(eta);
    let linear = tail * scale * level;
    sqrt(spread * spread * variance * level + linear * linear) + linear
}

/// By how many the number of requests at or below the quantile `p` differs from `p·t` at any time, for all p together,
/// with probability at most `alpha`; narrowest after `tuned_for` requests.
///
/// S. R. Howard, A. Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
/// identification", Bernoulli 28 (2022) 1704, Theorem 3. The usual choice is `delta = 0.5`, `s = 1.4`, `eta = 2`.
#[must_use]
pub fn quantile_stitching(p: f64, t: f64, alpha: f64, tuned_for: f64, delta: f64, s: f64, eta: f64) -> f64 {
    let logit = log(p / (1.0 - p));
    let t = t.max(tuned_for);
    let r = if p >= 0.5 {
        p
    } else {
        let moved = logit + 2.0 * delta * sqrt(tuned_for * eta / t);
        (1.0 / (1.0 + exp(-moved))).min(0.5)
    };
    let variance = r * (1.0 - r);
    let j = sqrt(t / tuned_for) * logit.abs() / (2.0 * delta) + 1.0;
    let zeta = zeta(s);
    let spent = log(2.0 * zeta * (2.0 * zeta + 1.0) / (alpha * pow(log(eta), s)));
    let level = s * log(log(eta * t / tuned_for)) + s * log(j) + spent;
    let (spread, tail) = epochs(eta);
    let linear = tail * (1.0 - 2.0 * p) / 3.0 * level;
    delta * sqrt(eta * t * variance / tuned_for)
        + sqrt(spread * spread * variance * t * level + linear * linear)
        + linear
}

fn epochs(eta: f64) -> (f64, f64) {
    ((pow(eta, 0.25) + pow(eta, -0.25)) / std::f64::consts::SQRT_2, (sqrt(eta) + 1.0) / 2.0)
}

/// A band around an empirical distribution that holds it at all times together: sup|F̂_t − F| ≤ A·√((ln(1 +
/// ln(t/m)) + C)/t).
///
/// S. R. Howard, A. Ramdas, Bernoulli 28 (2022) 1704, Theorem 2. Two of them compare a canary with its baseline in
/// M. Lindon, C. Sanden, V. Shirikian, "Rapid regression detection in software deployments through sequential
/// testing" (2022).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CdfBand {
    a: f64,
    c: f64,
    from: f64,
}

impl CdfBand {
    /// Holds from `from` requests on, with probability at least `1 − alpha`; A above 1/√2, usually 0.85. Nothing
    /// for numbers that cannot be these.
    #[must_use]
    pub fn new(alpha: f64, from: f64, a: f64) -> Option<Self> {
        let known = alpha > 0.0 && alpha < 1.0 && from >= 1.0 && a > std::f64::consts::FRAC_1_SQRT_2 && a < 10.0;
        // The error falls in C, from far above any α to 1e-100 and less.
        known.then(|| Self { a, c: bisect(0.1, 300.0, |c| least_error(a, c) > alpha), from })
    }

    /// C, which solves for α.
    #[must_use]
    pub const fn c(&self) -> f64 {
        self.c
    }

    /// Half the width of the band after `t` requests; infinite before it holds.
    #[must_use]
    pub fn radius(&self, t: f64) -> f64 {
        if t < self.from {
            return f64::INFINITY;
        }
        self.a * sqrt((log(1.0 + log(t / self.from)) + self.c) / t)
    }
}

/// The probability that the band fails, as bounded by the best choice of epochs.
fn least_error(a: f64, c: f64) -> f64 {
    let error = |eta: f64| {
        let shrunk = a - sqrt(2.0 * (eta - 1.0) / c);
        let gamma = 2.0 / eta * shrunk * shrunk;
        if gamma <= 1.0 || shrunk <= 0.0 {
            return f64::INFINITY;
        }
        4.0 * exp(-gamma * c) * (1.0 + 1.0 / ((gamma - 1.0) * log(eta)))
    };
    let most = bisect(1.0, 2.0 * a * a, |eta| sqrt(eta / 2.0) + sqrt(2.0 * (eta - 1.0) / c) < a);
    error(minimum(1.0, most, error))
}

/// Where a function that falls and then rises is least.
pub(super) fn minimum(from: f64, to: f64, function: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (from, to);
    for _ in 0..80 {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if function(left) <= function(right) {
            high = right;
        } else {
            low = left;
        }
    }
    low + 0.5 * (high - low)
}
