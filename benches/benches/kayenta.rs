//! Kayenta's judge on an hour of points, and what of it is the test of Mann and Whitney.
//!
//! Beside SciPy: `python3 -m timeit -s 'import scipy.stats as s, random; random.seed(1); x=[random.gauss(100,10) for _
//! in range(60)]; y=[random.gauss(100,10) for _ in range(60)]' 's.mannwhitneyu(x, y, method="asymptotic")'`
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;

use criterion::BenchmarkId;
use davy::kayenta::{Direction, Effect, Limits, Measure, Rules, classify};
use davy::stats::{Alternative, Correction, RankTest};

fn main() {
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("kayenta, 60 x 60 points");
    let (canary, baseline) = (points(1, 1.0), points(2, 1.0));
    group.bench_function("floor: both sides sorted", |bencher| {
        bencher.iter(|| {
            let (mut x, mut y) = (black_box(&canary).clone(), black_box(&baseline).clone());
            x.sort_unstable_by(f64::total_cmp);
            y.sort_unstable_by(f64::total_cmp);
            x.len() + y.len()
        });
    });
    group.bench_function("p of Mann and Whitney alone", |bencher| {
        bencher.iter(|| {
            let test = RankTest::new(black_box(&canary), black_box(&baseline)).unwrap();
            test.p(Alternative::Differs, Correction::Continuity)
        });
    });
    let ratio = Rules::default();
    let all = Rules {
        direction: Direction::Increase,
        critical: true,
        effect: Effect::of(Measure::Cles),
        outliers: Some(3.0),
        ..ratio
    };
    for (what, times, rules) in [
        ("like the baseline", 1.0, &ratio),
        ("a fifth higher", 1.2, &ratio),
        ("like the baseline, without outliers, by CLES", 1.0, &all),
    ] {
        let canary = points(1, times);
        group.bench_function(BenchmarkId::new("one metric", what), |bencher| {
            bencher.iter(|| classify(black_box(&canary), black_box(&baseline), rules, &Limits::JUDGE, 7).label);
        });
    }
    let tied: Vec<f64> = canary.iter().map(|value| (value / 10.0).round()).collect();
    let tied_too: Vec<f64> = baseline.iter().map(|value| (value / 10.0).round()).collect();
    group.bench_function(BenchmarkId::new("one metric", "many ties"), |bencher| {
        bencher.iter(|| classify(black_box(&tied), black_box(&tied_too), &ratio, &Limits::JUDGE, 7).label);
    });
    group.finish();
    criterion.final_summary();
}

/// Values around 100 with a spread of about 10, the same in every run.
fn points(seed: u64, times: f64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / 9_007_199_254_740_992.0
    };
    // The sum of twelve is nearly normal.
    (0..60).map(|_| times * (100.0 + 10.0 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0))).collect()
}
