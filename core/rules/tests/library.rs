//! The ready rules of `policies/rules`: each lets the same releases go on in both languages, for every case.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use davy::{Asked, Bundle, Cause, Engine, Fact, Facts, Instant, Outcome, SloWindow, Snapshot, Standing};
use serde_json::Value as Json;
use support::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/rules");
const CASES: &str = include_str!("data/library.json");

fn bundle(language: &str) -> Bundle {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(format!("{FOLDER}/{language}")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains("_test.") {
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    Bundle::from_files(files).unwrap_or_else(|error| panic!("{error}"))
}

fn engine(bundle: &Bundle) -> Engine {
    Engine::builder(bundle).rules(davy_rules::languages()).build().unwrap_or_else(|error| panic!("{error}"))
}

/// What each rule says: the word of its strictest finding.
fn answers(engine: &Engine, snapshot: &Snapshot) -> BTreeMap<String, &'static str> {
    let mut snapshot = snapshot.clone();
    snapshot.release.service = engine.service().clone();
    let decision = decide(engine, &snapshot);
    let mut answers = BTreeMap::new();
    for finding in decision.findings.iter().filter(|finding| finding.code().starts_with("rules.")) {
        assert!(matches!(finding.standing, Standing::Counts | Standing::NotAsked), "{decision}");
        let said = match finding.cause {
            Cause::RulesPassed {} => "pass",
            Cause::RulesDeny { .. } => "deny",
            Cause::RulesHold { .. } => "hold",
            Cause::RulesMissing { .. } => "missing",
            _ => "broken",
        };
        assert_eq!(finding.outcome == Outcome::Pass, said == "pass");
        // The strictest stands first.
        answers.entry(finding.subject.as_ref().unwrap().to_string()).or_insert(said);
    }
    answers
}

fn seen(common: &Json, case: &Json) -> Snapshot {
    let mut facts = common.as_object().unwrap().clone();
    for (key, value) in case["facts"].as_object().into_iter().flatten() {
        if value.is_null() {
            facts.remove(key)
        } else {
            facts.insert(key.clone(), value.clone())
        };
    }
    for key in case["nulls"].as_array().into_iter().flatten() {
        facts.insert(key.as_str().unwrap().to_owned(), Json::Null);
    }
    let mut seen = snapshot(Asked::Start, &Json::Object(facts).to_string());
    if let Some(now) = case["now"].as_str() {
        seen.now = now.parse().unwrap();
        seen.since = seen.release.started_at.min(seen.now);
        seen.release.started_at = seen.since;
    }
    seen.slos = calm(seen.now);
    if !case["running"].is_null() {
        seen.running = serde_json::from_value(case["running"].clone()).unwrap();
    }
    seen
}

/// Nothing wrong in any window of the library's SLO.
fn calm(now: Instant) -> Vec<SloWindow> {
    let window = |length: &str, total: u64| {
        let from = now.minus(length.parse().unwrap());
        serde_json::from_value(serde_json::json!({
            "slo": "availability", "from": from, "end": now, "bad": 0, "total": total, "coverage": "100%", "newest": now,
        }))
        .unwrap()
    };
    vec![window("1h", 10_000), window("5m", 1000), window("30d", 1_000_000)]
}

#[test]
fn every_case_has_its_answer_in_both_languages() {
    let cases: Json = serde_json::from_str(CASES).unwrap();
    let engines = ["rego", "cel"].map(|language| (language, engine(&bundle(language))));
    let mut wrong = Vec::new();
    for case in cases["cases"].as_array().unwrap() {
        let seen = seen(&cases["facts"], case);
        let rule = case["rule"].as_str().unwrap();
        for (language, engine) in &engines {
            let answer = answers(engine, &seen)[rule];
            // A value of the wrong kind is an error in CEL, and has a message of its own in Rego: both hold.
            let says = case["says"].get(*language).unwrap_or(&case["says"]);
            if answer != says.as_str().unwrap() {
                wrong.push(format!("{language}: {answer}: {case}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_cases_of_passing_and_of_not() {
    let cases: Json = serde_json::from_str(CASES).unwrap();
    let with = |pass: bool| -> BTreeSet<String> {
        let all = cases["cases"].as_array().unwrap().iter();
        all.filter(|case| (case["says"] == "pass") == pass)
            .map(|case| case["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    let named = |language: &str| -> BTreeSet<String> {
        let bundle = bundle(language);
        let files = bundle.files().iter().filter_map(|(path, _)| path.strip_suffix(&format!(".{language}")));
        files.map(str::to_owned).collect()
    };
    let all = named("rego");
    assert_eq!(named("cel"), all);
    assert_eq!(with(true), all);
    // An error budget that burns is in the library's own tests.
    assert_eq!(with(false).into_iter().chain(["calm-budget".to_owned()]).collect::<BTreeSet<_>>(), all);
}

#[test]
fn no_rule_of_the_library_is_doubtful() {
    for language in ["rego", "cel"] {
        let bundle = bundle(language);
        assert_eq!(bundle.warnings(), [], "{language}");
        assert_eq!(engine(&bundle).warnings(), [], "{language}");
    }
}

#[test]
fn every_rule_says_what_it_is_for_and_what_it_reads() {
    for language in ["rego", "cel"] {
        let comment = if language == "rego" { "# " } else { "// " };
        for (path, bytes) in bundle(language).files().iter().filter(|(path, _)| path.ends_with(language)) {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let mut lines = text.lines();
            assert!(lines.next().unwrap().starts_with(comment), "{path}");
            assert!(lines.next().unwrap().starts_with(&format!("{comment}Facts: ")), "{path}");
        }
    }
}

#[test]
fn facts_of_the_cases_are_facts() {
    let cases: Json = serde_json::from_str(CASES).unwrap();
    let facts: Facts = serde_json::from_value(cases["facts"].clone()).unwrap();
    assert_eq!(facts.get("maxSurge"), Some(&Fact::Integer(2)));
}
