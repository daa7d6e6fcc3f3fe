//! JSON Schemas of parameters: the part of the language that parameters need, in which nothing can run away.
//!
//! A schema comes from a plugin and so from anybody. There are no references, no patterns and no combinations of
//! schemas: checking takes one pass over the parameters, whatever the schema says. Keywords outside this part are
//! refused by name rather than ignored. Parameters that no schema names are refused, as everywhere in davy, unless
//! it says `additionalProperties: true`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::error::SchemaError;

/// The longest schema in bytes.
const LONGEST: usize = 64 << 10;
/// How deeply schemas nest.
const DEEPEST: usize = 16;

/// The schema of a plugin's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    root: Node,
    text: Json,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    kind: Kind,
    values: Option<Vec<Json>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Any,
    Null,
    Boolean,
    Number { whole: bool, from: Option<Limit>, to: Option<Limit> },
    Text { least: u64, most: u64 },
    List { items: Box<Node>, least: u64, most: u64 },
    Object { properties: BTreeMap<String, Node>, required: Vec<String>, others: bool },
}

/// A bound, itself included or not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    value: f64,
    included: bool,
}

/// Keywords that only tell people something.
const NOTES: [&str; 6] = ["$schema", "title", "description", "default", "examples", "$comment"];

impl Schema {
    /// Reads a schema; empty text is that of no parameters at all.
    ///
    /// # Errors
    /// [`SchemaError`] where it is no JSON, or holds keywords that are not understood.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let text = if text.trim().is_empty() { r#"{ "type": "object" }"# } else { text };
        if text.len() > LONGEST {
            return Err(wrong("", format!("it is longer than {LONGEST} bytes")));
        }
        let text: Json = serde_json::from_str(text).map_err(|error| wrong("", format!("it is no JSON: {error}")))?;
        let root = node(&text, "", 0)?;
        if !matches!(root.kind, Kind::Object { .. }) {
            return Err(wrong("", "parameters are an object: `\"type\": \"object\"`"));
        }
        Ok(Self { root, text })
    }

    /// The schema as the plugin gave it.
    #[must_use]
    pub const fn as_json(&self) -> &Json {
        &self.text
    }

    /// Everything in which parameters do not fit.
    #[must_use]
    pub fn check(&self, parameters: &Map<String, Json>) -> Vec<SchemaError> {
        self.check_known(parameters, &[])
    }

    /// The same where the values at these places, named as errors name them, are not known yet: anything may fit there.
    pub(crate) fn check_known(&self, parameters: &Map<String, Json>, open: &[String]) -> Vec<SchemaError> {
        let mut errors = Vec::new();
        check_object(&self.root, parameters, "", open, &mut errors);
        errors
    }
}

fn wrong(at: &str, what: impl Into<String>) -> SchemaError {
    SchemaError { at: at.to_owned(), what: what.into() }
}

fn node(schema: &Json, at: &str, depth: usize) -> Result<Node, SchemaError> {
    let Json::Object(schema) = schema else { return Err(wrong(at, "a schema is an object")) };
    if depth > DEEPEST {
        return Err(wrong(at, format!("it nests more than {DEEPEST} schemas")));
    }
    let mut rest: BTreeMap<&str, &Json> =
        schema.iter().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| !NOTES.contains(key)).collect();
    let values = match (rest.remove("enum"), rest.remove("const")) {
        (Some(Json::Array(values)), None) => Some(values.clone()),
        (None, Some(value)) => Some(vec![value.clone()]),
        (None, None) => None,
        _ => return Err(wrong(at, "`enum` is a list, and not beside `const`")),
    };
    let kind = match rest.remove("type") {
        None if values.is_some() => Kind::Any,
        None => return Err(wrong(at, "`type` is missing")),
        Some(Json::String(kind)) => match kind.as_str() {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "integer" | "number" => number(kind == "integer", &mut rest, at)?,
            "string" => Kind::Text {
                least: whole(&mut rest, "minLength", 0, at)?,
                most: whole(&mut rest, "maxLength", u64::MAX, at)?,
            },
            "array" => {
                let items = rest.remove("items").ok_or_else(|| wrong(at, "`items` is missing"))?;
                Kind::List {
                    items: Box::new(node(items, &format!("{at}[]"), depth + 1)?),
                    least: whole(&mut rest, "minItems", 0, at)?,
                    most: whole(&mut rest, "maxItems", u64::MAX, at)?,
                }
            }
            "object" => object(&mut rest, at, depth)?,
            other => return Err(wrong(at, format!("unknown type `{other}`"))),
        },
        Some(_) => return Err(wrong(at, "`type` is one name")),
    };
    match rest.keys().next() {
        Some(keyword) => Err(wrong(at, format!("the keyword `{keyword}` is not understood here"))),
        None => Ok(Node { kind, values }),
    }
}

fn number(whole: bool, rest: &mut BTreeMap<&str, &Json>, at: &str) -> Result<Kind, SchemaError> {
    let mut limit = |including: &str, excluding: &str| -> Result<Option<Limit>, SchemaError> {
        let mut read = |key: &str| match rest.remove(key) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| wrong(at, format!("`{key}` is a number"))),
        };
        match (read(including)?, read(excluding)?) {
            (Some(_), Some(_)) => Err(wrong(at, format!("either `{including}` or `{excluding}`"))),
            (Some(value), None) => Ok(Some(Limit { value, included: true })),
            (None, Some(value)) => Ok(Some(Limit { value, included: false })),
            (None, None) => Ok(None),
        }
    };
    let (from, to) = (limit("minimum", "exclusiveMinimum")?, limit("maximum", "exclusiveMaximum")?);
    Ok(Kind::Number { whole, from, to })
}

fn whole(rest: &mut BTreeMap<&str, &Json>, key: &str, default: u64, at: &str) -> Result<u64, SchemaError> {
    match rest.remove(key) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| wrong(at, format!("`{key}` is a whole number"))),
    }
}

fn object(rest: &mut BTreeMap<&str, &Json>, at: &str, depth: usize) -> Result<Kind, SchemaError> {
    let mut properties = BTreeMap::new();
    match rest.remove("properties") {
        None => {}
        Some(Json::Object(given)) => {
            for (key, schema) in given {
                properties.insert(key.clone(), node(schema, &below(at, key), depth + 1)?);
            }
        }
        Some(_) => return Err(wrong(at, "`properties` is an object")),
    }
    let mut required = Vec::new();
    match rest.remove("required") {
        None => {}
        Some(Json::Array(keys)) => {
            for key in keys {
                let key = key.as_str().filter(|key| properties.contains_key(*key));
                let key = key.ok_or_else(|| wrong(at, "`required` names keys of `properties`"))?;
                required.push(key.to_owned());
            }
        }
        Some(_) => return Err(wrong(at, "`required` is a list")),
    }
    let others = match rest.remove("additionalProperties") {
        None => false,
        Some(Json::Bool(others)) => *others,
        Some(_) => return Err(wrong(at, "`additionalProperties` is `true` or `false`")),
    };
    Ok(Kind::Object { properties, required, others })
}

/// The place of an item of a list, as errors name it.
pub(crate) fn item(at: &str, index: usize) -> String {
    format!("{at}[{index}]")
}

/// The place of a key's value, as errors name it.
pub(crate) fn below(at: &str, key: &str) -> String {
    let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
    if at.is_empty() { key } else { format!("{at}.{key}") }
}

fn check(node: &Node, value: &Json, at: &str, open: &[String], errors: &mut Vec<SchemaError>) {
    if open.iter().any(|place| place == at) {
        return;
    }
    if let Some(values) = node.values.as_ref().filter(|values| !values.contains(value)) {
        let known: Vec<String> = values.iter().map(ToString::to_string).collect();
        return errors.push(wrong(at, format!("expected one of {}, found {}", known.join(", "), shown(value))));
    }
    let expected = match (&node.kind, value) {
        (Kind::Any, _) | (Kind::Null, Json::Null) | (Kind::Boolean, Json::Bool(_)) => return,
        (Kind::Number { whole, from, to }, Json::Number(_)) => {
            let number = value.as_f64().unwrap_or(f64::NAN);
            let above =
                from.is_none_or(|limit| if limit.included { number >= limit.value } else { number > limit.value });
            let under =
                to.is_none_or(|limit| if limit.included { number <= limit.value } else { number < limit.value });
            if above && under && (!whole || number.fract().abs() <= 0.0) {
                return;
            }
            range(*whole, *from, *to)
        }
        (Kind::Text { least, most }, Json::String(text)) => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            if (*least..=*most).contains(&length) {
                return;
            }
            format!("text of {} characters", span(*least, *most))
        }
        (Kind::List { items, least, most }, Json::Array(values)) => {
            let length = u64::try_from(values.len()).unwrap_or(u64::MAX);
            if (*least..=*most).contains(&length) {
                for (index, value) in values.iter().enumerate() {
                    check(items, value, &item(at, index), open, errors);
                }
                return;
            }
            format!("a list of {} items", span(*least, *most))
        }
        (Kind::Object { .. }, Json::Object(entries)) => return check_object(node, entries, at, open, errors),
        (Kind::Null, _) => "null".to_owned(),
        (Kind::Boolean, _) => "`true` or `false`".to_owned(),
        (Kind::Number { whole, from, to }, _) => range(*whole, *from, *to),
        (Kind::Text { .. }, _) => "text".to_owned(),
        (Kind::List { .. }, _) => "a list".to_owned(),
        (Kind::Object { .. }, _) => "a mapping".to_owned(),
    };
    errors.push(wrong(at, format!("expected {expected}, found {}", shown(value))));
}

fn check_object(node: &Node, entries: &Map<String, Json>, at: &str, open: &[String], errors: &mut Vec<SchemaError>) {
    let Kind::Object { properties, required, others } = &node.kind else { return };
    for (key, value) in entries {
        match properties.get(key) {
            Some(node) => check(node, value, &below(at, key), open, errors),
            None if *others => {}
            None => {
                let known: Vec<String> = properties.keys().map(|key| format!("`{key}`")).collect();
                let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                errors.push(wrong(&below(at, key), format!("unknown parameter; known here: {known}")));
            }
        }
    }
    for key in required.iter().filter(|key| !entries.contains_key(*key)) {
        errors.push(wrong(&below(at, key), "this parameter is missing"));
    }
}

fn range(whole: bool, from: Option<Limit>, to: Option<Limit>) -> String {
    let kind = if whole { "a whole number" } else { "a number" };
    let from = from.map(|limit| format!(" {} {}", if limit.included { "from" } else { "above" }, limit.value));
    let to = to.map(|limit| format!(" {} {}", if limit.included { "to" } else { "below" }, limit.value));
    format!("{kind}{}{}", from.unwrap_or_default(), to.unwrap_or_default())
}

fn span(least: u64, most: u64) -> String {
    if most == u64::MAX { format!("at least {least}") } else { format!("{least} to {most}") }
}

fn shown(value: &Json) -> String {
    let text: String = value.to_string().chars().take(64).collect();
    format!("`{text}`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn errors(schema: &str, parameters: &str) -> Vec<String> {
        let parameters: Json = serde_json::from_str(parameters).unwrap();
        let schema = Schema::parse(schema).unwrap();
        schema.check(parameters.as_object().unwrap()).iter().map(ToString::to_string).collect()
    }

    const SCHEMA: &str = r#"{ "type": "object", "required": ["target"], "properties": {
        "target": { "type": "number", "exclusiveMinimum": 0, "maximum": 10, "description": "seconds" },
        "mode": { "enum": ["fast", "slow"] },
        "tries": { "type": "integer", "minimum": 1 },
        "labels": { "type": "array", "maxItems": 2, "items": { "type": "string", "minLength": 1 } } } }"#;

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        assert!(errors(SCHEMA, r#"{ "target": 0.5, "mode": "fast", "tries": 3, "labels": ["a"] }"#).is_empty());
        let cases = [
            ("{}", "target: this parameter is missing"),
            (r#"{ "target": 0 }"#, "target: expected a number above 0 to 10, found `0`"),
            (r#"{ "target": "1" }"#, "target: expected a number above 0 to 10, found `\"1\"`"),
            (r#"{ "target": 1, "mode": "x" }"#, "mode: expected one of \"fast\", \"slow\", found `\"x\"`"),
            (r#"{ "target": 1, "tries": 1.5 }"#, "tries: expected a whole number from 1, found `1.5`"),
            (
                r#"{ "target": 1, "labels": ["a", ""] }"#,
                "labels[1]: expected text of at least 1 characters, found `\"\"`",
            ),
            (
                r#"{ "target": 1, "labels": ["a", "b", "c"] }"#,
                "labels: expected a list of 0 to 2 items, found `[\"a\",\"b\",\"c\"]`",
            ),
            (
                r#"{ "target": 1, "tagret": 1 }"#,
                "tagret: unknown parameter; known here: `labels`, `mode`, `target`, `tries`",
            ),
        ];
        for (parameters, error) in cases {
            assert_eq!(errors(SCHEMA, parameters), [error], "{parameters}");
        }
    }

    #[test]
    fn what_could_run_away_is_refused_by_name() {
        let lists = format!("{}{{\"type\":\"string\"}}{}", r#"{"type":"array","items":"#.repeat(40), "}".repeat(40));
        let deep = format!(r#"{{"type":"object","properties":{{"a":{lists}}}}}"#);
        let cases = [
            (r##"{ "$ref": "#" }"##, "at the top: `type` is missing"),
            (r##"{ "type": "object", "$ref": "#" }"##, "at the top: the keyword `$ref` is not understood here"),
            (
                r#"{ "type": "object", "properties": { "a": { "type": "string", "pattern": "(a+)+$" } } }"#,
                "a: the keyword `pattern` is not understood here",
            ),
            (r#"{ "type": "object", "allOf": [] }"#, "at the top: the keyword `allOf` is not understood here"),
            (r#"{ "type": "string" }"#, "at the top: parameters are an object: `\"type\": \"object\"`"),
            (r#"{ "type": ["object"] }"#, "at the top: `type` is one name"),
            (r#"{ "type": "object", "required": ["a"] }"#, "at the top: `required` names keys of `properties`"),
            ("[]", "at the top: a schema is an object"),
        ];
        for (schema, error) in cases {
            assert_eq!(Schema::parse(schema).unwrap_err().to_string(), error, "{schema}");
        }
        assert!(Schema::parse("{").is_err());
        assert!(Schema::parse(&deep).unwrap_err().to_string().contains("nests"));
        assert!(Schema::parse(&" ".repeat(LONGEST + 1)).is_ok(), "blank text is that of no parameters");
    }
}
