//! Writing canonical JSON, beside a peer that does the same.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::Throughput;
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let case = Case::new(Shape::USUAL);
    let json = case.json();
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), json, "both write the same");
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("canonical");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("floor: serde_json_canonicalizer of Value", |bencher| {
        bencher.iter(|| serde_json_canonicalizer::to_vec(black_box(&value)).unwrap());
    });
    group.bench_function("canonical_json of Value", |bencher| {
        bencher.iter(|| davy::canonical_json(black_box(&value)).unwrap());
    });
    group.bench_function("canonical_json of Snapshot", |bencher| {
        bencher.iter(|| davy::canonical_json(black_box(&case.snapshot)).unwrap());
    });
    group.finish();
    criterion.final_summary();
}
