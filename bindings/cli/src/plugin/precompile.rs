//! `davy plugin precompile`: compiles before a decision has to.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use davy_plugins::PluginError;

use crate::exit::ExitCode;
use crate::plugins::PluginArgs;
use crate::{Ended, load, terminal};

/// Compile plugins into the private folder for compiled code, so that commands find them there
///
/// Code that was compiled elsewhere is refused: nobody can check it. The folder may be removed at any time.
///
/// Exit codes: 0 if every file was compiled, 1 if one was not, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Components, or folders of policies and flows that use some
    #[arg(required = true, value_name = "FILE.wasm|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
}

pub(crate) fn run(args: &Args) -> Ended {
    let lost = Arc::new(AtomicBool::new(false));
    let loses = Arc::clone(&lost);
    let host = args.plugins.host_that_keeps(move |fault: &PluginError| match fault {
        PluginError::Cache { .. } => {
            terminal::complain(fault);
            loses.store(true, Ordering::Relaxed);
        }
        replaced => terminal::warn(replaced),
    })?;
    let mut failed = false;
    for path in &args.paths {
        let files: Vec<(String, Vec<u8>)> = if path.is_dir() {
            let documents = load::Documents::read(path)?;
            documents
                .components()
                .map(|(name, bytes)| (path.join(name).display().to_string(), bytes.to_vec()))
                .collect()
        } else {
            vec![(path.display().to_string(), load::bytes(path)?)]
        };
        for (name, bytes) in files {
            let began = Instant::now();
            match host.plugin(&bytes) {
                // Compiled, and told already that it could not be kept.
                Ok(_) if lost.swap(false, Ordering::Relaxed) => failed = true,
                Ok(plugin) => {
                    let took = began.elapsed();
                    let line = format!("{name}: {} is there, after {took:.1?}\n", plugin.digest());
                    terminal::print(&terminal::printable(line.trim_end()))?;
                    terminal::print("\n")?;
                }
                Err(error) => {
                    terminal::complain(&format_args!("{name}: {error}"));
                    failed = true;
                }
            }
        }
    }
    terminal::note(&format!("davy: compiled plugins are kept in {}\n", args.plugins.cache_folder()?.display()));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
