//! Rules and documents made to hang, to crash or to fill memory, and how each must end.

use davy::Severity;

use crate::support::{says, with_file};

/// What it is, its text, and the code that it is refused with.
pub(crate) type Refused = (&'static str, String, &'static str);

/// What it is, file and text, the facts, and what it ends with.
pub(crate) type Judged = (&'static str, (&'static str, String), String, &'static str);

/// Runs something where a stack that grows out of bounds ends the test.
pub(crate) fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

/// How a rule ends: the code that it is refused with, or what it says of these facts.
pub(crate) fn ends(file: &'static str, text: String, facts: String) -> String {
    on_a_small_stack(move || match with_file(file, &text) {
        Err(error) => {
            let refuses = |one: &&davy::Diagnostic| one.severity == Severity::Error;
            error.diagnostics().iter().find(refuses).unwrap().code.to_string()
        }
        Ok(engine) => {
            let said = says(&engine, &facts);
            said[0].split(' ').take(2).collect::<Vec<_>>().join(" ")
        }
    })
}

pub(crate) fn rego_of(text: &str) -> String {
    format!("package r\n{text}\n")
}

/// `x1 := …x0…`, `x2 := …x1…`, and so on, and a rule that reads the last.
fn chain(length: usize, step: &str) -> String {
    let lines = (1..=length).map(|n| format!("\tx{n} := {}\n", step.replace("{}", &format!("x{}", n - 1))));
    let lines: String = lines.collect();
    format!(
        "deny contains \"x\" if {{\n\tx0 := input.facts.x\n{lines}\tx{length} == x{length}\n\tcount(x{length}) > 0\n}}"
    )
}

/// Rules that use each other, as many as this, and a condition on the last.
pub(crate) fn chained_rules(length: usize, more: &str) -> String {
    let rules = (1..=length).map(|n| format!("a{n} := a{}{more}\n", n - 1));
    let rules: String = rules.collect();
    format!("a0 := input.facts.x\n{rules}deny contains \"x\" if a{length} == 1")
}

pub(crate) fn rego_sources() -> Vec<Refused> {
    let x = |literal: String| rego_of(&format!("deny contains \"x\" if input.facts.x == {literal}"));
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    vec![
        ("lists in lists", x(nested("[", "]", 22)), "U002"),
        ("a thousand lists in lists", x(nested("[", "]", 1000)), "U002"),
        ("sets in sets", x(nested("{", "}", 22)), "U002"),
        ("objects in objects", x(nested("{\"a\":", "}", 22)), "U002"),
        ("parentheses", x(nested("(", ")", 10_000)), "U002"),
        ("brackets that never close", x("[".repeat(60_000)), "U002"),
        ("comprehensions in comprehensions", x(nested("[a | a := ", "]", 22)), "U002"),
        ("many that are almost too deep", x(format!("[{}1]", "[[[[[[[[[[1]]]]]]]]]],".repeat(300))), "U002"),
        ("a sum of ten thousand", x(format!("1{}", " + 1".repeat(10_000))), "U002"),
        ("a sum over lines", x(format!("1{}", " +\n1".repeat(10_000))), "U002"),
        (
            "a reference of ten thousand",
            rego_of(&format!("deny contains \"x\" if input{}", ".a".repeat(10_000))),
            "U002",
        ),
        (
            "negations of negations",
            rego_of(&format!("deny contains \"x\" if {}input.facts.x", "not ".repeat(1000))),
            "U002",
        ),
        ("a number of a billion digits", x("1e999999999".to_owned()), "U002"),
        ("a long number", x("9".repeat(1000)), "U002"),
        ("too many bytes", rego_of(&"# a comment\n".repeat(10_000)), "D002"),
        ("too many rules", rego_of(&"deny contains \"x\" if input.facts.x\n".repeat(200)), "U002"),
        ("a rule that uses itself", rego_of("a := a\ndeny contains \"x\" if a"), "U002"),
        ("a function that uses itself", rego_of("f(x) := f(x)\ndeny contains \"x\" if f(input.facts.x)"), "U002"),
        ("functions that double their calls", rego_of(&doubling_calls(11)), "U002"),
        ("a chain of rules", rego_of(&chained_rules(100, "")), "U002"),
        ("a value doubled forty times", rego_of(&chain(40, "[{}, {}]")), "U002"),
        ("an object doubled forty times", rego_of(&chain(40, "{\"a\": {}, \"b\": {}}")), "U002"),
        ("a number squared forty times", rego_of(&chain(40, "{} * {}")), "U002"),
        ("a text doubled forty times", rego_of(&chain(40, "concat(\"\", [{}, {}])")), "U002"),
        ("a text printed forty times", rego_of(&chain(40, "sprintf(\"%v%v\", [{}, {}])")), "U002"),
        ("a list of copies of lists", rego_of(&chain(4, "[{} | some y in {}]")), "U002"),
        (
            "a range of five millions",
            rego_of("deny contains \"x\" if count(numbers.range(1, 5000000)) > input.facts.x"),
            "U003",
        ),
        ("a shift", rego_of("deny contains \"x\" if bits.lsh(1, 1000000000) > input.facts.x"), "U003"),
        ("a product", rego_of("deny contains \"x\" if product(input.facts.list) > 1"), "U003"),
        ("a wide format", rego_of("deny contains sprintf(\"%999999999d\", [input.facts.x])"), "U003"),
        ("a format with digits of another script", rego_of("deny contains sprintf(\"%½d\", [input.facts.x])"), "U003"),
        ("a format of the host", rego_of("deny contains sprintf(input.facts.f, [1])"), "U003"),
        ("regular expressions", rego_of("deny contains \"x\" if regex.match(\"(a+)+$\", input.facts.x)"), "U003"),
        ("the clock", rego_of("deny contains \"x\" if time.now_ns() > input.facts.x"), "U003"),
        ("chance", rego_of("deny contains \"x\" if rand.intn(\"x\", 10) > input.facts.x"), "U003"),
        (
            "the network",
            rego_of("deny contains \"x\" if http.send({\"method\": \"get\", \"url\": input.facts.x})"),
            "U003",
        ),
        ("the environment", rego_of("deny contains \"x\" if opa.runtime().env.HOME == input.facts.x"), "U003"),
        ("another rule's data", rego_of("deny contains \"x\" if data.other.deny"), "U004"),
        ("a changed input", rego_of("deny contains \"x\" if input.facts.x with input as {}"), "U007"),
        ("a key with its value", rego_of("deny contains \"x\" if not (\"a\", true in input.facts.x)"), "U007"),
        ("a loop that is negated", rego_of("deny contains \"x\" if not input.facts.x[_].ok"), "U007"),
        (
            "a loop within what is negated",
            rego_of("deny contains \"x\" if not startswith(input.facts.x[_].ref, \"a\")"),
            "U007",
        ),
    ]
}

fn doubling_calls(depth: usize) -> String {
    let functions = (1..=depth).map(|n| format!("f{n}(x) := [f{m}(x), f{m}(x)]\n", m = n - 1));
    let functions: String = functions.collect();
    format!("f0(x) := [x]\n{functions}deny contains \"x\" if f{depth}(input.facts.x) == []")
}

pub(crate) fn cel_sources() -> Vec<Refused> {
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{} == 1", open.repeat(depth), close.repeat(depth));
    vec![
        ("parentheses", nested("(", ")", 96), "U002"),
        ("ten thousand parentheses", nested("(", ")", 4000), "U002"),
        ("lists in lists", nested("[", "]", 96), "U002"),
        ("brackets that never close", "[".repeat(8000), "U002"),
        ("a long sum", format!("1{} == 1", " + 1".repeat(1000)), "U002"),
        ("a long reference", format!("facts{}", ".a".repeat(1000)), "U002"),
        ("negations", format!("{}facts.x", "!".repeat(1000)), "U002"),
        ("signs", format!("{}facts.x == 1", "-".repeat(1000)), "U002"),
        ("choices in choices", format!("{}true{}", "true ? ".repeat(500), " : false".repeat(500)), "U002"),
        ("indices of indices", format!("facts{}", "[facts".repeat(500)), "U002"),
        ("too many bytes", format!("true || {}", "'a' == 'a' || ".repeat(1000)), "U002"),
        ("loops in loops in loops", "facts.a.all(x, facts.a.all(y, facts.a.all(z, x == y)))".to_owned(), "U002"),
        ("a list of unknown length", "(facts.x == 1 ? facts.a : facts.b).all(x, x == 1)".to_owned(), "U002"),
        ("a map", "observations.all(o, true)".to_owned(), "U003"),
        ("a map that is written out", "facts.x == {'a': 1}".to_owned(), "U003"),
        ("a pattern that grows", "facts.t.matches('(a{1000}){1000}')".to_owned(), "U003"),
        ("a pattern of the host", "facts.t.matches(facts.p)".to_owned(), "U003"),
        (
            "too many patterns",
            (0..9).map(|n| format!("facts.t.matches('{n}')")).collect::<Vec<_>>().join(" && "),
            "U003",
        ),
        ("a long pattern", format!("facts.t.matches('{}')", "a".repeat(1000)), "U003"),
        ("no pattern", "facts.t.matches('(')".to_owned(), "U003"),
        ("the clock", "timestamp(now) > timestamp('2026-01-01T00:00:00Z')".to_owned(), "U003"),
        ("a function of extensions", "facts.t.lowerAscii() == ''".to_owned(), "U003"),
        ("no syntax", "facts.x ==".to_owned(), "U001"),
        ("a NUL", "facts.x == '\0' \0".to_owned(), "U001"),
    ]
}

/// Rules that are accepted, over documents that they cost too much over, or almost.
pub(crate) fn costly() -> Vec<Judged> {
    let list = |length: usize| format!("{{\"l\": [{}]}}", vec!["1"; length].join(","));
    let text = |length: usize| format!("{{\"t\": \"{}\", \"l\": [1,1,1,1,1,1,1,1,1,1]}}", "a".repeat(length));
    let maps = |length: usize| {
        let entries = (0..500).map(|n| format!("\"k{n}\": {n}")).collect::<Vec<_>>().join(",");
        format!("{{\"l\": [{}], \"m\": {{{entries}}}, \"n\": {{{entries}}}}}", vec!["1"; length].join(","))
    };
    let rego = |text: &str| ("r.rego", rego_of(text));
    let cel = |text: &str| ("r.cel", text.to_owned());
    vec![
        (
            "a comprehension of nine millions",
            rego(
                "deny contains \"x\" if count([1 | some a in input.facts.l; some b in input.facts.l; some c in input.facts.l]) > 0",
            ),
            list(208),
            "hold rules.exhausted",
        ),
        ("nine millions in CEL", cel("facts.l.all(a, facts.l.all(b, a == b))"), list(3000), "hold rules.exhausted"),
        ("one list in CEL", cel("facts.l.all(a, a == 1)"), list(3000), "pass rules.passed"),
        (
            "a large text in a loop",
            rego(
                "deny contains \"x\" if count([1 | some a in input.facts.l; sprintf(\"%v%v\", [input.facts.t, a]) == \"\"]) > 0",
            ),
            text(250_000),
            "hold rules.exhausted",
        ),
        (
            "a text that grows when it is replaced",
            rego(
                "deny contains \"x\" if count(replace(input.facts.t, \"a\", \"0123456789012345678901234567890123456789\")) > 0",
            ),
            text(250_000),
            "hold rules.exhausted",
        ),
        (
            "a large text many times in CEL",
            cel(&format!("facts.t{} != ''", " + facts.t".repeat(8))),
            text(250_000),
            "hold rules.exhausted",
        ),
        (
            "a hundred findings",
            rego("deny contains sprintf(\"%d\", [i]) if some i, _ in input.facts.l"),
            list(100),
            "hold rules.exhausted",
        ),
        (
            "a pattern that other engines go back in",
            cel("!facts.t.matches('^(a+)+$') || facts.l.size() > 0"),
            text(250_000),
            "pass rules.passed",
        ),
        (
            "a large pattern for each of many texts",
            cel("facts.l.all(a, a.matches('^[a-z]{1000}$'))"),
            format!("{{\"l\": [{}]}}", vec!["\"aaaaaaaa\""; 4000].join(",")),
            "hold rules.exhausted",
        ),
        (
            "a small pattern for each of many texts",
            cel("facts.l.all(a, a.matches('^[a-z]+$'))"),
            format!("{{\"l\": [{}]}}", vec!["\"aaaaaaaa\""; 4000].join(",")),
            "pass rules.passed",
        ),
        (
            "a text that is written out and matched many times",
            cel(&format!("facts.l.all(a, ('{}' + a).matches('^x'))", "x".repeat(4000))),
            format!("{{\"l\": [{}]}}", vec!["\"a\""; 300].join(",")),
            "hold rules.exhausted",
        ),
        (
            "large maps compared many times",
            cel("facts.l.all(a, facts.m == facts.n)"),
            maps(200),
            "hold rules.exhausted",
        ),
        ("large maps compared once", cel("facts.m == facts.n"), maps(200), "pass rules.passed"),
        (
            "a large map looked for many times",
            cel("facts.l.all(a, facts.m in [facts.n])"),
            maps(200),
            "hold rules.exhausted",
        ),
        (
            "a long list looked through many times",
            rego("deny contains \"x\" if count([1 | some a in input.facts.l; b := a + 1; b in input.facts.l]) > 0"),
            list(1600),
            "hold rules.exhausted",
        ),
        (
            "a list looked through many times",
            rego("deny contains \"x\" if count([1 | some a in input.facts.l; b := a + 1; b in input.facts.l]) > 0"),
            list(400),
            "pass rules.passed",
        ),
        (
            "large sets joined many times",
            rego(
                "deny contains \"x\" if {\n\ts := object.keys(input.facts.m)\n\tcount([1 | some b in input.facts.l; count(s | {b}) == 0]) > 0\n}",
            ),
            maps(1000),
            "hold rules.exhausted",
        ),
        ("a pattern of alternatives", cel("!facts.t.matches('^(a|aa)+b$')"), text(250_000), "pass rules.passed"),
    ]
}
