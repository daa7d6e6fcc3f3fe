//! Plans: what a policy can detect, and when, before a release begins.

use std::num::NonZeroU32;
use std::str::FromStr;

use davy::plan::{Estimate, Variation, plan, plan_from};

use crate::bundle::davy_bundle;
use crate::bytes::{davy_buffer, davy_bytes};
use crate::error::{Error, davy_error};
use crate::handle::{answer, borrow, put};
use crate::sized::{self, Grows};
use crate::snapshot::davy_snapshot;

/// For which traffic a plan is made. Set `size` to `sizeof(davy_plan_options)` and everything else to zero, then say what you know:
/// texts as documents have them. What is neither said nor seen in `snapshot` is what the policy expects.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_plan_options {
    /// The size of this structure as the caller knows it, in bytes.
    pub size: usize,
    /// The environment; needed where the policy has several.
    pub environment: davy_bytes,
    /// Requests of the whole service, such as `50/s`.
    pub requests: davy_bytes,
    /// The share of bad requests, such as `0.1%`.
    pub bad: davy_bytes,
    /// The latency that half of the requests exceed, such as `40ms`.
    pub p50: davy_bytes,
    /// The latency that a tenth of the requests exceed.
    pub p90: davy_bytes,
    /// The latency that a hundredth of the requests exceed.
    pub p99: davy_bytes,
    /// Replicas of the baseline whose counts are told apart; 0 where that is not known.
    pub replicas: u32,
    /// How replicas are assumed to differ, by a name of `davy policy simulate --noise`, such as `mixed`.
    pub noise: davy_bytes,
    /// What was observed of a healthy service, or null: requests, bad ones, replicas and the whole shape of latencies count where they are
    /// not said here or in a metric's own `expect`, and before what the policy expects of the service.
    pub snapshot: *const davy_snapshot,
}

// SAFETY: in C's layout, the size first, and nothing but numbers and pointers.
unsafe impl Grows for davy_plan_options {}

/// What the policy can detect and when, as the JSON that `davy policy plan --format json` prints, on one line. `options` may be null.
///
/// # Safety
/// `bundle` is a bundle of this library; `options` is null or points at options of the size that they say, whose texts are readable and
/// whose snapshot is one of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_plan(
    bundle: *const davy_bundle,
    options: *const davy_plan_options,
    out: *mut davy_buffer,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bundle = unsafe { borrow(bundle, "the bundle") }?.0.get()?;
        // SAFETY: the caller's promise.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: the same.
        let (environment, estimate) = unsafe { read(&options) }?;
        let plan = if options.snapshot.is_null() {
            plan(bundle, environment.as_ref(), estimate)
        } else {
            // SAFETY: the caller's promise.
            let healthy = unsafe { borrow(options.snapshot, "the snapshot") }?.0.get()?;
            plan_from(bundle, environment.as_ref(), estimate, &healthy.intervals)
        };
        let plan = plan.map_err(|refused| Error::usage(refused.to_string()))?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(serde_json::to_vec(&plan)?)) }
    })
}

/// # Safety
/// The texts are readable.
unsafe fn read(options: &davy_plan_options) -> Result<(Option<davy::Name>, Estimate), Error> {
    let estimate = Estimate {
        // SAFETY: the caller's promise, here and below.
        requests: unsafe { parsed(options.requests) }?,
        // SAFETY: the same.
        bad: unsafe { parsed(options.bad) }?,
        // SAFETY: the same.
        p50: unsafe { parsed(options.p50) }?,
        // SAFETY: the same.
        p90: unsafe { parsed(options.p90) }?,
        // SAFETY: the same.
        p99: unsafe { parsed(options.p99) }?,
        schema: None,
        replicas: NonZeroU32::new(options.replicas),
        // SAFETY: the same.
        noise: unsafe { noise(options.noise) }?,
    };
    // SAFETY: the same.
    Ok((unsafe { parsed(options.environment) }?, estimate))
}

/// # Safety
/// The text is readable.
unsafe fn noise(kind: davy_bytes) -> Result<Option<Variation>, Error> {
    // SAFETY: the caller's promise.
    let kind = unsafe { kind.text() }?;
    if kind.is_empty() {
        return Ok(None);
    }
    Variation::of_kind(kind).map_err(|refused| Error::usage(refused.to_string()))
}

/// # Safety
/// The text is readable.
unsafe fn parsed<T: FromStr<Err: ToString>>(text: davy_bytes) -> Result<Option<T>, Error> {
    // SAFETY: the caller's promise.
    let text = unsafe { text.text() }?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|refused: T::Err| Error::usage(refused.to_string()))
}
