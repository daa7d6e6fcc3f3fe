//! The second key: what the noise leaves of the evidence of harm.

use super::gathered::{Past, Test};
use super::{Beside, Evidence, gathering, mean};
use crate::policy::{EvidencePlan, HealthPlan, MetricPlan};
use crate::stats::{FEW_REPLICAS, Method, strictness};

/// What is left of evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Left {
    /// If everything is discounted.
    pub(super) discounted: f64,
    /// If what an outage says in its own intervals is not, where that is more.
    pub(super) e: f64,
}

impl Evidence {
    /// The second key, scaled so that both abort at the same level.
    pub(super) fn second_key(&self, health: &HealthPlan, plan: &EvidencePlan, beside: Beside<'_>) -> Left {
        if let Some(threshold) = beside.threshold() {
            return Left::all(self.rank(health, plan) * (beside.level.evidence() / threshold));
        }
        let all: Vec<Left> = gathering(health).map(|(index, metric)| self.left(plan, index, metric, beside)).collect();
        let strictness = if plan.strict { self.strictness(health) } else { 1.0 };
        let average = |of: fn(&Left) -> f64| plan.weights.average(all.iter().map(of)) / strictness;
        Left { discounted: average(|left| left.discounted), e: average(|left| left.e) }
    }

    /// What is left of the evidence of harm of one metric.
    pub(super) fn left(&self, plan: &EvidencePlan, index: usize, metric: &MetricPlan, beside: Beside<'_>) -> Left {
        let past = Past { history: beside.history, metric: &metric.name, first: 0 };
        let is_ranked = beside.threshold().is_some();
        self.over_tests(index, metric, |number, test| {
            let of_window = |window| test.discounted(window, past.of(number, window, test.noise.age(window)));
            let discounted = plan.ramp.average(of_window);
            // Past rollouts were ranked without it.
            let outage = test.outage.filter(|_| !is_ranked).map(|outage| outage.e(plan.starts));
            Left { discounted, e: outage.map_or(discounted, |outage| outage.max(discounted)) }
        })
    }

    /// What healthy rollouts are ranked by: discounted by today's replicas where there are any, whole where not.
    pub(crate) fn rank(&self, health: &HealthPlan, plan: &EvidencePlan) -> f64 {
        let of = |(index, metric): (usize, &MetricPlan)| {
            if self.fewest_replicas(index, metric).is_none_or(|replicas| replicas < FEW_REPLICAS) {
                return self.of(plan, index, metric);
            }
            let of_test = |_: usize, test: Test<'_>| {
                Left::all(plan.ramp.average(|window| {
                    let estimate = test.noise.estimate_by(Method::Replicas, window, test.bound, test.declared, None);
                    estimate.map_or(1.0, |estimate| estimate.e)
                }))
            };
            self.over_tests(index, metric, of_test).discounted
        };
        plan.weights.average(gathering(health).map(of))
    }

    /// The average over the tests of a metric, which are numbered from 0 on.
    fn over_tests(&self, index: usize, metric: &MetricPlan, mut of: impl FnMut(usize, Test<'_>) -> Left) -> Left {
        let gathered = self.metrics.get(index).map_or(&[][..], Vec::as_slice);
        let mut number = 0;
        let mut by_proof: Vec<Left> = Vec::with_capacity(gathered.len());
        for (gathered, proof) in gathered.iter().zip(&metric.proofs) {
            let mut tests: Vec<Left> = Vec::new();
            for test in gathered.tests(proof) {
                tests.push(of(number, test));
                number += 1;
            }
            by_proof.push(if tests.is_empty() { Left::all(1.0) } else { Left::mean(&tests) });
        }
        Left::mean(&by_proof)
    }

    fn strictness(&self, health: &HealthPlan) -> f64 {
        let fewest = gathering(health).filter_map(|(index, metric)| self.fewest_replicas(index, metric)).min();
        strictness(fewest.unwrap_or(0))
    }
}

impl Left {
    /// Where no outage makes a difference.
    const fn all(e: f64) -> Self {
        Self { discounted: e, e }
    }

    fn mean(of: &[Self]) -> Self {
        Self { discounted: mean(of.iter().map(|left| left.discounted)), e: mean(of.iter().map(|left| left.e)) }
    }
}
