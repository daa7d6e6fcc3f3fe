//! How much of a logarithm of evidence counts when its variance was estimated.

use libm::log1p;

/// Most degrees of freedom: a variance that is as good as known.
pub(super) const MANY: f64 = 1e6;

/// The factor κ, from 0 to 1, by which logarithms of evidence are multiplied.
///
/// `chance` is the part of the variance that independent requests would have, from 0 to 1; `most` is the largest
/// logarithm over the effect sizes, of which what is below 0 counts as 0; `freedom` are the degrees of freedom of
/// the variance, above 0. With `T² = 2·chance·most`, the square of a standardised difference,
///
/// ```text
/// h = ((8ν+1)/(8ν+3))²·ν·ln(1 + T²/ν)          κ = chance·min(1, h/T²)
/// ```
///
/// h is the square of the normal deviate that is as rare as the deviate T of Student's t (D. L. Wallace, Annals of
/// Mathematical Statistics 30 (1959) 1124): what looks sure by a variance from three replicas is not.
///
/// ```
/// use davy::stats::discount;
///
/// assert_eq!(discount(1.0, 0.0, 1e6), 1.0);
/// assert!(discount(0.3, 5.0, 9.0) < 0.3);       // most of the variance is noise, estimated from ten replicas
/// assert!(discount(1.0, 50.0, 2.0) < 0.1);      // three replicas never show more than a little
/// ```
#[must_use]
pub fn discount(chance: f64, most: f64, freedom: f64) -> f64 {
    let square = 2.0 * chance * most.max(0.0);
    if square.is_nan() || square <= 0.0 {
        return chance;
    }
    let wallace = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0);
    let as_normal = wallace * wallace * freedom * log1p(square / freedom);
    chance * (as_normal / square).min(1.0)
}
