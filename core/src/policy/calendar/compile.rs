//! The windows of one calendar.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::selector::Selects;
use super::{CalendarDocuments, PlannedWindow, effect, keys};
use crate::calendar::{Gates, Window, Zone};
use crate::document::decode::Report;
use crate::document::{CalendarSpec, CalendarWindow, DiagnosticCode as Code, GatedMoment, Spanned, ZoneName};
use crate::{Name, Text};

/// The most windows of a bundle, every event of an iCalendar file counted.
pub(super) const MOST_WINDOWS: usize = 2000;

/// Compiles the windows of one calendar.
pub(super) struct Compiler<'a> {
    pub(super) documents: &'a CalendarDocuments,
    pub(super) spec: &'a CalendarSpec,
    pub(super) name: &'a Name,
    pub(super) zones: &'a mut BTreeMap<ZoneName, Zone>,
    pub(super) used: &'a mut Vec<String>,
    pub(super) left: &'a mut usize,
}

impl Compiler<'_> {
    /// What is compiled of them; everything wrong is reported.
    pub(super) fn windows(&mut self, report: &mut Report) -> Vec<Arc<PlannedWindow>> {
        let mut plans = Vec::new();
        let windows = &self.spec.windows.value;
        for (index, window) in windows.iter().enumerate() {
            let name = &window.name;
            if let Some(first) = windows.iter().take(index).find(|first| first.name.value == name.value) {
                let message =
                    format!("the window `{}` stands twice, first in line {}", name.value, first.name.position.line);
                report.error(Code::Name, &name.position, message, "keep one of them".to_owned());
            }
            if window.whole {
                plans.extend(self.window(window, report));
            }
        }
        plans
    }

    fn window(&mut self, window: &CalendarWindow, report: &mut Report) -> Vec<Arc<PlannedWindow>> {
        let precedence = self.spec.precedence();
        keys::check(window, precedence, report);
        let selector = self.selector(window, report);
        let sources = self.sources(window, report);
        let Some(selector) = selector else { return Vec::new() };
        let gates = window.gates.as_ref().map_or(Gates::ALL, |gates| {
            let has = |moment| gates.value.contains(&moment);
            Gates {
                start: has(GatedMoment::Start),
                advance: has(GatedMoment::Advance),
                promote: has(GatedMoment::Promote),
            }
        });
        if let Some(gates) = window.gates.as_ref().filter(|gates| gates.value.is_empty()) {
            let hint = "leave `gates` out to gate everything".to_owned();
            report.error(Code::Choice, &gates.position, "the window gates nothing", hint);
        }
        let (from, until) =
            (window.valid_from.as_ref().map(|at| at.value), window.valid_until.as_ref().map(|at| at.value));
        if let (Some(from), Some(until)) = (from, &window.valid_until)
            && until.value <= from
        {
            report.error(Code::Range, &until.position, "`validUntil` is not after `validFrom`", None);
        }
        let text = |own: &Option<Spanned<Text>>| own.as_ref().map(|text| text.value.clone());
        let mut plans = Vec::new();
        for source in sources {
            if !source.timing.starts().ever() {
                let hint = "no day fits it; correct the schedule, or remove the window";
                report.warn(
                    Code::LintNeverOpens,
                    &window.position,
                    format!("the window `{}` is never open", source.name),
                    hint,
                );
            }
            let Some(left) = self.left.checked_sub(1) else {
                let message = format!("the bundle has more than {MOST_WINDOWS} windows");
                report.error(
                    Code::Budget,
                    &window.position,
                    message,
                    "split the bundle, or remove past events".to_owned(),
                );
                break;
            };
            *self.left = left;
            plans.push(Arc::new(PlannedWindow {
                calendar: self.name.clone(),
                scope: self.spec.scope(),
                window: Window {
                    name: source.name,
                    effect: effect(window),
                    hard: window.hard(),
                    timing: source.timing,
                    manual: window.manual(),
                    overrun: window.overrun(),
                    gates,
                    exempt: window.exempt.as_ref().map_or_else(Vec::new, |exempt| exempt.value.clone()),
                    valid_from: from,
                    valid_until: until,
                    precedence: precedence.precedence(),
                },
                reason: text(&window.reason).or(source.summary),
                owner: text(&window.owner).or_else(|| text(&self.spec.owner)),
                ticket: text(&window.ticket),
                position: window.position.clone(),
                selector: selector.clone(),
            }));
        }
        plans
    }

    /// The window's selector, or the calendar's; nothing where there is none that could ever fit.
    fn selector(&self, window: &CalendarWindow, report: &mut Report) -> Option<Selects> {
        let Some(selector) = window.selector.as_ref().or(self.spec.selector.as_ref()) else {
            let hint = "add `selector: { everything: true }`, or say whom it concerns".to_owned();
            report.error(Code::Choice, &window.position, "the window does not say whom it concerns", hint);
            return None;
        };
        Selects::compile(&selector.value, report)
    }

    pub(super) fn zone(&mut self, window: &CalendarWindow, report: &mut Report) -> Option<Zone> {
        let Some(name) = window.zone.as_ref().or(self.spec.zone.as_ref()) else {
            let hint = "add `zone: Europe/Berlin`, or `zone: UTC`, to it or to the calendar".to_owned();
            report.error(Code::MissingKey, &window.position, "the window has no time zone", hint);
            return None;
        };
        let zone = match self.zones.get(&name.value) {
            Some(zone) => zone.clone(),
            None => {
                let zone = Zone::new(name.value.as_str()).ok()?;
                self.zones.entry(name.value.clone()).or_insert(zone).clone()
            }
        };
        Some(zone)
    }
}
