//! Instants and durations. Both are arguments and data; nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, up to the year 9999.
///
/// Its text form is RFC 3339. Fractions finer than a millisecond are cut off.
///
/// ```
/// use davy::{Duration, Instant};
/// let noon: Instant = "2026-11-23T12:00:00Z".parse()?;
/// assert_eq!(noon.plus(Duration::from_minutes(90)).to_string(), "2026-11-23T13:30:00Z");
/// # Ok::<(), davy::TimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A length of time in whole milliseconds, written as in Prometheus: `30s`, `1h30m`, `2d`.
///
/// ```
/// use davy::Duration;
/// assert_eq!("1h30m".parse::<Duration>()?, Duration::from_minutes(90));
/// assert_eq!(Duration::from_minutes(90).to_string(), "1h30m");
/// # Ok::<(), davy::TimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(u64);

/// A text that is not an instant or a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// Not RFC 3339, or outside 1970 … 9999.
    #[error("S010: `{text}` is not an RFC 3339 instant such as `2026-11-23T12:00:00Z`")]
    Instant {
        /// What was given.
        text: String,
    },
    /// Not a duration.
    #[error("S011: `{text}` is not a duration such as `30s`, `5m` or `1h30m`")]
    Duration {
        /// What was given.
        text: String,
    },
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Instant = Instant(0);
    /// 9999-12-30T22:00:00Z, the last instant that RFC 3339 can write in every zone.
    pub const MAX: Instant = Instant(253_402_207_200_000);

    /// From milliseconds since the epoch, held within [`Instant::EPOCH`] … [`Instant::MAX`].
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self::EPOCH
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// This instant moved forward, at most to [`Instant::MAX`].
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        if duration.0 > Self::MAX.0.unsigned_abs() {
            return Self::MAX;
        }
        Self::from_millis(self.0.saturating_add_unsigned(duration.0))
    }

    /// This instant moved back, at most to [`Instant::EPOCH`].
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub_unsigned(duration.0))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0).cast_unsigned().saturating_mul((self.0 > earlier.0) as u64))
    }
}

impl Duration {
    /// No time.
    pub const ZERO: Duration = Duration(0);

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u64) -> Self {
        Self::from_secs(minutes.saturating_mul(60))
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whether there is no time in it.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, saturating.
    #[must_use]
    pub const fn plus(self, other: Duration) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This many times as long, saturating.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// In seconds, as metric values carry them.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a duration that a person writes is far below 2^53 ms")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl FromStr for Instant {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refuse = || TimeError::Instant { text: text.to_owned() };
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        let millis = timestamp.as_millisecond();
        if (0..=Self::MAX.0).contains(&millis) { Ok(Self(millis)) } else { Err(refuse()) }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => f.write_str("9999-12-30T22:00:00Z"),
        }
    }
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl FromStr for Duration {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse_duration(text).ok_or_else(|| TimeError::Duration { text: text.to_owned() })
    }
}

/// Numbers with units, each unit at most once and the larger before the smaller.
fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0_u64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*millis)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(Duration(total))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, millis) in UNITS {
            if rest >= millis {
                write!(f, "{}{unit}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

/// Text in JSON, for both types of this file.
macro_rules! serde_as_text {
    ($type:ty, $expecting:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct FromText;
                impl de::Visitor<'_> for FromText {
                    type Value = $type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(FromText)
            }
        }
    };
}
pub(crate) use serde_as_text;

serde_as_text!(Instant, "an RFC 3339 instant");
serde_as_text!(Duration, "a duration such as `5m`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write_the_same_text() {
        for text in ["30s", "1h30m", "2d", "250ms", "1d2h3m4s5ms", "0s"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_duration_without_unit_or_out_of_order_is_refused() {
        for text in ["", "5", "m", "5m1h", "1h1h", "-5m", "1.5h", "5 m", "99999999999999999999d", "5M"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_are_utc_milliseconds() {
        let parse = |text: &str| text.parse::<Instant>();
        assert_eq!(parse("2026-11-23T12:00:00.1239Z").unwrap().to_string(), "2026-11-23T12:00:00.123Z");
        assert_eq!(parse("2026-11-23T13:00:00+01:00"), parse("2026-11-23T12:00:00Z"));
        for text in ["1969-12-31T23:59:59Z", "2026-11-23", "now", "2026-11-23T12:00:00", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(Instant::MAX.to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn since_is_zero_for_the_future() {
        let (early, late) = (Instant::from_millis(1), Instant::from_millis(5));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Instant::MAX.plus(Duration::from_millis(u64::MAX)), Instant::MAX);
    }
}
