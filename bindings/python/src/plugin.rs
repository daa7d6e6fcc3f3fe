//! WebAssembly plugins, run before a decision.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use davy::plugin::Plugins;
use davy::probe::{Event, StepTurn};
use davy_plugins::{Cache, Limits, PluginError, PluginHost};
use pyo3::exceptions::{PyRuntimeWarning, PyValueError};
use pyo3::prelude::*;

use crate::bundle::PyBundle;
use crate::error::{self, ProbeError};
use crate::json::{Json, loads};

/// The WebAssembly plugins of a bundle, compiled and held against its documents.
#[pyclass(name = "Plugins", module = "davy", frozen)]
pub(crate) struct PyPlugins(pub(crate) Plugins);

#[pymethods]
impl PyPlugins {
    /// Loads them; raises `PolicyError` where one does not fit the documents that use it. `interpreters` gives them the fuel,
    /// time, memory and size that those of Python and JavaScript need; `cache` is a folder for compiled code, closed to others.
    /// Where code cannot be kept there, or is not what was kept, that is a `RuntimeWarning`, and the plugin is compiled.
    #[new]
    #[pyo3(signature = (bundle, *, interpreters = false, cache = None))]
    fn new(py: Python<'_>, bundle: &PyBundle, interpreters: bool, cache: Option<PathBuf>) -> PyResult<Self> {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&told);
        let load = || -> Result<Plugins, PluginError> {
            let limits = if interpreters { Limits::INTERPRETERS } else { Limits::DEFAULT };
            let mut host = PluginHost::builder().limits(limits);
            if let Some(cache) = cache {
                let tell = move |fault: &PluginError| {
                    let (mut known, fault) = (heard.lock().unwrap_or_else(PoisonError::into_inner), fault.to_string());
                    // The folder is the same for every plugin.
                    if !known.contains(&fault) {
                        known.push(fault);
                    }
                };
                host = host.cache(Cache::new(cache)?.telling(tell));
            }
            host.build()?.load(&bundle.0)
        };
        let plugins = py.detach(load).map_err(|refused| error::plugin(py, &refused))?;
        let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        for fault in told {
            PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &CString::new(fault)?, 1)?;
        }
        Ok(Self(plugins))
    }

    /// Takes a turn of a custom step: from what `ProbeRun.poll` gave as `{"effect": [id, {"turn": turn}]}` to the event for
    /// `ProbeRun.handle`. A plugin that fails is in it, as the prober's fault.
    fn turn<'py>(&self, turn: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = turn.py();
        let read = serde_json::from_slice(Json::new(turn)?.bytes()?);
        let turn: StepTurn = read.map_err(|error| ProbeError::new_err(format!("no turn: {error}")))?;
        let event = py.detach(|| Event::Turned(Box::new(self.0.turn(&turn))));
        loads(py, &serde_json::to_vec(&event).map_err(|error| PyValueError::new_err(error.to_string()))?)
    }

    fn __repr__(&self) -> String {
        format!("<davy.{:?}>", self.0)
    }
}
