//! One `VEVENT`: when it takes place.

use super::lines::Property;
use super::{Component, Ics, IcsEvent};
use crate::calendar::CalendarError;
use crate::calendar::civil::{DAY, Local};
use crate::calendar::recurrence::{Recurrence, Rule, read_stamp};
use crate::calendar::timing::{Ends, Fold, Gap, Length, Starts, Timing};
use crate::calendar::zone::{Resolved, Zone};
use crate::{Duration, Instant};

/// How the times of a file are read.
pub(super) struct Times<'a> {
    pub(super) file: &'a Ics,
    /// For times without a zone.
    pub(super) zone: &'a Zone,
    pub(super) gap: Gap,
    pub(super) fold: Fold,
}

/// A time of an event.
#[derive(Debug, Clone, PartialEq)]
struct Time {
    local: Local,
    zone: Zone,
    /// Whether it is a day.
    is_date: bool,
}

/// An event as it was read.
pub(super) struct Event {
    pub(super) uid: String,
    pub(super) cancelled: bool,
    /// The occurrence of its series that it replaces.
    pub(super) replaces: Option<Instant>,
    summary: Option<String>,
    line: u32,
    start: Time,
    length: Length,
    rule: Option<Rule>,
    dates: Vec<Local>,
    except: Vec<Local>,
}

impl Time {
    /// RFC 5545, 3.3.5: the offset before a gap, the first time of a fold.
    fn instant(&self) -> i64 {
        match self.zone.resolve(self.local) {
            Resolved::Once(at) | Resolved::Gap { shifted: at, .. } | Resolved::Fold { first: at, .. } => at,
        }
    }

    /// The same on the clock of another zone.
    fn shown_in(&self, zone: &Zone) -> Local {
        if self.zone == *zone || self.is_date { self.local } else { zone.local(Instant::from_millis(self.instant())) }
    }
}

impl Event {
    pub(super) fn read(component: &Component, times: &Times<'_>) -> Result<Self, CalendarError> {
        let line = component.line;
        let once = |name: &str| match (component.get(name), component.all(name).nth(1)) {
            (_, Some(second)) => Err(CalendarError::ics(second.line, format!("a second `{name}`"))),
            (first, None) => Ok(first),
        };
        let start = once("DTSTART")?.ok_or_else(|| CalendarError::ics(line, "the event has no `DTSTART`"))?;
        let start = times.one(start)?;
        let end = once("DTEND")?.map(|property| Ok((times.one(property)?, property.line))).transpose()?;
        let length = match (end, once("DURATION")?) {
            (Some(_), Some(property)) => {
                return Err(CalendarError::ics(property.line, "`DTEND` and `DURATION` exclude each other"));
            }
            (Some((end, line)), None) => between(&start, &end).map_err(|problem| CalendarError::ics(line, problem))?,
            (None, Some(property)) => duration(&property.value).ok_or_else(|| {
                CalendarError::ics(property.line, "it is not a duration such as `PT8H`, of at most 366 days")
            })?,
            (None, None) if start.is_date => Length::new(DAY, Duration::ZERO)?,
            (None, None) => return Err(CalendarError::ics(line, "the event has neither `DTEND` nor `DURATION`")),
        };
        if let Some(property) = component.get("EXRULE") {
            return Err(CalendarError::ics(property.line, "`EXRULE` is not read: write its times as `EXDATE`"));
        }
        let rule = once("RRULE")?.map(|property| {
            let rule =
                property.value.parse::<Rule>().map_err(|error| CalendarError::ics(property.line, error.to_string()))?;
            Ok::<_, CalendarError>(rule.in_zone(&start.zone))
        });
        let status = once("STATUS")?.map(|status| status.value.to_ascii_uppercase());
        let replaces = once("RECURRENCE-ID")?;
        if let Some(property) = replaces.filter(|property| property.parameter("RANGE").is_some()) {
            return Err(CalendarError::ics(property.line, "`RANGE` is not read: export the series in two parts"));
        }
        let uid = once("UID")?.map_or_else(String::new, |uid| uid.value.clone());
        // Among events without one, it would take away whatever begins then.
        if let Some(property) = replaces.filter(|_| uid.is_empty()) {
            return Err(CalendarError::ics(
                property.line,
                "the event has no `UID`, so that it cannot be told what it replaces",
            ));
        }
        let replaces = replaces.map(|property| times.one(property)).transpose()?;
        let list = |name: &str| -> Result<Vec<Local>, CalendarError> {
            let mut list = Vec::new();
            for property in component.all(name) {
                for time in times.all(property)? {
                    if time.is_date != start.is_date {
                        let problem = format!("`{name}` and `DTSTART` are not both days or both times");
                        return Err(CalendarError::ics(property.line, problem));
                    }
                    list.push(time.shown_in(&start.zone));
                }
            }
            Ok(list)
        };
        Ok(Self {
            uid,
            cancelled: status.as_deref() == Some("CANCELLED"),
            replaces: replaces.map(|time| Instant::from_millis(time.instant())),
            summary: once("SUMMARY")?.map(|summary| plain(&summary.value)),
            line,
            length,
            rule: rule.transpose()?,
            dates: list("RDATE")?,
            except: list("EXDATE")?,
            start,
        })
    }

    /// When it takes place, without the occurrences that others replace.
    pub(super) fn window(&self, gone: &[Instant], times: &Times<'_>) -> Result<IcsEvent, CalendarError> {
        let zone = &self.start.zone;
        let gone = gone.iter().map(|at| zone.local(*at));
        let except = self.except.iter().copied().chain(gone);
        // A time that the clock skips is no occurrence, and not counted, unless the policy moves it.
        let counts = |local: Local| times.gap != Gap::Skip || zone.shows(local);
        let dates = self.dates.iter().copied();
        let starts = Recurrence::counting(self.start.local, self.rule.clone(), dates, except, counts);
        // `DTSTART` is the first occurrence whether it fits the rule or not (RFC 5545, 3.8.5.3).
        let starts = starts.with(self.start.local);
        let timing =
            Timing::new(Starts::Recurrence(starts), Ends::After(self.length), zone.clone(), times.gap, times.fold);
        Ok(IcsEvent { uid: self.uid.clone(), summary: self.summary.clone(), line: self.line, timing })
    }
}

impl Times<'_> {
    /// The one time of a property.
    fn one(&self, property: &Property) -> Result<Time, CalendarError> {
        let mut all = self.all(property)?;
        match (all.pop(), all.is_empty()) {
            (Some(time), true) => Ok(time),
            _ => Err(CalendarError::ics(property.line, "it is not one time")),
        }
    }

    /// The times of a property.
    fn all(&self, property: &Property) -> Result<Vec<Time>, CalendarError> {
        let refuse = |problem: &str| CalendarError::ics(property.line, problem);
        let must_be_date = match property.parameter("VALUE").map(str::to_ascii_uppercase).as_deref() {
            None => None,
            Some("DATE-TIME") => Some(false),
            Some("DATE") => Some(true),
            Some(_) => return Err(refuse("only `DATE` and `DATE-TIME` are read")),
        };
        let zone = match property.parameter("TZID") {
            Some(id) => self.file.named_zone(id, property.line)?,
            None => self.zone.clone(),
        };
        let read = |text: &str| {
            let (local, utc) = read_stamp(text).ok_or_else(|| refuse("it is not a time such as `20261224T180000`"))?;
            let is_date = !text.contains('T');
            if must_be_date.is_some_and(|date| date != is_date) {
                return Err(refuse("its value is not what `VALUE` says"));
            }
            Ok(Time { local, zone: if utc { Zone::utc() } else { zone.clone() }, is_date })
        };
        property.value.split(',').map(read).collect()
    }
}

/// From `DTSTART` to `DTEND`: steps on the clock between days, elapsed time between times (RFC 5545, 3.8.5.3).
fn between(start: &Time, end: &Time) -> Result<Length, &'static str> {
    let (wall, exact) = match (start.is_date, end.is_date) {
        (true, true) => (end.local.seconds() - start.local.seconds(), 0),
        (false, false) => (0, end.instant() - start.instant()),
        _ => return Err("`DTSTART` and `DTEND` are not both days or both times"),
    };
    if wall + exact <= 0 {
        return Err("the event does not end after it begins");
    }
    let exact = Duration::from_millis(exact.unsigned_abs());
    Length::new(wall, exact).map_err(|_| "the event lasts longer than 366 days")
}

/// `P1W`, `P1DT2H`, `PT30M`: weeks and days are steps on the clock, the rest is elapsed time (RFC 5545, 3.3.6).
fn duration(text: &str) -> Option<Length> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (date, time) = text.split_once('T').map_or((text, ""), |(date, time)| (date, time));
    let wall = amounts(date, &[('W', 7 * DAY), ('D', DAY)])?;
    let exact = amounts(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    let exact = Duration::from_secs(exact.unsigned_abs());
    Length::new(wall, exact).ok().filter(|_| wall > 0 || !exact.is_zero())
}

/// Numbers with units in seconds, each at most once and in this order.
fn amounts(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    for (unit, seconds) in units {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = text.split_at_checked(digits)?;
        if let Some(rest) = rest.strip_prefix(*unit) {
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// A text on one line, without escapes (RFC 5545, 3.3.11).
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => ' ',
                Some(escaped) => escaped,
            },
            c => c,
        };
        plain.push(if crate::text::breaks_lines(c) { ' ' } else { c });
    }
    plain.trim().to_owned()
}
