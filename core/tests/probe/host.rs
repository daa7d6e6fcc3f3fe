//! A host for tests: its service is a function, its clock a number that only waits move.

use std::sync::Arc;

use davy::probe::{
    Effect, Event, FlowResult, HttpRequest, HttpResponse, Inputs, Next, Peer, Plan, ProbeRun, SecretValue, Sessions,
    Timings, TransportError, TransportFault,
};
use davy::{Duration, Instant, ProbeFlows};

pub(crate) const START: &str = "2026-11-23T10:00:00Z";
pub(crate) const SECRET: &str = "c4n4ry+t0k/en&42";

pub(crate) fn start() -> Instant {
    START.parse().unwrap()
}

/// A flow with these lines in its `spec`, whose target is `https://shop.example`.
pub(crate) fn plan(spec: &str) -> Arc<Plan> {
    let head = "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: { name: shop }\nspec:\n";
    let target =
        if spec.contains("targets:") { "" } else { "  targets: { prod: { baseUrl: https://shop.example } }\n" };
    let text = format!("{head}{target}{spec}");
    let flows = ProbeFlows::from_files([("shop.yaml", &text)]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    flows.get("shop").unwrap().clone()
}

pub(crate) struct Host<F> {
    pub(crate) serve: F,
    pub(crate) now: Instant,
    pub(crate) took: Duration,
    pub(crate) asked: Vec<HttpRequest>,
    pub(crate) inputs: Inputs,
    pub(crate) sessions: Sessions,
    /// The value of every secret.
    pub(crate) secret: String,
}

impl<F: FnMut(&HttpRequest, usize) -> Event> Host<F> {
    pub(crate) fn new(serve: F) -> Self {
        let mut inputs = Inputs::new("prod".parse().unwrap(), 7);
        inputs.record = true;
        Self {
            serve,
            now: start(),
            took: Duration::from_millis(10),
            asked: Vec::new(),
            inputs,
            sessions: Sessions::new(),
            secret: SECRET.to_owned(),
        }
    }

    pub(crate) fn run(&mut self, plan: &Arc<Plan>) -> FlowResult {
        let mut run = self.begin(plan);
        let result = self.finish(&mut run);
        self.sessions = run.sessions().clone();
        // Whatever a test is about: a recording comes to the same result, and survives being written.
        let recording = run.recording().unwrap();
        let read: davy::probe::Recording = serde_json::from_str(&recording.to_line()).unwrap();
        assert_eq!(read, recording);
        assert_eq!(read.replay(plan).unwrap(), result);
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<FlowResult>(&json).unwrap(), result);
        result
    }

    pub(crate) fn begin(&mut self, plan: &Arc<Plan>) -> ProbeRun {
        self.inputs.sessions = self.sessions.clone();
        ProbeRun::new(Arc::clone(plan), self.inputs.clone(), self.now).unwrap()
    }

    pub(crate) fn finish(&mut self, run: &mut ProbeRun) -> FlowResult {
        loop {
            match run.poll(self.now) {
                Next::Done(result) => return *result,
                Next::Wait { until, .. } => {
                    assert!(until > self.now, "a wait that is over");
                    self.now = until;
                }
                Next::Effect(id, Effect::Http(request)) => {
                    let event = (self.serve)(&request, self.asked.len());
                    self.asked.push(*request);
                    self.now = self.now.plus(self.took);
                    // An answer that is too late is refused, and the next poll says so.
                    let _ = run.handle(self.now, id, event);
                }
                Next::Effect(id, Effect::Secret { .. }) => {
                    run.handle(self.now, id, Event::Secret(SecretValue(self.secret.clone()))).unwrap();
                }
                Next::Effect(_, other) => panic!("{other:?}"),
            }
        }
    }
}

pub(crate) fn response(status: u16, body: &str) -> HttpResponse {
    let mut response: HttpResponse =
        serde_json::from_value(serde_json::json!({ "status": status, "version": "1.1", "headers": [], "body": body }))
            .unwrap();
    response.peer = Some(Peer { address: "93.184.215.14".parse().unwrap(), tls: None });
    response
}

pub(crate) fn answer(status: u16, body: &str) -> Event {
    Event::Http(Box::new(response(status, body)))
}

pub(crate) fn with_headers(status: u16, headers: &[(&str, &str)], body: &str) -> Event {
    let mut response = response(status, body);
    response.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Event::Http(Box::new(response))
}

pub(crate) fn fault(kind: TransportFault) -> Event {
    Event::HttpFailed(TransportError { kind, detail: "made up".to_owned(), timings: Timings::default() })
}
