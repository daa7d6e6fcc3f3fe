//! Rego: parsed and compiled once, judged on the virtual machine of `regorus` within a budget of instructions.

mod builtins;
mod circle;
mod convert;
mod coverage;
mod guard;
mod otherwise;
mod problem;
mod single;
mod spread;
mod testing;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use davy::document::{DiagnosticCode as Code, Position};
use davy::rule::{RuleBranch, RuleSource, Said};
use davy::{Condition, Count, Diagnostic, Fact, Limit, Name, Rule, RuleInput, RuleLanguage, Text};
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::instructions::{BuiltinCallParams, Instruction};
use regorus::rvm::program::BuiltinInfo;
use regorus::rvm::vm::VmError;
use regorus::rvm::{Program, RegoVM};
use regorus::unstable::Module;

use crate::compile::compile;
use crate::limits::{FINDINGS, LOOKS, REGO_INSTRUCTIONS, REGO_WORK, work};
use crate::read::{Missing, operands};
use crate::text::{Places, Report, message, one_line};
pub use testing::{RegoTestOutcome, RegoTestRun, RegoTests};

use convert::Machine;
use problem::place_of;
use spread::Spread;
use walk::{Clause, Set, walk};

/// The language of the Open Policy Agent, version 1.
#[derive(Debug, Clone, Copy)]
pub struct Rego;

impl RuleLanguage for Rego {
    fn name(&self) -> &'static str {
        "rego"
    }

    fn compile(&self, source: &RuleSource<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        compile(source, diagnostics, guard::is_safe, parse)
    }
}

fn parse(source: &RuleSource<'_>, report: &mut Report<'_>) -> Option<RegoRule> {
    let mut engine = regorus::Engine::new();
    let file = source.position(1, 1).file.to_string();
    if let Err(problem) = engine.add_policy(file.clone(), source.text.to_owned()) {
        let (at, what) = place_of(&problem.to_string());
        let at = (at.0, problem::column(source.text, at.0, at.1));
        report.error(Code::RuleSyntax, at, what, None);
        return None;
    }
    let (walked, spread) = {
        let module: &Module = engine.get_modules().first()?;
        (walk(module, source.text, report)?, Spread::of(module, source.text))
    };
    if report.is_refused() {
        return None;
    }
    let path = |set: &Set| format!("data.{}.{}", walked.package, set.outcome.as_str());
    let paths: Vec<String> = walked.sets.iter().map(path).collect();
    let first = paths.first()?;
    let entries: Vec<&str> = paths.iter().map(String::as_str).collect();
    let program = engine
        .compile_with_entrypoint(&Arc::from(first.as_str()))
        .map_err(|problem| problem.to_string())
        .and_then(|policy| Compiler::compile_from_policy(&policy, &entries).map_err(|problem| problem.to_string()));
    let program = match program {
        Ok(program) => program,
        Err(problem) => {
            let (at, what) = place_of(&problem);
            let at = (at.0, problem::column(source.text, at.0, at.1));
            report.error(Code::RuleSyntax, at, what, None);
            return None;
        }
    };
    let program = metered(program, report)?;
    let positions = walked.sets.iter().map(|set| source.position(set.at.0, set.at.1)).collect();
    let rule = RegoRule {
        name: source.name.clone(),
        package: walked.package,
        sets: walked.sets,
        spread,
        positions,
        program: Arc::new(program),
        places: Places::of(source),
    };
    rule.warn_of_constants(report);
    Some(rule)
}

/// The program with functions that count what they look at; one that is not known to is refused.
fn metered(program: Arc<Program>, report: &mut Report<'_>) -> Option<Program> {
    let mut program = Arc::try_unwrap(program).unwrap_or_else(|shared| (*shared).clone());
    for (info, resolved) in program.builtin_info_table.iter().zip(&mut program.resolved_builtins) {
        match builtins::metered(&info.name, resolved.1) {
            Some(function) => *resolved = function,
            None => {
                let message = format!("the function `{}` is not allowed", crate::text::shown(&info.name));
                report.error(Code::RuleFunction, (1, 1), message, builtins::why_not(&info.name));
                return None;
            }
        }
    }
    if program.builtin_info_table.len() != program.resolved_builtins.len() {
        report.error(Code::RuleSyntax, (1, 1), "a function of the rule is not there", None);
        return None;
    }
    with_operators(&mut program);
    otherwise::with_else_where_nothing_is(&mut program);
    single::with_single_values(&mut program);
    Some(program)
}

/// Turns arithmetic, order and `in` into calls of functions, which say so when they fail and count what they look at.
fn with_operators(program: &mut Program) {
    for index in 0..program.instructions.len() {
        let (operator, dest, left, right) = match program.instructions.get(index) {
            Some(Instruction::Add { dest, left, right }) => ("+", *dest, *left, *right),
            Some(Instruction::Sub { dest, left, right }) => ("-", *dest, *left, *right),
            Some(Instruction::Mul { dest, left, right }) => ("*", *dest, *left, *right),
            Some(Instruction::Div { dest, left, right }) => ("/", *dest, *left, *right),
            Some(Instruction::Mod { dest, left, right }) => ("%", *dest, *left, *right),
            Some(Instruction::Lt { dest, left, right }) => ("<", *dest, *left, *right),
            Some(Instruction::Le { dest, left, right }) => ("<=", *dest, *left, *right),
            Some(Instruction::Gt { dest, left, right }) => (">", *dest, *left, *right),
            Some(Instruction::Ge { dest, left, right }) => (">=", *dest, *left, *right),
            Some(Instruction::Contains { dest, collection, value }) => ("in", *dest, *collection, *value),
            _ => continue,
        };
        let builtin_index = function_index(program, operator, 2);
        let args = [left, right, 0, 0, 0, 0, 0, 0];
        let params_index =
            program.add_builtin_call_params(BuiltinCallParams { dest, builtin_index, num_args: 2, args });
        if let Some(instruction) = program.instructions.get_mut(index) {
            *instruction = Instruction::BuiltinCall { params_index };
        }
    }
}

/// Where the machine finds a function that no rule calls by name.
fn function_index(program: &mut Program, name: &str, arguments: u8) -> u16 {
    let known = program.builtin_info_table.iter().position(|info| info.name == name);
    known.and_then(|known| u16::try_from(known).ok()).unwrap_or_else(|| {
        program.resolved_builtins.extend(builtins::operator(name).or_else(|| single::function(name)));
        program.add_builtin_info(BuiltinInfo { name: name.to_owned(), num_args: u16::from(arguments) })
    })
}

/// A compiled file.
struct RegoRule {
    name: Name,
    package: String,
    sets: Vec<Set>,
    spread: Spread,
    positions: Vec<Position>,
    program: Arc<Program>,
    places: Places,
}

impl std::fmt::Debug for RegoRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoRule").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Rule for RegoRule {
    fn judge(&self, input: &RuleInput) -> Vec<Said> {
        let machine = input.converted(Machine::with);
        machine.load(&self.program);
        let mut vm = machine.vm.borrow_mut();
        let mut said = Vec::new();
        let mut missing: Option<(Vec<Text>, (u32, u32))> = None;
        for (index, set) in self.sets.iter().enumerate() {
            match set.reads.missing(input.document()) {
                Missing::Nothing => self.judge_set(index, set, &mut vm, input.document(), &mut said),
                Missing::Paths { paths: more, at: first } => {
                    let (paths, at) = missing.get_or_insert_with(|| (Vec::new(), first));
                    paths.extend(more);
                    *at = (*at).min(first);
                }
                Missing::Untold => said.push(Said::Exhausted { limit: work(LOOKS), position: self.start_of(index) }),
            }
        }
        if let Some((mut paths, at)) = missing {
            paths.sort();
            paths.dedup();
            said.push(Said::Missing { paths, position: self.places.position(at) });
        }
        said
    }

    fn branches(&self) -> Vec<RuleBranch> {
        let branch = |part: &spread::Part| {
            let what = one_line(&format!("`{}` is reached", part.what))?;
            Some(RuleBranch { position: self.places.position(part.at), what })
        };
        self.spread.parts.iter().filter_map(branch).collect()
    }

    fn reached(&self, input: &RuleInput) -> Vec<usize> {
        const FILE: &str = "rule";
        let mut interpreter = coverage::interpreter();
        if interpreter.add_policy(FILE.to_owned(), self.spread.text.clone()).is_err() {
            return Vec::new();
        }
        interpreter.set_input(convert::value(input.document()));
        let is_judged = |set: &&Set| matches!(set.reads.missing(input.document()), Missing::Nothing);
        for set in self.sets.iter().filter(is_judged) {
            // What it is worth is the machine's to say.
            let _ = coverage::value_of(&mut interpreter, format!("data.{}.{}", self.package, set.outcome));
        }
        let (lines, _) = coverage::lines(&interpreter, FILE);
        let parts = self.spread.parts.iter().enumerate();
        parts.filter(|(_, part)| part.is_on(lines.iter().copied())).map(|(number, _)| number).collect()
    }
}

impl RegoRule {
    /// Where a set begins.
    fn start_of(&self, index: usize) -> Position {
        self.positions.get(index).cloned().unwrap_or_else(|| self.places.position((1, 1)))
    }

    fn judge_set(&self, index: usize, set: &Set, vm: &mut RegoVM, document: &Fact, said: &mut Vec<Said>) {
        let position = self.start_of(index);
        builtins::begin();
        single::begin();
        let answer = catch_unwind(AssertUnwindSafe(|| vm.execute_entry_point_by_index(index)));
        let failed = |problem: &str, position: Position| {
            let problem = message(problem, "it failed without a reason");
            problem.map(|problem| Said::Failed { problem, position })
        };
        let members = match answer {
            Err(_) => return said.extend(failed("the machine gave up", position)),
            Ok(Err(_)) if builtins::is_used_up() => {
                return said.push(Said::Exhausted { limit: work(REGO_WORK), position });
            }
            Ok(Err(VmError::InstructionLimitExceeded { .. })) => {
                let limit = Limit::Instructions(Count::from(REGO_INSTRUCTIONS as u32));
                return said.push(Said::Exhausted { limit, position });
            }
            Ok(Err(problem)) => {
                let of_function = builtins::problem().map(|problem| (place_of(&problem).1, vm.get_pc()));
                let (problem, pc) = of_function.unwrap_or_else(|| problem::explain(&problem, vm.get_pc()));
                return said.extend(failed(&problem, self.place(pc).unwrap_or(position)));
            }
            Ok(Ok(Value::Set(members))) => members,
            Ok(Ok(Value::Undefined)) => return,
            Ok(Ok(_)) => return said.extend(failed("the set is no set", position)),
        };
        if members.len() > FINDINGS {
            let limit = Limit::Findings(Count::from(FINDINGS as u32));
            return said.push(Said::Exhausted { limit, position });
        }
        for member in members.iter() {
            match self.member(member) {
                Some((message, code)) => {
                    let clause = clause_of(set, &message);
                    let at = clause.map_or(position.clone(), |clause| self.places.position(clause.at));
                    let conditions = clause.map_or_else(Vec::new, |clause| conditions(clause, document));
                    let outcome = set.outcome;
                    said.push(Said::Fired { outcome, message, code, conditions, position: at });
                }
                None => said.extend(failed("a member is a text, or an object with `msg` and `code`", position.clone())),
            }
        }
    }

    fn member(&self, member: &Value) -> Option<(Text, Option<Name>)> {
        match member {
            Value::String(text) => Some((message(text, self.name.as_str())?, None)),
            Value::Object(fields) => {
                let text = |key: &str| match fields.get(&Value::from(key)) {
                    Some(Value::String(text)) => Some(Arc::clone(text)),
                    _ => None,
                };
                let code = text("code").and_then(|code| code.parse::<Name>().ok());
                // A code that is none, or a key that nobody reads, would be lost without a word.
                let whole = fields.len() == 1 + usize::from(code.is_some());
                let said = text("msg").filter(|_| whole)?;
                Some((message(&said, self.name.as_str())?, code))
            }
            _ => None,
        }
    }

    /// Where an instruction stands in the text.
    fn place(&self, pc: usize) -> Option<Position> {
        let span = self.program.get_instruction_span(pc)?;
        let (line, column) = (u32::try_from(span.line).ok()?, u32::try_from(span.column).ok()?);
        let column = problem::column(self.program.get_source(span.source_index)?, line, column);
        (line > 0).then(|| self.places.position((line, column)))
    }

    /// Sets that do not depend on the input have their answer already.
    fn warn_of_constants(&self, report: &mut Report<'_>) {
        if !self.sets.iter().any(|set| set.is_constant) {
            return;
        }
        let input = RuleInput::new(Fact::Map(Arc::default()));
        let machine = input.converted(Machine::with);
        machine.load(&self.program);
        let mut vm = machine.vm.borrow_mut();
        for (index, set) in self.sets.iter().enumerate().filter(|(_, set)| set.is_constant) {
            let mut said = Vec::new();
            self.judge_set(index, set, &mut vm, input.document(), &mut said);
            let what = if said.is_empty() { "never has members" } else { "always has members" };
            let message = format!("`{}` does not depend on the input: it {what}", set.outcome);
            report.warn(Code::LintRuleConstant, set.at, message, None);
        }
    }
}

/// The clause that a member comes from, where only one can be meant.
fn clause_of<'a>(set: &'a Set, message: &Text) -> Option<&'a Clause> {
    if let [one] = set.clauses.as_slice() {
        return Some(one);
    }
    let says = |clause: &&Clause| clause.message.as_deref().and_then(one_line).as_ref() == Some(message);
    let mut saying = set.clauses.iter().filter(says);
    let first = saying.next()?;
    saying.next().is_none().then_some(first)
}

fn conditions(clause: &Clause, document: &Fact) -> Vec<Condition> {
    let one = |condition: &walk::Condition| {
        let text = one_line(&condition.text)?;
        Some(Condition { text: Some(text), values: operands(document, &condition.places) })
    };
    clause.conditions.iter().filter_map(one).take(16).collect()
}
