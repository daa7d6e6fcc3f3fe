//! Random numbers: one stream per simulated attempt, and exact draws from it.

use davy::Digest;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rand_distr::{Binomial, Distribution as _, Poisson};

/// The stream of one attempt of one rollout: it depends on nothing else, so threads may share the work in any way.
pub(super) fn stream(seed: u64, cell: &str, rollout: u32, attempt: u32) -> ChaCha8Rng {
    let name = format!("davy simulation 1, seed {seed}, {cell}, rollout {rollout}, attempt {attempt}");
    ChaCha8Rng::from_seed(*Digest::of(name.as_bytes()).as_bytes())
}

/// How many of so many requests; a share beyond 1 is all of them.
pub(super) fn binomial(requests: u64, share: f64, rng: &mut ChaCha8Rng) -> u64 {
    // One by one they cost less than the power that the table of the distribution begins with.
    if requests <= 16 {
        return (0..requests).map(|_| u64::from(fraction(rng) < share)).sum();
    }
    Binomial::new(requests, share.clamp(0.0, 1.0)).map_or(0, |binomial| binomial.sample(rng))
}

/// How many, where so many are expected.
pub(super) fn poisson(expected: f64, rng: &mut ChaCha8Rng) -> u64 {
    // What is not above 0 has no distribution but 0.
    Poisson::new(expected).map_or(0, |poisson: Poisson<f64>| poisson.sample(rng) as u64)
}

/// From 0 to below 1.
pub(super) fn fraction(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_has_its_own_stream() {
        let first = |cell, rollout, attempt| stream(7, cell, rollout, attempt).next_u64();
        assert_eq!(first("a", 1, 1), first("a", 1, 1));
        let mut all =
            [first("a", 1, 1), first("a", 1, 2), first("a", 2, 1), first("b", 1, 1), stream(8, "a", 1, 1).next_u64()];
        all.sort_unstable();
        assert!(all.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn draws_have_the_mean_and_spread_of_their_distribution() {
        let mut rng = stream(1, "draws", 1, 1);
        let runs = 200_000;
        let mut check = |expected: f64, variance: f64, draw: &mut dyn FnMut(&mut ChaCha8Rng) -> f64| {
            let draws: Vec<f64> = (0..runs).map(|_| draw(&mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(runs);
            let spread = draws.iter().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / f64::from(runs);
            assert!((mean - expected).abs() < 5.0 * (variance / f64::from(runs)).sqrt(), "{mean} {expected}");
            assert!((spread / variance - 1.0).abs() < 0.03, "{spread} {variance}");
        };
        for (requests, share) in [(7, 0.5), (75, 0.01), (15_000, 0.01), (15_000, 0.6)] {
            let mean = requests as f64 * share;
            check(mean, mean * (1.0 - share), &mut |rng| binomial(requests, share, rng) as f64);
        }
        for mean in [0.3, 7.5, 75.0, 15_000.0] {
            check(mean, mean, &mut |rng| poisson(mean, rng) as f64);
        }
        check(0.5, 1.0 / 12.0, &mut fraction);
        assert_eq!((binomial(9, f64::INFINITY, &mut rng), poisson(0.0, &mut rng)), (9, 0));
    }
}
