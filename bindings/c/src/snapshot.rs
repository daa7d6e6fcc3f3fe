//! What a host observed.

use std::sync::Arc;

use davy::{Duration, Series, Snapshot};

use crate::bytes::{davy_buffer, davy_bytes};
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, change, free, give, handle, put};
use crate::series::davy_series;
use crate::sized;

/// Everything that the host observed of a release, the time included.
pub struct davy_snapshot(pub(crate) Handle<Arc<Snapshot>>);

handle!(davy_snapshot, Arc<Snapshot>);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_snapshot_free(handle: *mut davy_snapshot) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Reads a snapshot from JSON.
///
/// # Safety
/// The bytes are readable; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_snapshot_from_json(json: davy_bytes, out: *mut *mut davy_snapshot) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let json = unsafe { json.get() }?;
        let snapshot = davy_snapshot::new(Arc::new(Snapshot::from_json(json)?));
        // SAFETY: the caller's promise.
        unsafe { give(out, snapshot) }
    })
}

/// Adds the intervals that `count` series describe together, each `every_ms` milliseconds long; no JSON is involved. Where one is
/// wrong, none is added.
///
/// # Safety
/// `snapshot` is a snapshot of this library that no other thread uses meanwhile; `series` points at `count` series whose columns are
/// as long as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_snapshot_add_series(
    snapshot: *mut davy_snapshot,
    every_ms: u64,
    series: *const davy_series,
    count: usize,
) -> *mut davy_error {
    let add = |snapshot: &mut Arc<Snapshot>| {
        // SAFETY: the caller's promise.
        let series = unsafe { sized::read_all(series, count) }?;
        // SAFETY: the caller's promise.
        let series = series.iter().map(|one| unsafe { one.view() }).collect::<Result<Vec<_>, _>>()?;
        let intervals = Series::intervals(Duration::from_millis(every_ms), &series)?;
        Arc::make_mut(snapshot).intervals.extend(intervals);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { change(snapshot, add) }
}

/// The snapshot as compact JSON.
///
/// # Safety
/// `snapshot` is a snapshot of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_snapshot_to_json(
    snapshot: *const davy_snapshot,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let snapshot = unsafe { borrow(snapshot, "the snapshot") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(snapshot.as_ref())?)) }
    })
}
