//! Types and calls of the worlds, generated from `plugins/wit`.
#![allow(missing_docs, unreachable_pub, reason = "the worlds themselves are documented")]
#![allow(unsafe_code, reason = "wasmtime's generator checks the types of exports once instead of per call")]

pub(crate) mod metric {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "metric",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
    pub(crate) use exports::davy::plugin::measure;
}

pub(crate) mod step {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "probe-step",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
    pub(crate) use exports::davy::plugin::step;
}
