//! What a run asks its host to do, and what the host answers. Plain data: every host drives the same machine.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::turn::{StepTurn, Turn};
use super::url::Url;
use crate::document::probe::{AddressPolicy, HttpMethod, HttpVersion, SecretSource, TlsVerify, TlsVersion};
use crate::{Digest, Duration, Instant, Name};

/// Which effect an event answers; never used twice in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectId(pub u64);

/// What the host has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Effect {
    /// Look up a secret; answer with [`Event::Secret`] or [`Event::SecretFailed`].
    Secret {
        /// Its name in the flow.
        name: Name,
        /// Where it is.
        source: SecretSource,
    },
    /// Send a request, without following redirects or keeping cookies; answer with [`Event::Http`] or
    /// [`Event::HttpFailed`].
    Http(Box<HttpRequest>),
    /// Let the plugin of a custom step take a turn; answer with [`Event::Turned`], as
    /// [`Plugins::turn`](crate::plugin::Plugins::turn) gives it.
    Turn(Box<StepTurn>),
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Event {
    /// The value of a secret.
    Secret(SecretValue),
    /// There is no such secret, or it cannot be read.
    SecretFailed(String),
    /// An answer.
    Http(Box<HttpResponse>),
    /// No answer.
    HttpFailed(TransportError),
    /// What the plugin said.
    Turned(Box<Turn>),
}

/// The value of a secret. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretValue(pub String);

/// A request, complete: the host adds nothing but what the protocol needs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    /// The step that asks.
    pub step: String,
    /// Which attempt of the step, from 1.
    pub attempt: u32,
    /// The method.
    pub method: HttpMethod,
    /// Where.
    pub url: Url,
    /// `host:port` to connect to instead of the URL's; names and certificates stay those of the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// The body.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub body: Bytes,
    /// When the answer must be there.
    pub deadline: Instant,
    /// The longest that connecting may take.
    pub connect_timeout: Duration,
    /// The most bytes of the answer's body to read; more are cut off and [`HttpResponse::truncated`] is set.
    pub max_body: u64,
    /// Which addresses may be spoken to. The host checks what it looked up, before it connects; the machine
    /// checks the address that answered once more.
    pub address_policy: AddressPolicy,
    /// The oldest version of TLS.
    pub tls_min_version: TlsVersion,
    /// Whether the certificate must be valid.
    pub tls_verify: TlsVerify,
}

/// A header of a request. `Debug` does not show its value where that is secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it carries credentials.
    pub secret: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpResponse {
    /// The status, 100 to 999.
    pub status: u16,
    /// The version of HTTP.
    pub version: HttpVersion,
    /// Names and values in the order of the answer; bytes that are not UTF-8 as U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body, decoded (`Content-Encoding`).
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub body: Bytes,
    /// Whether the body was longer than [`HttpRequest::max_body`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// In a recording whose body was changed to keep secrets out: how many bytes it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_bytes: Option<u64>,
    /// How long its parts took.
    #[serde(default)]
    pub timings: Timings,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
}

/// How long the parts of an exchange took, under the names of HAR 1.2. Nothing where a part did not take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Timings {
    /// Looking up the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Micros>,
    /// Connecting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Micros>,
    /// Agreeing on encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Micros>,
    /// Sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Micros>,
    /// Waiting for the first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Micros>,
    /// Receiving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<Micros>,
}

/// Whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Peer {
    /// The address that the connection is to.
    pub address: IpAddr,
    /// How it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PeerTls>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerTls {
    /// The version; older ones than `1.2` are not told apart from it.
    pub version: TlsVersion,
    /// The cipher suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The protocol that was agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The chain, the server's certificate first.
    #[serde(default)]
    pub chain: Vec<Certificate>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// From when on.
    pub not_before: Instant,
    /// Until when.
    pub not_after: Instant,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransportError {
    /// What went wrong.
    pub kind: TransportFault,
    /// In words, for people.
    #[serde(default)]
    pub detail: String,
    /// The parts that took place.
    #[serde(default)]
    pub timings: Timings,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TransportFault {
    /// The host's name does not exist.
    NoSuchHost,
    /// The prober's own resolver did not answer: the prober's fault.
    Resolver,
    /// No connection.
    Connect,
    /// No encryption, or a certificate that is not valid.
    Tls,
    /// It took too long.
    Timeout,
    /// The connection ended early.
    Closed,
    /// What came was not HTTP.
    Malformed,
    /// The address may not be spoken to: the flow's or the network's fault, and never the service's.
    Blocked,
    /// The prober could not even try: its own fault.
    Prober,
}

impl TransportFault {
    /// Whether it says nothing about the service.
    #[must_use]
    pub const fn is_probers(self) -> bool {
        matches!(self, Self::Resolver | Self::Blocked | Self::Prober)
    }

    /// For messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchHost => "no such host",
            Self::Resolver => "the prober's resolver did not answer",
            Self::Connect => "no connection",
            Self::Tls => "no encrypted connection",
            Self::Timeout => "timeout",
            Self::Closed => "the connection ended early",
            Self::Malformed => "the answer is not HTTP",
            Self::Blocked => "the address may not be spoken to",
            Self::Prober => "the prober failed",
        }
    }
}

impl HttpResponse {
    /// How many bytes of the body were read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.original_bytes.unwrap_or_else(|| u64::try_from(self.body.0.len()).unwrap_or(u64::MAX))
    }
}

impl Timings {
    /// The sum of all parts; nothing where none was measured.
    #[must_use]
    pub fn total(&self) -> Option<Micros> {
        let parts = [self.dns, self.connect, self.tls, self.send, self.wait, self.receive];
        parts.into_iter().flatten().reduce(Micros::plus)
    }
}

impl Micros {
    /// From milliseconds.
    #[must_use]
    pub const fn from_duration(duration: Duration) -> Self {
        Self(duration.millis().saturating_mul(1000))
    }

    /// The sum, saturating.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// In seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an exchange is far shorter than 2^53 µs")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            return write!(f, "{}", Duration::from_millis(self.0 / 1000));
        }
        write!(f, "{}.{:03}ms", self.0 / 1000, self.0 % 1000)
    }
}

/// Bytes of a body; in JSON as text, or where they are no text as `{"base64": "…"}`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PlainBytes {
    Text(String),
    Other { base64: String },
}

impl Bytes {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let base64 = base64::engine::general_purpose::STANDARD.encode(&self.0);
                PlainBytes::Other { base64 }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        match PlainBytes::deserialize(deserializer)? {
            PlainBytes::Text(text) => Ok(Self(text.into_bytes())),
            PlainBytes::Other { base64 } => base64::engine::general_purpose::STANDARD
                .decode(base64)
                .map(Self)
                .map_err(|_| serde::de::Error::custom("Q010: a body that is not base64")),
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, if self.secret { "a secret" } else { &self.value })
    }
}

/// Its query and body may carry secrets, and are not shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = (self.url.host(), self.url.port());
        f.debug_struct("HttpRequest")
            .field("step", &self.step)
            .field("attempt", &self.attempt)
            .field("method", &self.method)
            .field("place", &place)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
