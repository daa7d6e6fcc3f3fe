//! Rules and functions have one value: where another one comes up, from a second definition or a later turn of a loop, the
//! machine takes it for none, or for the last one, without a word, and so does what compares with it.

use std::cell::RefCell;

use regorus::rvm::Program;
use regorus::rvm::instructions::{BuiltinCallParams, Instruction};
use regorus::rvm::program::{RuleInfo, RuleType};
use regorus::unstable::BuiltinFcn;
use regorus::{LimitError, Value};

use super::builtins::{failed, looks_at, stop};
use super::function_index;

/// No name of a rule or function has a space.
const BEGIN: &str = "begin of values";
const VALUE: &str = "a value";
const END: &str = "end of values";

thread_local! {
    /// The first value of each rule that is being evaluated, outermost first.
    static OPEN: RefCell<Vec<Option<Value>>> = const { RefCell::new(Vec::new()) };
}

/// Forgets rules whose evaluation was broken off.
pub(super) fn begin() {
    OPEN.with_borrow_mut(Vec::clear);
}

/// Has each value of a rule or function held against its first one. What says that it begins and ends are two definitions
/// more, which have no value.
pub(super) fn with_single_values(program: &mut Program) {
    let mut rules = std::mem::take(&mut program.rule_infos);
    for rule in &mut rules {
        if !can_have_several(rule, &program.instructions) {
            continue;
        }
        for (index, value) in values(rule, &program.instructions) {
            let call = call(program, VALUE, rule.result_reg, Some(value));
            if let Some(instruction) = program.instructions.get_mut(index) {
                *instruction = call;
            }
        }
        let mut definitions = vec![definition(program, BEGIN, rule.result_reg)];
        definitions.extend(rule.definitions.iter().cloned());
        definitions.push(definition(program, END, rule.result_reg));
        rule.definitions = definitions.into();
        rule.destructuring_blocks.insert(0, None);
        rule.destructuring_blocks.push(None);
        rule.else_bodies.insert(0, vec![false]);
        rule.else_bodies.push(vec![false]);
    }
    program.rule_infos = rules;
}

/// The functions that the machine calls.
pub(super) fn function(name: &str) -> Option<BuiltinFcn> {
    let begin: BuiltinFcn = (
        |_, _, _, _| {
            OPEN.with_borrow_mut(|open| open.push(None));
            Ok(Value::Undefined)
        },
        0,
    );
    let value: BuiltinFcn = (|_, _, arguments, _| one(arguments).map_err(Into::into), 1);
    let end: BuiltinFcn = (
        |_, _, _, _| {
            OPEN.with_borrow_mut(|open| drop(open.pop()));
            Ok(Value::Undefined)
        },
        0,
    );
    match name {
        BEGIN => Some(begin),
        VALUE => Some(value),
        END => Some(end),
        _ => None,
    }
}

fn one(arguments: &[Value]) -> Result<Value, LimitError> {
    let [value] = arguments else { return Err(failed(&"a rule has no value")) };
    OPEN.with_borrow_mut(|open| match open.last_mut() {
        Some(Some(first)) => is_same(first, value),
        Some(none) => {
            *none = Some(value.clone());
            Ok(())
        }
        None => Err(failed(&"a value is of no rule")),
    })?;
    Ok(value.clone())
}

fn is_same(first: &Value, value: &Value) -> Result<(), LimitError> {
    if !looks_at(first) {
        return Err(stop());
    }
    if first == value { Ok(()) } else { Err(failed(&"a rule or function has two values that differ")) }
}

/// Definitions that all have the same value, written out, are left as quick as they are.
fn can_have_several(rule: &RuleInfo, instructions: &[Instruction]) -> bool {
    let has_loop = || bodies(rule, instructions).any(|(_, it)| matches!(it, Instruction::LoopStart { .. }));
    let is_open = rule.rule_type == RuleType::Complete && !rule.early_exit_on_first_success;
    is_open && (rule.definitions.len() > 1 || has_loop())
}

/// The instructions that give a rule its value, and the registers that they take it from.
fn values(rule: &RuleInfo, instructions: &[Instruction]) -> Vec<(usize, u8)> {
    let value = |(index, instruction): (usize, Instruction)| match instruction {
        Instruction::Move { dest, src } if dest == rule.result_reg => Some((index, src)),
        _ => None,
    };
    bodies(rule, instructions).filter_map(value).collect()
}

/// The instructions of all bodies of a rule, each with its place in the program.
fn bodies<'p>(rule: &'p RuleInfo, instructions: &'p [Instruction]) -> impl Iterator<Item = (usize, Instruction)> + 'p {
    rule.definitions.iter().flatten().flat_map(move |entry| {
        let entry = usize::try_from(*entry).unwrap_or(usize::MAX);
        let body = instructions.iter().copied().enumerate().skip(entry);
        body.take_while(|(_, instruction)| !matches!(instruction, Instruction::RuleReturn {}))
    })
}

/// A definition that does nothing but call a function, and has no value.
fn definition(program: &mut Program, name: &str, dest: u8) -> Vec<u32> {
    let entry = u32::try_from(program.instructions.len()).unwrap_or(u32::MAX);
    let call = call(program, name, dest, None);
    program.add_instruction(call, None);
    program.add_instruction(Instruction::RuleReturn {}, None);
    vec![entry]
}

fn call(program: &mut Program, name: &str, dest: u8, argument: Option<u8>) -> Instruction {
    let num_args = u8::from(argument.is_some());
    let builtin_index = function_index(program, name, num_args);
    let args = [argument.unwrap_or(0), 0, 0, 0, 0, 0, 0, 0];
    let params_index = program.add_builtin_call_params(BuiltinCallParams { dest, builtin_index, num_args, args });
    Instruction::BuiltinCall { params_index }
}
