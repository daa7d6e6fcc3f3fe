//! The effect sizes that a test mixes over, with their logarithms taken once.

use libm::log;
use thiserror::Error;

/// Effect sizes for counts of rare events: how many times as many. From barely worse to an outage, which
/// the largest sees in one interval.
pub const RATIOS: [f64; 8] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];

/// Effect sizes for events that need not be rare, such as slow requests: odds ratios.
pub const ODDS: [f64; 9] = [1.05, 1.1, 1.2, 1.35, 1.6, 2.0, 3.0, 6.0, 15.0];

/// Rising effect sizes, all on one side of 1.
///
/// Sizes above 1 look for harm: the evidence grows when the canary is worse than the bound. Sizes below 1
/// look for the opposite: it grows when the canary is better than the bound, which is how non-inferiority
/// is shown.
///
/// The sizes decide how fast evidence grows, never whether the guarantee holds: a mixture over any sizes
/// that were fixed beforehand is valid.
///
/// ```
/// use davy::stats::{Grid, RATIOS};
///
/// assert!(Grid::new(RATIOS).is_ok());
/// assert!(Grid::new([0.9, 1.1]).is_err());   // each tests another hypothesis
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid<const J: usize> {
    sizes: [f64; J],
    logs: [f64; J],
    less_one: [f64; J],
    side: Side,
}

/// What the evidence of a grid is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Sizes above 1: the canary is worse than the bound.
    Worse,
    /// Sizes below 1: the canary is better than the bound.
    Better,
}

/// A test that cannot be planned.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum PlanError {
    /// Effect sizes of which no mixture can be made.
    #[error("E003: effect sizes must rise and lie all in [0.000001, 1) or all in (1, 1000000]")]
    Grid,
    /// A ratio or rate that no bound can be.
    #[error("E004: a bound must be a number from 0.000001 to 1000000, not {0}")]
    Bound(f64),
    /// A share at an end, where nothing can be learned.
    #[error("E005: a share must lie in (0, 1), not {0}")]
    Share(f64),
    /// Nothing between what is tolerated and what is unacceptable.
    #[error("E006: what is unacceptable must be worse than the baseline: a ratio above 1, not {0}")]
    Unacceptable(f64),
    /// Weights of which no average can be made.
    #[error("E007: there must be weights, each a finite number above 0")]
    Weights,
    /// A spread or margin of a gauge that is none.
    #[error("E008: a gauge needs a finite spread above 0 and a finite margin")]
    Gauge,
    /// A schedule without looks or information.
    #[error("E009: a schedule needs looks, each with a finite amount of information above 0")]
    Schedule,
    /// Amounts of traffic that none can be.
    #[error("E010: traffic is requests from 0 to 1e15 per interval, with shares from 0 to 1")]
    Traffic,
}

const SMALLEST: f64 = 1e-6;
const LARGEST: f64 = 1e6;

impl<const J: usize> Grid<J> {
    /// Takes the logarithms.
    ///
    /// # Errors
    /// [`PlanError::Grid`] for sizes that do not rise, are no sizes, or lie on both sides of 1.
    pub fn new(sizes: [f64; J]) -> Result<Self, PlanError> {
        let rising = sizes.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let side = match (sizes.first(), sizes.last()) {
            (Some(&least), Some(&most)) if least > 1.0 && most <= LARGEST => Side::Worse,
            (Some(&least), Some(&most)) if least >= SMALLEST && most < 1.0 => Side::Better,
            _ => return Err(PlanError::Grid),
        };
        if !rising {
            return Err(PlanError::Grid);
        }
        Ok(Self { sizes, logs: sizes.map(log), less_one: sizes.map(|size| size - 1.0), side })
    }

    /// One over each size: what looks for harm becomes what rules it out, and the reverse.
    #[must_use]
    pub fn reciprocals(&self) -> Self {
        let mut sizes = self.sizes.map(f64::recip);
        sizes.reverse();
        let side = match self.side {
            Side::Worse => Side::Better,
            Side::Better => Side::Worse,
        };
        Self { sizes, logs: sizes.map(log), less_one: sizes.map(|size| size - 1.0), side }
    }

    /// The effect sizes, rising.
    #[must_use]
    pub const fn sizes(&self) -> &[f64; J] {
        &self.sizes
    }

    /// Whether they look for harm or for its absence.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Natural logarithm and distance from 1 of each size.
    pub(super) fn terms(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.logs.iter().copied().zip(self.less_one.iter().copied())
    }
}

impl Side {
    /// `log` without what rounding put on the wrong side of 0: an event of the canary never counts for the
    /// opposite of what it shows.
    pub(super) fn keep(self, log: f64) -> f64 {
        match self {
            Self::Worse => log.max(0.0),
            Self::Better => log.min(0.0),
        }
    }
}

/// A ratio or rate that a test can have as its bound.
pub(super) fn checked_bound(bound: f64) -> Result<f64, PlanError> {
    if (SMALLEST..=LARGEST).contains(&bound) { Ok(bound) } else { Err(PlanError::Bound(bound)) }
}

/// A share that a test can have as its bound.
pub(super) fn checked_share(share: f64) -> Result<f64, PlanError> {
    if share > 0.0 && share < 1.0 { Ok(share) } else { Err(PlanError::Share(share)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_are_a_grid_of_the_other_side() {
        for grid in [Grid::new([1.0 + f64::EPSILON, 1e6]).unwrap(), Grid::new([1e-6, 1.0 - f64::EPSILON]).unwrap()] {
            let other = grid.reciprocals();
            assert_eq!(Grid::new(*other.sizes()).unwrap(), other);
            assert_ne!(grid.side(), other.side());
        }
    }

    #[test]
    fn sizes_must_rise_on_one_side_of_one() {
        assert_eq!(Grid::new(RATIOS).unwrap().side(), Side::Worse);
        assert_eq!(Grid::new([0.5, 0.9]).unwrap().side(), Side::Better);
        for sizes in [[1.0, 2.0], [0.5, 1.0], [0.9, 1.1], [2.0, 1.5], [2.0, 2.0], [2.0, f64::NAN], [f64::NAN, 2.0]] {
            assert_eq!(Grid::new(sizes), Err(PlanError::Grid), "{sizes:?}");
        }
        assert_eq!(Grid::new([2.0, 1e7]), Err(PlanError::Grid));
        assert_eq!(Grid::new([0.0, 0.5]), Err(PlanError::Grid));
        assert_eq!(Grid::new([]), Err(PlanError::Grid));
    }
}
