//! Turns of custom steps, as plain data: what a plugin is told, and what it answers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::{Bytes, HttpResponse};
use crate::plugin::{NoResult, Plugins, StepAction, StepEvent, StepOutcome, StepResponse, StepSituation};
use crate::{Digest, Duration, Instant, Name};

/// One turn of a custom step: what its plugin is told. [`Plugins::turn`] takes it. `Debug` shows no parameters and no
/// state: both may hold secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepTurn {
    /// The step.
    pub step: String,
    /// The digest of the plugin's bytes; nothing for code of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Digest>,
    /// The name of code of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<Name>,
    /// The parameters, filled in: a JSON object.
    pub parameters: String,
    /// The target's base URL, without a `/` at its end.
    pub base_url: String,
    /// The time.
    pub now: Instant,
    /// A number below 2^53, drawn for this turn.
    pub random: u64,
    /// How many requests the step has sent.
    pub requests: u32,
    /// What the last turn left.
    pub state: Bytes,
    /// What has happened.
    pub event: TurnEvent,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnEvent {
    /// The step begins.
    Begin,
    /// The last request was answered.
    Answered(Box<HttpResponse>),
    /// It got no answer: the kind of fault.
    Failed(String),
}

/// What a plugin answers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Turn {
    /// A request to send.
    Send {
        /// For the next turn.
        #[serde(default, skip_serializing_if = "Bytes::is_empty")]
        state: Bytes,
        /// The method in upper case.
        method: String,
        /// Absolute, or a path under the base URL.
        url: String,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body.
        #[serde(default, skip_serializing_if = "Bytes::is_empty")]
        body: Bytes,
    },
    /// The step is over.
    Done {
        /// What was expected.
        checks: Vec<TurnCheck>,
        /// Names and values for later steps.
        captures: Vec<(String, String)>,
    },
    /// The plugin cannot run the step, or failed. That says nothing about the service.
    Failed(String),
}

/// One thing that a plugin expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TurnCheck {
    /// What was looked at.
    pub what: String,
    /// Whether it was so.
    pub outcome: StepOutcome,
    /// What it should be.
    pub expected: String,
    /// What it was.
    pub actual: String,
}

impl Plugins {
    /// Takes a turn: what a host answers to [`Effect::Turn`](super::Effect::Turn), as
    /// [`Event::Turned`](super::Event::Turned).
    #[must_use]
    pub fn turn(&self, turn: &StepTurn) -> Turn {
        let plugin = match (&turn.plugin, &turn.native) {
            (Some(digest), _) => self.step(*digest),
            (None, Some(name)) => self.step_native(name),
            (None, None) => None,
        };
        let Some(plugin) = plugin else { return Turn::Failed("the host has not loaded the plugin".to_owned()) };
        let situation = StepSituation {
            parameters: &turn.parameters,
            base_url: &turn.base_url,
            now: turn.now,
            random: turn.random,
            requests: turn.requests,
        };
        let lower: Vec<(String, String)> = match &turn.event {
            TurnEvent::Answered(answer) => {
                answer.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
            }
            TurnEvent::Begin | TurnEvent::Failed(_) => Vec::new(),
        };
        let event = match &turn.event {
            TurnEvent::Begin => StepEvent::Begin,
            TurnEvent::Failed(kind) => StepEvent::Failed(kind),
            TurnEvent::Answered(answer) => StepEvent::Answered(StepResponse {
                status: answer.status,
                headers: &lower,
                body: &answer.body.0,
                truncated: answer.truncated,
                duration: Duration::from_millis(answer.timings.total().map_or(0, |total| total.0 / 1000)),
            }),
        };
        match plugin.turn(&situation, &turn.state.0, &event).result {
            Ok(StepAction::Send { state, request }) => Turn::Send {
                state: Bytes(state),
                method: request.method,
                url: request.url,
                headers: request.headers,
                body: Bytes(request.body),
            },
            Ok(StepAction::Done(conclusion)) => Turn::Done {
                checks: conclusion
                    .checks
                    .into_iter()
                    .map(|check| TurnCheck {
                        what: check.what,
                        outcome: check.outcome,
                        expected: check.expected,
                        actual: check.actual,
                    })
                    .collect(),
                captures: conclusion.captures.into_iter().map(|capture| (capture.name, capture.value)).collect(),
            },
            Err(NoResult::Rejected(why)) => Turn::Failed(why),
            Err(NoResult::Faulted(fault, detail)) => Turn::Failed(format!("{}: {detail}", fault.as_str())),
        }
    }
}

impl fmt::Debug for StepTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = (&self.plugin, &self.native);
        f.debug_struct("StepTurn").field("step", &self.step).field("plugin", &plugin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send { .. } => "Send",
            Self::Done { .. } => "Done",
            Self::Failed(_) => "Failed",
        })
    }
}
