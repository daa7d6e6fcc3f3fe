//! Is the canary's rate of events more than a known one? Against an SLO, a budget or a frozen reference: for rare
//! errors, and in the live stage, where there is no baseline beside it.
//!
//! For requests that each fail or not, with p0 the bound and g an odds ratio:
//!
//! ```text
//! log e(g) = x · ln g − n · ln(1 + p0·(g − 1))
//! ```
//!
//! which is the likelihood ratio of `θ1 = g·p0/(1 − p0 + g·p0)` against p0 (A. Wald, Annals of Mathematical
//! Statistics 16 (1945) 117). `E[e] = Π (1 + p_i(g−1))/(1 + p0(g−1))`, and the logarithm is concave, so `E[e] ≤ 1`
//! if the mean probability is at most p0 for g > 1, or at least p0 for g < 1: an equality at p0.
//!
//! For events over an exposure, Poisson, with μ0 the expected number at the bound and g a ratio:
//!
//! ```text
//! log e(g) = x · ln g − μ0·(g − 1)
//! ```
//!
//! It would be valid for requests too, with μ0 = n·p0, but never as strong as the first, as `ln(1 + y) ≤ y`.
//!
//! Both take the bound for known. A reference that was itself measured on few requests is not: give it a margin.

use libm::log1p;

use super::arms::{Arm, Exposed};
use super::grid::{Grid, PlanError, checked_bound, checked_share};
use super::process::Increment;

/// The test that the share of requests with an event is at most (or at least) a known one.
///
/// Made once per policy. Exact, whether the events are rare or not.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, Grid, KnownShareTest, RATIOS};
///
/// // May it spend the budget of a 99.9 % objective ten times as fast?
/// let test = KnownShareTest::new(Grid::new(RATIOS)?, 0.01)?;
/// let within = Arm::new(Count::from(8), Count::from(1000))?;
/// let beyond = Arm::new(Count::from(30), Count::from(1000))?;
/// assert!(test.increment(within).largest() < 0.0);
/// assert!(test.increment(beyond).largest() > 12.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KnownShareTest<const J: usize> {
    grid: Grid<J>,
    share: f64,
    per_request: [f64; J],
}

/// The test that the number of events per exposure is at most (or at least) a known one.
///
/// Made once per policy. Exact for Poisson counts.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRateTest<const J: usize> {
    grid: Grid<J>,
    rate: f64,
}

impl<const J: usize> KnownShareTest<J> {
    /// The bound on the share, and odds ratios above 1 to find harm or below 1 to rule it out.
    ///
    /// # Errors
    /// [`PlanError::Share`] for 0, 1 and what is no share.
    pub fn new(grid: Grid<J>, share: f64) -> Result<Self, PlanError> {
        let share = checked_share(share)?;
        let mut per_request = [0.0; J];
        for (each, (_, less_one)) in per_request.iter_mut().zip(grid.terms()) {
            *each = log1p(share * less_one);
        }
        Ok(Self { grid, share, per_request })
    }

    /// The bound on the share.
    #[must_use]
    pub const fn share(&self) -> f64 {
        self.share
    }

    /// What one interval says.
    #[must_use]
    pub fn increment(&self, arm: Arm) -> Increment<J> {
        self.of(arm.as_f64())
    }

    /// What an interval of so many requests with this share of events says on average. This is exact: the logarithm
    /// is linear in the counts.
    ///
    /// # Errors
    /// [`PlanError::Traffic`] for amounts that are none.
    pub fn growth(&self, requests: f64, share: f64) -> Result<Increment<J>, PlanError> {
        let known = (0.0..=1e15).contains(&requests) && (0.0..=1.0).contains(&share);
        if known { Ok(self.of((requests * share, requests))) } else { Err(PlanError::Traffic) }
    }

    fn of(&self, (events, total): (f64, f64)) -> Increment<J> {
        let mut logs = [0.0; J];
        let terms = self.grid.terms().zip(&self.per_request);
        for (log_e, ((log, _), per_request)) in logs.iter_mut().zip(terms) {
            // A bad request counts ln g − ln(1 + p0(g−1)), a good one the second alone.
            let bad = self.grid.side().keep(log - per_request);
            *log_e = events * bad - (total - events) * per_request;
        }
        Increment::from_logs(logs)
    }
}

impl<const J: usize> KnownRateTest<J> {
    /// The bound on the number of events per unit of exposure, and ratios above 1 to find harm or below 1 to rule it
    /// out.
    ///
    /// # Errors
    /// [`PlanError::Bound`].
    pub fn new(grid: Grid<J>, rate: f64) -> Result<Self, PlanError> {
        Ok(Self { grid, rate: checked_bound(rate)? })
    }

    /// The bound on the number of events per unit of exposure.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// What one interval says.
    #[must_use]
    pub fn increment(&self, seen: Exposed) -> Increment<J> {
        self.of(seen.as_f64())
    }

    /// What an interval of so many expected events over this exposure says on average. This is exact: the logarithm
    /// is linear in the counts.
    ///
    /// # Errors
    /// [`PlanError::Traffic`] for amounts that are none.
    pub fn growth(&self, events: f64, exposure: f64) -> Result<Increment<J>, PlanError> {
        let known = |amount: f64| (0.0..=1e15).contains(&amount);
        if known(events) && known(exposure) { Ok(self.of((events, exposure))) } else { Err(PlanError::Traffic) }
    }

    fn of(&self, (events, exposure): (f64, f64)) -> Increment<J> {
        let mut logs = [0.0; J];
        for (log_e, (log, less_one)) in logs.iter_mut().zip(self.grid.terms()) {
            *log_e = events * log - self.rate * exposure * less_one;
        }
        Increment::from_logs(logs)
    }
}
