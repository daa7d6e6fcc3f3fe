//! `davy plugin bench`: what a plugin costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use davy_plugins::{PluginHost, World};

use super::event::Told;
use super::run::{WithArgs, came_to_nothing};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{Ended, load, terminal};

/// Measure what a plugin costs: to compile, and per call with a fresh instance
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    with: WithArgs,
    /// For how long calls are measured
    #[arg(long = "for", value_name = "DURATION", default_value = "1s")]
    time: davy::Duration,
}

/// The least number of rounds, however slow one is.
const LEAST: usize = 5;

pub(crate) fn run(args: &Args) -> Ended {
    let bytes = load::bytes(&args.with.file)?;
    // Compiled code that is kept would be found instead of made.
    let host = args.with.plugins.host_without_cache()?;
    let compiled = median(&mut (0..3).map(|_| compile(args, &host, &bytes)).collect::<Result<Vec<_>, _>>()?);
    let plugin = super::plugin(&host, &args.with.file, &bytes)?;
    let parameters = args.with.parameters(&plugin)?;
    let (calls, fuel, mut took) = match plugin.description().world {
        World::Metric => {
            let look = args.with.look(&plugin, &parameters)?;
            let seen = look.measure();
            of_use(seen.plugins.len(), seen.plugins.iter().filter_map(|one| came_to_nothing(&one.outcome)))?;
            let fuel = seen.plugins.iter().filter_map(|one| one.fuel).map(davy::Count::get).max();
            (seen.plugins.len(), fuel, rounds(args, || drop(black_box(look.measure()))))
        }
        World::ProbeStep => {
            let (story, step) = (args.with.story(&parameters)?, plugin.step()?);
            let told = story.tell(&step);
            of_use(told.len(), told.iter().filter_map(Told::came_to_nothing))?;
            let fuel = told.iter().filter_map(|turn| turn.turned.fuel).max();
            (told.len(), fuel, rounds(args, || drop(black_box(story.tell(&step)))))
        }
    };
    let each = |took: Duration| took / u32::try_from(calls).unwrap_or(u32::MAX);
    let (middle, rounds) = (each(median(&mut took)), took.len());
    let slow = each(took.get(rounds * 99 / 100).copied().unwrap_or_default());
    let share = fuel.map_or(0.0, |fuel| fuel as f64 / host.limits().fuel as f64 * 100.0);
    terminal::print(&format!(
        "compile   {compiled:.2?}, once per machine ({} bytes)\n\
         call      {middle:.2?} median, {slow:.2?} in the slowest of 100, with a fresh instance ({rounds} × {calls} calls)\n\
         fuel      {} at most per call, {share:.3} % of the limit\n",
        bytes.len(),
        fuel.unwrap_or_default(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the calls did what they are for: how soon a plugin fails is not what it costs.
fn of_use(calls: usize, mut failures: impl Iterator<Item = String>) -> Result<(), Error> {
    match failures.next() {
        Some(why) => Err(Error::PluginCameToNothing { calls: failures.count() + 1, of: calls, why }),
        None if calls == 0 => Err(Error::PluginNeedsInput),
        None => Ok(()),
    }
}

fn compile(args: &Args, host: &PluginHost, bytes: &[u8]) -> Result<Duration, Error> {
    let began = Instant::now();
    drop(black_box(super::plugin(host, &args.with.file, bytes)?));
    Ok(began.elapsed())
}

/// How long each round took.
fn rounds(args: &Args, round: impl Fn()) -> Vec<Duration> {
    let until = Instant::now() + Duration::from_millis(args.time.millis());
    let mut took = Vec::new();
    while took.len() < LEAST || (Instant::now() < until && took.len() < 1_000_000) {
        let began = Instant::now();
        round();
        took.push(began.elapsed());
    }
    took
}

fn median(took: &mut [Duration]) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}
