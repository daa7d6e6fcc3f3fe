//! `davy completions`: scripts that let a shell complete commands and options.

use crate::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Cli, Ended, terminal};

/// Print a completion script for a shell
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "davy", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
