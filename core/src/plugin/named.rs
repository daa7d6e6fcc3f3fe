//! Which components a document names, for those who read files.

use crate::document::decode::Report;
use crate::document::yaml::{self, Node, Value};

/// The paths of the WebAssembly components that a document names, wherever in it, for hosts that read a bundle's
/// files. A document that cannot be read names none.
///
/// ```
/// let flow = "kind: ProbeFlow\nspec: { steps: [{ id: login, wasm: { path: plugins/totp.wasm } }] }\n";
/// assert_eq!(davy::plugin::named_components("flow.yaml", flow.as_bytes()), ["plugins/totp.wasm"]);
/// ```
#[must_use]
pub fn named_components(path: &str, bytes: &[u8]) -> Vec<String> {
    let mut unheard = Report::default();
    let mut found = Vec::new();
    if let Some(node) = yaml::parse(&path.into(), bytes, &mut unheard) {
        collect(&node, &mut found);
    }
    found
}

fn collect(node: &Node, found: &mut Vec<String>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                if matches!(key.text.as_str(), "plugin" | "wasm") {
                    found.extend(path_of(value));
                }
                collect(value, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Scalar(_) | Value::Refused => {}
    }
}

/// The short form is the path alone.
fn path_of(node: &Node) -> Option<String> {
    let path = match &node.value {
        Value::Scalar(scalar) => &scalar.text,
        Value::Map(entries) => match &entries.iter().find(|(key, _)| key.text == "path")?.1.value {
            Value::Scalar(scalar) => &scalar.text,
            _ => return None,
        },
        Value::List(_) | Value::Refused => return None,
    };
    path.ends_with(".wasm").then(|| path.clone())
}
