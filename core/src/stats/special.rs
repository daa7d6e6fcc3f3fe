//! Special functions that `libm` lacks, each to about twelve digits, and the root finder that goes with them.

use libm::{exp, fabs, lgamma, log, log1p};

/// Iterations after which a series or fraction has converged or will not.
const ITERATIONS: u32 = 10_000;
/// Half the distance from 1 to the next double.
const ROUNDING: f64 = f64::EPSILON / 2.0;

/// `ln B(a, b)` for a, b above 0.
pub(in crate::stats) fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

/// `ln I_x(a, b)`, the regularised incomplete beta function, for a, b above 0 and x from 0 to 1.
///
/// Continued fraction of M. Abramowitz, I. Stegun, §26.5.8, by the method of W. J. Lentz.
pub(in crate::stats) fn ln_beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 1.0 {
        return 0.0;
    }
    // Converges fast below the mean; beyond it, from the other end.
    if x > (a + 1.0) / (a + b + 2.0) { ln_complement(beta_tail(b, a, 1.0 - x)) } else { beta_tail(a, b, x) }
}

fn beta_tail(a: f64, b: f64, x: f64) -> f64 {
    let front = a * log(x) + b * log1p(-x) - ln_beta(a, b) - log(a);
    let odd = |m: f64| -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    let even = |m: f64| m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    let terms = (0..ITERATIONS).map(|n| {
        let m = f64::from(n / 2);
        if n % 2 == 0 { (odd(m), 1.0) } else { (even(m + 1.0), 1.0) }
    });
    front - log(continued_fraction(1.0, terms))
}

/// `ln P(a, x)`, the regularised lower incomplete gamma function, for a above 0 and x not below 0.
///
/// Series and continued fraction of M. Abramowitz, I. Stegun, §6.5.29 and §6.5.31.
pub(in crate::stats) fn ln_gamma_cdf(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let front = a * log(x) - x - lgamma(a);
    if x < a + 1.0 {
        let (mut sum, mut term) = (1.0 / a, 1.0 / a);
        for n in 1..ITERATIONS {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * ROUNDING {
                break;
            }
        }
        front + log(sum)
    } else {
        let terms = (1..ITERATIONS).map(|n| {
            let n = f64::from(n);
            (n * (a - n), x + 2.0 * n + 1.0 - a)
        });
        ln_complement(front - log(continued_fraction(x + 1.0 - a, terms)))
    }
}

/// Riemann's `ζ(s)` for s above 1, by Euler's and Maclaurin's sum.
pub(in crate::stats) fn zeta(s: f64) -> f64 {
    const N: i32 = 16;
    let power = |k: f64| exp(-s * log(k));
    let n = f64::from(N);
    let sum: f64 = (1..N).map(|k| power(f64::from(k))).sum();
    // B_2k / (2k)! for k from 1.
    const COEFFICIENTS: [f64; 6] = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
    ];
    let mut term = s * power(n) / n;
    let mut correction = 0.0;
    for (coefficient, k) in COEFFICIENTS.iter().zip(0_u8..) {
        correction += coefficient * term;
        let next = 2.0 * f64::from(k) + 1.0;
        term *= (s + next) * (s + next + 1.0) / (n * n);
    }
    sum + n * power(n) / (s - 1.0) + 0.5 * power(n) + correction
}

/// `b0 + a1/(b1 + a2/(b2 + …))`, by W. J. Lentz's method as modified by I. J. Thompson and A. R. Barnett.
fn continued_fraction(first: f64, terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |x: f64| if fabs(x) < TINY { TINY } else { x };
    let mut value = away_from_zero(first);
    let (mut c, mut d) = (value, 0.0);
    for (a, b) in terms {
        d = 1.0 / away_from_zero(b + a * d);
        c = away_from_zero(b + a / c);
        let factor = c * d;
        value *= factor;
        if fabs(factor - 1.0) <= ROUNDING {
            break;
        }
    }
    value
}

/// `ln(1 − exp(x))` for x not above 0.
fn ln_complement(x: f64) -> f64 {
    log1p(-exp(x.min(0.0)))
}

/// The point within two ends up to which `holds`, to the last bit or two hundred halvings.
pub(in crate::stats) fn bisect(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut holding, mut failing) = (from, to);
    for _ in 0..200 {
        let middle = holding + 0.5 * (failing - holding);
        if middle.to_bits() == holding.to_bits() || middle.to_bits() == failing.to_bits() {
            break;
        }
        if holds(middle) {
            holding = middle;
        } else {
            failing = middle;
        }
    }
    holding + 0.5 * (failing - holding)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 1e-12, "{value} {expected}");
    }

    #[test]
    fn closed_forms_agree() {
        // I_x(1, b) = 1 − (1 − x)^b, I_x(a, 1) = x^a, I_½(a, a) = ½.
        for x in [0.01_f64, 0.3, 0.5, 0.9, 0.999] {
            close(exp(ln_beta_cdf(1.0, 7.0, x)), 1.0 - libm::pow(1.0 - x, 7.0));
            close(exp(ln_beta_cdf(7.0, 1.0, x)), libm::pow(x, 7.0));
            close(exp(ln_beta_cdf(2.0, 3.0, x)), x * x * (6.0 - 8.0 * x + 3.0 * x * x));
        }
        close(exp(ln_beta_cdf(1234.5, 1234.5, 0.5)), 0.5);
        // P(1, x) = 1 − e^−x, P(2, x) = 1 − (1 + x)e^−x, P(½, x) = erf √x.
        for x in [0.1_f64, 1.0, 2.5, 10.0] {
            close(exp(ln_gamma_cdf(1.0, x)), -libm::expm1(-x));
            close(exp(ln_gamma_cdf(2.0, x)), 1.0 - (1.0 + x) * exp(-x));
            close(exp(ln_gamma_cdf(0.5, x)), libm::erf(x.sqrt()));
        }
        let pi = std::f64::consts::PI;
        close(zeta(2.0), pi * pi / 6.0);
        close(zeta(4.0), pi * pi * pi * pi / 90.0);
        // A hundred thousand terms and the integral of the rest.
        close(zeta(1.4), 3.105_547_277_977_58);
    }

    #[test]
    fn ends_are_ends() {
        assert_eq!(ln_beta_cdf(2.0, 3.0, 0.0), f64::NEG_INFINITY);
        assert_eq!(ln_beta_cdf(2.0, 3.0, 1.0), 0.0);
        assert_eq!(ln_gamma_cdf(2.0, 0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn bisection_finds_the_last_point_that_holds() {
        close(bisect(0.0, 2.0, |x| x * x < 2.0), 2.0_f64.sqrt());
        close(bisect(2.0, 0.0, |x| x * x > 2.0), 2.0_f64.sqrt());
    }
}
