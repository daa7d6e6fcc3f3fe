//! Deciding from nothing, and deciding on folded state with one new interval.

use davy::State;
use davy_benches::{Case, Shape};
use std::hint::black_box;

fn main() {
    let case = Case::new(Shape::USUAL);
    let latest = case.latest();
    let fresh = State::new();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("decide");
    group.bench_function("from scratch, 60 intervals", |bencher| {
        bencher.iter(|| case.engine.decide(black_box(&fresh), black_box(&case.snapshot)));
    });
    group.bench_function("on folded state, one new interval", |bencher| {
        bencher.iter(|| case.engine.decide(black_box(&latest.state), black_box(&latest.snapshot)));
    });
    group.bench_function("on folded state, the history sent again", |bencher| {
        bencher.iter(|| case.engine.decide(black_box(&latest.state), black_box(&case.snapshot)));
    });
    group.finish();

    let mut group = criterion.benchmark_group("decide by evidence");
    for times in [1, 10, 100] {
        let case = Case::evidence(Shape { intervals: 60 * times, ..Shape::USUAL });
        let latest = case.latest();
        let folded = case.engine.decide(&State::new(), &case.snapshot).state;
        group.bench_function(format!("on folded state, one new interval after {}", 60 * times), |bencher| {
            bencher.iter(|| case.engine.decide(black_box(&latest.state), black_box(&latest.snapshot)));
        });
        group.bench_function(format!("on folded state, nothing new after {}", 60 * times), |bencher| {
            bencher.iter(|| case.engine.decide(black_box(&folded), black_box(&latest.snapshot)));
        });
    }
    group.finish();
    criterion.final_summary();
}
