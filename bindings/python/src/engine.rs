//! The engine, and one look at a release.

use std::sync::Arc;

use davy::Engine;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Serialize;

use crate::bundle::PyBundle;
use crate::decision::PyDecision;
use crate::error;
use crate::json::{instant, loads};
use crate::plugin::PyPlugins;
use crate::record::PyRecord;
use crate::snapshot::PySnapshot;
use crate::state::PyState;

/// What a bundle says, compiled once and asked often. Shared between threads without locks.
#[pyclass(name = "Engine", module = "davy", frozen)]
pub(crate) struct PyEngine(pub(crate) Engine);

/// One look at a release: the decision, and the state for the next.
#[pyclass(name = "Step", module = "davy", frozen)]
pub(crate) struct PyStep {
    #[pyo3(get)]
    decision: Py<PyDecision>,
    #[pyo3(get)]
    state: Py<PyState>,
    engine: Py<PyEngine>,
    prior: Py<PyState>,
    snapshot: Py<PySnapshot>,
}

#[pymethods]
impl PyEngine {
    /// Compiles what a bundle says, its rules included; raises `PolicyError` where one of them is refused.
    #[new]
    fn new(py: Python<'_>, bundle: &Bound<'_, PyBundle>) -> PyResult<Self> {
        let bundle = &bundle.get().0;
        let built = py.detach(|| Engine::builder(bundle).rules(davy_rules::languages()).build());
        built.map(Self).map_err(|error| error::policy(py, &error))
    }

    /// Decides. What cannot be evaluated is a finding that holds; nothing is raised.
    fn decide(slf: &Bound<'_, Self>, state: &Bound<'_, PyState>, snapshot: &Bound<'_, PySnapshot>) -> PyResult<PyStep> {
        // Microseconds: letting other threads run in between would cost more than it gives.
        let step = slf.get().0.decide(&state.get().0, &snapshot.get().0);
        let py = slf.py();
        Ok(PyStep {
            decision: Py::new(py, PyDecision(step.decision))?,
            state: Py::new(py, PyState(step.state))?,
            engine: slf.clone().unbind(),
            prior: state.clone().unbind(),
            snapshot: snapshot.clone().unbind(),
        })
    }

    /// The snapshot with what the plugins of its policy measure in it: for `decide`. What is there already stays; a plugin
    /// that fails measures nothing, and its metric holds.
    fn measure(&self, py: Python<'_>, plugins: &PyPlugins, snapshot: &PySnapshot) -> PySnapshot {
        let mut measured = snapshot.0.clone();
        py.detach(|| davy_plugins::measure(&self.0, &plugins.0, &mut measured));
        PySnapshot(measured)
    }

    /// What to fetch for the next decision about the snapshot's release, as a list of dicts. Of the snapshot, the
    /// release, what is asked, the stage and the time count.
    fn requirements<'py>(
        &self,
        py: Python<'py>,
        state: &PyState,
        snapshot: &PySnapshot,
    ) -> PyResult<Bound<'py, PyAny>> {
        let snapshot = &snapshot.0;
        let wanted = self.0.requirements(&state.0, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now);
        plain(py, &wanted)
    }

    /// What change windows do to what the snapshot asks at its time, as `davy calendar explain` says it; None for `keep`,
    /// which no window is in the way of. Raises `ValueError` for a service or an environment that the policy says nothing of.
    fn explain_windows<'py>(&self, py: Python<'py>, snapshot: &PySnapshot) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0.explain_windows(&snapshot.0).map_err(error::agenda)?)
    }

    /// How what the snapshot asks fares from its time on, as `davy calendar next` says it: every turn up to `until`;
    /// without it, the next opening and when it closes. Raises `ValueError` as `explain_windows` does, and where there are
    /// more than 10 000.
    #[pyo3(signature = (snapshot, until = None))]
    fn next_windows<'py>(
        &self,
        py: Python<'py>,
        snapshot: &PySnapshot,
        until: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let until = until.map(instant).transpose()?;
        let stretches = py.detach(|| self.0.next_windows(&snapshot.0, until));
        plain(py, &stretches.map_err(error::agenda)?)
    }

    /// When the windows that concern the snapshot's release, or may, are open from its time up to `until`, in order of
    /// time, as `davy calendar list` says it. Raises `ValueError` as `explain_windows` does, and where there are more than
    /// 20 000.
    fn list_windows<'py>(
        &self,
        py: Python<'py>,
        snapshot: &PySnapshot,
        until: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let until = instant(until)?;
        let spans = py.detach(|| self.0.list_windows(&snapshot.0, until));
        plain(py, &spans.map_err(error::agenda)?)
    }

    /// The service that it is about.
    #[getter]
    fn service(&self) -> &str {
        self.0.service().as_str()
    }

    /// The bundle's digest.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    fn __repr__(&self) -> String {
        format!("<davy.Engine {} {}>", self.0.service(), self.0.digest())
    }
}

#[pymethods]
impl PyStep {
    /// Seals the decision into a record: canonical bytes that bind it to its inputs.
    fn seal(&self) -> PyResult<PyRecord> {
        // Deciding is pure, so this is the same step again.
        let (engine, prior, snapshot) = (&self.engine.get().0, &self.prior.get().0, &self.snapshot.get().0);
        let sealed = engine.decide(prior, snapshot).seal();
        sealed.map(|record| PyRecord(Arc::new(record))).map_err(|refused| error::seal(&refused))
    }

    fn __repr__(&self) -> String {
        format!("<davy.Step {}>", self.decision.get().0.verdict)
    }
}

/// Plain Python objects of what Rust says.
fn plain<'py>(py: Python<'py>, said: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &serde_json::to_vec(said).map_err(|error| PyValueError::new_err(error.to_string()))?)
}
