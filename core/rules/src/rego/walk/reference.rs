//! Where references lead: down the input, to a rule, or to where only a declaration can tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use davy::document::DiagnosticCode as Code;
use davy::rule::INPUT;
use regorus::Value;
use regorus::unstable::Expr;

use super::statement::is_free;
use super::{At, Env, Walk, at, dotted};
use crate::read::{Place, To};
use crate::text::shown;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    /// Where a reference leads, without noting that it is read.
    pub(super) fn reference(&mut self, expr: &'w Expr, env: &mut Env) -> Option<Known> {
        if !self.step() {
            return None;
        }
        match expr {
            Expr::Var { span, .. } => Some(self.variable(span.text(), at(span), env)),
            Expr::RefDot { refr, field: (span, value), .. } => {
                if let Some(rule) = self.of_package(expr) {
                    return Some(self.rule(&rule, at(span)));
                }
                let base = self.reference_or_value(refr, env);
                let Value::String(key) = value else { return Some(Known::computed(base.copies)) };
                Some(self.field(base, key, at(span)))
            }
            Expr::RefBrack { refr, index, span, .. } => {
                if let Some(rule) = self.of_package(expr) {
                    return Some(self.rule(&rule, at(span)));
                }
                let base = self.reference_or_value(refr, env);
                Some(self.index(base, refr, index, at(span), env))
            }
            _ => None,
        }
    }

    pub(super) fn reference_or_value(&mut self, expr: &'w Expr, env: &mut Env) -> Known {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr, env).unwrap_or_else(Known::scalar)
            }
            _ => self.eval(expr, env),
        }
    }

    fn variable(&mut self, name: &str, at: At, env: &Env) -> Known {
        if let Some(known) = env.get(name) {
            return known.clone();
        }
        if let Some(place) = self.imports.get(name) {
            return Known::of(Is::Place(place.clone()));
        }
        match name {
            "input" => Known::of(Is::Place(Place::root(INPUT))),
            "data" => {
                self.refuse_data(at);
                Known::scalar()
            }
            _ if self.rules.contains_key(name) => self.rule(name, at),
            _ => Known::scalar(),
        }
    }

    fn refuse_data(&mut self, at: At) {
        if !self.quiet {
            let message = format!("`data` holds only the rules of this file, as `data.{}`", shown(&self.package));
            self.report.error(Code::RulePath, at, message, "hand values in as `facts`".to_owned());
        }
    }

    /// The rule that a reference such as `data.package.rule` names.
    pub(super) fn of_package(&self, expr: &Expr) -> Option<String> {
        let name = dotted(expr)?;
        let rule = name.strip_prefix("data.")?.strip_prefix(self.package.as_str())?.strip_prefix('.')?;
        self.rules.contains_key(rule).then(|| rule.to_owned())
    }

    pub(super) fn field(&mut self, base: Known, key: &str, at: At) -> Known {
        let is = match base.is {
            Is::Place(place) if self.quiet => place.step(To::Key(key.to_owned())).map_or(Is::Scalar, Is::Place),
            Is::Place(place) => place.key(key, at, self.report).map_or(Is::Scalar, Is::Place),
            Is::Object(fields) => fields.get(key).cloned().unwrap_or(Is::Scalar),
            Is::Of(element) => *element,
            Is::Text(_) | Is::Scalar | Is::KeyOf(_) => Is::Scalar,
            Is::Computed => self.of_computed(key, at),
        };
        Known { is, copies: base.copies }
    }

    /// A key of something whose parts cannot be told: it must be declared.
    fn of_computed(&mut self, key: &str, at: At) -> Is {
        if self.quiet {
            return Is::Computed;
        }
        let declared = self.declared.of_key(key, at, self.report);
        self.reads.extend(declared.into_iter().map(|steps| (steps, at)));
        Is::Computed
    }

    fn index(&mut self, base: Known, table: &Expr, index: &'w Expr, at: At, env: &mut Env) -> Known {
        let copies = base.copies;
        let is_variable = matches!(index, Expr::Var { span, .. } if !self.is_named(span.text()));
        if is_variable && is_free(index, env) {
            let key = Known::of(Is::KeyOf(Box::new(base.is.clone())));
            let element = base.is.element();
            self.bind_pattern(index, key, env);
            return Known { is: element, copies };
        }
        if let Expr::Number { value, .. } = index {
            let number = value.as_u64().ok().and_then(|number| usize::try_from(number).ok());
            return match (base.is, number) {
                (Is::Place(place), Some(number)) => {
                    let is = place.step(To::Index(number)).map_or(Is::Scalar, Is::Place);
                    Known { is, copies }
                }
                (is, _) => Known { is: is.element(), copies },
            };
        }
        let key = self.eval(index, env);
        if !self.quiet
            && let Some(entry) = self.entry(table, &base.is, &key.is)
        {
            self.read(&entry, at);
        }
        match (key.is, base.is) {
            (Is::Text(key), is) => self.field(Known { is, copies }, &key, at),
            (Is::KeyOf(of), is) if *of == is => Known { is: is.element(), copies },
            (Is::Place(key), Is::Place(place)) if key.is_single() => {
                let to = To::KeyAt(key.steps);
                let is = place.step(to).map_or(Is::Scalar, Is::Place);
                Known { is, copies }
            }
            (_, Is::Place(place)) => Known { is: self.dynamic(&place, at), copies },
            (_, Is::Computed) => Known::computed(copies),
            (_, is) => Known { is: is.element(), copies },
        }
    }

    /// What an expression looks up in a table that the file writes out. That it must be there is not noted: the file says what
    /// it means that it is not.
    pub(super) fn asked_entry(&mut self, expr: &'w Expr, env: &mut Env) -> Option<Place> {
        let (refr, index) = match expr {
            Expr::RefDot { refr, .. } => return self.asked_entry(refr, env),
            Expr::RefBrack { refr, index, .. } => (refr, index),
            _ => return None,
        };
        let was_quiet = std::mem::replace(&mut self.quiet, true);
        let (base, key) = (self.reference_or_value(refr, env), self.eval(index, env));
        self.quiet = was_quiet;
        let entry = self.entry(refr, &base.is, &key.is)?;
        self.reference_or_value(refr, env);
        self.eval(index, env);
        Some(entry)
    }

    fn entry(&mut self, table: &Expr, base: &Is, key: &Is) -> Option<Place> {
        let (Is::Object(fields), Is::Place(key)) = (base, key) else { return None };
        let keys: BTreeSet<String> = fields.keys().cloned().collect();
        let keys = self.tables.get(&keys).cloned().unwrap_or_else(|| Arc::new(keys));
        self.tables.insert(Arc::clone(&keys));
        let table = dotted(table).unwrap_or_else(|| "{…}".to_owned());
        key.step(To::Entry { table, keys })
    }

    /// Whether a name is that of a rule or an import.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.rules.contains_key(name) || self.imports.contains_key(name)
    }

    /// A place whose key is only known when the rule is judged: it must be declared.
    fn dynamic(&mut self, place: &Place, at: At) -> Is {
        let Some(each) = place.step(To::Each) else { return Is::Scalar };
        if self.quiet {
            return Is::Place(each);
        }
        let declared = self.declared.of_each(&each, at, self.report);
        self.reads.extend(declared.into_iter().map(|steps| (steps, at)));
        Is::Place(each)
    }
}
