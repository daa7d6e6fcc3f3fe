//! Both keys of every metric after one interval: the evidence of harm, and what the noise leaves of it.

use super::doubt::{Past, Test};
use super::{Beside, Evidence, gathering};
use crate::policy::{EvidencePlan, HealthPlan, MetricPlan};
use crate::stats::{Estimate, FEW_REPLICAS, Method, strictness};

/// Both keys, metric by metric.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// One per metric of the policy.
    metrics: Vec<Key>,
    /// The test that says most, of the metrics that count.
    pub(super) most: Option<Most>,
    /// Whether nothing but assumptions shows the noise of some test.
    pub(super) is_assumed: bool,
    /// Whether past rollouts had a part in it.
    pub(super) by_history: bool,
}

/// Both keys of one metric: the average over its tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// As if requests were independent.
    pub(super) first: f64,
    pub(super) left: Left,
}

/// What is left of evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// If everything is discounted.
    pub(super) discounted: f64,
    /// If what an outage says in its own intervals is not, where that is more.
    pub(super) e: f64,
}

/// A test, and what is known of its noise over the whole rollout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) metric: usize,
    /// Among the tests of the metric.
    pub(super) test: usize,
    pub(super) estimate: Estimate,
}

/// A mean, summed in order.
#[derive(Default)]
struct Mean {
    discounted: f64,
    e: f64,
    count: f64,
}

impl Evidence {
    /// Both keys after the newest interval.
    pub(super) fn keys(&self, health: &HealthPlan, plan: &EvidencePlan, beside: Beside<'_>) -> Keys {
        let (mut most, mut is_assumed): (Option<Most>, bool) = (None, false);
        let is_ranked = beside.threshold().is_some();
        let of = |(index, metric): (usize, &MetricPlan)| {
            let counts = metric.gathers_evidence();
            let past = Past { history: beside.history, metric: &metric.name, first: 0 };
            let left = self.over_tests(index, metric, |number, test| {
                let of_window = |window| {
                    let of_past = past.of(number, window, test.noise.age(window));
                    test.noise.estimate(window, test.bound, test.declared, of_past)
                };
                let whole = of_window(0);
                if let Some(estimate) = whole.filter(|_| counts) {
                    is_assumed |= estimate.method == Method::Declared;
                    let seen = Most { metric: index, test: number, estimate };
                    most = Some(most.filter(|known| !known.says_less_than(&estimate)).unwrap_or(seen));
                }
                let discounted = plan.ramp.average(|window| {
                    let estimate = if window == 0 { whole } else { of_window(window) };
                    // Before a window begins it says nothing.
                    estimate.map_or(1.0, |estimate| estimate.e)
                });
                // Past rollouts were ranked without it.
                let outage = test.outage.filter(|_| !is_ranked).map(|outage| outage.e(plan.starts));
                Left { discounted, e: outage.map_or(discounted, |outage| outage.max(discounted)) }
            });
            Key { first: self.of(plan, index, metric), left }
        };
        let metrics = health.metrics.iter().enumerate().map(of).collect();
        Keys { metrics, most, is_assumed, by_history: beside.history.is_some() }
    }

    /// The second key of all metrics together, scaled so that both abort at the same level.
    pub(super) fn second_key(&self, keys: &Keys, health: &HealthPlan, plan: &EvidencePlan, beside: Beside<'_>) -> Left {
        if let Some(threshold) = beside.threshold() {
            return Left::all(self.rank(health, plan) * (beside.level.evidence() / threshold));
        }
        let strictness = self.strictness(health, plan).unwrap_or(1.0);
        let together = |of: fn(&Key) -> f64| keys.together(health, plan, of) / strictness;
        Left { discounted: together(|key| key.left.discounted), e: together(|key| key.left.e) }
    }

    /// What the second key is divided by under `strictNoise`, unless rollouts are ranked.
    pub(super) fn strictness(&self, health: &HealthPlan, plan: &EvidencePlan) -> Option<f64> {
        plan.strict.then(|| {
            let fewest = gathering(health).filter_map(|(index, metric)| self.fewest_replicas(index, metric)).min();
            strictness(fewest.unwrap_or(0))
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
        let mut by_proof = Mean::default();
        for (gathered, proof) in gathered.iter().zip(&metric.proofs) {
            let mut by_test = Mean::default();
            for test in gathered.tests(proof) {
                by_test.add(of(number, test));
                number += 1;
            }
            by_proof.add(if by_test.count > 0.0 { by_test.left() } else { Left::all(1.0) });
        }
        by_proof.left()
    }
}

impl Keys {
    pub(super) fn of(&self, metric: usize) -> Option<Key> {
        self.metrics.get(metric).copied()
    }

    /// The weighted average over the metrics that count.
    pub(super) fn together(&self, health: &HealthPlan, plan: &EvidencePlan, of: fn(&Key) -> f64) -> f64 {
        plan.weights.average(gathering(health).map(|(index, _)| self.metrics.get(index).map_or(1.0, of)))
    }
}

impl Most {
    /// Of tests that say nothing yet, one that expects something says more.
    fn says_less_than(&self, other: &Estimate) -> bool {
        (self.estimate.most, self.estimate.expected) < (other.most, other.expected)
    }
}

impl Left {
    /// Where no outage makes a difference.
    const fn all(e: f64) -> Self {
        Self { discounted: e, e }
    }
}

impl Mean {
    fn add(&mut self, left: Left) {
        self.discounted += left.discounted;
        self.e += left.e;
        self.count += 1.0;
    }

    fn left(&self) -> Left {
        let count = self.count.max(1.0);
        Left { discounted: self.discounted / count, e: self.e / count }
    }
}
