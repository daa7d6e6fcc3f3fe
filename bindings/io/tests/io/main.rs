//! The crate as hosts meet it: servers that misbehave, a real Prometheus, and decisions made from both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod answers;
mod client;
mod counts;
mod gauges;
mod latencies;
mod live;
mod native;
mod sources;
mod support;
mod tls;
mod windows;
