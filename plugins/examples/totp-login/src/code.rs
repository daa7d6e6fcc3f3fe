//! One-time passwords: HOTP (RFC 4226) of a moment (RFC 6238), and the Base32 (RFC 4648) of their secrets.

use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash under a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// What nearly all services use.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "SHA1" => Ok(Self::Sha1),
            "SHA256" => Ok(Self::Sha256),
            "SHA512" => Ok(Self::Sha512),
            other => Err(format!("`{other}` is no algorithm: use `SHA1`, `SHA256` or `SHA512`")),
        }
    }
}

/// The code of a period, counted from 1970, of 6 to 8 digits.
#[must_use]
pub fn totp(secret: &[u8], period: u64, digits: u32, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Sha1 => mac::<Hmac<Sha1>>(secret, period),
        Algorithm::Sha256 => mac::<Hmac<Sha256>>(secret, period),
        Algorithm::Sha512 => mac::<Hmac<Sha512>>(secret, period),
    };
    // Dynamic truncation, RFC 4226, 5.3: four bytes at the place that the last half byte says.
    let from = usize::from(hash.last().copied().unwrap_or(0) & 15);
    let bytes = hash.get(from..from + 4).and_then(|four| four.try_into().ok()).unwrap_or([0; 4]);
    let number = u32::from_be_bytes(bytes) & 0x7fff_ffff;
    format!("{:0width$}", u64::from(number) % 10_u64.pow(digits.min(10)), width = digits as usize)
}

fn mac<M: Mac + KeyInit>(secret: &[u8], period: u64) -> Vec<u8> {
    // A key of any length is one; without, the code is wrong, and the service says so.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return Vec::new() };
    mac.update(&period.to_be_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The bytes of a secret in Base32, with or without blanks and padding, in either case.
///
/// # Errors
/// Where it is none.
pub fn from_base32(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for character in text.chars().filter(|c| !matches!(c, ' ' | '-' | '=')) {
        let value = match character.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u32::from(letter) - u32::from('A'),
            digit @ '2'..='7' => u32::from(digit) - u32::from('2') + 26,
            _ => return Err("the secret is no Base32".to_owned()),
        };
        buffer = (buffer << 5 | value) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    if bytes.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: seconds, and the codes of SHA-1, SHA-256 and SHA-512.
    const VECTORS: [(u64, &str, &str, &str); 6] = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let digits = b"1234567890".repeat(7);
        for (seconds, sha1, sha256, sha512) in VECTORS {
            let code = |length: usize, algorithm| totp(&digits[..length], seconds / 30, 8, algorithm);
            assert_eq!(code(20, Algorithm::Sha1), sha1);
            assert_eq!(code(32, Algorithm::Sha256), sha256);
            assert_eq!(code(64, Algorithm::Sha512), sha512);
        }
    }

    #[test]
    fn the_counters_of_the_older_rfc_too() {
        // RFC 4226, appendix D.
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(totp(b"12345678901234567890", counter, 6, Algorithm::Sha1), code);
        }
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        let vectors =
            [("MY======", "f"), ("MZXQ====", "fo"), ("MZXW6===", "foo"), ("MZXW6YQ=", "foob"), ("MZXW6YTB", "fooba")];
        for (text, bytes) in vectors {
            assert_eq!(from_base32(text), Ok(bytes.as_bytes().to_vec()));
        }
        assert_eq!(from_base32("mzxw 6ytb oi"), Ok(b"foobar".to_vec()));
        assert!(from_base32("M1======").is_err() && from_base32("ü").is_err() && from_base32(" ").is_err());
    }
}
