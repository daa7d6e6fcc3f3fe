//! The flows of some files, read, checked and compiled.

use std::sync::Arc;

use super::compile::{KINDS, ProbeDocuments};
use super::language::{ExpectationLanguage, Languages};
use super::plan::Plan;
use crate::Digest;
use crate::bundle::{check_kind, scalar_at};
use crate::document::decode::Report;
use crate::document::diagnostic::{self, BundleError, Diagnostic, DiagnosticCode as Code, Position, Severity};
use crate::document::{ApiVersion, yaml};

/// Synthetic flows and the libraries that they import: read, checked and compiled.
///
/// ```
/// let flow = "
/// apiVersion: davy/v1
/// kind: ProbeFlow
/// metadata: { name: home }
/// spec:
///   targets: { prod: { baseUrl: https://shop.example } }
///   steps:
///     - { id: home, request: { path: / }, expect: { status: 200, body: { contains: Welcome } } }
/// ";
/// let flows = davy::ProbeFlows::from_files([("home.yaml", flow)])?;
/// assert_eq!(flows.get("home").map(|plan| plan.targets().count()), Some(1));
/// assert!(flows.warnings().is_empty());
///
/// let error = davy::ProbeFlows::from_files([("home.yaml", flow.replace("path: /", "path: '/${x}'"))]).unwrap_err();
/// assert_eq!(error.diagnostics()[0].code.as_str(), "P002");
/// # Ok::<(), davy::BundleError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProbeFlows {
    plans: Vec<Arc<Plan>>,
    warnings: Vec<Diagnostic>,
}

impl ProbeFlows {
    /// Reads files that hold flows and libraries, given as paths and contents. The expectations `cel` and `schema` are
    /// errors; see [`ProbeFlows::with_languages`].
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn from_files<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, BundleError> {
        Self::with_languages(files, &[])
    }

    /// The same with languages for the expectations `cel` and `schema`.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn with_languages<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
        languages: &[Arc<dyn ExpectationLanguage>],
    ) -> Result<Self, BundleError> {
        let mut files: Vec<(String, B)> = files.into_iter().map(|(path, bytes)| (path.into(), bytes)).collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut report = Report::default();
        let mut documents = ProbeDocuments::default();
        for (path, bytes) in &files {
            let bytes = bytes.as_ref();
            if path.ends_with(".wasm") {
                documents.plugins.insert(path.clone(), Digest::of(bytes));
                continue;
            }
            let Some(node) = yaml::parse(&path.as_str().into(), bytes, &mut report) else { continue };
            if check_kind(&node, ApiVersion::V1.as_str(), &KINDS, &mut report).is_none() {
                continue;
            }
            match scalar_at(&node, "kind") {
                Some((kind, _)) => documents.read(kind, path, bytes, &node, &mut report),
                None => report.error(Code::MissingKey, &node.position, "the key `kind` is missing", None),
            }
        }
        let plans = documents.compile(Languages::These(languages), &mut report);
        if documents.flows.is_empty() && documents.libraries.is_empty() && report.diagnostics.is_empty() {
            let file = files.first().map_or("probes", |(path, _)| path.as_str());
            let position = Position { file: file.into(), line: 1, column: 1 };
            report.error(Code::DocumentCount, &position, "there is no flow", None);
        }
        Self::checked(plans, report)
    }

    fn checked(plans: Vec<Arc<Plan>>, mut report: Report) -> Result<Self, BundleError> {
        // A shared action repeats what is wrong with it wherever it is used.
        diagnostic::sort(&mut report.diagnostics);
        report.diagnostics.dedup();
        if report.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(BundleError::new(report.diagnostics));
        }
        Ok(Self { plans, warnings: report.diagnostics })
    }

    /// Those of a bundle, whose report has no errors.
    pub(crate) fn of_bundle(plans: Vec<Arc<Plan>>) -> Self {
        Self { plans, warnings: Vec::new() }
    }

    /// The flow of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Plan>> {
        self.plans.iter().find(|plan| plan.name().as_str() == name)
    }

    /// All flows.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.plans.iter()
    }

    /// What probably does not do what its author expects, in the order of files and lines.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}
