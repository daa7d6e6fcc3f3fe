//! Schedules and calendars: what must hold of any of them.

use davy::calendar::{Cron, Ends, Fold, Gap, Ics, Length, Local, Recurrence, Rule, Starts, Timing, Zone};
use davy::{Bundle, Duration, Engine, Instant};

use crate::{FILE_SEPARATOR, Input, watch};

/// Days around which clocks change, and the ends of time.
const INSTANTS: [&str; 6] = [
    "1970-01-01T00:00:00Z",
    "2011-12-30T09:30:00Z",
    "2026-03-29T00:59:59Z",
    "2026-10-25T00:30:00Z",
    "2028-02-29T12:00:00Z",
    "9999-12-30T00:00:00Z",
];
const ZONES: [&str; 4] = ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"];

/// A cron schedule: what was read is written and read again as the same, and its times follow each other.
pub fn cron(data: &[u8]) -> Input {
    let Ok(text) = std::str::from_utf8(data) else { return Input::Refused };
    let Ok(cron) = text.parse::<Cron>() else { return Input::Refused };
    assert_eq!(cron.to_string().parse().as_ref(), Ok(&cron), "{text}");
    follow(&Starts::Cron(cron));
    Input::Read
}

/// A first time and a rule, in two lines.
pub fn rrule(data: &[u8]) -> Input {
    let Ok(text) = std::str::from_utf8(data) else { return Input::Refused };
    let Some((start, rule)) = text.split_once('\n') else { return Input::Refused };
    let (Ok(start), Ok(rule)) = (start.parse::<Local>(), rule.trim_end().parse::<Rule>()) else {
        return Input::Refused;
    };
    assert_eq!(rule.to_string().parse().as_ref(), Ok(&rule), "{text}");
    follow(&Starts::Recurrence(Recurrence::new(start, Some(rule), [], [])));
    Input::Read
}

/// An iCalendar file: every event that is read takes place when it says.
pub fn ics(data: &[u8]) -> Input {
    let Ok(file) = Ics::parse(data) else { return Input::Refused };
    let berlin = Zone::new(ZONES[0]).expect("a zone");
    let (Ok(skipped), Ok(moved)) =
        (file.events(&berlin, Gap::Skip, Fold::Both), file.events(&berlin, Gap::FirstAfter, Fold::Span))
    else {
        return Input::Refused;
    };
    assert_eq!(skipped.len(), moved.len());
    for event in skipped.iter().chain(&moved).take(16) {
        take_place(&event.timing);
    }
    Input::Read
}

/// Calendars and iCalendar files of a bundle, separated by the byte 0x1e; a rollout that names `c` is added.
pub fn calendar(data: &[u8]) -> Input {
    const ROLLOUT: &str =
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec: { calendars: [c] }\n";
    let name = |number: usize, bytes: &[u8]| {
        let extension = if bytes.starts_with(b"BEGIN:") { "ics" } else { "yaml" };
        format!("{number}.{extension}")
    };
    let given = data.split(|byte| *byte == FILE_SEPARATOR).enumerate();
    let files = given.map(|(number, bytes)| (name(number, bytes), bytes));
    let files: Vec<(String, &[u8])> = files.chain([("rollouts.yaml".to_owned(), ROLLOUT.as_bytes())]).collect();
    let Ok(bundle) = Bundle::from_files(files.iter().map(|(path, bytes)| (path.as_str(), *bytes))) else {
        return Input::Refused;
    };
    watch::when(&Engine::new(&bundle), &INSTANTS.map(instant));
    Input::Read
}

fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// The times around any other follow each other, forward and back.
fn follow(starts: &Starts) {
    for at in ["1970-01-01T00:00", "2026-03-29T02:30", "2027-12-31T23:59:59", "9999-12-31T23:59"] {
        let at: Local = at.parse().expect("a local time");
        if let Some(next) = starts.first_at_or_after(at) {
            assert!(next >= at, "{next} {at}");
            assert_eq!(starts.last_at_or_before(next), Some(next), "{at}");
            assert_eq!(starts.first_at_or_after(next), Some(next), "{at}");
        }
        if let Some(last) = starts.last_at_or_before(at) {
            assert!(last <= at, "{last} {at}");
            assert_eq!(starts.first_at_or_after(last), Some(last), "{at}");
            assert_eq!(starts.last_at_or_before(last), Some(last), "{at}");
        }
    }
    for (zone, length) in ZONES.iter().zip(["1m", "1h", "25h", "60d"]) {
        let length = length.parse::<Duration>().expect("a duration");
        for (gap, fold) in [(Gap::Skip, Fold::Both), (Gap::FirstAfter, Fold::Span), (Gap::Shift, Fold::First)] {
            for length in [Length::exact(length), Length::wall(length)] {
                let ends = Ends::After(length.expect("within a year"));
                take_place(&Timing::new(starts.clone(), ends, Zone::new(zone).expect("a zone"), gap, fold));
            }
        }
    }
}

/// Spans begin one after the other, and are open at their beginning and not at their end alone.
fn take_place(timing: &Timing) {
    for from in INSTANTS.map(instant) {
        let mut after = from;
        for _ in 0..3 {
            let Some(span) = timing.next_start(after) else { break };
            assert!(span.start > after && span.start <= span.end, "{span:?} {after}");
            let open = timing.active(span.start);
            assert!(span.start == span.end || open.is_some_and(|open| open.holds(span.start)), "{span:?} {open:?}");
            let just_before = span.start.minus(Duration::from_millis(1));
            assert_eq!(timing.next_start(just_before).map(|span| span.start), Some(span.start));
            after = span.start;
        }
        if let Some(open) = timing.active(from) {
            assert!(open.holds(from), "{open:?} {from}");
        }
    }
}
