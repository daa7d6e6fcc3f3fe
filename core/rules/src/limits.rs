//! The limits of rules, and why they are where they are.
//!
//! All of them are counts, never times, so that the same rule over the same document always ends the same way. They
//! hold in debug builds and on threads with a stack of 2 MiB.
//!
//! What they come to in memory is measured over the hostile inputs of the tests (`tests/memory.rs`, at the peak of everything
//! that is allocated): refusing a text takes at most 8 MiB, judging a rule over the largest document at most 4 MiB beside it.
//! What uses up a budget ends after exactly [`REGO_INSTRUCTIONS`] instructions or [`REGO_WORK`] of work in Rego; in CEL it does
//! not begin, for its work is bounded by [`CEL_WORK`] beforehand.

use davy::{Count, Limit};

/// The longest Rego source, in bytes.
pub const REGO_BYTES: usize = 64 << 10;

/// The deepest nesting of brackets, braces and parentheses in Rego. The parser tries each literal several ways, which
/// doubles the work with each level: the product is bounded by [`REGO_PARSE_WORK`].
pub const REGO_DEPTH: usize = 12;

/// The most work of parsing Rego: every token counts twice as much per level of literals around it.
pub const REGO_PARSE_WORK: u64 = 400_000;

/// The most operators, brackets and calls around one value in Rego: each takes a part of the stack.
pub const REGO_TREE_DEPTH: usize = 28;

/// The most rules in a Rego file.
pub const REGO_RULES: usize = 128;

/// The deepest chain of rules that use each other in Rego.
pub const REGO_CALL_DEPTH: usize = 8;

/// The most steps of following values through a Rego file when it is loaded.
pub const REGO_WALK: usize = 20_000;

/// The most copies of one input value that a computed value can hold: doubling a value thirty times makes a document
/// of gigabytes.
pub const REGO_COPIES: u64 = 4096;

/// Instructions of one set of one Rego rule over one document.
pub const REGO_INSTRUCTIONS: usize = 25_000;

/// What the functions of one set of one Rego rule may look at and make, in bytes and values.
pub const REGO_WORK: u64 = 2 << 20;

/// The longest CEL source, in bytes.
pub const CEL_BYTES: usize = 8 << 10;

/// The deepest nesting of brackets, braces and parentheses in CEL.
pub const CEL_DEPTH: usize = 8;

/// The most operators, brackets and calls around one value in CEL: each takes a part of the stack.
pub const CEL_TREE_DEPTH: usize = 20;

/// The most tokens of a CEL expression.
pub const CEL_TOKENS: usize = 1500;

/// The deepest comprehension in comprehensions in CEL.
pub const CEL_COMPREHENSIONS: usize = 2;

/// The most work of one CEL rule over one document: values looked at and bytes copied, counted before it begins.
pub const CEL_WORK: u64 = 100_000;

/// The longest pattern of `matches`, in bytes; it is a literal.
pub const PATTERN_BYTES: usize = 256;

/// The largest compiled pattern of `matches`, in bytes.
pub const PATTERN_SIZE: usize = 256 << 10;

/// A pattern of `matches` that compiles to more than this many bytes costs twice as much for each part of a text, one of more
/// than twice as many four times, and so on: the worst that matching takes is its size times that of the text.
pub const PATTERN_STEP: usize = 8 << 10;

/// The most different patterns of a CEL expression; each is compiled once, when it is loaded.
pub const PATTERNS: usize = 8;

/// The most places of one document that are looked at for what is missing. A document has fewer values, but one rule can
/// read them in many ways; beyond, it holds.
pub const LOOKS: u64 = 200_000;

/// The most findings of one set of one rule.
pub const FINDINGS: usize = 64;

/// More work than this, as a finding says it.
pub(crate) fn work(most: u64) -> Limit {
    Limit::Work(Count::new(most).unwrap_or(Count::MAX))
}
