//! The plugins that a bundle uses, for those who load them.

use crate::bundle::Bundle;
use crate::document::{Form, MetricPluginUse, Position, StepPluginUse};
use crate::policy::MetricPlan;
use crate::{Digest, Name};

use super::PluginKey;

/// A metric that is measured by a plugin, as one environment has it.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricUse<'a> {
    /// The metric.
    pub metric: &'a Name,
    /// What the document says.
    pub document: &'a MetricPluginUse,
    /// The digest of the component's bytes; nothing for code of the host.
    pub digest: Option<Digest>,
    /// What it is given: names, forms, and where they stand.
    pub inputs: Vec<(&'a Name, Form, &'a Position)>,
}

/// A step that is taken by a plugin, as one flow has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepUse<'a> {
    /// The step.
    pub step: &'a str,
    /// What the document says.
    pub document: &'a StepPluginUse,
    /// The digest of the component's bytes; nothing for code of the host.
    pub digest: Option<Digest>,
}

impl Bundle {
    /// The metrics that plugins measure, in every environment.
    pub fn metric_plugins(&self) -> impl Iterator<Item = MetricUse<'_>> {
        let policies = self.policies();
        let healths = policies.named.values().chain(&policies.any).filter_map(|policy| policy.health.as_ref());
        healths.flat_map(|health| &health.metrics).filter_map(used)
    }
}

fn used(metric: &MetricPlan) -> Option<MetricUse<'_>> {
    let plugin = metric.plugin()?;
    Some(MetricUse {
        metric: &metric.name,
        document: &plugin.document,
        digest: match &plugin.key {
            PluginKey::Pinned(digest) => Some(*digest),
            PluginKey::Native(_) => None,
        },
        inputs: plugin.inputs.iter().map(|input| (&input.name, input.form(), &input.position)).collect(),
    })
}
