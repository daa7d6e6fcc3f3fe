//! `judge: kayenta`: the values of many intervals, compared at every analysis, and the score of all metrics.
//!
//! A score that is marginal fails at any analysis; only the last one is held against `pass`. Once that is over, it
//! is over: nothing is compared any more.

use serde::{Deserialize, Serialize};

use super::Look;
use super::reading::{Sides, value};
use crate::decision::{Cause, Finding, HoldKind, NoFlip, Outside};
use crate::document::Points;
use crate::kayenta::{Classified, Counted, Label, Limits, Scored, classify, score};
use crate::policy::{HealthPlan, KayentaPlan, MetricPlan, Rule};
use crate::snapshot::{Asked, Cohort};
use crate::{Count, Digest};

/// The values so far, and the latest analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kayenta {
    /// One per metric of the policy.
    points: Vec<Values>,
    /// Intervals so far, those that never came included.
    intervals: u64,
    latest: Option<Analysis>,
}

/// The values of one metric, oldest first; nothing where an interval had none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Values {
    canary: Vec<Option<f64>>,
    baseline: Vec<Option<f64>>,
}

/// What an analysis said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Analysis {
    number: u64,
    score: f64,
    phase: Phase,
    /// The critical metric that made the score 0, by its place.
    ended_by: Option<usize>,
    mostly_no_data: bool,
    metrics: Vec<Called>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Phase {
    Running,
    Passed,
    Failed,
}

/// What a metric was called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Called {
    label: Label,
    ratio: Option<f64>,
    canary: Count,
    baseline: Count,
}

impl Kayenta {
    /// Before the first interval.
    pub(crate) fn new(plan: &HealthPlan) -> Self {
        Self { points: vec![Values::default(); plan.metrics.len()], intervals: 0, latest: None }
    }

    /// Whether it is of these metrics: a state from elsewhere may hold anything.
    pub(crate) fn fits(&self, plan: &HealthPlan) -> bool {
        let metrics = plan.metrics.len();
        let latest = self.latest.as_ref();
        self.points.len() == metrics
            && latest.is_none_or(|latest| latest.metrics.len() == metrics && latest.score.is_finite())
    }

    /// Takes in one metric of an interval, before it is closed.
    pub(crate) fn take(&mut self, index: usize, metric: &MetricPlan, sides: Sides<'_>) {
        if self.is_over() || !matches!(metric.rule, Rule::Kayenta(_)) {
            return;
        }
        let Some(points) = self.points.get_mut(index) else { return };
        points.canary.push(value(metric, Cohort::Canary, sides.canary).ok());
        points.baseline.push(value(metric, Cohort::Baseline, sides.baseline).ok());
    }

    /// Closes an interval: analyses where the plan says so.
    pub(crate) fn close(&mut self, health: &HealthPlan, plan: &KayentaPlan, slot: u64) {
        if self.is_over() {
            return;
        }
        self.intervals = self.intervals.saturating_add(1);
        if let Some(lookback) = plan.lookback {
            for points in &mut self.points {
                for side in [&mut points.canary, &mut points.baseline] {
                    side.drain(..side.len().saturating_sub(lookback));
                }
            }
        }
        let is_last = self.intervals >= plan.last;
        if is_last || self.intervals.is_multiple_of(plan.every) {
            self.latest = Some(self.analyse(health, plan, is_last, slot));
        }
        if self.is_over() {
            self.points.iter_mut().for_each(|points| *points = Values::default());
        }
    }

    /// Intervals that never came have no values.
    pub(crate) fn skip(&mut self, health: &HealthPlan, plan: &KayentaPlan, from: u64, to: u64) {
        for slot in from..to {
            if self.is_over() {
                return;
            }
            for (index, metric) in health.metrics.iter().enumerate() {
                self.take(index, metric, Sides { canary: &[], baseline: &[] });
            }
            self.close(health, plan, slot);
        }
    }

    fn is_over(&self) -> bool {
        self.latest.as_ref().is_some_and(|latest| latest.phase != Phase::Running)
    }

    fn analyse(&self, health: &HealthPlan, plan: &KayentaPlan, is_last: bool, slot: u64) -> Analysis {
        let judged: Vec<Option<Classified>> = health
            .metrics
            .iter()
            .zip(&self.points)
            .map(|(metric, points)| match metric.rule {
                Rule::Kayenta(rules) => {
                    let [canary, baseline] = [&points.canary, &points.baseline]
                        .map(|side| side.iter().map(|point| point.unwrap_or(f64::NAN)).collect::<Vec<f64>>());
                    Some(classify(&canary, &baseline, &rules, &Limits::JUDGE, seed(metric, slot)))
                }
                _ => None,
            })
            .collect();
        let scored = scored(health, plan, &judged);
        let failed = scored.score <= plan.marginal || is_last && scored.score < plan.pass;
        let there = |side: &[Option<f64>]| count(side.iter().flatten().count());
        let called = judged.iter().zip(&self.points).map(|(judged, points)| Called {
            label: judged.map_or(Label::Pass, |judged| judged.label),
            ratio: judged.map(|judged| judged.ratio).filter(|ratio| ratio.is_finite()),
            canary: there(&points.canary),
            baseline: there(&points.baseline),
        });
        Analysis {
            number: self.latest.as_ref().map_or(0, |latest| latest.number).saturating_add(1),
            score: scored.score,
            phase: if failed {
                Phase::Failed
            } else if is_last {
                Phase::Passed
            } else {
                Phase::Running
            },
            ended_by: scored.ended_by,
            mostly_no_data: scored.mostly_no_data,
            metrics: called.collect(),
        }
    }
}

/// The score of the metrics that count; places are those of the policy.
fn scored<'a>(health: &'a HealthPlan, plan: &'a KayentaPlan, judged: &[Option<Classified>]) -> Scored<'a> {
    let groups: Vec<Vec<&str>> =
        plan.groups.iter().map(|groups| groups.iter().map(crate::Name::as_str).collect()).collect();
    let counts =
        health.metrics.iter().zip(judged).zip(&groups).enumerate().filter_map(|(place, ((metric, judged), groups))| {
            let judged = judged.filter(|_| !metric.dry_run)?;
            Some((place, Counted { label: judged.label, critical: judged.critical, groups }))
        });
    let (places, counted): (Vec<usize>, Vec<Counted<'_>>) = counts.unzip();
    let Scored { score, ended_by, mostly_no_data, groups: _ } = score(&counted, &plan.weights);
    // A sum of finite weights: it stays finite, and a state could not hold anything else.
    let score = if score.is_finite() { score } else { 0.0 };
    let ended_by = ended_by.and_then(|place| places.get(place).copied());
    Scored { score, ended_by, mostly_no_data, groups: Vec::new() }
}

/// Another one for every metric at every analysis, and the same at every replay.
fn seed(metric: &MetricPlan, slot: u64) -> u64 {
    let digest = Digest::of(format!("{} {slot}", metric.name).as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// What the latest analysis called a metric; nothing before the first.
pub(crate) fn judge_metric(look: Look<'_>, index: usize) -> Option<Finding> {
    let called = look.folded.kayenta.as_ref()?.latest.as_ref()?.metrics.get(index)?;
    let Called { label, ratio, canary, baseline } = *called;
    Some(Finding::pass(Cause::HealthKayentaLabel { label, ratio, canary, baseline }).no_flip(NoFlip::NotOneNumber))
}

/// What the score says of the release.
pub(crate) fn judge(look: Look<'_>, health: &HealthPlan, plan: &KayentaPlan, findings: &mut Vec<Finding>) -> Points {
    let Some(kayenta) = &look.folded.kayenta else { return Points::FULL };
    let whole = |number: u64| Count::new(number).unwrap_or(Count::MAX);
    let wait = |cause| Finding::hold(HoldKind::Waiting, cause).retry_after(health.grid.every());
    let (finding, score) = match &kayenta.latest {
        None => {
            let needed = whole(plan.every.min(plan.last));
            (wait(Cause::HealthKayentaWaiting { intervals: whole(kayenta.intervals), needed }), 100.0)
        }
        Some(latest) => {
            let (score, analyses) = (latest.score, whole(latest.number));
            let finding = match latest.phase {
                Phase::Running => {
                    let of = whole(plan.last.div_ceil(plan.every));
                    wait(Cause::HealthKayentaRunning { score, marginal: plan.marginal, analyses, of })
                }
                Phase::Passed => Finding::pass(Cause::HealthKayentaPassed { score, pass: plan.pass }),
                Phase::Failed => {
                    let needed = if score <= plan.marginal { plan.marginal } else { plan.pass };
                    let ended_by = latest.ended_by.and_then(|place| health.metrics.get(place));
                    let ended_by = ended_by.map(|metric| metric.name.clone());
                    let mostly_no_data = latest.mostly_no_data;
                    Finding::fail(Cause::HealthKayentaFailed { score, needed, analyses, ended_by, mostly_no_data })
                }
            };
            (finding, score)
        }
    };
    findings.push(finding.from(&health.position).outside(Outside::FixedLimit).no_flip(NoFlip::NotOneNumber));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within 0 and 100")]
    let points = score.clamp(0.0, 100.0).floor() as u8;
    Points::new(points)
}

/// More traffic needs an analysis that is not marginal, and no more.
pub(crate) fn is_needed(asked: Asked, cause: &Cause) -> bool {
    match cause {
        Cause::HealthKayentaRunning { .. } => asked == Asked::Promote,
        _ => true,
    }
}

fn count(number: usize) -> Count {
    u32::try_from(number).map_or(Count::MAX, Count::from)
}
