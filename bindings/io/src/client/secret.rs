//! Secrets, which nothing prints.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use super::ClientError;

/// A token or password. It is shown nowhere: not by `Debug`, not in an error.
///
/// ```
/// assert_eq!(format!("{:?}", davy_io::Secret::new("hunter2")), "Secret(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The secret itself.
    Given(Secret),
    /// A file that holds it and nothing else but white space at its end. It is read for every request, so
    /// that a token that is renewed is the one that is sent.
    File(PathBuf),
}

/// How a client says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer(Credential),
    /// `Authorization: Basic …`
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Credential,
    },
}

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Auth {
    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> Result<String, ClientError> {
        match self {
            Self::Bearer(token) => {
                let token = token.read()?;
                // RFC 6750, 2.1: visible ASCII without spaces.
                if token.0.is_empty() || !token.0.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(ClientError::Secret { what: "a bearer token" });
                }
                Ok(format!("Bearer {}", token.0))
            }
            Self::Basic { user, password } => {
                // RFC 7617, 2: a colon in the name would move the rest of it into the password.
                if user.contains(':') {
                    return Err(ClientError::Secret { what: "a user name" });
                }
                Ok(format!("Basic {}", base64(format!("{user}:{}", password.read()?.0).as_bytes())))
            }
        }
    }
}

impl Credential {
    fn read(&self) -> Result<Secret, ClientError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let text = fs::read_to_string(path);
                let text = text.map_err(|cause| ClientError::File { path: path.clone(), cause: cause.kind() })?;
                Ok(Secret(text.trim_end().to_owned()))
            }
        }
    }
}

/// RFC 4648, 4: three bytes as four characters.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            let character = ALPHABET.get(sextet).copied().unwrap_or_default();
            text.push(if place <= three.len() { char::from(character) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn headers_are_those_of_rfc_6750_and_7617() {
        let given = |text: &str| Credential::Given(Secret::new(text));
        assert_eq!(Auth::Bearer(given("abc")).header().unwrap(), "Bearer abc");
        let basic = Auth::Basic { user: "Aladdin".to_owned(), password: given("open sesame") };
        assert_eq!(basic.header().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn what_would_break_a_header_is_refused_and_not_shown() {
        for token in ["", "two words", "line\nbreak", "caf\u{e9}"] {
            let error = Auth::Bearer(Credential::Given(Secret::new(token))).header().unwrap_err();
            assert!(token.is_empty() || !format!("{error} {error:?}").contains(token));
        }
        let basic = Auth::Basic { user: "a:b".to_owned(), password: Credential::Given(Secret::new("c")) };
        assert!(basic.header().is_err());
    }

    #[test]
    fn a_renewed_token_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let auth = Auth::Bearer(Credential::File(path.clone()));
        assert!(matches!(auth.header(), Err(ClientError::File { .. })));
        for token in ["first", "second"] {
            fs::write(&path, format!("{token}\n")).unwrap();
            assert_eq!(auth.header().unwrap(), format!("Bearer {token}"));
        }
    }
}
