//! Fractions of whole numbers, and the double nearest to one.

use crate::Count;

/// A fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    numerator: u128,
    denominator: u128,
}

impl Fraction {
    pub(super) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// Reduces; nothing over zero.
    pub(super) fn new(numerator: u128, denominator: u128) -> Option<Self> {
        let divisor = gcd(numerator, denominator);
        let denominator = denominator.checked_div(divisor).filter(|denominator| *denominator > 0)?;
        Some(Self { numerator: numerator.checked_div(divisor)?, denominator })
    }

    pub(super) const fn numerator(self) -> u128 {
        self.numerator
    }

    pub(super) const fn denominator(self) -> u128 {
        self.denominator
    }

    /// The product, unless its terms exceed 128 bits.
    pub(super) fn times(self, other: Self) -> Option<Self> {
        let a = Self::new(self.numerator, other.denominator)?;
        let b = Self::new(other.numerator, self.denominator)?;
        let numerator = a.numerator.checked_mul(b.numerator)?;
        Some(Self { numerator, denominator: a.denominator.checked_mul(b.denominator)? })
    }

    /// So many times a count, rounded once.
    pub(super) fn times_count(self, count: Count) -> f64 {
        let whole = Self { numerator: count.get().into(), denominator: 1 };
        self.times(whole).map_or_else(|| self.to_f64() * whole.to_f64(), Self::to_f64)
    }

    /// One over it; nothing for zero.
    pub(super) fn inverse(self) -> Option<Self> {
        Self::new(self.denominator, self.numerator)
    }

    /// The nearest double, ties to even: one rounding, whatever the terms.
    pub(super) fn to_f64(self) -> f64 {
        let (Some(mut bits), Some(mut rest)) =
            (self.numerator.checked_div(self.denominator), self.numerator.checked_rem(self.denominator))
        else {
            return f64::NAN;
        };
        // Long division until 64 significant bits stand: 11 more than a double keeps.
        let mut places = 0;
        while rest > 0 && bits < 1 << 63 {
            let missing = self.denominator - rest;
            let bit = rest >= missing;
            rest = if bit { rest - missing } else { rest + rest };
            bits = bits << 1 | u128::from(bit);
            places += 1;
        }
        // What is left decides ties only, so one bit of it is enough.
        let sticky = bits | u128::from(rest > 0);
        #[expect(clippy::cast_precision_loss, reason = "the one rounding, to nearest")]
        let rounded = sticky as f64;
        libm::ldexp(rounded, -places)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// A decimal without sign or exponent, in units of 10^-`decimals`; nothing for a text that is not one,
/// has more decimals, or stands for more than `max` units.
pub(super) fn decimal(text: &str, decimals: u32, max: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let dangling = text.contains('.') && fraction.is_empty();
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || dangling || leading_zero || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = decimals.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    let units = whole.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(decimals)?)?;
    units.checked_add(fraction.checked_mul(10_u64.checked_pow(missing)?)?).filter(|units| *units <= max)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    fn nearest(numerator: u128, denominator: u128) -> f64 {
        Fraction::new(numerator, denominator).unwrap().to_f64()
    }

    #[test]
    fn a_fraction_is_rounded_once() {
        assert_eq!(nearest(1, 1000), 0.001);
        assert_eq!(nearest(144, 10_000), 0.0144);
        assert_eq!(nearest(0, 7), 0.0);
        assert_eq!(nearest(1, 3), 1.0 / 3.0);
        assert_eq!(nearest(u128::MAX, 1), libm::exp2(128.0));
        assert_eq!(nearest(1, u128::MAX), libm::exp2(-128.0));
        assert_eq!(nearest(u128::MAX, u128::MAX - 1), 1.0);
        // Doubles of the terms, then a division, would round three times and end one bit higher.
        assert_eq!(nearest(573_580_470_046_475_393_325, 1_029_924_421_739_071_401), 556.915_107_496_878_5);
    }

    #[test]
    fn ties_go_to_even_and_one_bit_beyond_a_tie_goes_up() {
        let tie = (1_u128 << 53) + 1;
        assert_eq!(nearest(tie, 1), libm::exp2(53.0));
        assert_eq!(nearest(tie * (1 << 60) + 1, 1 << 60), libm::exp2(53.0) + 2.0);
    }

    #[test]
    fn small_terms_divide_as_doubles_do() {
        for numerator in (0..400_u32).chain(4_000_000_000..4_000_000_040) {
            for denominator in (1..400_u32).chain(4_294_967_200..=u32::MAX) {
                let expected = f64::from(numerator) / f64::from(denominator);
                assert_eq!(nearest(numerator.into(), denominator.into()), expected, "{numerator}/{denominator}");
            }
        }
    }

    #[test]
    fn nothing_is_divided_by_zero_and_no_product_wraps() {
        assert_eq!(Fraction::new(1, 0), None);
        assert_eq!(Fraction::new(0, 0), None);
        let large = Fraction::new(u128::MAX, 1).unwrap();
        assert_eq!(large.times(large), None);
        assert_eq!(large.times(large.inverse().unwrap()), Fraction::new(1, 1));
        assert_eq!(Fraction::new(0, 5).unwrap().inverse(), None);
    }

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        assert_eq!(decimal("99.9", 10, u64::MAX), Some(999_000_000_000));
        assert_eq!(decimal("0.10", 1, 9), Some(1));
        assert_eq!(decimal("7", 0, 7), Some(7));
        for text in ["", ".", "1.", ".5", "00", "01.5", "-1", "+1", "1e3", "1,5", "NaN", "1 ", "0.123", "8"] {
            assert_eq!(decimal(text, 2, 700), None, "{text}");
        }
        assert_eq!(decimal("99999999999999999999", 2, u64::MAX), None);
    }
}
