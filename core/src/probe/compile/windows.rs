//! The windows of a schedule.

use crate::calendar::{Effect, Gates, Precedence, Window, Zone};
use crate::document::DiagnosticCode as Code;
use crate::document::decode::Report;
use crate::document::probe::{RunWindowKind, Schedule};
use crate::policy::weekly_in;
use crate::probe::plan::SchedulePlan;
use crate::probe::windows::RunWindows;
use crate::{Duration, Instant};

/// A day has so many minutes.
const DAY: u32 = 1440;

/// Compiles them, for a schedule that is compiled but for them; what is wrong is reported.
pub(super) fn compile(schedule: &Schedule, plan: &SchedulePlan, report: &mut Report) -> RunWindows {
    let Some(given) = &schedule.windows else { return RunWindows::default() };
    let before = report.diagnostics.len();
    let mut windows = Vec::new();
    for window in &given.value {
        if window.weekly.value.is_empty() {
            report.error(
                Code::Choice,
                &window.weekly.position,
                "`weekly` is empty",
                "name at least one range".to_owned(),
            );
        }
        let Ok(zone) = Zone::new(window.zone.value.as_str()) else { continue };
        let effect = match window.kind.value {
            RunWindowKind::Allow => Effect::Allow,
            RunWindowKind::Deny => Effect::Deny,
        };
        for range in &window.weekly.value {
            let (from, until) = (range.from.value.minutes(), range.until.value.minutes());
            let minutes = if until > from { until - from } else { (until + DAY).saturating_sub(from) };
            if effect == Effect::Allow && Duration::from_minutes(minutes.into()) < schedule.every.value {
                let message = format!("a run every {} may never fall into a range of {minutes}m", schedule.every.value);
                report.error(Code::Range, &range.from.position, message, "allow more, or run more often".to_owned());
            }
            let Some(timing) = weekly_in(range, effect, &zone, report) else { continue };
            let Ok(name) = "window".parse() else { continue };
            windows.push(Window {
                name,
                effect,
                hard: false,
                timing,
                manual: false,
                overrun: false,
                gates: Gates::ALL,
                exempt: Vec::new(),
                valid_from: None,
                valid_until: None,
                precedence: Precedence::Strict,
            });
        }
    }
    let windows = RunWindows::new(windows);
    if report.diagnostics.len() > before {
        return windows;
    }
    let turns = if plan.rotate { plan.places() } else { 1 };
    // Every week is like the first.
    if windows.opening(Instant::EPOCH).is_none() {
        let hint = "leave some time open".to_owned();
        report.error(Code::Range, &given.position, "no run ever begins in these windows", hint);
    } else if !windows.are_met_every(plan.every.times(turns)) {
        let (who, hint) = if plan.rotate {
            ("a location", "allow more, run more often, or use `mode: parallel`")
        } else {
            ("the flow", "allow more, or run more often")
        };
        let each = plan.every.times(turns);
        let message = format!("{who} has a turn every {each}, and may never have one in these windows");
        report.error(Code::Range, &given.position, message, hint.to_owned());
    }
    windows
}
