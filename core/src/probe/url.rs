//! URLs, read so strictly that two readers cannot disagree about the host.
//!
//! RFC 3986 without what attacks are made of: no user information, no numbers that some reader takes for an
//! address (`0x7f.1`, `2130706433`, `0177.0.0.1`), no encoded or international host, no backslash.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::redact;
use crate::time::serde_as_text;

/// An `http` or `https` URL without fragment; its text form is normal.
///
/// ```
/// use davy::probe::Url;
///
/// let url: Url = "HTTPS://Shop.example:443/a/../cart?n=2#top".parse()?;
/// assert_eq!(url.to_string(), "https://shop.example/cart?n=2");
/// assert_eq!(url.join("../login")?.to_string(), "https://shop.example/login");
/// assert!("http://shop.example@10.0.0.1/".parse::<Url>().is_err());
/// assert!("http://2130706433/".parse::<Url>().is_err());
/// # Ok::<(), davy::probe::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    encrypted: bool,
    host: Host,
    port: u16,
    /// Begins with `/`.
    path: String,
    query: Option<String>,
}

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name in lower case, without a dot at the end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// What is wrong with a URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Neither `http` nor `https`.
    #[error("Q001: a URL begins with `http://` or `https://`")]
    Scheme,
    /// A user or password in it.
    #[error("Q002: a URL with a user in it can be read as another host")]
    User,
    /// No host, or one that is neither a name nor a plain address.
    #[error("Q003: `{host}` is neither a host name nor an address in its usual form")]
    Host {
        /// What was given.
        host: String,
    },
    /// Not a port.
    #[error("Q004: `{port}` is not a port")]
    Port {
        /// What was given.
        port: String,
    },
    /// A character that has no place in a URL.
    #[error("Q005: a URL has no blanks, backslashes or control characters, and at most 8192 bytes")]
    Character,
}

const LONGEST: usize = 8192;

impl Url {
    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, given or not.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path, which begins with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The part behind `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Whether scheme, host and port are the same.
    #[must_use]
    pub fn is_same_origin(&self, other: &Url) -> bool {
        (self.encrypted, &self.host, self.port) == (other.encrypted, &other.host, other.port)
    }

    /// What a reference such as `Location` means on the page of this URL: RFC 3986, section 5.2.
    ///
    /// # Errors
    /// [`UrlError`] where the reference is none.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = clean(reference)?;
        let reference = reference.split('#').next().unwrap_or_default();
        if let Some(rest) = reference.strip_prefix("//") {
            return format!("{}://{rest}", self.scheme()).parse();
        }
        if has_scheme(reference) {
            return reference.parse();
        }
        let (path, query) = split_query(reference);
        let (path, query) = if path.is_empty() {
            (self.path.clone(), query.or_else(|| self.query.clone()))
        } else if path.starts_with('/') {
            (without_dots(path), query)
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (without_dots(&format!("{folder}/{path}")), query)
        };
        Ok(Self { path, query, ..self.clone() })
    }

    /// This URL with a path below its own, and a query.
    pub(crate) fn below(&self, path: &str, query: &[(String, String)]) -> Result<Self, UrlError> {
        // Not by `join`, for which `//host` is another host.
        let path = clean(path)?;
        let (path, own) = split_query(path.split('#').next().unwrap_or_default());
        let path = without_dots(&format!("{}{path}", self.path.trim_end_matches('/')));
        let mut url = Self { path, query: own, ..self.clone() };
        url.add_query(query);
        Ok(url)
    }

    /// Adds parameters, encoded as a form.
    pub(crate) fn add_query(&mut self, pairs: &[(String, String)]) {
        if pairs.is_empty() {
            return;
        }
        let added = encode_form(pairs);
        self.query = Some(match &self.query {
            Some(query) if !query.is_empty() => format!("{query}&{added}"),
            _ => added,
        });
    }

    /// The same place with another path and no query.
    pub(crate) fn with_path(&self, path: String) -> Self {
        Self { path, query: None, ..self.clone() }
    }

    fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }
}

/// `name=value&…` as `application/x-www-form-urlencoded`, with blanks as `%20`, which every reader takes.
pub(crate) fn encode_form(pairs: &[(String, String)]) -> String {
    let encoded: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value))).collect();
    encoded.join("&")
}

/// What cannot stand in a path as `%XX`.
pub(crate) fn encode_in_path(text: &str) -> String {
    encode(text, b"-._~!$&'()*+,;=:@/%")
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
pub(crate) fn percent_encode(text: &str) -> String {
    encode(text, b"-._~")
}

fn encode(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Refuses what readers disagree about; other characters beyond ASCII are encoded.
fn clean(text: &str) -> Result<String, UrlError> {
    let text = text.trim_matches(' ');
    if text.len() > LONGEST || redact::is_unfit_for_urls(text) {
        return Err(UrlError::Character);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() { clean.push(c) } else { clean.push_str(&percent_encode(c.encode_utf8(&mut [0; 4]))) }
    }
    Ok(clean)
}

/// What no URL has as it is.
pub(crate) fn is_refused(c: char) -> bool {
    c.is_control() || c == ' ' || c == '\\' || crate::text::breaks_lines(c)
}

/// Whether a reference begins with a scheme: letters and `:`.
fn has_scheme(reference: &str) -> bool {
    let end = reference.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    let begins = reference.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && end.is_some_and(|end| reference.get(end..).is_some_and(|rest| rest.starts_with(':')))
}

fn split_query(text: &str) -> (&str, Option<String>) {
    text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query.to_owned())))
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
        if last && [".", ".."].contains(&segment) {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

impl FromStr for Url {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = clean(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => {
                if encrypted {
                    443
                } else {
                    80
                }
            }
            Some(digits) => read_port(digits).ok_or_else(|| UrlError::Port { port: shown(digits) })?,
        };
        let host = read_host(host).ok_or_else(|| UrlError::Host { host: shown(host) })?;
        let (path, query) = split_query(rest);
        let path = if path.is_empty() { "/".to_owned() } else { without_dots(path) };
        Ok(Self { encrypted, host, port, path, query })
    }
}

fn shown(text: &str) -> String {
    crate::document::diagnostic::shown(text)
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    let behind_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let colon = authority.get(behind_bracket..).and_then(|rest| rest.find(':')).map(|at| at + behind_bracket);
    match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) => (host, port.get(1..)),
        None => (authority, None),
    }
}

fn read_port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 5;
    digits.parse().ok().filter(|port| plain && *port > 0)
}

fn read_host(text: &str) -> Option<Host> {
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Address(address.into()));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = name.rsplit('.').next()?;
    // What some reader takes for an address is one in its usual form, or nothing.
    let like_a_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if like_a_number {
        return name.parse::<Ipv4Addr>().ok().map(|address| Host::Address(address.into()));
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-');
    (name.len() <= 253 && name.split('.').all(label)).then_some(Host::Name(name))
}

impl FromStr for Host {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<Self, UrlError> {
        read_host(text).ok_or_else(|| UrlError::Host { host: shown(text) })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.host)?;
        if self.port != if self.encrypted { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

serde_as_text!(Url, "an `http` or `https` URL");

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_examples_of_rfc_3986_resolve_as_printed_there() {
        let base = url("http://a/b/c/d;p?q");
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("", "http://a/b/c/d;p?q"),
            (";x", "http://a/b/c/;x"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expected, "{reference}");
        }
        assert_eq!(base.join("javascript:alert(1)"), Err(UrlError::Scheme));
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for text in [
            "http://user@host/",
            "http://host:80@10.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.01/",
            "http://[::1%25eth0]/",
            "http://[::ffff:127.0.0.1/",
            "http://exa%6dple.com/",
            "http://ex\u{e4}mple.com/",
            "http://a b/",
            "http:\\\\host/",
            "http://host\\@evil/",
            "http:///path",
            "ftp://host/",
            "file:///etc/passwd",
            "//host/",
            "http://host:0/",
            "http://host:99999/",
            "http://host:+80/",
            "http://ho st/",
            "http://a..b/",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_reads_what_it_writes() {
        for text in ["http://a/", "https://a.b:8443/c?d=%20", "http://[2001:db8::1]:81/x", "http://192.0.2.1/"] {
            assert_eq!(url(text).to_string(), text);
        }
        assert_eq!(url("http://A.example./x").to_string(), "http://a.example/x");
    }

    #[test]
    fn paths_go_below_the_base() {
        let base = url("https://a/api/");
        assert_eq!(
            base.below("/x", &[("q".to_owned(), "a b&".to_owned())]).unwrap().to_string(),
            "https://a/api/x?q=a%20b%26"
        );
        assert_eq!(url("https://a").below("//evil.example/x", &[]).unwrap().host(), url("https://a").host());
    }
}
