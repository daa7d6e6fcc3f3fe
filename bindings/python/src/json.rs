//! JSON in and out: bytes and text are read where they lie, other objects go through Python's own `json`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};

/// JSON that a caller handed in.
pub(crate) enum Json<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Bound<'py, PyString>),
}

impl<'py> Json<'py> {
    /// From `bytes`, `str`, a mapping, or anything else that gives its bytes.
    pub(crate) fn new(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = given.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        if let Ok(text) = given.cast::<PyString>() {
            return Ok(Self::Text(text.clone()));
        }
        if given.cast::<PyMapping>().is_ok() {
            return Ok(Self::Text(dumps(given)?));
        }
        let py = given.py();
        let bytes =
            py.import("builtins")?.getattr("memoryview")?.call1((given,)).and_then(|view| view.call_method0("tobytes"));
        match bytes.and_then(|bytes| Ok(bytes.cast_into::<PyBytes>()?)) {
            Ok(bytes) => Ok(Self::Bytes(bytes)),
            Err(_) => {
                let kind = given.get_type().qualname()?;
                Err(PyTypeError::new_err(format!("expected a dict, str or bytes with JSON, not `{kind}`")))
            }
        }
    }

    pub(crate) fn bytes(&self) -> PyResult<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.as_bytes()),
            Self::Text(text) => Ok(text.to_str()?.as_bytes()),
        }
    }
}

/// A Python object from JSON.
pub(crate) fn loads<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((PyBytes::new(py, json),))
}

/// JSON from a Python object; instants and NumPy's numbers are understood.
fn dumps<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    options.set_item("default", PLAIN.import(py, "davy._plain", "plain")?)?;
    Ok(DUMPS.import(py, "json", "dumps")?.call((object,), Some(&options))?.cast_into()?)
}

/// An instant from a `datetime` with a zone, or RFC 3339 text.
pub(crate) fn instant(given: &Bound<'_, PyAny>) -> PyResult<davy::Instant> {
    let text = match given.cast::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) => given.call_method0("isoformat")?.cast_into::<PyString>()?,
    };
    text.to_str()?.parse().map_err(|error: davy::TimeError| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}
