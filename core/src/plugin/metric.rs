//! Custom metrics: what they see and what they return.

use crate::snapshot::{Buckets, Histogram, PluginFault};
use crate::{Count, Duration, Instant, Name};

/// A custom metric.
///
/// Its result must depend on nothing but the input: the engine records results and never asks again. Every closure
/// from a [`MetricInput`] to a result or a reason is one.
pub trait MetricPlugin: Send + Sync {
    /// What runs it, with everything that its results may depend on, such as `wasmtime 48.0.8`: for the record.
    fn engine(&self) -> &str {
        "native"
    }

    /// Measures one cohort in one interval. Must not panic.
    fn evaluate(&self, input: &MetricInput<'_>) -> Evaluated;
}

/// What a metric is measured from.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricInput<'a> {
    /// The parameters of the policy: a JSON object.
    pub parameters: &'a str,
    /// When the evaluated interval began.
    pub start: Instant,
    /// The length of an interval.
    pub every: Duration,
    /// How many intervals are shown, the evaluated one last.
    pub window: u32,
    /// What was observed of the measured cohort: by input, then by replica.
    pub series: Vec<Series<'a>>,
    /// The same of the baseline; empty unless a comparison is measured.
    pub baseline: Vec<Series<'a>>,
}

/// One input, or one replica of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series<'a> {
    /// The input's name.
    pub input: &'a Name,
    /// Which replica, where they are kept apart.
    pub replica: Option<&'a Name>,
    /// Which intervals of the window the data are of, rising, from 0. What is not there was not seen.
    pub at: Vec<u32>,
    /// One entry per interval in `at`.
    pub data: Data<'a>,
}

/// Data of one form, one entry per interval.
#[derive(Debug, Clone, PartialEq)]
pub enum Data<'a> {
    /// Bad events and all events.
    Counts(Vec<(Count, Count)>),
    /// Numbers of events.
    Events(Vec<Count>),
    /// Finite values.
    Gauge(Vec<f64>),
    /// Classic cumulative buckets.
    Buckets(Vec<&'a Buckets>),
    /// Native histograms.
    Histogram(Vec<&'a Histogram>),
}

/// What a metric measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// A finite value.
    Value(f64),
    /// Bad events of all events.
    Counts {
        /// Bad events, at most `total`.
        bad: u64,
        /// All events.
        total: u64,
    },
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The result.
    pub result: Result<Measured, NoResult>,
    /// How much of its budget was spent; nothing where nobody counts.
    pub fuel: Option<u64>,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoResult {
    /// The plugin says why nothing can be said.
    Rejected(String),
    /// The plugin, or what runs it, failed.
    Faulted(PluginFault, String),
}

impl<F> MetricPlugin for F
where
    F: Fn(&MetricInput<'_>) -> Result<Measured, String> + Send + Sync,
{
    fn evaluate(&self, input: &MetricInput<'_>) -> Evaluated {
        Evaluated { result: self(input).map_err(NoResult::Rejected), fuel: None }
    }
}

impl Series<'_> {
    /// Its values, if they are gauges.
    #[must_use]
    pub fn gauges(&self) -> &[f64] {
        match &self.data {
            Data::Gauge(values) => values,
            _ => &[],
        }
    }
}
