//! `davy plugin run`: a plugin on what a file says was observed or answered.

use std::path::PathBuf;

use davy::plugin::PluginOutcome;
use davy::{Cohort, Instant};
use davy_plugins::World;
use serde_json::Value as Json;

use super::event::{Story, Told};
use super::observed::Look;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::plugins::PluginArgs;
use crate::release::now;
use crate::terminal::Format;
use crate::{Ended, load, terminal};

/// What a plugin is run with.
#[derive(clap::Args)]
pub(super) struct WithArgs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(super) file: PathBuf,
    /// Its parameters, as JSON; `@FILE` reads them from a file
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    parameters: String,
    /// For a metric, intervals as JSON lines or CSV, whose observations are named like the plugin's inputs; for a probe
    /// step, a JSON list of answers, `{ "status": 200, "headers": [["name", "value"]], "body": "…" }` or
    /// `{ "failed": "timeout" }`
    #[arg(long, value_name = "FILE|-")]
    pub(super) input: Option<PathBuf>,
    /// Of a probe step, the target that it runs against
    #[arg(long, value_name = "URL", default_value = "http://localhost")]
    base_url: String,
    /// Of a probe step, the time that it is told; now, unless given
    #[arg(long, value_name = "INSTANT")]
    now: Option<Instant>,
    #[command(flatten)]
    pub(super) plugins: PluginArgs,
}

impl WithArgs {
    /// The parameters, if they fit the plugin's own schema.
    pub(super) fn parameters(&self, plugin: &davy_plugins::Plugin) -> Result<Json, Error> {
        let text = match self.parameters.strip_prefix('@') {
            Some(path) => String::from_utf8_lossy(&load::bytes(path.as_ref())?).into_owned(),
            None => self.parameters.clone(),
        };
        let parsed: Json =
            serde_json::from_str(&text).map_err(|cause| Error::PluginParameters { causes: cause.to_string() })?;
        let Json::Object(given) = &parsed else {
            return Err(Error::PluginParameters { causes: "they are a mapping, `{ … }`".to_owned() });
        };
        let wrong = plugin.description().schema.check(given);
        if wrong.is_empty() {
            return Ok(parsed);
        }
        let causes = wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Err(Error::PluginParameters { causes })
    }

    pub(super) fn story(&self, parameters: &Json) -> Result<Story, Error> {
        let now = self.now.unwrap_or_else(now);
        Story::read(self.input.as_deref(), parameters.to_string(), &self.base_url, now)
    }

    pub(super) fn look(&self, plugin: &std::sync::Arc<davy_plugins::Plugin>, parameters: &Json) -> Result<Look, Error> {
        let input = self.input.as_deref().ok_or(Error::PluginNeedsInput)?;
        Look::new(plugin, parameters, input)
    }
}

/// Run a plugin on what a file says was observed, or answered
///
/// A metric is measured as a policy would have it measured, interval by interval; a probe step takes its turns with the
/// answers of the file. Exit codes: 0, 1 if any call was rejected or failed, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    with: WithArgs,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Ended {
    let host = args.with.plugins.host()?;
    let plugin = super::plugin(&host, &args.with.file, &load::bytes(&args.with.file)?)?;
    let parameters = args.with.parameters(&plugin)?;
    match plugin.description().world {
        World::Metric => metric(args, &plugin, &parameters),
        World::ProbeStep => {
            let told = args.with.story(&parameters)?.tell(&plugin.step()?);
            match args.format {
                Format::Json => {
                    let turns: Vec<Json> = told.iter().map(Told::json).collect();
                    terminal::print(&format!("{}\n", serde_json::to_string_pretty(&turns)?))?;
                }
                Format::Text => {
                    let text: String = told.iter().map(Told::text).collect();
                    terminal::print(&text.lines().map(|line| terminal::printable(line) + "\n").collect::<String>())?;
                }
            }
            let failed = told.last().and_then(Told::came_to_nothing).is_some();
            Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

fn metric(args: &Args, plugin: &std::sync::Arc<davy_plugins::Plugin>, parameters: &Json) -> Ended {
    let measured = args.with.look(plugin, parameters)?.measure();
    let unit = &plugin.description().unit;
    let mut failed = measured.plugins.is_empty();
    let mut text = String::new();
    for one in &measured.plugins {
        let nothing = came_to_nothing(&one.outcome);
        failed |= nothing.is_some();
        let outcome = match &one.outcome {
            PluginOutcome::Value(value) if unit.is_empty() || unit == "1" => number(*value),
            PluginOutcome::Value(value) => format!("{} {unit}", number(*value)),
            PluginOutcome::Counts { bad, total } => format!("{bad} of {total}"),
            PluginOutcome::Rejected { .. } | PluginOutcome::Faulted { .. } => nothing.unwrap_or_default(),
        };
        let cohort = if one.cohort == Cohort::Baseline { "baseline" } else { "canary" };
        let fuel = one.fuel.map_or_else(String::new, |fuel| format!(" ({fuel} fuel)"));
        text.push_str(&terminal::printable(&format!("{} {cohort}: {outcome}{fuel}", one.start)));
        text.push('\n');
    }
    match args.format {
        Format::Json => terminal::print(&format!("{}\n", serde_json::to_string_pretty(&measured.plugins)?))?,
        Format::Text => terminal::print(&text)?,
    }
    if measured.plugins.is_empty() {
        let every = "intervals of one length, at multiples of it, with every input that is not optional";
        terminal::note(&format!("davy: nothing was measured: a plugin needs {every}\n"));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Why a call measured nothing; nothing where it did.
pub(super) fn came_to_nothing(outcome: &PluginOutcome) -> Option<String> {
    match outcome {
        PluginOutcome::Value(_) | PluginOutcome::Counts { .. } => None,
        PluginOutcome::Rejected { message } => Some(format!("rejected: {message}")),
        PluginOutcome::Faulted { fault, detail } => Some(format!("{}: {detail}", fault.as_str())),
    }
}

/// A number in as many digits as it needs, and no more than a line takes.
fn number(value: f64) -> String {
    let plain = value.abs() < 1e15 && (value.abs() >= 1e-6 || value.abs() <= 0.0);
    if plain { value.to_string() } else { format!("{value:e}") }
}
