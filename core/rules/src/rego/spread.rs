//! The text of a rule with each statement on lines of its own, so that the lines which an interpreter has been on tell
//! the statements that it has judged. Nothing else of the text changes.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Literal, Module, Query, Rule, RuleHead};

use super::walk::rule_name;

/// A text that was spread, and where its parts are.
#[derive(Debug)]
pub(super) struct Spread {
    pub(super) text: String,
    pub(super) parts: Vec<Part>,
}

/// A statement, or what a rule is where its statements hold.
#[derive(Debug)]
pub(super) struct Part {
    /// Its text, shortened.
    pub(super) what: String,
    /// Where it stands in the text that was written.
    pub(super) at: (u32, u32),
    /// Its lines in the text that was spread.
    first: u32,
    last: u32,
}

impl Part {
    /// Whether it was judged if these lines were.
    pub(super) fn is_on(&self, mut lines: impl Iterator<Item = u32>) -> bool {
        lines.any(|line| (self.first..=self.last).contains(&line))
    }
}

impl Spread {
    /// Spreads a file.
    pub(super) fn of(module: &Module, text: &str) -> Self {
        let mut marks = Marks { text, found: BTreeMap::new() };
        module.policy.iter().for_each(|rule| marks.rule(rule));
        let lines = Lines::of(text);
        let mut spread = String::with_capacity(text.len().saturating_add(marks.found.len()));
        let (mut done, mut line) = (0, 1_u32);
        let mut parts = Vec::new();
        for (start, mark) in marks.found {
            let Some(before) = text.get(done..start) else { continue };
            spread.push_str(before);
            done = start;
            line = line.saturating_add(breaks(before));
            if !spread.rsplit('\n').next().unwrap_or_default().trim().is_empty() {
                spread.push('\n');
                line = line.saturating_add(1);
            }
            let last = line.saturating_add(mark.breaks);
            parts.push(Part { what: mark.what, at: lines.place(text, start), first: line, last });
        }
        spread.push_str(text.get(done..).unwrap_or_default());
        Self { parts, text: spread }
    }

    /// The line that was written, for one of those that were spread.
    pub(super) fn written(&self, line: u32) -> u32 {
        let before = self.parts.iter().rfind(|part| part.first <= line);
        before.map_or(line, |part| part.at.0.saturating_add(line.saturating_sub(part.first)))
    }
}

fn breaks(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// Where the lines of a text begin, in bytes.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// Line and column of a byte, both from 1, columns in characters.
    fn place(&self, text: &str, byte: usize) -> (u32, u32) {
        let line = self.0.partition_point(|begin| *begin <= byte);
        let begin = line.checked_sub(1).and_then(|index| self.0.get(index)).copied().unwrap_or(0);
        let before = text.get(begin..byte).map_or(0, |before| before.chars().count());
        let whole = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (whole(line), whole(before).saturating_add(1))
    }
}

/// Parts by where they begin, in bytes.
struct Marks<'t> {
    text: &'t str,
    found: BTreeMap<usize, Mark>,
}

struct Mark {
    what: String,
    /// How many lines it goes on for.
    breaks: u32,
}

impl Marks<'_> {
    fn rule(&mut self, rule: &Rule) {
        let Rule::Spec { head, bodies, .. } = rule else { return };
        let name = rule_name(rule).unwrap_or_default();
        match head {
            RuleHead::Set { key: Some(key), .. } => self.head(&format!("{name} contains "), key),
            RuleHead::Compr { assign: Some(assign), .. } | RuleHead::Func { assign: Some(assign), .. } => {
                self.head(&format!("{name} := "), &assign.value);
            }
            _ => {}
        }
        for body in bodies {
            if let Some(assign) = &body.assign {
                self.head(&format!("{name} := "), &assign.value);
            }
            self.query(&body.query);
        }
    }

    fn head(&mut self, before: &str, value: &Expr) {
        self.put(before, self.start_of(value), self.end_of(value));
        self.inside(value);
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            let (span_start, span_end) = (byte(statement.span.start), byte(statement.span.end));
            let (start, end) = match &statement.literal {
                Literal::Expr { expr, .. } => (self.start_of(expr).min(span_start), self.end_of(expr).max(span_end)),
                Literal::NotExpr { expr, .. } => (span_start, self.end_of(expr).max(span_end)),
                Literal::SomeIn { collection, .. } => (span_start, self.end_of(collection).max(span_end)),
                Literal::SomeVars { .. } | Literal::Every { .. } => (span_start, span_end),
            };
            self.put("", start, end);
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { collection, .. } => self.inside(collection),
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.inside(expr),
                Literal::Every { domain, query, .. } => {
                    self.inside(domain);
                    self.query(query);
                }
            }
        }
    }

    /// The statements of comprehensions in an expression.
    fn inside(&mut self, expr: &Expr) {
        match expr {
            Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
                self.query(query);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.inside(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.inside(key);
                self.inside(value);
            }),
            Expr::Call { params, .. } => params.iter().for_each(|param| self.inside(param)),
            Expr::UnaryExpr { expr, .. } => self.inside(expr),
            Expr::RefDot { refr, .. } => self.inside(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.inside(refr);
                self.inside(index);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.inside(lhs);
                self.inside(rhs);
            }
            Expr::Membership { value, collection, .. } => {
                self.inside(value);
                self.inside(collection);
            }
            _ => {}
        }
    }

    fn put(&mut self, before: &str, start: usize, end: usize) {
        const LONGEST: usize = 100;
        let text = self.text.get(start..end).unwrap_or_default().trim_end();
        let mut what = format!("{before}{text}").split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cut, _)) = what.char_indices().nth(LONGEST) {
            what.truncate(cut);
            what.push('…');
        }
        self.found.entry(start).or_insert(Mark { what, breaks: breaks(text) });
    }

    /// Where an expression begins. Spans of texts leave their quotes out, those of lists and objects their brackets.
    fn start_of(&self, expr: &Expr) -> usize {
        let own = byte(expr.span().start);
        match expr {
            Expr::String { .. } | Expr::RawString { .. } => own.saturating_sub(1),
            Expr::BinExpr { lhs, .. }
            | Expr::BoolExpr { lhs, .. }
            | Expr::ArithExpr { lhs, .. }
            | Expr::AssignExpr { lhs, .. } => self.start_of(lhs),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => self.start_of(refr),
            Expr::Call { fcn, .. } => self.start_of(fcn),
            Expr::Membership { key, value, .. } => self.start_of(key.as_ref().unwrap_or(value)),
            Expr::Array { items, .. } => self.opening('[', items.first().map(|item| self.start_of(item)), own),
            Expr::Set { items, .. } => self.opening('{', items.first().map(|item| self.start_of(item)), own),
            Expr::Object { fields, .. } => self.opening('{', fields.first().map(|(_, key, _)| self.start_of(key)), own),
            Expr::ArrayCompr { term, .. } => self.opening('[', Some(self.start_of(term)), own),
            Expr::SetCompr { term, .. } => self.opening('{', Some(self.start_of(term)), own),
            Expr::ObjectCompr { key, .. } => self.opening('{', Some(self.start_of(key)), own),
            _ => own,
        }
    }

    /// The bracket before what stands first in it; there is nothing between but white space and comments.
    fn opening(&self, bracket: char, first: Option<usize>, own: usize) -> usize {
        let before = first.and_then(|first| self.text.get(..first));
        before.and_then(|before| before.rfind(bracket)).unwrap_or(own).min(own)
    }

    /// Where an expression ends.
    fn end_of(&self, expr: &Expr) -> usize {
        let own = byte(expr.span().end);
        match expr {
            Expr::String { .. } | Expr::RawString { .. } => own.saturating_add(1),
            Expr::BinExpr { rhs, .. }
            | Expr::BoolExpr { rhs, .. }
            | Expr::ArithExpr { rhs, .. }
            | Expr::AssignExpr { rhs, .. } => self.end_of(rhs).max(own),
            Expr::Membership { collection, .. } => self.end_of(collection).max(own),
            _ => own,
        }
    }
}

fn byte(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
