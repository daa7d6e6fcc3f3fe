//! Rules that come back to themselves: the interpreter, which runs tests, would follow functions until the stack ends.

use std::collections::{BTreeMap, BTreeSet};

use davy::document::DiagnosticCode as Code;
use davy::rule::RuleSource;
use davy::{Diagnostic, Name};
use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead};

use super::walk::{at, dotted, rule_name};
use crate::text::{Report, shown};

/// A rule that uses itself, by whatever way, if there is one.
pub(super) fn circle(modules: &[Ref<Module>]) -> Option<Diagnostic> {
    let mut rules: BTreeMap<String, Defined> = BTreeMap::new();
    for module in modules {
        let Some(package) = dotted(&module.package.refr) else { continue };
        let aliases = aliases(module);
        for rule in &module.policy {
            let Some(name) = rule_name(rule) else { continue };
            let mut uses =
                Uses { package: &package, aliases: &aliases, locals: BTreeSet::new(), found: BTreeSet::new() };
            uses.rule(rule);
            let span = rule.span();
            let new = || Defined { file: span.source.file().clone(), at: at(span), uses: BTreeSet::new() };
            rules.entry(format!("{package}.{name}")).or_insert_with(new).uses.append(&mut uses.found);
        }
    }
    let mut done = BTreeSet::new();
    let found = rules.keys().find_map(|name| follow(name, &rules, &mut Vec::new(), &mut done))?;
    let defined = rules.get(&found)?;
    // The name is for reports that show none.
    let name = "tests".parse::<Name>().ok()?;
    let source = RuleSource::new(&name, &defined.file, "");
    let mut report = Report::new(&source);
    let short = found.rsplit('.').next().unwrap_or_default();
    report.error(Code::RuleBudget, (1, 1), format!("`{}` uses itself", shown(short)), None);
    let mut diagnostic = report.diagnostics.pop()?;
    (diagnostic.position.line, diagnostic.position.column) = defined.at;
    Some(diagnostic)
}

/// A rule, and what it refers to, as paths below `data`.
struct Defined {
    file: String,
    at: (u32, u32),
    uses: BTreeSet<String>,
}

/// The first rule that is come to a second time.
fn follow<'r>(
    name: &'r str,
    rules: &'r BTreeMap<String, Defined>,
    open: &mut Vec<&'r str>,
    done: &mut BTreeSet<&'r str>,
) -> Option<String> {
    if open.contains(&name) {
        return Some(name.to_owned());
    }
    if !done.insert(name) {
        return None;
    }
    open.push(name);
    for used in rules.get(name).into_iter().flat_map(|defined| &defined.uses) {
        let is_below = |whole: &str, part: &str| whole.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'));
        // A part of a rule's value is the rule's, and a whole package is all of its rules.
        let meant = rules.keys().filter(|rule| *rule == used || is_below(used, rule) || is_below(rule, used));
        for rule in meant {
            if let Some(found) = follow(rule, rules, open, done) {
                return Some(found);
            }
        }
    }
    open.pop();
    None
}

/// Imported names and the paths below `data` that they stand for.
fn aliases(module: &Module) -> BTreeMap<String, String> {
    let import = |import: &regorus::unstable::Import| {
        let path = dotted(&import.refr)?;
        let path = path.strip_prefix("data.")?.to_owned();
        let last = path.rsplit('.').next().unwrap_or_default().to_owned();
        Some((import.r#as.as_ref().map_or(last, |alias| alias.text().to_owned()), path))
    };
    module.imports.iter().filter_map(import).collect()
}

struct Uses<'m> {
    package: &'m str,
    aliases: &'m BTreeMap<String, String>,
    /// Variables of the rule, which only look like rules.
    locals: BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Uses<'_> {
    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Default { value, .. } => self.expr(value),
            Rule::Spec { head, bodies, .. } => {
                if let RuleHead::Func { args, .. } = head {
                    args.iter().for_each(|arg| self.local(arg));
                }
                bodies.iter().for_each(|body| self.query(&body.query));
                match head {
                    RuleHead::Set { key, .. } => key.iter().for_each(|key| self.expr(key)),
                    RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                        assign.iter().for_each(|assign| self.expr(&assign.value));
                    }
                }
                bodies.iter().flat_map(|body| &body.assign).for_each(|assign| self.expr(&assign.value));
            }
        }
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            statement.with_mods.iter().for_each(|with| self.expr(&with.r#as));
            match &statement.literal {
                Literal::SomeVars { vars, .. } => {
                    self.locals.extend(vars.iter().map(|var| var.text().to_owned()));
                }
                Literal::SomeIn { key, value, collection, .. } => {
                    self.expr(collection);
                    key.iter().chain([value]).for_each(|pattern| self.local(pattern));
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
                Literal::Every { key, value, domain, query, .. } => {
                    self.expr(domain);
                    self.locals.extend(key.iter().chain([value]).map(|var| var.text().to_owned()));
                    self.query(query);
                }
            }
        }
    }

    /// The variables of a pattern.
    fn local(&mut self, pattern: &Expr) {
        match pattern {
            Expr::Var { span, .. } => self.locals.extend([span.text().to_owned()]),
            Expr::Array { items, .. } => items.iter().for_each(|item| self.local(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| self.local(value)),
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr),
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.expr(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query);
                self.expr(term);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.query(query);
                self.expr(key);
                self.expr(value);
            }
            Expr::Call { fcn, params, .. } => {
                self.reference(fcn);
                params.iter().for_each(|param| self.expr(param));
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::AssignExpr { op, lhs, rhs, .. } => {
                self.expr(rhs);
                match op {
                    regorus::unstable::AssignOp::ColEq => self.local(lhs),
                    regorus::unstable::AssignOp::Eq => self.expr(lhs),
                }
            }
            Expr::BinExpr { lhs, rhs, .. } | Expr::BoolExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expr(key));
                self.expr(value);
                self.expr(collection);
            }
            _ => {}
        }
    }

    /// Notes what a reference leads to, as far as its names are written out.
    fn reference(&mut self, expr: &Expr) {
        if let Some(path) = dotted(expr) {
            let (first, rest) = path.split_once('.').map_or((path.as_str(), None), |(first, rest)| (first, Some(rest)));
            let whole = |path: &str| rest.map_or_else(|| path.to_owned(), |rest| format!("{path}.{rest}"));
            if self.locals.contains(first) || first == "input" {
                return;
            }
            let path = match (first, rest, self.aliases.get(first)) {
                ("data", Some(rest), _) => rest.to_owned(),
                (_, _, Some(path)) => whole(path),
                _ => whole(&format!("{}.{first}", self.package)),
            };
            self.found.insert(path);
            return;
        }
        match expr {
            Expr::RefDot { refr, .. } => self.reference(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.expr(index);
                self.expr(refr);
            }
            _ => {}
        }
    }
}
