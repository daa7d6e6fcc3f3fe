//! The days on which clocks change, minute by minute, under every policy.

use davy::Duration;
use davy::calendar::{Fold, Gap, Timing};
use jiff::civil::DateTime;

use crate::brute::{Lasts, Minutes};
use crate::{at, cron, exact, wall, zone};

const GAPS: [Gap; 3] = [Gap::FirstAfter, Gap::Shift, Gap::Skip];
const FOLDS: [Fold; 3] = [Fold::First, Fold::Both, Fold::Span];

type Starts = (&'static str, fn(DateTime) -> bool);

/// Schedules twice: as cron, and as what the clock must show.
const SCHEDULES: [Starts; 9] = [
    ("30 2 * * *", |at| (at.hour(), at.minute()) == (2, 30)),
    ("0 0 * * *", |at| (at.hour(), at.minute()) == (0, 0)),
    ("30 0 * * *", |at| (at.hour(), at.minute()) == (0, 30)),
    ("15 1,13 * * *", |at| at.minute() == 15 && [1, 13].contains(&at.hour())),
    ("45 23 * * *", |at| (at.hour(), at.minute()) == (23, 45)),
    ("0 18 * * MON-SAT", |at| (at.hour(), at.minute()) == (18, 0) && at.weekday() != jiff::civil::Weekday::Sunday),
    ("0 * * * *", |at| at.minute() == 0),
    ("*/30 * * * *", |at| at.minute() % 30 == 0),
    ("10-20 2 * * *", |at| at.hour() == 2 && (10..=20).contains(&at.minute())),
];

const LENGTHS: [Lasts; 4] = [Lasts::Exact(30), Lasts::Exact(720), Lasts::Wall(30), Lasts::Wall(150)];

/// Two days before the one that is looked at, so that everything that lasts into it is known, and two after it.
///
/// Starts and ends are those of three days, under all nine policies. The day itself is looked at minute by minute, under
/// those policies that it can tell apart: nothing is shown twice on a day with a gap, and nothing jumped over on one with a fold.
fn check(zone_name: &str, midnight: &str) {
    checked(zone_name, midnight, |gap, fold| (gap, fold)).unwrap();
}

/// The same of a library that takes one policy for another.
fn checked(zone_name: &str, midnight: &str, taken: impl Fn(Gap, Fold) -> (Gap, Fold)) -> Result<(), String> {
    let first = at(midnight).minus(Duration::from_minutes(2 * 1440));
    let minutes = Minutes::new(zone_name, first, 6);
    let looked_at = 1440..4 * 1440;
    let day = 2 * 1440..3 * 1440;
    let mut checked = 0_u32;
    for (text, starts) in SCHEDULES {
        for lasts in LENGTHS {
            let ends = match lasts {
                Lasts::Exact(minutes) => exact(&format!("{minutes}m")),
                Lasts::Wall(minutes) => wall(&format!("{minutes}m")),
            };
            for (gap, fold) in GAPS.iter().flat_map(|gap| FOLDS.map(|fold| (*gap, fold))) {
                let (gap_taken, fold_taken) = taken(gap, fold);
                let timing = Timing::new(cron(text), ends.clone(), zone(zone_name), gap_taken, fold_taken);
                let what = || format!("{zone_name} {midnight} `{text}` {lasts:?} {gap:?} {fold:?}");
                let windows = minutes.windows(starts, lasts, gap, fold);
                // Every start and end.
                let expected: Vec<_> =
                    windows.iter().filter(|window| looked_at.contains(&window.0)).map(|w| minutes.span(*w)).collect();
                let mut found = Vec::new();
                let mut after = minutes.instant(looked_at.start).minus(Duration::from_millis(1));
                while let Some(span) = timing.next_start(after).filter(|s| s.start < minutes.instant(looked_at.end)) {
                    found.push(span);
                    after = span.start;
                }
                if found != expected {
                    return Err(format!("{}: {found:?} are not {expected:?}", what()));
                }
                let told_apart = if minutes.jumps() { fold == Fold::First } else { gap == Gap::FirstAfter };
                if !told_apart {
                    continue;
                }
                // Every minute: a running difference, so that overlaps count once.
                let mut open = vec![0_i32; minutes.len() + 1];
                for (start, end) in windows.iter().filter(|window| window.1 > window.0) {
                    open[*start] += 1;
                    open[(*end).min(minutes.len())] -= 1;
                }
                let mut depth = 0;
                for (minute, change) in open.iter().enumerate().take(day.end) {
                    depth += change;
                    if minute >= day.start {
                        let active = timing.active(minutes.instant(minute)).is_some();
                        if active != (depth > 0) {
                            return Err(format!("{} at {}: {active}", what(), minutes.instant(minute)));
                        }
                        checked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(checked, 9 * 4 * 3 * 1440);
    Ok(())
}

#[test]
fn a_library_that_takes_one_policy_for_another_is_caught() {
    let days = [("Europe/Berlin", "2026-03-29T00:00:00Z"), ("Europe/Berlin", "2026-10-25T00:00:00Z")];
    for (wrong, right) in [(Gap::Shift, Gap::FirstAfter), (Gap::Skip, Gap::Shift), (Gap::FirstAfter, Gap::Skip)] {
        checked(days[0].0, days[0].1, |gap, fold| (if gap == right { wrong } else { gap }, fold)).unwrap_err();
    }
    for (wrong, right) in [(Fold::Both, Fold::First), (Fold::Span, Fold::Both), (Fold::First, Fold::Span)] {
        checked(days[1].0, days[1].1, |gap, fold| (gap, if fold == right { wrong } else { fold })).unwrap_err();
    }
}

#[test]
fn berlin_springs_forward() {
    check("Europe/Berlin", "2026-03-29T00:00:00Z");
}

#[test]
fn berlin_falls_back() {
    check("Europe/Berlin", "2026-10-25T00:00:00Z");
}

#[test]
fn new_york_springs_forward() {
    check("America/New_York", "2026-03-08T05:00:00Z");
}

#[test]
fn new_york_falls_back() {
    check("America/New_York", "2026-11-01T05:00:00Z");
}

#[test]
fn lord_howe_springs_forward_by_half_an_hour() {
    check("Australia/Lord_Howe", "2026-10-03T14:00:00Z");
}

#[test]
fn lord_howe_falls_back_by_half_an_hour() {
    check("Australia/Lord_Howe", "2026-04-04T13:00:00Z");
}

#[test]
fn cairo_skips_the_hour_from_midnight() {
    check("Africa/Cairo", "2026-04-23T22:00:00Z");
}

#[test]
fn cairo_repeats_the_hour_before_midnight() {
    check("Africa/Cairo", "2026-10-29T21:00:00Z");
}

#[test]
fn havana_skips_the_hour_from_midnight() {
    check("America/Havana", "2026-03-08T05:00:00Z");
}

#[test]
fn havana_repeats_the_hour_after_midnight() {
    check("America/Havana", "2024-11-03T04:00:00Z");
}

#[test]
fn apia_skips_a_whole_day() {
    check("Pacific/Apia", "2011-12-30T10:00:00Z");
}

#[test]
fn casablanca_goes_back_for_ramadan() {
    check("Africa/Casablanca", "2026-02-15T02:00:00Z");
}

#[test]
fn casablanca_goes_forward_after_ramadan() {
    check("Africa/Casablanca", "2026-03-22T02:00:00Z");
}

/// The tests above look at days on which something happens: each has a jump within the days that are looked at.
#[test]
fn every_day_that_is_looked_at_has_a_change_of_the_clock() {
    for (name, midnight, change) in [
        ("Europe/Berlin", "2026-03-29T00:00:00Z", 60),
        ("Europe/Berlin", "2026-10-25T00:00:00Z", -60),
        ("America/New_York", "2026-03-08T05:00:00Z", 60),
        ("America/New_York", "2026-11-01T05:00:00Z", -60),
        ("Australia/Lord_Howe", "2026-10-03T14:00:00Z", 30),
        ("Australia/Lord_Howe", "2026-04-04T13:00:00Z", -30),
        ("Africa/Cairo", "2026-04-23T22:00:00Z", 60),
        ("Africa/Cairo", "2026-10-29T21:00:00Z", -60),
        ("America/Havana", "2026-03-08T05:00:00Z", 60),
        ("America/Havana", "2024-11-03T04:00:00Z", -60),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", 1440),
        ("Africa/Casablanca", "2026-02-15T02:00:00Z", -60),
        ("Africa/Casablanca", "2026-03-22T02:00:00Z", 60),
    ] {
        let zone = zone(name);
        let shown = |offset: i64| {
            let day = Duration::from_minutes(1440);
            let at = if offset < 0 { at(midnight).minus(day) } else { at(midnight).plus(day.plus(day)) };
            zone.local(at).to_string().parse::<DateTime>().unwrap()
        };
        let elapsed = shown(1).duration_since(shown(-1)).as_mins();
        assert_eq!(elapsed, 3 * 1440 + change, "{name} {midnight}");
    }
}
