//! Series: columns from lists, NumPy and Arrow.

use arrow_buffer::ScalarBuffer;
use davy::{Cohort, Name, Series, SeriesValues};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{counts, floats, indexes, millis};

/// One metric's values over many intervals as columns: lists, NumPy arrays, or anything with Arrow's PyCapsule interface.
#[pyclass(name = "Series", module = "davy", frozen)]
pub(crate) struct PySeries {
    metric: Name,
    cohort: Cohort,
    replica: Option<Name>,
    starts: ScalarBuffer<i64>,
    values: Values,
}

enum Values {
    Counts { bad: ScalarBuffer<u64>, total: ScalarBuffer<u64> },
    Events(ScalarBuffer<u64>),
    Gauge(ScalarBuffer<f64>),
    Buckets { bounds: ScalarBuffer<f64>, at_most: ScalarBuffer<u64>, total: ScalarBuffer<u64> },
    Histogram { schema: i8, zero: ScalarBuffer<u64>, offsets: Vec<usize>, index: Vec<i32>, count: ScalarBuffer<u64> },
}

#[pymethods]
impl PySeries {
    /// Bad events of all events. A null count says that the source has no value for the interval.
    #[staticmethod]
    #[pyo3(signature = (metric, cohort, starts, *, bad, total, replica = None))]
    fn counts(
        metric: &str,
        cohort: &str,
        starts: &Bound<'_, PyAny>,
        bad: &Bound<'_, PyAny>,
        total: &Bound<'_, PyAny>,
        replica: Option<&str>,
    ) -> PyResult<Self> {
        let values = Values::Counts { bad: counts("bad", bad)?, total: counts("total", total)? };
        Self::of(metric, cohort, replica, starts, values)
    }

    /// Numbers of events.
    #[staticmethod]
    #[pyo3(signature = (metric, cohort, starts, *, events, replica = None))]
    fn events(
        metric: &str,
        cohort: &str,
        starts: &Bound<'_, PyAny>,
        events: &Bound<'_, PyAny>,
        replica: Option<&str>,
    ) -> PyResult<Self> {
        Self::of(metric, cohort, replica, starts, Values::Events(counts("events", events)?))
    }

    /// Values that go up and down; NaN and infinities count as missing.
    #[staticmethod]
    #[pyo3(signature = (metric, cohort, starts, *, values, replica = None))]
    fn gauge(
        metric: &str,
        cohort: &str,
        starts: &Bound<'_, PyAny>,
        values: &Bound<'_, PyAny>,
        replica: Option<&str>,
    ) -> PyResult<Self> {
        Self::of(metric, cohort, replica, starts, Values::Gauge(floats("values", values)?))
    }

    /// Classic cumulative buckets: `at_most` holds `len(bounds)` counts for each interval, one interval after the other.
    #[staticmethod]
    #[pyo3(signature = (metric, cohort, starts, *, bounds, at_most, total, replica = None))]
    fn buckets(
        metric: &str,
        cohort: &str,
        starts: &Bound<'_, PyAny>,
        bounds: &Bound<'_, PyAny>,
        at_most: &Bound<'_, PyAny>,
        total: &Bound<'_, PyAny>,
        replica: Option<&str>,
    ) -> PyResult<Self> {
        let values = Values::Buckets {
            bounds: floats("bounds", bounds)?,
            at_most: counts("at_most", at_most)?,
            total: counts("total", total)?,
        };
        Self::of(metric, cohort, replica, starts, values)
    }

    /// Native histograms: the buckets of interval `i` are those from `offsets[i]` to `offsets[i + 1]`.
    #[staticmethod]
    #[pyo3(signature = (metric, cohort, starts, *, schema, zero, offsets, index, count, replica = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn histogram(
        metric: &str,
        cohort: &str,
        starts: &Bound<'_, PyAny>,
        schema: i8,
        zero: &Bound<'_, PyAny>,
        offsets: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        count: &Bound<'_, PyAny>,
        replica: Option<&str>,
    ) -> PyResult<Self> {
        let values = Values::Histogram {
            schema,
            zero: counts("zero", zero)?,
            offsets: indexes("offsets", offsets)?,
            index: indexes("index", index)?,
            count: counts("count", count)?,
        };
        Self::of(metric, cohort, replica, starts, values)
    }

    fn __len__(&self) -> usize {
        self.starts.len()
    }

    fn __repr__(&self) -> String {
        format!("<davy.Series {} with {} intervals>", self.metric, self.__len__())
    }
}

impl PySeries {
    fn of(
        metric: &str,
        cohort: &str,
        replica: Option<&str>,
        starts: &Bound<'_, PyAny>,
        values: Values,
    ) -> PyResult<Self> {
        Ok(Self {
            metric: name(metric)?,
            cohort: self::cohort(cohort)?,
            replica: replica.map(name).transpose()?,
            starts: millis("starts", starts)?,
            values,
        })
    }

    /// The columns where they lie.
    pub(crate) fn view(&self) -> Series<'_> {
        let values = match &self.values {
            Values::Counts { bad, total } => SeriesValues::Counts { bad, total },
            Values::Events(events) => SeriesValues::Events(events),
            Values::Gauge(values) => SeriesValues::Gauge(values),
            Values::Buckets { bounds, at_most, total } => SeriesValues::Buckets { bounds, at_most, total },
            Values::Histogram { schema, zero, offsets, index, count } => {
                SeriesValues::Histogram { schema: *schema, zero, offsets, index, count }
            }
        };
        Series {
            metric: self.metric.clone(),
            cohort: self.cohort,
            replica: self.replica.clone(),
            starts: &self.starts,
            values,
        }
    }
}

pub(crate) fn cohort(word: &str) -> PyResult<Cohort> {
    match word {
        "canary" => Ok(Cohort::Canary),
        "baseline" => Ok(Cohort::Baseline),
        other => Err(PyValueError::new_err(format!("a cohort is `canary` or `baseline`, not `{other}`"))),
    }
}

pub(crate) fn name(text: &str) -> PyResult<Name> {
    text.parse().map_err(|error: davy::NameError| PyValueError::new_err(error.to_string()))
}
