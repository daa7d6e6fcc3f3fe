//! When a window is open: from its keys to timings.

use super::compile::Compiler;
use super::{effect, not_empty, report_ics};
use crate::calendar::{self, Cron, Effect, Ends, Fold, Gap, Length, Local, Recurrence, Starts, Timing, Zone};
use crate::document::decode::Report;
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{
    CalendarWindow, DateRange, DiagnosticCode as Code, DurationMode, Position, PrecedenceRule, Spanned, WeeklyRange,
    weekday_bits,
};
use crate::{Duration, Name, Text};

/// When a window is open, and what its source says about it.
pub(super) struct Source {
    pub(super) name: Name,
    pub(super) timing: Timing,
    pub(super) summary: Option<Text>,
}

impl Compiler<'_> {
    /// When the window is open: one timing, or one for each range, date or event.
    pub(super) fn sources(&mut self, window: &CalendarWindow, report: &mut Report) -> Vec<Source> {
        let Some(zone) = self.zone(window, report) else { return Vec::new() };
        let rules = Rules::of(window, &zone);
        let own = |timing: Timing| own_of(window, timing);
        if let Some(cron) = &window.cron {
            let length = length_of(window, self.spec.precedence(), report);
            return length
                .map(|length| own(rules.timing(Starts::Cron(cron.value.clone()), Ends::After(length))))
                .into_iter()
                .collect();
        }
        if let (Some(start), Some(end)) = (&window.start_cron, &window.end_cron) {
            if end.value.first_at_or_after(Local::EPOCH).is_none() {
                report.error(
                    Code::Range,
                    &end.position,
                    "the schedule has no time at all",
                    "no day fits it".to_owned(),
                );
            }
            return vec![own(rules.timing(Starts::Cron(start.value.clone()), Ends::At(end.value.clone())))];
        }
        if window.rrule.is_some() {
            return recurring(window, &rules, report).map(own).into_iter().collect();
        }
        let numbered = |parts: Vec<Timing>| {
            let many = parts.len() > 1;
            let name =
                |number: usize| if many { part_name(&window.name.value, number) } else { window.name.value.clone() };
            (1..).zip(parts).map(|(number, timing)| Source { name: name(number), timing, summary: None }).collect()
        };
        if let Some(ranges) = &window.weekly {
            not_empty(ranges, "weekly", report);
            return numbered(ranges.value.iter().filter_map(|range| weekly(range, &rules, report)).collect());
        }
        if let Some(dates) = &window.dates {
            not_empty(dates, "dates", report);
            let timing = |range: &DateRange| {
                let length = step(range.from.value, range.until.value, &range.until.position, report)?;
                let once = Recurrence::new(range.from.value, None, [], []);
                Some(rules.timing(Starts::Recurrence(once), Ends::After(length)))
            };
            return numbered(dates.value.iter().filter_map(timing).collect());
        }
        match &window.ics {
            Some(path) => self.events(window, path, &rules, report),
            None => Vec::new(),
        }
    }

    /// Every event of an iCalendar file.
    fn events(
        &mut self,
        window: &CalendarWindow,
        path: &Spanned<String>,
        rules: &Rules,
        report: &mut Report,
    ) -> Vec<Source> {
        // Paths are relative to the file that names them.
        let folder = path.position.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let file = if folder.is_empty() { path.value.clone() } else { format!("{folder}/{}", path.value) };
        self.used.push(file.clone());
        let ics = match self.documents.ics.get(&file) {
            Some(Some(ics)) => ics,
            // It was refused already.
            Some(None) => return Vec::new(),
            None => {
                let hint = did_you_mean(&file, self.documents.ics.keys().map(String::as_str))
                    .unwrap_or_else(|| "put the file into the bundle".to_owned());
                report.error(Code::Name, &path.position, format!("the bundle has no file `{}`", shown(&file)), hint);
                return Vec::new();
            }
        };
        match ics.events(&rules.zone, rules.gap, rules.fold) {
            Err(error) => {
                report_ics(&file, &error, report);
                Vec::new()
            }
            Ok(events) if events.is_empty() => never(rules).map(|timing| own_of(window, timing)).into_iter().collect(),
            Ok(events) => (1..)
                .zip(events)
                .map(|(number, event)| Source {
                    name: part_name(&window.name.value, number),
                    timing: event.timing,
                    summary: event.summary.and_then(|summary| summary.parse().ok()),
                })
                .collect(),
        }
    }
}

/// What has the window's own name.
fn own_of(window: &CalendarWindow, timing: Timing) -> Source {
    Source { name: window.name.value.clone(), timing, summary: None }
}

/// A file without events is a window that is never open, and not no window: where there is no allow window, everything
/// may go on.
fn never(rules: &Rules) -> Option<Timing> {
    let none = Recurrence::new(Local::EPOCH, None, [], [Local::EPOCH]);
    let length = Length::exact(Duration::ZERO).ok()?;
    Some(rules.timing(Starts::Recurrence(none), Ends::After(length)))
}

/// What a window says of zones, gaps and folds.
struct Rules {
    zone: Zone,
    gap: Gap,
    fold: Fold,
    given: (bool, bool),
}

impl Rules {
    /// The window's policies, or the safe ones.
    fn of(window: &CalendarWindow, zone: &Zone) -> Self {
        let safe = Self::safe(effect(window), zone);
        Self {
            gap: window.gap.as_ref().map_or(safe.gap, |rule| rule.value.gap()),
            fold: window.fold.as_ref().map_or(safe.fold, |rule| rule.value.fold()),
            given: (window.gap.is_some(), window.fold.is_some()),
            ..safe
        }
    }

    /// What is forbidden lasts rather too long, what is allowed rather too short.
    fn safe(effect: Effect, zone: &Zone) -> Self {
        let (gap, fold) = match effect {
            Effect::Deny => (Gap::FirstAfter, Fold::Span),
            Effect::Allow => (Gap::Skip, Fold::First),
        };
        Self { zone: zone.clone(), gap, fold, given: (false, false) }
    }

    fn timing(&self, starts: Starts, ends: Ends) -> Timing {
        // What goes on around the clock happens whenever the clock shows one of its times.
        let around = starts.runs_all_day();
        let gap = if around && !self.given.0 { Gap::Skip } else { self.gap };
        let fold = if around && !self.given.1 { Fold::Both } else { self.fold };
        Timing::new(starts, ends, self.zone.clone(), gap, fold)
    }
}

/// `freezes/3`; a name that is too long keeps its beginning.
fn part_name(name: &Name, number: usize) -> Name {
    let begin: String = name.as_str().chars().take(240).collect();
    format!("{begin}/{number}").parse().unwrap_or_else(|_| name.clone())
}

/// How long a window of `cron` or `rrule` lasts. One of no time at all is Argo CD's: it is there, and never open.
fn length_of(window: &CalendarWindow, precedence: PrecedenceRule, report: &mut Report) -> Option<Length> {
    let Some(duration) = &window.duration else {
        report.error(
            Code::MissingKey,
            &window.position,
            "the key `duration` is missing",
            "such as `duration: 8h`".to_owned(),
        );
        return None;
    };
    let length = match window.duration_mode() {
        DurationMode::Exact => Length::exact(duration.value),
        DurationMode::Wall => Length::wall(duration.value),
    };
    let may_be_nothing = precedence == PrecedenceRule::ArgoCompat;
    let length = length.ok().filter(|_| may_be_nothing || duration.value > Duration::ZERO);
    if length.is_none() {
        let message =
            "a window lasts longer than no time, at most 366 days, and on the clock a whole number of seconds";
        report.error(Code::Range, &duration.position, message, None);
    }
    length
}

/// A step on the clock from one local time to a later one.
fn step(from: Local, until: Local, position: &Position, report: &mut Report) -> Option<Length> {
    let length = from.until(until).and_then(|step| Length::wall(step).ok());
    if length.is_none() {
        let message = format!("`{until}` is not after `{from}`, or more than 366 days");
        report.error(Code::Range, position, message, None);
    }
    length
}

fn recurring(window: &CalendarWindow, rules: &Rules, report: &mut Report) -> Option<Timing> {
    let rule = window.rrule.as_ref()?.value.clone().in_zone(&rules.zone);
    let Some(start) = &window.start else {
        let hint = "the first local time, such as `start: 2026-01-01T09:00`".to_owned();
        report.error(Code::MissingKey, &window.position, "the key `start` is missing", hint);
        return None;
    };
    let length = match (&window.end, &window.duration) {
        (Some(end), Some(_)) => {
            report.error(Code::Choice, &end.position, "`end` and `duration` exclude each other", None);
            return None;
        }
        (Some(end), None) => step(start.value, end.value, &end.position, report)?,
        (None, _) => length_of(window, PrecedenceRule::Strict, report)?,
    };
    let list = |list: &Option<Spanned<Vec<Local>>>| list.as_ref().map_or_else(Vec::new, |list| list.value.clone());
    let counts = rules.counts(&rule);
    let set = Recurrence::counting(start.value, Some(rule), list(&window.rdate), list(&window.exdate), counts);
    Some(rules.timing(Starts::Recurrence(set), Ends::After(length)))
}

impl Rules {
    /// Which local times count for `COUNT`: one that the clock skips does not happen, unless the policy moves it.
    fn counts(&self, rule: &calendar::Rule) -> impl Fn(Local) -> bool + '_ {
        let skips = if rule.runs_all_day() && !self.given.0 { true } else { self.gap == Gap::Skip };
        move |local| !skips || self.zone.shows(local)
    }
}

/// Days of the week and times of day on the clock of a zone, with the safe policies for what the clock does.
pub(crate) fn weekly_in(range: &WeeklyRange, effect: Effect, zone: &Zone, report: &mut Report) -> Option<Timing> {
    weekly(range, &Rules::safe(effect, zone), report)
}

/// Days of the week and times of day, as a step on the clock.
fn weekly(range: &WeeklyRange, rules: &Rules, report: &mut Report) -> Option<Timing> {
    if let Some(days) = range.days.as_ref() {
        not_empty(days, "days", report);
    }
    let (from, until) = (range.from.value.minutes(), range.until.value.minutes());
    if from == 1440 {
        report.error(Code::Range, &range.from.position, "a range begins before `\"24:00\"`", None);
        return None;
    }
    // One that does not end after it begins ends on the next day.
    let minutes = if until > from { until - from } else { until + 1440 - from };
    let length = Length::wall(Duration::from_minutes(minutes.into())).ok()?;
    let starts = Cron::weekly(weekday_bits(range.days.as_ref()), from / 60, from % 60);
    Some(rules.timing(Starts::Cron(starts), Ends::After(length)))
}
