//! What is wrong or doubtful with a rule is said when it is loaded, with its place.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeSet;

use support::*;

/// The text of a rule, without `package r` for Rego, and what is said about it.
const REGO: &[(&str, &[&str])] = &[
    ("deny contains \"x\" if input.facts.x ==", &["U001 2:1"]),
    ("deny contains \"x\" if cuont(input.facts.x) > 1", &["U003 2:22"]),
    ("deny contains \"x\" if input.relase.service == \"a\"", &["U004 2:28"]),
    ("deny contains \"x\" if input.observations.errors.bda > 1", &["U004 2:48"]),
    ("deny contains \"x\" if input.findings[_].severity == \"hold\"", &["U004 2:40"]),
    ("deny := \"x\" if input.facts.x", &["U007 2:1"]),
    ("allow if input.facts.x", &["U007 1:1", "L030 2:1"]),
    ("deny contains {\"message\": \"x\"} if input.facts.x", &["U007 2:15", "U007 2:17"]),
    ("import data.other\ndeny contains \"x\" if input.facts.x", &["U004 2:8"]),
    ("import input.fatcs as f\ndeny contains \"x\" if f.x", &["U004 2:8"]),
    ("deny contains \"x\" if input.facts.x\nhelper := 1", &["L030 3:1"]),
    ("deny contains \"x\" if input.facts.x\ndenny contains \"y\" if input.facts.x", &["L032 3:1"]),
    ("# reads: facts.a\ndeny contains \"x\" if input.facts.x", &["L030 2:10"]),
    ("# reads: facts.a, fatcs.b\ndeny contains \"x\" if input.facts.x", &["L030 2:10", "U004 2:19"]),
    ("# reads: release[*].x\ndeny contains \"x\" if input.facts.x", &["U004 2:10"]),
    ("# reads: facts.a[0]\ndeny contains \"x\" if input.facts.x", &["U001 2:10"]),
    ("deny contains \"x\"", &["L031 2:1"]),
    ("deny contains \"x\" if false", &["L031 2:1", "L031 2:22"]),
    ("deny contains \"x\" if {\n\ttrue\n\tinput.facts.x\n}", &["L031 3:2"]),
    ("deny contains \"x\" if {\n\tinput.stage == \"canary\"\n\tinput.stage == \"live\"\n}", &["L031 4:2"]),
    ("deny contains \"x\" if input.stage == \"canray\"", &["L033 2:38"]),
    ("deny contains \"x\" if {\n\tsome f in input.findings\n\tf.outcome == \"failed\"\n}", &["L033 4:16"]),
    ("deny contains \"x\" if input.weightPercent == \"5%\"", &["L031 2:46"]),
    ("deny contains \"x\" if input.observations.erors.bad > 1", &["L034 2:41"]),
    ("deny contains \"x\" if input.annotations[\"davy/risks\"] == \"high\"", &["L034 2:22"]),
    ("deny contains \"x\" if input.annotations[\"davy/risk\"] == \"high\"", &[]),
    ("deny contains \"x\" if {\n\tsome i in input.facts.images\n\tnot startswith(i.ref, \"a/\")\n}", &[]),
    // What may have no value.
    ("f(x) := 1 if x > 3\ndeny contains \"x\" if f(input.facts.x) > 0", &["L035 3:22"]),
    ("f(\"a\") := 1\ndeny contains \"x\" if input.facts.x < 2 * f(input.facts.x)", &["L035 3:42"]),
    (
        "f(x) := 1 if {\n\tx > 3\n} else := 2 if {\n\tx > 2\n}\ndeny contains \"x\" if 0 != f(input.facts.x)",
        &["L035 7:27"],
    ),
    ("f(x) := 1 if {\n\tx > 3\n} else := 2\ndeny contains \"x\" if f(input.facts.x) > 0", &[]),
    ("f(x) := x + 1\ndeny contains \"x\" if f(input.facts.x) > 0", &[]),
    ("f(x) := \"why\" if x > 3\ndeny contains why if why := f(input.facts.x)", &[]),
    ("f(x) if x > 3\ndeny contains \"x\" if not f(input.facts.x)", &[]),
    ("t := {\"a\": 1}\ndeny contains \"x\" if t[lower(input.facts.x)] > 0", &["L035 3:22"]),
    ("t := {\"a\": 1}\ndeny contains \"x\" if t[\"b\"] > input.facts.x", &["L035 3:22"]),
    ("t := {\"a\": 1}\ndeny contains \"x\" if t[input.facts.x] > 0", &[]),
    ("t := {\"a\": 1}\ndeny contains \"x\" if t[_] > input.facts.x", &[]),
    ("t := {\"a\": 1}\ndeny contains \"x\" if {\n\tsome k, v in t\n\tv > input.facts.x\n\tt[k] > 0\n}", &[]),
];

const CEL: &[(&str, &[&str])] = &[
    ("facts.x == ", &["U001 1:12"]),
    ("facts.x.lenght() == 1", &["U003 1:15"]),
    ("relase.service == 'a'", &["U004 1:1"]),
    ("observations.errors.bda < 1", &["U004 1:20"]),
    ("findings.all(f, f.severity == 'hold')", &["U004 1:18"]),
    ("// outcome: block\nfacts.x == 1", &["U007 1:13"]),
    ("// reads: facts.a\nfacts.x == 1", &["L030 1:11"]),
    ("//  reads:  facts.a , release.tag[*]\nfacts.x == 1", &["L030 1:13", "U004 1:23"]),
    ("// reads: stage[*]\nfacts.x == 1", &["U004 1:11"]),
    ("1 == 1", &["L031 1:1"]),
    ("false", &["L031 1:1"]),
    ("facts.x == 1 &&\n  1 + 1 == 2", &["L031 2:3"]),
    ("stage == 'canray'", &["L033 1:7"]),
    ("findings.all(f, f.outcome != 'failed')", &["L033 1:27"]),
    ("weightPercent == '5%'", &["L031 1:15"]),
    ("weightPercent * 2 < 20", &["U003 1:15"]),
    ("observations.erors.bad < 1", &["L034 1:13"]),
    ("has(facts.x) && facts.x == 1", &[]),
];

#[test]
fn every_row_is_said_where_it_stands() {
    let mut wrong = Vec::new();
    let rego = REGO.iter().map(|(text, expected)| ("r.rego", format!("package r\n{text}\n"), expected));
    let cel = CEL.iter().map(|(text, expected)| ("r.cel", (*text).to_owned(), expected));
    let metrics = "  health: { judge: threshold, metrics: [{ name: errors, bad: b, total: t, max: 1% }] }\n  \
                   bake: { for: 1h }";
    for (file, text, expected) in rego.chain(cel) {
        let one = |it: &davy::Diagnostic| format!("{} {}:{}", it.code, it.position.line, it.position.column);
        let found: Vec<String> = match with_more(file, &text, metrics) {
            Ok(engine) => engine.warnings().iter().map(one).collect(),
            Err(error) => {
                error.diagnostics().iter().filter(|it| !it.code.to_string().starts_with("L00")).map(one).collect()
            }
        };
        if found != **expected {
            wrong.push(format!("{text:?}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_code_of_rules_has_a_row() {
    let rows = REGO.iter().chain(CEL).flat_map(|(_, expected)| expected.iter());
    let mut covered: BTreeSet<&str> = rows.filter_map(|row| row.split(' ').next()).collect();
    // Those of budgets, declarations and languages have tests of their own.
    covered.extend(["U002", "U005", "U006"]);
    let all = davy::document::DiagnosticCode::ALL.iter().map(|(code, _)| code.as_str());
    let all: BTreeSet<&str> = all.filter(|code| code.starts_with('U') || ("L030"..="L035").contains(code)).collect();
    assert_eq!(covered, all);
}

#[test]
fn messages_are_in_the_style_of_the_house() {
    for (file, text) in REGO
        .iter()
        .map(|(text, _)| ("r.rego", format!("package r\n{text}\n")))
        .chain(CEL.iter().map(|(text, _)| ("r.cel", (*text).to_owned())))
    {
        let diagnostics = match with_file(file, &text) {
            Ok(engine) => engine.warnings().to_vec(),
            Err(error) => error.diagnostics().to_vec(),
        };
        for text in diagnostics.iter().flat_map(|it| [Some(&it.message), it.hint.as_ref()]).flatten() {
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            assert!(!text.starts_with(|c: char| c.is_uppercase()), "{text}");
        }
    }
}

/// How many diagnostics of a CEL rule have this code, and what its last says.
fn counted(text: &str, code: &str) -> (usize, String) {
    let error = with_file("r.cel", text).unwrap_err();
    let of_code: Vec<_> = error.diagnostics().iter().filter(|it| it.code.as_str() == code).collect();
    let told = of_code.iter().find(|it| it.message.contains(" of this rule "));
    (of_code.len(), told.map(|it| it.message.clone()).unwrap_or_default())
}

#[test]
fn of_many_errors_a_hundred_are_told_and_the_rest_is_counted() {
    let text = |count: usize| vec!["relase"; count].join(" || ");
    assert_eq!(counted(&text(100), "U004"), (100, String::new()));
    assert_eq!(counted(&text(101), "U004"), (101, "1 more error of this rule is not shown".to_owned()));
    assert_eq!(counted(&text(150), "U004"), (101, "50 more errors of this rule are not shown".to_owned()));
}

#[test]
fn many_warnings_do_not_hide_the_one_error() {
    let text = format!("{} || relase", vec!["stage == 'canray'"; 120].join(" || "));
    assert_eq!(counted(&text, "L033"), (101, "20 more warnings of this rule are not shown".to_owned()));
    assert_eq!(counted(&text, "U004"), (1, String::new()));
}
