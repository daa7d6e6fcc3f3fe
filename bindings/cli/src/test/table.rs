//! Results for people.

use std::fmt::Write as _;

use davy::render::{self, Colour};
use davy::testing::TestRun;
use davy_rules::{RegoTestOutcome, RegoTestRun};

use super::ran::{Became, Ran};
use super::suite::{Counts, Suite, Tested};
use crate::excerpt;
use crate::terminal::{paint, printable};

/// Every test with what did not come as expected, and a line that counts them.
pub(super) fn results(tested: &Tested, colour: Colour) -> String {
    let mut out = String::new();
    for suite in &tested.suites {
        out.push_str(&paint(colour, "1", &printable(&suite.path.display().to_string())));
        out.push('\n');
        for diagnostic in &suite.broken {
            out.push_str(&excerpt::text(diagnostic, suite.line(diagnostic), colour));
        }
        for run in &suite.runs {
            let word = match run.result() {
                Became::Passed => paint(colour, "32", "ok  "),
                Became::Skipped => paint(colour, "33", "skip"),
                Became::Failed | Became::Broken => paint(colour, "1;31", "FAIL"),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(out, "  {word}  {}", printable(run.name()));
            out.push_str(&indented(&why(suite, run, colour)));
        }
    }
    let Counts { passed, failed, skipped } = tested.counts();
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let _ = writeln!(out, "{passed} passed, {failed} failed{skipped}");
    out
}

/// What did not come as expected; nothing of a test that passed.
pub(super) fn why(suite: &Suite, run: &Ran, colour: Colour) -> String {
    match run {
        Ran::Decisions(run) => why_decided(suite, run, colour),
        Ran::Rego(run) => why_not_true(suite, run, colour),
    }
}

/// The statement that a test in Rego came to, and what it printed.
fn why_not_true(suite: &Suite, run: &RegoTestRun, colour: Colour) -> String {
    let (what, at) = match &run.outcome {
        RegoTestOutcome::Passed | RegoTestOutcome::Skipped => return String::new(),
        RegoTestOutcome::Failed { value, at } => (format!("expected true, found {value}; it came to"), at),
        RegoTestOutcome::Broken { problem, at } => (problem.clone(), at),
    };
    let mut out = format!("{}: {}\n", paint(colour, "1", &printable(&at.to_string())), printable(&what));
    if let Some(line) = suite.line_at(at) {
        let _ = writeln!(out, "  {}", printable(line.trim()));
    }
    for printed in &run.printed {
        let _ = writeln!(out, "  printed {}", printable(printed));
    }
    out
}

fn why_decided(suite: &Suite, run: &TestRun, colour: Colour) -> String {
    let mut out = String::new();
    for diagnostic in &run.broken {
        out.push_str(&excerpt::text(diagnostic, suite.line(diagnostic), colour));
    }
    for (number, look) in run.looks.iter().enumerate().filter(|(_, look)| !look.mismatches.is_empty()) {
        let which = if run.looks.len() > 1 { format!("look {}: ", number + 1) } else { String::new() };
        for mismatch in &look.mismatches {
            let position = printable(&mismatch.position.to_string());
            let _ = writeln!(out, "{}: {which}{}", paint(colour, "1", &position), mismatch.key);
            let lines = |sign: &str, style: &str, lines: &[String]| {
                let line = |line: &String| paint(colour, style, &format!("  {sign} {}", printable(line))) + "\n";
                lines.iter().map(line).collect::<String>()
            };
            out.push_str(&lines("-", "31", &mismatch.expected));
            out.push_str(&lines("+", "32", &mismatch.decided));
        }
        let _ = writeln!(out, "{} because", look.decision.verdict);
        for finding in look.decision.reasons() {
            let _ = writeln!(out, "  {} ({})", printable(&render::sentence(finding)), finding.code());
        }
    }
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}\n")).collect()
}

/// What of each policy was reached, gate by gate, and every branch that was not.
pub(super) fn coverage(tested: &Tested) -> String {
    let mut out = String::new();
    for policy in &tested.policies {
        let (reached, all) = policy.coverage.reached();
        let path = printable(&policy.documents.given().display().to_string());
        let _ = writeln!(out, "\ncoverage of {path}: {} ({reached} of {all})", policy.coverage.share());
        for gate in policy.coverage.gates() {
            let _ = writeln!(out, "  {:14} {} of {}", gate.gate, gate.reached, gate.branches);
        }
        if policy.coverage.unreached().next().is_some() {
            out.push_str("  no test reached\n");
        }
        for branch in policy.coverage.unreached() {
            let position = policy.documents.located(branch.position());
            let _ = writeln!(out, "    {}: {branch}", printable(&position.to_string()));
        }
    }
    out
}
