//! Burn-rate thresholds: how fast is too fast, and what follows from it.
//!
//! A *burn rate* says how many times as fast as the target allows the error budget is spent: at 1 it lasts
//! exactly its period. Formulas: Google SRE Workbook, chapter 5, "Alerting on SLOs"; Sloth's
//! `getBurnRateFactor` computes the same threshold.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::exact::{Fraction, decimal};
use super::target::ErrorBudget;
use crate::{Count, Duration, Factor, Share};

/// A burn rate that is too fast, as an exact fraction.
///
/// The Workbook's 14.4 is not a number to remember: it spends 2 % of a 30-day budget in one hour.
///
/// ```
/// use davy::slo::{Target, Threshold};
/// use davy::Duration;
///
/// let days = |days: u64| Duration::from_minutes(days * 24 * 60);
/// let hours = |hours: u64| Duration::from_minutes(hours * 60);
///
/// let fast = Threshold::from_budget_share("2%".parse()?, days(30), hours(1))?;
/// assert_eq!(fast, "14.4x".parse()?);
/// assert_eq!(Threshold::from_budget_share("5%".parse()?, days(30), hours(6))?, "6x".parse()?);
/// assert_eq!(Threshold::from_budget_share("2%".parse()?, days(28), hours(1))?, "13.44x".parse()?);
///
/// // Of 99.9 % the limit is 0.0144, and the product of the doubles is not.
/// let budget = "99.9%".parse::<Target>()?.budget();
/// assert_eq!(fast.limit(budget), 0.0144);
/// assert!(!fast.is_reachable("93%".parse::<Target>()?.budget()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(Fraction);

/// What is not a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThresholdError {
    /// Not a factor above 0.
    #[error("B013: `{text}` is not a burn rate such as `14.4x`, above 0 and up to 1000000x, with six decimals at most")]
    Text {
        /// What was given.
        text: String,
    },
    /// A window that is empty or longer than the period.
    #[error("B014: the window {window} is not within the budget's period {period}")]
    Window {
        /// The window.
        window: Duration,
        /// The period.
        period: Duration,
    },
    /// No part of the budget.
    #[error("B015: a threshold that spends 0% of the budget would be exceeded by every error")]
    NoShare,
}

impl Threshold {
    /// The burn rate that spends `share` of the budget of `period` within `window`: `share · period / window`.
    ///
    /// Source: SRE Workbook, table 5-8; Sloth's `getBurnRateFactor`.
    ///
    /// # Errors
    /// [`ThresholdError`] for an empty share, or a window that is empty or longer than the period.
    pub fn from_budget_share(share: Share, period: Duration, window: Duration) -> Result<Self, ThresholdError> {
        if share == Share::ZERO {
            return Err(ThresholdError::NoShare);
        }
        let above = u128::from(share.ppm()) * u128::from(period.millis());
        let below = u128::from(Share::ALL.ppm()) * u128::from(window.millis());
        let fraction = Fraction::new(above, below).filter(|_| window <= period);
        fraction.map(Self).ok_or(ThresholdError::Window { window, period })
    }

    /// From a number, such as OpenSLO's `threshold`: the shortest decimal that is read as this double.
    ///
    /// # Errors
    /// [`ThresholdError::Text`] outside what the text form allows.
    pub fn from_number(number: f64) -> Result<Self, ThresholdError> {
        format!("{number}x").parse()
    }

    /// The threshold of one part of a composite that counts `weight` times: `threshold / weight`. Nothing
    /// for a weight of zero.
    ///
    /// Source: OpenSLO v1, `compositeWeight`, which multiplies burn rates.
    #[must_use]
    pub fn of_part(self, weight: Factor) -> Option<Self> {
        let inverse = Fraction::new(1000, weight.thousandths().into())?;
        self.0.times(inverse).map(Self)
    }

    /// As a plain number: the double nearest to the fraction.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0.to_f64()
    }

    /// The ratio of bad events above which the budget burns faster than this: `threshold · budget`, the
    /// double nearest to the exact product.
    ///
    /// With one rounding, no ratio of counts at or below the exact limit compares as above it.
    #[must_use]
    pub fn limit(self, budget: ErrorBudget) -> f64 {
        match self.0.times(budget.fraction()) {
            Some(limit) => limit.to_f64(),
            // The terms are too long for 128 bits: two roundings.
            None => self.as_f64() * budget.as_fraction(),
        }
    }

    /// Whether any ratio of bad events is above the limit: not if it is 1 or more, because the burn rate is
    /// at most `1 / budget`.
    #[must_use]
    pub fn is_reachable(self, budget: ErrorBudget) -> bool {
        self.limit(budget) < 1.0
    }

    /// The part of the budget of `period` that is spent in `window` at this burn rate; 1 is all of it. The
    /// inverse of [`Threshold::from_budget_share`].
    #[must_use]
    pub fn budget_share(self, period: Duration, window: Duration) -> Option<f64> {
        let part = Fraction::new(window.millis().into(), period.millis().into())?;
        Some(self.0.times(part).map_or_else(|| self.as_f64() * part.to_f64(), Fraction::to_f64))
    }

    /// The fewest events of which `errors` bad ones are *below* the limit: the smallest whole number above
    /// `errors / (threshold · budget)`. Each window of a pair needs as many.
    ///
    /// At equality the errors are not above the limit either, but another evaluator's rounding could put
    /// them there. Nothing where no [`Count`] is large enough, as with a budget of zero.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::slo::{Target, Threshold};
    ///
    /// let fast: Threshold = "14.4x".parse()?;
    /// let budget = "99.9%".parse::<Target>()?.budget();
    /// assert_eq!(fast.minimum_total(budget, Count::from(1)), Some(Count::from(70)));   // in five minutes
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn minimum_total(self, budget: ErrorBudget, errors: Count) -> Option<Count> {
        let per_error = self.0.times(budget.fraction())?.inverse()?;
        let events = Fraction::new(errors.get().into(), 1)?.times(per_error)?;
        let below = events.numerator().checked_div(events.denominator())?;
        Count::new(u64::try_from(below).ok()?.checked_add(1)?).ok()
    }

    /// How long after a step from no errors to `ratio` a window of this length exceeds the limit:
    /// `threshold · budget · window / ratio`, with constant traffic. Nothing if it never does.
    ///
    /// The long window of a pair governs. With a ratio of 1 this is how long a total outage, or a source
    /// that vanished in one, can go unnoticed.
    #[must_use]
    pub fn detection_time(self, budget: ErrorBudget, window: Duration, ratio: f64) -> Option<Duration> {
        let limit = self.limit(budget);
        (ratio > limit && ratio <= 1.0).then(|| scaled(window, limit / ratio))
    }

    /// How long after the errors stop a window of this length, full of `ratio`, is at or below the limit:
    /// `window · (1 − threshold · budget / ratio)`, with constant traffic. Nothing if it was never above.
    ///
    /// The short window of a pair governs.
    #[must_use]
    pub fn reset_time(self, budget: ErrorBudget, window: Duration, ratio: f64) -> Option<Duration> {
        let limit = self.limit(budget);
        (ratio > limit && ratio <= 1.0).then(|| scaled(window, 1.0 - limit / ratio))
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;
    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let millionths = text.strip_suffix('x').and_then(|number| decimal(number, 6, 1_000_000_000_000));
        let fraction = millionths.filter(|units| *units > 0).and_then(|units| Fraction::new(units.into(), 1_000_000));
        fraction.map(Self).ok_or_else(|| ThresholdError::Text { text: text.to_owned() })
    }
}

/// The shortest decimal of the nearest double: `14.4x`.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", self.as_f64())
    }
}

/// So much of a duration, to the nearest millisecond.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "saturates")]
fn scaled(duration: Duration, part: f64) -> Duration {
    Duration::from_millis((duration.millis() as f64 * part).round() as u64)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;
    use crate::slo::Target;

    const HOUR: Duration = Duration::from_minutes(60);

    fn budget(target: &str) -> ErrorBudget {
        target.parse::<Target>().unwrap().budget()
    }

    fn threshold(share: &str, period_days: u64, hours: u64) -> Threshold {
        Threshold::from_budget_share(share.parse().unwrap(), HOUR.times(24 * period_days), HOUR.times(hours)).unwrap()
    }

    #[test]
    fn the_workbooks_numbers_follow_from_shares_of_the_budget() {
        for (share, hours, expected) in [("2%", 1, 14.4), ("5%", 6, 6.0), ("10%", 24, 3.0), ("10%", 72, 1.0)] {
            assert_eq!(threshold(share, 30, hours).as_f64(), expected);
        }
        // Sloth's for 28 days, without its rounding errors.
        for (share, hours, expected) in [("2%", 1, 13.44), ("5%", 6, 5.6), ("10%", 24, 2.8), ("10%", 72, 14.0 / 15.0)] {
            assert_eq!(threshold(share, 28, hours).as_f64(), expected);
        }
        assert_eq!(threshold("2%", 30, 1).to_string(), "14.4x");
    }

    #[test]
    fn limits_are_rounded_once() {
        let fast = threshold("2%", 30, 1);
        let limits = [("99.9%", 0.0144), ("99.95%", 0.0072), ("99%", 0.144), ("99.99%", 0.00144), ("99.7%", 0.0432)];
        for (target, limit) in limits {
            assert_eq!(fast.limit(budget(target)), limit, "{target}");
        }
        assert_ne!(14.4 * 0.001, 0.0144, "what a product of doubles makes of it");
        assert_eq!(fast.limit(budget("100%")), 0.0);
    }

    #[test]
    fn a_burn_rate_beyond_one_over_the_budget_is_unreachable() {
        let fast = threshold("2%", 30, 1);
        assert!(fast.is_reachable(budget("93.06%")));
        assert!(!fast.is_reachable(budget("93.05%")));
        assert!(!"10x".parse::<Threshold>().unwrap().is_reachable(budget("90%")), "exactly one is never exceeded");
        assert!("9.999x".parse::<Threshold>().unwrap().is_reachable(budget("90%")));
    }

    #[test]
    fn so_few_events_let_one_error_breach() {
        let expected =
            [("99.9%", [70, 167, 334, 1001]), ("99%", [7, 17, 34, 101]), ("99.99%", [695, 1667, 3334, 10_001])];
        for (target, totals) in expected {
            for (threshold, total) in ["14.4x", "6x", "3x", "1x"].into_iter().zip(totals) {
                let threshold: Threshold = threshold.parse().unwrap();
                let one = Count::from(1);
                assert_eq!(threshold.minimum_total(budget(target), one), Some(Count::from(total)), "{target}");
                assert!(1.0 / f64::from(total) < threshold.limit(budget(target)));
                assert!(1.0 / f64::from(total - 2) > threshold.limit(budget(target)));
            }
        }
        let fast = threshold("2%", 30, 1);
        assert_eq!(fast.minimum_total(budget("100%"), Count::from(1)), None);
        assert_eq!(fast.minimum_total(budget("99.9%"), Count::MAX), None);
        assert_eq!(fast.minimum_total(budget("99.9%"), Count::ZERO), Some(Count::from(1)));
    }

    #[test]
    fn detection_is_as_fast_as_the_reference_says() {
        let budget = budget("99.9%");
        let rows = [
            (1.0, [51_840, 129_600, 259_200, 259_200]),
            (0.5, [103_680, 259_200, 518_400, 518_400]),
            (0.1, [518_400, 1_296_000, 2_592_000, 2_592_000]),
            (0.02, [2_592_000, 6_480_000, 12_960_000, 12_960_000]),
        ];
        for (ratio, times) in rows {
            for ((share, hours), millis) in [("2%", 1), ("5%", 6), ("10%", 24), ("10%", 72)].into_iter().zip(times) {
                let time = threshold(share, 30, hours).detection_time(budget, HOUR.times(hours), ratio);
                assert_eq!(time, Some(Duration::from_millis(millis)), "{ratio} {hours}");
            }
        }
        let fast = threshold("2%", 30, 1);
        for never in [0.0144, 0.0, -1.0, 1.1, f64::NAN] {
            assert_eq!(fast.detection_time(budget, HOUR, never), None, "{never}");
            assert_eq!(fast.reset_time(budget, HOUR, never), None, "{never}");
        }
        let reset = fast.reset_time(budget, Duration::from_minutes(5), 0.02);
        assert_eq!(reset, Some(Duration::from_secs(84)));
    }

    #[test]
    fn a_share_and_its_threshold_lead_to_each_other() {
        let fast = threshold("2%", 30, 1);
        assert_eq!(fast.budget_share(HOUR.times(720), HOUR), Some(0.02));
        assert_eq!(fast.budget_share(Duration::ZERO, HOUR), None);
    }

    #[test]
    fn what_is_not_a_threshold_is_refused() {
        for text in ["", "x", "14.4", "0x", "-1x", "NaNx", "1000001x", "1.0000001x", "0.0000000x", "1e3x"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, 0.0, -14.4, 1e7] {
            assert!(Threshold::from_number(number).is_err(), "{number}");
        }
        assert_eq!(Threshold::from_number(14.4), "14.4x".parse());
        let refused = |share, period, window| Threshold::from_budget_share(share, period, window).is_err();
        assert!(refused(Share::ZERO, HOUR, HOUR));
        assert!(refused(Share::ALL, HOUR, Duration::ZERO));
        assert!(refused(Share::ALL, HOUR, HOUR.plus(Duration::from_millis(1))));
        assert!(refused(Share::ALL, Duration::ZERO, Duration::ZERO));
    }
}
