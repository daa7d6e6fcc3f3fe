//! Counts of two arms whose split of traffic never changes, by a beta prior.

use libm::log;

use crate::Count;
use crate::stats::grid::{PlanError, checked_bound, checked_share};
use crate::stats::normal::Sides;
use crate::stats::special::{ln_beta, ln_beta_cdf};

/// Evidence that the canary's share of events differs from its share of the traffic: the closed form for one split.
///
/// Given that an event happened, it is the canary's with probability θ0 if the rates are the same; θ has a beta(a,
/// b) prior, on (θ0, 1) alone for one side. M. Lindon, A. Malek, "Anytime-valid inference for multinomial count
/// data" (2022).
///
/// ```
/// use davy::Count;
/// use davy::stats::{Sides, published::FixedSplit};
///
/// let half = FixedSplit::new(0.5, 50.0, 50.0)?;
/// assert!(half.log_e(Count::from(60), Count::from(40), Sides::One) > 1.2);
/// # Ok::<(), davy::stats::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FixedSplit {
    split: f64,
    a: f64,
    b: f64,
}

impl FixedSplit {
    /// The canary's share of the traffic, and the prior's parameters, of which `a/(a + b)` is its mean.
    ///
    /// # Errors
    /// [`PlanError::Share`] or [`PlanError::Bound`].
    pub fn new(split: f64, a: f64, b: f64) -> Result<Self, PlanError> {
        Ok(Self { split: checked_share(split)?, a: checked_bound(a)?, b: checked_bound(b)? })
    }

    /// The logarithm of the evidence after so many events of the canary and of the baseline.
    #[must_use]
    pub fn log_e(&self, canary: Count, baseline: Count, sides: Sides) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let (canary, baseline) = (canary.get() as f64, baseline.get() as f64);
        let (a, b) = (self.a + canary, self.b + baseline);
        let both =
            ln_beta(a, b) - ln_beta(self.a, self.b) - canary * log(self.split) - baseline * log(1.0 - self.split);
        // ln P(θ > θ0): the upper tail, from the other end.
        let above = |a, b| ln_beta_cdf(b, a, 1.0 - self.split);
        match sides {
            Sides::Two => both,
            Sides::One => both + above(a, b) - above(self.a, self.b),
        }
    }
}
