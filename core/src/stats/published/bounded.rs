//! Means of values in [0, 1]: betting, empirical Bernstein, and what holds in the limit only.
//!
//! I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
//! Statistical Society B 86 (2024) 1. They need no distribution, and pay for it: on gauges read once an interval
//! they detect nothing within the time of a rollout.

use libm::{log, log1p, sqrt};

/// How much to bet on the next value, from those before it: near the best for their variance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bet {
    alpha: f64,
    count: f64,
    sum: f64,
    squares: f64,
}

/// A confidence sequence for a mean, by the predictable plug-in empirical Bernstein bound (Theorem 2).
///
/// ```
/// use davy::stats::published::BoundedMean;
///
/// let mut mean = BoundedMean::new(0.05);
/// for value in [0.2, 0.3, 0.25, 0.2].iter().cycle().take(1000) {
///     mean.fold(*value);
/// }
/// let (low, high) = mean.limits();
/// assert!(low > 0.22 && high < 0.26);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundedMean {
    below: Side,
    above: Side,
}

/// The lower limit of a mean; the upper one is that of the values' complements.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    bet: Bet,
    count: f64,
    sum: f64,
    bets: f64,
    weighted: f64,
    variance: f64,
}

/// The capital of bets that the mean is above `m`: evidence against a mean of at most `m`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BettingCapital {
    bet: Bet,
    mean: f64,
    most: f64,
    capital: f64,
}

/// No more than this is bet per unit, so that no value loses everything.
const MOST: f64 = 0.5;

impl Bet {
    const fn new(alpha: f64) -> Self {
        // One value of ½ with variance ¼, from before the first.
        Self { alpha, count: 1.0, sum: 0.5, squares: 0.25 }
    }

    fn next(&self) -> f64 {
        sqrt(2.0 * log(1.0 / self.alpha) / (self.count * log(1.0 + self.count) * (self.squares / self.count)))
    }

    fn fold(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        let distance = value - (self.sum / self.count).min(1.0);
        self.squares += distance * distance;
    }
}

impl BoundedMean {
    /// Both limits together are wrong with probability at most `alpha`.
    #[must_use]
    pub const fn new(alpha: f64) -> Self {
        let side = Side { bet: Bet::new(alpha / 2.0), count: 0.0, sum: 0.0, bets: 0.0, weighted: 0.0, variance: 0.0 };
        Self { below: side, above: side }
    }

    /// Takes in a value; what is outside [0, 1] is taken as the end that it is beyond.
    pub fn fold(&mut self, value: f64) {
        let value = value.clamp(0.0, 1.0);
        self.below.fold(value);
        self.above.fold(1.0 - value);
    }

    /// Lower and upper limit, not intersected with earlier ones.
    #[must_use]
    pub fn limits(&self) -> (f64, f64) {
        (self.below.limit(), 1.0 - self.above.limit())
    }
}

impl Side {
    fn fold(&mut self, value: f64) {
        let bet = self.bet.next().min(MOST);
        let before = if self.count > 0.0 { self.sum / self.count } else { 0.0 };
        self.bets += bet;
        self.weighted += bet * value;
        self.variance += (value - before) * (value - before) * (-log1p(-bet) - bet);
        self.count += 1.0;
        self.sum += value;
        self.bet.fold(value);
    }

    fn limit(&self) -> f64 {
        let limit = (self.weighted - log(1.0 / self.bet.alpha) - self.variance) / self.bets;
        // Nothing seen yet bounds nothing.
        if self.bets > 0.0 { limit.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl BettingCapital {
    /// Against a mean of at most `mean`, with bets tuned for `alpha`.
    #[must_use]
    pub fn new(mean: f64, alpha: f64) -> Self {
        Self { bet: Bet::new(alpha), mean, most: MOST / mean, capital: 1.0 }
    }

    /// Takes in a value of [0, 1].
    pub fn fold(&mut self, value: f64) {
        let value = value.clamp(0.0, 1.0);
        self.capital *= 1.0 + self.bet.next().min(self.most) * (value - self.mean);
        self.bet.fold(value);
    }

    /// The evidence, 1 at the beginning.
    #[must_use]
    pub const fn e(&self) -> f64 {
        self.capital
    }
}

/// Half the width of a confidence sequence for a mean that holds at level `alpha` *in the limit of much data*, from
/// `count` values of this variance; narrowest at the time that `rho_squared` says.
///
/// I. Waudby-Smith and others, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of
/// Statistics 52 (2024) 2613, Theorem 2.2; the form of Eppo and GrowthBook. With few data its error is several
/// times α.
#[must_use]
pub fn asymptotic_margin(count: f64, variance: f64, rho_squared: f64, alpha: f64) -> f64 {
    let grown = count * variance * rho_squared + 1.0;
    sqrt(2.0 * grown / (count * count * rho_squared) * log(sqrt(grown) / alpha))
}
