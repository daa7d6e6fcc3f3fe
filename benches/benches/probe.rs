//! One probe step in the core: a request put together, its answer judged. Beside it, parsing the same answer.
#![expect(clippy::panic, reason = "a bench that cannot go on should stop")]

use std::hint::black_box;
use std::sync::Arc;

use davy::probe::{Effect, Event, FlowResult, HttpResponse, Inputs, Next, Plan, ProbeRun};
use davy::{Instant, ProbeFlows};

const STEPS: u32 = 5;

fn flow() -> Arc<Plan> {
    let step = |number: u32| {
        format!(
            "    - id: s{number}\n      request: {{ path: \"/cart/${{cart}}/items\", query: {{ n: 2 }}, headers: {{ accept: application/json }} }}\n      expect:\n        status: 200\n        header: {{ content-type: {{ contains: json }} }}\n        jsonpath: {{ $.total: {{ gt: 0 }}, \"$.items[*].price\": {{ all: {{ gt: 0 }}, count: 3 }} }}\n        duration: {{ lte: 800ms, degradedAbove: 400ms }}\n"
        )
    };
    let steps: String = (1..STEPS).map(step).collect();
    let text = format!(
        "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: shop }}\nspec:\n  targets: {{ prod: {{ baseUrl: https://shop.example, addressPolicy: any }} }}\n  steps:\n    - {{ id: cart, request: {{ path: / }}, capture: {{ cart: {{ jsonpath: $.id }} }}, expect: {{ status: 200, body: {{ regex: \"A[0-9]+\" }} }} }}\n{steps}"
    );
    let flows = ProbeFlows::from_files([("shop.yaml", text)]).unwrap_or_else(|error| panic!("{error}"));
    let plan = flows.iter().next().cloned();
    plan.unwrap_or_else(|| panic!("the flow is there"))
}

const BODY: &str =
    r#"{"id":"c-17","total":31.5,"items":[{"sku":"A1","price":9.5},{"sku":"A2","price":12},{"sku":"A3","price":10}]}"#;

fn answer() -> HttpResponse {
    let text = serde_json::json!({ "status": 200, "version": "1.1", "headers": [["content-type", "application/json"]], "body": BODY });
    serde_json::from_value(text).unwrap_or_else(|error| panic!("{error}"))
}

fn run(plan: &Arc<Plan>, inputs: &Inputs, answer: &HttpResponse) -> FlowResult {
    let mut now = Instant::from_millis(1_800_000_000_000);
    let mut run = ProbeRun::new(Arc::clone(plan), inputs.clone(), now).unwrap_or_else(|error| panic!("{error}"));
    loop {
        match run.poll(now) {
            Next::Done(result) => return *result,
            Next::Wait { until, .. } => now = until,
            Next::Effect(id, Effect::Http(request)) => {
                black_box(&request);
                let told = run.handle(now, id, Event::Http(Box::new(answer.clone())));
                told.unwrap_or_else(|error| panic!("{error}"));
            }
            Next::Effect(_, other) => panic!("{other:?}"),
        }
    }
}

fn main() {
    let (plan, answer) = (flow(), answer());
    let target = plan.targets().next().cloned().unwrap_or_else(|| panic!("a target"));
    let inputs = Inputs::new(target, 1);
    assert_eq!(run(&plan, &inputs, &answer).verdict, davy::ProbeVerdict::Pass);
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("probe");
    group.bench_function("a flow of five steps, core only", |bencher| {
        bencher.iter(|| run(&plan, &inputs, black_box(&answer)))
    });
    group.bench_function("floor: parsing its five answers", |bencher| {
        bencher.iter(|| {
            for _ in 0..STEPS {
                black_box(serde_json::from_str::<serde_json::Value>(black_box(BODY)).is_ok());
            }
        });
    });
    group.finish();
    criterion.final_summary();
}
