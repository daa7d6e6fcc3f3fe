//! A state's JSON, and deciding on it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::state(data);
});
