//! Plugins: any bytes are refused by name, or are a plugin whose calls have outcomes within their limits, the same every time.
//!
//! The tests of `davy-plugins` replay the corpora with this file.

use std::sync::OnceLock;

use davy::plugin::{Data, Evaluated, MetricInput, MetricPlugin, NoResult, PluginFault, Series};
use davy::{Duration, Instant, Name};
use davy_plugins::{Limits, PluginError, PluginHost, Schema, World, build};
use wasm_smith::{Config, Module};

/// A metric that works, whose exports others must have.
const GOOD: &str = include_str!("../../bindings/cli/tests/data/plugins/sum.wat");

/// Between a schema and parameters; neither holds it.
const SEPARATOR: u8 = 0x1e;

/// Bytes of a component behind 0, those of a core module behind 1, choices from which a module is made behind 2. Whether it was a
/// plugin.
pub fn component(data: &[u8]) -> bool {
    let Some((kind, rest)) = data.split_first() else { return false };
    let bytes = match kind {
        0 => rest.to_vec(),
        1 => match build::component(rest, World::Metric) {
            Ok(bytes) => bytes,
            Err(_) => return false,
        },
        _ => match made(rest) {
            Some(bytes) => bytes,
            None => return false,
        },
    };
    is_plugin(&bytes)
}

/// What a metric's `describe` returns: memory from address 64 on. Whether it is a description.
pub fn description(data: &[u8]) -> bool {
    let escaped: String = data.iter().take(4096).map(|byte| format!("\\{byte:02x}")).collect();
    let end = GOOD.rfind(')').expect("it is a module");
    let text = format!("{}(data (i32.const 64) \"{escaped}\"))", &GOOD[..end]);
    is_plugin(&build::component(text.as_bytes(), World::Metric).expect("only data differ"))
}

/// A schema, the byte 0x1e, and parameters. Whether they fit.
pub fn schema(data: &[u8]) -> bool {
    let Some(middle) = data.iter().position(|byte| *byte == SEPARATOR) else { return false };
    let (schema, parameters) = (String::from_utf8_lossy(&data[..middle]), &data[middle + 1..]);
    let (Ok(schema), Ok(serde_json::Value::Object(parameters))) =
        (Schema::parse(&schema), serde_json::from_slice(parameters))
    else {
        return false;
    };
    let errors = schema.check(&parameters);
    assert_eq!(errors, schema.check(&parameters));
    assert!(errors.iter().all(|error| !error.at.contains(char::is_control)));
    errors.is_empty()
}

/// A component from arbitrary choices, with the exports of the world.
fn made(choices: &[u8]) -> Option<Vec<u8>> {
    static EXPORTS: OnceLock<Vec<u8>> = OnceLock::new();
    let exports = EXPORTS.get_or_init(|| wat::parse_str(GOOD).expect("it is a module"));
    let config = Config {
        exports: Some(exports.clone()),
        max_imports: 0,
        max_memories: 1,
        max_memory32_bytes: 4 << 20,
        max_table_elements: 1000,
        threads_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        gc_enabled: false,
        reference_types_enabled: false,
        exceptions_enabled: false,
        shared_everything_threads_enabled: false,
        wide_arithmetic_enabled: false,
        custom_page_sizes_enabled: false,
        ..Config::default()
    };
    let module = Module::new(config, &mut arbitrary::Unstructured::new(choices)).ok()?;
    build::component(&module.to_bytes(), World::Metric).ok()
}

fn is_plugin(bytes: &[u8]) -> bool {
    static HOST: OnceLock<PluginHost> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        let mut limits = Limits::DEFAULT;
        limits.fuel = 1_000_000;
        PluginHost::builder().limits(limits).build().expect("WebAssembly runs here")
    });
    let plugin = match host.plugin(bytes) {
        Ok(plugin) => plugin,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with('W'), "{text}");
            // What plugins say of themselves reaches terminals; what the compiler says has lines.
            assert!(matches!(error, PluginError::Invalid(_)) || !text.contains('\u{1b}'), "{text}");
            return false;
        }
    };
    let said = plugin.description();
    assert!(!said.summary.contains(char::is_control) && !said.unit.contains(char::is_control));
    let Ok(metric) = plugin.metric() else { return true };
    let name: Name = "samples".parse().expect("it is a name");
    let gauge = Series { input: &name, replica: None, at: vec![0, 1, 2], data: Data::Gauge(vec![1.0, 2.0, 3.0]) };
    let input = MetricInput {
        parameters: r#"{ "limit": 3 }"#,
        start: Instant::EPOCH,
        every: Duration::from_secs(60),
        window: 3,
        series: vec![gauge],
        baseline: Vec::new(),
    };
    let late = |evaluated: &Evaluated| matches!(&evaluated.result, Err(NoResult::Faulted(fault, _)) if *fault == PluginFault::Deadline);
    let (one, other) = (metric.evaluate(&input), metric.evaluate(&input));
    // NaN is not equal to itself, and nobody's result.
    if !late(&one) && !late(&other) {
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
    assert!(one.fuel.is_some_and(|fuel| fuel <= 1_000_000));
    true
}
