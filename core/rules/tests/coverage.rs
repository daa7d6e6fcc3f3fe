//! What of a rule's text tests reach, in both languages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeMap;

use davy::testing::{Coverage, PolicyTests, TestRun};
use davy::{Bundle, Engine};
use support::*;

/// Tests that begin with these facts each.
fn tests(facts: &[&str]) -> PolicyTests {
    let case = |(number, facts): (usize, &&str)| {
        format!(
            "    - {{ name: test {number}, from: seen, patch: {{ facts: {facts} }}, expect: {{ verdict: VERDICT }} }}\n"
        )
    };
    let cases: String = facts.iter().enumerate().map(case).collect();
    let text = format!(
        "apiVersion: davy/v1\nkind: PolicyTest\nmetadata: {{ name: rules }}\nspec:\n  snapshots:\n    seen:\n      snapshot:\n        \
         {{ now: 2026-11-27T16:30:05Z, asked: keep, stage: canary, weight: 5%, since: 2026-11-27T16:20:00Z, \
         release: {{ service: checkout, environment: prod, revision: r2, stable: r1, startedAt: 2026-11-27T16:00:00Z }} }}\n  tests:\n{}",
        cases.replace("VERDICT", "proceed")
    );
    PolicyTests::from_yaml("r_test.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The parts of a rule that tests with these facts do not reach, each with its line and column.
fn unreached(file: &str, text: &str, facts: &[&str]) -> Vec<String> {
    let rollout = rollout(&format!("    - {file}"), "");
    let bundle = Bundle::from_files([("rollouts.yaml", rollout.as_str()), (file, text)]).unwrap();
    let engine =
        Engine::builder(&bundle).rules(davy_rules::languages()).build().unwrap_or_else(|error| panic!("{error}"));
    let mut coverage = Coverage::of(&bundle, &engine);
    if !facts.is_empty() {
        let runs: Vec<TestRun> = tests(facts).run(&engine, &BTreeMap::new(), &mut coverage);
        assert!(runs.iter().all(|run| run.broken.is_empty()), "{runs:?}");
    }
    let own = coverage.unreached().filter(|branch| branch.position().file.starts_with("r."));
    own.map(|branch| {
        let (text, position) = (branch.to_string(), branch.position());
        format!("{}:{} {}", position.line, position.column, text.replace("rules of `r`: ", ""))
    })
    .collect()
}

const REGO: &str = "package r

# A comment.
deny contains {\"msg\": msg} if { some image in input.facts.images; not pinned(image.ref); msg := sprintf(\"%s\", [image.ref]) }
deny contains \"few\" if input.facts.replicas < floor

floor := 3 if input.release.environment == \"prod\"
floor := 1 if input.release.environment == \"test\"

pinned(ref) if {
	parts := split(ref, \"@\")
	count(parts) == 2
	startswith(parts[1], \"sha256:\")
}
";

#[test]
fn every_statement_of_rego_is_a_part_and_so_is_what_it_leads_to() {
    let all = unreached("r.rego", REGO, &[]);
    assert_eq!(
        all,
        [
            "4:15 `deny contains {\"msg\": msg}` is reached",
            "4:33 `some image in input.facts.images` is reached",
            "4:67 `not pinned(image.ref)` is reached",
            "4:90 `msg := sprintf(\"%s\", [image.ref])` is reached",
            "5:15 `deny contains \"few\"` is reached",
            "5:24 `input.facts.replicas < floor` is reached",
            "7:10 `floor := 3` is reached",
            "7:15 `input.release.environment == \"prod\"` is reached",
            "8:10 `floor := 1` is reached",
            "8:15 `input.release.environment == \"test\"` is reached",
            "11:2 `parts := split(ref, \"@\")` is reached",
            "12:2 `count(parts) == 2` is reached",
            "13:2 `startswith(parts[1], \"sha256:\")` is reached",
        ]
    );
}

#[test]
fn tests_reach_the_parts_of_rego_that_were_judged() {
    let pinned = r#"{"images": [{"ref": "a@sha256:1"}], "replicas": 3}"#;
    assert_eq!(
        unreached("r.rego", REGO, &[pinned]),
        [
            "4:15 `deny contains {\"msg\": msg}` is reached",
            "4:90 `msg := sprintf(\"%s\", [image.ref])` is reached",
            "5:15 `deny contains \"few\"` is reached",
            "8:10 `floor := 1` is reached",
        ]
    );
    let neither = r#"{"images": [{"ref": "a"}], "replicas": 2}"#;
    assert_eq!(unreached("r.rego", REGO, &[pinned, neither]), ["8:10 `floor := 1` is reached"]);
    // A set that is blind is not judged, and nothing of it is reached.
    assert_eq!(unreached("r.rego", REGO, &["{}"]).len(), 13);
}

#[test]
fn every_condition_of_cel_is_shown_true_and_false() {
    let text = "// message: no\nfacts.a == 1 && (facts.b > 2 || !(has(facts.c) && facts.c.size() > 1))\n  && facts.l.all(x, x > 0 && x < 9)";
    let all = unreached("r.cel", text, &[]);
    let parts = [
        "2:1 `facts.a == 1`",
        "2:18 `facts.b > 2`",
        "2:35 `has(facts.c)`",
        "2:51 `facts.c.size() > 1`",
        "3:6 `facts.l.all(x, x > 0 && x < 9)`",
    ];
    let mut each: Vec<String> =
        parts.iter().flat_map(|part| [format!("{part} is false"), format!("{part} is true")]).collect();
    assert_eq!(all, each);
    let shown = r#"{"a": 1, "b": 3, "l": []}"#;
    each.retain(|one| {
        !["1 `facts.a == 1` is true", "`facts.b > 2` is true", "has(facts.c)` is false", "x < 9)` is true"]
            .iter()
            .any(|end| one.ends_with(end))
    });
    assert_eq!(unreached("r.cel", text, &[shown]), each);
    assert_eq!(unreached("r.cel", text, &["{}"]), all, "what is blind is not judged");
    let both = [shown, r#"{"a": 2, "b": 2, "c": "xy", "l": [9]}"#, r#"{"a": 2, "b": 2, "c": "x", "l": [9]}"#];
    assert_eq!(unreached("r.cel", text, &both), [""; 0]);
}

#[test]
fn conditions_are_shown_with_their_brackets_and_constants_are_none() {
    let rows = [
        ("(facts.a + 1) * 2 > 3", "1:1 `(facts.a + 1) * 2 > 3`"),
        ("!(facts.a in [1, 2])", "1:3 `facts.a in [1, 2]`"),
        ("has(facts.a) ? true : false", "1:1 `has(facts.a)`"),
        ("facts['a'].b[0] == \"ü && x\"", "1:1 `facts['a'].b[0] == \"ü && x\"`"),
    ];
    for (text, part) in rows {
        assert_eq!(unreached("r.cel", text, &[]), [format!("{part} is false"), format!("{part} is true")], "{text}");
    }
}
