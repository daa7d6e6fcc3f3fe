//! Journeys: captures, redirects, cookies, polling, loops, libraries, sessions, cohorts.

use davy::probe::{Event, HttpRequest, TransportFault};
use davy::{Cohort, Digest, Duration, ProbeFlows, ProbeVerdict as Verdict};

use crate::host::{Host, answer, fault, plan, with_headers};

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

fn body(request: &HttpRequest) -> &str {
    std::str::from_utf8(&request.body.0).unwrap()
}

fn paths(asked: &[HttpRequest]) -> Vec<String> {
    asked.iter().map(|request| format!("{} {}", request.method, request.url)).collect()
}

#[test]
fn values_go_from_an_answer_into_the_next_request_with_their_types() {
    let plan = plan(
        "  steps:\n    - id: a\n      request: { method: POST, path: /carts, query: { q: \"a b&c\" }, json: { n: 2, s: \"2\", who: \"x-${run.location}\" } }\n      capture: { id: { jsonpath: $.id }, total: { jsonpath: $.total, type: number }, v: { header: x-v, regex: \"v(\\\\d+)\" } }\n    - id: b\n      request: { path: \"/carts/${id}\", headers: { x-v: \"${v}\" } }\n      expect: { status: 200, jsonpath: { $.total: \"${total}\" } }\n    - { id: c, request: { method: PUT, path: \"/x\", json: { amount: \"${total}\", text: \"${total}\", all: \"is ${total}\" } }, expect: { body: { equals: ok } } }\n  teardown: []\n",
    );
    let mut host = Host::new(|request, _| match request.url.path() {
        "/x" => answer(200, "ok"),
        _ => with_headers(200, &[("x-v", "v17-beta")], r#"{"id":"../c 1","total":9.5}"#),
    });
    host.inputs.location = Some("eu-1".parse().unwrap());
    let result = host.run(&plan);
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    assert_eq!(host.asked[0].url.to_string(), "https://shop.example/carts?q=a%20b%26c");
    assert_eq!(body(&host.asked[0]), r#"{"n":2,"s":"2","who":"x-eu-1"}"#);
    assert_eq!(header(&host.asked[0], "content-type"), Some("application/json"));
    assert_eq!(host.asked[1].url.to_string(), "https://shop.example/c%201", "a value may not end the path");
    assert_eq!(header(&host.asked[1], "x-v"), Some("17"));
    assert_eq!(body(&host.asked[2]), r#"{"amount":9.5,"text":9.5,"all":"is 9.5"}"#);
    let trace = |request: &HttpRequest| header(request, "traceparent").unwrap()[3..35].to_owned();
    assert_eq!(trace(&host.asked[0]), result.run);
    assert_eq!(trace(&host.asked[2]), result.run);
}

#[test]
fn a_value_that_is_missing_or_cannot_be_sent_is_told() {
    let plan = plan(
        "  steps:\n    - { id: a, request: { path: /a }, capture: { x: { header: x-x } } }\n    - { id: b, request: { path: /b, headers: { x-y: \"${x}\" } }, expect: { status: 200, body: { contains: a } } }\n",
    );
    let result = Host::new(|_, _| answer(200, "a")).run(&plan);
    assert_eq!(
        (result.verdict, result.reason.as_deref()),
        (Verdict::Fail, Some("a: capture x: expected something, found nothing (shop.yaml:7:53)"))
    );
    let result = Host::new(|_, _| with_headers(200, &[("x-x", "a\r\nevil: 1")], "a")).run(&plan);
    assert_eq!(result.verdict, Verdict::Error);
    assert!(result.reason.unwrap().contains("control characters"));
}

#[test]
fn redirects_follow_the_methods_of_rfc_9110_and_lose_credentials_on_the_way_out() {
    let plan = plan(
        "  targets: { prod: { baseUrl: https://shop.example, allowHosts: [idp.example] } }\n  secrets: { t: env:T }\n  steps:\n    - id: a\n      request: { method: POST, path: /a, auth: { bearer: \"${secrets.t}\" }, text: body }\n      expect: { status: 200, redirects: 3, body: { contains: done } }\n  teardown: []\n",
    );
    let mut host = Host::new(|request, number| match number {
        0 => with_headers(307, &[("location", "/b")], ""),
        1 => with_headers(303, &[("location", "c?x=1#y")], ""),
        2 => with_headers(302, &[("location", "https://idp.example/d")], ""),
        _ => answer(200, if request.url.path() == "/d" { "done" } else { "" }),
    });
    let result = host.run(&plan);
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    assert_eq!(
        paths(&host.asked),
        [
            "POST https://shop.example/a",
            "POST https://shop.example/b",
            "GET https://shop.example/c?x=1",
            "GET https://idp.example/d"
        ]
    );
    assert!(header(&host.asked[2], "authorization").is_some() && body(&host.asked[2]).is_empty());
    assert!(header(&host.asked[2], "content-type").is_none());
    assert!(header(&host.asked[3], "authorization").is_none());
    assert_eq!(result.steps[0].attempts[0].redirects, 3);

    let mut endless = Host::new(|_, _| with_headers(302, &[("location", "/a")], ""));
    let result = endless.run(&plan);
    assert_eq!((result.verdict, endless.asked.len()), (Verdict::Fail, 6));
    assert!(result.reason.unwrap().contains("more than 5 redirects"));
}

#[test]
fn cookies_live_as_long_as_the_run() {
    let plan = plan(
        "  steps:\n    - { id: a, request: { path: /a }, expect: { cookie: { sid: { regex: \"^s\" } } } }\n    - { id: b, request: { path: /b }, expect: { status: 200, body: { contains: x } } }\n",
    );
    let mut host = Host::new(|_, _| with_headers(200, &[("set-cookie", "sid=s1; Path=/; Secure")], "x"));
    // The value of a cookie is replaced in recordings; what is expected of its form would not hold there.
    let mut run = host.begin(&plan);
    assert_eq!(host.finish(&mut run).verdict, Verdict::Pass);
    assert_eq!(header(&host.asked[0], "cookie"), None);
    assert_eq!(header(&host.asked[1], "cookie"), Some("sid=s1"));
    let mut again = host.begin(&plan);
    host.finish(&mut again);
    assert_eq!(header(&host.asked[2], "cookie"), None);
}

#[test]
fn polling_asks_until_the_condition_holds_or_time_is_up() {
    let plan = plan(
        "  steps:\n    - id: a\n      request: { path: /a }\n      poll: { until: { jsonpath: { $.state: done } }, every: 2s, max: 7s }\n      expect: { status: 200, jsonpath: { $.ok: true } }\n",
    );
    let mut host = Host::new(|_, number| {
        answer(200, if number < 3 { r#"{"state":"busy"}"# } else { r#"{"state":"done","ok":true}"# })
    });
    let result = host.run(&plan);
    assert_eq!((result.verdict, host.asked.len(), result.steps[0].attempts.len()), (Verdict::Pass, 4, 1));
    assert_eq!(result.steps[0].attempts[0].polls, 3);
    assert!(!result.flaky, "polling is no retry");
    let mut host = Host::new(|_, _| answer(200, r#"{"state":"busy","ok":true}"#));
    let result = host.run(&plan);
    assert_eq!((result.verdict, host.asked.len()), (Verdict::Fail, 4));
    assert_eq!(
        result.reason.as_deref(),
        Some("a: $.state: expected \"done\", found \"busy\" after 6s40ms (shop.yaml:9:45)")
    );
}

#[test]
fn loops_run_once_for_each_item_and_conditions_skip() {
    let plan = plan(
        "  steps:\n    - { id: list, request: { path: /list }, capture: { ids: { jsonpath: \"$.ids[*]\" } } }\n    - { id: one, foreach: { as: id, from: \"${ids}\", max: 3 }, when: { value: \"${target.name}\", is: { in: [prod, dev] } }, request: { path: \"/one/${id}\" }, expect: { status: 200, body: { contains: o } } }\n    - { id: two, foreach: { as: x, in: [a, \"b c\"] }, request: { path: \"/two\", query: { x: \"${x}\" } }, expect: { status: 200, body: { contains: o } } }\n    - { id: three, when: { value: \"${target.name}\", is: { notEquals: prod } }, request: { path: /three }, expect: { status: 200, body: { contains: o } } }\n",
    );
    let run = |ids: &'static str| {
        let mut host = Host::new(move |_, _| answer(200, &format!(r#"{{"ids":{ids},"o":1}}"#)));
        let result = host.run(&plan);
        (result, paths(&host.asked).iter().map(|path| path.replace("GET https://shop.example", "")).collect::<Vec<_>>())
    };
    let (result, asked) = run("[1,2,3]");
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    assert_eq!(asked, ["/list", "/one/1", "/one/2", "/one/3", "/two?x=a", "/two?x=b%20c"]);
    assert_eq!(result.steps.last().unwrap().verdict, Verdict::Skipped);
    let (result, asked) = run("[1,2,3,4]");
    assert_eq!((result.verdict, asked.len()), (Verdict::Fail, 1));
    assert!(result.reason.unwrap().contains("4 items, and `max` is 3"));
}

#[test]
fn an_action_sees_its_inputs_and_gives_its_outputs_under_the_callers_name() {
    let library = "apiVersion: davy/v1\nkind: ProbeLibrary\nmetadata: { name: lib }\nspec:\n  actions:\n    login:\n      inputs: { user: {}, path: { default: /login } }\n      steps:\n        - { id: token, request: { method: POST, path: \"${inputs.path}\", form: { user: \"${inputs.user}\" } }, capture: { t: { jsonpath: $.t, redact: true } } }\n      outputs: { token: \"${t}\" }\n";
    let digest = Digest::of(library.as_bytes());
    let flow = format!(
        "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: shop }}\nspec:\n  imports: {{ lib: {{ file: lib.yaml, digest: \"{digest}\" }} }}\n  targets: {{ prod: {{ baseUrl: https://shop.example }} }}\n  setup:\n    - {{ use: lib.login, as: ana, with: {{ user: ana }}, cache: {{ ttl: 10m }} }}\n    - {{ use: lib.login, as: ben, with: {{ user: ben, path: /other }} }}\n  steps:\n    - {{ id: a, request: {{ path: /a, auth: {{ bearer: \"${{ana.token}}-${{ben.token}}\" }} }}, expect: {{ status: 200, body: {{ contains: x }} }} }}\n"
    );
    let flows = ProbeFlows::from_files([("flow.yaml", flow.as_str()), ("lib.yaml", library)]).unwrap();
    let plan = flows.get("shop").unwrap();
    let mut logins = 0;
    let mut host = Host::new(|request, number| match request.method.as_str() {
        "POST" => {
            logins += 1;
            let user = body(request).replace("user=", "");
            answer(200, &format!(r#"{{"t":"token-of-{user}-{logins}"}}"#))
        }
        // In the second run the session has ended.
        _ if number == 4 => answer(401, ""),
        _ => answer(200, "x"),
    });
    let result = host.run(plan);
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    let ids: Vec<&str> = result.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["ana/token", "ben/token", "a"]);
    assert_eq!(header(&host.asked[2], "authorization"), Some("Bearer token-of-ana-1-token-of-ben-2"));

    let result = host.run(plan);
    assert_eq!((result.verdict, result.steps[0].verdict), (Verdict::Pass, Verdict::Skipped), "{result:#?}");
    assert_eq!(result.steps.len(), 4, "the session had ended: one more login, then the step again\n{result:#?}");
    assert_eq!(header(&host.asked[6], "authorization"), Some("Bearer token-of-ana-4-token-of-ben-3"));

    let result = host.run(plan);
    assert_eq!(result.steps[0].verdict, Verdict::Skipped, "the new session is used again");
    host.now = host.now.plus(Duration::from_minutes(11));
    assert_eq!(host.run(plan).steps[0].verdict, Verdict::Pass, "until it expires");
}

#[test]
fn a_cohort_is_reached_as_the_target_says() {
    let plan = plan(
        "  targets:\n    prod:\n      baseUrl: https://shop.example\n      canary: { headers: { x-canary: always } }\n      baseline: { baseUrl: https://stable.example/v1, connectTo: \"lb.example:443\" }\n  steps: [{ id: a, request: { path: /a }, expect: { status: 200, body: { contains: x } } }]\n",
    );
    let mut host = Host::new(|_, _| answer(200, "x"));
    host.inputs.cohort = Some(Cohort::Canary);
    let canary = host.run(&plan);
    host.inputs.cohort = Some(Cohort::Baseline);
    let baseline = host.run(&plan);
    assert_eq!(header(&host.asked[0], "x-canary"), Some("always"));
    assert_eq!(host.asked[1].url.to_string(), "https://stable.example/v1/a");
    assert_eq!(host.asked[1].connect_to.as_deref(), Some("lb.example:443"));
    assert_eq!(canary.to_probe_result().unwrap().cohort, Cohort::Canary);
    assert_eq!(baseline.to_probe_result().unwrap().verdict, Verdict::Pass);
}

#[test]
fn an_attempt_that_is_repeated_waits_as_it_was_asked_to_and_carries_the_same_key() {
    let plan = plan(
        "  steps:\n    - id: a\n      request: { method: POST, path: /a, idempotencyKey: true }\n      retry: { attempts: 3, on: [429, timeout], backoff: { kind: exponential, base: 100ms, factor: 3x, jitter: none }, maxElapsed: 20s }\n      expect: { status: 200, body: { contains: x } }\n  teardown: []\n",
    );
    let mut at = Vec::new();
    let mut host = Host::new(|_, number| match number {
        0 => answer(429, ""),
        1 => with_headers(429, &[("retry-after", "4")], ""),
        _ => answer(200, "x"),
    });
    let result = host.run(&plan);
    at.extend(result.steps[0].attempts.iter().map(|attempt| attempt.started.since(crate::host::start()).millis()));
    assert_eq!(at, [0, 10 + 100, 120 + 4000]);
    let keys: Vec<Option<&str>> = host.asked.iter().map(|request| header(request, "idempotency-key")).collect();
    assert!(keys[0].is_some_and(|key| key.len() == 36) && keys[0] == keys[1] && keys[1] == keys[2]);
    let numbers: Vec<u32> = host.asked.iter().map(|request| request.attempt).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // A wait that would end behind the limit is not begun.
    let mut host = Host::new(|_, _| with_headers(429, &[("retry-after", "3600")], ""));
    assert_eq!((host.run(&plan).verdict, host.asked.len()), (Verdict::Fail, 1));
    let mut host = Host::new(|_, _| fault(TransportFault::Timeout));
    assert_eq!((host.run(&plan).verdict, host.asked.len()), (Verdict::Fail, 3));
}

#[test]
fn a_host_that_does_not_answer_is_overruled_by_the_clock() {
    let plan = plan(
        "  defaults: { timeout: 3s }\n  schedule: { every: 30s, jitter: 1%, timeout: 5s }\n  steps:\n    - { id: a, request: { path: /a }, expect: { status: 200, body: { contains: x } } }\n    - { id: b, request: { path: /b }, expect: { status: 200, body: { contains: x } } }\n    - { id: c, request: { path: /c }, expect: { status: 200, body: { contains: x } } }\n  teardown: [{ id: d, request: { path: /d }, expect: { status: 200 } }]\n",
    );
    let mut host = Host::new(|_, _| answer(200, "x"));
    host.took = Duration::from_millis(2600);
    let result = host.run(&plan);
    assert_eq!(result.verdict, Verdict::Fail);
    let fault = |step: usize| result.steps[step].attempts[0].error.as_ref().map(|error| error.kind);
    assert_eq!((fault(0), fault(1)), (None, Some(TransportFault::Timeout)));
    assert_eq!(host.asked[1].deadline, crate::host::start().plus(Duration::from_secs(5)));
    let paths: Vec<&str> = host.asked.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, ["/a", "/b", "/d"], "what cannot be done in time is not begun");
}

#[test]
fn an_event_is_told_in_json_as_in_memory() {
    let event = with_headers(200, &[("a", "b")], "x\u{0}");
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    let Event::Http(mut response) = event else { panic!() };
    response.body.0 = vec![0xff, 0xfe];
    let event = Event::Http(response);
    let text = serde_json::to_string(&event).unwrap();
    assert!(text.contains(r#"{"base64":"//4="}"#), "{text}");
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
}
