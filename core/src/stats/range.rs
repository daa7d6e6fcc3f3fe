//! How much worse the canary is: limits on the ratio of rates that hold at every look at once.
//!
//! They are for explanations: "its error rate is 1.8 to 4.1 times the baseline's". For every ratio ρ of a fixed grid
//! one number is kept, the log-likelihood of that ratio given the events of each interval,
//!
//! ```text
//! ℓ(ρ) = Σ_k [ xC ln ρ − m ln(1 + (ρ − 1)·nC/(nC + nB)) ]
//! ```
//!
//! so that `ℓ(ρ') − ℓ(ρ)` is the evidence of [`RatioTest`](super::RatioTest) for ρ' against the bound ρ. The mean
//! of that evidence over all ρ' above ρ tests *the ratio is at most ρ in every interval*; over all below, *at least
//! ρ*. A confidence sequence holds the ratios that neither refutes (D. A. Darling, H. Robbins, PNAS 58 (1967) 66;
//! H. Robbins, Annals of Mathematical Statistics 41 (1970) 1397).
//!
//! # What it proves
//!
//! With probability at least the confidence, at all looks together: if the ratio never was above some ρ, the lower
//! limit never is; if it never was below some ρ, the upper limit never is. A constant ratio lies within both. Where
//! the ratio changes, the lower limit says that it was this high *at some time*, and the two limits may cross.
//!
//! The limits are of the grid, rounded outwards. Requests must be independent, as everywhere.

use libm::{exp, log, log1p};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arms::Pair;
use super::grid::{PlanError, checked_bound};
use super::packed;
use crate::Share;

/// The ratios among which limits are sought, with their logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioGrid<const I: usize> {
    ratios: [f64; I],
    logs: [f64; I],
}

/// What is known of a ratio of rates: the state, one log-likelihood per ratio of the grid.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, Pair, RatioGrid, RatioRange};
///
/// let grid = RatioGrid::quarter_doublings();
/// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
/// let mut range = RatioRange::new();
/// for _ in 0..20 {
///     range.fold(&grid, &Pair { canary: arm(15, 500)?, baseline: arm(15, 1500)? });   // three times as many
/// }
/// let limits = range.limits(&grid, "98%".parse()?);
/// assert_eq!(limits.above, Some(2.0));
/// assert!(limits.below.is_some_and(|ratio| (4.7..4.8).contains(&ratio)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioRange<const I: usize>([f64; I]);

/// Limits on a ratio, both of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RatioLimits {
    /// The ratio is above this one. Nothing if the grid's smallest is not refuted.
    pub above: Option<f64>,
    /// The ratio is below this one. Nothing if the grid's largest is not refuted.
    pub below: Option<f64>,
}

impl<const I: usize> RatioGrid<I> {
    /// Takes the logarithms.
    ///
    /// # Errors
    /// [`PlanError::Grid`] for ratios that do not rise, [`PlanError::Bound`] for what is no ratio.
    pub fn new(ratios: [f64; I]) -> Result<Self, PlanError> {
        for ratio in ratios {
            checked_bound(ratio)?;
        }
        let rising = ratios.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if rising { Ok(Self { ratios, logs: ratios.map(log) }) } else { Err(PlanError::Grid) }
    }

    /// The ratios, rising.
    #[must_use]
    pub const fn ratios(&self) -> &[f64; I] {
        &self.ratios
    }
}

impl RatioGrid<25> {
    /// From a quarter to sixteen times, four ratios per doubling.
    #[must_use]
    pub fn quarter_doublings() -> Self {
        let mut ratios = [0.0; 25];
        for (ratio, quarters) in ratios.iter_mut().zip(-8_i8..) {
            *ratio = libm::exp2(f64::from(quarters) / 4.0);
        }
        Self { ratios, logs: ratios.map(log) }
    }
}

impl<const I: usize> RatioRange<I> {
    /// Before the first interval.
    #[must_use]
    pub const fn new() -> Self {
        Self([0.0; I])
    }

    /// Takes in one interval.
    pub fn fold(&mut self, grid: &RatioGrid<I>, pair: &Pair) {
        let ((canary_events, canary_total), (baseline_events, baseline_total)) =
            (pair.canary.as_f64(), pair.baseline.as_f64());
        if canary_total > 0.0 && baseline_total > 0.0 {
            let weight = canary_total / (canary_total + baseline_total);
            for ((likelihood, ratio), log) in self.0.iter_mut().zip(grid.ratios).zip(grid.logs) {
                let mix = log1p(weight * (ratio - 1.0));
                *likelihood += canary_events * (log - mix) - baseline_events * mix;
            }
        }
    }

    /// The limits, each at half of what the confidence leaves.
    #[must_use]
    pub fn limits(&self, grid: &RatioGrid<I>, confidence: Share) -> RatioLimits {
        let level = 2.0 / confidence.complement().as_fraction();
        // What all have in common cancels, and exponentials stay within bounds.
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let likelihoods = self.0.map(|likelihood| exp(likelihood - most));
        let rising = || likelihoods.iter().copied().zip(grid.ratios);
        RatioLimits {
            above: last_refuted(rising(), rising().rev(), level),
            below: last_refuted(rising().rev(), rising(), level),
        }
    }
}

impl<const I: usize> Default for RatioRange<I> {
    fn default() -> Self {
        Self::new()
    }
}

/// The last ratio, seen from one end, up to which all are refuted by those beyond them; with likelihoods.
///
/// Stopping at the first that is not makes a wrong limit imply that the *true* ratio, or the next of the grid, was
/// refuted: one hypothesis, at its own level.
fn last_refuted(
    from_near: impl Iterator<Item = (f64, f64)> + Clone,
    from_far: impl Iterator<Item = (f64, f64)>,
    level: f64,
) -> Option<f64> {
    // The sum over all ratios beyond, for each ratio from the far end.
    let mut beyond = 0.0;
    let mut count = 0.0;
    let mut refuted = 0_usize;
    for (likelihood, _) in from_far {
        // What is not refuted ends every run that came from further away. Where all is too unlikely to be written, the
        // likely ratios lie on the other side.
        refuted = if beyond > 0.0 && beyond >= level * count * likelihood { refuted + 1 } else { 0 };
        beyond += likelihood;
        count += 1.0;
    }
    from_near.take(refuted).last().map(|(_, ratio)| ratio)
}

impl<const I: usize> Serialize for RatioRange<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        packed::write(self.0).serialize(serializer)
    }
}

impl<'de, const I: usize> Deserialize<'de> for RatioRange<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let numbers = packed::read(&text).filter(|numbers| numbers.iter().all(|number| number.is_finite()));
        let numbers = numbers.and_then(|numbers| <[f64; I]>::try_from(numbers).ok());
        numbers.map(Self).ok_or_else(|| D::Error::custom("not the state of this range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Count;
    use crate::stats::{Arm, Grid, RatioTest};

    fn pair(canary: (u32, u32), baseline: (u32, u32)) -> Pair {
        let arm = |(events, total): (u32, u32)| Arm::new(Count::from(events), Count::from(total)).unwrap();
        Pair { canary: arm(canary), baseline: arm(baseline) }
    }

    #[test]
    fn differences_of_likelihoods_are_the_evidence_of_the_ratio_test() {
        let grid = RatioGrid::new([0.5, 1.25, 2.5]).unwrap();
        let seen = pair((9, 75), (14, 1425));
        let mut range = RatioRange::new();
        range.fold(&grid, &seen);
        let test = RatioTest::new(Grid::new([2.0]).unwrap(), 1.25).unwrap();
        let [of_two] = *test.increment(&seen).logs();
        assert!((range.0[2] - range.0[1] - of_two).abs() < 1e-12);
        let other = RatioTest::new(Grid::new([0.4]).unwrap(), 1.25).unwrap();
        let [of_less] = *other.increment(&seen).logs();
        assert!((range.0[0] - range.0[1] - of_less).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_known_before_there_are_events() {
        let grid = RatioGrid::quarter_doublings();
        let mut range = RatioRange::new();
        let unknown = RatioLimits { above: None, below: None };
        assert_eq!(range.limits(&grid, "98%".parse().unwrap()), unknown);
        range.fold(&grid, &pair((0, 75), (0, 1425)));
        range.fold(&grid, &pair((0, 0), (900, 1425)));
        assert_eq!(range.limits(&grid, "98%".parse().unwrap()), unknown);
        range.fold(&grid, &pair((30, 75), (10, 1425)));
        assert!(range.limits(&grid, "98%".parse().unwrap()).above.is_some());
        assert_eq!(range.limits(&grid, Share::ALL), unknown);
    }

    #[test]
    fn limits_narrow_around_the_ratio_from_both_sides() {
        let grid = RatioGrid::quarter_doublings();
        let mut range = RatioRange::new();
        for _ in 0..2000 {
            range.fold(&grid, &pair((30, 500), (60, 2000)));
        }
        let limits = range.limits(&grid, "98%".parse().unwrap());
        assert!(limits.above.is_some_and(|above| above > 1.6 && above < 2.0), "{limits:?}");
        assert!(limits.below.is_some_and(|below| below < 2.5 && below > 2.0), "{limits:?}");
    }

    #[test]
    fn a_range_survives_as_json() {
        let mut range = RatioRange::<25>::new();
        range.fold(&RatioGrid::quarter_doublings(), &pair((9, 75), (14, 1425)));
        let json = serde_json::to_string(&range).unwrap();
        assert_eq!(serde_json::from_str::<RatioRange<25>>(&json).unwrap(), range);
        assert!(serde_json::from_str::<RatioRange<24>>(&json).is_err());
        assert!(serde_json::from_str::<RatioRange<1>>(&format!("{:?}", packed::write([f64::NAN]))).is_err());
    }
}
