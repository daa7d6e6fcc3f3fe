//! `judge: evidence`: what the intervals have proved, of harm and of its absence.
//!
//! Every interval is folded into one process per test. The weighted average over the metrics is one process of harm,
//! the first key of an abort: its running maximum decides. The second key is the same evidence, discounted by the
//! noise that replicas show; only what an outage says in its own intervals counts whole. Each metric has its own proof
//! that it is good enough, which `promote` needs, and which needs both keys too. One process spans the canary and the
//! live stage.

mod at_bound;
mod counted;
mod doubt;
mod gathered;
mod judge;
mod kept;
mod replicas;
mod second;
mod shifted;
mod shown;
mod thresholds;

pub(crate) use judge::{is_needed, judge, judge_metric};
pub(crate) use thresholds::proved_at;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::reading::Sides;
use crate::policy::{EvidencePlan, FixedLooks, HealthPlan, MetricPlan, Proof, Traffic};
use crate::snapshot::{NoiseHistory, Observation, ReplicaStart};
use crate::stats::{GroupSequential, Level, MANY_REPLICAS, Method, Pair, Peak};
use doubt::{Past, Test};
use gathered::{Gathered, Interval};
use kept::Kept;
use replicas::{LeftOut, Replicas, Span, is_false};
use shown::Shown;

/// Intervals after which a replica of the baseline can be found to be sick.
const ENOUGH_TO_DIAGNOSE: u32 = 5;

/// The evidence of all metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Evidence {
    /// One per metric of the policy; none for those judged by their limits.
    ///
    /// A look that sees nothing new shares them with the state that it begins with.
    metrics: Arc<Vec<Vec<Gathered>>>,
    /// The running maximum of the weighted average: the first key.
    first: Peak,
    /// The second key after the newest interval, on the scale of the first.
    second: f64,
    /// The running maximum of the lesser of both.
    both: Peak,
    /// Whether that maximum rests on an outage, and not on what the noise left.
    #[serde(default, skip_serializing_if = "is_false")]
    by_outage: bool,
    /// For how many intervals in a row the first key alone would have aborted.
    alone: u32,
    /// The step of the ramp.
    step: usize,
    intervals: u32,
    replicas: Arc<Replicas>,
    /// Of the newest look, for the next.
    #[serde(skip)]
    kept: Kept,
}

/// What is known beside the intervals.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    pub(crate) starts: &'a [ReplicaStart],
    pub(crate) history: Option<&'a NoiseHistory>,
    /// The level of an abort in this attempt.
    pub(crate) level: Level,
}

impl Beside<'_> {
    /// The evidence beyond which this rollout ranks above past healthy ones; nothing where there are too few of them.
    fn threshold(&self) -> Option<f64> {
        self.history?.threshold(self.level)
    }
}

/// What one interval is folded with.
pub(crate) struct Begun {
    left_out: LeftOut,
}

impl Evidence {
    /// Before the first interval.
    pub(crate) fn new(plan: &HealthPlan) -> Self {
        let of = |metric: &MetricPlan| metric.proofs.iter().map(Gathered::new).collect();
        Self {
            metrics: Arc::new(plan.metrics.iter().map(of).collect()),
            first: Peak::new(),
            second: 1.0,
            both: Peak::new(),
            by_outage: false,
            alone: 0,
            step: 0,
            intervals: 0,
            replicas: Arc::default(),
            kept: Kept::default(),
        }
    }

    /// Whether it is evidence of these metrics: a state from elsewhere may hold anything.
    pub(crate) fn fits(&self, plan: &HealthPlan) -> bool {
        self.metrics.len() == plan.metrics.len()
            && self.metrics.iter().zip(&plan.metrics).all(|(gathered, metric)| {
                gathered.len() == metric.proofs.len()
                    && gathered.iter().zip(&metric.proofs).all(|(gathered, proof)| gathered.fits(proof))
            })
    }

    /// Begins an interval: who is left out of it, and how far the ramp has come.
    pub(crate) fn begin(
        &mut self,
        health: &HealthPlan,
        plan: &EvidencePlan,
        slot: u64,
        observations: &[Observation],
        beside: Beside<'_>,
    ) -> Begun {
        let start = health.grid.start_of(slot);
        let span = Span { slot, start, end: start.plus(health.grid.every()) };
        self.kept = Kept::default();
        let replicas = Arc::make_mut(&mut self.replicas);
        let admitted = replicas.admit(span, observations, beside.starts, health.grid.warm_up());
        for place in admitted.vacated {
            self.forget(place);
        }
        self.step = plan.ramp.step(self.step, Traffic::of(observations));
        Begun { left_out: admitted.left_out }
    }

    /// Takes in one interval of one metric.
    pub(crate) fn fold(
        &mut self,
        plan: &EvidencePlan,
        index: usize,
        metric: &MetricPlan,
        sides: Sides<'_>,
        begun: &Begun,
        beside: Beside<'_>,
    ) {
        let without = |observations: &[Observation]| -> Vec<Observation> {
            observations.iter().filter(|observation| !begun.left_out.holds(observation)).cloned().collect()
        };
        let kept = (!begun.left_out.is_empty()).then(|| (without(sides.canary), without(sides.baseline)));
        let sides = kept.as_ref().map_or(sides, |(canary, baseline)| Sides { canary, baseline });
        let gathered = Arc::make_mut(&mut self.metrics).get_mut(index).into_iter().flatten();
        let mut past = Past { history: beside.history, metric: &metric.name, first: 0 };
        for (gathered, proof) in gathered.zip(&metric.proofs) {
            let interval = Interval { sides, step: self.step, known: &self.replicas, past };
            gathered.fold(plan, proof, metric, interval);
            past.first += gathered.tests(proof).count();
        }
    }

    /// Closes an interval: only now is it known what all metrics say together.
    pub(crate) fn close(&mut self, health: &HealthPlan, plan: &EvidencePlan, slot: u64, beside: Beside<'_>) {
        self.intervals = self.intervals.saturating_add(1);
        let keys = self.keys(health, plan, beside);
        let first = keys.together(health, plan, |key| key.first);
        self.first.fold(first);
        let left = self.second_key(&keys, health, plan, beside);
        self.second = left.e;
        let both = self.first.e().min(left.e);
        if both > self.both.e() {
            self.by_outage = self.first.e().min(left.discounted) < both;
        }
        self.both.fold(both);
        let is_alone = beside.level.is_reached(first) && !beside.level.is_reached(self.second);
        self.alone = if is_alone { self.alone.saturating_add(1) } else { 0 };
        self.kept.keys = Some(Arc::new(keys));
        if self.intervals >= ENOUGH_TO_DIAGNOSE && self.heals(beside) {
            self.leave_out_the_sick(slot);
        }
    }

    /// Passes over intervals that nobody reported: looks that are planned for them are taken without seeing anything.
    pub(crate) fn miss(&mut self, plan: &HealthPlan, intervals: u64) {
        let planned = plan.evidence.as_ref().and_then(|of| of.fixed.as_ref()).map_or(0, FixedLooks::looks);
        if planned == 0 {
            return;
        }
        for (gathered, metric) in Arc::make_mut(&mut self.metrics).iter_mut().zip(&plan.metrics) {
            for (gathered, proof) in gathered.iter_mut().zip(&metric.proofs) {
                if let (Gathered::Exact { test, .. }, Proof::Exact { spending, .. }) = (gathered, proof) {
                    for _ in 0..intervals.min(u64::from(planned)) {
                        // After the last look there is nothing to take.
                        let _ = test.look(spending, &Pair::EMPTY);
                    }
                }
            }
        }
    }

    /// The exact tests of the metrics that count, with the looks in which there was too much to judge.
    pub(super) fn exact<'a>(
        &'a self,
        plan: &'a HealthPlan,
    ) -> impl Iterator<Item = (&'a MetricPlan, &'a GroupSequential, u32)> {
        let metrics = plan.metrics.iter().zip(self.metrics.iter()).filter(|(metric, _)| metric.gathers_evidence());
        metrics.flat_map(|(metric, gathered)| {
            gathered.iter().filter_map(move |gathered| match gathered {
                Gathered::Exact { test, unjudged, .. } => Some((metric, test, *unjudged)),
                _ => None,
            })
        })
    }

    /// The evidence of harm of one metric: the average over its tests.
    fn of(&self, plan: &EvidencePlan, index: usize, metric: &MetricPlan) -> f64 {
        let gathered = self.metrics.get(index).map_or(&[][..], Vec::as_slice);
        mean(gathered.iter().zip(&metric.proofs).map(|(gathered, proof)| gathered.harm(plan, proof)))
    }

    fn tests<'a>(&'a self, index: usize, metric: &'a MetricPlan) -> impl Iterator<Item = Test<'a>> {
        let gathered = self.metrics.get(index).map_or(&[][..], Vec::as_slice);
        gathered.iter().zip(&metric.proofs).flat_map(|(gathered, proof)| gathered.tests(proof))
    }

    /// Of its tests that compare with a baseline; nothing where none does.
    fn fewest_replicas(&self, index: usize, metric: &MetricPlan) -> Option<usize> {
        let compared = self.tests(index, metric).filter(|test| test.is_compared);
        compared.map(|test| test.noise.replicas()).min()
    }

    /// Whether sick replicas of the baseline are left out, rather than reported: with few replicas and no history that
    /// would do more harm than good.
    fn heals(&self, beside: Beside<'_>) -> bool {
        self.replicas.compared() >= MANY_REPLICAS || beside.history.is_some_and(NoiseHistory::is_enough)
    }

    fn leave_out_the_sick(&mut self, slot: u64) {
        for place in self.sick() {
            if Arc::make_mut(&mut self.replicas).leave_out(place, slot) {
                self.forget(place);
                self.kept.keys = None;
            }
        }
    }

    /// Places of replicas of the baseline that some metric shows to be sick.
    fn sick(&self) -> Vec<usize> {
        let mut found: Vec<usize> = self.metrics.iter().flatten().flat_map(Gathered::sick).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn forget(&mut self, place: usize) {
        Arc::make_mut(&mut self.metrics).iter_mut().flatten().for_each(|gathered| gathered.forget(place));
    }

    fn shown(&self, index: usize) -> impl Iterator<Item = &Shown> {
        self.metrics.get(index).into_iter().flatten().map(Gathered::shown)
    }

    /// Whether every test of the metric has shown that it is good enough.
    pub(crate) fn is_proved(&self, plan: &EvidencePlan, index: usize) -> bool {
        self.shown(index).all(|shown| plan.proof.is_reached(shown.e()))
    }

    /// Adds what this interval showed of the noise, for later rollouts.
    pub(crate) fn teach(&self, health: &HealthPlan, history: &mut NoiseHistory) {
        for (index, metric) in gathering(health) {
            for (number, test) in self.tests(index, metric).enumerate().filter(|(_, test)| test.is_compared) {
                let windows = (0..crate::stats::MOST_WINDOWS).map(|window| (window, test.noise.age(window)));
                for (window, age) in windows.take_while(|(_, age)| *age > 0) {
                    let by = Method::Replicas;
                    let estimate = test.noise.estimate_by(by, window, test.bound, test.declared, None);
                    let Some(seen) = estimate.filter(|seen| seen.replicas > 1 && seen.expected > 0.0) else { continue };
                    history.add(&metric.name, number, window, age, seen.spread - seen.spread_by_chance);
                }
            }
        }
    }
}

fn gathering(health: &HealthPlan) -> impl Iterator<Item = (usize, &MetricPlan)> {
    health.metrics.iter().enumerate().filter(|(_, metric)| metric.gathers_evidence())
}

fn mean(evidence: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = evidence.fold((0.0, 0.0_f64), |(sum, count), e| (sum + e, count + 1.0));
    sum / count.max(1.0)
}
