//! Schemas of plugins' parameters, and parameters.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::plugin_schema(data);
});
