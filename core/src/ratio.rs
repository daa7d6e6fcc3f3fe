//! Shares (`5%`), factors (`1.1x`) and tolerances: exact decimals, never floats.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::count::Count;
use crate::time::serde_as_text;

/// A part of a whole from `0%` to `100%`, exact to 0.0001 %.
///
/// ```
/// use davy::{Count, Share};
/// let one_percent: Share = "1%".parse()?;
/// assert!(one_percent.admits(Count::from(12), Count::from(1204)));
/// assert!(!one_percent.admits(Count::from(13), Count::from(1204)));
/// # Ok::<(), davy::RatioError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(u32);

/// How many times as large: `1.1x`, exact to 0.001, up to `1000x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u32);

/// How much worse the canary may be than the baseline: a factor on a rate (`1.1x`),
/// or a shift in percent on a latency (`5%`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tolerance {
    /// Times as many events per request.
    Factor(Factor),
    /// So much slower, in parts per million of the baseline's latency.
    Shift(Share),
}

/// A text that is not a share, factor or tolerance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RatioError {
    /// Not a percentage from 0 to 100 with at most four decimals.
    #[error("S013: `{text}` is not a percentage such as `5%`")]
    Share {
        /// What was given.
        text: String,
    },
    /// Not a factor from 0 to 1000 with at most three decimals.
    #[error("S014: `{text}` is not a factor such as `1.1x`")]
    Factor {
        /// What was given.
        text: String,
    },
}

impl Share {
    /// Nothing.
    pub const ZERO: Share = Share(0);
    /// Everything.
    pub const ALL: Share = Share(1_000_000);

    /// From parts per million; more than a million is everything.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Self {
        if ppm > Self::ALL.0 { Self::ALL } else { Self(ppm) }
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// What is left of the whole.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ALL.0.saturating_sub(self.0))
    }

    /// Whether `part` of `whole` is at most this share, in exact integers.
    #[must_use]
    pub const fn admits(self, part: Count, whole: Count) -> bool {
        part.get() as u128 * Self::ALL.0 as u128 <= self.0 as u128 * whole.get() as u128
    }

    /// The largest part of `whole` that [`Share::admits`].
    #[must_use]
    pub fn largest_part(self, whole: Count) -> Count {
        let part = u128::from(self.0) * u128::from(whole.get()) / u128::from(Self::ALL.0);
        u64::try_from(part).ok().and_then(|part| Count::new(part).ok()).unwrap_or(Count::MAX)
    }

    /// As a plain fraction from 0 to 1.
    #[must_use]
    pub fn as_fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALL.0)
    }
}

impl Factor {
    /// As large.
    pub const ONE: Factor = Factor(1000);

    /// From thousandths; at most a thousandfold.
    #[must_use]
    pub const fn from_thousandths(thousandths: u32) -> Self {
        if thousandths > 1_000_000 { Self(1_000_000) } else { Self(thousandths) }
    }

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// As a plain number.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Whether `part / whole` is at most this many times `base_part / base_whole`, in exact integers.
    ///
    /// Both sides are multiplied out, so empty wholes are the caller's concern.
    #[must_use]
    pub const fn admits(self, part: Count, whole: Count, base_part: Count, base_whole: Count) -> bool {
        // 53 + 53 + 20 bits: fits.
        part.get() as u128 * base_whole.get() as u128 * 1000
            <= self.0 as u128 * base_part.get() as u128 * whole.get() as u128
    }

    /// The largest part of `whole` that [`Factor::admits`].
    #[must_use]
    pub fn largest_part(self, whole: Count, base_part: Count, base_whole: Count) -> Count {
        let numerator = u128::from(self.0) * u128::from(base_part.get()) * u128::from(whole.get());
        let denominator = u128::from(base_whole.get()) * 1000;
        let part = numerator.checked_div(denominator).and_then(|part| u64::try_from(part).ok());
        part.and_then(|part| Count::new(part).ok()).unwrap_or(Count::MAX).min(whole)
    }
}

/// A decimal without sign or exponent, in units of 10^-`decimals`; at most `max` units.
pub(crate) fn parse_decimal(text: &str, decimals: usize, max: u32) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = !whole.is_empty() && digits_only(whole) && digits_only(fraction);
    let fraction_given = text.contains('.') != fraction.is_empty();
    if !well_formed || !fraction_given || fraction.len() > decimals || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let scale = 10_u32.checked_pow(u32::try_from(decimals).ok()?)?;
    let padded = format!("{fraction:0<decimals$}");
    let units = whole.parse::<u32>().ok()?.checked_mul(scale)?.checked_add(padded.parse().ok()?)?;
    (units <= max).then_some(units)
}

/// Writes units of 10^-`decimals` without trailing zeros.
pub(crate) fn write_decimal(f: &mut fmt::Formatter<'_>, units: u32, decimals: u32) -> fmt::Result {
    let scale = 10_u32.saturating_pow(decimals);
    write!(f, "{}", units / scale)?;
    let fraction = units % scale;
    if fraction == 0 {
        return Ok(());
    }
    let width = usize::try_from(decimals).unwrap_or(0);
    let digits = format!("{fraction:0width$}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

impl FromStr for Share {
    type Err = RatioError;
    fn from_str(text: &str) -> Result<Self, RatioError> {
        text.strip_suffix('%')
            .and_then(|number| parse_decimal(number, 4, Self::ALL.0))
            .map(Self)
            .ok_or_else(|| RatioError::Share { text: text.to_owned() })
    }
}

impl FromStr for Factor {
    type Err = RatioError;
    fn from_str(text: &str) -> Result<Self, RatioError> {
        text.strip_suffix('x')
            .and_then(|number| parse_decimal(number, 3, 1_000_000))
            .map(Self)
            .ok_or_else(|| RatioError::Factor { text: text.to_owned() })
    }
}

impl FromStr for Tolerance {
    type Err = RatioError;
    fn from_str(text: &str) -> Result<Self, RatioError> {
        if text.ends_with('%') { text.parse().map(Self::Shift) } else { text.parse().map(Self::Factor) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, 4)?;
        f.write_str("%")
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, 3)?;
        f.write_str("x")
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Factor(factor) => factor.fmt(f),
            Self::Shift(share) => share.fmt(f),
        }
    }
}

serde_as_text!(Share, "a percentage such as `5%`");
serde_as_text!(Factor, "a factor such as `1.1x`");
serde_as_text!(Tolerance, "a factor such as `1.1x` or a shift such as `5%`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_factors_read_and_write_the_same_text() {
        for text in ["0%", "5%", "0.1%", "99.9999%", "100%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        for text in ["1x", "1.1x", "1.125x", "1000x", "0.5x"] {
            assert_eq!(text.parse::<Factor>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_exactly_a_share_or_factor_is_refused() {
        for text in ["5", "101%", "-1%", "1e1%", "0.00001%", ".5%", "5.%", "05%", "NaN%", "%", "5 %", "4294967297%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for text in ["1.1", "x", "1001x", "1.0001x", "-1x", "1,1x"] {
            assert!(text.parse::<Factor>().is_err(), "{text}");
        }
    }

    #[test]
    fn limits_are_compared_in_exact_integers() {
        let third: Share = "33.3333%".parse().unwrap();
        assert!(!third.admits(Count::from(1), Count::from(3)));
        assert!("33.3334%".parse::<Share>().unwrap().admits(Count::from(1), Count::from(3)));
        assert!(Share::ALL.admits(Count::MAX, Count::MAX));
        let factor: Factor = "1.1x".parse().unwrap();
        let n = |value: u32| Count::from(value);
        assert!(factor.admits(n(11), n(100), n(10), n(100)));
        assert!(!factor.admits(n(12), n(100), n(10), n(100)));
        assert!(!factor.admits(n(1), n(100), n(0), n(100)));
        assert!("1000x".parse::<Factor>().unwrap().admits(Count::MAX, Count::MAX, Count::MAX, Count::MAX));
    }

    #[test]
    fn the_largest_part_is_the_last_one_admitted() {
        let share: Share = "1.5%".parse().unwrap();
        for whole in [0_u32, 1, 66, 67, 1204, 1_000_000] {
            let part = share.largest_part(Count::from(whole));
            assert!(share.admits(part, Count::from(whole)));
            assert!(!share.admits(part.saturating_add(Count::from(1)), Count::from(whole)));
        }
        let factor: Factor = "1.5x".parse().unwrap();
        let part = factor.largest_part(Count::from(100), Count::from(7), Count::from(210));
        assert_eq!(part, Count::from(5));
    }
}
