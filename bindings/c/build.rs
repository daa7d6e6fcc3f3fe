//! The name under which a program finds the shared library when it starts.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if linux {
        // The number is that of the interface, not of the release.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libdavy.so.1");
    }
}
