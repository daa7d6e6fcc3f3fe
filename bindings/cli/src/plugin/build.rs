//! `davy plugin build`: from a core module, or from a crate in Rust, to a component that davy runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use davy_plugins::build::{component, world_of};
use serde::Deserialize;

use super::check;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::plugins::PluginArgs;
use crate::{Ended, keep, load, terminal};

/// Make a component of a core module, in binary or text, or of a crate in Rust; and check it
///
/// A crate is built with `cargo build --release --target wasm32-unknown-unknown`, which needs
/// `rustup target add wasm32-unknown-unknown` once.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A module, or the folder of a crate
    #[arg(value_name = "FILE.wasm|FILE.wat|CRATE", default_value = ".")]
    from: PathBuf,
    /// Where the component is written; beside the module, or in the crate's folder, unless given
    #[arg(short, long, value_name = "FILE.wasm")]
    out: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
}

pub(crate) fn run(args: &Args) -> Ended {
    let is_crate = args.from.is_dir();
    let module = if is_crate { built(&args.from)? } else { args.from.clone() };
    let bytes = load::bytes(&module)?;
    let refused = |cause| Error::PluginBuild { path: module.clone(), cause };
    let world = world_of(&bytes).map_err(refused)?;
    let made = component(&bytes, world).map_err(refused)?;
    let out = args.out.clone().unwrap_or_else(|| place(&args.from, &module, is_crate));
    let host = args.plugins.host_without_cache()?;
    let plugin = host.plugin(&made).map_err(|cause| Error::PluginFile { path: module.clone(), cause })?;
    keep::replace(&out, &made)?;
    terminal::print(&check::as_text(&out.display().to_string(), &plugin, made.len(), host.limits()))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the component goes: the name of a crate's artifact has `_` where its package has `-`. A module in binary is
/// not overwritten by its component.
fn place(from: &Path, module: &Path, is_crate: bool) -> PathBuf {
    let name = module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if is_crate {
        return from.join(name.replace('_', "-")).with_extension("wasm");
    }
    let beside = module.with_extension("wasm");
    if beside == *module { module.with_file_name(format!("{name}.component.wasm")) } else { beside }
}

/// What cargo says of what it made.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    manifest_path: PathBuf,
}

/// Builds a crate and returns its module.
fn built(folder: &Path) -> Result<PathBuf, Error> {
    let manifest = folder.join("Cargo.toml");
    let manifest = fs::canonicalize(&manifest).map_err(Error::read(&manifest))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = Command::new(cargo)
        .args(["build", "--release", "--target", "wasm32-unknown-unknown", "--message-format=json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| Error::Cargo { cause: cause.to_string() })?;
    if !run.status.success() {
        let cause = "it failed, as said above (is the target there? `rustup target add wasm32-unknown-unknown`)";
        return Err(Error::Cargo { cause: cause.to_owned() });
    }
    let messages = String::from_utf8_lossy(&run.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut own = messages.filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest);
    let is_wasm = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    own.find_map(|message| message.filenames.into_iter().find(is_wasm)).ok_or_else(|| Error::Cargo {
        cause: "it made no module: the crate needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`".to_owned(),
    })
}
