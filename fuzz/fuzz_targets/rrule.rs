//! A first time and a recurrence rule.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::rrule(data);
});
