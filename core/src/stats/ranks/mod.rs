//! Two samples beside each other by rank: the test of Mann, Whitney and Wilcoxon, and the shift between the samples.
//!
//! It compares values that are no counts: response sizes, utilisations, ratios that somebody computed. It takes the
//! values of one sample as independent of each other, and says nothing about looking again: at every look it is
//! wrong as often as its level says, and over many looks far more often.
//!
//! Sources: H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50; J. L. Hodges, E. L. Lehmann,
//! Annals of Mathematical Statistics 34 (1963) 598; R 4.2, `wilcox.test`, whose numbers these are.

mod exact;
mod shift;
mod zeroin;

pub use shift::Shift;
pub(crate) use zeroin::zeroin;

use libm::{erfc, sqrt};

use super::special::bisect;

/// Two samples, sorted.
///
/// ```
/// use davy::stats::{Alternative, Correction, RankTest};
/// let test = RankTest::new(&[1.1, 2.2, 3.35, 4.4, 5.9, 7.25], &[0.5, 1.0, 2.0, 3.0, 3.3, 6.1, 8.45])?;
/// assert_eq!(test.statistic(), 26.0);                                    // of 42 pairs, so many are in order
/// let p = test.p(Alternative::Differs, Correction::Continuity).unwrap();
/// assert!((p - 0.520_316_800_507_366_8).abs() < 1e-12);
/// assert!((test.exact_p(Alternative::Differs).unwrap() - 0.533_799_533_8).abs() < 1e-9);
/// # Ok::<(), davy::stats::SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RankTest {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// `x` differs from `y`.
    Differs,
    /// `x` is greater than `y`.
    Greater,
    /// `x` is less than `y`.
    Less,
}

/// Whether the step of the statistic is allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Half a step towards the middle.
    Continuity,
    /// None.
    None,
}

/// Samples that cannot be ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// One of them is empty.
    #[error("E040: a sample to compare is empty")]
    Empty,
    /// A value is not a number, or infinite.
    #[error("E041: a value of a sample is not finite")]
    NotFinite,
}

/// Ranks when `x` is moved: how far their sum is from the middle, and its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moved {
    distance: f64,
    deviation: f64,
}

impl RankTest {
    /// Sorts two samples.
    ///
    /// # Errors
    /// [`SampleError`] for an empty sample, and for values that are not finite.
    pub fn new(x: &[f64], y: &[f64]) -> Result<Self, SampleError> {
        if x.is_empty() || y.is_empty() {
            return Err(SampleError::Empty);
        }
        if !x.iter().chain(y).all(|value| value.is_finite()) {
            return Err(SampleError::NotFinite);
        }
        Ok(Self { x: sorted(x), y: sorted(y) })
    }

    /// How many pairs have their `x` above their `y`; a tie counts half. R's `W`, SciPy's `U1`.
    #[must_use]
    pub fn statistic(&self) -> f64 {
        self.moved(0.0).distance + self.pairs() / 2.0
    }

    /// The part of all pairs whose `x` is above their `y`: the common language effect size, 0.5 where nothing differs.
    #[must_use]
    pub fn above(&self) -> f64 {
        self.statistic() / self.pairs()
    }

    /// The probability of ranks at least as far out if nothing differs, by the normal approximation with the
    /// correction for ties. Nothing where all values are equal.
    #[must_use]
    pub fn p(&self, alternative: Alternative, correction: Correction) -> Option<f64> {
        let Moved { distance, deviation } = self.moved(0.0);
        let by = match (correction, alternative) {
            (Correction::None, _) => 0.0,
            (Correction::Continuity, Alternative::Differs) => half_sign(distance),
            (Correction::Continuity, Alternative::Greater) => 0.5,
            (Correction::Continuity, Alternative::Less) => -0.5,
        };
        let z = (distance - by) / deviation;
        (deviation > 0.0).then(|| match alternative {
            Alternative::Differs => (2.0 * above(z).min(above(-z))).min(1.0),
            Alternative::Greater => above(z),
            Alternative::Less => above(-z),
        })
    }

    /// How far the ranks are from the middle after `by` is taken from every `x`, in standard deviations. Nothing
    /// where all values are equal then.
    #[must_use]
    pub fn z(&self, by: f64, correction: Correction) -> Option<f64> {
        let Moved { distance, deviation } = self.moved(by);
        let ahead = match correction {
            Correction::Continuity => half_sign(distance),
            Correction::None => 0.0,
        };
        (deviation > 0.0).then(|| (distance - ahead) / deviation)
    }

    /// The ranks when `by` is taken from every `x`.
    fn moved(&self, by: f64) -> Moved {
        let (m, n) = (self.x.len(), self.y.len());
        let (mut x, mut y) = (self.x.iter().map(|x| x - by).peekable(), self.y.iter().copied().peekable());
        let (mut ranked, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
        while let Some(value) = lesser(x.peek(), y.peek()) {
            let (mut of_x, mut all) = (0.0, 0.0);
            while x.next_if(|next| *next <= value).is_some() {
                (of_x, all) = (of_x + 1.0, all + 1.0);
            }
            while y.next_if(|next| *next <= value).is_some() {
                all += 1.0;
            }
            // Equal values share the ranks that they take together.
            rank_sum += of_x * (ranked + (all + 1.0) / 2.0);
            ties += all * all * all - all;
            ranked += all;
        }
        let (m, n) = (length(m), length(n));
        let distance = rank_sum - m * (m + 1.0) / 2.0 - m * n / 2.0;
        let alike = if ties > 0.0 { ties / ((m + n) * (m + n - 1.0)) } else { 0.0 };
        Moved { distance, deviation: sqrt(m * n / 12.0 * ((m + n + 1.0) - alike)) }
    }

    /// From the least to the greatest difference of an `x` and a `y`.
    pub(crate) fn span(&self) -> (f64, f64) {
        let ends = |sample: &[f64]| (sample.first().copied(), sample.last().copied());
        match (ends(&self.x), ends(&self.y)) {
            ((Some(least_x), Some(most_x)), (Some(least_y), Some(most_y))) => (least_x - most_y, most_x - least_y),
            // Samples are not empty.
            _ => (0.0, 0.0),
        }
    }

    fn pairs(&self) -> f64 {
        length(self.x.len()) * length(self.y.len())
    }
}

/// Half of 1 in the direction of a number, and nothing for zero.
fn half_sign(number: f64) -> f64 {
    if number > 0.0 {
        0.5
    } else if number < 0.0 {
        -0.5
    } else {
        0.0
    }
}

fn lesser(x: Option<&f64>, y: Option<&f64>) -> Option<f64> {
    match (x, y) {
        (Some(x), Some(y)) => Some(x.min(*y)),
        (one, other) => one.or(other).copied(),
    }
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The probability of a standard normal value above `z`.
fn above(z: f64) -> f64 {
    0.5 * erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal value that is exceeded with this probability, to the last bit of [`above`].
pub(crate) fn exceeded_with(probability: f64) -> f64 {
    bisect(-40.0, 40.0, |z| above(z) >= probability)
}

#[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^53")]
pub(crate) fn length(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_exact() {
        for (probability, expected) in [
            (0.01, 2.326_347_874_040_841),
            (0.025, 1.959_963_984_540_054),
            (0.5, 0.0),
            (0.99, -2.326_347_874_040_841),
            (1e-300, 37.047_096_299_361_2),
        ] {
            let found = exceeded_with(probability);
            assert!((found - expected).abs() < 1e-12, "{probability}: {found}");
        }
    }
}
