//! A plugin as a step of a probe flow.

use std::sync::Arc;

use davy::plugin::{
    NoResult, PluginFault, StepAction, StepCapture, StepCheck, StepConclusion, StepEvent, StepOutcome, StepPlugin,
    StepRequest, StepSituation, Turned,
};

use crate::bindings::step::step;
use crate::call::{Called, call};
use crate::description::World;
use crate::error::PluginError;
use crate::load::{Code, Plugin};

/// A plugin that takes the turns of a probe step; every turn runs in a fresh instance.
#[derive(Debug, Clone)]
pub struct Step(Arc<Plugin>);

impl Step {
    pub(crate) fn of(plugin: &Arc<Plugin>) -> Result<Self, PluginError> {
        match plugin.code {
            Code::Step(_) => Ok(Self(Arc::clone(plugin))),
            Code::Metric(_) => {
                Err(PluginError::OtherWorld { expected: World::ProbeStep.as_str(), found: World::Metric.as_str() })
            }
        }
    }
}

impl StepPlugin for Step {
    fn engine(&self) -> &str {
        &self.0.runtime.name
    }

    fn turn(&self, situation: &StepSituation<'_>, state: &[u8], event: &StepEvent<'_>) -> Turned {
        let Code::Step(pre) = &self.0.code else {
            // Refused when it was made.
            let fault = NoResult::Faulted(PluginFault::NotLoaded, "it is no probe step".to_owned());
            return Turned { result: Err(fault), fuel: None };
        };
        let now = step::Situation {
            parameters: situation.parameters,
            base_url: situation.base_url,
            now: situation.now.millis(),
            random: situation.random,
            requests: situation.requests,
        };
        let headers: Vec<step::HeaderParam<'_>> = match event {
            StepEvent::Answered(response) => {
                response.headers.iter().map(|(name, value)| step::HeaderParam { name, value }).collect()
            }
            StepEvent::Begin | StepEvent::Failed(_) => Vec::new(),
        };
        let event = match event {
            StepEvent::Begin => step::Event::Begin,
            StepEvent::Failed(kind) => step::Event::Failed(kind),
            StepEvent::Answered(response) => step::Event::Answered(step::Response {
                status: response.status,
                headers: &headers,
                body: response.body,
                truncated: response.truncated,
                duration: response.duration.millis().saturating_mul(1000),
            }),
        };
        let called: Called<_> = call(
            &self.0.runtime,
            |store| pre.instantiate(store),
            |plugin, store| plugin.davy_plugin_step().call_turn(store, now, state, event),
        );
        let result = match called.result {
            Ok(Ok(action)) => Ok(lifted(action)),
            Ok(Err(message)) => Err(NoResult::Rejected(message)),
            Err((fault, detail)) => Err(NoResult::Faulted(fault, detail)),
        };
        Turned { result, fuel: Some(called.fuel) }
    }
}

fn lifted(action: step::Action) -> StepAction {
    match action {
        step::Action::Send(next) => StepAction::Send {
            state: next.state,
            request: StepRequest {
                method: next.request.method,
                url: next.request.url,
                headers: next.request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
                body: next.request.body,
            },
        },
        step::Action::Done(conclusion) => StepAction::Done(StepConclusion {
            checks: conclusion
                .checks
                .into_iter()
                .map(|check| StepCheck {
                    what: check.what,
                    outcome: match check.outcome {
                        step::Outcome::Pass => StepOutcome::Pass,
                        step::Outcome::Degraded => StepOutcome::Degraded,
                        step::Outcome::Fail => StepOutcome::Fail,
                    },
                    expected: check.expected,
                    actual: check.actual,
                })
                .collect(),
            captures: conclusion
                .captures
                .into_iter()
                .map(|capture| StepCapture { name: capture.name, value: capture.value })
                .collect(),
        }),
    }
}
