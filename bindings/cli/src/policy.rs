//! `davy policy`: what the language holds, and what one policy says.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use davy::document::DiagnosticCode;
use davy::{Cause, page, rollout_schema};
use serde::Serialize;

use crate::terminal::Format;
use crate::{Ended, load, terminal};

/// Look things up in policies and their language
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the JSON Schema of rollouts.yaml, for editors and other validators
    Schema,
    /// Print a policy as a Markdown page: promotion criteria, guardrails and freeze conditions
    Show {
        /// The policy: a file, or a directory with its *.yaml, *.yml and *.json files
        #[arg(value_name = "DIR|FILE")]
        path: PathBuf,
    },
    /// Print every code of a diagnostic and of a finding, with its meaning
    Codes {
        /// How the codes are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Serialize)]
struct Codes {
    diagnostics: Vec<Code>,
    findings: Vec<Code>,
}

#[derive(Serialize)]
struct Code {
    code: &'static str,
    meaning: &'static str,
}

pub(crate) fn run(command: &Command) -> Ended {
    let answer = match command {
        Command::Schema => format!("{}\n", serde_json::to_string_pretty(&rollout_schema())?),
        Command::Show { path } => page(&load::bundle(path)?),
        Command::Codes { format: Format::Json } => format!("{}\n", serde_json::to_string_pretty(&codes())?),
        Command::Codes { format: Format::Text } => table(&codes()),
    };
    terminal::print(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn codes() -> Codes {
    let diagnostics = DiagnosticCode::ALL.iter().map(|(code, meaning)| (code.as_str(), *meaning));
    let code = |(code, meaning): (&'static str, &'static str)| Code { code, meaning: meaning.trim() };
    Codes {
        diagnostics: diagnostics.map(code).collect(),
        findings: Cause::MEANINGS.iter().copied().map(code).collect(),
    }
}

fn table(codes: &Codes) -> String {
    let all = || codes.diagnostics.iter().chain(&codes.findings);
    let width = all().map(|code| code.code.len()).max().unwrap_or_default();
    all().map(|Code { code, meaning }| format!("{code:width$}  {meaning}\n")).collect()
}
