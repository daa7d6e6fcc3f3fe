//! What becomes of points before they are compared.

use super::{NanStrategy, Rules};
use crate::stats::length;

/// Where values begin to be outliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fences {
    /// Below it.
    pub low: f64,
    /// Above it.
    pub high: f64,
}

/// The points that are compared: numbers, without outliers if the rules say so. Infinite values stay.
pub(super) fn prepared(points: &[f64], rules: &Rules) -> Vec<f64> {
    let mut kept: Vec<f64> = match rules.nan {
        NanStrategy::Remove => points.iter().copied().filter(|point| !point.is_nan()).collect(),
        NanStrategy::Replace => points.iter().map(|point| if point.is_nan() { 0.0 } else { *point }).collect(),
    };
    if let Some(Fences { low, high }) = rules.outliers.and_then(|factor| fences(&kept, factor, true)) {
        kept.retain(|point| (low..=high).contains(point));
    }
    kept
}

/// The fences `factor` times the distance of the quartiles beyond them; nothing without values.
///
/// `widened` moves them out to the 1st and the 99th percentile, as the judge does.
#[must_use]
pub fn fences(values: &[f64], factor: f64, widened: bool) -> Option<Fences> {
    let [first, lower, upper, last] = [1.0, 25.0, 75.0, 99.0].map(|percent| percentile(values, percent));
    let (lower, upper) = (lower?, upper?);
    let reach = (upper - lower) * factor;
    let (low, high) = (lower - reach, upper + reach);
    Some(if widened { Fences { low: low.min(first?), high: high.max(last?) } } else { Fences { low, high } })
}

/// A percentile from 0 to 100 by linear interpolation, R's type 7; nothing without values.
#[must_use]
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = (percent / 100.0).clamp(0.0, 1.0) * length(sorted.len().checked_sub(1)?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the values")]
    let below = place.floor() as usize;
    let lower = *sorted.get(below)?;
    let upper = sorted.get(below + 1).copied().unwrap_or(lower);
    Some(if place.fract() > 0.0 { lower + place.fract() * (upper - lower) } else { lower })
}

/// The mean, corrected by the mean of what it leaves; 0 without values. As Apache Commons Math has it.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let count = length(values.len());
    let first = values.iter().sum::<f64>() / count;
    first + values.iter().map(|value| value - first).sum::<f64>() / count
}
