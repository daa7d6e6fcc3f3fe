//! Deciding: a bundle's number, a state and a snapshot.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::decide(data);
});
