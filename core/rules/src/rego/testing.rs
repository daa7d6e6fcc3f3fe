//! Tests in Rego, as `opa test` runs them: rules of `*_test.rego` whose names begin with `test_`, which are true where the
//! test passes, and see the rules that they are about as `data`.

use std::collections::BTreeMap;
use std::sync::Arc;

use davy::document::{DiagnosticCode as Code, Position};
use davy::rule::RuleSource;
use davy::{Diagnostic, Name};
use regorus::unstable::{Module, Rule};
use regorus::{Engine, Value};

use super::circle::circle;
use super::coverage::{interpreter, lines, value_of};
use super::guard;
use super::problem::{self, place_of};
use super::spread::Spread;
use super::walk::{at, dotted, rule_name};
use crate::text::Report;

/// Tests in Rego, and the rules that they are about.
///
/// The rules are judged as Rego has them: by an interpreter, over whatever a test hands in `with input as …`. That a rule holds
/// where its input is missing is davy's, and a matter of tests that decide (`*_test.yaml`).
///
/// ```
/// use davy_rules::{RegoTestOutcome, RegoTests};
///
/// let rule = "package ticket\ndeny contains \"no ticket\" if not input.facts.ticket\n";
/// let tests = "package ticket_test\nimport data.ticket\ntest_none_is_denied if count(ticket.deny) == 1 with input as {\"facts\": {}}\n";
/// let tests = RegoTests::from_files([("ticket.rego", rule)], [("ticket_test.rego", tests)]).unwrap();
/// let runs = tests.run();
/// assert_eq!(runs[0].name, "ticket_test.test_none_is_denied");
/// assert_eq!(runs[0].outcome, RegoTestOutcome::Passed);
/// ```
#[derive(Debug)]
pub struct RegoTests {
    engine: Engine,
    rules: BTreeMap<String, Spread>,
    /// The files of tests.
    texts: BTreeMap<String, String>,
    tests: Vec<Test>,
}

#[derive(Debug)]
struct Test {
    name: String,
    skipped: bool,
    position: Position,
    /// The line that its last definition ends on.
    last: u32,
}

/// What became of one test in Rego.
#[derive(Debug, Clone, PartialEq)]
pub struct RegoTestRun {
    /// Its package and name, such as `ticket_test.test_none_is_denied`.
    pub name: String,
    /// Where it stands.
    pub position: Position,
    /// Whether it passed.
    pub outcome: RegoTestOutcome,
    /// What it printed, with `print`.
    pub printed: Vec<String>,
    /// The parts of rules that it reached: where they begin.
    pub reached: Vec<Position>,
}

/// Whether a test in Rego passed.
#[derive(Debug, Clone, PartialEq)]
pub enum RegoTestOutcome {
    /// It is true.
    Passed,
    /// It is not true.
    Failed {
        /// What it is instead.
        value: String,
        /// The statement that it came to and not past.
        at: Position,
    },
    /// It could not be evaluated.
    Broken {
        /// Why.
        problem: String,
        /// Where.
        at: Position,
    },
    /// Its name begins with `todo_`: it is not run.
    Skipped,
}

impl RegoTests {
    /// Takes the files of rules, and those of their tests; positions call them by these names.
    ///
    /// # Errors
    /// What is wrong with the tests or the rules, so that they cannot be read.
    pub fn from_files<N: Into<String>, T: Into<String>>(
        rules: impl IntoIterator<Item = (N, T)>,
        tests: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut new = Self { engine: interpreter(), rules: BTreeMap::new(), texts: BTreeMap::new(), tests: Vec::new() };
        new.engine.set_gather_prints(true);
        let mut diagnostics = Vec::new();
        for (file, text) in rules {
            let (file, text) = (file.into(), text.into());
            let mut alone = Engine::new();
            if read(&mut alone, &file, &text, &mut diagnostics)
                && let Some(module) = alone.get_modules().first()
            {
                let spread = Spread::of(module, &text);
                if read(&mut new.engine, &file, &spread.text, &mut diagnostics) {
                    new.rules.insert(file, spread);
                }
            }
        }
        for (file, text) in tests {
            let (file, text) = (file.into(), text.into());
            if read(&mut new.engine, &file, &text, &mut diagnostics)
                && let Some(module) = new.engine.get_modules().last()
            {
                new.tests.extend(tests_of(module, &file));
                new.texts.insert(file, text);
            }
        }
        if diagnostics.is_empty() {
            diagnostics.extend(circle(new.engine.get_modules()));
        }
        if diagnostics.is_empty() { Ok(new) } else { Err(diagnostics) }
    }

    /// Runs every test.
    #[must_use]
    pub fn run(&self) -> Vec<RegoTestRun> {
        self.tests.iter().map(|test| self.run_one(test)).collect()
    }

    fn run_one(&self, test: &Test) -> RegoTestRun {
        let mut engine = self.engine.clone();
        engine.clear_coverage_data();
        let outcome = if test.skipped {
            RegoTestOutcome::Skipped
        } else {
            match value_of(&mut engine, format!("data.{}", test.name)) {
                Ok(Value::Bool(true)) => RegoTestOutcome::Passed,
                Ok(value) => {
                    let value = if value == Value::Undefined { "undefined".to_owned() } else { problem::brief(&value) };
                    RegoTestOutcome::Failed { value, at: stopped(&engine, test) }
                }
                Err(problem) => self.broken(&problem, test),
            }
        };
        let printed = engine.take_prints().unwrap_or_default();
        let mut reached = Vec::new();
        for (file, spread) in &self.rules {
            let (covered, _) = lines(&engine, file);
            let parts = spread.parts.iter().filter(|part| part.is_on(covered.iter().copied()));
            let file: Arc<str> = file.as_str().into();
            reached.extend(parts.map(|part| Position { file: Arc::clone(&file), line: part.at.0, column: part.at.1 }));
        }
        RegoTestRun { name: test.name.clone(), position: test.position.clone(), outcome, printed, reached }
    }

    fn broken(&self, problem: &str, test: &Test) -> RegoTestOutcome {
        let arrow = problem.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
        let file = arrow.and_then(|place| place.rsplitn(3, ':').nth(2)).unwrap_or(&test.position.file);
        let ((line, column), what) = place_of(problem);
        let (line, column) = match self.rules.get(file) {
            // A statement that was put on a line of its own begins there.
            Some(spread) => (spread.written(line), 1),
            None => match self.texts.get(file).filter(|_| arrow.is_some()) {
                Some(text) => (line, problem::column(text, line, column)),
                None => (test.position.line, test.position.column),
            },
        };
        RegoTestOutcome::Broken { problem: what, at: Position { file: file.into(), line, column } }
    }
}

/// Adds a file to an engine, or reports what is wrong with it.
fn read(engine: &mut Engine, file: &str, text: &str, diagnostics: &mut Vec<Diagnostic>) -> bool {
    // The name is for reports that show none.
    let Ok(name) = "tests".parse::<Name>() else { return false };
    let source = RuleSource::new(&name, file, text);
    let mut report = Report::new(&source);
    if guard::is_safe(text, &mut report)
        && let Err(problem) = engine.add_policy(file.to_owned(), text.to_owned())
    {
        let (at, what) = place_of(&problem.to_string());
        report.error(Code::RuleSyntax, (at.0, problem::column(text, at.0, at.1)), what, None);
    }
    let refused = report.is_refused();
    diagnostics.extend(report.finish());
    !refused
}

/// The tests of a file, each once.
fn tests_of(module: &Module, file: &str) -> Vec<Test> {
    let package = dotted(&module.package.refr).unwrap_or_default();
    let mut tests: Vec<Test> = Vec::new();
    for rule in &module.policy {
        let Some(name) = rule_name(rule) else { continue };
        let skipped = name.starts_with("todo_test_");
        if !skipped && !name.starts_with("test_") || matches!(&**rule, Rule::Default { .. }) {
            continue;
        }
        let (name, (line, column)) = (format!("{package}.{name}"), at(rule.span()));
        let ends = rule.span().text().trim_end().bytes().filter(|byte| *byte == b'\n').count();
        let last = line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        match tests.iter_mut().find(|known| known.name == name) {
            Some(known) => known.last = last,
            None => tests.push(Test { name, skipped, position: Position { file: file.into(), line, column }, last }),
        }
    }
    tests
}

/// The last statement of a test that was evaluated before the first that was not.
fn stopped(engine: &Engine, test: &Test) -> Position {
    let (covered, left) = lines(engine, &test.position.file);
    let own = test.position.line..=test.last;
    let first_left = left.iter().copied().find(|line| own.contains(line)).unwrap_or(u32::MAX);
    let line = covered.iter().rev().copied().find(|line| own.contains(line) && *line < first_left);
    match line.filter(|line| *line != test.position.line) {
        Some(line) => Position { line, column: 1, ..test.position.clone() },
        None => test.position.clone(),
    }
}
