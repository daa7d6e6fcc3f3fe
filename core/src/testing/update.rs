//! Writing a document of tests again with what is decided today; everything else in it stays as it was written.

use std::ops::Range;

use thiserror::Error;

use super::expected::{facts_of, hold_of, names, nearest};
use super::extent::{Content, Extent};
use super::{PolicyTests, TestRun, looks};
use crate::decision::{Decision, Finding, Verdict};
use crate::document::{
    Expectation, ExpectedFinding, ExpectedHold, ExpectedOutcome, ExpectedStanding, ExpectedVerdict, Position,
};

/// A wider expectation gets a line for each key.
const WIDEST: usize = 100;

/// Why a document cannot be written again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UpdateError {
    /// The text is not the one that the tests were read from.
    #[error("{position}: T004: the file is another one by now (run again)")]
    OtherText {
        /// Where a test was, and is no longer.
        position: Position,
    },
}

impl PolicyTests {
    /// The text of the document, with the expectation of every failed look as it is decided today. What an expectation
    /// does not speak of, it goes on not speaking of; a look without one gets the verdict and its reasons.
    ///
    /// # Errors
    /// [`UpdateError`] where `text` or `runs` are not those of this document.
    pub fn updated(&self, text: &str, runs: &[TestRun]) -> Result<String, UpdateError> {
        let root = Extent::of(text);
        let tests = root.as_ref().and_then(|root| root.get("spec")?.get("tests"));
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for (number, (case, run)) in self.cases().zip(runs).enumerate() {
            let own = tests.and_then(|tests| tests.item(number));
            for (index, (look, ran)) in looks(case).iter().zip(&run.looks).enumerate() {
                if ran.mismatches.is_empty() {
                    continue;
                }
                let extent = own.and_then(|own| match &case.looks {
                    Some(_) => own.get("looks")?.item(index),
                    None => Some(own),
                });
                let edit = extent.and_then(|extent| edit(text, extent, look.expect, &ran.decision));
                edits.push(edit.ok_or_else(|| UpdateError::OtherText { position: look.position.clone() })?);
            }
        }
        let mut updated = text.to_owned();
        for (range, replacement) in edits.into_iter().rev() {
            updated.replace_range(range, &replacement);
        }
        Ok(updated)
    }
}

/// What takes the place of which bytes, so that a look expects what was decided.
fn edit(
    text: &str,
    look: &Extent,
    expect: Option<&Expectation>,
    decision: &Decision,
) -> Option<(Range<usize>, String)> {
    let Content::Map { entries, flow } = &look.content else { return None };
    let fields = renewed(expect, decision);
    let inline = || format!("{{ {} }}", join(&fields, ", "));
    let first = entries.first()?;
    let line_start = text.get(..first.key.start)?.rfind('\n').map_or(0, |end| end + 1);
    let indent = " ".repeat(text.get(line_start..first.key.start)?.chars().count());
    let wide = !flow && fields.len() > 1 && inline().len() + indent.len() > WIDEST;
    let written = match fields.as_slice() {
        [(_, verdict)] => verdict.clone(),
        _ if wide => format!("\n{indent}  {}", join(&fields, &format!("\n{indent}  "))),
        _ => inline(),
    };
    let separator = if wide { "" } else { " " };
    if let Some(old) = look.entry("expect") {
        let start = old.key.end + text.get(old.key.end..)?.find(':')? + 1;
        // A value in block style begins on a line of its own; a note behind its key stays there.
        let note = text.get(start..old.value.range.start)?.lines().next().unwrap_or_default().trim();
        let note = if note.starts_with('#') { format!("   {note}") } else { String::new() };
        let replacement = if wide { format!("{note}{written}") } else { format!(" {written}{note}") };
        return Some((start..old.value.range.end, replacement));
    }
    if *flow {
        let end = text.get(..look.range.end.checked_sub(1)?)?.trim_end().trim_end_matches(',').trim_end().len();
        return Some((end..end, format!(", expect: {written}")));
    }
    // A value in literal style ends behind its line.
    let end = text.get(..look.range.end)?.trim_end().len();
    let rest = text.get(end..)?;
    let end = end + rest.find('\n').unwrap_or(rest.len());
    let end = text.get(..end)?.trim_end_matches('\r').len();
    Some((end..end, format!("\n{indent}expect:{separator}{written}")))
}

fn join(fields: &[(&'static str, String)], separator: &str) -> String {
    fields.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(separator)
}

/// The expectation as keys and values in flow style.
fn renewed(expect: Option<&Expectation>, decision: &Decision) -> Vec<(&'static str, String)> {
    let found = |named: &str| decision.findings.iter().any(|finding| names(named, finding));
    let listed = |given: &Option<crate::document::Spanned<Vec<crate::document::Spanned<String>>>>, keep: bool| {
        let codes = given.iter().flat_map(|codes| &codes.value).map(|code| code.value.clone());
        list(&codes.filter(|code| found(code) == keep).collect::<Vec<_>>())
    };
    let mut fields = vec![("verdict", ExpectedVerdict::of(&decision.verdict).to_string())];
    let speaks_of = |given: bool| expect.is_none() || given;
    if let Some(hold) = decision.hold.filter(|_| speaks_of(expect.is_some_and(|expect| expect.hold.is_some()))) {
        fields.push(("hold", ExpectedHold::of(&hold.kind).to_string()));
    }
    // Of a release that may go on, everything is a reason.
    let goes_on = decision.verdict == Verdict::Proceed;
    let named_reasons = expect.is_some_and(|expect| expect.reasons.is_some());
    let went_on = expect.is_some_and(|expect| expect.verdict.value == ExpectedVerdict::Proceed);
    if speaks_of(named_reasons) && (!goes_on || (named_reasons && went_on)) {
        let mut reasons: Vec<String> = decision.reasons().map(Finding::label).collect();
        reasons.sort();
        reasons.dedup();
        fields.extend(list(&reasons).map(|list| ("reasons", list)));
    }
    let Some(expect) = expect else { return fields };
    fields.extend(listed(&expect.codes, true).map(|list| ("codes", list)));
    fields.extend(listed(&expect.absent, false).map(|list| ("absent", list)));
    let findings = expect.findings.iter().flat_map(|findings| &findings.value);
    let kept: Vec<String> = findings
        .filter_map(|expected| nearest(expected, decision).map(|(finding, _)| finding_as(expected, finding)))
        .collect();
    if !kept.is_empty() {
        fields.push(("findings", format!("[{}]", kept.join(", "))));
    }
    fields
}

/// What an expected finding speaks of, as it is.
fn finding_as(expected: &ExpectedFinding, finding: &Finding) -> String {
    let mut keys = vec![format!("code: {}", quoted(&expected.code.value))];
    if expected.outcome.is_some() {
        keys.push(format!("outcome: {}", ExpectedOutcome::of(&finding.outcome)));
    }
    if let Some(hold) = hold_of(finding).filter(|_| expected.hold.is_some()) {
        keys.push(format!("hold: {hold}"));
    }
    if expected.standing.is_some() {
        keys.push(format!("standing: {}", ExpectedStanding::of(&finding.standing)));
    }
    if let Some(facts) = &expected.facts {
        // JSON is YAML.
        if let Some(facts) = like(&facts.value.json(), &facts_of(finding)) {
            keys.push(format!("facts: {facts}"));
        }
    }
    format!("{{ {} }}", keys.join(", "))
}

/// Of `is`, the keys that `expected` has.
fn like(expected: &serde_json::Value, is: &serde_json::Value) -> Option<serde_json::Value> {
    let (Some(expected), Some(is)) = (expected.as_object(), is.as_object()) else { return Some(is.clone()) };
    let both = expected.iter().filter_map(|(key, value)| Some((key.clone(), like(value, is.get(key)?)?)));
    let both: serde_json::Map<_, _> = both.collect();
    (!both.is_empty()).then_some(serde_json::Value::Object(both))
}

fn list(codes: &[String]) -> Option<String> {
    (!codes.is_empty()).then(|| format!("[{}]", codes.iter().map(|code| quoted(code)).collect::<Vec<_>>().join(", ")))
}

/// A code as YAML; with a subject, a colon stands in it.
fn quoted(code: &str) -> String {
    if code.contains(':') { format!("\"{code}\"") } else { code.to_owned() }
}
