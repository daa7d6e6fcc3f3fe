//! The command line: reads files, asks the engine, prints the answer, and keeps what must survive.

mod completions;
mod decide;
mod demo;
mod error;
mod excerpt;
mod init;
mod keep;
mod lint;
mod load;
mod policy;
mod progress;
mod record;
mod replay;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Decide(decide::Args),
    Replay(replay::Args),
    #[command(subcommand)]
    Policy(policy::Command),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help that nobody reads is no error.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let ended = match &cli.command {
        Command::Demo(_) => demo::run(),
        Command::Init(args) => init::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Policy(command) => policy::run(command),
        Command::Completions(args) => completions::run(args),
    };
    ended.unwrap_or_else(|error| {
        terminal::complain(&error);
        ExitCode::FAILURE
    })
}
