//! OpenSLO v1 documents as published, with davy's extensions as annotations.
//!
//! Source: OpenSLO specification, version v1. Every key of it is read and checked; keys that do not change
//! what is judged, such as descriptions and notification targets, are kept out of the judgement only.

use serde_json::{Value as Json, json};

use super::declare::{keywords, record};
use super::decode::{Decode, Definitions, Named, Refusal, Report, Scalar, Spanned, read_number};
use super::diagnostic::DiagnosticCode as Code;
use super::extension::Extensions;
use super::health::Importance;
use super::yaml::{self, Node, Value};
use crate::slo::Target;
use crate::{Duration, Name};

keywords! {
    /// The version of OpenSLO.
    pub enum OpenSloVersion {
        /// As published in 2022.
        V1 = "openslo/v1",
    }
}

keywords! {
    /// The kinds of OpenSLO v1.
    pub enum OpenSloKind {
        /// A target for an indicator over a time window.
        Slo = "SLO",
        /// What is measured.
        Sli = "SLI",
        /// Where measurements come from.
        DataSource = "DataSource",
        /// Which conditions alert.
        AlertPolicy = "AlertPolicy",
        /// When one alerts.
        AlertCondition = "AlertCondition",
        /// Who is told.
        AlertNotificationTarget = "AlertNotificationTarget",
        /// What the SLOs are about.
        Service = "Service",
    }
}

/// Declares one kind of document, or the same thing written in place.
macro_rules! kind {
    ($(#[doc = $doc:literal])* $Name:ident, $Kind:ident = $word:literal, $Metadata:ty { $(#[doc = $spec_doc:literal])* $Spec:ty }) => {
        keywords! {
            /// The kind of one document, which must not be written as another.
            pub enum $Kind {
                /// This kind.
                This = $word,
            }
        }

        record! {
            $(#[doc = $doc])*
            pub struct $Name {
                /// The version of OpenSLO; may be left out where the document is written in place.
                api_version: OpenSloVersion = "apiVersion", optional;
                /// The kind; may be left out where the document is written in place.
                kind: $Kind = "kind", optional;
                /// Its name, and notes about it; may be left out where the document is written in place.
                metadata: $Metadata = "metadata", optional;
                $(#[doc = $spec_doc])*
                spec: $Spec = "spec", required;
            }
        }
    };
}

record! {
    /// Name and notes of a document that has extensions: annotations that begin with `davy/`. See
    /// [`crate::document::Extensions`].
    pub struct ExtensibleMetadata {
        /// The name that others refer to.
        name: Name = "name", required;
        /// A name for people.
        display_name: String = "displayName", optional;
        /// Labels; not judged.
        labels: Free = "labels", optional;
        /// Notes and extensions.
        annotations: Named<Spanned<String>> = "annotations", optional;
    }
}

record! {
    /// Name and notes of a document that has no extensions.
    pub struct PlainMetadata {
        /// The name that others refer to.
        name: Name = "name", required;
        /// A name for people.
        display_name: String = "displayName", optional;
        /// Labels; not judged.
        labels: Free = "labels", optional;
        /// Notes. None of them begins with `davy/`.
        annotations: Notes = "annotations", optional;
    }
}

kind! {
    /// A target for an indicator over a time window.
    SloDocument, SloKind = "SLO", ExtensibleMetadata {
        /// What it promises.
        SloSpec
    }
}

record! {
    /// What an SLO promises.
    pub struct SloSpec {
        /// For people.
        description: String = "description", optional;
        /// The service that it is about.
        service: Name = "service", optional;
        /// The indicator, written in place.
        indicator: SliDocument = "indicator", optional;
        /// The indicator, by name.
        indicator_ref: Name = "indicatorRef", optional;
        /// The period of the error budget; exactly one.
        time_window: Vec<TimeWindow> = "timeWindow", required;
        /// How the budget is counted.
        budgeting_method: BudgetingMethod = "budgetingMethod", required;
        /// The targets; several with indicators of their own make a composite.
        objectives: Vec<Objective> = "objectives", required;
        /// Alert policies. Their burn-rate conditions replace the Workbook's four pairs.
        alert_policies: Vec<AlertPolicyEntry> = "alertPolicies", optional;
    }
}

record! {
    /// The period of an error budget.
    pub struct TimeWindow {
        /// How long.
        duration: SloDuration = "duration", required;
        /// Whether it ends now, or begins where the calendar says.
        is_rolling: bool = "isRolling", required;
        /// Where calendar periods begin.
        calendar: CalendarStart = "calendar", optional;
    }
}

record! {
    /// Where calendar periods begin.
    pub struct CalendarStart {
        /// The beginning of one period, as `YYYY-MM-DD HH:MM:SS` in the zone.
        start_time: String = "startTime", required;
        /// An IANA time zone.
        time_zone: String = "timeZone", required;
    }
}

keywords! {
    /// How a budget is counted.
    pub enum BudgetingMethod {
        /// In events.
        Occurrences = "Occurrences",
        /// In time slices, each good or bad.
        Timeslices = "Timeslices",
        /// As the mean over time slices of their ratios.
        RatioTimeslices = "RatioTimeslices",
    }
}

record! {
    /// One target.
    pub struct Objective {
        /// For people.
        display_name: String = "displayName", optional;
        /// How a value of a threshold metric is compared.
        op: Operator = "op", optional;
        /// With what it is compared.
        value: Number = "value", optional;
        /// The part of events or slices that must be good, as a fraction.
        target: TargetFraction = "target", optional;
        /// The same as a percentage.
        target_percent: TargetPercent = "targetPercent", optional;
        /// The part of a slice's events that makes the slice good.
        time_slice_target: TargetFraction = "timeSliceTarget", optional;
        /// The length of a slice; a plain number is minutes.
        time_slice_window: SliceLength = "timeSliceWindow", optional;
        /// The indicator of this part of a composite, written in place.
        indicator: SliDocument = "indicator", optional;
        /// The indicator of this part of a composite, by name.
        indicator_ref: Name = "indicatorRef", optional;
        /// How many times as fast this part of a composite burns its budget.
        composite_weight: Importance = "compositeWeight", default(Importance::ONE);
    }
}

keywords! {
    /// How a value is compared.
    pub enum Operator {
        /// At most.
        Lte = "lte",
        /// At least.
        Gte = "gte",
        /// Less than.
        Lt = "lt",
        /// More than.
        Gt = "gt",
    }
}

kind! {
    /// What is measured.
    SliDocument, SliKind = "SLI", PlainMetadata {
        /// How.
        SliSpec
    }
}

record! {
    /// How an indicator is measured: exactly one of the two.
    pub struct SliSpec {
        /// For people.
        description: String = "description", optional;
        /// A value that each objective compares.
        threshold_metric: MetricHolder = "thresholdMetric", optional;
        /// Good or bad events of all events.
        ratio_metric: RatioMetric = "ratioMetric", optional;
    }
}

record! {
    /// Good or bad of all events, or a ratio that somebody else computed.
    pub struct RatioMetric {
        /// Whether the metrics are counters that only rise.
        counter: bool = "counter", default(false);
        /// Good events.
        good: MetricHolder = "good", optional;
        /// Bad events.
        bad: MetricHolder = "bad", optional;
        /// All events.
        total: MetricHolder = "total", optional;
        /// What `raw` is a ratio of.
        raw_type: RawType = "rawType", optional;
        /// A ratio from 0 to 1.
        raw: MetricHolder = "raw", optional;
    }
}

keywords! {
    /// What a raw ratio is a ratio of.
    pub enum RawType {
        /// Good events.
        Success = "success",
        /// Bad events.
        Failure = "failure",
    }
}

record! {
    /// One metric.
    pub struct MetricHolder {
        /// Where it comes from.
        metric_source: MetricSource = "metricSource", required;
    }
}

record! {
    /// Where a metric comes from.
    pub struct MetricSource {
        /// One of the rollout's `sources`, or a `DataSource`. May be left out where the rollout has one source.
        metric_source_ref: Name = "metricSourceRef", optional;
        /// The kind of the source.
        source_type: String = "type", optional;
        /// What to ask it; for Prometheus a `query`.
        spec: Free = "spec", required;
    }
}

kind! {
    /// Where measurements come from.
    DataSourceDocument, DataSourceKind = "DataSource", PlainMetadata {
        /// How it is reached.
        DataSourceSpec
    }
}

record! {
    /// How a source is reached.
    pub struct DataSourceSpec {
        /// For people.
        description: String = "description", optional;
        /// The kind of the source.
        source_type: String = "type", required;
        /// How it is reached; for Prometheus a `url`.
        connection_details: Free = "connectionDetails", optional;
    }
}

kind! {
    /// Which conditions alert.
    AlertPolicyDocument, AlertPolicyKind = "AlertPolicy", PlainMetadata {
        /// The conditions.
        AlertPolicySpec
    }
}

record! {
    /// Which conditions alert, and who is told.
    pub struct AlertPolicySpec {
        /// For people.
        description: String = "description", optional;
        /// Whether missing data alerts; davy holds then, whatever this says.
        alert_when_no_data: bool = "alertWhenNoData", optional;
        /// Whether the end of an alert is told.
        alert_when_resolved: bool = "alertWhenResolved", optional;
        /// Whether a breach alerts.
        alert_when_breaching: bool = "alertWhenBreaching", optional;
        /// The condition; at most one.
        conditions: Vec<AlertConditionEntry> = "conditions", required;
        /// Who is told; davy tells nobody.
        notification_targets: Vec<Free> = "notificationTargets", optional;
    }
}

kind! {
    /// When one alerts.
    AlertConditionDocument, AlertConditionKind = "AlertCondition", ExtensibleMetadata {
        /// The condition.
        AlertConditionSpec
    }
}

record! {
    /// When one alerts.
    pub struct AlertConditionSpec {
        /// For people.
        description: String = "description", optional;
        /// `page` for a pair that pages; everything else is a ticket.
        severity: String = "severity", required;
        /// The burn rate.
        condition: BurnCondition = "condition", required;
    }
}

record! {
    /// A burn rate over one window. The second, short window is a twelfth of it unless the condition has the
    /// annotation `davy/shortWindow`.
    pub struct BurnCondition {
        /// What is compared.
        kind: ConditionKind = "kind", optional;
        /// How it is compared.
        op: Operator = "op", required;
        /// The burn rate.
        threshold: Number = "threshold", required;
        /// The long window.
        lookback_window: SloDuration = "lookbackWindow", required;
        /// How long it must last; davy does not wait.
        alert_after: SloDuration = "alertAfter", optional;
    }
}

keywords! {
    /// What a condition compares.
    pub enum ConditionKind {
        /// The burn rate.
        BurnRate = "burnrate",
    }
}

kind! {
    /// Who is told.
    NotificationTargetDocument, NotificationTargetKind = "AlertNotificationTarget", PlainMetadata {
        /// How.
        NotificationTargetSpec
    }
}

record! {
    /// How somebody is told.
    pub struct NotificationTargetSpec {
        /// For people.
        description: String = "description", optional;
        /// The channel.
        target: String = "target", required;
    }
}

kind! {
    /// What the SLOs are about.
    ServiceDocument, ServiceKind = "Service", PlainMetadata {
        /// Notes.
        ServiceSpec
    }
}

record! {
    /// Notes about a service.
    pub struct ServiceSpec {
        /// For people.
        description: String = "description", optional;
    }
}

/// An alert policy of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertPolicyEntry {
    /// By name.
    Named(Spanned<Name>),
    /// Written in place.
    Inline(Box<AlertPolicyDocument>),
}

/// A condition of an alert policy.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertConditionEntry {
    /// By name.
    Named(Spanned<Name>),
    /// Written in place.
    Inline(Box<AlertConditionDocument>),
}

/// Annotations that are nobody's extensions. One of davy's in a place where nothing reads it would be ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Notes(pub Named<Spanned<String>>);

/// Anything that OpenSLO leaves to the source, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Free(pub Json);

/// A duration of OpenSLO: a whole number and one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SloDuration {
    /// Minutes, hours, days and weeks, which always last as long.
    Fixed(Duration),
    /// Months, quarters and years, in months.
    Months(u32),
}

/// A finite number.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Number(pub f64);

/// A target written as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetFraction(pub Target);

/// A target written as a percentage without the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetPercent(pub Target);

/// The length of a time slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceLength(pub Duration);

/// The OpenSLO documents of a bundle that are judged or referred to.
#[derive(Debug, Default)]
pub(crate) struct SloDocuments {
    pub(crate) slos: Vec<SloDocument>,
    pub(crate) slis: Vec<SliDocument>,
    pub(crate) sources: Vec<DataSourceDocument>,
    pub(crate) policies: Vec<AlertPolicyDocument>,
    pub(crate) conditions: Vec<AlertConditionDocument>,
}

impl SloDocuments {
    /// Reads a document of this kind. Those that nothing judged refers to are checked alone.
    pub(crate) fn read(&mut self, kind: OpenSloKind, node: &Node, report: &mut Report) {
        // Nothing could refer to it; only what is written in place needs no name.
        if let Value::Map(entries) = &node.value
            && !entries.iter().any(|(key, _)| key.text == "metadata")
        {
            report.error(Code::MissingKey, &node.position, "the key `metadata` is missing", None);
        }
        match kind {
            OpenSloKind::Slo => self.slos.extend(Decode::decode(node, report)),
            OpenSloKind::Sli => self.slis.extend(Decode::decode(node, report)),
            OpenSloKind::DataSource => self.sources.extend(Decode::decode(node, report)),
            OpenSloKind::AlertPolicy => self.policies.extend(Decode::decode(node, report)),
            OpenSloKind::AlertCondition => self.conditions.extend(Decode::decode(node, report)),
            OpenSloKind::AlertNotificationTarget => _ = NotificationTargetDocument::decode(node, report),
            OpenSloKind::Service => _ = ServiceDocument::decode(node, report),
        }
    }
}

impl MetricSource {
    /// What the source is asked: its `query`, or its whole `spec` as JSON.
    pub(crate) fn text(&self) -> String {
        let spec = &self.spec.value.0;
        spec.get("query").and_then(Json::as_str).map_or_else(|| spec.to_string(), str::to_owned)
    }
}

impl Decode for Notes {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let notes = Named::decode(node, report)?;
        Extensions::none(&notes, report);
        Some(Self(notes))
    }
    fn schema(definitions: &mut Definitions) -> Json {
        let mut notes = <Named<Spanned<String>> as Decode>::schema(definitions);
        if let Some(notes) = notes.as_object_mut() {
            notes.insert("propertyNames".to_owned(), json!({ "not": { "pattern": "^davy/" } }));
        }
        notes
    }
}

impl Decode for Free {
    fn decode(node: &Node, _: &mut Report) -> Option<Self> {
        json(node).map(Self)
    }
    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

/// Nothing where something was refused already.
fn json(node: &Node) -> Option<Json> {
    Some(match &node.value {
        Value::Refused => return None,
        Value::Scalar(scalar) => match scalar.text.as_str() {
            text if !scalar.plain => json!(text),
            "true" => json!(true),
            "false" => json!(false),
            "" | "null" | "~" => Json::Null,
            text => read_number(text).map_or_else(|| json!(text), |number| json!(number)),
        },
        Value::List(items) => Json::Array(items.iter().map(json).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let entry = |(key, value): &(yaml::Key, Node)| Some((key.text.clone(), json(value)?));
            Json::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

/// A name, `{ <reference>: name }`, or the thing itself.
macro_rules! entry {
    ($Entry:ident, $Document:ty, $reference:literal) => {
        impl Decode for $Entry {
            fn decode(node: &Node, report: &mut Report) -> Option<Self> {
                let referred = match &node.value {
                    Value::Scalar(_) => Some(node),
                    Value::Map(entries) => match entries.as_slice() {
                        [(key, name)] if key.text == $reference => Some(name),
                        _ => None,
                    },
                    _ => None,
                };
                match referred {
                    Some(name) => Decode::decode(name, report).map(Self::Named),
                    None => <$Document>::decode(node, report).map(|document| Self::Inline(Box::new(document))),
                }
            }
            fn schema(definitions: &mut Definitions) -> Json {
                let name = <Name as Decode>::schema(definitions);
                let mut reference = serde_json::Map::new();
                reference.insert($reference.to_owned(), name.clone());
                json!({ "anyOf": [
                    name,
                    super::schema::object("By name.", reference, &[$reference]),
                    <$Document>::schema(definitions),
                ] })
            }
        }
    };
}

entry!(AlertPolicyEntry, AlertPolicyDocument, "alertPolicyRef");
entry!(AlertConditionEntry, AlertConditionDocument, "conditionRef");

impl Scalar for SloDuration {
    const EXPECTED: &'static str = "a whole number and one of `m h d w M Q Y`, such as `30d` or `1Q`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let text = scalar.text.as_str();
        let unit = text.chars().last().ok_or(Refusal::Unreadable)?;
        let digits = text.strip_suffix(unit).unwrap_or_default();
        let shaped = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() < 6;
        let number: u32 = digits.parse().ok().filter(|_| shaped).ok_or(Refusal::Unreadable)?;
        let minutes = |each: u64| Self::Fixed(Duration::from_minutes(u64::from(number).saturating_mul(each)));
        Ok(match unit {
            'm' => minutes(1),
            'h' => minutes(60),
            'd' => minutes(24 * 60),
            'w' => minutes(7 * 24 * 60),
            'M' => Self::Months(number),
            'Q' => Self::Months(number.saturating_mul(3)),
            'Y' => Self::Months(number.saturating_mul(12)),
            _ => return Err(Refusal::Unreadable),
        })
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{1,5}[mhdwMQY]$" })
    }
}

impl Scalar for Number {
    const EXPECTED: &'static str = "a number";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        read_number(&scalar.text).filter(|_| scalar.plain).map(Self).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "number" })
    }
}

impl Scalar for TargetFraction {
    const EXPECTED: &'static str = "a fraction from 0 to 1 with at most twelve decimals, such as `0.999`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let plain = scalar.plain && !scalar.text.ends_with('%');
        scalar.text.parse().ok().filter(|_| plain).map(Self).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

impl Scalar for TargetPercent {
    const EXPECTED: &'static str = "a percentage from 0 to 100 with at most ten decimals, such as `99.9`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let plain = scalar.plain && !scalar.text.ends_with('%');
        format!("{}%", scalar.text).parse().ok().filter(|_| plain).map(Self).ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": 100 })
    }
}

impl Scalar for SliceLength {
    const EXPECTED: &'static str = "a duration such as `1m`, or a number of minutes";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        if let Ok(SloDuration::Fixed(duration)) = SloDuration::read(scalar) {
            return Ok(Self(duration));
        }
        let minutes: u32 = scalar.text.parse().ok().filter(|_| scalar.plain).ok_or(Refusal::Unreadable)?;
        Ok(Self(Duration::from_minutes(minutes.into())))
    }
    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}
