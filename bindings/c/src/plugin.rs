//! WebAssembly plugins, run before a decision.

use std::sync::{Arc, Mutex, PoisonError};

use ::davy_plugins::{Cache, Limits, PluginError, PluginHost};
use davy::plugin::Plugins;
use davy::probe::{Event, StepTurn};

use crate::bundle::davy_bundle;
use crate::bytes::{davy_buffer, davy_bytes};
use crate::engine::davy_engine;
use crate::error::{Error, davy_error};
use crate::handle::{Handle, answer, borrow, change, free, give, handle, put};
use crate::sized::{self, Grows};
use crate::snapshot::davy_snapshot;

/// Options of plugins. Set `size` to `sizeof(davy_plugins_options)` and everything else to zero, then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_plugins_options {
    /// The size of this structure as the caller knows it, in bytes.
    pub size: usize,
    /// Not zero: plugins have the fuel, time, memory and size that those of Python and JavaScript need.
    pub interpreters: u32,
    /// A folder for compiled code, closed to other users, as a path; empty to keep none.
    pub cache: davy_bytes,
}

// SAFETY: in C's layout, the size first, and nothing but numbers and pointers.
unsafe impl Grows for davy_plugins_options {}

/// The WebAssembly plugins of a bundle, compiled and held against its documents.
pub struct davy_plugins(pub(crate) Handle<Loaded>);

/// Plugins, and what kept their code from being kept or used.
pub(crate) struct Loaded {
    plugins: Plugins,
    warnings: Vec<String>,
}

handle!(davy_plugins, Loaded);

/// Frees them; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_plugins_free(handle: *mut davy_plugins) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Loads the plugins of a bundle, which may be freed afterwards. What does not fit the documents that use it is an error, with its
/// place. `options` may be null.
///
/// # Safety
/// `bundle` is a bundle of this library; `options` is null or points at options of the size that they say; `out` points at room for
/// a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_plugins_new(
    bundle: *const davy_bundle,
    options: *const davy_plugins_options,
    out: *mut *mut davy_plugins,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bundle = unsafe { borrow(bundle, "the bundle") }?.0.get()?;
        // SAFETY: the caller's promise.
        let options = unsafe { sized::read(options) }?;
        let limits = if options.interpreters == 0 { Limits::DEFAULT } else { Limits::INTERPRETERS };
        let mut host = PluginHost::builder().limits(limits);
        let warnings: Arc<Mutex<Vec<String>>> = Arc::default();
        // SAFETY: the caller's promise.
        let cache = unsafe { options.cache.text() }?;
        if !cache.is_empty() {
            let heard = Arc::clone(&warnings);
            let tell = move |fault: &PluginError| {
                let (mut known, fault) = (heard.lock().unwrap_or_else(PoisonError::into_inner), fault.to_string());
                // The folder is the same for every plugin.
                if !known.contains(&fault) {
                    known.push(fault);
                }
            };
            host = host.cache(Cache::new(cache)?.telling(tell));
        }
        let plugins = host.build()?.load(bundle)?;
        let warnings = std::mem::take(&mut *warnings.lock().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_plugins::new(Loaded { plugins, warnings })) }
    })
}

/// What kept compiled code from being kept in the folder of the options, or from being used because it is not what was kept: a JSON
/// list of texts, each of which begins with its code, `W015` or `W017`. The plugins were compiled instead, and run as they should.
///
/// # Safety
/// `plugins` are plugins of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_plugins_warnings(plugins: *const davy_plugins, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let plugins = unsafe { borrow(plugins, "the plugins") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&plugins.warnings)?)) }
    })
}

/// Runs the plugins over the closed intervals of the snapshot and leaves in it what they measured: call it before `davy_decide`.
/// What is there already stays. A plugin that fails measures nothing, and its metric holds.
///
/// # Safety
/// `engine` and `plugins` are handles of this library; `snapshot` is a snapshot of this library that no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_measure(
    engine: *const davy_engine,
    plugins: *const davy_plugins,
    snapshot: *mut davy_snapshot,
) -> *mut davy_error {
    let measure = |snapshot: &mut Arc<davy::Snapshot>| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let plugins = unsafe { borrow(plugins, "the plugins") }?.0.get()?;
        ::davy_plugins::measure(engine, &plugins.plugins, Arc::make_mut(snapshot));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { change(snapshot, measure) }
}

/// Takes a turn of a custom step. `turn` is what `davy_probe_run_poll` gave as `{"effect":[id,{"turn":{…}}]}`, that is the object behind
/// `turn`; what comes out is the event for `davy_probe_run_handle`. A plugin that fails is in it, as the prober's fault.
///
/// # Safety
/// `plugins` are plugins of this library; the bytes are readable; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_turn(
    plugins: *const davy_plugins,
    turn: davy_bytes,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let plugins = unsafe { borrow(plugins, "the plugins") }?.0.get()?;
        // SAFETY: the caller's promise.
        let turn = unsafe { turn.get() }?;
        let turn: StepTurn = serde_json::from_slice(turn).map_err(|error| Error::probe(format!("no turn: {error}")))?;
        let event = Event::Turned(Box::new(plugins.plugins.turn(&turn)));
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&event)?)) }
    })
}
