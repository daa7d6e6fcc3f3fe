//! From documents to plans: references resolved, patterns compiled, everything that is wrong reported at once.

mod custom;
mod expectation;
mod feasible;
mod flow;
mod import;
mod lint;
mod scope;
mod step;
mod windows;

use std::sync::Arc;

pub(in crate::probe) use import::beside;

use super::language::Languages;
use super::plan::Plan;
use crate::Digest;
use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::DiagnosticCode as Code;
use crate::document::probe::{ProbeFlow, ProbeLibrary};
use crate::document::yaml::Node;
use crate::policy::PluginFiles;

/// The probe documents of some files.
#[derive(Debug, Default)]
pub(crate) struct ProbeDocuments {
    pub(crate) flows: Vec<(ProbeFlow, Digest)>,
    pub(crate) libraries: Vec<Library>,
    /// Components beside the documents.
    pub(crate) plugins: PluginFiles,
}

/// A library and the file that holds it.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) path: String,
    pub(crate) digest: Digest,
    pub(crate) document: ProbeLibrary,
}

/// The kinds that are read here.
pub(crate) const KINDS: [&str; 2] = ["ProbeFlow", "ProbeLibrary"];

impl ProbeDocuments {
    /// Reads a document of one of [`KINDS`].
    pub(crate) fn read(&mut self, kind: &str, path: &str, bytes: &[u8], node: &Node, report: &mut Report) {
        let before = report.diagnostics.len();
        let digest = Digest::of(bytes);
        if kind == "ProbeFlow" {
            self.flows.extend(ProbeFlow::decode(node, report).map(|flow| (flow, digest)));
        } else if let Some(document) = ProbeLibrary::decode(node, report) {
            self.libraries.push(Library { path: path.to_owned(), digest, document });
        }
        for diagnostic in report.diagnostics.iter_mut().skip(before) {
            if diagnostic.code == Code::UnknownKey {
                diagnostic.code = Code::ProbeUnknownKey;
            }
        }
    }

    /// The plans of all flows; what is wrong is reported, and a plan of such a flow means nothing.
    pub(crate) fn compile(&self, languages: Languages<'_>, report: &mut Report) -> Vec<Arc<Plan>> {
        import::check(self, report);
        for library in &self.libraries {
            flow::check_library(library, &self.libraries, languages, &self.plugins, report);
        }
        let plans: Vec<Arc<Plan>> = self
            .flows
            .iter()
            .filter_map(|(flow, digest)| {
                flow::compile(flow, *digest, &self.libraries, languages, &self.plugins, report)
            })
            .map(Arc::new)
            .collect();
        for (index, (flow, _)) in self.flows.iter().enumerate() {
            let name = &flow.metadata.value.name;
            let mut earlier = self.flows.iter().take(index).map(|(flow, _)| &flow.metadata.value.name);
            if let Some(first) = earlier.find(|earlier| earlier.value == name.value) {
                let message =
                    format!("a second flow is called `{}`; the first is in {}", name.value, first.position.file);
                report.error(Code::ProbeDuplicateId, &name.position, message, "rename one of them".to_owned());
            }
        }
        plans
    }
}
