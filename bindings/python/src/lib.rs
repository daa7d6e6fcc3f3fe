//! davy for Python: the extension module behind `import davy`.

mod batch;
mod bundle;
mod column;
mod decision;
mod engine;
mod error;
mod json;
mod plugin;
mod probe;
mod record;
mod series;
mod snapshot;
mod state;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs a command line, the program's own name first, and returns the code to exit with.
#[pyfunction]
#[pyo3(name = "main")]
fn command_line(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| davy_cli::run(arguments))
}

/// What Python imports as `davy._davy`.
#[pymodule]
mod _davy {
    #[pymodule_export]
    use crate::batch::decide_batch;
    #[pymodule_export]
    use crate::bundle::{PyBundle, PyDiagnostic, lint, probe_schema, rollout_schema, starter};
    #[pymodule_export]
    use crate::command_line;
    #[pymodule_export]
    use crate::decision::{PyDecision, PyFinding};
    #[pymodule_export]
    use crate::engine::{PyEngine, PyStep};
    #[pymodule_export]
    use crate::error::{
        DavyError, PluginError, PolicyError, ProbeError, ReplayError, SealError, SeriesError, SnapshotError,
    };
    #[pymodule_export]
    use crate::plugin::PyPlugins;
    #[pymodule_export]
    use crate::probe::{PyProbeFlow, PyProbeRun};
    #[pymodule_export]
    use crate::record::PyRecord;
    #[pymodule_export]
    use crate::series::PySeries;
    #[pymodule_export]
    use crate::snapshot::PySnapshot;
    #[pymodule_export]
    use crate::state::PyState;
    #[pymodule_export]
    const SEMANTICS: u32 = davy::SEMANTICS;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
