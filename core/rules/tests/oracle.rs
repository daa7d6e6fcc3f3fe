//! The same limits in the engine's own words, in Rego and in CEL: the same findings over thousands of snapshots with
//! missing and odd values; and the machine of `regorus` against its interpreter on each of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::sync::Arc;

use davy::rule::{RuleSource, Said};
use davy::{
    Bundle, Cohort, Count, Diagnostic, Engine, Fact, HoldKind, Interval, Missing, Name, Observation, Observed, Outcome,
    Rule, RuleInput, RuleLanguage, Snapshot, State,
};
use proptest::prelude::*;
use regorus::{CompiledPolicy, Value};
use support::*;

/// At least so many snapshots, over all properties of this file.
const CASES: u32 = 10_500;

const METRICS: &str = "  health:
    judge: threshold
    every: 1m
    settle: 0s
    warmUp: 0s
    metrics:
      - { name: errors, bad: b, total: t, max: 1% }
      - { name: cpu, gauge: g, min: 0.1, max: 0.85 }
      - { name: restarts, events: e, max: 2 }
  holdLimit: { after: 2h, then: hold }";

/// The same limits; the message is the name of the metric.
const RULES: [(&str, &str, &str); 3] = [
    (
        "errors",
        "package r\nfail contains \"errors\" if input.observations.errors.bad * 100 > input.observations.errors.total",
        "// outcome: fail\nobservations.errors.bad * 100 <= observations.errors.total",
    ),
    (
        "cpu",
        "package r\nvalue := input.observations.cpu.value\nfail contains \"cpu\" if value > 0.85\nfail contains \"cpu\" if value < 0.1",
        "// outcome: fail\nobservations.cpu.value <= 0.85 && observations.cpu.value >= 0.1",
    ),
    (
        "restarts",
        "package r\nfail contains \"restarts\" if {\n\tsome name, seen in input.observations\n\tname == \"restarts\"\n\tinput.observations.restarts.count > 2\n\tseen.start != \"\"\n}",
        "// outcome: fail\nobservations.restarts.count <= 2",
    ),
];

/// Rego, whose answers the interpreter of the same crate must give as well.
#[derive(Debug)]
struct Twice;

struct Both {
    rule: Arc<dyn Rule>,
    interpreter: CompiledPolicy,
}

impl std::fmt::Debug for Both {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.rule.fmt(f)
    }
}

impl RuleLanguage for Twice {
    fn name(&self) -> &'static str {
        "rego"
    }

    fn compile(&self, source: &RuleSource<'_>, report: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        let rule = davy_rules::Rego.compile(source, report)?;
        let mut engine = regorus::Engine::new();
        engine.add_policy("r.rego".to_owned(), source.text.to_owned()).unwrap();
        let interpreter = engine.compile_with_entrypoint(&"data.r.fail".into()).unwrap();
        Some(Arc::new(Both { rule, interpreter }))
    }
}

impl Rule for Both {
    fn judge(&self, input: &RuleInput) -> Vec<Said> {
        let said = self.rule.judge(input);
        let mut messages: Vec<String> = said
            .iter()
            .filter_map(|said| match said {
                Said::Fired { message, .. } => Some(message.to_string()),
                _ => None,
            })
            .collect();
        messages.sort();
        let blind = said.iter().any(|said| !matches!(said, Said::Fired { .. }));
        let set = self.interpreter.eval_with_input(value_of(input.document())).unwrap();
        let interpreted: Vec<String> =
            set.as_set().unwrap().iter().map(|member| member.as_string().unwrap().to_string()).collect();
        assert!(blind || messages == interpreted, "machine {messages:?}, interpreter {interpreted:?}");
        said
    }
}

/// By way of JSON, which the rules themselves do not take.
fn value_of(fact: &Fact) -> Value {
    Value::from_json_str(&serde_json_text(fact)).unwrap()
}

fn serde_json_text(fact: &Fact) -> String {
    String::from_utf8(davy::canonical_json(fact).unwrap()).unwrap()
}

fn engine() -> Engine {
    let mut files = Vec::new();
    let mut entries = String::new();
    for (name, rego, cel) in RULES {
        files.push((format!("{name}.rego"), rego.to_owned()));
        files.push((format!("{name}.cel"), cel.to_owned()));
        entries += &format!(
            "    - {{ name: {name}-rego, file: {name}.rego }}\n    - {{ name: {name}-cel, file: {name}.cel }}\n"
        );
    }
    let rollout = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n{METRICS}\n  rules:\n{entries}"
    );
    files.push(("rollouts.yaml".to_owned(), rollout));
    let bundle = Bundle::from_files(files).unwrap_or_else(|error| panic!("{error}"));
    let languages: [Arc<dyn RuleLanguage>; 2] = [Arc::new(Twice), Arc::new(davy_rules::Cel)];
    Engine::builder(&bundle).rules(languages).build().unwrap_or_else(|error| panic!("{error}"))
}

fn observed() -> impl Strategy<Value = Option<Observed>> {
    let count = |most: u64| (0..=most).prop_map(|count| Count::new(count).unwrap());
    let counts = (0_u64..=40, 0_u64..=4000).prop_map(|(bad, total)| Observed::Counts {
        bad: Count::new(bad.min(total)).unwrap(),
        total: Count::new(total).unwrap(),
    });
    let edge = (0_u64..=50)
        .prop_flat_map(|bad| (Just(bad), bad.max(1) * 100 - 1..=bad.max(1) * 100 + 1))
        .prop_map(|(bad, total)| Observed::Counts { bad: Count::new(bad).unwrap(), total: Count::new(total).unwrap() });
    let huge = Just(Observed::Counts { bad: Count::new((1 << 53) / 100).unwrap(), total: Count::MAX });
    let gauge = prop_oneof![
        (0_i32..=1000).prop_map(|thousandths| f64::from(thousandths) / 1000.0),
        prop::sample::select(vec![0.85, 0.1, 0.85 + f64::EPSILON, 0.0, -0.0, 1.0, -5.0, 1e300, 1e-300]),
    ];
    let missing = prop::sample::select(vec![
        Missing::NoData,
        Missing::Nan,
        Missing::PositiveInfinity,
        Missing::NegativeInfinity,
        Missing::NoAnswer,
    ]);
    prop_oneof![
        4 => counts.prop_map(Some),
        3 => edge.prop_map(Some),
        1 => huge.prop_map(Some),
        4 => gauge.prop_map(|value| Some(Observed::Gauge(value))),
        4 => count(5).prop_map(|count| Some(Observed::Events(count))),
        1 => missing.prop_map(|missing| Some(Observed::Missing(missing))),
        1 => Just(None),
    ]
}

/// Mostly of the right form, sometimes of any.
fn seen() -> impl Strategy<Value = Vec<Observation>> {
    let right = |wanted: fn(&Observed) -> bool| {
        observed().prop_filter("the right form", move |seen| {
            seen.as_ref().is_none_or(|seen| wanted(seen) || matches!(seen, Observed::Missing(_)))
        })
    };
    let of = |wanted: fn(&Observed) -> bool| prop_oneof![9 => right(wanted), 1 => observed()];
    let errors = of(|seen| matches!(seen, Observed::Counts { .. }));
    let cpu = of(|seen| matches!(seen, Observed::Gauge(_)));
    let restarts = of(|seen| matches!(seen, Observed::Events(_)));
    (errors, cpu, restarts).prop_map(|(errors, cpu, restarts)| {
        let named = [("errors", errors), ("cpu", cpu), ("restarts", restarts)];
        let observation = |(metric, observed): (&str, Option<Observed>)| {
            let metric: Name = metric.parse().unwrap();
            Some(Observation { metric, cohort: Cohort::Canary, replica: None, observed: observed? })
        };
        named.into_iter().filter_map(observation).collect()
    })
}

fn plain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Hold(HoldKind::Blind) => "blind",
        // What the engine waits for, a rule cannot tell from what it does not see.
        Outcome::Hold(_) => "blind",
        Outcome::Fail => "fail",
    }
}

#[test]
fn native_limits_rego_and_cel_find_the_same() {
    let engine = engine();
    let base = snapshot(davy::Asked::Promote, "{}");
    let mut tally = std::collections::BTreeMap::new();
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let tallied = std::cell::RefCell::new(&mut tally);
    runner
        .run(&seen(), |observations| {
            let start = base.release.started_at;
            let end = start.plus(davy::Duration::from_minutes(1));
            let interval = Interval::new(start, end, observations).unwrap();
            let seen = Snapshot { now: end, since: start, intervals: vec![interval], ..base.clone() };
            let state = State::new();
            let decision = engine.decide(&state, &seen).decision;
            for (metric, ..) in RULES {
                let of = |name: &str, gate: &str| {
                    let found = decision.findings.iter().find(|finding| {
                        finding.code().starts_with(gate)
                            && finding.subject.as_ref().is_some_and(|it| it.as_str() == name)
                    });
                    found.map(|finding| plain(finding.outcome))
                };
                let native = of(metric, "health.");
                let rego = of(&format!("{metric}-rego"), "rules.");
                let cel = of(&format!("{metric}-cel"), "rules.");
                prop_assert!(
                    native.is_some() && native == rego && rego == cel,
                    "{metric}: native {native:?}, rego {rego:?}, cel {cel:?}\n{decision}"
                );
                *tallied.borrow_mut().entry((metric, native.unwrap())).or_insert(0_u32) += 1;
            }
            Ok(())
        })
        .unwrap();
    // Each answer came up, for each metric, often enough to mean something.
    for (metric, ..) in RULES {
        for answer in ["pass", "blind", "fail"] {
            let times = tally.get(&(metric, answer)).copied().unwrap_or(0);
            assert!(times >= 300, "{metric} {answer}: {times} times of {CASES}");
        }
    }
}
