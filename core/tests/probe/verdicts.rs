//! What a run is worth: verdicts, attempts, evidence.

use davy::probe::{CheckOutcome, FlowPart, TransportFault};
use davy::{Instant, ProbeVerdict as Verdict};

use crate::host::{Host, answer, fault, plan, response, with_headers};
use davy::probe::{Event, Micros, PeerTls};

const ONE: &str = "  steps: [{ id: home, request: { path: / }, expect: { status: 200, body: { contains: hi } } }]\n";

#[test]
fn every_expectation_is_judged_by_itself_and_says_where_it_stands() {
    let plan = plan(
        "  steps:\n    - id: home\n      request: { path: / }\n      expect:\n        status: 200\n        header: { x-a: { exists: true, regex: \"^b\" } }\n        jsonpath: { $.a: { gt: 2, lt: 9 }, $.missing: 1, \"$.l[*]\": { all: { gt: 0 }, count: 3 } }\n        body: { contains: a, maxBytes: 3 }\n",
    );
    let result = Host::new(|_, _| with_headers(500, &[("X-A", "cb")], r#"{"a":1,"l":[1,2,0]}"#)).run(&plan);
    assert_eq!(result.verdict, Verdict::Fail);
    let checks: Vec<String> = result.steps[0].attempts[0]
        .checks
        .iter()
        .map(|check| {
            let held = if check.outcome == CheckOutcome::Pass { "+" } else { "-" };
            format!(
                "{held} {}:{} {} = {} / {}",
                check.at.line, check.at.column, check.what, check.expected, check.actual
            )
        })
        .collect();
    let expected = [
        "- 10:17 status = 200 / 500",
        "- 11:47 header x-a = matches ^b / \"cb\"",
        "+ 11:34 header x-a = something / \"cb\"",
        "- 12:32 $.a = > 2 / 1",
        "+ 12:39 $.a = < 9 / 1",
        "- 12:55 $.missing = 1 / nothing",
        "- 12:75 $.l[*] = all > 0 / 1 and 2 more",
        "+ 12:93 $.l[*] = count 3 / 1 and 2 more",
        "+ 13:27 body = contains \"a\" / \"{\\\"a\\\":1,\\\"l\\\":[1,2,0]}\"",
        "- 13:40 body size = <= 3 bytes / 19 bytes",
    ];
    assert_eq!(checks, expected, "{checks:#?}");
    assert_eq!(result.reason.as_deref(), Some("home: status: expected 200, found 500 (shop.yaml:10:17)"));
    assert_eq!(result.evaluated, 10);
}

#[test]
fn a_body_that_is_not_json_fails_its_paths_and_nothing_else() {
    let plan = plan(
        "  steps: [{ id: a, request: { path: / }, expect: { status: 200, jsonpath: { $.a: 1, $.b: { exists: false } }, body: { contains: oops } } }]\n",
    );
    let result = Host::new(|_, _| answer(200, "<h1>oops")).run(&plan);
    let outcomes: Vec<CheckOutcome> = result.steps[0].attempts[0].checks.iter().map(|check| check.outcome).collect();
    use CheckOutcome::{Fail, Pass};
    // A path that must find nothing finds nothing in what is no JSON; that proves nothing.
    assert_eq!(outcomes, [Pass, Fail, Fail, Pass]);
}

#[test]
fn the_probers_faults_are_errors_and_the_services_are_failures() {
    let plan = plan(&format!(
        "{ONE}  schedule: {{ every: 30s, jitter: 10%, timeout: 10s }}\n  slos: [{{ name: up, objective: 99%, period: 30d }}]\n"
    ));
    for (kind, verdict) in [
        (TransportFault::NoSuchHost, Verdict::Fail),
        (TransportFault::Resolver, Verdict::Error),
        (TransportFault::Connect, Verdict::Fail),
        (TransportFault::Tls, Verdict::Fail),
        (TransportFault::Timeout, Verdict::Fail),
        (TransportFault::Closed, Verdict::Fail),
        (TransportFault::Malformed, Verdict::Fail),
        (TransportFault::Blocked, Verdict::Error),
        (TransportFault::Prober, Verdict::Error),
    ] {
        let result = Host::new(|_, _| fault(kind)).run(&plan);
        assert_eq!(result.verdict, verdict, "{kind:?}");
        // An error is no event of the objective.
        let events: Vec<bool> = result.slos.iter().map(|event| event.good).collect();
        assert_eq!(events, if verdict == Verdict::Error { vec![] } else { vec![false] }, "{kind:?}");
    }
}

#[test]
fn a_run_in_which_nothing_was_judged_is_an_error() {
    let plan = plan(
        "  steps: [{ id: a, when: { value: \"${target.name}\", is: staging }, request: { path: / }, expect: { status: 200, body: { contains: a } } }]\n",
    );
    let mut host = Host::new(|_, _| answer(200, "a"));
    let result = host.run(&plan);
    assert_eq!((result.verdict, result.evaluated), (Verdict::Error, 0));
    assert_eq!(result.steps[0].verdict, Verdict::Skipped);
    assert!(host.asked.is_empty());
}

#[test]
fn a_phase_that_did_not_take_place_is_not_judged() {
    let plan = plan(
        "  steps: [{ id: a, request: { path: / }, expect: { phase: { tls: 150ms, wait: { lte: 1s, degradedAbove: 100ms } } } }]\n",
    );
    let timed = |wait: Option<u64>| {
        Host::new(move |_, _| {
            let mut response = response(200, "");
            response.timings.wait = wait.map(Micros);
            Event::Http(Box::new(response))
        })
        .run(&plan)
    };
    assert_eq!(timed(None).verdict, Verdict::Error);
    assert_eq!(timed(Some(100_000)).verdict, Verdict::Pass);
    assert_eq!(timed(Some(100_001)).verdict, Verdict::Degraded);
    assert_eq!(timed(Some(1_000_001)).verdict, Verdict::Fail);
    assert_eq!(timed(Some(100_000)).evaluated, 1);
}

#[test]
fn a_step_that_should_hold_makes_the_run_degraded_and_goes_on() {
    let plan = plan(
        "  steps:\n    - { id: a, severity: should, request: { path: /a }, expect: { status: 200, body: { contains: x } } }\n    - { id: b, request: { path: /b }, expect: { status: 200, body: { contains: x } } }\n",
    );
    let mut host = Host::new(|request, _| answer(if request.url.path() == "/a" { 500 } else { 200 }, "x"));
    let result = host.run(&plan);
    assert_eq!((result.verdict, host.asked.len()), (Verdict::Degraded, 2));
    let mut host = Host::new(|request, _| answer(if request.url.path() == "/b" { 500 } else { 200 }, "x"));
    assert_eq!(host.run(&plan).verdict, Verdict::Fail);
}

#[test]
fn the_teardown_always_runs_and_never_changes_the_verdict() {
    let plan = plan(
        "  steps:\n    - { id: a, request: { path: /a }, expect: { status: 200, body: { contains: x } } }\n    - { id: b, request: { path: /b }, expect: { status: 200, body: { contains: x } } }\n  teardown:\n    - { id: c, request: { method: DELETE, path: /c }, expect: { status: 204 } }\n    - { id: d, request: { method: DELETE, path: /d }, expect: { status: 204 } }\n",
    );
    for (broken, verdict) in [("/a", Verdict::Fail), ("/c", Verdict::Pass), ("/d", Verdict::Pass)] {
        let mut host = Host::new(|request, _| {
            let path = request.url.path();
            answer(
                if path == broken {
                    500
                } else if path < "/c" {
                    200
                } else {
                    204
                },
                "x",
            )
        });
        let result = host.run(&plan);
        assert_eq!(result.verdict, verdict, "{broken}");
        let torn_down = result.steps.iter().filter(|step| step.part == FlowPart::Teardown).count();
        assert_eq!(torn_down, 2, "{broken}");
    }
}

#[test]
fn all_attempts_are_kept_and_the_first_one_counts() {
    let slos = "  slos:\n    - { name: first, objective: 99%, period: 30d }\n    - { name: last, objective: 99%, period: 30d, onRetry: countLast }\n    - { name: fast, objective: 99%, period: 30d, step: home, within: 10ms }\n";
    let plan = plan(&format!(
        "{ONE}  defaults: {{ retry: {{ attempts: 3, on: [connect, 5xx] }} }}\n  schedule: {{ every: 40s, jitter: 1%, timeout: 20s }}\n{slos}"
    ));
    let events = |result: &davy::probe::FlowResult| result.slos.iter().map(|event| event.good).collect::<Vec<_>>();
    let mut host = Host::new(|_, number| match number {
        0 => fault(TransportFault::Connect),
        1 => answer(503, ""),
        _ => answer(200, "hi"),
    });
    let result = host.run(&plan);
    assert_eq!((result.verdict, result.flaky), (Verdict::Pass, true));
    let attempts: Vec<Verdict> = result.steps[0].attempts.iter().map(|attempt| attempt.verdict).collect();
    assert_eq!(attempts, [Verdict::Fail, Verdict::Fail, Verdict::Pass]);
    assert_eq!(events(&result), [false, true, false]);
    assert_eq!(events(&Host::new(|_, _| answer(200, "hi")).run(&plan)), [true, true, true]);
    let mut slow = Host::new(|_, _| answer(200, "hi"));
    slow.took = "11ms".parse().unwrap();
    assert_eq!(events(&slow.run(&plan)), [true, true, false]);
    // What is not named is not repeated.
    let mut host = Host::new(|_, _| answer(404, ""));
    assert_eq!((host.run(&plan).verdict, host.asked.len()), (Verdict::Fail, 1));
}

#[test]
fn certificates_are_judged_by_the_first_that_expires() {
    let plan = plan(
        "  steps: [{ id: a, request: { path: / }, expect: { tls: { daysToExpiry: 14, degradedBelowDays: 30, minVersion: \"1.3\" } } }]\n",
    );
    let expires = |days: &[i64], version: &str| {
        let now = i64::try_from(crate::host::start().millis()).unwrap();
        let chain: Vec<serde_json::Value> = days
            .iter()
            .map(|days| {
                serde_json::json!({
                    "subject": "a", "issuer": "b", "notBefore": "2026-01-01T00:00:00Z",
                    "notAfter": Instant::from_millis(now + days * 86_400_000 + 60_000).to_string(),
                    "digest": davy::Digest::of(b"").to_string(),
                })
            })
            .collect();
        let tls: PeerTls = serde_json::from_value(serde_json::json!({ "version": version, "chain": chain })).unwrap();
        Host::new(move |_, _| {
            let mut response = response(200, "");
            response.peer.as_mut().unwrap().tls = Some(tls.clone());
            Event::Http(Box::new(response))
        })
        .run(&plan)
        .verdict
    };
    assert_eq!(expires(&[90, 400], "1.3"), Verdict::Pass);
    assert_eq!(expires(&[90, 29], "1.3"), Verdict::Degraded);
    assert_eq!(expires(&[90, 14], "1.3"), Verdict::Degraded);
    assert_eq!(expires(&[90, 13], "1.3"), Verdict::Fail);
    assert_eq!(expires(&[-1], "1.3"), Verdict::Fail);
    assert_eq!(expires(&[90], "1.2"), Verdict::Fail);
    assert_eq!(Host::new(|_, _| answer(200, "")).run(&plan).verdict, Verdict::Fail, "not encrypted at all");
}
