//! What peers get wrong when clocks change, each measured on them, and what davy does instead.

use davy::calendar::{Cron, Fold, Gap, Recurrence, Starts, Timing};

use crate::{at, cron, exact, shown, wall, zone};

fn timing(zone_name: &str, schedule: &str, length: &str, gap: Gap, fold: Fold) -> Timing {
    Timing::new(cron(schedule), exact(length), zone(zone_name), gap, fold)
}

fn recurring(zone_name: &str, start: &str, rule: &str, length: &str, gap: Gap, fold: Fold) -> Timing {
    let set = Recurrence::new(start.parse().unwrap(), Some(rule.parse().unwrap()), [], []);
    Timing::new(Starts::Recurrence(set), exact(length), zone(zone_name), gap, fold)
}

/// Argo CD and GitLab skip it, so a deny in the gap never opens.
#[test]
fn argo_never_opens_a_window_in_the_gap() {
    let window = |gap| timing("Europe/Berlin", "30 2 * * *", "30m", gap, Fold::First);
    let on = |gap| shown(&window(gap), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    assert_eq!(on(Gap::FirstAfter), ["2026-03-29T01:00Z/2026-03-29T01:30Z"]);
    assert_eq!(on(Gap::Shift), ["2026-03-29T01:30Z/2026-03-29T02:00Z"]);
    assert_eq!(on(Gap::Skip), [""; 0]);
}

/// Argo CD, croniter and the cron crate run it twice.
#[test]
fn argo_opens_a_window_in_the_fold_twice() {
    let window = |fold| timing("Europe/Berlin", "30 2 * * *", "30m", Gap::Skip, fold);
    let on = |fold| shown(&window(fold), "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    assert_eq!(on(Fold::First), ["2026-10-25T00:30Z/2026-10-25T01:00Z"]);
    assert_eq!(on(Fold::Both), ["2026-10-25T00:30Z/2026-10-25T01:00Z", "2026-10-25T01:30Z/2026-10-25T02:00Z"]);
    assert_eq!(on(Fold::Span), ["2026-10-25T00:30Z/2026-10-25T02:00Z"]);
}

/// Argo CD computes with one offset: two hours instead of three, eleven instead of twelve, four instead of three.
#[test]
fn argo_makes_windows_across_a_change_an_hour_too_long_or_too_short() {
    let window = |schedule, length| timing("Europe/Berlin", schedule, length, Gap::Skip, Fold::First);
    let first = |schedule, length, from| shown(&window(schedule, length), from, "2026-12-31T00:00:00Z")[0].clone();
    assert_eq!(first("30 1 * * *", "3h", "2026-03-28T23:00:00Z"), "2026-03-29T00:30Z/2026-03-29T03:30Z");
    assert_eq!(first("0 18 * * *", "12h", "2026-03-28T12:00:00Z"), "2026-03-28T17:00Z/2026-03-29T05:00Z");
    assert_eq!(first("30 1 * * *", "3h", "2026-10-24T22:00:00Z"), "2026-10-24T23:30Z/2026-10-25T02:30Z");
    // On the clock it ends when the clock shows the end.
    let wall = Timing::new(cron("0 18 * * *"), wall("12h"), zone("Europe/Berlin"), Gap::Skip, Fold::First);
    assert_eq!(shown(&wall, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), ["2026-03-28T17:00Z/2026-03-29T04:00Z"]);
}

/// rrule 0.14.0 gives 03:00 twice, and 03:00 03:30 03:00 03:30: its time goes backwards.
#[test]
fn rrule_goes_backwards_over_a_gap() {
    for gap in [Gap::FirstAfter, Gap::Shift, Gap::Skip] {
        for rule in ["FREQ=HOURLY", "FREQ=MINUTELY;INTERVAL=30"] {
            let timing = recurring("Europe/Berlin", "2026-03-01T00:00", rule, "5m", gap, Fold::Both);
            let mut after = at("2026-03-28T20:00:00Z");
            let mut found = Vec::new();
            while let Some(span) = timing.next_start(after).filter(|span| span.start < at("2026-03-29T06:00:00Z")) {
                assert!(span.start > after, "{rule} {gap:?}");
                after = span.start;
                found.push(span.start);
            }
            found.dedup();
            assert_eq!(found.len(), if rule == "FREQ=HOURLY" { 9 } else { 19 }, "{rule} {gap:?}");
        }
    }
}

/// rrule 0.14.0 loses 02:00+01:00.
#[test]
fn rrule_loses_an_hour_in_a_fold() {
    let timing = recurring("Europe/Berlin", "2026-03-01T00:00", "FREQ=HOURLY", "5m", Gap::Skip, Fold::Both);
    let found = shown(&timing, "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z");
    let starts: Vec<&str> = found.iter().map(|span| &span[..17]).collect();
    assert_eq!(starts, ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]);
}

/// rrule 0.14.0 drops it.
#[test]
fn rrule_drops_cairos_midnight_in_the_gap() {
    for (start, gap, begins) in [
        ("2026-01-01T00:00", Gap::FirstAfter, "2026-04-23T22:00Z"),
        ("2026-01-01T00:30", Gap::FirstAfter, "2026-04-23T22:00Z"),
        ("2026-01-01T00:30", Gap::Shift, "2026-04-23T22:30Z"),
    ] {
        let timing = recurring("Africa/Cairo", start, "FREQ=DAILY", "1h", gap, Fold::First);
        let found = shown(&timing, "2026-04-23T12:00:00Z", "2026-04-24T12:00:00Z");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(begins), "{found:?}");
    }
}

/// rrule 0.14.0 drops it although it exists, and the cron crate runs it twice.
#[test]
fn rrule_drops_havanas_repeated_half_past_midnight() {
    let timing = recurring("America/Havana", "2024-01-01T00:30", "FREQ=DAILY", "1h", Gap::Skip, Fold::First);
    let found = shown(&timing, "2024-11-03T00:00:00Z", "2024-11-04T00:00:00Z");
    assert_eq!(found, ["2024-11-03T04:30Z/2024-11-03T05:30Z"]);
}

/// croner 4.0.3 ends for good at a gap of more than two hours.
#[test]
fn croner_ends_for_good_when_apia_skips_a_day() {
    let timing = timing("Pacific/Apia", "0 12 * * *", "1h", Gap::Skip, Fold::First);
    let found = shown(&timing, "2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z");
    assert_eq!(
        found,
        [
            "2011-12-29T22:00Z/2011-12-29T23:00Z",
            "2011-12-30T22:00Z/2011-12-30T23:00Z",
            "2011-12-31T22:00Z/2011-12-31T23:00Z"
        ]
    );
}

/// rrule 0.14.0 refuses both.
#[test]
fn rrule_refuses_a_first_time_or_an_exception_in_a_gap() {
    let set = Recurrence::new(
        "2026-03-29T02:30".parse().unwrap(),
        Some("FREQ=DAILY".parse().unwrap()),
        [],
        ["2026-10-25T02:30".parse().unwrap()],
    );
    let timing = Timing::new(Starts::Recurrence(set), exact("1h"), zone("Europe/Berlin"), Gap::FirstAfter, Fold::First);
    assert_eq!(shown(&timing, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), ["2026-03-29T01:00Z/2026-03-29T02:00Z"]);
    assert_eq!(shown(&timing, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), [""; 0]);
}

/// The cron crate takes 5 for Thursday, refuses 0, and wants both days; croner takes 7 for Sunday.
#[test]
fn days_of_the_week_are_robfigs() {
    let next = |text: &str, at: &str| {
        text.parse::<Cron>().unwrap().first_at_or_after(at.parse().unwrap()).unwrap().to_string()
    };
    assert_eq!(next("0 0 * * 5", "2026-11-23"), "2026-11-27T00:00");
    assert_eq!(next("0 0 * * 0", "2026-11-23"), "2026-11-29T00:00");
    // The 13th or a Friday, whichever comes first.
    assert_eq!(next("0 0 13 * 5", "2026-11-08"), "2026-11-13T00:00");
    assert_eq!(next("0 0 13 * 5", "2026-12-12"), "2026-12-13T00:00");
    assert!("0 0 * * 7".parse::<Cron>().is_err());
}

/// GitLab calls it not frozen where two starts follow each other without an end between them.
#[test]
fn gitlab_forgets_a_freeze_that_starts_twice() {
    let ends = davy::calendar::Ends::At("0 8 * * 1".parse().unwrap());
    let timing = Timing::new(cron("0 18 * * 5,6"), ends, zone("UTC"), Gap::FirstAfter, Fold::Span);
    for inside in ["2026-11-27T18:00:00Z", "2026-11-28T17:59:00Z", "2026-11-29T12:00:00Z", "2026-11-30T07:59:59Z"] {
        assert!(timing.active(at(inside)).is_some(), "{inside}");
    }
    for outside in ["2026-11-27T17:59:59Z", "2026-11-30T08:00:00Z"] {
        assert!(timing.active(at(outside)).is_none(), "{outside}");
    }
}

/// Spinnaker gives the half after midnight to the next day's filter.
#[test]
fn an_overnight_range_belongs_to_the_day_on_which_it_begins() {
    let timing = Timing::new(cron("0 22 * * 5"), wall("4h"), zone("America/Los_Angeles"), Gap::Skip, Fold::First);
    assert_eq!(shown(&timing, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"), ["2026-11-28T06:00Z/2026-11-28T10:00Z"]);
}

/// robfig reads a zone before the fields; here it has a key of its own, and is never passed over.
#[test]
fn a_zone_inside_a_schedule_is_refused_with_a_hint() {
    for text in ["TZ=Europe/Berlin 0 9 * * *", "CRON_TZ=UTC 0 9 * * *", "TZ=UTC 9 * * *", " TZ=UTC @daily"] {
        let error = text.parse::<davy::calendar::Cron>().unwrap_err().to_string();
        assert!(error.ends_with("the zone has a key of its own, such as `zone: Europe/Berlin`"), "{error}");
    }
}
