//! An exact group-sequential test, for rollouts whose weights and looks are fixed beforehand.
//!
//! With a fixed number of looks, α can be spent on exactly these, which finds a regression somewhat sooner at low
//! traffic than anything that may be looked at for ever. Given how many events an interval had in both arms together,
//! those of the canary are hypergeometric if both have the same rate, whatever that is:
//!
//! ```text
//! xC ~ Hypergeometric(nC + nB requests, nC of the canary, m events)       X_k = Σ xC
//! ```
//!
//! So the exact distribution of X_k among the paths that have not crossed is a convolution, and the boundary b_k is
//! the smallest number with `P(X crosses at k or before) ≤ A_k`. A_k grows with the planned information I_k as in
//! K. K. G. Lan, D. L. DeMets, Biometrika 70 (1983) 659, of Pocock's type: `A_k = α·ln(1 + (e − 1)·I_k)`.
//!
//! # What it proves
//!
//! For independent requests that are alike within an interval: if the canary's rate is at most the baseline's in
//! every interval, it crosses with probability at most α (given the numbers of events, each xC is then
//! stochastically at most the hypergeometric one).
//!
//! Without a tolerance a canary that is slightly worse is refused with certainty in the end. A tolerance is one of the
//! odds of an event: given m, and odds ψ times the baseline's, xC has R. A. Fisher's noncentral hypergeometric
//! distribution, `P(x) ∝ C(nC, x)·C(nB, m − x)·ψ^x` (Journal of the Royal Statistical Society 98 (1935) 39), and
//! stochastically less for smaller odds. For rare events odds are rates.
//!
//! **It holds only if nothing that the test could see decides about traffic.** A ramp that is held because errors
//! were seen, an adaptive step, a retry, or a look more than planned makes it invalid; use the e-processes there.

use libm::{log, sqrt};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::arms::Pair;
use super::grid::PlanError;
use super::packed;
use crate::Share;

/// How much of α may be spent by each of the planned looks, and the odds that are tolerated.
#[derive(Debug, Clone, PartialEq)]
pub struct Spending {
    allowed: Box<[f64]>,
    odds: f64,
}

/// A group-sequential test after some looks: the state, a distribution of a few hundred numbers.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, GroupSequential, Pair, Spending};
///
/// // Three looks at 5 %, then three at 25 %.
/// let weights = [0.05, 0.05, 0.05, 0.25, 0.25, 0.25];
/// let spending = Spending::new("1%".parse()?, weights.map(|w| w * (1.0 - w)))?;
/// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
/// let mut test = GroupSequential::new();
/// let look = test.look(&spending, &Pair { canary: arm(5, 75)?, baseline: arm(15, 1425)? })?;
/// assert_eq!((look.events, look.boundary), (5, Some(6)));
/// assert!(!look.crossed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSequential {
    looks: u32,
    /// Events of the canary so far.
    events: u64,
    crossed: bool,
    spent: f64,
    /// The least sum in `mass`.
    least: u64,
    /// The probability of each sum from `least` on, by paths that have not crossed.
    mass: Vec<f64>,
}

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Events of the canary in all looks so far.
    pub events: u64,
    /// As many events would have crossed now; nothing if no number would.
    pub boundary: Option<u64>,
    /// Whether it crossed, now or before.
    pub crossed: bool,
}

/// A look that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LookError {
    /// Looking on would spend more than α.
    #[error("E011: all {planned} planned looks were taken; plan more, or use the anytime test")]
    NoMoreLooks {
        /// Looks in the plan.
        planned: usize,
    },
    /// The distribution would be too long.
    #[error("E012: too many events for an exact group-sequential test; use the anytime test")]
    TooManyEvents,
}

/// 2^-100 of the mode: what is less likely than that is left out of a distribution.
const NEGLIGIBLE: f64 = f64::from_bits((1023 - 100) << 52);
/// The longest distribution, and the largest product of the lengths of two that are convolved.
const LONGEST: usize = 1 << 16;
const LARGEST_PRODUCT: usize = 1 << 26;
/// The largest odds that anybody tolerates.
const MOST_ODDS: f64 = 1000.0;

impl Spending {
    /// α, and the information that each planned look adds: `w·(1 − w)` at a weight w for equal traffic.
    ///
    /// # Errors
    /// [`PlanError::Schedule`] without looks, or with one that adds nothing.
    pub fn new(alpha: Share, information: impl IntoIterator<Item = f64>) -> Result<Self, PlanError> {
        let each: Vec<f64> = information.into_iter().collect();
        let total: f64 = each.iter().sum();
        if each.is_empty() || !each.iter().all(|information| *information > 0.0) || !total.is_finite() {
            return Err(PlanError::Schedule);
        }
        let mut sum = 0.0;
        let spent = each.iter().map(|information| {
            sum += information;
            alpha.as_fraction() * log(1.0 + (std::f64::consts::E - 1.0) * (sum / total))
        });
        Ok(Self { allowed: spent.collect(), odds: 1.0 })
    }

    /// A canary whose odds of an event are at most so many times the baseline's is good.
    ///
    /// # Errors
    /// [`PlanError::Bound`] for what is not from 1 to 1000.
    pub fn tolerating(self, odds: f64) -> Result<Self, PlanError> {
        if (1.0..=MOST_ODDS).contains(&odds) { Ok(Self { odds, ..self }) } else { Err(PlanError::Bound(odds)) }
    }

    /// A_k for each look.
    #[must_use]
    pub const fn as_slice(&self) -> &[f64] {
        &self.allowed
    }
}

impl GroupSequential {
    /// Before the first look.
    #[must_use]
    pub fn new() -> Self {
        Self { looks: 0, events: 0, crossed: false, spent: 0.0, least: 0, mass: vec![1.0] }
    }

    /// Takes the next look, at one interval.
    ///
    /// # Errors
    /// [`LookError`] after the last look, and where there are too many events; then nothing changes.
    pub fn look(&mut self, spending: &Spending, pair: &Pair) -> Result<Look, LookError> {
        let index = usize::try_from(self.looks).unwrap_or(usize::MAX);
        let planned = spending.allowed.len();
        let allowed = *spending.allowed.get(index).ok_or(LookError::NoMoreLooks { planned })?;
        let (step_least, step) = hypergeometric(pair, spending.odds)?;
        let length = (self.mass.len() + step.len()).saturating_sub(1);
        if length > LONGEST || self.mass.len().saturating_mul(step.len()) > LARGEST_PRODUCT {
            return Err(LookError::TooManyEvents);
        }
        let mut mass = vec![0.0; length];
        for (offset, before) in self.mass.iter().enumerate() {
            for (slot, probability) in mass.iter_mut().skip(offset).zip(&step) {
                *slot += before * probability;
            }
        }
        // Small sums that are all but impossible count as if they had crossed: so the boundary errs upwards.
        let negligible = leading(&mass);
        self.spent += mass.drain(..negligible).sum::<f64>();
        self.least = self.least.saturating_add(step_least).saturating_add(negligible as u64);
        // As much of the upper end crosses as may still be spent.
        let attainable = mass.len();
        let mut tail = 0.0;
        while let Some(probability) = mass.pop_if(|probability| self.spent + (tail + *probability) <= allowed) {
            tail += probability;
        }
        self.spent += tail;
        self.looks += 1;
        self.events = self.events.saturating_add(pair.canary.events().get());
        let boundary = self.least.saturating_add(mass.len() as u64);
        self.crossed |= self.events >= boundary;
        let boundary = (mass.len() < attainable).then_some(boundary);
        self.mass = mass;
        Ok(Look { events: self.events, boundary, crossed: self.crossed })
    }
}

impl GroupSequential {
    /// How many looks were taken.
    #[must_use]
    pub const fn looks(&self) -> u32 {
        self.looks
    }

    /// Events of the canary in all looks so far.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Whether it has crossed.
    #[must_use]
    pub const fn has_crossed(&self) -> bool {
        self.crossed
    }
}

impl Default for GroupSequential {
    fn default() -> Self {
        Self::new()
    }
}

/// How many of the first probabilities are negligible together.
fn leading(mass: &[f64]) -> usize {
    let mut sum = 0.0;
    mass.iter()
        .take_while(|probability| {
            sum += **probability;
            sum < NEGLIGIBLE
        })
        .count()
}

/// The canary's events among those of both arms, if its odds are so many times the baseline's: the least number, and
/// the probability of each from it on.
fn hypergeometric(pair: &Pair, odds: f64) -> Result<(u64, Vec<f64>), LookError> {
    let (of_canary, of_baseline) = (pair.canary.total().get(), pair.baseline.total().get());
    // Counts are below 2^53: nothing here overflows.
    let events = pair.canary.events().get() + pair.baseline.events().get();
    let (least, most) = (events.saturating_sub(of_baseline), events.min(of_canary));
    let mode = mode(events, of_canary, of_baseline, odds).clamp(least, most);
    // P(x + 1) / P(x).
    let rise = |x: u64| {
        odds * (as_f64(events - x) / as_f64(x + 1)) * (as_f64(of_canary - x) / as_f64(of_baseline + x + 1 - events))
    };
    let mut below = Vec::new();
    let mut weight = 1.0;
    for x in (least..mode).rev() {
        weight /= rise(x);
        if weight < NEGLIGIBLE {
            break;
        }
        below.push(weight);
        if below.len() > LONGEST {
            return Err(LookError::TooManyEvents);
        }
    }
    let first = mode - below.len() as u64;
    below.reverse();
    let mut weights = below;
    weights.push(1.0);
    weight = 1.0;
    for x in mode..most {
        weight *= rise(x);
        if weight < NEGLIGIBLE {
            break;
        }
        weights.push(weight);
        if weights.len() > LONGEST {
            return Err(LookError::TooManyEvents);
        }
    }
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    Ok((first, weights))
}

/// Where the distribution is about largest: the sums begin there, so that none overflows.
fn mode(events: u64, of_canary: u64, of_baseline: u64, odds: f64) -> u64 {
    if odds <= 1.0 {
        let mode = u128::from(events + 1) * u128::from(of_canary + 1) / u128::from(of_canary + of_baseline + 2);
        return u64::try_from(mode).unwrap_or(u64::MAX);
    }
    // Where P(x + 1) = P(x): (odds − 1)·x² − b·x + c = 0, its smaller root written so that nothing cancels.
    let (m, n) = (as_f64(events), as_f64(of_canary));
    let b = (n + m + 2.0) * odds + as_f64(of_baseline) - m;
    let c = (n + 1.0) * (m + 1.0) * odds;
    let root = 2.0 * c / (b + sqrt((b * b - 4.0 * (odds - 1.0) * c).max(0.0)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, or held within counts")]
    let mode = root as u64;
    mode
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53, sums of two below 2^54 and even-rounded")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    looks: u32,
    events: u64,
    crossed: bool,
    spent: f64,
    least: u64,
    mass: String,
}

impl Serialize for GroupSequential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { looks, events, crossed, spent, least, ref mass } = *self;
        Written { looks, events, crossed, spent, least, mass: packed::write(mass.iter().copied()) }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GroupSequential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { looks, events, crossed, spent, least, mass } = Written::deserialize(deserializer)?;
        let probability = |number: &f64| (0.0..=1.0 + 1e-9).contains(number);
        packed::read(&mass)
            .filter(|mass| mass.len() <= LONGEST && mass.iter().all(probability) && probability(&spent))
            .map(|mass| Self { looks, events, crossed, spent, least, mass })
            .ok_or_else(|| D::Error::custom("not the state of a group-sequential test"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Count;
    use crate::stats::Arm;

    fn pair(canary: (u64, u64), baseline: (u64, u64)) -> Pair {
        let n = |value| Count::new(value).unwrap();
        let arm = |(events, total)| Arm::new(n(events), n(total)).unwrap();
        Pair { canary: arm(canary), baseline: arm(baseline) }
    }

    #[test]
    fn few_events_are_distributed_as_by_counting() {
        // 5 requests of 12 are the canary's, 4 are events: C(5,x)·C(7,4−x)/C(12,4).
        let (least, weights) = hypergeometric(&pair((1, 5), (3, 7)), 1.0).unwrap();
        assert_eq!(least, 0);
        for (weight, ways) in weights.iter().zip([35.0, 175.0, 210.0, 70.0, 5.0]) {
            assert!((weight - ways / 495.0).abs() < 1e-15);
        }
        assert_eq!(hypergeometric(&pair((5, 5), (7, 7)), 1.0).unwrap(), (5, vec![1.0]));
        assert_eq!(hypergeometric(&pair((0, 5), (0, 7)), 1.0).unwrap(), (0, vec![1.0]));
        assert_eq!(hypergeometric(&pair((0, 0), (3, 7)), 1.0).unwrap(), (0, vec![1.0]));
    }

    #[test]
    fn tolerated_odds_make_more_events_likely() {
        // C(5,x)·C(7,4−x)·2^x: 35, 350, 840, 560, 80 of 1865.
        let (least, weights) = hypergeometric(&pair((1, 5), (3, 7)), 2.0).unwrap();
        assert_eq!(least, 0);
        for (weight, ways) in weights.iter().zip([35.0, 350.0, 840.0, 560.0, 80.0]) {
            assert!((weight - ways / 1865.0).abs() < 1e-15);
        }
        // Far from where equal odds would put it, and as many events as are looked at.
        let (_, weights) = hypergeometric(&pair((20_000, 100_000), (20_000, 900_000)), 1000.0).unwrap();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights.iter().all(|weight| weight.is_finite()));
        let spending = Spending::new("1%".parse().unwrap(), [1.0]).unwrap();
        for odds in [0.9, f64::NAN, 1001.0] {
            assert!(spending.clone().tolerating(odds).is_err(), "{odds}");
        }
    }

    #[test]
    fn no_more_than_planned_is_looked() {
        let spending = Spending::new("1%".parse().unwrap(), [1.0, 1.0]).unwrap();
        let mut test = GroupSequential::new();
        for _ in 0..2 {
            assert!(test.look(&spending, &pair((1, 100), (1, 100))).is_ok());
        }
        let before = test.clone();
        assert_eq!(test.look(&spending, &pair((1, 100), (1, 100))), Err(LookError::NoMoreLooks { planned: 2 }));
        assert_eq!(test, before);
        assert_eq!(Spending::new("1%".parse().unwrap(), []), Err(PlanError::Schedule));
        assert_eq!(Spending::new("1%".parse().unwrap(), [1.0, 0.0]), Err(PlanError::Schedule));
    }

    #[test]
    fn too_many_events_are_refused_and_not_tried() {
        let spending = Spending::new("1%".parse().unwrap(), [1.0]).unwrap();
        let most = (1 << 53) - 1;
        let mut test = GroupSequential::new();
        assert_eq!(test.look(&spending, &pair((most, most), (1, most))), Err(LookError::TooManyEvents));
        assert_eq!(test, GroupSequential::new());
        assert!(test.look(&spending, &pair((most, most), (most, most))).is_ok());
    }

    #[test]
    fn a_state_survives_as_json() {
        let spending = Spending::new("1%".parse().unwrap(), [1.0; 5]).unwrap();
        let mut test = GroupSequential::new();
        test.look(&spending, &pair((5, 100), (11, 900))).unwrap();
        let json = serde_json::to_string(&test).unwrap();
        assert_eq!(serde_json::from_str::<GroupSequential>(&json).unwrap(), test);
        assert!(serde_json::from_str::<GroupSequential>(&json.replace(r#""spent":"#, r#""spent":2"#)).is_err());
    }
}
