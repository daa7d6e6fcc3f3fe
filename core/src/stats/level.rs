//! How much evidence decides: 2^i/α in attempt i, by the running maximum.
//!
//! A process that is a nonnegative supermartingale from 1 on *ever* reaches c with probability at most 1/c (J. Ville,
//! "Étude critique de la notion de collectif" (1939)). So whoever acts when the evidence first reaches 1/α acts
//! wrongly with probability at most α over the whole rollout, however often it is looked at; and it makes no
//! difference whether one looks at the evidence or at its maximum so far. A retry of the same artifact is another
//! test: attempt i gets α/2^i, and all attempts together get α.

use std::num::NonZeroU32;

use libm::log;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::process::MOST;
use crate::Share;

/// How much evidence decides.
///
/// ```
/// use davy::stats::Level;
/// use std::num::NonZeroU32;
///
/// let attempt = |i| Level::of_attempt("1%".parse().expect("1%"), NonZeroU32::new(i).expect("from 1"));
/// assert_eq!(attempt(1).evidence(), 200.0);
/// assert_eq!(attempt(2).evidence(), 400.0);
/// assert!(attempt(1).is_reached(200.0) && !attempt(2).is_reached(200.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(f64);

/// The largest evidence so far; 1 at the beginning.
///
/// What latched stays latched: this is what to compare with a [`Level`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak(f64);

impl Level {
    /// 1/α: for what is tried once, such as promotion at β.
    #[must_use]
    pub fn of(probability: Share) -> Self {
        Self(f64::from(Share::ALL.ppm()) / f64::from(probability.ppm()))
    }

    /// 2^i/α in attempt i: false alarms in *any* attempt at the same artifact have probability at most α.
    ///
    /// Beyond attempt 900 it may be more than any evidence can be.
    #[must_use]
    pub fn of_attempt(probability: Share, attempt: NonZeroU32) -> Self {
        let doublings = attempt.get().min(1023);
        let power = f64::from_bits(u64::from(1023 + doublings) << 52);
        Self(power * Self::of(probability).0)
    }

    /// The evidence that decides; infinite for a probability of 0.
    #[must_use]
    pub const fn evidence(self) -> f64 {
        self.0
    }

    /// Whether the evidence decides.
    #[must_use]
    pub fn is_reached(self, e: f64) -> bool {
        e >= self.0
    }

    /// How far the evidence has come, in logarithms: 0 at or below 1, 1 at the level.
    ///
    /// Every further step of the same size is equally convincing: half way at α = 1 % are odds of 10 to 1.
    #[must_use]
    pub fn meter(self, e: f64) -> f64 {
        if self.is_reached(e) {
            1.0
        } else if e > 1.0 {
            (log(e) / log(self.0)).min(1.0)
        } else {
            0.0
        }
    }
}

impl Peak {
    /// Before the first interval.
    #[must_use]
    pub const fn new() -> Self {
        Self(1.0)
    }

    /// Takes in the evidence after another interval.
    pub fn fold(&mut self, e: f64) {
        // NaN, which no process gives, leaves it as it is.
        self.0 = self.0.max(e);
    }

    /// The largest evidence so far.
    #[must_use]
    pub const fn e(self) -> f64 {
        self.0
    }
}

impl Default for Peak {
    fn default() -> Self {
        Self::new()
    }
}

impl<'de> Deserialize<'de> for Peak {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let peak = f64::deserialize(deserializer)?;
        let known = (1.0..=MOST).contains(&peak);
        if known { Ok(Self(peak)) } else { Err(D::Error::custom("evidence at its peak is from 1 to 2^1000")) }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    fn attempt(attempt: u32) -> Level {
        Level::of_attempt("1%".parse().unwrap(), NonZeroU32::new(attempt).unwrap())
    }

    #[test]
    fn all_attempts_together_spend_what_was_declared() {
        let spent: f64 = (1..=900).map(|i| 1.0 / attempt(i).evidence()).sum();
        assert!(spent <= 0.01 + 1e-15 && spent > 0.0099);
        assert_eq!(Level::of("5%".parse().unwrap()).evidence(), 20.0);
        assert_eq!(attempt(u32::MAX).evidence(), f64::INFINITY);
        assert!(!Level::of(Share::ZERO).is_reached(MOST));
    }

    #[test]
    fn the_meter_counts_in_logarithms() {
        let level = Level::of("1%".parse().unwrap());
        assert!((level.meter(10.0) - 0.5).abs() < 1e-12);
        for (e, meter) in [(0.0, 0.0), (1.0, 0.0), (100.0, 1.0), (MOST, 1.0), (f64::NAN, 0.0)] {
            assert_eq!(level.meter(e), meter, "{e}");
        }
        assert_eq!(Level::of(Share::ZERO).meter(1e300), 0.0);
    }

    #[test]
    fn a_peak_only_rises() {
        let mut peak = Peak::new();
        for (e, expected) in [(0.5, 1.0), (7.0, 7.0), (3.0, 7.0), (f64::NAN, 7.0)] {
            peak.fold(e);
            assert_eq!(peak.e(), expected);
        }
        assert_eq!(serde_json::from_str::<Peak>("7.0").unwrap(), peak);
        assert!(serde_json::from_str::<Peak>("0.5").is_err());
    }
}
