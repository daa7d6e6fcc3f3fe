//! Calls: which functions there are, and what their arguments may be.

use davy::document::DiagnosticCode as Code;
use regorus::unstable::{Expr, Ref};

use super::{At, Env, Walk, dotted};
use crate::read::{Instead, To};
use crate::rego::builtins::{ALLOWED, is_safe_format, why_not};
use crate::text::shown;
use crate::value::{Is, Known};

impl<'w> Walk<'w, '_> {
    pub(super) fn call(&mut self, fcn: &'w Expr, params: &'w [Ref<Expr>], at: At, env: &mut Env) -> Known {
        let Some(name) = dotted(fcn) else {
            self.report.error(Code::RuleFunction, at, "only a name can be called", None);
            return Known::scalar();
        };
        let local = self.of_package(fcn).or_else(|| self.rules.contains_key(&name).then(|| name.clone()));
        if let Some(function) = local {
            let known: Vec<Known> = params.iter().map(|param| self.eval(param, env)).collect();
            return self.function(&function, known, at);
        }
        if !ALLOWED.contains(&name.as_str()) {
            if !self.quiet {
                let message = format!("the function `{}` is not allowed", shown(&name));
                self.report.error(Code::RuleFunction, at, message, why_not(&name));
            }
            return Known::scalar();
        }
        if name == "object.get" {
            return self.object_get(params, at, env);
        }
        let known: Vec<Known> = params.iter().map(|param| self.eval(param, env)).collect();
        self.check_arguments(&name, &known, at);
        let copies = known.iter().fold(0_u64, |sum, one| sum.saturating_add(one.copies)).max(1);
        let first = || known.first().map_or(Is::Scalar, |one| one.is.clone());
        let is = match name.as_str() {
            "array.concat" => {
                let second = known.get(1).map_or(Is::Scalar, |one| one.is.element());
                Is::Of(Box::new(first().element().or(second)))
            }
            "array.reverse" | "array.slice" | "sort" => Is::Of(Box::new(first().element())),
            "max" | "min" => first().element(),
            "intersection" | "union" => first().element(),
            "object.keys" | "split" => Is::Of(Box::new(Is::Scalar)),
            _ => Is::Scalar,
        };
        Known { is, copies }
    }

    fn check_arguments(&mut self, name: &str, known: &[Known], at: At) {
        if self.quiet {
            return;
        }
        let literal = |index: usize| match known.get(index) {
            Some(Known { is: Is::Text(text), .. }) => Some(text.as_str()),
            _ => None,
        };
        let wrong = match name {
            "sprintf" => match literal(0) {
                None => Some("the format of `sprintf` is a text that is written out"),
                Some(format) if !is_safe_format(format) => Some(
                    "the format of `sprintf` holds only `%s`, `%v`, `%d`, `%f`, `%x` and `%%`, at most two digits wide",
                ),
                Some(_) => None,
            },
            "concat" => match literal(0) {
                Some(text) if text.len() <= 64 => None,
                _ => Some("the separator of `concat` is a text of at most 64 bytes that is written out"),
            },
            "replace" => match (literal(1), literal(2)) {
                (Some(_), Some(text)) if text.len() <= 64 => None,
                _ => Some("what `replace` replaces, and with what, are texts of at most 64 bytes that are written out"),
            },
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.report.error(Code::RuleFunction, at, wrong, None);
        }
    }

    /// `object.get` asks whether there is something, and says what it means that there is not.
    fn object_get(&mut self, params: &'w [Ref<Expr>], at: At, env: &mut Env) -> Known {
        let [object, key, default] = params else { return Known::computed(1) };
        let base = self.reference_or_value(object, env);
        let (is_list, is_empty) = match &**default {
            Expr::Array { items, .. } | Expr::Set { items, .. } => (true, items.is_empty()),
            Expr::Object { fields, .. } => (false, fields.is_empty()),
            _ => (false, false),
        };
        let default = self.eval(default, env);
        if let Is::Place(place) = &base.is {
            self.read(place, at);
        }
        let copies = base.copies.saturating_add(default.copies);
        let keys: Vec<&Expr> = match &**key {
            Expr::Array { items, .. } => items.iter().map(|item| &**item).collect(),
            key => vec![key],
        };
        let mut is = base.is;
        for key in keys {
            let further = match (self.eval(key, env).is, is) {
                (Is::Text(key), is) => self.field(Known { is, copies }, &key, at).is,
                (Is::Place(key), Is::Place(place)) if key.is_single() => {
                    place.step(To::KeyAt(key.steps)).map_or(Is::Scalar, Is::Place)
                }
                // A key of the map itself is there.
                (Is::KeyOf(of), is) if *of == is => return Known { is: is.element(), copies },
                // An empty list has no parts that could be read instead of those of an element.
                (_, is) if is_list && is_empty => return Known { is: is.element(), copies },
                (_, is) => return Known { is: is.element().or(default.is), copies },
            };
            is = match further {
                Is::Place(place) => Is::Place(place.asked()),
                other => other,
            };
        }
        let is = match (is, default.is) {
            // What is read of another place must be there as well, which only a declaration can say.
            (Is::Place(_), Is::Place(_) | Is::Computed) => Is::Computed,
            (Is::Place(place), _) if is_empty => Is::Place(place.or(Instead::Empty)),
            (Is::Place(place), default) => Is::Place(place.or(Instead::Value(Box::new(default)))),
            (other, default) => other.or(default),
        };
        Known { is, copies }
    }
}
