//! `judge: evidence`, through the public API: what aborts, what lets a release go further, and what neither does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "../support/mod.rs"]
mod support;

mod fixed;
mod fold;
mod harm;
mod noise;
mod outside;
mod proof;
