//! Builders for bundles, snapshots and observations, and a release that is watched minute by minute.
#![allow(dead_code, reason = "every test file uses its own part")]

mod slo;

#[allow(unused_imports, reason = "every test file uses its own part")]
pub(crate) use slo::*;

use davy::{
    Amount, Asked, Buckets, Bundle, Cohort, Count, Decision, Engine, Finding, Histogram, Instant, Interval, Missing,
    Name, Observation, Observed, Outcome, Override, OverrideAction, ProbeResult, ProbeVerdict, Release, Scope, Share,
    Snapshot, Stage, State, Text, Verdict, Verification,
};

/// The day on which everything happens.
const DAY: &str = "2026-11-23";

/// An instant of the day, such as `09:10` or `09:10:20`.
pub(crate) fn at(clock: &str) -> Instant {
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("{DAY}T{clock}{seconds}Z").parse().unwrap()
}

/// So many minutes after the release began, at 09:00.
pub(crate) fn minute(minutes: u64) -> Instant {
    at("09:00").plus(davy::Duration::from_minutes(minutes))
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn text(text: &str) -> Text {
    text.parse().unwrap()
}

pub(crate) fn share(text: &str) -> Share {
    text.parse().unwrap()
}

pub(crate) fn count(number: u64) -> Count {
    Count::new(number).unwrap()
}

/// A rollout of `checkout` with this `spec`, in flow style.
pub(crate) fn document(spec: &str) -> String {
    format!("apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec: {{ {spec} }}\n")
}

pub(crate) fn bundle(spec: &str) -> Bundle {
    Bundle::from_files([("rollouts.yaml", document(spec))]).unwrap_or_else(|error| panic!("{error}\n{spec}"))
}

pub(crate) fn engine(spec: &str) -> Engine {
    Engine::new(&bundle(spec))
}

/// `health` with intervals of a minute, judged as soon as they end and from the start on.
pub(crate) fn health(settings: &str, metrics: &[&str]) -> String {
    let metrics: Vec<String> = metrics.iter().map(|metric| format!("{{ {metric} }}")).collect();
    format!("health: {{ {settings}, every: 1m, settle: 0s, warmUp: 0s, metrics: [{}] }}", metrics.join(", "))
}

/// `health` with the threshold judge and these metrics.
pub(crate) fn threshold(metrics: &[&str]) -> String {
    health("judge: threshold", metrics)
}

/// At most 1 % of bad requests: what most tests watch.
pub(crate) const ERRORS: &str = "name: errors, bad: b, total: t, max: 1%";

/// What is said once they are more.
pub(crate) const EXCEEDED: &str = "abort health.limit-exceeded:errors";

/// Revision `r2` of `checkout` in `prod`, begun at 09:00 with 5 % of the traffic.
pub(crate) fn snapshot(asked: Asked) -> Snapshot {
    Snapshot {
        now: at("09:00"),
        release: Release {
            service: name("checkout"),
            environment: name("prod"),
            revision: name("r2"),
            stable: name("r1"),
            attempt: std::num::NonZeroU32::MIN,
            started_at: at("09:00"),
            change_class: None,
        },
        asked,
        stage: Stage::Canary,
        weight: share("5%"),
        since: at("09:00"),
        intervals: Vec::new(),
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: Vec::new(),
        probes: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    }
}

pub(crate) fn advance(to: &str) -> Asked {
    Asked::Advance { to: share(to) }
}

/// The minute that ends so many minutes after the release began.
pub(crate) fn interval(end: u64, observations: impl Into<Vec<Observation>>) -> Interval {
    Interval::new(minute(end - 1), minute(end), observations.into()).unwrap()
}

pub(crate) fn canary(metric: &str, observed: Observed) -> Observation {
    Observation { metric: name(metric), cohort: Cohort::Canary, replica: None, observed }
}

pub(crate) fn baseline(metric: &str, observed: Observed) -> Observation {
    Observation { cohort: Cohort::Baseline, ..canary(metric, observed) }
}

/// An observation of one replica.
pub(crate) fn of(replica: &str, observation: Observation) -> Observation {
    Observation { replica: Some(name(replica)), ..observation }
}

pub(crate) fn counts(bad: u64, total: u64) -> Observed {
    Observed::Counts { bad: count(bad), total: count(total) }
}

pub(crate) fn gauge(value: f64) -> Observed {
    Observed::Gauge(value)
}

pub(crate) fn events(number: u64) -> Observed {
    Observed::Events(count(number))
}

/// Classic buckets: cumulative counts by upper bound in seconds.
pub(crate) fn buckets(at_most: &[(f64, u64)], total: u64) -> Observed {
    let at_most = at_most.iter().map(|(bound, number)| (*bound, count(*number))).collect();
    Observed::Buckets(Buckets::new(at_most, count(total)).unwrap())
}

/// A native histogram: counts by bucket index.
pub(crate) fn histogram(schema: i8, buckets: &[(i32, u64)]) -> Observed {
    let buckets = buckets.iter().map(|(index, number)| (*index, count(*number))).collect();
    Observed::Histogram(Histogram::new(schema, Count::ZERO, buckets).unwrap())
}

pub(crate) const NO_DATA: Observed = Observed::Missing(Missing::NoData);
pub(crate) const NAN: Observed = Observed::Missing(Missing::Nan);
pub(crate) const INFINITE: Observed = Observed::Missing(Missing::PositiveInfinity);
pub(crate) const MINUS_INFINITE: Observed = Observed::Missing(Missing::NegativeInfinity);

/// A run of a flow against the canary.
pub(crate) fn run(flow: &str, clock: &str, verdict: ProbeVerdict) -> ProbeResult {
    ProbeResult { flow: name(flow), cohort: Cohort::Canary, at: at(clock), verdict }
}

/// The same run against the baseline.
pub(crate) fn of_baseline(run: ProbeResult) -> ProbeResult {
    ProbeResult { cohort: Cohort::Baseline, ..run }
}

/// A verified decision of a person about `checkout`, in force from 09:00 to 10:00.
pub(crate) fn override_that(action: OverrideAction) -> Override {
    Override {
        id: name("ticket-7"),
        action,
        scope: Scope { service: name("checkout"), environment: None, revision: None },
        by: text("ana"),
        reason: text("known and harmless"),
        issued_at: at("09:00"),
        expires_at: at("10:00"),
        verification: Verification::Verified,
    }
}

pub(crate) fn waive(findings: &[&str]) -> Override {
    override_that(OverrideAction::Waive { findings: findings.iter().map(|finding| text(finding)).collect() })
}

/// Decides once, from nothing.
pub(crate) fn decide(spec: &str, snapshot: &Snapshot) -> Decision {
    engine(spec).decide(&State::new(), snapshot).decision
}

/// One look at a snapshot of 09:30, changed.
pub(crate) fn look(spec: &str, asked: Asked, change: impl FnOnce(&mut Snapshot)) -> Decision {
    let mut seen = Snapshot { now: at("09:30"), ..snapshot(asked) };
    change(&mut seen);
    decide(spec, &seen)
}

/// The verdict and what made it: `hold health.no-data:errors`, or `proceed` alone.
pub(crate) fn said(decision: &Decision) -> String {
    let mut words = vec![decision.verdict.to_string()];
    if decision.verdict != Verdict::Proceed {
        let mut reasons: Vec<String> = decision.reasons().map(label).collect();
        reasons.sort();
        words.extend(reasons);
    }
    words.join(" ")
}

/// A code with its subject, as an override names it.
pub(crate) fn label(finding: &Finding) -> String {
    match &finding.subject {
        Some(subject) => format!("{}:{subject}", finding.code()),
        None => finding.code().to_owned(),
    }
}

/// The only finding with this code.
pub(crate) fn finding<'a>(decision: &'a Decision, code: &str) -> &'a Finding {
    let found: Vec<&Finding> = decision.findings.iter().filter(|finding| finding.code() == code).collect();
    match found.as_slice() {
        [one] => one,
        _ => panic!("{} findings with the code {code} in:\n{decision}", found.len()),
    }
}

/// The codes of all findings, whatever their outcome.
pub(crate) fn codes(decision: &Decision) -> Vec<&'static str> {
    decision.findings.iter().map(Finding::code).collect()
}

pub(crate) fn holds(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Hold(_))
}

/// A whole number of things, as flips carry it.
pub(crate) fn things(number: u64) -> Amount {
    Amount::Count(count(number))
}

/// A release under watch: the state is kept, and each look closes one more minute.
pub(crate) struct Watch {
    engine: Engine,
    pub(crate) state: State,
    pub(crate) snapshot: Snapshot,
    minutes: u64,
}

impl Watch {
    /// Asks for `promote`, which needs everything, in stage canary.
    pub(crate) fn of(spec: &str) -> Self {
        Self::by(engine(spec))
    }

    pub(crate) fn by(engine: Engine) -> Self {
        Self { engine, state: State::new(), snapshot: snapshot(Asked::Promote), minutes: 0 }
    }

    pub(crate) fn asks(mut self, asked: Asked) -> Self {
        self.snapshot.asked = asked;
        self
    }

    pub(crate) fn live(mut self) -> Self {
        self.snapshot.stage = Stage::Live;
        self
    }

    /// One more minute with these observations.
    pub(crate) fn sees(&mut self, observations: impl Into<Vec<Observation>>) -> Decision {
        self.minutes += 1;
        self.snapshot.intervals = vec![interval(self.minutes, observations)];
        self.snapshot.now = minute(self.minutes);
        self.looks()
    }

    /// Minutes that nobody reported.
    pub(crate) fn misses(&mut self, minutes: u64) {
        self.minutes += minutes;
    }

    /// Decides on the snapshot as it is.
    pub(crate) fn looks(&mut self) -> Decision {
        let step = self.engine.decide(&self.state, &self.snapshot);
        let (decision, state) = (step.decision, step.state);
        self.state = state;
        decision
    }
}
