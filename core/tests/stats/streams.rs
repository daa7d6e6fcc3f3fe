//! Seeded traffic: requests that arrive as a Poisson process, each slow, failing or neither.

use davy::Count;
use davy::stats::{Arm, Pair};

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Exactly Poisson: by products of uniforms for few, by rejection for many (W. Hörmann, 1993, "PTRS").
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean < 10.0 {
            let end = libm::exp(-mean);
            let mut product = self.uniform();
            let mut events = 0;
            while product > end {
                product *= self.uniform();
                events += 1;
            }
            return events;
        }
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse = 1.1239 + 1.1328 / (b - 3.4);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2.0) {
                return k as u64;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if libm::log(v * inverse / (a / (us * us) + b)) <= k * libm::log(mean) - mean - libm::lgamma(k + 1.0) {
                return k as u64;
            }
        }
    }
}

/// The requests of one arm in one interval, by how slow they were, and how many failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requests {
    /// Slower than each of the thresholds, from the fastest threshold on.
    pub(crate) slower: [u64; 5],
    pub(crate) total: u64,
    pub(crate) errors: u64,
}

/// What an arm's requests are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Expected number in an interval.
    pub(crate) mean: f64,
    pub(crate) error_share: f64,
    /// Share slower than each threshold, falling.
    pub(crate) slow_shares: [f64; 5],
}

/// Slow requests fail twice as often as fast ones, so that metrics depend on each other.
pub(crate) fn requests(rng: &mut Rng, kind: &Kind) -> Requests {
    let mut drawn = Requests { slower: [0; 5], total: 0, errors: 0 };
    let shares = kind.slow_shares;
    let median = shares[0];
    let fast_errors = kind.error_share / (1.0 + median);
    for class in 0..=shares.len() {
        // Between one threshold and the next.
        let above = if class == 0 { 1.0 } else { shares[class - 1] };
        let share = above - if class == shares.len() { 0.0 } else { shares[class] };
        let error_share = if class == 0 { fast_errors } else { 2.0 * fast_errors };
        let failing = rng.poisson(kind.mean * share * error_share);
        let all = failing + rng.poisson(kind.mean * share * (1.0 - error_share));
        drawn.errors += failing;
        drawn.total += all;
        for slower in &mut drawn.slower[..class] {
            *slower += all;
        }
    }
    drawn
}

fn arm(events: u64, total: u64) -> Arm {
    Arm::new(Count::new(events).unwrap(), Count::new(total).unwrap()).unwrap()
}

pub(crate) fn errors(canary: &Requests, baseline: &Requests) -> Pair {
    Pair { canary: arm(canary.errors, canary.total), baseline: arm(baseline.errors, baseline.total) }
}

pub(crate) fn slow(canary: &Requests, baseline: &Requests) -> [Pair; 5] {
    std::array::from_fn(|index| Pair {
        canary: arm(canary.slower[index], canary.total),
        baseline: arm(baseline.slower[index], baseline.total),
    })
}

#[test]
fn draws_have_the_mean_and_variance_of_poisson() {
    let mut rng = Rng::new(7);
    for mean in [0.3, 4.0, 9.9, 10.1, 37.0, 1500.0] {
        let runs = 40_000;
        let draws: Vec<f64> = (0..runs).map(|_| rng.poisson(mean) as f64).collect();
        let average = draws.iter().sum::<f64>() / f64::from(runs);
        let variance = draws.iter().map(|draw| (draw - average) * (draw - average)).sum::<f64>() / f64::from(runs);
        assert!((average - mean).abs() < 4.0 * (mean / f64::from(runs)).sqrt(), "{mean} {average}");
        assert!((variance / mean - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
