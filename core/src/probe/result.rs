//! What a run found out.

use serde::{Deserialize, Serialize};

use super::evaluate::{CheckOutcome, Checked, shorten};
use super::message::{Micros, Timings, TransportError};
use super::redact::Redactor;
use crate::document::Position;
use crate::document::probe::{HttpMethod, HttpVersion, StepSeverity};
use crate::snapshot::{Cohort, ProbeResult, ProbeVerdict};
use crate::{Digest, Instant, Name};

/// What one run of a flow found out. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowResult {
    /// The flow.
    pub flow: Name,
    /// The digest of the flow and what it imports.
    pub digest: Digest,
    /// Where it ran against.
    pub target: Name,
    /// Where it ran from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Name>,
    /// Whose answers it asked for, in a paired run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<Cohort>,
    /// The run's own name, from its seed.
    pub run: String,
    /// When it began.
    pub started: Instant,
    /// When setup and steps were over.
    pub ended: Instant,
    /// How it ended.
    pub verdict: ProbeVerdict,
    /// Why, where it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it passed only because an attempt was repeated.
    pub flaky: bool,
    /// How many expectations were judged, those of the teardown aside.
    pub evaluated: u64,
    /// All steps in the order in which they were run or skipped.
    pub steps: Vec<StepResult>,
    /// What the run is for each objective; nothing where the prober failed.
    pub slos: Vec<SloEvent>,
}

/// What a run is for an objective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SloEvent {
    /// The objective.
    pub slo: Name,
    /// Whether the run is a good event.
    pub good: bool,
}

/// Which part of a flow a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowPart {
    /// Before the journey.
    Setup,
    /// The journey.
    Steps,
    /// Cleaning up; it never changes the verdict of the flow.
    Teardown,
}

/// What one step found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepResult {
    /// The step, with the actions that it is part of: `session/token`.
    pub id: String,
    /// Which part of the flow it belongs to.
    pub part: FlowPart,
    /// Where it stands in the flow.
    pub at: Position,
    /// What its failure means.
    pub severity: StepSeverity,
    /// How it ended: how its last attempt did.
    pub verdict: ProbeVerdict,
    /// Why, where it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// All attempts, the first one first.
    pub attempts: Vec<Attempt>,
}

/// One attempt of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempt {
    /// When it began.
    pub started: Instant,
    /// How it ended.
    pub verdict: ProbeVerdict,
    /// How long it took, redirects included, the waiting between polls not.
    pub duration: Micros,
    /// The method of the last request.
    pub method: HttpMethod,
    /// Where it went.
    pub url: String,
    /// How many redirects were followed.
    pub redirects: u32,
    /// How often it was asked again until a condition held.
    pub polls: u32,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The version of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<HttpVersion>,
    /// The bytes of the body that were read.
    pub bytes: u64,
    /// How long the parts of the last exchange took.
    pub timings: Timings,
    /// When the first certificate of the chain expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Instant>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TransportError>,
    /// All expectations.
    pub checks: Vec<Checked>,
}

impl FlowResult {
    /// As the snapshot takes it, for the cohort that answered; nothing for a run that asked for no cohort.
    #[must_use]
    pub fn to_probe_result(&self) -> Option<ProbeResult> {
        self.cohort.map(|cohort| self.to_probe_result_of(cohort))
    }

    /// As the snapshot takes it, for a run of which the host knows who answered.
    #[must_use]
    pub fn to_probe_result_of(&self, cohort: Cohort) -> ProbeResult {
        ProbeResult { flow: self.flow.clone(), cohort, at: self.ended, verdict: self.verdict }
    }

    /// A digest of everything that was judged: verdicts of the flow, its steps and attempts, and every expectation. A
    /// replay has the same; texts, which a recording keeps without secrets, are no part of it.
    #[must_use]
    pub fn judgement(&self) -> Digest {
        let attempt = |attempt: &Attempt| {
            let checks: Vec<_> = attempt.checks.iter().map(|check| (check.what.clone(), check.outcome)).collect();
            let fault = attempt.error.as_ref().map(|error| error.kind);
            let Attempt { verdict, duration, status, redirects, polls, bytes, .. } = attempt;
            (*verdict, *duration, (*status, fault), (*redirects, *polls, *bytes), checks)
        };
        let steps = self.steps.iter().map(|step| {
            let attempts: Vec<_> = step.attempts.iter().map(attempt).collect();
            (&step.id, step.verdict, attempts)
        });
        let steps: Vec<_> = steps.collect();
        let whole = (&self.flow, &self.target, self.verdict, self.flaky, self.evaluated, steps, &self.slos);
        // Tuples of words and whole numbers are always JSON, and written in one way.
        Digest::of(&serde_json::to_vec(&whole).unwrap_or_default())
    }

    /// How long setup and steps took together.
    #[must_use]
    pub fn duration(&self) -> crate::Duration {
        self.ended.since(self.started)
    }

    /// All attempts of setup and steps.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.steps.iter().filter(|step| step.part != FlowPart::Teardown).flat_map(|step| &step.attempts)
    }
}

impl StepResult {
    /// Replaces secrets by their names in everything that is free text, and only then cuts what is long.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let clean = |text: &mut String| *text = shorten(&redactor.text(text));
        self.reason.iter_mut().for_each(clean);
        for attempt in &mut self.attempts {
            clean(&mut attempt.url);
            attempt.error.iter_mut().for_each(|error| clean(&mut error.detail));
            for check in &mut attempt.checks {
                clean(&mut check.expected);
                clean(&mut check.actual);
            }
        }
        if let Some(last) = self.attempts.last() {
            let reason = match &last.error {
                Some(error) => Some(format!("{}: {}", error.kind.as_str(), error.detail)),
                None => worst(&last.checks).map(sentence),
            };
            self.reason = reason.or(self.reason.take());
        }
    }
}

/// A failed expectation in one sentence.
fn sentence(check: &Checked) -> String {
    format!("{}: expected {}, found {} ({})", check.what, check.expected, check.actual, check.at)
}

/// The first expectation that did not hold, or else the first that held worse than wanted.
fn worst(checks: &[Checked]) -> Option<&Checked> {
    let worst = checks.iter().map(|check| check.outcome).max().filter(|worst| *worst >= CheckOutcome::Degraded)?;
    checks.iter().find(|check| check.outcome == worst)
}

impl StepResult {
    /// Its name and why it did not pass.
    pub(crate) fn sentence(&self) -> String {
        format!("{}: {}", self.id, self.reason.as_deref().unwrap_or_default())
    }

    /// Whether it passed, but not at the first attempt.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        let passed = matches!(self.verdict, ProbeVerdict::Pass | ProbeVerdict::Degraded);
        passed && self.attempts.first().is_some_and(|first| first.verdict == ProbeVerdict::Fail)
    }
}

impl Attempt {
    /// How many expectations were judged.
    #[must_use]
    pub fn evaluated(&self) -> u64 {
        let judged =
            self.checks.iter().filter(|check| !matches!(check.outcome, CheckOutcome::NotJudged | CheckOutcome::Unable));
        u64::try_from(judged.count()).unwrap_or(u64::MAX)
    }
}
