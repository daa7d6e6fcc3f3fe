//! Synthetic flows as a host runs them: a service that is a function, and a clock that is a number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod addresses;
mod custom;
mod feed;
mod har;
mod host;
mod journeys;
mod languages;
mod misuse;
mod paths;
mod properties;
mod recordings;
mod reports;
mod secrets;
mod verdicts;
