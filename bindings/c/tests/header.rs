//! The committed header is the one that cbindgen makes of the code, and the library is called after its interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::path::Path;

#[test]
fn the_header_says_what_the_code_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::Builder::new().with_crate(here).with_config(config).generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = here.join("include/davy.h");
    if std::env::var_os("DAVY_UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "include/davy.h is another one: run this test with DAVY_UPDATE=1 and look at the difference"
    );
}

#[test]
fn whoever_builds_the_library_names_it_after_its_interface() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let number = davy_c::DAVY_ABI_VERSION;
    for (file, named) in [
        ("build.rs", format!("-soname,libdavy.so.{number}\"")),
        ("install", format!("\"$prefix/lib/libdavy.so.{number}\"")),
        ("Cargo.toml", format!("name = \"davy\"\nversion = \"{number}.0.0\"")),
    ] {
        let text = std::fs::read_to_string(here.join(file)).unwrap();
        assert!(text.contains(&named), "{file} does not say {named}");
    }
}
