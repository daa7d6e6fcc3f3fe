//! Growth with intervals and metrics: linear in what is new, flat in what is folded.

use criterion::BenchmarkId;
use davy::State;
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let mut criterion = davy_benches::criterion();
    let grown = [
        ("usual", Shape::USUAL),
        ("10 x intervals", Shape { intervals: 600, ..Shape::USUAL }),
        ("100 x intervals", Shape { intervals: 6000, ..Shape::USUAL }),
        ("10 x metrics", Shape { metrics: 60, ..Shape::USUAL }),
        ("100 x metrics", Shape { metrics: 600, ..Shape::USUAL }),
    ];
    for (label, shape) in grown {
        let case = Case::new(shape);
        let latest = case.latest();
        let fresh = State::new();
        let mut group = criterion.benchmark_group("growth");
        group.bench_function(BenchmarkId::new("decide from scratch", label), |bencher| {
            bencher.iter(|| case.engine.decide(black_box(&fresh), black_box(&case.snapshot)));
        });
        group.bench_function(BenchmarkId::new("decide on folded state, one new interval", label), |bencher| {
            bencher.iter(|| case.engine.decide(black_box(&latest.state), black_box(&latest.snapshot)));
        });
        let step = case.engine.decide(&latest.state, &latest.snapshot);
        group.bench_function(BenchmarkId::new("seal of one new interval", label), |bencher| {
            bencher.iter(|| black_box(&step).seal());
        });
        group.finish();
    }
    criterion.final_summary();
}
