//! `davy test`: what policies decide, beside what their tests expect.

mod changes;
mod json;
mod junit;
mod ran;
mod suite;
mod table;

use crate::exit::ExitCode;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use davy::Share;

use crate::plugins::PluginArgs;
use crate::terminal::{self, Stream};
use crate::{Ended, keep};
use changes::Footprint;
use suite::{Suite, Tested};

/// How often `--watch` looks at the files.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Test policies
///
/// Runs the tests of `*_test.yaml` files: snapshots, and what must be decided from them; and those of `*_test.rego` files: rules
/// named `test_…` that must be true, about the rules in Rego beside them.
///
/// Exit codes: 0 if every test passes and enough is covered, 1 otherwise, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of tests, or directories to search for *_test.yaml and *_test.rego, those below them too
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Tell which gates, metrics, branches and parts of rules of the policies no test reached
    #[arg(long)]
    coverage: bool,
    /// Fail if less of any policy is covered, such as `90%`, or tests in Rego have no policy beside them
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<Share>,
    /// Write what is decided today into the tests that fail
    #[arg(long, conflicts_with = "watch")]
    update: bool,
    /// Run again whenever a test, a policy or a snapshot changes
    #[arg(long, conflicts_with = "format")]
    watch: bool,
    #[command(flatten)]
    plugins: PluginArgs,
}

/// How results are printed.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// For CI servers: the XML that JUnit writes
    Junit,
}

pub(crate) fn run(args: &Args) -> Ended {
    if args.watch {
        return watch(args);
    }
    let mut tested = Tested::run(&args.paths, &args.plugins)?;
    if args.update {
        let mut updated = false;
        for suite in &tested.suites {
            if let Some(text) = suite.updated()? {
                keep::replace(&suite.path, text.as_bytes())?;
                terminal::note(&format!("davy: updated {}\n", terminal::printable(&suite.path.display().to_string())));
                updated = true;
            }
        }
        if updated {
            tested = Tested::run(&args.paths, &args.plugins)?;
        }
    }
    report(args, &tested)
}

fn report(args: &Args, tested: &Tested) -> Ended {
    let coverage = args.coverage || args.min_coverage.is_some();
    match args.format {
        Format::Table => {
            let mut text = table::results(tested, Stream::Out.colour());
            if coverage {
                text.push_str(&table::coverage(tested));
            }
            terminal::print(&text)?;
        }
        Format::Json => terminal::print(&json::results(tested, coverage)?)?,
        Format::Junit => {
            terminal::print(&junit::results(tested))?;
            if coverage {
                terminal::note(&table::coverage(tested));
            }
        }
    }
    let covered = args.min_coverage.is_none_or(|least| is_covered(tested, least));
    Ok(if covered && tested.suites.iter().all(Suite::passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether enough is covered of every policy; where it is not is told.
fn is_covered(tested: &Tested, least: Share) -> bool {
    let below = tested.policies.iter().filter(|policy| !policy.coverage.is_at_least(least));
    let mut lacking: Vec<String> = below
        .map(|policy| {
            let path = policy.documents.given().display();
            format!("{path}: {} is covered, less than {least}", policy.coverage.share())
        })
        .collect();
    // Several files of tests may stand beside the same rules.
    let alone = tested.suites.iter().filter(|suite| !suite.has_policy).map(|suite| &suite.policy);
    for folder in alone.collect::<BTreeSet<_>>() {
        lacking.push(format!("{}: there is no policy, so there is nothing to cover", folder.display()));
    }
    for lack in &lacking {
        terminal::complain(lack);
    }
    lacking.is_empty()
}

/// Runs again and again; ends with the terminal's signal.
fn watch(args: &Args) -> Ended {
    loop {
        let mut seen = Footprint::of(&args.paths);
        match Tested::run(&args.paths, &args.plugins) {
            Ok(tested) => {
                seen.add(&tested);
                report(args, &tested)?;
            }
            Err(error) => terminal::complain(&error),
        }
        terminal::note("davy: watching for changes\n");
        while !seen.changed(&args.paths) {
            thread::sleep(LOOK_AGAIN);
        }
    }
}
