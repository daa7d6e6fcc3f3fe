//! Patterns of `matches`, compiled when a rule is loaded: the interpreter would compile them anew for every text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use cel_interpreter::common::ast::Expr;
use cel_interpreter::common::types::{CelBool, CelString, STRING_TYPE};
use cel_interpreter::common::value::CowVal;
use cel_interpreter::{Env, ExecutionError, IdedExpr};
use regex::{Regex, RegexBuilder};

use crate::limits::{PATTERN_BYTES, PATTERN_SIZE, PATTERN_STEP, PATTERNS};
use crate::text::shown;

/// `matches` with a pattern that is compiled; no rule can spell this name.
const COMPILED: &str = "@matches";

/// The patterns of an expression.
#[derive(Debug, Clone)]
pub(super) struct Patterns(Arc<BTreeMap<String, Regex>>);

impl Patterns {
    /// Has this thread match with them from now on.
    pub(super) fn begin(&self) {
        if !self.0.is_empty() {
            CURRENT.set(Some(self.clone()));
        }
    }
}

thread_local! {
    /// Those of the expression that is being judged: the functions of the interpreter are shared by all.
    static CURRENT: RefCell<Option<Patterns>> = const { RefCell::new(None) };
}

/// Compiles the patterns of an expression, each once.
#[derive(Default)]
pub(super) struct Compiler {
    known: BTreeMap<String, Result<Compiled, String>>,
}

struct Compiled {
    regex: Regex,
    weight: u64,
}

impl Compiler {
    /// How many times as much as the smallest ones a pattern costs for each part of a text; or what is wrong with it.
    pub(super) fn weight(&mut self, pattern: &str) -> Result<u64, String> {
        if pattern.len() > PATTERN_BYTES {
            return Err(format!("a pattern has at most {PATTERN_BYTES} bytes"));
        }
        if self.known.len() >= PATTERNS && !self.known.contains_key(pattern) {
            return Err(format!("a rule has at most {PATTERNS} different patterns"));
        }
        let compiled = self.known.entry(pattern.to_owned()).or_insert_with(|| compile(pattern));
        compiled.as_ref().map(|compiled| compiled.weight).map_err(Clone::clone)
    }

    /// All that are patterns.
    pub(super) fn finish(self) -> Patterns {
        let compiled = self.known.into_iter().filter_map(|(pattern, compiled)| Some((pattern, compiled.ok()?.regex)));
        Patterns(Arc::new(compiled.collect()))
    }
}

fn compile(pattern: &str) -> Result<Compiled, String> {
    let mut size = PATTERN_STEP;
    loop {
        match RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(PATTERN_SIZE).build() {
            Ok(regex) => return Ok(Compiled { regex, weight: (size / PATTERN_STEP) as u64 }),
            // How large it is, is only told by the limit that it keeps to.
            Err(regex::Error::CompiledTooBig(_)) if size < PATTERN_SIZE => size = size.saturating_mul(2),
            Err(regex::Error::CompiledTooBig(_)) => return Err("the pattern is too large".to_owned()),
            Err(_) => return Err(format!("`{}` is no pattern", shown(pattern))),
        }
    }
}

/// Adds the function that compiled patterns are matched with.
pub(super) fn declare(env: &mut Env) {
    // Nothing else has this name; if something had, rules with patterns would fail, and hold.
    let _ = env.add_overload(COMPILED, COMPILED, vec![STRING_TYPE, STRING_TYPE], matches);
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |index: usize| Some(arguments.get(index)?.downcast_ref::<CelString>()?.inner());
    let found = text(0).zip(text(1)).and_then(|(text, pattern)| {
        CURRENT.with_borrow(|current| Some(current.as_ref()?.0.get(pattern)?.is_match(text)))
    });
    match found {
        Some(found) => Ok(CowVal::owned(CelBool::from(found))),
        None => Err(ExecutionError::function_error("matches", "the pattern was not compiled")),
    }
}

/// Has an expression match with compiled patterns.
pub(super) fn use_compiled(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| use_compiled(target));
            call.args.iter_mut().for_each(use_compiled);
            if call.func_name == "matches" {
                if let Some(target) = call.target.take() {
                    call.args.insert(0, *target);
                }
                call.func_name = COMPILED.to_owned();
            }
        }
        Expr::Comprehension(comprehension) => {
            let of = &mut **comprehension;
            for part in [&mut of.iter_range, &mut of.accu_init, &mut of.loop_cond, &mut of.loop_step, &mut of.result] {
                use_compiled(part);
            }
        }
        Expr::List(list) => list.elements.iter_mut().for_each(use_compiled),
        Expr::Select(select) => use_compiled(&mut select.operand),
        // Maps are refused when a rule is loaded.
        Expr::Map(_) | Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_once_and_weighs_what_it_is() {
        let mut compiler = Compiler::default();
        for pattern in ["^CHG-[0-9]+$", "^(a|aa)+b$", "^CHG-[0-9]+$"] {
            assert_eq!(compiler.weight(pattern), Ok(1), "{pattern}");
        }
        assert!(compiler.weight("[a-z]{2000}").unwrap() > 1);
        for wrong in ["(", "(a{1000}){1000}", &"a".repeat(PATTERN_BYTES + 1)] {
            assert!(compiler.weight(wrong).is_err(), "{wrong}");
        }
        assert_eq!(compiler.finish().0.len(), 3);
    }

    #[test]
    fn a_rule_has_few_patterns() {
        let mut compiler = Compiler::default();
        let patterns: Vec<String> = (0..=PATTERNS).map(|n| format!("a{n}")).collect();
        let weights: Vec<bool> = patterns.iter().map(|pattern| compiler.weight(pattern).is_ok()).collect();
        assert_eq!(weights.iter().filter(|is_read| !**is_read).count(), 1);
        assert_eq!(weights.last(), Some(&false));
        assert_eq!(compiler.weight("a0"), Ok(1));
    }

    #[test]
    fn calls_of_both_forms_use_compiled_patterns() {
        for text in ["a.matches('b')", "matches(a, 'b')", "[a].all(x, !x.matches('b') || x == 'c')"] {
            let program = Env::stdlib().compile(text).unwrap();
            let mut expr = program.expression().clone();
            use_compiled(&mut expr);
            let shown = format!("{expr:?}");
            assert!(shown.contains("\"@matches\"") && !shown.contains("\"matches\""), "{shown}");
        }
    }
}
