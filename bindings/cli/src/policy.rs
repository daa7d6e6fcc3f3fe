//! `davy policy`: what the language holds, and what one policy says.

use crate::ExitCode;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use davy::document::DiagnosticCode;
use davy::{
    Cause, Cohort, Instant, Name, State, calendar_schema, page, policy_test_schema, probe_schema, prometheus_rules,
    rollout_schema, rule_input_schema,
};
use serde::Serialize;

use crate::diff::DiffArgs;
use crate::error::Error;
use crate::learn::{self, LearnArgs};
use crate::plan::PlanArgs;
use crate::release::{ReleaseArgs, now};
use crate::simulate::SimulateArgs;
use crate::terminal::Format;
use crate::{Ended, diff, load, simulate, terminal};

/// Look things up in policies and their language
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the JSON Schema of a kind of document, for editors and other validators
    Schema {
        /// Which kind
        #[arg(value_enum, default_value_t)]
        kind: SchemaOf,
    },
    /// Print a policy as a Markdown page: promotion criteria, guardrails and freeze conditions
    Show {
        /// The policy: a file, or a directory with its documents and rules
        #[arg(value_name = "DIR|FILE")]
        path: PathBuf,
    },
    /// Print Prometheus recording and alerting rules that alert when the burn gate does, under Sloth's names
    Alerts {
        /// The policy: a file, or a directory with its documents and rules
        #[arg(value_name = "DIR|FILE")]
        path: PathBuf,
    },
    /// Print what would be fetched for a decision about a release
    Requirements(Box<RequirementsArgs>),
    /// Decide recorded rollouts again under two policies, and print which decisions would change and why
    Diff(DiffArgs),
    /// Show what a policy can detect under the traffic that is expected, and when
    Plan(Box<PlanArgs>),
    /// Simulate whole rollouts under a policy: how often it aborts a good release, and how soon a bad one
    Simulate(Box<SimulateArgs>),
    /// Learn a service's noise from records of healthy rollouts, or from its baseline's past, for `noiseHistory` in snapshots
    ///
    /// From 20 healthy rollouts on their noise is used. A release is ranked among them from 2^i / falseAborts - 1 on in its attempt i:
    /// where `falseAborts` is 1%, from 199 on in the first, which spends half of that, and from 399 on in the second.
    Learn(Box<LearnArgs>),
    /// Print every code of a diagnostic and of a finding, with its meaning
    Codes {
        /// How the codes are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// A kind of document.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum SchemaOf {
    /// `kind: Rollout`, as in rollouts.yaml
    #[default]
    Rollout,
    /// `kind: ProbeFlow` and `kind: ProbeLibrary`
    Probe,
    /// `kind: Calendar`
    Calendar,
    /// `kind: PolicyTest`, as in *_test.yaml
    PolicyTest,
    /// The document that rules in Rego and CEL read
    RuleInput,
    /// The document that the expectation `cel` of a flow reads
    Answer,
}

impl SchemaOf {
    fn schema(self) -> serde_json::Value {
        match self {
            Self::Rollout => rollout_schema(),
            Self::Probe => probe_schema(),
            Self::Calendar => calendar_schema(),
            Self::PolicyTest => policy_test_schema(),
            Self::RuleInput => rule_input_schema(),
            Self::Answer => davy::probe::answer_schema(),
        }
    }
}

/// What would be fetched for which release.
#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).args(["revision"])))]
pub(crate) struct RequirementsArgs {
    /// The policy: a file, or a directory with its documents and rules
    #[arg(long, value_name = "DIR|FILE")]
    policy: PathBuf,
    #[command(flatten)]
    release: ReleaseArgs,
    /// The state of this attempt of the release: what it holds already is not fetched again
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// As seen at this instant; now, unless given
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
        Command::Schema { kind } => format!("{}\n", serde_json::to_string_pretty(&kind.schema())?),
        Command::Show { path } => page(&load::bundle(path)?),
        Command::Alerts { path } => prometheus_rules(&load::bundle(path)?),
        Command::Requirements(args) => requirements(args)?,
        Command::Diff(args) => return diff::run(args),
        Command::Plan(args) => args.answer()?,
        Command::Simulate(args) => return simulate::run(args),
        Command::Learn(args) => return learn::run(args),
        Command::Codes { format: Format::Json } => format!("{}\n", serde_json::to_string_pretty(&codes())?),
        Command::Codes { format: Format::Text } => table(&codes()),
    };
    terminal::print(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn requirements(args: &RequirementsArgs) -> Result<String, Error> {
    let (_, engine) = load::engine(&args.policy)?;
    let state = args.state.as_deref().map_or_else(|| Ok(State::new()), load::state)?;
    let seen = args.release.snapshot(&engine, &state, args.at.unwrap_or_else(now))?;
    let wanted = engine.requirements(&state, &seen.release, seen.asked, seen.stage, seen.now);
    if args.format == Format::Json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&wanted)?));
    }
    let mut rows = Vec::new();
    for wanted in &wanted {
        let cohort = match wanted.cohort {
            Some(Cohort::Canary) => "canary",
            Some(Cohort::Baseline) => "baseline",
            None => "service",
        };
        let query = serde_json::to_string(&wanted.query)?;
        let source = wanted.source.as_ref().map_or("-", Name::as_str);
        let selector = wanted.selector.as_deref().unwrap_or("-");
        let row =
            [wanted.about.as_str(), cohort, source, &wanted.from.to_string(), &wanted.to.to_string(), selector, &query];
        rows.push(row.map(str::to_owned));
    }
    Ok(columns(&["about", "of", "source", "from", "to", "selector", "query"].map(str::to_owned), &rows))
}

/// Left-aligned columns; the last one as wide as it is.
pub(crate) fn columns(head: &[String], rows: &[impl AsRef<[String]>]) -> String {
    let all = || std::iter::once(head).chain(rows.iter().map(AsRef::as_ref));
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    all().map(line).collect()
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
