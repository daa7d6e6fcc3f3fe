//! `davy probe run`: a flow, once.

use std::path::PathBuf;

use clap::ValueEnum;
use davy::probe::{FlowResult, ProbeMetrics, json_lines, junit, text};
use davy::{Name, ProbeVerdict};
use davy_io::probe::{Ran, Stop, Target};

use super::Whose;
use super::prober::ProberArgs;
use super::which::{self, FlowArgs};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::release::now;
use crate::{Ended, keep, terminal};

/// Run a flow once
///
/// Exit codes: 0 passed, degraded too; 3 the prober failed, or the flow was not run; 4 failed; 1 error, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flow: FlowArgs,
    /// Against which of its targets, where it has several
    #[arg(long, value_name = "NAME")]
    target: Option<Name>,
    /// Where this prober stands, as results name it
    #[arg(long, value_name = "NAME")]
    location: Option<Name>,
    /// Ask one cohort alone, by the way that the target gives
    #[arg(long, value_enum, value_name = "COHORT")]
    cohort: Option<Whose>,
    /// Ask canary and baseline at the same time; the canary decides the exit code
    #[arg(long, conflicts_with = "cohort")]
    pair: bool,
    #[command(flatten)]
    prober: ProberArgs,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Append a recording of each run, as one line of JSON without secrets
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// How results are printed.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: a line of JSON for each run
    Json,
    /// For CI
    Junit,
    /// For Prometheus, under the names of its blackbox exporter and our own
    Openmetrics,
    /// For OpenTelemetry: the body of an OTLP/HTTP request for metrics
    Otlp,
}

pub(crate) fn run(args: &Args) -> Ended {
    let (plan, plugins) = args.flow.plan_with(&args.prober.plugins)?;
    let mut target = Target::new(which::target(&plan, args.target.as_ref())?);
    target.location.clone_from(&args.location);
    target.cohort = args.cohort.map(Whose::cohort);
    target.record = args.record.is_some();
    let (prober, stop) = (args.prober.prober(plugins)?, Stop::new());
    let ran = if args.pair {
        let pair = prober.run_pair(&plan, &target, &stop)?;
        vec![pair.canary, pair.baseline]
    } else {
        vec![prober.run(&plan, &target, &stop)?]
    };
    if let Some(path) = &args.record {
        record(path, &ran)?;
    }
    let results: Vec<FlowResult> = ran.into_iter().map(|ran| ran.result).collect();
    terminal::print(&printed(&results, args.format)?)?;
    if let ([canary, baseline], Format::Text) = (results.as_slice(), args.format) {
        terminal::print(&format!("{}\n", told_apart(canary.verdict, baseline.verdict)))?;
    }
    Ok(exit_code(results.first().map_or(ProbeVerdict::Error, |result| result.verdict)))
}

/// Whose fault it is, from the verdicts of a pair.
const fn told_apart(canary: ProbeVerdict, baseline: ProbeVerdict) -> &'static str {
    use ProbeVerdict::{Error, Fail, Skipped};
    match (canary, baseline) {
        (Fail, Fail) => "both fail: what is broken lies upstream of the canary",
        (Fail, Error | Skipped) => "the canary fails; the baseline could not be asked",
        (Fail, _) => "the canary alone fails",
        (Error | Skipped, _) => "the canary could not be asked",
        (_, Fail) => "the baseline alone fails",
        _ => "neither fails",
    }
}

/// Appends the recordings of runs.
pub(crate) fn record(path: &std::path::Path, ran: &[Ran]) -> Result<(), Error> {
    let mut recordings = ran.iter().filter_map(|ran| ran.recording.as_ref());
    recordings.try_for_each(|recording| keep::append(path, recording.to_line().as_bytes()))
}

pub(crate) fn printed(results: &[FlowResult], format: Format) -> Result<String, Error> {
    let metrics = || {
        let mut metrics = ProbeMetrics::default();
        results.iter().for_each(|result| metrics.add(result));
        metrics
    };
    Ok(match format {
        Format::Text => results
            .iter()
            .map(|result| text(result).lines().map(|line| terminal::printable(line) + "\n").collect::<String>())
            .collect(),
        Format::Json => json_lines(results),
        Format::Junit => junit(results),
        Format::Openmetrics => metrics().to_openmetrics(),
        Format::Otlp => {
            let began = results.iter().map(|result| result.started).min().unwrap_or_else(now);
            format!("{}\n", serde_json::to_string(&metrics().to_otlp(began, now()))?)
        }
    })
}

/// What a verdict ends the command with.
pub(crate) fn exit_code(verdict: ProbeVerdict) -> ExitCode {
    match verdict {
        ProbeVerdict::Pass | ProbeVerdict::Degraded => ExitCode::SUCCESS,
        ProbeVerdict::Skipped | ProbeVerdict::Error => ExitCode::from(3),
        ProbeVerdict::Fail => ExitCode::from(4),
    }
}
