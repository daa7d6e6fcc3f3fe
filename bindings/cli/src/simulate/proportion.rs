//! A proportion that was measured, with the interval of C. J. Clopper and E. S. Pearson (Biometrika 26 (1934) 404).

use libm::{exp, lgamma, log, log1p};

/// The exact two-sided 95 % interval of a proportion, given so many of so many.
pub(super) fn interval(of: u32, runs: u32) -> (f64, f64) {
    const TAIL: f64 = 0.025;
    if runs == 0 {
        return (0.0, 1.0);
    }
    // The chance of at most `of` falls with p; that of at least `of` rises.
    let high = if of == runs { 1.0 } else { bisect(|p| at_most(of, runs, p) > TAIL) };
    let low = if of == 0 { 0.0 } else { bisect(|p| 1.0 - at_most(of - 1, runs, p) < TAIL) };
    (low, high)
}

/// Where `below` ends to hold, between 0 and 1.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The probability of at most `of` among `runs`.
fn at_most(of: u32, runs: u32, p: f64) -> f64 {
    // Summed over the shorter tail.
    if of > runs / 2 && of < runs {
        return 1.0 - at_most(runs - of - 1, runs, 1.0 - p);
    }
    let n = f64::from(runs);
    let term = |k: u32| {
        let k = f64::from(k);
        let ways = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
        exp(ways + k * log(p) + (n - k) * log1p(-p))
    };
    (0..=of).map(term).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_those_that_leave_a_fortieth_on_each_side() {
        // In closed form: nobody of n, and everybody of n.
        let (low, high) = interval(0, 100);
        assert!(low <= 0.0 && (high - (1.0 - 0.025_f64.powf(0.01))).abs() < 1e-12, "{high}");
        let (low, high) = interval(100, 100);
        assert!(high >= 1.0 && (low - 0.025_f64.powf(0.01)).abs() < 1e-12, "{low}");
        // R 4.2, binom.test(5, 100) and binom.test(10, 20).
        for (of, runs, expected) in [(5, 100, (0.016_431_88, 0.112_834_91)), (10, 20, (0.271_957_8, 0.728_042_2))] {
            let (low, high) = interval(of, runs);
            assert!((low - expected.0).abs() < 1e-6 && (high - expected.1).abs() < 1e-6, "{low} {high}");
        }
        for (of, runs) in [(100, 10_000), (9_990, 10_000), (1, 3)] {
            let (low, high) = interval(of, runs);
            assert!((at_most(of, runs, high) - 0.025).abs() < 1e-9);
            assert!((1.0 - at_most(of - 1, runs, low) - 0.025).abs() < 1e-9);
        }
    }
}
