//! Bad events of all events: what every ratio of an SLO is made of.

use thiserror::Error;

use crate::Count;

/// Bad events of all events in one window.
///
/// Counts are exact. Amounts that were extrapolated, as by [`increase`](super::increase), need not be whole.
/// No event at all is *no traffic*: it has no ratio, which is not a ratio of zero.
///
/// ```
/// use davy::Count;
/// use davy::slo::Events;
///
/// let events = Events::of_bad(Count::from(3), Count::from(1204))?;
/// assert_eq!(events, Events::of_good(Count::from(1201), Count::from(1204))?);
/// assert_eq!(events.ratio(), Some(3.0 / 1204.0));
/// assert_eq!(Events::of_bad(Count::ZERO, Count::ZERO)?.ratio(), None);
/// # Ok::<(), davy::slo::EventsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Events {
    bad: f64,
    total: f64,
}

/// Numbers that are no events.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum EventsError {
    /// NaN, infinite, negative or above [`MAX_VALUE`](super::MAX_VALUE).
    #[error("B011: {value} is not a number of events")]
    Value {
        /// What was given.
        value: f64,
    },
    /// More of a part than of the whole.
    #[error("B012: {part} good or bad events of {total}")]
    MoreThanTotal {
        /// Good or bad events.
        part: f64,
        /// All events.
        total: f64,
    },
}

/// How much of an amount may be rounding: a part may exceed the whole by so much of it, and an amount so
/// near to a whole number is that number.
const ROUNDING: f64 = 1e-9;

impl Events {
    /// From counts of bad and all events.
    ///
    /// # Errors
    /// [`EventsError::MoreThanTotal`].
    pub fn of_bad(bad: Count, total: Count) -> Result<Self, EventsError> {
        Self::of_bad_amount(amount(bad), amount(total))
    }

    /// From counts of good and all events.
    ///
    /// # Errors
    /// [`EventsError::MoreThanTotal`].
    pub fn of_good(good: Count, total: Count) -> Result<Self, EventsError> {
        Self::of_good_amount(amount(good), amount(total))
    }

    /// From counts of good and of bad events; beyond [`Count::MAX`] the sum stays there.
    #[must_use]
    pub fn of_both(good: Count, bad: Count) -> Self {
        Self { bad: amount(bad), total: amount(good.saturating_add(bad)) }
    }

    /// From amounts of bad and all events, not necessarily whole.
    ///
    /// Where `bad` exceeds `total` by no more than rounding does (10^-9 of it), all events are bad.
    ///
    /// # Errors
    /// [`EventsError`] for NaN, infinite or negative amounts, and for more bad events than events.
    pub fn of_bad_amount(bad: f64, total: f64) -> Result<Self, EventsError> {
        for value in [bad, total] {
            if !(0.0..=super::MAX_VALUE).contains(&value) {
                return Err(EventsError::Value { value });
            }
        }
        // Counts are whole, so for them no excess passes as rounding below 10^9; above, compare first.
        let excess = bad - total;
        let is_rounding = !(Self::is_whole(bad) && Self::is_whole(total)) && excess <= total * ROUNDING;
        if excess > 0.0 && !is_rounding {
            return Err(EventsError::MoreThanTotal { part: bad, total });
        }
        Ok(Self { bad: bad.min(total), total })
    }

    /// From amounts of good and all events, not necessarily whole.
    ///
    /// # Errors
    /// As [`Events::of_bad_amount`].
    pub fn of_good_amount(good: f64, total: f64) -> Result<Self, EventsError> {
        let Self { bad: good, total } = Self::of_bad_amount(good, total)?;
        Ok(Self { bad: total - good, total })
    }

    /// Bad events, at most [`Events::total`].
    #[must_use]
    pub const fn bad(self) -> f64 {
        self.bad
    }

    /// All events.
    #[must_use]
    pub const fn total(self) -> f64 {
        self.total
    }

    /// Bad events per event, from 0 to 1; nothing without traffic.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        (self.total > 0.0).then(|| self.bad / self.total)
    }

    /// The whole bad events and events that surely happened: bad ones rounded down, all of them up.
    pub(super) fn surely(self) -> (f64, f64) {
        let near = |amount: f64| Some(amount.round()).filter(|whole| (whole - amount).abs() <= whole * ROUNDING);
        let total = near(self.total).unwrap_or(self.total.ceil());
        (near(self.bad).unwrap_or(self.bad.floor()).min(total), total)
    }

    /// Whether the amount is a [`Count`].
    pub(super) fn is_whole(amount: f64) -> bool {
        amount.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&amount)
    }

    /// The whole part of an amount.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the whole part, held within u64")]
    pub(super) const fn whole(amount: f64) -> u64 {
        amount as u64
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count is at most 2^53 - 1")]
const fn amount(count: Count) -> f64 {
    count.get() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_events_is_refused() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            assert!(matches!(Events::of_bad_amount(value, 1.0), Err(EventsError::Value { .. })), "{value}");
            assert!(matches!(Events::of_good_amount(0.0, value), Err(EventsError::Value { .. })), "{value}");
        }
    }

    #[test]
    fn a_part_exceeds_the_whole_by_rounding_at_most() {
        assert_eq!(Events::of_bad_amount(100.000_000_000_1, 100.0).map(Events::bad), Ok(100.0));
        assert_eq!(Events::of_good_amount(0.300_000_000_000_000_04, 0.3).map(Events::bad), Ok(0.0));
        assert!(Events::of_bad_amount(100.1, 100.0).is_err());
        assert!(Events::of_bad_amount(0.1, 0.0).is_err());
        let billion = 1_000_000_000_000;
        let count = |count| Count::new(count).unwrap();
        assert!(Events::of_bad(count(billion + 1), count(billion)).is_err(), "counts have no rounding");
    }

    #[test]
    fn all_ways_to_count_agree() {
        let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total));
        assert_eq!(Ok(Events::of_both(Count::from(7), Count::from(3))), of(3, 10));
        assert_eq!(Events::of_good(Count::from(7), Count::from(10)), of(3, 10));
        assert_eq!(Events::of_both(Count::MAX, Count::MAX).ratio(), Some(1.0));
    }

    #[test]
    fn amounts_are_rounded_so_that_less_is_proved() {
        let surely = |bad, total| Events::of_bad_amount(bad, total).unwrap().surely();
        assert_eq!(surely(2.9, 10.1), (2.0, 11.0));
        assert_eq!(surely(2.999_999_999_999_9, 10.000_000_000_000_1), (3.0, 10.0));
        assert_eq!(surely(0.4, 0.4), (0.0, 1.0));
    }
}
