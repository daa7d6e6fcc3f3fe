//! One look at a release: the decision, and the state for the next.

use std::sync::Arc;

use davy::{Decision, Engine, HoldKind, Snapshot, State, Verdict, canonical_json};

use crate::bytes::davy_buffer;
use crate::error::davy_error;
use crate::handle::{Handle, answer, borrow, free, give, handle, put};
use crate::record::davy_record;
use crate::state::davy_state;

/// What the host may do. The numbers are the exit codes of `davy decide`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum davy_verdict {
    /// Do exactly what was asked.
    DAVY_PROCEED = 0,
    /// Change nothing and ask again.
    DAVY_HOLD = 3,
    /// Take all traffic from the canary.
    DAVY_ABORT = 4,
    /// Go back to the stable revision.
    DAVY_ROLLBACK = 5,
}

/// Why a release holds.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum davy_hold {
    /// It does not hold.
    DAVY_NO_HOLD = 0,
    /// More data or time is needed.
    DAVY_WAITING = 1,
    /// A window, dependency, limit or person says no.
    DAVY_BLOCKED = 2,
    /// Something could not be evaluated.
    DAVY_BLIND = 3,
}

/// A decision with everything that it was made from.
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) state: Arc<State>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) prior: Arc<State>,
    pub(crate) snapshot: Arc<Snapshot>,
}

/// One look at a release.
pub struct davy_step(pub(crate) Handle<Decided>);

handle!(davy_step, Decided);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_free(handle: *mut davy_step) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// What the host may do.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for a verdict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_verdict(step: *const davy_step, out: *mut davy_verdict) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        let verdict = match decided.decision.verdict {
            Verdict::Proceed => davy_verdict::DAVY_PROCEED,
            Verdict::Hold => davy_verdict::DAVY_HOLD,
            Verdict::Abort => davy_verdict::DAVY_ABORT,
            Verdict::Rollback => davy_verdict::DAVY_ROLLBACK,
        };
        // SAFETY: the caller's promise.
        unsafe { put(out, verdict) }
    })
}

/// Why the release holds.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for the kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_hold(step: *const davy_step, out: *mut davy_hold) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        let hold = match decided.decision.hold.map(|hold| hold.kind) {
            None => davy_hold::DAVY_NO_HOLD,
            Some(HoldKind::Waiting) => davy_hold::DAVY_WAITING,
            Some(HoldKind::Blocked) => davy_hold::DAVY_BLOCKED,
            Some(HoldKind::Blind) => davy_hold::DAVY_BLIND,
        };
        // SAFETY: the caller's promise.
        unsafe { put(out, hold) }
    })
}

/// The decision as canonical JSON: every finding with its code, facts and place.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_decision_json(step: *const davy_step, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(canonical_json(&decided.decision)?)) }
    })
}

/// The decision as sentences for a person.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_decision_text(step: *const davy_step, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(decided.decision.to_string().into_bytes())) }
    })
}

/// The state for the next look, as a handle of its own.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_state(step: *const davy_step, out: *mut *mut davy_state) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_state::new(Arc::clone(&decided.state))) }
    })
}

/// Seals the decision into a record: canonical bytes that bind it to its inputs.
///
/// # Safety
/// `step` is a step of this library; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_step_seal(step: *const davy_step, out: *mut *mut davy_record) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let decided = unsafe { borrow(step, "the step") }?.0.get()?;
        // Deciding is pure, so this is the same step again.
        let record = decided.engine.decide(&decided.prior, &decided.snapshot).seal()?;
        // SAFETY: the caller's promise.
        unsafe { give(out, davy_record::new(record)) }
    })
}
