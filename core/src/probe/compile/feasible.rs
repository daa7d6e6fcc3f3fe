//! Whether a schedule can keep its objectives: P009, P017, P018 and P025.
//!
//! P025: of `n` runs in a burn window, one that fails is a burn rate of `1 / (n · (1 − objective))`. Where that
//! reaches the rate that pages, one unlucky run calls a person, or fails a release. Counted is where a burn window has
//! most runs: just after the schedule's windows open, it has fewer whatever the schedule is.

use crate::document::decode::Report;
use crate::document::diagnostic::DiagnosticCode as Code;
use crate::document::probe::{Schedule, SloBinding};
use crate::probe::plan::SchedulePlan;
use crate::slo::{Pair, Scaling, Urgency};
use crate::{Count, Duration, Share};

/// Checks the schedule against what a run may take at most and where it runs.
pub(super) fn schedule(schedule: &Schedule, plan: &SchedulePlan, worst: Duration, report: &mut Report) {
    let (every, timeout) = (&schedule.every, schedule.timeout());
    if every.value.is_zero() || timeout.is_zero() {
        report.error(Code::Range, &every.position, "`every` and `timeout` must be longer than nothing", None);
        return;
    }
    let whole = timeout.plus(schedule.teardown_timeout());
    if whole > every.value {
        let message =
            format!("a run may take {whole} with its teardown, longer than the {} until the next", every.value);
        let position = schedule.timeout.as_ref().map_or(&every.position, |timeout| &timeout.position);
        report.error(
            Code::ProbeTime,
            position,
            message,
            "lower `timeout` or `teardownTimeout`, or raise `every`".to_owned(),
        );
    }
    if worst > timeout {
        let message =
            format!("with every attempt at its limit the steps take {worst}, and the run ends after {timeout}");
        let position = schedule.timeout.as_ref().map_or(&schedule.position, |timeout| &timeout.position);
        let hint = "lower the steps' `timeout`, `attempts` or `maxElapsed`, or raise the schedule's `timeout`";
        report.warn(Code::ProbeTime, position, message, hint);
    }
    if schedule.jitter.as_ref().is_none_or(|jitter| jitter.value == Share::ZERO) {
        let message = "without jitter all probers strike at the same moment";
        report.warn(Code::ProbeJitter, &schedule.position, message, "add `jitter: 20%`");
    }
    let locations = plan.places();
    if let Some(quorum) = &schedule.quorum {
        let quorum = &quorum.value;
        let (fail, of) = (quorum.fail.value.get(), quorum.of.value.get());
        if of > locations || fail > of || fail == 0 {
            let message = format!("{fail} of {of} cannot be reached with {locations} locations");
            let hint = "`fail` is at most `of`, and `of` at most the number of locations".to_owned();
            report.error(Code::ProbeQuorum, &quorum.position, message, hint);
        }
    }
}

/// Checks that one failed run does not page.
pub(super) fn objective(slo: &SloBinding, schedule: &SchedulePlan, report: &mut Report) {
    let (period, budget) = (slo.period.value, slo.objective.value.budget());
    if schedule.every.is_zero() {
        return;
    }
    let Ok(pairs) = Pair::workbook(period, Scaling::Thresholds) else {
        let message = format!("a budget of {period} is shorter than the windows that watch over it");
        report.error(Code::Range, &slo.period.position, message, "use at least `3d`".to_owned());
        return;
    };
    for (_, pair) in pairs.into_iter().filter(|(urgency, _)| *urgency == Urgency::Page) {
        let runs = Count::new(schedule.most_runs_within(pair.long)).unwrap_or(Count::MAX);
        let needed = pair.threshold.minimum_total(budget, Count::from(1));
        if needed.is_some_and(|needed| runs >= needed) {
            continue;
        }
        let message = match needed {
            Some(needed) => {
                let burn = budget.single_error_burn_rate(runs);
                let burn =
                    burn.map_or_else(|| "infinite".to_owned(), |burn| format!("{}", (burn * 100.0).round() / 100.0));
                let (long, limit) = (pair.long, pair.threshold.as_f64());
                format!(
                    "one failed run pages: it is one of {} in {long}, a burn rate of {burn}, and {limit} pages; {} runs are needed",
                    runs.get(),
                    needed.get(),
                )
            }
            None => "an objective of 100% lets no run fail, and every failure pages".to_owned(),
        };
        let hint = hint(needed, pair.long, schedule);
        report.error(Code::ProbeInfeasible, &slo.objective.position, message, hint);
        return;
    }
}

fn hint(needed: Option<Count>, window: Duration, schedule: &SchedulePlan) -> String {
    let open = schedule.windows.most_open_within(window);
    let per_location = needed.map(|needed| needed.get().div_ceil(schedule.places_at_once()).max(1));
    match per_location.map(|runs| open.millis() / runs / 1000).filter(|seconds| *seconds > 0) {
        Some(seconds) => format!(
            "run it at least every {}, or from more locations, or lower the objective",
            Duration::from_secs(seconds)
        ),
        None => "run it from more locations, or lower the objective".to_owned(),
    }
}
