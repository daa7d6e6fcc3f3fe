//! The expectation `schema`: JSON Schema, draft 2020-12 unless the schema names another.

use std::fmt;
use std::sync::Arc;

use davy::probe::{AnswerFacts, Expectation, ExpectationKey, ExpectationLanguage};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value as Json;

/// How many of an answer's faults are told.
const TOLD: usize = 3;

/// JSON Schema, for [`davy::ProbeFlows::with_languages`]. Nothing is fetched: a reference to another document is an error.
///
/// ```
/// use std::sync::Arc;
/// use davy_io::probe::JsonSchema;
///
/// let flow = "
/// apiVersion: davy/v1
/// kind: ProbeFlow
/// metadata: { name: cart }
/// spec:
///   targets: { prod: { baseUrl: https://shop.example } }
///   steps:
///     - id: cart
///       request: { path: /cart }
///       expect: { status: 200, schema: { type: object, required: [total], properties: { total: { type: number } } } }
/// ";
/// let flows = davy::ProbeFlows::with_languages([("cart.yaml", flow)], &[Arc::new(JsonSchema)])?;
/// assert!(flows.get("cart").is_some());
/// # Ok::<(), davy::BundleError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct JsonSchema;

impl ExpectationLanguage for JsonSchema {
    fn key(&self) -> ExpectationKey {
        ExpectationKey::Schema
    }

    fn compile(&self, source: &Json) -> Result<Arc<dyn Expectation>, String> {
        // Patterns in linear time, as everywhere else.
        let patterns = PatternOptions::regex().size_limit(1 << 18);
        let validator = jsonschema::options().with_pattern_options(patterns).build(source);
        match validator {
            Ok(validator) => Ok(Arc::new(Compiled(validator))),
            Err(error) => Err(one_line(&error.to_string())),
        }
    }
}

struct Compiled(Validator);

impl Expectation for Compiled {
    fn judge(&self, answer: &AnswerFacts<'_>) -> Result<(), String> {
        let Some(json) = answer.json else { return Err("the body is not JSON".to_owned()) };
        let faults: Vec<String> = self
            .0
            .iter_errors(json)
            .take(TOLD)
            .map(|fault| {
                let at = fault.instance_path().to_string();
                let at = if at.is_empty() { "the answer".to_owned() } else { at };
                one_line(&format!("{at}: {fault}"))
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Schema")
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judge(schema: &Json, body: &str) -> Result<(), String> {
        let compiled = JsonSchema.compile(schema)?;
        let response = json!({ "status": 200, "version": "1.1", "headers": [], "body": body });
        let response: davy::probe::HttpResponse = serde_json::from_value(response).unwrap();
        let json: Option<Json> = serde_json::from_str(body).ok();
        compiled.judge(&AnswerFacts {
            response: &response,
            json: json.as_ref(),
            duration: davy::probe::Micros(0),
            redirects: 0,
        })
    }

    #[test]
    fn an_answer_is_told_where_it_is_otherwise() {
        let schema = json!({ "type": "object", "required": ["items"], "properties": {
            "items": { "type": "array", "minItems": 1, "items": { "type": "object", "properties": { "price": { "type": "number", "exclusiveMinimum": 0 } } } },
            "sku": { "pattern": "^A[0-9]+$" } } });
        assert_eq!(judge(&schema, r#"{"items":[{"price":1}],"sku":"A1"}"#), Ok(()));
        for (body, says) in [
            ("{}", "items"),
            (r#"{"items":[]}"#, "/items"),
            (r#"{"items":[{"price":"1"}]}"#, "/items/0/price"),
            (r#"{"items":[{"price":0}]}"#, "/items/0/price"),
            (r#"{"items":[{}],"sku":"B"}"#, "/sku"),
            ("<h1>", "not JSON"),
        ] {
            let why = judge(&schema, body).unwrap_err();
            assert!(why.contains(says), "{body}: {why}");
        }
    }

    #[test]
    fn what_is_no_schema_or_leads_elsewhere_is_refused() {
        for schema in [
            json!({ "type": "numbr" }),
            json!({ "$ref": "https://shop.example/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "pattern": "(a)\\1" }),
        ] {
            assert!(JsonSchema.compile(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_flow_with_a_schema_is_refused_where_nobody_brings_the_language() {
        let flow = |schema: &str| {
            format!(
                "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: a }}\nspec:\n  targets: {{ b: {{ baseUrl: https://c.example }} }}\n  steps: [{{ id: d, request: {{ path: / }}, expect: {{ status: 200, schema: {schema} }} }}]\n"
            )
        };
        let with = |text: String| davy::ProbeFlows::with_languages([("a.yaml", text)], &[Arc::new(JsonSchema)]);
        assert!(with(flow("{ type: object }")).is_ok());
        let error = with(flow("{ type: objct }")).unwrap_err();
        assert!(error.diagnostics().iter().any(|diagnostic| diagnostic.code.as_str() == "P007"), "{error}");
        assert!(davy::ProbeFlows::from_files([("a.yaml", flow("{ type: object }"))]).is_err());
    }
}
