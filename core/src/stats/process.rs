//! A process of evidence: increments mixed over effect sizes and over start times.
//!
//! With `e_k(g)` the increment of interval k for effect size g, and γ the weights of [`Starts`]:
//!
//! ```text
//! M_g ← (M_g + γ_k) · e_k(g)        one number per effect size
//! E   = mean over g of M_g + what is kept aside
//! ```
//!
//! E begins at 1. Where `E[e_k(g) | what was seen before interval k, and how many requests it had] ≤ 1` for
//! every g, E is a nonnegative supermartingale, whatever decides about ramps, holds and looks, so by Ville's
//! inequality `P(E ever reaches c) ≤ 1/c`.
//!
//! The numbers are kept as they are, not as logarithms: an interval then costs one power of two per effect size.
//! Below 2^-500 a number becomes 0, and above 2^1000 it stays there. Both only lower E, so they take nothing
//! from the guarantee; the evidence of 10^301 is as good as any more.

use libm::{exp2, log};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed;
use super::starts::Starts;

/// The logarithms of one interval's e-increments, one per effect size. None of them is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Increment<const J: usize>([f64; J]);

/// What intervals have added up to, per effect size: the state of one metric, or of one threshold of it.
///
/// Its JSON keeps every bit; folding at once or with stops between gives the same bits.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, Grid, Pair, Process, RATIOS, RatioTest, Starts};
/// use std::num::NonZeroU32;
///
/// // Once per policy: is the canary's error rate more than 1.1 times the baseline's?
/// let test = RatioTest::new(Grid::new(RATIOS)?, 1.1)?;
/// let starts = Starts::Within(NonZeroU32::new(60).expect("60"));
///
/// // Per interval: 6 errors in 75 requests beside 15 in 1425.
/// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
/// let pair = Pair { canary: arm(6, 75)?, baseline: arm(15, 1425)? };
/// let mut process = Process::new();
/// assert_eq!(process.e(starts), 1.0);
/// for _ in 0..3 {
///     process.fold(starts, &test.increment(&pair));
/// }
/// assert!(process.e(starts) > 200.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Process<const J: usize> {
    intervals: u32,
    mass: [f64; J],
}

/// 2^-500: less than this counts as nothing.
const LEAST: f64 = f64::from_bits((1023 - 500) << 52);
/// 2^1000: more than this counts as this.
pub(super) const MOST: f64 = f64::from_bits((1023 + 1000) << 52);
const LEAST_EXPONENT: f64 = -500.0;
const MOST_EXPONENT: f64 = 1000.0;

impl<const J: usize> Increment<J> {
    /// The logarithms must not be NaN.
    pub(super) const fn from_logs(logs: [f64; J]) -> Self {
        Self(logs)
    }

    /// Natural logarithms, in the order of the effect sizes.
    #[must_use]
    pub const fn logs(&self) -> &[f64; J] {
        &self.0
    }

    /// The largest logarithm: of expected increments, how fast evidence grows at best, in nats per interval.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

impl<const J: usize> Process<J> {
    /// Before the first interval.
    #[must_use]
    pub const fn new() -> Self {
        Self { intervals: 0, mass: [0.0; J] }
    }

    /// The same, had everything been lost that was bet so far: only what begins with a later interval counts, and what is
    /// kept aside until then. Less evidence than before, so it may be done at any time and for any reason.
    #[must_use]
    pub const fn without_past(&self) -> Self {
        Self { intervals: self.intervals, mass: [0.0; J] }
    }

    /// Takes in one interval. `starts` must be the same at every call.
    pub fn fold(&mut self, starts: Starts, increment: &Increment<J>) {
        let beginning = starts.beginning(self.intervals);
        for (mass, log_e) in self.mass.iter_mut().zip(increment.0) {
            *mass = grown(*mass + beginning, log_e);
        }
        self.intervals = self.intervals.saturating_add(1);
    }

    /// The evidence, from 0 to 2^1000; 1 before the first interval.
    #[must_use]
    pub fn e(&self, starts: Starts) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of effect sizes")]
        let sizes = J as f64;
        (self.begun() / sizes + starts.kept_aside(self.intervals)).min(MOST)
    }

    /// The natural logarithm of the evidence; negative infinity if there is nothing left of it.
    #[must_use]
    pub fn log_e(&self, starts: Starts) -> f64 {
        log(self.e(starts))
    }

    /// How many intervals were folded.
    #[must_use]
    pub const fn intervals(&self) -> u32 {
        self.intervals
    }

    fn begun(&self) -> f64 {
        self.mass.iter().fold(0.0, |sum, mass| sum + mass)
    }

    pub(super) const fn mass(&self) -> &[f64; J] {
        &self.mass
    }

    /// What [`Process::mass`] and [`Process::intervals`] said, if it can have been them.
    pub(super) fn restore(intervals: u32, mass: &[f64]) -> Option<Self> {
        let known = |mass: &f64| mass.to_bits() == 0 || (LEAST..=MOST).contains(mass);
        let mass: [f64; J] = mass.try_into().ok()?;
        mass.iter().all(known).then_some(Self { intervals, mass })
    }
}

impl<const J: usize> Default for Process<J> {
    fn default() -> Self {
        Self::new()
    }
}

/// `mass · exp(log_e)`, kept in range from below.
fn grown(mass: f64, log_e: f64) -> f64 {
    let exponent = log_e * std::f64::consts::LOG2_E;
    if exponent.is_nan() || exponent < LEAST_EXPONENT {
        return 0.0;
    }
    let grown = mass * exp2(exponent.min(MOST_EXPONENT));
    if grown < LEAST { 0.0 } else { grown.min(MOST) }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    intervals: u32,
    mass: String,
}

impl<const J: usize> Serialize for Process<J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { intervals: self.intervals, mass: packed::write(self.mass) }.serialize(serializer)
    }
}

impl<'de, const J: usize> Deserialize<'de> for Process<J> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let mass = packed::read(&written.mass).unwrap_or_default();
        Self::restore(written.intervals, &mass).ok_or_else(|| D::Error::custom("not the state of this process"))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    #[test]
    fn evidence_stays_in_range_whatever_is_folded() {
        let mut process = Process::<4>::new();
        let hostile = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300];
        for _ in 0..3 {
            process.fold(Starts::First, &Increment(hostile));
            assert_eq!(process.mass[1].to_bits(), 0);
            assert_eq!(process.mass[2].to_bits(), 0);
            assert!(process.e(Starts::First).is_finite());
        }
        assert_eq!(process.mass[3].to_bits(), MOST.to_bits());
        process.fold(Starts::First, &Increment([-1e300; 4]));
        assert_eq!(process.e(Starts::First).to_bits(), 0);
        assert_eq!(process.log_e(Starts::First), f64::NEG_INFINITY);
    }

    #[test]
    fn what_becomes_nothing_is_never_more_than_it_was() {
        // From the largest number down: rounding a tiny factor up to 2^-500 would leave 2^500 of evidence.
        assert_eq!(grown(MOST, -2000.0).to_bits(), 0);
        assert_eq!(grown(1.0, -346.0), exp2(-346.0 * std::f64::consts::LOG2_E));
        assert_eq!(grown(1.0, -347.0).to_bits(), 0);
        assert_eq!(grown(1e-10, -340.0).to_bits(), 0);
        assert_eq!(grown(0.0, 1e9).to_bits(), 0);
        assert_eq!(grown(1e-10, 1e9).to_bits(), (1e-10 * MOST).to_bits());
    }

    #[test]
    fn without_its_past_a_process_is_what_begins_later() {
        let starts = Starts::Within(std::num::NonZeroU32::new(4).unwrap());
        let mut process = Process::<2>::new();
        process.fold(starts, &Increment([5.0, 9.0]));
        let mut later = process.without_past();
        assert_eq!((later.intervals(), later.e(starts)), (1, starts.kept_aside(1)));
        later.fold(starts, &Increment([1.0, 2.0]));
        let begun = starts.beginning(1) * 0.5 * (libm::exp(1.0) + libm::exp(2.0));
        assert!((later.e(starts) - begun - starts.kept_aside(2)).abs() < 1e-12);
    }

    #[test]
    fn only_states_that_a_process_can_have_are_read() {
        let mut process = Process::<2>::new();
        process.fold(Starts::First, &Increment([1.5, -900.0]));
        let json = serde_json::to_string(&process).unwrap();
        assert_eq!(serde_json::from_str::<Process<2>>(&json).unwrap(), process);
        assert!(serde_json::from_str::<Process<3>>(&json).is_err());
        for mass in [f64::NAN, -1.0, -0.0, f64::INFINITY, 1e-300] {
            let text = packed::write([1.0, mass]);
            let forged = format!(r#"{{"intervals":1,"mass":"{text}"}}"#);
            assert!(serde_json::from_str::<Process<2>>(&forged).is_err(), "{mass}");
        }
    }
}
