//! Plugins as hosts use them: loaded, held against documents, called, and kept within their limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should stop, and reads files"
)]

mod cache;
mod documents;
mod examples;
mod fuzzed;
mod guests;
mod hostile;
mod same;
mod smith;
mod support;
