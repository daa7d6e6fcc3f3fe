//! The binary as hosts and people meet it: arguments, files, exit codes, text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod alerts;
mod calendar;
mod decide;
mod diff;
mod import;
mod import_calendars;
mod keep;
mod learn;
mod lint;
mod plugin;
mod policy;
mod probe;
mod prometheus;
mod replay;
mod simulate;
mod support;
mod terminal;
mod test;
