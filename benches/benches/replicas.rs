//! Counts kept apart for 30 replicas of each cohort.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use davy::{Snapshot, State};
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let case = Case::new(Shape { replicas: 30, ..Shape::USUAL });
    let json = case.json();
    let latest = case.latest();
    let fresh = State::new();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("30 replicas");
    group.bench_function("floor: serde_json into Value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&json)).unwrap());
    });
    group.bench_function("Snapshot::from_json", |bencher| {
        bencher.iter(|| Snapshot::from_json(black_box(&json)).unwrap());
    });
    group.bench_function("decide from scratch, 60 intervals", |bencher| {
        bencher.iter(|| case.engine.decide(black_box(&fresh), black_box(&case.snapshot)));
    });
    group.bench_function("decide on folded state, one new interval", |bencher| {
        bencher.iter(|| case.engine.decide(black_box(&latest.state), black_box(&latest.snapshot)));
    });
    group.finish();
    criterion.final_summary();
}
