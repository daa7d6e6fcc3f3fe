//! Calendars of a bundle, and deciding under them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::calendar(data);
});
