//! Change windows and freezes: what they do to a change, when that turns, and when each is open.

use davy::Instant;

use crate::bytes::davy_buffer;
use crate::engine::davy_engine;
use crate::error::davy_error;
use crate::handle::{answer, borrow, put};
use crate::snapshot::davy_snapshot;

/// What change windows do to what the snapshot asks at its time, as the JSON that `davy calendar explain --format json` prints, on one
/// line; `null` for `keep`, which no window is in the way of. A service or an environment that the policy says nothing of is an error
/// of kind `DAVY_USAGE`, here and below.
///
/// # Safety
/// The handles are handles of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_calendar_explain(
    engine: *const davy_engine,
    snapshot: *const davy_snapshot,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&engine.explain_windows(snapshot)?)?)) }
    })
}

/// How what the snapshot asks fares from its time on, as the JSON list of `davy calendar next --format json`: every turn up to
/// `until_ms`, milliseconds since 1970 UTC; where that is 0, the next opening and when it closes. Empty for `keep`. More than
/// 10 000 are an error of kind `DAVY_USAGE`.
///
/// # Safety
/// The handles are handles of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_calendar_next(
    engine: *const davy_engine,
    snapshot: *const davy_snapshot,
    until_ms: i64,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        let until = (until_ms != 0).then(|| Instant::from_millis(until_ms));
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&engine.next_windows(snapshot, until)?)?)) }
    })
}

/// When the windows that concern the snapshot's release, or may, are open from its time up to `until_ms`, milliseconds since 1970 UTC,
/// as the JSON list that `davy calendar list --format json` prints under `spans`. More than 20 000 are an error of kind `DAVY_USAGE`.
///
/// # Safety
/// The handles are handles of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_calendar_list(
    engine: *const davy_engine,
    snapshot: *const davy_snapshot,
    until_ms: i64,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "the engine") }?.0.get()?;
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        let spans = engine.list_windows(snapshot, Instant::from_millis(until_ms))?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&spans)?)) }
    })
}
