//! Probes: flow documents, answers into the machine, what browsers record, recordings.

use std::sync::{Arc, LazyLock};

use davy::probe::{
    Effect, EffectId, Event, FlowResult, HttpResponse, Inputs, Next, Plan, ProbeMetrics, ProbeRun, Recording,
    SecretValue, Shapes, TransportError, TransportFault, glance, json_lines, junit, read_har, run_on_har, survivors,
    text,
};
use davy::{Duration, Instant, ProbeFlows, ProbeVerdict};

use crate::{FILE_SEPARATOR, Input, lies_within};

/// More polls than any run of these flows needs: more would be a run without an end.
const MOST_POLLS: usize = 100_000;
const SECRET: &str = "planted-c4n4ry-s3cr3t";

const FLOW: &str = include_str!("../examples/flow.yaml");

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let flows = ProbeFlows::from_files([("flow.yaml", FLOW)]).expect("the flow of the targets is a good one");
    Arc::clone(flows.iter().next().expect("there is one flow"))
});

/// Flow and library documents, separated by the byte 0x1e; the first is `flow.yaml`, the others `lib/1.yaml` and so on.
///
/// They are read the same in any order, what is wrong with them has a place, and every flow that compiles runs to its
/// end against a service that says nothing sensible.
pub fn flows(data: &[u8]) -> Input {
    let name = |number: usize| if number == 0 { "flow.yaml".to_owned() } else { format!("lib/{number}.yaml") };
    let files: Vec<(String, &[u8])> =
        data.split(|byte| *byte == FILE_SEPARATOR).enumerate().map(|(number, bytes)| (name(number), bytes)).collect();
    files.iter().for_each(|(path, bytes)| drop(glance(path, bytes)));
    let read = ProbeFlows::from_files(files.iter().map(|(path, bytes)| (path.as_str(), *bytes)));
    let again = ProbeFlows::from_files(files.iter().rev().map(|(path, bytes)| (path.as_str(), *bytes)));
    let flows = match (read, again) {
        (Err(error), Err(again)) => {
            assert_eq!(error, again, "the order of files means nothing");
            error.diagnostics().iter().for_each(|diagnostic| lies_within(diagnostic, &files));
            return Input::Refused;
        }
        (Ok(flows), Ok(again)) => {
            assert_eq!(flows.warnings(), again.warnings());
            flows
        }
        (read, again) => panic!("read once {read:?}, then {again:?}"),
    };
    flows.warnings().iter().for_each(|warning| lies_within(warning, &files));
    for plan in flows.iter() {
        if let Some(schedule) = plan.schedule() {
            let at = Instant::from_millis(1_792_800_000_000);
            assert!(schedule.windows.opening(at).is_none_or(|opening| opening >= at));
        }
        for target in plan.targets() {
            let inputs = Inputs { record: true, ..Inputs::new(target.clone(), 7) };
            let (result, _) = run(plan, inputs, |number| match number % 3 {
                0 => answer(200, "{}"),
                1 => answer(503, ""),
                _ => Event::HttpFailed(TransportError {
                    kind: TransportFault::Closed,
                    detail: String::new(),
                    timings: Default::default(),
                }),
            });
            shows(&result);
        }
    }
    Input::Read
}

/// Answers to the requests of a flow that uses everything, separated by the byte 0x1e: each the JSON of an answer, or
/// any other bytes, which are then a cookie where they begin as one, and the body of an answer where not.
///
/// The run ends, tells no secret, and its recording comes to the same result.
pub fn answers(data: &[u8]) -> Input {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == FILE_SEPARATOR).collect();
    let mut all_read = true;
    let events: Vec<Event> = parts
        .iter()
        .map(|part| match serde_json::from_slice::<HttpResponse>(part) {
            Ok(response) => Event::Http(Box::new(response)),
            Err(_) => {
                all_read = false;
                let mut event = answer(200, "");
                if let Event::Http(response) = &mut event {
                    if part.starts_with(b"sid=") {
                        response.headers.push(("set-cookie".to_owned(), String::from_utf8_lossy(part).into_owned()));
                    } else {
                        response.body = davy::probe::Bytes(part.to_vec());
                    }
                }
                event
            }
        })
        .collect();
    let inputs = Inputs { record: true, ..Inputs::new("prod".parse().expect("a name"), 7) };
    let (result, recording) = run(&PLAN, inputs, |number| events[number % events.len()].clone());
    shows(&result);
    let recording = recording.expect("it was asked for");
    let lines = recording.to_line();
    assert!(!lines.contains(SECRET), "a recording tells a secret");
    let read = Recording::from_lines(&lines).expect("what was written is read");
    assert_eq!(read, [recording]);
    // Answers that carry the placeholder of a secret already may be judged otherwise; none of ours does.
    if !data.windows(8).any(|eight| eight == b"redacted") && !tells_a_secret_twice(&events) {
        let replayed = read[0].replay(&PLAN).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(replayed.judgement(), result.judgement());
    }
    if all_read { Input::Read } else { Input::Refused }
}

/// Whether a cookie or token stands in more places than the one that it comes from. What is expected of such a place, a
/// replay would expect of a placeholder.
fn tells_a_secret_twice(events: &[Event]) -> bool {
    let (mut texts, mut secrets) = (Vec::new(), Vec::new());
    for event in events {
        let Event::Http(response) = event else { continue };
        let body = String::from_utf8_lossy(&response.body.0).into_owned();
        let json = serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default();
        secrets.extend(json["token"].as_str().map(str::to_owned));
        texts.push(body);
        for (name, value) in &response.headers {
            let cookie = value.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((_, secret)) = cookie.filter(|_| name.eq_ignore_ascii_case("set-cookie")) {
                secrets.push(secret.trim().to_owned());
            }
            texts.push(value.clone());
        }
    }
    let places = |secret: &str| texts.iter().map(|text| text.matches(secret).count()).sum::<usize>();
    secrets.iter().any(|secret| secret.chars().count() >= 4 && places(secret) > 1)
}

/// The recording that an input of [`answers`] leaves: seeds for another target.
#[must_use]
pub fn recorded(data: &[u8]) -> String {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == FILE_SEPARATOR).collect();
    let inputs = Inputs { record: true, ..Inputs::new("prod".parse().expect("a name"), 7) };
    let (_, recording) = run(&PLAN, inputs, |number| {
        let response = serde_json::from_slice::<HttpResponse>(parts[number % parts.len()]);
        response.map_or_else(|_| answer(200, ""), |response| Event::Http(Box::new(response)))
    });
    recording.map(|recording| recording.to_line()).unwrap_or_default()
}

/// A browser's recording, HAR 1.2.
///
/// What is read can be run on, and that run ends and can be replayed.
pub fn har(data: &[u8]) -> Input {
    let Ok(entries) = read_har(data) else { return Input::Refused };
    let inputs = Inputs::new("prod".parse().expect("a name"), 7);
    let (result, recording) = run_on_har(&PLAN, inputs, &entries).expect("the flow has that target");
    shows(&result);
    let replayed = recording.expect("always kept").replay(&PLAN);
    assert!(replayed.is_ok(), "{replayed:?}");
    Input::Read
}

/// Recordings, a line of JSON each.
///
/// Whatever they hold: replaying, breaking and comparing them ends, and what was read is written as the same.
pub fn recordings(data: &[u8]) -> Input {
    let Ok(text) = std::str::from_utf8(data) else { return Input::Refused };
    let Ok(recordings) = Recording::from_lines(text) else { return Input::Refused };
    for recording in &recordings {
        assert_eq!(Recording::from_lines(&recording.to_line()).as_deref(), Ok(std::slice::from_ref(recording)));
        if let Ok(result) = recording.run_on(&PLAN) {
            shows(&result);
        }
        drop(recording.replay(&PLAN));
    }
    let few = recordings.get(..2).unwrap_or(&recordings);
    drop(survivors(&PLAN, few));
    let shapes = Shapes::of(&PLAN, &recordings);
    assert!(shapes.compare(&shapes).iter().all(|difference| difference.kind.as_str() != "removed"));
    Input::Read
}

fn answer(status: u16, body: &str) -> Event {
    let json = serde_json::json!({ "status": status, "version": "1.1", "headers": [], "body": body, "peer": { "address": "93.184.215.14" } });
    Event::Http(Box::new(serde_json::from_value(json).expect("an answer")))
}

/// Runs to the end; the number of the request decides the answer.
fn run(plan: &Arc<Plan>, inputs: Inputs, serve: impl Fn(usize) -> Event) -> (FlowResult, Option<Recording>) {
    let mut now: Instant = "2026-11-26T10:00:00Z".parse().expect("an instant");
    let mut run = ProbeRun::new(Arc::clone(plan), inputs, now).expect("one of its targets");
    let mut requests = 0;
    for _ in 0..MOST_POLLS {
        match run.poll(now) {
            Next::Done(result) => return (*result, run.recording()),
            Next::Wait { until, .. } => {
                assert!(until > now, "a wait that is over");
                now = until;
            }
            Next::Effect(id, effect) => {
                let event = match effect {
                    Effect::Http(_) => serve(requests),
                    _ => Event::Secret(SecretValue(SECRET.to_owned())),
                };
                requests += 1;
                now = now.plus(Duration::from_millis(3));
                // Too late is for the machine to say.
                let _ = run.handle(now, id, event.clone());
                assert!(run.handle(now, EffectId(u64::MAX), event).is_err(), "an answer to nothing is refused");
            }
        }
    }
    panic!("a run without an end");
}

/// A result is shown in every form, and tells no secret in any.
fn shows(result: &FlowResult) {
    let passed = matches!(result.verdict, ProbeVerdict::Pass | ProbeVerdict::Degraded);
    assert!(!passed || result.evaluated > 0, "it passed without having judged anything");
    let results = std::slice::from_ref(result);
    let json = json_lines(results);
    assert_eq!(serde_json::from_str::<FlowResult>(&json).expect("what was written is read"), *result);
    let mut metrics = ProbeMetrics::default();
    metrics.add(result);
    for output in [
        json,
        junit(results),
        text(result),
        metrics.to_openmetrics(),
        metrics.to_otlp(result.started, result.ended).to_string(),
    ] {
        assert!(!output.contains(SECRET), "a secret is told");
    }
}
