//! How judged intervals become a state of the metric: which breaches are counted, and how many are too many.

use super::metric::refuse;
use crate::Count;
use crate::document::decode::Report;
use crate::document::{ArgoCondition, ArgoSettings, DiagnosticCode as Code, Judge, KayentaMetric, Metric, Spanned};

/// How judged intervals become a state of the metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    Threshold(ThresholdRule),
    Argo(ArgoRule),
    Flagger,
    /// Evidence is gathered over all intervals; no single one decides.
    Evidence,
    /// The values of many intervals are compared at once.
    Kayenta(crate::kayenta::Rules),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThresholdRule {
    pub(crate) patience: u64,
    pub(crate) failure_limit: Option<u64>,
    pub(crate) consecutive_failure_limit: Option<u64>,
    pub(crate) inconclusive_limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArgoRule {
    pub(crate) count: Option<u64>,
    pub(crate) conditions: ArgoConditions,
    pub(crate) failure_limit: Option<u32>,
    pub(crate) inconclusive_limit: Count,
    pub(crate) consecutive_error_limit: Count,
    pub(crate) consecutive_success_limit: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgoConditions {
    Success,
    Failure,
    Both,
}

/// As the judge counts them.
pub(super) fn rule(metric: &Metric, judge: Judge, report: &mut Report) -> Option<Rule> {
    let counters = [
        ("patience", &metric.patience),
        ("failureLimit", &metric.failure_limit),
        ("consecutiveFailureLimit", &metric.consecutive_failure_limit),
        ("inconclusiveLimit", &metric.inconclusive_limit),
    ];
    let get = |field: &Option<Spanned<Count>>| field.as_ref().map(|spanned| spanned.value.get());
    if matches!(judge, Judge::Argo | Judge::Flagger | Judge::Kayenta) {
        for (key, field) in counters {
            if let Some(spanned) = field {
                let hint = format!("`judge: {judge}` counts in its own way");
                report.error(Code::Unused, &spanned.position, format!("`{key}` is not used here"), hint);
            }
        }
    }
    if matches!(judge, Judge::Argo | Judge::Flagger) {
        refuse(
            metric,
            &["minRequests", "noData", "critical", "importance"],
            "the peer has no such setting, and its semantics are kept exactly",
            report,
        );
    }
    if judge != Judge::Kayenta {
        refuse(metric, &["kayenta"], "only `judge: kayenta` reads it", report);
    }
    match judge {
        Judge::Argo => Some(Rule::Argo(argo_rule(metric, report))),
        Judge::Flagger => {
            refuse(
                metric,
                &["argo", "tolerate", "unacceptable"],
                "Flagger has no such setting, and its semantics are kept exactly",
                report,
            );
            Some(Rule::Flagger)
        }
        Judge::Kayenta => {
            refuse(metric, &["argo"], "only `judge: argo` reads it", report);
            let blank = KayentaMetric::at(&metric.position);
            let own = metric.kayenta.as_ref().map_or(&blank, |own| &own.value);
            Some(Rule::Kayenta(own.rules(metric.critical())))
        }
        Judge::Evidence | Judge::GroupSequential | Judge::Threshold => {
            refuse(metric, &["argo"], "only `judge: argo` reads it", report);
            let patience = metric.patience();
            if patience == Count::ZERO {
                let position = metric.patience.as_ref().map_or(&metric.position, |spanned| &spanned.position);
                report.error(
                    Code::Range,
                    position,
                    "`patience` is at least 1",
                    "1 counts every bad interval".to_owned(),
                );
            }
            let consecutive_failure_limit = get(&metric.consecutive_failure_limit);
            let default_limit = if consecutive_failure_limit.is_some() { None } else { Some(0) };
            Some(Rule::Threshold(ThresholdRule {
                patience: patience.get(),
                failure_limit: get(&metric.failure_limit).or(default_limit),
                consecutive_failure_limit,
                inconclusive_limit: get(&metric.inconclusive_limit),
            }))
        }
    }
}

/// What counts single intervals has no meaning where evidence is gathered over all of them.
pub(super) fn evidence_rule(metric: &Metric, report: &mut Report) -> Option<Rule> {
    let counters = [
        ("patience", &metric.patience),
        ("failureLimit", &metric.failure_limit),
        ("consecutiveFailureLimit", &metric.consecutive_failure_limit),
        ("inconclusiveLimit", &metric.inconclusive_limit),
    ];
    let hint = "`judge: evidence` looks at all intervals together";
    for (key, field) in counters {
        if let Some(spanned) = field {
            report.error(Code::Unused, &spanned.position, format!("`{key}` is not used here"), hint.to_owned());
        }
    }
    refuse(metric, &["argo", "kayenta", "critical", "noData"], hint, report);
    Some(Rule::Evidence)
}

fn argo_rule(metric: &Metric, report: &mut Report) -> ArgoRule {
    let none = ArgoSettings::at(&metric.position);
    let settings = metric.argo.as_ref().map_or(&none, |spanned| &spanned.value);
    let both = metric.tolerate.is_some();
    if let (true, Some(condition)) = (both, &settings.condition) {
        let hint = "`tolerate` is the success condition and `unacceptable` the failure condition".to_owned();
        report.error(Code::Unused, &condition.position, "`condition` is not used here", hint);
    }
    ArgoRule {
        count: settings.count.as_ref().map(|spanned| spanned.value.get()),
        conditions: match settings.condition() {
            _ if both => ArgoConditions::Both,
            ArgoCondition::Success => ArgoConditions::Success,
            ArgoCondition::Failure => ArgoConditions::Failure,
        },
        failure_limit: settings.failure_limit().0,
        inconclusive_limit: settings.inconclusive_limit(),
        consecutive_error_limit: settings.consecutive_error_limit(),
        consecutive_success_limit: settings.consecutive_success_limit().get(),
    }
}
