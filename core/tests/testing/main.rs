//! Tests of policies: what is refused, what is expected, what is covered, and how a document is written again.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod covered;
mod expected;
mod refused;
mod scenes;
mod support;
mod updated;
