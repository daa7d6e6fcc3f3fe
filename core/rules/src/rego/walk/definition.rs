//! Rules that use other rules and functions of the file.

use davy::document::DiagnosticCode as Code;
use regorus::unstable::{Expr, Ref, Rule, RuleHead};

use super::expression::in_a_loop;
use super::{At, Env, Walk, at};
use crate::limits::REGO_CALL_DEPTH;
use crate::text::shown;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    /// The value of a rule of this file; what it reads is noted once per set.
    pub(super) fn rule(&mut self, name: &str, at: At) -> Known {
        self.used.insert(name.to_owned());
        if let Some(known) = self.results.get(name) {
            return known.clone();
        }
        if !self.enter(name, at) {
            return Known::scalar();
        }
        let was_quiet = std::mem::replace(&mut self.quiet, false);
        let rules = self.rules.get(name).cloned().unwrap_or_default();
        let default = rules.iter().any(|rule| matches!(***rule, Rule::Default { .. }));
        let mut known: Option<Known> = None;
        for rule in &rules {
            let one = self.definition(rule, default);
            known = Some(match known {
                None => one,
                Some(known) => Known { is: known.is.or(one.is), copies: known.copies.saturating_add(one.copies) },
            });
        }
        self.quiet = was_quiet;
        self.open.pop();
        let known = known.unwrap_or_else(Known::scalar);
        self.results.insert(name.to_owned(), known.clone());
        known
    }

    fn definition(&mut self, rule: &'w Rule, default: bool) -> Known {
        let (head, bodies) = match rule {
            Rule::Default { value, .. } => return self.eval(value, &mut Env::new()),
            Rule::Spec { head, bodies, .. } => (head, bodies),
        };
        let mut known: Option<Known> = None;
        let mut add = |one: Known| {
            known = Some(match known.take() {
                None => one,
                Some(known) => Known { is: known.is.or(one.is), copies: known.copies.saturating_add(one.copies) },
            });
        };
        let mut plain = true;
        for body in bodies {
            let mut env = Env::new();
            plain &= body.query.stmts.is_empty();
            self.query(&body.query, &mut env, None);
            let assigned = body.assign.as_ref().map(|assign| &assign.value);
            add(self.head(head, assigned, default && plain, &mut env));
        }
        if bodies.is_empty() {
            add(self.head(head, None, default, &mut Env::new()));
        }
        known.unwrap_or_else(Known::scalar)
    }

    /// `asks` says that the rule is nothing but a value with a default, which is what is meant where it is missing.
    fn head(&mut self, head: &'w RuleHead, assigned: Option<&'w Ref<Expr>>, asks: bool, env: &mut Env) -> Known {
        match head {
            RuleHead::Set { key, .. } => {
                let Some(key) = key else { return Known::scalar() };
                let key = self.eval(key, env);
                Known { copies: in_a_loop(&key), is: Is::Of(Box::new(key.is)) }
            }
            RuleHead::Compr { refr, assign, .. } => {
                let value = assigned.or(assign.as_ref().map(|assign| &assign.value));
                let Some(value) = value else { return Known::scalar() };
                if asks && self.asked_entry(value, env).is_some() {
                    let was_quiet = std::mem::replace(&mut self.quiet, true);
                    let known = self.eval(value, env);
                    self.quiet = was_quiet;
                    return known;
                }
                if asks && let Some(Known { is: Is::Place(place), copies }) = self.reference(value, env) {
                    let place = place.asked();
                    self.read(&place, at(value.span()));
                    return Known { is: Is::Place(place), copies };
                }
                let known = self.eval(value, env);
                let partial = !matches!(&**refr, Expr::Var { .. });
                if partial { Known { copies: in_a_loop(&known), is: Is::Of(Box::new(known.is)) } } else { known }
            }
            RuleHead::Func { assign, .. } => {
                let value = assigned.or(assign.as_ref().map(|assign| &assign.value));
                value.map_or_else(Known::scalar, |value| self.eval(value, env))
            }
        }
    }

    /// A function of this file, gone through anew for each call: its arguments are what they are there.
    pub(super) fn function(&mut self, name: &str, arguments: Vec<Known>, at: At) -> Known {
        self.used.insert(name.to_owned());
        if !self.enter(name, at) {
            return Known::scalar();
        }
        let mut known: Option<Known> = None;
        for rule in self.rules.get(name).cloned().unwrap_or_default() {
            let Rule::Spec { head: head @ RuleHead::Func { args, .. }, bodies, .. } = &**rule else { continue };
            let mut bound = Env::new();
            for (argument, pattern) in arguments.iter().zip(args) {
                self.bind_pattern(pattern, argument.clone(), &mut bound);
            }
            let mut results = Vec::new();
            for body in bodies {
                let mut env = bound.clone();
                self.query(&body.query, &mut env, None);
                let assigned = body.assign.as_ref().map(|assign| &assign.value);
                results.push(self.head(head, assigned, false, &mut env));
            }
            if bodies.is_empty() {
                results.push(self.head(head, None, false, &mut bound));
            }
            for one in results {
                known = Some(match known {
                    None => one,
                    Some(known) => Known { is: known.is.or(one.is), copies: known.copies.saturating_add(one.copies) },
                });
            }
        }
        self.open.pop();
        known.unwrap_or_else(Known::scalar)
    }

    /// Begins with a rule, unless that would go round or too deep.
    fn enter(&mut self, name: &str, at: At) -> bool {
        if self.open.iter().any(|open| open == name) {
            self.report.error(Code::RuleBudget, at, format!("`{}` uses itself", shown(name)), None);
            return false;
        }
        if self.open.len() >= REGO_CALL_DEPTH {
            let message = format!("rules use each other at most {REGO_CALL_DEPTH} deep");
            self.report.error(Code::RuleBudget, at, message, None);
            return false;
        }
        self.open.push(name.to_owned());
        true
    }
}
