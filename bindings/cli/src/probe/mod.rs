//! `davy probe`: synthetic flows checked, run, recorded, replayed.

mod lint;
mod prober;
mod record;
mod recordings;
mod replay;
mod run;
mod serve;
mod which;

use clap::{Subcommand, ValueEnum};
use davy::{Cohort, probe_schema};

use crate::exit::ExitCode;
use crate::{Ended, terminal};

/// Check, run, record and replay synthetic flows
#[derive(Subcommand)]
pub(crate) enum Command {
    Lint(lint::Args),
    Run(Box<run::Args>),
    Record(Box<record::Args>),
    Replay(replay::ReplayArgs),
    Mutate(replay::MutateArgs),
    Drift(replay::DriftArgs),
    Har(Box<replay::HarArgs>),
    Serve(Box<serve::Args>),
    /// Print the JSON Schema of flows and libraries, for editors and other validators
    Schema,
}

/// Whose answers are asked for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Whose {
    /// The new revision's
    Canary,
    /// The stable ones
    Baseline,
}

impl Whose {
    pub(crate) const fn cohort(self) -> Cohort {
        match self {
            Self::Canary => Cohort::Canary,
            Self::Baseline => Cohort::Baseline,
        }
    }
}

pub(crate) fn run(command: &Command) -> Ended {
    match command {
        Command::Lint(args) => lint::run(args),
        Command::Run(args) => run::run(args),
        Command::Record(args) => record::run(args),
        Command::Replay(args) => replay::replay(args),
        Command::Mutate(args) => replay::mutate(args),
        Command::Drift(args) => replay::drift(args),
        Command::Har(args) => replay::har(args),
        Command::Serve(args) => serve::run(args),
        Command::Schema => {
            terminal::print(&format!("{}\n", serde_json::to_string_pretty(&probe_schema())?))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
