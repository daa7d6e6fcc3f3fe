//! Bytes of plugins: loaded, and called.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::plugin_component(data);
});
