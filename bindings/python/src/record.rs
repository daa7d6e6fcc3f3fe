//! Sealed decisions.

use std::sync::Arc;

use davy::Record;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::decision::PyDecision;
use crate::engine::PyEngine;
use crate::error::ReplayError;
use crate::json::Json;
use crate::snapshot::PySnapshot;
use crate::state::PyState;

/// A sealed decision: canonical bytes that bind it to its inputs.
#[pyclass(name = "Record", module = "davy", frozen)]
pub(crate) struct PyRecord(pub(crate) Arc<Record>);

#[pymethods]
impl PyRecord {
    /// Reads the canonical bytes of a record.
    #[staticmethod]
    fn from_bytes(bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let read = Record::from_bytes(Json::new(bytes)?.bytes()?);
        read.map(|record| Self(Arc::new(record))).map_err(|refused| ReplayError::new_err(refused.to_string()))
    }

    /// The canonical bytes.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.bytes())
    }

    /// The digest of the bytes.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// What was decided.
    #[getter]
    fn decision(&self) -> PyDecision {
        PyDecision(self.0.decision().clone())
    }

    /// Decides again from the same inputs and compares every byte; raises `ReplayError` where they differ.
    fn replay(&self, engine: &PyEngine, prior: &PyState, snapshot: &PySnapshot) -> PyResult<()> {
        let replayed = self.0.replay(&engine.0, &prior.0, &snapshot.0);
        replayed.map_err(|refused| ReplayError::new_err(refused.to_string()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let kind: Bound<'py, PyType> = slf.get_type();
        Ok((kind.getattr("from_bytes")?, (slf.get().bytes(slf.py()),)))
    }

    fn __repr__(&self) -> String {
        format!("<davy.Record {} {}>", self.0.decision().verdict, self.0.digest())
    }
}
