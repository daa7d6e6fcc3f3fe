//! What an expression is, and the places that it reads.

use std::collections::BTreeMap;

use davy::document::DiagnosticCode as Code;
use regorus::Value;
use regorus::unstable::{ArithOp, Expr};

use super::{Env, Walk, at};
use crate::limits::REGO_COPIES;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    /// What an expression is; the places that it reads are noted.
    pub(super) fn eval(&mut self, expr: &'w Expr, env: &mut Env) -> Known {
        if !self.step() {
            return Known::scalar();
        }
        let known = self.eval_inner(expr, env);
        if known.is_too_large() {
            if !self.quiet {
                let message = format!("this value can hold more than {REGO_COPIES} copies of one input value");
                self.report.error(Code::RuleBudget, at(expr.span()), message, None);
            }
            // What is known of it grows as it does.
            return Known::computed(1);
        }
        if known.is_too_deep() { Known::computed(known.copies) } else { known }
    }

    fn eval_inner(&mut self, expr: &'w Expr, env: &mut Env) -> Known {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let known = self.reference(expr, env).unwrap_or_else(Known::scalar);
                if let Is::Place(place) = &known.is {
                    self.read(place, at(expr.span()));
                }
                known
            }
            Expr::String { value, .. } | Expr::RawString { value, .. } => match value {
                Value::String(text) => Known::of(Is::Text(text.to_string())),
                _ => Known::scalar(),
            },
            Expr::Number { .. } | Expr::Bool { .. } | Expr::Null { .. } => Known::scalar(),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                let items: Vec<Known> = items.iter().map(|item| self.eval(item, env)).collect();
                let copies = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.copies)).max(1);
                let element = items.into_iter().map(|item| item.is).reduce(Is::or).unwrap_or(Is::Scalar);
                Known { is: Is::Of(Box::new(element)), copies }
            }
            Expr::Object { fields, .. } => {
                let (mut known, mut copies, mut literal) = (BTreeMap::new(), 0_u64, true);
                for (_, key, value) in fields {
                    let (key, value) = (self.eval(key, env), self.eval(value, env));
                    copies = copies.saturating_add(key.copies).saturating_add(value.copies);
                    match key.is {
                        Is::Text(key) => drop(known.insert(key, value.is)),
                        _ => literal = false,
                    }
                }
                let is = if literal { Is::Object(known) } else { Is::Computed };
                Known { is, copies: copies.max(1) }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                let mut inner = env.clone();
                self.query(query, &mut inner, None);
                let term = self.eval(term, &mut inner);
                Known { copies: in_a_loop(&term), is: Is::Of(Box::new(term.is)) }
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                let mut inner = env.clone();
                self.query(query, &mut inner, None);
                let key = self.eval(key, &mut inner);
                let value = self.eval(value, &mut inner);
                let copies = in_a_loop(&key).saturating_add(in_a_loop(&value));
                Known { is: Is::Of(Box::new(value.is)), copies }
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params, at(fcn.span()), env),
            Expr::UnaryExpr { expr, .. } => {
                self.eval(expr, env);
                Known::scalar()
            }
            Expr::BinExpr { lhs, rhs, .. } => {
                let (left, right) = (self.eval(lhs, env), self.eval(rhs, env));
                Known { is: left.is.or(right.is), copies: left.copies.saturating_add(right.copies) }
            }
            Expr::BoolExpr { op, lhs, rhs, .. } => {
                let (left, right) = (self.eval(lhs, env), self.eval(rhs, env));
                self.warn_of_comparison(op, &left, rhs);
                self.warn_of_comparison(op, &right, lhs);
                self.warn_of_partial(lhs, env);
                self.warn_of_partial(rhs, env);
                Known::scalar()
            }
            Expr::ArithExpr { op, lhs, rhs, .. } => {
                let (left, right) = (self.eval(lhs, env), self.eval(rhs, env));
                let copies = match op {
                    // As many digits as both together.
                    ArithOp::Mul => left.copies.saturating_add(right.copies),
                    _ => left.copies.max(right.copies),
                };
                // Of sets, the difference.
                let is = if matches!(op, ArithOp::Sub) && matches!(left.is, Is::Of(_)) { left.is } else { Is::Scalar };
                Known { is, copies }
            }
            Expr::AssignExpr { lhs, rhs, .. } => {
                let right = self.eval(rhs, env);
                self.bind_pattern(lhs, right, env);
                Known::scalar()
            }
            Expr::Membership { key, value, collection, .. } => {
                self.eval(collection, env);
                self.eval(value, env);
                if let Some(key) = key {
                    self.eval(key, env);
                    // The machine looks for the value alone.
                    if !self.quiet {
                        let hint = "compare the value that stands under the key".to_owned();
                        let message = "a key and a value are not looked for together";
                        self.report.error(Code::RuleSilent, at(key.span()), message, hint);
                    }
                }
                Known::scalar()
            }
        }
    }
}

/// How much a value that is made in every turn of a loop adds up to.
pub(super) fn in_a_loop(term: &Known) -> u64 {
    const TURNS: u64 = 1000;
    // Elements of what is gone through are there once, however many there are.
    let repeats = term.copies > 1 || term.is.is_whole_place() || matches!(term.is, Is::Of(_) | Is::Computed);
    if repeats { term.copies.saturating_mul(TURNS) } else { term.copies }
}
