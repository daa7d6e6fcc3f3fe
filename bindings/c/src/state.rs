//! What must survive between two decisions.

use std::sync::Arc;

use davy::State;

use crate::bytes::{davy_buffer, davy_bytes};
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, free, give, handle, put};

/// What must survive between two decisions: opaque, small, versioned.
pub struct davy_state(pub(crate) Handle<Arc<State>>);

handle!(davy_state, Arc<State>);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_state_free(handle: *mut davy_state) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// The state before the first decision about a service.
///
/// # Safety
/// `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_state_new(out: *mut *mut davy_state) -> *mut davy_error {
    // SAFETY: the caller's promise.
    answer(|| unsafe { give(out, davy_state::new(Arc::new(State::new()))) })
}

/// Reads a state that `davy_state_to_json` wrote.
///
/// # Safety
/// The bytes are readable; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_state_from_json(json: davy_bytes, out: *mut *mut davy_state) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let json = unsafe { json.get() }?;
        let state = davy_state::new(Arc::new(State::from_json(json)?));
        // SAFETY: the caller's promise.
        unsafe { give(out, state) }
    })
}

/// The state as compact JSON.
///
/// # Safety
/// `state` is a state of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_state_to_json(state: *const davy_state, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let state = unsafe { borrow(state, "the state") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(state.to_json())) }
    })
}

/// The state that the next release, or the next attempt, of the same service begins with.
///
/// # Safety
/// `state` is a state of this library; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_state_next_release(
    state: *const davy_state,
    out: *mut *mut davy_state,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let state = unsafe { borrow(state, "the state") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_state::new(Arc::new(state.next_release()))) }
    })
}
