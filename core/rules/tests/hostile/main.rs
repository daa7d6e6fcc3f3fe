//! Rules and documents made to hang, to crash or to fill memory: each is refused, or holds within its budget, on a
//! thread with a stack of 2 MiB and in debug builds too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod rows;
#[path = "../support/mod.rs"]
mod support;

use davy::{Asked, Snapshot};
use rows::*;
use support::*;

#[test]
fn rego_sources_that_are_refused() {
    let mut wrong = Vec::new();
    for (what, text, expected) in rego_sources() {
        let ended = ends("r.rego", text, r#"{"x": 1, "list": [1]}"#.to_owned());
        if ended != expected {
            wrong.push(format!("{what}: expected {expected}, got {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn cel_sources_that_are_refused() {
    let mut wrong = Vec::new();
    for (what, text, expected) in cel_sources() {
        let ended = ends("r.cel", text, r#"{"x": 1, "a": [], "b": [], "t": "", "p": ""}"#.to_owned());
        if ended != expected {
            wrong.push(format!("{what}: expected {expected}, got {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_costs_too_much_over_a_document_holds() {
    let mut wrong = Vec::new();
    for (what, (file, text), facts, expected) in costly() {
        let ended = ends(file, text, facts);
        if ended != expected {
            wrong.push(format!("{what}: expected {expected}, got {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The deepest that is accepted is parsed, compiled and judged without exhausting a small stack.
#[test]
fn the_deepest_rules_that_are_accepted_are_judged() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let sum = |terms: usize| format!("facts.x{}", " + 1".repeat(terms));
    for text in [
        format!("{} == 1", nested("(", &sum(9), ")", 8)),
        format!("{} == [1]", nested("[", "facts.x", "]", 8)),
        format!("{} == 1", sum(17)),
        format!("{}(facts.x == 1)", "!".repeat(17)),
        format!("facts.l.all(a, facts.l.exists(b, {} == b))", nested("(", "a + 1 + 1 + 1", ")", 5)),
        format!("facts.l.map(a, facts.l.filter(b, {} == b)).size() == 1", nested("(", "a + 1 + 1", ")", 5)),
        format!("true{}", " ? facts.x == 1 : true".repeat(5)),
        vec!["facts.x == 1"; 200].join(" && "),
        vec!["facts.x == 1"; 200].join(" || "),
    ] {
        let ended = ends("r.cel", text.clone(), r#"{"x": 1, "l": [1, 2, 3]}"#.to_owned());
        assert!(ended.contains(" rules.") && !ended.contains("broken"), "{text}: {ended}");
    }
    for text in [
        format!("deny contains \"x\" if {} == 1", nested("(", "input.facts.x + 1 + 1", ")", 11)),
        format!("deny contains \"x\" if input.facts.x == {}", nested("[", "1", "]", 11)),
        format!("deny contains \"x\" if input.facts.x{} == 1", " + 1".repeat(20)),
        format!("deny contains \"x\" if {{\n{}}}", "\tinput.facts.x == 1\n".repeat(30)),
        chained_rules(6, ""),
        // Both at once: each level of a rule comes on top of those of the rules that use it.
        chained_rules(6, &" + 0".repeat(20)),
        "deny contains \"x\" if input.facts.x == 1\n".repeat(120),
    ] {
        let ended = ends("r.rego", rego_of(&text), r#"{"x": 1}"#.to_owned());
        assert!(
            ended.contains(" rules.") && !ended.contains("broken"),
            "{}: {ended}",
            text.chars().take(200).collect::<String>()
        );
    }
}

#[test]
fn facts_that_are_too_large_are_refused_before_any_rule_sees_them() {
    let read = |facts: String| {
        let json = String::from_utf8(serde_json_of(&snapshot(Asked::Start, "{}"))).unwrap();
        let json = json.replacen("{", &format!("{{\"facts\":{facts},"), 1);
        Snapshot::from_json(json.as_bytes()).unwrap_err().code.to_string()
    };
    assert_eq!(read(format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100))), "S040");
    assert_eq!(read(format!("{{\"a\":[{}1]}}", "1,".repeat(20_000))), "S041");
    assert_eq!(read(format!("{{\"a\":\"{}\"}}", "x".repeat(300_000))), "S041");
    assert_eq!(read("{\"a\":1e300}".to_owned()), "S042");
}

fn serde_json_of(snapshot: &Snapshot) -> Vec<u8> {
    davy::canonical_json(snapshot).unwrap()
}
