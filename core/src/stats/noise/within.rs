//! Noise of single intervals, and how long it lasts: estimated from the residuals of the baseline's replicas.

use super::sums::length;
use super::window::Interval;

/// Sums over the whole rollout. Many degrees of freedom, but blind to what differs always and seldom.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Within {
    squares: f64,
    scale: f64,
    lagged: f64,
    lagged_scale: f64,
    /// The residuals of the interval before, by place; nothing of a replica that was not there.
    last: Vec<Option<f64>>,
}

/// The largest correlation between neighbours that is believed.
const MOST_CORRELATED: f64 = 0.95;

impl Within {
    pub(super) fn fold(&mut self, interval: &Interval<'_>) {
        let mut now: Vec<Option<f64>> = vec![None; self.last.len()];
        let (mut present, mut expected_squares, mut lagged, mut overlap) = (0.0, 0.0, 0.0, false);
        for &(place, arm) in interval.replicas {
            let (events, total) = arm.as_f64();
            let expected = total * interval.mean;
            let residual = events - expected;
            if total > 0.0 {
                let chance = expected * (1.0 - interval.mean) * (1.0 - total / interval.baseline);
                self.squares += residual * residual - chance;
            }
            expected_squares += expected * expected;
            present += 1.0;
            if let Some(before) = self.last.get(place).copied().flatten() {
                lagged += residual * before;
                overlap = true;
            }
            if now.len() <= place {
                now.resize(place + 1, None);
            }
            if let Some(slot) = now.get_mut(place) {
                *slot = Some(residual);
            }
        }
        if present > 0.0 {
            let scale = (1.0 - 1.0 / present) * expected_squares;
            self.scale += scale;
            if overlap {
                self.lagged += lagged;
                self.lagged_scale += scale;
            }
        }
        self.last = now;
    }

    /// The variance σ² of one interval, relative, and the correlation ρ of neighbours.
    pub(super) fn noise(&self) -> (f64, f64) {
        let variance = self.squares / self.scale;
        if !variance.is_finite() || variance <= 0.0 {
            return (0.0, 0.0);
        }
        let correlation = (self.lagged / (self.lagged_scale * variance)).clamp(0.0, MOST_CORRELATED);
        (variance, if correlation.is_finite() { correlation } else { 0.0 })
    }

    pub(super) fn write(&self, numbers: &mut Vec<f64>) {
        numbers.extend([self.squares, self.scale, self.lagged, self.lagged_scale]);
        #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
        numbers.push(self.last.len() as f64);
        // A residual is finite, so infinity says that there is none.
        numbers.extend(self.last.iter().map(|residual| residual.unwrap_or(f64::INFINITY)));
    }

    pub(super) fn read(numbers: &mut impl Iterator<Item = f64>, most: usize) -> Option<Self> {
        let mut finite = || numbers.next().filter(|number| number.is_finite());
        let (squares, scale, lagged, lagged_scale) = (finite()?, finite()?, finite()?, finite()?);
        let length = length(finite()?, most)?;
        // Anything that is no number stands for a residual that is not there.
        let residual = |residual: f64| Some(residual).filter(|residual| residual.is_finite());
        let last = (0..length).map(|_| numbers.next().map(residual)).collect::<Option<_>>()?;
        Some(Self { squares, scale, lagged, lagged_scale, last })
    }
}
