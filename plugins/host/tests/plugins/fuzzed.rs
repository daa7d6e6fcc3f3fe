//! The fuzz corpora of plugins, replayed on stable Rust without a fuzzer.
#![allow(unreachable_pub, reason = "the fuzz target is a library of its own")]

#[path = "../../../../fuzz/src/plugins.rs"]
mod plugins;

fn replay(target: &str, run: fn(&[u8]) -> bool) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 10, "{target}: {}", seeds.len());
    let mut wrong = Vec::new();
    for seed in seeds {
        let name = seed.file_name().unwrap().to_str().unwrap().to_owned();
        if run(&std::fs::read(&seed).unwrap()) == name.starts_with("refused-") {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{target}: not {wrong:?}");
}

#[test]
fn components_are_refused_or_called_as_their_names_say() {
    replay("plugin_component", plugins::component);
}

#[test]
fn descriptions_are_read_or_refused_as_their_names_say() {
    replay("plugin_description", plugins::description);
}

#[test]
fn schemas_and_parameters_are_read_or_refused_as_their_names_say() {
    replay("plugin_schema", plugins::schema);
}
