//! Is the canary good enough? Evidence that it is *not* unacceptably worse, which promotion needs.
//!
//! Not having found harm is no evidence of health: there may have been too little traffic. So promotion asks for
//! evidence against the opposite hypothesis, *in every interval the canary's rate is at least ρ1 times the
//! baseline's*, by the same increments with effect sizes below 1: an identical canary has 1/ρ1 of that rate.
//!
//! With a process per required metric, each against its level 1/β, a canary of which *some* required metric is
//! unacceptable is promoted with probability at most β: to promote it, that one process would have to reach its
//! level. So no correction for the number of metrics is due (intersection–union test, R. L. Berger, Technometrics
//! 24 (1982) 295). The maximum so far may be used, as Ville's inequality bounds it; that a metric was good enough
//! once says nothing about a regression that began later, so look at the recent intervals too.
//!
//! Latency takes [`OddsTest`](super::OddsTest) with [`HEALTHY_ODDS`], the canary's slow requests counted at a
//! threshold that is later by the unacceptable shift, and the least evidence over thresholds. An absolute budget
//! takes [`KnownShareTest`](super::KnownShareTest) with sizes below 1, such as the
//! [`reciprocals`](Grid::reciprocals) of ratios.
//!
//! Evidence here is about the whole rollout, so nothing is spent on later starts: use [`Starts::First`](super::Starts).

use libm::sqrt;

use super::grid::{Grid, PlanError};
use super::ratio::RatioTest;

/// Odds of a slow request of a good canary at the unacceptably later threshold, beside the baseline's at the threshold:
/// what a shift by a quarter or a tenth leaves in the middle and in the tail of usual distributions.
pub const HEALTHY_ODDS: [f64; 4] = [0.35, 0.5, 0.7, 0.85];

/// True ratios that a good canary may have: better than the baseline, the same, and a little worse.
const BETTER: f64 = 0.7;
const SAME: f64 = 1.0;
const LITTLE_WORSE: f64 = 1.15;

/// The test that the canary's rate of events is at least `unacceptable` times the baseline's.
///
/// It mixes over true ratios of 0.7, 1 and 1.15. Where 1.15 is not well below what is unacceptable, it takes the
/// geometric mean of 1 and that instead: at a ratio of 1.1, 1.15 would be evidence *for* being unacceptable.
///
/// # Errors
/// [`PlanError::Unacceptable`] unless it is above 1, [`PlanError::Bound`] above a million.
///
/// ```
/// use davy::stats::{Level, Starts, Traffic, intervals_to, noninferior_ratio};
///
/// let test = noninferior_ratio(1.5)?;
/// // Identical at 1 %, 25 % of 500 requests/s, every 30 s: seven intervals of evidence.
/// let growth = test.growth(&Traffic::new((3750.0, 0.01), (11250.0, 0.01))?);
/// let until = intervals_to(Level::of("5%".parse()?), 1.0, Starts::First, [growth; 60]);
/// assert!(until.is_some_and(|intervals| intervals < 20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn noninferior_ratio(unacceptable: f64) -> Result<RatioTest<3>, PlanError> {
    if unacceptable.is_nan() || unacceptable <= 1.0 {
        return Err(PlanError::Unacceptable(unacceptable));
    }
    let little_worse = LITTLE_WORSE.min(sqrt(unacceptable));
    let sizes = [BETTER, SAME, little_worse].map(|ratio| ratio / unacceptable);
    // What is a hair above 1 leaves no room below it.
    let grid = Grid::new(sizes).map_err(|_| PlanError::Unacceptable(unacceptable))?;
    RatioTest::new(grid, unacceptable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alternative_is_better_than_what_is_unacceptable() {
        for unacceptable in [1.0001, 1.01, 1.1, 1.15, 1.3225, 1.5, 2.0, 100.0] {
            assert!(noninferior_ratio(unacceptable).is_ok(), "{unacceptable}");
        }
        assert!(Grid::new(HEALTHY_ODDS).is_ok());
        for unacceptable in [1.0, 0.5, f64::NAN, f64::INFINITY, 1e7] {
            assert!(noninferior_ratio(unacceptable).is_err(), "{unacceptable}");
        }
    }
}
