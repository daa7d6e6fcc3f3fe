//! Where a flow's secrets come from. Their values are told to the machine and to nobody else.

use std::fmt;
use std::fs::File;
use std::io::Read as _;

use davy::document::probe::SecretSource;
use davy::probe::{Event, SecretValue};

/// The largest file that holds a secret, in bytes.
const LARGEST: u64 = 64 << 10;

/// A host's own store of secrets, for those from `host:name`.
pub trait SecretStore: fmt::Debug + Send + Sync + 'static {
    /// The secret of this name.
    ///
    /// # Errors
    /// Why it is not to be had, in words that tell no secret.
    fn get(&self, name: &str) -> Result<SecretValue, String>;
}

/// No store: secrets come from the environment and from files only.
#[derive(Debug)]
pub(super) struct NoStore;

impl SecretStore for NoStore {
    fn get(&self, _: &str) -> Result<SecretValue, String> {
        Err("this prober has no store of its own; use `env:NAME` or `file:path`".to_owned())
    }
}

/// What came of looking a secret up.
pub(super) fn look_up(source: &SecretSource, store: &dyn SecretStore) -> Event {
    let (kind, name) = source.as_str().split_once(':').unwrap_or_default();
    let found = match kind {
        // Nothing of an environment variable that is not UTF-8 is told.
        "env" => std::env::var(name)
            .map(SecretValue)
            .map_err(|_| format!("the environment variable `{name}` is not set, or is no text")),
        "file" => read(name),
        _ => store.get(name),
    };
    found.map_or_else(Event::SecretFailed, Event::Secret)
}

fn read(path: &str) -> Result<SecretValue, String> {
    let refuse = |why: String| format!("`{path}`: {why}");
    let file = File::open(path).map_err(|cause| refuse(cause.kind().to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|cause| refuse(cause.kind().to_string()))?;
    if read as u64 > LARGEST {
        return Err(refuse(format!("it is larger than {LARGEST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is no text".to_owned()))?;
    // Editors end files with a line break, which is no part of the secret.
    Ok(SecretValue(text.trim_end_matches(['\r', '\n']).to_owned()))
}
