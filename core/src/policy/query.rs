//! What a source is asked, and that a document says it in exactly one way.

use serde::Serialize;

use super::slo::SloQuery;
use crate::Name;
use crate::document::decode::Report;
use crate::document::{DiagnosticCode as Code, Metric, MetricInputQuery, Position, Spanned};

/// What to ask a source, as the document wrote it.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// The events of an SLO.
    Slo(SloQuery),
}

/// The keys of a document that say what a source is asked.
pub(crate) struct Ways<'a> {
    /// What it is for: ``the metric `errors` ``.
    what: String,
    keys: &'static str,
    bad: &'a Option<Spanned<String>>,
    good: &'a Option<Spanned<String>>,
    total: &'a Option<Spanned<String>>,
    histogram: &'a Option<Spanned<String>>,
    buckets: &'a Option<Spanned<String>>,
    gauge: &'a Option<Spanned<String>>,
    events: &'a Option<Spanned<Name>>,
    probe: &'a Option<Spanned<Name>>,
    plugins: usize,
    position: &'a Position,
}

impl<'a> Ways<'a> {
    pub(super) fn of_metric(metric: &'a Metric) -> Self {
        Self {
            what: format!("the metric `{}`", metric.name.value),
            keys: "`bad` with `total`, `good` with `total`, `histogram`, `buckets`, `gauge`, `probe`, `events`, `plugin`",
            bad: &metric.bad,
            good: &metric.good,
            total: &metric.total,
            histogram: &metric.histogram,
            buckets: &metric.buckets,
            gauge: &metric.gauge,
            events: &metric.events,
            probe: &metric.probe,
            plugins: usize::from(metric.plugin.is_some()),
            position: &metric.position,
        }
    }

    pub(crate) fn of_input(input: &'a MetricInputQuery) -> Self {
        Self {
            what: format!("the input `{}`", input.name.value),
            keys: "`bad` with `total`, `good` with `total`, `histogram`, `buckets`, `gauge`, `events`",
            bad: &input.bad,
            good: &input.good,
            total: &input.total,
            histogram: &input.histogram,
            buckets: &input.buckets,
            gauge: &input.gauge,
            events: &input.events,
            probe: &None,
            plugins: 0,
            position: &input.position,
        }
    }

    /// Whether no source is asked.
    pub(super) fn is_nothing(&self) -> bool {
        let texts = [self.bad, self.good, self.total, self.histogram, self.buckets, self.gauge];
        texts.iter().all(|text| text.is_none()) && self.events.is_none() && self.probe.is_none()
    }

    /// Exactly one way to measure.
    pub(crate) fn query(&self, report: &mut Report) -> Option<Query> {
        let text = |field: &Option<Spanned<String>>| field.as_ref().map(|spanned| spanned.value.clone());
        let mut ways = Vec::new();
        let total = text(self.total);
        for (key, counter) in [("bad", text(self.bad)), ("good", text(self.good))] {
            match (counter, &total) {
                (Some(bad), Some(total)) if key == "bad" => ways.push(Query::Bad { bad, total: total.clone() }),
                (Some(good), Some(total)) => ways.push(Query::Good { good, total: total.clone() }),
                (Some(_), None) => {
                    let message = format!("`{key}` needs `total`");
                    report.error(Code::Choice, self.position, message, "add the counter of all events".to_owned());
                    return None;
                }
                (None, _) => {}
            }
        }
        let orphan = total.is_some() && ways.is_empty();
        ways.extend(text(self.histogram).map(Query::Histogram));
        ways.extend(text(self.buckets).map(Query::Buckets));
        ways.extend(text(self.gauge).map(Query::Gauge));
        ways.extend(self.probe.as_ref().map(|probe| Query::Probe(probe.value.clone())));
        ways.extend(self.events.as_ref().map(|events| Query::Events(events.value.clone())));
        let found = ways.len() + self.plugins;
        if found == 1 && !orphan {
            return ways.pop();
        }
        let message = format!("{} is measured in {found} ways", self.what);
        report.error(Code::Choice, self.position, message, format!("give exactly one of {}", self.keys));
        None
    }
}
