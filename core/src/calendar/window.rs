//! A window: when it is open, what it means, and whom it concerns.

use serde::{Deserialize, Serialize};

use super::argo;
use super::timing::{Span, Timing};
use crate::{Duration, Instant, Name};

/// What a window means while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Changes may go on in it, and only in it or another such window.
    Allow,
    /// Changes may not go on in it: a freeze.
    Deny,
}

/// How windows are read and weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Precedence {
    /// Exact across changes of the clock, from the first instant on, and adding a freeze never opens anything.
    Strict,
    /// As Argo CD computes: today's offset for everything, the first instant excluded, and a manual sync that active
    /// denies let pass is not held to allow windows.
    ArgoCompat,
}

/// The moments of a release that a window gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gates {
    /// Beginning it.
    pub start: bool,
    /// Giving the canary more traffic.
    pub advance: bool,
    /// Giving it everyone.
    pub promote: bool,
}

/// A moment of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// Beginning it.
    Start,
    /// Giving the canary more traffic.
    Advance,
    /// Giving it everyone.
    Promote,
}

impl Gates {
    /// Every moment.
    pub const ALL: Gates = Gates { start: true, advance: true, promote: true };

    /// Whether a moment is among them.
    #[must_use]
    pub const fn has(self, moment: Moment) -> bool {
        match moment {
            Moment::Start => self.start,
            Moment::Advance => self.advance,
            Moment::Promote => self.promote,
        }
    }
}

/// A change window or a freeze.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its name.
    pub name: Name,
    /// What it means.
    pub effect: Effect,
    /// A freeze without exceptions: neither `manual`, `overrun` nor `exempt` passes it.
    pub hard: bool,
    /// When it is open.
    pub timing: Timing,
    /// Whether a change that a person asks for passes it.
    pub manual: bool,
    /// Whether a release that began when it could have may go on.
    pub overrun: bool,
    /// What it gates.
    pub gates: Gates,
    /// Classes of changes that it does not concern.
    pub exempt: Vec<Name>,
    /// The window does not exist before this.
    pub valid_from: Option<Instant>,
    /// The window does not exist from this on.
    pub valid_until: Option<Instant>,
    /// How it is read and weighed.
    pub precedence: Precedence,
}

/// How many spans that overlap or touch are made one.
const MOST_MERGED: u32 = 10_000;
/// How many are up to the end of a list: a year and a month of minutes.
const MOST_LISTED: u32 = 600_000;

/// A window at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// Whether it exists.
    pub valid: bool,
    /// The span in which it is open.
    pub open: Option<Span>,
    /// The first instant after this one at which any of that may differ; nothing for never.
    pub changes: Option<Instant>,
}

impl Window {
    /// Whether it is open, and when that may change.
    #[must_use]
    pub fn phase(&self, at: Instant) -> Phase {
        if let Some(from) = self.valid_from.filter(|from| at < *from) {
            let exists_ever = self.valid_until.is_none_or(|until| from < until);
            return Phase { valid: false, open: None, changes: exists_ever.then_some(from) };
        }
        if self.valid_until.is_some_and(|until| until <= at) {
            return Phase { valid: false, open: None, changes: None };
        }
        let (open, changes) = match self.precedence {
            Precedence::Strict => match self.timing.active(at) {
                Some(span) => (Some(span), Some(span.end)),
                None => (None, self.timing.next_start(at).map(|span| span.start)),
            },
            Precedence::ArgoCompat => argo::phase(&self.timing, at),
        };
        let changes = [changes.filter(|changes| *changes < Instant::MAX), self.valid_until].into_iter().flatten().min();
        let clip = |span: Span| Span {
            start: self.valid_from.map_or(span.start, |from| from.max(span.start)),
            end: self.valid_until.map_or(span.end, |until| until.min(span.end)),
        };
        Phase { valid: true, open: open.map(clip), changes }
    }

    /// The stretches of time in which it is open without a gap, from `from` on, that begin before `until`. One that is
    /// open at `from` comes first, with its own beginning, wherever `from` lies in it; a run of more than 10 000 spans
    /// has none but the epoch, or the time from which on the window exists.
    pub fn spans(&self, from: Instant, until: Instant) -> impl Iterator<Item = Span> + '_ {
        let mut next = Some(from);
        std::iter::from_fn(move || {
            loop {
                let at = next.filter(|at| *at < until)?;
                let phase = self.phase(at);
                next = phase.changes;
                let Some(first) = phase.open else { continue };
                // Before the others it was closed.
                let start = if at == from { self.beginning(first.start) } else { first.start };
                let (mut end, mut merged) = (first.end, 0);
                // Another one may have begun before this one ends.
                while merged < MOST_MERGED || (merged < MOST_LISTED && end < until) {
                    merged += 1;
                    let then = self.phase(end);
                    next = then.changes;
                    match then.open {
                        Some(more) if more.end > end => end = more.end,
                        _ => break,
                    }
                }
                return Some(Span { start, end });
            }
        })
    }

    /// Where the run began that a span with this start belongs to.
    fn beginning(&self, mut start: Instant) -> Instant {
        for _ in 0..MOST_MERGED {
            // The first instant of a window of Argo's is not in it: there is a gap before it.
            let before = self.phase(start).open.and_then(|_| self.phase(start.minus(Duration::from_millis(1))).open);
            match before {
                Some(earlier) if earlier.start < start => start = earlier.start,
                _ => return start,
            }
        }
        self.valid_from.unwrap_or(Instant::EPOCH)
    }

    /// Whether it is open at `at`, as a decision at `now` reads it: Argo reads the past with today's offset.
    pub(super) fn is_open(&self, at: Instant, now: Instant) -> bool {
        self.is_valid(at)
            && match self.precedence {
                Precedence::Strict => self.timing.active(at).is_some(),
                Precedence::ArgoCompat => argo::is_open(&self.timing, at, now),
            }
    }

    /// Whether it exists at an instant.
    pub(super) fn is_valid(&self, at: Instant) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_until.is_none_or(|until| at < until)
    }
}
