//! Free text that people wrote: reasons, names of persons, tickets.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::time::serde_as_text;

/// Free text of 1 to 1024 bytes without control or bidirectional formatting characters, so that it
/// can be shown in a terminal or a log line without breaking it.
///
/// ```
/// use davy::Text;
/// assert!("payment provider is down, see INC-7".parse::<Text>().is_ok());
/// assert!("\u{1b}[2J".parse::<Text>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

/// A text that is empty, too long or would break a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("S017: {text:?} is not plain text of 1 to 1024 bytes without control characters")]
pub struct TextError {
    text: String,
}

impl Text {
    /// As much of any text as can be shown: what would break a line becomes U+FFFD, what is too long is cut off.
    pub(crate) fn lossy(text: &str) -> Self {
        let mut plain = String::new();
        for c in text.chars().map(|c| if breaks_lines(c) { char::REPLACEMENT_CHARACTER } else { c }) {
            if plain.len() + c.len_utf8() > 1024 {
                break;
            }
            plain.push(c);
        }
        if plain.is_empty() { Self("nothing".into()) } else { Self(plain.into()) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.is_empty() || text.len() > 1024 || text.chars().any(breaks_lines) {
            return Err(TextError { text: text.chars().take(64).collect() });
        }
        Ok(Self(text.into()))
    }
}

/// Whether a character could break a line, a log or a terminal, or hide what is written.
pub(crate) fn breaks_lines(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Text, "plain text");
