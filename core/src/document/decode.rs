//! From a tree of text to typed values, all errors at once.

use serde_json::{Map, Value as Json, json};

use super::diagnostic::{Diagnostic, DiagnosticCode, Position, Severity, did_you_mean, shown};
use super::yaml::{Key, Node, Value};
use crate::{Count, Duration, Factor, Name, Share, Tolerance};

/// A value and the place in a file that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub position: Position,
}

/// The diagnostics found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn error(
        &mut self,
        code: DiagnosticCode,
        position: &Position,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.push(Severity::Error, code, position, message.into(), hint.into());
    }

    pub(crate) fn warn(&mut self, code: DiagnosticCode, position: &Position, message: impl Into<String>, hint: &str) {
        self.push(Severity::Warning, code, position, message.into(), Some(hint.to_owned()));
    }

    fn push(&mut self, severity: Severity, code: DiagnosticCode, at: &Position, message: String, hint: Option<String>) {
        self.diagnostics.push(Diagnostic { severity, code, position: at.clone(), message, hint });
    }
}

/// The `$defs` of a JSON Schema under construction.
#[derive(Debug, Default)]
pub(crate) struct Definitions(pub(crate) Map<String, Json>);

impl Definitions {
    /// A reference to the named definition, which `make` writes the first time.
    pub(crate) fn reference(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Json::Null);
            let definition = make(self);
            self.0.insert(name.to_owned(), definition);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// A type that a node of a document can be read as.
pub(crate) trait Decode: Sized {
    /// Reads a node; `None` when something was reported.
    fn decode(node: &Node, report: &mut Report) -> Option<Self>;
    /// The JSON Schema of what `decode` accepts.
    fn schema(definitions: &mut Definitions) -> Json;
}

/// Settings of an environment over those above them.
pub(crate) trait Refine {
    /// What `finer` says, and `self` where it says nothing.
    fn refined_by(&self, finer: &Self) -> Self;
}

/// A type that a single scalar can be read as.
pub(crate) trait Scalar: Sized {
    /// What is expected, for messages: "a duration such as `30s`".
    const EXPECTED: &'static str;
    fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal>;
    fn schema() -> Json;
}

/// Why a scalar was refused.
pub(crate) enum Refusal {
    Ambiguous,
    Unreadable,
    Keyword(Option<String>),
}

impl<T: Scalar> Decode for T {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Value::Scalar(scalar) = &node.value else {
            wrong_shape(node, T::EXPECTED, report);
            return None;
        };
        let text = shown(&scalar.text);
        let refuse = match T::read(scalar) {
            Ok(value) => return Some(value),
            Err(refusal) => refusal,
        };
        let (code, message, hint) = match refuse {
            Refusal::Ambiguous => return ambiguous(&scalar.text, &node.position, report),
            Refusal::Unreadable => {
                (DiagnosticCode::BadValue, format!("expected {}, found `{text}`", T::EXPECTED), None)
            }
            Refusal::Keyword(hint) => {
                (DiagnosticCode::UnknownKeyword, format!("expected {}, found `{text}`", T::EXPECTED), hint)
            }
        };
        report.error(code, &node.position, message, hint);
        None
    }

    fn schema(_: &mut Definitions) -> Json {
        <T as Scalar>::schema()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Value::List(items) = &node.value else {
            wrong_shape(node, "a list", report);
            return None;
        };
        Some(items.iter().filter_map(|item| T::decode(item, report)).collect())
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": "array", "items": T::schema(definitions) })
    }
}

/// A mapping with free names as keys, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(Spanned<Name>, T)>);

impl<T: Decode> Decode for Named<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let entries = mapping(node, "a mapping with a name as each key", report)?;
        let mut decode = |(key, value): &(Key, Node)| {
            let name = decode_name(key, report);
            let value = T::decode(value, report)?;
            Some((Spanned { value: name?, position: key.position.clone() }, value))
        };
        Some(Self(entries.iter().filter_map(&mut decode).collect()))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        T::decode(node, report).map(|value| Self { value, position: node.position.clone() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

fn decode_name(key: &Key, report: &mut Report) -> Option<Name> {
    if key.plain && is_ambiguous(&key.text) {
        return ambiguous(&key.text, &key.position, report);
    }
    let name = key.text.parse().ok();
    if name.is_none() {
        let message = format!("expected {}, found `{}`", Name::EXPECTED, shown(&key.text));
        report.error(DiagnosticCode::BadValue, &key.position, message, None);
    }
    name
}

pub(crate) fn ambiguous<T>(text: &str, position: &Position, report: &mut Report) -> Option<T> {
    let text = shown(text);
    let hint = format!("put it in quotes: \"{text}\"");
    let message = format!("`{text}` could be read as something other than text");
    report.error(DiagnosticCode::AmbiguousScalar, position, message, hint);
    None
}

/// The entries of a mapping, or a report.
pub(crate) fn mapping<'a>(node: &'a Node, expected: &str, report: &mut Report) -> Option<&'a [(Key, Node)]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    wrong_shape(node, expected, report);
    None
}

fn wrong_shape(node: &Node, expected: &str, report: &mut Report) {
    let found = match &node.value {
        Value::Scalar(scalar) if scalar.text.is_empty() => "nothing".to_owned(),
        Value::Scalar(scalar) => format!("`{}`", shown(&scalar.text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
        Value::Refused => return,
    };
    report.error(DiagnosticCode::WrongShape, &node.position, format!("expected {expected}, found {found}"), None);
}

/// A lone scalar as a mapping with one key, for records that have a short form.
pub(crate) fn long_form(key: &str, node: &Node) -> Option<Node> {
    let Value::Scalar(_) = node.value else { return None };
    let key = Key { text: key.to_owned(), plain: true, position: node.position.clone() };
    Some(Node { value: Value::Map(vec![(key, node.clone())]), position: node.position.clone() })
}

/// Reports an unknown key with the nearest known one.
pub(crate) fn unknown_key(key: &Key, known: &[&str], report: &mut Report) {
    let hint =
        did_you_mean(&key.text, known.iter().copied()).unwrap_or_else(|| format!("known here: {}", known.join(", ")));
    report.error(DiagnosticCode::UnknownKey, &key.position, format!("unknown key `{}`", shown(&key.text)), hint);
}

/// Reports a part of the language whose gate does not exist yet.
pub(crate) fn not_supported_yet(what: &str, position: &Position, report: &mut Report) {
    let hint = "this version refuses what it cannot judge; remove it".to_owned();
    report.error(DiagnosticCode::NotSupportedYet, position, format!("`{what}` is not supported yet"), Some(hint));
}

/// Whether YAML readers disagree about what this plain text is.
pub(crate) fn is_ambiguous(text: &str) -> bool {
    let words = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.trim_start_matches(['+', '-']);
    let hexadecimal = unsigned.starts_with("0x") && unsigned.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    let number_like = unsigned.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b"+-._:oe".contains(&byte));
    let not_finite = [".inf", ".nan"].contains(&unsigned);
    words.contains(&lower.as_str()) || hexadecimal || number_like || not_finite
}

/// A finite decimal number as JSON writes it.
pub(crate) fn read_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero =
        digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.") && !digits.starts_with("0e");
    let shaped = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    (shaped && !leading_zero).then_some(number)
}

impl Scalar for Name {
    const EXPECTED: &'static str = "a name of `A-Z a-z 0-9 . _ - : /` that begins with a letter or digit";
    fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.plain && is_ambiguous(&scalar.text) {
            return Err(Refusal::Ambiguous);
        }
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/-]{0,252}$" })
    }
}

impl Scalar for String {
    const EXPECTED: &'static str = "text of at most 4096 characters";
    fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.plain && is_ambiguous(&scalar.text) {
            return Err(Refusal::Ambiguous);
        }
        let control = scalar.text.chars().any(|c| c.is_control() && c != '\n');
        if control || scalar.text.len() > 4096 { Err(Refusal::Unreadable) } else { Ok(scalar.text.clone()) }
    }
    fn schema() -> Json {
        json!({ "type": "string", "maxLength": 4096 })
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal> {
        match scalar.text.as_str() {
            "true" if scalar.plain => Ok(true),
            "false" if scalar.plain => Ok(false),
            _ => Err(Refusal::Unreadable),
        }
    }
    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

impl Scalar for Count {
    const EXPECTED: &'static str = "a whole number from 0 to 2^53 - 1";
    fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal> {
        let text = scalar.text.as_str();
        let shaped =
            scalar.plain && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let number = text.parse::<u64>().ok().filter(|_| shaped).ok_or(Refusal::Unreadable)?;
        Count::new(number).map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 0, "maximum": Count::MAX.get() })
    }
}

/// Scalars that are text in JSON and have one way to be read.
macro_rules! text_scalar {
    ($type:ty, $expected:literal, $pattern:literal) => {
        impl Scalar for $type {
            const EXPECTED: &'static str = $expected;
            fn read(scalar: &super::yaml::Scalar) -> Result<Self, Refusal> {
                scalar.text.parse().map_err(|_| Refusal::Unreadable)
            }
            fn schema() -> Json {
                json!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

text_scalar!(
    Duration,
    "a duration such as `30s`, `5m` or `1h30m`",
    "^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"
);
text_scalar!(Share, "a percentage from `0%` to `100%`", "^[0-9]{1,3}(\\.[0-9]{1,4})?%$");
text_scalar!(Factor, "a factor such as `1.1x`", "^[0-9]{1,4}(\\.[0-9]{1,3})?x$");
text_scalar!(Tolerance, "a factor such as `1.1x` or a shift such as `5%`", "^[0-9]{1,4}(\\.[0-9]{1,4})?[%x]$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_yaml_readers_disagree_about_is_ambiguous() {
        for text in
            ["no", "Yes", "on", "~", "", "null", "1.10", "0755", "0x1f", "1_000", "12:30", ".nan", "-.inf", "1e3"]
        {
            assert!(is_ambiguous(text), "{text}");
        }
        for text in ["checkout", "v1.10", "5m", "30d", "1a2b3c", "prod", "northern", "en", "5%"] {
            assert!(!is_ambiguous(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_finite_decimals() {
        for text in ["0", "-1", "0.85", "1e3", "12.5"] {
            assert!(read_number(text).is_some(), "{text}");
        }
        for text in [".nan", "NaN", "inf", "1e400", "01", "1_000", "0x10", "1.", ".5", "+1", ""] {
            assert!(read_number(text).is_none(), "{text}");
        }
    }
}
