//! Noise for constant points, so that ranks can be compared: with a seed, where Kayenta's has none.

use libm::{cos, log, sqrt};

/// The relative size of the noise, one standard deviation.
const SIZE: f64 = 1e-5;

/// Normal noise, the same for the same seed.
pub(super) struct Noise {
    state: u64,
}

impl Noise {
    pub(super) const fn of(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Adds noise in proportion to their constant to values that are all the same; none where that is zero.
    pub(super) fn disturb(&mut self, values: &mut [f64]) {
        for value in values {
            *value += value.abs() * SIZE * self.normal();
        }
    }

    /// Box and Muller, the cosine half.
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        sqrt(-2.0 * log(radius)) * cos(std::f64::consts::TAU * angle)
    }

    /// From above 0 to 1.
    fn uniform(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let uniform = ((self.next() >> 11) + 1) as f64 / 9_007_199_254_740_992.0;
        uniform
    }

    /// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014.
    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_normal_and_the_same_for_the_same_seed() {
        let draw = |seed| {
            let mut values = vec![1e5; 20_000];
            Noise::of(seed).disturb(&mut values);
            values.iter().map(|value| value - 1e5).collect::<Vec<f64>>()
        };
        let values = draw(7);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let beyond = values.iter().filter(|value| value.abs() > 1.96).count() as f64 / count;
        assert!((beyond - 0.05).abs() < 0.006, "{beyond}");
        assert_eq!(values, draw(7));
        assert_ne!(values, draw(8));
    }

    #[test]
    fn zero_stays_zero() {
        let mut values = vec![0.0; 5];
        Noise::of(1).disturb(&mut values);
        assert!(values.iter().all(|value| value.to_bits() == 0.0f64.to_bits()));
    }
}
