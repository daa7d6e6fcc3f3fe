//! Whether an error budget burns too fast, and whose fault it is.
//!
//! Judged on the whole service. What burns fails the release only where, in the short window, the canary
//! burns and the baseline does not, or where a live release without a baseline began to burn.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Look;
use super::windows::{Answer, Found, Windows, judge_pair};
use crate::decision::{Amount, Burned, Cause, Finding, Flip, FlipBound, FlipOf, HoldKind, NoFlip, Outside, WindowSeen};
use crate::document::ThinTraffic;
use crate::policy::{BudgetPlan, ObjectivePlan, SloPlan};
use crate::slo::{Condition, Urgency};
use crate::snapshot::{Asked, Cohort, Stage};
use crate::{Count, Duration, Name};

/// How soon asking again may find more.
const RETRY: Duration = Duration::from_minutes(1);

/// A pair that was not calm when it was last looked at before the live stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Uneasy {
    slo: Name,
    objective: NonZeroU32,
    long: Duration,
    short: Duration,
}

/// The findings, and the pairs that were not calm before the live stage: what burned already is not the
/// release's fault. `before` is what the last look left.
pub(crate) fn judge(
    look: Look<'_>,
    windows: &[Windows<'_>],
    before: Option<&[Uneasy]>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Uneasy>> {
    let plan = look.policy.budget.as_ref()?;
    let before: Option<BTreeSet<&Uneasy>> = before.map(|before| before.iter().collect());
    let was_uneasy = |pair: &Uneasy| before.as_ref().is_none_or(|before| before.contains(pair));
    let mut uneasy = Vec::new();
    for (slo, windows) in plan.slos.iter().zip(windows) {
        let mut said: Vec<Finding> = Vec::new();
        for objective in &slo.objectives {
            for (urgency, condition) in &objective.pairs {
                let pair = PairLook { look, plan, slo, objective, windows, condition, urgency: *urgency };
                let answer = pair.answer();
                let mut burned_before = false;
                if answer != Answer::Calm {
                    let pair = pair.as_uneasy();
                    burned_before = was_uneasy(&pair);
                    uneasy.push(pair);
                }
                pair.say(answer, burned_before, &mut said);
            }
        }
        findings.append(&mut said);
    }
    if look.snapshot.stage == Stage::Live {
        // Calm once, and it is the release's fault when it burns again.
        uneasy.retain(was_uneasy);
    }
    Some(uneasy)
}

/// One pair of one objective, and where to look.
#[derive(Clone, Copy)]
struct PairLook<'a> {
    look: Look<'a>,
    plan: &'a BudgetPlan,
    slo: &'a SloPlan,
    objective: &'a ObjectivePlan,
    windows: &'a Windows<'a>,
    condition: &'a Condition,
    urgency: Urgency,
}

impl PairLook<'_> {
    fn seen(&self, cohort: Option<Cohort>, length: Duration) -> Found {
        self.windows.rolling(self.slo, self.objective.number, cohort, length)
    }

    fn both(&self) -> (Found, Found) {
        let pair = self.condition.pair();
        (self.seen(None, pair.long), self.seen(None, pair.short))
    }

    fn answer(&self) -> Answer {
        let (long, short) = self.both();
        judge_pair(self.condition, &long, &short, &self.slo.guards, self.look.snapshot.now)
    }

    fn as_uneasy(&self) -> Uneasy {
        let pair = self.condition.pair();
        Uneasy { slo: self.slo.name.clone(), objective: self.objective.number, long: pair.long, short: pair.short }
    }

    /// Adds what is found; of several findings with one code the strictest is kept, and calm is said of an
    /// SLO of which nothing else is.
    fn say(&self, answer: Answer, burned_before: bool, said: &mut Vec<Finding>) {
        if answer == Answer::Calm {
            match said.first_mut() {
                None => said.push(self.finding(answer, burned_before)),
                Some(calm) => self.nearer(calm),
            }
            return;
        }
        said.retain(|finding| !matches!(finding.cause, Cause::BurnCalm { .. }));
        let finding = self.finding(answer, burned_before);
        match said.iter_mut().find(|known| known.code() == finding.code()) {
            Some(known) if known.outcome < finding.outcome => *known = finding,
            Some(_) => {}
            None => said.push(finding),
        }
    }

    /// Of several calm pairs, the one that is nearest to burning is shown.
    fn nearer(&self, calm: &mut Finding) {
        let Cause::BurnCalm { nearest } = &calm.cause else { return };
        let near = |burned: &Burned| {
            let ratios = burned.long.ratio().zip(burned.short.ratio());
            ratios.map_or(0.0, |(long, short)| long.min(short) / burned.limit)
        };
        if near(&self.burned()) > near(nearest) {
            *calm = self.finding(Answer::Calm, false);
        }
    }

    fn finding(&self, answer: Answer, burned_before: bool) -> Finding {
        let burned = self.burned();
        let finding = match answer {
            Answer::Calm => Finding::pass(Cause::BurnCalm { nearest: burned }),
            Answer::Burning => self.burning(burned, burned_before),
            Answer::Unclear(why) if why.is_thin() => {
                let cause = Cause::BurnThin { burned, why };
                match self.plan.thin_traffic {
                    ThinTraffic::Hold => Finding::hold(HoldKind::Waiting, cause).retry_after(RETRY),
                    ThinTraffic::Pass => Finding::pass(cause),
                }
                .no_flip(NoFlip::NotOneNumber)
            }
            Answer::Unclear(why) => {
                let finding = Finding::hold(HoldKind::Blind, Cause::BurnUnknown { burned, why });
                finding.retry_after(RETRY).no_flip(NoFlip::NoValue)
            }
        };
        finding.about(&self.slo.name).from(&self.slo.position).outside(Outside::FixedLimit)
    }

    fn burning(&self, burned: Burned, burned_before: bool) -> Finding {
        let flip = self.flip();
        let finding = if !self.plan.attributes(self.urgency) {
            Finding::hold(HoldKind::Blocked, Cause::BurnBurning { burned })
        } else if self.look.policy.has_baseline(self.look.snapshot.stage) {
            self.attributed(burned)
        } else if burned_before {
            Finding::hold(HoldKind::Blocked, Cause::BurnBefore { burned })
        } else {
            Finding::fail(Cause::BurnLive { burned })
        };
        let retry = if finding.outcome == crate::Outcome::Fail { None } else { Some(RETRY) };
        Finding { flip, retry_after: retry, ..finding }
    }

    /// Whose fault it is, by the short window of each cohort.
    fn attributed(&self, burned: Burned) -> Finding {
        let length = self.condition.pair().short;
        let of = |cohort| {
            let seen = self.seen(Some(cohort), length);
            let answer = judge_pair(self.condition, &seen, &seen, &self.slo.guards, self.look.snapshot.now);
            (answer, WindowSeen::new(length, seen.as_ref().ok()))
        };
        let ((canary_burns, canary), (baseline_burns, baseline)) = (of(Cohort::Canary), of(Cohort::Baseline));
        // Before the start there is nothing of the canary to see.
        let started = self.look.snapshot.asked != Asked::Start;
        let missing = |answer: Answer| matches!(answer, Answer::Unclear(why) if started && !why.is_thin());
        let unseen = missing(canary_burns) && (baseline_burns == Answer::Calm || missing(baseline_burns))
            || canary_burns == Answer::Burning && missing(baseline_burns);
        match (canary_burns, baseline_burns) {
            (Answer::Burning, Answer::Calm) => Finding::fail(Cause::BurnCanary { burned, canary, baseline }),
            (Answer::Burning, Answer::Burning) => {
                Finding::hold(HoldKind::Blocked, Cause::BurnShared { burned, canary, baseline })
            }
            // Where missing data hide a failure, whoever watches is blind.
            _ => {
                let kind = if unseen { HoldKind::Blind } else { HoldKind::Blocked };
                Finding::hold(kind, Cause::BurnUnattributed { burned, canary, baseline })
            }
        }
    }

    fn burned(&self) -> Burned {
        let (long, short) = self.both();
        Burned::new(self.objective.number, self.condition, long.as_ref().ok(), short.as_ref().ok())
    }

    /// The most bad events of the short window that do not burn, verified by judging them.
    fn flip(&self) -> Result<Flip, NoFlip> {
        let (long, short) = self.both();
        let seen = short.map_err(|_| NoFlip::NoValue)?;
        let (bad, total) = seen.bad.zip(seen.total).ok_or(NoFlip::NoValue)?;
        let judge = |bad: Count| {
            #[expect(clippy::cast_precision_loss, reason = "a count is at most 2^53 - 1")]
            let with = crate::slo::Measured { bad: Some(bad.get() as f64), ..seen };
            judge_pair(self.condition, &long, &Ok(with), &self.slo.guards, self.look.snapshot.now)
        };
        let last = whole(self.condition.limit() * total).ok_or(NoFlip::NotOneNumber)?;
        let beyond = last.saturating_add(Count::from(1));
        // Rounding may have moved the limit by one.
        let last = if judge(last) == Answer::Calm { last } else { last.saturating_sub(Count::from(1)) };
        if judge(last) != Answer::Calm || judge(beyond) == Answer::Calm {
            return Err(NoFlip::NotOneNumber);
        }
        let observed = whole(bad).filter(|_| bad.fract() <= 0.0).map_or(Amount::Number(bad), Amount::Count);
        Ok(Flip { of: FlipOf::BadEvents, bound: FlipBound::AtMost, value: Amount::Count(last), observed })
    }
}

/// The whole part of an amount.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within u64, then checked")]
fn whole(amount: f64) -> Option<Count> {
    Count::new(amount.floor() as u64).ok()
}
