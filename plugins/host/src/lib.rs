//! WebAssembly plugins for davy: metrics and probe steps of the users' own, in the language they like.
//!
//! A plugin is a component of one of the worlds in `plugins/wit`: it exports functions, imports nothing, and so can
//! reach nothing: no clock, no files, no network, no randomness. Every call runs in a fresh instance, within a
//! budget of fuel and memory; the same input gives the same bits and spends the same fuel, wherever it runs.
//!
//! ```
//! use davy::{Bundle, Decision, Engine, Snapshot, State};
//! use davy_plugins::{PluginError, PluginHost};
//!
//! fn decide(bundle: &Bundle, state: &State, mut snapshot: Snapshot) -> Result<Decision, PluginError> {
//!     let host = PluginHost::new()?;                   // once per process
//!     let plugins = host.load(bundle)?;                // checked against the bundle, compiled once
//!     let engine = Engine::new(bundle);
//!     davy_plugins::measure(&engine, &plugins, &mut snapshot);
//!     Ok(engine.decide(state, &snapshot).decision)
//! }
//! ```
//!
//! # What is guaranteed, and what is not
//!
//! - Fuel, memory, tables, stack, inputs and outputs are bounded by [`Limits`]; each limit has its fault. Compiling
//!   is bounded by the size of the component alone: load plugins when policies are loaded, not when one decides.
//! - A trip of the clock ([`Limits::deadline`]) is a fault of the host, not of the plugin: it holds, and the same
//!   call may succeed the next time. Fuel runs out first unless the machine is very slow.
//! - How deep calls may nest is counted in bytes of the native stack, and so depends on the engine's version and the
//!   processor. Both are in [`Metric::engine`], which observations carry.
//! - A process may fork: the thread that watches the clock begins anew in the child. As everywhere, it must not fork
//!   while another thread is within a call.

mod bindings;
#[cfg(feature = "build")]
pub mod build;
mod bundle;
mod cache;
mod call;
mod description;
mod engine;
mod error;
mod fit;
mod limits;
mod load;
mod metric;
mod schema;
mod step;
mod ticker;

pub use cache::Cache;
pub use description::{Description, Input, World};
pub use engine::{PluginHost, PluginHostBuilder};
pub use error::{PluginError, SchemaError};
pub use limits::Limits;
pub use load::Plugin;
pub use metric::Metric;
pub use schema::Schema;
pub use step::Step;

/// The version of the worlds that this crate runs: components of another one are refused by name.
pub const WORLD_VERSION: &str = "0.1.0";

/// Runs the plugins over the closed intervals of the snapshot and leaves what they measured in it: see
/// [`davy::Engine::measure`].
pub fn measure(engine: &davy::Engine, plugins: &davy::plugin::Plugins, snapshot: &mut davy::Snapshot) {
    engine.measure(plugins, snapshot);
}
