//! `davy plugin`: WebAssembly plugins begun, built, checked, run and measured.

mod bench;
mod build;
mod check;
mod event;
mod new;
mod observed;
mod precompile;
mod run;
mod template;

use std::path::Path;
use std::sync::Arc;

use clap::Subcommand;
use davy_plugins::{Plugin, PluginHost};

use crate::Ended;
use crate::error::Error;

/// Begin, build, check, run and measure WebAssembly plugins
#[derive(Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    Build(build::Args),
    Check(check::Args),
    Run(run::Args),
    Bench(bench::Args),
    Precompile(precompile::Args),
}

pub(crate) fn run(command: &Command) -> Ended {
    match command {
        Command::New(args) => new::run(args),
        Command::Build(args) => build::run(args),
        Command::Check(args) => check::run(args),
        Command::Run(args) => run::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Precompile(args) => precompile::run(args),
    }
}

/// The plugin of a file with these bytes.
fn plugin(host: &PluginHost, path: &Path, bytes: &[u8]) -> Result<Arc<Plugin>, Error> {
    host.plugin(bytes).map_err(|cause| Error::PluginFile { path: path.to_owned(), cause })
}
