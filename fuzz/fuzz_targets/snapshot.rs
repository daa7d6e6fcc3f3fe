//! A snapshot's JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::snapshot(data);
});
