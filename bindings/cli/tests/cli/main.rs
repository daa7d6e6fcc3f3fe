//! The binary as hosts and people meet it: arguments, files, exit codes, text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod decide;
mod keep;
mod lint;
mod policy;
mod replay;
mod support;
mod terminal;
