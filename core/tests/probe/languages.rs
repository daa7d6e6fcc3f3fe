//! Expectations in languages that a host brings.

use std::sync::Arc;

use davy::probe::{AnswerFacts, Expectation, ExpectationKey, ExpectationLanguage, Plan};
use davy::{Bundle, ProbeFlows, ProbeVerdict as Verdict};

use crate::host::{Host, answer};

/// A language of which every expression is the name of a field that must be `true`.
#[derive(Debug)]
struct Field;

#[derive(Debug)]
struct Named(String);

impl ExpectationLanguage for Field {
    fn key(&self) -> ExpectationKey {
        ExpectationKey::Cel
    }

    fn compile(&self, source: &serde_json::Value) -> Result<Arc<dyn Expectation>, String> {
        match source.as_str() {
            Some(name) if !name.is_empty() => Ok(Arc::new(Named(name.to_owned()))),
            _ => Err("a name is expected".to_owned()),
        }
    }
}

impl Expectation for Named {
    fn judge(&self, answer: &AnswerFacts<'_>) -> Result<(), String> {
        assert_eq!(answer.response.status, 200);
        match answer.json.and_then(|json| json.get(&self.0)) {
            Some(serde_json::Value::Bool(true)) => Ok(()),
            other => Err(format!("`{}` is {other:?}", self.0)),
        }
    }
}

const FLOW: &str = "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: { name: shop }\nspec:\n  targets: { prod: { baseUrl: https://shop.example } }\n  slos: [{ name: shop, objective: 90%, period: 30d }]\n  steps: [{ id: a, request: { path: / }, expect: { status: 200, cel: ready } }]\n";

fn run(plan: &Arc<Plan>, body: &'static str) -> davy::probe::FlowResult {
    Host::new(move |_, _| answer(200, body)).run(plan)
}

#[test]
fn an_expectation_in_a_language_of_the_host_is_judged_like_any_other() {
    let flows = ProbeFlows::with_languages([("shop.yaml", FLOW)], &[Arc::new(Field)]).unwrap();
    let plan = flows.get("shop").unwrap();
    assert_eq!(run(plan, r#"{"ready":true}"#).verdict, Verdict::Pass);
    let failed = run(plan, r#"{"ready":false}"#);
    assert_eq!(failed.verdict, Verdict::Fail);
    let reason = failed.reason.unwrap();
    assert!(reason.contains("cel: expected ready, found `ready` is Some(Bool(false)) (shop.yaml:7:"), "{reason}");
    assert_eq!(run(plan, "<h1>").verdict, Verdict::Fail);
    let error =
        ProbeFlows::with_languages([("shop.yaml", FLOW.replace("ready", "''"))], &[Arc::new(Field)]).unwrap_err();
    assert!(error.to_string().contains("P007: `cel` cannot be used: a name is expected"), "{error}");
}

#[test]
fn what_no_host_can_judge_is_the_probers_fault() {
    let rollout = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: shop }\nspec: { probes: [shop], holdLimit: { after: 1h, then: fail } }\n";
    let bundle = Bundle::from_files([("rollouts.yaml", rollout), ("shop.yaml", FLOW)]).unwrap();
    let result = run(bundle.probes().get("shop").unwrap(), r#"{"ready":true}"#);
    assert_eq!(result.verdict, Verdict::Error, "{result:?}");
    assert!(result.slos.is_empty() && result.evaluated == 1, "{result:?}");
    // What failed anyway failed.
    let result = Host::new(|_, _| answer(500, "{}")).run(bundle.probes().get("shop").unwrap());
    assert_eq!(result.verdict, Verdict::Fail);
}
