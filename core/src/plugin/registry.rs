//! The plugins that a host has loaded, by what policies call them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{MetricPlugin, StepPlugin};
use crate::{Digest, Name};

/// The plugins that a host has loaded: WebAssembly by its digest, the host's own code by name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Plugins {
    metrics: BTreeMap<PluginKey, Arc<dyn MetricPlugin>>,
    steps: BTreeMap<PluginKey, Arc<dyn StepPlugin>>,
}

/// How a policy names a plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PluginKey {
    /// The bytes with this digest.
    Pinned(Digest),
    /// Code of the host.
    Native(Name),
}

impl Plugins {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metric of the host's own code, for `plugin: { native: NAME }`.
    #[must_use]
    pub fn native(mut self, name: Name, metric: impl MetricPlugin + 'static) -> Self {
        self.metrics.insert(PluginKey::Native(name), Arc::new(metric));
        self
    }

    /// Adds a metric whose bytes have this digest.
    #[must_use]
    pub fn pinned(mut self, digest: Digest, metric: Arc<dyn MetricPlugin>) -> Self {
        self.metrics.insert(PluginKey::Pinned(digest), metric);
        self
    }

    /// Adds a step of the host's own code, for `wasm: { native: NAME }`.
    #[must_use]
    pub fn native_step(mut self, name: Name, step: impl StepPlugin + 'static) -> Self {
        self.steps.insert(PluginKey::Native(name), Arc::new(step));
        self
    }

    /// Adds a step whose bytes have this digest.
    #[must_use]
    pub fn pinned_step(mut self, digest: Digest, step: Arc<dyn StepPlugin>) -> Self {
        self.steps.insert(PluginKey::Pinned(digest), step);
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.steps.is_empty()
    }

    /// These and those of another; where both have one of the same name, the other's.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.metrics.extend(other.metrics);
        self.steps.extend(other.steps);
        self
    }

    /// The step whose bytes have this digest.
    #[must_use]
    pub fn step(&self, digest: Digest) -> Option<&Arc<dyn StepPlugin>> {
        self.steps.get(&PluginKey::Pinned(digest))
    }

    /// The step of the host's own code.
    pub(crate) fn step_native(&self, name: &Name) -> Option<&Arc<dyn StepPlugin>> {
        self.steps.get(&PluginKey::Native(name.clone()))
    }

    pub(crate) fn metric(&self, key: &PluginKey) -> Option<&dyn MetricPlugin> {
        self.metrics.get(key).map(Arc::as_ref)
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins")
            .field("metrics", &self.metrics.keys().collect::<Vec<_>>())
            .field("steps", &self.steps.keys().collect::<Vec<_>>())
            .finish()
    }
}
