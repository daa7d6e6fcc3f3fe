//! `davy probe lint`: what is wrong with flows, and with what recordings show of them.

use std::path::PathBuf;

use davy::probe::{Recording, check_recordings};
use davy::{Diagnostic, Duration, Severity};

use super::recordings;
use crate::exit::ExitCode;
use crate::load::Documents;
use crate::plugins::PluginArgs;
use crate::release::now;
use crate::terminal::{Format, Stream};
use crate::{Ended, excerpt, terminal};

/// Check flows and libraries
///
/// Exit codes: 0 without errors, 1 with errors, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Flows: files, or directories with their *.yaml, *.yml and *.json files; what they import is found by itself
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Check these recordings too: are they of these flows, and which broken answers would nobody notice?
    #[arg(long, value_name = "FILE|-")]
    recordings: Option<PathBuf>,
    /// How old recordings may be
    #[arg(long, value_name = "DURATION", default_value = "90d", requires = "recordings")]
    max_age: Duration,
    /// Let warnings fail too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    plugins: PluginArgs,
    /// How diagnostics are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Ended {
    let recordings = args.recordings.as_deref().map(recordings::read).transpose()?.unwrap_or_default();
    let colour = Stream::Out.colour();
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut text = String::new();
    for path in &args.paths {
        let documents = Documents::read(path)?;
        let diagnostics = match documents.flows() {
            Err(diagnostics) => diagnostics,
            Ok(flows) => {
                let mut diagnostics = args.plugins.check_flows(&documents, &flows)?;
                diagnostics.extend_from_slice(flows.warnings());
                for plan in flows.iter() {
                    let of_it: Vec<Recording> =
                        recordings.iter().filter(|recording| recording.flow == *plan.name()).cloned().collect();
                    diagnostics.extend(check_recordings(plan, &of_it, args.max_age, now()));
                }
                diagnostics.iter().map(|diagnostic| documents.locate(diagnostic)).collect()
            }
        };
        for diagnostic in &diagnostics {
            text.push_str(&excerpt::text(diagnostic, documents.line(diagnostic), colour));
        }
        found.extend(diagnostics);
    }
    let count = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match args.format {
        Format::Json => text = format!("{}\n", serde_json::to_string_pretty(&found)?),
        Format::Text => text.push_str(&format!(
            "{}, {}\n",
            crate::lint::plural(errors, "error"),
            crate::lint::plural(warnings, "warning")
        )),
    }
    terminal::print(&text)?;
    let failed = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
