//! Headers of requests: which may be written, and which carry credentials.

use super::message::Header;
use super::redact::is_unfit_for_headers;

/// What the prober calls itself.
pub(super) const USER_AGENT: &str = concat!("davy-probe/", env!("CARGO_PKG_VERSION"));

/// What the prober writes itself.
const OWN: [&str; 7] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
/// What carries credentials, whatever its value is made of.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Whether a header can have this name: a token of RFC 9110, section 5.6.2.
pub(super) fn is_name(text: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(token)
}

/// Whether the prober writes the header itself.
pub(super) fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The headers of a request, in order, their names in lower case.
#[derive(Default)]
pub(super) struct Headers(Vec<Header>);

impl Headers {
    /// Takes the place of its namesakes.
    ///
    /// # Errors
    /// In words, for a value that would begin another header.
    pub(super) fn set(&mut self, name: &str, value: String, secret: bool) -> Result<(), String> {
        let header = header(name, value, secret)?;
        self.0.retain(|known| known.name != header.name);
        self.0.push(header);
        Ok(())
    }

    /// Goes beside its namesakes.
    ///
    /// # Errors
    /// As [`Headers::set`].
    pub(super) fn add(&mut self, name: &str, value: String, secret: bool) -> Result<(), String> {
        self.0.push(header(name, value, secret)?);
        Ok(())
    }

    pub(super) fn into_list(self) -> Vec<Header> {
        self.0
    }
}

fn header(name: &str, value: String, secret: bool) -> Result<Header, String> {
    if is_unfit_for_headers(&value) {
        return Err(format!("the value of the header `{name}` has control characters"));
    }
    Ok(Header { name: name.to_owned(), value, secret: secret || CREDENTIALS.contains(&name) })
}
