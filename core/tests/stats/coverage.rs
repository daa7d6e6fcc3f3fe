//! Limits hold the true ratio at every look at once, in as many rollouts as they say.

use davy::stats::{Pair, RatioGrid, RatioRange};

use crate::pair;
use crate::streams::Rng;

const RUNS: u32 = 400;
const LOOKS: u32 = 60;

/// In how many rollouts the limits ever exclude the ratio.
fn misses(ratio_at: impl Fn(u32) -> (f64, f64, f64)) -> f64 {
    let grid = RatioGrid::quarter_doublings();
    let mut rng = Rng::new(5);
    let mut missed = 0;
    for _ in 0..RUNS {
        let mut range = RatioRange::new();
        let excluded = (0..LOOKS).any(|look| {
            // A ramp, and errors that double and halve in both arms.
            let weight = [0.05, 0.1, 0.25, 0.5][(look / 15) as usize];
            let share = 0.01 * if look % 20 < 10 { 0.5 } else { 2.0 };
            let (ratio, least, most) = ratio_at(look);
            let mut arm = |mean: f64, share: f64| {
                let bad = rng.poisson(mean * share);
                (bad, bad + rng.poisson(mean * (1.0 - share)))
            };
            let seen: Pair = pair(arm(1500.0 * weight, share * ratio), arm(1500.0 * (1.0 - weight), share));
            range.fold(&grid, &seen);
            let limits = range.limits(&grid, "90%".parse().unwrap());
            limits.above.is_some_and(|above| above >= most) || limits.below.is_some_and(|below| below <= least)
        });
        missed += u32::from(excluded);
    }
    f64::from(missed) / f64::from(RUNS)
}

#[test]
fn a_constant_ratio_lies_within_its_limits() {
    // At 90 %: three standard deviations above 10 % of 400 are 14.5 %.
    for ratio in [1.0, 2.0, 0.5] {
        let missed = misses(|_| (ratio, ratio, ratio));
        assert!(missed < 0.145, "{ratio}: {missed}");
        assert!(missed > 0.001, "they are not far wider than they need to be: {missed}");
    }
}

#[test]
fn a_changing_ratio_was_once_as_high_and_once_as_low_as_its_limits() {
    let missed = misses(|look| (if look < 30 { 0.7 } else { 3.0 }, 0.7, 3.0));
    assert!(missed < 0.145, "{missed}");
}

#[test]
fn the_check_finds_limits_that_are_too_narrow() {
    let missed = misses(|_| (2.0, 2.0 * 1.25, 2.0 / 1.25));
    assert!(missed > 0.5, "{missed}");
}
