//! Bundles: the documents of one service.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use davy::plan::{Estimate, Variation, plan, plan_from};
use davy::{Bundle, Diagnostic, Severity};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::error;
use crate::json::loads;
use crate::probe::PyProbeFlow;
use crate::snapshot::PySnapshot;

/// The documents of one service: read, checked, compiled, under one digest.
#[pyclass(name = "Bundle", module = "davy", frozen)]
pub(crate) struct PyBundle(pub(crate) Bundle);

/// What is wrong with a document, or probably does not do what its author expects.
#[pyclass(name = "Diagnostic", module = "davy", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyDiagnostic(Diagnostic);

impl From<Diagnostic> for PyDiagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(diagnostic)
    }
}

#[pymethods]
impl PyBundle {
    /// Reads the files of a bundle: a mapping from path to text or bytes.
    #[staticmethod]
    fn from_files(py: Python<'_>, files: &Bound<'_, PyDict>) -> PyResult<Self> {
        let files = contents(files)?;
        py.detach(|| Bundle::with_languages(files, &davy_rules::expectations()))
            .map(Self)
            .map_err(|refused| error::policy(py, &refused))
    }

    /// Reads a policy as the command line does: a file, or a folder with the documents of one service.
    #[staticmethod]
    #[pyo3(signature = (path))]
    fn from_path(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let files = files_in(&path)?;
        py.detach(|| Bundle::with_languages(files, &davy_rules::expectations()))
            .map(Self)
            .map_err(|refused| error::policy(py, &refused))
    }

    /// The service that it is about.
    #[getter]
    fn service(&self) -> &str {
        self.0.service().as_str()
    }

    /// The digest over the paths and bytes of its files.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// What probably does not do what its author expects.
    #[getter]
    fn warnings(&self) -> Vec<PyDiagnostic> {
        self.0.warnings().iter().cloned().map(PyDiagnostic).collect()
    }

    /// The synthetic flows, by name.
    #[getter]
    fn probes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let probes = PyDict::new(py);
        for plan in self.0.probes().iter() {
            probes.set_item(plan.name().as_str(), PyProbeFlow(Arc::clone(plan)))?;
        }
        Ok(probes)
    }

    /// The policy as a page of Markdown: promotion criteria, guardrails, freeze conditions.
    fn page(&self) -> String {
        davy::page(&self.0)
    }

    /// What the policy can detect and when, as `davy policy plan --format json` says it: for the traffic that is given, else
    /// for the one that the policy expects. `replicas` of the baseline are told apart, and assumed to differ as `noise` says, by a
    /// name of `davy policy simulate --noise` such as `mixed`. What a `snapshot` of a healthy service shows of requests, bad
    /// ones, replicas and the whole shape of latencies counts where it is not given here or in a metric's own `expect`, and before what the
    /// policy expects of the service.
    #[pyo3(signature = (
        environment=None, *, requests=None, bad=None, p50=None, p90=None, p99=None, replicas=None, noise=None,
        snapshot=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn plan<'py>(
        &self,
        py: Python<'py>,
        environment: Option<&str>,
        requests: Option<&str>,
        bad: Option<&str>,
        p50: Option<&str>,
        p90: Option<&str>,
        p99: Option<&str>,
        replicas: Option<u32>,
        noise: Option<&str>,
        snapshot: Option<PyRef<'py, PySnapshot>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let environment: Option<davy::Name> = parsed(environment)?;
        let (requests, bad) = (parsed(requests)?, parsed(bad)?);
        let (p50, p90, p99) = (parsed(p50)?, parsed(p90)?, parsed(p99)?);
        let none = || PyValueError::new_err("`replicas` is at least 1");
        let replicas = replicas.map(|count| NonZeroU32::new(count).ok_or_else(none)).transpose()?;
        let noise = noise.map_or(Ok(None), Variation::of_kind);
        let noise = noise.map_err(|refused| PyValueError::new_err(refused.to_string()))?;
        let estimate = Estimate { requests, bad, p50, p90, p99, schema: None, replicas, noise };
        let seen = snapshot.as_ref().map(|snapshot| snapshot.0.intervals.as_slice());
        let planned = py.detach(|| match seen {
            Some(healthy) => plan_from(&self.0, environment.as_ref(), estimate, healthy),
            None => plan(&self.0, environment.as_ref(), estimate),
        });
        let planned = planned.map_err(|refused| PyValueError::new_err(refused.to_string()))?;
        loads(py, &serde_json::to_vec(&planned).map_err(|error| PyValueError::new_err(error.to_string()))?)
    }

    fn __repr__(&self) -> String {
        format!("<davy.Bundle {} {}>", self.0.service(), self.0.digest())
    }
}

#[pymethods]
impl PyDiagnostic {
    /// `error` or `warning`.
    #[getter]
    fn severity(&self) -> &'static str {
        match self.0.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }

    /// A stable code, such as `D011`.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code.as_str()
    }

    /// The file, as it was handed in.
    #[getter]
    fn file(&self) -> &str {
        &self.0.position.file
    }

    /// Line, from 1.
    #[getter]
    fn line(&self) -> u32 {
        self.0.position.line
    }

    /// Column in characters, from 1.
    #[getter]
    fn column(&self) -> u32 {
        self.0.position.column
    }

    /// What is wrong.
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    #[getter]
    fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<davy.Diagnostic {} {}>", self.0.code.as_str(), self.0.position)
    }
}

/// Everything that is wrong with files or probably does not do what their author expects; nothing is raised.
#[pyfunction]
pub(crate) fn lint(py: Python<'_>, files: &Bound<'_, PyDict>) -> PyResult<Vec<PyDiagnostic>> {
    let files = contents(files)?;
    let diagnostics = py.detach(|| match Bundle::with_languages(files, &davy_rules::expectations()) {
        Ok(bundle) => bundle.warnings().to_vec(),
        Err(refused) => refused.diagnostics().to_vec(),
    });
    Ok(diagnostics.into_iter().map(PyDiagnostic).collect())
}

/// A commented policy to start from.
#[pyfunction]
pub(crate) fn starter(service: &str) -> String {
    davy::starter(service)
}

/// The JSON Schema of `kind: Rollout`.
#[pyfunction]
pub(crate) fn rollout_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    loads(py, davy::rollout_schema().to_string().as_bytes())
}

/// The JSON Schema of probe documents.
#[pyfunction]
pub(crate) fn probe_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    loads(py, davy::probe_schema().to_string().as_bytes())
}

/// A text as documents have it.
fn parsed<T: FromStr<Err: ToString>>(text: Option<&str>) -> PyResult<Option<T>> {
    let refused = |refused: T::Err| PyValueError::new_err(refused.to_string());
    text.map(str::parse).transpose().map_err(refused)
}

fn contents(files: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Vec<u8>)>> {
    let content = |value: Bound<'_, PyAny>| match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
        Err(_) => Ok::<_, PyErr>(value.cast::<PyBytes>()?.as_bytes().to_vec()),
    };
    files.iter().map(|(path, value)| Ok((path.str()?.to_str()?.to_owned(), content(value)?))).collect()
}

fn files_in(path: &std::path::Path) -> PyResult<Vec<(String, Vec<u8>)>> {
    davy_cli::read_policy(path).map_err(|refused| pyo3::exceptions::PyOSError::new_err(refused.to_string()))
}
