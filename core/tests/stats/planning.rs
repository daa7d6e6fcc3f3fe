//! What a planner is told: expected evidence, and when it is enough.

use std::num::NonZeroU32;

use davy::stats::{
    Arm, ByReplica, Declared, Disturbance, ExpectedNoise, Grid, KnownShareTest, Level, Method, Noise, ODDS, OddsTest,
    PlanError, Process, RATIOS, RatioTest, Starts, Traffic, intervals_to,
};
use libm::{exp, log};

use crate::streams::Rng;
use crate::{arm, pair};

#[test]
fn growth_is_what_intervals_say_on_average() {
    // Over every outcome of small arms.
    let (canary, baseline, shares) = (6_u64, 9_u64, (0.3, 0.2));
    let ratio = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let odds = OddsTest::new(Grid::new(ODDS).unwrap());
    let choose = |n: u64, x: u64| (0..x).fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64);
    let power = |share: f64, times: u64| (0..times).fold(1.0, |product, _| product * share);
    let probability = |n: u64, x: u64, p: f64| choose(n, x) * power(p, x) * power(1.0 - p, n - x);
    let (mut of_ratio, mut of_odds) = ([0.0; 8], [0.0; 9]);
    for x in 0..=canary {
        for y in 0..=baseline {
            let p = probability(canary, x, shares.0) * probability(baseline, y, shares.1);
            let seen = pair((x, canary), (y, baseline));
            let forecast = davy::stats::Forecast::new(shares.1).unwrap();
            ratio.increment(&seen).logs().iter().zip(&mut of_ratio).for_each(|(log_e, sum)| *sum += p * log_e);
            odds.increment(&seen, forecast).logs().iter().zip(&mut of_odds).for_each(|(log_e, sum)| *sum += p * log_e);
        }
    }
    let traffic = Traffic::new((canary as f64, shares.0), (baseline as f64, shares.1)).unwrap();
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close(ratio.growth(&traffic).logs(), &of_ratio));
    assert!(close(odds.growth(&traffic).logs(), &of_odds));
    let known = KnownShareTest::new(Grid::new(RATIOS).unwrap(), 0.1).unwrap();
    let whole = known.increment(arm(3, 10));
    assert!(close(known.growth(10.0, 0.3).unwrap().logs(), whole.logs()));
    assert_eq!(known.growth(f64::NAN, 0.3), Err(PlanError::Traffic));
}

#[test]
fn growth_at_the_true_ratio_is_the_divergence() {
    let (canary, baseline, p, r) = (75.0, 1425.0, 0.01, 3.0);
    let test = RatioTest::new(Grid::new([r]).unwrap(), 1.0).unwrap();
    let growth = test.growth(&Traffic::new((canary, r * p), (baseline, p)).unwrap()).largest();
    let mixed = canary * r + baseline;
    let expected = p * (canary * r * log(r) - mixed * log(mixed / (canary + baseline)));
    assert!((growth / expected - 1.0).abs() < 1e-12, "{growth} {expected}");
}

#[test]
fn traffic_is_numbers_of_requests() {
    assert!(Traffic::new((0.0, 0.0), (1e15, 1.0)).is_ok());
    for bad in [(-1.0, 0.1), (f64::NAN, 0.1), (1e16, 0.1), (10.0, -0.1), (10.0, 1.1), (10.0, f64::NAN)] {
        assert_eq!(Traffic::new(bad, (10.0, 0.1)), Err(PlanError::Traffic));
        assert_eq!(Traffic::new((10.0, 0.1), bad), Err(PlanError::Traffic));
    }
}

#[test]
fn the_planned_time_is_about_the_median() {
    let starts = Starts::Open(NonZeroU32::new(120).unwrap());
    let level = Level::of("1%".parse().unwrap());
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let mut rng = Rng::new(11);
    // Requests per interval at 25 % of 50/s, and of 500/s; twice and five times as many errors as 1 %.
    for (requests, ratio) in [(1500.0, 2.0), (1500.0, 5.0), (15000.0, 1.5)] {
        let (canary, baseline, share) = (0.25 * requests, 0.75 * requests, 0.01);
        let each = test.growth(&Traffic::new((canary, share * ratio), (baseline, share)).unwrap());
        let planned = intervals_to(level, 0.5, starts, (0..2000).map(|_| each)).unwrap();
        let mut times: Vec<u32> = (0..301)
            .map(|_| {
                let mut process = Process::new();
                (1..)
                    .find(|_| {
                        let mut arm = |mean: f64, share: f64| {
                            let bad = rng.poisson(mean * share);
                            (bad, bad + rng.poisson(mean * (1.0 - share)))
                        };
                        let seen = pair(arm(canary, share * ratio), arm(baseline, share));
                        process.fold(starts, &test.increment(&seen));
                        level.is_reached(0.5 * process.e(starts))
                    })
                    .unwrap()
            })
            .collect();
        times.sort_unstable();
        let median = f64::from(times[150]);
        assert!(median <= 1.3 * f64::from(planned) && median >= 0.6 * f64::from(planned), "{planned} {median}");
    }
}

#[test]
fn what_cannot_be_detected_has_no_time() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let level = Level::of("1%".parse().unwrap());
    let within = test.growth(&Traffic::new((75.0, 0.0105), (1425.0, 0.01)).unwrap());
    assert_eq!(intervals_to(level, 1.0, Starts::First, (0..5000).map(|_| within)), None);
    assert_eq!(intervals_to(level, 1.0, Starts::First, (0..0).map(|_| within)), None);
}

#[test]
fn expected_noise_is_what_average_intervals_of_equal_replicas_add_up_to() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    for (replicas, canaries) in [(0, [1, 1]), (3, [1, 3]), (10, [1, 3]), (30, [3, 10])] {
        let mut noise = Noise::new();
        let mut expected = ExpectedNoise::new(replicas, Disturbance::default());
        for k in 0..30 {
            let step = usize::from(k >= 20);
            let requests = if step == 0 { 1000 } else { 5000 };
            let (beside, of_each) = (u64::from(replicas.max(1)), arm(10, 1000));
            let pair = pair((requests / 50, requests), (10 * beside, 1000 * beside));
            let baseline: Vec<(usize, Arm)> = (0..replicas as usize).map(|place| (place, of_each)).collect();
            let seen = ByReplica { pair, canary: canaries[step], baseline: &baseline };
            let increment = test.increment(&pair);
            noise.fold(1.1, step, &seen, &increment);
            let traffic = Traffic::new((requests as f64, 0.02), (1000.0 * beside as f64, 0.01)).unwrap();
            expected.fold(1.1, step, &traffic, canaries[step], &test.growth(&traffic));
        }
        for window in 0..2 {
            let is = noise.estimate(window, 1.1, Declared::ERRORS, None).unwrap();
            let planned = expected.estimate(window, 1.1, Declared::ERRORS).unwrap();
            let numbers = |it: davy::stats::Estimate| {
                // Replicas that are exactly alike are so by chance: less is expected to be left.
                let e = if replicas == 0 { it.e } else { 1.0 };
                [it.expected, it.observed, it.chance, it.concentration, it.spread_by_chance, it.weighting, it.most, e]
            };
            for (is, planned) in numbers(is).into_iter().zip(numbers(planned)) {
                assert!((is / planned - 1.0).abs() < 1e-9 || (is - planned).abs() < 1e-12, "{is} {planned}");
            }
            assert_eq!((is.method, is.replicas), (planned.method, planned.replicas));
        }
    }
}

#[test]
fn expected_noise_is_about_what_noisy_replicas_show() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let noisy = Disturbance { spread: 0.3, drift: 0.2, correlation: 0.7, offset: 0.1 };
    let traffic = Traffic::new((3000.0, 0.02), (30_000.0, 0.01)).unwrap();
    let mut rng = Rng::new(17);
    let mut runs: Vec<davy::stats::Estimate> = (0..201)
        .map(|_| {
            let mut noise = Noise::new();
            let offsets: Vec<f64> = (0..10).map(|_| noisy.offset * normal(&mut rng)).collect();
            let mut drifts: Vec<f64> = (0..10).map(|_| noisy.drift * normal(&mut rng)).collect();
            for _ in 0..20 {
                let baseline: Vec<(usize, Arm)> = (0..10)
                    .map(|place| {
                        drifts[place] = 0.7 * drifts[place] + (1.0_f64 - 0.49).sqrt() * noisy.drift * normal(&mut rng);
                        let log = offsets[place] + drifts[place] + noisy.spread * normal(&mut rng);
                        let bad = rng.poisson(30.0 * exp(log - 0.5 * (0.01 + 0.04 + 0.09)));
                        (place, arm(bad, 3000))
                    })
                    .collect();
                let bad = baseline.iter().map(|(_, arm)| arm.events().get()).sum();
                let pair = pair((60, 3000), (bad, 30_000));
                let seen = ByReplica { pair, canary: 1, baseline: &baseline };
                noise.fold(1.1, 0, &seen, &test.increment(&pair));
            }
            noise.estimate(0, 1.1, Declared::ERRORS, None).unwrap()
        })
        .collect();
    let mut expected = ExpectedNoise::new(10, noisy);
    for _ in 0..20 {
        expected.fold(1.1, 0, &traffic, 1, &test.growth(&traffic));
    }
    let expected = expected.estimate(0, 1.1, Declared::ERRORS).unwrap();
    assert_eq!(expected.method, Method::Replicas);
    let of: [fn(&davy::stats::Estimate) -> f64; 4] =
        [|it| it.spread, |it| it.interval_noise, |it| it.noise, |it| it.counted];
    for (what, of) in of.into_iter().enumerate() {
        runs.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let (is, planned) = (of(&runs[100]), of(&expected));
        assert!((0.75..1.33).contains(&(is / planned)), "{what}: {is} {planned}");
    }
}

/// The sum of twelve is nearly normal.
fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.uniform()).sum::<f64>() - 6.0
}
