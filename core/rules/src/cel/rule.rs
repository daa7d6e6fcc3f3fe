//! A rule in CEL: an expression that is true of a release that may go on.

use std::sync::Arc;

use davy::document::{DiagnosticCode as Code, Position, RuleOutcome, did_you_mean};
use davy::rule::{INPUT, RuleBranch, RuleSource, Said};
use davy::{Condition, Diagnostic, Rule, RuleInput, RuleLanguage, Text};

use super::cost::heft;
use super::expression::{Answer, Expression};
use super::view::Variables;
use super::{Cel, ENV, guard};
use crate::compile::compile;
use crate::limits::work;
use crate::read::operands;
use crate::text::{Declared, Report, message, one_line, shown};

impl RuleLanguage for Cel {
    fn name(&self) -> &'static str {
        "cel"
    }

    fn compile(&self, source: &RuleSource<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        compile(source, diagnostics, guard::is_safe, parse)
    }
}

fn parse(source: &RuleSource<'_>, report: &mut Report<'_>) -> Option<CelRule> {
    let expression = Expression::parse(source, INPUT, report)?;
    let (outcome, said) = declared(source, report);
    expression.warn_of_constants(report);
    Some(CelRule { expression, outcome, message: said?, position: source.position(1, 1) })
}

/// What the document or else the file says about the outcome and the message.
fn declared(source: &RuleSource<'_>, report: &mut Report<'_>) -> (RuleOutcome, Option<Text>) {
    let (mut outcome, mut said) = (None, None);
    for (keyword, value, at) in Declared::find(source.text, "//", &["outcome", "message"]).lines {
        if keyword == "message" {
            said = one_line(value);
            continue;
        }
        outcome = RuleOutcome::ALL.iter().find(|outcome| outcome.as_str() == value).copied();
        if outcome.is_none() {
            let words = RuleOutcome::ALL.iter().map(|outcome| outcome.as_str());
            let hint = did_you_mean(value, words.clone())
                .unwrap_or_else(|| format!("there are: {}", words.collect::<Vec<_>>().join(", ")));
            report.error(Code::RuleSilent, at, format!("there is no outcome `{}`", shown(value)), hint);
        }
    }
    let outcome = source.outcome.or(outcome).unwrap_or(RuleOutcome::Deny);
    // A name is a text as well.
    let said = source.message.cloned().or(said).or_else(|| one_line("the rule is not met"));
    let said = said.or_else(|| source.name.as_str().parse().ok());
    if said.is_none() {
        report.error(Code::RuleSilent, (1, 1), "the rule has no message", None);
    }
    (outcome, said)
}

/// A compiled rule.
#[derive(Debug)]
struct CelRule {
    expression: Expression,
    outcome: RuleOutcome,
    message: Text,
    position: Position,
}

impl Rule for CelRule {
    fn judge(&self, input: &RuleInput) -> Vec<Said> {
        let document = input.document();
        let variables = || input.converted(|document| Variables::of(document, INPUT, &ENV));
        let answer = self.expression.judge(document, heft_of(input), variables);
        let said = match answer {
            Answer::True => None,
            Answer::False(parts) => {
                let condition = |part: &&super::expression::Part| {
                    let values = operands(document, &part.conjunct.places);
                    Condition { text: part.text.clone(), values }
                };
                Some(Said::Fired {
                    outcome: self.outcome,
                    message: self.message.clone(),
                    code: None,
                    conditions: parts.iter().take(16).map(condition).collect(),
                    position: parts.first().map_or(&self.position, |part| &part.position).clone(),
                })
            }
            Answer::Missing { paths, position } => Some(Said::Missing { paths, position }),
            Answer::Exhausted(most) => Some(Said::Exhausted { limit: work(most), position: self.position.clone() }),
            Answer::Failed { problem, part } => message(&problem, "it failed without a reason")
                .map(|problem| Said::Failed { problem, position: part.position.clone() }),
        };
        said.into_iter().collect()
    }

    fn branches(&self) -> Vec<RuleBranch> {
        self.expression.branches()
    }

    fn reached(&self, input: &RuleInput) -> Vec<usize> {
        let variables = || input.converted(|document| Variables::of(document, INPUT, &ENV));
        self.expression.reached(input.document(), heft_of(input), variables)
    }
}

/// The heft of the document, reckoned once for all rules.
fn heft_of(input: &RuleInput) -> u64 {
    struct Heft(u64);
    input.converted(|document| Heft(heft(document))).0
}
