//! Rules: any text is refused with a place in it, or compiled to a rule that says the same every time. So are tests in Rego, and
//! expectations in CEL on any answer.
//!
//! The tests of `davy-rules` replay the corpus with this file.

use davy::probe::{AnswerFacts, ExpectationLanguage, HttpResponse, Micros};
use davy::{Bundle, Diagnostic, Engine, Facts, Snapshot, State, render};
use davy_rules::RegoTests;

/// Between the text of a rule and its facts; neither holds it.
const SEPARATOR: u8 = 0x1e;

/// What the rule is judged over, beside its facts.
const SNAPSHOT: &str = r#"{ "now": "2026-11-27T16:30:05Z", "asked": "promote", "stage": "canary", "weight": "5%",
  "since": "2026-11-27T16:20:00Z", "release": { "service": "checkout", "environment": "prod", "revision": "r2",
  "stable": "r1", "startedAt": "2026-11-27T16:00:00Z" } }"#;

/// The language's name in the first line, then the text of a rule, and after the byte 0x1e its facts as JSON. For `answer` it is
/// the text of an expectation and the body of an answer, for `tests` a file of tests in Rego.
/// Whether it was read.
pub fn holds(data: &[u8]) -> bool {
    if let Some(rest) = data.strip_prefix(b"answer\n") {
        return expectation_holds(rest);
    }
    if let Some(text) = data.strip_prefix(b"tests\n") {
        return tests_hold(text);
    }
    let Some((file, text, facts)) = parts(data) else { return false };
    let rollout = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec: {{ rules: [{file}], holdLimit: {{ after: 1h, then: hold }} }}\n"
    );
    let Ok(bundle) = Bundle::from_files([("rollouts.yaml", rollout.as_bytes()), (file, text)]) else {
        return false;
    };
    let build = || Engine::builder(&bundle).rules(davy_rules::languages()).build();
    let engine = match (build(), build()) {
        (Ok(engine), Ok(again)) => {
            assert_eq!(engine.warnings(), again.warnings());
            engine.warnings().iter().for_each(|warning| lies_within(warning, text));
            engine
        }
        (Err(error), Err(again)) => {
            assert_eq!(error, again, "a rule is refused for the same reasons every time");
            error.diagnostics().iter().for_each(|diagnostic| lies_within(diagnostic, text));
            return false;
        }
        (one, other) => panic!("compiled once {one:?}, then {other:?}"),
    };
    let mut snapshot = Snapshot::from_json(SNAPSHOT.as_bytes()).expect("it is one");
    snapshot.facts = facts;
    let state = State::new();
    let first = engine.decide(&state, &snapshot);
    // Nothing that was judged in between matters.
    let empty = Snapshot { facts: Facts::default(), ..snapshot.clone() };
    drop(engine.decide(&state, &empty));
    let record = first.seal().expect("its numbers have a canonical form");
    record.replay(&engine, &state, &snapshot).expect("it says the same again");
    assert!(first.decision.findings.iter().any(|finding| finding.code().starts_with("rules.")));
    assert!(!render::text(&first.decision).is_empty() && !render::markdown(&first.decision).is_empty());
    true
}

/// An expectation is refused, or judges any answer the same every time.
fn expectation_holds(data: &[u8]) -> bool {
    let end = data.iter().position(|byte| *byte == SEPARATOR).unwrap_or(data.len());
    let (text, body) = data.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let compiled = ExpectationLanguage::compile(&davy_rules::Cel, &serde_json::Value::from(text));
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(why) => {
            assert!(!why.is_empty() && !why.contains(char::is_control), "{why}");
            return false;
        }
    };
    let response = serde_json::json!({
        "status": 200, "version": "1.1", "headers": [["content-type", "text/plain"]], "body": String::from_utf8_lossy(body),
    });
    let response: HttpResponse = serde_json::from_value(response).expect("it is one");
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let judge = || {
        let facts = AnswerFacts { response: &response, json: json.as_ref(), duration: Micros(1_500), redirects: 0 };
        compiled.judge(&facts)
    };
    let judged = judge();
    assert_eq!(judged, judge());
    assert!(judged.err().is_none_or(|why| !why.is_empty()));
    true
}

/// Tests in Rego are refused with a place, or taken. They are not run: what they say may take as long as it likes.
fn tests_hold(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    match RegoTests::from_files([("r.rego", text)], [("r_test.rego", text)]) {
        Ok(_) => true,
        Err(wrong) => {
            wrong.iter().for_each(|diagnostic| lies_within(diagnostic, text.as_bytes()));
            false
        }
    }
}

fn parts(data: &[u8]) -> Option<(&'static str, &[u8], Facts)> {
    let line = data.iter().position(|byte| *byte == b'\n')?;
    let (language, rest) = data.split_at_checked(line)?;
    let file = match language {
        b"rego" => "r.rego",
        b"cel" => "r.cel",
        _ => return None,
    };
    let rest = rest.get(1..)?;
    let end = rest.iter().position(|byte| *byte == SEPARATOR).unwrap_or(rest.len());
    let (text, facts) = rest.split_at_checked(end)?;
    let facts = match facts.get(1..) {
        Some(json) if !json.is_empty() => serde_json::from_slice(json).ok()?,
        _ => Facts::default(),
    };
    Some((file, text, facts))
}

/// Positions lead an editor to a place that exists, at most one line behind the end.
fn lies_within(diagnostic: &Diagnostic, text: &[u8]) {
    let position = &diagnostic.position;
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 2;
    let known = (position.file.starts_with("r.") || position.file.starts_with("r_test."))
        && (1..=lines).contains(&(position.line as usize));
    assert!((known || &*position.file == "rollouts.yaml") && position.column >= 1, "{diagnostic}");
    assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains(char::is_control), "{diagnostic}");
}
