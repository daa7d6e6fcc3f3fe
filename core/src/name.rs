//! Names of services, environments, metrics, flows and replicas.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::time::serde_as_text;

/// A name: 1 to 253 of `A-Z a-z 0-9 . _ - : /`, beginning with a letter or digit.
///
/// The alphabet holds Kubernetes names, image digests and Git revisions, and nothing
/// that could break out of a log line or a page. Cheap to clone.
///
/// ```
/// use davy::Name;
/// assert!("checkout".parse::<Name>().is_ok());
/// assert!("check out\n".parse::<Name>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A text that is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("S016: {text:?} is not a name: use 1 to 253 of `A-Z a-z 0-9 . _ - : /`, beginning with a letter or digit")]
pub struct NameError {
    text: String,
}

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if first && text.len() <= 253 && text.bytes().all(inner) {
            Ok(Self(text.into()))
        } else {
            Err(NameError { text: text.chars().take(64).collect() })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

serde_as_text!(Name, "a name");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_revisions_and_nothing_that_breaks_a_log_line() {
        for good in ["checkout", "sha256:ab12", "registry/app", "v1.2.3", "0"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(254);
        for bad in ["", "-x", ".x", "a b", "a\nb", "\u{202e}x", "é", "a\u{1b}[31m", &long] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
