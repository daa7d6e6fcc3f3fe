//! Answers to a flow that uses everything.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::answers(data);
});
