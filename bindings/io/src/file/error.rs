//! What is wrong with a file, and where.

use davy::{IntervalError, SnapshotError};
use thiserror::Error;

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FileError {
    /// A line of JSON that is no interval.
    #[error(transparent)]
    Interval(SnapshotError),
    /// Not CSV.
    #[error("line {line}, column {column}: I070: {cause}")]
    Csv {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        cause: &'static str,
    },
    /// A column that does not exist, or a needed one that does not stand in the first line.
    #[error("line 1, column {column}: I071: {cause} `{name}` (known here: {})", super::csv::COLUMNS.join(", "))]
    Column {
        /// From 1, in characters.
        column: usize,
        /// The column's name.
        name: String,
        /// What is wrong.
        cause: &'static str,
    },
    /// A cell that does not hold what its column needs.
    #[error("line {line}, column {column}: I072: expected {expected}, found {found:?}")]
    Value {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A row that says nothing, or two things at once.
    #[error(
        "line {line}, column 1: I073: a row has exactly one of `bad` with `total`, `buckets` with `total`, `gauge`, `events` and `missing`"
    )]
    Form {
        /// From 1.
        line: usize,
    },
    /// Rows that do not make an interval together.
    #[error("line {line}, column 1: I074: {cause}")]
    Rows {
        /// The last row of the interval, from 1.
        line: usize,
        /// Why.
        cause: IntervalError,
    },
}

impl FileError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Interval(cause) => cause.code.to_string(),
            Self::Csv { .. } => "I070".to_owned(),
            Self::Column { .. } => "I071".to_owned(),
            Self::Value { .. } => "I072".to_owned(),
            Self::Form { .. } => "I073".to_owned(),
            Self::Rows { .. } => "I074".to_owned(),
        }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::Interval(cause) => cause.line,
            Self::Column { .. } => 1,
            Self::Csv { line, .. } | Self::Value { line, .. } | Self::Form { line } | Self::Rows { line, .. } => *line,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Interval(cause) => cause.hint.clone(),
            Self::Column { .. } => Some("native histograms are read from JSON lines".to_owned()),
            Self::Form { .. } => Some("leave the other cells empty; `missing` says why there is no value".to_owned()),
            Self::Csv { .. } | Self::Value { .. } | Self::Rows { .. } => None,
        }
    }
}
