//! One step's requests: redirects, polling, attempts, and the judgement of the final answer.

use std::sync::Arc;

use serde_json::Value as Json;

use super::address::AddressKind;
use super::capture::{self, Refused};
use super::cookies;
use super::custom::Course;
use super::evaluate::{Answer, CheckOutcome, Checked, evaluate};
use super::message::{HttpRequest, HttpResponse, Micros, Timings, TransportError, TransportFault};
use super::plan::{CheckTest, Source, StepPlan};
use super::request::{Common, Prepared, prepare, redirect, refusal};
use super::result::{Attempt, FlowPart, StepResult};
use super::retry::{self, Ended};
use super::run::ProbeRun;
use super::template::as_text;
use super::turn::TurnEvent;
use crate::Instant;
use crate::document::probe::{AddressPolicy, CookieScope, StepSeverity};
use crate::snapshot::ProbeVerdict;

/// Values of cookies that stand in every other answer, and must be left there.
const NO_CREDENTIALS: [&str; 5] = ["true", "false", "null", "http", "https"];

/// A step under way.
pub(super) struct Exchange {
    pub(super) step: usize,
    started: Instant,
    pub(super) attempts: Vec<Attempt>,
    /// As it was put together; every attempt begins with it.
    first: Prepared,
    pub(super) current: Prepared,
    /// Of a custom step, what its plugin has come to.
    pub(super) course: Option<Course>,
    attempt_started: Instant,
    asked: Instant,
    redirects: u32,
    polls: u32,
    /// When the attempt's first question was asked, waiting between polls included.
    polling_since: Instant,
    /// The time of the hops so far.
    spent: Micros,
}

impl Exchange {
    pub(super) fn begin(step: usize, first: Prepared, now: Instant, course: Option<Course>) -> Self {
        Self {
            step,
            started: now,
            attempts: Vec::new(),
            current: first.clone(),
            first,
            course,
            attempt_started: now,
            asked: now,
            redirects: 0,
            polls: 0,
            polling_since: now,
            spent: Micros(0),
        }
    }

    /// Whether a plugin is being asked.
    pub(super) fn is_turning(&self) -> bool {
        self.course.as_ref().is_some_and(|course| course.turning)
    }
}

impl ProbeRun {
    /// Begins a step.
    pub(super) fn ask(&mut self, step: usize) {
        let plan = Arc::clone(&self.plan);
        let Some(step_plan) = plan.steps.get(step) else { return };
        if self.now >= self.deadline() {
            return self.out_of_time(step_plan);
        }
        if let Some(custom) = &step_plan.custom {
            return self.begin_turns(step, step_plan, custom);
        }
        let Some(request) = &step_plan.request else { return };
        let key = request.idempotency_key.then(|| uuid(&self.random.hex(32)));
        let mut redactor = std::mem::take(&mut self.redactor);
        let prepared = self.target().map(|target| {
            let route = self.route(target);
            let common = Common { target, route, slots: &self.slots, names: &plan.slots };
            prepare(request, &common, key.as_deref(), &mut redactor)
        });
        self.redactor = redactor;
        match prepared {
            Some(Ok(first)) => {
                self.exchange = Some(Exchange::begin(step, first, self.now, None));
                self.emit();
            }
            Some(Err(why)) => self.end_step(step_plan, Vec::new(), ProbeVerdict::Error, Some(why)),
            None => self.end_step(step_plan, Vec::new(), ProbeVerdict::Error, Some("there is no target".to_owned())),
        }
    }

    /// Asks again after a wait: the next poll, or the next attempt.
    pub(super) fn ask_again(&mut self) {
        let now = self.now;
        if let Some(exchange) = &mut self.exchange {
            exchange.current = exchange.first.clone();
            exchange.attempt_started = now;
            exchange.redirects = 0;
            exchange.spent = Micros(0);
            self.emit();
        }
    }

    /// Sends the current request.
    pub(super) fn emit(&mut self) {
        let plan = Arc::clone(&self.plan);
        let now = self.now;
        let Some(exchange) = &mut self.exchange else { return };
        exchange.asked = now;
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let attempt = u32::try_from(exchange.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let (current, attempt_started, started) =
            (exchange.current.clone(), exchange.attempt_started, exchange.started);
        // What a plugin sends are questions of its own, each with the whole timeout; hops of a redirect share one.
        let from = if exchange.course.is_some() { now } else { attempt_started };
        let mut deadline = from.plus(step.timeout).min(self.deadline());
        if let Some(most) = step.retry.max_elapsed {
            deadline = deadline.min(started.plus(most));
        }
        let mut headers = current.headers;
        if plan.cookies == CookieScope::Flow
            && !headers.iter().any(|header| header.name == "cookie")
            && let Some(value) = self.jar.header(&current.url, now)
        {
            headers.push(super::message::Header { name: "cookie".to_owned(), value, secret: true });
        }
        if !headers.iter().any(|header| header.name == "traceparent") {
            // W3C Trace Context: one trace per run, one span per request.
            let span = self.random.hex(16);
            let value = format!("00-{}-{span}-01", self.id);
            headers.push(super::message::Header { name: "traceparent".to_owned(), value, secret: false });
        }
        let Some(target) = self.target() else { return };
        let is_own = current.url.is_same_origin(&target.base_url)
            || self
                .route(target)
                .and_then(|route| route.base_url.as_ref())
                .is_some_and(|url| current.url.is_same_origin(url));
        let connect_to = self.route(target).and_then(|route| route.connect_to.clone()).filter(|_| is_own);
        let request = HttpRequest {
            step: step.id.clone(),
            attempt,
            method: current.method,
            url: current.url,
            connect_to,
            headers,
            body: current.body,
            deadline,
            connect_timeout: step.connect_timeout,
            max_body: step.max_body,
            address_policy: target.policy,
            tls_min_version: target.tls_min_version,
            tls_verify: target.tls_verify,
        };
        self.send(request);
    }

    /// The step whose answer is waited for.
    pub(super) fn step_under_way(&self) -> Option<usize> {
        self.exchange.as_ref().map(|exchange| exchange.step)
    }

    /// An answer has come.
    pub(super) fn answered(&mut self, response: HttpResponse) {
        let plan = Arc::clone(&self.plan);
        let Some(mut exchange) = self.exchange.take() else { return };
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let clock = Micros::from_duration(self.now.since(exchange.asked));
        exchange.spent = exchange.spent.plus(response.timings.total().unwrap_or(clock));
        if let Err(why) = self.check_peer(&response) {
            let error = TransportError { kind: TransportFault::Blocked, detail: why, timings: response.timings };
            return self.end_attempt(step, exchange, None, Some(error), Vec::new());
        }
        self.keep_cookies(&exchange.current, &response);
        let location = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
        let redirects = matches!(response.status, 301 | 302 | 303 | 307 | 308) && step.redirects > 0;
        if let Some((_, location)) = location.filter(|_| redirects) {
            return self.follow(step, exchange, &response, location);
        }
        let expected = step.checks.iter().any(|check| match &check.test {
            CheckTest::Status(ranges) => ranges.iter().any(|range| range.contains(401)),
            _ => false,
        });
        if response.status == 401 && !expected && self.refresh() {
            // The answer to a session that has ended; the step begins anew behind the login.
            return;
        }
        if exchange.course.is_some() {
            self.exchange = Some(exchange);
            return self.take_turn(TurnEvent::Answered(Box::new(response)));
        }
        self.judge(step, exchange, &response);
    }

    fn follow(&mut self, step: &StepPlan, mut exchange: Exchange, response: &HttpResponse, location: &str) {
        let next = if u64::from(exchange.redirects) >= step.redirects {
            Err(format!("more than {} redirects", step.redirects))
        } else {
            let target = self.target();
            target.map_or_else(
                || Err("there is no target".to_owned()),
                |target| redirect(&exchange.current, response.status, location, step.cross_host, target),
            )
        };
        match next {
            Ok(next) => {
                exchange.current = next;
                exchange.redirects += 1;
                self.exchange = Some(exchange);
                self.emit();
            }
            Err(why) => {
                let check = Checked {
                    what: "redirect".to_owned(),
                    at: step.position.clone(),
                    outcome: CheckOutcome::Fail,
                    expected: "a redirect that may be followed".to_owned(),
                    actual: why,
                };
                self.end_attempt(step, exchange, Some(response), None, vec![check]);
            }
        }
    }

    /// The host's answer must come from an address that may be spoken to: a host that forgot to check is found out.
    fn check_peer(&self, response: &HttpResponse) -> Result<(), String> {
        let policy = self.target().map_or(AddressPolicy::PublicOnly, |target| target.policy);
        if policy == AddressPolicy::Any {
            return Ok(());
        }
        let Some(peer) = &response.peer else {
            return Err("the prober does not say which address answered".to_owned());
        };
        let kind = AddressKind::of(peer.address);
        if kind.is_admitted(policy) { Ok(()) } else { Err(refusal(&peer.address.to_string(), kind, policy)) }
    }

    fn keep_cookies(&mut self, current: &Prepared, response: &HttpResponse) {
        for (name, value) in &response.headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                if let Some((cookie, secret)) = cookies::name_and_value(value)
                    && !NO_CREDENTIALS.contains(&secret)
                    && !cookies::removes(&current.url, value, self.now)
                {
                    self.redactor.add(&format!("cookie.{cookie}"), secret);
                }
                if self.plan.cookies == CookieScope::Flow {
                    self.jar.store(&current.url, value, self.now);
                }
            }
        }
    }

    /// Judges the final answer.
    fn judge(&mut self, step: &StepPlan, mut exchange: Exchange, response: &HttpResponse) {
        let parsed: Option<Json> = if wants_json(step) { serde_json::from_slice(&response.body.0).ok() } else { None };
        let answer = Answer {
            response,
            json: parsed.as_ref(),
            duration: exchange.spent,
            redirects: exchange.redirects,
            now: self.now,
        };
        let mut checks: Vec<Checked> = Vec::new();
        if let Some(poll) = &step.poll {
            let until: Vec<Checked> = poll.until.iter().map(|check| evaluate(check, &answer, &self.slots)).collect();
            if until.iter().any(|check| check.outcome == CheckOutcome::Fail) {
                let next = self.now.plus(poll.every);
                if next <= exchange.polling_since.plus(poll.max) && next < self.deadline() {
                    exchange.polls += 1;
                    self.exchange = Some(exchange);
                    self.wait_until = Some(next);
                    return;
                }
                let waited = self.now.since(exchange.polling_since);
                checks.extend(
                    until
                        .into_iter()
                        .map(|check| Checked { actual: format!("{} after {waited}", check.actual), ..check }),
                );
            } else {
                checks.extend(until);
            }
        }
        checks.extend(step.checks.iter().map(|check| evaluate(check, &answer, &self.slots)));
        let mut captured = Vec::new();
        let run = Arc::clone(&self.plan);
        for plan in &step.captures {
            let secret = run.slots.get(plan.slot).filter(|slot| slot.secret).map(|slot| slot.name.as_str());
            match capture::take(plan, secret, &answer) {
                Ok(value) => {
                    if !plan.optional {
                        checks.push(Checked {
                            what: format!("capture {}", plan.name),
                            at: plan.position.clone(),
                            outcome: CheckOutcome::Pass,
                            expected: "something".to_owned(),
                            actual: "something".to_owned(),
                        });
                    }
                    captured.push((plan.slot, value.or_else(|| Some(Json::String(String::new())))));
                }
                Err(Refused { check, value }) => {
                    // Not of the type that was wanted, but a secret nevertheless.
                    if let (Some(name), Some(value)) = (secret, value) {
                        self.redactor.add(name, &as_text(&value));
                    }
                    checks.push(*check);
                }
            }
        }
        for (slot, value) in captured {
            self.set(slot, value);
        }
        self.end_attempt(step, exchange, Some(response), None, checks);
    }

    /// No answer has come.
    pub(super) fn failed(&mut self, error: TransportError) {
        let plan = Arc::clone(&self.plan);
        let Some(mut exchange) = self.exchange.take() else { return };
        let Some(step) = plan.steps.get(exchange.step) else { return };
        let clock = Micros::from_duration(self.now.since(exchange.asked));
        exchange.spent = exchange.spent.plus(error.timings.total().unwrap_or(clock));
        if exchange.course.is_some() && !error.kind.is_probers() && self.now < self.deadline() {
            self.exchange = Some(exchange);
            return self.take_turn(TurnEvent::Failed(error.kind.as_str().to_owned()));
        }
        self.end_attempt(step, exchange, None, Some(error), Vec::new());
    }

    /// The machine's own clock says that no answer came in time.
    pub(super) fn timed_out(&mut self) {
        let detail = "no answer in time".to_owned();
        self.failed(TransportError { kind: TransportFault::Timeout, detail, timings: Timings::default() });
    }

    /// Ends an attempt: it is repeated, or the step ends.
    pub(super) fn end_attempt(
        &mut self,
        step: &StepPlan,
        mut exchange: Exchange,
        response: Option<&HttpResponse>,
        error: Option<TransportError>,
        checks: Vec<Checked>,
    ) {
        let verdict = attempt_verdict(error.as_ref(), &checks);
        let fault = error.as_ref().map(|error| error.kind);
        exchange.attempts.push(Attempt {
            started: exchange.attempt_started,
            verdict,
            duration: exchange.spent,
            method: exchange.current.method,
            url: exchange.current.url.to_string(),
            redirects: exchange.redirects,
            polls: exchange.polls,
            status: response.map(|response| response.status),
            version: response.map(|response| response.version),
            bytes: response.map_or(0, HttpResponse::bytes),
            timings: response
                .map(|response| response.timings)
                .or(error.as_ref().map(|error| error.timings))
                .unwrap_or_default(),
            expires: response.and_then(expires),
            error,
            checks,
        });
        let ended = match (response, fault) {
            (Some(response), _) => Some(Ended::Answer(response)),
            (None, Some(fault)) => Some(Ended::Fault(fault)),
            (None, None) => None,
        };
        if verdict == ProbeVerdict::Fail
            && let Some(next) = ended.and_then(|ended| self.next_attempt(step, &exchange, &ended))
        {
            exchange.polls = 0;
            exchange.polling_since = next;
            self.exchange = Some(exchange);
            self.wait_until = Some(next);
            return;
        }
        self.end_step(step, exchange.attempts, verdict, None);
    }

    /// When the next attempt begins; nothing where there is none, or no time for it.
    fn next_attempt(&mut self, step: &StepPlan, exchange: &Exchange, ended: &Ended<'_>) -> Option<Instant> {
        let made = u32::try_from(exchange.attempts.len()).unwrap_or(u32::MAX);
        if made >= step.retry.attempts || !retry::applies(&step.retry, ended) {
            return None;
        }
        let wait = retry::wait(&step.retry, made, ended, self.now, &mut self.random);
        let next = self.now.plus(wait);
        let most = step.retry.max_elapsed.map_or(Instant::MAX, |most| exchange.started.plus(most));
        (next < self.deadline() && next < most).then_some(next)
    }

    fn out_of_time(&mut self, step: &StepPlan) {
        let timeout = if self.part() == FlowPart::Teardown { self.plan.teardown_timeout } else { self.plan.timeout };
        let why = format!("no time is left: the run may take {timeout}");
        let verdict = if self.part() == FlowPart::Teardown { ProbeVerdict::Skipped } else { ProbeVerdict::Fail };
        // Whatever its severity, what comes behind it cannot run either.
        let severity = StepSeverity::Must;
        self.record_step(step, Vec::new(), verdict, Some(why), severity);
        if self.part() == FlowPart::Teardown {
            self.pc += 1;
        } else {
            self.stop_here(verdict);
        }
    }

    pub(super) fn end_step(
        &mut self,
        step: &StepPlan,
        attempts: Vec<Attempt>,
        verdict: ProbeVerdict,
        reason: Option<String>,
    ) {
        self.exchange = None;
        self.record_step(step, attempts, verdict, reason, step.severity);
        let ends = match verdict {
            ProbeVerdict::Fail => step.severity == StepSeverity::Must,
            // The flow or the prober is at fault; nothing that follows would say anything.
            ProbeVerdict::Error => true,
            _ => false,
        };
        if ends && self.part() != FlowPart::Teardown {
            self.stop_here(verdict);
        } else {
            self.pc += 1;
        }
    }

    fn record_step(
        &mut self,
        step: &StepPlan,
        attempts: Vec<Attempt>,
        verdict: ProbeVerdict,
        reason: Option<String>,
        severity: StepSeverity,
    ) {
        let part = self.part();
        let (id, at) = (step.id.clone(), step.position.clone());
        self.results.push(StepResult { id, part, at, severity, verdict, reason, attempts });
    }
}

fn attempt_verdict(error: Option<&TransportError>, checks: &[Checked]) -> ProbeVerdict {
    if let Some(error) = error {
        return if error.kind.is_probers() { ProbeVerdict::Error } else { ProbeVerdict::Fail };
    }
    match checks.iter().map(|check| check.outcome).max() {
        Some(CheckOutcome::Fail) => ProbeVerdict::Fail,
        Some(CheckOutcome::Unable) => ProbeVerdict::Error,
        Some(CheckOutcome::Degraded) => ProbeVerdict::Degraded,
        _ => ProbeVerdict::Pass,
    }
}

fn wants_json(step: &StepPlan) -> bool {
    let until = step.poll.iter().flat_map(|poll| &poll.until);
    step.checks.iter().chain(until).any(|check| matches!(check.test, CheckTest::Json(..) | CheckTest::Foreign(_)))
        || step.captures.iter().any(|capture| matches!(capture.from, Source::Path(_)))
}

fn expires(response: &HttpResponse) -> Option<Instant> {
    let tls = response.peer.as_ref()?.tls.as_ref()?;
    tls.chain.iter().map(|certificate| certificate.not_after).min()
}

/// RFC 9562, version 4, from 32 hexadecimal digits.
fn uuid(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
