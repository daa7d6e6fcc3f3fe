//! What one environment asks of a release: the documents, refined, checked and ready to be judged by.

mod breaches;
mod budget;
mod calendar;
mod compile;
mod criterion;
mod evidence;
mod fixed;
mod kayenta;
mod metric;
mod plugin;
mod query;
mod ramp;
mod schedule;
mod slo;

pub(crate) use breaches::{ArgoConditions, ArgoRule, Rule, ThresholdRule};
pub(crate) use budget::BudgetPlan;
pub(crate) use calendar::{CalendarDocuments, CalendarPlan, weekly_in};
pub use calendar::{Calendars, Concerns, PlannedWindow, Whom};
pub(crate) use compile::{Policies, compile};
pub(crate) use criterion::{Criterion, LatencyForm, LatencyLimit, Relative, SlowRequests};
pub(crate) use evidence::{BEYOND, EvidencePlan, Planned, Proof, beyond};
pub(crate) use fixed::FixedLooks;
pub(crate) use kayenta::KayentaPlan;
pub(crate) use metric::{Means, MetricPlan, expected};
pub(crate) use plugin::{InputPlan, PluginFiles, PluginPlan, pinned};
pub use query::Query;
pub(crate) use ramp::{Ramp, Traffic};
pub(crate) use schedule::{FURTHEST, Schedule, Stay};
pub use slo::{Budgeting, Sli, SloQuery};
pub(crate) use slo::{ObjectivePlan, SloPlan, compile_slos};

use crate::document::{
    Bake, BakeReference, BlastRadius, Dependency, Expected, HoldLimit, OnInconclusive, OverridePolicy, Points,
    Position, ProbeRequirement, Step,
};
use crate::rule::RulePlan;
use crate::{Duration, Instant, Stage};

/// The policy of one environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// By rising weight.
    pub(crate) steps: Vec<Step>,
    pub(crate) bake: Option<Bake>,
    pub(crate) health: Option<HealthPlan>,
    pub(crate) probes: Vec<ProbeRequirement>,
    pub(crate) budget: Option<BudgetPlan>,
    pub(crate) calendar: Option<CalendarPlan>,
    pub(crate) hold_limit: Option<HoldLimit>,
    pub(crate) overrides: Option<OverridePolicy>,
    pub(crate) requires: Vec<Dependency>,
    pub(crate) blast_radius: Option<BlastRadius>,
    pub(crate) rules: Vec<RulePlan>,
}

impl Policy {
    /// Whether there is a baseline: in the live stage only replicas of the old revision that were kept are one.
    pub(crate) fn has_baseline(&self, stage: Stage) -> bool {
        stage == Stage::Canary || self.bakes_against(BakeReference::Retained)
    }

    /// Whether a metric does not count in this stage, because error budgets judge it instead of a baseline.
    pub(crate) fn leaves_out(&self, metric: &MetricPlan, stage: Stage) -> bool {
        stage == Stage::Live && metric.is_relative() && self.bakes_against(BakeReference::Slo)
    }

    fn bakes_against(&self, reference: BakeReference) -> bool {
        let against = self.bake.as_ref().and_then(|bake| bake.against.as_ref());
        against.is_some_and(|against| against.value == reference)
    }
}

/// How health is judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthPlan {
    pub(crate) grid: Grid,
    pub(crate) horizon: Duration,
    pub(crate) on_inconclusive: OnInconclusive,
    pub(crate) pass_score: Points,
    pub(crate) fail_score: Points,
    /// When evidence judges, or watches beside another judge.
    pub(crate) evidence: Option<EvidencePlan>,
    /// When Kayenta judges.
    pub(crate) kayenta: Option<KayentaPlan>,
    /// Flagger's threshold, when Flagger judges.
    pub(crate) flagger_threshold: Option<u64>,
    /// By name; at least one.
    pub(crate) metrics: Vec<MetricPlan>,
    /// What traffic is expected.
    pub(crate) expected: Option<Expected>,
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
