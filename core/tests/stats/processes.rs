//! Folding: at once or bit by bit, the same bits.

use std::num::NonZeroU32;

use davy::stats::{
    Gauge, GaugeTest, Grid, GroupSequential, Latency, LatencyPlan, ODDS, OddsTest, Pair, Peak, Process, RATIOS,
    RatioGrid, RatioRange, RatioTest, Spending, Starts,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::pair;
use crate::streams::Rng;

fn history(seed: u64, intervals: usize) -> Vec<Pair> {
    let mut rng = Rng::new(seed);
    (0..intervals)
        .map(|_| {
            let (canary, baseline) = (1 + rng.next() % 200, 1 + rng.next() % 2000);
            pair((rng.next() % canary, canary), (rng.next() % baseline, baseline))
        })
        .collect()
}

/// Folds all intervals at once, and again with the state written and read after every few of them.
fn same_bits<S: Serialize + DeserializeOwned>(name: &str, new: impl Fn() -> S, mut fold: impl FnMut(&mut S, &Pair)) {
    let history = history(3, 60);
    let mut batch = new();
    history.iter().for_each(|seen| fold(&mut batch, seen));
    let batch = serde_json::to_string(&batch).unwrap();
    for every in [1, 2, 7, 59] {
        let mut state = new();
        for (index, seen) in history.iter().enumerate() {
            fold(&mut state, seen);
            if index % every == 0 {
                state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            }
        }
        assert_eq!(serde_json::to_string(&state).unwrap(), batch, "{name} {every}");
    }
}

#[test]
fn folding_in_parts_is_folding_at_once() {
    let starts = Starts::Open(NonZeroU32::new(20).unwrap());
    let ratio = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), starts);
    let grid = RatioGrid::quarter_doublings();
    let gauge = GaugeTest::new(0.03, 0.05, 10).unwrap();
    let spending = Spending::new("1%".parse().unwrap(), [1.0; 60]).unwrap();
    same_bits("errors", Process::<8>::new, |process, seen| process.fold(starts, &ratio.increment(seen)));
    same_bits("latency", || Latency::new(&[0.5, 0.1]).unwrap(), |latency, seen| latency.fold(&plan, &[*seen, *seen]));
    same_bits("range", RatioRange::<25>::new, |range, seen| range.fold(&grid, seen));
    same_bits("group-sequential", GroupSequential::new, |test, seen| {
        test.look(&spending, seen).unwrap();
    });
    same_bits("gauge", Gauge::default, |state, seen| {
        let level = |arm: davy::stats::Arm| arm.events().get() as f64 / arm.total().get() as f64;
        state.fold(&gauge, level(seen.canary), level(seen.baseline));
    });
    let test = ratio.clone();
    same_bits(
        "peak",
        || (Process::<8>::new(), Peak::new()),
        move |(process, peak), seen| {
            process.fold(starts, &test.increment(seen));
            peak.fold(process.e(starts));
        },
    );
}

#[test]
fn a_latency_with_five_thresholds_is_small() {
    let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), Starts::First);
    let mut latency = Latency::new(&davy::stats::SLOW_SHARES).unwrap();
    for seen in history(4, 100) {
        latency.fold(&plan, &[seen; 5]);
    }
    assert!(serde_json::to_string(&latency).unwrap().len() < 700);
    assert!(5 * std::mem::size_of::<Process<9>>() <= 512);
}

#[test]
fn an_interval_without_events_changes_no_evidence() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let starts = Starts::First;
    let evidence = |history: &[Pair]| {
        let mut process = Process::new();
        history.iter().for_each(|seen| process.fold(starts, &test.increment(seen)));
        process.e(starts).to_bits()
    };
    let (bad, good, none) = (pair((4, 75), (9, 1425)), pair((0, 80), (12, 1500)), pair((0, 70), (0, 1300)));
    let expected = evidence(&[bad, good]);
    for history in [[none, bad, good], [bad, none, good], [bad, good, none]] {
        assert_eq!(evidence(&history), expected);
    }
}

#[test]
fn a_late_regression_is_found_through_a_long_healthy_time() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let until = |starts: Starts, healthy: u32| {
        let mut process = Process::new();
        for _ in 0..healthy {
            process.fold(starts, &test.increment(&pair((4, 375), (11, 1125))));
        }
        (1..=120).find(|_| {
            process.fold(starts, &test.increment(&pair((12, 375), (11, 1125))));
            process.e(starts) >= 200.0
        })
    };
    let planned = NonZeroU32::new(120).unwrap();
    assert!(until(Starts::First, 0).unwrap() <= 6);
    assert!(until(Starts::Within(planned), 100).unwrap() <= 10);
    assert!(until(Starts::Open(planned), 100).unwrap() <= 10);
    assert!(until(Starts::Open(planned), 1000).unwrap() <= 13, "long after what was planned");
    assert!(until(Starts::First, 100).is_none_or(|late| late > 12), "that is what start times are for");
}
