//! Whether so many errors of so few events prove a ratio: the exact binomial lower bound.
//!
//! The lower bound of Clopper and Pearson at confidence `1 − α` is the ratio `p` at which `bad` or more of
//! `total` events would be bad with probability `α`. So the bound exceeds a limit exactly if that
//! probability, taken at the limit, is below `α`, and this is what is computed. Wilson's bound, the
//! alternative, is too high for rare events: of one error it claims 95 % where 80 % holds.
//!
//! Sources: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404; the probability mass by its saddle
//! point, C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000); Chernoff's
//! multiplicative bound, `P(X ≥ (1 + δ)μ) ≤ exp(−δ²μ / (2 + δ))`.

use super::events::Events;
use crate::Share;

/// Whether the lower bound of the ratio of bad events, one-sided at `confidence`, is above `limit`.
///
/// Events are taken as independent. Amounts that are not whole are rounded so that less is proved. On very
/// many events only a part of the sum is taken and the rest is bounded from above: the answer errs towards
/// "no" only, on a billion events as 95.5 % instead of 95 % would. It is never yes at a confidence of 100 %,
/// nor at a ratio that is itself not above the limit.
///
/// ```
/// use davy::Count;
/// use davy::slo::{Events, surely_exceeds};
///
/// let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total)).unwrap();
/// let confidence = "95%".parse()?;
/// assert!(!surely_exceeds(of(1, 10), 0.0144, confidence));      // a single error: it may be chance
/// assert!(surely_exceeds(of(2, 10), 0.0144, confidence));
/// assert!(!surely_exceeds(of(19, 1204), 0.0144, confidence));   // 0.0158, but not surely
/// # Ok::<(), davy::RatioError>(())
/// ```
#[must_use]
pub fn surely_exceeds(events: Events, limit: f64, confidence: Share) -> bool {
    let alpha = confidence.complement().as_fraction();
    let (bad, total) = events.surely();
    if alpha <= 0.0 || bad <= 0.0 || limit.is_nan() || limit >= 1.0 {
        return false;
    }
    if limit <= 0.0 {
        return true;
    }
    bad / total > limit && (is_far(bad, total, limit, alpha) || tail_is_below(bad, total, limit, alpha))
}

/// The lower bound of the ratio of bad events, one-sided at `confidence`: the largest limit that
/// [`surely_exceeds`] affirms, to the last bit; nothing without traffic.
///
/// It is for explanations; a decision asks about its one limit, which is far less work.
///
/// ```
/// use davy::Count;
/// use davy::slo::{Events, lower_bound};
///
/// let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total)).unwrap();
/// let bound = lower_bound(of(2, 10), "95%".parse()?).unwrap();
/// assert!((bound - 0.036_771_4).abs() < 1e-7);
/// assert_eq!(lower_bound(of(0, 10), "95%".parse()?), Some(0.0));
/// # Ok::<(), davy::RatioError>(())
/// ```
#[must_use]
pub fn lower_bound(events: Events, confidence: Share) -> Option<f64> {
    let ratio = events.ratio()?;
    let (mut affirmed, mut refused) = (0.0_f64, ratio.to_bits());
    // Bits of positive doubles are in the order of their values.
    while refused - affirmed.to_bits() > 1 {
        let middle = affirmed.to_bits() + (refused - affirmed.to_bits()) / 2;
        if surely_exceeds(events, f64::from_bits(middle), confidence) {
            affirmed = f64::from_bits(middle);
        } else {
            refused = middle;
        }
    }
    Some(affirmed)
}

/// Whether the tail is below `alpha` by Chernoff's bound alone, `exp(−(bad − mean)² / (bad + mean))`; then no
/// logarithm has to be taken. Most budgets that burn are far above the limit.
fn is_far(bad: f64, total: f64, limit: f64, alpha: f64) -> bool {
    // Alpha is at least 2^(exponent - 1), so -ln(alpha) is at most (1 - exponent) · ln 2.
    let (_, exponent) = libm::frexp(alpha);
    let nats = f64::from(1 - exponent) * std::f64::consts::LN_2;
    let mean = total * limit;
    (bad - mean) * (bad - mean) > nats * (bad + mean)
}

/// So many terms of the tail are added before the rest is only bounded.
const TERMS: u32 = 256;

/// Whether at least `bad` of `total` events are bad with probability below `alpha`, if each is with
/// probability `p`; `p < bad / total`.
fn tail_is_below(bad: f64, total: f64, p: f64, alpha: f64) -> bool {
    let good = total - bad;
    let odds = p / (1.0 - p);
    let first = mass(bad, total, p);
    let enough = alpha / first;
    let (mut sum, mut term, mut step) = (1.0, 1.0, 0.0);
    for _ in 0..TERMS {
        // The ratio of one term to the one before falls from step to step, so a geometric series bounds the rest.
        let ratio = (good - step) / (bad + step + 1.0) * odds;
        if ratio >= 1.0 || sum >= enough {
            return false;
        }
        if sum + term * ratio / (1.0 - ratio) < enough {
            return true;
        }
        term *= ratio;
        sum += term;
        step += 1.0;
    }
    false
}

/// The probability that exactly `bad` of `total` events are bad, if each is with probability `p` below
/// their ratio.
fn mass(bad: f64, total: f64, p: f64) -> f64 {
    let good = total - bad;
    if good <= 0.0 {
        return libm::exp(total * libm::log(p));
    }
    let divergence = bad * log_ratio(bad, total * p) + good * log_ratio(good, total * (1.0 - p));
    let correction = stirling_error(total) - stirling_error(bad) - stirling_error(good);
    (total / (std::f64::consts::TAU * bad * good)).sqrt() * libm::exp(correction - divergence)
}

/// `ln (seen / expected)`, without cancellation where the two are near.
fn log_ratio(seen: f64, expected: f64) -> f64 {
    let distance = (seen - expected) / expected;
    if distance.abs() < 0.5 { libm::log1p(distance) } else { libm::log(seen / expected) }
}

/// `ln n! − ln(√(2πn) (n/e)^n)` for `n ≥ 1`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let half_log_tau = 0.918_938_533_204_672_8;
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - half_log_tau;
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Count;

    fn events(bad: u64, total: u64) -> Events {
        Events::of_bad(Count::new(bad).unwrap(), Count::new(total).unwrap()).unwrap()
    }

    /// The tail summed from the other end, with masses by their recursion: independent for small numbers.
    fn tail(bad: u32, total: u32, p: f64) -> f64 {
        let mut mass = (0..total).fold(1.0, |mass, _| mass * p);
        let mut sum = 0.0;
        for k in (bad..=total).rev() {
            sum += mass;
            mass *= f64::from(k) / f64::from(total - k + 1) * (1.0 - p) / p;
        }
        sum
    }

    #[test]
    fn a_bound_is_above_a_limit_where_the_tail_is_below_alpha() {
        let mut sides = [0, 0];
        for total in 1..60_u32 {
            for bad in 1..=total {
                for p in [1e-6, 0.001, 0.0144, 0.1, 0.3, 0.5, 0.9, 0.999] {
                    for (confidence, alpha) in [("95%", 0.05), ("99%", 0.01), ("80%", 0.2)] {
                        let tail = tail(bad, total, p);
                        let expected = tail < alpha && f64::from(bad) / f64::from(total) > p;
                        if (tail - alpha).abs() > 1e-12 {
                            let found =
                                surely_exceeds(events(bad.into(), total.into()), p, confidence.parse().unwrap());
                            assert_eq!(found, expected, "{bad} of {total} at {p}, {confidence}: {tail}");
                            sides[usize::from(expected)] += 1;
                        }
                    }
                }
            }
        }
        assert!(sides.iter().all(|side| *side > 5000), "{sides:?}");
    }

    #[test]
    fn bounds_are_those_of_clopper_and_pearson_or_a_little_below() {
        // Bisected in Python on the sum of all terms; the last two are where only a part is taken.
        let rows = [
            (19, 1204, "95%", 0.010_357_837_169_903, 1e-12),
            (19, 1204, "99%", 0.008_620_275_635_284, 1e-12),
            (160, 10_000, "95%", 0.013_991_287_680_476, 1e-11),
            (160, 10_000, "99%", 0.013_223_044_918_079, 1e-11),
            (1000, 1_000_000, "95%", 0.000_948_583_778_608, 1e-10),
            (15_000, 1_000_000, "95%", 0.014_800_602_258, 1e-6),
            (500_000, 1_000_000, "95%", 0.499_177_073_950, 3e-5),
        ];
        for (bad, total, confidence, expected, slack) in rows {
            let bound = lower_bound(events(bad, total), confidence.parse().unwrap()).unwrap();
            let below = (expected - bound) / expected;
            assert!(below < slack && below > -1e-10, "{bad} of {total} at {confidence}: {bound}");
        }
    }

    #[test]
    fn nothing_is_proved_by_nothing() {
        let sure: Share = "95%".parse().unwrap();
        for limit in [0.0, 0.5, f64::NAN] {
            assert!(!surely_exceeds(events(0, 0), limit, sure));
            assert!(!surely_exceeds(events(0, 10), limit, sure));
        }
        assert!(!surely_exceeds(events(10, 10), 0.001, Share::ALL));
        assert!(!surely_exceeds(events(10, 10), 1.0, sure));
        assert!(surely_exceeds(events(1, 1_000_000), 0.0, sure), "no error at all was allowed");
        assert!(!surely_exceeds(events(500, 1000), 0.6, "1%".parse().unwrap()), "it is not even above");
        assert_eq!(lower_bound(events(0, 0), sure), None);
    }

    #[test]
    fn even_the_largest_counts_are_answered_soon() {
        let sure: Share = "95%".parse().unwrap();
        let total = Count::MAX.get();
        for bad in [1, total / 1000, total / 2, total - 1, total] {
            let bound = lower_bound(events(bad, total), sure).unwrap();
            let ratio = events(bad, total).ratio().unwrap();
            assert!(bound < ratio && bound > 0.0, "{bad}: {bound}");
            assert!(bad < 1000 || bound > ratio * 0.999_999, "{bad}: {bound}");
        }
    }

    #[test]
    fn masses_add_up_to_one() {
        for (total, p) in [(10_u32, 0.3), (100, 0.01), (5000, 0.4)] {
            let sum: f64 = (1..=total).map(|bad| mass(f64::from(bad), f64::from(total), p)).sum();
            let none = libm::exp(f64::from(total) * libm::log1p(-p));
            assert!((sum + none - 1.0).abs() < 1e-12, "{total} {p}: {sum}");
        }
    }
}
