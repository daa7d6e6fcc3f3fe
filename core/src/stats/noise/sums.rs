//! All sums of one test: what the second key remembers from one interval to the next.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::estimate::{Declared, Estimate, Method};
use super::window::{Interval, Window};
use super::within::Within;
use crate::stats::arms::{Arm, Exposed, Pair};
use crate::stats::packed;
use crate::stats::process::Increment;

/// The most windows: one for everything, and one per step of a ramp.
pub const MOST_WINDOWS: usize = 8;
/// The most replicas of either cohort that are told apart.
const MOST_REPLICAS: usize = 64;
pub(super) const MOST_REPLICAS_U32: u32 = 64;

/// One interval of one test, replica by replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByReplica<'a> {
    /// Both cohorts whole.
    pub pair: Pair,
    /// How many replicas the canary has.
    pub canary: u32,
    /// Each replica of the baseline at its place, below 64, rising. The same replica has the same place in every
    /// interval. Not all need to be here.
    pub baseline: &'a [(usize, Arm)],
}

/// What one test has added up for the second key: the state.
///
/// With ten replicas, four windows and nine effect sizes it is 2.2 kB as JSON.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, ByReplica, Declared, Grid, Method, Noise, Pair, RATIOS, RatioTest};
///
/// let test = RatioTest::new(Grid::new(RATIOS)?, 1.1)?;
/// let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
/// let mut noise = Noise::new();
/// for _ in 0..10 {
///     // Twice as many errors in the canary, but one of the three replicas beside it has as many.
///     let pair = Pair { canary: arm(40, 1000)?, baseline: arm(60, 3000)? };
///     let baseline = [(0, arm(38, 1000)?), (1, arm(12, 1000)?), (2, arm(10, 1000)?)];
///     noise.fold(1.1, 0, &ByReplica { pair, canary: 1, baseline: &baseline }, &test.increment(&pair));
/// }
/// let estimate = noise.estimate(0, 1.1, Declared::ERRORS, None).expect("it began");
/// assert_eq!(estimate.method, Method::FewReplicas);
/// assert!(estimate.most > 20.0 && estimate.e < 3.0);   // e^20 to 1 if requests were independent; they are not
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Noise<const J: usize> {
    windows: Vec<Window<J>>,
    within: Within,
}

impl<const J: usize> Noise<J> {
    /// Before the first interval.
    #[must_use]
    pub fn new() -> Self {
        Self { windows: vec![Window::new()], within: Within::default() }
    }

    /// Takes in one interval: `bound` is the tolerated ratio, `step` the step of the ramp, from 0, which begins a
    /// window when it first comes. The increment is that of the first key.
    pub fn fold(&mut self, bound: f64, step: usize, seen: &ByReplica<'_>, increment: &Increment<J>) {
        let (canary, baseline) = (seen.pair.canary.as_f64(), seen.pair.baseline.as_f64());
        let replicas = seen.canary.clamp(1, MOST_REPLICAS_U32);
        let interval = Interval::of(bound, canary, baseline, replicas, seen.baseline);
        self.fold_into(step, &interval, increment);
        self.within.fold(&interval);
    }

    /// Takes in one interval of the canary alone, beside a known share of events.
    pub fn fold_share(&mut self, step: usize, seen: Arm, share: f64, increment: &Increment<J>) {
        let (events, requests) = seen.as_f64();
        let expected = requests * share;
        self.fold_known(step, events, expected, expected * (1.0 - share), increment);
    }

    /// Takes in one interval of the canary alone, beside a known number of events per exposure.
    pub fn fold_rate(&mut self, step: usize, seen: Exposed, rate: f64, increment: &Increment<J>) {
        let (events, exposure) = seen.as_f64();
        self.fold_known(step, events, rate * exposure, rate * exposure, increment);
    }

    fn fold_known(&mut self, step: usize, events: f64, expected: f64, chance: f64, increment: &Increment<J>) {
        self.fold_into(step, &Interval::known(events, expected, chance), increment);
    }

    fn fold_into(&mut self, step: usize, interval: &Interval<'_>, increment: &Increment<J>) {
        let begun = step.saturating_add(1).min(MOST_WINDOWS);
        if self.windows.len() < begun {
            self.windows.resize_with(begun, Window::new);
        }
        for window in &mut self.windows {
            window.fold(increment, interval);
        }
    }

    /// No longer compares the replica of the baseline at this place: it is sick, or gone. What single intervals show
    /// begins anew.
    pub fn forget(&mut self, place: usize) {
        for window in &mut self.windows {
            window.forget(place);
        }
        self.within = Within::default();
    }

    /// What is known of one window, and its discounted evidence; nothing before it began.
    ///
    /// `history` is the mean of `s² − v0` over past healthy rollouts, at least 0, for this window and age. The
    /// method is chosen by what there is.
    #[must_use]
    pub fn estimate(&self, window: usize, bound: f64, declared: Declared, history: Option<f64>) -> Option<Estimate> {
        let window = self.windows.get(window)?;
        Some(Estimate::of(window, &self.within, bound, declared, history, None))
    }

    /// The same by a given method, whatever there is; for comparisons.
    #[must_use]
    pub fn estimate_by(
        &self,
        method: Method,
        window: usize,
        bound: f64,
        declared: Declared,
        history: Option<f64>,
    ) -> Option<Estimate> {
        let window = self.windows.get(window)?;
        Some(Estimate::of(window, &self.within, bound, declared, history, Some(method)))
    }

    /// How many intervals a window has seen; 0 before it began.
    #[must_use]
    pub fn age(&self, window: usize) -> u32 {
        self.windows.get(window).map_or(0, |window| window.own.intervals())
    }

    /// The relative excess of each replica of the baseline since the first interval: its place, `y_r`, and how many
    /// events were expected of it.
    pub fn excesses(&self) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        let replicas = self.windows.first().map_or(&[][..], |window| window.replicas.as_slice());
        let known = replicas.iter().enumerate().filter(|(_, (_, expected))| *expected > 0.0);
        known.map(|(place, (residual, expected))| (place, residual / expected, *expected))
    }
}

impl<const J: usize> Default for Noise<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const J: usize> Serialize for Noise<J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut numbers = Vec::new();
        self.within.write(&mut numbers);
        self.windows.iter().for_each(|window| window.write(&mut numbers));
        packed::write(numbers).serialize(serializer)
    }
}

impl<'de, const J: usize> Deserialize<'de> for Noise<J> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let numbers = packed::read(&text).filter(|numbers| !numbers.iter().any(|number| number.is_nan()))?;
            let mut numbers = numbers.into_iter().peekable();
            let within = Within::read(&mut numbers, MOST_REPLICAS)?;
            let mut windows = Vec::new();
            while numbers.peek().is_some() && windows.len() < MOST_WINDOWS {
                windows.push(Window::read(&mut numbers, MOST_REPLICAS)?);
            }
            (numbers.peek().is_none() && !windows.is_empty()).then_some(Self { windows, within })
        };
        read().ok_or_else(|| D::Error::custom("not the state of noise"))
    }
}

/// A number that counts what follows it.
pub(super) fn length(number: f64, most: usize) -> Option<usize> {
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    (0..=most).find(|known| (*known as f64).to_bits() == number.to_bits())
}
