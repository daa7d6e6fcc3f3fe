//! An indicator as PromQL: what is counted, and what of it is good or bad.

use davy::document::Operator;
use davy::slo::Mode;
use davy::{Duration, Sli};

use super::raw::Measure;
use crate::promql::{Expression, Matcher, Selector, TextError};

/// An indicator whose texts are known to be PromQL.
pub(super) enum Indicator {
    /// Two counters, or two numbers of events per sample.
    Events { part: Selector, total: Selector, counter: bool, good: bool },
    /// A ratio per sample.
    Ratio { value: Value, good: bool },
    /// A value per sample, good where the comparison holds.
    Threshold { value: Value, op: Operator, limit: f64 },
}

/// Where one value comes from.
pub(super) enum Value {
    /// A series as it is.
    Raw(Selector),
    /// An expression, evaluated every so often.
    Computed(Expression),
}

/// What raw samples an indicator needs, and what becomes of them.
pub(super) struct RawNeeds<'a> {
    pub(super) part: Option<&'a Selector>,
    pub(super) total: &'a Selector,
    pub(super) measure: Measure,
}

impl Indicator {
    pub(super) fn new(sli: &Sli, matchers: &[Matcher]) -> Result<Self, TextError> {
        let selector = |text: &str| Selector::raw(text, matchers);
        let value = |text: &str| match selector(text) {
            Ok(selector) => Ok(Value::Raw(selector)),
            Err(TextError::NotRaw { .. }) => Expression::narrowed(text, matchers).map(Value::Computed),
            Err(error) => Err(error),
        };
        Ok(match sli {
            Sli::Bad { bad, total, counter } => {
                Self::Events { part: selector(bad)?, total: selector(total)?, counter: *counter, good: false }
            }
            Sli::Good { good, total, counter } => {
                Self::Events { part: selector(good)?, total: selector(total)?, counter: *counter, good: true }
            }
            Sli::Raw { ratio, of_good } => Self::Ratio { value: value(ratio)?, good: *of_good },
            Sli::Threshold { value: text, op, limit } => {
                Self::Threshold { value: value(text)?, op: *op, limit: *limit }
            }
        })
    }

    /// Whether the part that is counted is good.
    pub(super) fn part_is_good(&self) -> bool {
        match self {
            Self::Events { good, .. } | Self::Ratio { good, .. } => *good,
            Self::Threshold { .. } => true,
        }
    }

    /// The raw samples that it needs, unless it is computed by the server.
    pub(super) fn raw(&self, mode: Mode) -> Option<RawNeeds<'_>> {
        let (part, total, measure) = match self {
            Self::Events { part, total, counter: true, .. } => (Some(part), total, Measure::Counters(mode)),
            Self::Events { part, total, counter: false, .. } => (Some(part), total, Measure::Numbers),
            Self::Ratio { value: Value::Raw(total), .. } => (None, total, Measure::Ratios),
            Self::Threshold { value: Value::Raw(total), op, limit } => {
                (None, total, Measure::Threshold { op: *op, limit: *limit })
            }
            Self::Ratio { value: Value::Computed(_), .. } | Self::Threshold { value: Value::Computed(_), .. } => {
                return None;
            }
        };
        Some(RawNeeds { part, total, measure })
    }

    /// Part and whole of a window, as the server computes them.
    pub(super) fn over(&self, window: Duration) -> (String, String) {
        let w = length(window);
        match self {
            Self::Events { part, total, counter, .. } => {
                let function = if *counter { "increase" } else { "sum_over_time" };
                let of = |selector: &Selector| format!("sum({function}({selector}[{w}]))");
                (of(part), of(total))
            }
            Self::Ratio { value, .. } => {
                let steps = format!("[{w}:{}]", length(resolution(window)));
                // NaN is no ratio: there was nothing to divide.
                let known = format!("(({value}) >= -Inf){steps}");
                (format!("sum(sum_over_time({known}))"), format!("sum(count_over_time({known}))"))
            }
            Self::Threshold { value, op, limit } => {
                let steps = format!("[{w}:{}]", length(resolution(window)));
                let known = format!("(({value}) >= -Inf)");
                let op = match op {
                    Operator::Lte => "<=",
                    Operator::Gte => ">=",
                    Operator::Lt => "<",
                    Operator::Gt => ">",
                };
                let good = format!("sum(sum_over_time(({known} {op} bool {limit}){steps}))");
                (good, format!("sum(count_over_time({known}{steps}))"))
            }
        }
    }

    /// How many values of a window are no ratios, where ratios are wanted.
    pub(super) fn odd(&self, window: Duration) -> Option<String> {
        let Self::Ratio { value, .. } = self else { return None };
        let steps = format!("[{}:{}]", length(window), length(resolution(window)));
        Some(format!("sum(count_over_time((({value}) < 0 or ({value}) > 1){steps}))"))
    }

    /// How often counters began anew in a window.
    pub(super) fn resets(&self, window: Duration) -> Option<String> {
        match self {
            Self::Events { total, counter: true, .. } => Some(format!("sum(resets({total}[{}]))", length(window))),
            _ => None,
        }
    }

    /// What is there when the whole is.
    pub(super) fn whole(&self) -> String {
        match self {
            Self::Events { total, .. } => total.to_string(),
            Self::Ratio { value, .. } | Self::Threshold { value, .. } => format!("({value})"),
        }
    }

    /// The series whose newest samples say how fresh everything is.
    pub(super) fn sources(&self) -> Vec<&Selector> {
        match self {
            Self::Events { total: selector, .. }
            | Self::Ratio { value: Value::Raw(selector), .. }
            | Self::Threshold { value: Value::Raw(selector), .. } => vec![selector],
            Self::Ratio { value: Value::Computed(expression), .. }
            | Self::Threshold { value: Value::Computed(expression), .. } => expression.selectors.iter().collect(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Raw(selector) => selector.fmt(f),
            // A comment would hide what follows it.
            Self::Computed(expression) => writeln!(f, "{}", expression.text),
        }
    }
}

/// How often a value is looked at that has no samples of its own: at least four times a window, and twenty
/// times if it is long enough, but not more often than every ten seconds.
fn resolution(window: Duration) -> Duration {
    const FINEST: u64 = 10_000;
    const COARSEST: u64 = 60_000;
    let step = (window.millis() / 20).clamp(FINEST, COARSEST).min(window.millis() / 4).max(1);
    Duration::from_millis(step)
}

/// A duration as PromQL writes it.
pub(super) fn length(duration: Duration) -> String {
    let millis = duration.millis().max(1);
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}
