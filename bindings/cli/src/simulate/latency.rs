//! Latencies of many requests at once: how many fall into each bucket, without drawing a single request.

use libm::{erfc, exp2, log};
use rand_chacha::ChaCha8Rng;

use super::draw::binomial;

/// A mixture of lognormal latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LatencyModel {
    /// 98.5 % around 50 ms, 1.5 % around 400 ms
    Heavy,
    /// 85 % around 15 ms, 15 % around 180 ms
    Bimodal,
}

/// How many requests of how many fall into which bucket: a binary tree, each node split by a conditional binomial.
///
/// The splits are taken once; a draw of n requests then costs one binomial for each node that requests reach.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    /// For each node of the tree, in the order of a walk: the probability of its left half.
    left: Vec<f64>,
    buckets: usize,
}

/// A component: its weight, the natural logarithm of its median in seconds, and its spread.
type Lognormal = (f64, f64, f64);

impl LatencyModel {
    fn components(self) -> [Lognormal; 2] {
        let of = |weight, median: f64, spread| (weight, log(median), spread);
        match self {
            Self::Heavy => [of(0.985, 0.050, 0.6), of(0.015, 0.400, 0.8)],
            Self::Bimodal => [of(0.85, 0.015, 0.4), of(0.15, 0.180, 0.5)],
        }
    }

    /// The share of requests that take longer than `seconds`, where all take `exp(slower)` times as long.
    pub(super) fn slower_than(self, seconds: f64, slower: f64) -> f64 {
        let of = |(weight, median, spread): Lognormal| {
            let z = (log(seconds) - median - slower) / spread;
            weight * 0.5 * erfc(z / std::f64::consts::SQRT_2)
        };
        self.components().into_iter().map(of).sum()
    }

    /// The latency that this share of requests exceeds, in seconds.
    pub(super) fn exceeded_by(self, share: f64) -> f64 {
        let (mut low, mut high) = (-40.0, 20.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.slower_than(exp2(middle), 0.0) > share {
                low = middle;
            } else {
                high = middle;
            }
        }
        exp2(low)
    }

    /// The buckets between rising bounds in seconds, those before the first and after the last included.
    pub(super) fn buckets(self, bounds: &[f64], slower: f64) -> Buckets {
        let mut above = 1.0;
        let mut shares = Vec::with_capacity(bounds.len() + 1);
        for bound in bounds {
            let next = self.slower_than(*bound, slower);
            shares.push((above - next).max(0.0));
            above = next;
        }
        shares.push(above);
        Buckets::new(&shares)
    }
}

impl Buckets {
    fn new(shares: &[f64]) -> Self {
        fn split(shares: &[f64], left: &mut Vec<f64>) {
            if shares.len() < 2 {
                return;
            }
            let (low, high) = shares.split_at(shares.len() / 2);
            let (of_low, of_high) = (low.iter().sum::<f64>(), high.iter().sum::<f64>());
            let all = of_low + of_high;
            left.push(if all > 0.0 { (of_low / all).min(1.0) } else { 0.5 });
            split(low, left);
            split(high, left);
        }
        let mut left = Vec::with_capacity(shares.len());
        split(shares, &mut left);
        Self { left, buckets: shares.len() }
    }

    /// Calls `counted` with each bucket that holds requests, by rising place, and their number.
    pub(super) fn draw(&self, requests: u64, rng: &mut ChaCha8Rng, counted: &mut impl FnMut(usize, u64)) {
        self.walk(0, 0..self.buckets, requests, rng, counted);
    }

    /// Node `node` splits `places`; its left half is the next node, its right half comes after all nodes of the left.
    fn walk(
        &self,
        node: usize,
        places: std::ops::Range<usize>,
        requests: u64,
        rng: &mut ChaCha8Rng,
        counted: &mut impl FnMut(usize, u64),
    ) {
        if requests == 0 {
            return;
        }
        let Some(left) = self.left.get(node).filter(|_| places.len() > 1) else {
            counted(places.start, requests);
            return;
        };
        let half = places.len() / 2;
        let middle = places.start + half;
        let low = binomial(requests, *left, rng);
        self.walk(node + 1, places.start..middle, low, rng, counted);
        self.walk(node + half, middle..places.end, requests - low, rng, counted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng as _;

    #[test]
    fn a_draw_has_every_request_once_and_the_shares_of_the_model() {
        let bounds: Vec<f64> = (-160..=64).map(|index| exp2(f64::from(index) / 16.0)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for model in [LatencyModel::Heavy, LatencyModel::Bimodal] {
            let buckets = model.buckets(&bounds, 0.1);
            let mut counts = vec![0_u64; bounds.len() + 1];
            let requests = 4_000_000;
            buckets.draw(requests, &mut rng, &mut |place, count| {
                counts.get_mut(place).into_iter().for_each(|it| *it += count);
            });
            assert_eq!(counts.iter().sum::<u64>(), requests);
            let mut above = requests;
            for (bound, count) in bounds.iter().zip(&counts) {
                above -= count;
                let expected = model.slower_than(*bound, 0.1);
                let spread = (expected * (1.0 - expected) / 4e6).sqrt();
                assert!((above as f64 / 4e6 - expected).abs() < 5.0 * spread + 1e-6, "{bound} {expected}");
            }
        }
    }

    #[test]
    fn a_quantile_is_exceeded_by_its_share() {
        for share in [0.5, 0.1, 0.01] {
            let seconds = LatencyModel::Heavy.exceeded_by(share);
            assert!((LatencyModel::Heavy.slower_than(seconds, 0.0) / share - 1.0).abs() < 1e-9);
            assert!((LatencyModel::Heavy.slower_than(2.0 * seconds, 2_f64.ln()) / share - 1.0).abs() < 1e-9);
        }
    }
}
