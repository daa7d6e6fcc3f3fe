//! Both keys of an abort for six metrics: one interval folded, and what it says with the noise of all replicas.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::num::NonZeroU32;

use davy::Count;
use davy::stats::{
    Arm, ByReplica, Declared, Forecast, Grid, Noise, ODDS, OddsTest, Pair, Process, RATIOS, RatioTest, Starts, Weights,
};

const WINDOWS: usize = 4;

struct Metric {
    pair: Pair,
    baseline: Vec<(usize, Arm)>,
}

fn arm(events: u32, total: u32) -> Arm {
    Arm::new(Count::from(events), Count::from(total)).unwrap()
}

/// Six metrics, each a little different, of a canary with two replicas and a baseline with so many.
fn metrics(replicas: u32) -> Vec<Metric> {
    let of = |metric: u32| {
        let each = |replica: u32| arm(3 + (metric + 7 * replica) % 5, 150 + replica % 7);
        let baseline: Vec<(usize, Arm)> = (0..replicas).map(|replica| (replica as usize, each(replica))).collect();
        let sum =
            |of: fn(&Arm) -> Count| baseline.iter().fold(Count::ZERO, |sum, (_, arm)| sum.saturating_add(of(arm)));
        let whole = Arm::new(sum(|arm| arm.events()), sum(|arm| arm.total())).unwrap();
        Metric { pair: Pair { canary: arm(5 + metric, 160), baseline: whole }, baseline }
    };
    (0..6).map(of).collect()
}

fn main() {
    let starts = Starts::Open(NonZeroU32::new(120).unwrap());
    let errors = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let slow = OddsTest::new(Grid::new(ODDS).unwrap());
    let weights = Weights::new([1.0; 6]).unwrap();
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("both keys, 6 metrics, 4 windows");
    for replicas in [0, 3, 10, 30] {
        let metrics = metrics(replicas.max(1));
        let mut of_errors: Vec<(Process<8>, Noise<8>)> = vec![(Process::new(), Noise::new()); 3];
        let mut of_slow: Vec<(Process<9>, Noise<9>, Forecast)> =
            vec![(Process::new(), Noise::new(), Forecast::new(0.03).unwrap()); 3];
        group.bench_function(format!("{replicas} replicas"), |bencher| {
            bencher.iter(|| {
                let (first, second) = metrics.split_at(3);
                for ((process, noise), metric) in of_errors.iter_mut().zip(black_box(first)) {
                    let increment = errors.increment(&metric.pair);
                    process.fold(starts, &increment);
                    let baseline = if replicas == 0 { &[] } else { metric.baseline.as_slice() };
                    noise.fold(1.1, WINDOWS - 1, &ByReplica { pair: metric.pair, canary: 2, baseline }, &increment);
                }
                for ((process, noise, forecast), metric) in of_slow.iter_mut().zip(black_box(second)) {
                    let increment = slow.increment(&metric.pair, *forecast);
                    forecast.fold(&metric.pair);
                    process.fold(starts, &increment);
                    let baseline = if replicas == 0 { &[] } else { metric.baseline.as_slice() };
                    noise.fold(1.0, WINDOWS - 1, &ByReplica { pair: metric.pair, canary: 2, baseline }, &increment);
                }
                let over = |noise: &dyn Fn(usize) -> f64| (0..WINDOWS).map(noise).sum::<f64>() / WINDOWS as f64;
                let first = of_errors.iter().map(|(process, _)| process.e(starts));
                let first = weights.average(first.chain(of_slow.iter().map(|(process, ..)| process.e(starts))));
                let second = of_errors
                    .iter()
                    .map(|(_, noise)| over(&|window| noise.estimate(window, 1.1, Declared::ERRORS, None).unwrap().e));
                let of_slow = of_slow.iter().map(|(_, noise, _)| {
                    over(&|window| noise.estimate(window, 1.0, Declared::latency(3.0), None).unwrap().e)
                });
                (first, weights.average(second.chain(of_slow)))
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
