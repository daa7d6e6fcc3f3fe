//! From bytes to a plugin: everything about it that can be wrong is found here, before anything depends on it.

use std::fmt;
use std::sync::Arc;

use davy::Digest;
use davy::plugin::PluginFault;
use wasmtime::component::{Component, Linker, types::ComponentItem};

use crate::WORLD_VERSION;
use crate::bindings;
use crate::call::{Called, Meter, call};
use crate::description::{Description, World};
use crate::engine::{PluginHost, Runtime};
use crate::error::PluginError;
use crate::metric::Metric;
use crate::step::Step;

/// What names of davy's exports begin with.
const PACKAGE: &str = "davy:plugin/";

/// A plugin that was loaded: checked, compiled and asked what it is.
pub struct Plugin {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) code: Code,
    digest: Digest,
    description: Description,
}

/// The compiled world, its exports looked up.
pub(crate) enum Code {
    Metric(bindings::metric::MetricPre<Meter>),
    Step(bindings::step::ProbeStepPre<Meter>),
}

impl PluginHost {
    /// Loads a plugin from the bytes of its component.
    ///
    /// The same bytes are compiled once, however often they are loaded, and with a [`Cache`](crate::Cache) once per
    /// machine.
    ///
    /// # Errors
    /// [`PluginError`] for whatever is not a plugin of these worlds, or fails to describe itself.
    pub fn plugin(&self, bytes: &[u8]) -> Result<Arc<Plugin>, PluginError> {
        let digest = Digest::of(bytes);
        self.loaded(digest, || self.new_plugin(bytes, digest))
    }

    fn new_plugin(&self, bytes: &[u8], digest: Digest) -> Result<Plugin, PluginError> {
        let runtime = Arc::clone(&self.inner.runtime);
        check_bytes(bytes, runtime.limits.component)?;
        let component = self.compiled(bytes, digest)?;
        let world = world(&runtime, &component)?;
        let linker = Linker::new(&runtime.engine);
        let wrong = |error: wasmtime::Error| PluginError::WorldType(format!("{error:#}"));
        let pre = linker.instantiate_pre(&component).map_err(wrong)?;
        let code = match world {
            World::Metric => Code::Metric(bindings::metric::MetricPre::new(pre).map_err(wrong)?),
            World::ProbeStep => Code::Step(bindings::step::ProbeStepPre::new(pre).map_err(wrong)?),
        };
        let description = describe(&runtime, &code)?;
        Ok(Plugin { runtime, code, digest, description })
    }

    /// Compiled code, from the cache if it has it.
    fn compiled(&self, bytes: &[u8], digest: Digest) -> Result<Component, PluginError> {
        let (engine, config) = (&self.inner.runtime.engine, self.inner.runtime.config);
        if let Some(component) = self.inner.cache.as_ref().and_then(|cache| cache.get(engine, digest, config)) {
            return Ok(component);
        }
        let component =
            Component::from_binary(engine, bytes).map_err(|error| PluginError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.inner.cache {
            cache.put(&component, digest, config);
        }
        Ok(component)
    }
}

impl Plugin {
    /// The digest of its bytes: what policies pin.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What it says of itself.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// The plugin as a metric.
    ///
    /// # Errors
    /// [`PluginError::OtherWorld`] for a probe step.
    pub fn metric(self: &Arc<Self>) -> Result<Metric, PluginError> {
        Metric::of(self)
    }

    /// The plugin as a probe step.
    ///
    /// # Errors
    /// [`PluginError::OtherWorld`] for a metric.
    pub fn step(self: &Arc<Self>) -> Result<Step, PluginError> {
        Step::of(self)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.digest).field("description", &self.description).finish()
    }
}

fn check_bytes(bytes: &[u8], limit: usize) -> Result<(), PluginError> {
    if bytes.len() > limit {
        return Err(PluginError::TooLarge { bytes: bytes.len(), limit });
    }
    // Compiled code is an ELF file.
    if bytes.starts_with(b"\x7fELF") {
        return Err(PluginError::Precompiled);
    }
    // The layer behind the version: 0 for core modules, 1 for components.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => Err(PluginError::CoreModule),
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        _ => Err(PluginError::NotWasm),
    }
}

fn world(runtime: &Runtime, component: &Component) -> Result<World, PluginError> {
    let types = component.component_type();
    let imports: Vec<String> = types.imports(&runtime.engine).map(|(name, _)| format!("`{}`", plain(name))).collect();
    if !imports.is_empty() {
        return Err(PluginError::Imports { names: imports });
    }
    let instances = types.exports(&runtime.engine);
    let names: Vec<String> = instances
        .filter(|(_, export)| {
            matches!(export.ty, ComponentItem::ComponentInstance(_) | ComponentItem::ComponentFunc(_))
        })
        .map(|(name, _)| plain(name))
        .collect();
    let ours = |interface: &str| {
        let name = format!("{PACKAGE}{interface}@{WORLD_VERSION}");
        names.contains(&name)
    };
    match (ours("measure"), ours("step")) {
        (true, false) => return Ok(World::Metric),
        (false, true) => return Ok(World::ProbeStep),
        (true, true) => return Err(PluginError::WorldType("a plugin is of one world, not of both".to_owned())),
        (false, false) => {}
    }
    if let Some(found) = names.iter().find(|name| name.starts_with(PACKAGE)) {
        return Err(PluginError::WorldVersion { found: found.clone() });
    }
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    let exports = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
    Err(PluginError::NoWorld { exports })
}

/// A name of somebody else's, fit for a terminal.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(128).collect()
}

fn describe(runtime: &Runtime, code: &Code) -> Result<Description, PluginError> {
    let failed = |(fault, detail)| match fault {
        // Types are compared when the instance is made.
        PluginFault::NotLoaded => PluginError::WorldType(detail),
        fault => PluginError::Describe { fault, detail },
    };
    match code {
        Code::Metric(pre) => {
            let described: Called<_> = call(
                runtime,
                |store| pre.instantiate(store),
                |metric, store| metric.davy_plugin_measure().call_describe(store),
            );
            Description::of_metric(described.result.map_err(failed)?)
        }
        Code::Step(pre) => {
            let described: Called<_> = call(
                runtime,
                |store| pre.instantiate(store),
                |step, store| step.davy_plugin_step().call_describe(store),
            );
            Description::of_step(described.result.map_err(failed)?)
        }
    }
}
