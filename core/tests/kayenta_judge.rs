//! `judge: kayenta` in a policy: when it analyses, what holds, what fails, and what stands beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod support;

use std::collections::BTreeMap;

use davy::kayenta::{Counted, Label, Limits, Rules, classify, score};
use davy::{Asked, Bundle, Cause, Decision, Observation, Observed, Standing, State, Verdict};
use proptest::prelude::*;
use support::*;

const LATENCY: &str = "name: latency, gauge: seconds, kayenta: { direction: increase, groups: [latency] }";
const ERRORS: &str = "name: errors, bad: b, total: t, kayenta: { direction: increase, groups: [errors] }";

/// Six minutes, analysed every two.
fn six_minutes(more: &str, metrics: &[&str]) -> String {
    health(&format!("judge: kayenta, horizon: 6m, kayenta: {{ analysisEvery: 2m{more} }}"), metrics)
}

fn both(metric: &str, of_canary: Observed, of_baseline: Observed) -> Vec<Observation> {
    vec![canary(metric, of_canary), baseline(metric, of_baseline)]
}

/// Values that differ from minute to minute, so that ranks mean something.
fn level(minute: u32, times: f64) -> Observed {
    gauge((100.0 + f64::from(minute * 7 % 5)) * times)
}

/// What is said after each minute, when the canary is so many times the baseline in each.
fn story(spec: &str, asked: Asked, times: &[f64]) -> Vec<String> {
    let mut watch = Watch::of(spec).asks(asked);
    let minute = |(minute, times): (u32, &f64)| {
        let observations = both("latency", level(minute, *times), level(minute + 3, 1.0));
        said(&watch.sees(observations))
    };
    (0..).zip(times).map(minute).collect()
}

#[test]
fn promotion_waits_for_the_last_analysis_and_more_traffic_for_one_that_is_not_marginal() {
    let spec = six_minutes("", &[LATENCY]);
    let (waiting, running) = ("hold health.kayenta-waiting", "hold health.kayenta-running");
    let expected = [waiting, running, running, running, running, "proceed", "proceed"];
    assert_eq!(story(&spec, Asked::Promote, &[1.0; 7]), expected);
    let expected = [waiting, "proceed", "proceed", "proceed", "proceed", "proceed", "proceed"];
    assert_eq!(story(&spec, advance("25%"), &[1.0; 7]), expected);
    // Watching waits for nothing.
    assert_eq!(story(&spec, Asked::Keep, &[1.0; 7]), ["proceed"; 7]);
}

#[test]
fn a_marginal_score_fails_at_any_analysis_and_lasts() {
    let spec = six_minutes("", &[LATENCY]);
    let failed = "abort health.kayenta-failed";
    let waiting = "hold health.kayenta-waiting";
    assert_eq!(story(&spec, Asked::Promote, &[3.0, 3.0, 1.0, 1.0]), [waiting, failed, failed, failed]);
    // Between analyses nothing is said, however bad it looks.
    let running = "hold health.kayenta-running";
    let said = story(&spec, Asked::Promote, &[1.0, 1.0, 9.0, 9.0]);
    assert_eq!(said[..3], [waiting, running, running]);
}

#[test]
fn what_is_not_marginal_must_pass_at_last() {
    // Of two groups one fails: 50 is marginal by default, and not where marginal is lower.
    let watch = |more: &str| {
        let mut watch = Watch::of(&six_minutes(more, &[LATENCY, ERRORS]));
        let mut last = String::new();
        for minute in 0..6 {
            let mut observations = both("latency", level(minute, 5.0), level(minute + 3, 1.0));
            let of = |minute: u32| counts(u64::from(minute % 3) + 1, 100);
            observations.extend(both("errors", of(minute), of(minute)));
            last = said(&watch.sees(observations));
            if last.starts_with("abort") {
                return (minute + 1, last);
            }
        }
        (6, last)
    };
    assert_eq!(watch(""), (2, "abort health.kayenta-failed".to_owned()));
    assert_eq!(watch(", marginal: 40"), (6, "abort health.kayenta-failed".to_owned()));
    assert_eq!(watch(", marginal: 40, pass: 50"), (6, "proceed".to_owned()));
    assert_eq!(
        watch(", marginal: 40, pass: 50, groupWeights: { latency: 70 }"),
        (2, "abort health.kayenta-failed".to_owned())
    );
}

#[test]
fn a_critical_metric_and_missing_data_make_the_score_nothing() {
    let critical = LATENCY.replace("name: latency", "name: latency, critical: true");
    let mut watch = Watch::of(&six_minutes("", &[&critical, ERRORS]));
    let mut seen = |minute: u32| {
        let mut observations = both("latency", level(minute, 5.0), level(minute + 3, 1.0));
        observations.extend(both("errors", counts(1, 100), counts(1, 100)));
        watch.sees(observations)
    };
    seen(0);
    let decision = seen(1);
    let Cause::HealthKayentaFailed { ended_by, score, .. } = &finding(&decision, "health.kayenta-failed").cause else {
        panic!("{decision}");
    };
    assert_eq!((ended_by.as_ref(), *score), (Some(&name("latency")), 0.0));

    // Kayenta takes a source that says nothing for a release that is bad.
    let mut blind = Watch::of(&six_minutes("", &[LATENCY, ERRORS]));
    blind.sees(both("latency", NO_DATA, NO_DATA));
    let decision = blind.sees(both("latency", NO_DATA, NO_DATA));
    let Cause::HealthKayentaFailed { mostly_no_data, .. } = &finding(&decision, "health.kayenta-failed").cause else {
        panic!("{decision}");
    };
    assert!(mostly_no_data);
}

#[test]
fn minutes_that_never_came_are_points_without_values() {
    let spec = six_minutes("", &[LATENCY]);
    let mut watch = Watch::of(&spec);
    watch.misses(3);
    // The first analysis saw nothing at all.
    assert_eq!(said(&watch.sees(both("latency", gauge(1.0), gauge(1.0)))), "abort health.kayenta-failed");
    // A gap that is longer than the rest of the analysis ends it.
    let mut long = Watch::of(&spec);
    for minute in 0..3 {
        long.sees(both("latency", level(minute, 1.0), level(minute + 3, 1.0)));
    }
    long.misses(1_000_000);
    let decision = long.sees(both("latency", gauge(1.0), gauge(1.0)));
    assert_eq!(said(&decision), "proceed", "three points were enough, as there");
}

#[test]
fn only_the_newest_points_are_looked_at_where_the_policy_says_so() {
    let all = six_minutes("", &[LATENCY]);
    let newest = six_minutes(", lookback: 2m", &[LATENCY]);
    let times = [1.0, 1.0, 1.0, 1.0, 5.0, 5.0];
    let last = |spec: &str| story(spec, Asked::Promote, &times).pop().unwrap();
    assert_eq!(last(&all), "proceed");
    assert_eq!(last(&newest), "abort health.kayenta-failed");
}

#[test]
fn every_form_becomes_one_value() {
    let slow = |fast: u64| buckets(&[(0.1, fast), (0.5, 100)], 100);
    let native = |index: i32| histogram(3, &[(index, 100)]);
    for (metric, good, bad) in [
        ("name: m, bad: b, total: t", counts(1, 100), counts(9, 100)),
        ("name: m, good: g, total: t", counts(9, 100), counts(1, 100)),
        ("name: m, buckets: b, quantile: p90", slow(95), slow(80)),
        ("name: m, histogram: h, quantile: p90", native(1), native(9)),
        ("name: m, gauge: g", gauge(1.0), gauge(2.0)),
        ("name: m, events: e", events(1), events(5)),
    ] {
        let spec = six_minutes("", &[&format!("{metric}, kayenta: {{ direction: increase, groups: [g] }}")]);
        let watch = |of_canary: &Observed, of_baseline: &Observed| {
            let mut watch = Watch::of(&spec);
            let mut last = None;
            for minute in 0..6 {
                // Without a spread within a side, noise decides; either way the label is the same.
                let _ = minute;
                last = Some(watch.sees(both("m", of_canary.clone(), of_baseline.clone())));
            }
            last.unwrap().verdict
        };
        assert_eq!(watch(&good, &good), Verdict::Proceed, "{metric}");
        assert_eq!(watch(&bad, &good), Verdict::Abort, "{metric}");
        assert_eq!(watch(&good, &bad), Verdict::Proceed, "{metric}");
    }
    // Replicas are one side: their mean, and their counts together.
    let spec = six_minutes("", &[LATENCY]);
    let mut watch = Watch::of(&spec);
    for minute in 0..2 {
        let one = |replica: &str, value: f64| of(replica, canary("latency", gauge(value + f64::from(minute))));
        watch.sees([one("a", 1.0), one("b", 3.0), baseline("latency", gauge(2.0 + f64::from(1 - minute)))]);
    }
    let decision = watch.looks();
    let Cause::HealthKayentaLabel { label, ratio, .. } = finding(&decision, "health.kayenta-label").cause else {
        panic!("{decision}");
    };
    assert_eq!((label, ratio), (Label::Pass, Some(1.0)));
}

#[test]
fn what_is_muted_is_shown_and_does_not_count() {
    let muted = LATENCY.replace("name: latency", "name: latency, dryRun: true");
    let spec = six_minutes("", &[&muted, ERRORS]);
    let mut watch = Watch::of(&spec);
    let mut last = String::new();
    for minute in 0..6 {
        let mut observations = both("latency", level(minute, 9.0), level(minute + 3, 1.0));
        observations.extend(both("errors", counts(1, 100), counts(1, 100)));
        last = said(&watch.sees(observations));
    }
    assert_eq!(last, "proceed");
    let decision = watch.looks();
    let labels: Vec<(&Standing, Label)> = decision
        .findings
        .iter()
        .filter_map(|finding| match finding.cause {
            Cause::HealthKayentaLabel { label, .. } => Some((&finding.standing, label)),
            _ => None,
        })
        .collect();
    assert_eq!(labels.len(), 2);
    assert!(labels.contains(&(&Standing::DryRun, Label::High)), "{labels:?}");
}

#[test]
fn evidence_watches_beside_any_other_judge_and_decides_nothing() {
    let beside = "name: errors-davy, judge: evidence, dryRun: true, bad: b, total: t, tolerate: 1.1x, unacceptable: 2x";
    let others = [
        ("judge: threshold", "name: cpu, gauge: c, max: 9"),
        ("judge: argo", "name: cpu, gauge: c, max: 9"),
        ("judge: flagger", "name: cpu, gauge: c, max: 9"),
        (
            "judge: kayenta, horizon: 6m, kayenta: { analysisEvery: 2m }",
            "name: cpu, gauge: c, kayenta: { groups: [g] }",
        ),
    ];
    for (judge, metric) in others {
        let watch = |metrics: &[&str]| {
            let mut watch = Watch::of(&health(judge, metrics));
            let mut last: Option<Decision> = None;
            for _ in 0..20 {
                let mut observations = both("cpu", gauge(1.0), gauge(1.0));
                if metrics.len() > 1 {
                    observations.extend(both("errors-davy", counts(60, 1000), counts(10, 1000)));
                }
                last = Some(watch.sees(observations));
            }
            last.unwrap()
        };
        let (alone, both) = (watch(&[metric]), watch(&[metric, beside]));
        assert_eq!((both.verdict, both.score), (alone.verdict, alone.score), "{judge}\n{both}");
        let harm = finding(&both, "health.harm");
        assert_eq!(harm.standing, Standing::DryRun, "{judge}");
        assert_eq!(finding(&both, "health.not-proved").standing, Standing::DryRun);
    }
    // Two that decide, or the same one twice, are refused.
    let refused = |judge: &str, metric: &str| {
        let spec = document(&health(judge, &[metric]));
        Bundle::from_files([("rollouts.yaml", spec)]).unwrap_err().to_string()
    };
    let counts = beside.replace(", dryRun: true", "");
    assert!(refused("judge: threshold", &counts).contains("a metric with a judge of its own cannot count"));
    assert!(refused("judge: evidence", beside).contains("`judge` is not used here"));
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let refused = |judge: &str, metric: &str| {
        let spec = document(&health(judge, &[metric]));
        let error = Bundle::from_files([("rollouts.yaml", spec)]).err();
        error.map_or_else(String::new, |error| error.to_string())
    };
    let kayenta = |settings: &str| format!("judge: kayenta, horizon: 6m, kayenta: {{ {settings} }}");
    for (judge, metric, message) in [
        (kayenta("analysisEvery: 90s"), LATENCY, "`analysisEvery` is a whole number of intervals of 1m"),
        (kayenta("analysisEvery: 7m"), LATENCY, "`analysisEvery` is a whole number of intervals of 1m"),
        (kayenta("lookback: 0"), LATENCY, "`lookback` is a whole number of intervals of 1m"),
        (kayenta("pass: 40"), LATENCY, "scores rise from 0"),
        (kayenta("pass: 101"), LATENCY, "scores rise from 0"),
        (kayenta("groupWeights: { latency: 120 }"), LATENCY, "the weight of a group"),
        ("judge: kayenta, horizon: 4d".to_owned(), LATENCY, "points are compared"),
        (
            "judge: kayenta, horizon: 80d, kayenta: { lookback: 1h }".to_owned(),
            LATENCY,
            "the horizon has 115200 intervals",
        ),
        ("judge: kayenta, horizon: 1d, kayenta: { analysisEvery: 1m }".to_owned(), LATENCY, "1440 analyses"),
        ("judge: kayenta, score: { pass: 90 }".to_owned(), LATENCY, "`score` is not used here"),
        ("judge: kayenta, onInconclusive: fail".to_owned(), LATENCY, "`onInconclusive` is not used here"),
        ("judge: kayenta".to_owned(), "name: a, gauge: g, max: 3", "`max` is not used here"),
        ("judge: kayenta".to_owned(), "name: a, gauge: g, patience: 3", "`patience` is not used here"),
        ("judge: kayenta".to_owned(), "name: a, gauge: g, quantile: p90", "`quantile` is not used here"),
        ("judge: kayenta".to_owned(), "name: a, gauge: g, argo: { count: 3 }", "`argo` is not used here"),
        (
            "judge: threshold".to_owned(),
            "name: a, gauge: g, max: 3, kayenta: { direction: either }",
            "`kayenta` is not used here",
        ),
        ("judge: argo, kayenta: { pass: 80 }".to_owned(), "name: a, gauge: g, max: 3", "`kayenta` is not used here"),
    ] {
        let found = refused(&judge, metric);
        assert!(found.contains(message), "{judge} {metric}: {found}");
    }
    assert_eq!(refused("judge: kayenta, horizon: 4d, kayenta: { lookback: 1d }", LATENCY), "");
}

/// Values of both sides; nothing where there was no data.
fn values() -> impl Strategy<Value = Vec<[Option<f64>; 2]>> {
    let value =
        || prop_oneof![1 => Just(None), 9 => (0..40_u32, 1..4_u32).prop_map(|(a, b)| Some(f64::from(a * b) / 8.0))];
    proptest::collection::vec([value(), value()], 1..=12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The judge is the arithmetic: of the values so far, at every analysis, until it is over.
    #[test]
    fn every_analysis_is_that_of_the_arithmetic(of_a in values(), of_b in values(), every in 1..=4_usize, critical: bool) {
        let horizon = of_a.len().min(of_b.len());
        let every = every.min(horizon);
        let metric = |name: &str, critical: bool| format!("name: {name}, gauge: g, critical: {critical}, kayenta: {{ groups: [{name}] }}");
        let judge = format!("judge: kayenta, horizon: {horizon}m, kayenta: {{ analysisEvery: {every}m, pass: 80, marginal: 30, groupWeights: {{ a: 60 }} }}");
        let mut watch = Watch::of(&health(&judge, &[&metric("a", critical), &metric("b", false)]));
        let observed = |value: Option<f64>| value.map_or(NO_DATA, gauge);
        let mut expected = Verdict::Hold;
        let mut over = false;
        for minute in 0..horizon {
            let mut observations = Vec::new();
            for (name, values) in [("a", &of_a), ("b", &of_b)] {
                let [of_canary, of_baseline] = values[minute];
                observations.extend(both(name, observed(of_canary), observed(of_baseline)));
            }
            let decision = watch.sees(observations);
            let (taken, last) = (minute + 1, minute + 1 == horizon);
            if !over && (last || taken % every == 0) {
                let by_seed = |seed: u64| {
                    let judged = [(&of_a, critical), (&of_b, false)].map(|(values, critical)| {
                        let side = |place: usize| values[..taken].iter().map(|pair| pair[place].unwrap_or(f64::NAN)).collect::<Vec<f64>>();
                        classify(&side(0), &side(1), &Rules { critical, ..Rules::default() }, &Limits::JUDGE, seed)
                    });
                    let counted: Vec<Counted<'_>> = judged.iter().zip([&["a"], &["b"]]).map(|(judged, groups)| {
                        Counted { label: judged.label, critical: judged.critical, groups }
                    }).collect();
                    let score = score(&counted, &BTreeMap::from([("a".to_owned(), 60.0)])).score;
                    match (score <= 30.0, last, score >= 80.0) {
                        (true, ..) | (_, true, false) => (Verdict::Abort, true),
                        (_, true, true) => (Verdict::Proceed, true),
                        _ => (Verdict::Hold, false),
                    }
                };
                // Where both sides are constant, the noise may decide; its seed is the judge's own business.
                if (2..30).any(|seed| by_seed(seed) != by_seed(1)) {
                    return Ok(());
                }
                (expected, over) = by_seed(1);
            }
            prop_assert_eq!(decision.verdict, expected, "after {} of {}\n{}", taken, horizon, decision);
        }
        prop_assert!(over);
    }

    /// A state that was written and read again goes on as if nothing had been.
    #[test]
    fn a_state_survives_being_written(of_a in values()) {
        let judge = "judge: kayenta, horizon: 12m, kayenta: { analysisEvery: 3m, lookback: 4m }";
        let spec = health(judge, &["name: a, gauge: g, kayenta: { nanStrategy: replace, groups: [g] }"]);
        let (mut watch, mut written) = (Watch::of(&spec), Watch::of(&spec));
        for [of_canary, of_baseline] in of_a {
            let observed = |value: Option<f64>| value.map_or(NO_DATA, gauge);
            let observations = both("a", observed(of_canary), observed(of_baseline));
            let decision = watch.sees(observations.clone());
            prop_assert_eq!(&decision, &written.sees(observations));
            written.state = State::from_json(&written.state.to_json()).unwrap();
            prop_assert_eq!(&watch.state, &written.state);
        }
    }
}
