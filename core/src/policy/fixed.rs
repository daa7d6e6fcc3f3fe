//! `judge: groupSequential`: weights and looks that are fixed beforehand.
//!
//! The exact test spends α on so many looks and assumes that nothing that it could see decides about traffic. So what
//! would react is refused here: steps that wait for requests, a ramp without a length, a live stage that goes on with
//! the same evidence. What can only be seen while the release runs, a retry or a ramp that is late, the gate holds.

use super::schedule::Schedule;
use super::{Criterion, EvidencePlan, Grid, LatencyLimit, MetricPlan, Proof};
use crate::document::decode::Report;
use crate::document::{Bake, BakeReference, DiagnosticCode as Code, Position, Spanned, Step};
use crate::stats::{PlanError, Spending};
use crate::{Count, Duration, Share};

/// The looks that are planned, and the ramp that they are planned for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FixedLooks {
    schedule: Schedule,
    looks: u32,
    /// What each look adds, `w·(1 − w)` at a weight w.
    information: Box<[f64]>,
}

/// More looks, steps or metrics than these are not scheduled: every metric keeps a number per look.
const MOST_LOOKS: u32 = 1000;
const MOST_STEPS: usize = 100;
const MOST_METRICS: usize = 100;

impl FixedLooks {
    /// Refuses what is not fixed.
    pub(crate) fn compile(
        (grid, horizon): (Grid, Duration),
        steps: &[Step],
        bake: Option<&Bake>,
        position: &Position,
        report: &mut Report,
    ) -> Option<Self> {
        let before = report.diagnostics.len();
        if steps.is_empty() {
            let hint = "give `steps`, each with its length".to_owned();
            report.error(Code::Choice, position, "a fixed schedule needs `steps`", hint);
        }
        for step in steps {
            let hint = "give `atLeast`, a weight below 100%, and no `minRequests`; `judge: evidence` takes any ramp"
                .to_owned();
            if step.at_least().is_zero() || step.min_requests() > Count::ZERO || step.weight.value == Share::ALL {
                report.error(Code::Choice, &step.position, "a step of a fixed schedule lasts exactly so long", hint);
            }
        }
        if let Some(Spanned { value: BakeReference::Retained | BakeReference::Reference, position }) =
            bake.and_then(|bake| bake.against.as_ref())
        {
            let hint = "use `against: slo`, or `judge: evidence`, which goes on when live".to_owned();
            report.error(Code::Choice, position, "the live stage is not part of a fixed schedule", hint);
        }
        if steps.len() > MOST_STEPS {
            report.error(Code::Range, position, format!("a fixed schedule has at most {MOST_STEPS} steps"), None);
            return None;
        }
        let schedule = Schedule::new(grid, horizon, steps, None);
        let looks = schedule.stays.last().map_or(0, |last| schedule.judged_by(last));
        if report.diagnostics.len() == before && (looks == 0 || looks > MOST_LOOKS) {
            let message =
                format!("the ramp has {looks} intervals to look at; a fixed schedule has from 1 to {MOST_LOOKS}");
            report.error(Code::Range, position, message, None);
        }
        if report.diagnostics.len() > before {
            return None;
        }
        let information = (0..looks).map(|k| {
            let weight = schedule.weight(k);
            weight * (1.0 - weight)
        });
        let information = information.collect();
        Some(Self { schedule, looks, information })
    }

    pub(crate) const fn looks(&self) -> u32 {
        self.looks
    }

    /// Whether the canary has a weight that the schedule has about now: whoever asks may be two intervals late.
    pub(crate) fn is_kept(&self, weight: Share, elapsed: Duration) -> bool {
        self.schedule.has_lately(weight, elapsed)
    }

    /// Each metric's exact test, at its part of α, in the place of its evidence of harm.
    pub(crate) fn take_over(&self, metrics: &mut [MetricPlan], of: &EvidencePlan, report: &mut Report) {
        if of.weights.as_slice().len() > MOST_METRICS {
            let position = metrics.first().map(|metric| metric.position.clone());
            let message = format!("a fixed schedule is for at most {MOST_METRICS} compared metrics");
            position.iter().for_each(|position| report.error(Code::Range, position, message.clone(), None));
            return;
        }
        let gathering = metrics.iter_mut().filter(|metric| metric.gathers_evidence());
        for (metric, weight) in gathering.zip(of.weights.as_slice()) {
            match self.exact(metric, of.false_aborts, *weight) {
                Ok(Some(proof)) => metric.proofs = vec![proof],
                Ok(None) => {
                    let hint =
                        "give `tolerate` and `unacceptable` alone; of a latency `buckets` with `slowerThan`".to_owned();
                    let message = "a fixed schedule counts one thing beside the baseline: bad events, or slow requests";
                    report.error(Code::Choice, &metric.position, message, hint);
                }
                Err(cause) => report.error(Code::Range, &metric.position, super::slo::without_code(&cause), None),
            }
        }
    }

    fn exact(&self, metric: &MetricPlan, all: Share, weight: f64) -> Result<Option<Proof>, PlanError> {
        let relative = match metric.criterion {
            Criterion::BadShare { max: None, relative: Some(relative) } => relative,
            Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => slow.relative,
            _ => return Ok(None),
        };
        let [Proof::Ratio { safe, .. }] = metric.proofs.as_slice() else { return Ok(None) };
        // Rounded down: all parts together are at most α.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a million")]
        let part = Share::from_ppm((f64::from(all.ppm()) * weight) as u32);
        let spending = Spending::new(part, self.information.iter().copied())?.tolerating(relative.tolerate.as_f64())?;
        Ok(Some(Proof::Exact { spending, safe: safe.clone() }))
    }
}
