//! One line of a file of records: a record and everything that `davy replay` needs to decide again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use davy::{Bundle, Digest, Snapshot, State, Step};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;

/// A line as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    record: &'a RawValue,
    state: &'a State,
    snapshot: &'a Snapshot,
    bundle: BTreeMap<&'a str, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<BTreeMap<&'a str, Cow<'a, str>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    components: BTreeMap<&'a str, Digest>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    shadow_components: BTreeMap<&'a str, Digest>,
}

/// A line as it is read. The record's bytes stay as they are, because its digest is over them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Line<'a> {
    /// The record's canonical bytes.
    #[serde(borrow)]
    pub(crate) record: &'a RawValue,
    /// The prior state.
    #[serde(borrow)]
    pub(crate) state: &'a RawValue,
    /// The snapshot.
    #[serde(borrow)]
    pub(crate) snapshot: &'a RawValue,
    /// The bundle's files: name and content.
    pub(crate) bundle: BTreeMap<String, String>,
    /// Those of its shadow.
    #[serde(default)]
    pub(crate) shadow: Option<BTreeMap<String, String>>,
    /// The WebAssembly components of the bundle. A replay runs none, so their digests are enough.
    #[serde(default)]
    pub(crate) components: BTreeMap<String, Digest>,
    /// Those of the shadow.
    #[serde(default)]
    pub(crate) shadow_components: BTreeMap<String, Digest>,
}

/// Seals a decision and puts its inputs beside it.
pub(crate) fn line(
    step: &Step<'_>,
    bundle: &Bundle,
    shadow: Option<&Bundle>,
    prior: &State,
    snapshot: &Snapshot,
) -> Result<Vec<u8>, Error> {
    let record = step.seal()?;
    let record = serde_json::from_slice(record.bytes())?;
    let components = bundle.components().collect();
    let shadow_components = shadow.into_iter().flat_map(Bundle::components).collect();
    let (bundle, shadow) = (files(bundle), shadow.map(files));
    Ok(serde_json::to_vec(&Written { record, state: prior, snapshot, bundle, shadow, components, shadow_components })?)
}

/// A bundle's documents and rules; those that could be parsed are UTF-8.
fn files(bundle: &Bundle) -> BTreeMap<&str, Cow<'_, str>> {
    let is_component = |name: &str| bundle.components().any(|(path, _)| path == name);
    let files = bundle.files().iter().filter(|(name, _)| !is_component(name));
    files.map(|(name, bytes)| (name.as_str(), String::from_utf8_lossy(bytes))).collect()
}
