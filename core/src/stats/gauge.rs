//! Gauges: is the canary's CPU, memory or queue higher than the baseline's by more than a margin?
//!
//! A gauge is no count, so nothing about it is exact. What is needed has to be declared: the spread σ of the
//! difference between the arms in one interval, given the past. If that difference, less the margin, has
//! conditional mean at most 0 and is σ-sub-Gaussian (`E exp(λD) ≤ exp(λ²σ²/2)`, as for normal noise), then with S
//! the sum of differences and V the sum of σ², `exp(λS − λ²V/2)` is a supermartingale for each λ > 0; mixed over a
//! half-normal λ of variance 1/ρ,
//!
//! ```text
//! log E = ½ ln(4ρ/(V + ρ)) + S²/(2(V + ρ)) + ln Φ(S/√(V + ρ))
//! ```
//!
//! (S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
//! sequences", Annals of Statistics 49 (2021) 1055, the one-sided normal mixture.)
//!
//! # Where it does not hold
//!
//! Gauges are autocorrelated: the mean of a difference, given the past, is then not 0 for a good canary. Declaring
//! `σ·√((1 + φ)/(1 − φ))` at a lag-one correlation of φ makes the *variance* of the sum right and false alarms rare in
//! simulation; it proves nothing. And σ is declared, not known. So findings on gauges are outside the guarantee, unless
//! intervals are long against the correlation and σ is an upper bound.

use serde::{Deserialize, Serialize};

use super::grid::PlanError;
use super::normal::{NormalMixture, Sides};
use super::process::MOST;
use libm::exp;

/// What is declared beforehand about one gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct GaugeTest {
    mixture: NormalMixture,
    margin: f64,
    spread: f64,
}

/// The evidence that the canary's gauge is higher than the baseline's by more than the margin: the state.
///
/// ```
/// use davy::stats::{Gauge, GaugeTest};
///
/// // CPU: 3 points more are fine; the means of the arms differ by 5 points or so. Tuned for ten intervals.
/// let test = GaugeTest::new(0.03, 0.05, 10)?;
/// let mut cpu = Gauge::default();
/// for _ in 0..10 {
///     cpu.fold(&test, 0.72, 0.60);
/// }
/// assert!(cpu.e(&test) > 100.0);
/// # Ok::<(), davy::stats::PlanError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gauge {
    intervals: u32,
    /// Of differences beyond the margin, in units of the spread.
    sum: f64,
}

/// The evidence that a mixture is tuned to recognise soonest.
const TUNED_FOR: f64 = 0.01;
/// A difference of more spreads than this is one of this many: it decides either way.
const FURTHEST: f64 = 1e6;

impl GaugeTest {
    /// The margin by which the canary may be higher, the spread σ of the difference in one interval, and after how many
    /// intervals a difference is to be found soonest. Higher is worse; for a gauge of which lower is worse, negate it.
    ///
    /// # Errors
    /// [`PlanError::Gauge`] for numbers that are neither.
    pub fn new(margin: f64, spread: f64, soonest_after: u32) -> Result<Self, PlanError> {
        let known = margin.is_finite() && spread.is_finite() && spread > 0.0;
        let mixture = NormalMixture::tuned(f64::from(soonest_after), TUNED_FOR, Sides::One);
        match mixture {
            Some(mixture) if known => Ok(Self { mixture, margin, spread }),
            _ => Err(PlanError::Gauge),
        }
    }
}

impl Gauge {
    /// Takes in one interval: the mean of each arm. What is no number is no observation.
    pub fn fold(&mut self, test: &GaugeTest, canary: f64, baseline: f64) {
        let difference = (canary - baseline - test.margin) / test.spread;
        if !difference.is_nan() {
            // Less than what was seen is never more evidence; and no sum grows without bound.
            self.sum = (self.sum + difference.min(FURTHEST)).max(-f64::MAX);
            self.intervals = self.intervals.saturating_add(1);
        }
    }

    /// The evidence, from 0 to 2^1000; 1 before the first interval.
    #[must_use]
    pub fn e(&self, test: &GaugeTest) -> f64 {
        exp(test.mixture.log_e(self.sum, f64::from(self.intervals))).min(MOST)
    }

    /// With this probability of being wrong at any look, the mean difference is higher than the margin by more than
    /// what is returned, in the gauge's own unit; for explanations. Nothing before the first interval.
    #[must_use]
    pub fn beyond_margin(&self, test: &GaugeTest, alpha: f64) -> Option<f64> {
        let intervals = f64::from(self.intervals);
        let bound = test.mixture.bound(intervals, alpha)?;
        (self.intervals > 0).then(|| test.spread * (self.sum - bound) / intervals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_takes_any_number() {
        let test = GaugeTest::new(0.03, 0.05, 10).unwrap();
        let mut gauge = Gauge::default();
        assert!((gauge.e(&test) - 1.0).abs() < 1e-12);
        for value in [f64::MAX, f64::INFINITY, f64::NEG_INFINITY, -f64::MAX, f64::NAN, 0.0] {
            for _ in 0..3 {
                gauge.fold(&test, value, 0.5);
                gauge.fold(&test, 0.5, value);
                assert!(gauge.sum.is_finite() && gauge.e(&test).is_finite());
            }
        }
        assert!(gauge.e(&test) < 1e-100);
    }

    #[test]
    fn only_plans_that_say_something_are_made() {
        for (margin, spread, after) in
            [(f64::NAN, 0.1, 10), (0.0, 0.0, 10), (0.0, -1.0, 10), (0.0, f64::INFINITY, 10), (0.0, 1.0, 0)]
        {
            assert_eq!(GaugeTest::new(margin, spread, after), Err(PlanError::Gauge));
        }
    }

    #[test]
    fn what_is_beyond_the_margin_is_bounded_from_below() {
        let test = GaugeTest::new(0.03, 0.05, 20).unwrap();
        let mut gauge = Gauge::default();
        assert_eq!(gauge.beyond_margin(&test, 0.01), None);
        for _ in 0..200 {
            gauge.fold(&test, 0.7, 0.57);
        }
        let beyond = gauge.beyond_margin(&test, 0.01).unwrap();
        assert!(beyond > 0.08 && beyond < 0.1, "{beyond}");
    }
}
