//! Targets as exact decimals, and the error budget that each leaves.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::events::Events;
use super::exact::{Fraction, decimal};

/// The part of events that must be good, from 0 to 1, exact to 10^-12: nine nines and more.
///
/// A target of 1 is allowed; its error budget is zero, and any bad event burns it infinitely fast.
///
/// ```
/// use davy::slo::Target;
///
/// let target: Target = "99.9%".parse()?;
/// assert_eq!(target, "0.999".parse()?);
/// assert_eq!(target, Target::from_fraction(0.999)?);
/// assert_eq!(target, Target::from_percent(99.9)?);
/// assert_eq!(target.to_string(), "99.9%");
///
/// assert_eq!(target.budget().as_fraction(), 0.001);
/// assert_ne!(1.0 - 0.999, 0.001);                      // what doubles would have made of it
/// assert!("99.9".parse::<Target>().is_err());          // neither a fraction nor a percentage
/// # Ok::<(), davy::slo::TargetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(u64);

/// The part of events that may be bad: one minus the target, computed once and exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorBudget {
    /// In lowest terms with the denominator.
    numerator: u64,
    /// From 1 to 10^12.
    denominator: u64,
}

/// A text or number that is not a target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("B010: `{text}` is not a target such as `99.9%` or `0.999`, exact to ten decimals of a percent")]
pub struct TargetError {
    /// What was given.
    text: String,
}

/// Units of a [`Target`] in the whole.
const WHOLE: u64 = 1_000_000_000_000;

impl Target {
    /// From a fraction, such as OpenSLO's `target`: the shortest decimal that is read as this double.
    ///
    /// # Errors
    /// [`TargetError`] outside 0 … 1, or with more than twelve decimals.
    pub fn from_fraction(fraction: f64) -> Result<Self, TargetError> {
        fraction.to_string().parse()
    }

    /// From a percentage, such as OpenSLO's `targetPercent`: the shortest decimal that is read as this double.
    ///
    /// # Errors
    /// [`TargetError`] outside 0 … 100, or with more than ten decimals.
    pub fn from_percent(percent: f64) -> Result<Self, TargetError> {
        format!("{percent}%").parse()
    }

    /// One minus the target.
    #[must_use]
    pub fn budget(self) -> ErrorBudget {
        let bad = WHOLE.saturating_sub(self.0);
        let reduced = Fraction::new(bad.into(), WHOLE.into());
        let terms = reduced.and_then(|reduced| {
            let numerator = u64::try_from(reduced.numerator()).ok()?;
            Some((numerator, u64::try_from(reduced.denominator()).ok()?))
        });
        // Neither term of a reduced fraction is larger than it was.
        let (numerator, denominator) = terms.unwrap_or((bad, WHOLE));
        ErrorBudget { numerator, denominator }
    }

    /// As a fraction from 0 to 1: the double nearest to the decimal.
    #[must_use]
    pub fn as_fraction(self) -> f64 {
        Fraction::new(self.0.into(), WHOLE.into()).map_or(f64::NAN, Fraction::to_f64)
    }
}

impl FromStr for Target {
    type Err = TargetError;
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let units = match text.strip_suffix('%') {
            Some(percent) => decimal(percent, 10, WHOLE),
            None => decimal(text, 12, WHOLE),
        };
        units.map(Self).ok_or_else(|| TargetError { text: text.to_owned() })
    }
}

/// As a percentage, without trailing zeros.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = WHOLE / 100;
        write!(f, "{}", self.0 / percent)?;
        let fraction = self.0 % percent;
        if fraction > 0 {
            let digits = format!("{fraction:010}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("%")
    }
}

impl ErrorBudget {
    /// As a fraction from 0 to 1: the double nearest to the decimal.
    #[must_use]
    pub fn as_fraction(self) -> f64 {
        self.fraction().to_f64()
    }

    /// Whether no event may be bad.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    pub(super) fn fraction(self) -> Fraction {
        // The denominator is never zero, so this is always the fraction itself.
        Fraction::new(self.numerator.into(), self.denominator.into()).unwrap_or(Fraction::ONE)
    }

    /// `bad / (B · total)`: how many times the bad events that are allowed among `total`.
    ///
    /// Whole numbers are multiplied out and rounded once; so this is exactly 1 where exactly the budget is
    /// used, above 1 where more is, and never smaller for more bad events. Other amounts are rounded three
    /// times, always in the same order. Nothing bad is 0, even of nothing allowed.
    pub(super) fn multiple(self, bad: f64, total: f64) -> f64 {
        if bad <= 0.0 {
            return 0.0;
        }
        let (numerator, denominator) = (whole_to_f64(self.numerator), whole_to_f64(self.denominator));
        let (above, below) = (bad * denominator, total * numerator);
        let are_whole = Events::is_whole(bad) && Events::is_whole(total);
        if below <= 0.0 {
            return f64::INFINITY;
        }
        if !are_whole {
            return bad / total * denominator / numerator;
        }
        if above <= EXACT && below <= EXACT {
            return above / below;
        }
        let above = u128::from(Events::whole(bad)).checked_mul(self.denominator.into());
        let below = u128::from(Events::whole(total)).checked_mul(self.numerator.into());
        above.zip(below).and_then(|(above, below)| Fraction::new(above, below)).map_or(f64::NAN, Fraction::to_f64)
    }
}

/// Up to here every whole number is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_precision_loss, reason = "at most 10^12")]
fn whole_to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    fn budget(target: &str) -> ErrorBudget {
        target.parse::<Target>().unwrap().budget()
    }

    #[test]
    fn budgets_are_the_doubles_that_people_write() {
        let expected = [
            ("99%", 0.01),
            ("99.9%", 0.001),
            ("99.95%", 0.0005),
            ("99.99%", 0.0001),
            ("99.999%", 0.00001),
            ("0.995", 0.005),
            ("93.06%", 0.0694),
            ("99.9999999999%", 1e-12),
            ("100%", 0.0),
            ("0%", 1.0),
            ("0", 1.0),
            ("1", 0.0),
        ];
        for (target, fraction) in expected {
            assert_eq!(budget(target).as_fraction(), fraction, "{target}");
        }
    }

    #[test]
    fn what_is_not_a_target_is_refused() {
        for text in ["", "%", "99.9", "-1%", "100.1%", "1.1", "99,9%", "99.9 %", "1e-3", "NaN", "99.99999999999%"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, -0.1, 1.5, 0.1 + 0.2, 1e-13] {
            assert!(Target::from_fraction(number).is_err(), "{number}");
        }
        assert_eq!(Target::from_percent(99.95), "99.95%".parse());
        assert_eq!(Target::from_fraction(1e-12).map(Target::as_fraction), Ok(1e-12));
    }

    #[test]
    fn targets_read_and_write_the_same_text() {
        for text in ["0%", "5%", "99%", "99.9%", "99.95%", "99.0001%", "99.9999999999%", "100%"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_multiple_is_one_exactly_where_the_budget_is_used() {
        for target in ["99.9%", "99.3%", "98.7654321%", "12.34%", "99.9999999999%"] {
            let budget = budget(target);
            // So many events that the allowed bad ones are whole.
            for times in [1.0, 3.0, 7.0, 1021.0] {
                let (bad, total) = (whole_to_f64(budget.numerator) * times, whole_to_f64(budget.denominator) * times);
                assert_eq!(budget.multiple(bad, total), 1.0, "{target}");
                assert!(budget.multiple(bad + 1.0, total) > 1.0, "{target}");
                assert!(budget.multiple(bad - 1.0, total) < 1.0, "{target}");
            }
        }
    }

    #[test]
    fn the_short_way_and_the_long_way_agree() {
        let budget = budget("99.9%");
        for (bad, total) in [(3.0, 1204.0), (19.0, 1204.0), (144.0, 10_000.0), (1.0, 9e12)] {
            let long = Fraction::new(Events::whole(bad) as u128 * 1000, Events::whole(total) as u128).unwrap();
            assert_eq!(budget.multiple(bad, total), long.to_f64());
        }
        // Beyond 2^53, where only the long way is exact.
        assert_eq!(budget.multiple(9e15, 9e15), 1000.0);
        assert_eq!(budget.multiple(9.007_199_254_740_991e15, 9.007_199_254_740_991e15), 1000.0);
    }

    #[test]
    fn nothing_bad_is_nothing_even_of_no_budget() {
        assert_eq!(budget("100%").multiple(0.0, 10.0), 0.0);
        assert_eq!(budget("100%").multiple(1.0, 10.0), f64::INFINITY);
        assert_eq!(budget("99.9%").multiple(0.5, 500.0), 1.0);
    }
}
