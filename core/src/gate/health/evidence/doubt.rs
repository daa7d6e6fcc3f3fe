//! The noise beside a test: what it is reckoned from, and what it leaves.

use crate::Name;
use crate::policy::EvidencePlan;
use crate::snapshot::NoiseHistory;
use crate::stats::{Declared, Estimate, Method, Noise, Process, strictness};

/// What past rollouts showed of a metric; its tests are numbered from `first` on.
#[derive(Clone, Copy)]
pub(super) struct Past<'a> {
    pub(super) history: Option<&'a NoiseHistory>,
    pub(super) metric: &'a Name,
    pub(super) first: usize,
}

impl Past<'_> {
    pub(super) fn of(&self, test: usize, window: usize, age: u32) -> Option<f64> {
        self.history?.noise(self.metric, self.first + test, window, age)
    }
}

/// The noise beside one process of harm, whatever its effect sizes.
pub(super) trait Doubted {
    fn age(&self, window: usize) -> u32;
    fn estimate(&self, window: usize, bound: f64, declared: Declared, past: Option<f64>) -> Option<Estimate>;
    fn estimate_by(
        &self,
        method: Method,
        window: usize,
        bound: f64,
        declared: Declared,
        past: Option<f64>,
    ) -> Option<Estimate>;
    /// How many replicas of the baseline are compared.
    fn replicas(&self) -> usize;
    /// The largest relative excess of one of them.
    fn worst(&self) -> Option<f64>;
}

impl<const J: usize> Doubted for Noise<J> {
    fn age(&self, window: usize) -> u32 {
        Self::age(self, window)
    }

    fn estimate(&self, window: usize, bound: f64, declared: Declared, past: Option<f64>) -> Option<Estimate> {
        Self::estimate(self, window, bound, declared, past)
    }

    fn estimate_by(
        &self,
        method: Method,
        window: usize,
        bound: f64,
        declared: Declared,
        past: Option<f64>,
    ) -> Option<Estimate> {
        Self::estimate_by(self, method, window, bound, declared, past)
    }

    fn replicas(&self) -> usize {
        self.excesses().count()
    }

    fn worst(&self) -> Option<f64> {
        self.excesses().map(|(_, excess, _)| excess).max_by(f64::total_cmp)
    }
}

/// One process of harm with its noise.
#[derive(Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) noise: &'a dyn Doubted,
    pub(super) bound: f64,
    pub(super) declared: Declared,
    /// Whether it compares with a baseline, rather than with what is known.
    pub(super) is_compared: bool,
    /// What says that the canary is down, while it is: no noise is like that.
    pub(super) outage: Option<&'a Process<8>>,
}

/// What is left of the evidence that something is good enough.
pub(super) fn doubted<const J: usize>(
    plan: &EvidencePlan,
    noise: &Noise<J>,
    bound: f64,
    declared: Declared,
    past: Option<f64>,
) -> f64 {
    let Some(estimate) = noise.estimate(0, bound, declared, past) else { return 1.0 };
    if plan.strict && estimate.method != Method::Declared {
        return estimate.e / strictness(estimate.replicas);
    }
    estimate.e
}
