//! Custom steps: the machine sends what a plugin asks for, and tells it what came of it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::evaluate::{self, CheckOutcome, Checked};
use super::exchange::Exchange;
use super::header::{self, Headers, USER_AGENT};
use super::message::{Bytes, Effect, Header, HttpResponse};
use super::plan::{CustomPlan, StepPlan};
use super::request::{Prepared, admit, is_secret, was_never_set};
use super::run::ProbeRun;
use super::turn::{StepTurn, Turn, TurnCheck, TurnEvent};
use super::url::Url;
use crate::document::probe::HttpMethod;
use crate::plugin::StepOutcome;
use crate::snapshot::ProbeVerdict;

/// The largest state that a plugin may leave, and the largest body that it may send, in bytes.
const LARGEST: usize = 1 << 20;
/// The most headers, checks and captures.
const MOST: usize = 100;

/// A custom step under way.
pub(super) struct Course {
    parameters: String,
    base: Url,
    state: Bytes,
    requests: u32,
    /// Whether the plugin is being asked.
    pub(super) turning: bool,
    answer: Option<Box<HttpResponse>>,
}

/// Whether a plugin leaves or sends more than it may.
pub(super) fn is_too_large(state: &Bytes, body: &Bytes) -> bool {
    state.0.len() > LARGEST || body.0.len() > LARGEST
}

pub(super) fn too_large() -> String {
    format!("the plugin's state or request has more than {LARGEST} bytes")
}

impl ProbeRun {
    /// Begins a custom step.
    pub(super) fn begin_turns(&mut self, index: usize, step: &StepPlan, custom: &CustomPlan) {
        let parameters = custom.parameters.text(&self.slots);
        let base = self.target().map(|target| {
            self.route(target).and_then(|route| route.base_url.clone()).unwrap_or_else(|| target.base_url.clone())
        });
        match (parameters, base) {
            (Ok(parameters), Some(base)) => {
                let first = Prepared {
                    method: HttpMethod::Get,
                    url: base.clone(),
                    headers: Vec::new(),
                    body: Bytes::default(),
                };
                let course =
                    Course { parameters, base, state: Bytes::default(), requests: 0, turning: false, answer: None };
                self.exchange = Some(Exchange::begin(index, first, self.now, Some(course)));
                self.take_turn(TurnEvent::Begin);
            }
            (Err(_), _) => {
                let why = "a value in its parameters was never set".to_owned();
                self.end_step(step, Vec::new(), ProbeVerdict::Error, Some(why));
            }
            (_, None) => self.end_step(step, Vec::new(), ProbeVerdict::Error, Some("there is no target".to_owned())),
        }
    }

    /// Asks the plugin.
    pub(super) fn take_turn(&mut self, event: TurnEvent) {
        let plan = Arc::clone(&self.plan);
        // Below 2^53, so that every reader of JSON has the same number.
        let random = self.random.next() >> 11;
        let now = self.now;
        let Some(exchange) = &mut self.exchange else { return };
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let (Some(course), Some(custom)) = (&mut exchange.course, &step.custom) else { return };
        if let TurnEvent::Answered(answer) = &event {
            course.answer = Some(answer.clone());
        }
        course.turning = true;
        let turn = StepTurn {
            step: step.id.clone(),
            plugin: custom.plugin,
            native: custom.native.clone(),
            parameters: course.parameters.clone(),
            base_url: course.base.to_string().trim_end_matches('/').to_owned(),
            now,
            random,
            requests: course.requests,
            state: course.state.clone(),
            event,
        };
        self.effect(Effect::Turn(Box::new(turn)));
    }

    /// The plugin has answered.
    pub(super) fn turned(&mut self, turn: Turn) {
        let plan = Arc::clone(&self.plan);
        let Some(mut exchange) = self.exchange.take() else { return };
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let (Some(course), Some(custom)) = (&mut exchange.course, &step.custom) else { return };
        course.turning = false;
        let fault = match turn {
            Turn::Failed(why) => why,
            Turn::Send { state, method, url, headers, body } => {
                let prepared = if course.requests >= custom.turns {
                    Err(format!("the plugin wants to send more than {} requests (`turns`)", custom.turns))
                } else if is_too_large(&state, &body) {
                    Err(too_large())
                } else {
                    self.prepared(&course.base, &method, &url, headers, body)
                };
                match prepared {
                    Ok(prepared) => {
                        self.learn(&prepared.headers);
                        course.requests += 1;
                        course.state = state;
                        exchange.current = prepared;
                        self.exchange = Some(exchange);
                        return self.emit();
                    }
                    Err(why) => why,
                }
            }
            Turn::Done { checks, .. } if checks.is_empty() => {
                "the plugin ends without having expected anything".to_owned()
            }
            Turn::Done { checks, captures } if checks.len() > MOST || captures.len() > MOST => {
                format!("the plugin tells more than {MOST} checks or captures")
            }
            Turn::Done { checks, captures } => {
                let answer = course.answer.take();
                let mut checked: Vec<Checked> = checks.into_iter().map(|check| self.checked(step, check)).collect();
                for (name, slot) in &custom.captures {
                    match captures.iter().find(|(known, _)| known == name) {
                        Some((_, value)) => self.set(*slot, Some(Json::String(value.clone()))),
                        None => checked.push(Checked {
                            what: format!("capture {name}"),
                            at: step.position.clone(),
                            outcome: CheckOutcome::Fail,
                            expected: "something".to_owned(),
                            actual: "nothing".to_owned(),
                        }),
                    }
                }
                return self.end_attempt(step, exchange, answer.as_deref(), None, checked);
            }
        };
        let why = evaluate::keep(&self.redactor.text(&fault));
        self.end_step(step, exchange.attempts, ProbeVerdict::Error, Some(why));
    }

    /// The plugin did not answer in time.
    pub(super) fn no_turn(&mut self) {
        let plan = Arc::clone(&self.plan);
        let Some(exchange) = self.exchange.take() else { return };
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let why = "the plugin did not answer in time".to_owned();
        self.end_step(step, exchange.attempts, ProbeVerdict::Error, Some(why));
    }

    fn checked(&self, step: &StepPlan, check: TurnCheck) -> Checked {
        let clean = |text: &str| evaluate::shorten(&self.redactor.text(text));
        Checked {
            what: clean(&check.what),
            at: step.position.clone(),
            outcome: match check.outcome {
                StepOutcome::Pass => CheckOutcome::Pass,
                StepOutcome::Degraded => CheckOutcome::Degraded,
                StepOutcome::Fail => CheckOutcome::Fail,
            },
            expected: clean(&check.expected),
            actual: clean(&check.actual),
        }
    }

    /// A plugin's request, held to what the flow allows.
    fn prepared(
        &self,
        base: &Url,
        method: &str,
        url: &str,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> Result<Prepared, String> {
        let known = HttpMethod::ALL.iter().find(|known| known.as_str() == method);
        let method = *known.ok_or_else(|| "the plugin uses a method that is not known".to_owned())?;
        let url = if url.starts_with('/') { base.below(url, &[]) } else { url.parse() };
        let url: Url = url.map_err(|error: super::UrlError| error.to_string())?;
        let target = self.target().ok_or_else(|| "there is no target".to_owned())?;
        admit(&url, target)?;
        if headers.len() > MOST {
            return Err(format!("the plugin sends more than {MOST} headers"));
        }
        let mut all = Headers::default();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
            all.set("user-agent", USER_AGENT.to_owned(), false)?;
        }
        for (name, value) in headers {
            if !header::is_name(&name) || header::is_own(&name) {
                return Err("the plugin sends a header that it may not send".to_owned());
            }
            // A plugin may write what it was given anywhere.
            let secret = self.redactor.text(&value) != value;
            all.add(&name.to_ascii_lowercase(), value, secret)?;
        }
        // What leads to a cohort is the flow's to say.
        let names = &self.plan.slots;
        for (name, value) in self.route(target).map_or(&[][..], |route| &route.headers) {
            let text = value.render(&self.slots).map_err(|unset| was_never_set(unset, names))?;
            all.set(name, text, is_secret(value, names))?;
        }
        Ok(Prepared { method, url, headers: all.into_list(), body })
    }

    /// Keeps credentials that the plugin put together out of everything that is told: nobody else knows that they are.
    fn learn(&mut self, headers: &[Header]) {
        for header in headers.iter().filter(|header| header.name.ends_with("authorization")) {
            let credentials = header.value.split_once(' ').map_or(header.value.as_str(), |(_, behind)| behind.trim());
            self.redactor.add_made(&header.name, credentials);
        }
    }
}
