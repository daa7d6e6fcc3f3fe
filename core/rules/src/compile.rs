//! How a rule of either language is compiled: guarded, parsed where a panic ends nothing, and kept only where nothing
//! is wrong with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use davy::document::DiagnosticCode as Code;
use davy::rule::RuleSource;
use davy::{Diagnostic, Rule};

use crate::text::Report;

/// Compiles one rule: `is_safe` says whether its text may be parsed, `parse` does; both report what is wrong.
pub(crate) fn compile<R: Rule + 'static>(
    source: &RuleSource<'_>,
    diagnostics: &mut Vec<Diagnostic>,
    is_safe: fn(&str, &mut Report<'_>) -> bool,
    parse: fn(&RuleSource<'_>, &mut Report<'_>) -> Option<R>,
) -> Option<Arc<dyn Rule>> {
    let mut report = Report::new(source);
    let compiled = checked(source, &mut report, is_safe, parse);
    diagnostics.extend(report.finish());
    compiled.map(|rule| Arc::new(rule) as Arc<dyn Rule>)
}

/// What a text compiles to, if nothing is wrong with it.
pub(crate) fn checked<R>(
    source: &RuleSource<'_>,
    report: &mut Report<'_>,
    is_safe: fn(&str, &mut Report<'_>) -> bool,
    parse: fn(&RuleSource<'_>, &mut Report<'_>) -> Option<R>,
) -> Option<R> {
    if !is_safe(source.text, report) {
        return None;
    }
    // A parser that panics is a parser that refuses.
    let compiled = catch_unwind(AssertUnwindSafe(|| parse(source, report))).unwrap_or_else(|_| {
        report.error(Code::RuleSyntax, (1, 1), "the parser gave up on this rule", None);
        None
    });
    compiled.filter(|_| !report.is_refused())
}
