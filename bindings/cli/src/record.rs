//! One line of a file of records: a record and everything that `davy replay` needs to decide again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use davy::{Bundle, Snapshot, State, Step};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;

/// A line as it is written.
#[derive(Serialize)]
struct Written<'a> {
    record: &'a RawValue,
    state: &'a State,
    snapshot: &'a Snapshot,
    bundle: BTreeMap<&'a str, Cow<'a, str>>,
}

/// A line as it is read. The record's bytes stay as they are, because its digest is over them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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
}

/// Seals a decision and puts its inputs beside it.
pub(crate) fn line(step: &Step<'_>, bundle: &Bundle, prior: &State, snapshot: &Snapshot) -> Result<Vec<u8>, Error> {
    let record = step.seal()?;
    // A bundle that could be parsed is UTF-8.
    let files = bundle.files().iter().map(|(name, bytes)| (name.as_str(), String::from_utf8_lossy(bytes)));
    let record = serde_json::from_slice(record.bytes())?;
    Ok(serde_json::to_vec(&Written { record, state: prior, snapshot, bundle: files.collect() })?)
}
