//! Rules, whatever their language: what a rule says becomes a finding, and never loosens anything. The language
//! here reads the wanted answer from the rule's text, so that the engine alone is tested.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::sync::Arc;

use davy::document::RuleOutcome;
use davy::rule::{INPUT, RuleSource, Said};
use davy::{
    Asked, Cause, Decision, Diagnostic, Engine, Fact, Facts, Limit, Record, Rule, RuleInput, RuleLanguage, Snapshot,
    Stage, Standing, State, Verdict,
};
use proptest::prelude::*;
use support::*;

/// Says what its text says; `seen PATH` fires when the path has a value, so that what rules see can be tested.
#[derive(Debug)]
struct Echo;

#[derive(Debug)]
struct Words {
    words: Vec<String>,
    position: davy::document::Position,
}

impl RuleLanguage for Echo {
    fn name(&self) -> &'static str {
        "cel"
    }

    fn compile(&self, source: &RuleSource<'_>, _: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        let words = source.text.split_whitespace().map(str::to_owned).collect();
        Some(Arc::new(Words { words, position: source.position(1, 1) }))
    }
}

impl Rule for Words {
    fn judge(&self, input: &RuleInput) -> Vec<Said> {
        let position = self.position.clone();
        let fired = |outcome| Said::Fired {
            outcome,
            message: text("said so"),
            code: None,
            conditions: Vec::new(),
            position: position.clone(),
        };
        let seen = |code: &str| match input.document().get("findings") {
            Some(Fact::List(findings)) => findings.iter().any(|it| it.get("code") == Some(&Fact::Text(code.into()))),
            _ => false,
        };
        let said = |words: &[&str]| match words {
            ["pass"] => None,
            ["fail"] => Some(fired(RuleOutcome::Fail)),
            ["deny"] => Some(fired(RuleOutcome::Deny)),
            ["hold"] => Some(fired(RuleOutcome::Hold)),
            ["warn"] => Some(fired(RuleOutcome::Warn)),
            ["seen", code] => seen(code).then(|| fired(RuleOutcome::Hold)),
            ["missing"] => Some(Said::Missing { paths: vec![text("facts.ticket")], position: position.clone() }),
            ["failed"] => Some(Said::Failed { problem: text("no"), position: position.clone() }),
            ["exhausted"] => {
                Some(Said::Exhausted { limit: Limit::Instructions(count(25_000)), position: position.clone() })
            }
            ["shaped"] => INPUT.mismatch(input.document()).map(|path| Said::Failed {
                problem: text(&format!("wrong shape at `{path}`")),
                position: position.clone(),
            }),
            other => panic!("{other:?}"),
        };
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        words.split(|word| *word == "and").filter_map(said).collect()
    }
}

fn engine_with(spec: &str) -> Engine {
    let language: Arc<dyn RuleLanguage> = Arc::new(Echo);
    Engine::builder(&bundle(spec)).rules([language]).build().unwrap()
}

fn decide(spec: &str, snapshot: &Snapshot) -> Decision {
    engine_with(spec).decide(&State::new(), snapshot).decision
}

fn codes(decision: &Decision) -> Vec<String> {
    let of_rules = decision.findings.iter().filter(|finding| finding.code().starts_with("rules."));
    of_rules.map(|finding| format!("{} {}", finding.code(), finding.subject.as_ref().unwrap())).collect()
}

fn rule(says: &str) -> String {
    format!("rules: [{{ name: r, cel: \"{says}\" }}]")
}

/// What is asked, what a rule says in which stage, and the verdict with the code behind it.
#[test]
fn the_table_of_what_a_rule_says_by_what_is_asked() {
    use Stage::{Canary, Live};
    let (start, advance, promote, keep) = (Asked::Start, advance("25%"), Asked::Promote, Asked::Keep);
    let rows = [
        ("pass", start, Canary, "proceed", "rules.passed"),
        ("warn", start, Canary, "proceed", "rules.warn"),
        ("warn", promote, Canary, "proceed", "rules.warn"),
        ("hold", start, Canary, "hold", "rules.hold"),
        ("hold", advance, Canary, "hold", "rules.hold"),
        ("hold", promote, Canary, "hold", "rules.hold"),
        ("hold", keep, Canary, "proceed", "rules.hold"),
        ("deny", start, Canary, "abort", "rules.deny"),
        ("deny", advance, Canary, "hold", "rules.deny"),
        ("deny", promote, Canary, "hold", "rules.deny"),
        ("deny", keep, Canary, "proceed", "rules.deny"),
        ("deny", keep, Live, "proceed", "rules.deny"),
        ("fail", start, Canary, "abort", "rules.fail"),
        ("fail", advance, Canary, "abort", "rules.fail"),
        ("fail", promote, Canary, "abort", "rules.fail"),
        ("fail", keep, Canary, "abort", "rules.fail"),
        ("fail", keep, Live, "rollback", "rules.fail"),
        ("missing", start, Canary, "hold", "rules.missing"),
        ("missing", keep, Canary, "hold", "rules.missing"),
        ("missing", keep, Live, "hold", "rules.missing"),
        ("failed", advance, Canary, "hold", "rules.broken"),
        ("failed", keep, Live, "hold", "rules.broken"),
        ("exhausted", advance, Canary, "hold", "rules.exhausted"),
        ("exhausted", keep, Live, "hold", "rules.exhausted"),
    ];
    for (says, asked, stage, verdict, code) in rows {
        let decision = decide(&rule(says), &Snapshot { stage, ..snapshot(asked) });
        assert_eq!(decision.verdict.as_str(), verdict, "{says} {asked} {stage}\n{decision}");
        assert_eq!(codes(&decision), [format!("{code} r")], "{says} {asked} {stage}");
    }
}

#[test]
fn a_failure_weighs_more_than_what_is_missing_beside_it() {
    let decision = decide(&rule("missing and fail and warn"), &snapshot(Asked::Keep));
    assert_eq!(decision.verdict, Verdict::Abort);
    assert_eq!(codes(&decision), ["rules.fail r", "rules.missing r", "rules.warn r"]);
}

#[test]
fn a_bundle_with_rules_is_refused_by_an_engine_without_their_language() {
    let bundle = bundle(&rule("pass"));
    let error = Engine::builder(&bundle).build().unwrap_err();
    assert_eq!(error.diagnostics().iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["U006"]);
    // The engine for bundles without rules skips nothing either.
    let decision = Engine::new(&bundle).decide(&State::new(), &snapshot(Asked::Keep)).decision;
    assert_eq!(decision.verdict, Verdict::Hold);
    assert_eq!(codes(&decision), ["rules.no-language r"]);
}

#[test]
fn rules_see_what_gates_found_and_never_each_other() {
    let steps = "steps: [{ weight: 5%, atLeast: 5m }]";
    let rules = "rules: [{ name: a, cel: seen steps.dwell }, { name: b, cel: seen rules.hold }, \
                 { name: c, cel: hold }, { name: d, cel: seen rules.hold }]";
    let decision = decide(&format!("{steps}, {rules}"), &snapshot(advance("25%")));
    assert_eq!(codes(&decision), ["rules.hold a", "rules.hold c", "rules.passed b", "rules.passed d"]);
}

#[test]
fn an_environment_replaces_the_rules_above_it() {
    let spec =
        format!("{}, environments: {{ prod: {{ rules: [{{ name: p, cel: warn }}] }}, staging: {{}} }}", rule("hold"));
    assert_eq!(codes(&decide(&spec, &snapshot(Asked::Start))), ["rules.warn p"]);
    let mut staging = snapshot(Asked::Start);
    staging.release.environment = name("staging");
    assert_eq!(codes(&decide(&spec, &staging)), ["rules.hold r"]);
}

#[test]
fn a_failure_of_a_rule_stays_when_the_rule_is_quiet_again() {
    let engine = engine_with("rules: [{ name: r, cel: fail }]");
    let (fresh, seen) = (State::new(), snapshot(Asked::Keep));
    let state = engine.decide(&fresh, &seen).state;
    let later = engine.decide(&state, &Snapshot { now: minute(1), ..snapshot(Asked::Keep) }).decision;
    assert_eq!(codes(&later), ["rules.fail r"], "once, and not again as a recollection");
    assert_eq!(later.findings[0].latched_at, Some(minute(0)));
}

#[test]
fn a_shadow_never_counts_and_says_where_it_would_have() {
    let live = |says: &str| format!("{{ name: live, cel: {says} }}");
    let shadow = |says: &str, more: &str| format!("{{ name: next, cel: {says}, shadow: true{more} }}");
    let instead = ", insteadOf: live";
    for (spec, verdict, would) in [
        (format!("{}, {}", live("pass"), shadow("fail", "")), "proceed", Some("abort")),
        (format!("{}, {}", live("pass"), shadow("warn", "")), "proceed", None),
        (format!("{}, {}", live("hold"), shadow("pass", "")), "hold", None),
        (format!("{}, {}", live("hold"), shadow("pass", instead)), "hold", Some("proceed")),
        (format!("{}, {}", live("hold"), shadow("deny", instead)), "hold", None),
        (format!("{}, {}", live("fail"), shadow("missing", instead)), "abort", Some("hold")),
    ] {
        let decision = decide(&format!("rules: [{spec}]"), &snapshot(Asked::Promote));
        assert_eq!(decision.verdict.as_str(), verdict, "{spec}");
        let own = decision.findings.iter().filter(|finding| finding.subject == Some(name("next")));
        let shown: Vec<_> = own.filter(|finding| finding.code() != "rules.shadow").collect();
        assert!(shown.iter().all(|finding| finding.standing == Standing::DryRun), "{spec}");
        let difference = decision.findings.iter().find_map(|finding| match &finding.cause {
            Cause::RulesShadow { verdict, .. } => Some(verdict.as_str()),
            _ => None,
        });
        assert_eq!(difference, would, "{spec}");
    }
}

#[test]
fn facts_are_part_of_what_a_record_was_made_from() {
    let engine = engine_with(&rule("pass"));
    let state = State::new();
    let facts = |json: &str| -> Facts { serde_json::from_str(json).unwrap() };
    let seen = Snapshot { facts: facts(r#"{"ticket":"CHG-1","n":[1,2.5,null,true]}"#), ..snapshot(Asked::Start) };
    let record = engine.decide(&state, &seen).seal().unwrap();
    let read = Record::from_bytes(record.bytes()).unwrap();
    read.replay(&engine, &state, &seen).unwrap();
    let other = Snapshot { facts: facts(r#"{"ticket":"CHG-2"}"#), ..seen.clone() };
    assert!(read.replay(&engine, &state, &other).is_err());
    // As JSON and back it is the same snapshot.
    let json = serde_json::to_vec(&seen).unwrap();
    assert_eq!(Snapshot::from_json(&json).unwrap(), seen);
}

#[test]
fn the_document_has_the_shape_that_is_published() {
    let spec = format!("{}, {}", rule("shaped"), threshold(&[ERRORS, "name: cpu, gauge: g, max: 0.8"]));
    let engine = engine_with(&spec);
    let mut state = State::new();
    for end in 1..4 {
        let mut seen = Snapshot { now: minute(end), ..snapshot(advance("25%")) };
        seen.intervals = vec![interval(end, [canary("errors", counts(1, 100)), canary("cpu", gauge(0.5))])];
        let step = engine.decide(&state, &seen);
        assert_eq!(codes(&step.decision), ["rules.passed r"], "{}", step.decision);
        state = step.state;
    }
}

#[test]
fn waivers_lower_rules_like_any_other_finding() {
    let mut seen = snapshot(Asked::Start);
    seen.overrides = vec![waive(&["rules.hold"])];
    assert_eq!(decide(&rule("hold"), &seen).verdict, Verdict::Proceed);
    seen.overrides = vec![waive(&["rules.fail"])];
    assert_eq!(decide(&rule("fail"), &seen).verdict, Verdict::Abort, "only where the policy lets failures be waived");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Rules only add findings: with more of them the verdict is never laxer, and their order changes nothing.
    #[test]
    fn more_rules_never_loosen_and_their_order_cannot_matter(
        says in prop::collection::vec(prop::sample::select(vec!["pass", "warn", "hold", "deny", "fail", "missing"]), 1..6),
        asked in prop::sample::select(vec![Asked::Start, Asked::Promote, Asked::Keep]),
    ) {
        let entries: Vec<String> =
            says.iter().enumerate().map(|(number, says)| format!("{{ name: r{number}, cel: {says} }}")).collect();
        let of = |entries: &[String]| decide(&format!("rules: [{}]", entries.join(", ")), &snapshot(asked));
        let all = of(&entries);
        let fewer = of(&entries[1..]);
        prop_assert!(fewer.verdict <= all.verdict);
        let mut reversed = entries.clone();
        reversed.reverse();
        let found = |decision: Decision| {
            let mut found: Vec<String> = decision.findings.iter().map(|it| format!("{:?} {}", it.outcome, it.code())).collect();
            found.sort();
            found
        };
        let (there, back) = (all.verdict, of(&reversed));
        prop_assert_eq!(there, back.verdict);
        prop_assert_eq!(found(all), found(back));
    }
}
