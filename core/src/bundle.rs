//! A bundle: the documents of one service under one digest.

use std::sync::Arc;

use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::{
    self, BundleError, Diagnostic, DiagnosticCode as Code, Position, Severity, did_you_mean, shown,
};
use crate::document::yaml::{self, Node, Value};
use crate::document::{ApiVersion, Kind, OpenSloKind, OpenSloVersion, PolicyTestKind, Rollout, SloDocuments};
use crate::policy::{CalendarDocuments, PluginFiles, Policies, compile};
use crate::probe::{self, ExpectationLanguage, Languages, ProbeDocuments, ProbeFlows};
use crate::rule::{RuleFiles, RuleText, warn_of_unused};
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
    probes: ProbeFlows,
    digest: Digest,
    warnings: Vec<Diagnostic>,
    files: Vec<(String, Vec<u8>)>,
    components: PluginFiles,
}

impl Bundle {
    /// Reads the files of a bundle, given as paths and contents; exactly one holds the rollout.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn from_files<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, BundleError> {
        Self::read(files, [], &[])
    }

    /// The same where the bytes of some WebAssembly components are not at hand: they are given as paths, which end in
    /// `.wasm`, and digests. Nobody can run them, and nothing that decides or replays has to.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn with_components<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
        components: impl IntoIterator<Item = (String, Digest)>,
    ) -> Result<Self, BundleError> {
        Self::read(files, components, &[])
    }

    /// The same with languages for the expectations `cel` and `schema` of its flows, for hosts that run them. A flow that
    /// needs another one is no error: a run of it ends with one.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn with_languages<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
        languages: &[Arc<dyn ExpectationLanguage>],
    ) -> Result<Self, BundleError> {
        Self::read(files, [], languages)
    }

    fn read<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
        components: impl IntoIterator<Item = (String, Digest)>,
        languages: &[Arc<dyn ExpectationLanguage>],
    ) -> Result<Self, BundleError> {
        let mut files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|(path, bytes)| (path.into(), bytes.as_ref().to_vec())).collect();
        files.sort();
        let mut report = Report::default();
        let mut documents = Documents::default();
        documents.plugins.extend(components.into_iter().filter(|(path, _)| is_component(path)));
        for (path, bytes) in &files {
            documents.read(path, bytes, &mut report);
        }
        check_count(&files, &documents.rollouts, &mut report);
        let rollout = documents.rollouts.pop();
        let (plugins, rules) = (&documents.plugins, &documents.rules);
        let policies = rollout
            .as_ref()
            .map(|rollout| compile(rollout, &documents.slos, &documents.calendars, plugins, rules, &mut report));
        documents.probes.plugins.clone_from(&documents.plugins);
        let plans = documents.probes.compile(Languages::AtLeast(languages), &mut report);
        // Environments repeat what is wrong above them.
        diagnostic::sort(&mut report.diagnostics);
        report.diagnostics.dedup();
        let broken = report.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        match (rollout, policies) {
            (Some(rollout), Some(policies)) if !broken => {
                let plans_of_rules = policies.named.values().chain(&policies.any).flat_map(|policy| &policy.rules);
                warn_of_unused(plans_of_rules, &documents.rules, &mut report);
                let mut warnings = report.diagnostics;
                warnings.extend(lint::warnings(&rollout, &policies));
                diagnostic::sort(&mut warnings);
                let probes = ProbeFlows::of_bundle(plans);
                let (digest, components) = (digest(&files, &documents.plugins), documents.plugins);
                Ok(Self { digest, rollout, policies: Arc::new(policies), probes, warnings, files, components })
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
    /// content is preceded by its length as eight bytes, most significant first. Of a WebAssembly component it is the
    /// SHA-256 that counts as the content, so that who replays a record need not have it.
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

    /// The synthetic flows of the bundle.
    #[must_use]
    pub fn probes(&self) -> &ProbeFlows {
        &self.probes
    }

    /// Paths and contents, in the order of the paths.
    #[must_use]
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }

    /// The paths and digests of its WebAssembly components, in the order of the paths.
    pub fn components(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.components.iter().map(|(path, digest)| (path.as_str(), *digest))
    }

    /// The components whose bytes are at hand: paths, digests and bytes, in the order of the paths.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Digest, &[u8])> {
        let components = self.files.iter().filter(|(path, _)| is_component(path));
        components.map(|(path, bytes)| (path.as_str(), Digest::of(bytes), bytes.as_slice()))
    }

    pub(crate) fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }
}

fn is_component(path: &str) -> bool {
    path.ends_with(".wasm")
}

fn digest(files: &[(String, Vec<u8>)], components: &PluginFiles) -> Digest {
    let documents = files.iter().filter(|(path, _)| !is_component(path));
    let documents = documents.map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let components = components.iter().map(|(path, digest)| (path.as_str(), digest.as_bytes().as_slice()));
    let mut parts: Vec<(&str, &[u8])> = documents.chain(components).collect();
    parts.sort_unstable();
    let mut all = Vec::new();
    for (path, content) in parts {
        for part in [path.as_bytes(), content] {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
    }
    Digest::of(&all)
}

/// What the files hold.
#[derive(Default)]
struct Documents {
    rollouts: Vec<Rollout>,
    slos: SloDocuments,
    probes: ProbeDocuments,
    rules: RuleFiles,
    plugins: PluginFiles,
    calendars: CalendarDocuments,
}

impl Documents {
    /// Reads one file; what is wrong with it is reported.
    fn read(&mut self, path: &str, bytes: &[u8], report: &mut Report) -> Option<()> {
        if RuleText::is_rule(path) {
            match RuleText::read(path, bytes, report) {
                Some(text) => self.rules.rules.insert(path.to_owned(), text).map_or((), drop),
                None => self.rules.broken = true,
            }
            return None;
        }
        if is_component(path) {
            self.plugins.insert(path.to_owned(), Digest::of(bytes));
            return Some(());
        }
        if CalendarDocuments::is_ics(path) {
            self.calendars.read_ics(path, bytes, report);
            return None;
        }
        let file: Arc<str> = path.into();
        let node = yaml::parse(&file, bytes, report)?;
        if let Some((kind, position)) =
            scalar_at(&node, "kind").filter(|(kind, _)| *kind == PolicyTestKind::PolicyTest.as_str())
        {
            let hint = "name the file `…_test.yaml`, so that it is left out, and run it with `davy test`".to_owned();
            report.error(Code::UnknownKind, position, format!("`kind: {kind}` is no part of a bundle"), hint);
            return None;
        }
        let is_openslo = scalar_at(&node, "apiVersion").is_some_and(|(version, _)| version.starts_with("openslo/"));
        if is_openslo {
            let kinds: Vec<&str> = OpenSloKind::ALL.iter().map(|kind| kind.as_str()).collect();
            check_kind(&node, OpenSloVersion::V1.as_str(), &kinds, report)?;
            let Some((kind, _)) = scalar_at(&node, "kind") else {
                report.error(Code::MissingKey, &node.position, "the key `kind` is missing", None);
                return None;
            };
            let kind = OpenSloKind::ALL.iter().find(|known| known.as_str() == kind)?;
            self.slos.read(*kind, &node, report);
        } else {
            let [flow, library] = probe::KINDS;
            check_kind(
                &node,
                ApiVersion::V1.as_str(),
                &[Kind::Rollout.as_str(), CalendarDocuments::KIND, flow, library],
                report,
            )?;
            match scalar_at(&node, "kind") {
                Some((kind, _)) if probe::KINDS.contains(&kind) => self.probes.read(kind, path, bytes, &node, report),
                Some((CalendarDocuments::KIND, _)) => self.calendars.read(&node, report),
                _ => {
                    // Rules that stand in a document point into its text.
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    self.rules.documents.insert(path.to_owned(), text);
                    self.rollouts.push(Rollout::decode(&node, report)?);
                }
            }
        }
        Some(())
    }
}

/// Whether this is a document of the language at all; what is wrong with other documents is nobody's concern.
pub(crate) fn check_kind(node: &Node, version: &str, kinds: &[&str], report: &mut Report) -> Option<()> {
    let before = report.diagnostics.len();
    for (key, known) in [("apiVersion", &[version][..]), ("kind", kinds)] {
        if let Some((text, position)) = scalar_at(node, key).filter(|(text, _)| !known.contains(text)) {
            let message = format!("unknown {key} `{}`", shown(text));
            let hint = did_you_mean(text, known.iter().copied())
                .unwrap_or_else(|| format!("this version reads `{}`", known.join("`, `")));
            report.error(Code::UnknownKind, position, message, hint);
        }
    }
    (report.diagnostics.len() == before).then_some(())
}

pub(crate) fn scalar_at<'a>(node: &'a Node, key: &str) -> Option<(&'a str, &'a Position)> {
    let Value::Map(entries) = &node.value else { return None };
    let (_, value) = entries.iter().find(|(known, _)| known.text == key)?;
    let Value::Scalar(scalar) = &value.value else { return None };
    Some((&scalar.text, &value.position))
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
