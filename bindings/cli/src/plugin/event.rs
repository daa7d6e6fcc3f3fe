//! What a probe step is run on: answers of a file, handed to it one by one.

use std::path::Path;

use davy::plugin::{
    NoResult, StepAction, StepCapture, StepCheck, StepEvent, StepPlugin, StepResponse, StepSituation, Turned,
};
use davy::probe::Bytes;
use davy::{Duration, Instant};
use davy_plugins::Step;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::load;

/// Something that happens to a step, as a file says it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Happened {
    /// The kind of fault, where nobody answered.
    #[serde(default)]
    failed: Option<String>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    truncated: bool,
    /// How long it took.
    #[serde(default)]
    milliseconds: u64,
}

const fn ok() -> u16 {
    200
}

/// Answers, and what stands beside them.
pub(super) struct Story {
    answers: Vec<Happened>,
    pub(super) parameters: String,
    pub(super) base_url: String,
    pub(super) now: Instant,
}

/// A turn and what became of it.
pub(super) struct Told {
    /// What happened before it: `begin`, a status, or a fault.
    pub(super) before: String,
    pub(super) turned: Turned,
}

impl Story {
    /// The answers of a file: a list in JSON, `[{ "status": 200, "headers": [["name", "value"]], "body": "…" }]`, in which
    /// `{ "failed": "timeout" }` is a request that nobody answers.
    pub(super) fn read(path: Option<&Path>, parameters: String, base_url: &str, now: Instant) -> Result<Self, Error> {
        let answers = match path {
            None => Vec::new(),
            Some(path) => {
                let refuse = |cause: serde_json::Error| Error::PluginInput {
                    path: path.to_owned(),
                    cause: format!("no list of answers: {cause}"),
                };
                serde_json::from_slice(&load::bytes(path)?).map_err(refuse)?
            }
        };
        Ok(Self { answers, parameters, base_url: base_url.trim_end_matches('/').to_owned(), now })
    }

    /// Hands the answers to the step until it is over, it fails, or they run out.
    pub(super) fn tell(&self, step: &Step) -> Vec<Told> {
        let mut told = Vec::new();
        let mut state = Vec::new();
        let begin = std::iter::once(("begin".to_owned(), StepEvent::Begin));
        let headers: Vec<Vec<(String, String)>> = self.answers.iter().map(lower).collect();
        let events = begin.chain(self.answers.iter().zip(&headers).map(|(answer, headers)| answer.event(headers)));
        for (requests, (before, event)) in events.enumerate() {
            let situation = StepSituation {
                parameters: &self.parameters,
                base_url: &self.base_url,
                now: self.now,
                random: 4,
                requests: u32::try_from(requests).unwrap_or(u32::MAX),
            };
            let turned = step.turn(&situation, &state, &event);
            let next = match &turned.result {
                Ok(StepAction::Send { state, .. }) => Some(state.clone()),
                _ => None,
            };
            told.push(Told { before, turned });
            match next {
                Some(next) => state = next,
                None => break,
            }
        }
        told
    }
}

fn lower(answer: &Happened) -> Vec<(String, String)> {
    answer.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

impl Happened {
    fn event<'a>(&'a self, headers: &'a [(String, String)]) -> (String, StepEvent<'a>) {
        if let Some(kind) = &self.failed {
            return (kind.clone(), StepEvent::Failed(kind));
        }
        let response = StepResponse {
            status: self.status,
            headers,
            body: self.body.as_bytes(),
            truncated: self.truncated,
            duration: Duration::from_millis(self.milliseconds),
        };
        (self.status.to_string(), StepEvent::Answered(response))
    }
}

impl Told {
    /// The turn on lines for people.
    pub(super) fn text(&self) -> String {
        let fuel = self.turned.fuel.map_or_else(String::new, |fuel| format!(" ({fuel} fuel)"));
        let said = match &self.turned.result {
            Ok(StepAction::Send { request, .. }) => {
                let mut out = format!("sends {} {}", request.method, request.url);
                for (name, value) in &request.headers {
                    out.push_str(&format!("\n    {name}: {value}"));
                }
                if !request.body.is_empty() {
                    out.push_str(&format!("\n    {}", String::from_utf8_lossy(&request.body)));
                }
                out
            }
            Ok(StepAction::Done(conclusion)) => {
                let mut out = "is done".to_owned();
                for check in &conclusion.checks {
                    let outcome = format!("{:?}", check.outcome).to_lowercase();
                    out.push_str(&format!(
                        "\n    {outcome} {}: expected {}, was {}",
                        check.what, check.expected, check.actual
                    ));
                }
                for capture in &conclusion.captures {
                    out.push_str(&format!("\n    captures {} = {}", capture.name, capture.value));
                }
                out
            }
            Err(_) => self.came_to_nothing().unwrap_or_default(),
        };
        format!("{}{fuel}: {said}\n", self.before)
    }

    /// The turn for programs: what happened before it, what it spent, and one of `send`, `done`, `rejected` and `faulted`.
    pub(super) fn json(&self) -> Json {
        let outcome = match &self.turned.result {
            Ok(StepAction::Send { request, .. }) => json!({ "send": {
                "method": request.method,
                "url": request.url,
                "headers": request.headers,
                "body": Bytes(request.body.clone()),
            } }),
            Ok(StepAction::Done(conclusion)) => {
                let check = |check: &StepCheck| {
                    json!({
                        "what": check.what,
                        "outcome": check.outcome,
                        "expected": check.expected,
                        "actual": check.actual,
                    })
                };
                let capture = |capture: &StepCapture| json!({ "name": capture.name, "value": capture.value });
                json!({ "done": {
                    "checks": conclusion.checks.iter().map(check).collect::<Vec<_>>(),
                    "captures": conclusion.captures.iter().map(capture).collect::<Vec<_>>(),
                } })
            }
            Err(NoResult::Rejected(why)) => json!({ "rejected": { "message": why } }),
            Err(NoResult::Faulted(fault, detail)) => json!({ "faulted": { "fault": fault, "detail": detail } }),
        };
        json!({ "before": self.before, "fuel": self.turned.fuel, "outcome": outcome })
    }

    /// Why the turn led nowhere; nothing where it did.
    pub(super) fn came_to_nothing(&self) -> Option<String> {
        match &self.turned.result {
            Ok(_) => None,
            Err(NoResult::Rejected(why)) => Some(format!("rejects: {why}")),
            Err(NoResult::Faulted(fault, detail)) => Some(format!("fails, {}: {detail}", fault.as_str())),
        }
    }
}
