//! Arbitrary code in the shape of a plugin, and plugins with arbitrary damage: whatever comes, it is an outcome.

use davy_plugins::{Limits, PluginHost, Schema, World, build};
use wasm_smith::{Config, Module};

use crate::support::{comes_of, module, sum};

/// How many of each are tried; `DAVY_FUZZ=100000` looks longer.
fn tries() -> u64 {
    std::env::var("DAVY_FUZZ").ok().and_then(|tries| tries.parse().ok()).unwrap_or(40)
}

/// SplitMix64.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(length).collect()
}

fn host() -> PluginHost {
    let mut limits = Limits::DEFAULT;
    limits.fuel = 1_000_000;
    PluginHost::builder().limits(limits).build().unwrap()
}

#[test]
fn arbitrary_code_with_the_exports_of_the_world_has_an_outcome() {
    let host = host();
    let exports = wat::parse_str(module("@good @evaluate ")).unwrap();
    let (mut components, mut loaded, mut refused) = (0, 0, String::new());
    for seed in 0..tries() {
        let raw = bytes(seed, 4096);
        let config = Config {
            exports: Some(exports.clone()),
            max_imports: 0,
            max_memories: 1,
            // Within the host's limits, which others try.
            max_memory32_bytes: 4 << 20,
            max_table_elements: 1000,
            threads_enabled: false,
            memory64_enabled: false,
            relaxed_simd_enabled: false,
            gc_enabled: false,
            // Without garbage collection, the host reads no references to types of the module either.
            reference_types_enabled: false,
            exceptions_enabled: false,
            shared_everything_threads_enabled: false,
            wide_arithmetic_enabled: false,
            custom_page_sizes_enabled: false,
            ..Config::default()
        };
        let Ok(made) = Module::new(config, &mut arbitrary::Unstructured::new(&raw)) else { continue };
        let Ok(component) = build::component(&made.to_bytes(), World::Metric) else { continue };
        components += 1;
        match host.plugin(&component) {
            Err(error @ davy_plugins::PluginError::Invalid(_)) => refused = error.to_string(),
            _ => loaded += 1,
        }
        let _ = comes_of(&host, &component);
    }
    // Else the generator no longer makes what is to be tried.
    assert!(components * 2 > tries() && loaded > 0, "{components} components, {loaded} valid: {refused}");
    assert_eq!(comes_of(&host, &sum()), "6");
}

#[test]
fn a_plugin_with_any_byte_changed_is_refused_or_has_an_outcome() {
    let host = host();
    let whole = sum();
    for seed in 0..tries() {
        let random = bytes(seed, 16);
        let at = usize::from(u16::from_le_bytes([random[0], random[1]])) % whole.len();
        let mut damaged = whole.clone();
        damaged[at] = random[2];
        if random[3] < 32 {
            damaged.truncate(at);
        }
        let _ = comes_of(&host, &damaged);
    }
    assert_eq!(comes_of(&host, &whole), "6");
}

#[test]
fn arbitrary_schemas_and_parameters_are_read_or_refused() {
    let seeds = [
        r#"{"type":"object","properties":{"a":{"type":"array","items":{"enum":[1,"x",null]},"maxItems":3}},"required":["a"]}"#,
        r#"{"a":[1,{"b":1e308}],"c":"é"}"#,
    ];
    for seed in 0..tries() * 20 {
        let random = bytes(seed, 32);
        let mut texts = seeds.map(|text| text.as_bytes().to_vec());
        for (index, change) in random.chunks(4).enumerate() {
            let text = &mut texts[index % 2];
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % text.len();
            match change[2] % 3 {
                0 => text[at] = change[3],
                1 => text.insert(at, change[3]),
                _ => drop(text.remove(at)),
            }
        }
        let [schema, parameters] = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
        if let (Ok(schema), Ok(serde_json::Value::Object(parameters))) =
            (Schema::parse(&schema), serde_json::from_str(&parameters))
        {
            let _ = schema.check(&parameters);
        }
    }
}
