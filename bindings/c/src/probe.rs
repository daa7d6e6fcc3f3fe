//! Probes as a machine without I/O: C polls, does what it says, and hands in what came of it.

use davy::probe::{CancelReason, EffectId, Inputs, ProbeRun};
use davy::{Cohort, Instant, Name, NameError};

use crate::bundle::davy_bundle;
use crate::bytes::{davy_buffer, davy_bytes};
use crate::error::{Error, davy_error};
use crate::handle::{Handle, answer, borrow, change, free, give, handle, put};
use crate::sized::{self, Grows};

/// Options of a run. Set `size` to `sizeof(davy_probe_options)` and everything else to zero, then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_probe_options {
    /// The size of this structure as the caller knows it, in bytes.
    pub size: usize,
    /// Not zero: a recording is kept, for `davy_probe_run_recording`.
    pub record: u32,
    /// Whose answers are asked for, in the way that the target says: `canary` or `baseline`; empty for anyone's.
    pub cohort: davy_bytes,
    /// Where the run is from; may be empty.
    pub location: davy_bytes,
}

// SAFETY: in C's layout, the size first, and nothing but numbers and pointers.
unsafe impl Grows for davy_probe_options {}

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

/// Begins a run of a flow of the bundle against a target, with the seed of its random numbers; two runs must not share one. `options`
/// may be null.
///
/// # Safety
/// `bundle` is a bundle of this library; `options` is null or points at options of the size that they say; the texts are readable; `out`
/// points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_new(
    bundle: *const davy_bundle,
    flow: davy_bytes,
    target: davy_bytes,
    seed: u64,
    options: *const davy_probe_options,
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
        let name = |text: &str| text.parse::<Name>().map_err(|error: NameError| Error::probe(error.to_string()));
        // SAFETY: the caller's promise.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: the caller's promise.
        let cohort = match unsafe { options.cohort.text() }? {
            "" => None,
            "canary" => Some(Cohort::Canary),
            "baseline" => Some(Cohort::Baseline),
            other => return Err(Error::usage(format!("a cohort is `canary` or `baseline`, not `{other}`"))),
        };
        // SAFETY: the caller's promise.
        let location = Some(unsafe { options.location.text() }?).filter(|location| !location.is_empty());
        let location = location.map(name).transpose()?;
        let inputs = Inputs { record: options.record != 0, cohort, location, ..Inputs::new(name(target)?, seed) };
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

/// Ends the journey, because the prober is `stopping`, another run is due (`overlap`) or it was `asked`; go on polling, for the teardown
/// still runs. What is under way need not be answered.
///
/// # Safety
/// `run` is a run of this library that no other thread uses meanwhile; the text is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_probe_run_cancel(
    run: *mut davy_probe_run,
    now_ms: i64,
    reason: davy_bytes,
) -> *mut davy_error {
    let cancel = |run: &mut ProbeRun| {
        // SAFETY: the caller's promise.
        let reason = unsafe { reason.text() }?;
        let reason: CancelReason =
            serde_json::from_value(reason.into()).map_err(|error| Error::usage(error.to_string()))?;
        run.cancel(Instant::from_millis(now_ms), reason);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { change(run, cancel) }
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
