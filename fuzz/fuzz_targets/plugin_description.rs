//! What plugins say of themselves.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::plugin_description(data);
});
