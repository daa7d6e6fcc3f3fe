//! Ten conditions over an input of 2 KB: davy's rules beside the raw machine of `regorus`, raw `cel` and
//! `cedar-policy`; how the conversion is shared; and the same limits as metrics.

use std::hint::black_box;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use criterion::Criterion;
use davy::rule::{RuleSource, Said};
use davy::{
    Asked, Bundle, Cohort, Diagnostic, Engine, Fact, Interval, Name, Observation, Observed, Rule, RuleInput,
    RuleLanguage, Snapshot, State, Verdict,
};
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;

fn main() {
    let mut criterion = Criterion::default().sample_size(50).without_plots().configure_from_args();
    judging(&mut criterion);
    deciding(&mut criterion);
    criterion.final_summary();
}

/// Ten numbers that are within their limits, and what else makes up 2 KB.
fn facts() -> String {
    let numbers: Vec<String> = (0..10).map(|n| format!("\"c{n}\": {}", 40 + n)).collect();
    let images: Vec<String> = (0..12)
        .map(|n| format!("{{\"ref\": \"registry.example.com/app-{n}@sha256:{}\", \"size\": {n}}}", "a".repeat(64)))
        .collect();
    format!("{{ {}, \"images\": [{}] }}", numbers.join(", "), images.join(", "))
}

fn rego() -> String {
    let conditions: Vec<String> =
        (0..10).map(|n| format!("deny contains \"c{n}\" if input.facts.c{n} > 100\n")).collect();
    format!("package r\n{}", conditions.concat())
}

fn cel() -> String {
    (0..10).map(|n| format!("facts.c{n} <= 100")).collect::<Vec<_>>().join(" && ")
}

fn cedar() -> String {
    let forbid = |n| format!("forbid (principal, action, resource) when {{ context.facts.c{n} > 100 }};\n");
    format!("permit (principal, action, resource);\n{}", (0..10).map(forbid).collect::<String>())
}

fn snapshot(more: &str) -> Snapshot {
    let json = format!(
        r#"{{ "now": "2026-11-27T16:30:05Z", "asked": "promote", "stage": "canary", "weight": "5%",
             "since": "2026-11-27T16:20:00Z", "facts": {}, {more}
             "release": {{ "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
                           "startedAt": "2026-11-27T16:00:00Z" }} }}"#,
        facts()
    );
    Snapshot::from_json(json.as_bytes()).expect("a snapshot")
}

/// Keeps the document that rules are handed.
#[derive(Debug, Clone, Default)]
struct Spy(Arc<Mutex<Option<Fact>>>);

impl RuleLanguage for Spy {
    fn name(&self) -> &'static str {
        "cel"
    }
    fn compile(&self, _: &RuleSource<'_>, _: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        Some(Arc::new(self.clone()))
    }
}

impl Rule for Spy {
    fn judge(&self, input: &RuleInput) -> Vec<Said> {
        *self.0.lock().expect("one thread") = Some(input.document().clone());
        Vec::new()
    }
}

fn rollout(rules: &str) -> String {
    format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec: {{ holdLimit: {{ after: 1h, then: hold }}, rules: [{rules}] }}\n"
    )
}

fn engine(rules: &str, files: &[(&str, String)], languages: impl IntoIterator<Item = Arc<dyn RuleLanguage>>) -> Engine {
    let mut all = vec![("rollouts.yaml".to_owned(), rollout(rules))];
    all.extend(files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())));
    let bundle = Bundle::from_files(all).expect("a bundle");
    Engine::builder(&bundle).rules(languages).build().expect("an engine")
}

fn document() -> Fact {
    let spy = Spy::default();
    let engine = engine("{ name: spy, cel: \"true\" }", &[], [Arc::new(spy.clone()) as Arc<dyn RuleLanguage>]);
    let (state, snapshot) = (State::new(), snapshot(""));
    drop(engine.decide(&state, &snapshot));
    let kept = spy.0.lock().expect("one thread").take();
    kept.expect("it was judged")
}

fn compiled(language: &dyn RuleLanguage, file: &str, text: &str) -> Arc<dyn Rule> {
    let name: Name = "r".parse().expect("a name");
    let mut report = Vec::new();
    let rule = language.compile(&RuleSource::new(&name, file, text), &mut report);
    rule.unwrap_or_else(|| panic!("{report:?}"))
}

fn judging(criterion: &mut Criterion) {
    let document = document();
    let json = String::from_utf8(davy::canonical_json(&document).expect("canonical")).expect("text");
    println!("the input has {} bytes as JSON", json.len());
    let mut group = criterion.benchmark_group("rules");

    // Rego.
    let (rego, cel, cedar) = (rego(), cel(), cedar());
    let mut raw = regorus::Engine::new();
    raw.add_policy("r.rego".to_owned(), rego.clone()).expect("rego");
    let policy = raw.compile_with_entrypoint(&"data.r.deny".into()).expect("rego");
    let program = Compiler::compile_from_policy(&policy, &["data.r.deny"]).expect("rego");
    let input = Value::from_json_str(&json).expect("json");
    let mut vm = RegoVM::new();
    vm.load_program(Arc::clone(&program));
    vm.set_data(Value::new_object()).expect("no conflict");
    vm.set_input(input.clone());
    group.bench_function("regorus, machine reused", |bencher| {
        bencher.iter(|| vm.execute_entry_point_by_index(0).expect("a set"));
    });
    group.bench_function("regorus, new machine", |bencher| {
        bencher.iter(|| {
            let mut vm = RegoVM::new();
            vm.load_program(Arc::clone(&program));
            vm.set_input(input.clone());
            vm.execute_entry_point_by_index(0).expect("a set")
        });
    });
    group.bench_function("regorus, from JSON text", |bencher| {
        bencher.iter(|| {
            vm.set_input(Value::from_json_str(black_box(&json)).expect("json"));
            vm.execute_entry_point_by_index(0).expect("a set")
        });
    });
    let rule = compiled(&davy_rules::Rego, "r.rego", &rego);
    let shared = RuleInput::new(document.clone());
    assert!(rule.judge(&shared).is_empty());
    group.bench_function("davy Rego, input converted", |bencher| bencher.iter(|| rule.judge(black_box(&shared))));
    group.bench_function("davy Rego, with its conversion", |bencher| {
        bencher.iter(|| rule.judge(&RuleInput::new(black_box(document.clone()))));
    });
    group.bench_function("davy Rego, ten rules with one conversion", |bencher| {
        bencher.iter(|| {
            let input = RuleInput::new(black_box(document.clone()));
            (0..10).map(|_| rule.judge(&input).len()).sum::<usize>()
        });
    });

    // CEL.
    let env = Arc::new(cel::Env::stdlib());
    let program = env.compile(&cel).expect("cel");
    let mut context = cel::Context::with_env(Arc::clone(&env));
    let plain: serde_json::Value = serde_json::from_str(&json).expect("json");
    for (key, value) in plain.as_object().expect("an object") {
        context.add_variable_from_value(key.as_str(), cel_value(value));
    }
    group.bench_function("cel, context reused", |bencher| bencher.iter(|| program.execute(&context).expect("a truth")));
    group.bench_function("cel, with its conversion", |bencher| {
        bencher.iter(|| {
            let mut context = cel::Context::with_env(Arc::clone(&env));
            for (key, value) in black_box(&plain).as_object().expect("an object") {
                context.add_variable_from_value(key.as_str(), cel_value(value));
            }
            program.execute(&context).expect("a truth")
        });
    });
    let rule = compiled(&davy_rules::Cel, "r.cel", &cel);
    assert!(rule.judge(&shared).is_empty());
    group.bench_function("davy CEL, input converted", |bencher| bencher.iter(|| rule.judge(black_box(&shared))));
    group.bench_function("davy CEL, with its conversion", |bencher| {
        bencher.iter(|| rule.judge(&RuleInput::new(black_box(document.clone()))));
    });

    // Cedar.
    let policies = cedar_policy::PolicySet::from_str(&cedar).expect("cedar");
    let request = || {
        // Cedar knows integers alone.
        let facts: serde_json::Map<String, serde_json::Value> = plain["facts"].as_object().expect("facts").clone();
        let context =
            cedar_policy::Context::from_json_value(serde_json::json!({ "facts": facts }), None).expect("context");
        let uid = |text: &str| cedar_policy::EntityUid::from_str(text).expect("a uid");
        cedar_policy::Request::new(uid("R::\"a\""), uid("A::\"b\""), uid("S::\"c\""), context, None).expect("request")
    };
    let (authorizer, entities, once) = (cedar_policy::Authorizer::new(), cedar_policy::Entities::empty(), request());
    group.bench_function("cedar, request reused", |bencher| {
        bencher.iter(|| authorizer.is_authorized(black_box(&once), &policies, &entities));
    });
    group.bench_function("cedar, with its request", |bencher| {
        bencher.iter(|| authorizer.is_authorized(&request(), &policies, &entities));
    });
    group.finish();
}

/// Integers stay integers.
fn cel_value(json: &serde_json::Value) -> cel::Value {
    match json {
        serde_json::Value::Null => cel::Value::Null,
        serde_json::Value::Bool(value) => cel::Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => cel::Value::Int(integer),
            None => cel::Value::Float(number.as_f64().expect("a number")),
        },
        serde_json::Value::String(text) => cel::Value::from(text.as_str()),
        serde_json::Value::Array(items) => cel::Value::from(items.iter().map(cel_value).collect::<Vec<_>>()),
        serde_json::Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), cel_value(value)));
            cel::Value::from(entries.collect::<std::collections::HashMap<_, _>>())
        }
    }
}

/// Whole decisions: with one rule and with ten, and with the same ten limits as metrics.
fn deciding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    let seen = snapshot("");
    let state = State::new();
    for (name, rules) in [("one rule of ten conditions in Rego", 1), ("ten rules of ten conditions in Rego", 10)] {
        let files: Vec<(String, String)> =
            (0..rules).map(|n| (format!("r{n}.rego"), format!("# {n}\n{}", rego()))).collect();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        let engine = engine(&names.join(", "), &files, davy_rules::languages());
        assert_eq!(engine.decide(&state, &seen).decision.verdict, Verdict::Proceed);
        group.bench_function(name, |bencher| bencher.iter(|| engine.decide(&state, black_box(&seen))));
    }
    for (name, metrics) in [("ten limits as metrics", 10), ("one limit as a metric", 1)] {
        let (engine, state, latest) = native(metrics);
        group.bench_function(format!("{name}, one new interval"), |bencher| {
            bencher.iter(|| engine.decide(&state, black_box(&latest)));
        });
        let folded = engine.decide(&state, &latest).state;
        let again = Snapshot { intervals: Vec::new(), ..latest.clone() };
        group.bench_function(format!("{name}, nothing new"), |bencher| {
            bencher.iter(|| engine.decide(&folded, black_box(&again)));
        });
    }
    group.finish();
}

/// An engine with so many limits, a state with half an hour folded, and one interval more.
fn native(metrics: usize) -> (Engine, State, Snapshot) {
    let limits: Vec<String> = (0..metrics).map(|n| format!("{{ name: c{n}, gauge: g{n}, max: 100 }}")).collect();
    let text = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec: {{ holdLimit: {{ after: 1h, then: hold }}, health: {{ judge: threshold, every: 1m, settle: 0s, warmUp: 0s, metrics: [{}] }} }}\n",
        limits.join(", ")
    );
    let engine = Engine::new(&Bundle::from_files([("rollouts.yaml", text)]).expect("a bundle"));
    let base = Snapshot { facts: davy::Facts::default(), asked: Asked::Keep, ..snapshot("") };
    let start = base.release.started_at;
    let minute = |n: u64| start.plus(davy::Duration::from_minutes(n));
    let interval = |n: u64| {
        let seen = |metric: usize| Observation {
            metric: format!("c{metric}").parse().expect("a name"),
            cohort: Cohort::Canary,
            replica: None,
            observed: Observed::Gauge(40.0),
        };
        Interval::new(minute(n), minute(n + 1), (0..metrics).map(seen).collect()).expect("an interval")
    };
    let first = Snapshot { now: minute(30), intervals: (0..30).map(interval).collect(), ..base.clone() };
    let fresh = State::new();
    let state = engine.decide(&fresh, &first).state;
    let latest = Snapshot { now: minute(31), intervals: vec![interval(30)], ..base };
    assert_eq!(engine.decide(&state, &latest).decision.verdict, Verdict::Proceed);
    (engine, state, latest)
}
