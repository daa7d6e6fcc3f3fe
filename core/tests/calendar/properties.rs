//! What holds of any windows. Each property has a planted bug beside it that it must catch.

use davy::calendar::{
    Change, Effect, Fold, Gap, Gates, HORIZON, Moment, Outlook, Precedence, Recurrence, Ruling, Starts, Timing, Turn,
    Window, outlook, rule,
};
use davy::{Duration, Instant, Name};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use crate::{START, at, cron, exact, minutes, wall, window, zone};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
    "Africa/Casablanca",
];

/// One of the days around which clocks change, or any other of some years.
fn now() -> impl Strategy<Value = Instant> {
    let changes = select(vec![
        "2026-03-29T00:00:00Z",
        "2026-10-25T00:00:00Z",
        "2026-03-08T05:00:00Z",
        "2024-11-03T04:00:00Z",
        "2026-10-03T14:00:00Z",
        "2026-04-04T13:00:00Z",
        "2026-04-23T21:00:00Z",
        "2026-10-29T20:00:00Z",
        "2011-12-30T09:00:00Z",
        "2026-02-15T01:00:00Z",
        "2026-03-22T01:00:00Z",
    ]);
    let near =
        (changes, 0..3 * 1440_u64).prop_map(|(change, later)| at(change).plus(minutes(later)).minus(minutes(1440)));
    let any = (0..3 * 366 * 1440_u64).prop_map(|later| at("2025-01-01T00:00:00Z").plus(minutes(later)));
    prop_oneof![near, any]
}

fn crons() -> impl Strategy<Value = Starts> {
    let crons = vec![
        "0 9 * * MON-FRI",
        "30 2 * * *",
        "0 0 * * *",
        "30 0 * * 0,6",
        "0 * * * *",
        "*/20 8-17 * * *",
        "0 18 * * FRI",
        "0 0 1 * *",
        "15 1,13 * * *",
        "0 3 29 2 *",
        "59 23 31 12 *",
    ];
    select(crons).prop_map(cron)
}

fn starts() -> impl Strategy<Value = Starts> {
    let rules = select(vec![
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=TU,TH",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=HOURLY;INTERVAL=7",
        "FREQ=YEARLY",
        "FREQ=DAILY;INTERVAL=3;COUNT=400",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270101",
    ]);
    let first = select(vec!["2025-01-31T02:30", "2024-02-29T00:00", "2010-06-15T23:45"]);
    let recurring = (rules, first).prop_map(|(rule, first)| {
        Starts::Recurrence(Recurrence::new(first.parse().unwrap(), Some(rule.parse().unwrap()), [], []))
    });
    prop_oneof![crons(), recurring]
}

fn timing() -> impl Strategy<Value = Timing> {
    let length = select(vec!["10m", "30m", "1h", "8h", "24h", "60h"]);
    let gap = select(vec![Gap::FirstAfter, Gap::Shift, Gap::Skip]);
    let fold = select(vec![Fold::First, Fold::Both, Fold::Span]);
    (starts(), length, any::<bool>(), select(ZONES.to_vec()), gap, fold).prop_map(
        |(starts, length, exactly, name, gap, fold)| {
            let ends = if exactly { exact(length) } else { wall(length) };
            Timing::new(starts, ends, zone(name), gap, fold)
        },
    )
}

fn class() -> Name {
    "security".parse().unwrap()
}

fn any_window(precedence: Precedence) -> impl Strategy<Value = Window> {
    let effect = select(vec![Effect::Allow, Effect::Deny]);
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let valid = (prop::option::weighted(0.2, now()), prop::option::weighted(0.2, now()));
    let gates = select(vec![
        Gates::ALL,
        Gates::ALL,
        Gates { start: false, ..Gates::ALL },
        Gates { promote: false, ..Gates::ALL },
    ]);
    (effect, timing(), flags, valid, gates).prop_map(
        move |(effect, timing, flags, (valid_from, valid_until), gates)| {
            let (manual, overrun, hard, exempt) = flags;
            let exempt = if exempt { vec![class()] } else { Vec::new() };
            let hard = hard && effect == Effect::Deny;
            Window {
                manual,
                overrun,
                hard,
                exempt,
                valid_from,
                valid_until,
                gates,
                precedence,
                ..window("w", effect, timing)
            }
        },
    )
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    prop::collection::vec(any_window(Precedence::Strict), 0..5)
}

#[derive(Debug, Clone)]
struct Asks {
    moment: Moment,
    manual: bool,
    secure: bool,
    began: Option<Instant>,
}

impl Asks {
    fn with<T>(&self, then: impl FnOnce(&Change<'_>) -> T) -> T {
        let class = class();
        let Self { moment, manual, secure, began } = *self;
        then(&Change { moment, manual, class: secure.then_some(&class), began })
    }
}

fn asks() -> impl Strategy<Value = Asks> {
    let moment = select(vec![Moment::Start, Moment::Advance, Moment::Promote]);
    (moment, any::<bool>(), any::<bool>(), prop::option::of(now())).prop_map(|(moment, manual, secure, began)| Asks {
        moment,
        manual,
        secure,
        began,
    })
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    )
}

fn refs(windows: &[Window]) -> Vec<&Window> {
    windows.iter().collect()
}

/// The instant at which it turns is exact: there the answer is the opposite, and at every minute before it is not.
fn turn_is_exact(
    windows: &[Window],
    asks: &Asks,
    now: Instant,
    look: impl Fn(&[&Window], &Change<'_>, Instant) -> Outlook,
) -> Result<(), String> {
    let windows = refs(windows);
    asks.with(|change| {
        let is_open = |at: Instant| rule(&windows, change, at).is_open();
        let outlook = look(&windows, change, now);
        if outlook.ruling.is_open() != is_open(now) {
            return Err("the present ruling is another one".to_owned());
        }
        let until = match outlook.turns {
            Turn::At { at, ruling } => {
                if at <= now || is_open(at) == is_open(now) || ruling.is_open() != is_open(at) {
                    return Err(format!("nothing turns at {at}"));
                }
                at
            }
            Turn::Never => now.plus(HORIZON),
            Turn::NotBefore(at) => at,
        };
        // Every minute of the first two days, then in steps that wander through the hour; and the last moment of all.
        let mut at = now;
        while at < until {
            if is_open(at) != is_open(now) {
                return Err(format!("it turns at {at} already, not only at {until}"));
            }
            at = at.plus(minutes(if at < now.plus(minutes(2 * 1440)) { 1 } else { 977 }));
        }
        let last = until.minus(Duration::from_millis(1));
        if last >= now && is_open(last) != is_open(now) {
            return Err(format!("it has turned before {until}"));
        }
        Ok(())
    })
}

#[test]
fn at_the_next_opening_it_is_open_and_at_no_instant_before() {
    runner(40)
        .run(&(windows(), asks(), now()), |(windows, asks, now)| {
            turn_is_exact(&windows, &asks, now, outlook).map_err(TestCaseError::fail)
        })
        .unwrap();
}

/// It stops at the first window that ends or begins, whatever the others say then.
fn trusting(windows: &[&Window], change: &Change<'_>, now: Instant) -> Outlook {
    let next = windows.iter().filter_map(|window| window.phase(now).changes).min();
    let ruling = rule(windows, change, now);
    let then = if ruling.is_open() { Ruling::Frozen } else { Ruling::Within };
    Outlook { ruling, turns: next.map_or(Turn::Never, |at| Turn::At { at, ruling: then }) }
}

#[test]
fn an_outlook_that_trusts_the_end_of_a_freeze_is_caught() {
    let run = runner(250).run(&(windows(), asks(), now()), |(windows, asks, now)| {
        turn_is_exact(&windows, &asks, now, trusting).map_err(TestCaseError::fail)
    });
    assert!(run.is_err());
}

type Rules = fn(&[&Window], &Change<'_>, Instant) -> Ruling;

fn a_deny_never_opens(precedence: Precedence, rules: Rules) -> Result<(), String> {
    let given =
        (prop::collection::vec(any_window(precedence), 0..5), any_window(precedence), any::<Index>(), asks(), now());
    let run = runner(1000).run(&given, |(windows, deny, place, asks, now)| {
        let deny = Window { effect: Effect::Deny, ..deny };
        let before = asks.with(|change| rules(&refs(&windows), change, now));
        let mut more = windows.clone();
        more.insert(place.index(windows.len() + 1), deny);
        let after = asks.with(|change| rules(&refs(&more), change, now));
        prop_assert!(before.is_open() || !after.is_open(), "{before:?}, then {after:?}");
        Ok(())
    });
    run.map_err(|error| error.to_string())
}

#[test]
fn adding_a_freeze_never_opens_anything() {
    a_deny_never_opens(Precedence::Strict, rule).unwrap();
}

/// The surprise that Argo CD has and `argoCompat` keeps.
#[test]
fn adding_a_freeze_opens_something_in_argos_precedence() {
    a_deny_never_opens(Precedence::ArgoCompat, rule).unwrap_err();
}

#[test]
fn the_order_of_windows_means_nothing() {
    let given = (windows(), asks(), now());
    runner(100)
        .run(&given, |(windows, asks, now)| {
            let mut turned = windows.clone();
            turned.reverse();
            let rotated: Vec<Window> = turned.iter().skip(1).chain(turned.first()).cloned().collect();
            for other in [turned, rotated] {
                let of = |windows: &[Window]| asks.with(|change| outlook(&refs(windows), change, now));
                prop_assert_eq!(of(&windows), of(&other));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_ruling_by_the_first_window_alone_is_caught() {
    let first_alone =
        |windows: &[&Window], change: &Change<'_>, now: Instant| rule(&windows[..windows.len().min(1)], change, now);
    let run = runner(1000).run(&(windows(), asks(), now()), |(windows, asks, now)| {
        let mut turned = windows.clone();
        turned.reverse();
        let of = |windows: &[Window]| asks.with(|change| first_alone(&refs(windows), change, now).is_open());
        prop_assert_eq!(of(&windows), of(&turned));
        Ok(())
    });
    assert!(run.is_err());
}

/// 28 years are a whole number of weeks and leap years: in UTC, everything comes again.
#[test]
fn in_utc_everything_comes_again_after_28_years() {
    let shift = Duration::from_minutes(28 * 1461 / 4 * 1440);
    let given = (crons(), select(vec!["10m", "8h", "60h"]), now());
    let check = |shift: Duration| {
        runner(300).run(&given, |(starts, length, now)| {
            let timing = Timing::new(starts, exact(length), zone("UTC"), Gap::Skip, Fold::First);
            let span = |at: Instant| timing.active(at).map(|span| (span.start, span.end));
            let later = span(now.plus(shift)).map(|(start, end)| (start.minus(shift), end.minus(shift)));
            prop_assert_eq!(span(now), later);
            let next = |at: Instant| timing.next_start(at).map(|span| span.start);
            prop_assert_eq!(next(now), next(now.plus(shift)).map(|start| start.minus(shift)));
            Ok(())
        })
    };
    check(shift).unwrap();
    // A shift of a day more does not go unnoticed.
    assert!(check(shift.plus(Duration::from_minutes(1440))).is_err());
}

type Looks = fn(&[&Window], &Change<'_>, Instant) -> Outlook;

/// Freezes that follow each other without a gap, and allow windows that never come.
fn never_opens(look: Looks) -> Result<(), String> {
    let timing = |schedule: &str, length: &str| {
        Timing::new(cron(schedule), exact(length), zone("Europe/Berlin"), Gap::FirstAfter, Fold::Span)
    };
    let now = at("2026-11-26T12:00:00Z");
    // Minute after minute, hour after hour, day after day, and once for a year at a time.
    for (schedule, length) in
        [("* * * * *", "1m"), ("* * * * *", "1h"), ("0 * * * *", "1h"), ("0 0 * * *", "25h"), ("0 0 1 1 *", "8784h")]
    {
        let window = window("freeze", Effect::Deny, timing(schedule, length));
        let outlook = look(&[&window], &START, now);
        let soon = match outlook.turns {
            Turn::Never => true,
            Turn::NotBefore(at) => at > now,
            Turn::At { .. } => false,
        };
        if outlook.ruling != Ruling::Frozen || !soon {
            return Err(format!("{schedule} for {length}: {outlook:?}"));
        }
    }
    let never = window("never", Effect::Allow, timing("0 0 30 2 *", "1h"));
    let seen = look(&[&never], &START, now);
    if (seen.ruling, seen.turns) == (Ruling::Outside, Turn::Never) { Ok(()) } else { Err(format!("{seen:?}")) }
}

#[test]
fn a_calendar_that_never_opens_says_so_soon() {
    never_opens(outlook).unwrap();
}

#[test]
fn an_outlook_that_takes_the_end_of_one_freeze_for_an_opening_is_caught() {
    never_opens(trusting).unwrap_err();
}

/// For changes that nobody asks for by hand and that did not begin before, another allow window never closes anything
/// where there is one already.
fn another_allow_never_closes(rules: Rules) -> Result<(), String> {
    let allow =
        || any_window(Precedence::Strict).prop_map(|window| Window { effect: Effect::Allow, hard: false, ..window });
    let run =
        runner(500).run(&(windows(), allow(), allow(), asks(), now()), |(mut windows, first, second, asks, now)| {
            let asks = Asks { manual: false, began: None, ..asks };
            windows.push(Window {
                gates: Gates::ALL,
                valid_from: None,
                valid_until: None,
                exempt: Vec::new(),
                ..first
            });
            let before = asks.with(|change| rules(&refs(&windows), change, now));
            let more: Vec<Window> = windows.iter().cloned().chain([second]).collect();
            let after = asks.with(|change| rules(&refs(&more), change, now));
            prop_assert!(!before.is_open() || after.is_open(), "{before:?}, then {after:?}");
            Ok(())
        });
    run.map_err(|error| error.to_string())
}

#[test]
fn another_allow_window_never_closes_anything_where_there_is_one() {
    another_allow_never_closes(rule).unwrap();
}

#[test]
fn a_ruling_that_wants_every_allow_window_open_is_caught() {
    let all = |windows: &[&Window], change: &Change<'_>, now: Instant| {
        let closed = |window: &&&Window| window.effect == Effect::Allow && window.phase(now).open.is_none();
        if windows.iter().any(|window| closed(&window)) { Ruling::Outside } else { rule(windows, change, now) }
    };
    another_allow_never_closes(all).unwrap_err();
}

fn nothing_passes_a_hard_one(rules: Rules) -> Result<(), String> {
    let given = (windows(), timing(), asks(), now());
    let run = runner(500).run(&given, |(windows, timing, asks, now)| {
        let hard = Window {
            hard: true,
            manual: true,
            overrun: true,
            exempt: vec![class()],
            ..window("hard", Effect::Deny, timing)
        };
        let open = hard.phase(now).open.is_some();
        let all: Vec<Window> = windows.into_iter().chain([hard]).collect();
        let ruling = asks.with(|change| rules(&refs(&all), change, now));
        prop_assert!(!open || ruling == Ruling::HardFrozen, "{ruling:?}");
        Ok(())
    });
    run.map_err(|error| error.to_string())
}

#[test]
fn nothing_passes_a_hard_freeze() {
    nothing_passes_a_hard_one(rule).unwrap();
}

#[test]
fn a_ruling_that_lets_an_exempt_class_pass_a_hard_freeze_is_caught() {
    let lenient = |windows: &[&Window], change: &Change<'_>, now: Instant| {
        let exempts = |window: &&Window| change.class.is_some_and(|class| window.exempt.contains(class));
        let kept: Vec<&Window> = windows.iter().copied().filter(|window| !exempts(window)).collect();
        rule(&kept, change, now)
    };
    nothing_passes_a_hard_one(lenient).unwrap_err();
}
