//! The engine: its configuration, which is part of what results depend on, and what it has loaded.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use davy::Digest;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::cache::Cache;
use crate::error::PluginError;
use crate::limits::{Limits, MOST_MEMORIES, MOST_PARTS};
use crate::load::Plugin;
use crate::ticker::Ticker;

/// How many calls the pool has room for at once. More wait, as long as their deadline allows.
const SLOTS: u32 = 64;
/// How many touched bytes of a memory or table an unused slot may keep.
const KEPT: usize = 1 << 20;

/// Loads and runs plugins. Cheap to clone; clones share what they loaded.
#[derive(Clone)]
pub struct PluginHost {
    pub(crate) inner: Arc<Inner>,
}

/// Settings of a [`PluginHost`].
#[derive(Debug, Default)]
pub struct PluginHostBuilder {
    limits: Limits,
    cache: Option<Cache>,
    on_demand: bool,
    interpreted: bool,
}

pub(crate) struct Inner {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) cache: Option<Cache>,
    loaded: Mutex<BTreeMap<Digest, Weak<Plugin>>>,
}

/// What calls need.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) ticker: Ticker,
    /// Everything that compiled code depends on. Limits are no part of it: they are checked while it runs.
    pub(crate) config: Digest,
    /// Name and version, for the record.
    pub(crate) name: String,
    pub(crate) pooled: bool,
}

impl PluginHost {
    /// A host with the default limits that keeps no compiled code.
    ///
    /// # Errors
    /// [`PluginError::Engine`] where WebAssembly cannot be run.
    pub fn new() -> Result<Self, PluginError> {
        Self::builder().build()
    }

    /// A host with settings of one's own.
    #[must_use]
    pub fn builder() -> PluginHostBuilder {
        PluginHostBuilder::default()
    }

    /// The limits of its plugins.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.runtime.limits
    }

    /// What runs the plugins, with everything that results depend on: its version, the processor, and a fingerprint of
    /// both, of the engine's settings and of the [`Limits`]. Two limits are left out: the deadline, whose trip is no
    /// result, and the size of components, which are loaded or are not. So is whether instances come from a pool.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.inner.runtime.name
    }

    /// Whether instances come from a pool. Where the machine cannot reserve its address space they are made on
    /// demand: slower, with the same results.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.inner.runtime.pooled
    }

    /// A plugin that was loaded and is still in use, or a new one.
    pub(crate) fn loaded(
        &self,
        digest: Digest,
        load: impl FnOnce() -> Result<Plugin, PluginError>,
    ) -> Result<Arc<Plugin>, PluginError> {
        let known = || self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = known().get(&digest).and_then(Weak::upgrade) {
            return Ok(plugin);
        }
        // Compiling takes long, and others may want other plugins meanwhile.
        let plugin = Arc::new(load()?);
        let mut all = known();
        all.retain(|_, plugin| plugin.strong_count() > 0);
        all.insert(digest, Arc::downgrade(&plugin));
        Ok(plugin)
    }
}

impl PluginHostBuilder {
    /// What plugins may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps compiled code here, for the next process.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Makes instances on demand instead of from a pool: less address space, slower calls.
    #[must_use]
    pub const fn on_demand(mut self) -> Self {
        self.on_demand = true;
        self
    }

    /// Interprets plugins instead of compiling them to machine code, with the same results: about 12 times slower.
    #[cfg(feature = "pulley")]
    #[must_use]
    pub const fn interpreted(mut self) -> Self {
        self.interpreted = true;
        self
    }

    /// The host.
    ///
    /// # Errors
    /// [`PluginError::Engine`] where WebAssembly cannot be run.
    pub fn build(self) -> Result<PluginHost, PluginError> {
        let pooled = (!self.on_demand).then(|| self.engine(true).ok()).flatten();
        let is_pooled = pooled.is_some();
        let engine = match pooled {
            Some(engine) => engine,
            None => self.engine(false).map_err(|error| PluginError::Engine(format!("{error:#}")))?,
        };
        let config = of_code(&engine);
        let runner = if self.interpreted { "interpreted" } else { std::env::consts::ARCH };
        // The exact version, every setting and the limits are in the fingerprint.
        let results = of_results(config, &self.limits).to_string();
        let short: String = results.chars().skip("sha256:".len()).take(16).collect();
        let name = format!("wasmtime 48 {runner} {short}");
        let runtime =
            Runtime { engine, limits: self.limits, ticker: Ticker::default(), config, name, pooled: is_pooled };
        let inner = Inner { runtime: Arc::new(runtime), cache: self.cache, loaded: Mutex::default() };
        Ok(PluginHost { inner: Arc::new(inner) })
    }

    fn engine(&self, pooled: bool) -> wasmtime::Result<Engine> {
        let mut config = Config::new();
        // Part of the contract: the same input, the same bits, the same fuel.
        config.cranelift_nan_canonicalization(true);
        config.consume_fuel(true);
        config.epoch_interruption(true);
        config.wasm_relaxed_simd(false);
        config.wasm_memory64(false);
        config.wasm_component_model(true);
        config.max_wasm_stack(self.limits.stack);
        config.cranelift_opt_level(OptLevel::Speed);
        if self.interpreted {
            config.target("pulley64")?;
        }
        if pooled {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_component_instances(SLOTS)
                .total_core_instances(SLOTS * 4)
                .total_memories(SLOTS * 2)
                .total_tables(SLOTS * 4)
                .max_core_instances_per_component(MOST_PARTS)
                .max_tables_per_component(MOST_PARTS)
                .max_tables_per_module(MOST_PARTS)
                .max_memories_per_component(MOST_MEMORIES)
                .max_memories_per_module(MOST_MEMORIES)
                .max_component_instance_size(4 << 20)
                .max_core_instance_size(4 << 20)
                .max_memory_size(self.limits.memory)
                .table_elements(self.limits.table_elements)
                .max_unused_warm_slots(8);
            // Where the kernel tells which pages a call touched, they alone are reset, in place: the next call finds
            // them zeroed and mapped, and takes no page faults.
            if PoolingAllocationConfig::is_pagemap_scan_available() {
                pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEPT).table_keep_resident(KEPT);
            }
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        Engine::new(&config)
    }
}

/// What results depend on: the code, and what ends a call.
fn of_results(config: Digest, limits: &Limits) -> Digest {
    let Limits { fuel, deadline: _, memory, table_elements, stack, output, component: _ } = limits;
    let sizes = [memory, table_elements, stack, output];
    let mut bytes = config.as_bytes().to_vec();
    bytes.extend(fuel.to_le_bytes());
    sizes.iter().for_each(|size| bytes.extend((**size as u64).to_le_bytes()));
    Digest::of(&bytes)
}

/// What compiled code depends on: version, target and settings.
fn of_code(engine: &Engine) -> Digest {
    struct Bytes(Vec<u8>);
    impl Hasher for Bytes {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }
    let mut bytes = Bytes(Vec::new());
    engine.precompile_compatibility_hash().hash(&mut bytes);
    Digest::of(&bytes.0)
}

impl fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHost").field("engine", &self.engine()).field("pooled", &self.is_pooled()).finish()
    }
}
