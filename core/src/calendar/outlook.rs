//! What comes next: when a closed change may go on, and when an open one may no longer.

use serde::{Deserialize, Serialize};

use super::precedence::{Change, Ruling, rule_with};
use super::window::{Phase, Precedence, Window};
use crate::{Duration, Instant};

/// How far ahead is looked: a year and a month.
pub const HORIZON: Duration = Duration::from_minutes(400 * 24 * 60);
/// How many changes of windows are gone through.
const MOST_CHANGES: u32 = 20_000;

/// The present ruling, and the next that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Whether the change may go on now.
    pub ruling: Ruling,
    /// When that turns into its opposite.
    pub turns: Turn,
}

/// The next time that closed becomes open, or open closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Turn {
    /// At this instant, and then by this rule.
    At {
        /// When.
        at: Instant,
        /// The ruling from then on.
        ruling: Ruling,
    },
    /// No window ever changes again.
    Never,
    /// Not within the horizon.
    NotBefore(Instant),
}

impl Turn {
    /// The instant, if there is one.
    #[must_use]
    pub const fn at(self) -> Option<Instant> {
        match self {
            Self::At { at, .. } => Some(at),
            Self::Never | Self::NotBefore(_) => None,
        }
    }
}

/// Rules now, and looks ahead up to [`HORIZON`] for when that changes, with nothing but time passing.
///
/// What is found is exact: the change is ruled anew at every instant at which any window begins, ends or changes. After
/// 20 000 of those the search ends early with [`Turn::NotBefore`].
#[must_use]
pub fn outlook(windows: &[&Window], change: &Change<'_>, now: Instant) -> Outlook {
    let mut phases: Vec<(&Window, Phase)> = windows.iter().map(|window| (*window, window.phase(now))).collect();
    outlook_with(&mut phases, change, now)
}

/// The same, of windows whose phases are known.
pub(crate) fn outlook_with(phases: &mut [(&Window, Phase)], change: &Change<'_>, now: Instant) -> Outlook {
    let ruling = rule_with(phases, change, now);
    let end = now.plus(HORIZON);
    let mut at = now;
    let mut left = MOST_CHANGES;
    while left > 0 {
        let Some(next) = phases.iter().filter_map(|(_, phase)| phase.changes).min() else {
            return Outlook { ruling, turns: Turn::Never };
        };
        if next > end {
            return Outlook { ruling, turns: Turn::NotBefore(end) };
        }
        at = next;
        let mut differs = false;
        for (window, phase) in phases.iter_mut().filter(|(_, phase)| phase.changes == Some(next)) {
            left = left.saturating_sub(1);
            let then = window.phase(next);
            // Argo reads even the past with the offset of now, which may be what changes.
            differs |= (then.valid, then.open.is_some()) != (phase.valid, phase.open.is_some())
                || window.precedence == Precedence::ArgoCompat;
            *phase = then;
        }
        if differs {
            let then = rule_with(phases, change, at);
            if then.is_open() != ruling.is_open() {
                return Outlook { ruling, turns: Turn::At { at, ruling: then } };
            }
        }
    }
    Outlook { ruling, turns: Turn::NotBefore(at) }
}
