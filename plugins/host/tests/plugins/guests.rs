//! The guests of `plugins/templates`, one per language, each in a decision. `plugins/build` makes them and
//! `DAVY_GUESTS` says where they are.

use std::path::Path;

use davy::plugin::PluginOutcome;
use davy::{Bundle, Digest, Engine, Snapshot, State, Verdict};
use davy_plugins::{Limits, PluginHost, World, build};

/// Languages with whether the guest carries an interpreter and knows parameters.
const LANGUAGES: [(&str, bool, bool); 6] = [
    ("wat", false, false),
    ("c", false, true),
    ("rust", false, true),
    ("assemblyscript", false, true),
    ("javascript", true, true),
    ("python", true, true),
];

/// A release whose queue must keep a fifth of its room, measured by this component.
fn bundle(bytes: &[u8], parameters: &str) -> Bundle {
    let policy = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  health:\n    judge: threshold\n    \
         every: 1m\n    settle: 0s\n    warmUp: 0s\n    metrics:\n      - name: headroom\n        min: 0.2\n        plugin:\n          \
         path: guest.wasm\n          digest: {}\n          inputs: [{{ name: depth, gauge: queue_length }}]\n{parameters}",
        Digest::of(bytes)
    );
    Bundle::from_files([("rollouts.yaml", policy.as_bytes()), ("guest.wasm", bytes)]).unwrap_or_else(|e| panic!("{e}"))
}

/// A minute in which the queues of two replicas had these lengths; of another metric where they were not seen.
fn snapshot(lengths: Option<[f64; 2]>) -> Snapshot {
    let name = if lengths.is_some() { "headroom.depth" } else { "other" };
    let [one, two] = lengths.unwrap_or_default();
    let json = format!(
        r#"{{ "now": "2026-11-23T09:03:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
            "since": "2026-11-23T09:00:00Z", "release": {{ "service": "checkout", "environment": "prod",
            "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T09:00:00Z" }},
            "intervals": [{{ "start": "2026-11-23T09:02:00Z", "end": "2026-11-23T09:03:00Z", "observations": [
            {{ "metric": "{name}", "cohort": "canary", "replica": "a", "gauge": {one} }},
            {{ "metric": "{name}", "cohort": "canary", "replica": "b", "gauge": {two} }}] }}] }}"#
    );
    Snapshot::from_json(json.as_bytes()).unwrap()
}

/// Measures, decides, seals and replays without the plugin.
fn decide(host: &PluginHost, bundle: &Bundle, mut seen: Snapshot) -> (Option<PluginOutcome>, Verdict) {
    let engine = Engine::new(bundle);
    let plugins = host.load(bundle).unwrap_or_else(|error| panic!("{error}"));
    davy_plugins::measure(&engine, &plugins, &mut seen);
    let state = State::new();
    let step = engine.decide(&state, &seen);
    step.seal().unwrap().replay(&engine, &state, &seen).unwrap();
    (seen.plugins.first().map(|measured| measured.outcome.clone()), step.decision.verdict)
}

fn try_guest(language: &str, component: &[u8], interpreted: bool, parameterised: bool) {
    let limits = if interpreted { Limits::INTERPRETERS } else { Limits::DEFAULT };
    let host = PluginHost::builder().limits(limits).build().unwrap();
    // Kept, so that it is compiled once.
    let plugin = host.plugin(component).unwrap_or_else(|e| panic!("{language}: {e}"));
    let said = plugin.description();
    assert_eq!((said.name.as_str(), said.version.as_str(), said.unit.as_str()), ("queue-headroom", "1.0.0", "1"));
    assert!(said.summary.ends_with("from 0 to 1"), "{language}: {}", said.summary);

    let by_default = bundle(component, "");
    let value = |value| Some(PluginOutcome::Value(value));
    // 20 and 30 of 100 are a quarter, to the bit; 90 and 100 leave less than a fifth.
    assert_eq!(decide(&host, &by_default, snapshot(Some([20.0, 30.0]))), (value(0.75), Verdict::Proceed), "{language}");
    assert_eq!(decide(&host, &by_default, snapshot(Some([100.0, 150.0]))), (value(0.0), Verdict::Abort), "{language}");
    if parameterised {
        let limit = bundle(component, "          parameters: { limit: 62.5 }\n");
        assert_eq!(
            decide(&host, &limit, snapshot(Some([20.0, 30.0]))),
            (value(1.0 - 25.0 / 62.5), Verdict::Proceed),
            "{language}"
        );
    }
    // What was not seen is said to be missing by the host, before any guest is asked.
    let (_, verdict) = decide(&host, &by_default, snapshot(None));
    assert_eq!(verdict, Verdict::Hold, "{language}");
    eprintln!("{language}: {} bytes, measured and decided", component.len());
}

#[test]
fn a_guest_in_wat_decides() {
    let text = include_bytes!("../../../templates/wat/queue_headroom.wat");
    try_guest("wat", &build::component(text, World::Metric).unwrap(), false, false);
}

#[test]
fn a_guest_in_each_language_decides() {
    let Some(folder) = std::env::var_os("DAVY_GUESTS") else {
        eprintln!("SKIPPED: DAVY_GUESTS names no folder; `plugins/build` makes one");
        return;
    };
    for (language, interpreted, parameterised) in LANGUAGES {
        let read = |suffix: &str| std::fs::read(Path::new(&folder).join(format!("{language}.{suffix}"))).ok();
        let Some(module) = read("wasm").or_else(|| read("wat")) else {
            eprintln!("SKIPPED: {language}: not built");
            continue;
        };
        if interpreted && cfg!(debug_assertions) {
            eprintln!("SKIPPED: {language}: an engine without optimisation compiles it for minutes; try `--release`");
            continue;
        }
        let component = build::component(&module, World::Metric).unwrap_or_else(|e| panic!("{language}: {e}"));
        try_guest(language, &component, interpreted, parameterised);
    }
}
