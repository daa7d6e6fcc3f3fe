//! Decisions and their findings.

use davy::{Decision, Finding, HoldKind, Outcome, canonical_json, render};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error;
use crate::json::loads;

/// What the host may do, and why. Prints as the command line would print it.
#[pyclass(name = "Decision", module = "davy", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyDecision(pub(crate) Decision);

/// What one gate found out.
#[pyclass(name = "Finding", module = "davy", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyFinding(Finding);

#[pymethods]
impl PyDecision {
    /// `proceed`, `hold`, `abort` or `rollback`.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.verdict.as_str()
    }

    /// Of a hold: `waiting`, `blocked` or `blind`.
    #[getter]
    fn hold(&self) -> Option<&'static str> {
        self.0.hold.map(|hold| kind(hold.kind))
    }

    /// Of a hold: when it ends if nothing else changes, as RFC 3339, where every finding knows it.
    #[getter]
    fn until(&self) -> Option<String> {
        Some(self.0.hold?.until?.to_string())
    }

    /// Of a hold: after how many seconds asking again may give another answer.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        Some(self.0.hold?.retry_after?.as_secs_f64())
    }

    /// The health score from 0 to 100, where health is judged.
    #[getter]
    fn score(&self) -> Option<u8> {
        self.0.score.map(davy::document::Points::get)
    }

    /// Every finding, strictest first.
    #[getter]
    fn findings(&self) -> Vec<PyFinding> {
        self.0.findings.iter().cloned().map(PyFinding).collect()
    }

    /// The findings that made the verdict.
    #[getter]
    fn reasons(&self) -> Vec<PyFinding> {
        self.0.reasons().cloned().map(PyFinding).collect()
    }

    /// Canonical JSON (RFC 8785).
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        canonical_json(&self.0).map(|json| PyBytes::new(py, &json)).map_err(|refused| error::seal(&refused))
    }

    /// The same as plain Python objects.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, self.to_json(py)?.as_bytes())
    }

    /// The findings as a pandas data frame, a row each; needs pandas.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = PyList::empty(py);
        for finding in self.findings() {
            let row = PyDict::new(py);
            row.set_item("outcome", finding.outcome())?;
            row.set_item("hold", finding.hold())?;
            row.set_item("code", finding.code())?;
            row.set_item("subject", finding.subject())?;
            row.set_item("message", finding.message())?;
            row.set_item("flip", finding.flip())?;
            row.set_item("source", finding.source())?;
            rows.append(row)?;
        }
        py.import("pandas")?.getattr("DataFrame")?.call1((rows,))
    }

    /// For a pull request or a chat.
    fn to_markdown(&self) -> String {
        render::markdown(&self.0)
    }

    fn _repr_html_(&self) -> String {
        render::html(&self.0)
    }

    fn _repr_markdown_(&self) -> String {
        self.to_markdown()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<davy.Decision {} with {} findings>", self.0.verdict, self.0.findings.len())
    }
}

#[pymethods]
impl PyFinding {
    /// A stable code, such as `health.limit-exceeded`.
    #[getter]
    fn code(&self) -> &str {
        self.0.code()
    }

    /// The outcome that counts: `pass`, `hold` or `fail`.
    #[getter]
    fn outcome(&self) -> &'static str {
        match self.0.effective() {
            Outcome::Pass => "pass",
            Outcome::Hold(_) => "hold",
            Outcome::Fail => "fail",
        }
    }

    /// Of a hold: `waiting`, `blocked` or `blind`.
    #[getter]
    fn hold(&self) -> Option<&'static str> {
        match self.0.effective() {
            Outcome::Hold(held) => Some(kind(held)),
            Outcome::Pass | Outcome::Fail => None,
        }
    }

    /// The metric, flow, environment or override that it is about.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_ref().map(davy::Name::as_str)
    }

    /// The sentence for a person.
    #[getter]
    fn message(&self) -> String {
        render::sentence(&self.0)
    }

    /// What would have changed it, or why there is no such number.
    #[getter]
    fn flip(&self) -> String {
        render::flip_sentence(&self.0)
    }

    /// The place in the policy that asks for this, as `file:line:column`.
    #[getter]
    fn source(&self) -> Option<String> {
        self.0.source.as_ref().map(ToString::to_string)
    }

    /// The same as plain Python objects.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &canonical_json(&self.0).map_err(|refused| error::seal(&refused))?)
    }

    fn __str__(&self) -> String {
        render::sentence(&self.0)
    }

    fn __repr__(&self) -> String {
        format!("<davy.Finding {} {}>", self.outcome(), self.0.code())
    }
}

pub(crate) fn kind(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Waiting => "waiting",
        HoldKind::Blocked => "blocked",
        HoldKind::Blind => "blind",
    }
}
