//! Counts of events and requests.

use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;

/// A number of events: an integer from 0 to 2^53 − 1.
///
/// The upper bound is that of I-JSON (RFC 7493 §2.2), so that a count survives
/// every JSON implementation and the canonical form of a record.
///
/// ```
/// use davy::Count;
/// assert_eq!(Count::new(19)?.get(), 19);
/// assert!(Count::new(u64::MAX).is_err());
/// # Ok::<(), davy::CountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Count(u64);

/// A number that is too large to be a [`Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("S012: a count must be at most 9007199254740991 (2^53 - 1), not {0}")]
pub struct CountError(u64);

impl Count {
    /// The largest count, 2^53 − 1.
    pub const MAX: Count = Count((1 << 53) - 1);
    /// No events.
    pub const ZERO: Count = Count(0);

    /// Checks the range.
    ///
    /// # Errors
    /// [`CountError`] above [`Count::MAX`].
    pub const fn new(value: u64) -> Result<Self, CountError> {
        if value > Self::MAX.0 { Err(CountError(value)) } else { Ok(Self(value)) }
    }

    /// The plain integer.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or [`Count::MAX`] where it would be larger: a total over replicas
    /// that large is a broken source, and the bound keeps later arithmetic exact.
    #[must_use]
    pub const fn saturating_add(self, other: Count) -> Count {
        let sum = self.0.saturating_add(other.0);
        if sum > Self::MAX.0 { Self::MAX } else { Count(sum) }
    }

    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Count) -> Count {
        Count(self.0.saturating_sub(other.0))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl de::Visitor<'_> for Whole {
            type Value = Count;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number from 0 to 2^53 - 1")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Count, E> {
                Count::new(value).map_err(E::custom)
            }
        }
        deserializer.deserialize_u64(Whole)
    }
}

impl TryFrom<u64> for Count {
    type Error = CountError;
    fn try_from(value: u64) -> Result<Self, CountError> {
        Self::new(value)
    }
}

impl From<Count> for u64 {
    fn from(count: Count) -> u64 {
        count.0
    }
}

impl From<u32> for Count {
    fn from(value: u32) -> Self {
        Self(u64::from(value))
    }
}

/// Digits in groups of three, as people read them: `1 204`.
impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.to_string();
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                f.write_str("\u{202f}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes_for_people() {
        let text = |n: u64| Count::new(n).unwrap().to_string();
        assert_eq!(text(0), "0");
        assert_eq!(text(999), "999");
        assert_eq!(text(1204), "1\u{202f}204");
        assert_eq!(text(1_000_000), "1\u{202f}000\u{202f}000");
    }

    #[test]
    fn a_count_beyond_two_to_the_fifty_third_is_refused() {
        assert!(Count::new((1 << 53) - 1).is_ok());
        assert!(Count::new(1 << 53).is_err());
        assert_eq!(Count::MAX.saturating_add(Count::from(1)), Count::MAX);
    }
}
