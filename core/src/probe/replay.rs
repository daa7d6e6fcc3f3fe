//! A recording run again: the same plan, told the same things, comes to the same result, bit for bit.

use std::sync::Arc;

use thiserror::Error;

use super::plan::Plan;
use super::recording::{Input, Recording};
use super::result::FlowResult;
use super::run::{Inputs, Next, ProbeError, ProbeRun, ProtocolError};
use super::session::Sessions;
use crate::{Digest, Instant};

/// A recording that cannot be run again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayFault {
    /// It is of another flow, or of another version of it.
    #[error("Q030: the recording is of the flow {recorded}, not of {given}")]
    OtherFlow {
        /// The digest in the recording.
        recorded: Digest,
        /// That of the flow that was given.
        given: Digest,
    },
    /// The run could not begin.
    #[error(transparent)]
    Start(#[from] ProbeError),
    /// An event answers something that the flow did not ask.
    #[error("Q031: input {index} does not fit the flow: {cause}")]
    Input {
        /// Which one, from 0.
        index: usize,
        /// Why.
        cause: ProtocolError,
    },
    /// It comes to another result than the run did.
    #[error("Q034: the replay comes to another result than the run did: {now}, and the run {then}")]
    OtherResult {
        /// What the run came to, as [`FlowResult::judgement`].
        then: Digest,
        /// What the replay comes to.
        now: Digest,
    },
    /// It ends before the run does.
    #[error("Q032: the recording ends before the run does")]
    Unfinished,
    /// It is no recording at all.
    #[error("Q033: line {line} is not a recording: {cause}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// Why.
        cause: String,
    },
}

impl Recording {
    /// Runs it again and says what came of it, which is what the run came to, bit for bit.
    ///
    /// # Errors
    /// [`ReplayFault`] where the recording does not fit the flow.
    pub fn replay(&self, plan: &Arc<Plan>) -> Result<FlowResult, ReplayFault> {
        if self.digest != plan.digest() {
            return Err(ReplayFault::OtherFlow { recorded: self.digest, given: plan.digest() });
        }
        let result = self.run_on(plan)?;
        match (self.judgement, result.judgement()) {
            (Some(then), now) if then != now => Err(ReplayFault::OtherResult { then, now }),
            _ => Ok(result),
        }
    }

    /// Runs it on a plan that need not be the one that it is of: what would another version of the flow have said?
    ///
    /// # Errors
    /// [`ReplayFault`] where the flow asks for something else than was recorded.
    pub fn run_on(&self, plan: &Arc<Plan>) -> Result<FlowResult, ReplayFault> {
        let inputs = Inputs {
            target: self.target.clone(),
            location: self.location.clone(),
            cohort: self.cohort,
            seed: self.seed,
            sessions: Sessions::new(),
            record: false,
        };
        let mut run = ProbeRun::new(Arc::clone(plan), inputs, self.started)?;
        run.given = Some(self.cached.clone());
        let mut last: Instant = self.started;
        for (index, input) in self.inputs.iter().enumerate() {
            match input {
                Input::Poll { at } => {
                    last = *at;
                    run.poll(*at);
                }
                Input::Event { at, id, event } => {
                    last = *at;
                    let told = run.handle(*at, *id, (**event).clone());
                    told.map_err(|cause| ReplayFault::Input { index, cause })?;
                }
                Input::Cancel { at, reason } => {
                    last = *at;
                    run.cancel(*at, *reason);
                }
            }
        }
        match run.poll(last) {
            Next::Done(result) => Ok(*result),
            _ => Err(ReplayFault::Unfinished),
        }
    }

    /// Reads recordings, one JSON object per line; empty lines are left out.
    ///
    /// # Errors
    /// [`ReplayFault::Unreadable`] for the first line that is none.
    pub fn from_lines(text: &str) -> Result<Vec<Self>, ReplayFault> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = lines.map(|(index, line)| {
            serde_json::from_str(line)
                .map_err(|error| ReplayFault::Unreadable { line: index + 1, cause: error.to_string() })
        });
        read.collect()
    }

    /// As one line of JSON, without a line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
