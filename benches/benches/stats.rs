//! Evidence of one interval, and of many: from counts to the composite, beside the logarithms it cannot do without.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::num::NonZeroU32;

use criterion::BenchmarkId;
use davy::Count;
use davy::stats::{
    Arm, Grid, HEALTHY_ODDS, Latency, LatencyPlan, Level, ODDS, OddsTest, Pair, Peak, Process, RATIOS, RatioGrid,
    RatioRange, RatioTest, SLOW_SHARES, Starts, Weights, noninferior_ratio,
};

fn arm(events: u32, total: u32) -> Arm {
    Arm::new(Count::from(events), Count::from(total)).unwrap()
}

/// Five thresholds of 50 requests/s, 5 % of them the canary's.
fn slow() -> [Pair; 5] {
    [(39, 710), (20, 360), (8, 141), (3, 70), (1, 14)]
        .map(|(canary, baseline)| Pair { canary: arm(canary, 75), baseline: arm(baseline, 1425) })
}

fn main() {
    let starts = Starts::Open(NonZeroU32::new(180).unwrap());
    let errors = Pair { canary: arm(1, 75), baseline: arm(14, 1425) };
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), starts);
    let slow = slow();
    let mut criterion = davy_benches::criterion();

    let mut group = criterion.benchmark_group("one interval");
    group.bench_function("floor: 8 logarithms and 8 powers", |bencher| {
        bencher.iter(|| floor(black_box(0.05), 8, 1));
    });
    group.bench_function("errors, 8 ratios", |bencher| {
        let mut process = Process::new();
        bencher.iter(|| {
            process.fold(starts, &test.increment(black_box(&errors)));
            process.e(starts)
        });
    });
    group.bench_function("floor: 135 logarithms and 45 powers", |bencher| {
        bencher.iter(|| floor(black_box(0.05), 45, 3));
    });
    group.bench_function("latency, 5 thresholds x 9 odds", |bencher| {
        let mut latency = Latency::new(&SLOW_SHARES).unwrap();
        bencher.iter(|| {
            latency.fold(&plan, black_box(&slow));
            latency.e(&plan)
        });
    });
    group.bench_function("errors, to rule harm out, 3 ratios", |bencher| {
        let health = noninferior_ratio(1.5).unwrap();
        let mut process = Process::new();
        bencher.iter(|| {
            process.fold(Starts::First, &health.increment(black_box(&errors)));
            process.e(Starts::First)
        });
    });
    group.bench_function("latency, to rule harm out, 5 thresholds x 4 odds", |bencher| {
        let health = LatencyPlan::new(OddsTest::new(Grid::new(HEALTHY_ODDS).unwrap()), Starts::First);
        let mut latency = Latency::new(&SLOW_SHARES).unwrap();
        bencher.iter(|| {
            latency.fold(&health, black_box(&slow));
            latency.least_e(&health)
        });
    });
    group.bench_function("composite of 6, its peak and level", |bencher| {
        let weights = Weights::new([3.0, 2.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        let level = Level::of("1%".parse().unwrap());
        let mut peak = Peak::new();
        bencher.iter(|| {
            peak.fold(weights.average(black_box([1.2, 0.4, 3.0, 0.9, 1.0, 0.1])));
            level.is_reached(peak.e())
        });
    });
    group.bench_function("range of the ratio, 25 ratios", |bencher| {
        let grid = RatioGrid::quarter_doublings();
        let mut range = RatioRange::new();
        bencher.iter(|| range.fold(&grid, black_box(&errors)));
    });
    group.finish();

    let mut group = criterion.benchmark_group("latency after intervals");
    for folded in [0_u32, 60, 6000, 600_000] {
        let mut before = Latency::new(&SLOW_SHARES).unwrap();
        for _ in 0..folded {
            before.fold(&plan, &slow);
        }
        group.bench_function(BenchmarkId::from_parameter(folded), |bencher| {
            bencher.iter_batched_ref(
                || before.clone(),
                |latency| {
                    latency.fold(&plan, black_box(&slow));
                    latency.e(&plan)
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("state of one latency metric");
    let mut latency = Latency::new(&SLOW_SHARES).unwrap();
    latency.fold(&plan, &slow);
    let json = serde_json::to_vec(&latency).unwrap();
    group.bench_function(format!("written as {} bytes of JSON", json.len()), |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&latency)).unwrap());
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Latency<9>>(black_box(&json)).unwrap());
    });
    group.finish();
    criterion.final_summary();
}

/// As many logarithms and powers as an interval needs, and nothing else.
fn floor(start: f64, sizes: u32, logarithms: u32) -> f64 {
    let mut sum = 0.0;
    for size in 0..sizes {
        let x = start * f64::from(size);
        for n in 0..logarithms {
            sum += libm::log1p(x + f64::from(n));
        }
        sum += libm::exp2(-x);
    }
    sum
}
