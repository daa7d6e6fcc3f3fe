//! WebAssembly plugins, run before a decision.

use std::path::PathBuf;

use davy::plugin::Plugins;
use davy_plugins::{Cache, Limits, PluginError, PluginHost};
use pyo3::prelude::*;

use crate::bundle::PyBundle;
use crate::error;

/// The WebAssembly plugins of a bundle, compiled and held against its documents.
#[pyclass(name = "Plugins", module = "davy", frozen)]
pub(crate) struct PyPlugins(pub(crate) Plugins);

#[pymethods]
impl PyPlugins {
    /// Loads them; raises `PolicyError` where one does not fit the documents that use it. `interpreters` gives them the fuel,
    /// time, memory and size that those of Python and JavaScript need; `cache` is a folder for compiled code, closed to others.
    #[new]
    #[pyo3(signature = (bundle, *, interpreters = false, cache = None))]
    fn new(py: Python<'_>, bundle: &PyBundle, interpreters: bool, cache: Option<PathBuf>) -> PyResult<Self> {
        let load = || -> Result<Plugins, PluginError> {
            let limits = if interpreters { Limits::INTERPRETERS } else { Limits::DEFAULT };
            let mut host = PluginHost::builder().limits(limits);
            if let Some(cache) = cache {
                host = host.cache(Cache::new(cache)?);
            }
            host.build()?.load(&bundle.0)
        };
        py.detach(load).map(Self).map_err(|refused| error::plugin(py, &refused))
    }

    fn __repr__(&self) -> String {
        format!("<davy.{:?}>", self.0)
    }
}
