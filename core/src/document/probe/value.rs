//! Values of probe documents that no other document has.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::document::Position;
use crate::document::decode::{
    Decode, Definitions, Refusal, Report, Scalar, Spanned, ambiguous, is_ambiguous, mapping, read_number,
};
use crate::document::yaml::{self, Node, Value};

/// Text in which `${name}` stands for a value; `$${` is a plain `${`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub String);

/// Any JSON value, with its places; text in it is a [`Template`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The value.
    pub value: TreeValue,
    /// Where it stands.
    pub position: Position,
}

/// What a [`Tree`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeValue {
    /// A number, a truth value or `null`.
    Plain(Json),
    /// Text.
    Text(Template),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

/// A mapping with free text as keys, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyed<T>(pub Vec<(Spanned<String>, Spanned<T>)>);

/// A value, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<Spanned<T>>);

/// Statuses of HTTP: one (`200`), a hundred (`2xx`) or a range (`502-504`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// After what an attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// The host's name was not found.
    Dns,
    /// No connection.
    Connect,
    /// No encryption.
    Tls,
    /// It took too long.
    Timeout,
    /// The connection ended early, or what came was not HTTP.
    Closed,
    /// Any expectation that did not hold.
    Expectation,
    /// An answer with one of these statuses.
    Status(StatusRange),
}

/// A number of bytes: `512B`, `64KiB`, `1MiB`, up to `64MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A version of HTTP: `1.0`, `1.1`, `2` or `3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.0
    #[serde(rename = "1.0")]
    V1_0,
    /// HTTP/1.1
    #[serde(rename = "1.1")]
    V1_1,
    /// HTTP/2
    #[serde(rename = "2")]
    V2,
    /// HTTP/3
    #[serde(rename = "3")]
    V3,
}

/// Where the host finds a secret: `env:NAME`, `file:path` or `host:name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretSource(String);

impl Tree {
    /// As plain JSON: text as it was written.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.value {
            TreeValue::Plain(value) => value.clone(),
            TreeValue::Text(text) => Json::String(text.0.clone()),
            TreeValue::List(items) => items.iter().map(Self::to_json).collect(),
            TreeValue::Object(entries) => {
                Json::Object(entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }
}

impl StatusRange {
    /// Whether the status is one of these.
    #[must_use]
    pub const fn contains(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

impl SecretSource {
    /// The reference as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HttpVersion {
    /// As documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }
}

/// Text is text, also where it looks like a number; only what readers of YAML disagree about needs quotes.
impl Scalar for Template {
    const EXPECTED: &'static str = "text of at most 16384 characters";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let whole = scalar.text.strip_prefix('-').unwrap_or(&scalar.text);
        let is_whole = whole == "0" || !whole.starts_with('0') && whole.bytes().all(|byte| byte.is_ascii_digit());
        if scalar.plain && is_ambiguous(&scalar.text) && (whole.is_empty() || !is_whole) {
            return Err(Refusal::Ambiguous);
        }
        let control = scalar.text.chars().any(|c| c.is_control() && !['\n', '\t'].contains(&c));
        if control || scalar.text.len() > 16_384 { Err(Refusal::Unreadable) } else { Ok(Self(scalar.text.clone())) }
    }
    fn schema() -> Json {
        json!({ "type": ["string", "integer"], "maxLength": 16384 })
    }
}

impl Decode for Tree {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let value = match &node.value {
            Value::Refused => return None,
            Value::Scalar(scalar) => read_leaf(scalar, &node.position, report)?,
            Value::List(items) => {
                let read: Vec<Self> = items.iter().filter_map(|item| Self::decode(item, report)).collect();
                TreeValue::List(read)
            }
            Value::Map(entries) => {
                let read =
                    entries.iter().filter_map(|(key, value)| Some((key.text.clone(), Self::decode(value, report)?)));
                TreeValue::Object(read.collect())
            }
        };
        Some(Self { value, position: node.position.clone() })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "description": "Any value; in text, `${name}` stands for a value." })
    }
}

fn read_leaf(scalar: &yaml::Scalar, position: &Position, report: &mut Report) -> Option<TreeValue> {
    let text = scalar.text.as_str();
    if !scalar.plain {
        return Some(TreeValue::Text(Template(text.to_owned())));
    }
    Some(match text {
        "true" => TreeValue::Plain(json!(true)),
        "false" => TreeValue::Plain(json!(false)),
        "null" => TreeValue::Plain(Json::Null),
        _ => match read_number(text) {
            Some(_) => TreeValue::Plain(serde_json::from_str(text).ok()?),
            None if is_ambiguous(text) => return ambiguous(text, position, report),
            None => TreeValue::Text(Template(text.to_owned())),
        },
    })
}

impl<T: Decode> Decode for Keyed<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let entries = mapping(node, "a mapping", report)?;
        let decoded = entries.iter().filter_map(|(key, value)| {
            let name = Spanned { value: key.text.clone(), position: key.position.clone() };
            Some((name, Spanned::decode(value, report)?))
        });
        Some(Self(decoded.collect()))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.value {
            Value::List(_) => Vec::decode(node, report).map(Self),
            _ => Spanned::decode(node, report).map(|one| Self(vec![one])),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let one = T::schema(definitions);
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

fn read_statuses(text: &str) -> Option<StatusRange> {
    let status = |text: &str| text.parse::<u16>().ok().filter(|status| text.len() == 3 && (100..=599).contains(status));
    if let Some(hundred) = text.strip_suffix("xx") {
        let first = status(&format!("{hundred}00"))?;
        return Some(StatusRange { first, last: first + 99 });
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = StatusRange { first: status(first)?, last: status(last)? };
    (range.first <= range.last).then_some(range)
}

impl Scalar for StatusRange {
    const EXPECTED: &'static str = "statuses such as `200`, `2xx` or `502-504`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        read_statuses(&scalar.text).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": ["integer", "string"], "pattern": "^[1-5]([0-9]{2}(-[1-5][0-9]{2})?|xx)$", "minimum": 100, "maximum": 599 })
    }
}

impl Scalar for RetryOn {
    const EXPECTED: &'static str =
        "`dns`, `connect`, `tls`, `timeout`, `closed`, `expectation`, or statuses such as `502-504`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        Ok(match scalar.text.as_str() {
            "dns" => Self::Dns,
            "connect" => Self::Connect,
            "tls" => Self::Tls,
            "timeout" => Self::Timeout,
            "closed" => Self::Closed,
            "expectation" => Self::Expectation,
            text => Self::Status(read_statuses(text).ok_or(Refusal::Unreadable)?),
        })
    }
    fn schema() -> Json {
        json!({
            "type": ["integer", "string"],
            "pattern": "^(dns|connect|tls|timeout|closed|expectation|[1-5]([0-9]{2}(-[1-5][0-9]{2})?|xx))$",
            "minimum": 100,
            "maximum": 599,
        })
    }
}

const SIZES: [(&str, u64); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Scalar for ByteSize {
    const EXPECTED: &'static str = "a size such as `64KiB` or `1MiB`, up to `64MiB`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let read = SIZES.iter().find_map(|(unit, bytes)| {
            let number: u64 = scalar.text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*bytes)
        });
        read.filter(|bytes| (1..=64 << 20).contains(bytes)).map(Self).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{1,8}(B|KiB|MiB)$" })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = SIZES.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Scalar for HttpVersion {
    const EXPECTED: &'static str = "`1.0`, `1.1`, `2` or `3`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let all = [Self::V1_0, Self::V1_1, Self::V2, Self::V3];
        all.into_iter().find(|version| version.as_str() == scalar.text).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "enum": ["1.0", "1.1", "2", "3", 1.1, 2, 3] })
    }
}

impl Scalar for SecretSource {
    const EXPECTED: &'static str =
        "a reference such as `env:PROBE_PASSWORD`, `file:/run/secrets/probe` or `host:probe`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let (kind, name) = scalar.text.split_once(':').ok_or(Refusal::Unreadable)?;
        let known = ["env", "file", "host"].contains(&kind);
        let shaped = !name.is_empty() && name.len() <= 1024 && !name.chars().any(crate::text::breaks_lines);
        if known && shaped { Ok(Self(scalar.text.clone())) } else { Err(Refusal::Unreadable) }
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(env|file|host):.+$" })
    }
}

impl Scalar for crate::Digest {
    const EXPECTED: &'static str = "a digest such as `sha256:` and 64 hexadecimal digits";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" })
    }
}

impl Scalar for crate::slo::Target {
    const EXPECTED: &'static str = "an objective such as `99.9%`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().ok().filter(|_| scalar.text.ends_with('%')).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,10})?%$" })
    }
}
