//! Bundles with rules, and what they say of a release.
#![allow(dead_code, reason = "every test file uses its own part")]

use davy::{Asked, Bundle, BundleError, Decision, Engine, Facts, Outcome, Snapshot, State};

/// A rollout of `checkout` with these entries of `rules` and what else its `spec` says.
pub(crate) fn rollout(rules: &str, more: &str) -> String {
    format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout, annotations: {{ davy/risk: high }} }}\nspec:\n  \
         holdLimit: {{ after: 2h, then: hold }}\n{more}\n  rules:\n{rules}\n"
    )
}

/// The engine of a rollout with one rule in this file.
pub(crate) fn with_file(file: &str, text: &str) -> Result<Engine, BundleError> {
    with_more(file, text, "")
}

pub(crate) fn with_more(file: &str, text: &str, more: &str) -> Result<Engine, BundleError> {
    let rollout = rollout(&format!("    - {file}"), more);
    let bundle = Bundle::from_files([("rollouts.yaml", rollout.as_str()), (file, text)])?;
    Engine::builder(&bundle).rules(davy_rules::languages()).build()
}

/// A Rego file of the package `r`.
pub(crate) fn rego(text: &str) -> Engine {
    let text = format!("package r\n\n{text}\n");
    with_file("r.rego", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) fn cel(text: &str) -> Engine {
    with_file("r.cel", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Codes of the diagnostics of a rule that is refused, or else its warnings, each with its line and column.
pub(crate) fn diagnostics(file: &str, text: &str) -> Vec<String> {
    let one = |it: &davy::Diagnostic| format!("{} {}:{}", it.code, it.position.line, it.position.column);
    match with_file(file, text) {
        Ok(engine) => engine.warnings().iter().map(one).collect(),
        Err(error) => error.diagnostics().iter().map(one).collect(),
    }
}

pub(crate) fn snapshot(asked: Asked, facts: &str) -> Snapshot {
    let asked = serde_json::to_string(&asked).unwrap();
    let json = format!(
        r#"{{ "now": "2026-11-27T16:30:05Z", "asked": {asked}, "stage": "canary", "weight": "5%",
             "since": "2026-11-27T16:20:00Z", "facts": {facts},
             "release": {{ "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
                           "startedAt": "2026-11-27T16:00:00Z" }} }}"#
    );
    Snapshot::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

pub(crate) fn facts(json: &str) -> Facts {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

pub(crate) fn decide(engine: &Engine, snapshot: &Snapshot) -> Decision {
    let state = State::new();
    engine.decide(&state, snapshot).decision
}

/// What the rules say of `start` with these facts, as outcome, code and sentence.
pub(crate) fn says(engine: &Engine, facts: &str) -> Vec<String> {
    of_rules(&decide(engine, &snapshot(Asked::Start, facts)))
}

pub(crate) fn of_rules(decision: &Decision) -> Vec<String> {
    let rules = decision.findings.iter().filter(|finding| finding.code().starts_with("rules."));
    let line = |finding: &davy::Finding| {
        let outcome = match finding.outcome {
            Outcome::Pass => "pass",
            Outcome::Hold(_) => "hold",
            Outcome::Fail => "fail",
        };
        format!("{outcome} {} {}", finding.code(), davy::render::sentence(finding))
    };
    rules.map(line).collect()
}
