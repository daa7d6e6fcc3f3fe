//! What was counted in one interval: events among the requests of the canary and of the baseline.

use thiserror::Error;

use crate::Count;

/// Events among requests: errors, slow requests, failed probe runs. At most as many events as requests.
///
/// ```
/// use davy::Count;
/// use davy::stats::Arm;
///
/// let errors = Arm::new(Count::from(19), Count::from(1204))?;
/// assert_eq!(errors.events().get(), 19);
/// assert!(Arm::new(Count::from(5), Count::from(4)).is_err());
/// # Ok::<(), davy::stats::ArmError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arm {
    events: Count,
    total: Count,
}

/// One interval of one metric: the canary's requests beside the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The new revision's traffic.
    pub canary: Arm,
    /// The stable traffic that it is compared with.
    pub baseline: Arm,
}

/// Events over an exposure, such as restarts over pod hours. There can be more events than exposure.
///
/// ```
/// use davy::Count;
/// use davy::stats::Exposed;
///
/// let restarts = Exposed::new(Count::from(3), 0.5)?;   // three in half a pod hour
/// assert_eq!(restarts.events().get(), 3);
/// # Ok::<(), davy::stats::ArmError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposed {
    events: Count,
    exposure: f64,
}

/// Counts that nothing can have counted.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum ArmError {
    /// More events than requests.
    #[error("E001: {events} events among {total} requests; count each request at most once")]
    MoreEventsThanRequests {
        /// Events.
        events: u64,
        /// Requests.
        total: u64,
    },
    /// An exposure that is not a plain number.
    #[error("E002: an exposure must be a number from 0 to 1e15, not {0}")]
    Exposure(f64),
}

/// The largest exposure.
const MOST_EXPOSURE: f64 = 1e15;

impl Pair {
    /// An interval without any traffic.
    pub(crate) const EMPTY: Self = Self { canary: Arm::EMPTY, baseline: Arm::EMPTY };
}

impl Arm {
    const EMPTY: Self = Self { events: Count::ZERO, total: Count::ZERO };

    /// So many events among so many requests.
    ///
    /// # Errors
    /// [`ArmError::MoreEventsThanRequests`].
    pub const fn new(events: Count, total: Count) -> Result<Self, ArmError> {
        if events.get() > total.get() {
            return Err(ArmError::MoreEventsThanRequests { events: events.get(), total: total.get() });
        }
        Ok(Self { events, total })
    }

    /// Requests that were events.
    #[must_use]
    pub const fn events(self) -> Count {
        self.events
    }

    /// All requests.
    #[must_use]
    pub const fn total(self) -> Count {
        self.total
    }

    /// Events and requests as doubles, which counts below 2^53 are exactly.
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    pub(super) const fn as_f64(self) -> (f64, f64) {
        (self.events.get() as f64, self.total.get() as f64)
    }
}

impl Exposed {
    /// So many events over so much exposure, in any unit that is the same for all that is compared.
    ///
    /// # Errors
    /// [`ArmError::Exposure`] for less than nothing, more than 1e15, or no number.
    pub fn new(events: Count, exposure: f64) -> Result<Self, ArmError> {
        if (0.0..=MOST_EXPOSURE).contains(&exposure) {
            Ok(Self { events, exposure })
        } else {
            Err(ArmError::Exposure(exposure))
        }
    }

    /// How many happened.
    #[must_use]
    pub const fn events(self) -> Count {
        self.events
    }

    /// Over how much exposure.
    #[must_use]
    pub const fn exposure(self) -> f64 {
        self.exposure
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    pub(super) const fn as_f64(self) -> (f64, f64) {
        (self.events.get() as f64, self.exposure)
    }
}
