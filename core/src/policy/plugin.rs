//! A metric that a plugin measures: which plugin, and what it is given.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::query::{Query, Ways};
use crate::document::decode::Report;
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{
    DiagnosticCode as Code, Form, Measures, Metric, MetricInputQuery, MetricPluginUse, OnFault, Position, Spanned,
};
use crate::plugin::PluginKey;
use crate::{Count, Digest, Name, canonical_json};

/// The most intervals that a plugin sees at once.
const WIDEST: u64 = 10_000;

/// The digests of the components in a bundle, by path.
pub(crate) type PluginFiles = BTreeMap<String, Digest>;

/// What a plugin measures, and from what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PluginPlan {
    pub(crate) key: PluginKey,
    /// Where the component lies in the bundle; nothing for code of the host.
    pub(crate) path: Option<String>,
    pub(crate) measures: Measures,
    /// Canonical JSON.
    pub(crate) parameters: String,
    pub(crate) inputs: Vec<InputPlan>,
    pub(crate) window: u32,
    pub(crate) on_fault: OnFault,
    /// As the document has it, for what only the plugin itself can check.
    pub(crate) document: MetricPluginUse,
}

/// Something that a plugin reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputPlan {
    pub(crate) name: Name,
    /// The name of its observations.
    pub(crate) about: Name,
    pub(crate) source: Option<Name>,
    pub(crate) query: Query,
    pub(crate) by: Option<Name>,
    pub(crate) optional: bool,
    pub(crate) position: Position,
}

impl PluginPlan {
    /// Checks everything that can be known without running the plugin.
    pub(crate) fn compile(
        metric: &Metric,
        plugin: &MetricPluginUse,
        files: &PluginFiles,
        report: &mut Report,
    ) -> Option<Self> {
        let before = report.diagnostics.len();
        let named = key(plugin, files, report);
        let window = window(plugin, report);
        let inputs = plugin.inputs.as_ref().map_or(&[][..], |inputs| &inputs.value);
        if inputs.is_empty() {
            let hint = "add `inputs: [{ name: …, from: …, … }]`; `davy plugin check` says what it reads".to_owned();
            report.error(Code::Choice, &plugin.position, "the plugin is given nothing to measure from", hint);
        }
        let inputs: Vec<InputPlan> =
            inputs.iter().filter_map(|input| InputPlan::compile(metric, input, report)).collect();
        let parameters = plugin.parameters.as_ref().map_or_else(Map::new, |given| given.value.value.clone());
        let canonical = canonical_json(&Json::Object(parameters)).ok().and_then(|json| String::from_utf8(json).ok());
        let (key, path) = named.filter(|_| report.diagnostics.len() == before)?;
        Some(Self {
            key,
            path,
            measures: plugin.measures(),
            parameters: canonical?,
            inputs,
            window,
            on_fault: plugin.on_fault(),
            document: plugin.clone(),
        })
    }
}

impl PluginPlan {
    /// Whether what one measures is what the other would: what its faults mean, and where it stands, is another matter.
    pub(crate) fn asks_the_same(&self, other: &Self) -> bool {
        let own = (&self.key, self.measures, &self.parameters, self.window, self.inputs.len());
        let same = own == (&other.key, other.measures, &other.parameters, other.window, other.inputs.len());
        let mut inputs = self.inputs.iter().zip(&other.inputs);
        same && inputs.all(|(a, b)| *a == InputPlan { position: a.position.clone(), ..b.clone() })
    }
}

fn key(plugin: &MetricPluginUse, files: &PluginFiles, report: &mut Report) -> Option<(PluginKey, Option<String>)> {
    match (&plugin.path, &plugin.digest, &plugin.native) {
        (None, None, Some(native)) => Some((PluginKey::Native(native.value.clone()), None)),
        (Some(path), digest, None) => {
            let digest = pinned(path, digest.as_ref(), files, Code::Plugin, report)?;
            Some((PluginKey::Pinned(digest), Some(path.value.clone())))
        }
        _ => {
            let hint = "a component of the bundle has `path` and `digest`, code of the host has `native`".to_owned();
            report.error(Code::Choice, &plugin.position, "it is not said which plugin is meant", hint);
            None
        }
    }
}

/// The digest of the component at `path`, which must be in the bundle and pinned.
pub(crate) fn pinned(
    path: &Spanned<String>,
    digest: Option<&Spanned<Digest>>,
    files: &PluginFiles,
    code: Code,
    report: &mut Report,
) -> Option<Digest> {
    let Some(found) = files.get(&path.value) else {
        let known = files.keys().map(String::as_str);
        let hint = did_you_mean(&path.value, known)
            .unwrap_or_else(|| "paths are relative to the bundle and end in `.wasm`".to_owned());
        report.error(code, &path.position, format!("the bundle has no file `{}`", shown(&path.value)), hint);
        return None;
    };
    match digest {
        Some(digest) if digest.value == *found => Some(*found),
        Some(digest) => {
            let message = format!("`{}` is another plugin: its digest is {found}", shown(&path.value));
            let hint = "pin the new digest once you have looked at what changed".to_owned();
            report.error(code, &digest.position, message, hint);
            None
        }
        None => {
            let message = format!("the plugin `{}` is not pinned", shown(&path.value));
            report.error(code, &path.position, message, format!("add `digest: {found}`"));
            None
        }
    }
}

fn window(plugin: &MetricPluginUse, report: &mut Report) -> u32 {
    let window = plugin.window();
    let position = plugin.window.as_ref().map_or(&plugin.position, |window| &window.position);
    if window == Count::ZERO || window.get() > WIDEST {
        report.error(Code::Range, position, format!("`window` is from 1 to {WIDEST}, not {window}"), None);
    } else if window > Count::from(1) && plugin.measures() == Measures::Counts {
        let hint = "counts are of one interval alone, so that each is folded once".to_owned();
        report.error(Code::Unused, position, "`window` is not used here", hint);
    }
    u32::try_from(window.get()).unwrap_or(1)
}

impl InputPlan {
    fn compile(metric: &Metric, input: &MetricInputQuery, report: &mut Report) -> Option<Self> {
        let about = format!("{}.{}", metric.name.value, input.name.value).parse().ok();
        if about.is_none() {
            let hint = "the metric's and the input's name have 252 characters together".to_owned();
            report.error(Code::Name, &input.name.position, "the name is too long", hint);
        }
        let query = Ways::of_input(input).query(report);
        Some(Self {
            name: input.name.value.clone(),
            about: about?,
            source: input.from.as_ref().or(metric.from.as_ref()).map(|from| from.value.clone()),
            query: query?,
            by: input.by.as_ref().map(|by| by.value.clone()),
            optional: input.optional(),
            position: input.position.clone(),
        })
    }

    /// The form that its data have.
    pub(crate) fn form(&self) -> Form {
        match self.query {
            Query::Bad { .. } | Query::Good { .. } | Query::Probe(_) | Query::Slo(_) => Form::Counts,
            Query::Events(_) => Form::Events,
            Query::Gauge(_) => Form::Gauge,
            Query::Buckets(_) => Form::Buckets,
            Query::Histogram(_) => Form::Histogram,
        }
    }
}
