//! How the shape of answers differs between recordings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::mutate::answers;
use super::plan::Plan;
use super::recording::Recording;
use crate::document::probe::{DriftKind, JsonType};

/// The shape of the JSON answers of each step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shapes(BTreeMap<String, Shape>);

/// The fields of the answers of one step, by their paths: `$.items[*].price`.
pub type Shape = BTreeMap<String, Field>;

/// What was seen at one path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// The types of its values.
    pub types: BTreeSet<JsonType>,
    /// How often it was there.
    pub present: u64,
    /// How often it could have been: how many objects there were around it.
    pub of: u64,
}

/// One difference in shape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Difference {
    /// The step.
    pub step: String,
    /// The path.
    pub path: String,
    /// What differs.
    pub kind: DriftKind,
    /// The types that were recorded.
    pub was: Vec<JsonType>,
    /// The types now.
    pub is: Vec<JsonType>,
}

impl Shapes {
    /// The shapes of the answers in recordings of this flow. Answers that are no JSON have none.
    #[must_use]
    pub fn of(plan: &Arc<Plan>, recordings: &[Recording]) -> Self {
        let mut shapes = Self::default();
        for recording in recordings {
            for (_, step, response) in answers(plan, recording) {
                let Some(step) = plan.steps.get(step) else { continue };
                if let Ok(json) = serde_json::from_slice::<Json>(&response.body.0) {
                    shapes.add(&step.id, &json);
                }
            }
        }
        shapes
    }

    /// Adds one answer of a step.
    pub fn add(&mut self, step: &str, json: &Json) {
        let shape = self.0.entry(step.to_owned()).or_default();
        let mut parents = BTreeMap::new();
        see(json, "$", shape, &mut parents);
        let root = shape.entry("$".to_owned()).or_default();
        root.of += 1;
        for (path, objects) in parents {
            // Every field of an object could have been there as often as the object was.
            let prefix = format!("{path}.");
            for (name, field) in shape.iter_mut() {
                let is_child = name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains(['.', '[']));
                if is_child {
                    field.of += objects;
                }
            }
        }
    }

    /// The shapes by step.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.0.iter().map(|(step, shape)| (step.as_str(), shape))
    }

    /// How `latest` differs from these, in the order of steps and paths. Steps that only one side has say nothing.
    #[must_use]
    pub fn compare(&self, latest: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        for (step, before) in &self.0 {
            let Some(now) = latest.0.get(step) else { continue };
            for path in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
                let kinds = differences(before.get(path), now.get(path), parent(path).and_then(|path| now.get(path)));
                let types = |field: Option<&Field>| field.map(|field| field.types.iter().copied().collect());
                all.extend(kinds.into_iter().map(|kind| Difference {
                    step: step.clone(),
                    path: path.clone(),
                    kind,
                    was: types(before.get(path)).unwrap_or_default(),
                    is: types(now.get(path)).unwrap_or_default(),
                }));
            }
        }
        all
    }
}

/// What was seen at the object or list around a path.
fn parent(path: &str) -> Option<&str> {
    let end = path.rfind(['.', '['])?;
    path.get(..end)
}

fn differences(before: Option<&Field>, now: Option<&Field>, around: Option<&Field>) -> Vec<DriftKind> {
    let mut kinds = Vec::new();
    let Some(before) = before else { return vec![DriftKind::Added] };
    let always = before.present == before.of;
    let Some(now) = now else {
        // Where the object around it is missing too, that says it all.
        let could_be = around.is_some_and(|around| around.types.contains(&JsonType::Object));
        return if always && could_be { vec![DriftKind::Removed] } else { kinds };
    };
    if always && now.present < now.of {
        kinds.push(DriftKind::Removed);
    }
    let is_known = |kind: &JsonType| {
        let whole = *kind == JsonType::Integer && before.types.contains(&JsonType::Number);
        *kind == JsonType::Null || whole || before.types.contains(kind)
    };
    // What was only null so far may become anything.
    let only_null = before.types.iter().all(|kind| *kind == JsonType::Null);
    if !only_null && !now.types.iter().all(is_known) {
        kinds.push(DriftKind::TypeChanged);
    }
    if now.types.contains(&JsonType::Null) && !before.types.contains(&JsonType::Null) {
        kinds.push(DriftKind::NewlyNull);
    }
    kinds
}

/// Notes a value, and how many objects there are at each path.
fn see(json: &Json, path: &str, shape: &mut Shape, objects: &mut BTreeMap<String, u64>) {
    let field = shape.entry(path.to_owned()).or_default();
    field.present += 1;
    field.types.insert(type_of(json));
    match json {
        Json::Object(entries) => {
            *objects.entry(path.to_owned()).or_default() += 1;
            for (key, value) in entries {
                // Keys with signs of paths in them are shown as one name.
                let key: String = key.chars().map(|c| if ".[".contains(c) { '_' } else { c }).collect();
                see(value, &format!("{path}.{key}"), shape, objects);
            }
        }
        Json::Array(items) => {
            for item in items {
                see(item, &format!("{path}[*]"), shape, objects);
                if let Some(field) = shape.get_mut(&format!("{path}[*]")) {
                    field.of += 1;
                }
            }
        }
        _ => {}
    }
}

fn type_of(json: &Json) -> JsonType {
    match json {
        Json::Null => JsonType::Null,
        Json::Bool(_) => JsonType::Boolean,
        Json::Number(number) if number.is_i64() || number.is_u64() => JsonType::Integer,
        Json::Number(_) => JsonType::Number,
        Json::String(_) => JsonType::String,
        Json::Array(_) => JsonType::Array,
        Json::Object(_) => JsonType::Object,
    }
}
