//! A decision for a terminal: the verdict first, then the reasons, then everything else.

use std::fmt::Write as _;

use super::sentence::{flip_sentence, sentence, until};
use super::shadow::shadow_sentence;
use crate::decision::{Assumption, Decision, Finding, Guarantee, HoldKind, Outcome, Outside, Standing, Verdict};

/// Whether to write ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// ANSI escape codes.
    Always,
}

/// The decision as plain text.
#[must_use]
pub fn text(decision: &Decision) -> String {
    text_with(decision, Colour::Never)
}

/// The decision as text, with colours where wanted.
#[must_use]
pub fn text_with(decision: &Decision, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_text(&mut out, decision, colour);
    out
}

fn write_text(out: &mut String, decision: &Decision, colour: Colour) -> std::fmt::Result {
    let release = &decision.release;
    let verdict = paint(colour, verdict_code(decision.verdict), &decision.verdict.as_str().to_uppercase());
    writeln!(
        out,
        "{verdict}  {} {} → {}, attempt {}: asked to {} at {}, stage {}",
        release.service,
        release.revision,
        release.environment,
        release.attempt,
        decision.asked,
        decision.weight,
        decision.stage
    )?;
    write!(out, "  {}", decision.at)?;
    if let Some(score) = decision.score {
        write!(out, " · health score {}/100", score.get())?;
    }
    if let Some(hold) = decision.hold {
        write!(out, " · {}{}", hold_word(hold.kind), until(hold.until))?;
        if let Some(retry_after) = hold.retry_after {
            write!(out, " · ask again in {retry_after}")?;
        }
    }
    out.push('\n');
    if let Some(shadow) = shadow_sentence(decision) {
        writeln!(out, "  {shadow}")?;
    }
    for finding in &decision.findings {
        write_finding(out, finding, colour)?;
    }
    Ok(())
}

fn write_finding(out: &mut String, finding: &Finding, colour: Colour) -> std::fmt::Result {
    let effective = finding.effective();
    let (word, code) = match effective {
        Outcome::Pass => ("pass", "32"),
        Outcome::Hold(_) => ("hold", "33"),
        Outcome::Fail => ("FAIL", "31"),
    };
    writeln!(out, "\n  {} {}", paint(colour, code, word), sentence(finding))?;
    if let Some(why) = standing_note(finding) {
        writeln!(out, "       {why}")?;
    }
    if let Some(since) = finding.latched_at.filter(|_| effective == Outcome::Fail) {
        writeln!(out, "       latched since {since}: a new attempt begins anew")?;
    }
    if finding.flip.is_ok() {
        writeln!(out, "       passes with {}", flip_sentence(finding))?;
    }
    let source = finding.source.as_ref().map_or(String::new(), |source| format!(" · {source}"));
    let detail = format!("{}{source}{}", finding.code(), guarantee_note(finding.guarantee));
    writeln!(out, "       {}", paint(colour, "2", &detail))
}

/// Why an outcome does not count as it is.
pub(super) fn standing_note(finding: &Finding) -> Option<String> {
    let was = match finding.outcome {
        Outcome::Pass => return matches!(finding.standing, Standing::DryRun).then(|| "dry run".to_owned()),
        Outcome::Hold(_) => "hold",
        Outcome::Fail => "fail",
    };
    match &finding.standing {
        Standing::Counts => None,
        Standing::DryRun => Some(format!("dry run: would {was}")),
        Standing::NotAsked => Some(format!("would {was}, but what was asked does not need it")),
        Standing::Tolerated => Some(format!("would {was}, but the health score is high enough without it")),
        Standing::Softened => Some("failed, and the health score holds the release instead of failing it".to_owned()),
        Standing::Waived(id) => Some(format!("would {was}, but the override `{id}` waives it")),
    }
}

pub(super) fn guarantee_note(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::NotStatistical => "",
        Guarantee::Declared(Assumption::IndependentRequests) => {
            " · within the declared guarantee; assumes independent requests"
        }
        Guarantee::Declared(Assumption::IndependentRequestsOrReplicas) => {
            " · within the declared guarantee; assumes independent requests (proved), or replicas that differ at random (simulated)"
        }
        Guarantee::Declared(Assumption::FixedSchedule) => {
            " · within the declared guarantee; assumes independent requests and a schedule that reacts to nothing"
        }
        Guarantee::Outside(Outside::ScheduleLeft) => " · no guarantee: the fixed schedule was left",
        Guarantee::Outside(Outside::FixedLimit) => " · no guarantee: a fixed limit, looked at again and again",
        Guarantee::Outside(Outside::SingleRuns) => " · no guarantee: single runs",
    }
}

pub(super) fn hold_word(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Waiting => "waiting",
        HoldKind::Blocked => "blocked",
        HoldKind::Blind => "blind",
    }
}

fn verdict_code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proceed => "1;32",
        Verdict::Hold => "1;33",
        Verdict::Abort | Verdict::Rollback => "1;31",
    }
}

fn paint(colour: Colour, code: &str, text: &str) -> String {
    match colour {
        Colour::Never => text.to_owned(),
        Colour::Always => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    }
}
