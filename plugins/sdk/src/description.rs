//! What plugins say of themselves.

/// What a metric says of itself; [`metric!`](crate::metric!) writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricDescription {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it measures, in one sentence.
    pub summary: &'static str,
    /// What it returns.
    pub measures: Measures,
    /// The least number of intervals that it needs to see.
    pub window: u32,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// The JSON Schema of its parameters.
    pub parameters: String,
}

/// What a metric returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measures {
    /// Bad events of all events of one cohort and interval: inside davy's guarantee.
    Counts,
    /// A value of one cohort, and its unit.
    Value(&'static str),
    /// A value of the canary beside the baseline, and its unit.
    Comparison(&'static str),
}

/// Something that a metric reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub summary: &'static str,
    /// The form of its data.
    pub form: Form,
    /// Whether it may be absent.
    pub optional: bool,
}

/// The forms of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Bad events of all events.
    Counts,
    /// Numbers of events.
    Events,
    /// Values that go up and down.
    Gauge,
    /// Classic buckets.
    Buckets,
    /// Native histograms.
    Histogram,
}

/// What a probe step says of itself; [`step!`](crate::step!) writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDescription {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The JSON Schema of its parameters.
    pub parameters: String,
    /// The values that it may capture.
    pub captures: Vec<&'static str>,
}
