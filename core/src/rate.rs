//! How often something happens: `50/s`, `300/m`, `2/h`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::ratio::{parse_decimal, write_decimal};
use crate::time::serde_as_text;

/// So many per second, minute or hour, exact to 0.001, above 0 and up to a million.
///
/// ```
/// use davy::Rate;
/// assert_eq!("300/m".parse::<Rate>()?.per_second(), 5.0);
/// assert_eq!("0.5/s".parse::<Rate>()?.to_string(), "0.5/s");
/// # Ok::<(), davy::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    thousandths: u32,
    per: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Second,
    Minute,
    Hour,
}

/// A text that is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Q005: `{text}` is not a rate such as `50/s`, `300/m` or `2/h`")]
pub struct RateError {
    text: String,
}

const MOST: u32 = 1_000_000_000;

impl Rate {
    /// About so many per second, in the unit that has at least one of them; nothing for what is no number above 0.
    pub(crate) fn about(per_second: f64) -> Option<Self> {
        let of = |per: Unit| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the range")]
            let thousandths = (1000.0 * per_second * per.seconds()).round().clamp(1.0, f64::from(MOST)) as u32;
            Self { thousandths, per }
        };
        let fits = |rate: &Self| rate.thousandths >= 1000 || rate.per == Unit::Hour;
        (per_second > 0.0).then(|| Unit::ALL.into_iter().map(of).find(fits)).flatten()
    }

    /// As a plain number per second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.thousandths) / (1000.0 * self.per.seconds())
    }
}

impl Unit {
    const ALL: [Unit; 3] = [Unit::Second, Unit::Minute, Unit::Hour];

    const fn seconds(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3600.0,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Second => "/s",
            Self::Minute => "/m",
            Self::Hour => "/h",
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, RateError> {
        let read = |per: Unit| {
            let thousandths = parse_decimal(text.strip_suffix(per.suffix())?, 3, MOST)?;
            (thousandths > 0).then_some(Self { thousandths, per })
        };
        Unit::ALL.into_iter().find_map(read).ok_or_else(|| RateError { text: text.to_owned() })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.thousandths, 3)?;
        f.write_str(self.per.suffix())
    }
}

serde_as_text!(Rate, "a rate such as `50/s`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_write_the_same_text() {
        for text in ["50/s", "0.001/h", "300/m", "1000000/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["50", "0/s", "/s", "50/d", "-1/s", "1e3/s", "1000001/s", "0.0001/s", "50 /s", "NaN/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
