//! The windows of a snapshot, sorted to the SLOs of a policy.

use std::num::NonZeroU32;

use crate::decision::Unclear;
use crate::policy::{BudgetPlan, SloPlan};
use crate::slo::{Burn, Condition, Guards, Measured, PeriodSpan};
use crate::snapshot::{Cohort, SloWindow, Snapshot};
use crate::{Duration, Instant, Share};

/// The windows of every SLO of a plan, in its order. Windows of other SLOs are nobody's business.
pub(crate) fn sorted<'a>(plan: &BudgetPlan, snapshot: &'a Snapshot) -> Vec<Windows<'a>> {
    let mut sorted: Vec<Windows<'a>> = plan.slos.iter().map(|_| Windows(Vec::new())).collect();
    // Windows come in runs of one SLO.
    let mut latest = None;
    for window in snapshot.slos.iter().filter(|window| window.end <= snapshot.now) {
        let known = latest.filter(|(name, _)| *name == &window.slo).map(|(_, place)| place);
        let find = || plan.slos.binary_search_by(|slo| slo.name.cmp(&window.slo)).ok();
        let Some(place) = known.or_else(find) else { continue };
        latest = Some((&window.slo, place));
        if let Some(windows) = sorted.get_mut(place) {
            windows.0.push(window);
        }
    }
    sorted
}

/// The windows of one SLO.
pub(crate) struct Windows<'a>(Vec<&'a SloWindow>);

/// A window, if there is one.
pub(crate) type Found = Result<Measured, Unclear>;

impl Windows<'_> {
    /// The newest window of this length.
    pub(crate) fn rolling(
        &self,
        slo: &SloPlan,
        objective: NonZeroU32,
        cohort: Option<Cohort>,
        length: Duration,
    ) -> Found {
        let fits = |window: &SloWindow| window.length() == length;
        self.newest(objective, cohort, fits).map(|window| window.measured(slo.sparse))
    }

    /// The newest window of a budget's period: of the same length, or from the same turn of the calendar.
    pub(crate) fn period(&self, objective: NonZeroU32, span: PeriodSpan, rolling: bool) -> Result<&SloWindow, Unclear> {
        let length = span.end.since(span.from);
        let fits = |window: &SloWindow| if rolling { window.length() == length } else { window.from == span.from };
        self.newest(objective, None, fits)
    }

    fn newest(
        &self,
        objective: NonZeroU32,
        cohort: Option<Cohort>,
        fits: impl Fn(&SloWindow) -> bool,
    ) -> Result<&SloWindow, Unclear> {
        let of = |window: &&SloWindow| window.objective == objective && window.cohort == cohort && fits(window);
        let all = || self.0.iter().copied().filter(of);
        let end = all().map(|window| window.end).max().ok_or(Unclear::NoData)?;
        let mut newest = all().filter(|window| window.end == end);
        let first = newest.next().ok_or(Unclear::NoData)?;
        if newest.all(|other| other == first) { Ok(first) } else { Err(Unclear::Twice) }
    }
}

/// What two windows say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer {
    Burning,
    Calm,
    Unclear(Unclear),
}

/// What a pair says of two windows that may not be there.
pub(crate) fn judge_pair(condition: &Condition, long: &Found, short: &Found, guards: &Guards, now: Instant) -> Answer {
    match condition.judge(&or_nothing(long), &or_nothing(short), guards, now).burn {
        Burn::Burning => Answer::Burning,
        Burn::NotBurning => Answer::Calm,
        Burn::Unknown(why) => {
            let twice = [long, short].contains(&&Err(Unclear::Twice));
            Answer::Unclear(if twice { Unclear::Twice } else { why.into() })
        }
    }
}

/// A window that is not there says nothing.
fn or_nothing(found: &Found) -> Measured {
    found.unwrap_or(Measured { bad: None, total: None, sparse: false, coverage: Share::ZERO, newest: None })
}
