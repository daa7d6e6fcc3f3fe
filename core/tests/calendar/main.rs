//! Change windows as arithmetic: peers' answers, the weeks in which clocks change, and what must always hold.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod argo;
mod brute;
mod clocks;
mod ics;
mod peers;
mod properties;
mod rrule;
mod spans;

use davy::calendar::{Change, Effect, Ends, Gates, Length, Moment, Precedence, Span, Starts, Timing, Window, Zone};
use davy::{Duration, Instant};

fn at(text: &str) -> Instant {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn zone(name: &str) -> Zone {
    Zone::new(name).unwrap()
}

fn cron(text: &str) -> Starts {
    Starts::Cron(text.parse().unwrap())
}

fn exact(text: &str) -> Ends {
    Ends::After(Length::exact(text.parse().unwrap()).unwrap())
}

fn wall(text: &str) -> Ends {
    Ends::After(Length::wall(text.parse().unwrap()).unwrap())
}

/// A freeze that holds whatever happens: what tests change, they name.
fn window(name: &str, effect: Effect, timing: Timing) -> Window {
    Window {
        name: name.parse().unwrap(),
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
    }
}

const START: Change<'static> = Change { moment: Moment::Start, manual: false, class: None, began: None };

fn minutes(count: u64) -> Duration {
    Duration::from_minutes(count)
}

/// Every span that starts in a stretch of time.
fn spans(timing: &Timing, from: &str, until: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut after = at(from);
    while let Some(span) = timing.next_start(after).filter(|span| span.start < at(until)) {
        found.push(span);
        after = span.start;
    }
    found
}

/// As `start/end` of each.
fn shown(timing: &Timing, from: &str, until: &str) -> Vec<String> {
    let short = |at: Instant| at.to_string().replace(":00Z", "Z");
    spans(timing, from, until).iter().map(|span| format!("{}/{}", short(span.start), short(span.end))).collect()
}
