//! `davy lint`: what is wrong with policies, and what probably does not do what its author expects.

use crate::ExitCode;
use std::path::PathBuf;

use davy::{Diagnostic, Severity};

use crate::load::Documents;
use crate::plugins::PluginArgs;
use crate::terminal::{Format, Stream};
use crate::{Ended, excerpt, terminal};

/// Check policies
///
/// Exit codes: 0 without errors, 1 with errors, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Policies: files, or directories with their documents and rules
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
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
    let colour = Stream::Out.colour();
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut text = String::new();
    let mut unread = 0;
    for path in &args.paths {
        let documents = match Documents::read(path) {
            Ok(documents) => documents,
            Err(error) => {
                terminal::complain(&error);
                unread += 1;
                continue;
            }
        };
        let diagnostics = match documents.bundle() {
            Ok(bundle) => match documents.engine(&bundle) {
                Ok(engine) => {
                    let of_plugins = args.plugins.check(&bundle)?;
                    let found = of_plugins.iter().chain(bundle.warnings()).chain(engine.warnings());
                    found.map(|diagnostic| documents.locate(diagnostic)).collect()
                }
                Err(diagnostics) => diagnostics,
            },
            Err(diagnostics) => diagnostics,
        };
        for diagnostic in &diagnostics {
            text.push_str(&excerpt::text(diagnostic, documents.line(diagnostic), colour));
        }
        found.extend(diagnostics);
    }
    let count = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error) + unread, count(Severity::Warning));
    match args.format {
        Format::Json => text = format!("{}\n", serde_json::to_string_pretty(&found)?),
        Format::Text => text.push_str(&format!("{}, {}\n", plural(errors, "error"), plural(warnings, "warning"))),
    }
    terminal::print(&text)?;
    let failed = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(crate) fn plural(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
