//! Probes as a machine without I/O: C polls, does what it says, and hands in what came of it.

use davy::Instant;
use davy::probe::{EffectId, Inputs, ProbeRun};

use crate::bundle::davy_bundle;
use crate::bytes::{davy_buffer, davy_bytes};
use crate::error::{Error, davy_error};
use crate::handle::{Handle, answer, borrow, change, free, give, handle, put};

/// One run of a flow.
pub struct davy_probe_run(pub(crate) Handle<ProbeRun>);

handle!(davy_probe_run, ProbeRun);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_free(handle: *mut davy_probe_run) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Begins a run of a flow of the bundle against a target, with the seed of its random numbers; two runs must not share one. A recording
/// is kept where `record` is not 0.
///
/// # Safety
/// `bundle` is a bundle of this library; the texts are readable; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_new(
    bundle: *const davy_bundle,
    flow: davy_bytes,
    target: davy_bytes,
    seed: u64,
    record: u8,
    now_ms: i64,
    out: *mut *mut davy_probe_run,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bundle = unsafe { borrow(bundle, "the bundle") }?.0.get()?;
        // SAFETY: the caller's promise.
        let flow = unsafe { flow.text() }?;
        // SAFETY: the caller's promise.
        let target = unsafe { target.text() }?;
        let plan = bundle.probes().get(flow).ok_or_else(|| Error::probe(format!("there is no flow `{flow}`")))?;
        let target = target.parse().map_err(|error: davy::NameError| Error::probe(error.to_string()))?;
        let inputs = Inputs { record: record != 0, ..Inputs::new(target, seed) };
        let run = ProbeRun::new(std::sync::Arc::clone(plan), inputs, Instant::from_millis(now_ms));
        let run = run.map_err(|refused| Error::probe(refused.to_string()))?;
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_probe_run::new(run)) }
    })
}

/// What to do next, as JSON: `{"effect":[id,{…}]}`, `{"wait":{"until":…,"inflight":…}}` or `{"done":{…}}`.
///
/// # Safety
/// `run` is a run of this library that no other thread uses meanwhile; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_poll(
    run: *mut davy_probe_run,
    now_ms: i64,
    out: *mut davy_buffer,
) -> *mut davy_error {
    let poll = |run: &mut ProbeRun| {
        let next = serde_json::to_vec(&run.poll(Instant::from_millis(now_ms)))?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(next)) }
    };
    // SAFETY: the caller's promise.
    unsafe { change(run, poll) }
}

/// Takes what came of an effect, as JSON such as `{"http":{"status":200,"version":"1.1","headers":[],"body":"…"}}`.
///
/// # Safety
/// `run` is a run of this library that no other thread uses meanwhile; the bytes are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_handle(
    run: *mut davy_probe_run,
    now_ms: i64,
    effect: u64,
    event: davy_bytes,
) -> *mut davy_error {
    let handle = |run: &mut ProbeRun| {
        // SAFETY: the caller's promise.
        let event = unsafe { event.get() }?;
        let event = serde_json::from_slice(event).map_err(|error| Error::probe(format!("no event: {error}")))?;
        let id: EffectId = serde_json::from_value(effect.into()).map_err(|error| Error::probe(error.to_string()))?;
        run.handle(Instant::from_millis(now_ms), id, event).map_err(|misuse| Error::probe(misuse.to_string()))
    };
    // SAFETY: the caller's promise.
    unsafe { change(run, handle) }
}

/// The recording of a finished run that keeps one, as one line of JSON; empty otherwise.
///
/// # Safety
/// `run` is a run of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_recording(
    run: *const davy_probe_run,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let run = unsafe { borrow(run, "the run") }?.0.get()?;
        let line = run.recording().map_or_else(Vec::new, |recording| recording.to_line().into_bytes());
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(line)) }
    })
}
