//! The files of a bundle.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::bundle(data);
});
