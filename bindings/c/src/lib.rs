//! davy for C.
//!
//! - A function that can fail returns a [`error::davy_error`], or null where it did what it says. Results come through the last parameters.
//! - What a function creates belongs to the caller, who gives it to the function `davy_…_free` of its type. Null is fine there.
//! - Bytes are a pointer and a length. JSON is UTF-8 and needs no zero at its end.
//! - A handle behind `const` may be used by several threads at once; any other one by one thread at a time.
//! - A panic in davy never crosses: it becomes an error of kind `DAVY_PANIC`, and the handles that the call could change are
//!   poisoned: they can only be freed. No other handle is affected.
//! - A pointer that is null where none may be is an error of kind `DAVY_USAGE`, not a crash.
#![allow(non_camel_case_types, reason = "the names are C's")]

mod bundle;
mod bytes;
mod calendar;
mod engine;
mod error;
mod handle;
mod plan;
#[cfg(feature = "plugins")]
mod plugin;
mod probe;
mod record;
mod series;
mod sized;
mod snapshot;
mod state;
mod step;

pub use bundle::{davy_bundle, davy_bundle_digest, davy_bundle_free, davy_bundle_new, davy_file, davy_lint};
pub use bytes::{davy_buffer, davy_buffer_free, davy_bytes};
pub use calendar::{davy_calendar_explain, davy_calendar_list, davy_calendar_next};
#[cfg(feature = "panic-for-tests")]
pub use engine::davy_panic_for_tests;
pub use engine::{davy_decide, davy_engine, davy_engine_free, davy_engine_new, davy_engine_options, davy_requirements};
pub use error::{
    davy_error, davy_error_code, davy_error_column, davy_error_file, davy_error_free, davy_error_hint, davy_error_json,
    davy_error_kind, davy_error_kind_of, davy_error_line, davy_error_message,
};
pub use plan::{davy_plan, davy_plan_options};
#[cfg(feature = "plugins")]
pub use plugin::{
    davy_measure, davy_plugins, davy_plugins_free, davy_plugins_new, davy_plugins_options, davy_plugins_warnings,
    davy_turn,
};
pub use probe::{
    davy_probe_options, davy_probe_run, davy_probe_run_cancel, davy_probe_run_free, davy_probe_run_handle,
    davy_probe_run_new, davy_probe_run_poll, davy_probe_run_recording,
};
pub use record::{
    davy_record, davy_record_bytes, davy_record_digest, davy_record_free, davy_record_from_bytes, davy_record_replay,
};
pub use series::{
    DAVY_BASELINE, DAVY_BUCKETS, DAVY_CANARY, DAVY_COUNTS, DAVY_EVENTS, DAVY_GAUGE, DAVY_HISTOGRAM, davy_cohort,
    davy_form, davy_series,
};
pub use snapshot::{
    davy_snapshot, davy_snapshot_add_series, davy_snapshot_free, davy_snapshot_from_json, davy_snapshot_to_json,
};
pub use state::{
    davy_state, davy_state_free, davy_state_from_json, davy_state_new, davy_state_next_release, davy_state_to_json,
};
pub use step::{
    davy_hold, davy_step, davy_step_decision_json, davy_step_decision_text, davy_step_free, davy_step_hold,
    davy_step_seal, davy_step_state, davy_step_verdict, davy_verdict,
};

/// The version of this interface: it rises when a function or a structure changes in a way that old callers notice.
/// Structures of options begin with their size, so that they can grow without that.
pub const DAVY_ABI_VERSION: u32 = 1;

/// In place of a count: the source has no value for this interval.
pub const DAVY_NO_DATA: u64 = u64::MAX;

const _: () = assert!(DAVY_NO_DATA == davy::Series::NO_DATA);

/// The version of the interface that the library was built with; compare it with `DAVY_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn davy_abi_version() -> u32 {
    DAVY_ABI_VERSION
}

/// The version of davy, as text that ends with a zero.
#[unsafe(no_mangle)]
pub extern "C" fn davy_version() -> *const std::ffi::c_char {
    const VERSION: &std::ffi::CStr =
        match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

/// The number of what decisions mean: the same inputs give the same record under the same number.
#[unsafe(no_mangle)]
pub extern "C" fn davy_semantics() -> u32 {
    davy::SEMANTICS
}
