//! Reading a snapshot, beside reading the same JSON into a plain value.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::Throughput;
use davy::Snapshot;
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let json = Case::new(Shape::USUAL).json();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("floor: serde_json into Value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&json)).unwrap());
    });
    group.bench_function("Snapshot::from_json", |bencher| {
        bencher.iter(|| Snapshot::from_json(black_box(&json)).unwrap());
    });
    group.finish();
    criterion.final_summary();
}
