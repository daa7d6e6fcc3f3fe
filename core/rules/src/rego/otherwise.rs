//! `else` after a body without a value: the machine takes a body whose loop found nothing for one that was true, so that its
//! rule had no value at all, and nothing would come of what compares with it.

use regorus::rvm::Program;
use regorus::rvm::instructions::{GuardMode, Instruction};
use regorus::rvm::program::RuleType;

/// Has each body that an `else` follows end as one that is not true where it has no value.
pub(super) fn with_else_where_nothing_is(program: &mut Program) {
    let mut rules = std::mem::take(&mut program.rule_infos);
    for rule in rules.iter_mut().filter(|rule| rule.rule_type == RuleType::Complete) {
        let mut definitions = rule.definitions.to_vec();
        for entry in definitions.iter_mut().flat_map(|bodies| bodies.iter_mut().skip(1)) {
            *entry = after_guard(program, *entry, rule.result_reg);
        }
        rule.definitions = definitions.into();
    }
    program.rule_infos = rules;
}

/// Where the body of an `else` begins, once the one before it ends with a guard. That takes the place of what empties the
/// value of the rule, which is empty where an `else` begins.
fn after_guard(program: &mut Program, entry: u32, register: u8) -> u32 {
    let Some(index) = usize::try_from(entry).ok().and_then(|entry| entry.checked_sub(1)) else { return entry };
    let between = program.instructions.get_mut(index..).and_then(|rest| rest.first_chunk_mut::<2>());
    match between {
        Some([end @ Instruction::RuleReturn {}, begin @ Instruction::RuleInit { .. }]) => {
            *end = Instruction::Guard { register, mode: GuardMode::NotUndefined };
            *begin = Instruction::RuleReturn {};
            entry.saturating_add(1)
        }
        _ => entry,
    }
}
