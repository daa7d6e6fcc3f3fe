//! From steps to the verdict of a flow, and to what it is for its objectives.

use super::plan::{Plan, SloPlan};
use super::result::{Attempt, FlowPart, SloEvent, StepResult};
use crate::Instant;
use crate::document::probe::{OnRetry, StepSeverity};
use crate::probe::message::Micros;
use crate::snapshot::ProbeVerdict;

/// The verdict of a flow.
pub(super) struct Judged {
    pub(super) verdict: ProbeVerdict,
    pub(super) reason: Option<String>,
    pub(super) flaky: bool,
    pub(super) evaluated: u64,
    pub(super) slos: Vec<SloEvent>,
}

/// Judges setup and steps; the teardown changes nothing.
pub(super) fn of_flow(
    plan: &Plan,
    all: &[StepResult],
    stopped: Option<(ProbeVerdict, String)>,
    started: Instant,
    ended: Instant,
) -> Judged {
    let steps: Vec<&StepResult> = all.iter().filter(|step| step.part != FlowPart::Teardown).collect();
    let evaluated = steps.iter().flat_map(|step| &step.attempts).map(Attempt::evaluated).sum();
    let (verdict, reason) = verdict(&steps, stopped, evaluated);
    let passed = matches!(verdict, ProbeVerdict::Pass | ProbeVerdict::Degraded);
    let flaky = passed && steps.iter().any(|step| step.is_flaky());
    let duration = Micros::from_duration(ended.since(started));
    let counts = !matches!(verdict, ProbeVerdict::Error | ProbeVerdict::Skipped);
    let slos = plan
        .slos
        .iter()
        .filter(|_| counts)
        .map(|slo| SloEvent { slo: slo.name.clone(), good: passed && is_good(slo, &steps, flaky, duration) });
    Judged { verdict, reason, flaky, evaluated, slos: slos.collect() }
}

fn verdict(
    steps: &[&StepResult],
    stopped: Option<(ProbeVerdict, String)>,
    evaluated: u64,
) -> (ProbeVerdict, Option<String>) {
    if let Some((verdict, why)) = stopped {
        return (verdict, Some(why));
    }
    // What expected nothing has shown nothing.
    let in_steps = steps.iter().filter(|step| step.part == FlowPart::Steps).flat_map(|step| &step.attempts);
    if evaluated == 0 || in_steps.map(Attempt::evaluated).sum::<u64>() == 0 {
        return (ProbeVerdict::Error, Some("no expectation was judged".to_owned()));
    }
    let worse = |step: &&&StepResult| {
        step.verdict == ProbeVerdict::Degraded
            || step.verdict == ProbeVerdict::Fail && step.severity == StepSeverity::Should
    };
    match steps.iter().find(worse) {
        Some(step) => (ProbeVerdict::Degraded, Some(step.sentence())),
        None => (ProbeVerdict::Pass, None),
    }
}

/// Whether a run that passed is a good event.
fn is_good(slo: &SloPlan, steps: &[&StepResult], flaky: bool, duration: Micros) -> bool {
    let first = slo.on_retry == OnRetry::CountFirst;
    if first && flaky {
        return false;
    }
    let Some(within) = slo.within.map(Micros::from_duration) else { return true };
    match &slo.step {
        None => duration <= within,
        Some(id) => steps.iter().filter(|step| step.id == *id).all(|step| {
            let attempt = if first { step.attempts.first() } else { step.attempts.last() };
            attempt.is_none_or(|attempt| attempt.duration <= within)
        }),
    }
}
