//! The engine: a bundle compiled once and asked often.

use std::sync::Arc;

use davy::Engine;

use crate::bundle::davy_bundle;
use crate::bytes::davy_buffer;
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, free, give, handle, put};
use crate::sized::{self, Grows};
use crate::snapshot::davy_snapshot;
use crate::state::davy_state;
use crate::step::{Decided, davy_step};

/// Options of an engine. Set `size` to `sizeof(davy_engine_options)` and everything else to zero, then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_engine_options {
    /// The size of this structure as the caller knows it, in bytes.
    pub size: usize,
}

// SAFETY: in C's layout, the size first, and nothing but numbers.
unsafe impl Grows for davy_engine_options {}

/// What a bundle says, ready to decide.
pub struct davy_engine(pub(crate) Handle<Arc<Engine>>);

handle!(davy_engine, Arc<Engine>);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_engine_free(handle: *mut davy_engine) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Compiles what a bundle says. The bundle may be freed afterwards. `options` may be null.
///
/// # Safety
/// `bundle` is a bundle of this library; `options` is null or points at options of the size that they say; `out` points at room for
/// a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_engine_new(
    bundle: *const davy_bundle,
    options: *const davy_engine_options,
    out: *mut *mut davy_engine,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bundle = unsafe { borrow(bundle, "the bundle") }?.0.get()?;
        // SAFETY: the caller's promise.
        let davy_engine_options { size: _ } = unsafe { sized::read(options) }?;
        let engine = Engine::builder(bundle).rules(davy_rules::languages()).build()?;
        let engine = davy_engine::new(Arc::new(engine));
        // SAFETY: the caller's promise.
        unsafe { give(out, engine) }
    })
}

/// Decides. What cannot be evaluated is a finding that holds. All three inputs stay as they are and may be freed before the step.
///
/// # Safety
/// The handles are handles of this library; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_decide(
    engine: *const davy_engine,
    state: *const davy_state,
    snapshot: *const davy_snapshot,
    out: *mut *mut davy_step,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let prior = unsafe { borrow(state, "the state") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        let step = engine.decide(prior, snapshot);
        let decided = Decided {
            decision: step.decision,
            state: Arc::new(step.state),
            engine: Arc::clone(engine),
            prior: Arc::clone(prior),
            snapshot: Arc::clone(snapshot),
        };
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_step::new(decided)) }
    })
}

/// What to fetch for the next decision, as a JSON list. Of the snapshot, the release, what is asked, the stage and the time count.
///
/// # Safety
/// The handles are handles of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_requirements(
    engine: *const davy_engine,
    state: *const davy_state,
    snapshot: *const davy_snapshot,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let state = unsafe { borrow(state, "the state") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        let wanted = engine.requirements(state, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now);
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&wanted)?)) }
    })
}

/// Panics while it holds the snapshot for itself, so that a test can see what becomes of it.
///
/// # Safety
/// `snapshot` is a snapshot of this library that no other thread uses meanwhile.
#[cfg(feature = "panic-for-tests")]
#[unsafe(no_mangle)]
#[expect(clippy::panic, reason = "that is what it is for")]
pub unsafe extern "C" fn davy_panic_for_tests(snapshot: *mut davy_snapshot) -> *mut davy_error {
    // SAFETY: the caller's promise.
    unsafe { crate::handle::change(snapshot, |_| panic!("a panic for tests")) }
}
