//! Plugins held against the documents that use them, and decided with.

use davy::plugin::PluginOutcome;
use davy::{Engine, State};
use davy_plugins::{PluginError, PluginHost, World, build};

use crate::support::{INPUTS, bundle, component, host, snapshot, sum};

/// What is wrong with a use of the plugin, by place.
fn wrong(bytes: &[u8], keys: &str) -> Vec<String> {
    match host().load(&bundle(bytes, keys)) {
        Ok(_) => Vec::new(),
        Err(PluginError::Documents(all)) => all.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}

/// A sum whose parameters have a schema.
fn with_schema() -> Vec<u8> {
    let schema = r#"{\"type\":\"object\",\"properties\":{\"limit\":{\"type\":\"integer\",\"minimum\":1}}}"#;
    let length = schema.replace('\\', "").len();
    component(&format!(
        "@good @evaluate (data (i32.const 112) \"\\00\\01\\00\\00\\{length:02x}\\00\\00\\00\") (data (i32.const 256) \"{schema}\")"
    ))
}

#[test]
fn a_plugin_decides_from_bundle_to_record() {
    let bundle = bundle(&sum(), INPUTS);
    let plugins = host().load(&bundle).unwrap();
    let engine = Engine::new(&bundle);
    let mut seen = snapshot();
    davy_plugins::measure(&engine, &plugins, &mut seen);
    assert_eq!(seen.plugins[0].outcome, PluginOutcome::Value(6.0));
    assert!(seen.plugins[0].fuel.unwrap().get() > 0);
    let state = State::new();
    let step = engine.decide(&state, &seen);
    assert_eq!(step.decision.verdict, davy::Verdict::Proceed, "{}", step.decision);
    step.seal().unwrap().replay(&engine, &state, &seen).unwrap();
}

#[test]
fn uses_that_do_not_fit_are_refused_where_they_stand() {
    let cases = [
        (INPUTS, vec![]),
        ("inputs: [{ name: others, gauge: g }]", vec!["does not read `others`", "is not given its input `samples`"]),
        ("inputs: [{ name: samples, events: g }]", vec!["reads `samples` as gauge"]),
        (
            "measures: comparison\n          inputs: [{ name: samples, gauge: g }]",
            vec!["does not measure `comparison`"],
        ),
        (
            "inputs: [{ name: samples, gauge: g }]\n          parameters: { limit: 3 }",
            vec!["parameter limit: unknown parameter"],
        ),
    ];
    for (keys, expected) in cases {
        let found = wrong(&sum(), keys);
        assert_eq!(found.len(), expected.len(), "{keys}: {found:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.contains(expected) && found.contains("rollouts.yaml:"), "{found}");
        }
    }
}

#[test]
fn what_environments_repeat_is_said_once() {
    let found = wrong(&sum(), "inputs: [{ name: others, gauge: g }]\n  environments: { staging: {}, prod: {} }");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("`others`") && found[1].contains("`samples`"), "{found:?}");
}

#[test]
fn parameters_are_held_against_the_plugins_own_schema() {
    let with = |parameters: &str| {
        wrong(&with_schema(), &format!("inputs: [{{ name: samples, gauge: g }}]\n          parameters: {parameters}"))
    };
    assert!(with("{ limit: 3 }").is_empty());
    let zero = with("{ limit: 0 }");
    assert!(zero[0].contains("parameter limit: expected a whole number from 1, found `0`"), "{zero:?}");
    assert!(zero[0].contains(":17:"), "at the parameter: {zero:?}");
    assert!(with("{ limti: 3 }")[0].contains("unknown parameter; known here: `limit`"));
}

#[test]
fn a_plugin_that_is_none_is_said_where_it_is_used() {
    let found = wrong(b"\0asm\x01\0\0\0", INPUTS);
    assert!(found[0].contains("W003"), "{found:?}");
}

#[test]
fn the_worlds_can_be_had_as_text() {
    assert!(build::wit(World::Metric).contains("world metric"));
    assert!(build::wit(World::ProbeStep).contains("world probe-step"));
    let description = PluginHost::new().unwrap().plugin(&sum()).unwrap().description().clone();
    assert_eq!((description.name.as_str(), description.unit.as_str()), ("hostile", "1"));
}
