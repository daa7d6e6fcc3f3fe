//! `increase` and `rate` against what Prometheus 2.42 computed, bit for bit, and against the rules of Prometheus 3.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "support/prometheus.rs"]
mod prometheus;

use davy::slo::{Mode, Sample, Series, Window, increase, rate, sum};
use davy::{Duration, Instant};
use prometheus::Oracle;

/// Two absent values are the same, and two values if every bit is; any NaN is as good as another.
fn same(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
        (found, expected) => found.is_none() && expected.is_none(),
    }
}

#[test]
fn every_increase_and_rate_has_the_bits_of_prometheus_2() {
    let oracle = Oracle::read();
    let mut compared = [0, 0, 0];
    for case in &oracle.cases {
        for call in case.calls() {
            let found = increase(call.series, call.window, Mode::Prometheus2);
            let (found, kind) = match call.function {
                "increase" => (found.map(|found| found.total), 0),
                "rate" => (rate(call.series, call.window, Mode::Prometheus2), 1),
                // Where samples cannot be compared, they are not counted either.
                "resets" => (found.map_or(call.value, |found| Some(found.resets as f64)), 2),
                "count_over_time" => (found.map_or(call.value, |found| Some(found.samples as f64)), 2),
                other => panic!("{other}"),
            };
            let (case, name, window) = (&case.name, call.name, call.window);
            assert!(same(found, call.value), "{case}: {} of {name} in {window:?}: {found:?}", call.function);
            compared[kind] += 1;
        }
    }
    assert_eq!(compared, [806, 170, 340]);
}

#[test]
fn every_ratio_of_rates_has_the_bits_of_prometheus_2() {
    let mut compared = 0;
    for case in &Oracle::read().cases {
        for (window, value) in case.ratios() {
            let rate = |name| sum([case.series(name)], window, Mode::Prometheus2).map(|sum| sum.per_second);
            let found = rate("err_total").zip(rate("req_total")).map(|(bad, total)| bad / total);
            assert!(same(found, value), "{}: {window:?}: {found:?} is not {value:?}", case.name);
            compared += 1;
        }
    }
    assert_eq!(compared, 395);
}

/// The rules as the reference states them, in its order and with its names; written without the library.
fn by_the_rules(samples: &[Sample], window: Window, left_open: bool, threshold_first: bool) -> Option<f64> {
    let (t, w) = (window.end.millis() as f64 / 1000.0, window.length.millis() as f64 / 1000.0);
    let seconds = |sample: &Sample| sample.at.millis() as f64 / 1000.0;
    let inside = |s: f64| if left_open { t - w < s && s <= t } else { t - w <= s && s <= t };
    let p: Vec<(f64, f64)> = samples.iter().map(|s| (seconds(s), s.value)).filter(|(s, _)| inside(*s)).collect();
    let k = p.len().checked_sub(1).filter(|k| *k >= 1)?;
    let ((t0, v0), (tk, vk)) = (p[0], p[k]);
    let mut res = vk - v0;
    for pair in p.windows(2) {
        if pair[1].1 < pair[0].1 {
            res += pair[0].1;
        }
    }
    let (mut to_start, mut to_end, si) = (t0 - (t - w), t - tk, tk - t0);
    let avg = si / k as f64;
    let thr = avg * 1.1;
    let zero_clamp = |to_start: f64| if res > 0.0 && v0 >= 0.0 { to_start.min(si * (v0 / res)) } else { to_start };
    if !threshold_first {
        to_start = zero_clamp(to_start);
    }
    if to_start >= thr {
        to_start = avg / 2.0;
    }
    if threshold_first {
        to_start = zero_clamp(to_start);
    }
    if to_end >= thr {
        to_end = avg / 2.0;
    }
    Some(res * ((si + to_start + to_end) / si))
}

#[test]
fn prometheus_3_follows_its_two_rules() {
    let mut differing = [0, 0, 0];
    for case in &Oracle::read().cases {
        for call in case.calls().filter(|call| call.function == "increase") {
            let rules = |open, first| by_the_rules(call.series.samples(), call.window, open, first);
            assert!(same(rules(false, false), call.value), "the rules themselves are those of the server");
            let found = increase(call.series, call.window, Mode::Prometheus3).map(|found| found.total);
            assert!(same(found, rules(true, true)), "{}: {:?}: {found:?}", case.name, call.window);
            for (differs, other) in differing.iter_mut().zip([rules(false, true), rules(true, false), found]) {
                *differs += usize::from(!same(other, call.value));
            }
        }
    }
    // The zero point alone, the open start alone, and both: the modes are told apart by these cases.
    assert_eq!(differing, [14, 96, 110]);
}

#[test]
fn prometheus_3_differs_where_the_reference_says() {
    let oracle = Oracle::read();
    let both = |case: &str, name: &str, minutes: u64, second: i64| {
        let case = oracle.cases.iter().find(|found| found.name == case).unwrap();
        let start = case.series("req_total").samples()[0].at;
        // Every case's first request counter sample is at its epoch, but for the partial ones.
        let end = start.plus(Duration::from_secs(second.unsigned_abs()));
        let window = Window { end, length: Duration::from_minutes(minutes) };
        let of = |mode| increase(case.series(name), window, mode).map(|found| found.total);
        (of(Mode::Prometheus2), of(Mode::Prometheus3))
    };
    assert_eq!(both("errors_absent_until_first", "err_total", 5, 6060), (Some(6.0), Some(4.5)));
    assert_eq!(both("counter_reset", "req_total", 5, 5400), (Some(2400.0), Some(2250.0)));
    assert_eq!(both("gap_7min", "req_total", 5, 6240), (Some(900.0), None));
}

#[test]
fn exact_loses_nothing_that_was_sampled() {
    let oracle = Oracle::read();
    let case = oracle.cases.iter().find(|case| case.name == "counter_reset").unwrap();
    let series = case.series("req_total");
    let (first, last) = (series.samples()[0], series.samples()[series.len() - 1]);
    let whole = Window { end: last.at, length: last.at.since(first.at) };
    let mut expected = 0.0;
    for pair in series.samples().windows(2) {
        expected += if pair[1].value < pair[0].value { pair[1].value } else { pair[1].value - pair[0].value };
    }
    let found = increase(series, whole, Mode::Exact).unwrap();
    assert_eq!((found.total, found.resets), (expected, 1));
    // Minute by minute, the same events.
    let minute = Duration::from_minutes(1);
    let ends = (1..=whole.length.millis() / 60_000).map(|minutes| first.at.plus(minute.times(minutes)));
    let parts: f64 =
        ends.filter_map(|end| increase(series, Window { end, length: minute }, Mode::Exact)).map(|i| i.total).sum();
    assert_eq!(parts.to_bits(), expected.to_bits());
}

#[test]
fn an_offset_is_an_earlier_end() {
    let samples = [0, 60, 120, 180].map(|s| Sample { at: Instant::from_millis(s * 1000), value: s as f64 });
    let series = Series::new(&samples).unwrap();
    let window = |end| Window { end: Instant::from_millis(end), length: Duration::from_minutes(2) };
    let now = increase(series, window(180_000), Mode::Prometheus2);
    let before = increase(series, window(120_000), Mode::Prometheus2);
    assert_eq!(now.map(|now| now.total), before.map(|before| before.total));
    assert_eq!(before.map(|before| before.to), Some(Instant::from_millis(120_000)));
}
