//! Validity without simulation: expectations over every outcome that there is.
//!
//! Every check here takes the thing under test, and is run with one that has a realistic defect, too.

use std::num::NonZeroU32;

use davy::Count;
use davy::stats::{
    Arm, Exposed, Forecast, Gauge, GaugeTest, Grid, GroupSequential, HEALTHY_ODDS, KnownRateTest, KnownShareTest,
    Latency, LatencyPlan, ODDS, OddsTest, Pair, Process, RATIOS, RatioTest, Spending, Starts, is_outage,
    noninferior_ratio,
};
use libm::{exp, log, log1p};

use crate::{arm, pair};

const LARGEST: u64 = 30;
/// Enough requests to find a defect.
const FEW: u64 = 10;
const SLACK: f64 = 1e-12;

/// P(x events of n), for requests with these probabilities.
fn poisson_binomial(shares: &[f64]) -> Vec<f64> {
    let mut probabilities = vec![1.0];
    for share in shares {
        let mut next = vec![0.0; probabilities.len() + 1];
        for (events, probability) in probabilities.iter().enumerate() {
            next[events] += probability * (1.0 - share);
            next[events + 1] += probability * share;
        }
        probabilities = next;
    }
    probabilities
}

fn binomial(n: u64, share: f64) -> Vec<f64> {
    poisson_binomial(&vec![share; usize::try_from(n).unwrap()])
}

/// `exp` of what an interval says, for every outcome of two arms of these sizes: `[xC][xB][size]`.
fn outcomes<const J: usize>(canary: u64, baseline: u64, log_e: &impl Fn(&Pair) -> [f64; J]) -> Vec<Vec<[f64; J]>> {
    let row = |events| (0..=baseline).map(|other| log_e(&pair((events, canary), (other, baseline))).map(exp)).collect();
    (0..=canary).map(row).collect()
}

/// Σ P(x)·e(x) for each effect size.
fn expectation<const J: usize>(outcomes: &[Vec<[f64; J]>], canary: &[f64], baseline: &[f64]) -> [f64; J] {
    let mut sums = [0.0; J];
    for (of_canary, row) in canary.iter().zip(outcomes) {
        let mut inner = [0.0; J];
        for (of_baseline, e) in baseline.iter().zip(row) {
            for (inner, e) in inner.iter_mut().zip(e) {
                *inner += of_baseline * e;
            }
        }
        for (sum, inner) in sums.iter_mut().zip(inner) {
            *sum += of_canary * inner;
        }
    }
    sums
}

/// The largest expectation over all arms of up to so many requests and all these pairs of shares.
fn worst<const J: usize>(largest: u64, nulls: &[(f64, f64)], log_e: impl Fn(&Pair) -> [f64; J]) -> f64 {
    let tables: Vec<_> = nulls
        .iter()
        .map(|(canary, baseline)| {
            [canary, baseline].map(|share| (0..=largest).map(|n| binomial(n, *share)).collect::<Vec<_>>())
        })
        .collect();
    let mut worst = 0.0_f64;
    for canary in 1..=largest {
        for baseline in 1..=largest {
            let outcomes = outcomes(canary, baseline, &log_e);
            for [canaries, baselines] in &tables {
                let (canary, baseline) = (usize::try_from(canary).unwrap(), usize::try_from(baseline).unwrap());
                let expected = expectation(&outcomes, &canaries[canary], &baselines[baseline]);
                worst = expected.into_iter().fold(worst, f64::max);
            }
        }
    }
    worst
}

const SHARES: [f64; 7] = [0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 1.0];

/// Canaries at most so many times as bad as the baseline, at the bound where there is one.
fn at_most(ratio: f64) -> Vec<(f64, f64)> {
    let at_bound = SHARES.iter().map(|share| ((share * ratio).min(1.0), *share));
    at_bound.chain([(0.1 * ratio, 0.3), (0.0, 0.5)]).collect()
}

/// Canaries at least so many times as bad.
fn at_least(ratio: f64) -> Vec<(f64, f64)> {
    let at_bound = SHARES.iter().filter(|share| **share * ratio <= 1.0).map(|share| (share * ratio, *share));
    at_bound.chain([(0.5, 0.2 / ratio), (1.0, 0.0)]).collect()
}

#[test]
fn no_ratio_gains_evidence_from_a_canary_within_its_bound() {
    for bound in [1.0, 1.1, 2.0] {
        let test = RatioTest::new(Grid::new(RATIOS).unwrap(), bound).unwrap();
        let worst = worst(LARGEST, &at_most(bound), |pair| *test.increment(pair).logs());
        assert!(worst <= 1.0 + SLACK, "{bound}: {worst}");
    }
}

#[test]
fn no_ratio_gains_evidence_of_noninferiority_from_an_unacceptable_canary() {
    for unacceptable in [1.05, 1.5, 3.0] {
        let test = noninferior_ratio(unacceptable).unwrap();
        let worst = worst(LARGEST, &at_least(unacceptable), |pair| *test.increment(pair).logs());
        assert!(worst <= 1.0 + SLACK, "{unacceptable}: {worst}");
    }
}

#[test]
fn no_odds_gain_evidence_from_a_canary_as_good_as_the_baseline() {
    let grid = Grid::new(ODDS).unwrap();
    for guess in [0.01, 0.5, 0.9] {
        let forecast = Forecast::new(guess).unwrap();
        let harm = OddsTest::new(grid.clone());
        let worst_of_harm = worst(LARGEST, &at_most(1.0), |pair| *harm.increment(pair, forecast).logs());
        assert!(worst_of_harm <= 1.0 + SLACK, "{guess}: {worst_of_harm}");
        let good = OddsTest::new(Grid::new(HEALTHY_ODDS).unwrap());
        let worst_of_good = worst(LARGEST, &at_least(1.0), |pair| *good.increment(pair, forecast).logs());
        assert!(worst_of_good <= 1.0 + SLACK, "{guess}: {worst_of_good}");
    }
}

/// The formula, with what can go wrong in it.
fn planted(bound: f64, sizes: [f64; 2], sign: f64, weight: impl Fn(f64, f64) -> f64) -> impl Fn(&Pair) -> [f64; 2] {
    move |pair| {
        let of = |arm: Arm| (arm.events().get() as f64, arm.total().get() as f64);
        let ((canary_events, canary), (baseline_events, baseline)) = (of(pair.canary), of(pair.baseline));
        let theta = weight(bound * canary, baseline);
        sizes.map(|g| canary_events * log(g) - sign * (canary_events + baseline_events) * log1p(theta * (g - 1.0)))
    }
}

#[test]
fn the_check_of_ratios_finds_what_can_go_wrong() {
    let theta = |canary: f64, baseline: f64| canary / (canary + baseline);
    let bound = 1.1;
    let right = worst(FEW, &at_most(bound), planted(bound, [1.5, 3.0], 1.0, theta));
    assert!(right <= 1.0 + SLACK);
    let wrong_sign = worst(FEW, &at_most(bound), planted(bound, [1.5, 3.0], -1.0, theta));
    assert!(wrong_sign > 2.0, "{wrong_sign}");
    let other_arm =
        worst(FEW, &at_most(bound), planted(bound, [1.5, 3.0], 1.0, |canary, baseline| theta(baseline, canary)));
    assert!(other_arm > 2.0, "{other_arm}");
    let bound_forgotten = worst(
        FEW,
        &at_most(bound),
        planted(bound, [1.5, 3.0], 1.0, |canary, baseline| theta(canary / bound, baseline)),
    );
    assert!(bound_forgotten > 1.01, "{bound_forgotten}");
    // A true ratio of 1.15 as an alternative to "at least 1.1" is evidence *of* being unacceptable.
    let unacceptable = 1.1;
    let alternatives = [1.0 / unacceptable, 1.15 / unacceptable];
    let beyond = worst(FEW, &at_least(unacceptable), planted(unacceptable, alternatives, 1.0, theta));
    assert!(beyond > 1.01, "{beyond}");
}

/// The formula of odds with a guess at the share, with what can go wrong in it.
fn planted_odds(guess: f64, sizes: [f64; 2], sign: f64, is_swapped: bool) -> impl Fn(&Pair) -> [f64; 2] {
    move |pair| {
        let of = |arm: Arm| (arm.events().get() as f64, arm.total().get() as f64);
        let (canary, baseline) = (of(pair.canary), of(pair.baseline));
        sizes.map(|g| {
            let worse = g * guess / (1.0 - guess + g * guess);
            let (of_canary, of_baseline) = if is_swapped { (guess, worse) } else { (worse, guess) };
            let mean = (canary.1 * worse + baseline.1 * guess) / (canary.1 + baseline.1);
            let said = |(events, total): (f64, f64), share: f64| {
                events * log(share / mean) + sign * (total - events) * log((1.0 - share) / (1.0 - mean))
            };
            said(canary, of_canary) + said(baseline, of_baseline)
        })
    }
}

#[test]
fn the_check_of_odds_finds_what_can_go_wrong() {
    for guess in [0.01, 0.5] {
        let right = worst(FEW, &at_most(1.0), planted_odds(guess, [1.35, 3.0], 1.0, false));
        assert!(right <= 1.0 + SLACK, "{guess}: {right}");
        let wrong_sign = worst(FEW, &at_most(1.0), planted_odds(guess, [1.35, 3.0], -1.0, false));
        assert!(wrong_sign > 1.0 + 0.0005, "{guess}: {wrong_sign}");
        let other_arm = worst(FEW, &at_most(1.0), planted_odds(guess, [1.35, 3.0], 1.0, true));
        assert!(other_arm > 1.1, "{guess}: {other_arm}");
        // It is the formula that is planted in: the engine's is the same but for its order.
        let test = OddsTest::new(Grid::new([1.35, 3.0]).unwrap());
        let seen = pair((4, 9), (3, 20));
        let engine = *test.increment(&seen, Forecast::new(guess).unwrap()).logs();
        let planted = planted_odds(guess, [1.35, 3.0], 1.0, false)(&seen);
        assert!(engine.iter().zip(planted).all(|(engine, planted)| (engine - planted).abs() < 1e-12));
    }
}

#[test]
fn the_check_of_odds_finds_a_guess_that_knows_the_interval() {
    let test = OddsTest::new(Grid::new(ODDS).unwrap());
    let peeking = |pair: &Pair| {
        let (events, total) = (pair.baseline.events().get() as f64, pair.baseline.total().get() as f64);
        *test.increment(pair, Forecast::new((events + 0.01) / (total + 0.02)).unwrap()).logs()
    };
    let worst = worst(FEW, &at_most(1.0), peeking);
    assert!(worst > 1.01, "{worst}");
}

#[test]
fn requests_need_not_be_alike() {
    // The same mean in both arms, made of very different requests.
    let mixed: Vec<f64> = (0..12).map(|index| if index % 3 == 0 { 0.3 } else { 0.0 }).collect();
    let (canary, baseline) = (poisson_binomial(&mixed), poisson_binomial(&[0.1; 20]));
    let ratio = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    let odds = OddsTest::new(Grid::new(ODDS).unwrap());
    let forecast = Forecast::new(0.2).unwrap();
    for (canary, baseline) in [(&canary, &baseline), (&baseline, &canary)] {
        let sizes = [canary, baseline].map(|arm| arm.len() as u64 - 1);
        let of_ratio = outcomes(sizes[0], sizes[1], &|pair: &Pair| *ratio.increment(pair).logs());
        let of_odds = outcomes(sizes[0], sizes[1], &|pair: &Pair| *odds.increment(pair, forecast).logs());
        assert!(expectation(&of_ratio, canary, baseline).iter().all(|e| *e <= 1.0 + SLACK));
        assert!(expectation(&of_odds, canary, baseline).iter().all(|e| *e <= 1.0 + SLACK));
    }
    // And a canary that is worse on the mean is found, whatever it is made of.
    let worse = poisson_binomial(&mixed.iter().map(|share| share * 2.0).collect::<Vec<_>>());
    let of_ratio = outcomes(12, 20, &|pair: &Pair| *ratio.increment(pair).logs());
    assert!(expectation(&of_ratio, &worse, &baseline).iter().any(|e| *e > 1.2));
}

#[test]
fn known_shares_and_rates_are_bounds() {
    let grids = [Grid::new(RATIOS).unwrap(), Grid::new(RATIOS).unwrap().reciprocals()];
    for (grid, other) in grids.iter().zip([0.5, 1.5]) {
        for bound in [0.001, 0.05, 0.6] {
            let test = KnownShareTest::new(grid.clone(), bound).unwrap();
            for n in 0..=LARGEST {
                // At the bound the expectation is exactly 1, within it less.
                for (share, exact) in [(bound, true), (bound * other, false)] {
                    let mut sums = [0.0; 8];
                    for (events, probability) in binomial(n, share).into_iter().enumerate() {
                        let increment = test.increment(arm(events as u64, n));
                        for (sum, log_e) in sums.iter_mut().zip(increment.logs()) {
                            *sum += probability * exp(*log_e);
                        }
                    }
                    assert!(sums.iter().all(|sum| *sum <= 1.0 + SLACK && (!exact || *sum >= 1.0 - SLACK)));
                }
            }
        }
        let test = KnownRateTest::new(grid.clone(), 2.0).unwrap();
        for exposure in [0.0, 0.25, 3.0] {
            let mean = 2.0 * exposure;
            let mut sums = [0.0; 8];
            for events in 0..400_u32 {
                let x = f64::from(events);
                // Added before the power is taken: the largest ratio makes 400 events likely.
                let log_p = if events > 0 { x * log(mean) - mean - libm::lgamma(x + 1.0) } else { -mean };
                let increment = test.increment(Exposed::new(Count::from(events), exposure).unwrap());
                for (sum, log_e) in sums.iter_mut().zip(increment.logs()) {
                    *sum += exp(log_p + log_e);
                }
            }
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-11), "{sums:?}");
        }
    }
}

#[test]
fn poisson_events_over_exposures_are_exact() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let (canary, baseline) = (0.5, 2.0);
    let means = [1.1 * 1.5 * canary, 1.5 * baseline];
    let poisson = |mean: f64| {
        std::iter::successors(Some((exp(-mean), 1_u32)), move |(p, next)| Some((p * mean / f64::from(*next), next + 1)))
            .map(|(probability, _)| probability)
            .take(120)
    };
    let mut sums = [0.0; 8];
    for (x, of_canary) in (0_u32..).zip(poisson(means[0])) {
        for (y, of_baseline) in (0_u32..).zip(poisson(means[1])) {
            let exposed = |events, exposure| Exposed::new(Count::from(events), exposure).unwrap();
            let increment = test.increment_of_events(exposed(x, canary), exposed(y, baseline));
            for (sum, log_e) in sums.iter_mut().zip(increment.logs()) {
                *sum += of_canary * of_baseline * exp(*log_e);
            }
        }
    }
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < SLACK), "{sums:?}");
}

fn planned(intervals: u32) -> NonZeroU32 {
    NonZeroU32::new(intervals).unwrap()
}

/// E[evidence after the next interval] less the evidence now, at its largest along this history.
fn drift(starts: Starts, history: &[Pair], share: f64, fold: impl Fn(&mut Process<8>, &Pair, usize)) -> f64 {
    let mut process = Process::new();
    let mut worst = f64::NEG_INFINITY;
    for (index, seen) in history.iter().enumerate() {
        let (canary, baseline) = (seen.canary.total().get(), seen.baseline.total().get());
        let mut expected = 0.0;
        for (x, of_canary) in binomial(canary, share).into_iter().enumerate() {
            for (y, of_baseline) in binomial(baseline, share).into_iter().enumerate() {
                let mut next = process;
                fold(&mut next, &pair((x as u64, canary), (y as u64, baseline)), index);
                expected += of_canary * of_baseline * next.e(starts);
            }
        }
        worst = worst.max((expected - process.e(starts)) / process.e(starts).max(1.0));
        fold(&mut process, seen, index);
    }
    worst
}

#[test]
fn a_process_over_start_times_does_not_drift_upwards() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    // Much, little and no traffic; good and bad intervals; more of them than planned.
    let history = [
        pair((3, 5), (1, 20)),
        pair((0, 5), (4, 20)),
        pair((0, 0), (2, 20)),
        pair((2, 25), (0, 4)),
        pair((0, 5), (0, 20)),
        pair((5, 5), (1, 20)),
    ];
    for starts in [Starts::First, Starts::Within(planned(4)), Starts::Open(planned(3)), Starts::Open(planned(60))] {
        for share in [0.02, 0.2, 0.7] {
            let right = drift(starts, &history, share, |process, pair, _| process.fold(starts, &test.increment(pair)));
            assert!(right <= SLACK, "{starts:?} {share}: {right}");
        }
    }
    // Beginning anew whenever there is no evidence, as CUSUM does, is not for free.
    let restarted = drift(Starts::First, &[pair((0, 5), (4, 20)), pair((0, 5), (0, 20))], 0.2, |process, pair, _| {
        if process.e(Starts::First) < 1.0 {
            *process = Process::new();
        }
        process.fold(Starts::First, &test.increment(pair));
    });
    assert!(restarted > 0.1, "{restarted}");
}

#[test]
fn the_evidence_of_outages_alone_does_not_drift_upwards_and_intervals_that_are_picked_out_do() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    // Outages in a row, one that is over, and another one.
    let history = [pair((6, 8), (0, 8)), pair((8, 8), (0, 8)), pair((1, 8), (2, 8)), pair((7, 8), (0, 8))];
    for starts in [Starts::First, Starts::Within(planned(4)), Starts::Open(planned(3)), Starts::Open(planned(60))] {
        for share in [0.02, 0.3, 0.7] {
            let right = drift(starts, &history, share, |process, pair, _| {
                process.fold(starts, &test.increment(pair));
                if !is_outage(pair) {
                    *process = process.without_past();
                }
            });
            assert!(right <= SLACK, "{starts:?} {share}: {right}");
        }
    }
    let picked = drift(Starts::First, &history, 0.3, |process, pair, _| {
        if is_outage(pair) {
            process.fold(Starts::First, &test.increment(pair));
        }
    });
    assert!(picked > 0.01, "{picked}");
}

/// P(the evidence reaches `level` within three intervals), over every outcome of all of them.
fn reaches(level: f64, test: &RatioTest<3>, starts: Starts, (canary, baseline): (u64, u64), shares: (f64, f64)) -> f64 {
    let outcomes: Vec<(f64, Pair)> = (0..=canary)
        .flat_map(|x| (0..=baseline).map(move |y| (x, y)))
        .map(|(x, y)| {
            let of = |n: u64, share, events: u64| binomial(n, share)[usize::try_from(events).unwrap()];
            (of(canary, shares.0, x) * of(baseline, shares.1, y), pair((x, canary), (y, baseline)))
        })
        .collect();
    let mut paths = vec![(1.0, Process::new())];
    let mut reached = 0.0;
    for _ in 0..3 {
        let mut next = Vec::with_capacity(paths.len() * outcomes.len());
        for (path, process) in paths {
            for (probability, pair) in &outcomes {
                let mut process = process;
                process.fold(starts, &test.increment(pair));
                if process.e(starts) >= level {
                    reached += path * probability;
                } else {
                    next.push((path * probability, process));
                }
            }
        }
        paths = next;
    }
    reached
}

#[test]
fn evidence_of_noninferiority_seldom_reaches_its_level_for_an_unacceptable_canary() {
    let test = noninferior_ratio(1.5).unwrap();
    for (level, shares) in [(1.5, (0.45, 0.3)), (2.0, (0.9, 0.6)), (3.0, (0.9, 0.6)), (3.0, (0.6, 0.3))] {
        let reached = reaches(level, &test, Starts::First, (6, 6), shares);
        assert!(reached <= 1.0 / level, "{level} {shares:?}: {reached}");
        assert!(reached > 0.0, "the level can be reached at all");
    }
    // Tested against a tolerance instead of what is unacceptable, it would be reached too often.
    let lax = noninferior_ratio(6.0).unwrap();
    let reached = reaches(3.0, &lax, Starts::First, (6, 6), (0.9, 0.6));
    assert!(reached > 1.0 / 3.0, "{reached}");
}

#[test]
fn an_average_of_dependent_metrics_does_not_drift_upwards_and_a_product_does() {
    // Of each request it is known whether it was slow and whether it failed; failing ones are slow.
    let shares = [0.6, 0.25, 0.15];
    let errors = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), Starts::Within(planned(5)));
    let starts = Starts::Within(planned(5));
    let weights = davy::stats::Weights::new([3.0, 2.0]).unwrap();
    let (canary, baseline) = (4_u64, 7_u64);
    let arms = |n: u64| {
        (0..=n).flat_map(move |failed| (0..=n - failed).map(move |slow| (failed, slow))).map(move |(failed, slow)| {
            let ways = multinomial(&[n - failed - slow, slow, failed]);
            let fast = n - failed - slow;
            let power = |share: f64, times: u64| (0..times).fold(1.0, |product, _| product * share);
            (ways * power(shares[0], fast) * power(shares[1], slow) * power(shares[2], failed), failed, slow)
        })
    };
    let mut process = Process::new();
    let mut latency = Latency::new(&[0.4]).unwrap();
    for history in [(2, 1), (0, 3), (4, 4)] {
        let (mut average, mut product) = (0.0, 0.0);
        for (of_canary, failed, slow) in arms(canary) {
            for (of_baseline, other_failed, other_slow) in arms(baseline) {
                let (mut process, mut latency) = (process, latency.clone());
                process.fold(starts, &errors.increment(&pair((failed, canary), (other_failed, baseline))));
                latency.fold(&plan, &[pair((failed + slow, canary), (other_failed + other_slow, baseline))]);
                let evidence = [process.e(starts), latency.e(&plan)];
                average += of_canary * of_baseline * weights.average(evidence);
                product += of_canary * of_baseline * evidence[0] * evidence[1];
            }
        }
        let now = [process.e(starts), latency.e(&plan)];
        assert!(average <= weights.average(now) + SLACK, "{average}");
        assert!(product > now[0] * now[1] * 1.01, "{product}");
        process.fold(starts, &errors.increment(&pair((history.0, canary), (1, baseline))));
        latency.fold(&plan, &[pair((history.1.max(history.0), canary), (3, baseline))]);
    }
}

fn multinomial(parts: &[u64]) -> f64 {
    let factorial = |n: u64| (1..=n).fold(1.0, |product, factor| product * factor as f64);
    parts.iter().fold(factorial(parts.iter().sum()), |ways, part| ways / factorial(*part))
}

#[test]
fn a_gauge_within_its_margin_does_not_drift_upwards() {
    // Up or down by the spread is the least regular noise that is sub-Gaussian with it.
    let (margin, spread) = (0.03, 0.05);
    let test = GaugeTest::new(margin, spread, 10).unwrap();
    let mut gauge = Gauge::default();
    for (interval, truth) in [0.03, 0.03, 0.0, 0.03, -0.2, 0.03].into_iter().enumerate() {
        let after = |noise: f64| {
            let mut next = gauge;
            next.fold(&test, 0.5 + truth + noise, 0.5);
            next.e(&test)
        };
        let expected = 0.5 * (after(spread) + after(-spread));
        assert!(expected <= gauge.e(&test) + SLACK, "{interval}: {expected}");
        gauge.fold(&test, 0.5 + truth + if interval % 3 == 0 { -spread } else { spread }, 0.5);
    }
    let mut wide = Gauge::default();
    for _ in 0..4 {
        wide.fold(&test, 0.5 + margin + spread, 0.5);
    }
    let after = |noise: f64| {
        let mut next = wide;
        next.fold(&test, 0.5 + margin + noise, 0.5);
        next.e(&test)
    };
    assert!(0.5 * (after(3.0 * spread) + after(-3.0 * spread)) > wide.e(&test) * 1.01, "noise that was not declared");
}

/// P(the group-sequential test crosses) over every outcome of its looks, and over those that it would with a boundary
/// that is one less.
fn crossings(spending: &Spending, looks: &[(u64, u64)], shares: (f64, f64)) -> (f64, f64) {
    let mut paths = vec![(1.0, GroupSequential::new())];
    let (mut crossed, mut nearly) = (0.0, 0.0);
    for (canary, baseline) in looks.iter().copied() {
        let mut next = Vec::new();
        for (path, test) in &paths {
            for (x, of_canary) in binomial(canary, shares.0).into_iter().enumerate() {
                for (y, of_baseline) in binomial(baseline, shares.1).into_iter().enumerate() {
                    let probability = path * of_canary * of_baseline;
                    let mut test = test.clone();
                    let seen = pair((x as u64, canary), (y as u64, baseline));
                    let look = test.look(spending, &seen).unwrap();
                    nearly += if look.boundary == Some(look.events + 1) { probability } else { 0.0 };
                    if look.crossed {
                        crossed += probability;
                    } else {
                        next.push((probability, test));
                    }
                }
            }
        }
        paths = next;
    }
    (crossed, crossed + nearly)
}

#[test]
fn a_group_sequential_test_crosses_at_most_as_often_as_declared() {
    let spending = Spending::new("20%".parse().unwrap(), [1.0, 2.0, 1.5]).unwrap();
    let looks = [(5, 7), (6, 6), (4, 3)];
    let mut most = 0.0_f64;
    for share in [0.05, 0.2, 0.5, 0.8, 0.97] {
        let (crossed, nearly) = crossings(&spending, &looks, (share, share));
        assert!(crossed <= 0.2 + SLACK, "{share}: {crossed}");
        assert!(!(0.15..=0.85).contains(&share) || nearly > 0.2, "one event less would be too many: {share} {nearly}");
        most = most.max(crossed);
        let (better, _) = crossings(&spending, &looks, (share * 0.7, share));
        assert!(better <= 0.2 + SLACK && better < crossed, "{share}: {better}");
    }
    assert!(most > 0.1, "it spends what it may: {most}");
}

#[test]
fn a_group_sequential_test_tolerates_odds_and_no_more() {
    let looks = [(5, 7), (6, 6), (4, 3)];
    let strict = Spending::new("20%".parse().unwrap(), [1.0, 2.0, 1.5]).unwrap();
    let odds = 2.0;
    let tolerant = strict.clone().tolerating(odds).unwrap();
    let canary = |times: f64, share: f64| times * share / (1.0 - share + times * share);
    let mut forgotten = 0.0_f64;
    for share in [0.05, 0.2, 0.5, 0.8] {
        let (crossed, _) = crossings(&tolerant, &looks, (canary(odds, share), share));
        assert!(crossed <= 0.2 + SLACK, "{share}: {crossed}");
        let (better, _) = crossings(&tolerant, &looks, (canary(1.4, share), share));
        assert!(better < crossed, "{share}: {better}");
        forgotten = forgotten.max(crossings(&strict, &looks, (canary(odds, share), share)).0);
    }
    assert!(forgotten > 0.3, "a tolerance that is forgotten is seen: {forgotten}");
}
