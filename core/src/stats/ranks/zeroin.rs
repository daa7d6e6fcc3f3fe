//! Where a function is zero, by Brent's method in the very steps that R takes: whoever wants R's numbers needs them.
//!
//! Source: R. P. Brent, "Algorithms for Minimization Without Derivatives" (1973), chapter 4; R, `zeroin.c`.

/// The most steps, as R's and Kayenta's callers set it.
const STEPS: usize = 1001;

/// A root within two ends, to `tolerance`; nothing where the function has no value, or no root was found.
///
/// The function should have different signs at both ends. Where it has not, the answer is what R's method makes of
/// it: a point near an end.
pub(crate) fn zeroin(
    (from, to): (f64, f64),
    tolerance: f64,
    mut function: impl FnMut(f64) -> Option<f64>,
) -> Option<f64> {
    let (mut a, mut at_a) = (from, function(from)?);
    let (mut b, mut at_b) = (to, function(to)?);
    if is_zero(at_a) {
        return Some(a);
    }
    if is_zero(at_b) {
        return Some(b);
    }
    // The root lies between b, the best guess, and c.
    let (mut c, mut at_c) = (a, at_a);
    for _ in 0..STEPS {
        let previous = b - a;
        if at_c.abs() < at_b.abs() {
            (a, b, c) = (b, c, b);
            (at_a, at_b, at_c) = (at_b, at_c, at_b);
        }
        let least = 2.0 * f64::EPSILON * b.abs() + tolerance / 2.0;
        let mut step = (c - b) / 2.0;
        if step.abs() <= least || is_zero(at_b) {
            return Some(b);
        }
        if previous.abs() >= least && at_a.abs() > at_b.abs() {
            let (p, q) = interpolated((a, at_a), (b, at_b), (c, at_c));
            let near = p < 0.75 * (c - b) * q - (least * q).abs() / 2.0;
            if near && p < (previous * q / 2.0).abs() {
                step = p / q;
            }
        }
        if step.abs() < least {
            step = if step > 0.0 { least } else { -least };
        }
        (a, at_a) = (b, at_b);
        b += step;
        at_b = function(b)?;
        if (at_b > 0.0 && at_c > 0.0) || (at_b < 0.0 && at_c < 0.0) {
            (c, at_c) = (a, at_a);
        }
    }
    None
}

/// The step from `b` as a fraction with a numerator from 0 on: through two points by a line, through three by the
/// inverse of a parabola.
fn interpolated((a, at_a): (f64, f64), (b, at_b): (f64, f64), (c, at_c): (f64, f64)) -> (f64, f64) {
    let to_c = c - b;
    let (p, q) = if a.to_bits() == c.to_bits() {
        let ratio = at_b / at_a;
        (to_c * ratio, 1.0 - ratio)
    } else {
        let (q, t1, t2) = (at_a / at_c, at_b / at_c, at_b / at_a);
        (t2 * (to_c * q * (q - t1) - (b - a) * (t1 - 1.0)), (q - 1.0) * (t1 - 1.0) * (t2 - 1.0))
    };
    if p > 0.0 { (p, -q) } else { (-p, q) }
}

/// Zero, or the smallest number beside it.
fn is_zero(value: f64) -> bool {
    value.abs() <= f64::from_bits(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_tolerance() {
        let root = |tolerance| zeroin((0.0, 2.0), tolerance, |x| Some(x * x - 2.0)).unwrap();
        assert!((root(1e-12) - std::f64::consts::SQRT_2).abs() < 1e-12);
        assert!((root(0.1) - std::f64::consts::SQRT_2).abs() < 0.1);
        assert_eq!(zeroin((-1.0, 1.0), 1e-4, |x| Some(x + 1.0)), Some(-1.0), "an end that is a root");
        assert_eq!(zeroin((-1.0, 1.0), 1e-4, |x| (x < 0.0).then_some(x)), None);
    }

    #[test]
    fn steps_are_those_of_r() {
        // uniroot(function(x) exp(x) - 5, c(0, 10), tol = .Machine$double.eps^0.25)$root in R 4.2.
        let root = zeroin((0.0, 10.0), f64::EPSILON.sqrt().sqrt(), |x| Some(libm::exp(x) - 5.0)).unwrap();
        assert!((root - libm::log(5.0)).abs() < 1e-4);
    }

    #[test]
    fn without_a_change_of_sign_it_ends_all_the_same() {
        let mut asked = 0;
        let found = zeroin((-1.0, 1.0), 1e-4, |x| {
            asked += 1;
            Some(x * x + 1.0)
        });
        assert!(found.is_none_or(f64::is_finite) && asked <= STEPS + 2, "{found:?} after {asked}");
    }
}
