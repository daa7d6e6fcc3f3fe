//! Sealing a decision into a record.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::Throughput;
use davy::State;
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let case = Case::new(Shape::USUAL);
    let latest = case.latest();
    let fresh = State::new();
    let first = case.engine.decide(&fresh, &case.snapshot);
    let next = case.engine.decide(&latest.state, &latest.snapshot);
    let json = serde_json::to_vec(&next.decision).unwrap();
    let record = next.seal().unwrap();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Bytes(record.bytes().len() as u64));
    group.bench_function("floor: serde_json of the decision", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&next.decision)).unwrap());
    });
    group.bench_function("floor: serde_json_canonicalizer of the decision", |bencher| {
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        bencher.iter(|| serde_json_canonicalizer::to_vec(black_box(&value)).unwrap());
    });
    group.bench_function("of one new interval", |bencher| bencher.iter(|| black_box(&next).seal().unwrap()));
    group.bench_function("of 60 intervals", |bencher| bencher.iter(|| black_box(&first).seal().unwrap()));
    group.finish();
    criterion.final_summary();
}
