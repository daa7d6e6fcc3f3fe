//! JSON Schemas (draft 2020-12) of the documents, made from the types that read them.

use serde_json::{Map, Value as Json, json};

use super::calendar::CalendarDocument;
use super::decode::{Decode, Definitions};
use super::policy_test::PolicyTestDocument;
use super::probe::{ProbeFlow, ProbeLibrary};
use super::rollout::Rollout;

/// The JSON Schema of `kind: Rollout`, for editors and other validators.
///
/// ```
/// let schema = davy::rollout_schema();
/// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
/// ```
#[must_use]
pub fn rollout_schema() -> Json {
    let mut definitions = Definitions::default();
    let root = Rollout::schema(&mut definitions);
    let reference = root.get("$ref").cloned().unwrap_or_default();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "davy Rollout",
        "$ref": reference,
        "$defs": definitions.0,
    })
}

/// The JSON Schema of `kind: ProbeFlow` and `kind: ProbeLibrary`, for editors and other validators.
///
/// ```
/// let schema = davy::probe_schema();
/// assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(2));
/// ```
#[must_use]
pub fn probe_schema() -> Json {
    let mut definitions = Definitions::default();
    let roots = [ProbeFlow::schema(&mut definitions), ProbeLibrary::schema(&mut definitions)];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "davy probes",
        "oneOf": roots,
        "$defs": definitions.0,
    })
}

/// The JSON Schema of `kind: PolicyTest`, for editors and other validators.
///
/// ```
/// let schema = davy::policy_test_schema();
/// assert_eq!(schema["title"], "davy policy tests");
/// ```
#[must_use]
pub fn policy_test_schema() -> Json {
    let mut definitions = Definitions::default();
    let root = PolicyTestDocument::schema(&mut definitions);
    let reference = root.get("$ref").cloned().unwrap_or_default();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "davy policy tests",
        "$ref": reference,
        "$defs": definitions.0,
    })
}

/// The JSON Schema of `kind: Calendar`, for editors and other validators.
///
/// ```
/// let schema = davy::calendar_schema();
/// assert_eq!(schema["title"], "davy Calendar");
/// ```
#[must_use]
pub fn calendar_schema() -> Json {
    let mut definitions = Definitions::default();
    let root = CalendarDocument::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "davy Calendar",
        "$ref": root.get("$ref").cloned().unwrap_or_default(),
        "$defs": definitions.0,
    })
}

/// An object that takes these properties and no others.
pub(crate) fn object(doc: &str, properties: Map<String, Json>, required: &[&str]) -> Json {
    json!({
        "type": "object",
        "description": doc.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Adds what a field's documentation says to the schema of its type.
pub(crate) fn describe(schema: Json, doc: &str, default: Option<Json>) -> Json {
    let Json::Object(mut object) = schema else { return schema };
    let doc = doc.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let own = object.get("description").and_then(Json::as_str).map(str::trim).unwrap_or_default();
    let description = format!("{}\n{own}", doc.trim()).trim().to_owned();
    object.insert("description".to_owned(), Json::String(description));
    if let Some(default) = default {
        object.insert("default".to_owned(), default);
    }
    Json::Object(object)
}
