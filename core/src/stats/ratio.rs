//! Is the canary's rate of events more than so many times the baseline's? For errors and other rare events.
//!
//! Among `m = xC + xB` events of an interval, the canary's share is about `θ = ρ0·nC / (ρ0·nC + nB)` when its rate
//! is ρ0 times the baseline's, and more when it is worse. For an alternative ρ0·g:
//!
//! ```text
//! log e(g) = xC · ln g − m · ln(1 + θ·(g − 1))
//! ```
//!
//! It is the likelihood ratio of xC given m, the test of two Poisson rates (J. Przyborowski, H. Wilenski,
//! Biometrika 31 (1940) 313), and a safe test in the sense of R. J. Turner, A. Ly, P. D. Grünwald, "Generic
//! E-variables for exact sequential k-sample tests" (2021). No estimate of the baseline's rate is needed, the
//! split may change at will, and an interval without events says nothing.
//!
//! # What it proves
//!
//! Let r = 1 + θ(g − 1). For independent requests with any probabilities of their own,
//! `E[e] = Π(1 + p_i(g/r − 1)) · Π(1 + p_j(1/r − 1))` over canary and baseline requests, and as `1 + x ≤ exp(x)`,
//!
//! ```text
//! E[e] ≤ exp( (g − 1)/r · nC·nB/(ρ0·nC + nB) · (p̄C − ρ0·p̄B) )
//! ```
//!
//! with p̄ the mean probability of an event in each arm. So:
//!
//! - g > 1 tests *the canary's mean rate is at most ρ0 times the baseline's in this interval*: `E[e] ≤ 1`;
//! - g < 1 tests *it is at least ρ0 times the baseline's*: `E[e] ≤ 1`.
//!
//! Both hold whatever the rates are and however they change between intervals; requests need not be alike. For
//! Poisson counts the bound is an equality; for requests it is the more conservative the more common the events:
//! evidence grows `1 − p` times as fast as it could. Above a few per cent, [`OddsTest`](super::OddsTest) is faster.

use libm::log1p;

use super::arms::{Exposed, Pair};
use super::grid::{Grid, PlanError, checked_bound};
use super::growth::Traffic;
use super::process::Increment;

/// The test that the canary's rate of events is at most (or at least) so many times the baseline's.
///
/// Made once per policy; it holds all logarithms that do not depend on counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioTest<const J: usize> {
    grid: Grid<J>,
    bound: f64,
}

impl<const J: usize> RatioTest<J> {
    /// The tolerated ratio ρ0 for sizes above 1, or the unacceptable one for sizes below 1. Sizes are multiples
    /// of it.
    ///
    /// # Errors
    /// [`PlanError::Bound`].
    pub fn new(grid: Grid<J>, bound: f64) -> Result<Self, PlanError> {
        Ok(Self { grid, bound: checked_bound(bound)? })
    }

    /// The tolerated or the unacceptable ratio.
    #[must_use]
    pub const fn bound(&self) -> f64 {
        self.bound
    }

    /// What one interval says. Without traffic in one of the arms, nothing.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::stats::{Arm, Grid, Pair, RatioTest};
    ///
    /// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
    /// let test = RatioTest::new(Grid::new([2.0])?, 1.0)?;
    /// let [log_e] = *test.increment(&Pair { canary: arm(3, 75)?, baseline: arm(10, 1425)? }).logs();
    /// assert!((log_e - (3.0 * 2_f64.ln() - 13.0 * 1.05_f64.ln())).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn increment(&self, pair: &Pair) -> Increment<J> {
        self.of(pair.canary.as_f64(), pair.baseline.as_f64())
    }

    /// What one interval says of events that are counted over an exposure instead of among requests.
    ///
    /// Exact for Poisson counts.
    #[must_use]
    pub fn increment_of_events(&self, canary: Exposed, baseline: Exposed) -> Increment<J> {
        self.of(canary.as_f64(), baseline.as_f64())
    }

    /// What an interval of this traffic says on average. This is exact: the logarithm is linear in the counts.
    #[must_use]
    pub fn growth(&self, traffic: &Traffic) -> Increment<J> {
        self.of(traffic.canary(), traffic.baseline())
    }

    /// From (events, exposure) of each arm.
    fn of(&self, canary: (f64, f64), baseline: (f64, f64)) -> Increment<J> {
        let mut logs = [0.0; J];
        let ((canary_events, canary_total), (baseline_events, baseline_total)) = (canary, baseline);
        if canary_total > 0.0 && baseline_total > 0.0 {
            let expected = self.bound * canary_total;
            let theta = expected / (expected + baseline_total);
            for (log_e, (log, less_one)) in logs.iter_mut().zip(self.grid.terms()) {
                // What an event counts: of the baseline -ln r, of the canary ln g - ln r.
                let r = log1p(theta * less_one);
                *log_e = canary_events * self.grid.side().keep(log - r) - baseline_events * r;
            }
        }
        Increment::from_logs(logs)
    }
}
