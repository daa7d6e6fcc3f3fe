//! A bundle: the documents of one service under one digest.

use std::sync::Arc;

use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::{
    self, BundleError, Diagnostic, DiagnosticCode as Code, Position, Severity, did_you_mean, shown,
};
use crate::document::yaml::{self, Node, Value};
use crate::document::{ApiVersion, Kind, Rollout};
use crate::policy::{Policies, compile};
use crate::{Digest, Name, lint};

/// The documents of one service: read, checked, compiled, under one digest.
///
/// ```
/// let rollout = "
/// apiVersion: davy/v1
/// kind: Rollout
/// metadata: { name: checkout }
/// spec: { health: { metrics: [{ name: errors, bad: 'http_errors_total', total: 'http_requests_total', max: 1% }] } }
/// ";
/// let bundle = davy::Bundle::from_files([("rollouts.yaml", rollout)])?;
/// assert_eq!(bundle.service().as_str(), "checkout");
///
/// let error = davy::Bundle::from_files([("rollouts.yaml", rollout.replace("metrics", "metrix"))]).unwrap_err();
/// let first = &error.diagnostics()[0];
/// assert_eq!((first.code.as_str(), first.position.to_string().as_str()), ("D011", "rollouts.yaml:5:19"));
/// # Ok::<(), davy::BundleError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bundle {
    rollout: Rollout,
    policies: Arc<Policies>,
    digest: Digest,
    warnings: Vec<Diagnostic>,
    files: Vec<(String, Vec<u8>)>,
}

impl Bundle {
    /// Reads the files of a bundle, given as paths and contents; exactly one holds the rollout.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn from_files<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, BundleError> {
        let mut files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|(path, bytes)| (path.into(), bytes.as_ref().to_vec())).collect();
        files.sort();
        let mut report = Report::default();
        let mut rollouts: Vec<Rollout> =
            files.iter().filter_map(|(path, bytes)| read(path, bytes, &mut report)).collect();
        check_count(&files, &rollouts, &mut report);
        let rollout = rollouts.pop();
        let policies = rollout.as_ref().map(|rollout| compile(rollout, &mut report));
        // Environments repeat what is wrong above them.
        diagnostic::sort(&mut report.diagnostics);
        report.diagnostics.dedup();
        let broken = report.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        match (rollout, policies) {
            (Some(rollout), Some(policies)) if !broken => {
                let warnings = lint::warnings(&rollout, &policies);
                Ok(Self { digest: digest(&files), rollout, policies: Arc::new(policies), warnings, files })
            }
            _ => Err(BundleError::new(report.diagnostics)),
        }
    }

    /// The service that it is about.
    #[must_use]
    pub fn service(&self) -> &Name {
        &self.rollout.metadata.value.name.value
    }

    /// SHA-256 over the paths and bytes of its files, in the order of the paths: each path and each
    /// content is preceded by its length as eight bytes, most significant first.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What probably does not do what its author expects.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The rollout as it was read.
    #[must_use]
    pub fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// Paths and contents, in the order of the paths.
    #[must_use]
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }

    pub(crate) fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }
}

fn digest(files: &[(String, Vec<u8>)]) -> Digest {
    let mut all = Vec::new();
    for (path, bytes) in files {
        for part in [path.as_bytes(), bytes] {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
    }
    Digest::of(&all)
}

/// Reads one file, if it is a rollout.
fn read(path: &str, bytes: &[u8], report: &mut Report) -> Option<Rollout> {
    let file: Arc<str> = path.into();
    let node = yaml::parse(&file, bytes, report)?;
    if let Some((later, position)) = later_kind(&node) {
        let hint = "this version reads `kind: Rollout` alone".to_owned();
        report.error(Code::NotSupportedYet, &position, format!("`{later}` is not supported yet"), hint);
        return None;
    }
    check_kind(&node, report)?;
    Rollout::decode(&node, report)
}

/// Whether this is a document of the language at all; what is wrong with other documents is nobody's concern.
fn check_kind(node: &Node, report: &mut Report) -> Option<()> {
    let before = report.diagnostics.len();
    let known = [("apiVersion", ApiVersion::V1.as_str()), ("kind", Kind::Rollout.as_str())];
    for (key, known) in known {
        if let Some((text, position)) = scalar_at(node, key).filter(|(text, _)| *text != known) {
            let message = format!("unknown {key} `{}`", shown(text));
            let hint = did_you_mean(text, [known]).unwrap_or_else(|| format!("this version reads `{known}`"));
            report.error(Code::UnknownKind, position, message, hint);
        }
    }
    (report.diagnostics.len() == before).then_some(())
}

fn scalar_at<'a>(node: &'a Node, key: &str) -> Option<(&'a str, &'a Position)> {
    let Value::Map(entries) = &node.value else { return None };
    let (_, value) = entries.iter().find(|(known, _)| known.text == key)?;
    let Value::Scalar(scalar) = &value.value else { return None };
    Some((&scalar.text, &value.position))
}

/// Documents of the language whose gates do not exist yet.
fn later_kind(node: &Node) -> Option<(String, Position)> {
    let kind = scalar_at(node, "kind").filter(|(kind, _)| ["Calendar", "ProbeFlow", "ProbeLibrary"].contains(kind));
    let version = scalar_at(node, "apiVersion").filter(|(version, _)| version.starts_with("openslo/"));
    let named = |key: &str, (text, position): (&str, &Position)| (format!("{key}: {}", shown(text)), position.clone());
    kind.map(|kind| named("kind", kind)).or_else(|| version.map(|version| named("apiVersion", version)))
}

fn check_count(files: &[(String, Vec<u8>)], rollouts: &[Rollout], report: &mut Report) {
    if let [first, others @ ..] = rollouts {
        for other in others {
            let message = format!("a second `kind: {}`; the first is in {}", Kind::Rollout, first.position.file);
            report.error(Code::RolloutCount, &other.position, message, "a bundle is about one service".to_owned());
        }
    } else if report.diagnostics.is_empty() {
        let file = files.first().map_or("bundle", |(path, _)| path.as_str());
        let position = Position { file: file.into(), line: 1, column: 1 };
        report.error(Code::RolloutCount, &position, "the bundle has no rollout", "`davy init` writes one".to_owned());
    }
}
