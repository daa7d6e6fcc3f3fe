//! Folding intervals into the state: each once, whole, in time order.

use serde::{Deserialize, Serialize};

use super::evidence::{Beside, Evidence};
use super::kayenta::Kayenta;
use super::reading::{Judged, Nothing, Sides, canary_requests, judge};
use super::slots::{ShortDigest, Slots};
use super::tally::{Mark, Phase, Tally, flagger_check_fails};
use crate::policy::{HealthPlan, Rule};
use crate::snapshot::{Cohort, Interval, Missing, NoiseHistory, Observation, Snapshot};
use crate::stats::Level;
use crate::{Count, Digest, Instant};

/// What the intervals of a release have added up to. It can be had again from them, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Folded {
    /// The judged intervals.
    slots: Slots,
    /// The chain of the full digests.
    pub(crate) chain: Digest,
    /// Requests of the canary; where several metrics count them, the most.
    pub(crate) requests: Count,
    /// One per metric of the policy, by name.
    pub(crate) tallies: Vec<Tally>,
    /// Flagger's counter over all metrics.
    pub(crate) flagger: Flagger,
    /// What was proved, when evidence judges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<Evidence>,
    /// What was compared, when Kayenta judges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kayenta: Option<Kayenta>,
}

/// What judges gathered, in the digest of a state.
#[derive(Serialize)]
#[serde(untagged)]
enum Judges<'a> {
    Without(&'a Option<Evidence>),
    With(&'a Option<Evidence>, &'a Kayenta),
}

/// Flagger's state: `failedChecks`, which no good check resets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Flagger {
    pub(crate) failed_checks: Count,
    pub(crate) latest_failed: bool,
    /// Whether a check came after the threshold was reached.
    pub(crate) rolled_back: bool,
}

/// What was wrong with the intervals of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Irregular {
    pub(crate) conflicts: Repeated,
    pub(crate) late: Repeated,
    pub(crate) off_grid: Option<(Instant, Instant)>,
}

/// How often, and where first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repeated {
    pub(crate) first: Option<Instant>,
    pub(crate) intervals: Count,
}

impl Repeated {
    fn note(&mut self, start: Instant) {
        self.first = Some(self.first.map_or(start, |first| first.min(start)));
        self.intervals = self.intervals.saturating_add(Count::from(1));
    }
}

impl Folded {
    /// Nothing folded yet.
    pub(crate) fn new(plan: Option<&HealthPlan>) -> Self {
        Self {
            slots: Slots::default(),
            chain: Digest::of(b"davy interval chain 1"),
            requests: Count::ZERO,
            tallies: vec![Tally::default(); plan.map_or(0, |plan| plan.metrics.len())],
            flagger: Flagger::default(),
            evidence: plan.filter(|plan| plan.evidence.is_some()).map(Evidence::new),
            kayenta: plan.filter(|plan| plan.kayenta.is_some()).map(Kayenta::new),
        }
    }

    /// Whether it was folded from metrics like these: a state from elsewhere may hold anything.
    pub(crate) fn fits(&self, plan: Option<&HealthPlan>) -> bool {
        let evidence = match (plan.filter(|plan| plan.evidence.is_some()), &self.evidence) {
            (Some(plan), Some(evidence)) => evidence.fits(plan),
            (None, None) => true,
            _ => false,
        };
        let kayenta = match (plan.filter(|plan| plan.kayenta.is_some()), &self.kayenta) {
            (Some(plan), Some(kayenta)) => kayenta.fits(plan),
            (None, None) => true,
            _ => false,
        };
        evidence && kayenta && self.tallies.len() == plan.map_or(0, |plan| plan.metrics.len())
    }

    /// The number of the newest interval.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.slots.newest()
    }

    /// What stands for this in the digest of a state: everything, the intervals by their blocks.
    pub(crate) fn commitment(&self) -> impl Serialize + '_ {
        let judges = match &self.kayenta {
            None => Judges::Without(&self.evidence),
            Some(kayenta) => Judges::With(&self.evidence, kayenta),
        };
        (self.slots.commitment(), self.chain, self.requests, &self.tallies, self.flagger, judges)
    }

    /// Folds the intervals that are closed and new; the others change nothing.
    pub(crate) fn fold(&mut self, plan: &HealthPlan, snapshot: &Snapshot) -> Irregular {
        let (intervals, started, now) = (&snapshot.intervals, snapshot.release.started_at, snapshot.now);
        let beside = plan.evidence.as_ref().map(|evidence| Beside {
            starts: &snapshot.replica_starts,
            history: snapshot.noise_history.as_ref(),
            level: Level::of_attempt(evidence.false_aborts, snapshot.release.attempt),
        });
        if let (Some(evidence), Some(beside)) = (&mut self.evidence, beside) {
            evidence.begin_look(beside);
        }
        let mut irregular = Irregular::default();
        let mut order: Vec<&Interval> = Vec::new();
        // Hosts send intervals in time order; sorting is for those that do not.
        let sorted = intervals.is_sorted_by(|a, b| (a.start(), a.digest()) <= (b.start(), b.digest()));
        if !sorted {
            order = intervals.iter().collect();
            order.sort_by_key(|interval| (interval.start(), interval.digest()));
        }
        let in_order: &mut dyn Iterator<Item = &Interval> =
            if sorted { &mut intervals.iter() } else { &mut order.into_iter() };
        let first_judged = plan.grid.first_judged(started);
        for interval in in_order {
            let Some(slot) = plan.grid.slot(interval.start(), interval.end()) else {
                irregular.off_grid.get_or_insert((interval.start(), interval.end()));
                continue;
            };
            if slot < first_judged || plan.grid.closes(slot) > now {
                continue;
            }
            let digest = ShortDigest::of(interval.digest());
            if self.newest().is_some_and(|newest| slot <= newest) {
                match self.slots.get(slot) {
                    Some(known) if known == digest => {}
                    Some(_) => irregular.conflicts.note(interval.start()),
                    None => irregular.late.note(interval.start()),
                }
                continue;
            }
            let expected = self.newest().map_or(first_judged, |newest| newest.saturating_add(1));
            self.fold_gap(plan, expected, slot);
            self.fold_one(plan, slot, interval.observations(), beside);
            self.slots.push(slot, digest);
            self.chain = self.chain.chain(interval.digest());
        }
        if let (Some(evidence), Some(of), Some(beside)) = (&mut self.evidence, &plan.evidence, beside) {
            evidence.end_look(plan, of, beside);
        }
        irregular
    }

    /// Intervals that never came count as missing data, before the one that did.
    fn fold_gap(&mut self, plan: &HealthPlan, from: u64, to: u64) {
        let length = to.saturating_sub(from);
        if length == 0 {
            return;
        }
        let times = Count::new(length).unwrap_or(Count::MAX);
        if let Some(evidence) = &mut self.evidence {
            evidence.miss(plan, length);
        }
        let missing = Nothing::Missing { cohort: Cohort::Canary, missing: Missing::NoData };
        let mark = Mark { slot: to.saturating_sub(1), judged: Judged::Nothing(missing) };
        if let Some(threshold) = plan.flagger_threshold {
            self.flagger.check(threshold, true, times);
        }
        if let (Some(kayenta), Some(of)) = (&mut self.kayenta, &plan.kayenta) {
            kayenta.skip(plan, of, from, to);
        }
        if self.argo_stopped(plan) {
            return;
        }
        for (tally, metric) in self.tallies.iter_mut().zip(&plan.metrics) {
            tally.count(metric, mark, times);
        }
    }

    fn fold_one(&mut self, plan: &HealthPlan, slot: u64, observations: &[Observation], beside: Option<Beside<'_>>) {
        let begun = match (&mut self.evidence, &plan.evidence, beside) {
            (Some(evidence), Some(of), Some(beside)) => {
                Some((of, beside, evidence.begin(plan, of, slot, observations, beside)))
            }
            _ => None,
        };
        let stopped = self.argo_stopped(plan);
        let mut check_failed = false;
        let mut requests = Count::ZERO;
        let mut rest = observations;
        for (index, (tally, metric)) in self.tallies.iter_mut().zip(&plan.metrics).enumerate() {
            // Observations and metrics are both sorted by name, and mostly name the same.
            let is_own = |observation: &Observation| observation.metric == metric.name;
            if !rest.first().is_some_and(is_own) {
                let from = rest.iter().position(|observation| observation.metric >= metric.name).unwrap_or(rest.len());
                rest = rest.get(from..).unwrap_or_default();
            }
            let until = rest.iter().position(|observation| !is_own(observation)).unwrap_or(rest.len());
            let (own, after) = rest.split_at_checked(until).unwrap_or_default();
            rest = after;
            let canaries =
                own.iter().position(|observation| observation.cohort == Cohort::Baseline).unwrap_or(own.len());
            let (canary, baseline) = own.split_at_checked(canaries).unwrap_or_default();
            let sides = Sides { canary, baseline };
            requests = requests.max(canary_requests(sides));
            if let (Some(evidence), Some((of, beside, begun))) = (&mut self.evidence, &begun) {
                evidence.fold(of, index, metric, sides, begun, *beside);
            }
            if let Some(kayenta) = &mut self.kayenta {
                kayenta.take(index, metric, sides);
            }
            if stopped {
                continue;
            }
            let judged = judge(metric, sides);
            check_failed |=
                metric.rule == Rule::Flagger && !metric.dry_run && flagger_check_fails(&metric.criterion, judged);
            tally.count(metric, Mark { slot, judged }, Count::from(1));
        }
        if let Some(threshold) = plan.flagger_threshold {
            self.flagger.check(threshold, check_failed, Count::from(1));
        }
        if let (Some(evidence), Some((of, beside, _))) = (&mut self.evidence, &begun) {
            evidence.close(plan, of, slot, *beside);
        }
        if let (Some(kayenta), Some(of)) = (&mut self.kayenta, &plan.kayenta) {
            kayenta.close(plan, of, slot);
        }
        self.requests = self.requests.saturating_add(requests);
    }

    /// Adds what the newest interval showed of the noise; the evidence by which rollouts are ranked.
    pub(crate) fn teach(&self, plan: &HealthPlan, history: &mut NoiseHistory) -> Option<f64> {
        let (evidence, of) = (self.evidence.as_ref()?, plan.evidence.as_ref()?);
        evidence.teach(plan, history);
        Some(evidence.rank(plan, of))
    }

    /// Argo stops measuring once a metric that counts has ended badly.
    pub(crate) fn argo_stopped(&self, plan: &HealthPlan) -> bool {
        self.tallies.iter().zip(&plan.metrics).any(|(tally, metric)| {
            let ended_badly = tally.ended.is_some_and(|ended| ended.phase != Phase::Successful);
            ended_badly && !metric.dry_run && matches!(metric.rule, Rule::Argo(_))
        })
    }
}

impl Flagger {
    /// One tick, or several equal ones: rolls back at the tick *after* the threshold was reached.
    fn check(&mut self, threshold: u64, fails: bool, times: Count) {
        if self.rolled_back {
            return;
        }
        let missing = threshold.saturating_sub(self.failed_checks.get());
        let ticks = times.get();
        self.rolled_back = if fails { ticks > missing } else { missing == 0 };
        if fails {
            let counted = Count::new(ticks.min(missing)).unwrap_or(Count::MAX);
            self.failed_checks = self.failed_checks.saturating_add(counted);
        }
        self.latest_failed = fails;
    }
}
