//! Calls: which functions there are, and what their arguments may be.

use davy::document::DiagnosticCode as Code;
use regorus::unstable::{Expr, Ref};

use super::{At, Env, Walk, dotted};
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
        let default = self.eval(default, env);
        if let Is::Place(place) = &base.is {
            self.read(place, at);
        }
        let copies = base.copies.saturating_add(default.copies);
        let keys: Vec<&Expr> = match &**key {
            Expr::Array { items, .. } => items.iter().map(|item| &**item).collect(),
            key => vec![key],
        };
        let mut known = base;
        for key in keys {
            let text = match self.eval(key, env).is {
                Is::Text(text) => text,
                _ => return Known { is: known.is.element(), copies },
            };
            known = self.field(known, &text, at);
            if let Is::Place(place) = known.is {
                known.is = Is::Place(place.asked());
            }
        }
        // Where the default says more than that there is nothing, its parts count as well.
        let is = match known.is {
            Is::Place(place) => Is::Place(place),
            other => other.or(default.is),
        };
        Known { is, copies }
    }
}
