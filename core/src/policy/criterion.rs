//! Where the limits of a metric are: which of them a document may give, and how they are read.

use super::metric::refuse;
use super::query::Query;
use crate::document::decode::Report;
use crate::document::{DiagnosticCode as Code, Judge, Limit, Measures, Metric, Quantile, Spanned};
use crate::{Count, Factor, Share, Tolerance};

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
    /// Whatever is measured, as one value per interval; of a latency, at this quantile.
    Values { quantile: Quantile },
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
    /// The same at thresholds that the first judged traffic chooses.
    Slower { quantile: Quantile, relative: Relative },
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

impl Criterion {
    pub(super) fn is_relative(&self) -> bool {
        match self {
            Self::BadShare { relative, .. } | Self::Gauge { relative, .. } => relative.is_some(),
            Self::Latency { limit, .. } => !matches!(limit, LatencyLimit::Quantile { .. }),
            Self::Events { .. } => false,
            Self::Values { .. } => true,
        }
    }
}

/// Of a metric that a plugin measures.
pub(super) fn plugin_criterion(metric: &Metric, measures: Measures, report: &mut Report) -> Option<Criterion> {
    match measures {
        Measures::Counts => bad_share(metric, report),
        Measures::Value => gauge(metric, report),
        Measures::Comparison => {
            let hint = "a comparison has seen the baseline already: it takes `min` and `max`";
            refuse(metric, &["tolerate", "unacceptable"], hint, report);
            gauge(metric, report)
        }
    }
}

/// Of a metric that a source is asked for.
pub(super) fn criterion(metric: &Metric, query: &Query, judge: Judge, report: &mut Report) -> Option<Criterion> {
    if judge == Judge::Kayenta {
        refuse(
            metric,
            &["max", "min", "tolerate", "unacceptable", "slowerThan", "minRequests", "noData", "importance"],
            "`judge: kayenta` has no such setting, and its semantics are kept exactly",
            report,
        );
        let latency = matches!(query, Query::Histogram(_) | Query::Buckets(_));
        if let Some(quantile) = metric.quantile.as_ref().filter(|_| !latency) {
            let hint = "only a latency has quantiles".to_owned();
            report.error(Code::Unused, &quantile.position, "`quantile` is not used here", hint);
        }
        return Some(Criterion::Values { quantile: metric.quantile() });
    }
    match query {
        Query::Bad { .. } | Query::Probe(_) => bad_share(metric, report),
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
        Query::Histogram(_) => latency(metric, LatencyForm::Native, judge, report),
        Query::Buckets(_) => latency(metric, LatencyForm::Classic, judge, report),
        Query::Gauge(_) => gauge(metric, report),
        // No key of a metric says it: SLOs have limits of their own.
        Query::Slo(_) => None,
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

fn bad_share(metric: &Metric, report: &mut Report) -> Option<Criterion> {
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

fn gauge(metric: &Metric, report: &mut Report) -> Option<Criterion> {
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

fn latency(metric: &Metric, form: LatencyForm, judge: Judge, report: &mut Report) -> Option<Criterion> {
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
        (None, LatencyForm::Classic, None) if judge == Judge::Evidence => {
            LatencyLimit::Slower { quantile: metric.quantile(), relative: relative(metric, report)? }
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
