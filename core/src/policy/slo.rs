//! One SLO, ready to be judged: what is measured, over which period, and which pairs of windows burn.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Serialize;

use crate::document::decode::Report;
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{
    AlertConditionDocument, AlertConditionEntry, AlertPolicyDocument, AlertPolicyEntry, BudgetingMethod,
    DataSourceDocument, DiagnosticCode as Code, Extensions, MetricHolder, Objective, Operator, Position, RatioMetric,
    RawType, SliDocument, SloDocument, SloDocuments, SloDuration, Spanned, Spec, TimeWindow,
};
use crate::slo::{
    CalendarLength, Condition, ErrorBudget, Guards, Mode, Pair, Period, PeriodError, Target, Threshold, Urgency,
};
use crate::{Duration, Factor, Name};

/// The most pairs of windows that an SLO compiles, over all of its objectives.
const MOST_PAIRS: usize = 1000;

/// An SLO of the bundle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SloPlan {
    pub(crate) name: Name,
    pub(crate) position: Position,
    pub(crate) period: Period,
    pub(crate) guards: Guards,
    pub(crate) sparse: bool,
    /// At least one.
    pub(crate) objectives: Vec<ObjectivePlan>,
}

/// One target of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ObjectivePlan {
    pub(crate) number: NonZeroU32,
    pub(crate) target: Target,
    pub(crate) budget: ErrorBudget,
    /// How many times as fast this part of a composite burns.
    pub(crate) weight: Factor,
    pub(crate) source: Option<Name>,
    pub(crate) query: SloQuery,
    /// The fastest first.
    pub(crate) pairs: Vec<(Urgency, Condition)>,
}

/// What to measure for one objective of an SLO.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SloQuery {
    /// The indicator.
    pub sli: Sli,
    /// What its events are.
    pub budgeting: Budgeting,
    /// How raw counters become events.
    pub increase: Mode,
}

/// An indicator, in the words of its source.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Sli {
    /// Bad events of all events.
    Bad {
        /// The bad ones.
        bad: String,
        /// All of them.
        total: String,
        /// Whether both are counters; otherwise each sample is a number of events.
        counter: bool,
    },
    /// Good events of all events.
    Good {
        /// The good ones.
        good: String,
        /// All of them.
        total: String,
        /// Whether both are counters; otherwise each sample is a number of events.
        counter: bool,
    },
    /// A ratio from 0 to 1 that somebody else computed; every sample counts alike.
    Raw {
        /// The ratio.
        ratio: String,
        /// Whether it is of good events.
        of_good: bool,
    },
    /// A value, good where the comparison holds; every sample counts alike.
    Threshold {
        /// The value.
        value: String,
        /// How it is compared.
        op: Operator,
        /// With what.
        limit: f64,
    },
}

/// What the events of an SLO are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Budgeting {
    /// The indicator's own events.
    Occurrences,
    /// Time slices: a slice is bad if fewer than `good` of its events are good. Slices without traffic are good.
    Timeslices {
        /// The length of a slice.
        slice: Duration,
        /// The part of its events that must be good.
        #[serde(serialize_with = "as_text")]
        good: Target,
    },
    /// Time slices, each of which is as bad as its ratio.
    RatioTimeslices {
        /// The length of a slice.
        slice: Duration,
    },
}

fn as_text<S: serde::Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

/// Checks and compiles every SLO, used or not.
pub(crate) fn compile_slos(documents: &SloDocuments, spec: &Spec, report: &mut Report) -> BTreeMap<Name, SloPlan> {
    let compiler = Compiler {
        slis: by_name(&documents.slis, |sli| Some(&sli.metadata.as_ref()?.value.name), "SLI", report),
        policies: by_name(
            &documents.policies,
            |policy| Some(&policy.metadata.as_ref()?.value.name),
            "AlertPolicy",
            report,
        ),
        conditions: by_name(
            &documents.conditions,
            |condition| Some(&condition.metadata.as_ref()?.value.name),
            "AlertCondition",
            report,
        ),
        data_sources: by_name(
            &documents.sources,
            |source| Some(&source.metadata.as_ref()?.value.name),
            "DataSource",
            report,
        ),
        spec,
    };
    let slos = by_name(&documents.slos, |slo| Some(&slo.metadata.as_ref()?.value.name), "SLO", report);
    let compiled = slos.into_iter().filter_map(|(name, slo)| Some((name.clone(), compiler.slo(name, slo, report)?)));
    compiled.collect()
}

/// What an SLO may refer to.
struct Compiler<'a> {
    slis: BTreeMap<&'a Name, &'a SliDocument>,
    policies: BTreeMap<&'a Name, &'a AlertPolicyDocument>,
    conditions: BTreeMap<&'a Name, &'a AlertConditionDocument>,
    data_sources: BTreeMap<&'a Name, &'a DataSourceDocument>,
    spec: &'a Spec,
}

/// What all objectives of an SLO share.
struct Shared<'a> {
    slo: &'a SloDocument,
    method: BudgetingMethod,
    extensions: Extensions,
    pairs: Vec<(Urgency, Pair)>,
    /// Several objectives with indicators of their own.
    composite: bool,
}

impl<'a> Compiler<'a> {
    fn slo(&self, name: &Name, slo: &'a SloDocument, report: &mut Report) -> Option<SloPlan> {
        if !slo.whole || !slo.spec.value.whole {
            return None;
        }
        let before = report.diagnostics.len();
        let spec = &slo.spec.value;
        let annotations = slo.metadata.as_ref().and_then(|metadata| metadata.value.annotations.as_ref());
        let extensions = Extensions::read(annotations.map(|annotations| &annotations.value), report);
        let period = match spec.time_window.value.as_slice() {
            [window] => period(window, report),
            other => {
                let message = format!("an SLO has one time window, not {}", other.len());
                report.error(Code::Choice, &spec.time_window.position, message, None);
                None
            }
        };
        let composite = spec.objectives.value.iter().any(|one| one.indicator.is_some() || one.indicator_ref.is_some());
        if composite && spec.budgeting_method.value == BudgetingMethod::Timeslices {
            let hint =
                "whether a slice is bad would have to be known of all indicators together; write one SLO for each";
            let message = "time slices of a composite are not supported yet";
            report.error(Code::NotSupportedYet, &spec.budgeting_method.position, message, hint.to_owned());
        }
        // What is wrong with a period or a pair is no reason to be silent about objectives.
        let pairs = period.as_ref().and_then(|period| self.pairs(slo, period, extensions, report)).unwrap_or_default();
        let shared = Shared { slo, method: spec.budgeting_method.value, extensions, pairs, composite };
        if spec.objectives.value.is_empty() {
            report.error(Code::Choice, &spec.objectives.position, "an SLO has at least one objective", None);
        }
        let all = spec.objectives.value.len().saturating_mul(shared.pairs.len());
        if all > MOST_PAIRS {
            let message =
                format!("the objectives have {all} pairs of windows together; at most {MOST_PAIRS} are compiled");
            report.error(Code::Budget, &spec.objectives.position, message, "split the SLO".to_owned());
            return None;
        }
        let numbers = (1..).filter_map(NonZeroU32::new);
        let objectives: Vec<ObjectivePlan> = numbers
            .zip(&spec.objectives.value)
            .filter_map(|(number, objective)| self.objective(number, objective, &shared, report))
            .collect();
        let position = slo.position.clone();
        let (guards, sparse) = (extensions.guards, extensions.sparse_errors);
        let plan = SloPlan { name: name.clone(), position, period: period?, guards, sparse, objectives };
        (report.diagnostics.len() == before).then_some(plan)
    }

    fn objective(
        &self,
        number: NonZeroU32,
        objective: &'a Objective,
        shared: &Shared<'a>,
        report: &mut Report,
    ) -> Option<ObjectivePlan> {
        let spec = &shared.slo.spec.value;
        let sli = if shared.composite {
            if let Some(indicator) = spec.indicator.as_ref().map(|indicator| &indicator.position) {
                report.error(Code::Choice, indicator, "each objective of this SLO has its own indicator", None);
            }
            self.indicator(&objective.indicator, &objective.indicator_ref, &objective.position, report)
        } else {
            if let Some(weight) = &objective.composite_weight {
                let hint = "only a composite has parts to weigh".to_owned();
                report.error(Code::Unused, &weight.position, "`compositeWeight` is not used here", hint);
            }
            self.indicator(&spec.indicator, &spec.indicator_ref, &spec.position, report)
        };
        let sli = sli.and_then(|sli| self.sli(sli, objective, report));
        let (target, budgeting) = (target(objective, report), budgeting(objective, shared.method, report));
        let ((sli, source), budgeting, target) = (sli?, budgeting?, target?);
        let budget = target.budget();
        let weight = Factor::from_thousandths(objective.composite_weight().thousandths());
        let weighed = |(urgency, pair): &(Urgency, Pair)| {
            let threshold = pair.threshold.of_part(weight)?;
            Some((*urgency, Pair { threshold, ..*pair }.against(budget)))
        };
        let pairs = shared.pairs.iter().filter_map(weighed).collect();
        let query = SloQuery { sli, budgeting, increase: shared.extensions.increase };
        Some(ObjectivePlan { number, target, budget, weight, source, query, pairs })
    }

    fn indicator(
        &self,
        inline: &'a Option<Spanned<SliDocument>>,
        named: &'a Option<Spanned<Name>>,
        position: &Position,
        report: &mut Report,
    ) -> Option<&'a SliDocument> {
        match (inline, named) {
            (Some(inline), None) => Some(&inline.value),
            (None, Some(name)) => find(&self.slis, name, "SLI", report),
            _ => {
                let hint = "`indicator` is written in place, `indicatorRef` names a document".to_owned();
                report.error(Code::Choice, position, "exactly one of `indicator` and `indicatorRef` is needed", hint);
                None
            }
        }
    }

    /// The indicator, and the one source that all its metrics come from.
    fn sli(&self, sli: &SliDocument, objective: &Objective, report: &mut Report) -> Option<(Sli, Option<Name>)> {
        let spec = sli.spec.whole_value()?;
        let (sli, holders) = match (&spec.threshold_metric, &spec.ratio_metric) {
            (Some(metric), None) => (threshold(&metric.value, objective, report)?, vec![&metric.value]),
            (None, Some(ratio)) => {
                for (key, position) in [
                    ("op", objective.op.as_ref().map(|op| &op.position)),
                    ("value", objective.value.as_ref().map(|value| &value.position)),
                ] {
                    if let Some(position) = position {
                        let hint = "only a `thresholdMetric` is compared with a value".to_owned();
                        report.error(Code::Unused, position, format!("`{key}` is not used here"), hint);
                    }
                }
                ratio_of(&ratio.value, report)?
            }
            _ => {
                let message = "exactly one of `thresholdMetric` and `ratioMetric` is needed";
                report.error(Code::Choice, &spec.position, message, None);
                return None;
            }
        };
        let mut sources = holders.iter().map(|holder| self.source(holder, report)).collect::<Option<Vec<_>>>()?;
        sources.dedup();
        if sources.len() > 1 {
            report.error(Code::Choice, &spec.position, "the metrics of an indicator come from one source", None);
        }
        Some((sli, sources.pop().flatten()))
    }

    /// One of the rollout's sources; where it has one alone, it need not be named.
    fn source(&self, holder: &MetricHolder, report: &mut Report) -> Option<Option<Name>> {
        let sources = || self.spec.sources.iter().flat_map(|sources| &sources.value.0).map(|(name, _)| &name.value);
        match &holder.metric_source.value.metric_source_ref {
            Some(named) if sources().any(|known| *known == named.value) => Some(Some(named.value.clone())),
            Some(named) if !self.spec.whole => Some(Some(named.value.clone())),
            Some(named) => {
                let known = || sources().map(Name::as_str);
                let hint = did_you_mean(named.value.as_str(), known()).or_else(|| {
                    let declared = self.data_sources.contains_key(&named.value);
                    declared.then(|| {
                        "a `DataSource` says where data are; `sources` of the rollout says also whose".to_owned()
                    })
                });
                report.error(Code::Name, &named.position, format!("no source has the name `{}`", named.value), hint);
                None
            }
            None => {
                let mut all = sources();
                let (first, second) = (all.next(), all.next());
                if second.is_some() {
                    let position = &holder.metric_source.position;
                    let hint = "name it as `metricSourceRef`".to_owned();
                    report.error(Code::Choice, position, "the rollout has several sources, and this names none", hint);
                    return None;
                }
                Some(first.cloned())
            }
        }
    }

    /// The pairs of the SLO's burn-rate alerts, or else the Workbook's.
    fn pairs(
        &self,
        slo: &'a SloDocument,
        period: &Period,
        extensions: Extensions,
        report: &mut Report,
    ) -> Option<Vec<(Urgency, Pair)>> {
        let entries = slo.spec.value.alert_policies.iter().flat_map(|policies| &policies.value);
        let (mut pairs, mut refused) = (Vec::new(), false);
        for entry in entries {
            let policy = match entry {
                AlertPolicyEntry::Inline(policy) => policy,
                AlertPolicyEntry::Named(name) => find(&self.policies, name, "AlertPolicy", report)?,
            };
            let conditions = &policy.spec.value.conditions;
            if conditions.value.len() > 1 {
                report.error(Code::Choice, &conditions.position, "an alert policy has at most one condition", None);
            }
            for entry in &conditions.value {
                let condition = match entry {
                    AlertConditionEntry::Inline(condition) => condition,
                    AlertConditionEntry::Named(name) => find(&self.conditions, name, "AlertCondition", report)?,
                };
                let pair = pair(condition, period, report);
                refused |= pair.is_none();
                pairs.extend(pair);
            }
        }
        if refused {
            return None;
        }
        if !pairs.is_empty() {
            pairs.sort_by_key(|(_, pair)| pair.long);
            return Some(pairs);
        }
        match Pair::workbook(period.nominal(), extensions.scaling) {
            Ok(pairs) => Some(pairs.to_vec()),
            Err(cause) => {
                let hint = "use `davy/scaling: windows`, or alert policies of your own".to_owned();
                report.error(Code::Range, &slo.spec.value.time_window.position, without_code(&cause), hint);
                None
            }
        }
    }
}

fn by_name<'a, D>(
    documents: &'a [D],
    name: impl Fn(&'a D) -> Option<&'a Spanned<Name>>,
    kind: &str,
    report: &mut Report,
) -> BTreeMap<&'a Name, &'a D> {
    let mut named: BTreeMap<&Name, &D> = BTreeMap::new();
    let mut first: BTreeMap<&Name, &Position> = BTreeMap::new();
    for document in documents {
        let Some(name) = name(document) else { continue };
        if let Some(earlier) = first.insert(&name.value, &name.position) {
            let message = format!("the {kind} `{}` stands twice, first at {earlier}", name.value);
            report.error(Code::Name, &name.position, message, "keep one of them".to_owned());
        }
        named.insert(&name.value, document);
    }
    named
}

fn find<'a, D>(
    known: &BTreeMap<&'a Name, &'a D>,
    name: &Spanned<Name>,
    kind: &str,
    report: &mut Report,
) -> Option<&'a D> {
    let found = known.get(&name.value).copied();
    if found.is_none() {
        let hint = did_you_mean(name.value.as_str(), known.keys().map(|name| name.as_str()));
        report.error(Code::Name, &name.position, format!("no {kind} has the name `{}`", name.value), hint);
    }
    found
}

fn period(window: &TimeWindow, report: &mut Report) -> Option<Period> {
    let length = &window.duration;
    match (window.is_rolling.value, &window.calendar, length.value) {
        (true, None, SloDuration::Fixed(duration)) if duration >= Duration::from_minutes(60) => {
            Some(Period::Rolling(duration))
        }
        (true, None, SloDuration::Fixed(_)) => {
            report.error(Code::Range, &length.position, "a rolling budget lasts an hour at least", None);
            None
        }
        (true, None, SloDuration::Months(_)) => {
            let hint = "months differ: use `28d` or `30d`, or a calendar".to_owned();
            report.error(
                Code::Range,
                &length.position,
                "a rolling budget needs a length that is always the same",
                hint,
            );
            None
        }
        (false, Some(calendar), _) => {
            const DAY: u64 = 24 * 60 * 60 * 1000;
            let turns = match length.value {
                SloDuration::Months(months) => Some(CalendarLength::Months(months)),
                SloDuration::Fixed(fixed) if fixed.millis().is_multiple_of(DAY) => {
                    u32::try_from(fixed.millis() / DAY).ok().map(CalendarLength::Days)
                }
                SloDuration::Fixed(_) => None,
            };
            let Some(turns) = turns else {
                report.error(Code::Range, &length.position, "a calendar period has whole days", None);
                return None;
            };
            let calendar = &calendar.value;
            let made = Period::calendar(&calendar.start_time.value, &calendar.time_zone.value, turns);
            let refuse = |cause: PeriodError| match cause {
                PeriodError::Start { .. } => {
                    let expected = "a start such as `2026-01-01 00:00:00`, from 1970 to 9998";
                    not_expected(expected, &calendar.start_time, report);
                }
                PeriodError::Zone { .. } => {
                    not_expected("an IANA time zone such as `Europe/Berlin`", &calendar.time_zone, report);
                }
                PeriodError::Length => report.error(Code::Range, &length.position, without_code(&cause), None),
            };
            made.map_err(refuse).ok()
        }
        (true, Some(_), _) | (false, None, _) => {
            let hint = "`isRolling: true` ends now, `isRolling: false` needs a `calendar`".to_owned();
            report.error(Code::Choice, &window.position, "a window is either rolling or has a calendar", hint);
            None
        }
    }
}

fn target(objective: &Objective, report: &mut Report) -> Option<Target> {
    match (&objective.target, &objective.target_percent) {
        (Some(fraction), None) => Some(fraction.value.0),
        (None, Some(percent)) => Some(percent.value.0),
        _ => {
            let message = "exactly one of `target` and `targetPercent` is needed";
            report.error(Code::Choice, &objective.position, message, None);
            None
        }
    }
}

fn budgeting(objective: &Objective, method: BudgetingMethod, report: &mut Report) -> Option<Budgeting> {
    let (window, good) = (&objective.time_slice_window, &objective.time_slice_target);
    let unused = |key: &str, position: &Position, report: &mut Report| {
        report.error(Code::Unused, position, format!("`{key}` is not used with `{method}`"), None);
    };
    let needed = |key: &str, report: &mut Report| {
        report.error(Code::MissingKey, &objective.position, format!("`{method}` needs `{key}`"), None);
    };
    if let (Some(good), true) = (good, method != BudgetingMethod::Timeslices) {
        unused("timeSliceTarget", &good.position, report);
    }
    let slice = match (window, method) {
        (Some(window), BudgetingMethod::Occurrences) => {
            unused("timeSliceWindow", &window.position, report);
            None
        }
        (None, BudgetingMethod::Occurrences) => return Some(Budgeting::Occurrences),
        (None, _) => {
            needed("timeSliceWindow", report);
            None
        }
        (Some(window), _) if window.value.0.is_zero() => {
            report.error(Code::Range, &window.position, "a slice lasts some time", None);
            None
        }
        (Some(window), _) => Some(window.value.0),
    };
    match (method, slice, good) {
        (BudgetingMethod::Timeslices, slice, Some(good)) => {
            Some(Budgeting::Timeslices { slice: slice?, good: good.value.0 })
        }
        (BudgetingMethod::Timeslices, _, None) => {
            needed("timeSliceTarget", report);
            None
        }
        (_, slice, _) => Some(Budgeting::RatioTimeslices { slice: slice? }),
    }
}

fn threshold(metric: &MetricHolder, objective: &Objective, report: &mut Report) -> Option<Sli> {
    let (Some(op), Some(limit)) = (&objective.op, &objective.value) else {
        let message = "a `thresholdMetric` is compared: the objective needs `op` and `value`";
        report.error(Code::MissingKey, &objective.position, message, None);
        return None;
    };
    let value = metric.metric_source.value.text();
    Some(Sli::Threshold { value, op: op.value, limit: limit.value.0 })
}

fn ratio_of<'a>(ratio: &'a RatioMetric, report: &mut Report) -> Option<(Sli, Vec<&'a MetricHolder>)> {
    let text = |holder: &MetricHolder| holder.metric_source.value.text();
    let holder = |spanned: &'a Option<Spanned<MetricHolder>>| spanned.as_ref().map(|spanned| &spanned.value);
    let (good, bad, total) = (holder(&ratio.good), holder(&ratio.bad), holder(&ratio.total));
    let raw = holder(&ratio.raw).zip(ratio.raw_type.as_ref().map(|raw_type| raw_type.value));
    let half_raw = raw.is_none() && (ratio.raw.is_some() || ratio.raw_type.is_some());
    let counter = ratio.counter();
    match (good, bad, total, raw) {
        _ if half_raw => {}
        (Some(good), None, Some(total), None) => {
            return Some((Sli::Good { good: text(good), total: text(total), counter }, vec![good, total]));
        }
        (None, Some(bad), Some(total), None) => {
            return Some((Sli::Bad { bad: text(bad), total: text(total), counter }, vec![bad, total]));
        }
        (None, None, None, Some((raw, raw_type))) => {
            return Some((Sli::Raw { ratio: text(raw), of_good: raw_type == RawType::Success }, vec![raw]));
        }
        _ => {}
    }
    let message = "a ratio has `good` and `total`, `bad` and `total`, or `raw` and `rawType`";
    report.error(Code::Choice, &ratio.position, message, None);
    None
}

/// A burn-rate alert as a pair of windows.
fn pair(condition: &AlertConditionDocument, period: &Period, report: &mut Report) -> Option<(Urgency, Pair)> {
    let annotations = condition.metadata.as_ref().and_then(|metadata| metadata.value.annotations.as_ref());
    let given = Extensions::short_window(annotations.map(|annotations| &annotations.value), report);
    let spec = condition.spec.whole_value()?;
    let burn = spec.condition.whole_value()?;
    if matches!(burn.op.value, Operator::Lt | Operator::Lte) {
        let hint = "a budget burns too fast where its burn rate is `gt` a threshold".to_owned();
        report.error(Code::Choice, &burn.op.position, "this condition holds while the budget does not burn", hint);
        return None;
    }
    let number = burn.threshold.value.0;
    let Ok(threshold) = Threshold::from_number(number) else {
        let expected = "a burn rate above 0 and up to 1000000 with at most six decimals";
        let message = format!("expected {expected}, found `{number}`");
        report.error(Code::BadValue, &burn.threshold.position, message, None);
        return None;
    };
    let SloDuration::Fixed(long) = burn.lookback_window.value else {
        let message = "a window needs a length that is always the same";
        report.error(Code::Range, &burn.lookback_window.position, message, None);
        return None;
    };
    let twelfth = Duration::from_millis(long.millis() / 12);
    let short = given.as_ref().map_or(twelfth, |short| short.value);
    if long > period.nominal() || short > long || short.is_zero() {
        let position = given.as_ref().map_or(&burn.lookback_window.position, |short| &short.position);
        let message =
            format!("the windows {short} and {long} do not rise up to the budget's period {}", period.nominal());
        report.error(Code::Range, position, message, None);
        return None;
    }
    let pages = spec.severity.value.eq_ignore_ascii_case("page");
    let urgency = if pages { Urgency::Page } else { Urgency::Ticket };
    Some((urgency, Pair { long, short, threshold }))
}

fn not_expected(expected: &str, text: &Spanned<String>, report: &mut Report) {
    let message = format!("expected {expected}, found `{}`", shown(&text.value));
    report.error(Code::BadValue, &text.position, message, None);
}

/// What the arithmetic says. The code of its error is left out: a diagnostic has one of its own.
pub(super) fn without_code(cause: &dyn std::error::Error) -> String {
    let text = cause.to_string();
    text.split_once(": ").map_or(text.as_str(), |(_, said)| said).to_owned()
}

/// What was read without a slip.
trait Whole<T> {
    fn whole_value(&self) -> Option<&T>;
}

macro_rules! whole {
    ($($Record:ty),*) => { $(
        impl Whole<$Record> for Spanned<$Record> {
            fn whole_value(&self) -> Option<&$Record> {
                Some(&self.value).filter(|value| value.whole)
            }
        }
    )* };
}
whole!(crate::document::SliSpec, crate::document::AlertConditionSpec, crate::document::BurnCondition);
