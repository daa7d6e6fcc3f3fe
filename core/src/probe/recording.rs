//! What a run was told, without its secrets: enough to run it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::custom::{is_too_large, too_large};
use super::message::{Bytes, EffectId, Event, HttpResponse, SecretValue};
use super::plan::Plan;
use super::redact::{Redactor, SHORTEST, placeholder, typed_placeholder};
use super::result::FlowResult;
use super::run::{CancelReason, ProbeRun};
use super::template::{as_text, json_text};
use super::turn::{Turn, TurnCheck};
use crate::snapshot::Cohort;
use crate::{Digest, Instant, Name};

/// Everything that a run was told, in order. Secrets, cookies and what the flow's `record.redact` names are replaced
/// by placeholders. A replay is given the same placeholders, which can be sent, captured and compared where the secrets
/// can, and so comes to the same result. Only an expectation that looks into a secret (how it begins, whether it is above a
/// limit, the digest of a body with it), or expects elsewhere what is also a secret, may be judged otherwise:
/// [`super::ReplayFault::OtherResult`] says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// The flow.
    pub flow: Name,
    /// The digest of the flow and what it imports.
    pub digest: Digest,
    /// Where it ran against.
    pub target: Name,
    /// Where it ran from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Name>,
    /// Whose answers it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<Cohort>,
    /// Where its random numbers came from, as text: not every reader of JSON has 64 bits.
    #[serde(with = "seed")]
    pub seed: u64,
    /// When it began.
    pub started: Instant,
    /// Results of earlier runs that it used, by the number of the group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cached: BTreeMap<usize, Vec<Option<Json>>>,
    /// What it was told.
    pub inputs: Vec<Input>,
    /// What it came to: [`FlowResult::judgement`]. Nothing where the run was not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Digest>,
}

/// One thing that a run was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Input {
    /// It was polled, and went on.
    Poll {
        /// When.
        at: Instant,
    },
    /// An effect ended.
    Event {
        /// When.
        at: Instant,
        /// Which.
        id: EffectId,
        /// With what.
        event: Box<Event>,
    },
    /// It was cancelled.
    Cancel {
        /// When.
        at: Instant,
        /// Why.
        reason: CancelReason,
    },
}

impl ProbeRun {
    /// What the run was told so far, without its secrets; nothing where [`super::Inputs::record`] did not ask for it.
    #[must_use]
    pub fn recording(&self) -> Option<Recording> {
        let inputs = self.inputs.as_ref()?;
        let (location, cohort) = self.place();
        let clean = Cleaner { redactor: &self.redactor, plan: &self.plan };
        let input = |input: &Input| match input {
            Input::Event { at, id, event } => {
                let event = match &**event {
                    // What was refused for being too short must be so again.
                    Event::Secret(SecretValue(secret)) if secret.chars().count() < SHORTEST => {
                        Event::Secret(SecretValue(String::new()))
                    }
                    Event::Secret(SecretValue(secret)) => Event::Secret(SecretValue(self.redactor.text(secret))),
                    Event::SecretFailed(why) => Event::SecretFailed(self.redactor.text(why)),
                    Event::Http(response) => Event::Http(Box::new(clean.response(response))),
                    Event::Turned(turn) => Event::Turned(Box::new(clean.turn(turn))),
                    Event::HttpFailed(error) => {
                        let mut error = error.clone();
                        error.detail = self.redactor.text(&error.detail);
                        Event::HttpFailed(error)
                    }
                };
                Input::Event { at: *at, id: *id, event: Box::new(event) }
            }
            other => other.clone(),
        };
        let cached = self.taken.iter().map(|(group, values)| {
            let values = values.iter().map(|value| value.as_ref().map(|value| clean.json(value)));
            (*group, values.collect())
        });
        Some(Recording {
            flow: self.plan.name.clone(),
            digest: self.plan.digest,
            target: self.target().map_or_else(|| self.plan.name.clone(), |target| target.name.clone()),
            location: location.cloned(),
            cohort,
            seed: self.seed,
            started: self.started(),
            cached: cached.collect(),
            inputs: inputs.iter().map(input).collect(),
            judgement: self.result().map(FlowResult::judgement),
        })
    }
}

struct Cleaner<'a> {
    redactor: &'a Redactor,
    plan: &'a Plan,
}

impl Cleaner<'_> {
    fn response(&self, response: &HttpResponse) -> HttpResponse {
        let headers = response.headers.iter().map(|(name, value)| {
            let redacted = self.plan.redact_headers.iter().any(|header| header.eq_ignore_ascii_case(name));
            let value = if redacted { placeholder(&name.to_ascii_lowercase()) } else { self.redactor.text(value) };
            (name.clone(), value)
        });
        let mut body = self.redactor.bytes(&response.body.0);
        if let Ok(json) = serde_json::from_slice::<Json>(&response.body.0) {
            // What is JSON stays so: a secret may be a number there, or escaped in a way that no form has.
            let clean = self.json(&self.without_paths(json));
            let is_clean = |body: &[u8]| serde_json::from_slice::<Json>(body).is_ok_and(|read| read == clean);
            if !is_clean(&body) {
                let in_place = std::str::from_utf8(&response.body.0).map(|text| self.in_place(text).into_bytes());
                let in_place = in_place.ok().filter(|body| is_clean(body));
                body = in_place.unwrap_or_else(|| json_text(&clean).into_bytes());
            }
        }
        let original_bytes = (body != response.body.0).then(|| response.bytes());
        HttpResponse { headers: headers.collect(), body: Bytes(body), original_bytes, ..response.clone() }
    }

    /// What the plugin is to remember is told to nobody: a replay has its answers.
    fn turn(&self, turn: &Turn) -> Turn {
        let text = |text: &str| self.redactor.text(text);
        let pairs =
            |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        match turn {
            // Told without its state and its secrets it might not be refused again.
            Turn::Send { state, body, .. } if is_too_large(state, body) => Turn::Failed(too_large()),
            Turn::Failed(why) => Turn::Failed(text(why)),
            Turn::Send { method, url, headers, body, .. } => Turn::Send {
                state: Bytes::default(),
                method: method.clone(),
                url: text(url),
                headers: pairs(headers),
                body: Bytes(self.redactor.bytes(&body.0)),
            },
            Turn::Done { checks, captures } => Turn::Done {
                checks: checks
                    .iter()
                    .map(|check| TurnCheck {
                        what: text(&check.what),
                        outcome: check.outcome,
                        expected: text(&check.expected),
                        actual: text(&check.actual),
                    })
                    .collect(),
                captures: pairs(captures),
            },
        }
    }

    fn without_paths(&self, mut json: Json) -> Json {
        for path in &self.plan.redact_paths {
            let found = path.path.query_located(&json);
            let places: Vec<String> = found.locations().map(|location| location.to_json_pointer()).collect();
            for place in places {
                if let Some(value) = json.pointer_mut(&place) {
                    *value = Json::String(typed_placeholder(value, &placeholder("path")));
                }
            }
        }
        json
    }

    /// JSON whose texts, numbers and truth values are clean; everything else in it is as it was.
    fn in_place(&self, json: &str) -> String {
        let mut text = String::with_capacity(json.len());
        let mut rest = json;
        while let Some(first) = rest.chars().next() {
            let end = match first {
                '"' => end_of_text(rest),
                'a'..='z' | '0'..='9' | '-' => rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
                other => other.len_utf8(),
            };
            let (token, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            match serde_json::from_str::<Json>(token) {
                Ok(value) => match self.json(&value) {
                    clean if clean == value => text.push_str(token),
                    clean => text.push_str(&clean.to_string()),
                },
                Err(_) => text.push_str(token),
            }
            rest = behind;
        }
        text
    }

    fn json(&self, value: &Json) -> Json {
        if let Json::Array(_) | Json::Object(_) = value
            && let Some(placeholder) = self.redactor.of_whole(value)
        {
            return Json::String(placeholder);
        }
        match value {
            Json::String(text) => Json::String(self.redactor.text(text)),
            Json::Array(items) => Json::Array(items.iter().map(|item| self.json(item)).collect()),
            Json::Object(entries) => {
                let clean = |(key, value): (&String, &Json)| (self.redactor.text(key), self.json(value));
                Json::Object(entries.iter().map(clean).collect())
            }
            Json::Number(_) | Json::Bool(_) => {
                let text = as_text(value);
                let clean = self.redactor.text(&text);
                if clean == text { value.clone() } else { Json::String(typed_placeholder(value, &clean)) }
            }
            Json::Null => Json::Null,
        }
    }
}

/// Behind the quote that ends the text with which this JSON begins.
fn end_of_text(json: &str) -> usize {
    let mut escaped = false;
    let end = json.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |(at, _)| at + 1)
}

/// A number of 64 bits as text.
mod seed {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(seed)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
