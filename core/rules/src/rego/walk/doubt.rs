//! What in a file cannot be meant: conditions that are always or never true, and what nothing uses.

use std::collections::BTreeMap;

use davy::document::{DiagnosticCode as Code, did_you_mean};
use davy::rule::Shape;
use regorus::Value;
use regorus::unstable::{BoolOp, Expr, Literal, LiteralStmt, Rule, RuleHead};

use super::statement::is_free;
use super::{At, Env, OUTCOMES, Walk, at, dotted};
use crate::read::{To, path};
use crate::text::shown;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    pub(super) fn warn_of_unused(&mut self) {
        let names: Vec<(String, At, bool)> = self
            .rules
            .iter()
            .filter(|(name, _)| !self.used.contains(*name) && !name.starts_with("test_"))
            .filter_map(|(name, rules)| {
                let rule = rules.first()?;
                let is_set = matches!(&***rule, Rule::Spec { head: RuleHead::Set { .. }, .. });
                Some((name.clone(), at(rule.span()), is_set))
            })
            .collect();
        for (name, at, is_set) in names {
            let meant = did_you_mean(&name, OUTCOMES.iter().map(|outcome| outcome.as_str())).filter(|_| is_set);
            if meant.is_some() {
                let message = format!("nothing listens to the set `{}`", shown(&name));
                self.report.warn(Code::LintRuleSlip, at, message, meant);
            } else {
                let message = format!("nothing uses `{}`", shown(&name));
                self.report.warn(Code::LintRuleUnused, at, message, "remove it".to_owned());
            }
        }
        self.declared.warn_of_unused(self.report);
    }

    pub(super) fn warn_of_constant(&mut self, expr: &Expr) {
        if self.quiet {
            return;
        }
        match expr {
            Expr::Bool { value: Value::Bool(true), span, .. } => {
                self.report.warn(Code::LintRuleConstant, at(span), "this is always true", "remove it".to_owned());
            }
            Expr::Bool { value: Value::Bool(false), span, .. } => {
                let message = "this is never true: the rest is never reached";
                self.report.warn(Code::LintRuleConstant, at(span), message, "remove the rule".to_owned());
            }
            _ => {}
        }
    }

    /// A place that is compared with something that never stands there.
    pub(super) fn warn_of_comparison(&mut self, op: &BoolOp, known: &Known, right: &Expr) {
        let Is::Place(place) = &known.is else { return };
        let equality = matches!(op, BoolOp::Eq | BoolOp::Ne);
        if self.quiet {
            return;
        }
        let never = if *op == BoolOp::Ne { "this is always true" } else { "this is never true" };
        let name = path(&place.steps);
        match (place.shape, right) {
            (Shape::Word(words), Expr::String { value: Value::String(text), span, .. })
                if equality && !words.contains(&&**text) =>
            {
                let hint = did_you_mean(text, words.iter().copied())
                    .unwrap_or_else(|| format!("there are: {}", words.join(", ")));
                let message = format!("{never}: `{name}` is never `{}`", shown(text));
                self.report.warn(Code::LintRuleWord, at(span), message, hint);
            }
            (Shape::Number | Shape::Integer | Shape::Bool, Expr::String { span, .. }) => {
                let message = format!("{never}: `{name}` is no text");
                self.report.warn(Code::LintRuleConstant, at(span), message, None);
            }
            (Shape::Text | Shape::Word(_) | Shape::Instant, Expr::Number { span, .. }) if equality => {
                let message = format!("{never}: `{name}` is no number");
                self.report.warn(Code::LintRuleConstant, at(span), message, None);
            }
            _ => {}
        }
    }

    /// What is compared although it may have no value: nothing would come of it, whichever way the comparison goes.
    pub(super) fn warn_of_partial(&mut self, expr: &'w Expr, env: &mut Env) {
        if self.quiet {
            return;
        }
        match expr {
            Expr::ArithExpr { lhs, rhs, .. } => {
                self.warn_of_partial(lhs, env);
                self.warn_of_partial(rhs, env);
            }
            Expr::Call { fcn, .. } => {
                let named = dotted(fcn).filter(|name| self.rules.contains_key(name));
                let Some(name) = self.of_package(fcn).or(named).filter(|name| !self.is_total(name)) else { return };
                let message = format!("`{}` may have no value here, and nothing would be true of it", shown(&name));
                let hint = "end it with `else := …`, or give it a default".to_owned();
                self.report.warn(Code::LintRulePartial, at(fcn.span()), message, hint);
            }
            Expr::RefBrack { refr, index, .. } if !is_free(index, env) => {
                let was_quiet = std::mem::replace(&mut self.quiet, true);
                let (table, key) = (self.reference_or_value(refr, env).is, self.eval(index, env).is);
                self.quiet = was_quiet;
                let Is::Object(fields) = &table else { return };
                let is_sure = match &key {
                    // That it is there is looked for in each document.
                    Is::Place(_) => true,
                    Is::Text(key) => fields.contains_key(key),
                    Is::KeyOf(of) => **of == table,
                    Is::Scalar | Is::Of(_) | Is::Object(_) | Is::Computed => false,
                };
                if !is_sure {
                    let message = "the table may not have this key, and nothing would be true of what it has there";
                    let hint = "use `object.get`".to_owned();
                    self.report.warn(Code::LintRulePartial, at(refr.span()), message, hint);
                }
            }
            _ => {}
        }
    }

    /// Whether a function of the file has a value whatever it is given.
    fn is_total(&self, name: &str) -> bool {
        self.rules.get(name).into_iter().flatten().any(|rule| match &***rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, bodies, .. } => {
                let takes_all = args.iter().all(|argument| matches!(&**argument, Expr::Var { .. }));
                takes_all && bodies.last().is_none_or(|body| body.query.stmts.is_empty())
            }
            Rule::Spec { .. } | Rule::Default { .. } => true,
        })
    }

    /// Two conditions of a body that want one place to be two things.
    pub(super) fn warn_of_contradiction(
        &mut self,
        statement: &'w LiteralStmt,
        env: &mut Env,
        equal: &mut BTreeMap<Vec<To>, (String, At)>,
    ) {
        let Literal::Expr { expr, .. } = &statement.literal else { return };
        let Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } = &**expr else { return };
        let span = lhs.span();
        let (place, literal) = match (&**lhs, &**rhs) {
            (place, Expr::String { value, .. }) | (Expr::String { value, .. }, place) => (place, value),
            (place, Expr::Number { value, .. }) | (Expr::Number { value, .. }, place) => (place, value),
            _ => return,
        };
        let was_quiet = std::mem::replace(&mut self.quiet, true);
        let known = self.reference(place, env);
        self.quiet = was_quiet;
        let Some(Known { is: Is::Place(place), .. }) =
            known.filter(|known| matches!(&known.is, Is::Place(it) if it.is_single()))
        else {
            return;
        };
        let trail: Vec<To> = place.steps.iter().map(|step| step.to.clone()).collect();
        let literal = literal.to_string();
        match equal.get(&trail) {
            Some((other, line)) if *other != literal => {
                let message =
                    format!("this is never true: line {} wants another value of `{}`", line.0, path(&place.steps));
                self.report.warn(Code::LintRuleConstant, at(span), message, None);
            }
            _ => drop(equal.insert(trail, (literal, at(span)))),
        }
    }
}
