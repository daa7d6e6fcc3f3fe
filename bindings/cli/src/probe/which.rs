//! Which flow, against which target: named, or the only one that there is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use davy::plugin::Plugins;
use davy::probe::Plan;
use davy::{Name, ProbeFlows};

use crate::error::Error;
use crate::load;
use crate::plugins::PluginArgs;

/// One flow of a file or directory.
#[derive(clap::Args)]
pub(crate) struct FlowArgs {
    /// The flow: a file, or a directory with its *.yaml, *.yml and *.json files; what it imports is found by itself
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,
    /// Which flow, where there are several
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
}

impl FlowArgs {
    /// Where the files that a flow names are beside it.
    pub(crate) fn folder(&self) -> &Path {
        if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(Path::new("")) }
    }

    pub(crate) fn plan(&self) -> Result<Arc<Plan>, Error> {
        one(&load::flows(&self.path)?, self.flow.as_deref(), &self.path)
    }

    /// The same, with the plugins that take its steps.
    pub(crate) fn plan_with(&self, plugins: &PluginArgs) -> Result<(Arc<Plan>, Plugins), Error> {
        let (documents, flows) = load::flows_with_files(&self.path)?;
        let plan = one(&flows, self.flow.as_deref(), &self.path)?;
        Ok((plan, plugins.of_flows(&documents, &flows)?))
    }
}

fn one(flows: &ProbeFlows, name: Option<&str>, path: &Path) -> Result<Arc<Plan>, Error> {
    let known = || listed(flows.iter().map(|plan| plan.name()));
    if let Some(name) = name {
        let found = flows.get(name).cloned();
        return found.ok_or_else(|| Error::NoFlow { path: path.to_owned(), flow: name.to_owned(), known: known() });
    }
    let mut all = flows.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        _ => Err(Error::WhichFlow { path: path.to_owned(), known: known() }),
    }
}

/// The target that is named, or the only one.
pub(crate) fn target(plan: &Plan, name: Option<&Name>) -> Result<Name, Error> {
    if let Some(name) = name {
        return Ok(name.clone());
    }
    let mut all = plan.targets();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => Err(Error::WhichTarget { flow: plan.name().to_string(), known: listed(plan.targets()) }),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a Name>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
