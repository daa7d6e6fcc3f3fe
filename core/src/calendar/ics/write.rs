//! Writing iCalendar files that calendar applications subscribe to.

use super::super::timing::Span;
use crate::Instant;

/// One stretch of time, to be written as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcsEntry {
    /// The same in every edition of the file, and of no other event anywhere.
    pub uid: String,
    /// When it takes place. Parts of a second are rounded outwards.
    pub span: Span,
    /// What a calendar shows.
    pub summary: String,
    /// What it shows on a closer look.
    pub description: String,
    /// What kind of event it is.
    pub category: String,
}

/// The text of an iCalendar file (RFC 5545) with these events, in UTC, as of an instant.
///
/// They do not make anybody busy. However many there are, all are written. [`Ics`](super::Ics) reads the same spans back,
/// where they are [`Ics::MOST_EVENTS`](super::Ics::MOST_EVENTS) at most and none lasts longer than 366 days.
///
/// ```
/// use davy::calendar::{IcsEntry, Span, ics_text};
/// let freeze = IcsEntry {
///     uid: "1@example.org".into(),
///     span: Span { start: "2026-12-20T23:00:00Z".parse()?, end: "2027-01-03T23:00:00Z".parse()? },
///     summary: "Freeze: year end".into(),
///     description: "few people are there; release management".into(),
///     category: "FREEZE".into(),
/// };
/// let text = ics_text("Freezes", "2026-11-26T12:00:00Z".parse()?, &[freeze]);
/// assert!(text.contains("\r\nDTSTART:20261220T230000Z\r\nDTEND:20270103T230000Z\r\n"));
/// # Ok::<(), davy::TimeError>(())
/// ```
#[must_use]
pub fn ics_text(name: &str, as_of: Instant, entries: &[IcsEntry]) -> String {
    let mut text = String::new();
    let name = escaped(name);
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//davy//change windows//EN", "CALSCALE:GREGORIAN"] {
        push(&mut text, line);
    }
    // The last two are what Apple's and Microsoft's applications read.
    push(&mut text, "METHOD:PUBLISH");
    push(&mut text, &format!("NAME:{name}"));
    push(&mut text, &format!("X-WR-CALNAME:{name}"));
    push(&mut text, "REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    push(&mut text, "X-PUBLISHED-TTL:PT1H");
    for entry in entries {
        let Span { start, end } = entry.span;
        push(&mut text, "BEGIN:VEVENT");
        push(&mut text, &format!("UID:{}", escaped(&entry.uid)));
        push(&mut text, &format!("DTSTAMP:{}", stamp(as_of.millis() / 1000)));
        push(&mut text, &format!("DTSTART:{}", stamp(start.millis() / 1000)));
        push(&mut text, &format!("DTEND:{}", stamp(end.millis().div_ceil(1000))));
        push(&mut text, &format!("SUMMARY:{}", escaped(&entry.summary)));
        if !entry.description.is_empty() {
            push(&mut text, &format!("DESCRIPTION:{}", escaped(&entry.description)));
        }
        push(&mut text, &format!("CATEGORIES:{}", escaped(&entry.category)));
        push(&mut text, "TRANSP:TRANSPARENT");
        push(&mut text, "END:VEVENT");
    }
    push(&mut text, "END:VCALENDAR");
    text
}

/// `20261224T180000Z`.
fn stamp(seconds: u64) -> String {
    let at = Instant::from_millis(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX));
    at.to_string().replace(['-', ':'], "")
}

/// A text value (3.3.11). Control characters, which no file may hold, become spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// No line has more octets than these, its end not counted (3.1).
const MOST_OCTETS: usize = 75;

/// A line, folded between characters.
fn push(text: &mut String, line: &str) {
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > MOST_OCTETS {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(c);
        octets += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(summary: &str) -> IcsEntry {
        IcsEntry {
            uid: "1".into(),
            span: Span { start: Instant::EPOCH, end: Instant::from_millis(1) },
            summary: summary.into(),
            description: String::new(),
            category: "FREEZE".into(),
        }
    }

    #[test]
    fn lines_are_folded_between_characters_and_never_longer_than_75_octets() {
        for width in 0..6 {
            let summary = format!("{}{}", "a".repeat(width), "ü€😀".repeat(40));
            let text = ics_text("n", Instant::EPOCH, &[entry(&summary)]);
            assert!(text.split("\r\n").all(|line| line.len() <= MOST_OCTETS), "{text}");
            assert!(text.replace("\r\n ", "").contains(&format!("\r\nSUMMARY:{summary}\r\n")));
        }
    }

    #[test]
    fn text_cannot_end_its_line_or_begin_a_component() {
        let text = ics_text("n", Instant::EPOCH, &[entry("a;b,c\\d\nEND:VEVENT\r\nx\u{7}")]);
        assert!(text.contains("\r\nSUMMARY:a\\;b\\,c\\\\d\\nEND:VEVENT \\nx \r\n"), "{text}");
        assert_eq!(text.matches("\r\nEND:VEVENT").count(), 1);
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    }

    #[test]
    fn parts_of_a_second_are_rounded_outwards() {
        let text = ics_text("n", Instant::EPOCH, &[entry("a")]);
        assert!(text.contains("\r\nDTSTART:19700101T000000Z\r\nDTEND:19700101T000001Z\r\n"), "{text}");
    }
}
