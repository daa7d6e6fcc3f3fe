//! The tree of exceptions. Each carries what a program needs as attributes, and reads as the command line would say it.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;

use crate::bundle::PyDiagnostic;

create_exception!(davy, DavyError, PyException, "Anything that davy refuses.");
create_exception!(
    davy,
    PolicyError,
    DavyError,
    "A bundle that is refused; `diagnostics` holds everything that is wrong."
);
create_exception!(
    davy,
    SnapshotError,
    DavyError,
    "JSON that is no snapshot, state or record; `code`, `line`, `column`, `hint`."
);
create_exception!(
    davy,
    PluginError,
    DavyError,
    "A WebAssembly plugin, or the folder for compiled ones, that is refused; `code`."
);
create_exception!(davy, SeriesError, DavyError, "Columns that make no intervals.");
create_exception!(davy, ReplayError, DavyError, "A record that does not replay from these inputs.");
create_exception!(davy, SealError, DavyError, "A decision whose inputs have no canonical form.");
create_exception!(davy, ProbeError, DavyError, "A probe that cannot run, or a host that does not follow its protocol.");

pub(crate) fn policy(py: Python<'_>, error: &davy::BundleError) -> PyErr {
    documents(py, error.to_string(), error.diagnostics())
}

pub(crate) fn plugin(py: Python<'_>, error: &davy_plugins::PluginError) -> PyErr {
    let message = error.to_string();
    if let davy_plugins::PluginError::Documents(diagnostics) = error {
        return documents(py, message, diagnostics);
    }
    // Messages begin with the code.
    let code = message.split(':').next().unwrap_or_default().to_owned();
    with(py, PluginError::new_err(message), |value| value.setattr("code", code))
}

fn documents(py: Python<'_>, message: String, diagnostics: &[davy::Diagnostic]) -> PyErr {
    let refused = PolicyError::new_err(message);
    let first = diagnostics.first().map(|first| &first.position);
    let diagnostics: Vec<_> = diagnostics.iter().cloned().map(PyDiagnostic::from).collect();
    with(py, refused, |value| {
        value.setattr("diagnostics", pyo3::types::PyTuple::new(py, diagnostics)?)?;
        value.setattr("file", first.map(|position| position.file.to_string()))?;
        value.setattr("line", first.map(|position| position.line))?;
        value.setattr("column", first.map(|position| position.column))
    })
}

pub(crate) fn snapshot(py: Python<'_>, error: &davy::SnapshotError) -> PyErr {
    let refused = SnapshotError::new_err(error.to_string());
    with(py, refused, |value| {
        value.setattr("code", error.code.to_string())?;
        value.setattr("line", error.line)?;
        value.setattr("column", error.column)?;
        value.setattr("hint", error.hint.as_deref())
    })
}

pub(crate) fn seal(error: &davy::CanonicalError) -> PyErr {
    SealError::new_err(error.to_string())
}

pub(crate) fn agenda(refused: davy::AgendaError) -> PyErr {
    PyValueError::new_err(refused.to_string())
}

/// The exception with its attributes, or what went wrong while setting them.
fn with(py: Python<'_>, error: PyErr, set: impl FnOnce(&Bound<'_, PyException>) -> PyResult<()>) -> PyErr {
    let value = error.value(py).cast::<PyException>().map_err(PyErr::from).cloned();
    match value.and_then(|value| set(&value)) {
        Ok(()) => error,
        Err(other) => other,
    }
}
