//! What must survive between two decisions.

use davy::State;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::error;
use crate::json::Json;

/// What must survive between two decisions: opaque, small, versioned. `State()` is that before the first decision.
#[pyclass(name = "State", module = "davy", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyState(pub(crate) State);

#[pymethods]
impl PyState {
    #[new]
    fn new() -> Self {
        Self(State::new())
    }

    /// Reads a state that `to_json` wrote.
    #[staticmethod]
    fn from_json(json: &Bound<'_, PyAny>) -> PyResult<Self> {
        let read = State::from_json(Json::new(json)?.bytes()?);
        read.map(Self).map_err(|refused| error::snapshot(json.py(), &refused))
    }

    /// Compact JSON.
    fn to_json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_json())
    }

    /// The state that the next release, or the next attempt, of the same service begins with.
    fn next_release(&self) -> Self {
        Self(self.0.next_release())
    }

    /// The digest that stands for this state in records.
    #[getter]
    fn digest(&self) -> PyResult<String> {
        self.0.digest().map(|digest| digest.to_string()).map_err(|refused| error::seal(&refused))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let kind: Bound<'py, PyType> = slf.get_type();
        Ok((kind.getattr("from_json")?, (slf.get().to_json(slf.py()),)))
    }

    fn __repr__(&self) -> String {
        match self.0.release() {
            Some(release) => {
                format!("<davy.State {} {} in {}>", release.service, release.revision, release.environment)
            }
            None => "<davy.State, new>".to_owned(),
        }
    }
}
