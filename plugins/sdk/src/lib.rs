//! Plugins for davy, in Rust.
//!
//! A metric is a function from what was observed to a value or counts. This is all of one, apart from its tests:
//!
//! ```
//! use davy_plugin::{Observed, metric, parameters};
//!
//! parameters! {
//!     /// What counts as too full.
//!     pub struct Full {
//!         /// Length of the queue.
//!         limit: f64 = 100.0,
//!     }
//! }
//!
//! metric! {
//!     name: "queue-headroom", measures: value("1"), window: 1,
//!     summary: "How much of the queue is free, from 0 to 1",
//!     inputs: { depth: gauge "Length of the queue" },
//!     fn evaluate(full: &Full, seen: &Observed) -> Result<f64, String> {
//!         let depth = seen.latest_gauge("depth").ok_or("no depth was observed")?;
//!         Ok((1.0 - depth / full.limit).max(0.0))
//!     }
//! }
//! # fn main() {
//! // Natively, without WebAssembly:
//! let seen = Observed::minutes(1).gauge("depth", &[25.0]);
//! assert_eq!(evaluate(r#"{ "limit": 50 }"#, &seen), Ok(0.5.into()));
//! # }
//! ```
//!
//! Built for `wasm32-unknown-unknown` as a `cdylib` and given to `davy plugin build`, it is a component without
//! imports: no clock, no files, no randomness. Each call begins with fresh memory, so statics hold nothing.
//!
//! A probe step is a function from what happened to the next request or the verdict: see [`step!`].

#[cfg(any(test, all(target_arch = "wasm32", feature = "arena", not(target_feature = "atomics"))))]
mod arena;
mod description;
mod json;
mod metric;
mod observed;
mod step;
mod url;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;

pub use description::{Form, Input, Measures, MetricDescription, StepDescription};
pub use json::{Field, Parameters};
pub use metric::{Counts, Outcome};
pub use observed::{Buckets, Data, Histogram, Observed, Series};
pub use step::{Action, Capture, Check, Conclusion, Event, Request, Response, Situation, Verdict};
pub use url::resolve;

#[doc(hidden)]
pub use {serde, serde_json};
