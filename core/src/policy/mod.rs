//! What one environment asks of a release: the documents, refined, checked and ready to be judged by.

mod compile;
mod metric;

pub(crate) use compile::{Policies, compile};
pub use metric::Query;
pub(crate) use metric::{
    ArgoConditions, ArgoRule, Criterion, LatencyForm, LatencyLimit, MetricPlan, Relative, Rule, SlowRequests,
    ThresholdRule,
};

use crate::document::{
    Bake, BlastRadius, Dependency, HoldLimit, OnInconclusive, OverridePolicy, Points, Position, ProbeRequirement, Step,
};
use crate::{Duration, Instant};

/// The policy of one environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// By rising weight.
    pub(crate) steps: Vec<Step>,
    pub(crate) bake: Option<Bake>,
    pub(crate) health: Option<HealthPlan>,
    pub(crate) probes: Vec<ProbeRequirement>,
    pub(crate) hold_limit: Option<HoldLimit>,
    pub(crate) overrides: Option<OverridePolicy>,
    pub(crate) requires: Vec<Dependency>,
    pub(crate) blast_radius: Option<BlastRadius>,
}

/// How health is judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthPlan {
    pub(crate) grid: Grid,
    pub(crate) horizon: Duration,
    pub(crate) on_inconclusive: OnInconclusive,
    pub(crate) pass_score: Points,
    pub(crate) fail_score: Points,
    /// Flagger's threshold, when Flagger judges.
    pub(crate) flagger_threshold: Option<u64>,
    /// By name; at least one.
    pub(crate) metrics: Vec<MetricPlan>,
    pub(crate) position: Position,
}

/// The intervals that are judged: whole multiples of `every`, from the end of the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    every: Duration,
    settle: Duration,
    warm_up: Duration,
}

impl Grid {
    pub(crate) fn every(self) -> Duration {
        self.every
    }

    pub(crate) fn settle(self) -> Duration {
        self.settle
    }

    pub(crate) fn warm_up(self) -> Duration {
        self.warm_up
    }

    /// The number of the interval that covers exactly `start` to `end`, if it is one of the grid.
    pub(crate) fn slot(self, start: Instant, end: Instant) -> Option<u64> {
        let aligned = start.millis().is_multiple_of(self.every.millis()) && end == start.plus(self.every);
        aligned.then(|| start.millis() / self.every.millis())
    }

    /// Where an interval begins.
    pub(crate) fn start_of(self, slot: u64) -> Instant {
        Instant::EPOCH.plus(self.every.times(slot))
    }

    /// When an interval's counts are final.
    pub(crate) fn closes(self, slot: u64) -> Instant {
        self.start_of(slot).plus(self.every).plus(self.settle)
    }

    /// The first interval that is judged.
    pub(crate) fn first_judged(self, started: Instant) -> u64 {
        started.plus(self.warm_up).millis().div_ceil(self.every.millis())
    }

    /// The newest interval that is closed at `now`.
    pub(crate) fn newest_closed(self, now: Instant) -> Option<u64> {
        let settled = now.millis().checked_sub(self.settle.millis())?;
        (settled / self.every.millis()).checked_sub(1)
    }
}
