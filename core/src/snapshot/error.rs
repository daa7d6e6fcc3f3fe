//! What is wrong with a JSON input: where, what, and what to do about it.

use std::fmt;

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::strict::Strict;
use crate::document::diagnostic::{did_you_mean, shown};
use crate::text::breaks_lines;

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
    let (code, message, hint) = match own {
        Some((code, message)) => (code, short(message), None),
        None if !cause.is_data() => (SnapshotCode::SYNTAX, short(message), None),
        None => of_serde(message),
    };
    SnapshotError { code, line: cause.line().max(1), column: cause.column().max(1), message, hint }
}

/// What serde's derived code refuses, in the words of the reader instead of the program.
fn of_serde(message: &str) -> (SnapshotCode, String, Option<String>) {
    let code = match message.split(' ').take(2).collect::<Vec<_>>().as_slice() {
        ["unknown", "field" | "variant"] => SnapshotCode::UNKNOWN_KEY,
        ["missing", "field"] => SnapshotCode::MISSING_KEY,
        ["duplicate", "field"] => SnapshotCode::DUPLICATE_KEY,
        ["invalid", "value:"] => SnapshotCode::OUT_OF_RANGE,
        _ => SnapshotCode::WRONG_TYPE,
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next().unwrap_or_default();
    match code {
        SnapshotCode::UNKNOWN_KEY => {
            // Text with a backtick of its own hides the list of known names, which then is not shown.
            let known: Vec<&str> = quoted.collect();
            let listed = || Some(format!("known here: {}", short(&known.join(", "))));
            let hint = did_you_mean(given, known.iter().copied()).or_else(listed);
            (code, format!("unknown key or word `{}`", shown(given)), hint)
        }
        SnapshotCode::MISSING_KEY => (code, format!("the key `{}` is missing", shown(given)), None),
        SnapshotCode::DUPLICATE_KEY => (code, format!("the key `{}` stands twice", shown(given)), None),
        _ => {
            let (found, expected) = message.rsplit_once(", expected ").unwrap_or((message, "another value"));
            let found = found.split_once(": ").map_or(found, |(_, found)| found);
            (code, format!("expected {}, found {}", in_words(expected), short(found)), None)
        }
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "i8" | "i32" | "u8" | "u32" | "u64" | "usize" => "a whole number in its range",
        "a nonzero u32" => "a whole number from 1",
        "a tuple of size 2" => "a list of two",
        other if other.starts_with("struct ") => "an object",
        other if other.contains("enum ") => "a word, or an object with one key",
        other => other,
    }
}

/// Foreign text on one line and of bounded length.
fn short(text: &str) -> String {
    let mut short: String = text.chars().take(300).map(|c| if breaks_lines(c) { ' ' } else { c }).collect();
    if text.chars().nth(300).is_some() {
        short.push('…');
    }
    short
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
