//! `davy policy simulate`: whole rollouts under a policy, thousands of them, with a seed.
//!
//! Traffic is drawn, the ramp moves, and judges look at the same intervals side by side, through the library's public
//! API. A rollout's stream depends on the seed, the cell and its number alone, so the answer is the same to the
//! byte on any number of threads.

mod cell;
mod draw;
#[cfg(test)]
mod guarantee;
mod judge;
mod latency;
mod noise;
mod peeking;
mod plan;
mod planned;
mod proportion;
mod report;
mod rollout;
mod scenario;
mod summary;
mod traffic;

use crate::ExitCode;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};
use davy::{Bundle, Name, Share};

use crate::progress::Progress;
use crate::{Ended, load, terminal};
use cell::{Cell, Effort};
use judge::Judge;
use latency::LatencyModel;
pub(crate) use noise::Kind as NoiseKind;
use noise::Noise;
use plan::Plan;
use report::Report;
use rollout::Outcome;
use scenario::Name as Scenario;
use summary::Row;
use traffic::Load;

/// How a policy is simulated.
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// The policy: a file, or a directory with its documents and rules
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    /// The environment; the only one, unless given
    #[arg(long)]
    environment: Option<Name>,
    /// Requests per second of the whole service
    #[arg(long, value_name = "RATE", value_delimiter = ',', default_value = "50", value_parser = rate)]
    traffic: Vec<f64>,
    /// What is true of the canary and its ramp
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["identical", "errors-5x", "latency-2x"])]
    scenario: Vec<Scenario>,
    /// Rollouts in each cell
    #[arg(long, value_name = "N", default_value = "1000")]
    runs: NonZeroU32,
    /// Another seed gives other rollouts
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// The baseline's share of errors
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    errors: Share,
    /// The baseline's latencies
    #[arg(long, value_enum, default_value = "heavy")]
    latency: LatencyModel,
    /// Threads; as many as there are cores, unless given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU32>,
    /// What disturbs traffic beyond chance
    #[arg(long, value_enum, default_value = "none")]
    noise: NoiseKind,
    /// Replicas of the baseline, whose counts are kept apart; noise is of replicas, kept apart or not
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=200))]
    replicas: Option<u32>,
    /// Replicas of the canary; as many as its weight asks for, unless given
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u32).range(1..=200))]
    canary_replicas: Option<u32>,
    /// The policy alone, without those that it is compared with
    #[arg(long)]
    alone: bool,
    /// How the table is printed
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum TableFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For pages
    Markdown,
}

/// What cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("say for which environment, with `--environment`: `{known}`")]
    Environment { known: String },
    #[error("nothing is measured in the environment `{environment}`, so there is nothing to simulate")]
    NothingMeasured { environment: String },
    #[error("the simulation made what the engine does not read; this is a mistake in davy")]
    Internal,
}

pub(crate) fn run(args: &SimulateArgs) -> Ended {
    let bundle = load::bundle(&args.path)?;
    let report = simulate(&bundle, args)?;
    terminal::print(&match args.format {
        TableFormat::Text => report.text(),
        TableFormat::Json => report.json()?,
        TableFormat::Csv => report.csv(),
        TableFormat::Markdown => report.markdown(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn simulate(bundle: &Bundle, args: &SimulateArgs) -> Result<Report, Refused> {
    let plan = Plan::of(bundle, args.environment.as_ref())?;
    let threads =
        args.threads.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), |n| n.get() as usize);
    let effort = Effort { runs: args.runs.get(), seed: args.seed, threads };
    let noise = Noise::of(args.noise, args.replicas, args.canary_replicas);
    let cells: Vec<Cell> = args
        .traffic
        .iter()
        .flat_map(|rate| args.scenario.iter().map(|scenario| (*rate, *scenario)))
        .map(|(rate, scenario)| {
            let load = Load { rate, errors: args.errors.as_fraction(), latency: args.latency };
            Cell { load, scenario, noise }
        })
        .collect();
    let mut progress = Progress::of("rollouts", u64::from(effort.runs) * cells.len() as u64);
    let mut rows = Vec::new();
    for cell in &cells {
        let mut judges = vec![Judge::policy(bundle)];
        if !args.alone {
            judges.extend(Judge::others(&plan, &cell.load)?);
        }
        let outcomes = cell.run(&plan, &judges, effort, || progress.step())?;
        let planned = planned::planned(bundle, args.environment.as_ref(), &plan, cell);
        rows.extend(rows_of(cell, &judges, &outcomes, &plan, planned));
    }
    Ok(Report {
        service: plan.release.service.to_string(),
        environment: plan.release.environment.to_string(),
        policy: bundle.digest(),
        seed: effort.seed,
        runs: effort.runs,
        every: plan.every.as_secs_f64(),
        horizon: plan.horizon.as_secs_f64(),
        errors: args.errors.as_fraction(),
        latency: args.latency.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned()),
        rows,
    })
}

fn rows_of(cell: &Cell, judges: &[Judge], outcomes: &[Vec<Outcome>], plan: &Plan, planned: Option<f64>) -> Vec<Row> {
    let about = || (cell.load.rate, cell.scenario.text(), cell.scenario.is_good());
    let of = |index: usize| outcomes.iter().filter_map(|of| of.get(index)).copied().collect::<Vec<_>>();
    let every = plan.every.as_secs_f64();
    let row = |(index, judge): (usize, &Judge)| Row {
        // Only the policy, which comes first, is planned.
        planned_abort: planned.filter(|_| index == 0),
        ..Row::of(&of(index), judge.name, about(), every)
    };
    judges.iter().enumerate().map(row).collect()
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("a rate is a number above 0 and at most 1000000".to_owned()),
    }
}
