//! Custom probe steps: pure functions from what happened to the next request or the verdict.

use serde::{Deserialize, Serialize};

use super::NoResult;
use crate::{Duration, Instant};

/// A custom probe step. The machine sends its requests and keeps its state between turns.
///
/// A turn must depend on nothing but its arguments. Every closure of the same form is one.
pub trait StepPlugin: Send + Sync {
    /// What runs it, such as `wasmtime 48.0.8`.
    fn engine(&self) -> &str {
        "native"
    }

    /// Takes one turn. `state` is what the last turn left, empty at first. Must not panic.
    fn turn(&self, situation: &StepSituation<'_>, state: &[u8], event: &StepEvent<'_>) -> Turned;
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSituation<'a> {
    /// The parameters, with every `${name}` filled in: a JSON object.
    pub parameters: &'a str,
    /// The target that the flow runs against, without a `/` at its end.
    pub base_url: &'a str,
    /// The time of this turn.
    pub now: Instant,
    /// A number drawn for this turn.
    pub random: u64,
    /// How many requests the step has sent.
    pub requests: u32,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEvent<'a> {
    /// The step begins.
    Begin,
    /// The last request was answered.
    Answered(StepResponse<'a>),
    /// The last request got no answer: the kind of fault, such as `timeout`.
    Failed(&'a str),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResponse<'a> {
    /// The status, 100 to 999.
    pub status: u16,
    /// Names in lower case and values, in the order of the answer.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// Whether the body was longer than is read.
    pub truncated: bool,
    /// How long the exchange took.
    pub duration: Duration,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAction {
    /// Send this, and take the next turn with this state.
    Send {
        /// For the next turn.
        state: Vec<u8>,
        /// What to send.
        request: StepRequest,
    },
    /// The step is over.
    Done(StepConclusion),
}

/// A request. Which hosts and addresses may be reached is the flow's to say, not the plugin's.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRequest {
    /// The method in upper case.
    pub method: String,
    /// Absolute, or a path under the base URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StepConclusion {
    /// What was expected; one failure fails the step. At least one.
    pub checks: Vec<StepCheck>,
    /// Values for later steps.
    pub captures: Vec<StepCapture>,
}

/// One thing that was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCheck {
    /// What was looked at.
    pub what: String,
    /// Whether it was so.
    pub outcome: StepOutcome,
    /// What it should be.
    pub expected: String,
    /// What it was.
    pub actual: String,
}

/// Whether an expectation held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepOutcome {
    /// It held.
    Pass,
    /// It held, but not as well as wanted.
    Degraded,
    /// It did not.
    Fail,
}

/// A value for later steps.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCapture {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What came of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Turned {
    /// The next action. Without one the step's verdict is `error`: it says nothing about the service.
    pub result: Result<StepAction, NoResult>,
    /// How much of its budget was spent; nothing where nobody counts.
    pub fuel: Option<u64>,
}

impl<F> StepPlugin for F
where
    F: Fn(&StepSituation<'_>, &[u8], &StepEvent<'_>) -> Result<StepAction, String> + Send + Sync,
{
    fn turn(&self, situation: &StepSituation<'_>, state: &[u8], event: &StepEvent<'_>) -> Turned {
        Turned { result: self(situation, state, event).map_err(NoResult::Rejected), fuel: None }
    }
}
