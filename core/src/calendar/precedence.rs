//! Which window wins: several windows, one answer.

use serde::{Deserialize, Serialize};

use super::window::{Effect, Moment, Phase, Precedence, Window};
use crate::{Instant, Name};

/// A change that wants to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it wants.
    pub moment: Moment,
    /// Whether a person asks for it.
    pub manual: bool,
    /// Its class, such as `security`.
    pub class: Option<&'a Name>,
    /// When it began, if it has begun: windows may let a release finish that began in time.
    pub began: Option<Instant>,
}

/// Whether a change may go on, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ruling {
    /// No window speaks of it.
    Unrestricted,
    /// An allow window is open.
    Within,
    /// A person asks for it, and every window in the way lets that pass.
    Manual,
    /// It began when it could have, and every window in the way lets it finish.
    Overrun,
    /// There are allow windows, and none of them is open.
    Outside,
    /// A freeze is on.
    Frozen,
    /// A freeze without exceptions is on.
    HardFrozen,
}

impl Ruling {
    /// Whether the change may go on.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unrestricted | Self::Within | Self::Manual | Self::Overrun)
    }
}

/// What windows say of a change. The first that hits wins:
///
/// 1. Windows that are not valid, or do not gate what is wanted, say nothing. Without any window left: unrestricted.
/// 2. An open hard freeze: no.
/// 3. Open freezes whose `exempt` does not hold the change's class: yes if it is manual and all of them let that pass,
///    or if all of them let it overrun and it could have begun when it did; otherwise no. A yes goes on to 4, or is final
///    in [`Precedence::ArgoCompat`].
/// 4. An open allow window: yes.
/// 5. Allow windows that exempt the change's class say nothing. If others are left, all closed: yes if manual or overrun,
///    as in 3; otherwise no.
/// 6. Yes.
///
/// Windows of both precedences are ruled apart, and a no of either is a no. Their order means nothing.
#[must_use]
pub fn rule(windows: &[&Window], change: &Change<'_>, now: Instant) -> Ruling {
    let standing = |window: &Window| Standing { valid: window.is_valid(now), open: window.is_open(now, now) };
    let standing: Vec<(&Window, Standing)> = windows.iter().map(|window| (*window, standing(window))).collect();
    rule_with(&standing, change, now)
}

/// What is known of a window at an instant.
pub(super) trait State {
    fn is_valid(&self) -> bool;
    fn is_open(&self) -> bool;
}

#[derive(Clone, Copy)]
struct Standing {
    valid: bool,
    open: bool,
}

impl State for Standing {
    fn is_valid(&self) -> bool {
        self.valid
    }
    fn is_open(&self) -> bool {
        self.open
    }
}

impl State for Phase {
    fn is_valid(&self) -> bool {
        self.valid
    }
    fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

/// The same, where it is known already which windows are valid and open.
pub(super) fn rule_with<S: State>(windows: &[(&Window, S)], change: &Change<'_>, now: Instant) -> Ruling {
    let strict = rule_one(windows, Precedence::Strict, change, now);
    if windows.iter().all(|(window, _)| window.precedence == Precedence::Strict) {
        return strict;
    }
    combine(strict, rule_one(windows, Precedence::ArgoCompat, change, now))
}

/// What the windows of one precedence say.
pub(crate) fn rule_of(
    windows: &[(&Window, Phase)],
    precedence: Precedence,
    change: &Change<'_>,
    now: Instant,
) -> Ruling {
    rule_one(windows, precedence, change, now)
}

/// A no before a yes, and a yes with a reason before one without.
fn combine(strict: Ruling, argo: Ruling) -> Ruling {
    match (strict.is_open(), argo.is_open()) {
        (true, true) if strict == Ruling::Unrestricted => argo,
        (true, false) => argo,
        _ => strict,
    }
}

fn rule_one<S: State>(windows: &[(&Window, S)], precedence: Precedence, change: &Change<'_>, now: Instant) -> Ruling {
    let speaks = |(window, state): &&(&Window, S)| {
        state.is_valid() && window.precedence == precedence && window.gates.has(change.moment)
    };
    let Tally { hard, freezes, within, closed } = Tally::of(windows.iter().filter(speaks), change);
    if hard {
        return Ruling::HardFrozen;
    }
    // Whether the change could have begun when it did.
    let could_begin = || {
        change.began.is_some_and(|began| {
            let then = |(window, _): &(&'_ Window, S)| Standing {
                valid: window.is_valid(began),
                open: window.is_open(began, now),
            };
            let windows: Vec<(&Window, Standing)> = windows.iter().filter(speaks).map(|it| (it.0, then(it))).collect();
            rule_one(&windows, precedence, &Change { began: None, ..*change }, now).is_open()
        })
    };
    let passes = |way: Way| {
        if change.manual && way.manual {
            Some(Ruling::Manual)
        } else if way.overrun && could_begin() {
            Some(Ruling::Overrun)
        } else {
            None
        }
    };
    let mut passed = None;
    if freezes.any {
        match passes(freezes) {
            None => return Ruling::Frozen,
            Some(ruling) if precedence == Precedence::ArgoCompat => return ruling,
            ruling => passed = ruling,
        }
    }
    if within {
        return passed.unwrap_or(Ruling::Within);
    }
    if !closed.any {
        return passed.unwrap_or(Ruling::Unrestricted);
    }
    passes(closed).unwrap_or(Ruling::Outside)
}

/// What stands in the way, and what lets a change go on.
struct Tally {
    /// A hard freeze is on.
    hard: bool,
    /// Other freezes that are on and do not exempt the change.
    freezes: Way,
    /// An allow window is open.
    within: bool,
    /// Allow windows that are closed and do not exempt the change.
    closed: Way,
}

/// Windows in the way of a change.
#[derive(Clone, Copy)]
struct Way {
    /// Whether there is any.
    any: bool,
    /// Whether all of them let pass what a person asks for.
    manual: bool,
    /// Whether all of them let finish what began in time.
    overrun: bool,
}

impl Tally {
    fn of<'a, S: State + 'a>(windows: impl Iterator<Item = &'a (&'a Window, S)>, change: &Change<'_>) -> Self {
        let nothing = Way { any: false, manual: true, overrun: true };
        let mut tally = Self { hard: false, freezes: nothing, within: false, closed: nothing };
        for (window, state) in windows {
            let exempts = || change.class.is_some_and(|class| window.exempt.contains(class));
            match (window.effect, state.is_open()) {
                (Effect::Deny, true) if window.hard => tally.hard = true,
                (Effect::Deny, true) if !exempts() => tally.freezes.add(window),
                (Effect::Allow, true) => tally.within = true,
                (Effect::Allow, false) if !exempts() => tally.closed.add(window),
                _ => {}
            }
        }
        tally
    }
}

impl Way {
    fn add(&mut self, window: &Window) {
        self.any = true;
        self.manual &= window.manual;
        self.overrun &= window.overrun;
    }
}
