//! The shape of the document that rules read: declared once, so that its JSON Schema, what rules are checked
//! against when they are loaded, and the documents themselves cannot disagree.

use serde_json::{Map, Value as Json, json};

use super::Fact;

/// What may stand at a place of the input document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Anything: what a host or a gate says in its own words.
    Anything,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Any text.
    Text,
    /// An instant, RFC 3339, UTC.
    Instant,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A map from names, which differ from policy to policy.
    Named(Names, &'static Shape),
    /// A map with these keys and no others.
    Record(&'static [Field]),
}

/// What the keys of a [`Shape::Named`] name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// Facts of the host, which nobody but the host knows.
    Facts,
    /// Annotations of the policy.
    Annotations,
    /// Metrics of the policy.
    Metrics,
    /// SLOs of the policy.
    Slos,
    /// Lengths of windows, such as `1h`.
    Windows,
    /// Synthetic flows.
    Flows,
    /// Headers of an answer, in lower case.
    Headers,
}

/// A key of a [`Shape::Record`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// Whether it is always there. What is not there is not known, which is never the same as false.
    pub always: bool,
    /// What stands there.
    pub shape: Shape,
}

pub(crate) const fn always(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, about, always: true, shape }
}

pub(crate) const fn if_known(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, about, always: false, shape }
}

/// The whole document.
pub const INPUT: Shape = Shape::Record(&[
    always("now", Shape::Instant, "When the snapshot was taken."),
    always("time", TIME, "The same instant, taken apart. Zones of people are the business of calendars."),
    always("release", RELEASE, "Which release."),
    always("asked", ASKED, "What the host wants to do."),
    always("stage", Shape::Word(&["canary", "live"]), "How far the release is."),
    always("weightPercent", Shape::Number, "The canary's share of the traffic, in percent."),
    always("since", Shape::Instant, "When the release reached this stage and weight."),
    always("elapsed", ELAPSED, "How long that has been, in whole seconds."),
    always("target", TARGET, "What the release goes to, as far as the host knows."),
    always("annotations", Shape::Named(Names::Annotations, &Shape::Text), "The policy's annotations."),
    always("facts", Shape::Named(Names::Facts, &Shape::Anything), "What the host knows beside what it measured."),
    always(
        "observations",
        Shape::Named(Names::Metrics, &OBSERVATION),
        "The newest judged reading of each metric that has been observed.",
    ),
    always("scores", SCORES, "Health scores, where the judge gives them."),
    always(
        "burnRates",
        Shape::Named(Names::Slos, &Shape::Named(Names::Windows, &Shape::Number)),
        "How many times too fast an error budget burns, per SLO and window; of several objectives the fastest. \
         Windows without events have none.",
    ),
    always("budgets", Shape::Named(Names::Slos, &BUDGET), "What is left of error budgets, where it is known."),
    if_known("calendar", CALENDAR, "What change windows and freezes say, where the policy has any."),
    always("probes", Shape::Named(Names::Flows, &PROBE), "The newest run of each synthetic flow, per cohort."),
    always("running", Shape::List(&RUNNING), "Other releases that are running."),
    always("passed", Shape::List(&PASSED), "Environments that revisions have passed."),
    always("findings", Shape::List(&FINDING), "What the gates found. Rules never see each other's findings."),
]);

const TIME: Shape = Shape::Record(&[
    always("unixSeconds", Shape::Integer, "Seconds since 1970-01-01T00:00:00Z."),
    always("date", Shape::Text, "The date in UTC, such as `2026-11-23`."),
    always(
        "weekday",
        Shape::Word(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
        "The weekday in UTC.",
    ),
    always("hour", Shape::Integer, "The hour in UTC, 0 to 23."),
    always("minute", Shape::Integer, "The minute in UTC, 0 to 59."),
]);

const RELEASE: Shape = Shape::Record(&[
    always("service", Shape::Text, "The service."),
    always("environment", Shape::Text, "Where it goes."),
    always("revision", Shape::Text, "The new revision."),
    always("stable", Shape::Text, "The revision that serves until now."),
    always("attempt", Shape::Integer, "Which try of this revision, from 1."),
    always("startedAt", Shape::Instant, "When this attempt began."),
    if_known("changeClass", Shape::Text, "What kind of change it is, such as `feature`."),
]);

const ASKED: Shape = Shape::Record(&[
    always("what", Shape::Word(&["start", "advance", "promote", "keep"]), "The request."),
    if_known("toPercent", Shape::Number, "Of `advance`: the weight wanted, in percent."),
]);

const ELAPSED: Shape = Shape::Record(&[
    always("releaseSeconds", Shape::Integer, "Since the attempt began."),
    always("stepSeconds", Shape::Integer, "Since this stage and weight were reached."),
]);

const TARGET: Shape = Shape::Record(&[
    if_known("cluster", Shape::Text, "The cluster's name."),
    if_known("server", Shape::Text, "The URL of the cluster's API server."),
    if_known("namespace", Shape::Text, "The namespace."),
    if_known("labels", Shape::Named(Names::Facts, &Shape::Text), "All labels, where they are known."),
]);

const CALENDAR: Shape = Shape::Record(&[
    always("open", Shape::Bool, "Whether the release may go on as far as calendars are concerned."),
    if_known("until", Shape::Instant, "When a hold of a calendar ends by itself."),
]);

const OBSERVATION: Shape = Shape::Record(&[
    always("start", Shape::Instant, "Where its interval begins."),
    always("end", Shape::Instant, "Where its interval ends."),
    if_known("bad", Shape::Integer, "Bad events of the canary."),
    if_known("total", Shape::Integer, "All events of the canary."),
    if_known("baselineBad", Shape::Integer, "Bad events of the baseline, where they are compared."),
    if_known("baselineTotal", Shape::Integer, "All events of the baseline, where they are compared."),
    if_known("aboveSeconds", Shape::Number, "Of a latency: the lower bound of its quantile's bucket."),
    if_known("atMostSeconds", Shape::Number, "Of a latency: the upper bound of its quantile's bucket."),
    if_known("bucketsLater", Shape::Integer, "Native buckets that the canary is later than the baseline."),
    if_known("value", Shape::Number, "Of a gauge: its value; of several replicas the worst."),
    if_known("baselineValue", Shape::Number, "Of a gauge that is compared: the baseline's mean."),
    if_known("count", Shape::Integer, "Events of the canary."),
    if_known("baselineCount", Shape::Integer, "Events of the baseline."),
    if_known(
        "missing",
        Shape::Word(&["noData", "NaN", "+Inf", "-Inf", "noAnswer", "wrongForm", "noTraffic", "tooFewRequests"]),
        "Why there is no value, or what is missing beside it.",
    ),
]);

const SCORES: Shape = Shape::Record(&[if_known("health", Shape::Integer, "The health score, 0 to 100.")]);

const BUDGET: Shape =
    Shape::Record(&[if_known("left", Shape::Number, "The part that is left: 1 is all of it, negative is overspent.")]);

const PROBE: Shape = Shape::Record(&[
    if_known("canary", RUN, "The newest run against the canary."),
    if_known("baseline", RUN, "The newest run against the baseline."),
]);

const RUN: Shape = Shape::Record(&[
    always("verdict", Shape::Word(&["pass", "degraded", "fail", "skipped", "error"]), "How it ended."),
    always("ageSeconds", Shape::Integer, "How long ago, in whole seconds."),
]);

const RUNNING: Shape = Shape::Record(&[
    always("service", Shape::Text, "Its service."),
    always("environment", Shape::Text, "Its environment."),
    always("revision", Shape::Text, "Its revision."),
]);

const PASSED: Shape = Shape::Record(&[
    always("environment", Shape::Text, "The environment."),
    always("revision", Shape::Text, "The revision."),
    always("ageSeconds", Shape::Integer, "How long ago, in whole seconds."),
]);

const FINDING: Shape = Shape::Record(&[
    always("gate", Shape::Text, "The gate, such as `health`."),
    always("code", Shape::Text, "The stable code, such as `health.limit-exceeded`."),
    always(
        "subject",
        Shape::Text,
        "The metric, flow, environment or override that it is about; empty where it is none.",
    ),
    always("outcome", Shape::Word(&["pass", "hold", "fail"]), "What it says."),
    always("hold", Shape::Word(&["waiting", "blocked", "blind", "none"]), "Of a hold: its kind."),
    always("dryRun", Shape::Bool, "Whether it is shown and never counts."),
    if_known("until", Shape::Instant, "Of a hold: when it ends by itself."),
    always("facts", Shape::Anything, "What was found, in the gate's own terms; keys that are not known are left out."),
]);

impl Shape {
    /// What stands below a key, if something may stand there.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<Shape> {
        match self {
            Self::Anything => Some(Self::Anything),
            Self::Named(_, shape) => Some(**shape),
            Self::Record(fields) => fields.iter().find(|field| field.key == key).map(|field| field.shape),
            _ => None,
        }
    }

    /// What the elements of a list or the values of a map are.
    #[must_use]
    pub fn element(&self) -> Option<Shape> {
        match self {
            Self::Anything => Some(Self::Anything),
            Self::List(shape) | Self::Named(_, shape) => Some(**shape),
            _ => None,
        }
    }

    /// The keys that may stand here; nothing where any key may.
    #[must_use]
    pub fn keys(&self) -> Option<impl Iterator<Item = &'static str>> {
        match self {
            Self::Record(fields) => Some(fields.iter().map(|field| field.key)),
            _ => None,
        }
    }

    /// Where a document does not have this shape: the path, or nothing if it has.
    #[must_use]
    pub fn mismatch(&self, fact: &Fact) -> Option<String> {
        let below = |path: &str, found: Option<String>| found.map(|rest| format!(".{path}{rest}"));
        let fits = match (self, fact) {
            (Self::Anything, _)
            | (Self::Bool, Fact::Bool(_))
            | (Self::Integer, Fact::Integer(_))
            | (Self::Number, Fact::Integer(_) | Fact::Number(_))
            | (Self::Text, Fact::Text(_)) => true,
            (Self::Instant, Fact::Text(text)) => text.parse::<crate::Instant>().is_ok(),
            (Self::Word(words), Fact::Text(text)) => words.contains(&&**text),
            (Self::List(shape), Fact::List(items)) => {
                return items.iter().find_map(|item| below("*", shape.mismatch(item)));
            }
            (Self::Named(_, shape), Fact::Map(map)) => {
                return map.iter().find_map(|(key, value)| below(key, shape.mismatch(value)));
            }
            (Self::Record(fields), Fact::Map(map)) => {
                let absent = fields.iter().find(|field| field.always && !map.contains_key(field.key));
                let wrong = || {
                    map.iter().find_map(|(key, value)| match self.field(key) {
                        Some(shape) => below(key, shape.mismatch(value)),
                        None => Some(format!(".{key}")),
                    })
                };
                return absent.map(|field| format!(".{}", field.key)).or_else(wrong);
            }
            _ => false,
        };
        (!fits).then(String::new)
    }

    /// The JSON Schema of a whole document of this shape.
    pub(crate) fn document_schema(&self, title: &str) -> Json {
        let mut schema = self.schema();
        if let Json::Object(schema) = &mut schema {
            schema.insert("$schema".to_owned(), Json::from("https://json-schema.org/draft/2020-12/schema"));
            schema.insert("title".to_owned(), Json::from(title));
        }
        schema
    }

    fn schema(&self) -> Json {
        match self {
            Self::Anything => json!({}),
            Self::Bool => json!({ "type": "boolean" }),
            Self::Integer => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::Text => json!({ "type": "string" }),
            Self::Instant => json!({ "type": "string", "format": "date-time" }),
            Self::Word(words) => json!({ "enum": words }),
            Self::List(shape) => json!({ "type": "array", "items": shape.schema() }),
            Self::Named(_, shape) => json!({ "type": "object", "additionalProperties": shape.schema() }),
            Self::Record(fields) => {
                let mut properties = Map::new();
                for field in *fields {
                    let mut schema = field.shape.schema();
                    if let Json::Object(schema) = &mut schema {
                        schema.insert("description".to_owned(), Json::from(field.about));
                    }
                    properties.insert(field.key.to_owned(), schema);
                }
                let required: Vec<&str> = fields.iter().filter(|field| field.always).map(|field| field.key).collect();
                json!({
                    "type": "object", "properties": properties, "required": required, "additionalProperties": false,
                })
            }
        }
    }
}

/// The JSON Schema of the document that rules read: `input` in Rego, the variables of CEL.
///
/// ```
/// let schema = davy::rule_input_schema();
/// assert_eq!(schema["properties"]["stage"]["enum"][0], "canary");
/// ```
#[must_use]
pub fn rule_input_schema() -> Json {
    INPUT.document_schema("davy rule input")
}
