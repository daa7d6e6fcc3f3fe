//! A bundle: the documents of one service under one digest.

use std::sync::Arc;

use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::{self, BundleError, Diagnostic, DiagnosticCode as Code, Position, Severity};
use crate::document::yaml::{self, Node, Value};
use crate::document::{Kind, Rollout};
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
    let node = match yaml::parse(&file, bytes) {
        Ok(node) => node,
        Err(diagnostic) => {
            report.diagnostics.push(diagnostic);
            return None;
        }
    };
    if let Some((later, position)) = later_kind(&node) {
        let hint = "this version reads `kind: Rollout` alone".to_owned();
        report.error(Code::NotSupportedYet, &position, format!("`{later}` is not supported yet"), hint);
        return None;
    }
    Rollout::decode(&node, report)
}

/// Documents of the language whose gates do not exist yet.
fn later_kind(node: &Node) -> Option<(String, Position)> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find_map(|(key, value)| match (&value.value, key.text.as_str()) {
        (Value::Scalar(scalar), "kind")
            if ["Calendar", "ProbeFlow", "ProbeLibrary"].contains(&scalar.text.as_str()) =>
        {
            Some((format!("kind: {}", scalar.text), value.position.clone()))
        }
        (Value::Scalar(scalar), "apiVersion") if scalar.text.starts_with("openslo/") => {
            Some((format!("apiVersion: {}", scalar.text), value.position.clone()))
        }
        _ => None,
    })
}

fn check_count(files: &[(String, Vec<u8>)], rollouts: &[Rollout], report: &mut Report) {
    if let [first, others @ ..] = rollouts {
        for other in others {
            let message = format!("a second `kind: {:?}`; the first is in {}", Kind::Rollout, first.position.file);
            report.error(Code::RolloutCount, &other.position, message, "a bundle is about one service".to_owned());
        }
    } else if report.diagnostics.is_empty() {
        let file = files.first().map_or("bundle", |(path, _)| path.as_str());
        let position = Position { file: file.into(), line: 1, column: 1 };
        report.error(Code::RolloutCount, &position, "the bundle has no rollout", "`davy init` writes one".to_owned());
    }
}
