//! Expectations, matchers and captures, compiled.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;
use serde_json_path::JsonPath;

use super::lint;
use super::scope::{Scope, SlotTable};
use crate::document::decode::{Report, Spanned};
use crate::document::diagnostic::{DiagnosticCode as Code, shown};
use crate::document::probe::{
    Capture, Expectations, Keyed, Match, Matcher, OneOrMany, Phases, StatusRange, TimeLimit, TlsExpectation, Until,
};
use crate::document::{Number, Position};
use crate::probe::language::{ExpectationKey, Languages};
use crate::probe::plan::{CapturePlan, Check, CheckTest, Foreign, Path, Phase, Source, Test, TestKind};
use crate::{Count, Name};

/// The longest JSONPath and regular expression.
const LONGEST: usize = 1024;
/// How deeply a JSONPath may nest.
const DEEPEST: usize = 8;
/// The most memory that a compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 18;

pub(super) struct Context<'a> {
    pub(super) scope: &'a Scope,
    pub(super) table: &'a mut SlotTable,
    pub(super) report: &'a mut Report,
    pub(super) languages: Languages<'a>,
}

/// The checks of a step, in the order of the documentation.
pub(super) fn checks(expect: &Expectations, context: &mut Context<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    statuses(expect.status.as_ref(), &mut checks);
    headers(expect.header.as_ref(), &mut checks, context);
    for (name, matcher) in keyed(expect.cookie.as_ref()) {
        for test in tests(&matcher.value, false, context) {
            checks.push(Check { position: test.position.clone(), test: CheckTest::Cookie(name.value.clone(), test) });
        }
    }
    paths(expect.jsonpath.as_ref(), &mut checks, context);
    if let Some(body) = &expect.body {
        body_checks(&body.value, &mut checks, context);
    }
    if let Some(limit) = &expect.duration {
        times(Phase::Whole, &limit.value, &mut checks, context.report);
    }
    if let Some(phases) = &expect.phase {
        phase_checks(&phases.value, &mut checks, context.report);
    }
    if let Some(tls) = &expect.tls {
        tls_checks(&tls.value, &mut checks, context.report);
    }
    if let Some(version) = &expect.http_version {
        checks.push(Check { position: version.position.clone(), test: CheckTest::HttpVersion(version.value) });
    }
    if let Some(redirects) = &expect.redirects {
        for test in tests(&redirects.value, false, context) {
            checks.push(Check { position: test.position.clone(), test: CheckTest::Redirects(test) });
        }
    }
    if let Some(schema) = &expect.schema {
        let source = schema.value.to_json();
        checks.extend(foreign(ExpectationKey::Schema, &source, &schema.position, context));
    }
    if let Some(cel) = &expect.cel {
        let source = Json::String(cel.value.clone());
        checks.extend(foreign(ExpectationKey::Cel, &source, &cel.position, context));
    }
    checks
}

/// An expectation in a language of its own; nothing where it is refused.
fn foreign(key: ExpectationKey, source: &Json, position: &Position, context: &mut Context<'_>) -> Option<Check> {
    let compiled = match (context.languages.find(key), context.languages) {
        (Some(language), _) => match language.compile(source) {
            Ok(compiled) => Some(compiled),
            Err(why) => {
                let message = format!("`{}` cannot be used: {}", key.as_str(), shown(&why));
                context.report.error(Code::ProbePattern, position, message, None);
                return None;
            }
        },
        (None, Languages::AtLeast(_)) => None,
        (None, Languages::These(_)) => {
            let message = format!("this host does not bring the language of `{}`", key.as_str());
            context.report.error(Code::ProbePattern, position, message, "use `jsonpath`".to_owned());
            return None;
        }
    };
    let shown = match source {
        Json::String(text) => text.clone(),
        _ => "an answer of this schema".to_owned(),
    };
    Some(Check { position: position.clone(), test: CheckTest::Foreign(Foreign { key, shown, compiled }) })
}

/// The checks that end polling.
pub(super) fn until(until: &Until, context: &mut Context<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    statuses(until.status.as_ref(), &mut checks);
    headers(until.header.as_ref(), &mut checks, context);
    paths(until.jsonpath.as_ref(), &mut checks, context);
    checks
}

/// A capture, with the slot that takes its value.
pub(super) fn capture(
    name: &Spanned<Name>,
    capture: &Capture,
    slot: usize,
    report: &mut Report,
) -> Option<CapturePlan> {
    let sources = [capture.jsonpath.is_some(), capture.header.is_some(), capture.cookie.is_some()];
    let given = sources.iter().filter(|given| **given).count();
    if given > 1 || given == 0 && capture.regex.is_none() {
        let message = "a capture has exactly one of `jsonpath`, `header` and `cookie`, or `regex` alone for the body";
        report.error(Code::Choice, &capture.position, message, None);
        return None;
    }
    let from = match (&capture.jsonpath, &capture.header, &capture.cookie) {
        (Some(path), ..) => Source::Path(self::path(&path.value, &path.position, report)?),
        (_, Some(header), _) => Source::Header(header.value.to_ascii_lowercase()),
        (.., Some(cookie)) => Source::Cookie(cookie.value.clone()),
        _ => Source::Body,
    };
    let pattern = match &capture.regex {
        Some(text) => Some(pattern(&text.value, &text.position, report)?),
        None => None,
    };
    Some(CapturePlan {
        name: name.value.clone(),
        position: capture.position.clone(),
        slot,
        from,
        pattern,
        of_type: capture.of_type.as_ref().map(|of_type| of_type.value),
        optional: capture.optional(),
    })
}

/// The tests of a condition on one value.
pub(super) fn tests_of_value(matcher: &Match, context: &mut Context<'_>) -> Vec<Test> {
    tests(matcher, false, context)
}

fn keyed<T>(keyed: Option<&Spanned<Keyed<T>>>) -> impl Iterator<Item = &(Spanned<String>, Spanned<T>)> {
    keyed.into_iter().flat_map(|keyed| &keyed.value.0)
}

fn statuses(given: Option<&Spanned<OneOrMany<StatusRange>>>, checks: &mut Vec<Check>) {
    if let Some(statuses) = given {
        let ranges = statuses.value.0.iter().map(|range| range.value).collect();
        checks.push(Check { position: statuses.position.clone(), test: CheckTest::Status(ranges) });
    }
}

fn headers(given: Option<&Spanned<Keyed<Match>>>, checks: &mut Vec<Check>, context: &mut Context<'_>) {
    for (name, matcher) in keyed(given) {
        let header = name.value.to_ascii_lowercase();
        for test in tests(&matcher.value, false, context) {
            lint::volatile(&header, &test, &name.position, context.report);
            checks.push(Check { position: test.position.clone(), test: CheckTest::Header(header.clone(), test) });
        }
    }
}

fn paths(given: Option<&Spanned<Keyed<Match>>>, checks: &mut Vec<Check>, context: &mut Context<'_>) {
    for (text, matcher) in keyed(given) {
        let Some(path) = path(&text.value, &text.position, context.report) else { continue };
        let several = !is_singular(&text.value);
        for test in tests(&matcher.value, several, context) {
            let last = text.value.rsplit(['.', '\'', '"']).find(|part| part.contains(char::is_alphanumeric));
            lint::volatile(last.unwrap_or_default(), &test, &text.position, context.report);
            checks.push(Check { position: test.position.clone(), test: CheckTest::Json(path.clone(), test) });
        }
    }
}

/// The keys of a matcher, each a test of its own. `several`: a path can find several values.
fn tests(matcher: &Match, several: bool, context: &mut Context<'_>) -> Vec<Test> {
    let matcher: &Matcher = &matcher.0;
    let mut tests = Vec::new();
    let mut push = |position: &Position, kind: TestKind| tests.push(Test { position: position.clone(), kind });
    let number = |number: &Spanned<Number>| number.value.0;

    if let Some(given) = &matcher.equals {
        push(&given.position, TestKind::Equals(context.scope.body(&given.value, context.table, context.report)));
    }
    if let Some(given) = &matcher.not_equals {
        push(&given.position, TestKind::NotEquals(context.scope.body(&given.value, context.table, context.report)));
    }
    if let Some(given) = &matcher.one_of {
        let items = given.value.iter().map(|item| context.scope.body(item, context.table, context.report)).collect();
        push(&given.position, TestKind::OneOf(items));
    }
    for (given, kind) in [
        (&matcher.gt, TestKind::Above as fn(f64) -> TestKind),
        (&matcher.gte, TestKind::AtLeast),
        (&matcher.lt, TestKind::Below),
        (&matcher.lte, TestKind::AtMost),
    ] {
        if let Some(given) = given {
            push(&given.position, kind(number(given)));
        }
    }
    if let Some(given) = &matcher.contains {
        push(&given.position, TestKind::Contains(context.scope.body(&given.value, context.table, context.report)));
    }
    if let Some(given) = &matcher.starts_with {
        push(&given.position, TestKind::StartsWith(given.value.clone()));
    }
    if let Some(given) = &matcher.ends_with {
        push(&given.position, TestKind::EndsWith(given.value.clone()));
    }
    if let Some(given) = &matcher.regex
        && let Some(pattern) = pattern(&given.value, &given.position, context.report)
    {
        push(&given.position, TestKind::Regex(pattern));
    }
    if let Some(given) = &matcher.of_type {
        push(&given.position, TestKind::Type(given.value));
    }
    if let Some(given) = &matcher.empty {
        push(&given.position, TestKind::Empty(given.value));
    }
    if several && let Some(first) = tests.first() {
        let message = "the path can find several values, and it is not said which of them must match";
        let hint = "put it under `all`, `any`, `none` or `count`".to_owned();
        context.report.error(Code::ProbeQuantifier, &first.position, message, hint);
    }
    if let Some(given) = &matcher.exists {
        tests.push(Test { position: given.position.clone(), kind: TestKind::Exists(given.value) });
    }
    for (given, kind) in [
        (&matcher.all, TestKind::All as fn(Vec<Test>) -> TestKind),
        (&matcher.any, TestKind::Any),
        (&matcher.none, TestKind::None),
        (&matcher.count, TestKind::Count),
    ] {
        if let Some(given) = given {
            let inner = self::tests(&given.value, false, context);
            tests.push(Test { position: given.position.clone(), kind: kind(inner) });
        }
    }
    if tests.is_empty() && matcher.whole {
        let message = "a matcher that asks for nothing always holds";
        context.report.error(Code::Choice, &matcher.position, message, "add `exists: true`, or a value".to_owned());
    }
    tests
}

fn body_checks(body: &crate::document::probe::BodyExpectation, checks: &mut Vec<Check>, context: &mut Context<'_>) {
    let mut push = |position: &Position, test| checks.push(Check { position: position.clone(), test });
    if let Some(given) = &body.equals {
        push(&given.position, CheckTest::BodyEquals(given.value.clone()));
    }
    if let Some(given) = &body.contains {
        push(&given.position, CheckTest::BodyContains(given.value.clone()));
    }
    if let Some(given) = &body.regex
        && let Some(pattern) = pattern(&given.value, &given.position, context.report)
    {
        push(&given.position, CheckTest::BodyRegex(pattern));
    }
    if let Some(given) = &body.digest {
        push(&given.position, CheckTest::BodyDigest(given.value));
    }
    if let Some(given) = &body.min_bytes {
        push(&given.position, CheckTest::BodyAtLeast(given.value.get()));
    }
    if let Some(given) = &body.max_bytes {
        push(&given.position, CheckTest::BodyAtMost(given.value.get()));
    }
}

fn times(of: Phase, limit: &TimeLimit, checks: &mut Vec<Check>, report: &mut Report) {
    if limit.lte.is_none() && limit.degraded_above.is_none() && limit.whole {
        let message = "one of `lte` and `degradedAbove` is needed";
        report.error(Code::Choice, &limit.position, message, None);
        return;
    }
    if let (Some(lte), Some(degraded)) = (&limit.lte, &limit.degraded_above)
        && degraded.value >= lte.value
    {
        let message = format!("nothing is ever degraded: longer than {} fails already", lte.value);
        report.error(Code::ProbeDegraded, &degraded.position, message, "lower `degradedAbove`".to_owned());
    }
    let test = CheckTest::Time {
        of,
        fail_above: limit.lte.as_ref().map(|limit| limit.value),
        degraded_above: limit.degraded_above.as_ref().map(|limit| limit.value),
    };
    checks.push(Check { position: limit.position.clone(), test });
}

fn phase_checks(phases: &Phases, checks: &mut Vec<Check>, report: &mut Report) {
    for (of, limit) in [
        (Phase::Dns, &phases.dns),
        (Phase::Connect, &phases.connect),
        (Phase::Tls, &phases.tls),
        (Phase::Send, &phases.send),
        (Phase::Wait, &phases.wait),
        (Phase::Receive, &phases.receive),
    ] {
        if let Some(limit) = limit {
            times(of, &limit.value, checks, report);
        }
    }
}

fn tls_checks(tls: &TlsExpectation, checks: &mut Vec<Check>, report: &mut Report) {
    let days = |given: &Option<Spanned<Count>>| given.as_ref().map(|days| days.value.get());
    let (fail_below, degraded_below) = (days(&tls.days_to_expiry), days(&tls.degraded_below_days));
    if let (Some(fail), Some(degraded), Some(given)) = (fail_below, degraded_below, &tls.degraded_below_days)
        && degraded <= fail
    {
        let message = format!("nothing is ever degraded: fewer than {fail} days fail already");
        report.error(Code::ProbeDegraded, &given.position, message, "raise `degradedBelowDays`".to_owned());
    }
    if let Some(given) = tls.days_to_expiry.as_ref().or(tls.degraded_below_days.as_ref()) {
        checks
            .push(Check { position: given.position.clone(), test: CheckTest::TlsDays { fail_below, degraded_below } });
    }
    if let Some(given) = &tls.min_version {
        checks.push(Check { position: given.position.clone(), test: CheckTest::TlsVersion(given.value) });
    }
}

/// A compiled path of RFC 9535, or a report.
pub(super) fn path(text: &str, position: &Position, report: &mut Report) -> Option<Path> {
    let refuse = |report: &mut Report, why: &str| {
        let message = format!("`{}` is not a JSONPath: {why}", shown(text));
        report.error(Code::ProbePattern, position, message, "see RFC 9535".to_owned());
        None
    };
    if text.len() > LONGEST || nesting(text) > DEEPEST {
        return refuse(report, "it is too long or nests too deeply");
    }
    match JsonPath::parse(text) {
        Ok(path) => Some(Path { text: Arc::from(text), path }),
        Err(error) => refuse(report, &format!("{} at character {}", shown(error.message()), error.position() + 1)),
    }
}

/// How deeply brackets nest; those in quotes count too, which only errs on the safe side.
fn nesting(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for c in text.chars() {
        match c {
            '(' | '[' | '!' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A compiled regular expression, or a report.
pub(super) fn pattern(text: &str, position: &Position, report: &mut Report) -> Option<Regex> {
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).nest_limit(50).build();
    let why = match built {
        Ok(pattern) if text.len() <= LONGEST => return Some(pattern),
        Ok(_) | Err(regex::Error::CompiledTooBig(_)) => "it is too large".to_owned(),
        // The last line says what is wrong; those above draw arrows.
        Err(error) => shown(error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ")),
    };
    let message = format!("`{}` is not a regular expression: {why}", shown(text));
    report.error(Code::ProbePattern, position, message, "look-around and back-references are not supported".to_owned());
    None
}

/// Whether a valid path finds at most one value: only names and indices. RFC 9535, section 2.3.5.1.
fn is_singular(path: &str) -> bool {
    let mut rest = path.strip_prefix('$').unwrap_or(path).trim_start();
    while !rest.is_empty() {
        let after = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            if end == 0 {
                return false;
            }
            name.get(end..)
        } else {
            rest.strip_prefix('[').and_then(behind_index_or_name)
        };
        let Some(after) = after else { return false };
        rest = after.trim_start();
    }
    true
}

/// What comes behind `index]` or `'name']`.
fn behind_index_or_name(inner: &str) -> Option<&str> {
    let inner = inner.trim_start();
    let behind = match inner.chars().next()? {
        quote @ ('\'' | '"') => {
            let mut escaped = false;
            let end = inner.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == quote && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            inner.get(end?.0 + 1..)?
        }
        _ => inner.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-'),
    };
    (behind.len() < inner.len()).then_some(behind)?.trim_start().strip_prefix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_find_one_value_are_told_apart() {
        for path in ["$", "$.a", "$['a'][0]", "$[\"a\\\"]\"].b", "$.a[-1]", "$ .a [ 0 ]", "$.ä.b"] {
            assert!(is_singular(path), "{path}");
            assert!(JsonPath::parse(path).is_ok(), "{path}");
        }
        for path in ["$.*", "$..a", "$[*]", "$[0,1]", "$[0:1]", "$[?@.a]", "$['a','b']", "$[:]"] {
            assert!(!is_singular(path), "{path}");
            assert!(JsonPath::parse(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn patterns_that_would_cost_too_much_are_refused() {
        let position = Position { file: "t".into(), line: 1, column: 1 };
        for text in ["(a{1000}){1000}", "\\w{1000}{100}", "(?=a)", &"a".repeat(2000), &"(".repeat(500)] {
            let mut report = Report::default();
            assert!(pattern(text, &position, &mut report).is_none(), "{text}");
            assert_eq!(report.diagnostics.len(), 1);
        }
        for text in [&"$[?(".repeat(200), &format!("$[?{}@.a{}]", "(".repeat(40), ")".repeat(40)), &"!".repeat(50)] {
            assert!(path(text, &position, &mut Report::default()).is_none(), "{text}");
        }
    }
}
