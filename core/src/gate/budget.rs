//! Whether an error budget is spent: a freeze, with hysteresis that outlives the release. Only holds.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Look;
use super::windows::Windows;
use crate::decision::{Amount, Cause, Finding, FlipBound, FlipOf, HoldKind, NoFlip, Unclear};
use crate::document::ThinTraffic;
use crate::policy::{BudgetPlan, ObjectivePlan, SloPlan};
use crate::slo::{Events, Exhaustion, Guards, Measured, Period};
use crate::snapshot::SloWindow;
use crate::{Count, Duration, Instant, Name, Share};

/// How soon asking again may find more.
const RETRY: Duration = Duration::from_minutes(5);

/// A budget that froze releases and has not recovered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Frozen {
    environment: Name,
    slo: Name,
    objective: NonZeroU32,
    since: Instant,
}

/// The findings, and the budgets that are frozen from now on. `before` is what the last look left.
pub(crate) fn judge(
    look: Look<'_>,
    windows: &[Windows<'_>],
    before: &[Frozen],
    findings: &mut Vec<Finding>,
) -> Vec<Frozen> {
    let here = &look.snapshot.release.environment;
    let mut frozen: Vec<Frozen> = before.iter().filter(|frozen| frozen.environment != *here).cloned().collect();
    let Some(plan) = &look.policy.budget else { return frozen };
    let known: BTreeMap<(&Name, NonZeroU32), Instant> = before
        .iter()
        .filter(|frozen| frozen.environment == *here)
        .map(|frozen| ((&frozen.slo, frozen.objective), frozen.since))
        .collect();
    for (slo, windows) in plan.slos.iter().zip(windows) {
        let mut said: Vec<Finding> = Vec::new();
        for objective in &slo.objectives {
            let since = known.get(&(&slo.name, objective.number)).copied();
            let left = Left::of(look, plan, slo, objective, windows);
            let (was_frozen, since) = (since.is_some(), since_when(plan, &left, since, look.snapshot.now));
            frozen.extend(since.map(|since| Frozen {
                environment: here.clone(),
                slo: slo.name.clone(),
                objective: objective.number,
                since,
            }));
            let finding = finding(look, plan, objective.number, left, since, was_frozen);
            let finding = finding.about(&slo.name).from(&plan.position);
            match said.iter_mut().find(|known| known.code() == finding.code()) {
                Some(known) if strictness(&finding) > strictness(known) => *known = finding,
                Some(_) => {}
                None => said.push(finding),
            }
        }
        let held = said.iter().any(|finding| finding.outcome != crate::Outcome::Pass);
        said.retain(|finding| !held || !matches!(finding.cause, Cause::BudgetLeft { .. }));
        findings.append(&mut said);
    }
    frozen.sort();
    frozen
}

/// What is left of a budget.
struct Left {
    /// What was spent of it: 1 is all, and more is possible. One minus it would be rounded again, and a budget of
    /// which exactly as much is left as a freeze ends at would go on being frozen.
    consumed: Result<f64, Unclear>,
    /// How long the rest lasts at the present burn rate.
    lasts: Option<Duration>,
    /// Where the data begin.
    known_from: Option<Instant>,
}

impl Left {
    fn of(look: Look<'_>, plan: &BudgetPlan, slo: &SloPlan, objective: &ObjectivePlan, windows: &Windows<'_>) -> Self {
        let now = look.snapshot.now;
        let span = slo.period.at(now);
        let rolling = matches!(slo.period, Period::Rolling(_));
        let window = match windows.period(objective.number, span, rolling) {
            Ok(window) => window,
            Err(unclear) => return Self { consumed: Err(unclear), lasts: None, known_from: None },
        };
        let measured = window.measured(slo.sparse);
        let events = match measured.events(slo.guards.staleness, now) {
            Ok(events) => events,
            Err(why) => return Self { consumed: Err(why.into()), lasts: None, known_from: window.oldest },
        };
        // The rest of a calendar period is expected to bring as much traffic as its beginning.
        let (elapsed, whole) = (window.end.since(window.from), span.end.since(span.from));
        let expected = if rolling { 1.0 } else { elapsed.as_secs_f64() / whole.as_secs_f64() };
        let consumed =
            objective.budget.consumed(events).map(|consumed| consumed * objective.weight.as_f64() * expected);
        let consumed = match consumed {
            None => Err(Unclear::NoTraffic),
            Some(consumed) => {
                let freezes = is_below(consumed, plan.freeze_below);
                doubt(slo, &measured, events, window, freezes).map_or(Ok(consumed), Err)
            }
        };
        let recent = objective.pairs.first().and_then(|(_, fastest)| {
            let length = fastest.pair().long;
            windows.rolling(slo, objective.number, None, length).ok()?.events(slo.guards.staleness, now).ok()
        });
        let lasts = recent.and_then(|recent| {
            match objective.budget.exhaustion_of_part(objective.weight, events, recent, whole)? {
                Exhaustion::After(duration) => Some(duration),
                Exhaustion::Exhausted | Exhaustion::Never => None,
            }
        });
        Self { consumed, lasts: lasts.filter(|_| rolling), known_from: window.oldest }
    }
}

/// Whether less than this is left.
fn is_below(consumed: f64, left: Share) -> bool {
    consumed > left.complement().as_fraction()
}

/// What speaks against believing what is left, or that it is so little that it `freezes`. Data before the first
/// sample of all are not missing: the service is younger than its budget's period.
///
/// As for a pair of windows, gaps outrank too few events: an error more must not ask less.
fn doubt(slo: &SloPlan, measured: &Measured, events: Events, window: &SloWindow, freezes: bool) -> Option<Unclear> {
    let guards = &slo.guards;
    let thin = too_few(events, guards);
    if freezes && thin.is_none() {
        return None;
    }
    let since = window.oldest.map_or(window.from, |oldest| oldest.clamp(window.from, window.end));
    let lived = window.end.since(since).as_secs_f64();
    let covered = measured.coverage.as_fraction() * window.length().as_secs_f64();
    if covered < guards.coverage.as_fraction() * lived {
        return Some(Unclear::Partial { coverage: measured.coverage });
    }
    thin.filter(|_| freezes)
}

fn too_few(events: Events, guards: &Guards) -> Option<Unclear> {
    let fewest = |count: Count| Events::of_both(count, Count::ZERO).total();
    if events.total() < fewest(guards.events) {
        Some(Unclear::FewEvents { total: events.total() })
    } else if events.bad() < fewest(guards.errors) {
        Some(Unclear::FewErrors { bad: events.bad() })
    } else {
        None
    }
}

/// Since when releases are frozen: what is not known neither begins a freeze nor ends it.
fn since_when(plan: &BudgetPlan, left: &Left, since: Option<Instant>, now: Instant) -> Option<Instant> {
    match (since, left.consumed) {
        (Some(since), Ok(consumed)) => Some(since).filter(|_| is_below(consumed, plan.unfreeze_at)),
        (None, Ok(consumed)) => Some(now).filter(|_| is_below(consumed, plan.freeze_below)),
        (since, Err(_)) => since,
    }
}

fn finding(
    look: Look<'_>,
    plan: &BudgetPlan,
    objective: NonZeroU32,
    left: Left,
    since: Option<Instant>,
    was_frozen: bool,
) -> Finding {
    let Left { consumed, lasts, known_from } = left;
    let part = consumed.map(|consumed| 1.0 - consumed);
    let (below, unfreeze_at) = (plan.freeze_below, plan.unfreeze_at);
    // No number is infinite in a record: a budget of zero is spent infinitely often.
    let finite = part.ok().filter(|left| left.is_finite());
    match (since, part) {
        (Some(since), _) => {
            let class = look.snapshot.release.change_class.as_ref();
            if let Some(class) = class.filter(|class| plan.exempt.contains(class)) {
                return Finding::pass(Cause::BudgetExempt { objective, class: class.clone(), left: finite });
            }
            let cause = Cause::BudgetFrozen { objective, left: finite, below, unfreeze_at, since };
            let finding = Finding::hold(HoldKind::Blocked, cause).retry_after(RETRY);
            match finite {
                Some(left) => {
                    // What would not have begun now would have passed.
                    let enough = if was_frozen { unfreeze_at } else { below };
                    let (value, observed) = (Amount::Number(enough.as_fraction()), Amount::Number(left));
                    finding.flips(FlipOf::BudgetLeft, FlipBound::AtLeast, value, observed)
                }
                None => finding.no_flip(NoFlip::NoValue),
            }
        }
        (None, Ok(left)) => Finding::pass(Cause::BudgetLeft { objective, left, lasts, known_from }),
        (None, Err(why)) if why.is_thin() => {
            let cause = Cause::BudgetThin { objective, why };
            match plan.thin_traffic {
                ThinTraffic::Hold => Finding::hold(HoldKind::Waiting, cause).retry_after(RETRY),
                ThinTraffic::Pass => Finding::pass(cause),
            }
            .no_flip(NoFlip::NotOneNumber)
        }
        (None, Err(why)) => {
            let finding = Finding::hold(HoldKind::Blind, Cause::BudgetUnknown { objective, why });
            finding.retry_after(RETRY).no_flip(NoFlip::NoValue)
        }
    }
}

/// Which of two findings with one code says more: less left.
fn strictness(finding: &Finding) -> (crate::Outcome, i64) {
    let left = match &finding.cause {
        Cause::BudgetLeft { left, .. } => Some(*left),
        Cause::BudgetFrozen { left, .. } => Some(left.unwrap_or(f64::NEG_INFINITY)),
        _ => None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let spent = left.map_or(0, |left| (-left * 1e6) as i64);
    (finding.outcome, spent)
}
