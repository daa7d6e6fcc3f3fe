//! Data that is free in shape, such as a snapshot written in YAML: as JSON would have it, with every position kept.

use serde_json::{Value as Json, json};

use super::decode::{Decode, Definitions, Report, ambiguous, is_ambiguous, read_number};
use super::diagnostic::Position;
use super::yaml::{Node, Scalar, Value};

/// Data that is free in shape. `true`, `false`, `null` and decimal numbers are what JSON takes them for, everything
/// else is text; plain text that YAML readers disagree about is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Data(Node);

/// JSON text on one line that knows where in a document each of its parts came from.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    text: String,
    /// Where in the text a part begins, and where it came from; rising.
    places: Vec<(usize, Position)>,
}

impl Data {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        json_of(&self.0)
    }

    /// As JSON text.
    pub(crate) fn traced(&self) -> Traced {
        let mut traced = Traced::default();
        write(None, &self.0, &mut traced);
        traced
    }

    /// Merged into `base` as RFC 7396 has it: mappings key by key, `null` removes a key, all else replaces.
    pub(crate) fn patched_onto(&self, base: &Json) -> Traced {
        let mut traced = Traced::default();
        write(Some(base), &self.0, &mut traced);
        traced
    }
}

impl Traced {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where the part came from that a reader stopped right behind, its columns counted from 1.
    pub(crate) fn place(&self, column: usize) -> Option<&Position> {
        let before = self.places.partition_point(|(start, _)| *start < column);
        let last = before.checked_sub(1).and_then(|last| self.places.get(last));
        last.or_else(|| self.places.first()).map(|(_, position)| position)
    }

    fn begin(&mut self, position: &Position) {
        self.places.push((self.text.len(), position.clone()));
    }

    fn push_json(&mut self, value: &Json) {
        self.text.push_str(&value.to_string());
    }
}

impl Decode for Data {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        is_data(node, report).then(|| Self(node.clone()))
    }
    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

fn is_data(node: &Node, report: &mut Report) -> bool {
    match &node.value {
        Value::Refused => false,
        Value::Scalar(scalar) => {
            let known = ["true", "false", "null"].contains(&scalar.text.as_str());
            let clear = !scalar.plain || known || read_number(&scalar.text).is_some() || !is_ambiguous(&scalar.text);
            clear || ambiguous::<()>(&scalar.text, &node.position, report).is_some()
        }
        Value::List(items) => are_data(items.iter(), report),
        Value::Map(entries) => are_data(entries.iter().map(|(_, value)| value), report),
    }
}

/// Looks at each of them, so that everything that is wrong is reported.
fn are_data<'n>(nodes: impl Iterator<Item = &'n Node>, report: &mut Report) -> bool {
    let wrong = nodes.filter(|node| !is_data(node, report)).count();
    wrong == 0
}

fn scalar_json(scalar: &Scalar) -> Json {
    match scalar.text.as_str() {
        text if !scalar.plain => json!(text),
        "true" => json!(true),
        "false" => json!(false),
        "null" => Json::Null,
        // Whole numbers stay whole, however large.
        text => read_number(text)
            .and_then(|number| text.parse().ok().or_else(|| serde_json::Number::from_f64(number)))
            .map_or_else(|| json!(text), Json::Number),
    }
}

fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Refused => Json::Null,
        Value::Scalar(scalar) => scalar_json(scalar),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.text.clone(), json_of(value))).collect())
        }
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.plain && scalar.text == "null")
}

/// Writes `base` with `patch` merged into it.
fn write(base: Option<&Json>, patch: &Node, out: &mut Traced) {
    out.begin(&patch.position);
    let Value::Map(entries) = &patch.value else {
        return out.push_json(&json_of(patch));
    };
    let nothing = serde_json::Map::new();
    let base = base.and_then(Json::as_object).unwrap_or(&nothing);
    let mut separator = "{";
    for (key, value) in base.iter().filter(|(key, _)| !entries.iter().any(|(own, _)| own.text == **key)) {
        out.text.push_str(separator);
        out.push_json(&json!(key));
        out.text.push(':');
        out.push_json(value);
        separator = ",";
    }
    for (key, value) in entries.iter().filter(|(_, value)| !is_null(value)) {
        out.text.push_str(separator);
        out.begin(&key.position);
        out.push_json(&json!(key.text));
        out.text.push(':');
        write(base.get(&key.text), value, out);
        separator = ",";
    }
    out.text.push_str(if separator == "{" { "{}" } else { "}" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::yaml;

    fn data(text: &str) -> Data {
        let mut report = Report::default();
        let node = yaml::parse(&"t.yaml".into(), text.as_bytes(), &mut report).unwrap();
        Data::decode(&node, &mut report).unwrap_or_else(|| panic!("{:?}", report.diagnostics))
    }

    /// The examples of RFC 7396, appendix A, that have an object as patch; the lists are as they stand there.
    #[test]
    fn merging_is_that_of_rfc_7396() {
        for (base, patch, merged) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        ] {
            let traced = data(patch).patched_onto(&serde_json::from_str(base).unwrap());
            let is: Json = serde_json::from_slice(traced.bytes()).unwrap();
            assert_eq!(is, serde_json::from_str::<Json>(merged).unwrap(), "{base} {patch}");
        }
    }

    #[test]
    fn a_place_in_the_text_leads_back_to_the_document() {
        let traced = data("a: 1\nb:\n  c: x\n").patched_onto(&json!({ "z": [1, 2], "b": { "d": 2 } }));
        let text = std::str::from_utf8(traced.bytes()).unwrap();
        assert_eq!(text, r#"{"z":[1,2],"a":1,"b":{"d":2,"c":"x"}}"#);
        let at = |part: &str| traced.place(text.find(part).unwrap() + part.len()).unwrap().to_string();
        assert_eq!(
            (at(r#""a":1"#), at(r#""c":"x"#), at(r#""c""#)),
            ("t.yaml:1:4".into(), "t.yaml:3:6".into(), "t.yaml:3:3".into())
        );
    }

    #[test]
    fn scalars_are_what_json_takes_them_for() {
        let is = data("[9007199254740993, 1.5, 'no', 2026-11-23T10:00:00Z, 5%, true, null, 1e3]").json();
        assert_eq!(is, json!([9_007_199_254_740_993_u64, 1.5, "no", "2026-11-23T10:00:00Z", "5%", true, null, 1000.0]));
    }
}
