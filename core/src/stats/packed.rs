//! Doubles as text, bit for bit: eleven symbols each, six bits a symbol, the lowest first.
//!
//! A state is written and hashed at every decision. This is half as long as decimal digits, and costs no
//! conversion.

/// The alphabet of RFC 4648 §5.
const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SYMBOLS_EACH: usize = 11;

/// The doubles as text.
pub(super) fn write(numbers: impl IntoIterator<Item = f64>) -> String {
    let mut text = String::new();
    for number in numbers {
        let mut bits = number.to_bits();
        for _ in 0..SYMBOLS_EACH {
            let symbol = usize::try_from(bits & 63).ok().and_then(|value| SYMBOLS.get(value));
            text.extend(symbol.copied().map(char::from));
            bits >>= 6;
        }
    }
    text
}

/// The doubles that [`write`] wrote; nothing for any other text.
pub(super) fn read(text: &str) -> Option<Vec<f64>> {
    let symbols = text.as_bytes();
    if !symbols.len().is_multiple_of(SYMBOLS_EACH) {
        return None;
    }
    symbols.chunks(SYMBOLS_EACH).map(read_one).collect()
}

fn read_one(symbols: &[u8]) -> Option<f64> {
    let mut bits = 0_u64;
    for symbol in symbols.iter().rev() {
        // The highest symbol has room for four bits only.
        if bits >> 58 != 0 {
            return None;
        }
        bits = bits << 6 | value(*symbol)?;
    }
    Some(f64::from_bits(bits))
}

fn value(symbol: u8) -> Option<u64> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_double_survives_bit_for_bit() {
        let numbers = [0.0, -0.0, 1.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::NAN, f64::INFINITY, 0.1];
        let text = write(numbers);
        assert_eq!(text.len(), 11 * numbers.len());
        let read = read(&text).unwrap();
        assert!(read.iter().zip(numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
        for symbol in SYMBOLS {
            assert_eq!(SYMBOLS[usize::try_from(value(*symbol).unwrap()).unwrap()], *symbol);
        }
    }

    #[test]
    fn nothing_else_is_read() {
        for text in ["A", "AAAAAAAAAA", "AAAAAAAAAA=", "AAAAAAAAAAAA", "AAAAAAAAAAQ", "éAAAAAAAAA"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(""), Some(Vec::new()));
        assert!(read("__________P").is_some_and(|numbers| numbers[0].is_nan()));
    }
}
