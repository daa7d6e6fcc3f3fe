//! The plugins of a bundle or of flows, loaded and held against the documents that use them.

use std::collections::BTreeSet;
use std::sync::Arc;

use davy::document::DiagnosticCode;
use davy::plugin::{MetricUse, Plugins, StepUse};
use davy::{Bundle, Diagnostic, Digest, Position, ProbeFlows, Severity};

use crate::description::Description;
use crate::engine::PluginHost;
use crate::error::PluginError;
use crate::fit;
use crate::step::Step;

impl PluginHost {
    /// Loads every plugin that the bundle's documents use, and checks that they are used as they say: world, what they
    /// measure, inputs and their forms, window, captures, and parameters by the plugin's own schema.
    ///
    /// # Errors
    /// [`PluginError::Documents`] with everything that is wrong, where it stands.
    pub fn load(&self, bundle: &Bundle) -> Result<Plugins, PluginError> {
        whole(self.load_what_fits(bundle))
    }

    /// The same for hosts that decide whatever else fails: those plugins that fit, and what is wrong with the others. A
    /// metric whose plugin is not among them is measured by nobody, and holds.
    #[must_use]
    pub fn load_what_fits(&self, bundle: &Bundle) -> (Plugins, Vec<Diagnostic>) {
        let mut plugins = Plugins::new();
        let mut wrong = Vec::new();
        for (path, digest, bytes) in bundle.plugins() {
            if let Some(step) = self.step_of(bundle.probes(), path, digest, bytes, &mut wrong) {
                plugins = plugins.pinned_step(digest, step);
            }
            let uses: Vec<MetricUse<'_>> = bundle.metric_plugins().filter(|used| used.digest == Some(digest)).collect();
            let Some(first) = uses.first() else { continue };
            let metric = self.plugin(bytes).and_then(|plugin| Ok((plugin.metric()?, plugin)));
            let (metric, plugin) = match metric {
                Ok(loaded) => loaded,
                Err(error) => {
                    wrong.push(diagnostic(&first.document.position, format!("`{path}`: {error}"), None));
                    continue;
                }
            };
            let before = wrong.len();
            uses.iter().for_each(|used| fit::metric(used, plugin.description(), &mut wrong));
            if wrong.len() == before {
                plugins = plugins.pinned(digest, Arc::new(metric));
            }
        }
        (plugins, distinct(wrong))
    }

    /// Loads the components that take steps of these flows: files that lie beside them, as paths and contents.
    ///
    /// # Errors
    /// [`PluginError::Documents`] with everything that is wrong.
    pub fn load_steps<P: AsRef<str>, B: AsRef<[u8]>>(
        &self,
        flows: &ProbeFlows,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Plugins, PluginError> {
        let mut plugins = Plugins::new();
        let mut wrong = Vec::new();
        for (path, bytes) in files {
            let (path, bytes) = (path.as_ref(), bytes.as_ref());
            let digest = Digest::of(bytes);
            if let Some(step) = self.step_of(flows, path, digest, bytes, &mut wrong) {
                plugins = plugins.pinned_step(digest, step);
            }
        }
        whole((plugins, distinct(wrong)))
    }

    /// The component as a step, if a flow uses it as one and everything fits.
    fn step_of(
        &self,
        flows: &ProbeFlows,
        path: &str,
        digest: Digest,
        bytes: &[u8],
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<Arc<Step>> {
        let before = wrong.len();
        let step = self.fitting(flows, path, digest, bytes, wrong);
        for about_a_step in wrong.iter_mut().skip(before) {
            about_a_step.code = DiagnosticCode::ProbePlugin;
        }
        step
    }

    fn fitting(
        &self,
        flows: &ProbeFlows,
        path: &str,
        digest: Digest,
        bytes: &[u8],
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<Arc<Step>> {
        let uses = flows.iter().flat_map(|plan| plan.plugins()).filter(|used| used.digest == Some(digest));
        let uses: Vec<StepUse<'_>> = uses.collect();
        let first = uses.first()?;
        let loaded = self.plugin(bytes).and_then(|plugin| Ok((plugin.step()?, plugin)));
        let refuse =
            |error: PluginError| wrong.push(diagnostic(&first.document.position, format!("`{path}`: {error}"), None));
        let (step, plugin) = loaded.map_err(refuse).ok()?;
        let before = wrong.len();
        uses.iter().for_each(|used| fit::step(used, plugin.description(), wrong));
        (wrong.len() == before).then(|| Arc::new(step))
    }

    /// What the bundle's plugin with this digest says of itself.
    ///
    /// # Errors
    /// [`PluginError`] where it cannot be loaded; nothing where the bundle has no such plugin.
    pub fn describe(&self, bundle: &Bundle, digest: Digest) -> Result<Option<Description>, PluginError> {
        let found = bundle.plugins().find(|(_, known, _)| *known == digest);
        found.map(|(_, _, bytes)| self.plugin(bytes).map(|plugin| plugin.description().clone())).transpose()
    }
}

fn whole((plugins, wrong): (Plugins, Vec<Diagnostic>)) -> Result<Plugins, PluginError> {
    if wrong.is_empty() { Ok(plugins) } else { Err(PluginError::Documents(wrong)) }
}

/// Environments repeat what is wrong above them, and shared actions what is wrong with them, in turns: each is said once,
/// where it is said first.
fn distinct(mut wrong: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said = BTreeSet::new();
    wrong.retain(|one| said.insert((one.position.clone(), one.code, one.message.clone())));
    wrong
}

pub(crate) fn diagnostic(position: &Position, message: String, hint: Option<String>) -> Diagnostic {
    Diagnostic { severity: Severity::Error, code: DiagnosticCode::Plugin, position: position.clone(), message, hint }
}
