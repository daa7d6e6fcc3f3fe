//! Results for people, and for other tools: JUnit, and lines of JSON.

use std::fmt::Write as _;

use super::evaluate::CheckOutcome;
use super::result::{FlowPart, FlowResult, StepResult};
use crate::snapshot::ProbeVerdict;

/// A result for people: the verdict first, then every step, and of a step that did not pass every expectation that did
/// not hold. Times are those of the steps' last attempts.
#[must_use]
pub fn text(result: &FlowResult) -> String {
    let place = |name: &str, value: Option<&str>| value.map(|value| format!(" {name} {value}")).unwrap_or_default();
    let mut text = format!(
        "{}: {} against {}{}{} in {} (run {}){}\n",
        result.verdict.as_str(),
        result.flow,
        result.target,
        place("from", result.location.as_ref().map(crate::Name::as_str)),
        place("as", result.cohort.map(crate::Cohort::as_str)),
        result.duration(),
        result.run,
        if result.flaky { ", flaky" } else { "" },
    );
    if let Some(reason) = &result.reason {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  because {reason}");
    }
    let width = result.steps.iter().map(|step| step.id.chars().count()).max().unwrap_or_default();
    for step in &result.steps {
        let part = match step.part {
            FlowPart::Setup => "setup",
            FlowPart::Steps => "step",
            FlowPart::Teardown => "teardown",
        };
        let _ = write!(text, "  {part:8}  {:width$}  {:8}", step.id, step.verdict.as_str());
        match step.attempts.last() {
            None => _ = writeln!(text, "  {}", step.reason.as_deref().unwrap_or_default()),
            Some(last) => {
                let status = last.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                let attempts =
                    if step.attempts.len() > 1 { format!(", attempt {}", step.attempts.len()) } else { String::new() };
                let (method, url) = (last.method, &last.url);
                let _ = writeln!(text, "  {}  {status}  {method} {url}{attempts}", last.duration);
                if step.verdict != ProbeVerdict::Pass {
                    unmet(&mut text, step);
                }
            }
        }
    }
    text
}

/// What did not hold, each on a line of its own.
fn unmet(text: &mut String, step: &StepResult) {
    let Some(last) = step.attempts.last() else { return };
    if let Some(error) = &last.error {
        let _ = writeln!(text, "            {}: {} ({})", error.kind.as_str(), error.detail, step.at);
    }
    for check in last.checks.iter().filter(|check| check.outcome >= CheckOutcome::Degraded) {
        let degraded = if check.outcome == CheckOutcome::Degraded { "degraded: " } else { "" };
        let _ = writeln!(
            text,
            "            {degraded}{}: expected {}, found {} ({})",
            check.what, check.expected, check.actual, check.at
        );
    }
}

/// Results as JUnit: a suite per run, a case per step. What is degraded passes and says so.
#[must_use]
pub fn junit(results: &[FlowResult]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for result in results {
        let count = |verdict| result.steps.iter().filter(|step| step.verdict == verdict).count();
        let errors = count(ProbeVerdict::Error) + usize::from(result.evaluated == 0 && count(ProbeVerdict::Error) == 0);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" hostname=\"{}\" id=\"{}\" timestamp=\"{}\" time=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\" skipped=\"{}\">",
            escape(result.flow.as_str()),
            escape(result.target.as_str()),
            escape(&result.run),
            result.started,
            result.duration().as_secs_f64(),
            result.steps.len(),
            count(ProbeVerdict::Fail),
            count(ProbeVerdict::Skipped),
        );
        for step in &result.steps {
            case(&mut text, result, step);
        }
        if result.evaluated == 0 {
            let why = result.reason.as_deref().unwrap_or_default();
            let _ = writeln!(text, "    <system-err>{}</system-err>", escape(why));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, result: &FlowResult, step: &StepResult) {
    let time = step.attempts.iter().fold(super::Micros(0), |sum, attempt| sum.plus(attempt.duration));
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{}\">",
        escape(result.flow.as_str()),
        escape(&step.id),
        escape(&step.at.file),
        step.at.line,
        time.as_secs_f64(),
    );
    let why = escape(step.reason.as_deref().unwrap_or_default());
    let _ = match step.verdict {
        ProbeVerdict::Pass => Ok(()),
        ProbeVerdict::Degraded => write!(text, "<system-out>degraded: {why}</system-out>"),
        ProbeVerdict::Skipped => write!(text, "<skipped message=\"{why}\"/>"),
        ProbeVerdict::Error => write!(text, "<error message=\"{why}\"/>"),
        ProbeVerdict::Fail => write!(text, "<failure message=\"{why}\"/>"),
    };
    text.push_str("</testcase>\n");
}

/// Results as lines of JSON, each ended.
#[must_use]
pub fn json_lines(results: &[FlowResult]) -> String {
    let lines = results.iter().filter_map(|result| serde_json::to_string(result).ok());
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

/// Text in XML 1.0, which has no control characters at all.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
