//! Whether documents use a plugin as it says of itself.

use std::collections::BTreeMap;

use davy::document::probe::{Template, Tree, TreeValue};
use davy::document::{Form, Measures};
use davy::plugin::{MetricUse, StepUse};
use davy::{Diagnostic, Position};
use serde_json::{Map, Value as Json};

use crate::bundle::diagnostic;
use crate::description::{Description, World};
use crate::schema::{below, item};

/// What is wrong with a metric's use of a plugin.
pub(crate) fn metric(used: &MetricUse<'_>, said: &Description, wrong: &mut Vec<Diagnostic>) {
    let document = used.document;
    let mut refuse = |position: &Position, message: String, hint: Option<String>| {
        wrong.push(diagnostic(position, message, hint));
    };
    if said.world != World::Metric {
        return refuse(&document.position, format!("the plugin `{}` is a probe step", said.name), None);
    }
    let measures = said.measures.unwrap_or(Measures::Value);
    if document.measures() != measures {
        let position = document.measures.as_ref().map_or(&document.position, |given| &given.position);
        let message = format!("the plugin `{}` does not measure `{}`", said.name, document.measures());
        refuse(position, message, Some(format!("write `measures: {measures}`")));
    }
    if document.window().get() < u64::from(said.window) {
        let position = document.window.as_ref().map_or(&document.position, |given| &given.position);
        let message = format!("the plugin `{}` needs to see {} intervals", said.name, said.window);
        refuse(position, message, Some(format!("write `window: {}`, or more", said.window)));
    }
    for (name, form, position) in &used.inputs {
        match said.inputs.iter().find(|input| input.name == **name) {
            Some(input) if input.form == *form => {}
            Some(input) => {
                let message = format!("the plugin `{}` reads `{name}` as {}", said.name, input.form);
                refuse(position, message, Some(keys(input.form).to_owned()));
            }
            None => {
                let known: Vec<String> = said.inputs.iter().map(|input| format!("`{}`", input.name)).collect();
                let message = format!("the plugin `{}` does not read `{name}`", said.name);
                refuse(position, message, Some(format!("it reads {}", known.join(", "))));
            }
        }
    }
    for input in said.inputs.iter().filter(|input| !input.optional) {
        if !used.inputs.iter().any(|(name, _, _)| **name == input.name) {
            let message = format!("the plugin `{}` is not given its input `{}`", said.name, input.name);
            let hint = format!("add it to `inputs`: {}; {}", input.summary, keys(input.form));
            refuse(&document.position, message, Some(hint));
        }
    }
    let empty = Map::new();
    let given = document.parameters.as_ref().map(|given| &given.value);
    for error in said.schema.check(given.map_or(&empty, |given| &given.value)) {
        let first = error.at.split(['.', '[']).next().unwrap_or_default();
        let known = given.and_then(|given| given.positions.iter().find(|(key, _)| key == first));
        let whole = document.parameters.as_ref().map_or(&document.position, |given| &given.position);
        refuse(known.map_or(whole, |(_, position)| position), format!("parameter {error}"), None);
    }
}

/// The keys that give data of a form.
fn keys(form: Form) -> &'static str {
    match form {
        Form::Counts => "give `bad` with `total`, or `good` with `total`",
        Form::Events => "give `events`",
        Form::Gauge => "give `gauge`",
        Form::Buckets => "give `buckets`",
        Form::Histogram => "give `histogram`",
    }
}

/// What is wrong with a flow's use of a plugin.
pub(crate) fn step(used: &StepUse<'_>, said: &Description, wrong: &mut Vec<Diagnostic>) {
    let document = used.document;
    for capture in document.captures.iter().flat_map(|captures| &captures.value) {
        if !said.captures.contains(&capture.value) {
            let known: Vec<String> = said.captures.iter().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            let message = format!("the plugin `{}` does not capture `{}`", said.name, capture.value);
            wrong.push(diagnostic(&capture.position, message, Some(format!("it captures {known}"))));
        }
    }
    let mut given = Given::default();
    let parameters = match document.parameters.as_ref().map(|tree| given.json(&tree.value, "")) {
        Some(Json::Object(parameters)) => parameters,
        // Anything else was refused when the flow was compiled.
        _ => Map::new(),
    };
    let whole = document.parameters.as_ref().map_or(&document.position, |given| &given.position);
    for error in said.schema.check_known(&parameters, &given.open) {
        let position = given.positions.get(&error.at).unwrap_or(whole);
        wrong.push(diagnostic(position, format!("parameter {error}"), None));
    }
}

/// Parameters of a step, as far as they are known before it runs.
#[derive(Default)]
struct Given {
    /// Where `${name}` will stand for something.
    open: Vec<String>,
    positions: BTreeMap<String, Position>,
}

impl Given {
    fn json(&mut self, tree: &Tree, at: &str) -> Json {
        self.positions.insert(at.to_owned(), tree.position.clone());
        match &tree.value {
            TreeValue::Plain(value) => value.clone(),
            TreeValue::Text(Template(text)) => {
                if text.contains("${") {
                    self.open.push(at.to_owned());
                }
                Json::String(text.clone())
            }
            TreeValue::List(items) => {
                let items = items.iter().enumerate();
                Json::Array(items.map(|(index, tree)| self.json(tree, &item(at, index))).collect())
            }
            TreeValue::Object(entries) => {
                let entries = entries.iter();
                Json::Object(entries.map(|(key, tree)| (key.clone(), self.json(tree, &below(at, key)))).collect())
            }
        }
    }
}
