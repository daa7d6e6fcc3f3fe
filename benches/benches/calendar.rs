//! Change windows: whether one is open, what comes next, and how both grow with the age of a rule; beside croner and rrule.
#![allow(clippy::panic, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::str::FromStr;

use criterion::BenchmarkId;
use davy::Instant;
use davy::calendar::{
    Change, Effect, Ends, Fold, Gap, Gates, Length, Moment, Precedence, Recurrence, Starts, Timing, Window, Zone,
    outlook,
};

/// A Thursday.
const NOW: &str = "2026-11-26T12:34:56Z";

fn main() {
    let mut criterion = davy_benches::criterion();
    let now: Instant = parse(NOW);
    let chrono_now =
        chrono::DateTime::<chrono::Utc>::from_str(NOW).map(|at| at.with_timezone(&chrono_tz::Europe::Berlin));
    let chrono_now = chrono_now.unwrap_or_else(|error| panic!("{error}"));

    let mut group = criterion.benchmark_group("calendar: cron");
    for schedule in ["0 9 * * 1-5", "*/5 * * * *", "0 0 29 2 *"] {
        let timing = timing(Starts::Cron(parse(schedule)));
        group.bench_function(BenchmarkId::new("active", schedule), |bencher| {
            bencher.iter(|| black_box(&timing).active(black_box(now)));
        });
        group.bench_function(BenchmarkId::new("next start", schedule), |bencher| {
            bencher.iter(|| black_box(&timing).next_start(black_box(now)));
        });
        let peer = croner::Cron::from_str(schedule).unwrap_or_else(|error| panic!("{error}"));
        group.bench_function(BenchmarkId::new("peer: croner, next", schedule), |bencher| {
            bencher.iter(|| black_box(&peer).find_next_occurrence(black_box(&chrono_now), false).is_ok());
        });
        group.bench_function(BenchmarkId::new("peer: croner, previous", schedule), |bencher| {
            bencher.iter(|| black_box(&peer).find_previous_occurrence(black_box(&chrono_now), false).is_ok());
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("calendar: rule by the age of its first time");
    for rule in ["FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY"]
    {
        for (age, first) in
            [("1 month", "2026-10-26T09:00"), ("1 year", "2025-11-26T09:00"), ("11 years", "2015-11-26T09:00")]
        {
            let set = Recurrence::new(parse(first), Some(parse(rule)), [], []);
            let timing = timing(Starts::Recurrence(set));
            let label = format!("{rule}, {age}");
            group.bench_function(BenchmarkId::new("active", &label), |bencher| {
                bencher.iter(|| black_box(&timing).active(black_box(now)));
            });
            group.bench_function(BenchmarkId::new("next start", &label), |bencher| {
                bencher.iter(|| black_box(&timing).next_start(black_box(now)));
            });
            let stamp = first.replace(['-', ':'], "");
            let text = format!("DTSTART;TZID=Europe/Berlin:{stamp}00\nRRULE:{rule}");
            let peer: rrule::RRuleSet = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let peer_now = chrono_now.with_timezone(&rrule::Tz::Europe__Berlin);
            group.bench_function(BenchmarkId::new("peer: rrule, next", &label), |bencher| {
                bencher.iter(|| black_box(&peer).into_iter().find(|at| *at > black_box(peer_now)));
            });
        }
    }
    group.finish();

    let windows = fifty();
    let windows: Vec<&Window> = windows.iter().collect();
    let change = Change { moment: Moment::Start, manual: false, class: None, began: None };
    let mut group = criterion.benchmark_group("calendar: fifty windows");
    let seen = outlook(&windows, &change, now);
    assert!(!seen.ruling.is_open() && seen.turns.at().is_some(), "{seen:?}");
    group.bench_function("ruling and next opening", |bencher| {
        bencher.iter(|| outlook(black_box(&windows), &change, black_box(now)));
    });
    group.bench_function("is each open, and until when", |bencher| {
        bencher.iter(|| windows.iter().filter(|window| black_box(window).phase(black_box(now)).open.is_some()).count());
    });
    group.finish();
    criterion.final_summary();
}

fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn timing(starts: Starts) -> Timing {
    let ends = Length::exact(parse("8h")).unwrap_or_else(|error| panic!("{error}"));
    let zone = Zone::new("Europe/Berlin").unwrap_or_else(|error| panic!("{error}"));
    Timing::new(starts, Ends::After(ends), zone, Gap::Skip, Fold::First)
}

/// Office hours, nightly backups, weekly and monthly freezes, single dates: ten of each, none of which is open all day.
fn fifty() -> Vec<Window> {
    let mut windows = Vec::new();
    for number in 0..10 {
        let rule =
            |text: &str, first: &str| Starts::Recurrence(Recurrence::new(parse(first), Some(parse(text)), [], []));
        for (effect, starts) in [
            (Effect::Allow, Starts::Cron(parse(&format!("{} 18 * * MON-FRI", number * 5)))),
            (Effect::Deny, Starts::Cron(parse(&format!("{} 2 * * *", number * 6)))),
            (Effect::Deny, rule("FREQ=WEEKLY;BYDAY=TH", &format!("2020-01-02T{:02}:30", 7 + number))),
            (Effect::Deny, rule("FREQ=MONTHLY;BYDAY=-1FR", "2018-01-26T17:00")),
            (
                Effect::Deny,
                Starts::Recurrence(Recurrence::new(parse(&format!("2026-12-{:02}T00:00", number + 20)), None, [], [])),
            ),
        ] {
            windows.push(Window {
                name: parse(&format!("w{number}")),
                effect,
                hard: false,
                timing: timing(starts),
                manual: false,
                overrun: false,
                gates: Gates::ALL,
                exempt: Vec::new(),
                valid_from: None,
                valid_until: None,
                precedence: Precedence::Strict,
            });
        }
    }
    windows
}
