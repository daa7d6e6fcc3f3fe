//! What plugins measured, and how: so that a decision can be replayed without them.

use serde::{Deserialize, Serialize};

use super::Cohort;
use crate::{Count, Digest, Instant, Name, Text};

/// What came of one call of a plugin. [`Engine::measure`](crate::Engine::measure) leaves it beside the observation
/// that it put into the interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginObservation {
    /// The metric of the policy.
    pub metric: Name,
    /// Whose traffic was measured.
    pub cohort: Cohort,
    /// The start of the interval.
    pub start: Instant,
    /// The digest of the plugin's bytes; nothing for code of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Digest>,
    /// What ran it, with everything that the result may depend on.
    pub engine: Text,
    /// How much of its budget was spent, in units of the engine; nothing where nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<Count>,
    /// What came out.
    pub outcome: PluginOutcome,
}

/// What came out of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum PluginOutcome {
    /// A finite value.
    Value(f64),
    /// Bad events of all events.
    Counts {
        /// Bad events, at most `total`.
        bad: Count,
        /// All events.
        total: Count,
    },
    /// The plugin said why nothing can be said.
    Rejected {
        /// In its words.
        message: Text,
    },
    /// It failed.
    Faulted {
        /// In what way.
        fault: PluginFault,
        /// More about it.
        detail: Text,
    },
}

/// In what way a plugin failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PluginFault {
    /// It used up its budget of fuel.
    OutOfFuel,
    /// It did something that it may not: `unreachable`, a division by zero, an access outside its memory.
    Trap,
    /// It wanted more memory, or larger tables, than it may have.
    Memory,
    /// It nested its calls too deeply.
    Stack,
    /// What it returned has not the promised form, is too large, or is no number.
    BadOutput,
    /// What it would have to be given is too large.
    BadInput,
    /// It took too long by the clock. Unlike the others this may not happen again.
    Deadline,
    /// The host has not loaded it, or could not run it.
    NotLoaded,
}

impl PluginFault {
    /// Whether the same call could end otherwise: then nothing speaks against the plugin, nor against the release.
    #[must_use]
    pub const fn is_of_the_host(self) -> bool {
        matches!(self, Self::Deadline | Self::NotLoaded)
    }

    /// The fault in words, for sentences.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfFuel => "it used up its fuel",
            Self::Trap => "it trapped",
            Self::Memory => "it wanted too much memory",
            Self::Stack => "it nested its calls too deeply",
            Self::BadOutput => "its result cannot be used",
            Self::BadInput => "its input is too large",
            Self::Deadline => "it took too long by the clock",
            Self::NotLoaded => "it could not be run",
        }
    }
}
