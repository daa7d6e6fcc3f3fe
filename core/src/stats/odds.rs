//! Are the canary's events more likely than the baseline's? For events that need not be rare: slow requests.
//!
//! With θ0 a guess at the baseline's share of events, made before the interval was seen, and an odds ratio g:
//!
//! ```text
//! θ1 = gθ0 / (1 − θ0 + gθ0)          θ̄ = (nC·θ1 + nB·θ0) / (nC + nB)
//! log e(g) = xC ln(θ1/θ̄) + (nC−xC) ln((1−θ1)/(1−θ̄)) + xB ln(θ0/θ̄) + (nB−xB) ln((1−θ0)/(1−θ̄))
//! ```
//!
//! This is the 2×2 e-variable of R. J. Turner, A. Ly, P. D. Grünwald, "Generic E-variables for exact sequential
//! k-sample tests that allow for optional stopping" (2021). For rare events it becomes that of
//! [`RatioTest`](super::RatioTest).
//!
//! # What it proves
//!
//! For independent requests with any probabilities of their own, and p̄ the mean probability in each arm: each arm's
//! `ln E` is `Σ ln(1 + (p_i − θ̄)(θ_a − θ̄)/(θ̄(1 − θ̄)))`, and as `ln(1 + x) ≤ x` and `Σ n_a(θ_a − θ̄) = 0`,
//!
//! ```text
//! ln E[e] ≤ nC·(θ1 − θ̄)/(θ̄(1 − θ̄)) · (p̄C − p̄B)
//! ```
//!
//! So g > 1 tests *the canary's share is at most the baseline's in this interval*, and g < 1 tests *it is at least
//! the baseline's*: then `E[e] ≤ 1`, whatever the shares are. A wrong θ0 costs speed, never validity; but it must not
//! know the interval, hence [`Forecast`].

use libm::log1p;

use super::arms::Pair;
use super::grid::{Grid, PlanError, checked_share};
use super::growth::Traffic;
use super::process::Increment;

/// The test that the canary's share of events is at most (or at least) the baseline's.
///
/// Made once per policy.
#[derive(Debug, Clone, PartialEq)]
pub struct OddsTest<const J: usize> {
    grid: Grid<J>,
}

/// A guess at the baseline's share of events in the *next* interval, from the intervals before it.
///
/// The mean share over past intervals of the baseline, each counting 5 % less than the one after it: about
/// the last ten minutes at 30 s. The canary's counts never enter it, so that no event of the canary can make
/// the test weaker later on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    events: f64,
    total: f64,
}

/// θ0 stays away from 0 and 1, where one event would be infinitely surprising.
const CLOSEST: f64 = 1e-9;
/// How much an interval counts beside the one after it.
const FADING: f64 = 0.95;
/// With how many requests the first guess counts.
const FIRST_GUESS: f64 = 1.0;

impl<const J: usize> OddsTest<J> {
    /// Odds ratios above 1 to find harm, below 1 to rule it out.
    #[must_use]
    pub const fn new(grid: Grid<J>) -> Self {
        Self { grid }
    }

    /// What one interval says, with a guess from before it. Without traffic in one of the arms, nothing.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::stats::{Arm, Forecast, Grid, ODDS, OddsTest, Pair};
    ///
    /// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
    /// let test = OddsTest::new(Grid::new(ODDS)?);
    /// let slow = Pair { canary: arm(60, 75)?, baseline: arm(700, 1425)? };
    /// assert!(test.increment(&slow, Forecast::new(0.5)?).largest() > 10.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn increment(&self, pair: &Pair, forecast: Forecast) -> Increment<J> {
        self.of(pair.canary.as_f64(), pair.baseline.as_f64(), forecast.share())
    }

    /// What an interval of this traffic says on average, once the guess is right. This is exact: the logarithm is
    /// linear in the counts.
    #[must_use]
    pub fn growth(&self, traffic: &Traffic) -> Increment<J> {
        self.of(traffic.canary(), traffic.baseline(), traffic.baseline_share())
    }

    /// From (events, requests) of each arm.
    fn of(&self, canary: (f64, f64), baseline: (f64, f64), guess: f64) -> Increment<J> {
        let mut logs = [0.0; J];
        let ((canary_bad, canary_total), (baseline_bad, baseline_total)) = (canary, baseline);
        if canary_total > 0.0 && baseline_total > 0.0 {
            let theta = guess.clamp(CLOSEST, 1.0 - CLOSEST);
            let weight = canary_total / (canary_total + baseline_total);
            let (canary_good, baseline_good) = (canary_total - canary_bad, baseline_total - baseline_bad);
            let side = self.grid.side();
            for (log_e, (log, less_one)) in logs.iter_mut().zip(self.grid.terms()) {
                let scale = 1.0 + less_one * theta;
                // ln((1−θ1)/(1−θ0)), ln(θ̄/θ0) and ln((1−θ̄)/(1−θ0)).
                let good = -log1p(less_one * theta);
                let more_bad = log1p(weight * (less_one * (1.0 - theta) / scale));
                let less_good = log1p(-weight * (less_one * theta / scale));
                let of_canary =
                    canary_bad * side.keep(log + good - more_bad) - canary_good * side.keep(less_good - good);
                let of_baseline = -baseline_bad * more_bad - baseline_good * less_good;
                *log_e = of_canary + of_baseline;
            }
        }
        Increment::from_logs(logs)
    }
}

impl Forecast {
    /// A first guess, such as the share in the traffic by which the thresholds were chosen.
    ///
    /// # Errors
    /// [`PlanError::Share`] for 0, 1 and what is no share.
    pub fn new(share: f64) -> Result<Self, PlanError> {
        Ok(Self { events: FIRST_GUESS * checked_share(share)?, total: FIRST_GUESS })
    }

    /// Takes in an interval that was judged. Only the baseline counts.
    pub fn fold(&mut self, pair: &Pair) {
        let (events, total) = pair.baseline.as_f64();
        // Without traffic nothing was seen, and nothing fades.
        if total > 0.0 {
            self.events = FADING * self.events + events;
            self.total = FADING * self.total + total;
        }
    }

    /// The guess.
    #[must_use]
    pub fn share(self) -> f64 {
        (self.events / self.total).clamp(CLOSEST, 1.0 - CLOSEST)
    }

    pub(super) const fn sums(self) -> [f64; 2] {
        [self.events, self.total]
    }

    /// What [`Forecast::sums`] said, if it can have been that.
    pub(super) fn restore([events, total]: [f64; 2]) -> Option<Self> {
        // More than any traffic, faded, adds up to.
        let known = (0.0..=total).contains(&events) && total > 0.0 && total < 1e18;
        known.then_some(Self { events, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Count;
    use crate::stats::Arm;

    fn pair(canary: (u32, u32), baseline: (u32, u32)) -> Pair {
        let arm = |(events, total): (u32, u32)| Arm::new(Count::from(events), Count::from(total)).unwrap();
        Pair { canary: arm(canary), baseline: arm(baseline) }
    }

    #[test]
    fn a_forecast_follows_the_baseline_and_not_the_canary() {
        let mut forecast = Forecast::new(0.5).unwrap();
        for _ in 0..100 {
            forecast.fold(&pair((75, 75), (14, 1400)));
        }
        assert!((forecast.share() - 0.01).abs() < 1e-4);
        let before = forecast;
        forecast.fold(&pair((75, 75), (0, 0)));
        assert_eq!(forecast, before);
        for _ in 0..50 {
            forecast.fold(&pair((0, 75), (700, 1400)));
        }
        assert!((forecast.share() - 0.5).abs() < 0.05);
    }

    #[test]
    fn a_forecast_never_reaches_certainty() {
        let mut forecast = Forecast::new(0.5).unwrap();
        for _ in 0..1000 {
            forecast.fold(&pair((0, 0), (0, u32::MAX)));
        }
        assert!(forecast.share() >= CLOSEST);
        for _ in 0..1000 {
            forecast.fold(&pair((0, 0), (u32::MAX, u32::MAX)));
        }
        assert!(forecast.share() <= 1.0 - CLOSEST);
        assert!(Forecast::new(0.0).is_err() && Forecast::new(1.0).is_err() && Forecast::new(f64::NAN).is_err());
    }
}
