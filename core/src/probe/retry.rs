//! Whether and when an attempt is repeated.

use super::cookies::http_date;
use super::message::{HttpResponse, TransportFault};
use super::plan::RetryPlan;
use super::random::Random;
use crate::document::probe::RetryOn;
use crate::{Duration, Instant};

/// What an attempt ended with.
pub(super) enum Ended<'a> {
    Answer(&'a HttpResponse),
    Fault(TransportFault),
}

/// Whether an attempt that ended so, and failed, is one to repeat.
pub(super) fn applies(plan: &RetryPlan, ended: &Ended<'_>) -> bool {
    plan.on.iter().any(|on| match (on, ended) {
        (RetryOn::Status(range), Ended::Answer(response)) => range.contains(response.status),
        (RetryOn::Expectation, Ended::Answer(_)) => true,
        (RetryOn::Dns, Ended::Fault(fault)) => *fault == TransportFault::NoSuchHost,
        (RetryOn::Connect, Ended::Fault(fault)) => *fault == TransportFault::Connect,
        (RetryOn::Tls, Ended::Fault(fault)) => *fault == TransportFault::Tls,
        (RetryOn::Timeout, Ended::Fault(fault)) => *fault == TransportFault::Timeout,
        (RetryOn::Closed, Ended::Fault(fault)) => {
            matches!(fault, TransportFault::Closed | TransportFault::Malformed)
        }
        _ => false,
    })
}

/// How long to wait behind attempt `attempt`, from 1.
pub(super) fn wait(plan: &RetryPlan, attempt: u32, ended: &Ended<'_>, now: Instant, random: &mut Random) -> Duration {
    let longest = plan.wait(attempt);
    let wait = if plan.full_jitter { Duration::from_millis(random.up_to(longest.millis())) } else { longest };
    let asked = match ended {
        Ended::Answer(response) if plan.respect_retry_after => retry_after(response, now),
        _ => None,
    };
    asked.map_or(wait, |asked| asked.max(wait))
}

/// RFC 9110, section 10.2.3: seconds or a date.
fn retry_after(response: &HttpResponse, now: Instant) -> Option<Duration> {
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => http_date(value).map(|date| date.since(now)),
    }
}
