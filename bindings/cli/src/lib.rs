//! The command line: reads files, asks the engine, prints the answer, and keeps what must survive.

mod calendar;
mod completions;
mod decide;
mod demo;
mod diff;
mod error;
mod excerpt;
mod exit;
mod import;
mod init;
mod keep;
mod learn;
mod lint;
mod load;
mod observe;
mod plan;
mod plugin;
mod plugins;
mod policy;
mod probe;
mod progress;
mod record;
mod release;
mod replay;
mod run;
mod simulate;
mod terminal;
mod test;
mod watch;

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::exit::ExitCode;

/// What a command ends with: 0, or the code that it documents.
type Ended = Result<ExitCode, error::Error>;

/// Given what has been observed of a release, may it go further?
#[derive(Parser)]
#[command(name = "davy", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Lint(lint::Args),
    Test(test::Args),
    Decide(Box<decide::Args>),
    Run(Box<run::Args>),
    Replay(replay::Args),
    #[command(subcommand)]
    Policy(policy::Command),
    #[command(subcommand)]
    Calendar(calendar::Command),
    #[command(subcommand)]
    Probe(probe::Command),
    #[command(subcommand)]
    Plugin(plugin::Command),
    #[command(subcommand)]
    Import(import::Command),
    Completions(completions::Args),
}

/// The files of a policy as commands read it: one file, or the documents of a folder, by their names within it.
///
/// # Errors
/// Where a file cannot be read, or there is none.
pub fn read_policy(path: &Path) -> Result<Vec<(String, Vec<u8>)>, impl std::error::Error> {
    load::Documents::read(path).map(load::Documents::into_files)
}

/// Runs a command line, the program's own name first, and returns the code to exit with: 0 or what the command
/// documents, 1 for an error, 2 for wrong usage. Everything it says, it prints.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help that nobody reads is no error.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::USAGE } else { ExitCode::SUCCESS }.get();
        }
    };
    let ended = match &cli.command {
        Command::Demo(_) => demo::run(),
        Command::Init(args) => init::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Test(args) => test::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Policy(command) => policy::run(command),
        Command::Calendar(command) => calendar::run(command),
        Command::Probe(command) => probe::run(command),
        Command::Plugin(command) => plugin::run(command),
        Command::Import(command) => import::run(command),
        Command::Completions(args) => completions::run(args),
    };
    let code = ended.unwrap_or_else(|error| {
        terminal::complain(&error);
        ExitCode::FAILURE
    });
    code.get()
}
