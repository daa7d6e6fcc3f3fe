//! Texts: what comments of a rule declare, and messages that fit a line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use davy::Text;
use davy::document::{Diagnostic, DiagnosticCode, Position, Severity};
use davy::rule::RuleSource;

/// Declarations in the comments of a rule: `reads: …`, and in CEL `message: …` and `outcome: …`.
pub(crate) struct Declared<'a> {
    /// Keyword, rest of the line, and where the rest begins.
    pub(crate) lines: Vec<(&'a str, &'a str, (u32, u32))>,
}

impl<'a> Declared<'a> {
    /// Finds lines that are comments and begin with one of `keywords`.
    pub(crate) fn find(text: &'a str, comment: &str, keywords: &[&'static str]) -> Self {
        let mut lines = Vec::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let Some(rest) = line.trim_start().strip_prefix(comment) else { continue };
            let Some((keyword, value)) = rest.split_once(':') else { continue };
            let keyword = keyword.trim();
            if keywords.contains(&keyword) {
                let value = value.trim();
                lines.push((keyword, value, (number, column_of(line, value))));
            }
        }
        Self { lines }
    }
}

/// The column, from 1, at which a part of a line begins.
pub(crate) fn column_of(line: &str, part: &str) -> u32 {
    let start = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    let before = line.get(..start).map_or(0, |before| before.chars().count());
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

/// A message on one line: what would break it becomes a space, and what is too long is cut.
pub(crate) fn one_line(text: &str) -> Option<Text> {
    const MOST: usize = 1000;
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() > MOST {
        let end = (0..=MOST).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    let line = line.trim();
    line.parse().ok().or_else(|| {
        // What is left are characters that reorder text.
        let plain: String = line.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        plain.parse().ok()
    })
}

/// A message that is never empty.
pub(crate) fn message(text: &str, otherwise: &str) -> Option<Text> {
    one_line(text).or_else(|| one_line(otherwise))
}

/// Where the lines of a rule stand in its file, for what is said when the rule is judged.
#[derive(Debug)]
pub(crate) struct Places {
    file: Arc<str>,
    lines: Vec<(u32, u32)>,
}

impl Places {
    pub(crate) fn of(source: &RuleSource<'_>) -> Self {
        let line = |(number, _): (u32, &str)| {
            let start = source.position(number, 1);
            (start.line, start.column)
        };
        Self { file: source.position(1, 1).file, lines: (1..).zip(source.text.lines()).map(line).collect() }
    }

    /// The place in the file of a line and column of the text.
    pub(crate) fn position(&self, (line, column): (u32, u32)) -> Position {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.lines.get(index).or(self.lines.last()).copied().unwrap_or((1, 1));
        let column = start.1.saturating_add(column.saturating_sub(1));
        Position { file: Arc::clone(&self.file), line: start.0, column }
    }
}

/// The most diagnostics of one severity that are told one by one.
const MOST_TOLD: usize = 100;

/// Collects what is wrong with one rule.
pub(crate) struct Report<'a> {
    pub(crate) source: &'a RuleSource<'a>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// While an expression is looked at a second time, nothing is said of it again.
    pub(crate) is_quiet: bool,
    /// What is only counted.
    more: BTreeMap<Severity, BTreeSet<Untold>>,
}

/// Where something stands that is not told, and its code.
type Untold = ((u32, u32), DiagnosticCode);

impl<'a> Report<'a> {
    pub(crate) fn new(source: &'a RuleSource<'a>) -> Self {
        Self { source, diagnostics: Vec::new(), is_quiet: false, more: BTreeMap::new() }
    }

    pub(crate) fn error(
        &mut self,
        code: DiagnosticCode,
        at: (u32, u32),
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.push(Severity::Error, code, at, message.into(), hint.into());
    }

    pub(crate) fn warn(
        &mut self,
        code: DiagnosticCode,
        at: (u32, u32),
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.push(Severity::Warning, code, at, message.into(), hint.into());
    }

    fn push(&mut self, severity: Severity, code: DiagnosticCode, at: (u32, u32), text: String, hint: Option<String>) {
        if self.is_quiet {
            return;
        }
        let position = self.source.position(at.0, at.1);
        let plain = |text: String| one_line(&text).map_or_else(String::new, |line| line.to_string());
        let diagnostic = Diagnostic { severity, code, position, message: plain(text), hint: hint.map(plain) };
        if self.diagnostics.contains(&diagnostic) {
            return;
        }
        // Each severity has room of its own: a rule with many warnings is still refused for its one error.
        if self.diagnostics.iter().filter(|known| known.severity == severity).count() < MOST_TOLD {
            self.diagnostics.push(diagnostic);
        } else {
            self.more.entry(severity).or_default().insert((at, code));
        }
    }

    /// All that is wrong; of each severity the first [`MOST_TOLD`], and how many more there are.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        for (severity, more) in &self.more {
            let Some((at, code)) = more.first().copied() else { continue };
            let what = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let message = match more.len() {
                1 => format!("1 more {what} of this rule is not shown"),
                count => format!("{count} more {what}s of this rule are not shown"),
            };
            let position = self.source.position(at.0, at.1);
            self.diagnostics.push(Diagnostic { severity: *severity, code, position, message, hint: None });
        }
        self.diagnostics
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Foreign text in a message: its beginning.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(64).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown
}
