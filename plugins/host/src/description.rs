//! What a plugin says of itself, checked.

use std::collections::BTreeSet;

use davy::Name;
use davy::plugin::{Form, Measures};

use crate::bindings::{metric::measure, step::step};
use crate::error::PluginError;
use crate::schema::Schema;

/// The most inputs or captures that a plugin may name.
const MOST_NAMES: usize = 100;
/// The widest window.
const WIDEST: u32 = 10_000;

/// The worlds of plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A custom metric.
    Metric,
    /// A custom step of a probe flow.
    ProbeStep,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// Its world.
    pub world: World,
    /// Its name.
    pub name: Name,
    /// Its version.
    pub version: Name,
    /// What it does, in one sentence.
    pub summary: String,
    /// What a metric measures; nothing for probe steps.
    pub measures: Option<Measures>,
    /// The unit of what it measures; empty for counts and probe steps.
    pub unit: String,
    /// The least number of intervals that a metric needs to see; 0 for probe steps.
    pub window: u32,
    /// What a metric reads.
    pub inputs: Vec<Input>,
    /// What a probe step may capture.
    pub captures: Vec<Name>,
    /// The schema of its parameters.
    pub schema: Schema,
}

/// Something that a metric reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: Name,
    /// What is in it.
    pub summary: String,
    /// The form of its data.
    pub form: Form,
    /// Whether it may be absent.
    pub optional: bool,
}

impl World {
    /// The world's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::ProbeStep => "probe-step",
        }
    }
}

impl Description {
    pub(crate) fn of_metric(said: measure::Description) -> Result<Self, PluginError> {
        let (measures, unit) = match &said.measures {
            measure::Measures::Counts => (Measures::Counts, ""),
            measure::Measures::Value(unit) => (Measures::Value, unit.as_str()),
            measure::Measures::Comparison(unit) => (Measures::Comparison, unit.as_str()),
        };
        if said.window == 0 || said.window > WIDEST {
            return refuse(format!("the window is {}, not from 1 to {WIDEST}", said.window));
        }
        if measures == Measures::Counts && said.window != 1 {
            return refuse("counts are of one interval alone: the window must be 1".to_owned());
        }
        if said.inputs.is_empty() || said.inputs.len() > MOST_NAMES {
            return refuse(format!("it names {} inputs, not from 1 to {MOST_NAMES}", said.inputs.len()));
        }
        let mut seen = BTreeSet::new();
        let mut inputs = Vec::with_capacity(said.inputs.len());
        for input in &said.inputs {
            let form = match input.form {
                measure::Form::Counts => Form::Counts,
                measure::Form::Events => Form::Events,
                measure::Form::Gauge => Form::Gauge,
                measure::Form::Buckets => Form::Buckets,
                measure::Form::Histogram => Form::Histogram,
            };
            let name = name("an input's name", &input.name)?;
            if !seen.insert(name.clone()) {
                return refuse(format!("the input `{name}` stands twice"));
            }
            inputs.push(Input { name, summary: sentence(&input.summary), form, optional: input.optional });
        }
        Ok(Self {
            world: World::Metric,
            name: name("the name", &said.name)?,
            version: name("the version", &said.version)?,
            summary: sentence(&said.summary),
            measures: Some(measures),
            unit: sentence(unit),
            window: said.window,
            inputs,
            captures: Vec::new(),
            schema: Schema::parse(&said.parameters)?,
        })
    }

    pub(crate) fn of_step(said: step::Description) -> Result<Self, PluginError> {
        if said.captures.len() > MOST_NAMES {
            return refuse(format!("it names {} captures; at most {MOST_NAMES} are allowed", said.captures.len()));
        }
        let captures = said.captures.iter().map(|capture| name("a capture's name", capture));
        Ok(Self {
            world: World::ProbeStep,
            name: name("the name", &said.name)?,
            version: name("the version", &said.version)?,
            summary: sentence(&said.summary),
            measures: None,
            unit: String::new(),
            window: 0,
            inputs: Vec::new(),
            captures: captures.collect::<Result<_, _>>()?,
            schema: Schema::parse(&said.parameters)?,
        })
    }
}

fn refuse<T>(why: String) -> Result<T, PluginError> {
    Err(PluginError::Description(why))
}

fn name(what: &str, text: &str) -> Result<Name, PluginError> {
    text.parse().map_err(|error| PluginError::Description(format!("{what}: {error}")))
}

/// Text of a plugin's, fit for a line.
fn sentence(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(400).collect()
}
