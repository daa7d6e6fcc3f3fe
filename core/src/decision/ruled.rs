//! Facts about rules: what was true when one fired, and what one used up.

use serde::{Deserialize, Serialize};

use crate::{Count, Text};

/// A condition that was true when a rule fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// As its author wrote it, shortened where it is long; nothing where the language cannot tell which it was.
    pub text: Option<Text>,
    /// What it read.
    pub values: Vec<Operand>,
}

/// A path of the input that a condition read, and what stood there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operand {
    /// The path, such as `facts.replicas`.
    pub path: Text,
    /// The value as JSON, shortened where it is long.
    pub value: Text,
}

/// What a rule used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Limit {
    /// More instructions than this.
    Instructions(Count),
    /// More work than this, in values looked at, by what its expression can cost over this input.
    Work(Count),
    /// More findings than this.
    Findings(Count),
}
