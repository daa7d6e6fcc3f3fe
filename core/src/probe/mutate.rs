//! Which broken answers would nobody notice: recorded answers, broken one at a time, run again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::message::{Bytes, Event, HttpResponse};
use super::plan::Plan;
use super::recording::{Input, Recording};
use super::run::{Inputs, ProbeRun};
use super::session::Sessions;
use super::template::json_text;
use crate::document::decode::Report;
use crate::document::diagnostic::{self, DiagnosticCode as Code};
use crate::document::{Diagnostic, Position};
use crate::snapshot::ProbeVerdict;
use crate::{Duration, Instant};

/// A way to break an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Mutation {
    /// The status is 500.
    ServerError,
    /// The status stays and the body is a page that says sorry.
    ErrorPage,
    /// There is no body.
    NoBody,
    /// The second half of the body is missing.
    HalfBody,
    /// A field is missing.
    Dropped {
        /// Where, as a JSON Pointer.
        at: String,
    },
    /// A field is `null`.
    Null {
        /// Where, as a JSON Pointer.
        at: String,
    },
    /// A field has another type.
    OtherType {
        /// Where, as a JSON Pointer.
        at: String,
    },
    /// A list is empty.
    EmptyList {
        /// Where, as a JSON Pointer.
        at: String,
    },
}

/// A broken answer that no expectation noticed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Survivor {
    /// The step that was answered.
    pub step: String,
    /// Where the step stands.
    pub at: Position,
    /// How the answer was broken.
    pub mutation: Mutation,
}

/// The most broken answers that are tried for one answer.
const MOST: usize = 500;

/// Breaks each answer of recordings that passed, one way at a time, and says what went unnoticed; each finding once.
///
/// Of a list only the first item is broken. A broken answer counts as noticed when the run ends otherwise or asks for
/// something else.
#[must_use]
pub fn survivors(plan: &Arc<Plan>, recordings: &[Recording]) -> Vec<Survivor> {
    let mut found = Vec::new();
    for recording in recordings {
        let Ok(original) = recording.replay(plan) else { continue };
        if original.verdict != ProbeVerdict::Pass {
            continue;
        }
        for (index, step, response) in answers(plan, recording) {
            for mutation in mutations(response).into_iter().take(MOST) {
                let mut broken = recording.clone();
                if let Some(Input::Event { event, .. }) = broken.inputs.get_mut(index) {
                    **event = Event::Http(Box::new(mutation.of(response)));
                }
                let unnoticed = broken.run_on(plan).is_ok_and(|result| result.verdict == ProbeVerdict::Pass);
                if unnoticed && let Some(step) = plan.steps.get(step) {
                    found.push(Survivor { step: step.id.clone(), at: step.position.clone(), mutation });
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What recordings say about a flow: P023 where they are too old or of another version of it, P024 for each broken
/// answer that nothing notices.
#[must_use]
pub fn check_recordings(
    plan: &Arc<Plan>,
    recordings: &[Recording],
    max_age: Duration,
    now: Instant,
) -> Vec<Diagnostic> {
    let mut report = Report::default();
    for recording in recordings {
        let age = now.since(recording.started);
        let message = if recording.digest != plan.digest {
            "a recording is of another version of the flow".to_owned()
        } else if age > max_age {
            format!("a recording is {age} old, and at most {max_age} is allowed")
        } else {
            continue;
        };
        report.warn(Code::ProbeOldRecording, &plan.position, message, "record the flow again");
    }
    for survivor in survivors(plan, recordings) {
        let message = format!("the step `{}` does not notice {}", survivor.step, survivor.mutation);
        report.warn(Code::ProbeSurvivor, &survivor.at, message, "expect what must be there");
    }
    diagnostic::sort(&mut report.diagnostics);
    report.diagnostics.dedup();
    report.diagnostics
}

/// The answers of a recording, with the number of the input and of the step.
pub(super) fn answers<'a>(plan: &Arc<Plan>, recording: &'a Recording) -> Vec<(usize, usize, &'a HttpResponse)> {
    let inputs = Inputs {
        target: recording.target.clone(),
        location: recording.location.clone(),
        cohort: recording.cohort,
        seed: recording.seed,
        sessions: Sessions::new(),
        record: false,
    };
    let Ok(mut run) = ProbeRun::new(Arc::clone(plan), inputs, recording.started) else { return Vec::new() };
    run.given = Some(recording.cached.clone());
    let mut answers = Vec::new();
    for (index, input) in recording.inputs.iter().enumerate() {
        match input {
            Input::Poll { at } => _ = run.poll(*at),
            Input::Cancel { at, reason } => run.cancel(*at, *reason),
            Input::Event { at, id, event } => {
                if let (Event::Http(response), Some(step)) = (&**event, run.step_under_way()) {
                    answers.push((index, step, &**response));
                }
                if run.handle(*at, *id, (**event).clone()).is_err() {
                    break;
                }
            }
        }
    }
    answers
}

impl Mutation {
    /// The answer, broken.
    #[must_use]
    pub fn of(&self, response: &HttpResponse) -> HttpResponse {
        let mut broken = HttpResponse { original_bytes: None, ..response.clone() };
        match self {
            Self::ServerError => broken.status = 500,
            Self::ErrorPage => {
                broken.body = Bytes::from("<!doctype html><title>Error</title><h1>Sorry, something went wrong</h1>");
            }
            Self::NoBody => broken.body = Bytes::default(),
            Self::HalfBody => broken.body.0.truncate(response.body.0.len() / 2),
            Self::Dropped { at } | Self::Null { at } | Self::OtherType { at } | Self::EmptyList { at } => {
                if let Ok(mut json) = serde_json::from_slice::<Json>(&response.body.0) {
                    self.apply(at, &mut json);
                    broken.body = Bytes(json_text(&json).into_bytes());
                }
            }
        }
        broken
    }

    fn apply(&self, at: &str, json: &mut Json) {
        if let Self::Dropped { .. } = self {
            let Some((parent, key)) = at.rsplit_once('/') else { return };
            if let Some(Json::Object(entries)) = json.pointer_mut(parent) {
                entries.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            return;
        }
        let Some(value) = json.pointer_mut(at) else { return };
        *value = match (self, &*value) {
            (Self::Null { .. }, _) => Json::Null,
            (Self::EmptyList { .. }, _) => Json::Array(Vec::new()),
            (_, Json::String(_)) => Json::from(0),
            (_, Json::Number(_)) => Json::from("text"),
            (_, Json::Bool(_)) => Json::from("yes"),
            (_, Json::Array(_)) => Json::Object(serde_json::Map::new()),
            _ => Json::Array(Vec::new()),
        };
    }
}

/// What happened to the answer, as the end of a sentence.
impl std::fmt::Display for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = diagnostic::shown;
        match self {
            Self::ServerError => f.write_str("the status 500"),
            Self::ErrorPage => f.write_str("an error page with the usual status"),
            Self::NoBody => f.write_str("an empty body"),
            Self::HalfBody => f.write_str("a body of which half is missing"),
            Self::Dropped { at } => write!(f, "that `{}` is missing", shown(at)),
            Self::Null { at } => write!(f, "that `{}` is null", shown(at)),
            Self::OtherType { at } => write!(f, "that `{}` has another type", shown(at)),
            Self::EmptyList { at } => write!(f, "that the list `{}` is empty", shown(at)),
        }
    }
}

/// All ways to break an answer that change it.
fn mutations(response: &HttpResponse) -> Vec<Mutation> {
    let mut all = Vec::new();
    if response.status != 500 {
        all.push(Mutation::ServerError);
    }
    if !response.body.is_empty() {
        all.extend([Mutation::ErrorPage, Mutation::NoBody, Mutation::HalfBody]);
    }
    if let Ok(json) = serde_json::from_slice::<Json>(&response.body.0) {
        fields(&json, "", &mut all);
    }
    all
}

fn fields(json: &Json, at: &str, all: &mut Vec<Mutation>) {
    match json {
        Json::Object(entries) => {
            for (key, value) in entries {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                all.push(Mutation::Dropped { at: at.clone() });
                if !value.is_null() {
                    all.push(Mutation::Null { at: at.clone() });
                    all.push(Mutation::OtherType { at: at.clone() });
                }
                fields(value, &at, all);
            }
        }
        Json::Array(items) => {
            if let Some(first) = items.first() {
                all.push(Mutation::EmptyList { at: at.to_owned() });
                fields(first, &format!("{at}/0"), all);
            }
        }
        _ => {}
    }
}
