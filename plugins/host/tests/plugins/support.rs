//! Components from text, and a release that a plugin measures.

use std::sync::Arc;

use davy::plugin::{MetricPlugin, PluginOutcome, Plugins};
use davy::{Bundle, Digest, Engine, Snapshot};
use davy_plugins::{Limits, PluginHost, World, build};

/// Parts or modules of a `.wats` file: names and texts.
pub(crate) fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("=== "), sections.last_mut()) {
            (Some(name), _) => sections.push((name.to_owned(), String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    sections
}

/// A module of the corpus with its parts filled in.
pub(crate) fn module(text: &str) -> String {
    let parts = sections(include_str!("../hostile/prelude.wats"));
    let head = "(func (export \"davy:plugin/measure@0.1.0#evaluate\") \
        (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)";
    let mut text = text.to_owned();
    // Parts are made of parts.
    for _ in 0..2 {
        for (name, part) in &parts {
            let filled = text.replace(&format!("@{name} "), &format!("{part}\n")).replace(&format!("@{name}\n"), part);
            text = filled;
        }
    }
    // A function that begins with `@fn` and its locals ends with its own parenthesis.
    let text = text.replace("@fn", head);
    if text.trim_start().starts_with("(component") || text.trim_start().starts_with("(module") {
        text
    } else {
        format!("(module {text})")
    }
}

/// The component of a module of the corpus.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let text = module(text);
    if text.trim_start().starts_with("(component") || text.trim() == "(module)" {
        return wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    build::component(text.as_bytes(), World::Metric).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The sum of the gauges that it is given.
pub(crate) fn sum() -> Vec<u8> {
    component("@good @evaluate ")
}

/// A host whose calls end soon.
pub(crate) fn host() -> PluginHost {
    let mut limits = Limits::DEFAULT;
    limits.fuel = 10_000_000;
    PluginHost::builder().limits(limits).build().unwrap()
}

/// A policy whose only metric is measured by this component, with these further keys of the plugin.
pub(crate) fn bundle(bytes: &[u8], keys: &str) -> Bundle {
    let policy = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  health:\n    judge: threshold\n    \
         every: 1m\n    settle: 0s\n    warmUp: 0s\n    metrics:\n      - name: sum\n        max: 100\n        plugin:\n          \
         path: sum.wasm\n          digest: {}\n          {keys}\n",
        Digest::of(bytes)
    );
    Bundle::from_files([("rollouts.yaml", policy.as_bytes()), ("sum.wasm", bytes)]).unwrap_or_else(|e| panic!("{e}"))
}

/// What it reads in these tests.
pub(crate) const INPUTS: &str = "window: 3\n          inputs: [{ name: samples, gauge: g }]";

/// Three minutes with the values 1, 2 and 3.
pub(crate) fn snapshot() -> Snapshot {
    let intervals: Vec<String> = [(0, 1, 1), (1, 2, 2), (2, 3, 3)]
        .iter()
        .map(|(from, to, value)| {
            format!(
                r#"{{ "start": "2026-11-23T09:0{from}:00Z", "end": "2026-11-23T09:0{to}:00Z",
                    "observations": [{{ "metric": "sum.samples", "cohort": "canary", "gauge": {value} }}] }}"#
            )
        })
        .collect();
    let json = format!(
        r#"{{ "now": "2026-11-23T09:03:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
            "since": "2026-11-23T09:00:00Z", "release": {{ "service": "checkout", "environment": "prod",
            "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T09:00:00Z" }},
            "intervals": [{}], "history": [{}] }}"#,
        intervals[2],
        intervals[..2].join(",")
    );
    Snapshot::from_json(json.as_bytes()).unwrap()
}

/// The snapshot as a plugin measured it.
pub(crate) fn measured(bytes: &[u8], metric: impl MetricPlugin + 'static) -> Snapshot {
    let engine = Engine::new(&bundle(bytes, INPUTS));
    let mut snapshot = snapshot();
    let plugins = Plugins::new().pinned(Digest::of(bytes), Arc::new(metric));
    davy_plugins::measure(&engine, &plugins, &mut snapshot);
    snapshot
}

/// What came of measuring by this component; its code if it is not loaded.
pub(crate) fn comes_of(host: &PluginHost, bytes: &[u8]) -> String {
    let metric = match host.plugin(bytes).and_then(|plugin| plugin.metric()) {
        Ok(metric) => metric,
        Err(davy_plugins::PluginError::Describe { fault, .. }) => return format!("W011 {}", word(fault)),
        Err(error) => return error.to_string().chars().take(4).collect(),
    };
    match &measured(bytes, metric).plugins[0].outcome {
        PluginOutcome::Value(value) => value.to_string(),
        PluginOutcome::Counts { bad, total } => format!("{bad} of {total}"),
        PluginOutcome::Rejected { .. } => "rejected".to_owned(),
        PluginOutcome::Faulted { fault, .. } => word(*fault),
    }
}

fn word(fault: davy::plugin::PluginFault) -> String {
    serde_json::to_value(fault).unwrap().as_str().unwrap().to_owned()
}
