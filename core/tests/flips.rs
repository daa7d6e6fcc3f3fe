//! Flips: the number that a finding names is the last that passes, and the next one does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod support;

use davy::{
    Amount, Asked, Decision, Finding, Flip, FlipBound, FlipOf, NoFlip, Observation, Observed, OverrideAction, Passed,
    ProbeResult, ProbeVerdict, Running,
};
use support::*;

/// Decides with the quantity at hand.
type Decide = Box<dyn Fn(Amount) -> Decision>;

/// A finding, the flip that it should have, and the next value, which does not pass.
struct Case {
    code: &'static str,
    flip: Flip,
    beyond: Amount,
    decide: Decide,
}

fn at_most(of: FlipOf, value: Amount, observed: Amount) -> Flip {
    Flip { of, bound: FlipBound::AtMost, value, observed }
}

fn at_least(of: FlipOf, value: Amount, observed: Amount) -> Flip {
    Flip { bound: FlipBound::AtLeast, ..at_most(of, value, observed) }
}

fn check(cases: Vec<Case>) {
    for Case { code, flip, beyond, decide } in cases {
        let found = decide(flip.observed);
        let about = finding(&found, code);
        assert_eq!(about.flip, Ok(flip), "{code}:\n{found}");
        let gate = |finding: &Finding| finding.code().split('.').next() == code.split('.').next();
        let passes =
            |decision: &Decision| !decision.findings.iter().any(|f| gate(f) && f.outcome != davy::Outcome::Pass);
        assert!(!passes(&found) || about.outcome == davy::Outcome::Pass, "{code} as observed:\n{found}");
        let last = decide(flip.value);
        assert!(passes(&last), "{code} should pass at {:?}:\n{last}", flip.value);
        let next = decide(beyond);
        assert!(!passes(&next), "{code} should not pass at {beyond:?}:\n{next}");
    }
}

fn whole(amount: Amount) -> u64 {
    match amount {
        Amount::Count(count) => count.get(),
        other => panic!("{other:?}"),
    }
}

fn number(amount: Amount) -> f64 {
    match amount {
        Amount::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

/// A metric in one minute, made from the quantity.
fn metric(limits: &'static str, observe: impl Fn(Amount) -> Vec<Observation> + 'static) -> Decide {
    Box::new(move |amount| Watch::of(&threshold(&[limits])).sees(observe(amount)))
}

/// So many bad requests of 1 000, beside so many of the baseline's 1 000.
fn beside(of_baseline: u64) -> impl Fn(Amount) -> Vec<Observation> {
    move |bad| vec![canary("m", counts(whole(bad), 1000)), baseline("m", counts(of_baseline, 1000))]
}

fn bad_events(code: &'static str, limits: &'static str, of_baseline: u64, last: u64, observed: u64) -> Case {
    Case {
        code,
        flip: at_most(FlipOf::BadEvents, things(last), things(observed)),
        beyond: things(last + 1),
        decide: metric(limits, beside(of_baseline)),
    }
}

#[test]
fn of_bad_events() {
    check(vec![
        bad_events("health.limit-exceeded", "name: m, bad: b, total: t, max: 1.19%", 0, 11, 19),
        bad_events("health.within-limits", "name: m, bad: b, total: t, max: 1.19%", 0, 11, 3),
        bad_events("health.breach-tolerated", "name: m, bad: b, total: t, max: 1.19%, patience: 9", 0, 11, 12),
        bad_events("health.limit-exceeded", "name: m, good: b, total: t, min: 98.8%", 0, 12, 19),
        bad_events("health.limit-exceeded", "name: m, bad: b, total: t, tolerate: 1.5x, unacceptable: 3x", 11, 16, 99),
        bad_events("health.inconclusive", "name: m, bad: b, total: t, tolerate: 1.5x, unacceptable: 3x", 11, 16, 17),
    ]);
}

#[test]
fn of_bad_events_with_two_limits() {
    let limits = "name: m, bad: b, total: t, max: 2%, tolerate: 1.5x, unacceptable: 3x";
    // The absolute limit is the narrower one, then the ratio is.
    check(vec![
        bad_events("health.limit-exceeded", limits, 18, 20, 99),
        bad_events("health.limit-exceeded", limits, 10, 15, 99),
        bad_events("health.inconclusive", limits, 10, 15, 16),
    ]);
}

#[test]
fn of_slow_requests_and_events() {
    let slow = |slow: u64| buckets(&[(0.3, 1000 - slow)], 1000);
    check(vec![
        Case {
            code: "health.limit-exceeded",
            flip: at_most(FlipOf::BadEvents, things(15), things(99)),
            beyond: things(16),
            decide: metric("name: m, buckets: b, slowerThan: 300ms, tolerate: 1.5x, unacceptable: 3x", move |amount| {
                vec![canary("m", slow(whole(amount))), baseline("m", slow(10))]
            }),
        },
        Case {
            code: "health.limit-exceeded",
            flip: at_most(FlipOf::Events, things(2), things(7)),
            beyond: things(3),
            decide: metric("name: m, events: restarts, max: 2", |amount| vec![canary("m", events(whole(amount)))]),
        },
    ]);
}

#[test]
fn of_the_interval_that_broke_the_limit() {
    let decide = |amount| {
        let mut watch = Watch::of(&threshold(&[&format!("{ERRORS}, failureLimit: 1")]));
        watch.sees([canary("errors", counts(50, 100))]);
        watch.sees([canary("errors", counts(whole(amount), 100))])
    };
    check(vec![Case {
        code: "health.limit-exceeded",
        flip: at_most(FlipOf::BadEvents, things(1), things(9)),
        beyond: things(2),
        decide: Box::new(decide),
    }]);
}

#[test]
fn of_latencies() {
    let classic = |seconds: f64| vec![canary("m", buckets(&[(seconds, 100)], 100))];
    // At schema 0 bucket `i` ends at 2^i seconds.
    let native = |seconds: f64| vec![canary("m", histogram(0, &[(if seconds > 1.0 { 1 } else { 0 }, 100)]))];
    check(vec![
        Case {
            code: "health.inconclusive",
            flip: at_most(FlipOf::Seconds, Amount::Number(0.3), Amount::Number(0.4)),
            beyond: Amount::Number(0.300_000_1),
            decide: metric("name: m, buckets: b, max: 300ms", move |amount| classic(number(amount))),
        },
        Case {
            code: "health.limit-exceeded",
            flip: at_most(FlipOf::Seconds, Amount::Number(1.0), Amount::Number(2.0)),
            beyond: Amount::Number(2.0),
            decide: metric("name: m, histogram: h, max: 1s", move |amount| native(number(amount))),
        },
    ]);
}

#[test]
fn of_shifts_in_whole_buckets() {
    #[expect(clippy::cast_possible_truncation, reason = "buckets are whole numbers")]
    let later = |amount| {
        let index = -20 + number(amount) as i32;
        vec![canary("m", histogram(3, &[(index, 100)])), baseline("m", histogram(3, &[(-20, 100)]))]
    };
    let case = |code, observed| Case {
        code,
        flip: at_most(FlipOf::BucketsLater, Amount::Number(1.0), Amount::Number(observed)),
        beyond: Amount::Number(2.0),
        decide: metric("name: m, histogram: h, tolerate: 5%, unacceptable: 25%", later),
    };
    check(vec![
        case("health.limit-exceeded", 9.0),
        case("health.inconclusive", 3.0),
        case("health.within-limits", -2.0),
    ]);
}

#[test]
fn of_gauges() {
    let alone = |amount| vec![canary("m", gauge(number(amount)))];
    let compared = |amount| vec![canary("m", gauge(number(amount))), baseline("m", gauge(0.5))];
    let case = |flip, beyond, decide| Case { code: "health.limit-exceeded", flip, beyond, decide };
    let of = |value, observed| at_most(FlipOf::Gauge, Amount::Number(value), Amount::Number(observed));
    let ratio = "name: m, gauge: g, tolerate: 1.5x, unacceptable: 2x";
    let both = "name: m, gauge: g, max: 90%, tolerate: 1.5x, unacceptable: 2x";
    check(vec![
        case(of(0.85, 0.9), Amount::Number(0.850_001), metric("name: m, gauge: g, max: 85%", alone)),
        case(
            at_least(FlipOf::Gauge, Amount::Number(2.0), Amount::Number(1.0)),
            Amount::Number(1.999_999),
            metric("name: m, gauge: g, min: 2, max: 8", alone),
        ),
        case(of(8.0, 9.0), Amount::Number(8.000_001), metric("name: m, gauge: g, min: 2, max: 8", alone)),
        case(of(0.75, 1.5), Amount::Number(0.750_001), metric(ratio, compared)),
        // The ratio is narrower than the limit that broke.
        case(of(0.75, 1.5), Amount::Number(0.750_001), metric(both, compared)),
    ]);
}

// Gates beside health.

fn share_of(amount: Amount) -> davy::Share {
    match amount {
        Amount::Share(share) => share,
        other => panic!("{other:?}"),
    }
}

fn instant(amount: Amount) -> davy::Instant {
    match amount {
        Amount::Instant(instant) => instant,
        other => panic!("{other:?}"),
    }
}

fn weight(text: &str) -> Amount {
    Amount::Share(share(text))
}

#[test]
fn of_weights() {
    let to = |spec: &'static str| -> Decide {
        Box::new(move |amount| look(spec, Asked::Advance { to: share_of(amount) }, |_| {}))
    };
    let ramp = "steps: [{ weight: 5% }, { weight: 25% }, { weight: 50% }]";
    check(vec![
        Case {
            code: "asked.not-higher",
            flip: at_least(FlipOf::Weight, weight("5.0001%"), weight("3%")),
            beyond: weight("5%"),
            decide: to(""),
        },
        Case {
            code: "steps.skipped",
            flip: at_most(FlipOf::Weight, weight("25%"), weight("50%")),
            beyond: weight("25.0001%"),
            decide: to(ramp),
        },
        Case {
            code: "steps.unfinished",
            flip: at_least(FlipOf::Weight, weight("50%"), weight("5%")),
            beyond: weight("49.9999%"),
            decide: Box::new(move |amount| look(ramp, Asked::Promote, |seen| seen.weight = share_of(amount))),
        },
        Case {
            code: "blast-radius.weight",
            flip: at_most(FlipOf::Weight, weight("20%"), weight("80%")),
            beyond: weight("20.0001%"),
            decide: to("environments: { prod: { blastRadius: { maxWeight: 20% } } }"),
        },
    ]);
}

#[test]
fn beyond_all_of_the_traffic_no_weight_is_higher() {
    let decision = look("", advance("100%"), |seen| seen.weight = share("100%"));
    assert!(finding(&decision, "asked.not-higher").flip.is_err(), "{decision}");
}

#[test]
fn of_the_clock() {
    let time = |clock: &str| Amount::Instant(at(clock));
    let before = |clock: &str| Amount::Instant(at(clock).minus(davy::Duration::from_millis(1)));
    let case = |code, clock: &str, decide| Case {
        code,
        flip: at_least(FlipOf::Time, time(clock), time("09:30")),
        beyond: before(clock),
        decide,
    };
    let at_time = |spec: &'static str, asked| -> Decide {
        Box::new(move |amount| look(spec, asked, |seen| seen.now = instant(amount)))
    };
    check(vec![
        case("steps.dwell", "09:45", at_time("steps: [{ weight: 5%, atLeast: 45m }]", Asked::Promote)),
        case(
            "dependencies.soaking",
            "10:15",
            Box::new(|amount| {
                let spec = "environments: { staging: {}, prod: { requires: [{ environment: staging, soak: 1h }] } }";
                look(spec, Asked::Start, |seen| {
                    seen.now = instant(amount);
                    seen.passed = vec![Passed { environment: name("staging"), revision: name("r2"), at: at("09:15") }];
                })
            }),
        ),
        case(
            "clock.backwards",
            "09:50",
            Box::new(|amount| look("", Asked::Keep, |seen| (seen.now, seen.since) = (instant(amount), at("09:50")))),
        ),
        case(
            "data.first-interval",
            "09:42:15",
            Box::new(|amount| {
                let spec = "health: { judge: threshold, every: 2m, settle: 15s, warmUp: 39m, metrics: [{ name: errors, bad: b, total: t, max: 1% }] }";
                look(spec, Asked::Promote, |seen| {
                    seen.now = instant(amount);
                    let healthy = vec![canary("errors", counts(0, 100))];
                    seen.intervals = vec![davy::Interval::new(at("09:40"), at("09:42"), healthy).unwrap()];
                })
            }),
        ),
    ]);
}

#[test]
fn of_requests_and_running_releases() {
    let exposed = |amount| {
        let spec = format!("steps: [{{ weight: 5%, minRequests: 500 }}], {}", threshold(&[ERRORS]));
        Watch::of(&spec).sees([canary("errors", counts(0, whole(amount)))])
    };
    let crowded = |amount| {
        let other = |number| Running {
            service: name("basket"),
            environment: name("prod"),
            revision: name(&format!("r{number}")),
        };
        let spec = "environments: { prod: { blastRadius: { concurrent: 3 } } }";
        look(spec, Asked::Start, |seen| seen.running = (0..whole(amount)).map(other).collect())
    };
    check(vec![
        Case {
            code: "steps.exposure",
            flip: at_least(FlipOf::Requests, things(500), things(120)),
            beyond: things(499),
            decide: Box::new(exposed),
        },
        Case {
            code: "blast-radius.concurrent",
            flip: at_most(FlipOf::RunningReleases, things(2), things(6)),
            beyond: things(3),
            decide: Box::new(crowded),
        },
    ]);
}

#[test]
fn of_failures_in_a_row() {
    let failing = |patience: u64| -> Decide {
        Box::new(move |amount| {
            let failures = whole(amount);
            let spec = format!("probes: [{{ flow: pay, patience: {patience} }}]");
            look(&spec, Asked::Promote, |seen| {
                let result = |minute: u64| {
                    let verdict = if minute < failures { ProbeVerdict::Fail } else { ProbeVerdict::Pass };
                    let at = at("09:29").minus(davy::Duration::from_minutes(minute));
                    ProbeResult { at, ..run("pay", "09:29", verdict) }
                };
                seen.probes = (0..8).map(result).collect();
            })
        })
    };
    let case = |code, patience, observed| Case {
        code,
        flip: at_most(FlipOf::Failures, things(0), things(observed)),
        beyond: things(1),
        decide: failing(patience),
    };
    check(vec![case("probes.failed", 1, 1), case("probes.failing", 3, 1), case("probes.failed", 3, 4)]);
}

// Where there is no such number.

#[test]
fn what_no_single_number_decides_says_why() {
    let missing = Watch::of(&threshold(&[ERRORS])).sees([canary("errors", NO_DATA)]);
    assert_eq!(finding(&missing, "health.no-data").flip, Err(NoFlip::NoValue));
    let form = Watch::of(&threshold(&[ERRORS])).sees([canary("errors", Observed::Gauge(0.0))]);
    assert_eq!(finding(&form, "health.wrong-form").flip, Err(NoFlip::NoValue));
    let flagger = Watch::of(&health("judge: flagger", &[ERRORS])).sees([canary("errors", counts(9, 100))]);
    assert_eq!(finding(&flagger, "health.flagger-check-failed").flip, Err(NoFlip::NotOneNumber));
    let person = look("", Asked::Keep, |seen| seen.overrides = vec![override_that(OverrideAction::Abort)]);
    assert_eq!(finding(&person, "override.abort").flip, Err(NoFlip::Person));
    let elsewhere = look("environments: { staging: {} }", Asked::Keep, |_| {});
    assert_eq!(finding(&elsewhere, "release.unknown-environment").flip, Err(NoFlip::NotANumber));
    // No multiple of nothing decides.
    let idle = [canary("m", gauge(0.1)), baseline("m", gauge(0.0))];
    let idle = Watch::of(&threshold(&["name: m, gauge: g, tolerate: 1.5x, unacceptable: 2x"])).sees(idle);
    assert_eq!(finding(&idle, "health.inconclusive").flip, Err(NoFlip::NotOneNumber));
}
