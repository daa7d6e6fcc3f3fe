//! The statements of a body: first what its variables are, then what it reads.

use std::collections::BTreeMap;

use davy::document::DiagnosticCode as Code;
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Span};

use super::{At, Condition, Env, Walk, at};
use crate::read::{Instead, Place, Step, To};
use crate::text::shown;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    /// Goes through the statements of a body: first for what its variables are, then for what it reads.
    pub(super) fn query(&mut self, query: &'w Query, env: &mut Env, mut conditions: Option<&mut Vec<Condition>>) {
        let was_quiet = std::mem::replace(&mut self.quiet, true);
        let outer_learned = self.has_learned;
        // A statement may use a variable that a later one binds: each round knows one more of a chain of them.
        for _ in 0..=query.stmts.len() {
            self.has_learned = false;
            query.stmts.iter().for_each(|statement| self.bind(statement, env));
            if !self.has_learned {
                break;
            }
        }
        self.quiet = was_quiet;
        let mut equal: BTreeMap<Vec<To>, (String, At)> = BTreeMap::new();
        for statement in &query.stmts {
            let before = self.reads.len();
            self.statement(statement, env);
            if self.quiet {
                continue;
            }
            self.warn_of_contradiction(statement, env, &mut equal);
            if let Some(conditions) = &mut conditions {
                let reads = self.reads.get(before..).unwrap_or_default();
                conditions.extend(condition(statement, reads));
            }
        }
        self.has_learned = outer_learned;
    }

    fn bind(&mut self, statement: &'w LiteralStmt, env: &mut Env) {
        if !self.step() {
            return;
        }
        match &statement.literal {
            Literal::SomeIn { key, value, collection, .. } => {
                let collection = self.eval(collection, env);
                if let Some(key) = key {
                    let of = Is::KeyOf(Box::new(collection.is.clone()));
                    self.bind_pattern(key, Known::of(of), env);
                }
                self.bind_pattern(value, Known { is: collection.is.element(), copies: collection.copies }, env);
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { lhs, rhs, op, .. } = &**expr {
                    let right = self.eval(rhs, env);
                    self.bind_pattern(lhs, right, env);
                    if *op == AssignOp::Eq && is_free(rhs, env) {
                        let left = self.eval(lhs, env);
                        self.bind_pattern(rhs, left, env);
                    }
                } else {
                    self.eval(expr, env);
                }
            }
            Literal::NotExpr { .. } | Literal::SomeVars { .. } | Literal::Every { .. } => {}
        }
    }

    pub(super) fn bind_pattern(&mut self, pattern: &'w Expr, known: Known, env: &mut Env) {
        if !self.step() {
            return;
        }
        match pattern {
            Expr::Var { span, .. } => {
                let name = span.text();
                if name != "_" && name != "input" && name != "data" && env.get(name) != Some(&known) {
                    self.has_learned = true;
                    env.insert(name.to_owned(), known);
                }
            }
            Expr::Array { items, .. } => {
                let element = Known { is: known.is.element(), copies: known.copies };
                items.iter().for_each(|item| self.bind_pattern(item, element.clone(), env));
            }
            Expr::Object { fields, .. } => {
                for (_, _, value) in fields {
                    let element = Known { is: known.is.element(), copies: known.copies };
                    self.bind_pattern(value, element, env);
                }
            }
            _ => {}
        }
    }

    fn statement(&mut self, statement: &'w LiteralStmt, env: &mut Env) {
        if !self.step() {
            return;
        }
        if let Some(with) = statement.with_mods.first() {
            let hint = "tests hand in an input; rules judge the one that there is".to_owned();
            self.report.error(Code::RuleSilent, at(&with.span), "`with` has no place in a rule", hint);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { collection, .. } => {
                self.eval(collection, env);
                self.bind(statement, env);
            }
            Literal::Expr { expr, .. } => {
                self.warn_of_constant(expr);
                if let Expr::AssignExpr { lhs, rhs, op, .. } = &**expr {
                    let right = self.eval(rhs, env);
                    if *op == AssignOp::Eq && !is_free(lhs, env) {
                        self.eval(lhs, env);
                    } else {
                        self.bind_pattern(lhs, right, env);
                    }
                } else if self.asked_entry(expr, env).is_none() {
                    self.eval(expr, env);
                }
            }
            Literal::NotExpr { expr, .. } => {
                if let Some(index) = self.free_index(expr, env).filter(|_| !self.quiet) {
                    let hint = "negate a rule of its own that goes through it, or use `every`".to_owned();
                    let message = format!("`{}` has no value under `not`", shown(index.text()));
                    self.report.error(Code::RuleSilent, at(index), message, hint);
                }
                // `not table[input.a]` asks whether it has that key, and `not input.a.b` whether it is there.
                if let Some(entry) = self.asked_entry(expr, env) {
                    self.ask(&entry);
                } else if let Some(Known { is: Is::Place(place), .. }) = self.reference(expr, env) {
                    self.read_parent(&place, at(expr.span()));
                    self.ask(&place);
                } else {
                    self.eval(expr, env);
                }
            }
            Literal::Every { key, value, domain, query, .. } => {
                let domain = self.eval(domain, env);
                let mut inner = env.clone();
                if let Some(key) = key {
                    inner.insert(key.text().to_owned(), Known::of(Is::KeyOf(Box::new(domain.is.clone()))));
                }
                let element = Known { is: domain.is.element(), copies: domain.copies };
                inner.insert(value.text().to_owned(), element);
                self.query(query, &mut inner, None);
            }
        }
    }
}

impl Walk<'_, '_> {
    /// The variable that a negation would go through, outside of comprehensions. The machine negates each turn of such a loop and
    /// not the loop, so that of an empty list nothing would be true; OPA refuses it.
    fn free_index<'e>(&self, expr: &'e Expr, env: &Env) -> Option<&'e Span> {
        match expr {
            Expr::RefBrack { refr, index, .. } => match &**index {
                Expr::Var { span, .. } if is_free(index, env) && !self.is_named(span.text()) => Some(span),
                _ => self.first_free_index([refr, index], env),
            },
            Expr::RefDot { refr, .. } => self.free_index(refr, env),
            Expr::UnaryExpr { expr, .. } => self.free_index(expr, env),
            Expr::Call { params, .. } => self.first_free_index(params, env),
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.first_free_index(items, env),
            Expr::Object { fields, .. } => {
                self.first_free_index(fields.iter().flat_map(|(_, key, value)| [key, value]), env)
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => self.first_free_index([lhs, rhs], env),
            Expr::Membership { value, collection, .. } => self.first_free_index([value, collection], env),
            _ => None,
        }
    }

    fn first_free_index<'e>(&self, parts: impl IntoIterator<Item = &'e Ref<Expr>>, env: &Env) -> Option<&'e Span> {
        parts.into_iter().find_map(|part| self.free_index(part, env))
    }

    /// Notes that the file says what it means that nothing is there.
    fn ask(&mut self, place: &Place) {
        let mut trail = Vec::new();
        for step in &place.steps {
            trail.push(step.to.clone());
            // That a default lacks it is the same question as whether there is more than the default.
            if step.asked && *place.instead() == Instead::Lacking {
                self.asked.insert(trail.clone());
            }
        }
        self.asked.insert(trail);
    }
}

/// A condition as people read it.
fn condition(statement: &LiteralStmt, reads: &[(Vec<Step>, At)]) -> Option<Condition> {
    const LONGEST: usize = 160;
    let is_condition = match &statement.literal {
        Literal::Expr { expr, .. } => !matches!(&**expr, Expr::AssignExpr { .. }),
        Literal::NotExpr { .. } => true,
        Literal::SomeVars { .. } | Literal::SomeIn { .. } | Literal::Every { .. } => false,
    };
    let text: String = statement.span.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let is_single = |steps: &&(Vec<Step>, At)| steps.0.iter().all(|it| matches!(it.to, To::Key(_) | To::Index(_)));
    let mut places: Vec<Vec<Step>> = reads.iter().filter(is_single).map(|(steps, _)| steps.clone()).collect();
    places.dedup();
    (is_condition && text.len() <= LONGEST).then_some(Condition { text, places })
}

/// Whether an expression is a variable that nothing binds yet.
pub(super) fn is_free(expr: &Expr, env: &Env) -> bool {
    matches!(expr, Expr::Var { span, .. } if span.text() == "_" || (!env.contains_key(span.text()) && span.text() != "input" && span.text() != "data"))
}
