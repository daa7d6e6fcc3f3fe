//! Change windows and freezes. Only holds, and never what watches.

use serde::Serialize;

use super::Look;
use crate::calendar::{
    Change, Effect, Moment, Outlook, Phase, Precedence, Ruling, TZDB_VERSION, Turn, Window, outlook_with, rule_of,
};
use crate::decision::{Cause, ChangeWindow, Finding, HoldKind, NoFlip, WindowRole};
use crate::policy::{Concerns, PlannedWindow, Whom};
use crate::snapshot::Asked;
use crate::snapshot::Snapshot;
use crate::{Instant, Name};

/// What change windows say of a change: whether it may go on, when that turns, and what each of them does. What a
/// decision finds of them, without a policy around it.
///
/// ```
/// use davy::calendar::{Change, Moment};
/// use davy::{ChangeOutlook, Target, Whom};
///
/// let calendar = "
/// apiVersion: davy/v1
/// kind: Calendar
/// metadata: { name: office-hours }
/// spec:
///   zone: Europe/Berlin
///   selector: { clusters: ['eu-*'] }
///   windows:
///     - { name: weekdays, kind: allow, cron: '0 9 * * MON-FRI', duration: 8h }
/// ";
/// let calendars = davy::Calendars::from_files([("office-hours.yaml", calendar)])?;
/// let change = Change { moment: Moment::Start, manual: false, class: None, began: None };
/// let target = Target { cluster: Some("eu-1".parse()?), ..Target::default() };
/// let whom = Whom { service: None, environment: None, target: &target };
/// let friday_night = "2026-11-27T20:00:00Z".parse()?;
/// let outlook = ChangeOutlook::of(calendars.windows(), whom, &change, friday_night);
/// assert!(!outlook.ruling.is_open());
/// assert_eq!(
///     davy::render::change_sentence(&outlook),
///     "outside `office-hours/weekdays`; it may go on at 2026-11-30T08:00:00Z"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeOutlook {
    /// What the windows that concern the change say together.
    pub ruling: Ruling,
    /// When that turns into its opposite.
    pub turns: Turn,
    /// The windows that concern the change.
    pub windows: Vec<ChangeWindow>,
    /// The windows of which that cannot be told, and which gate what is wanted: a decision holds, blind, for each.
    pub unclear: Vec<UnclearWindow>,
}

/// A window of which it cannot be told whether it concerns a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnclearWindow {
    /// `calendar/window`.
    pub window: Name,
    /// What is not known, as the snapshot spells it.
    pub missing: String,
}

impl ChangeOutlook {
    /// Looks from `now` on, as far as [`HORIZON`](crate::calendar::HORIZON).
    #[must_use]
    pub fn of<'a>(
        windows: impl IntoIterator<Item = &'a PlannedWindow>,
        whom: Whom<'_>,
        change: &Change<'_>,
        now: Instant,
    ) -> Self {
        let Seen { outlook, windows, unclear, .. } = Seen::of(windows, whom, change, now);
        let unclear = unclear.into_iter().map(|(plan, missing)| UnclearWindow { window: plan.id(), missing }).collect();
        Self { ruling: outlook.ruling, turns: outlook.turns, windows, unclear }
    }
}

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let Some(plan) = &look.policy.calendar else { return };
    let snapshot = look.snapshot;
    let Some((whom, change)) = asked(snapshot) else { return };
    let seen = Seen::of(plan.windows.iter().map(AsRef::as_ref), whom, &change, snapshot.now);
    for (window, missing) in &seen.unclear {
        let cause = Cause::CalendarTargetUnknown { missing: missing.clone() };
        findings.push(Finding::hold(HoldKind::Blind, cause).about(&window.id()).from(&window.position));
    }
    findings.push(finding(seen, snapshot.now));
}

/// What there is to see of windows.
struct Seen<'a> {
    outlook: Outlook,
    concerned: Vec<&'a PlannedWindow>,
    /// One for each that concerns the change.
    windows: Vec<ChangeWindow>,
    /// With what is not known.
    unclear: Vec<(&'a PlannedWindow, String)>,
}

impl<'a> Seen<'a> {
    fn of(all: impl IntoIterator<Item = &'a PlannedWindow>, whom: Whom<'_>, change: &Change<'_>, now: Instant) -> Self {
        let (mut concerned, mut unclear) = (Vec::new(), Vec::new());
        for window in all {
            match window.concerns(whom) {
                Concerns::Yes => concerned.push(window),
                // A window that gates something else could not matter.
                Concerns::Unknown(missing) if window.window.gates.has(change.moment) => unclear.push((window, missing)),
                Concerns::Unknown(_) | Concerns::No => {}
            }
        }
        let mut phases: Vec<(&Window, Phase)> =
            concerned.iter().map(|plan| (&plan.window, plan.window.phase(now))).collect();
        let present = phases.clone();
        let outlook = outlook_with(&mut phases, change, now);
        // Windows of both precedences are ruled apart: what the one says is not brought about by those of the other.
        let mixed =
            concerned.windows(2).any(|pair| matches!(pair, [a, b] if a.window.precedence != b.window.precedence));
        let own = |precedence| if mixed { rule_of(&present, precedence, change, now) } else { outlook.ruling };
        let (strict, argo) = (own(Precedence::Strict), own(Precedence::ArgoCompat));
        let windows = concerned
            .iter()
            .zip(&present)
            .map(|(plan, (_, phase))| {
                let own = match plan.window.precedence {
                    Precedence::Strict => strict,
                    Precedence::ArgoCompat => argo,
                };
                seen(plan, *phase, change, Some(outlook.ruling).filter(|ruling| *ruling == own))
            })
            .collect();
        Self { outlook, concerned, windows, unclear }
    }
}

/// Whom a snapshot is about.
pub(crate) fn whom(snapshot: &Snapshot) -> Whom<'_> {
    let Snapshot { release, target, .. } = snapshot;
    Whom { service: Some(&release.service), environment: Some(&release.environment), target }
}

/// Whom a snapshot is about, and what it wants of windows; nothing where it wants to keep what is.
pub(crate) fn asked(snapshot: &Snapshot) -> Option<(Whom<'_>, Change<'_>)> {
    let release = &snapshot.release;
    let (moment, began) = match snapshot.asked {
        Asked::Start => (Moment::Start, None),
        Asked::Advance { .. } => (Moment::Advance, Some(release.started_at)),
        Asked::Promote => (Moment::Promote, Some(release.started_at)),
        Asked::Keep => return None,
    };
    Some((whom(snapshot), Change { moment, manual: snapshot.manual, class: release.change_class.as_ref(), began }))
}

/// `ruling` is what is said of the change, where windows of this one's precedence bring it about.
fn seen(plan: &PlannedWindow, phase: Phase, change: &Change<'_>, ruling: Option<Ruling>) -> ChangeWindow {
    let window = &plan.window;
    let exempt = change.class.is_some_and(|class| window.exempt.contains(class)) && !window.hard;
    let open = phase.open.is_some();
    let role = if !phase.valid {
        WindowRole::NotValid
    } else if !window.gates.has(change.moment) {
        WindowRole::NotGated
    } else {
        match (window.effect, open, ruling) {
            (Effect::Deny, true, _) if exempt => WindowRole::Exempts,
            (Effect::Allow, false, _) if exempt => WindowRole::Exempts,
            (Effect::Deny, true, Some(Ruling::HardFrozen)) if window.hard => WindowRole::Blocks,
            (Effect::Deny, true, Some(Ruling::Frozen)) => WindowRole::Blocks,
            (Effect::Allow, false, Some(Ruling::Outside)) => WindowRole::Blocks,
            (Effect::Allow, true, _) => WindowRole::Allows,
            _ => WindowRole::Silent,
        }
    };
    ChangeWindow {
        window: plan.id(),
        scope: plan.scope,
        effect: window.effect,
        hard: window.hard,
        open: phase.open,
        changes: phase.changes,
        role,
        reason: plan.reason.clone(),
        owner: plan.owner.clone(),
        ticket: plan.ticket.clone(),
    }
}

fn finding(seen: Seen<'_>, now: Instant) -> Finding {
    let Seen { outlook: Outlook { ruling, turns }, concerned, windows, .. } = seen;
    let blocks = |(_, seen): &(&&PlannedWindow, &ChangeWindow)| seen.role == WindowRole::Blocks;
    let first = concerned.iter().zip(&windows).find(blocks).map(|(plan, _)| (plan.id(), plan.position.clone()));
    let tzdb = TZDB_VERSION.to_owned();
    if ruling.is_open() {
        return Finding::pass(Cause::CalendarOpen { ruling, turns, windows, tzdb });
    }
    let cause = match ruling {
        Ruling::HardFrozen => Cause::CalendarHardFrozen { turns, windows, tzdb },
        _ => Cause::CalendarClosed { ruling, turns, windows, tzdb },
    };
    let finding = Finding::hold(HoldKind::Blocked, cause);
    let finding = match turns.at() {
        Some(opens) => finding.until(opens, now),
        None => finding.no_flip(NoFlip::NotANumber),
    };
    match first {
        Some((id, position)) => finding.about(&id).from(&position),
        None => finding,
    }
}
