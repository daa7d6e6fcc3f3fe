//! When asking again may help, and how long to wait before.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use davy::Instant;

/// How often a request is made in all, and how the pauses between grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all; 1 is no retry.
    pub attempts: u32,
    /// The first pause. Each later one is twice as long; of each, up to a half is left out at random, so that
    /// many clients do not come back together.
    pub pause: Duration,
    /// The longest pause, unless the server names its own.
    pub longest: Duration,
}

impl Default for Retry {
    /// Three attempts, with pauses of a tenth of a second and more.
    fn default() -> Self {
        Self { attempts: 3, pause: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

impl Retry {
    /// How long to wait after so many attempts; nothing where there is no further one.
    pub(super) fn after(self, attempts: u32, asked: Option<Duration>) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        if let Some(asked) = asked {
            return Some(asked);
        }
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let whole = doubled.min(self.longest);
        let random = RandomState::new().build_hasher().finish();
        let part = u32::try_from(random % 1000).unwrap_or(0);
        Some(whole / 2 + whole.saturating_mul(part) / 2000)
    }
}

/// Whether a status says that a later attempt may succeed: too many requests, or a gateway or server that
/// cannot answer now.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// `Retry-After` as a pause: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(value: &str, now: Instant) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    http_date(value).map(|at| Duration::from_millis(at.since(now).millis()))
}

/// A date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
pub(super) fn http_date(value: &str) -> Option<Instant> {
    let timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    Some(Instant::from_millis(timestamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let retry = Retry { attempts: 5, pause: Duration::from_millis(100), longest: Duration::from_millis(300) };
        for (attempts, whole) in [(1, 100), (2, 200), (3, 300), (4, 300)] {
            for _ in 0..20 {
                let pause = retry.after(attempts, None).unwrap().as_millis();
                assert!((whole / 2..=whole).contains(&pause), "{pause} after {attempts}");
            }
        }
        assert_eq!(retry.after(5, None), None);
        assert_eq!(retry.after(5, Some(Duration::ZERO)), None);
    }

    #[test]
    fn a_server_may_name_its_own_pause() {
        let now: Instant = "1994-11-06T08:49:30Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now), Some(Duration::ZERO));
        for garbage in ["", "-1", "soon", "1e3", "99999999999"] {
            assert_eq!(retry_after(garbage, now), None, "{garbage}");
        }
        assert_eq!(Retry::default().after(1, retry_after("9", now)), Some(Duration::from_secs(9)));
    }
}
