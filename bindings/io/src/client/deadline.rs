//! One end of waiting for everything that is done for it.

use std::time::{Duration, Instant};

/// The instant at which waiting ends, over all requests and attempts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now; at most a day.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self(Instant::now() + time.min(DAY))
    }

    /// What is left; nothing at the deadline and after it.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}
