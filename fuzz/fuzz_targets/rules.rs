//! Rules in Rego and CEL: a language, a text, and facts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    davy_fuzz::rules(data);
});
