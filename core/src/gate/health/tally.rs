//! How judged intervals become a state of a metric: davy's own counting, Argo's and Flagger's.

use serde::{Deserialize, Serialize};

use super::reading::{Judged, Nothing, Place};
use crate::Count;
use crate::document::NoData;
use crate::policy::{ArgoConditions, ArgoRule, Criterion, MetricPlan, Rule, ThresholdRule};
use crate::snapshot::Missing;

/// What a metric's intervals have added up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tally {
    pub(crate) passed: Count,
    pub(crate) failed: Count,
    pub(crate) inconclusive: Count,
    /// Bad intervals in a row.
    pub(crate) bad_run: Count,
    /// Intervals in a row that counted as failed.
    pub(crate) failed_run: Count,
    /// Argo: errors, or successes, in a row.
    pub(crate) error_run: Count,
    pub(crate) success_run: Count,
    /// The newest interval.
    pub(crate) latest: Option<Mark>,
    /// The interval that decided the metric for good.
    pub(crate) ended: Option<Ended>,
}

/// An interval and what it said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Mark {
    pub(crate) slot: u64,
    pub(crate) judged: Judged,
}

/// How a metric was decided for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ended {
    pub(crate) phase: Phase,
    pub(crate) mark: Mark,
}

/// The final states of a metric; the names are Argo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    Successful,
    Failed,
    Error,
    Inconclusive,
    /// Failed because every measurement was taken without enough successes in a row.
    Unsuccessful,
}

impl Tally {
    /// Counts `times` equal intervals, the last of which is `mark`. More than one only for a gap.
    pub(crate) fn count(&mut self, plan: &MetricPlan, mark: Mark, times: Count) {
        if self.ended.is_none() {
            let phase = match plan.rule {
                Rule::Threshold(rule) => self.count_by_threshold(rule, plan.no_data, mark.judged, times),
                Rule::Argo(rule) => self.count_by_argo(rule, &plan.criterion, mark.judged, times),
                // Flagger counts checks over all metrics.
                Rule::Flagger => None,
                // These look elsewhere, at many intervals together.
                Rule::Evidence | Rule::Kayenta(_) => None,
            };
            self.ended = phase.map(|phase| Ended { phase, mark });
        }
        self.latest = Some(mark);
    }

    fn count_by_threshold(
        &mut self,
        rule: ThresholdRule,
        no_data: NoData,
        judged: Judged,
        times: Count,
    ) -> Option<Phase> {
        match judged {
            Judged::Read { place: Place::Within, .. } => {
                self.passed = self.passed.saturating_add(times);
                (self.bad_run, self.failed_run) = (Count::ZERO, Count::ZERO);
                return None;
            }
            // Neither extends a run of bad intervals nor breaks it: a gap washes nothing away.
            Judged::Read { place: Place::Between, .. } => {
                self.inconclusive = self.inconclusive.saturating_add(times);
                return None;
            }
            Judged::Nothing(Nothing::Missing { missing, .. })
                if no_data == NoData::Fail && missing != Missing::NoAnswer => {}
            Judged::Nothing(_) => return None,
            // What is worse than undecided must not count for less.
            Judged::Read { place: Place::Beyond, .. } => {
                self.inconclusive = self.inconclusive.saturating_add(times);
            }
        }
        let before = self.bad_run;
        self.bad_run = self.bad_run.saturating_add(times);
        // The first `patience − 1` intervals of a run do not count.
        let uncounted = before.get().max(rule.patience.saturating_sub(1));
        let counted = Count::new(self.bad_run.get().saturating_sub(uncounted)).unwrap_or(Count::MAX);
        self.failed = self.failed.saturating_add(counted);
        self.failed_run = self.failed_run.saturating_add(counted);
        let over = |count: Count, limit: Option<u64>| limit.is_some_and(|limit| count.get() > limit);
        (over(self.failed, rule.failure_limit) || over(self.failed_run, rule.consecutive_failure_limit))
            .then_some(Phase::Failed)
    }

    /// Argo Rollouts, `analysis/analysis.go`: later rules override earlier ones.
    fn count_by_argo(&mut self, rule: ArgoRule, criterion: &Criterion, judged: Judged, times: Count) -> Option<Phase> {
        let measured = argo_phase(rule.conditions, criterion, judged);
        if measured != Phase::Error {
            self.error_run = Count::ZERO;
        }
        if measured != Phase::Successful {
            self.success_run = Count::ZERO;
        }
        let counter = match measured {
            Phase::Successful => {
                self.success_run = self.success_run.saturating_add(times);
                &mut self.passed
            }
            Phase::Failed => &mut self.failed,
            Phase::Inconclusive => &mut self.inconclusive,
            Phase::Error | Phase::Unsuccessful => &mut self.error_run,
        };
        *counter = counter.saturating_add(times);
        if self.error_run > rule.consecutive_error_limit {
            return Some(Phase::Error);
        }
        if self.inconclusive > rule.inconclusive_limit {
            return Some(Phase::Inconclusive);
        }
        if rule.failure_limit.is_some_and(|limit| self.failed.get() > u64::from(limit)) {
            return Some(Phase::Failed);
        }
        let wanted = rule.consecutive_success_limit;
        if wanted > 0 && self.success_run.get() >= wanted {
            return Some(Phase::Successful);
        }
        let all_taken = rule.count.is_some_and(|count| self.measurements().get() >= count);
        all_taken.then_some(match (rule.failure_limit.is_some(), wanted > 0) {
            (true, true) => Phase::Inconclusive,
            (false, true) => Phase::Unsuccessful,
            (_, false) => Phase::Successful,
        })
    }

    /// Argo's `count`: errors are taken again and do not add to it.
    pub(crate) fn measurements(&self) -> Count {
        self.passed.saturating_add(self.failed).saturating_add(self.inconclusive)
    }
}

/// Argo Rollouts, `utils/evaluate/evaluate.go`: the phase of one measurement.
fn argo_phase(conditions: ArgoConditions, criterion: &Criterion, judged: Judged) -> Phase {
    match (value_as_compared(criterion, judged), conditions) {
        (Compared::At(Place::Within), _) => Phase::Successful,
        (Compared::At(Place::Between), ArgoConditions::Both) => Phase::Inconclusive,
        (Compared::At(Place::Between | Place::Beyond), _) => Phase::Failed,
        // Every comparison with NaN is false.
        (Compared::Nan, ArgoConditions::Success) => Phase::Failed,
        (Compared::Nan, ArgoConditions::Failure) => Phase::Successful,
        (Compared::Nan, ArgoConditions::Both) => Phase::Inconclusive,
        // `result[0]` of an empty vector.
        (Compared::Nothing, _) => Phase::Error,
    }
}

/// Flagger, `scheduler_metrics.go` with the Prometheus provider: no value and NaN fail the check.
pub(crate) fn flagger_check_fails(criterion: &Criterion, judged: Judged) -> bool {
    value_as_compared(criterion, judged) != Compared::At(Place::Within)
}

/// A value as a peer's comparison sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    At(Place),
    Nan,
    Nothing,
}

fn value_as_compared(criterion: &Criterion, judged: Judged) -> Compared {
    match judged {
        Judged::Read { place, .. } => Compared::At(place),
        // 0/0 is NaN in PromQL.
        Judged::Nothing(Nothing::NoTraffic { .. } | Nothing::Missing { missing: Missing::Nan, .. }) => Compared::Nan,
        Judged::Nothing(Nothing::Missing { missing: Missing::PositiveInfinity, .. }) => {
            Compared::At(infinite(criterion, true))
        }
        Judged::Nothing(Nothing::Missing { missing: Missing::NegativeInfinity, .. }) => {
            Compared::At(infinite(criterion, false))
        }
        Judged::Nothing(_) => Compared::Nothing,
    }
}

fn infinite(criterion: &Criterion, positive: bool) -> Place {
    let bounded = match criterion {
        Criterion::Gauge { min, max, relative } => {
            if positive {
                max.is_some() || relative.is_some()
            } else {
                min.is_some()
            }
        }
        _ => positive,
    };
    if bounded { Place::Beyond } else { Place::Within }
}
