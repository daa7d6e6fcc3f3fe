//! A decision as Markdown, for a pull request or a chat.

use std::fmt::Write as _;

use super::sentence::{flip_sentence, sentence, until};
use super::shadow::shadow_sentence;
use super::text::{hold_word, standing_note};
use crate::decision::{Decision, Finding, Outcome};

/// The decision as Markdown: a headline and a table of findings.
#[must_use]
pub fn markdown(decision: &Decision) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_markdown(&mut out, decision);
    out
}

fn write_markdown(out: &mut String, decision: &Decision) -> std::fmt::Result {
    let release = &decision.release;
    writeln!(
        out,
        "### {}: `{}` `{}` → `{}`\n",
        decision.verdict, release.service, release.revision, release.environment
    )?;
    write!(
        out,
        "Asked to {} at {}, stage {}, attempt {}, {}",
        decision.asked, decision.weight, decision.stage, release.attempt, decision.at
    )?;
    if let Some(score) = decision.score {
        write!(out, ", health score {}/100", score.get())?;
    }
    if let Some(hold) = decision.hold {
        write!(out, "; {}{}", hold_word(hold.kind), until(hold.until))?;
    }
    if let Some(shadow) = shadow_sentence(decision) {
        write!(out, "; {shadow}")?;
    }
    writeln!(out, ".\n\n| | finding | passes with | code | policy |\n|---|---|---|---|---|")?;
    decision.findings.iter().try_for_each(|finding| write_row(out, finding))
}

fn write_row(out: &mut String, finding: &Finding) -> std::fmt::Result {
    let word = match finding.effective() {
        Outcome::Pass => "pass",
        Outcome::Hold(_) => "**hold**",
        Outcome::Fail => "**fail**",
    };
    let note = standing_note(finding).map_or(String::new(), |note| format!(" ({note})"));
    let flip = if finding.flip.is_ok() { flip_sentence(finding) } else { String::new() };
    let source = finding.source.as_ref().map_or(String::new(), |source| format!("`{source}`"));
    writeln!(out, "| {word} | {}{} | {flip} | `{}` | {source} |", cell(&sentence(finding)), cell(&note), finding.code())
}

/// Text that stays in its cell. Free text comes from overrides.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('[', "\\[").replace('\n', " ")
}
