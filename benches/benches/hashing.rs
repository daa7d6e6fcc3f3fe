//! Hashing of inputs: the digests of 60 intervals, taken when they are made, and the chain that deciding extends.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::BatchSize;
use davy::{Digest, Interval};
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let intervals = Case::new(Shape::USUAL).snapshot.intervals;
    let texts: Vec<Vec<u8>> = intervals.iter().map(|interval| davy::canonical_json(interval).unwrap()).collect();
    let digests: Vec<Digest> = texts.iter().map(|text| Digest::of(text)).collect();
    assert!(
        intervals.iter().map(Interval::digest).eq(digests.iter().copied()),
        "a digest is that of the canonical form"
    );
    let parts: Vec<_> =
        intervals.iter().map(|interval| (interval.start(), interval.end(), interval.observations().to_vec())).collect();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("hashing of 60 intervals");
    group.bench_function("floor: SHA-256 of their canonical bytes", |bencher| {
        bencher.iter(|| black_box(&texts).iter().map(|text| Digest::of(text)).collect::<Vec<_>>());
    });
    group.bench_function("their canonical bytes", |bencher| {
        bencher.iter(|| {
            let texts = black_box(&intervals).iter().map(|interval| davy::canonical_json(interval).unwrap());
            texts.map(|text| text.len()).sum::<usize>()
        });
    });
    group.bench_function("Interval::new", |bencher| {
        let make = |parts: Vec<_>| -> Vec<Interval> {
            parts
                .into_iter()
                .map(|(start, end, observations)| Interval::new(start, end, observations).unwrap())
                .collect()
        };
        bencher.iter_batched(|| parts.clone(), make, BatchSize::LargeInput);
    });
    group.bench_function("Digest::chain", |bencher| {
        bencher.iter(|| black_box(&digests).iter().fold(Digest::of(b""), |chain, digest| chain.chain(*digest)));
    });
    group.finish();
    criterion.final_summary();
}
