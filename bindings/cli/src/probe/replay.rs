//! `davy probe replay`, `mutate`, `drift` and `har`: what recordings say of a flow, without asking the service.

use std::path::PathBuf;

use davy::ProbeVerdict;
use davy::document::probe::DriftKind;
use davy::probe::{Inputs, Shapes, read_har, run_on_har, survivors};

use super::run::{Format, exit_code, printed};
use super::which::{self, FlowArgs};
use super::{recordings, run};
use crate::error::{Error, shown};
use crate::exit::ExitCode;
use crate::terminal::Format as Plain;
use crate::{Ended, keep, load, terminal};

/// Judge recorded answers again, without asking the service
///
/// Every recording must be of this very version of the flow, and come to the verdicts that its run came to, bit for
/// bit. Exit codes: those of `davy probe run` for the worst of them; 1 where one does not.
#[derive(clap::Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    flow: FlowArgs,
    /// Recordings, as `davy probe run --record` and `davy probe record` write them; `-` is standard input
    #[arg(value_name = "RECORDINGS|-")]
    recordings: PathBuf,
    /// Judge by another version of the flow than was recorded: what would it have said?
    #[arg(long)]
    what_if: bool,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn replay(args: &ReplayArgs) -> Ended {
    let plan = args.flow.plan()?;
    let mut results = Vec::new();
    for recording in recordings::read(&args.recordings)? {
        let replayed = if args.what_if { recording.run_on(&plan) } else { recording.replay(&plan) };
        results.push(replayed.map_err(|cause| Error::Recording { path: shown(&args.recordings), cause })?);
    }
    terminal::print(&printed(&results, args.format)?)?;
    let worst = results.iter().map(|result| result.verdict).max();
    Ok(exit_code(worst.unwrap_or(ProbeVerdict::Error)))
}

/// Break recorded answers, one way at a time, and list what no expectation would notice
///
/// Exit codes: 0 everything would be noticed, 4 something would not, 1 error, 2 usage.
#[derive(clap::Args)]
pub(crate) struct MutateArgs {
    #[command(flatten)]
    flow: FlowArgs,
    /// Recordings of runs that passed; `-` is standard input
    #[arg(value_name = "RECORDINGS|-")]
    recordings: PathBuf,
    /// How they are listed
    #[arg(long, value_enum, default_value_t)]
    format: Plain,
}

pub(crate) fn mutate(args: &MutateArgs) -> Ended {
    let plan = args.flow.plan()?;
    let found = survivors(&plan, &recordings::read(&args.recordings)?);
    match args.format {
        Plain::Json => terminal::print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?,
        Plain::Text => {
            let lines = found.iter().map(|survivor| {
                let line =
                    format!("{}: the step `{}` does not notice {}", survivor.at, survivor.step, survivor.mutation);
                terminal::printable(&line) + "\n"
            });
            let count = crate::lint::plural(found.len(), "broken answer");
            terminal::print(&format!("{}{count} would go unnoticed\n", lines.collect::<String>()))?;
        }
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(4) })
}

/// Compare the shape of recorded answers with that of an earlier recording
///
/// Exit codes: 0 nothing differs that the flow's `drift.failOn` names (missing and changed fields, unless it says
/// otherwise), 4 something does, 1 error, 2 usage.
#[derive(clap::Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    flow: FlowArgs,
    /// The newest recordings; `-` is standard input
    #[arg(value_name = "RECORDINGS|-")]
    recordings: PathBuf,
    /// The earlier recordings; the flow's `drift.baseline` unless given
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How differences are listed
    #[arg(long, value_enum, default_value_t)]
    format: Plain,
}

pub(crate) fn drift(args: &DriftArgs) -> Ended {
    let plan = args.flow.plan()?;
    let beside = |file: &str| args.flow.folder().join(file);
    let baseline = args.baseline.clone().or_else(|| plan.drift().map(|drift| beside(&drift.baseline)));
    let baseline = baseline.ok_or(Error::NoBaseline)?;
    let shapes = |path| Ok::<_, Error>(Shapes::of(&plan, &recordings::read(path)?));
    let differences = shapes(&baseline)?.compare(&shapes(&args.recordings)?);
    let by_default = [DriftKind::Removed, DriftKind::TypeChanged];
    let fails = plan.drift().map_or(&by_default[..], |drift| &drift.fail_on);
    let failed = differences.iter().any(|difference| fails.contains(&difference.kind));
    match args.format {
        Plain::Json => terminal::print(&format!("{}\n", serde_json::to_string_pretty(&differences)?))?,
        Plain::Text => {
            let lines = differences.iter().map(|difference| {
                let word = if fails.contains(&difference.kind) { "fail" } else { "note" };
                let types = |types: &[davy::document::probe::JsonType]| {
                    types.iter().map(|of| of.as_str()).collect::<Vec<_>>().join(" or ")
                };
                let (was, is) = (types(&difference.was), types(&difference.is));
                let line =
                    format!("{word}: {} {} {}: was {was}, is {is}", difference.step, difference.path, difference.kind);
                terminal::printable(&line) + "\n"
            });
            let count = crate::lint::plural(differences.len(), "difference");
            terminal::print(&format!("{}{count}\n", lines.collect::<String>()))?;
        }
    }
    Ok(if failed { ExitCode::from(4) } else { ExitCode::SUCCESS })
}

/// Judge the answers that a browser recorded as HAR 1.2
///
/// Exit codes are those of `davy probe run`.
#[derive(clap::Args)]
pub(crate) struct HarArgs {
    #[command(flatten)]
    flow: FlowArgs,
    /// What a browser recorded
    #[arg(value_name = "FILE.har")]
    har: PathBuf,
    /// Against which of the flow's targets, where it has several
    #[arg(long, value_name = "NAME")]
    target: Option<davy::Name>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Append the run as a recording, for `davy probe replay`, `mutate` and `drift`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

pub(crate) fn har(args: &HarArgs) -> Ended {
    let plan = args.flow.plan()?;
    let target = which::target(&plan, args.target.as_ref())?;
    let refuse = |cause| Error::Har { path: args.har.clone(), cause };
    let entries = read_har(&load::bytes(&args.har)?).map_err(refuse)?;
    let (result, recording) = run_on_har(&plan, Inputs::new(target, 1), &entries).map_err(refuse)?;
    if let (Some(path), Some(recording)) = (&args.record, recording) {
        keep::append(path, recording.to_line().as_bytes())?;
    }
    let verdict = result.verdict;
    terminal::print(&run::printed(&[result], args.format)?)?;
    Ok(exit_code(verdict))
}
