//! Recordings, read from a file.

use std::path::Path;

use davy::probe::Recording;

use crate::error::{Error, shown};
use crate::load;

/// The recordings of a file, or of standard input; there must be one.
pub(crate) fn read(path: &Path) -> Result<Vec<Recording>, Error> {
    let bytes = load::bytes(path)?;
    let recordings = Recording::from_lines(&String::from_utf8_lossy(&bytes));
    let recordings = recordings.map_err(|cause| Error::Recording { path: shown(path), cause })?;
    if recordings.is_empty() { Err(Error::NoRecordings { path: shown(path) }) } else { Ok(recordings) }
}
