//! Follows values through a Rego file when it is loaded: which places of the input each set of the rule reads, which
//! functions it calls, and what in it cannot be meant.

mod call;
mod definition;
mod doubt;
mod expression;
mod reference;
mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use davy::document::{DiagnosticCode as Code, RuleOutcome, did_you_mean};
use davy::rule::INPUT;
use regorus::Value;
use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead, Span};

use crate::declared::Declarations;
use crate::limits::{REGO_RULES, REGO_WALK};
use crate::read::{Place, Reads, Step, To};
use crate::text::{Report, shown};
use crate::value::{Is, Known};

/// What the walk found out about a file.
pub(in crate::rego) struct Walked {
    pub(in crate::rego) package: String,
    pub(in crate::rego) sets: Vec<Set>,
}

/// One of the sets `fail`, `deny`, `hold` and `warn`.
pub(in crate::rego) struct Set {
    pub(in crate::rego) outcome: RuleOutcome,
    pub(in crate::rego) at: (u32, u32),
    pub(in crate::rego) reads: Reads,
    pub(in crate::rego) clauses: Vec<Clause>,
    /// Whether nothing of it depends on the input.
    pub(in crate::rego) is_constant: bool,
}

/// One way into a set.
pub(in crate::rego) struct Clause {
    pub(in crate::rego) at: (u32, u32),
    /// Its message, where that is written out.
    pub(in crate::rego) message: Option<String>,
    pub(in crate::rego) conditions: Vec<Condition>,
}

/// A condition of a clause, and the places that it reads.
pub(in crate::rego) struct Condition {
    pub(in crate::rego) text: String,
    pub(in crate::rego) places: Vec<Vec<Step>>,
}

/// The sets, strictest first.
pub(in crate::rego) const OUTCOMES: [RuleOutcome; 4] =
    [RuleOutcome::Fail, RuleOutcome::Deny, RuleOutcome::Hold, RuleOutcome::Warn];

type At = (u32, u32);
type Env = BTreeMap<String, Known>;

/// Walks a file; what is wrong with it is reported.
pub(in crate::rego) fn walk(module: &Module, text: &str, report: &mut Report<'_>) -> Option<Walked> {
    if module.policy.len() > REGO_RULES {
        let message = format!("the file has {} rules; at most {REGO_RULES} are judged", module.policy.len());
        report.error(Code::RuleBudget, (1, 1), message, "split it into files".to_owned());
        return None;
    }
    let package = dotted(&module.package.refr)?;
    let declared = Declarations::read(text, "#", INPUT, report);
    let mut walk = Walk {
        package: package.clone(),
        rules: BTreeMap::new(),
        imports: BTreeMap::new(),
        declared,
        asked: BTreeSet::new(),
        reads: Vec::new(),
        tables: BTreeSet::new(),
        results: BTreeMap::new(),
        open: Vec::new(),
        used: BTreeSet::new(),
        steps: 0,
        quiet: false,
        has_learned: false,
        report,
    };
    walk.import(module);
    for rule in &module.policy {
        if let Some(name) = rule_name(rule) {
            walk.rules.entry(name).or_default().push(rule);
        } else {
            let message = "this rule has a name that nothing can use".to_owned();
            walk.report.error(Code::RuleSilent, at(rule.span()), message, None);
        }
    }
    let sets = OUTCOMES.iter().filter_map(|outcome| walk.set(*outcome)).collect::<Vec<_>>();
    if sets.is_empty() {
        let hint = "fill a set: `deny contains \"a ticket is needed\" if not input.facts.ticket`".to_owned();
        let at = at(&module.package.span);
        walk.report.error(Code::RuleSilent, at, "the rule has none of `fail`, `deny`, `hold` and `warn`", hint);
    }
    walk.warn_of_unused();
    let asked = std::mem::take(&mut walk.asked);
    Some(Walked { package, sets: sets.into_iter().map(|set| set.finish(&asked)).collect() })
}

/// A set before it is known what the file asks about.
struct Open {
    outcome: RuleOutcome,
    at: At,
    reads: Vec<(Vec<Step>, At)>,
    clauses: Vec<Clause>,
}

impl Open {
    /// Steps that the file asks about anywhere may lead nowhere.
    fn finish(self, asked: &BTreeSet<Vec<To>>) -> Set {
        let mut reads = Reads::default();
        for (mut steps, at) in self.reads {
            let mut trail = Vec::new();
            for step in &mut steps {
                trail.push(step.to.clone());
                step.asked |= asked.contains(&trail);
            }
            reads.add(&steps, at);
        }
        let is_constant = reads.is_empty();
        Set { outcome: self.outcome, at: self.at, reads, clauses: self.clauses, is_constant }
    }
}

struct Walk<'w, 'r> {
    package: String,
    rules: BTreeMap<String, Vec<&'w Ref<Rule>>>,
    imports: BTreeMap<String, Place>,
    declared: Declarations,
    /// Places that the file asks about: it says what it means that nothing is there.
    asked: BTreeSet<Vec<To>>,
    /// What the present set has read so far.
    reads: Vec<(Vec<Step>, At)>,
    /// The keys of tables that the file writes out: many places can read the same one.
    tables: BTreeSet<Arc<BTreeSet<String>>>,
    /// Rules that the present set has been through.
    results: BTreeMap<String, Known>,
    /// Rules and functions that are being gone through.
    open: Vec<String>,
    used: BTreeSet<String>,
    steps: usize,
    /// While variables are being found, nothing is noted or reported.
    quiet: bool,
    /// Whether a variable of the body that is looked at turned out to be something else than was known.
    has_learned: bool,
    report: &'w mut Report<'r>,
}

impl<'w> Walk<'w, '_> {
    fn import(&mut self, module: &Module) {
        for import in &module.imports {
            let Some(name) = dotted(&import.refr) else { continue };
            let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
            let last = name.rsplit('.').next().unwrap_or_default().to_owned();
            let at = at(import.refr.span());
            match name.split_once('.').map_or((name.as_str(), ""), |(root, rest)| (root, rest)) {
                ("rego" | "future", _) => {}
                ("input", rest) => {
                    let mut keys = rest.split('.').filter(|key| !key.is_empty());
                    let place = keys.try_fold(Place::root(INPUT), |place, key| place.key(key, at, self.report));
                    if let Some(place) = place {
                        self.imports.insert(alias.unwrap_or(last), place);
                    }
                }
                _ => {
                    let hint = "a rule reads `input` and its own file".to_owned();
                    self.report.error(Code::RulePath, at, format!("`{}` cannot be imported", shown(&name)), hint);
                }
            }
        }
    }

    fn set(&mut self, outcome: RuleOutcome) -> Option<Open> {
        let name = outcome.as_str();
        let rules = self.rules.get(name)?.clone();
        (self.reads, self.results, self.open) = (Vec::new(), BTreeMap::new(), vec![name.to_owned()]);
        self.used.insert(name.to_owned());
        let mut clauses = Vec::new();
        for rule in &rules {
            self.clauses(rule, &mut clauses);
        }
        let at = rules.first().map_or((1, 1), |rule| at(rule.span()));
        let reads = std::mem::take(&mut self.reads);
        Some(Open { outcome, at, reads, clauses })
    }

    fn clauses(&mut self, rule: &'w Rule, clauses: &mut Vec<Clause>) {
        let Rule::Spec { span, head: RuleHead::Set { key: Some(key), .. }, bodies } = rule else {
            let hint = "write `deny contains \"why\" if { … }`".to_owned();
            let message = "`fail`, `deny`, `hold` and `warn` are sets, whose members say why";
            self.report.error(Code::RuleSilent, at(rule.span()), message, hint);
            return;
        };
        self.check_member(key);
        let mut none = Vec::new();
        if bodies.is_empty() {
            let mut env = Env::new();
            let message = self.message(key, &mut env);
            clauses.push(Clause { at: at(span), message, conditions: Vec::new() });
        }
        for body in bodies {
            let mut env = Env::new();
            none.clear();
            self.query(&body.query, &mut env, Some(&mut none));
            let message = self.message(key, &mut env);
            clauses.push(Clause { at: at(span), message, conditions: std::mem::take(&mut none) });
        }
    }

    /// The text of a member, where it is written out.
    fn message(&mut self, key: &'w Expr, env: &mut Env) -> Option<String> {
        match self.eval(key, env).is {
            Is::Text(text) => Some(text),
            Is::Object(fields) => match fields.get("msg") {
                Some(Is::Text(text)) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    fn check_member(&mut self, key: &Expr) {
        let Expr::Object { fields, .. } = key else { return };
        let mut has_message = false;
        for (span, key, _) in fields {
            let Expr::String { value: Value::String(name), .. } = &**key else { continue };
            has_message |= &**name == "msg";
            if !["msg", "code"].contains(&&**name) {
                let hint = did_you_mean(name, ["msg", "code"])
                    .unwrap_or_else(|| "a member has `msg`, and may have `code`".to_owned());
                let message = format!("a member has no `{}`", shown(name));
                self.report.error(Code::RuleSilent, at(span), message, hint);
            }
        }
        if !has_message {
            self.report.error(Code::RuleSilent, at(key.span()), "a member needs `msg`", None);
        }
    }

    /// Counts the work of the walk itself.
    fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_add(1);
        if self.steps == REGO_WALK.saturating_add(1) {
            let hint = "use fewer functions that use functions".to_owned();
            self.report.error(Code::RuleBudget, (1, 1), "the file is too involved to be followed", hint);
        }
        self.steps <= REGO_WALK
    }

    fn read(&mut self, place: &Place, at: At) {
        if !self.quiet {
            self.reads.push((place.read(), at));
        }
    }

    /// Notes the place above: whether there is a key is only known of something that is there.
    fn read_parent(&mut self, place: &Place, at: At) {
        if let Some((_, parent)) = place.steps.split_last().filter(|_| !self.quiet) {
            self.reads.push((parent.to_vec(), at));
        }
    }
}

/// A reference of names alone, such as `data.a.b`.
pub(in crate::rego) fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Var { span, .. } => Some(span.text().to_owned()),
        Expr::RefDot { refr, field: (_, Value::String(key)), .. } => Some(format!("{}.{key}", dotted(refr)?)),
        Expr::RefBrack { refr, index, .. } => match &**index {
            Expr::String { value: Value::String(key), .. } => Some(format!("{}.{key}", dotted(refr)?)),
            _ => None,
        },
        _ => None,
    }
}

pub(in crate::rego) fn rule_name(rule: &Rule) -> Option<String> {
    let refr = match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
    };
    root(refr)
}

/// The first name of a reference.
fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Var { span, .. } => Some(span.text().to_owned()),
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => root(refr),
        _ => None,
    }
}

/// Where a span begins: columns in characters, whatever `regorus` counts.
pub(in crate::rego) fn at(span: &Span) -> At {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    let before = span.source.contents().get(..start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (span.line.max(1), u32::try_from(line.chars().count()).unwrap_or(u32::MAX).saturating_add(1))
}
