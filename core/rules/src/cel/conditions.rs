//! The single conditions of an expression: what stands between `&&`, `||`, `!` and `? :`, outside of loops. Tests show
//! each of them true, and false.

use cel_interpreter::common::ast::{CallExpr, Expr, operators};
use cel_interpreter::{IdedExpr, Program};
use davy::document::Position;
use davy::rule::RuleSource;

use super::guard::{self, Token};

/// A single condition.
pub(super) struct Leaf {
    pub(super) expr: IdedExpr,
    pub(super) text: String,
    pub(super) position: Position,
}

impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaf").field("text", &self.text).finish_non_exhaustive()
    }
}

/// The conditions that are not written out as `true` or `false`.
pub(super) fn leaves_of(program: &Program, source: &RuleSource<'_>) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(program.expression(), &mut found);
    let tokens = guard::outermost(source.text);
    // Offsets count characters, tokens know bytes.
    let bytes: Vec<usize> = source.text.char_indices().map(|(byte, _)| byte).collect();
    let leaf = |expr: &IdedExpr| {
        let mut offsets = Vec::new();
        offsets_of(expr, program, &mut offsets);
        let byte = |offset: &u32| bytes.get(usize::try_from(*offset).ok()?).copied();
        let (first, last) = (byte(offsets.iter().min()?)?, byte(offsets.iter().max()?)?);
        let (text, at) = text_of(&tokens, first, last)?;
        Some(Leaf { expr: expr.clone(), text, position: source.position(at.0, at.1) })
    };
    found.into_iter().filter_map(leaf).collect()
}

fn collect<'e>(expr: &'e IdedExpr, leaves: &mut Vec<&'e IdedExpr>) {
    match &expr.expr {
        Expr::Call(CallExpr { func_name, args, .. }) if is_logical(func_name) => {
            args.iter().for_each(|part| collect(part, leaves));
        }
        Expr::Literal(_) => {}
        _ => leaves.push(expr),
    }
}

fn is_logical(name: &str) -> bool {
    matches!(name, operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT | operators::CONDITIONAL)
}

/// Where the tokens of an expression begin that it knows the places of.
fn offsets_of(expr: &IdedExpr, program: &Program, offsets: &mut Vec<u32>) {
    offsets.extend(program.source_info().offset_for(expr.id).map(|(start, _)| start));
    let mut of = |expr: &IdedExpr| offsets_of(expr, program, offsets);
    match &expr.expr {
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).for_each(of),
        Expr::Select(select) => of(&select.operand),
        Expr::List(list) => list.elements.iter().for_each(of),
        // What a macro turns into stands where the macro does.
        Expr::Comprehension(loops) => of(&loops.iter_range),
        _ => {}
    }
}

/// The text of what begins and ends near these bytes: as far as brackets are balanced and no condition begins.
fn text_of(tokens: &[Token<'_>], first: usize, last: usize) -> Option<(String, (u32, u32))> {
    let index = |byte: usize| tokens.iter().rposition(|token| token.start <= byte);
    let (mut from, mut to) = (index(first)?, index(last)?);
    let depth = tokens.get(from..=to)?.iter().map(|token| token.depth).min()?;
    let is_inside = |token: &Token<'_>| {
        let ends = ["&&", "||", "?", ":", ",", "!"].contains(&token.text);
        token.depth > depth || (token.depth == depth && !ends)
    };
    while from > 0 && tokens.get(from - 1).is_some_and(&is_inside) {
        from -= 1;
    }
    while tokens.get(to + 1).is_some_and(&is_inside) {
        to += 1;
    }
    let mut text = String::new();
    let mut end = None;
    for token in tokens.get(from..=to)? {
        if end.is_some_and(|end| token.start > end) {
            text.push(' ');
        }
        text.push_str(token.text);
        end = Some(token.start + token.text.len());
    }
    const LONGEST: usize = 100;
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    Some((text, tokens.get(from)?.at))
}
