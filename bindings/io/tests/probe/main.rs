//! Flows over real connections: against a service of our own that can do everything wrong, nginx, and a login service.
//! Everything is on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod exchanges;
mod guard;
mod journeys;
mod nginx;
mod oidc;
mod proxies;
mod secrecy;
mod server;
mod service;
mod support;
mod tls;
