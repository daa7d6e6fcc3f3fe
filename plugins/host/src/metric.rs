//! A plugin as a metric.

use std::sync::Arc;

use davy::plugin::{Data, Evaluated, Measured, MetricInput, MetricPlugin, NoResult, PluginFault, Series};

use crate::bindings::metric::measure;
use crate::call::{Called, call};
use crate::description::World;
use crate::error::PluginError;
use crate::load::{Code, Plugin};

/// A plugin that measures a metric; every call runs in a fresh instance.
#[derive(Debug, Clone)]
pub struct Metric(Arc<Plugin>);

impl Metric {
    pub(crate) fn of(plugin: &Arc<Plugin>) -> Result<Self, PluginError> {
        match plugin.code {
            Code::Metric(_) => Ok(Self(Arc::clone(plugin))),
            Code::Step(_) => {
                Err(PluginError::OtherWorld { expected: World::Metric.as_str(), found: World::ProbeStep.as_str() })
            }
        }
    }

    /// What runs it, with everything that results depend on.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.0.runtime.name
    }
}

impl MetricPlugin for Metric {
    fn engine(&self) -> &str {
        Metric::engine(self)
    }

    fn evaluate(&self, input: &MetricInput<'_>) -> Evaluated {
        let Code::Metric(pre) = &self.0.code else {
            // Refused when it was made.
            let fault = NoResult::Faulted(PluginFault::NotLoaded, "it is no metric".to_owned());
            return Evaluated { result: Err(fault), fuel: None };
        };
        let columns = |series: &[Series<'_>]| -> Vec<Column> { series.iter().map(Column::of).collect() };
        let (own, beside) = (columns(&input.series), columns(&input.baseline));
        let (own_lists, beside_lists) = (nested(&own), nested(&beside));
        let observed = measure::Observed {
            start: input.start.millis(),
            every: input.every.millis(),
            window: input.window,
            series: &all_series(&input.series, &own, &own_lists),
            baseline: &all_series(&input.baseline, &beside, &beside_lists),
        };
        let called: Called<_> = call(
            &self.0.runtime,
            |store| pre.instantiate(store),
            |metric, store| metric.davy_plugin_measure().call_evaluate(store, input.parameters, observed),
        );
        let result = match called.result {
            Ok(Ok(measure::Outcome::Value(value))) => Ok(Measured::Value(value)),
            Ok(Ok(measure::Outcome::Counts(counts))) => Ok(Measured::Counts { bad: counts.bad, total: counts.total }),
            Ok(Err(message)) => Err(NoResult::Rejected(message)),
            Err((fault, detail)) => Err(NoResult::Faulted(fault, detail)),
        };
        Evaluated { result, fuel: Some(called.fuel) }
    }
}

/// Schema, requests without measurable time, and counts by index.
type Native = (i8, u64, Vec<(i32, u64)>);

/// A series' data as the world has them, where they differ from davy's.
enum Column {
    /// Handed on as it is.
    Gauge,
    Counts(Vec<measure::Counts>),
    Events(Vec<u64>),
    /// Bounds with counts, and all requests.
    Buckets(Vec<(Vec<(f64, u64)>, u64)>),
    Histogram(Vec<Native>),
}

impl Column {
    fn of(series: &Series<'_>) -> Self {
        match &series.data {
            Data::Gauge(_) => Self::Gauge,
            Data::Counts(all) => Self::Counts(
                all.iter().map(|(bad, total)| measure::Counts { bad: bad.get(), total: total.get() }).collect(),
            ),
            Data::Events(all) => Self::Events(all.iter().map(|events| events.get()).collect()),
            Data::Buckets(all) => Self::Buckets(
                all.iter()
                    .map(|buckets| {
                        let bounds = buckets.at_most().iter().map(|(bound, count)| (*bound, count.get()));
                        (bounds.collect(), buckets.total().get())
                    })
                    .collect(),
            ),
            Data::Histogram(all) => Self::Histogram(
                all.iter()
                    .map(|histogram| {
                        let counts = histogram.buckets().iter().map(|(index, count)| (*index, count.get()));
                        (histogram.schema(), histogram.zero().get(), counts.collect())
                    })
                    .collect(),
            ),
        }
    }
}

/// The lists within lists that the world's types borrow.
enum Nested<'a> {
    None,
    Buckets(Vec<measure::Buckets<'a>>),
    Histogram(Vec<measure::Histogram<'a>>),
}

fn nested(columns: &[Column]) -> Vec<Nested<'_>> {
    let lists = |column| match column {
        &Column::Gauge | &Column::Counts(_) | &Column::Events(_) => Nested::None,
        Column::Buckets(all) => {
            Nested::Buckets(all.iter().map(|(at_most, total)| measure::Buckets { at_most, total: *total }).collect())
        }
        Column::Histogram(all) => Nested::Histogram(
            all.iter()
                .map(|(schema, zero, buckets)| measure::Histogram { schema: *schema, zero: *zero, buckets })
                .collect(),
        ),
    };
    columns.iter().map(lists).collect()
}

fn all_series<'a>(all: &'a [Series<'a>], columns: &'a [Column], lists: &'a [Nested<'a>]) -> Vec<measure::Series<'a>> {
    let one = |((series, column), lists): ((&'a Series<'a>, &'a Column), &'a Nested<'a>)| {
        let data = match (&series.data, column, lists) {
            (Data::Gauge(values), _, _) => measure::Data::Gauge(values),
            (_, Column::Counts(all), _) => measure::Data::Counts(all),
            (_, Column::Events(all), _) => measure::Data::Events(all),
            (_, _, Nested::Buckets(all)) => measure::Data::Buckets(all),
            (_, _, Nested::Histogram(all)) => measure::Data::Histogram(all),
            // Columns are made from the series, form by form.
            (_, Column::Gauge | Column::Buckets(_) | Column::Histogram(_), Nested::None) => measure::Data::Gauge(&[]),
        };
        let replica = series.replica.map(davy::Name::as_str);
        measure::Series { input: series.input.as_str(), replica, at: &series.at, data }
    };
    all.iter().zip(columns).zip(lists).map(one).collect()
}
