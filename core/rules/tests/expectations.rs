//! The expectation `cel` of flows: what it reads, what is missing, and what it may cost.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use davy::probe::{AnswerFacts, Expectation, ExpectationLanguage, HttpResponse, Micros};
use davy::{Bundle, ProbeFlows};
use serde_json::{Value as Json, json};

fn compile(text: &str) -> Result<Arc<dyn Expectation>, String> {
    ExpectationLanguage::compile(&davy_rules::Cel, &Json::from(text))
}

fn judge(text: &str, body: &str) -> Result<(), String> {
    let compiled = compile(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    let headers = json!([["Content-Type", "application/json"], ["via", "a"], ["Via", "b"]]);
    let response = json!({ "status": 200, "version": "1.1", "headers": headers, "body": body });
    let response: HttpResponse = serde_json::from_value(response).unwrap();
    let json: Option<Json> = serde_json::from_str(body).ok();
    compiled.judge(&AnswerFacts { response: &response, json: json.as_ref(), duration: Micros(1_200_001), redirects: 1 })
}

#[test]
fn an_answer_is_held_against_the_expression() {
    for (text, body, why) in [
        ("json.total >= 3", r#"{"total": 3}"#, ""),
        ("json.total >= 3", r#"{"total": 2}"#, "`json.total >= 3` is false (json.total is 2)"),
        (
            "status == 200 && json.total >= 3 && json.name != 'x'",
            r#"{"total": 2, "name": "x"}"#,
            "`json.total >= 3` is false (json.total is 2); `json.name != 'x'` is false (json.name is \"x\")",
        ),
        // All that core promises is there.
        ("status == 200 && redirects == 1 && durationMs == 1201 && body == 'a'", "a", ""),
        ("headers['content-type'].startsWith('application/json') && headers.via == 'a, b'", "", ""),
        ("json.items.all(item, item.price > 0.0)", r#"{"items": [{"price": 0.5}, {"price": 2}]}"#, ""),
        (
            "json.items.all(item, item.price > 0)",
            r#"{"items": [{"price": 0}]}"#,
            "`json.items.all(item, item.price > 0)` is false (json.items is a list of 1)",
        ),
        ("json == null || json.a == null", r#"{"a": null}"#, ""),
        ("json[0] == 1", "[1]", ""),
        ("json.size() == 2", "[1, 2]", ""),
        // Integers stay integers.
        ("json.id == 9007199254740993", r#"{"id": 9007199254740993}"#, ""),
        ("json.id != 9007199254740992", r#"{"id": 9007199254740993}"#, ""),
        ("json.big > 1e30", r#"{"big": 1e31}"#, ""),
        // What is missing is not false, on either side of what the language absorbs.
        ("json.total >= 3", "{}", "`json.total` is not there, and the expression does not ask whether"),
        ("json.a == 1 || json.b == 1", r#"{"a": 1}"#, "`json.b` is not there, and the expression does not ask whether"),
        (
            "json.a == 1 || json.b == 1",
            "{}",
            "`json.a`, `json.b` are not there, and the expression does not ask whether",
        ),
        ("!(json.total < 3)", "{}", "`json.total` is not there, and the expression does not ask whether"),
        ("headers.etag != ''", "", "`headers.etag` is not there, and the expression does not ask whether"),
        ("json.total >= 3", "<h1>", "the body is not JSON"),
        (
            "json.items.all(i, i.n > 0)",
            r#"{"items": [{"n": 1}, {}]}"#,
            "`json.items[1].n` is not there, and the expression does not ask whether",
        ),
        ("!has(json.total) || json.total >= 3", "{}", ""),
        ("has(headers.etag)", "", "`has(headers.etag)` is false (headers is a map of 2)"),
        // What has no answer is not met either.
        ("json.total >= 3", r#"{"total": "3"}"#, "`json.total >= 3` has no answer: `>=` does not take string and int"),
        ("json.total", r#"{"total": 3}"#, "`json.total` has no answer: it is neither true nor false"),
        ("1 / json.total == 1", r#"{"total": 0}"#, "`1 / json.total == 1` has no answer: division by zero"),
    ] {
        let judged = judge(text, body).err().unwrap_or_default();
        assert_eq!(judged, why, "{text}\n{body}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_when_the_flow_is_read() {
    for (text, why) in [
        ("jsn.total > 3", "the input never has `jsn`: did you mean `json`?"),
        ("status.code == 200", "`status` never has `code`"),
        ("json.total >", "syntax error"),
        ("true", "it is the same for every answer"),
        ("1 < 2 && 'a' == 'a'", "it is the same for every answer"),
        ("timestamp(body) > timestamp(body)", "the function `timestamp` is not allowed"),
        ("body.matches(json.pattern)", "the pattern of `matches` is a text that is written out"),
        ("json.a == 1 &&\nbody.foo() == 1", "the function `foo` is not allowed (line 2 of it)"),
        (&format!("{}status{} == 200", "(".repeat(50), ")".repeat(50)), "brackets nest at most 8 deep"),
        (&format!("status == 200 || {}", "status == 200 || ".repeat(1000)), "at most 8192 are read"),
        ("json.a.all(a, json.b.all(b, json.c.all(c, a == b)))", "stand in each other"),
    ] {
        let refused = compile(text).unwrap_err();
        assert!(refused.contains(why), "{text}: {refused}");
        assert!(!refused.ends_with('.') && !refused.contains('\n'), "{refused}");
    }
    assert!(ExpectationLanguage::compile(&davy_rules::Cel, &json!(true)).is_err());
}

#[test]
fn an_answer_that_would_cost_too_much_is_not_as_expected() {
    let list = |length: usize| format!("{{\"l\": [{}]}}", vec!["1"; length].join(","));
    let nested = "json.l.all(a, json.l.all(b, a == b))";
    assert_eq!(judge(nested, &list(50)), Ok(()));
    let refused = judge(nested, &list(3000)).unwrap_err();
    assert_eq!(refused, "the answer is too large for it: it could take more than 100000 steps");
    assert!(judge("body.contains('x')", &"a".repeat(4 << 20)).is_err());
    // Deep answers, on the stack of a test.
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(judge("json.size() == 1", &deep), Ok(()));
}

const FLOW: &str = "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: { name: shop }\nspec:\n  targets: { prod: { baseUrl: https://shop.example } }\n  slos: [{ name: shop, objective: 90%, period: 30d }]\n  steps: [{ id: a, request: { path: / }, expect: { status: 200, cel: json.ready } }]\n";

#[test]
fn flows_and_bundles_take_the_language() {
    let languages = davy_rules::expectations();
    assert!(ProbeFlows::with_languages([("shop.yaml", FLOW)], &languages).is_ok());
    let wrong = FLOW.replace("json.ready", "jsn.ready");
    let error = ProbeFlows::with_languages([("shop.yaml", wrong.as_str())], &languages).unwrap_err();
    let is_told = |error: &davy::BundleError| {
        error.diagnostics().iter().any(|one| one.code.as_str() == "P007" && one.position.line == 7)
    };
    assert!(is_told(&error), "{error}");
    let rollout = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: shop }\nspec: { probes: [shop], holdLimit: { after: 1h, then: fail } }\n";
    let bundle = |flow: &str| Bundle::with_languages([("rollouts.yaml", rollout), ("shop.yaml", flow)], &languages);
    assert!(bundle(FLOW).is_ok());
    assert!(is_told(&bundle(&wrong).unwrap_err()));
    // Another language is another host's.
    assert!(bundle(&FLOW.replace("cel: json.ready", "schema: { type: object }")).is_ok());
    assert!(Bundle::from_files([("rollouts.yaml", rollout), ("shop.yaml", wrong.as_str())]).is_ok());
}
