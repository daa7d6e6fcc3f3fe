//! iCalendar files (RFC 5545) as a source of windows, as calendar applications export them.

mod event;
mod lines;
mod windows;
mod write;

use std::collections::BTreeMap;

use self::event::{Event, Times};
use self::lines::Property;
pub use self::write::{IcsEntry, ics_text};
use super::CalendarError;
use super::timing::{Fold, Gap, Timing};
use super::zone::Zone;

/// How deep components nest.
const MOST_DEPTH: usize = 8;

/// The events of an iCalendar file.
///
/// Read are `VEVENT`s with `DTSTART`, `DTEND` or `DURATION`, `RRULE`, `RDATE`, `EXDATE`, `RECURRENCE-ID`, all-day events
/// and `STATUS:CANCELLED`. A `TZID` is an IANA name, one that ends in an IANA name, one that Windows uses, or one
/// whose `VTIMEZONE` names an IANA zone in `X-LIC-LOCATION`; the offsets inside a `VTIMEZONE` are never used. Whether
/// an event shows its owner as busy means nothing. What cannot be read is an error, never skipped.
///
/// ```
/// use davy::calendar::{Fold, Gap, Ics, Zone};
/// let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Year-end freeze\r\n\
///     DTSTART;VALUE=DATE:20261221\r\nDTEND;VALUE=DATE:20270104\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let events = Ics::parse(text.as_bytes())?.events(&Zone::new("Europe/Berlin")?, Gap::FirstAfter, Fold::Span)?;
/// let freeze = &events[0];
/// assert_eq!(freeze.summary.as_deref(), Some("Year-end freeze"));
/// let span = freeze.timing.active("2026-12-24T12:00:00Z".parse()?).ok_or("not active")?;
/// assert_eq!(span.start.to_string(), "2026-12-20T23:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ics {
    events: Vec<Component>,
    /// IANA names by `TZID`, where a `VTIMEZONE` says so.
    locations: BTreeMap<String, String>,
    /// `X-WR-TIMEZONE`: for times without a zone.
    zone: Option<Property>,
}

/// An event of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct IcsEvent {
    /// `UID`, which may be empty.
    pub uid: String,
    /// `SUMMARY`, on one line.
    pub summary: Option<String>,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// When it takes place.
    pub timing: Timing,
}

/// The properties of a component, without those of components within it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Component {
    line: u32,
    properties: Vec<Property>,
}

impl Ics {
    /// No file holds more events.
    pub const MOST_EVENTS: usize = 2000;

    /// Reads a file; what its events mean is found out by [`Ics::events`].
    ///
    /// # Errors
    /// [`CalendarError::Ics`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, CalendarError> {
        let mut read = Self { events: Vec::new(), locations: BTreeMap::new(), zone: None };
        let mut open: Vec<(String, Component)> = Vec::new();
        let mut last_line = 1;
        let mut calendars = 0;
        for property in lines::read(bytes)? {
            let line = property.line;
            last_line = line;
            let refuse = |problem: &str| Err(CalendarError::ics(line, problem));
            match property.name.as_str() {
                "BEGIN" => {
                    let name = property.value.to_ascii_uppercase();
                    if open.is_empty() && name != "VCALENDAR" {
                        return refuse("the file does not begin with `BEGIN:VCALENDAR`");
                    }
                    if open.len() >= MOST_DEPTH {
                        return refuse("components nest too deeply");
                    }
                    calendars += usize::from(open.is_empty());
                    open.push((name, Component { line, properties: Vec::new() }));
                }
                "END" => {
                    let name = property.value.to_ascii_uppercase();
                    match open.pop() {
                        Some((opened, component)) if opened == name => read.close(&name, component)?,
                        _ => return refuse("it ends a component that has not begun"),
                    }
                }
                _ => match open.last_mut() {
                    Some((_, component)) => component.properties.push(property),
                    None => return refuse("the file does not begin with `BEGIN:VCALENDAR`"),
                },
            }
        }
        if let Some((name, _)) = open.last() {
            let problem = format!("the end of `{}` is missing", super::error::shown(name));
            return Err(CalendarError::ics(last_line, problem));
        }
        if calendars == 0 {
            return Err(CalendarError::ics(1, "the file holds no `VCALENDAR`"));
        }
        Ok(read)
    }

    fn close(&mut self, name: &str, component: Component) -> Result<(), CalendarError> {
        match name {
            "VEVENT" if self.events.len() >= Self::MOST_EVENTS => {
                let problem = format!("the file has more than {} events", Self::MOST_EVENTS);
                return Err(CalendarError::ics(component.line, problem));
            }
            "VEVENT" => self.events.push(component),
            "VTIMEZONE" => {
                if let (Some(id), Some(location)) = (component.get("TZID"), component.get("X-LIC-LOCATION")) {
                    self.locations.insert(id.value.clone(), location.value.clone());
                }
            }
            "VCALENDAR" => self.zone = component.get("X-WR-TIMEZONE").cloned().or_else(|| self.zone.take()),
            _ => {}
        }
        Ok(())
    }

    /// Its events as windows, those that are cancelled left out. Times without a zone are read in that of the file, or
    /// else in `zone`.
    ///
    /// # Errors
    /// [`CalendarError`] with the line of what cannot be read.
    pub fn events(&self, zone: &Zone, gap: Gap, fold: Fold) -> Result<Vec<IcsEvent>, CalendarError> {
        let zone = match &self.zone {
            None => zone.clone(),
            Some(property) => self.named_zone(&property.value, property.line)?,
        };
        let times = Times { file: self, zone: &zone, gap, fold };
        let events: Vec<Event> =
            self.events.iter().map(|event| Event::read(event, &times)).collect::<Result<_, _>>()?;
        // A changed or cancelled occurrence takes the place of the one that its series would have had.
        let mut replaced: BTreeMap<&str, Vec<crate::Instant>> = BTreeMap::new();
        for event in &events {
            replaced.entry(&event.uid).or_default().extend(event.replaces);
        }
        let takes_place = |event: &&Event| !event.cancelled;
        events
            .iter()
            .filter(takes_place)
            .map(|event| {
                let gone = replaced.get(event.uid.as_str()).map_or(&[][..], Vec::as_slice);
                event.window(if event.replaces.is_some() { &[] } else { gone }, &times)
            })
            .collect()
    }

    /// The zone that a `TZID` means.
    fn named_zone(&self, id: &str, line: u32) -> Result<Zone, CalendarError> {
        let known = |name: &str| Zone::new(name).ok();
        let windows = || {
            let place = windows::IANA.binary_search_by(|(name, _)| (*name).cmp(id)).ok()?;
            windows::IANA.get(place).and_then(|(_, iana)| known(iana))
        };
        // Such as `/freeassociation.sourceforge.net/Europe/Berlin`.
        let ending = || {
            let starts = id.match_indices('/').map(|(place, _)| place + 1);
            starts.filter_map(|start| id.get(start..)).find_map(|ending| known(ending).filter(|_| ending.contains('/')))
        };
        let location = || self.locations.get(id).and_then(|location| known(location));
        known(id).or_else(location).or_else(windows).or_else(ending).ok_or_else(|| {
            let problem = format!(
                "the time zone `{}` is none of the IANA database, none that Windows uses, and its `VTIMEZONE` has no `X-LIC-LOCATION`",
                super::error::shown(id)
            );
            CalendarError::ics(line, problem)
        })
    }
}

impl Component {
    /// The first property of this name.
    fn get(&self, name: &str) -> Option<&Property> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }
}
