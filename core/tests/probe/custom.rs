//! Steps that plugins take: the machine sends what they ask for, holds it to the flow, and judges by what they expect.

use davy::plugin::{
    Plugins, StepAction, StepCapture, StepCheck, StepConclusion, StepEvent, StepOutcome, StepRequest, StepSituation,
};
use davy::probe::{Effect, Event, FlowResult, HttpRequest, HttpResponse, Inputs, Next, ProbeRun, Recording};
use davy::{Cohort, Duration, Instant, ProbeFlows, ProbeVerdict};

const FLOW: &str = "
apiVersion: davy/v1
kind: ProbeFlow
metadata: { name: walk }
spec:
  secrets: { token: env:TOKEN }
  targets: { prod: { baseUrl: https://shop.example, addressPolicy: any } }
  steps:
    - id: pages
      wasm: { native: walk, parameters: { from: /items, token: '${secrets.token}' }, captures: [pages], turns: 3 }
    - { id: after, request: { path: '/seen/${pages}' }, expect: { status: 200, body: { contains: ok } } }
";

fn check(held: bool, actual: &str) -> StepCheck {
    let outcome = if held { StepOutcome::Pass } else { StepOutcome::Fail };
    StepCheck { what: "pages".to_owned(), outcome, expected: "two".to_owned(), actual: actual.to_owned() }
}

fn get(url: &str, token: &str) -> StepRequest {
    let headers = vec![("Authorization".to_owned(), format!("Bearer {token}"))];
    StepRequest { method: "GET".to_owned(), url: url.to_owned(), headers, body: Vec::new() }
}

/// Follows `next` until there is none.
fn walk(at: &StepSituation<'_>, state: &[u8], event: &StepEvent<'_>) -> Result<StepAction, String> {
    let parameters: serde_json::Value = serde_json::from_str(at.parameters).unwrap();
    let token = parameters["token"].as_str().unwrap();
    let page = state.first().copied().unwrap_or(0);
    Ok(match event {
        StepEvent::Begin => {
            StepAction::Send { state: vec![1], request: get(parameters["from"].as_str().unwrap(), token) }
        }
        StepEvent::Failed(kind) => {
            StepAction::Done(StepConclusion { checks: vec![check(false, kind)], captures: Vec::new() })
        }
        StepEvent::Answered(answer) => match std::str::from_utf8(answer.body).unwrap() {
            "" => {
                let capture = StepCapture { name: "pages".to_owned(), value: page.to_string() };
                StepAction::Done(StepConclusion { checks: vec![check(page == 2, token)], captures: vec![capture] })
            }
            next => StepAction::Send { state: vec![page + 1], request: get(next, token) },
        },
    })
}

/// Runs the flow, answering requests by their path.
fn run(flow: &str, plugins: &Plugins, answer: impl Fn(&str) -> Option<String>) -> (FlowResult, Option<Recording>) {
    let inputs = Inputs::new("prod".parse().unwrap(), 1);
    run_with(flow, plugins, inputs, |request, _| answer(&request.url.to_string().replace("https://shop.example", "")))
}

/// Runs the flow; requests are answered four seconds later, and never where nothing is the answer.
fn run_with(
    flow: &str,
    plugins: &Plugins,
    inputs: Inputs,
    mut answer: impl FnMut(&HttpRequest, Instant) -> Option<String>,
) -> (FlowResult, Option<Recording>) {
    let flows = ProbeFlows::from_files([("walk.yaml", flow)]).unwrap_or_else(|error| panic!("{error}"));
    let mut now: Instant = "2026-11-23T10:00:00Z".parse().unwrap();
    let inputs = Inputs { record: true, ..inputs };
    let mut run = ProbeRun::new(flows.get("walk").unwrap().clone(), inputs, now).unwrap();
    loop {
        let (id, event) = match run.poll(now) {
            Next::Done(result) => return (*result, run.recording()),
            Next::Wait { until, .. } => {
                now = until;
                continue;
            }
            Next::Effect(id, Effect::Turn(turn)) => (id, Event::Turned(Box::new(plugins.turn(&turn)))),
            Next::Effect(id, Effect::Secret { .. }) => {
                (id, Event::Secret(davy::probe::SecretValue("a-secret-token".to_owned())))
            }
            Next::Effect(id, Effect::Http(request)) => {
                let Some(body) = answer(&request, now) else { continue };
                now = now.plus(Duration::from_secs(4));
                let body = format!(r#"{{ "status": 200, "version": "1.1", "headers": [], "body": {body:?} }}"#);
                let response: HttpResponse = serde_json::from_str(&body).unwrap();
                (id, Event::Http(Box::new(response)))
            }
            Next::Effect(..) => panic!("no other effects"),
        };
        run.handle(now, id, event).unwrap();
    }
}

fn pages(path: &str) -> Option<String> {
    Some(match path {
        "/items" => "/items?page=2".to_owned(),
        "/items?page=2" => String::new(),
        "/seen/2" => "ok".to_owned(),
        other => panic!("{other}"),
    })
}

fn plugins() -> Plugins {
    Plugins::new().native_step("walk".parse().unwrap(), walk)
}

#[test]
fn a_plugin_takes_its_turns_and_captures_for_later_steps() {
    let (result, recording) = run(FLOW, &plugins(), pages);
    assert_eq!(result.verdict, ProbeVerdict::Pass, "{result:?}");
    assert_eq!(result.steps[0].attempts[0].checks[0].what, "pages");
    let line = recording.unwrap().to_line();
    assert!(!line.contains("a-secret-token"), "{line}");
    assert!(!format!("{result:?}").contains("a-secret-token"), "what a plugin tells is cleaned too");
}

#[test]
fn a_recording_is_run_again_without_the_plugin() {
    let (result, recording) = run(FLOW, &plugins(), pages);
    let flows = ProbeFlows::from_files([("walk.yaml", FLOW)]).unwrap();
    let again = recording.unwrap().replay(flows.get("walk").unwrap()).unwrap();
    assert_eq!(again.verdict, result.verdict);
    assert_eq!(again.steps.len(), result.steps.len());
}

#[test]
fn what_it_expects_decides_and_what_it_cannot_do_is_an_error() {
    let verdict = |plugins: &Plugins, answer: &dyn Fn(&str) -> Option<String>| run(FLOW, plugins, answer).0.verdict;
    let one_page = |path: &str| Some(if path == "/items" { String::new() } else { "ok".to_owned() });
    assert_eq!(verdict(&plugins(), &one_page), ProbeVerdict::Fail);
    assert_eq!(verdict(&Plugins::new(), &pages), ProbeVerdict::Error, "nobody loaded it");
    let endless = |_: &str| Some("/items".to_owned());
    assert_eq!(verdict(&plugins(), &endless), ProbeVerdict::Error, "more requests than `turns`");
    let refuses = |_: &StepSituation<'_>, _: &[u8], _: &StepEvent<'_>| -> Result<StepAction, String> {
        Err("no clock".to_owned())
    };
    let refuses = Plugins::new().native_step("walk".parse().unwrap(), refuses);
    assert_eq!(verdict(&refuses, &pages), ProbeVerdict::Error);
    let says_nothing = |_: &StepSituation<'_>, _: &[u8], _: &StepEvent<'_>| -> Result<StepAction, String> {
        Ok(StepAction::Done(StepConclusion { checks: Vec::new(), captures: Vec::new() }))
    };
    let says_nothing = Plugins::new().native_step("walk".parse().unwrap(), says_nothing);
    assert_eq!(verdict(&says_nothing, &pages), ProbeVerdict::Error, "a step that expects nothing proves nothing");
}

#[test]
fn a_plugin_reaches_no_host_that_the_flow_does_not_allow_and_breaks_out_of_no_header() {
    let requests = [
        get("https://evil.example/", "x"),
        get("https://shop.example.evil.example/", "x"),
        get("http://169.254.169.254/latest", "x"),
        get("/items", "x\r\nHost: evil.example"),
        StepRequest { headers: vec![("Host".to_owned(), "evil.example".to_owned())], ..get("/items", "x") },
        StepRequest { method: "CONNECT".to_owned(), ..get("/items", "x") },
    ];
    for request in requests {
        let sent = request.clone();
        let sends = move |_: &StepSituation<'_>, _: &[u8], _: &StepEvent<'_>| -> Result<StepAction, String> {
            Ok(StepAction::Send { state: Vec::new(), request: sent.clone() })
        };
        let plugins = Plugins::new().native_step("walk".parse().unwrap(), sends);
        let (result, _) = run(FLOW, &plugins, |path| panic!("{path} was asked for by {request:?}"));
        assert_eq!(result.verdict, ProbeVerdict::Error, "{request:?}");
    }
}

#[test]
fn each_request_of_a_plugin_has_the_whole_timeout_of_the_step() {
    let mut left = Vec::new();
    let (result, _) = run_with(FLOW, &plugins(), Inputs::new("prod".parse().unwrap(), 1), |request, now| {
        left.push(request.deadline.since(now));
        pages(&request.url.to_string().replace("https://shop.example", ""))
    });
    assert_eq!(result.verdict, ProbeVerdict::Pass, "each answer took four of five seconds: {result:?}");
    assert_eq!(left[..2], [Duration::from_secs(5), Duration::from_secs(5)]);
}

/// Sends these headers and is done with the answer.
fn sends(headers: &'static [(&'static str, &'static str)]) -> Plugins {
    let turn = move |_: &StepSituation<'_>, _: &[u8], event: &StepEvent<'_>| -> Result<StepAction, String> {
        Ok(match event {
            StepEvent::Begin => {
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                StepAction::Send { state: Vec::new(), request: StepRequest { headers, ..get("/items", "x") } }
            }
            StepEvent::Failed(kind) => panic!("{kind}"),
            StepEvent::Answered(answer) => {
                let said = String::from_utf8_lossy(answer.body).into_owned();
                let capture = StepCapture { name: "pages".to_owned(), value: "2".to_owned() };
                StepAction::Done(StepConclusion { checks: vec![check(true, &said)], captures: vec![capture] })
            }
        })
    };
    Plugins::new().native_step("walk".parse().unwrap(), turn)
}

#[test]
fn headers_of_a_plugin_are_sent_as_often_as_it_says_and_those_of_the_cohort_win() {
    let plugins = sends(&[
        ("Accept", "a/b"),
        ("Accept", "c/d"),
        ("X-Cohort", "of-the-plugin"),
        ("X-Given", "is a-secret-token"),
        ("Cookie", "sid=abcd"),
        ("User-Agent", "walker"),
    ]);
    let prod = "prod: { baseUrl: https://shop.example, canary: { headers: { x-cohort: '${secrets.token}' } },";
    let flow = FLOW.replace("prod: { baseUrl: https://shop.example,", prod);
    let inputs = Inputs { cohort: Some(Cohort::Canary), ..Inputs::new("prod".parse().unwrap(), 1) };
    let mut sent = Vec::new();
    let (result, _) = run_with(&flow, &plugins, inputs, |request, _| {
        if sent.is_empty() {
            sent.clone_from(&request.headers);
        }
        Some("ok".to_owned())
    });
    assert_eq!(result.verdict, ProbeVerdict::Pass, "{result:?}");
    let sent: Vec<(&str, &str, bool)> =
        sent.iter().map(|header| (header.name.as_str(), header.value.as_str(), header.secret)).collect();
    let expected = [
        ("accept", "a/b", false),
        ("accept", "c/d", false),
        ("x-given", "is a-secret-token", true),
        ("cookie", "sid=abcd", true),
        ("user-agent", "walker", false),
        ("x-cohort", "a-secret-token", true),
    ];
    assert_eq!(sent[..expected.len()], expected);
    assert_eq!(sent.last().map(|(name, ..)| *name), Some("traceparent"));
}

#[test]
fn credentials_that_a_plugin_put_together_are_told_to_nobody() {
    let plugins = sends(&[("Authorization", "Basic bWU6YS1kZXJpdmVkLXNlY3JldA==")]);
    let echo = |request: &HttpRequest, _: Instant| {
        let told = request.headers.iter().find(|header| header.name == "authorization");
        Some(told.map_or_else(|| "ok".to_owned(), |header| header.value.clone()))
    };
    let (result, recording) = run_with(FLOW, &plugins, Inputs::new("prod".parse().unwrap(), 1), echo);
    assert_eq!(result.verdict, ProbeVerdict::Pass, "{result:?}");
    let recording = recording.unwrap();
    for told in [format!("{result:?}"), recording.to_line()] {
        assert!(!told.contains("bWU6YS1kZXJpdmVkLXNlY3JldA"), "{told}");
    }
    assert!(result.steps[0].attempts[0].checks[0].actual.contains("redacted.authorization"), "{result:?}");
    let flows = ProbeFlows::from_files([("walk.yaml", FLOW)]).unwrap();
    assert_eq!(recording.replay(flows.get("walk").unwrap()).unwrap().verdict, ProbeVerdict::Pass);
}

#[test]
fn what_a_plugin_may_not_leave_is_refused_in_its_recording_too() {
    let hoards = |_: &StepSituation<'_>, _: &[u8], _: &StepEvent<'_>| -> Result<StepAction, String> {
        Ok(StepAction::Send { state: vec![0; (1 << 20) + 1], request: get("/items", "a-secret-token") })
    };
    let (result, recording) = run(FLOW, &Plugins::new().native_step("walk".parse().unwrap(), hoards), pages);
    assert_eq!(result.verdict, ProbeVerdict::Error, "{result:?}");
    let flows = ProbeFlows::from_files([("walk.yaml", FLOW)]).unwrap();
    assert_eq!(recording.unwrap().replay(flows.get("walk").unwrap()), Ok(result));
}

#[test]
fn documents_say_which_plugin_and_leave_the_rest_to_it() {
    let wrong = |from: &str, to: &str| {
        let flow = FLOW.replace(from, to);
        let error = ProbeFlows::from_files([("walk.yaml", flow.as_str())]).unwrap_err();
        let first = error.diagnostics().iter().find(|diagnostic| diagnostic.severity == davy::Severity::Error);
        first.unwrap().code.as_str().to_owned()
    };
    assert_eq!(wrong("native: walk,", ""), "D018");
    assert_eq!(wrong("native: walk", "path: walk.wasm"), "P016");
    assert_eq!(wrong("turns: 3", "turns: 0"), "D020");
    assert_eq!(wrong("- id: pages\n", "- id: pages\n      expect: { status: 200 }\n"), "D022");
    assert_eq!(wrong("${pages}", "${page}"), "P002");
}
