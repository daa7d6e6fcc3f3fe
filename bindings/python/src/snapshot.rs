//! What a host observed.

use davy::{Duration, Series, Snapshot};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::error::{self, SeriesError};
use crate::json::{Json, loads};
use crate::series::PySeries;

/// Everything that the host observed of a release, the time included. From a dict, str or bytes with JSON.
#[pyclass(name = "Snapshot", module = "davy", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PySnapshot(pub(crate) Snapshot);

#[pymethods]
impl PySnapshot {
    #[new]
    fn new(json: &Bound<'_, PyAny>) -> PyResult<Self> {
        let read = Snapshot::from_json(Json::new(json)?.bytes()?);
        read.map(Self).map_err(|refused| error::snapshot(json.py(), &refused))
    }

    /// A snapshot with the intervals that these series describe, added to those it has. `every` is the policy's, such as `30s`.
    fn with_series(&self, every: &str, series: Vec<PyRef<'_, PySeries>>) -> PyResult<Self> {
        let every: Duration =
            every.parse().map_err(|error: davy::TimeError| PyValueError::new_err(error.to_string()))?;
        let views = series.iter().map(|one| one.view()).collect::<Vec<Series<'_>>>();
        let intervals =
            Series::intervals(every, &views).map_err(|refused| SeriesError::new_err(refused.to_string()))?;
        let mut snapshot = self.0.clone();
        snapshot.intervals.extend(intervals);
        Ok(Self(snapshot))
    }

    /// When this was observed, as RFC 3339.
    #[getter]
    fn now(&self) -> String {
        self.0.now.to_string()
    }

    /// How many intervals it holds.
    #[getter]
    fn intervals(&self) -> usize {
        self.0.intervals.len()
    }

    /// Compact JSON.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let json = serde_json::to_vec(&self.0).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &json))
    }

    /// The same as plain Python objects.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, self.to_json(py)?.as_bytes())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type(), (slf.get().to_json(slf.py())?,)))
    }

    fn __repr__(&self) -> String {
        let release = &self.0.release;
        format!("<davy.Snapshot {} {} in {} at {}>", release.service, release.revision, release.environment, self.0.now)
    }
}
