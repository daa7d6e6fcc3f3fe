//! Sealed decisions.

use davy::Record;

use crate::bytes::{davy_buffer, davy_bytes};
use crate::engine::davy_engine;
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, free, give, handle, put};
use crate::snapshot::davy_snapshot;
use crate::state::davy_state;

/// A sealed decision: canonical bytes that bind it to its inputs.
pub struct davy_record(pub(crate) Handle<Record>);

handle!(davy_record, Record);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_record_free(handle: *mut davy_record) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Reads the canonical bytes of a record.
///
/// # Safety
/// The bytes are readable; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_record_from_bytes(bytes: davy_bytes, out: *mut *mut davy_record) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bytes = unsafe { bytes.get() }?;
        let record = davy_record::new(Record::from_bytes(bytes)?);
        // SAFETY: the caller's promise.
        unsafe { give(out, record) }
    })
}

/// The canonical bytes; they live as long as the record.
///
/// # Safety
/// `record` is a record of this library; `out` points at room for bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_record_bytes(record: *const davy_record, out: *mut davy_bytes) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let record = unsafe { borrow(record, "the record") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_bytes::of(record.bytes())) }
    })
}

/// The digest of the bytes, as text.
///
/// # Safety
/// `record` is a record of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_record_digest(record: *const davy_record, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let record = unsafe { borrow(record, "the record") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(record.digest().to_string().into_bytes())) }
    })
}

/// Decides again from the same inputs and compares every byte.
///
/// # Safety
/// The handles are handles of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_record_replay(
    record: *const davy_record,
    engine: *const davy_engine,
    prior: *const davy_state,
    snapshot: *const davy_snapshot,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let record = unsafe { borrow(record, "the record") }?.0.get()?;
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let prior = unsafe { borrow(prior, "the state") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        Ok(record.replay(engine, prior, snapshot)?)
    })
}
