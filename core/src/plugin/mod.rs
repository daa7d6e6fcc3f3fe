//! What a plugin is: a function of what was observed, run before the decision.
//!
//! A policy may measure a metric by a plugin, and a probe flow may hand a step to one. What runs plugins is the
//! host's business: the crate `davy-plugins` runs WebAssembly, and closures of the host's own language are plugins
//! too. [`Engine::measure`](crate::Engine::measure) calls them and leaves their results in the snapshot, where
//! decisions and replays find them; neither ever calls a plugin.
//!
//! ```
//! use davy::plugin::{Measured, MetricInput, Plugins};
//!
//! let apdex = |input: &MetricInput<'_>| -> Result<Measured, String> {
//!     let latest = input.series.first().ok_or("no requests")?;
//!     Ok(Measured::Value(latest.gauges().last().copied().unwrap_or(1.0)))
//! };
//! let plugins = Plugins::new().native("apdex".parse()?, apdex);
//! # let _ = plugins;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod measure;
mod metric;
mod named;
mod registry;
mod step;
mod used;

pub use metric::{Data, Evaluated, Measured, MetricInput, MetricPlugin, NoResult, Series};
pub use named::named_components;
pub(crate) use registry::PluginKey;
pub use registry::Plugins;
pub use step::{
    StepAction, StepCapture, StepCheck, StepConclusion, StepEvent, StepOutcome, StepPlugin, StepRequest, StepResponse,
    StepSituation, Turned,
};

pub use used::{MetricUse, StepUse};

pub use crate::document::{Form, Measures};
pub use crate::snapshot::{PluginFault, PluginObservation, PluginOutcome};
