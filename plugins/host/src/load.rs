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
use crate::limits::{Limit, Limits, MOST_MEMORIES, MOST_PARTS};
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
        check_bytes(bytes, &runtime.limits)?;
        let component = self.compiled(bytes, digest)?;
        check_parts(&component)?;
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
        let runtime = &self.inner.runtime;
        let compile = || {
            let compiled = Component::from_binary(&runtime.engine, bytes);
            compiled.map_err(|error| invalid(format!("{error:#}"), &runtime.limits))
        };
        let Some(cache) = &self.inner.cache else { return compile() };
        let spoilt = match cache.get(&runtime.engine, digest, runtime.config) {
            Ok(Some(component)) => return Ok(component),
            Ok(None) => None,
            Err(spoilt) => Some(spoilt),
        };
        // Where this fails, the code was not spoilt: other limits refuse the component.
        let component = compile()?;
        let kept = cache.put(&component, digest, runtime.config).err();
        spoilt.iter().chain(&kept).for_each(|fault| cache.tell(fault));
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

fn check_bytes(bytes: &[u8], limits: &Limits) -> Result<(), PluginError> {
    let limit = limits.component;
    if bytes.len() > limit {
        let way_out = Limit::Component.way_out(limits);
        return Err(PluginError::TooLarge { bytes: bytes.len(), limit, way_out });
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

/// Why the engine does not take a component: its code is not valid, or asks for more than there is for it. The engine has
/// one kind of error for both, and words of its own for the second.
fn invalid(why: String, limits: &Limits) -> PluginError {
    let says = |words: &str| why.contains(words);
    let way_out = if says("minimum byte size of") {
        Limit::Memory.way_out(limits)
    } else if says("minimum element size of") {
        Limit::TableElements.way_out(limits)
    } else if says("exceeds the configured maximum") || says("per-instance limit") || says("resource limit exceeded") {
        parts()
    } else {
        return PluginError::Invalid(why);
    };
    PluginError::TooMuch { why, way_out }
}

/// More than a component may have of them helps nobody.
fn parts() -> String {
    format!(
        "a plugin may have {MOST_PARTS} core instances, {MOST_PARTS} tables and {MOST_MEMORIES} memories: link its parts \
         into fewer modules"
    )
}

/// Where instances are not from a pool, the engine counts only when one is made.
fn check_parts(component: &Component) -> Result<(), PluginError> {
    let Some(needed) = component.resources_required() else { return Ok(()) };
    let (memories, tables) = (needed.num_memories, needed.num_tables);
    if memories <= MOST_MEMORIES && tables <= MOST_PARTS {
        return Ok(());
    }
    Err(PluginError::TooMuch { why: format!("{memories} memories and {tables} tables"), way_out: parts() })
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
        // Types are compared, and parts counted, when the instance is made.
        PluginFault::NotLoaded => match invalid(detail, &runtime.limits) {
            PluginError::Invalid(detail) => PluginError::WorldType(detail),
            too_much => too_much,
        },
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
