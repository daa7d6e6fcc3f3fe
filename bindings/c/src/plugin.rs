//! WebAssembly plugins, run before a decision.

use std::sync::Arc;

use ::davy_plugins::{Cache, Limits, PluginHost};
use davy::plugin::Plugins;

use crate::bundle::davy_bundle;
use crate::bytes::davy_bytes;
use crate::engine::davy_engine;
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, change, free, give, handle};
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
pub struct davy_plugins(pub(crate) Handle<Plugins>);

handle!(davy_plugins, Plugins);

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
        // SAFETY: the caller's promise.
        let cache = unsafe { options.cache.text() }?;
        if !cache.is_empty() {
            host = host.cache(Cache::new(cache)?);
        }
        let plugins = davy_plugins::new(host.build()?.load(bundle)?);
        // SAFETY: the caller's promise.
        unsafe { give(out, plugins) }
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
        ::davy_plugins::measure(engine, plugins, Arc::make_mut(snapshot));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { change(snapshot, measure) }
}
