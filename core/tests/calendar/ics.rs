//! iCalendar files as calendar applications export them, and what is refused in them.

use davy::Instant;
use davy::calendar::{CalendarError, Fold, Gap, Ics, IcsEntry, IcsEvent, Span, ics_text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

use crate::{at, shown, zone};

fn file(lines: &[&str]) -> String {
    ["BEGIN:VCALENDAR"].iter().chain(lines).chain(&["END:VCALENDAR"]).map(|line| format!("{line}\r\n")).collect()
}

/// Read in Berlin, where a time has no zone, with the policy of freezes.
fn read(lines: &[&str]) -> Result<Vec<IcsEvent>, CalendarError> {
    Ics::parse(file(lines).as_bytes())?.events(&zone("Europe/Berlin"), Gap::FirstAfter, Fold::Span)
}

fn events(lines: &[&str]) -> Vec<IcsEvent> {
    read(lines).unwrap_or_else(|error| panic!("{error}"))
}

fn event<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    ["BEGIN:VEVENT", "UID:1"].iter().chain(lines).chain(&["END:VEVENT"]).copied().collect()
}

#[test]
fn an_all_day_event_lasts_from_midnight_to_midnight_on_its_own_clock() {
    // Google shows all-day events as free: what is exported as transparent is a freeze all the same.
    let google = event(&["DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330", "TRANSP:TRANSPARENT"]);
    let found = events(&google);
    // 47 hours: the clock goes forward on the second day.
    assert_eq!(
        shown(&found[0].timing, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-03-27T23:00Z/2026-03-29T22:00Z"]
    );
    // Without an end it is one day.
    let one = events(&event(&["DTSTART;VALUE=DATE:20261225"]));
    assert_eq!(
        shown(&one[0].timing, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-12-24T23:00Z/2026-12-25T23:00Z"]
    );
    // A yearly one recurs.
    let yearly = events(&event(&["DTSTART;VALUE=DATE:20201224", "DTEND;VALUE=DATE:20201227", "RRULE:FREQ=YEARLY"]));
    assert_eq!(
        shown(&yearly[0].timing, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-12-23T23:00Z/2026-12-26T23:00Z"]
    );
}

#[test]
fn a_series_keeps_its_exceptions_additions_and_changes() {
    let series = [
        "BEGIN:VEVENT",
        "UID:weekly",
        "DTSTART;TZID=Europe/Berlin:20260105T180000",
        "DTEND;TZID=Europe/Berlin:20260105T200000",
        "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20260112T180000",
        "RDATE;TZID=America/New_York:20260108T120000",
        "END:VEVENT",
        // The third is moved, and the fourth does not take place.
        "BEGIN:VEVENT",
        "UID:weekly",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260119T180000",
        "DTSTART;TZID=Europe/Berlin:20260120T090000",
        "DURATION:PT90M",
        "SUMMARY:Moved\\, and shorter",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:weekly",
        "RECURRENCE-ID:20260126T170000Z",
        "DTSTART:20260126T170000Z",
        "DTEND:20260126T190000Z",
        "STATUS:CANCELLED",
        "END:VEVENT",
    ];
    let found = events(&series);
    assert_eq!(found.len(), 2);
    assert_eq!(
        shown(&found[0].timing, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        [
            "2026-01-05T17:00Z/2026-01-05T19:00Z",
            "2026-01-08T17:00Z/2026-01-08T19:00Z",
            "2026-02-02T17:00Z/2026-02-02T19:00Z"
        ]
    );
    assert_eq!(
        shown(&found[1].timing, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-01-20T08:00Z/2026-01-20T09:30Z"]
    );
    assert_eq!(found[1].summary.as_deref(), Some("Moved, and shorter"));
}

#[test]
fn the_first_time_takes_place_whether_it_fits_the_rule_or_not() {
    // A Thursday.
    let found = events(&event(&[
        "DTSTART:20260101T090000Z",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260112T090000Z",
    ]));
    assert_eq!(
        shown(&found[0].timing, "2025-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        [
            "2026-01-01T09:00Z/2026-01-01T10:00Z",
            "2026-01-05T09:00Z/2026-01-05T10:00Z",
            "2026-01-12T09:00Z/2026-01-12T10:00Z"
        ]
    );
}

#[test]
fn days_and_weeks_of_a_duration_are_steps_on_the_clock_and_the_rest_is_elapsed_time() {
    let lasts = |duration: &str| {
        let duration = format!("DURATION:{duration}");
        let found = events(&event(&["DTSTART;TZID=Europe/Berlin:20260328T120000", &duration]));
        shown(&found[0].timing, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z").remove(0)
    };
    assert_eq!(lasts("P1D"), "2026-03-28T11:00Z/2026-03-29T10:00Z");
    assert_eq!(lasts("PT24H"), "2026-03-28T11:00Z/2026-03-29T11:00Z");
    assert_eq!(lasts("P1DT2H30M"), "2026-03-28T11:00Z/2026-03-29T12:30Z");
    assert_eq!(lasts("P1W"), "2026-03-28T11:00Z/2026-04-04T10:00Z");
}

#[test]
fn a_zone_is_found_however_applications_name_it() {
    let starts = |before: &[&str], id: &str| {
        let start = format!("DTSTART;TZID={id}:20260701T120000");
        let lines: Vec<&str> = before.iter().copied().chain(event(&[&start, "DURATION:PT1H"])).collect();
        read(&lines).map(|found| found[0].timing.next_start(at("2026-06-01T00:00:00Z")).unwrap().start.to_string())
    };
    let noon = Ok("2026-07-01T10:00:00Z".to_owned());
    assert_eq!(starts(&[], "Europe/Berlin"), noon);
    assert_eq!(starts(&[], "\"W. Europe Standard Time\""), noon);
    assert_eq!(starts(&[], "/freeassociation.sourceforge.net/Europe/Berlin"), noon);
    let zone = ["BEGIN:VTIMEZONE", "TZID:Office", "X-LIC-LOCATION:Europe/Berlin", "END:VTIMEZONE"];
    assert_eq!(starts(&zone, "Office"), noon);
    assert_eq!(starts(&[], "Office").unwrap_err().to_string().split(':').next(), Some("C005"));
    // A zone of the file stands for times without one.
    let floating = event(&["DTSTART:20260701T120000", "DURATION:PT1H"]);
    let of_file: Vec<&str> = ["X-WR-TIMEZONE:America/New_York"].into_iter().chain(floating.iter().copied()).collect();
    let start = |lines: &[&str]| events(lines)[0].timing.next_start(at("2026-06-01T00:00:00Z")).unwrap().start;
    assert_eq!(start(&of_file), at("2026-07-01T16:00:00Z"));
    assert_eq!(start(&floating), at("2026-07-01T10:00:00Z"));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line_and_never_skipped() {
    for (lines, line, problem) in [
        (vec!["SUMMARY:none"], 2, "the event has no `DTSTART`"),
        (vec!["DTSTART:20260101T090000Z"], 2, "the event has neither `DTEND` nor `DURATION`"),
        (vec!["DTSTART:20260101T090000Z", "DTEND:20260101T090000Z"], 5, "the event does not end after it begins"),
        (
            vec!["DTSTART:20260101T090000Z", "DTEND;VALUE=DATE:20260102"],
            5,
            "`DTSTART` and `DTEND` are not both days or both times",
        ),
        (vec!["DTSTART:20260101T090000Z", "DTEND:20270202T090000Z"], 5, "the event lasts longer than 366 days"),
        (
            vec!["DTSTART:20260101T090000Z", "DURATION:-PT1H"],
            5,
            "it is not a duration such as `PT8H`, of at most 366 days",
        ),
        (vec!["DTSTART:20260101T250000Z", "DURATION:PT1H"], 4, "it is not a time such as `20261224T180000`"),
        (vec!["DTSTART;VALUE=PERIOD:20260101T090000Z/PT1H"], 4, "only `DATE` and `DATE-TIME` are read"),
        (vec!["DTSTART:20260101T090000Z", "DTSTART:20260101T090000Z"], 5, "a second `DTSTART`"),
        (
            vec!["DTSTART:20260101T090000Z", "DURATION:PT1H", "EXDATE;VALUE=DATE:20260102"],
            6,
            "`EXDATE` and `DTSTART` are not both days or both times",
        ),
        (
            vec!["DTSTART:20260101T090000Z", "DURATION:PT1H", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260101T090000Z"],
            6,
            "`RANGE` is not read: export the series in two parts",
        ),
        (
            vec!["DTSTART:20260101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY;BYDAY=SA"],
            7,
            "`EXRULE` is not read: write its times as `EXDATE`",
        ),
    ] {
        let error = read(&event(&lines)).unwrap_err();
        assert_eq!(error, CalendarError::Ics { line, problem: problem.to_owned() }, "{lines:?}");
    }
    let nameless =
        ["BEGIN:VEVENT", "DTSTART:20260101T090000Z", "DURATION:PT1H", "RECURRENCE-ID:20260101T090000Z", "END:VEVENT"];
    let problem = "the event has no `UID`, so that it cannot be told what it replaces".to_owned();
    assert_eq!(read(&nameless).unwrap_err(), CalendarError::Ics { line: 5, problem });
    for (text, line) in
        [("", 1), ("BEGIN:VEVENT\n", 1), ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", 2), ("BEGIN:VCALENDAR\nEND:VEVENT\n", 2)]
    {
        match Ics::parse(text.as_bytes()) {
            Err(CalendarError::Ics { line: found, .. }) => assert_eq!(found, line, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

/// Any stretches of whole seconds with any text, written, changed by `then`, and read back.
fn comes_back(then: fn(String) -> String) -> Result<(), String> {
    let config = Config { cases: 200, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha));
    let entry = (0..4_000_000_000_i64, 1..366 * 86_400_i64, any::<String>(), "\\PC{0,200}").prop_map(
        |(start, length, summary, description)| IcsEntry {
            uid: format!("{start}-{length}@davy"),
            span: Span {
                start: Instant::from_millis(start * 1000),
                end: Instant::from_millis((start + length) * 1000),
            },
            summary,
            description,
            category: "FREEZE".to_owned(),
        },
    );
    let run = runner.run(&(any::<String>(), prop::collection::vec(entry, 0..4)), |(name, entries)| {
        let text = then(ics_text(&name, at("2026-11-26T12:00:00Z"), &entries));
        let read =
            Ics::parse(text.as_bytes()).and_then(|ics| ics.events(&zone("Europe/Berlin"), Gap::Shift, Fold::Both));
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.len(), entries.len());
        for (read, entry) in read.iter().zip(&entries) {
            prop_assert_eq!(&read.uid, &entry.uid);
            prop_assert_eq!(read.timing.active(entry.span.start), Some(entry.span));
            prop_assert_eq!(read.timing.active(entry.span.end), None);
            // On one line, as a summary is: what would break one is a space.
            let letters =
                |text: &str| text.chars().filter(|c| c.is_alphanumeric() || ",;\\".contains(*c)).collect::<String>();
            prop_assert_eq!(letters(read.summary.as_deref().unwrap_or_default()), letters(&entry.summary));
        }
        Ok(())
    });
    run.map_err(|error| error.to_string())
}

#[test]
fn what_is_written_is_read_back() {
    comes_back(|text| text).unwrap();
}

#[test]
fn writers_that_fold_or_escape_or_round_wrongly_are_caught() {
    comes_back(|text| text.replace("\r\n ", "\r\n")).unwrap_err();
    comes_back(|text| text.replace("\\;", ";").replace("\\\\", "\\")).unwrap_err();
    comes_back(|text| text.replace("00Z\r\nSUMMARY", "01Z\r\nSUMMARY")).unwrap_err();
}

#[test]
fn what_is_written_is_read_back_up_to_as_many_events_as_a_file_may_hold() {
    let entry = |number: usize| {
        let start = at("2026-01-01T00:00:00Z").plus(crate::minutes(u64::try_from(number).unwrap() * 60));
        IcsEntry {
            uid: format!("{number}@example.org"),
            span: Span { start, end: start.plus(crate::minutes(30)) },
            summary: "Freeze".into(),
            description: String::new(),
            category: "FREEZE".into(),
        }
    };
    let written =
        |count: usize| ics_text("all", at("2026-01-01T00:00:00Z"), &(0..count).map(entry).collect::<Vec<_>>());
    let read = Ics::parse(written(Ics::MOST_EVENTS).as_bytes()).unwrap();
    assert_eq!(read.events(&zone("UTC"), Gap::Skip, Fold::First).unwrap().len(), 2000);
    assert!(Ics::parse(written(Ics::MOST_EVENTS + 1).as_bytes()).is_err());
}
