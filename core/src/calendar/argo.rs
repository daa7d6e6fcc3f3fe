//! Windows as Argo CD computes them (`SyncWindow.active` of argo-cd 37ee009).
//!
//! Argo adds the offset that the zone has *now* to the time, searches the schedule in UTC for the first start after
//! `time - duration`, and calls the window active if that start is before `time`: the open interval from start to end. A
//! window that the clock's change falls into is therefore an hour too long or too short, one in the gap never opens, and
//! one in the fold opens twice. All of that is reproduced here.

use super::civil::Local;
use super::timing::{Ends, Length, Span, Starts, Timing};
use crate::Instant;

/// Whether the window is open at `at`, read with the offset of `now`.
pub(super) fn is_open(timing: &Timing, at: Instant, now: Instant) -> bool {
    let offset = timing.zone.offset(now.millis().cast_signed());
    started(timing, at, offset).is_some()
}

/// The span that the window is open in, and the first later instant at which that may differ.
pub(super) fn phase(timing: &Timing, at: Instant) -> (Option<Span>, Option<Instant>) {
    let now = at.millis().cast_signed();
    let segment = timing.zone.segment(now);
    let (offset, shown) = (segment.offset, now.saturating_add(segment.offset.saturating_mul(1000)));
    let instant = |shown: i64| Instant::from_millis(shown.saturating_sub(offset.saturating_mul(1000)));
    let (open, changes) = match started(timing, at, offset) {
        Some(_) => {
            // Of several starts the last one ends last.
            let last = timing.starts.last_at_or_before(whole(shown.saturating_sub(1)));
            let start = last.map_or(shown, |last| last.seconds().saturating_mul(1000));
            let span = Span { start: instant(start), end: instant(start.saturating_add(length(timing))) };
            (Some(span), Some(span.end))
        }
        None => {
            let next = timing.starts.first_at_or_after(whole(shown.saturating_add(999)));
            (None, next.map(|next| instant(next.seconds().saturating_mul(1000).saturating_add(1))))
        }
    };
    let jump = (segment.until < i64::MAX).then(|| Instant::from_millis(segment.until));
    (open, [changes, jump].into_iter().flatten().min())
}

/// The start that makes the window open.
fn started(timing: &Timing, at: Instant, offset: i64) -> Option<Local> {
    let shown = at.millis().cast_signed().saturating_add(offset.saturating_mul(1000));
    let after = whole(shown.saturating_sub(length(timing)));
    let start = timing.starts.first_at_or_after(after.plus(1))?;
    (start.seconds().saturating_mul(1000) < shown).then_some(start)
}

/// Argo's windows last for elapsed time; the policy lets no others through.
fn length(timing: &Timing) -> i64 {
    match (&timing.ends, &timing.starts) {
        (Ends::After(Length { exact, .. }), Starts::Cron(_)) => *exact,
        _ => 0,
    }
}

fn whole(millis: i64) -> Local {
    Local::from_seconds(millis.div_euclid(1000))
}
