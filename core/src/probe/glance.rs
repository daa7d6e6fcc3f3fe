//! What a file holds, before it is read in earnest: which other files must be found for it.

use super::compile::{KINDS, beside};
use crate::bundle::scalar_at;
use crate::document::decode::Report;
use crate::document::yaml::{self, Node, Value};
use crate::policy::CalendarDocuments;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Glance {
    /// A flow or a library.
    Probe {
        /// The files that it imports, as paths in the same sense as its own.
        imports: Vec<String>,
    },
    /// Change windows.
    Calendar {
        /// The iCalendar files that it reads, as paths in the same sense as its own.
        files: Vec<String>,
    },
    /// Another document.
    Other,
    /// Nothing that can be told without reading it in earnest.
    Unclear,
}

/// Looks at a file: whether it is about probes or calendars, and which files it needs beside itself.
///
/// ```
/// use davy::probe::{Glance, glance};
///
/// let flow = "kind: ProbeFlow\nspec: { imports: { auth: { file: ../lib/oauth2.yaml } } }\n";
/// let imports = vec!["lib/oauth2.yaml".to_owned()];
/// assert_eq!(glance("flows/checkout.yaml", flow.as_bytes()), Glance::Probe { imports });
/// let calendar = "kind: Calendar\nspec: { windows: [{ ics: holidays.ics }] }\n";
/// assert_eq!(glance("c.yaml", calendar.as_bytes()), Glance::Calendar { files: vec!["holidays.ics".to_owned()] });
/// assert_eq!(glance("rollouts.yaml", b"kind: Rollout"), Glance::Other);
/// assert_eq!(glance("rollouts.yaml", b"["), Glance::Unclear);
/// ```
#[must_use]
pub fn glance(path: &str, bytes: &[u8]) -> Glance {
    let mut unheard = Report::default();
    let Some(node) = yaml::parse(&path.into(), bytes, &mut unheard) else { return Glance::Unclear };
    match scalar_at(&node, "kind") {
        Some((kind, _)) if KINDS.contains(&kind) => Glance::Probe { imports: imports(&node, path) },
        Some((CalendarDocuments::KIND, _)) => Glance::Calendar { files: files(&node, path) },
        Some(_) => Glance::Other,
        None => Glance::Unclear,
    }
}

fn imports(node: &Node, path: &str) -> Vec<String> {
    let named = child(node, "spec").and_then(|spec| child(spec, "imports"));
    let Some(Value::Map(entries)) = named.map(|imports| &imports.value) else { return Vec::new() };
    let files = entries.iter().filter_map(|(_, import)| scalar_at(import, "file"));
    files.map(|(file, _)| beside(path, file)).collect()
}

fn files(node: &Node, path: &str) -> Vec<String> {
    let windows = child(node, "spec").and_then(|spec| child(spec, "windows"));
    let Some(Value::List(windows)) = windows.map(|windows| &windows.value) else { return Vec::new() };
    windows.iter().filter_map(|window| scalar_at(window, "ics")).map(|(file, _)| beside(path, file)).collect()
}

fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(known, _)| known.text == key).map(|(_, value)| value)
}
