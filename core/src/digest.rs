//! SHA-256 digests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::time::serde_as_text;

/// A SHA-256 digest, written as `sha256:` and 64 hexadecimal digits.
///
/// ```
/// use davy::Digest;
/// let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(Digest::of(b"").to_string(), empty);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("S015: `{text}` is not a digest such as `sha256:<64 hexadecimal digits>`")]
pub struct DigestError {
    text: String,
}

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of `self` followed by `next`: one link of a hash chain.
    #[must_use]
    pub fn chain(self, next: Digest) -> Self {
        let mut link = [0; 64];
        let (head, tail) = link.split_at_mut(32);
        head.copy_from_slice(&self.0);
        tail.copy_from_slice(&next.0);
        Self::of(&link)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = hex_digit(byte >> 4);
                *low = hex_digit(byte & 15);
            }
        }
        f.write_str("sha256:")?;
        f.write_str(std::str::from_utf8(&hex).unwrap_or_default())
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        parse(text).ok_or_else(|| DigestError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Digest> {
    let hex = text.strip_prefix("sha256:")?.as_bytes();
    let mut bytes = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        for digit in pair {
            let nibble = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | nibble;
        }
    }
    Some(Digest(bytes))
}

serde_as_text!(Digest, "a digest such as `sha256:…`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_what_it_writes() {
        let digest = Digest::of(b"davy");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_ne!(digest.chain(Digest::of(b"a")), digest.chain(Digest::of(b"b")));
    }

    #[test]
    fn other_algorithms_short_and_upper_case_digests_are_refused() {
        let hex = "A".repeat(64);
        for text in ["", "sha256:", "sha512:00", "sha256:00", &format!("sha256:{hex}")] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
