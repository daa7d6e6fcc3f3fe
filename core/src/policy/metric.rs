//! One metric, ready to be judged: what is observed, where its limits are, how breaches are counted.

use super::breaches::{Rule, evidence_rule, rule};
use super::criterion::{Criterion, LatencyLimit, criterion, plugin_criterion};
use super::evidence::{Planned, Proof};
use super::plugin::{PluginFiles, PluginPlan};
use super::query::{Query, Ways};
use crate::document::decode::Report;
use crate::document::{DiagnosticCode as Code, Expected, Judge, Metric, NoData, Position, Spanned};
use crate::{Count, Duration, Name};

/// A metric of the policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricPlan {
    pub(crate) name: Name,
    pub(crate) position: Position,
    pub(crate) source: Option<Name>,
    pub(crate) means: Means,
    pub(crate) criterion: Criterion,
    pub(crate) min_requests: Count,
    pub(crate) importance: u32,
    pub(crate) critical: bool,
    pub(crate) dry_run: bool,
    pub(crate) no_data: NoData,
    pub(crate) rule: Rule,
    /// What is proved of it under `judge: evidence`; nothing for what is judged by its limits.
    pub(crate) proofs: Vec<Proof>,
    /// What traffic is expected of it, where that is not the service's.
    pub(crate) expected: Option<Expected>,
    /// Whether it has another judge than the others, beside which it is only shown.
    pub(crate) beside: bool,
}

/// By what a metric is measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Means {
    /// A source answers.
    Query(Query),
    /// A plugin computes it from what sources answer.
    Plugin(Box<PluginPlan>),
}

impl Means {
    /// Whether what one measures is what the other would.
    pub(crate) fn asks_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plugin(own), Self::Plugin(other)) => own.asks_the_same(other),
            (own, other) => own == other,
        }
    }
}

impl MetricPlan {
    /// Checks a metric against its judge; everything wrong with it is reported.
    pub(crate) fn compile(
        metric: &Metric,
        judge: Judge,
        planned: Planned,
        files: &PluginFiles,
        report: &mut Report,
    ) -> Option<Self> {
        let before = report.diagnostics.len();
        let beside = metric.judge.is_some();
        check_beside(metric, judge, report);
        let judge = if beside { Judge::Evidence } else { judge };
        let means = match &metric.plugin {
            Some(plugin) if Ways::of_metric(metric).is_nothing() => {
                if matches!(judge, Judge::Argo | Judge::Flagger | Judge::Kayenta) {
                    let hint = "the peer has no such metric, and its semantics are kept exactly".to_owned();
                    report.error(Code::Unused, &plugin.position, "`plugin` is not used here", hint);
                }
                let hint = "what is missing holds; `onFault` says what a fault of the plugin means";
                refuse(metric, &["noData"], hint, report);
                PluginPlan::compile(metric, &plugin.value, files, report).map(|plan| Means::Plugin(Box::new(plan)))
            }
            _ => Ways::of_metric(metric).query(report).map(Means::Query),
        };
        let criterion = means.as_ref().and_then(|means| match means {
            Means::Query(query) => criterion(metric, query, judge, report),
            Means::Plugin(plan) => plugin_criterion(metric, plan.measures, report),
        });
        let gathers = |criterion: &&Criterion| match judge {
            Judge::Evidence => true,
            // What is not compared is judged by its limits.
            Judge::GroupSequential => criterion.is_relative(),
            _ => false,
        };
        let proofs = match criterion.as_ref().filter(gathers) {
            Some(criterion) => Proof::compile(criterion, planned, &metric.position, report),
            None => Vec::new(),
        };
        let rule = if proofs.is_empty() { rule(metric, judge, report) } else { evidence_rule(metric, report) };
        let expected = expected(metric.expect.as_ref(), report);
        let name = metric.name.value.clone();
        if report.diagnostics.len() > before {
            return None;
        }
        Some(Self {
            name,
            position: metric.position.clone(),
            source: metric.from.as_ref().map(|from| from.value.clone()),
            means: means?,
            criterion: criterion?,
            min_requests: metric.min_requests(),
            importance: metric.importance().thousandths(),
            critical: metric.critical(),
            dry_run: metric.dry_run(),
            no_data: metric.no_data(),
            rule: rule?,
            proofs,
            expected,
            beside,
        })
    }

    /// Whether the canary is compared with the baseline.
    pub(crate) fn is_relative(&self) -> bool {
        self.criterion.is_relative()
    }

    /// The plugin that measures it.
    pub(crate) fn plugin(&self) -> Option<&PluginPlan> {
        match &self.means {
            Means::Plugin(plan) => Some(plan),
            Means::Query(_) => None,
        }
    }

    /// Whether it takes part in the evidence.
    pub(crate) fn gathers_evidence(&self) -> bool {
        !self.proofs.is_empty() && (self.beside || !self.dry_run)
    }

    /// Whether bad events are counted and compared one by one.
    pub(crate) fn counts_events(&self) -> bool {
        match self.criterion {
            Criterion::BadShare { .. } => true,
            Criterion::Latency { limit, .. } => matches!(limit, LatencyLimit::Slow(_)),
            Criterion::Gauge { .. } | Criterion::Events { .. } | Criterion::Values { .. } => false,
        }
    }
}

/// Of more replicas no plan speaks.
const MOST_REPLICAS: u64 = 100_000;

/// What traffic is expected, checked; no decision depends on it.
pub(crate) fn expected(expected: Option<&Spanned<Expected>>, report: &mut Report) -> Option<Expected> {
    let Spanned { value, position } = expected?;
    if value.schema() > Count::from(8) {
        report.error(Code::Range, position, "`schema` is from 0 to 8", None);
    }
    if value.replicas.as_ref().is_some_and(|replicas| !(1..=MOST_REPLICAS).contains(&replicas.value.get())) {
        report.error(Code::Range, position, format!("`replicas` is from 1 to {MOST_REPLICAS}"), None);
    }
    let latencies: Vec<Duration> =
        [&value.p50, &value.p90, &value.p99].into_iter().flatten().map(|it| it.value).collect();
    if latencies.first().is_some_and(|least| least.is_zero()) || !latencies.is_sorted_by(|a, b| a < b) {
        report.error(Code::Range, position, "the latencies do not rise from `p50` to `p99`, above 0", None);
    }
    Some(value.clone())
}

/// Two judges must not both decide.
fn check_beside(metric: &Metric, judge: Judge, report: &mut Report) {
    let Some(beside) = &metric.judge else { return };
    if matches!(judge, Judge::Evidence | Judge::GroupSequential) {
        let hint = "leave it out: the whole policy is judged so".to_owned();
        report.error(Code::Unused, &beside.position, "`judge` is not used here", hint);
    } else if !metric.dry_run() {
        let hint = "add `dryRun: true`: it is shown beside what decides".to_owned();
        report.error(Code::Choice, &beside.position, "a metric with a judge of its own cannot count", hint);
    }
}

/// Reports keys that are given although nothing would read them.
pub(super) fn refuse(metric: &Metric, keys: &[&str], hint: &str, report: &mut Report) {
    let given: [(&str, Option<&Position>); 12] = [
        ("max", metric.max.as_ref().map(|s| &s.position)),
        ("min", metric.min.as_ref().map(|s| &s.position)),
        ("tolerate", metric.tolerate.as_ref().map(|s| &s.position)),
        ("unacceptable", metric.unacceptable.as_ref().map(|s| &s.position)),
        ("quantile", metric.quantile.as_ref().map(|s| &s.position)),
        ("slowerThan", metric.slower_than.as_ref().map(|s| &s.position)),
        ("minRequests", metric.min_requests.as_ref().map(|s| &s.position)),
        ("noData", metric.no_data.as_ref().map(|s| &s.position)),
        ("argo", metric.argo.as_ref().map(|s| &s.position)),
        ("kayenta", metric.kayenta.as_ref().map(|s| &s.position)),
        ("critical", metric.critical.as_ref().map(|s| &s.position)),
        ("importance", metric.importance.as_ref().map(|s| &s.position)),
    ];
    for (key, position) in given {
        if let (true, Some(position)) = (keys.contains(&key), position) {
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint.to_owned());
        }
    }
}
