//! `davy probe record`: a corpus of answers, for replays, mutations and drift.

use std::path::PathBuf;
use std::time::Duration;

use davy::{Name, ProbeVerdict};
use davy_io::probe::{Stop, Target};

use super::prober::ProberArgs;
use super::run::{self, exit_code};
use super::which::{self, FlowArgs};
use crate::progress::Progress;
use crate::{Ended, terminal};

/// Run a flow several times and record every answer, without secrets
///
/// Exit codes are those of `davy probe run` for the worst run.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flow: FlowArgs,
    /// Where recordings are appended, a line of JSON for each run
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Against which of its targets, where it has several
    #[arg(long, value_name = "NAME")]
    target: Option<Name>,
    /// How many runs
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    runs: u64,
    /// How long to wait between runs
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pause: davy::Duration,
    #[command(flatten)]
    prober: ProberArgs,
}

pub(crate) fn run(args: &Args) -> Ended {
    let (plan, plugins) = args.flow.plan_with(&args.prober.plugins)?;
    let mut target = Target::new(which::target(&plan, args.target.as_ref())?);
    target.record = true;
    let (prober, stop) = (args.prober.prober(plugins)?, Stop::new());
    let mut worst = ProbeVerdict::Pass;
    let mut progress = Progress::of("runs", args.runs);
    for number in 0..args.runs {
        if number > 0 {
            stop.wait(Duration::from_millis(args.pause.millis()));
        }
        let ran = prober.run(&plan, &target, &stop)?;
        worst = worst.max(ran.result.verdict);
        run::record(&args.out, &[ran])?;
        progress.step();
    }
    drop(progress);
    terminal::print(&format!(
        "{} recorded, the worst of them: {}\n",
        crate::lint::plural(usize::try_from(args.runs).unwrap_or(usize::MAX), "run"),
        worst.as_str()
    ))?;
    Ok(exit_code(worst))
}
