//! The machine: asks its host for secrets and answers, and judges them. It knows no clock and does no I/O.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use super::cookies::Jar;
use super::exchange::Exchange;
use super::message::{Effect, EffectId, Event, HttpRequest};
use super::plan::{Items, Op, Plan, RUN_ID, RUN_LOCATION, RoutePlan, TARGET_BASE_URL, TARGET_NAME, TargetPlan};
use super::random::Random;
use super::recording::Input;
use super::redact::{Redactor, SHORTEST};
use super::result::{FlowPart, FlowResult, StepResult};
use super::session::Sessions;
use super::template::{Slots, as_text};
use super::{evaluate, verdict};
use crate::document::probe::StepSeverity;
use crate::snapshot::{Cohort, ProbeVerdict};
use crate::{Digest, Duration, Instant, Name};

/// What a run is given.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Where it runs against: one of [`Plan::targets`].
    pub target: Name,
    /// Where it runs from.
    pub location: Option<Name>,
    /// Whose answers it asks for; the target says how they are reached.
    pub cohort: Option<Cohort>,
    /// Where its random numbers come from. Two runs must not share one.
    pub seed: u64,
    /// Results of shared actions that earlier runs left.
    pub sessions: Sessions,
    /// Whether its events are kept, for [`ProbeRun::recording`].
    pub record: bool,
}

impl Inputs {
    /// A run against this target, with nothing else to say.
    #[must_use]
    pub fn new(target: Name, seed: u64) -> Self {
        Self { target, location: None, cohort: None, seed, sessions: Sessions::new(), record: false }
    }
}

/// One run of a flow.
///
/// A host calls [`ProbeRun::poll`] and does what it says: sends a request, looks up a secret, or waits. Answers go
/// into [`ProbeRun::handle`]. Both take the time; it never goes back.
///
/// ```
/// # let flow = "
/// # apiVersion: davy/v1
/// # kind: ProbeFlow
/// # metadata: { name: home }
/// # spec:
/// #   targets: { prod: { baseUrl: https://shop.example, addressPolicy: any } }
/// #   steps: [{ id: home, request: { path: / }, expect: { status: 200, body: { contains: Welcome } } }]
/// # ";
/// # let flows = davy::ProbeFlows::from_files([("home.yaml", flow)])?;
/// use davy::probe::{Effect, Event, HttpResponse, Inputs, Next, ProbeRun};
///
/// let plan = flows.get("home").expect("the flow is there");
/// let mut now: davy::Instant = "2026-11-23T10:00:00Z".parse()?;
/// let mut run = ProbeRun::new(plan.clone(), Inputs::new("prod".parse()?, 1), now)?;
/// let result = loop {
///     match run.poll(now) {
///         Next::Done(result) => break result,
///         Next::Wait { until, .. } => now = until,                       // sleep, or wait for an answer
///         Next::Effect(id, Effect::Http(request)) => {
///             assert_eq!(request.url.to_string(), "https://shop.example/");
///             let answer = r#"{ "status": 200, "version": "1.1", "headers": [], "body": "Welcome" }"#;
///             let answer: HttpResponse = serde_json::from_str(answer)?;  // send it
///             run.handle(now, id, Event::Http(Box::new(answer)))?;
///         }
///         Next::Effect(..) => unreachable!("the flow has no secrets"),
///     }
/// };
/// assert_eq!(result.verdict, davy::ProbeVerdict::Pass);
/// assert_eq!(result.evaluated, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ProbeRun {
    pub(super) plan: Arc<Plan>,
    target: usize,
    location: Option<Name>,
    cohort: Option<Cohort>,
    pub(super) id: String,
    started: Instant,
    pub(super) now: Instant,
    pub(super) random: Random,
    pub(super) slots: Slots,
    pub(super) jar: Jar,
    pub(super) redactor: Redactor,
    pub(super) results: Vec<StepResult>,
    sessions: Sessions,
    /// Groups whose results came from the cache, and under which keys.
    cached: BTreeMap<usize, String>,
    refreshed: Vec<usize>,
    returning: Option<(usize, usize)>,
    /// In a replay, the cached results instead of those of `sessions`.
    pub(super) given: Option<BTreeMap<usize, Vec<Option<Json>>>>,
    pub(super) taken: BTreeMap<usize, Vec<Option<Json>>>,
    pub(super) pc: usize,
    next_secret: usize,
    loops: Vec<Loop>,
    pub(super) exchange: Option<Exchange>,
    pending: Option<(EffectId, Instant)>,
    outbox: Option<Effect>,
    pub(super) wait_until: Option<Instant>,
    next_id: u64,
    ended: Option<Instant>,
    /// Why the journey ended early.
    pub(super) stopped: Option<(ProbeVerdict, Why)>,
    done: Option<Box<FlowResult>>,
    pub(super) inputs: Option<Vec<Input>>,
    pub(super) seed: u64,
}

/// What the host does next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Next {
    /// Do this, and hand in what came of it. Until then nothing else is asked.
    Effect(EffectId, Effect),
    /// Poll again at this time, or when the effect that is under way has ended.
    Wait {
        /// The time.
        until: Instant,
        /// How many effects are under way.
        inflight: u32,
    },
    /// The run is over.
    Done(Box<FlowResult>),
}

/// Why a run is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CancelReason {
    /// The prober stops.
    Stopping,
    /// Another run is due.
    Overlap,
    /// A person asked for it.
    Asked,
}

/// A run that cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    /// The flow has no such target.
    #[error("Q020: the flow `{flow}` has no target `{target}`; it has {known}")]
    Target {
        /// The flow.
        flow: Name,
        /// What was asked for.
        target: Name,
        /// What there is.
        known: String,
    },
    /// The target does not say how the cohort is reached.
    #[error("Q021: the target `{target}` does not say how its {cohort} is reached")]
    Route {
        /// The target.
        target: Name,
        /// `canary` or `baseline`.
        cohort: &'static str,
    },
}

/// An event that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// No effect of this number is under way: it was answered, it is too late, or it never was.
    #[error("Q022: no effect {0:?} is under way")]
    NotUnderWay(EffectId),
    /// The event answers another kind of effect.
    #[error("Q023: the event does not answer the effect {0:?}")]
    WrongKind(EffectId),
}

/// Why a journey ended early.
pub(super) enum Why {
    /// In words.
    Said(String),
    /// Because of the step that has just ended.
    Step(usize),
}

struct Loop {
    op: usize,
    items: Vec<Json>,
    index: usize,
}

impl ProbeRun {
    /// Begins a run. Nothing is asked before the first [`ProbeRun::poll`].
    ///
    /// # Errors
    /// [`ProbeError`] for a target that the flow does not have, or a cohort that the target does not reach.
    pub fn new(plan: Arc<Plan>, inputs: Inputs, now: Instant) -> Result<Self, ProbeError> {
        let index = plan.targets.iter().position(|target| target.name == inputs.target);
        let Some((index, target)) = index.and_then(|index| Some((index, plan.targets.get(index)?))) else {
            let known: Vec<String> = plan.targets().map(|name| format!("`{name}`")).collect();
            return Err(ProbeError::Target { flow: plan.name.clone(), target: inputs.target, known: known.join(", ") });
        };
        let is_routed = |cohort: &Cohort| match cohort {
            Cohort::Canary => target.canary.is_some(),
            Cohort::Baseline => target.baseline.is_some(),
        };
        if let Some(cohort) = inputs.cohort.filter(|cohort| !is_routed(cohort)) {
            return Err(ProbeError::Route { target: inputs.target, cohort: cohort.as_str() });
        }
        let redactor = Redactor::for_hosts(target.hosts.clone());
        let mut random = Random::new(inputs.seed);
        let id = random.hex(32);
        let mut slots: Slots = vec![None; plan.slots.len()];
        let mut set = |slot: usize, value: String| {
            if let Some(place) = slots.get_mut(slot) {
                *place = Some(Json::String(value));
            }
        };
        set(TARGET_NAME, target.name.to_string());
        set(TARGET_BASE_URL, target.base_url.to_string().trim_end_matches('/').to_owned());
        set(RUN_ID, id.clone());
        set(RUN_LOCATION, inputs.location.as_ref().map(ToString::to_string).unwrap_or_default());
        for (slot, value) in &target.vars {
            set(*slot, value.clone());
        }
        Ok(Self {
            target: index,
            location: inputs.location,
            cohort: inputs.cohort,
            id,
            started: now,
            now,
            random,
            slots,
            jar: Jar::default(),
            redactor,
            results: Vec::new(),
            sessions: inputs.sessions,
            cached: BTreeMap::new(),
            refreshed: Vec::new(),
            returning: None,
            given: None,
            taken: BTreeMap::new(),
            pc: 0,
            next_secret: 0,
            loops: Vec::new(),
            exchange: None,
            pending: None,
            outbox: None,
            wait_until: None,
            next_id: 0,
            ended: None,
            stopped: None,
            done: None,
            inputs: inputs.record.then(Vec::new),
            seed: inputs.seed,
            plan,
        })
    }

    /// What comes next. After [`Next::Done`] it stays the same.
    pub fn poll(&mut self, now: Instant) -> Next {
        self.now = self.now.max(now);
        let before = self.next_id;
        let next = self.step();
        // What changed nothing need not be told again.
        if self.next_id != before || matches!(next, Next::Done(_)) {
            self.log(Input::Poll { at: self.now });
        }
        next
    }

    /// Takes what came of an effect.
    ///
    /// # Errors
    /// [`ProtocolError`] for an event that answers no effect that is under way; the run goes on as if nothing was said.
    pub fn handle(&mut self, now: Instant, id: EffectId, event: Event) -> Result<(), ProtocolError> {
        let Some((_, deadline)) = self.pending.filter(|(pending, _)| *pending == id) else {
            return Err(ProtocolError::NotUnderWay(id));
        };
        let turning = self.exchange.as_ref().is_some_and(Exchange::is_turning);
        let asks_http = self.exchange.is_some() && !turning;
        let is_http = matches!(event, Event::Http(_) | Event::HttpFailed(_));
        if asks_http != is_http || turning != matches!(event, Event::Turned(_)) {
            return Err(ProtocolError::WrongKind(id));
        }
        self.now = self.now.max(now);
        if self.now > deadline && matches!(event, Event::Http(_)) {
            // The machine's own clock has said that it is over; the next poll does. That there is no answer is true
            // late as well, and tells more.
            return Err(ProtocolError::NotUnderWay(id));
        }
        self.log(Input::Event { at: self.now, id, event: Box::new(event.clone()) });
        self.pending = None;
        match event {
            Event::Secret(value) => self.secret(Ok(value.0)),
            Event::SecretFailed(why) => self.secret(Err(why)),
            Event::Http(response) => self.answered(*response),
            Event::HttpFailed(error) => self.failed(error),
            Event::Turned(turn) => self.turned(*turn),
        }
        Ok(())
    }

    /// Ends the journey; the teardown still runs. What is under way is forgotten.
    pub fn cancel(&mut self, now: Instant, reason: CancelReason) {
        self.now = self.now.max(now);
        if self.done.is_some() || self.ended.is_some() || self.stopped.is_some() {
            return;
        }
        self.log(Input::Cancel { at: self.now, reason });
        self.pending = None;
        self.outbox = None;
        self.exchange = None;
        let why = match reason {
            CancelReason::Stopping => "the prober stops",
            CancelReason::Overlap => "another run is due",
            CancelReason::Asked => "it was cancelled",
        };
        self.stop(ProbeVerdict::Skipped, Why::Said(why.to_owned()));
    }

    /// Results of shared actions, for the next run.
    #[must_use]
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn step(&mut self) -> Next {
        loop {
            if let Some(done) = &self.done {
                return Next::Done(done.clone());
            }
            if let Some(effect) = self.outbox.take() {
                let id = EffectId(self.next_id);
                self.next_id += 1;
                let deadline = match &effect {
                    Effect::Http(request) => request.deadline,
                    Effect::Secret { .. } | Effect::Turn(_) => self.deadline(),
                };
                self.pending = Some((id, deadline));
                return Next::Effect(id, effect);
            }
            if let Some((_, deadline)) = self.pending {
                if self.now <= deadline {
                    // One moment later it is over.
                    return Next::Wait { until: deadline.plus(Duration::from_millis(1)), inflight: 1 };
                }
                self.pending = None;
                self.next_id += 1;
                self.overdue();
                continue;
            }
            if let Some(until) = self.wait_until {
                if self.now < until {
                    return Next::Wait { until, inflight: 0 };
                }
                self.wait_until = None;
                self.next_id += 1;
                self.ask_again();
                continue;
            }
            self.advance();
        }
    }

    /// Until when the part of the flow that is running must be over.
    pub(super) fn deadline(&self) -> Instant {
        match self.ended {
            None => self.started.plus(self.plan.timeout),
            Some(ended) => ended.plus(self.plan.teardown_timeout),
        }
    }

    pub(super) fn part(&self) -> FlowPart {
        if self.pc >= self.plan.teardown_from {
            FlowPart::Teardown
        } else if self.pc >= self.plan.steps_from {
            FlowPart::Steps
        } else {
            FlowPart::Setup
        }
    }

    pub(super) fn target(&self) -> Option<&TargetPlan> {
        self.plan.targets.get(self.target)
    }

    pub(super) fn route<'a>(&self, target: &'a TargetPlan) -> Option<&'a RoutePlan> {
        match self.cohort? {
            Cohort::Canary => target.canary.as_ref(),
            Cohort::Baseline => target.baseline.as_ref(),
        }
    }

    pub(super) fn send(&mut self, request: HttpRequest) {
        self.effect(Effect::Http(Box::new(request)));
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.outbox = Some(effect);
    }

    /// An effect that took too long.
    fn overdue(&mut self) {
        if self.exchange.as_ref().is_some_and(Exchange::is_turning) {
            self.no_turn();
        } else if self.exchange.is_some() {
            self.timed_out();
        } else {
            self.secret(Err("the host did not answer in time".to_owned()));
        }
    }

    fn secret(&mut self, value: Result<String, String>) {
        let plan = Arc::clone(&self.plan);
        let Some(secret) = plan.secrets.get(self.next_secret) else { return };
        let why = match value {
            Ok(value) if value.chars().count() < SHORTEST => {
                format!(
                    "the secret `{}` has fewer than {SHORTEST} characters, and could not be kept out of results",
                    secret.name
                )
            }
            Ok(value) => {
                self.redactor.add(&format!("secrets.{}", secret.name), &value);
                self.set(secret.slot, Some(Json::String(value)));
                self.next_secret += 1;
                return;
            }
            Err(why) => format!("the secret `{}` is not there: {}", secret.name, evaluate::keep(&why)),
        };
        self.next_secret = plan.secrets.len();
        self.stop(ProbeVerdict::Error, Why::Said(why));
    }

    pub(super) fn set(&mut self, slot: usize, value: Option<Json>) {
        if let (Some(Some(plan)), Some(value)) = (self.plan.slots.get(slot).map(Some), &value)
            && plan.secret
        {
            self.redactor.add(&plan.name, &as_text(value));
        }
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// Ends the journey and goes on with the teardown.
    pub(super) fn stop(&mut self, verdict: ProbeVerdict, why: Why) {
        if self.pc < self.plan.teardown_from {
            self.stopped.get_or_insert((verdict, why));
            self.pc = self.plan.teardown_from;
        }
        self.wait_until = None;
        self.loops.clear();
        self.returning = None;
    }

    /// Ends the journey because of the step that has just ended.
    pub(super) fn stop_here(&mut self, verdict: ProbeVerdict) {
        self.stop(verdict, Why::Step(self.results.len().saturating_sub(1)));
    }

    /// Does what stands at `pc`.
    fn advance(&mut self) {
        let plan = Arc::clone(&self.plan);
        if let Some(secret) = plan.secrets.get(self.next_secret).filter(|_| self.stopped.is_none()) {
            self.outbox = Some(Effect::Secret { name: secret.name.clone(), source: secret.source.clone() });
            return;
        }
        if self.pc >= plan.teardown_from && self.ended.is_none() {
            self.ended = Some(self.now);
        }
        let Some(op) = plan.ops.get(self.pc) else { return self.finish() };
        match op {
            Op::Request(step) => self.ask(*step),
            Op::Set { slot, value } => {
                // What it refers to may never have been set; whoever needs it says so.
                let value = value.value(&self.slots).ok();
                self.set(*slot, value);
                self.pc += 1;
            }
            Op::When { value, tests, end } => {
                let value = value.value(&self.slots).ok();
                if evaluate::holds(tests, value.as_ref(), &self.slots) {
                    self.pc += 1;
                } else {
                    self.skip(*end, "its condition does not hold");
                }
            }
            Op::Each { slot, items, max, end, label, position } => {
                let loop_items = match items {
                    Items::In(texts) => {
                        texts.iter().map(|text| text.value(&self.slots)).collect::<Result<Vec<_>, _>>().ok()
                    }
                    Items::From(text) => match text.value(&self.slots) {
                        Ok(Json::Array(items)) => Some(items),
                        _ => None,
                    },
                };
                let count = loop_items.as_ref().map(|items| u64::try_from(items.len()).unwrap_or(u64::MAX));
                let first = loop_items.as_ref().and_then(|items| items.first().cloned());
                match (loop_items, first) {
                    (Some(items), Some(first)) if count <= Some(*max) => {
                        self.loops.push(Loop { op: self.pc, items, index: 0 });
                        self.set(*slot, Some(first));
                        self.pc += 1;
                    }
                    (Some(items), None) if items.is_empty() => self.skip(*end, "there are no items"),
                    (items, _) => {
                        let why = match items {
                            Some(items) => format!("{} items, and `max` is {max}", items.len()),
                            None => "what it loops over is not a list".to_owned(),
                        };
                        self.refuse_loop(label, position, why);
                    }
                }
            }
            Op::Next { each } => self.next_item(*each),
            Op::Enter { group, end } => self.enter(*group, *end),
            Op::Leave { group } => self.leave(*group),
        }
    }

    fn refuse_loop(&mut self, label: &str, position: &crate::document::Position, why: String) {
        self.results.push(StepResult {
            id: label.to_owned(),
            part: self.part(),
            at: position.clone(),
            severity: StepSeverity::Must,
            verdict: ProbeVerdict::Fail,
            reason: Some(why),
            attempts: Vec::new(),
        });
        if self.part() == FlowPart::Teardown {
            let end = match self.plan.ops.get(self.pc) {
                Some(Op::Each { end, .. }) => *end,
                _ => self.plan.ops.len(),
            };
            self.pc = end;
        } else {
            self.stop_here(ProbeVerdict::Fail);
        }
    }

    fn next_item(&mut self, each: usize) {
        let next = self.loops.last_mut().filter(|current| current.op == each).and_then(|current| {
            current.index += 1;
            current.items.get(current.index).cloned()
        });
        match (next, self.plan.ops.get(each)) {
            (Some(item), Some(Op::Each { slot, .. })) => {
                let slot = *slot;
                self.set(slot, Some(item));
                self.pc = each + 1;
            }
            _ => {
                self.loops.pop();
                self.pc += 1;
            }
        }
    }

    /// Goes on at `end`; the steps in between are told to be skipped.
    fn skip(&mut self, end: usize, why: &str) {
        let part = self.part();
        let plan = Arc::clone(&self.plan);
        for op in plan.ops.get(self.pc..end).unwrap_or_default() {
            let Op::Request(step) = op else { continue };
            let Some(step) = plan.steps.get(*step) else { continue };
            self.results.push(StepResult {
                id: step.id.clone(),
                part,
                at: step.position.clone(),
                severity: step.severity,
                verdict: ProbeVerdict::Skipped,
                reason: Some(why.to_owned()),
                attempts: Vec::new(),
            });
        }
        self.pc = end;
    }

    fn enter(&mut self, group: usize, end: usize) {
        let plan = Arc::clone(&self.plan);
        let Some(group_plan) = plan.groups.get(group) else { return };
        let key = self.session_key(group);
        let cached = match &self.given {
            Some(given) => given.get(&group).cloned(),
            None => self.sessions.get(&key, self.now).map(<[_]>::to_vec),
        };
        let Some(values) = cached.filter(|_| !self.refreshed.contains(&group)) else {
            self.pc += 1;
            return;
        };
        for (slot, value) in group_plan.outputs.iter().zip(&values) {
            self.set(*slot, value.clone());
        }
        self.taken.insert(group, values);
        self.cached.insert(group, key);
        self.skip(end, "its results of an earlier run are used");
    }

    fn leave(&mut self, group: usize) {
        let plan = Arc::clone(&self.plan);
        let Some(group_plan) = plan.groups.get(group) else { return };
        let values = group_plan.outputs.iter().map(|slot| self.slots.get(*slot).cloned().flatten()).collect();
        let key = self.session_key(group);
        self.sessions.put(key, self.now.plus(group_plan.ttl), values);
        match self.returning.take() {
            Some((returning, back)) if returning == group => self.pc = back,
            other => {
                self.returning = other;
                self.pc += 1;
            }
        }
    }

    /// Whether the answer 401 is worth another login: results of an earlier run may have become invalid.
    pub(super) fn refresh(&mut self) -> bool {
        if self.part() == FlowPart::Teardown {
            return false;
        }
        let Some((group, key)) = self.cached.pop_last() else { return false };
        let Some(enter) = self.plan.groups.get(group).map(|group| group.enter) else { return false };
        self.sessions.forget(&key);
        self.refreshed.push(group);
        self.returning = Some((group, self.pc));
        self.pc = enter + 1;
        true
    }

    /// What the results of a group belong to: flow, action, inputs, target, and place.
    fn session_key(&self, group: usize) -> String {
        let Some(plan) = self.plan.groups.get(group) else { return String::new() };
        let inputs: Vec<Option<&Json>> =
            plan.inputs.iter().map(|slot| self.slots.get(*slot).and_then(Option::as_ref)).collect();
        let inputs = Digest::of(serde_json::to_string(&inputs).unwrap_or_default().as_bytes());
        let location = match plan.scope {
            crate::document::probe::CacheScope::Location => self.location.as_ref().map(Name::as_str),
            crate::document::probe::CacheScope::Target => None,
        };
        let target = self.target().map_or("", |target| target.name.as_str());
        let cohort = self.cohort.map_or("", Cohort::as_str);
        format!("{} {} {inputs} {target} {} {cohort}", self.plan.digest, plan.key, location.unwrap_or_default())
    }

    fn finish(&mut self) {
        let ended = self.ended.unwrap_or(self.now);
        let mut steps = std::mem::take(&mut self.results);
        for step in &mut steps {
            step.redact(&self.redactor);
        }
        let stopped = self.stopped.as_ref().map(|(verdict, why)| {
            let why = match why {
                Why::Said(why) => evaluate::shorten(&self.redactor.text(why)),
                Why::Step(index) => steps.get(*index).map(StepResult::sentence).unwrap_or_default(),
            };
            (*verdict, why)
        });
        let judged = verdict::of_flow(&self.plan, &steps, stopped, self.started, ended);
        let result = FlowResult {
            flow: self.plan.name.clone(),
            digest: self.plan.digest,
            target: self.target().map_or_else(|| self.plan.name.clone(), |target| target.name.clone()),
            location: self.location.clone(),
            cohort: self.cohort,
            run: self.id.clone(),
            started: self.started,
            ended,
            verdict: judged.verdict,
            reason: judged.reason,
            flaky: judged.flaky,
            evaluated: judged.evaluated,
            steps,
            slos: judged.slos,
        };
        self.done = Some(Box::new(result));
    }

    fn log(&mut self, input: Input) {
        if let Some(inputs) = &mut self.inputs {
            inputs.push(input);
        }
    }

    /// What it found out, once it is over.
    pub(super) fn result(&self) -> Option<&FlowResult> {
        self.done.as_deref()
    }

    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    pub(super) const fn place(&self) -> (Option<&Name>, Option<Cohort>) {
        (self.location.as_ref(), self.cohort)
    }
}

/// Its values may be secrets, and are not shown.
impl fmt::Debug for ProbeRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeRun")
            .field("flow", &self.plan.name)
            .field("run", &self.id)
            .field("now", &self.now)
            .field("steps", &self.results.len())
            .finish_non_exhaustive()
    }
}
