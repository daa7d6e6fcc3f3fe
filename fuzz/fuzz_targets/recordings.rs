//! Recordings of runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::recordings(data);
});
