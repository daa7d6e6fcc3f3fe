//! What was expected, beside what was decided.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::decision::{Decision, Finding};
use crate::document::{
    Expectation, ExpectedFinding, ExpectedHold, ExpectedOutcome, ExpectedStanding, ExpectedVerdict, Position,
};

/// Something that was expected and did not come.
///
/// Displayed as a heading and lines: `-` is what was expected, `+` what was decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mismatch {
    /// The key of the expectation, such as `verdict` or `findings`.
    pub key: &'static str,
    /// Where it stands.
    pub position: Position,
    /// What was expected, one thing a line.
    pub expected: Vec<String>,
    /// What was decided instead, one thing a line.
    pub decided: Vec<String>,
}

impl Mismatch {
    /// A look that ends a test and expects nothing.
    pub(super) fn nothing_expected(position: &Position) -> Self {
        let expected = vec!["something: add `expect`, or let `davy test --update` write what is decided".to_owned()];
        Self { key: "expect", position: position.clone(), expected, decided: Vec::new() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        self.expected.iter().try_for_each(|line| write!(f, "\n  - {line}"))?;
        self.decided.iter().try_for_each(|line| write!(f, "\n  + {line}"))
    }
}

/// Whether `named`, a code with or without a subject, names this finding.
pub(super) fn names(named: &str, finding: &Finding) -> bool {
    match named.split_once(':') {
        None => named == finding.code(),
        Some((code, subject)) => {
            code == finding.code() && finding.subject.as_ref().is_some_and(|own| own.as_str() == subject)
        }
    }
}

/// Everything that did not come as expected.
pub(super) fn compare(expect: &Expectation, decision: &Decision) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let mut differs = |key, position: &Position, expected: Vec<String>, decided: Vec<String>| {
        mismatches.push(Mismatch { key, position: position.clone(), expected, decided });
    };
    let verdict = ExpectedVerdict::of(&decision.verdict);
    if verdict != expect.verdict.value {
        differs("verdict", &expect.verdict.position, vec![expect.verdict.value.to_string()], vec![verdict.to_string()]);
    }
    let hold = decision.hold.map(|hold| ExpectedHold::of(&hold.kind));
    if let Some(expected) = expect.hold.as_ref().filter(|expected| hold != Some(expected.value)) {
        let decided = hold.map_or_else(|| "no hold".to_owned(), |hold| hold.to_string());
        differs("hold", &expected.position, vec![expected.value.to_string()], vec![decided]);
    }
    if let Some(reasons) = &expect.reasons {
        let made: Vec<&Finding> = decision.reasons().collect();
        let missing = reasons.value.iter().filter(|named| !made.iter().any(|finding| names(&named.value, finding)));
        let missing: Vec<String> = missing.map(|named| named.value.clone()).collect();
        let extra = made.iter().filter(|finding| !reasons.value.iter().any(|named| names(&named.value, finding)));
        let extra: Vec<String> = extra.map(|finding| finding.label()).collect();
        if !missing.is_empty() || !extra.is_empty() {
            differs("reasons", &reasons.position, missing, extra);
        }
    }
    for named in expect.codes.iter().flat_map(|codes| &codes.value) {
        if !decision.findings.iter().any(|finding| names(&named.value, finding)) {
            differs("codes", &named.position, vec![named.value.clone()], akin(&named.value, decision));
        }
    }
    for named in expect.absent.iter().flat_map(|codes| &codes.value) {
        let found: Vec<String> =
            decision.findings.iter().filter(|finding| names(&named.value, finding)).map(Finding::label).collect();
        if !found.is_empty() {
            differs("absent", &named.position, vec![format!("no {}", named.value)], found);
        }
    }
    for expected in expect.findings.iter().flat_map(|findings| &findings.value) {
        match nearest(expected, decision) {
            None => {
                let akin = akin(&expected.code.value, decision);
                differs("findings", &expected.position, vec![expected.code.value.clone()], akin);
            }
            Some((_, wrong)) if wrong.is_empty() => {}
            Some((finding, wrong)) => {
                let line = |key: &str, value: &str| format!("{} {key} {value}", finding.label());
                let expected_lines = wrong.iter().map(|wrong| line(&wrong.key, &wrong.expected)).collect();
                let decided_lines = wrong.iter().map(|wrong| line(&wrong.key, &wrong.decided)).collect();
                differs("findings", &expected.position, expected_lines, decided_lines);
            }
        }
    }
    mismatches
}

/// The findings that a reader who misses `named` wants to see: about the same subject, or of the same gate.
fn akin(named: &str, decision: &Decision) -> Vec<String> {
    let (code, subject) = named.split_once(':').map_or((named, None), |(code, subject)| (code, Some(subject)));
    let gate = |code: &str| code.split('.').next().unwrap_or_default().to_owned();
    let of_subject = |finding: &&Finding| {
        subject.is_some_and(|subject| finding.subject.as_ref().is_some_and(|own| own.as_str() == subject))
    };
    let about: Vec<String> = decision.findings.iter().filter(of_subject).map(Finding::label).collect();
    if !about.is_empty() {
        return about;
    }
    let same_gate = decision.findings.iter().filter(|finding| gate(finding.code()) == gate(code));
    let mut same_gate: Vec<String> = same_gate.map(Finding::label).collect();
    if same_gate.is_empty() {
        same_gate.push(format!("nothing of the gate `{}`", gate(code)));
    }
    same_gate
}

/// One thing that a finding says otherwise.
pub(super) struct Wrong {
    key: String,
    expected: String,
    decided: String,
}

/// The finding that is meant, with what it says otherwise: of several with its code, the one with the least.
pub(super) fn nearest<'a>(expected: &ExpectedFinding, decision: &'a Decision) -> Option<(&'a Finding, Vec<Wrong>)> {
    let meant = decision.findings.iter().filter(|finding| names(&expected.code.value, finding));
    meant.map(|finding| (finding, wrong(expected, finding))).min_by_key(|(_, wrong)| wrong.len())
}

fn wrong(expected: &ExpectedFinding, finding: &Finding) -> Vec<Wrong> {
    let mut all = Vec::new();
    let mut differs = |key: &str, expected: String, decided: String| {
        if expected != decided {
            all.push(Wrong { key: key.to_owned(), expected, decided });
        }
    };
    if let Some(outcome) = &expected.outcome {
        differs("outcome", outcome.value.to_string(), ExpectedOutcome::of(&finding.outcome).to_string());
    }
    if let Some(hold) = &expected.hold {
        differs("hold", hold.value.to_string(), hold_of(finding).map_or("none".to_owned(), |hold| hold.to_string()));
    }
    if let Some(standing) = &expected.standing {
        differs("standing", standing.value.to_string(), ExpectedStanding::of(&finding.standing).to_string());
    }
    if let Some(facts) = &expected.facts {
        unlike("facts", &facts.value.json(), Some(&facts_of(finding)), &mut all);
    }
    all
}

/// The kind of a finding that holds.
pub(super) fn hold_of(finding: &Finding) -> Option<ExpectedHold> {
    match finding.outcome {
        crate::Outcome::Hold(kind) => Some(ExpectedHold::of(&kind)),
        crate::Outcome::Pass | crate::Outcome::Fail => None,
    }
}

/// The facts of a finding, as a record holds them.
pub(super) fn facts_of(finding: &Finding) -> Json {
    // A finding is plain data, so it has a JSON form.
    let mut json = serde_json::to_value(finding).unwrap_or(Json::Null);
    json.get_mut("facts").map_or(Json::Null, Json::take)
}

/// Where `is` differs from what `expected` says; what it does not say is not looked at.
fn unlike(path: &str, expected: &Json, is: Option<&Json>, all: &mut Vec<Wrong>) {
    if let (Json::Object(expected), Some(Json::Object(is))) = (expected, is) {
        for (key, value) in expected {
            unlike(&format!("{path}.{key}"), value, is.get(key), all);
        }
        return;
    }
    let same = match (expected.as_f64(), is.and_then(Json::as_f64)) {
        // `1` and `1.0` are one number.
        (Some(expected), Some(is)) => expected.total_cmp(&is).is_eq(),
        _ => Some(expected) == is,
    };
    if !same {
        let decided = is.map_or_else(|| "nothing".to_owned(), Json::to_string);
        all.push(Wrong { key: path.to_owned(), expected: expected.to_string(), decided });
    }
}
