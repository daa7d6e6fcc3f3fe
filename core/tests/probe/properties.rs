//! Whatever a service answers: a run ends in time, a replay agrees, and nothing panics.

use std::sync::Arc;

use davy::probe::{Event, HttpResponse, Plan, TransportFault};
use davy::{Duration, ProbeVerdict as Verdict};
use proptest::prelude::*;

use crate::host::{Host, fault, plan, response, start};

const FLOW: &str = "  secrets: { pw: env:PW }
  schedule: { every: 60s, jitter: 10%, timeout: 20s, teardownTimeout: 5s }
  slos: [{ name: up, objective: 99%, period: 30d }, { name: last, objective: 99%, period: 30d, onRetry: countLast, step: b, within: 1s }]
  defaults: { timeout: 4s, retry: { attempts: 4, on: [connect, timeout, closed, 5xx, expectation], backoff: { base: 300ms, max: 2s } } }
  setup:
    - { id: login, request: { method: POST, path: /login, form: { pw: \"${secrets.pw}\" }, idempotencyKey: true }, capture: { token: { jsonpath: $.token, redact: true, optional: true } }, expect: { status: [2xx, 404], body: { minBytes: 1 } } }
  steps:
    - { id: a, request: { path: /a, auth: { bearer: \"${token}\" } }, capture: { num: { jsonpath: $.n, optional: true } }, expect: { status: 2xx, jsonpath: { \"$..n\": { none: { gt: 5 } } }, duration: { lte: 3s, degradedAbove: 1s } } }
    - { id: b, severity: should, request: { path: \"/b/${num}\" }, poll: { until: { jsonpath: { $.state: done } }, every: 700ms, max: 3s }, expect: { body: { contains: done } } }
    - { id: c, foreach: { as: i, in: [x, z] }, request: { path: \"/c/${i}\" }, expect: { body: { regex: \"[a-z]\" }, header: { x-a: { gte: 1 } } }, severity: should }
  teardown:
    - { id: d, request: { method: DELETE, path: /d }, expect: { status: 2xx } }
";

#[derive(Debug, Clone)]
enum Answer {
    Http(u16, String, Vec<(String, String)>),
    Fault(TransportFault),
}

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![4 => Just(200_u16), 1 => 100..=599_u16, 1 => prop::sample::select(vec![301, 302, 303, 307, 401, 429, 503])];
    let body = prop_oneof![
        Just(r#"{"token":"a-long-token","n":3,"state":"done"}"#.to_owned()),
        Just(r#"{"token":7,"n":[9],"state":"busy"}"#.to_owned()),
        Just(String::new()),
        ".{0,40}",
        r#"[\[\]{}",:a-z0-9]{0,30}"#,
    ];
    let header = prop_oneof![
        Just(("location".to_owned(), "/a".to_owned())),
        Just(("retry-after".to_owned(), "2".to_owned())),
        Just(("retry-after".to_owned(), "Mon, 23 Nov 2026 10:00:05 GMT".to_owned())),
        Just(("x-a".to_owned(), "2".to_owned())),
        ("[a-z-]{1,12}", ".{0,20}"),
        (Just("set-cookie".to_owned()), "[a-z]{1,5}=[a-z0-9]{6,9}(; Path=/)?"),
        (Just("location".to_owned()), ".{0,20}"),
    ];
    let faults = vec![
        TransportFault::NoSuchHost,
        TransportFault::Resolver,
        TransportFault::Connect,
        TransportFault::Timeout,
        TransportFault::Closed,
        TransportFault::Prober,
    ];
    prop_oneof![
        6 => (status, body, prop::collection::vec(header, 0..3)).prop_map(|(status, body, headers)| Answer::Http(status, body, headers)),
        1 => prop::sample::select(faults).prop_map(Answer::Fault),
    ]
}

fn event(answer: &Answer) -> Event {
    match answer {
        Answer::Fault(kind) => fault(*kind),
        Answer::Http(status, body, headers) => {
            let mut response: HttpResponse = response(*status, body);
            response.headers.clone_from(headers);
            Event::Http(Box::new(response))
        }
    }
}

fn the_plan() -> Arc<Plan> {
    plan(FLOW)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_in_its_time_and_replays_to_the_same_result(
        answers in prop::collection::vec(answer(), 1..30),
        took in 0..6000_u64,
        seed: u64,
    ) {
        let plan = the_plan();
        let mut host = Host::new(|_, number| event(&answers[number % answers.len()]));
        host.took = Duration::from_millis(took);
        host.inputs.seed = seed;
        // The host's own `run` compares with the replay, and reads what it wrote.
        let result = host.run(&plan);
        // One request may be under way when its time is up, and is given up a moment later.
        let most = Duration::from_secs(20).plus(Duration::from_millis(1 + took));
        prop_assert!(result.duration() <= most, "{} of {most}", result.duration());
        prop_assert!(host.now.since(start()) <= most.plus(Duration::from_secs(5)).plus(Duration::from_millis(1 + took)));
        for request in &host.asked {
            prop_assert!(request.deadline <= start().plus(most).plus(Duration::from_secs(5)));
        }
        for step in &result.steps {
            prop_assert!(step.attempts.len() <= 4);
        }
        let line = serde_json::to_string(&result).unwrap();
        prop_assert!(!line.contains(crate::host::SECRET));
        match result.verdict {
            Verdict::Pass | Verdict::Degraded => prop_assert!(result.evaluated > 0 && result.slos.len() == 2),
            Verdict::Fail => prop_assert!(result.slos.iter().all(|event| !event.good)),
            Verdict::Error | Verdict::Skipped => prop_assert!(result.slos.is_empty()),
        }
    }

    #[test]
    fn the_same_seed_is_the_same_run(answers in prop::collection::vec(answer(), 1..10), seed: u64) {
        let plan = the_plan();
        let run = || {
            let mut host = Host::new(|_, number| event(&answers[number % answers.len()]));
            host.inputs.seed = seed;
            let result = host.run(&plan);
            (result, host.asked)
        };
        prop_assert_eq!(run(), run());
    }
}
