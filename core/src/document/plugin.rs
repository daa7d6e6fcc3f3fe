//! Plugins in documents: where one is, what it is given, and what its faults mean.

use serde_json::{Map, Value as Json, json};

use super::declare::{keywords, record};
use super::decode::{Decode, Definitions, Report, Spanned, mapping};
use super::probe::{Tree, TreeValue};
use super::{Position, yaml};
use crate::{Count, Digest, Name};

record! {
    /// A plugin that measures a metric: either a WebAssembly component of the bundle, by `path` and `digest`, or code of the host, by `native`.
    pub struct MetricPluginUse short "path" {
        /// The component, as a path within the bundle.
        path: String = "path", optional;
        /// The digest of its bytes; `davy plugin check` prints it. Another component under the same path is refused.
        digest: Digest = "digest", optional;
        /// The name under which the host has registered code of its own.
        native: Name = "native", optional;
        /// What it measures; it must say the same of itself.
        measures: Measures = "measures", default(Measures::Value);
        /// Its parameters, as its own schema describes them.
        parameters: Parameters = "parameters", optional;
        /// What it reads, per cohort and interval.
        inputs: Vec<MetricInputQuery> = "inputs", optional;
        /// How many intervals it sees at once, the measured one last. A plugin that measures counts sees one.
        window: Count = "window", default(Count::from(1));
        /// What a fault of the plugin means. A fault of the host, such as a deadline, always holds.
        on_fault: OnFault = "onFault", default(OnFault::Hold);
    }
}

record! {
    /// Something that a plugin reads. Exactly one of `bad` with `total`, `good` with `total`, `histogram`, `buckets`, `gauge` and `events` says what.
    pub struct MetricInputQuery {
        /// Its name, as the plugin calls it. Observations in the snapshot name it behind the metric's: `metric.input`.
        name: Name = "name", required;
        /// The source, one of `sources`; the metric's own unless given.
        from: Name = "from", optional;
        /// Counter of bad events; with `total`.
        bad: String = "bad", optional;
        /// Counter of good events; with `total`.
        good: String = "good", optional;
        /// Counter of all events.
        total: String = "total", optional;
        /// Native histogram of latencies in seconds.
        histogram: String = "histogram", optional;
        /// Classic cumulative buckets (`le`) of latencies in seconds.
        buckets: String = "buckets", optional;
        /// A value that goes up and down.
        gauge: String = "gauge", optional;
        /// Events such as log patterns or crash loops, counted per interval.
        events: Name = "events", optional;
        /// The label by which observations are kept apart, such as `pod` or `template`; the source's `replica` unless given.
        by: Name = "by", optional;
        /// Whether the plugin is called although an interval has none of it.
        optional: bool = "optional", default(false);
    }
}

record! {
    /// A plugin that takes the turns of a step: either a WebAssembly component, by `path` and `digest`, or code of the host, by `native`.
    pub struct StepPluginUse short "path" {
        /// The component, as a path beside the flow's file.
        path: String = "path", optional;
        /// The digest of its bytes; `davy plugin check` prints it. Another component under the same path is refused.
        digest: Digest = "digest", optional;
        /// The name under which the host has registered code of its own.
        native: Name = "native", optional;
        /// Its parameters, as its own schema describes them; in text, `${name}` stands for a value.
        parameters: Tree = "parameters", optional;
        /// The values that it captures for later steps.
        captures: Vec<Spanned<Name>> = "captures", optional;
        /// The most requests that it may send, each within the whole `timeout` of the step.
        turns: Count = "turns", default(Count::from(10));
    }
}

keywords! {
    /// What a plugin measures.
    pub enum Measures {
        /// Bad events of all events, of one cohort and one interval alone: inside the guarantee.
        Counts = "counts",
        /// A value of one cohort. Outside the guarantee.
        Value = "value",
        /// A value of the canary beside the baseline. Outside the guarantee.
        Comparison = "comparison",
    }
}

keywords! {
    /// What a fault of a plugin means.
    pub enum OnFault {
        /// The release holds, `blind`.
        Hold = "hold",
        /// The release fails.
        Fail = "fail",
    }
}

keywords! {
    /// The form of what a plugin reads.
    pub enum Form {
        /// Bad events of all events.
        Counts = "counts",
        /// A number of events.
        Events = "events",
        /// A value that goes up and down.
        Gauge = "gauge",
        /// Classic cumulative buckets.
        Buckets = "buckets",
        /// A native histogram.
        Histogram = "histogram",
    }
}

/// The parameters of a plugin: any values by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// The values.
    pub value: Map<String, Json>,
    /// Where each parameter of the first level stands.
    pub positions: Vec<(String, Position)>,
}

impl Decode for Parameters {
    fn decode(node: &yaml::Node, report: &mut Report) -> Option<Self> {
        let entries = mapping(node, "a mapping of parameters", report)?;
        let positions = entries.iter().map(|(key, value)| (key.text.clone(), value.position.clone())).collect();
        let tree = Tree::decode(node, report)?;
        let Json::Object(value) = plain(tree.value) else { return None };
        Some(Self { value, positions })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "object" })
    }
}

fn plain(tree: TreeValue) -> Json {
    match tree {
        TreeValue::Plain(value) => value,
        TreeValue::Text(text) => Json::String(text.0),
        TreeValue::List(items) => items.into_iter().map(|item| plain(item.value)).collect(),
        TreeValue::Object(entries) => entries.into_iter().map(|(key, value)| (key, plain(value.value))).collect(),
    }
}
