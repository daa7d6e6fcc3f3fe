//! One call: a store of its own with its limits, and what became of it.

use std::time::{Duration, Instant};

use davy::plugin::PluginFault;
use wasmtime::{PoolConcurrencyLimitError, ResourceLimiter, Store, Trap};

use crate::engine::Runtime;
use crate::limits::{Limit, Limits, MOST_MEMORIES, MOST_PARTS};
use crate::ticker::epochs;

/// What one store has used.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    memory: usize,
    table_elements: usize,
}

/// A limit on memory or tables that was reached.
#[derive(Debug, thiserror::Error)]
#[error("more than {limit} {what} ({way_out})")]
struct Exceeded {
    what: &'static str,
    limit: usize,
    way_out: String,
}

/// What a call gave, and what it spent.
pub(crate) struct Called<T> {
    pub(crate) result: Result<T, (PluginFault, String)>,
    pub(crate) fuel: u64,
}

/// Makes an instance and calls it. Nothing of it is left afterwards.
pub(crate) fn call<I, T>(
    runtime: &Runtime,
    instantiate: impl Fn(&mut Store<Meter>) -> wasmtime::Result<I>,
    call: impl FnOnce(&I, &mut Store<Meter>) -> wasmtime::Result<T>,
) -> Called<T> {
    let limits = runtime.limits;
    runtime.ticker.ensure(&runtime.engine);
    let began = Instant::now();
    let (mut store, instance) = loop {
        let mut store = match store(runtime) {
            Ok(store) => store,
            Err(error) => return Called { result: Err(fault(&error, Phase::Instantiate, &limits)), fuel: 0 },
        };
        match instantiate(&mut store) {
            Ok(instance) => break (store, instance),
            // Every slot is taken by calls of other threads: they end soon.
            Err(error) if error.is::<PoolConcurrencyLimitError>() && began.elapsed() < limits.deadline => {
                std::thread::sleep(Duration::from_micros(200));
            }
            Err(error) => {
                let fuel = spent(&store, limits);
                return Called { result: Err(fault(&error, Phase::Instantiate, &limits)), fuel };
            }
        }
    };
    let result = call(&instance, &mut store).map_err(|error| fault(&error, Phase::Call, &limits));
    Called { result, fuel: spent(&store, limits) }
}

fn store(runtime: &Runtime) -> wasmtime::Result<Store<Meter>> {
    let meter = Meter { limits: runtime.limits, memory: 0, table_elements: 0 };
    let mut store = Store::new(&runtime.engine, meter);
    store.limiter(|meter| meter);
    store.set_fuel(runtime.limits.fuel)?;
    store.set_epoch_deadline(epochs(runtime.limits.deadline));
    store.set_hostcall_fuel(runtime.limits.output);
    Ok(store)
}

fn spent(store: &Store<Meter>, limits: Limits) -> u64 {
    limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0))
}

/// When something failed.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Instantiate,
    Call,
}

/// What an error of the engine means.
fn fault(error: &wasmtime::Error, phase: Phase, limits: &Limits) -> (PluginFault, String) {
    let detail = format!("{:#}", Flat(error));
    if error.is::<Exceeded>() {
        return (PluginFault::Memory, detail);
    }
    let (fault, limit) = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => (PluginFault::OutOfFuel, Some(Limit::Fuel)),
        Some(Trap::Interrupt) => (PluginFault::Deadline, Some(Limit::Deadline)),
        Some(Trap::StackOverflow) => (PluginFault::Stack, Some(Limit::Stack)),
        Some(_) => (PluginFault::Trap, None),
        // An instance that cannot be made although nothing in it failed: exports of other types, or the host's limits.
        None if phase == Phase::Instantiate => (PluginFault::NotLoaded, None),
        // What is no trap was refused on its way in or out: lengths that lie, text that is none, cases unknown.
        None => (PluginFault::BadOutput, None),
    };
    match limit {
        Some(limit) => (fault, format!("{detail} ({})", limit.way_out(limits))),
        None => (fault, detail),
    }
}

/// The innermost reason, which says most; the frames around it say nothing to users.
struct Flat<'a>(&'a wasmtime::Error);

impl std::fmt::Display for Flat<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.root_cause())
    }
}

impl Meter {
    fn exceeded(&self, what: &'static str, limit: usize, which: Limit) -> wasmtime::Error {
        Exceeded { what, limit, way_out: which.way_out(&self.limits) }.into()
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory = self.memory.saturating_add(desired.saturating_sub(current));
        if self.memory > self.limits.memory {
            return Err(self.exceeded("bytes of memory", self.limits.memory, Limit::Memory));
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // A module's own maximum, which it knows: what `memory.grow` returns then is the same everywhere.
        drop(error);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        if self.table_elements > self.limits.table_elements {
            return Err(self.exceeded("elements of tables", self.limits.table_elements, Limit::TableElements));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        MOST_PARTS as usize
    }

    fn tables(&self) -> usize {
        MOST_PARTS as usize
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES as usize
    }
}
