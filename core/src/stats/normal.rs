//! The normal mixture: sub-Gaussian evidence over effects of any size, and the bound that it is inverted to.

use libm::{erfc, log, sqrt};

use super::special::bisect;

/// Whether evidence is against a mean above 0 only, or away from 0 on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Effects above 0.
    One,
    /// Effects on both sides.
    Two,
}

/// `exp(λS − λ²V/2)` mixed over a normal λ of variance 1/ρ, or half of one.
///
/// S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Annals of Statistics 49 (2021) 1055, equations (14) and (33).
/// It proves that S, with V its variance so far, has no drift: where the increments of S, given the past, have mean
/// at most 0 (one side) or exactly 0 (two), and are sub-Gaussian with variances that add up to V.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalMixture {
    rho: f64,
    sides: Sides,
}

impl NormalMixture {
    /// The mixture whose bound at `alpha` is nearly the narrowest once the variance is `variance`.
    ///
    /// Nothing for a variance that is not above 0, or an `alpha` not within (0, 1), or within (0, ½) for one side.
    #[must_use]
    pub fn tuned(variance: f64, alpha: f64, sides: Sides) -> Option<Self> {
        let alpha = match sides {
            Sides::One => 2.0 * alpha,
            Sides::Two => alpha,
        };
        let known = variance > 0.0 && variance.is_finite() && alpha > 0.0 && alpha < 1.0;
        let surprise = 2.0 * log(1.0 / alpha);
        known.then(|| Self { rho: variance / (surprise + log(1.0 + surprise)), sides })
    }

    /// ρ, the variance that the mixture counts as seen before anything was.
    #[must_use]
    pub const fn rho(&self) -> f64 {
        self.rho
    }

    /// The logarithm of the evidence of a sum with this variance.
    #[must_use]
    pub fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let total = variance + self.rho;
        let z = sum / sqrt(total);
        match self.sides {
            Sides::One => 0.5 * log(4.0 * self.rho / total) + log_half_normal(z),
            Sides::Two => 0.5 * log(self.rho / total) + 0.5 * z * z,
        }
    }

    /// What the sum exceeds (on either side, for two) at any time with probability at most `alpha`. Nothing for an
    /// `alpha` outside (0, 1) or a variance that is none.
    #[must_use]
    pub fn bound(&self, variance: f64, alpha: f64) -> Option<f64> {
        if !(alpha > 0.0 && alpha < 1.0 && variance >= 0.0 && variance.is_finite()) {
            return None;
        }
        let level = log(1.0 / alpha);
        let total = variance + self.rho;
        let two_sided = sqrt(total * (log(1.0 + variance / self.rho) + 2.0 * level));
        Some(match self.sides {
            Sides::Two => two_sided,
            // Half the mixture concentrates twice the weight above 0, so its bound is below the other's.
            Sides::One => bisect(0.0, two_sided, |sum| self.log_e(sum, variance) < level),
        })
    }
}

/// `z²/2 + ln Φ(z)`, also where Φ is too small for a double.
fn log_half_normal(z: f64) -> f64 {
    const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
    if z > -30.0 {
        return 0.5 * z * z + log(0.5 * erfc(-z * std::f64::consts::FRAC_1_SQRT_2));
    }
    // Mills' ratio: Φ(z) = φ(z)/(−z) · (1 − 1/z² + 3/z⁴ − 15/z⁶ + …).
    let inverse = 1.0 / (z * z);
    let series = 1.0 - inverse * (1.0 - inverse * (3.0 - inverse * (15.0 - inverse * 105.0)));
    log(series) - log(-z) - HALF_LOG_TWO_PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_continues_where_the_error_function_ends() {
        for z in [-29.999_999, -30.000_001] {
            let near = log_half_normal(z);
            // ln(φ(30)/30) + ln(1 − 1/900 + 3/810000 − …) − ln φ(30).
            let expected = -log(30.0) - 0.918_938_533_204_672_8 + (-1.0 / 900.0 + 2.5 / 810_000.0);
            assert!((near - expected).abs() < 1e-7, "{near} {expected}");
        }
        assert!(log_half_normal(-1e300) < -690.0 && log_half_normal(-f64::MAX).is_finite());
        assert!(log_half_normal(-30.000_001) < log_half_normal(-29.999_999));
    }

    #[test]
    fn a_bound_is_where_the_evidence_reaches_the_level() {
        for sides in [Sides::One, Sides::Two] {
            let mixture = NormalMixture::tuned(50.0, 0.01, sides).unwrap();
            for variance in [0.0, 1.0, 50.0, 1e6] {
                let bound = mixture.bound(variance, 0.05).unwrap();
                assert!((mixture.log_e(bound, variance) - log(20.0)).abs() < 1e-9, "{sides:?} {variance}");
            }
            for (variance, alpha) in [(1.0, 0.0), (1.0, 1.0), (1.0, f64::NAN), (-1.0, 0.1), (f64::INFINITY, 0.1)] {
                assert_eq!(mixture.bound(variance, alpha), None);
            }
        }
        for (variance, alpha) in [(0.0, 0.1), (f64::NAN, 0.1), (1.0, 0.5), (1.0, 0.0)] {
            assert_eq!(NormalMixture::tuned(variance, alpha, Sides::One), None);
        }
    }
}
