//! What is wrong with a JSON input: where, what, and what to do about it.

use std::fmt;

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::strict::Strict;
use crate::document::diagnostic::did_you_mean;

/// The largest JSON input that is read, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// A stable code of a [`SnapshotError`]: `S001` to `S0…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotCode(u16);

impl SnapshotCode {
    const SYNTAX: Self = Self(1);
    const UNKNOWN_KEY: Self = Self(2);
    const MISSING_KEY: Self = Self(3);
    const WRONG_TYPE: Self = Self(4);
    const DUPLICATE_KEY: Self = Self(5);
    const TOO_LARGE: Self = Self(6);
    const OUT_OF_RANGE: Self = Self(7);
}

impl fmt::Display for SnapshotCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{:03}", self.0)
    }
}

/// A snapshot, state or record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {code}: {message}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct SnapshotError {
    /// Stable code.
    pub code: SnapshotCode,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1; the reader stops right behind what it refuses.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Reads JSON into plain data.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SnapshotError> {
    if bytes.len() > MAX_BYTES {
        return Err(SnapshotError {
            code: SnapshotCode::TOO_LARGE,
            line: 1,
            column: 1,
            message: format!("the input has {} bytes; at most {MAX_BYTES} are read", bytes.len()),
            hint: Some("leave out intervals that the state already holds".to_owned()),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = T::deserialize(Strict(&mut deserializer)).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|cause| classify(&cause))
}

fn classify(cause: &serde_json::Error) -> SnapshotError {
    let text = cause.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let own = message.strip_prefix('S').and_then(|rest| rest.split_once(": ")).and_then(|(digits, rest)| {
        let code = digits.parse().ok().filter(|_| digits.len() == 3)?;
        Some((SnapshotCode(code), rest))
    });
    let starts = |prefix: &str| message.starts_with(prefix);
    let (code, message) = match own {
        Some((code, message)) => (code, message),
        None if !cause.is_data() => (SnapshotCode::SYNTAX, message),
        None if starts("unknown field") || starts("unknown variant") => (SnapshotCode::UNKNOWN_KEY, message),
        None if starts("missing field") => (SnapshotCode::MISSING_KEY, message),
        None if starts("duplicate field") => (SnapshotCode::DUPLICATE_KEY, message),
        None if starts("invalid value") => (SnapshotCode::OUT_OF_RANGE, message),
        None => (SnapshotCode::WRONG_TYPE, message),
    };
    let hint = if code == SnapshotCode::UNKNOWN_KEY { nearest(message) } else { None };
    SnapshotError { code, line: cause.line().max(1), column: cause.column().max(1), message: message.to_owned(), hint }
}

/// From serde's "unknown field `a`, expected one of `b`, `c`": the nearest known name.
fn nearest(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next()?;
    did_you_mean(given, quoted)
}

#[cfg(test)]
mod tests {
    use crate::Snapshot;

    fn error(json: &str) -> (String, usize, Option<String>) {
        let error = Snapshot::from_json(json.as_bytes()).unwrap_err();
        (error.code.to_string(), error.line, error.hint)
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let (code, line, hint) = error("{\n\"nows\": 1}");
        assert_eq!((code.as_str(), line, hint.as_deref()), ("S002", 2, Some("did you mean `now`?")));
    }

    #[test]
    fn codes_of_newtypes_survive_serde() {
        assert_eq!(error("{\"now\": \"yesterday\"}").0, "S010");
        assert_eq!(error("{\"now\": 5}").0, "S004");
        assert_eq!(error("{\"now\": \"2026-11-23T10:00:00Z\", \"now\": \"2026-11-23T10:00:00Z\"}").0, "S005");
        assert_eq!(error("{").0, "S001");
        assert_eq!(error("{}").0, "S003");
    }
}
