//! Tests of policies: a snapshot, or several in a row, and what must be decided.
//!
//! A test document (`kind: PolicyTest`) is read into [`PolicyTests`], which [`PolicyTests::run`] puts to an engine.
//! What was decided is counted by a [`Coverage`], which tells what of a policy no test has reached; and
//! [`PolicyTests::updated`] writes a document again with what is decided today. Like deciding, all of this is pure:
//! a host reads the files.

mod branches;
mod coverage;
mod expected;
mod extent;
mod run;
mod scene;
mod update;

pub use coverage::{Branch, Coverage, GateCoverage};
pub use expected::Mismatch;
pub use run::{LookRun, TestRun};
pub use update::UpdateError;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Name;
use crate::bundle::check_kind;
use crate::decision::Cause;
use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::{BundleError, DiagnosticCode as Code, Position, did_you_mean, shown};
use crate::document::{
    ApiVersion, CarriedState, Expectation, PolicyTestDocument, PolicyTestKind, SharedSnapshot, Spanned, TestCase, yaml,
};
use scene::View;

/// The tests of one document, read and checked.
///
/// ```
/// use std::collections::BTreeMap;
/// use davy::testing::{Coverage, PolicyTests};
/// let policy = "
/// apiVersion: davy/v1
/// kind: Rollout
/// metadata: { name: checkout }
/// spec: { health: { judge: threshold, warmUp: 0s, metrics: [{ name: errors, bad: b, total: t, max: 1% }] } }
/// ";
/// let tests = "
/// apiVersion: davy/v1
/// kind: PolicyTest
/// metadata: { name: errors }
/// spec:
///   tests:
///     - name: two percent of errors end the release
///       snapshot:
///         now: 2026-11-23T10:00:00Z
///         asked: promote
///         stage: canary
///         weight: 5%
///         since: 2026-11-23T10:00:00Z
///         release: { service: checkout, environment: prod, revision: r2, stable: r1, startedAt: 2026-11-23T10:00:00Z }
///       at: 3m
///       intervals: [{ from: 0s, to: 2m, observations: [{ metric: errors, cohort: canary, bad: 20, total: 1000 }] }]
///       expect: { verdict: abort, reasons: [health.limit-exceeded] }
/// ";
/// let bundle = davy::Bundle::from_files([("rollouts.yaml", policy)])?;
/// let tests = PolicyTests::from_yaml("errors_test.yaml", tests.as_bytes())?;
/// let engine = davy::Engine::new(&bundle);
/// let mut coverage = Coverage::of(&bundle, &engine);
/// let runs = tests.run(&engine, &BTreeMap::new(), &mut coverage);
/// assert!(runs.iter().all(davy::testing::TestRun::passed));
/// assert!(coverage.unreached().any(|branch| branch.to_string() == "health of `errors`: pass"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PolicyTests {
    document: PolicyTestDocument,
}

/// Whether a file of this name holds policy tests: it ends in `_test.yaml` or `_test.yml`. Such files stand beside
/// a policy and are no part of its bundle.
///
/// ```
/// assert!(davy::testing::is_test_file("checkout_test.yaml"));
/// assert!(!davy::testing::is_test_file("rollouts.yaml"));
/// ```
#[must_use]
pub fn is_test_file(name: &str) -> bool {
    name.ends_with("_test.yaml") || name.ends_with("_test.yml")
}

impl PolicyTests {
    /// Reads a document of tests. `file` is what positions call it.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn from_yaml(file: &str, bytes: &[u8]) -> Result<Self, BundleError> {
        let mut report = Report::default();
        let file: Arc<str> = file.into();
        let document = yaml::parse(&file, bytes, &mut report).and_then(|node| {
            check_kind(&node, ApiVersion::V1.as_str(), &[PolicyTestKind::PolicyTest.as_str()], &mut report)?;
            PolicyTestDocument::decode(&node, &mut report)
        });
        if let Some(document) = document.as_ref().filter(|_| report.diagnostics.is_empty()) {
            check(document, &mut report);
        }
        match document {
            Some(document) if report.diagnostics.is_empty() => Ok(Self { document }),
            _ => Err(BundleError::new(report.diagnostics)),
        }
    }

    /// What reports call these tests.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.document.metadata.value.name.value
    }

    /// The policy that they test: a path as seen from the folder of the document.
    #[must_use]
    pub fn policy(&self) -> &str {
        self.document.spec.value.policy.as_ref().map_or(".", |policy| &policy.value)
    }

    /// The files with snapshots that they begin with: paths as seen from the folder of the document.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        let views = self.shared().map(|(_, shared)| View::from(shared));
        let tests = self.cases().flat_map(|case| looks(case).into_iter().map(|look| look.view));
        views.chain(tests).filter_map(|view| view.file).map(|file| file.value.as_str()).collect()
    }

    fn shared(&self) -> impl Iterator<Item = (&Spanned<Name>, &SharedSnapshot)> {
        let named = self.document.spec.value.snapshots.iter().flat_map(|named| &named.value.0);
        named.map(|(name, shared)| (name, shared))
    }

    fn cases(&self) -> impl Iterator<Item = &TestCase> {
        self.document.spec.value.tests.value.iter()
    }
}

/// A look of a test, however it was written.
#[derive(Clone, Copy)]
struct Look<'a> {
    view: View<'a>,
    state: CarriedState,
    expect: Option<&'a Expectation>,
    position: &'a Position,
}

/// The looks of a test, in their order.
fn looks(case: &TestCase) -> Vec<Look<'_>> {
    match &case.looks {
        Some(looks) => looks
            .value
            .iter()
            .map(|look| Look {
                view: View::from(look),
                state: look.state(),
                expect: look.expect.as_ref().map(|expect| &expect.value),
                position: &look.position,
            })
            .collect(),
        None => vec![Look {
            view: View::from(case),
            state: CarriedState::New,
            expect: case.expect.as_ref().map(|expect| &expect.value),
            position: &case.position,
        }],
    }
}

fn check(document: &PolicyTestDocument, report: &mut Report) {
    let spec = &document.spec.value;
    let mut known: BTreeMap<&str, &Position> = BTreeMap::new();
    for (name, shared) in spec.snapshots.iter().flat_map(|named| &named.value.0) {
        check_base(View::from(shared), &shared.position, &known, false, report);
        known.insert(name.value.as_str(), &name.position);
    }
    if spec.tests.value.is_empty() {
        report.error(
            Code::Choice,
            &spec.tests.position,
            "there is no test",
            "write one, or remove the file".to_owned(),
        );
    }
    let mut names: BTreeMap<&str, &Position> = BTreeMap::new();
    for case in &spec.tests.value {
        if let Some(first) = names.insert(&case.name.value, &case.name.position) {
            let message = format!("the test `{}` stands twice, first in line {}", shown(&case.name.value), first.line);
            report.error(Code::Name, &case.name.position, message, "say what this one shows".to_owned());
        }
        let looks_and = View::from(case).position().or_else(|| case.expect.as_ref().map(|expect| &expect.position));
        if let (Some(_), Some(position)) = (&case.looks, looks_and) {
            let hint = "put it into one of the `looks`".to_owned();
            report.error(Code::Choice, position, "a test is one look, or has several as `looks`", hint);
            continue;
        }
        let looks = looks(case);
        if looks.is_empty() {
            report.error(Code::Choice, &case.position, "the test has no looks", "add one".to_owned());
        }
        for (number, look) in looks.iter().enumerate() {
            check_base(look.view, look.position, &known, number > 0, report);
            if let Some(expect) = look.expect {
                check_codes(expect, report);
            }
        }
    }
}

/// Whether it is said, and said once, what a snapshot begins as.
fn check_base(
    view: View<'_>,
    position: &Position,
    known: &BTreeMap<&str, &Position>,
    follows: bool,
    report: &mut Report,
) {
    let given = [
        view.file.map(|file| &file.position),
        view.snapshot.map(|snapshot| &snapshot.position),
        view.from.map(|from| &from.position),
    ];
    match given.into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] if follows => {}
        [] => {
            let hint = "give `from` with a shared snapshot, `snapshot` with its data, or `file`".to_owned();
            report.error(Code::Choice, position, "it is not said which snapshot this begins with", hint);
        }
        [_] => {}
        [_, second, ..] => {
            let message = "a snapshot begins with one of `from`, `snapshot` and `file`";
            report.error(Code::Choice, second, message, "keep one, and put what differs into `patch`".to_owned());
        }
    }
    if let Some(from) = view.from.filter(|from| !known.contains_key(from.value.as_str())) {
        let hint = did_you_mean(from.value.as_str(), known.keys().copied())
            .unwrap_or_else(|| "describe it under `snapshots`, before it is used".to_owned());
        report.error(Code::Name, &from.position, format!("no snapshot has the name `{}` here", from.value), hint);
    }
    for span in view.spans.into_iter().flatten() {
        if span.to.value <= span.from.value {
            let message = format!("the span ends at {}, which is not after its start", span.to.value);
            report.error(Code::Range, &span.to.position, message, None);
        }
    }
}

fn check_codes(expect: &Expectation, report: &mut Report) {
    let lists = [&expect.reasons, &expect.codes, &expect.absent];
    let plain = lists.into_iter().flatten().flat_map(|codes| &codes.value);
    let detailed = expect.findings.iter().flat_map(|findings| &findings.value).map(|finding| &finding.code);
    for given in plain.chain(detailed) {
        let code = given.value.split_once(':').map_or(given.value.as_str(), |(code, _)| code);
        if !Cause::CODES.contains(&code) {
            let hint = did_you_mean(code, Cause::CODES.iter().copied())
                .unwrap_or_else(|| "`davy policy codes` prints them all".to_owned());
            report.error(Code::Name, &given.position, format!("no finding has the code `{}`", shown(code)), hint);
        }
    }
}
