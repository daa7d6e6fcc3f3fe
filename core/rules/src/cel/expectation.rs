//! The expectation `cel` of a flow: an expression that is true of an answer that is as expected. Under the limits of rules,
//! and like them it takes what is missing for no answer at all, which fails the expectation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use davy::probe::{ANSWER, AnswerFacts, Expectation, ExpectationKey, ExpectationLanguage};
use davy::rule::RuleSource;
use davy::{Fact, Name};
use serde_json::Value as Json;

use super::cost::heft;
use super::expression::{Answer, Expression, Part};
use super::view::Variables;
use super::{Cel, ENV, guard};
use crate::compile::checked;
use crate::read::operands;
use crate::text::Report;

/// How many of the conditions that are not met are told.
const TOLD: usize = 3;

impl ExpectationLanguage for Cel {
    fn key(&self) -> ExpectationKey {
        ExpectationKey::Cel
    }

    fn compile(&self, source: &Json) -> Result<Arc<dyn Expectation>, String> {
        let Json::String(text) = source else { return Err("an expression is a text".to_owned()) };
        let name: Name = "cel".parse().map_err(|_| "it has no name".to_owned())?;
        let source = RuleSource::new(&name, "cel", text);
        let mut report = Report::new(&source);
        let parse = |source: &RuleSource<'_>, report: &mut Report<'_>| Expression::parse(source, ANSWER, report);
        let expression = checked(&source, &mut report, guard::is_safe, parse);
        let lines = text.lines().count();
        let wrong = report.diagnostics.iter().find(|one| one.severity == davy::Severity::Error).map(|one| {
            let at = if lines > 1 { format!(" (line {} of it)", one.position.line) } else { String::new() };
            let hint = one.hint.as_ref().map_or_else(String::new, |hint| format!(": {hint}"));
            format!("{}{at}{hint}", one.message)
        });
        match (expression, wrong) {
            (_, Some(wrong)) => Err(wrong),
            (Some(expression), None) if expression.is_constant() => Err("it is the same for every answer".to_owned()),
            (Some(expression), None) => Ok(Arc::new(CelExpectation(expression))),
            (None, None) => Err("it cannot be read".to_owned()),
        }
    }
}

struct CelExpectation(Expression);

impl fmt::Debug for CelExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an expectation in CEL")
    }
}

impl Expectation for CelExpectation {
    fn judge(&self, answer: &AnswerFacts<'_>) -> Result<(), String> {
        let document = document(answer);
        match self.0.judge(&document, heft(&document), || Box::new(Variables::of(&document, ANSWER, &ENV))) {
            Answer::True => Ok(()),
            Answer::False(parts) => {
                let told = parts.iter().take(TOLD).map(|part| told(part, &document));
                Err(told.collect::<Vec<_>>().join("; "))
            }
            Answer::Missing { paths, .. } => {
                let of_json = |path: &str| path == "json" || path.starts_with("json.") || path.starts_with("json[");
                if answer.json.is_none() && paths.iter().any(|path| of_json(path.as_str())) {
                    return Err("the body is not JSON".to_owned());
                }
                let paths: Vec<String> = paths.iter().take(TOLD).map(|path| format!("`{path}`")).collect();
                let are = if paths.len() == 1 { "is" } else { "are" };
                Err(format!("{} {are} not there, and the expression does not ask whether", paths.join(", ")))
            }
            Answer::Exhausted(most) => {
                Err(format!("the answer is too large for it: it could take more than {most} steps"))
            }
            Answer::Failed { problem, part } => match &part.text {
                Some(text) => Err(format!("`{text}` has no answer: {problem}")),
                None => Err(format!("it has no answer: {problem}")),
            },
        }
    }
}

/// A condition that is not met, with what it was about.
fn told(part: &Part, document: &Fact) -> String {
    let values = operands(document, &part.conjunct.places);
    let values: Vec<String> = values.iter().map(|one| format!("{} is {}", one.path, one.value)).collect();
    let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
    match &part.text {
        Some(text) => format!("`{text}` is false{values}"),
        None => format!("it is false{values}"),
    }
}

/// The answer as [`ANSWER`] describes it.
fn document(answer: &AnswerFacts<'_>) -> Fact {
    let response = answer.response;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &response.headers {
        let known = headers.entry(name.to_ascii_lowercase()).or_default();
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(value);
    }
    let integer = |number: u64| Fact::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let text = |text: &str| Fact::Text(text.into());
    let entries = [
        ("status", Some(integer(response.status.into()))),
        ("headers", Some(headers.iter().map(|(name, value)| (name.clone(), text(value))).collect())),
        ("body", Some(text(&String::from_utf8_lossy(&response.body.0)))),
        ("json", answer.json.map(fact)),
        ("durationMs", Some(integer(answer.duration.0.div_ceil(1000)))),
        ("redirects", Some(integer(answer.redirects.into()))),
    ];
    entries.into_iter().filter_map(|(key, fact)| Some((key.to_owned(), fact?))).collect()
}

/// What a value of an answer is: all of it, nulls included; whole numbers that fit are integers.
fn fact(json: &Json) -> Fact {
    match json {
        Json::Null => Fact::Null,
        Json::Bool(value) => Fact::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Fact::Integer(integer),
            None => number.as_f64().map_or(Fact::Null, |number| Fact::number(number).unwrap_or(Fact::Number(number))),
        },
        Json::String(text) => Fact::Text(text.as_str().into()),
        Json::Array(items) => items.iter().map(fact).collect(),
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), fact(value))).collect(),
    }
}
