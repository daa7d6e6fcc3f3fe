//! What a rollout can detect, and when: worked out beforehand, held against the gate and against what is known.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod support;

use std::num::NonZeroU32;
use std::ops::Add as _;

use davy::plan::{
    Effect, Estimate, NoiseSource, Plan, PlanRefused, PlannedTest, Prospect, Shortfall, Unknown, Variation, Varies,
    plan, plan_from,
};
use davy::{
    Asked, Cohort, Count, Duration, Engine, Factor, Histogram, Interval, Observation, Observed, State, Verdict,
};
use libm::{erfc, exp2, log};
use support::*;

const RAMP: &str = "steps: [{ weight: 5%, atLeast: 10m }, { weight: 25%, atLeast: 20m }]";
const ERRORS_BESIDE: &str = "name: errors, bad: a, total: b, tolerate: 1x, unacceptable: 2x";

fn policy(settings: &str, metrics: &[&str]) -> String {
    format!("{RAMP}, {}", health(settings, metrics))
}

fn requests(rate: &str) -> Estimate {
    Estimate {
        requests: Some(rate.parse().unwrap()),
        bad: Some(share("1%")),
        p50: Some(Duration::from_millis(50)),
        p99: Some(Duration::from_millis(200)),
        ..Estimate::default()
    }
}

fn planned(spec: &str, estimate: Estimate) -> Plan {
    plan(&bundle(spec), None, estimate).unwrap()
}

fn tests(plan: &Plan, metric: usize) -> &[PlannedTest] {
    match &plan.metrics[metric].prospect {
        Prospect::Tests(tests) => tests,
        other => panic!("{other:?}"),
    }
}

fn times(factor: &str) -> Effect {
    Effect::Times(factor.parse::<Factor>().unwrap())
}

fn minutes(duration: Option<Duration>) -> f64 {
    duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64() / 60.0)
}

/// How long twice the errors take at each step, in minutes.
fn doubled(rate: &str) -> Vec<f64> {
    // Ten replicas that are alike take little from the evidence.
    let plan = planned(&policy("horizon: 12h", &[ERRORS_BESIDE]), with(10, None, rate));
    let effects = &tests(&plan, 0)[0].effects;
    let doubled = effects.iter().find(|effect| effect.effect == times("2x")).unwrap();
    doubled.at_step.iter().map(|takes| minutes(*takes)).collect()
}

#[test]
fn detection_takes_as_long_as_information_does() {
    // ln(2/α)/G intervals of a minute, and what mixing over sizes and starts costs on top: at most ln 32 nats.
    for (rate, requests) in [("5/s", 300.0), ("50/s", 3000.0)] {
        for (takes, weight) in doubled(rate).into_iter().zip([0.05, 0.25]) {
            let (canary, baseline) = (weight * requests, (1.0 - weight) * requests);
            let mixed = 2.0 * canary + baseline;
            let growth = 0.01 * (canary * 2.0 * log(2.0) - mixed * log(mixed / (canary + baseline)));
            let (least, most) = (log(200.0) / growth, log(6400.0) / growth + 1.0);
            assert!(least <= takes && takes <= most, "{rate} {weight}: {least} {takes} {most}");
        }
    }
}

#[test]
fn more_traffic_and_more_weight_are_seen_sooner() {
    let all = [doubled("5/s"), doubled("50/s"), doubled("500/s")];
    assert!(all.windows(2).all(|pair| pair[1][0] < pair[0][0] && pair[1][1] < pair[0][1]), "{all:?}");
    assert!(all.iter().all(|at| at[1] < at[0]), "{all:?}");
}

#[test]
fn a_quiet_service_cannot_show_what_a_busy_one_can() {
    let spec = policy("horizon: 60m", &[ERRORS_BESIDE]);
    let busy = planned(&spec, requests("500/s"));
    assert!(busy.shortfalls.is_empty() && busy.promoted == Some(Duration::from_minutes(30)), "{:?}", busy.promoted);
    assert!(tests(&busy, 0)[0].seen_by.iter().all(Option::is_some));

    let quiet = planned(&spec, requests("0.2/s"));
    assert_eq!(quiet.promoted, None);
    assert_eq!(tests(&quiet, 0)[0].seen_by, [Some(times("100x")), Some(times("20x"))]);
    let [Shortfall::Undetected { effect, at_steps, .. }, Shortfall::Unproved { .. }] = &quiet.shortfalls[..] else {
        panic!("{:?}", quiet.shortfalls)
    };
    assert_eq!((*effect, at_steps.len()), (times("2x"), 2));
    let said = quiet.shortfalls[0].to_string();
    assert!(said.starts_with("`errors`: 2x as many is unacceptable, and not expected to be detected"), "{said}");
}

#[test]
fn what_is_not_known_is_said() {
    let probe = "name: journey, probe: login, max: 10%";
    let search = "name: search, buckets: c, tolerate: 1.2x, unacceptable: 2x";
    let cpu = "name: cpu, gauge: g, max: 85%";
    let plan = planned(&policy("onInconclusive: hold", &[ERRORS_BESIDE, probe, search, cpu]), Estimate::default());
    let prospects: Vec<_> = plan.metrics.iter().map(|metric| (metric.name.as_str(), &metric.prospect)).collect();
    assert_eq!(
        prospects,
        [
            ("cpu", &Prospect::Outside),
            ("errors", &Prospect::Unknown(Unknown::Bad)),
            ("journey", &Prospect::Unknown(Unknown::Requests)),
            ("search", &Prospect::Unknown(Unknown::Latencies)),
        ]
    );
    assert_eq!((plan.promoted, plan.shortfalls.len()), (None, 0));
    // A metric's own traffic counts before that of the service, and the service's is none of a probe.
    let own = policy(
        "expect: { requests: 5/s, bad: 1% }",
        &[&format!("{ERRORS_BESIDE}, expect: {{ requests: 500/s }}"), probe],
    );
    let plan = planned(&own, Estimate::default());
    let estimate = plan.metrics[0].estimate;
    assert_eq!((estimate.requests, estimate.bad), (Some("500/s".parse().unwrap()), Some(share("1%"))));
    assert_eq!(plan.metrics[1].prospect, Prospect::Unknown(Unknown::Requests));
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let of = |spec: &str, estimate| plan(&bundle(spec), None, estimate).unwrap_err();
    let falling =
        Estimate { p50: Some(Duration::from_secs(2)), p99: Some(Duration::from_secs(1)), ..Estimate::default() };
    assert_eq!(of(&policy("onInconclusive: hold", &[ERRORS_BESIDE]), falling), PlanRefused::Latencies);
    assert_eq!(of(&health("onInconclusive: hold", &[ERRORS_BESIDE]), Estimate::default()), PlanRefused::NoSteps);
    assert_eq!(of(&format!("{RAMP}, {}", threshold(&[ERRORS])), Estimate::default()), PlanRefused::NoEvidence);
    let several =
        format!("{}, environments: {{ dev: {{}}, prod: {{}} }}", policy("onInconclusive: hold", &[ERRORS_BESIDE]));
    assert_eq!(of(&several, Estimate::default()), PlanRefused::Environment { known: "dev`, `prod".to_owned() });
    assert!(plan(&bundle(&several), Some(&name("prod")), Estimate::default()).is_ok());
}

const LATENCY_BESIDE: &str = "name: latency, histogram: h, tolerate: 5%, unacceptable: 25%";

fn rounded(requests: f64) -> u64 {
    requests.round() as u64
}

/// An hour of 1.8 million requests, a hundredth of them in the canary; this share takes longer than a latency.
fn hour(slower_than: impl Fn(f64) -> f64) -> Interval {
    let bound = |index: i32| exp2(f64::from(index) / 16.0);
    let within = |index: i32, of: f64| rounded(of * (slower_than(bound(index - 1)) - slower_than(bound(index))));
    let histogram = |of: f64| {
        let buckets = (-192..96).map(|index| (index, count(within(index, of)))).collect();
        Observed::Histogram(Histogram::new(4, Count::ZERO, buckets).unwrap())
    };
    let seen = |metric: &str, cohort, observed| Observation { metric: name(metric), cohort, replica: None, observed };
    let start = "2026-11-23T09:00:00Z".parse::<davy::Instant>().unwrap();
    let observations = vec![
        seen("errors", Cohort::Canary, counts(180, 18_000)),
        seen("errors", Cohort::Baseline, counts(17_820, 1_782_000)),
        seen("latency", Cohort::Canary, histogram(18_000.0)),
        seen("latency", Cohort::Baseline, histogram(1_782_000.0)),
    ];
    Interval::new(start, start.plus(Duration::from_minutes(60)), observations).unwrap()
}

fn exceeds(seconds: f64, median: f64, spread: f64) -> f64 {
    0.5 * erfc(log(seconds / median) / spread / 2_f64.sqrt())
}

fn quarter(plan: &Plan) -> f64 {
    minutes(plan.detected(Effect::Slower("1.25x".parse().unwrap())))
}

#[test]
fn what_was_seen_is_planned_with_as_if_it_had_been_said() {
    let spec = policy("onInconclusive: hold", &[ERRORS_BESIDE, LATENCY_BESIDE]);
    let spread = log(4.0) / 2.326_347_874_040_841;
    let healthy = [hour(|seconds| exceeds(seconds, 0.05, spread))];
    let seen = plan_from(&bundle(&spec), None, Estimate::default(), &healthy).unwrap();
    let said = planned(&spec, Estimate { p90: Some(Duration::from_millis(107)), schema: Some(4), ..requests("500/s") });
    let (errors, latency) = (seen.metrics[0].estimate, seen.metrics[1].estimate);
    assert_eq!((errors.requests, errors.bad), (Some("500/s".parse().unwrap()), Some(share("1%"))));
    assert_eq!((latency.requests.unwrap().per_second().round(), latency.schema), (500.0, Some(4)));
    assert_eq!(latency.p50, Some(Duration::from_millis(50)));
    assert_eq!(tests(&seen, 0), tests(&said, 0));
    assert!((quarter(&seen) - quarter(&said)).abs() <= 1.0, "{} {}", quarter(&seen), quarter(&said));
}

#[test]
fn a_tail_that_three_quantiles_cannot_say_is_planned_with_when_it_is_seen() {
    // Of 1.5 % around 400 ms a quarter more time is hardly seen: they exceed what they exceeded before.
    let heavy = |seconds: f64| 0.985 * exceeds(seconds, 0.05, 0.6) + 0.015 * exceeds(seconds, 0.4, 0.8);
    let spec = policy("onInconclusive: hold", &[ERRORS_BESIDE, LATENCY_BESIDE]);
    let by_shape = plan_from(&bundle(&spec), None, Estimate::default(), &[hour(heavy)]).unwrap();
    let shown = by_shape.metrics[1].estimate;
    assert_eq!([shown.p50, shown.p90, shown.p99].map(Option::unwrap).map(Duration::millis), [51, 113, 323]);
    let said = Estimate { p50: shown.p50, p90: shown.p90, p99: shown.p99, ..Estimate::default() };
    // What is said of latencies counts before their shape.
    let by_quantiles = plan_from(&bundle(&spec), None, said, &[hour(heavy)]).unwrap();
    assert!(quarter(&by_shape) > 1.5 * quarter(&by_quantiles), "{} {}", quarter(&by_shape), quarter(&by_quantiles));
}

#[test]
fn what_is_said_counts_before_what_was_seen_and_that_before_what_is_expected() {
    let own = format!("{ERRORS_BESIDE}, expect: {{ bad: 3% }}");
    let spec = policy("onInconclusive: hold, expect: { requests: 7/s, bad: 7%, p50: 7ms }", &[&own, LATENCY_BESIDE]);
    let healthy = [hour(|seconds| exceeds(seconds, 0.05, 0.6))];
    let rates = |said| {
        let plan = plan_from(&bundle(&spec), None, said, &healthy).unwrap();
        let of = |metric: usize| {
            (plan.metrics[metric].estimate.requests.unwrap().per_second().round(), plan.metrics[metric].estimate.bad)
        };
        (of(0), of(1))
    };
    let (errors, latency) = rates(Estimate::default());
    assert_eq!(errors, (500.0, Some(share("3%"))));
    assert_eq!(latency, (500.0, Some(share("7%"))));
    let own = plan_from(&bundle(&spec), None, Estimate::default(), &healthy).unwrap().metrics[1].estimate;
    assert_eq!(own.p50, Some(Duration::from_millis(50)));
    let (errors, latency) = rates(Estimate { requests: Some("20/s".parse().unwrap()), ..Estimate::default() });
    assert_eq!((errors.0, latency.0), (20.0, 20.0));
}

fn seen(metric: &str, cohort: Cohort, replica: Option<&str>, observed: Observed) -> Observation {
    Observation { metric: name(metric), cohort, replica: replica.map(name), observed }
}

/// Minutes, one after the other, in each of which this was observed.
fn minutes_of(observations: impl IntoIterator<Item = Vec<Observation>>) -> Vec<Interval> {
    let start: davy::Instant = "2026-11-23T09:00:00Z".parse().unwrap();
    let minute = |n: u64| start.plus(Duration::from_minutes(n));
    (0..).zip(observations).map(|(n, seen)| Interval::new(minute(n), minute(n + 1), seen).unwrap()).collect()
}

fn seen_of(metric: &str, healthy: &[Interval]) -> Estimate {
    let spec = policy("onInconclusive: hold", &[metric]);
    plan_from(&bundle(&spec), None, Estimate::default(), healthy).unwrap().metrics[0].estimate
}

#[test]
fn minutes_without_a_request_are_minutes_too() {
    let one_in_ten = (0..100).map(|n| vec![seen("errors", Cohort::Baseline, None, counts(0, u64::from(n % 10 == 0)))]);
    assert_eq!(seen_of(ERRORS_BESIDE, &minutes_of(one_in_ten)).requests.unwrap().to_string(), "6/h");
}

#[test]
fn pods_that_come_and_go_are_as_many_as_there_are_at_a_time() {
    let pods = |n: u64| (0..3).map(move |pod| format!("pod-{}", 3 * (n / 4) + pod));
    let of = |n| pods(n).map(|pod| seen("errors", Cohort::Baseline, Some(&pod), counts(20, 1000))).collect();
    assert_eq!(seen_of(ERRORS_BESIDE, &minutes_of((0..20).map(of))).replicas, NonZeroU32::new(3));
}

#[test]
fn replicas_are_those_of_minutes_with_requests_whether_each_had_one_or_not() {
    let pods = |of: u64| move |pod: u32| seen("errors", Cohort::Baseline, Some(&format!("pod-{pod}")), counts(0, of));
    // Most of the day is idle, and at its busiest one of the three serves.
    let idle = (0..20).map(|_| Vec::new());
    let busy = (0..9).map(|_| (0..3).map(|pod| pods(u64::from(pod == 0))(pod)).collect());
    assert_eq!(seen_of(ERRORS_BESIDE, &minutes_of(idle.chain(busy))).replicas, NonZeroU32::new(3));
}

#[test]
fn a_ramp_that_waits_for_requests_waits_for_those_that_were_seen() {
    let spec = |settings: &str| {
        let steps = "steps: [{ weight: 5%, atLeast: 10m, minRequests: 3000 }, { weight: 50%, atLeast: 10m }]";
        format!("{steps}, {}", health(settings, &[ERRORS_BESIDE]))
    };
    let until = |settings: &str, said: Estimate| {
        let healthy = minutes_of([vec![seen("errors", Cohort::Baseline, None, counts(60, 6000))]]);
        let plan = plan_from(&bundle(&spec(settings)), None, said, &healthy).unwrap();
        plan.steps[0].until.to_string()
    };
    // At 100 requests/s 5 % have had 3 000 after ten minutes, at 10 after a hundred.
    assert_eq!(until("onInconclusive: hold", Estimate::default()), "10m");
    assert_eq!(until("onInconclusive: hold, expect: { requests: 10/s }", Estimate::default()), "10m");
    let said = Estimate { requests: Some("10/s".parse().unwrap()), ..Estimate::default() };
    assert_eq!(until("onInconclusive: hold", said), "1h40m");
}

#[test]
fn a_pod_without_buckets_makes_none_coarser() {
    let with = |idle: bool| {
        let histogram = |schema, all: Vec<(i32, u64)>| {
            let all = all.into_iter().map(|(index, of)| (index, count(of))).collect();
            Observed::Histogram(Histogram::new(schema, Count::ZERO, all).unwrap())
        };
        let busy = histogram(4, (-80..-40).map(|index| (index, 30_000)).collect());
        let mut all = vec![seen("latency", Cohort::Baseline, Some("busy"), busy)];
        all.extend(idle.then(|| seen("latency", Cohort::Baseline, Some("idle"), histogram(0, Vec::new()))));
        seen_of(LATENCY_BESIDE, &minutes_of([all])).schema
    };
    assert_eq!((with(false), with(true)), (Some(4), Some(4)));
}

#[test]
fn too_few_bad_requests_to_know_their_share_say_nothing_of_it() {
    let of = |bad| {
        seen_of(ERRORS_BESIDE, &minutes_of([vec![seen("errors", Cohort::Baseline, None, counts(bad, 1000))]])).bad
    };
    assert_eq!((of(0), of(9), of(10)), (None, None, Some(share("1%"))));
}

#[test]
fn classic_thresholds_are_those_that_were_seen() {
    let at = |bounds: &[(f64, u64)]| {
        let observed = seen("m", Cohort::Baseline, None, buckets(bounds, 600));
        let spec = policy("onInconclusive: hold", &["name: m, buckets: h, tolerate: 1.1x, unacceptable: 1.4x"]);
        plan_from(&bundle(&spec), None, Estimate::default(), &minutes_of([vec![observed]])).unwrap()
    };
    let of =
        |plan: &Plan| (plan.metrics[0].estimate.p50, minutes(plan.detected(Effect::Slower("1.25x".parse().unwrap()))));
    let (median, fine) = of(&at(&[(0.1, 180), (0.2, 300), (0.3, 540), (0.4, 590)]));
    assert_eq!(median, Some(Duration::from_millis(200)));
    let (_, coarse) = of(&at(&[(0.2, 300), (0.4, 590)]));
    assert!(fine < coarse, "{fine} {coarse}");
    // The bounds of most requests count, whichever come first.
    let few = seen("m", Cohort::Baseline, Some("old"), buckets(&[(7.0, 4)], 9));
    let many = seen("m", Cohort::Baseline, Some("pod"), buckets(&[(0.1, 300_000), (0.2, 500_000)], 1_000_000));
    let known = seen_of("name: m, buckets: h, tolerate: 1.1x, unacceptable: 1.4x", &minutes_of([vec![few, many]]));
    assert_eq!(known.p50, Some(Duration::from_millis(200)));
}

#[test]
fn quantiles_that_were_not_seen_are_not_shown_and_what_was_is_planned_with() {
    let native = |zero: u64, all: &[(i32, u64)]| {
        let all = all.iter().map(|(index, of)| (*index, count(*of))).collect();
        let histogram = Observed::Histogram(Histogram::new(4, count(zero), all).unwrap());
        let healthy = minutes_of([vec![seen("latency", Cohort::Baseline, None, histogram)]]);
        let spec = policy("onInconclusive: hold", &[LATENCY_BESIDE]);
        plan_from(&bundle(&spec), None, Estimate::default(), &healthy).unwrap()
    };
    // 5 % take a second and nothing takes longer: how the rest would go on was not seen.
    let timeouts = native(0, &[(-69, 300_000), (-64, 300_000), (-60, 350_000), (0, 50_000)]);
    let shown = timeouts.metrics[0].estimate;
    assert!(shown.p50.is_some() && shown.p90.is_some() && shown.p99.is_none(), "{shown:?}");
    assert!(quarter(&timeouts) < 30.0, "{}", quarter(&timeouts));
    // Most take no measurable time; of the others it is seen all the same.
    let fast = native(600_000, &[(-69, 100_000), (-64, 100_000), (-60, 200_000)]);
    assert_eq!(fast.metrics[0].estimate.p50, None);
    assert!(quarter(&fast) < 30.0, "{}", quarter(&fast));
}

#[test]
fn what_buckets_are_too_coarse_for_is_not_promised() {
    let native = |schema: i8, all: Vec<(i32, u64)>| {
        let all = all.into_iter().map(|(index, of)| (index, count(of))).collect();
        let histogram = Observed::Histogram(Histogram::new(schema, Count::ZERO, all).unwrap());
        let spec = policy("onInconclusive: hold", &["name: latency, histogram: h, tolerate: 5%, unacceptable: 25%"]);
        let healthy = minutes_of([vec![seen("latency", Cohort::Baseline, None, histogram)]]);
        let plan = plan_from(&bundle(&spec), None, Estimate::default(), &healthy).unwrap();
        tests(&plan, 0)[0].proved
    };
    let fine = (-80..-40).map(|index| (index, 30_000)).collect();
    // Where each bucket is four times as wide as the one before nothing shows that a canary is not a quarter slower.
    let coarse = vec![(-2, 480_000), (-1, 720_000)];
    assert!(native(4, fine).is_some());
    assert_eq!(native(-1, coarse), None);
}

#[test]
fn intervals_that_show_nothing_of_the_baseline_are_refused() {
    let spec = policy("onInconclusive: hold", &[ERRORS_BESIDE, "name: journey, probe: login, max: 10%"]);
    let of = |observations| plan_from(&bundle(&spec), None, requests("50/s"), &minutes_of([observations])).unwrap_err();
    let seen = |metric, cohort, observed| seen(metric, cohort, None, observed);
    assert_eq!(of(Vec::new()), PlanRefused::NothingSeen);
    assert_eq!(of(vec![seen("errors", Cohort::Canary, counts(1, 100))]), PlanRefused::NothingSeen);
    assert_eq!(of(vec![seen("errors", Cohort::Baseline, counts(0, 0))]), PlanRefused::NothingSeen);
    assert_eq!(of(vec![seen("journey", Cohort::Baseline, counts(1, 100))]), PlanRefused::NothingSeen);
}

/// The replicas of each cohort: their number, and that of the baseline if they are told apart.
struct Replicas {
    canary: u32,
    baseline: u32,
    told_apart: bool,
}

/// At 25 % of the traffic.
const TEN: Replicas = Replicas { canary: 3, baseline: 10, told_apart: true };
const NONE: Replicas = Replicas { canary: 1, baseline: 1, told_apart: false };

/// After how many intervals of exactly what is expected it aborts, at 25 % of 48 000 requests a minute: replicas have
/// whole numbers of errors.
fn aborts_after(spec: &str, replicas: &Replicas, observed: impl Fn(Cohort, f64) -> Observed) -> u64 {
    let engine = Engine::new(&bundle(spec));
    let mut state = State::new();
    for end in 1..100 {
        let mut snapshot = snapshot(Asked::Keep);
        let mut all = Vec::new();
        for (cohort, number, requests) in
            [(Cohort::Canary, replicas.canary, 12_000.0), (Cohort::Baseline, replicas.baseline, 36_000.0)]
        {
            for place in 0..number {
                let replica = replicas.told_apart.then(|| name(&format!("pod-{place:02}")));
                let observed = observed(cohort, requests / f64::from(number));
                all.push(Observation { metric: name("m"), cohort, replica, observed });
            }
        }
        snapshot.intervals = vec![Interval::new(minute(end - 1), minute(end), all).unwrap()];
        snapshot.now = minute(end);
        let step = engine.decide(&state, &snapshot);
        if step.decision.verdict == Verdict::Abort {
            return end;
        }
        state = step.state;
    }
    panic!("it never aborts: {spec}")
}

#[test]
fn it_aborts_when_the_plan_says_if_every_interval_is_as_expected() {
    for replicas in [TEN, NONE] {
        let estimate = || Estimate {
            schema: Some(4),
            replicas: replicas.told_apart.then(|| NonZeroU32::new(replicas.baseline).unwrap()),
            ..requests("48000/m")
        };
        let on_ramp = |spec: &str, effect: Effect| {
            let plan = planned(spec, estimate());
            let of = tests(&plan, 0).iter().flat_map(|test| &test.effects).find(|planned| planned.effect == effect);
            of.and_then(|planned| planned.at_step[0]).unwrap().millis() / 60_000
        };
        let alone = |metric: &str| {
            format!("steps: [{{ weight: 25%, atLeast: 90m }}], {}", health("judge: evidence, horizon: 2h", &[metric]))
        };
        // Ten replicas that are exactly alike, as here, are so by chance: they show less noise than is expected of them.
        let about = |planned: u64, after: u64| {
            let most = if replicas.told_apart { 1.3 * after as f64 } else { after as f64 };
            assert!(planned + 1 >= after && planned as f64 <= most + 1.0, "{planned} {after}");
        };

        // Where no replicas are told apart, less than twice as many is never seen.
        let (times_as_many, unacceptable) = if replicas.told_apart { (0.013, "1.3x") } else { (0.02, "2x") };
        let ratio = alone(&format!("name: m, bad: a, total: b, tolerate: 1.1x, unacceptable: {unacceptable}"));
        let after = aborts_after(&ratio, &replicas, |cohort, of| {
            let bad = if cohort == Cohort::Canary { times_as_many } else { 0.01 };
            counts(rounded(of * bad), rounded(of))
        });
        let planned = on_ramp(&ratio, times(unacceptable));
        about(planned, after);

        let outage = aborts_after(&ratio, &replicas, |cohort, of| {
            let bad = if cohort == Cohort::Canary { 1.0 } else { 0.01 };
            counts(rounded(of * bad), rounded(of))
        });
        assert_eq!((on_ramp(&ratio, Effect::Share(davy::Share::ALL)), outage), (1, 1));

        let absolute = alone("name: m, bad: a, total: b, max: 1%");
        let after = aborts_after(&absolute, &replicas, |_, of| counts(rounded(of * 0.015), rounded(of)));
        let planned = on_ramp(&absolute, Effect::Share(share("1.5%")));
        about(planned, after);

        // Lognormal, with a p99 of four times the median.
        let spread = log(4.0) / 2.326_347_874_040_841;
        let slower_than = |seconds: f64, times: f64| 0.5 * erfc(log(seconds / (0.05 * times)) / spread / 2_f64.sqrt());
        let slow = |cohort, times: f64| if cohort == Cohort::Canary { times } else { 1.0 };

        let (slower, unacceptable) = if replicas.told_apart { (1.12, "12%") } else { (1.25, "25%") };
        let shift = alone(&format!("name: m, histogram: h, tolerate: 5%, unacceptable: {unacceptable}"));
        let after = aborts_after(&shift, &replicas, |cohort, of| {
            let above = |index: i32| slower_than(exp2(f64::from(index) / 16.0), slow(cohort, slower));
            let share = |index: i32| above(index - 1) - above(index);
            let buckets = (-130..0).map(|index| (index, count(rounded(of * share(index)))));
            Observed::Histogram(
                Histogram::new(4, Count::ZERO, buckets.filter(|(_, n)| *n > Count::ZERO).collect()).unwrap(),
            )
        });
        let planned = on_ramp(&shift, Effect::Slower(slower.to_string().add("x").parse().unwrap()));
        about(planned, after);

        let classic = alone("name: m, buckets: h, tolerate: 1.1x, unacceptable: 1.4x");
        let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let after = aborts_after(&classic, &replicas, |cohort, of| {
            let times = slow(cohort, 1.25);
            let at_most: Vec<(f64, u64)> =
                bounds.iter().map(|bound| (*bound, rounded(of * (1.0 - slower_than(*bound, times))))).collect();
            buckets(&at_most, rounded(of))
        });
        let planned = on_ramp(&classic, Effect::Slower("1.25x".parse().unwrap()));
        about(planned, after);
    }
}

fn varies(spread: &str, drift: &str, offset: &str) -> Varies {
    Varies { spread: share(spread), drift: share(drift), correlation: share("70%"), offset: share(offset) }
}

/// How replicas differ in the study that the second key comes from: a little of everything, and much of it.
fn mixed() -> Variation {
    Variation { errors: varies("30%", "10%", "2%"), latency: varies("3%", "2%", "2%") }
}

fn hard() -> Variation {
    Variation { errors: varies("50%", "30%", "5%"), latency: varies("5%", "5%", "5%") }
}

fn with(replicas: u32, noise: Option<Variation>, rate: &str) -> Estimate {
    Estimate { replicas: NonZeroU32::new(replicas), noise, ..requests(rate) }
}

#[test]
fn noise_delays_and_replicas_make_up_for_it() {
    let spec = policy("horizon: 12h", &["name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 2x"]);
    let doubled = |estimate: Estimate| {
        let plan = planned(&spec, estimate);
        minutes(tests(&plan, 0)[0].effects.iter().find(|it| it.effect == times("2x")).unwrap().at_step[1])
    };
    let of = |replicas| (doubled(with(replicas, None, "5/s")), doubled(with(replicas, Some(hard()), "5/s")));
    let ((alike, ten), (_, thirty), (three, _)) = (of(10), of(30), of(3));
    assert!(alike < ten && thirty < ten, "{alike} {thirty} {ten}");
    assert!(three > 2.0 * alike, "three replicas that are alike show little: {three} {alike}");
}

#[test]
fn a_shortfall_says_what_the_noise_hides() {
    let spec = policy("horizon: 60m", &["name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 1.5x"]);
    let of = |estimate: Estimate| planned(&spec, estimate);
    assert!(of(with(10, None, "500/s")).shortfalls.is_empty());
    let undetected = |plan: &Plan| {
        let hidden = plan.shortfalls.iter().find(|it| matches!(it, Shortfall::Undetected { .. }));
        hidden.map(|it| (it.to_string(), it.hint())).unwrap_or_else(|| panic!("{:?}", plan.shortfalls))
    };
    let (said, hint) = undetected(&of(with(3, Some(mixed()), "500/s")));
    assert!(said.contains("and the noise of 3 replicas hides it: adding replicas helps, time does not"), "{said}");
    assert!(hint.starts_with("add replicas"), "{hint}");
    let none = Estimate { replicas: None, ..with(1, None, "500/s") };
    let (said, hint) = undetected(&of(none));
    assert!(said.contains("the noise hides it that is assumed where no replicas are told apart"), "{said}");
    assert!(hint.contains("`expect: { replicas: ... }`"), "{hint}");
}

#[test]
fn beside_an_absolute_limit_no_replicas_are_blamed_for_the_noise() {
    let mut hidden = 0;
    for (horizon, replicas) in (3..=12).flat_map(|minutes| [(minutes, None), (minutes, NonZeroU32::new(10))]) {
        let settings = format!("judge: evidence, horizon: {horizon}m");
        let metric = "name: m, bad: a, total: b, max: 1%";
        let spec = format!("steps: [{{ weight: 25%, atLeast: 1m }}], {}", health(&settings, &[metric]));
        for shortfall in planned(&spec, Estimate { replicas, ..requests("500/s") }).shortfalls {
            let (Shortfall::Undetected { noise, .. } | Shortfall::Unproved { noise, .. }) = &shortfall;
            let Some(noise) = noise else { continue };
            hidden += 1;
            assert_eq!(noise.source, NoiseSource::KnownLimit);
            let (said, hint) = (shortfall.to_string(), shortfall.hint());
            assert!(said.ends_with("hides it that is assumed beside a limit, whatever replicas show"), "{said}");
            assert!(hint.starts_with("stay longer") && !hint.contains("replicas"), "{hint}");
        }
    }
    assert!(hidden > 0, "no horizon is short enough for noise to hide anything");
}

#[test]
fn an_outage_is_planned_at_once_whatever_the_noise() {
    let spec = policy("horizon: 60m", &["name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 2x"]);
    for replicas in [3, 10] {
        let plan = planned(&spec, with(replicas, Some(mixed()), "50/s"));
        assert_eq!(plan.detected(Effect::Share(davy::Share::ALL)), Some(Duration::from_minutes(1)));
    }
}

#[test]
fn lint_warns_of_what_the_expected_traffic_cannot_show() {
    let codes = |expect: &str| {
        let spec = policy(&format!("horizon: 60m, {expect}"), &[ERRORS_BESIDE]);
        let warnings = bundle(&spec).warnings().to_vec();
        warnings
            .into_iter()
            .map(|warning| warning.code.as_str())
            .filter(|code| matches!(*code, "L020" | "L021"))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("expect: { requests: 500/s, bad: 1% }"), [""; 0]);
    assert_eq!(codes("expect: { requests: 0.2/s, bad: 1% }"), ["L020", "L021"]);
    // Nobody said what to expect.
    assert_eq!(codes("onInconclusive: hold"), [""; 0]);
    assert_eq!(codes("expect: { requests: 500/s, bad: 1%, replicas: 10 }"), [""; 0]);
}
