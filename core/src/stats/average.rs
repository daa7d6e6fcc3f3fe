//! One composite from many metrics: the weighted average of their evidence.
//!
//! With weights that add up to 1, `E = Σ ω_i·E_i` is again a supermartingale that begins at 1, however the metrics
//! depend on each other (V. Vovk, R. Wang, "E-values: Calibration, combination and applications", Annals of
//! Statistics 49 (2021) 1736: the average is the best symmetric way under arbitrary dependence). It is at least as
//! strong as testing each metric at its share of α: where E_i ≥ 1/(ω_i·α) for any one of them, E ≥ 1/α.
//!
//! Multiplying would need independent metrics, which slow and failing requests are not.

use super::grid::PlanError;
use super::process::MOST;

/// Weights that add up to 1.
///
/// ```
/// use davy::stats::Weights;
///
/// // Errors count three times as much as latency, whose two thresholds share its weight.
/// let weights = Weights::new([3.0, 0.5, 0.5])?;
/// assert_eq!(weights.average([40.0, 2.0, 0.0]), 30.25);
/// # Ok::<(), davy::stats::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(Box<[f64]>);

impl Weights {
    /// Divides the importances by their sum.
    ///
    /// # Errors
    /// [`PlanError::Weights`] for none, or for one that is not a finite number above 0.
    pub fn new(importances: impl IntoIterator<Item = f64>) -> Result<Self, PlanError> {
        let mut weights: Box<[f64]> = importances.into_iter().collect();
        let sum: f64 = weights.iter().sum();
        if weights.is_empty() || !weights.iter().all(|weight| *weight > 0.0) || !sum.is_finite() {
            return Err(PlanError::Weights);
        }
        for weight in &mut weights {
            *weight /= sum;
        }
        Ok(Self(weights))
    }

    /// In the order in which they were given.
    #[must_use]
    pub const fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The weighted average of the evidence, summed in order. What is missing at the end counts as 0.
    #[must_use]
    pub fn average(&self, evidence: impl IntoIterator<Item = f64>) -> f64 {
        self.0.iter().zip(evidence).fold(0.0, |sum, (weight, e)| sum + weight * e).min(MOST)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one() {
        let weights = Weights::new([3.0, 2.0, 2.0, 2.0, 0.1]).unwrap();
        assert!((weights.as_slice().iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((weights.average([1.0; 5]) - 1.0).abs() < 1e-15);
        assert_eq!(weights.average([MOST; 5]), MOST);
        let none: [f64; 0] = [];
        assert_eq!(Weights::new(none), Err(PlanError::Weights));
        for importances in [[1.0, 0.0], [1.0, -1.0], [1.0, f64::NAN], [1.0, f64::INFINITY], [f64::MAX, f64::MAX]] {
            assert_eq!(Weights::new(importances), Err(PlanError::Weights), "{importances:?}");
        }
    }
}
