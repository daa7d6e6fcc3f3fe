//! A compiled expression: its parts, what they read, what they can cost, and their answer over a document.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel_interpreter::common::types::CelBool;
use cel_interpreter::{Context, ExecutionError, IdedExpr, Program, Value};
use davy::document::{DiagnosticCode as Code, Position};
use davy::rule::{RuleBranch, RuleSource, Shape};
use davy::{Fact, Text};

use super::conditions::{Leaf, leaves_of};
use super::cost::{Cost, heft};
use super::pattern::{Patterns, use_compiled};
use super::view::Variables;
use super::walk::{Conjunct, walk};
use super::{ENV, guard};
use crate::limits::{CEL_WORK, LOOKS};
use crate::read::{Missing, Reads};
use crate::text::{Places, Report, one_line, shown};

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    parts: Vec<Part>,
    reads: Reads,
    cost: Cost,
    leaves: Vec<Leaf>,
    places: Places,
    patterns: Patterns,
}

/// A part of the conjunction, with its own text and place where they can be told apart.
pub(super) struct Part {
    pub(super) conjunct: Conjunct,
    pub(super) text: Option<Text>,
    pub(super) position: Position,
    /// The same place in the text.
    at: (u32, u32),
}

/// What an expression says of a document.
pub(super) enum Answer<'a> {
    /// It is true.
    True,
    /// It is not, for these parts are not.
    False(Vec<&'a Part>),
    /// It reads what is not there, and does not ask whether it is.
    Missing {
        paths: Vec<Text>,
        /// Where the first of them is read.
        position: Position,
    },
    /// It could cost more than this, or look for what is missing at more places.
    Exhausted(u64),
    /// It has no answer, for a part has none.
    Failed { problem: String, part: &'a Part },
}

impl Expression {
    /// Parses a text over documents of this shape; what is wrong is reported.
    pub(super) fn parse(source: &RuleSource<'_>, root: Shape, report: &mut Report<'_>) -> Option<Self> {
        let program = match ENV.compile(source.text) {
            Ok(program) => program,
            Err(problems) => {
                for problem in problems.errors.iter().take(3) {
                    let (line, column) = problem.pos;
                    let whole = |number: isize| u32::try_from(number).unwrap_or(1).max(1);
                    let what = problem.msg.lines().next().unwrap_or("it cannot be read");
                    report.error(Code::RuleSyntax, (whole(line), whole(column)), lower(&shown(what)), None);
                }
                return None;
            }
        };
        let place = |id: u64| place_of(&program, source.text, id);
        let walked = walk(program.expression(), source.text, root, &place, report);
        let texts = parts_of(source.text);
        let named = texts.len() == walked.conjuncts.len();
        let parts = walked.conjuncts.into_iter().enumerate().map(|(index, mut conjunct)| {
            use_compiled(&mut conjunct.expr);
            let text = texts.get(index).filter(|_| named);
            let at = text.map_or((1, 1), |(_, at)| *at);
            Part {
                conjunct,
                text: text.and_then(|(text, _)| one_line(text)),
                position: source.position(at.0, at.1),
                at,
            }
        });
        let parts = parts.collect();
        let mut leaves = leaves_of(&program, source);
        leaves.iter_mut().for_each(|leaf| use_compiled(&mut leaf.expr));
        let (places, patterns) = (Places::of(source), walked.patterns);
        Some(Self { parts, reads: walked.reads, cost: walked.cost, leaves, places, patterns })
    }

    /// Its answer over a document of this heft, whose variables are only asked for where it may be judged. True if every part
    /// is. What fails beside a part that is false changes nothing; what fails beside parts that are true leaves it without an
    /// answer.
    pub(super) fn judge<V: Deref<Target = Variables>>(
        &self,
        document: &Fact,
        heft: u64,
        variables: impl FnOnce() -> V,
    ) -> Answer<'_> {
        match self.reads.missing(document) {
            Missing::Nothing => {}
            Missing::Paths { paths, at } => return Answer::Missing { paths, position: self.places.position(at) },
            Missing::Untold => return Answer::Exhausted(LOOKS),
        }
        if self.cost.exceeds(document, heft) {
            return Answer::Exhausted(CEL_WORK);
        }
        let variables = variables();
        self.patterns.begin();
        let (mut wrong, mut failed) = (Vec::new(), None);
        for part in &self.parts {
            match truth(&part.conjunct.expr, &variables.context) {
                Ok(true) => {}
                Ok(false) => wrong.push(part),
                Err(problem) => failed = failed.or(Some(Answer::Failed { problem, part })),
            }
        }
        match failed {
            _ if !wrong.is_empty() => Answer::False(wrong),
            Some(failed) => failed,
            None => Answer::True,
        }
    }

    /// Each condition, once for being true and once for being false.
    pub(super) fn branches(&self) -> Vec<RuleBranch> {
        let branch = |leaf: &Leaf, word: &str| {
            let what = one_line(&format!("`{}` is {word}", leaf.text))?;
            Some(RuleBranch { position: leaf.position.clone(), what })
        };
        self.leaves.iter().flat_map(|leaf| [branch(leaf, "true"), branch(leaf, "false")]).flatten().collect()
    }

    /// Which of them a document shows.
    pub(super) fn reached<V: Deref<Target = Variables>>(
        &self,
        document: &Fact,
        heft: u64,
        variables: impl FnOnce() -> V,
    ) -> Vec<usize> {
        let is_judged = matches!(self.reads.missing(document), Missing::Nothing);
        if !is_judged || self.cost.exceeds(document, heft) {
            return Vec::new();
        }
        let variables = variables();
        self.patterns.begin();
        let shown = |(number, leaf): (usize, &Leaf)| {
            let truth = truth(&leaf.expr, &variables.context).ok()?;
            Some(2 * number + usize::from(!truth))
        };
        self.leaves.iter().enumerate().filter_map(shown).collect()
    }

    /// Whether nothing of it depends on the document.
    pub(super) fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| part.conjunct.is_constant)
    }

    /// What reads nothing has its answer already.
    pub(super) fn warn_of_constants(&self, report: &mut Report<'_>) {
        let nothing = Fact::Map(Arc::default());
        if report.is_refused() || self.cost.exceeds(&nothing, heft(&nothing)) {
            return;
        }
        let context = Context::with_env(Arc::clone(&ENV));
        self.patterns.begin();
        for part in self.parts.iter().filter(|part| part.conjunct.is_constant) {
            let what = match truth(&part.conjunct.expr, &context) {
                Ok(true) => "this is always true, whatever the input",
                Ok(false) => "this is never true, whatever the input",
                Err(_) => "this always fails, whatever the input",
            };
            report.warn(Code::LintRuleConstant, part.at, what, None);
        }
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("text", &self.text).finish_non_exhaustive()
    }
}

fn truth(expr: &IdedExpr, context: &Context<'_, '_>) -> Result<bool, String> {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let value = Value::resolve_val(expr, context)?;
        Ok(value.downcast_ref::<CelBool>().map(|value| *value.inner()))
    }));
    match answer {
        Ok(Ok(Some(truth))) => Ok(truth),
        Ok(Ok(None)) => Err("it is neither true nor false".to_owned()),
        Ok(Err(problem)) => Err(explain(&problem)),
        Err(_) => Err("the interpreter gave up".to_owned()),
    }
}

/// An error in words that do not depend on the order of a map or the insides of the interpreter.
fn explain(problem: &ExecutionError) -> String {
    match problem {
        ExecutionError::NoSuchKey(key) => format!("there is no `{}`", shown(key)),
        ExecutionError::NoSuchOverload(overload) => format!(
            "`{}` does not take {}",
            overload.function().trim_matches(['_', '@']),
            overload.argument_types().join(" and ")
        ),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list is shorter than that".to_owned(),
        ExecutionError::ValuesNotComparable(..) => "values of different kinds have no order".to_owned(),
        ExecutionError::UnexpectedType { got, want } => format!("expected {want}, found {got}"),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{}`", shown(name)),
        ExecutionError::FunctionError { function, .. } => format!("`{}` failed", shown(function)),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("`{operator}` does not take values of these kinds")
        }
        _ => "a value has the wrong kind".to_owned(),
    }
}

/// The texts between the `&&` outside of all brackets, and where they begin; one where there are alternatives beside.
fn parts_of(text: &str) -> Vec<(String, (u32, u32))> {
    let tokens = guard::outermost(text);
    let alternatives = tokens.iter().any(|token| token.depth == 0 && ["||", "?"].contains(&token.text));
    let mut parts: Vec<(String, (u32, u32))> = Vec::new();
    let mut begin = true;
    let mut last_end = 0;
    for token in &tokens {
        if token.depth == 0 && token.text == "&&" && !alternatives {
            begin = true;
            continue;
        }
        match parts.last_mut().filter(|_| !begin) {
            Some((part, _)) => {
                if token.start > last_end {
                    part.push(' ');
                }
                part.push_str(token.text);
            }
            None => parts.push((token.text.to_owned(), token.at)),
        }
        begin = false;
        last_end = token.start + token.text.len();
    }
    parts
}

/// The line and column of a node; offsets count characters.
pub(super) fn place_of(program: &Program, text: &str, id: u64) -> (u32, u32) {
    let Some((start, _)) = program.source_info().offset_for(id) else { return (1, 1) };
    let before = text.chars().take(usize::try_from(start).unwrap_or(usize::MAX));
    before.fold(
        (1_u32, 1_u32),
        |(line, column), c| {
            if c == '\n' { (line.saturating_add(1), 1) } else { (line, column.saturating_add(1)) }
        },
    )
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_lowercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}", chars.as_str()).trim_end_matches('.').to_owned()
}
