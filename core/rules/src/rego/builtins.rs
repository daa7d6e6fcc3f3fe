//! The functions that a rule in Rego may call: those whose answer depends on nothing but their arguments, and whose
//! cost is bounded by the size of these.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::mem::discriminant;

use davy::document::did_you_mean;
use regorus::unstable::{BUILTINS, BuiltinFcn};
use regorus::{LimitError, Value};

use super::problem::brief;
use crate::limits::REGO_WORK;

/// A function that counts what it looks at, and refuses once that is too much.
macro_rules! metered_function {
    ($name:literal, $arguments:expr) => {{
        let metered: BuiltinFcn = (
            |span, params, arguments, strict| {
                if !charge(cost($name, arguments)) {
                    return Err(stop().into());
                }
                match BUILTINS.get($name) {
                    Some((function, _)) => {
                        function(span, params, arguments, strict).map_err(|problem| failed(&problem).into())
                    }
                    None => Err(stop().into()),
                }
            },
            $arguments,
        );
        Some(metered)
    }};
}

macro_rules! functions {
    ($($name:literal,)*) => {
        /// Functions that may be called.
        pub(super) const ALLOWED: &[&str] = &[$($name,)*];

        /// A function as a rule has it: metered.
        pub(super) fn metered(name: &str, arguments: u8) -> Option<BuiltinFcn> {
            match name {
                $($name => metered_function!($name, arguments),)*
                // What the compiler makes of `|` and `&`.
                "__builtin_sets.union" => metered_function!("__builtin_sets.union", arguments),
                "__builtin_sets.intersection" => metered_function!("__builtin_sets.intersection", arguments),
                _ => None,
            }
        }
    };
}

functions! {
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "indexof",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.get",
    "object.keys",
    "object.subset",
    "replace",
    "round",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "sum",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
}

thread_local! {
    /// What functions may still look at before the set that is being judged has used up its share.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static USED_UP: Cell<bool> = const { Cell::new(false) };
    /// What kept a function from its answer.
    static PROBLEM: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Begins to count anew.
pub(super) fn begin() {
    LEFT.set(REGO_WORK);
    USED_UP.set(false);
    PROBLEM.set(None);
}

/// Whether a function was refused since then.
pub(super) fn is_used_up() -> bool {
    USED_UP.get()
}

/// What kept a function from its answer since then.
pub(super) fn problem() -> Option<String> {
    PROBLEM.take()
}

/// The machine takes most errors in the body of a rule for a body that is not true. An error of this kind it does not.
pub(super) fn stop() -> LimitError {
    LimitError::MemoryLimitExceeded { usage: 0, limit: 0 }
}

/// The same, and what is said of it.
pub(super) fn failed(problem: &dyn std::fmt::Display) -> LimitError {
    PROBLEM.set(Some(brief(problem)));
    stop()
}

/// Counts a look at the whole of a value; whether there is enough left for that.
pub(super) fn looks_at(value: &Value) -> bool {
    charge(size(value, LEFT.get(), 0))
}

/// Operators as functions: the machine's own instructions fail as quietly as any other, and count as one however much they
/// look at.
pub(super) fn operator(operator: &str) -> Option<BuiltinFcn> {
    macro_rules! function {
        ($operator:literal) => {{
            let function: BuiltinFcn =
                (|_, _, arguments, _| compute($operator, arguments).map_err(|problem| failed(&problem).into()), 2);
            Some(function)
        }};
    }
    match operator {
        "+" => function!("+"),
        "-" => function!("-"),
        "*" => function!("*"),
        "/" => function!("/"),
        "%" => function!("%"),
        "<" => function!("<"),
        "<=" => function!("<="),
        ">" => function!(">"),
        ">=" => function!(">="),
        "in" => function!("in"),
        _ => None,
    }
}

fn compute(operator: &str, arguments: &[Value]) -> Result<Value, &'static str> {
    const TOO_LARGE: &str = "a number is too large";
    if !charge(cost(operator, arguments)) {
        return Err("it looks at too much");
    }
    let (left, right) = match arguments {
        [collection, value] if operator == "in" => return holds(collection, value).map(Value::Bool),
        [left, right] if operator.starts_with(['<', '>']) => return ordered(operator, left, right).map(Value::Bool),
        [Value::Number(left), Value::Number(right)] => (left, right),
        [Value::Set(left), Value::Set(right)] if operator == "-" => {
            let rest: BTreeSet<Value> = left.iter().filter(|item| !right.contains(item)).cloned().collect();
            return Ok(Value::from(rest));
        }
        _ => return Err("arithmetic takes numbers; `-` takes sets as well"),
    };
    let by_zero = arguments.get(1) == Some(&Value::from(0_u64));
    let computed = match operator {
        "+" => left.add(right),
        "-" => left.sub(right),
        "*" => left.mul(right),
        "/" | "%" if by_zero => return Err("division by zero"),
        "/" => left.clone().divide(right),
        _ if !left.is_integer() || !right.is_integer() => return Err("`%` takes integers"),
        _ => left.clone().modulo(right),
    };
    computed.map(Value::from).map_err(|_| TOO_LARGE)
}

/// The machine takes the error of such a comparison for a body that is not true, and with it all that the body's loops had
/// still before them.
fn ordered(operator: &str, left: &Value, right: &Value) -> Result<bool, &'static str> {
    if discriminant(left) != discriminant(right) {
        return Err("values of different kinds have no order");
    }
    Ok(match operator {
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    })
}

fn holds(collection: &Value, value: &Value) -> Result<bool, &'static str> {
    match collection {
        Value::Array(items) => Ok(items.iter().any(|item| item == value)),
        Value::Object(entries) => Ok(entries.iter().any(|(_, item)| item == value)),
        Value::Set(items) => Ok(items.contains(value)),
        // Of what is no collection nothing would be true, also not that something forbidden is in it.
        _ => Err("`in` looks into lists, maps and sets"),
    }
}

fn charge(cost: u64) -> bool {
    let left = LEFT.get().checked_sub(cost);
    LEFT.set(left.unwrap_or(0));
    if left.is_none() {
        USED_UP.set(true);
    }
    left.is_some()
}

/// What a call looks at or makes, in bytes and values.
fn cost(name: &str, arguments: &[Value]) -> u64 {
    let left = LEFT.get();
    let all = || arguments.iter().fold(1_u64, |sum, argument| sum.saturating_add(size(argument, left, 0)));
    let length = |index: usize| match arguments.get(index) {
        Some(Value::String(text)) => text.len() as u64,
        _ => 0,
    };
    match name {
        "count" | "is_array" | "is_boolean" | "is_null" | "is_number" | "is_object" | "is_set" | "is_string"
        | "object.get" | "type_name" => 1,
        "replace" => length(0).saturating_add(1).saturating_mul(length(2).saturating_add(1)),
        "concat" => match arguments.get(1) {
            Some(Value::Array(items)) => all().saturating_add(length(0).saturating_mul(items.len() as u64)),
            _ => all(),
        },
        // Each text is held against each of the others.
        "strings.any_prefix_match" | "strings.any_suffix_match" => match arguments {
            [one, other] => size(one, left, 0).saturating_mul(size(other, left, 0)),
            _ => all(),
        },
        "object.subset" => all().saturating_mul(2),
        "in" => match arguments {
            [collection, value] => looking_for(value, collection, left),
            _ => all(),
        },
        "<" | "<=" | ">" | ">=" => match arguments {
            [Value::String(one), Value::String(other)] => one.len().min(other.len()) as u64 / 8,
            [one @ (Value::Array(_) | Value::Set(_) | Value::Object(_)), _] => size(one, left, 0),
            _ => 0,
        },
        // Differences of sets; the size of a number is bounded when the rule is loaded.
        "-" => match arguments {
            [Value::Set(_), Value::Set(_)] => all(),
            _ => 0,
        },
        "+" | "*" | "/" | "%" => 0,
        _ => all(),
    }
}

/// How much is looked at to find a value in a collection: texts are compared by words, and only as far as both go.
fn looking_for(value: &Value, collection: &Value, left: u64) -> u64 {
    let is_collection = |value: &Value| matches!(value, Value::Array(_) | Value::Set(_) | Value::Object(_));
    let mut sum = 1_u64;
    let mut add = |item: &Value| {
        if sum <= left {
            let compared = match (item, value) {
                (Value::String(item), Value::String(text)) => item.len().min(text.len()) as u64 / 8,
                _ if is_collection(item) && is_collection(value) => size(item, left - sum.min(left), 0),
                _ => 0,
            };
            sum = sum.saturating_add(compared).saturating_add(1);
        }
    };
    match collection {
        Value::Array(items) => items.iter().for_each(&mut add),
        Value::Object(entries) => entries.iter().for_each(|(_, item)| add(item)),
        // It is looked up.
        Value::Set(_) => return size(value, left, 0).saturating_add(1),
        _ => {}
    }
    sum
}

/// How much there is to look at in a value, as far as it matters.
fn size(value: &Value, left: u64, depth: usize) -> u64 {
    // What nests deeper than any document was made by a rule, and is as good as endless.
    const DEEPEST: usize = 64;
    if depth > DEEPEST {
        return left.saturating_add(1);
    }
    let mut sum = 1_u64;
    let mut add = |value: &Value| {
        if sum <= left {
            sum = sum.saturating_add(size(value, left - sum.min(left), depth + 1));
        }
    };
    match value {
        Value::String(text) => return 1 + text.len() as u64,
        Value::Array(items) => items.iter().for_each(&mut add),
        Value::Set(items) => items.iter().for_each(&mut add),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            add(key);
            add(value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Undefined => {}
    }
    sum
}

/// Why a function is not allowed, where it is one that authors know.
pub(super) fn why_not(name: &str) -> Option<String> {
    let why = match name {
        _ if name.starts_with("time.") => "a rule has no clock; `input.time` and `input.now` are the snapshot's",
        _ if name.starts_with("rand.") || name.starts_with("uuid.") => "chance has no place in a decision",
        "http.send" | "net.lookup_ip_addr" => "a rule has no network; a plugin can look things up before the decision",
        "opa.runtime" => "a rule has no environment; `input` holds all that there is",
        _ if name.starts_with("regex.") || name.starts_with("glob.") => {
            "use `startswith`, `endswith` and `split`, or `matches` in CEL"
        }
        _ if name.starts_with("numbers.range") => "a range can be arbitrarily long",
        "print" | "trace" => "a rule says things with `warn`",
        "product" | "bits.lsh" => "its result can be arbitrarily large",
        "to_number" | "units.parse" | "units.parse_bytes" => "hand numbers in as numbers",
        _ => return did_you_mean(name, ALLOWED.iter().copied()),
    };
    Some(why.to_owned())
}

/// Whether a format of `sprintf` holds only verbs that end soon: a width of millions is a text of megabytes.
pub(super) fn is_safe_format(format: &str) -> bool {
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        if chars.peek() == Some(&'.') {
            chars.next();
        }
        let mut digits = 0;
        while chars.peek().is_some_and(char::is_ascii_digit) {
            chars.next();
            digits += 1;
        }
        let verb = chars.next();
        if digits > 2 || !matches!(verb, Some('%' | 's' | 'v' | 'd' | 'f' | 'x')) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_too_wide_or_unknown_are_refused() {
        for good in ["", "%s", "a %d b %v 100%%", "%.2f", "%05d", "%x"] {
            assert!(is_safe_format(good), "{good}");
        }
        for bad in ["%", "%999999999d", "%½d", "%s %", "%q", "%.", "%c"] {
            assert!(!is_safe_format(bad), "{bad}");
        }
    }

    #[test]
    fn every_allowed_function_exists_and_none_is_in_two_minds() {
        for name in ALLOWED {
            assert!(regorus::unstable::BUILTINS.contains_key(name), "{name}");
        }
        for name in ["time.now_ns", "rand.intn", "http.send", "opa.runtime", "numbers.range", "product"] {
            assert!(!ALLOWED.contains(&name) && why_not(name).is_some(), "{name}");
        }
        assert_eq!(why_not("cuont").as_deref(), Some("did you mean `count`?"));
    }
}
