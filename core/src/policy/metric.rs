//! One metric, ready to be judged: what is observed, where its limits are, how breaches are counted.

use serde::Serialize;

use crate::document::decode::Report;
use crate::document::{
    ArgoCondition, ArgoSettings, DiagnosticCode as Code, Judge, Limit, Metric, NoData, Position, Quantile, Spanned,
};
use crate::{Count, Factor, Name, Share, Tolerance};

/// A metric of the policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricPlan {
    pub(crate) name: Name,
    pub(crate) position: Position,
    pub(crate) source: Option<Name>,
    pub(crate) query: Query,
    pub(crate) criterion: Criterion,
    pub(crate) min_requests: Count,
    pub(crate) importance: u32,
    pub(crate) critical: bool,
    pub(crate) dry_run: bool,
    pub(crate) no_data: NoData,
    pub(crate) rule: Rule,
}

/// What to ask a source, as the document wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Query {
    /// Counters of bad and of all events.
    Bad {
        /// The bad ones.
        bad: String,
        /// All of them.
        total: String,
    },
    /// Counters of good and of all events.
    Good {
        /// The good ones.
        good: String,
        /// All of them.
        total: String,
    },
    /// A native histogram in seconds.
    Histogram(String),
    /// Classic cumulative buckets in seconds.
    Buckets(String),
    /// A value that goes up and down.
    Gauge(String),
    /// Runs of a synthetic flow.
    Probe(Name),
    /// Events by name.
    Events(Name),
}

/// Where the limits of a metric are. Which observations it takes follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Criterion {
    /// Bad events of all events.
    BadShare { max: Option<Share>, relative: Option<Relative> },
    /// A quantile of latencies.
    Latency { form: LatencyForm, limit: LatencyLimit },
    /// A value that goes up and down.
    Gauge { min: Option<f64>, max: Option<f64>, relative: Option<Relative> },
    /// A number of events per interval.
    Events { max: Count },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LatencyForm {
    Classic,
    Native,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LatencyLimit {
    /// The quantile is at most so many seconds.
    Quantile { quantile: Quantile, max: f64 },
    /// The canary's quantile is at most so much later than the baseline's, in whole native buckets.
    Shift { quantile: Quantile, tolerate: Share, unacceptable: Share },
    /// The canary has at most so many times the baseline's share of slow requests.
    Slow(SlowRequests),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SlowRequests {
    /// A bucket boundary in seconds.
    pub(crate) above: f64,
    pub(crate) relative: Relative,
}

/// How many times the baseline's value is healthy, and how many times is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) tolerate: Factor,
    pub(crate) unacceptable: Factor,
}

/// How judged intervals become a state of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Threshold(ThresholdRule),
    Argo(ArgoRule),
    Flagger,
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

impl MetricPlan {
    /// Checks a metric against its judge; everything wrong with it is reported.
    pub(crate) fn compile(metric: &Metric, judge: Judge, report: &mut Report) -> Option<Self> {
        let before = report.diagnostics.len();
        let query = query(metric, report);
        let criterion = query.as_ref().and_then(|query| criterion(metric, query, report));
        let rule = rule(metric, judge, report);
        let name = metric.name.value.clone();
        if report.diagnostics.len() > before {
            return None;
        }
        Some(Self {
            name,
            position: metric.position.clone(),
            source: metric.from.as_ref().map(|from| from.value.clone()),
            query: query?,
            criterion: criterion?,
            min_requests: metric.min_requests(),
            importance: metric.importance().thousandths(),
            critical: metric.critical(),
            dry_run: metric.dry_run(),
            no_data: metric.no_data(),
            rule: rule?,
        })
    }

    /// Whether the canary is compared with the baseline.
    pub(crate) fn is_relative(&self) -> bool {
        match self.criterion {
            Criterion::BadShare { relative, .. } | Criterion::Gauge { relative, .. } => relative.is_some(),
            Criterion::Latency { limit, .. } => !matches!(limit, LatencyLimit::Quantile { .. }),
            Criterion::Events { .. } => false,
        }
    }

    /// Whether bad events are counted and compared one by one.
    pub(crate) fn counts_events(&self) -> bool {
        match self.criterion {
            Criterion::BadShare { .. } => true,
            Criterion::Latency { limit, .. } => matches!(limit, LatencyLimit::Slow(_)),
            Criterion::Gauge { .. } | Criterion::Events { .. } => false,
        }
    }
}

/// Exactly one way to measure.
fn query(metric: &Metric, report: &mut Report) -> Option<Query> {
    let text = |field: &Option<Spanned<String>>| field.as_ref().map(|spanned| spanned.value.clone());
    let mut ways = Vec::new();
    let total = text(&metric.total);
    for (key, counter) in [("bad", text(&metric.bad)), ("good", text(&metric.good))] {
        match (counter, &total) {
            (Some(bad), Some(total)) if key == "bad" => ways.push(Query::Bad { bad, total: total.clone() }),
            (Some(good), Some(total)) => ways.push(Query::Good { good, total: total.clone() }),
            (Some(_), None) => {
                let message = format!("`{key}` needs `total`");
                report.error(Code::Choice, &metric.position, message, "add the counter of all events".to_owned());
                return None;
            }
            (None, _) => {}
        }
    }
    let orphan = total.is_some() && ways.is_empty();
    ways.extend(text(&metric.histogram).map(Query::Histogram));
    ways.extend(text(&metric.buckets).map(Query::Buckets));
    ways.extend(text(&metric.gauge).map(Query::Gauge));
    ways.extend(metric.probe.as_ref().map(|probe| Query::Probe(probe.value.clone())));
    ways.extend(metric.events.as_ref().map(|events| Query::Events(events.value.clone())));
    if ways.len() == 1 && !orphan {
        return ways.pop();
    }
    let hint = "give exactly one of `bad` with `total`, `good` with `total`, `histogram`, `buckets`, `gauge`, `probe`, `events`";
    let message = format!("the metric `{}` is measured in {} ways", metric.name.value, ways.len());
    report.error(Code::Choice, &metric.position, message, hint.to_owned());
    None
}

fn criterion(metric: &Metric, query: &Query, report: &mut Report) -> Option<Criterion> {
    match query {
        Query::Bad { .. } | Query::Probe(_) => {
            refuse(
                metric,
                &["min", "quantile", "slowerThan"],
                "a share of bad events takes `max: 1%`, or `tolerate` and `unacceptable`",
                report,
            );
            let max = share_limit(&metric.max, report);
            let relative = relative(metric, report);
            some_limit(metric, max.is_some() || relative.is_some(), report)?;
            Some(Criterion::BadShare { max, relative })
        }
        Query::Good { .. } => {
            refuse(
                metric,
                &["max", "quantile", "slowerThan"],
                "a share of good events takes `min: 99%`, or `tolerate` and `unacceptable` on the bad ones",
                report,
            );
            let max = share_limit(&metric.min, report).map(Share::complement);
            let relative = relative(metric, report);
            some_limit(metric, max.is_some() || relative.is_some(), report)?;
            Some(Criterion::BadShare { max, relative })
        }
        Query::Histogram(_) => latency(metric, LatencyForm::Native, report),
        Query::Buckets(_) => latency(metric, LatencyForm::Classic, report),
        Query::Gauge(_) => {
            refuse(
                metric,
                &["quantile", "slowerThan", "minRequests"],
                "a gauge takes `min` and `max`, or `tolerate` and `unacceptable`",
                report,
            );
            let (min, max) = (number_limit(&metric.min, report), number_limit(&metric.max, report));
            let relative = relative(metric, report);
            some_limit(metric, min.is_some() || max.is_some() || relative.is_some(), report)?;
            if min.zip(max).is_some_and(|(min, max)| min > max) {
                let hint = "no value is both".to_owned();
                report.error(Code::Range, &metric.position, "`min` is larger than `max`", hint);
            }
            Some(Criterion::Gauge { min, max, relative })
        }
        Query::Events(_) => {
            refuse(
                metric,
                &["min", "tolerate", "unacceptable", "quantile", "slowerThan", "minRequests"],
                "events take `max`, a number per interval",
                report,
            );
            some_limit(metric, metric.max.is_some(), report)?;
            let limit = metric.max.as_ref()?;
            match limit.value {
                Limit::Number(number) if number >= 0.0 && number.fract() <= 0.0 && number <= 9e15 => {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a whole number in range, checked above"
                    )]
                    let max = Count::new(number as u64).ok()?;
                    Some(Criterion::Events { max })
                }
                _ => wrong_limit(limit, "a whole number of events", report),
            }
        }
    }
}

fn latency(metric: &Metric, form: LatencyForm, report: &mut Report) -> Option<Criterion> {
    refuse(metric, &["min"], "a latency takes `max: 300ms`, or `tolerate` and `unacceptable`", report);
    let max = metric.max.as_ref();
    let compared = metric.tolerate.is_some() || metric.unacceptable.is_some();
    some_limit(metric, max.is_some() || compared, report)?;
    if let (Some(max), true) = (max, compared) {
        let hint = "write two metrics on the same histogram".to_owned();
        report.error(Code::Choice, &max.position, "a latency has either `max` or `tolerate` with `unacceptable`", hint);
        return None;
    }
    let limit = match (max, form, &metric.slower_than) {
        (Some(limit), _, None) => match limit.value {
            Limit::Duration(max) if !max.is_zero() => {
                LatencyLimit::Quantile { quantile: metric.quantile(), max: max.as_secs_f64() }
            }
            _ => return wrong_limit(limit, "a duration such as `300ms`", report),
        },
        (None, LatencyForm::Classic, Some(slower_than)) => {
            refuse(metric, &["quantile"], "`slowerThan` already says which requests count", report);
            let relative = relative(metric, report)?;
            LatencyLimit::Slow(SlowRequests { above: slower_than.value.as_secs_f64(), relative })
        }
        (None, LatencyForm::Classic, None) => {
            let hint = "name a bucket boundary, such as `slowerThan: 300ms`".to_owned();
            report.error(Code::Choice, &metric.position, "comparing classic buckets needs `slowerThan`", hint);
            return None;
        }
        (None, LatencyForm::Native, None) => {
            let shift = |field: &Option<Spanned<Tolerance>>, report: &mut Report| match field {
                Some(Spanned { value: Tolerance::Shift(share), .. }) => Some(*share),
                Some(Spanned { position, .. }) => {
                    let hint = "a native histogram is shifted in time, such as `5%`".to_owned();
                    report.error(Code::BadValue, position, "expected a percentage here", hint);
                    None
                }
                None => None,
            };
            let (tolerate, unacceptable) = both_tolerances(metric, shift, report)?;
            LatencyLimit::Shift { quantile: metric.quantile(), tolerate, unacceptable }
        }
        (_, _, Some(slower_than)) => {
            let hint = "only `buckets` with `tolerate` and `unacceptable` use it".to_owned();
            report.error(Code::Unused, &slower_than.position, "`slowerThan` is not used here", hint);
            return None;
        }
    };
    Some(Criterion::Latency { form, limit })
}

fn relative(metric: &Metric, report: &mut Report) -> Option<Relative> {
    let factor = |field: &Option<Spanned<Tolerance>>, report: &mut Report| match field {
        Some(Spanned { value: Tolerance::Factor(factor), .. }) => Some(*factor),
        Some(Spanned { position, .. }) => {
            let hint = "a rate is compared by a factor, such as `1.1x`".to_owned();
            report.error(Code::BadValue, position, "expected a factor here", hint);
            None
        }
        None => None,
    };
    let (tolerate, unacceptable) = both_tolerances(metric, factor, report)?;
    Some(Relative { tolerate, unacceptable })
}

fn both_tolerances<T: PartialOrd>(
    metric: &Metric,
    read: impl Fn(&Option<Spanned<Tolerance>>, &mut Report) -> Option<T>,
    report: &mut Report,
) -> Option<(T, T)> {
    if metric.tolerate.is_some() != metric.unacceptable.is_some() {
        let hint = "`tolerate` is still healthy, `unacceptable` is a failure".to_owned();
        report.error(Code::Choice, &metric.position, "`tolerate` and `unacceptable` are given together", hint);
        return None;
    }
    let (tolerate, unacceptable) = (read(&metric.tolerate, report)?, read(&metric.unacceptable, report)?);
    if tolerate > unacceptable {
        let hint = "what is unacceptable is more than what is tolerated".to_owned();
        report.error(Code::Range, &metric.position, "`tolerate` is larger than `unacceptable`", hint);
        return None;
    }
    Some((tolerate, unacceptable))
}

fn share_limit(limit: &Option<Spanned<Limit>>, report: &mut Report) -> Option<Share> {
    let limit = limit.as_ref()?;
    match limit.value {
        Limit::Share(share) => Some(share),
        _ => wrong_limit(limit, "a percentage such as `1%`", report),
    }
}

fn number_limit(limit: &Option<Spanned<Limit>>, report: &mut Report) -> Option<f64> {
    let limit = limit.as_ref()?;
    match limit.value {
        Limit::Share(share) => Some(share.as_fraction()),
        Limit::Number(number) => Some(number),
        Limit::Duration(_) => wrong_limit(limit, "a number or a percentage", report),
    }
}

fn wrong_limit<T>(limit: &Spanned<Limit>, expected: &str, report: &mut Report) -> Option<T> {
    report.error(Code::BadValue, &limit.position, format!("expected {expected}, found `{}`", limit.value), None);
    None
}

fn some_limit(metric: &Metric, given: bool, report: &mut Report) -> Option<()> {
    if !given
        && metric.max.is_none()
        && metric.min.is_none()
        && metric.tolerate.is_none()
        && metric.unacceptable.is_none()
    {
        let message = format!("the metric `{}` has no limit", metric.name.value);
        report.error(
            Code::Choice,
            &metric.position,
            message,
            "say what is healthy: `max`, `min`, or `tolerate` with `unacceptable`".to_owned(),
        );
    }
    given.then_some(())
}

/// Reports keys that are given although nothing would read them.
fn refuse(metric: &Metric, keys: &[&str], hint: &str, report: &mut Report) {
    let given: [(&str, Option<&Position>); 11] = [
        ("max", metric.max.as_ref().map(|s| &s.position)),
        ("min", metric.min.as_ref().map(|s| &s.position)),
        ("tolerate", metric.tolerate.as_ref().map(|s| &s.position)),
        ("unacceptable", metric.unacceptable.as_ref().map(|s| &s.position)),
        ("quantile", metric.quantile.as_ref().map(|s| &s.position)),
        ("slowerThan", metric.slower_than.as_ref().map(|s| &s.position)),
        ("minRequests", metric.min_requests.as_ref().map(|s| &s.position)),
        ("noData", metric.no_data.as_ref().map(|s| &s.position)),
        ("argo", metric.argo.as_ref().map(|s| &s.position)),
        ("critical", metric.critical.as_ref().map(|s| &s.position)),
        ("importance", metric.importance.as_ref().map(|s| &s.position)),
    ];
    for (key, position) in given {
        if let (true, Some(position)) = (keys.contains(&key), position) {
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint.to_owned());
        }
    }
}

fn rule(metric: &Metric, judge: Judge, report: &mut Report) -> Option<Rule> {
    let counters = [
        ("patience", &metric.patience),
        ("failureLimit", &metric.failure_limit),
        ("consecutiveFailureLimit", &metric.consecutive_failure_limit),
        ("inconclusiveLimit", &metric.inconclusive_limit),
    ];
    let get = |field: &Option<Spanned<Count>>| field.as_ref().map(|spanned| spanned.value.get());
    if matches!(judge, Judge::Argo | Judge::Flagger) {
        for (key, field) in counters {
            if let Some(spanned) = field {
                let hint = format!("`judge: {judge}` counts in its own way");
                report.error(Code::Unused, &spanned.position, format!("`{key}` is not used here"), hint);
            }
        }
        refuse(
            metric,
            &["minRequests", "noData", "critical", "importance"],
            "the peer has no such setting, and its semantics are kept exactly",
            report,
        );
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
        Judge::Evidence | Judge::Threshold | Judge::Kayenta => {
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
