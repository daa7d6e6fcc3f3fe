//! Follows values through a CEL expression when it is loaded: which places of the input it reads and which of them
//! it asks about, which functions it calls, and what it can cost.

use std::collections::{BTreeMap, BTreeSet};

use cel_interpreter::IdedExpr;
use cel_interpreter::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};
use davy::document::{DiagnosticCode as Code, did_you_mean};
use davy::rule::Shape;

use super::cost::{Cost, Over};
use super::pattern::{Compiler, Patterns};
use crate::declared::Declarations;
use crate::limits::CEL_COMPREHENSIONS;
use crate::read::{Place, Reads, Step, To, path};
use crate::text::{Report, shown};
use crate::value::Is;

/// What the walk found out about an expression.
pub(super) struct Walked {
    pub(super) reads: Reads,
    pub(super) cost: Cost,
    pub(super) patterns: Patterns,
    /// The parts of a conjunction, or the whole.
    pub(super) conjuncts: Vec<Conjunct>,
}

/// A part of the rule's conjunction.
pub(super) struct Conjunct {
    pub(super) expr: IdedExpr,
    pub(super) places: Vec<Vec<Step>>,
    /// Whether nothing of it depends on the input.
    pub(super) is_constant: bool,
}

const FUNCTIONS: [&str; 9] =
    ["bool", "contains", "double", "endsWith", "int", "matches", "size", "startsWith", "string"];

type At = (u32, u32);
type Env = BTreeMap<String, Is>;
/// Places that are known to be there.
type Present = BTreeSet<Vec<To>>;

/// Walks an expression; what is wrong with it is reported. `place` says where a node stands.
pub(super) fn walk(
    expr: &IdedExpr,
    text: &str,
    root: Shape,
    place: &dyn Fn(u64) -> At,
    report: &mut Report<'_>,
) -> Walked {
    let declared = Declarations::read(text, "//", root, report);
    let patterns = Compiler::default();
    let mut walk = Walk { root, declared, reads: Vec::new(), loops: 0, is_compared: false, patterns, place, report };
    let (env, present) = (Env::new(), Present::new());
    let mut parts = Vec::new();
    conjuncts_of(expr, &mut parts);
    let mut known = present;
    let (mut conjuncts, mut costs) = (Vec::new(), Vec::new());
    for part in parts {
        let before = walk.reads.len();
        let (_, cost) = walk.eval(part, &env, &known);
        costs.push(cost);
        let read = walk.reads.get(before..).unwrap_or_default();
        let single = |steps: &&(Vec<Step>, At)| steps.0.iter().all(|it| matches!(it.to, To::Key(_) | To::Index(_)));
        let mut places: Vec<Vec<Step>> = read.iter().filter(single).map(|(steps, _)| steps.clone()).collect();
        places.dedup();
        conjuncts.push(Conjunct { expr: part.clone(), places, is_constant: read.is_empty() });
        known.extend(walk.when(part, &env, true));
    }
    let mut reads = Reads::default();
    for (steps, at) in &walk.reads {
        reads.add(steps, *at);
    }
    walk.declared.warn_of_unused(walk.report);
    Walked { reads, cost: Cost::Step(costs), patterns: walk.patterns.finish(), conjuncts }
}

fn conjuncts_of<'e>(expr: &'e IdedExpr, parts: &mut Vec<&'e IdedExpr>) {
    match &expr.expr {
        Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::LOGICAL_AND => {
            args.iter().for_each(|part| conjuncts_of(part, parts));
        }
        _ => parts.push(expr),
    }
}

struct Walk<'w, 'r> {
    /// What the document is.
    root: Shape,
    declared: Declarations,
    reads: Vec<(Vec<Step>, At)>,
    /// How many comprehensions are open.
    loops: usize,
    /// Whether what is read is compared with something else, and so may be looked at whole.
    is_compared: bool,
    patterns: Compiler,
    place: &'w dyn Fn(u64) -> At,
    report: &'w mut Report<'r>,
}

impl Walk<'_, '_> {
    /// What an expression is and costs; the places that it reads are noted.
    fn eval(&mut self, expr: &IdedExpr, env: &Env, present: &Present) -> (Is, Cost) {
        let at = (self.place)(expr.id);
        match &expr.expr {
            Expr::Literal(LiteralValue::String(text)) => (Is::Text(text.inner().to_owned()), Cost::Step(Vec::new())),
            Expr::Literal(LiteralValue::Bytes(_)) => {
                self.report.error(Code::RuleFunction, at, "the input has no bytes", None);
                (Is::Scalar, Cost::Step(Vec::new()))
            }
            Expr::Literal(_) => (Is::Scalar, Cost::Step(Vec::new())),
            Expr::Ident(_) | Expr::Select(_) => self.reference(expr, env, present),
            Expr::Call(call) if call.func_name == operators::INDEX => self.reference(expr, env, present),
            Expr::Call(call) => self.call(call, at, env, present),
            Expr::List(list) => {
                let (mut of, mut costs) = (None, Vec::new());
                for element in &list.elements {
                    let (is, cost) = self.eval(element, env, present);
                    costs.push(cost);
                    of = Some(match of {
                        None => is,
                        Some(of) => Is::or(of, is),
                    });
                }
                (Is::Of(Box::new(of.unwrap_or(Is::Scalar))), Cost::Step(costs))
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, at, env, present),
            Expr::Map(_) | Expr::Struct(_) => {
                let hint = "compare their parts".to_owned();
                self.report.error(Code::RuleFunction, at, "maps cannot be written out in a rule", hint);
                (Is::Computed, Cost::Step(Vec::new()))
            }
            Expr::Unspecified => {
                self.report.error(Code::RuleSyntax, at, "this is no expression", None);
                (Is::Scalar, Cost::Step(Vec::new()))
            }
        }
    }

    /// A place is read where a reference ends.
    fn reference(&mut self, expr: &IdedExpr, env: &Env, present: &Present) -> (Is, Cost) {
        let at = (self.place)(expr.id);
        // A node of a reference stands at its last sign; what is missing is shown where the reference begins.
        let start = (self.place)(first_of(expr).id);
        // `has(a.b)` reads `a` and asks about `b`.
        if let Expr::Select(select) = &expr.expr
            && select.test
        {
            let base = self.lead(&select.operand, env, present);
            let cost = self.read(&base, start, present);
            if let Is::Place(place) = &base {
                place.key(&select.field, at, self.report);
            }
            return (Is::Scalar, Cost::Step(vec![cost]));
        }
        let mut costs = Vec::new();
        let is = self.lead_with(expr, env, present, &mut costs);
        costs.push(self.read(&is, start, present));
        (is, Cost::Step(costs))
    }

    fn read(&mut self, is: &Is, at: At, present: &Present) -> Cost {
        let Is::Place(place) = is else { return Cost::Step(Vec::new()) };
        let mut steps = place.steps.clone();
        let mut trail = Vec::new();
        for step in &mut steps {
            trail.push(step.to.clone());
            step.asked |= present.contains(&trail);
        }
        self.reads.push((steps.clone(), at));
        match place.shape {
            Shape::Anything | Shape::List(_) | Shape::Named(..) | Shape::Record(_) if self.is_compared => {
                Cost::Whole(steps)
            }
            Shape::Anything | Shape::Text | Shape::List(_) => Cost::Read(steps),
            _ => Cost::Step(Vec::new()),
        }
    }

    fn lead(&mut self, expr: &IdedExpr, env: &Env, present: &Present) -> Is {
        self.lead_with(expr, env, present, &mut Vec::new())
    }

    /// Where a reference leads, without noting that it is read.
    fn lead_with(&mut self, expr: &IdedExpr, env: &Env, present: &Present, costs: &mut Vec<Cost>) -> Is {
        let at = (self.place)(expr.id);
        match &expr.expr {
            Expr::Ident(name) => self.variable(name, at, env),
            Expr::Select(select) if !select.test => {
                let base = self.lead_with(&select.operand, env, present, costs);
                self.field(base, &select.field, at)
            }
            Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::INDEX => {
                let [base, index] = args.as_slice() else { return Is::Computed };
                let base = self.lead_with(base, env, present, costs);
                self.index(base, index, at, env, present, costs)
            }
            _ => {
                let (is, cost) = self.eval(expr, env, present);
                costs.push(cost);
                is
            }
        }
    }

    fn variable(&mut self, name: &str, at: At, env: &Env) -> Is {
        if let Some(is) = env.get(name) {
            return is.clone();
        }
        if self.root.field(name).is_some() {
            return Place::root(self.root).step(To::Key(name.to_owned())).map_or(Is::Scalar, Is::Place);
        }
        let known: Vec<&str> = self.root.keys().into_iter().flatten().collect();
        let hint =
            did_you_mean(name, known.iter().copied()).unwrap_or_else(|| format!("there are: {}", known.join(", ")));
        self.report.error(Code::RulePath, at, format!("the input never has `{}`", shown(name)), hint);
        Is::Scalar
    }

    fn field(&mut self, base: Is, key: &str, at: At) -> Is {
        match base {
            Is::Place(place) => place.key(key, at, self.report).map_or(Is::Scalar, Is::Place),
            Is::Computed => {
                let declared = self.declared.of_key(key, at, self.report);
                self.reads.extend(declared.into_iter().map(|steps| (steps, at)));
                Is::Computed
            }
            Is::Object(fields) => fields.get(key).cloned().unwrap_or(Is::Scalar),
            Is::Of(_) | Is::Text(_) | Is::Scalar | Is::KeyOf(_) => Is::Scalar,
        }
    }

    fn index(&mut self, base: Is, index: &IdedExpr, at: At, env: &Env, present: &Present, costs: &mut Vec<Cost>) -> Is {
        if let Expr::Literal(LiteralValue::Int(number)) = &index.expr {
            let number = usize::try_from(*number.inner()).ok();
            return match (base, number) {
                (Is::Place(place), Some(number)) => place.step(To::Index(number)).map_or(Is::Scalar, Is::Place),
                (is, _) => is.element(),
            };
        }
        let (key, cost) = self.eval(index, env, present);
        costs.push(cost);
        match (key, base) {
            (Is::Text(key), is) => self.field(is, &key, at),
            (Is::Place(key), Is::Place(place)) if key.is_single() => {
                place.step(To::KeyAt(key.steps)).map_or(Is::Scalar, Is::Place)
            }
            (_, Is::Place(place)) => self.dynamic(&place, at),
            (_, Is::Computed) => Is::Computed,
            (_, is) => is.element(),
        }
    }

    /// A place whose key is only known when the rule is judged: it must be declared.
    fn dynamic(&mut self, place: &Place, at: At) -> Is {
        let Some(each) = place.step(To::Each) else { return Is::Scalar };
        let declared = self.declared.of_each(&each, at, self.report);
        self.reads.extend(declared.into_iter().map(|steps| (steps, at)));
        Is::Place(each)
    }

    fn call(&mut self, call: &CallExpr, at: At, env: &Env, present: &Present) -> (Is, Cost) {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                let (_, one) = self.eval(left, env, present);
                let with = with(present, self.when(left, env, true));
                let (_, other) = self.eval(right, env, &with);
                (Is::Scalar, Cost::Step(vec![one, other]))
            }
            (operators::LOGICAL_OR, [left, right]) => {
                let (_, one) = self.eval(left, env, present);
                let with = with(present, self.when(left, env, false));
                let (_, other) = self.eval(right, env, &with);
                (Is::Scalar, Cost::Step(vec![one, other]))
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let (_, one) = self.eval(condition, env, present);
                let there = with(present, self.when(condition, env, true));
                let (yes, two) = self.eval(yes, env, &there);
                let there = with(present, self.when(condition, env, false));
                let (no, three) = self.eval(no, env, &there);
                (yes.or(no), Cost::Step(vec![one, two, three]))
            }
            _ => self.plain_call(call, at, env, present),
        }
    }

    fn plain_call(&mut self, call: &CallExpr, at: At, env: &Env, present: &Present) -> (Is, Cost) {
        let name = call.func_name.as_str();
        let mut known = Vec::new();
        let mut costs = Vec::new();
        let is_compared = match name {
            // Beside a value that is written out, nothing is looked at any deeper than that.
            operators::EQUALS | operators::NOT_EQUALS | operators::IN => {
                !call.args.iter().any(|part| matches!(part.expr, Expr::Literal(_)))
            }
            operators::ADD => self.is_compared,
            _ => false,
        };
        let was_compared = std::mem::replace(&mut self.is_compared, is_compared);
        for argument in call.target.iter().map(|target| &**target).chain(&call.args) {
            let (is, cost) = self.eval(argument, env, present);
            known.push((is, argument));
            costs.push(cost);
        }
        self.is_compared = was_compared;
        let operator = matches!(
            name,
            operators::LOGICAL_NOT
                | operators::SUBSTRACT
                | operators::ADD
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::EQUALS
                | operators::NOT_EQUALS
                | operators::GREATER_EQUALS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::LESS
                | operators::NEGATE
                | operators::IN
                | operators::NOT_STRICTLY_FALSE
        );
        if !operator && !FUNCTIONS.contains(&name) {
            let why = match name {
                "timestamp" | "duration" | "now" => {
                    Some("a rule has no clock; `time`, `now` and `elapsed` are the snapshot's".to_owned())
                }
                operators::OPT_INDEX | operators::OPT_SELECT => Some("ask with `has(…)`".to_owned()),
                _ => did_you_mean(name, FUNCTIONS),
            };
            let message = format!("the function `{}` is not allowed", shown(name));
            self.report.error(Code::RuleFunction, at, message, why);
        }
        if name == "matches" {
            costs = vec![self.matching(&known, costs, at)];
        }
        if let [(left, left_expr), (right, right_expr)] = known.as_slice() {
            self.check_comparison(name, left, right_expr, at);
            self.check_comparison(name, right, left_expr, at);
        }
        let is = match name {
            operators::ADD => match known.as_slice() {
                [(Is::Of(one), _), (Is::Of(other), _)] => Is::Of(Box::new((**one).clone().or((**other).clone()))),
                _ => Is::Scalar,
            },
            _ => Is::Scalar,
        };
        (is, Cost::Step(costs))
    }

    /// What matching a text costs, whose own cost is the first of these: the text is gone through as often as the pattern
    /// is large.
    fn matching(&mut self, known: &[(Is, &IdedExpr)], costs: Vec<Cost>, at: At) -> Cost {
        let weight = match known.get(1) {
            Some((Is::Text(pattern), _)) => self.patterns.weight(pattern),
            _ => Err("the pattern of `matches` is a text that is written out".to_owned()),
        };
        let weight = weight.unwrap_or_else(|wrong| {
            self.report.error(Code::RuleFunction, at, wrong, None);
            1
        });
        let written = known.first().map_or(0, |(_, text)| written_bytes(text)) / 8;
        let text = Cost::Loop { over: Over::Written(written), each: Box::new(Cost::Step(Vec::new())) };
        let each = Cost::Step(costs.into_iter().chain([text]).collect());
        Cost::Loop { over: Over::Written(weight), each: Box::new(each) }
    }

    /// A place that is held against something that never stands there, or that its kind cannot be held against.
    fn check_comparison(&mut self, name: &str, known: &Is, other: &IdedExpr, at: At) {
        let Is::Place(place) = known else { return };
        let equality = matches!(name, operators::EQUALS | operators::NOT_EQUALS);
        let arithmetic = matches!(
            name,
            operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO
        );
        let never = if name == operators::NOT_EQUALS { "this is always true" } else { "this is never true" };
        let what = path(&place.steps);
        match (place.shape, &other.expr) {
            (Shape::Word(words), Expr::Literal(LiteralValue::String(text)))
                if equality && !words.contains(&text.inner()) =>
            {
                let hint = did_you_mean(text.inner(), words.iter().copied())
                    .unwrap_or_else(|| format!("there are: {}", words.join(", ")));
                let message = format!("{never}: `{what}` is never `{}`", shown(text.inner()));
                self.report.warn(Code::LintRuleWord, at, message, hint);
            }
            (Shape::Number | Shape::Integer | Shape::Bool, Expr::Literal(LiteralValue::String(_))) if equality => {
                self.report.warn(Code::LintRuleConstant, at, format!("{never}: `{what}` is no text"), None);
            }
            (Shape::Text | Shape::Word(_) | Shape::Instant, Expr::Literal(LiteralValue::Int(_))) if equality => {
                self.report.warn(Code::LintRuleConstant, at, format!("{never}: `{what}` is no number"), None);
            }
            (Shape::Number, Expr::Literal(LiteralValue::Int(number))) if arithmetic => {
                let hint = format!("write `{}.0`", number.inner());
                let message = format!("`{what}` is a number and not an integer: the two do not add up in CEL");
                self.report.error(Code::RuleFunction, at, message, hint);
            }
            _ => {}
        }
    }

    fn comprehension(&mut self, of: &ComprehensionExpr, at: At, env: &Env, present: &Present) -> (Is, Cost) {
        let (range, range_cost) = self.eval(&of.iter_range, env, present);
        self.loops += 1;
        if self.loops > CEL_COMPREHENSIONS {
            let message =
                format!("at most {CEL_COMPREHENSIONS} of `all`, `exists`, `map` and `filter` stand in each other");
            self.report.error(Code::RuleBudget, at, message, None);
        }
        let over = match &range {
            Is::Place(place) => {
                if matches!(place.shape, Shape::Named(..) | Shape::Record(_)) {
                    let hint = "a map of CEL has no order; go through it in Rego".to_owned();
                    let message = format!("`{}` is a map, which cannot be gone through", path(&place.steps));
                    self.report.error(Code::RuleFunction, at, message, hint);
                }
                Over::Place(place.steps.clone())
            }
            Is::Of(_) => turns_of(&of.iter_range, env).unwrap_or(Over::Written(0)),
            _ => {
                let hint = "go through a list of the input, or one that is written out".to_owned();
                self.report.error(Code::RuleBudget, at, "it cannot be told how long this list is", hint);
                Over::Written(0)
            }
        };
        let mut inner = env.clone();
        inner.insert(of.iter_var.clone(), range.element());
        inner.insert(of.accu_var.clone(), Is::Scalar);
        if let Some(second) = &of.iter_var2 {
            inner.insert(second.clone(), Is::Computed);
        }
        let (_, init) = self.eval(&of.accu_init, env, present);
        let (_, condition) = self.eval(&of.loop_cond, &inner, present);
        let (_, step) = self.eval(&of.loop_step, &inner, present);
        let collects = matches!(&of.accu_init.expr, Expr::List(_));
        let is = if collects { Is::Of(Box::new(self.collected(&of.loop_step, &inner, present))) } else { Is::Scalar };
        self.loops -= 1;
        let each = Box::new(Cost::Step(vec![condition, step]));
        (is, Cost::Step(vec![range_cost, init, Cost::Loop { over, each }]))
    }

    /// What `map` and `filter` collect: `@result + [element]`, perhaps on a condition.
    fn collected(&mut self, step: &IdedExpr, env: &Env, present: &Present) -> Is {
        let Expr::Call(CallExpr { func_name, args, .. }) = &step.expr else { return Is::Computed };
        match (func_name.as_str(), args.as_slice()) {
            (operators::CONDITIONAL, [_, yes, _]) => self.collected(yes, env, present),
            (operators::ADD, [_, list]) => match &list.expr {
                Expr::List(list) => match list.elements.as_slice() {
                    [element] => {
                        // What it reads was noted already.
                        let before = self.reads.len();
                        let (is, _) = self.eval(element, env, present);
                        self.reads.truncate(before);
                        is
                    }
                    _ => Is::Computed,
                },
                _ => Is::Computed,
            },
            _ => Is::Computed,
        }
    }

    /// Which places are there if `expr` is `truth`.
    fn when(&mut self, expr: &IdedExpr, env: &Env, truth: bool) -> Present {
        match &expr.expr {
            Expr::Select(select) if select.test && truth => {
                self.quietly(&select.operand, env, |place| place.step(To::Key(select.field.clone())))
            }
            Expr::Call(CallExpr { func_name, args, .. }) => match (func_name.as_str(), args.as_slice()) {
                (operators::LOGICAL_NOT, [inner]) => self.when(inner, env, !truth),
                (operators::LOGICAL_AND, [left, right]) | (operators::LOGICAL_OR, [left, right]) => {
                    let (left, right) = (self.when(left, env, truth), self.when(right, env, truth));
                    let both = (func_name == operators::LOGICAL_AND) == truth;
                    if both { &left | &right } else { &left & &right }
                }
                (operators::IN, [key, map]) if truth => match &key.expr {
                    Expr::Literal(LiteralValue::String(key)) => {
                        self.quietly(map, env, |place| place.step(To::Key(key.inner().to_owned())))
                    }
                    _ => Present::new(),
                },
                _ => Present::new(),
            },
            _ => Present::new(),
        }
    }

    /// Where an expression leads, and one step further, without noting or reporting anything.
    fn quietly(&mut self, expr: &IdedExpr, env: &Env, further: impl FnOnce(Place) -> Option<Place>) -> Present {
        let reads = self.reads.len();
        let was_quiet = std::mem::replace(&mut self.report.is_quiet, true);
        let is = self.lead(expr, env, &Present::new());
        self.report.is_quiet = was_quiet;
        self.reads.truncate(reads);
        let place = match is {
            Is::Place(place) => further(place),
            _ => None,
        };
        place.into_iter().map(|place| place.steps.into_iter().map(|step| step.to).collect()).collect()
    }
}

/// The name that a reference begins with.
fn first_of(expr: &IdedExpr) -> &IdedExpr {
    match &expr.expr {
        Expr::Select(select) => first_of(&select.operand),
        Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::INDEX => {
            args.first().map_or(expr, first_of)
        }
        _ => expr,
    }
}

fn with(present: &Present, more: Present) -> Present {
    present.union(&more).cloned().collect()
}

/// How many bytes of text are written out in an expression.
fn written_bytes(expr: &IdedExpr) -> u64 {
    fn all<'e>(parts: impl Iterator<Item = &'e IdedExpr>) -> u64 {
        parts.fold(0, |sum: u64, part| sum.saturating_add(written_bytes(part)))
    }
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => text.inner().len() as u64,
        Expr::Call(call) => all(call.target.iter().map(|target| &**target).chain(&call.args)),
        Expr::List(list) => all(list.elements.iter()),
        Expr::Comprehension(of) => all([&of.iter_range, &of.loop_step].into_iter()),
        _ => 0,
    }
}

/// How long a list that is made in the rule can be.
fn turns_of(range: &IdedExpr, env: &Env) -> Option<Over> {
    match &range.expr {
        Expr::List(list) => Some(Over::Written(list.elements.len() as u64)),
        // `map` and `filter` make no list longer.
        Expr::Comprehension(inner) => match &inner.iter_range.expr {
            Expr::Comprehension(_) | Expr::List(_) => turns_of(&inner.iter_range, env),
            _ => place_of(&inner.iter_range, env).map(Over::Place),
        },
        _ => None,
    }
}

/// The place of a plain reference.
fn place_of(expr: &IdedExpr, env: &Env) -> Option<Vec<Step>> {
    match &expr.expr {
        Expr::Ident(name) => match env.get(name) {
            Some(Is::Place(place)) => Some(place.steps.clone()),
            Some(_) => None,
            None => Some(vec![Step { to: To::Key(name.clone()), asked: false }]),
        },
        Expr::Select(select) if !select.test => {
            let mut steps = place_of(&select.operand, env)?;
            steps.push(Step { to: To::Key(select.field.clone()), asked: false });
            Some(steps)
        }
        _ => None,
    }
}
