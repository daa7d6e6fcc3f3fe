//! Probes as a machine without I/O: Python polls, does what it says, and hands in what came of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use davy::probe::{CancelReason, EffectId, Inputs, Plan, ProbeRun};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::ProbeError;
use crate::json::{Json, instant, loads};
use crate::series;

/// A synthetic flow, compiled.
#[pyclass(name = "ProbeFlow", module = "davy", frozen)]
pub(crate) struct PyProbeFlow(pub(crate) Arc<Plan>);

/// One run of a flow: `poll` says what to do next, `handle` takes what came of it.
#[pyclass(name = "ProbeRun", module = "davy", frozen)]
pub(crate) struct PyProbeRun(Mutex<ProbeRun>);

#[pymethods]
impl PyProbeFlow {
    /// The flow's name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name().as_str()
    }

    /// The digest of the flow and everything that it imports.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// The names of its targets.
    #[getter]
    fn targets(&self) -> Vec<String> {
        self.0.targets().map(ToString::to_string).collect()
    }

    /// Begins a run against a target, with the seed of its random numbers; two runs must not share one. `cohort` asks for the
    /// answers of `canary` or `baseline`, in the way that the target says; `location` is where the run is from.
    #[pyo3(signature = (target, seed, now, *, record = false, cohort = None, location = None))]
    fn start(
        &self,
        target: &str,
        seed: u64,
        now: &Bound<'_, PyAny>,
        record: bool,
        cohort: Option<&str>,
        location: Option<&str>,
    ) -> PyResult<PyProbeRun> {
        let cohort = cohort.map(series::cohort).transpose()?;
        let location = location.map(series::name).transpose()?;
        let inputs = Inputs { record, cohort, location, ..Inputs::new(series::name(target)?, seed) };
        let run = ProbeRun::new(Arc::clone(&self.0), inputs, instant(now)?);
        run.map(|run| PyProbeRun(Mutex::new(run))).map_err(|refused| ProbeError::new_err(refused.to_string()))
    }

    fn __repr__(&self) -> String {
        format!("<davy.ProbeFlow {} {}>", self.0.name(), self.0.digest())
    }
}

#[pymethods]
impl PyProbeRun {
    /// What to do next: `{"effect": [id, …]}`, `{"wait": {"until": …}}` or `{"done": result}`.
    fn poll<'py>(&self, now: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let next = self.run().poll(instant(now)?);
        loads(now.py(), &serde_json::to_vec(&next).map_err(|error| PyValueError::new_err(error.to_string()))?)
    }

    /// Takes what came of an effect, such as `{"http": {"status": 200, …}}`.
    fn handle(&self, now: &Bound<'_, PyAny>, effect: u64, event: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = serde_json::from_slice(Json::new(event)?.bytes()?);
        let event = read.map_err(|error| ProbeError::new_err(format!("no event: {error}")))?;
        let id: EffectId =
            serde_json::from_value(effect.into()).map_err(|error| ProbeError::new_err(error.to_string()))?;
        self.run().handle(instant(now)?, id, event).map_err(|misuse| ProbeError::new_err(misuse.to_string()))
    }

    /// Ends the journey, because the prober is `stopping`, another run is due (`overlap`) or it was `asked`; go on polling, for
    /// the teardown still runs. What is under way need not be answered.
    #[pyo3(signature = (now, reason = "asked"))]
    fn cancel(&self, now: &Bound<'_, PyAny>, reason: &str) -> PyResult<()> {
        let read = serde_json::from_value(reason.into());
        let reason: CancelReason = read.map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.run().cancel(instant(now)?, reason);
        Ok(())
    }

    /// The recording of a finished run that was asked to keep one, as one line of JSON.
    fn recording(&self) -> Option<String> {
        self.run().recording().map(|recording| recording.to_line())
    }
}

impl PyProbeRun {
    fn run(&self) -> MutexGuard<'_, ProbeRun> {
        // The machine does not panic, so nobody leaves it half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
