//! `davy decide`: one look at a release, or several until it is decided. An abort or a rollback is printed and
//! returned whatever else fails.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, ValueEnum};
use davy::{Bundle, Decision, Engine, canonical_json, render};

use crate::error::Error;
use crate::observe::{Eyes, ServerArgs};
use crate::plugins::PluginArgs;
use crate::release::ReleaseArgs;
use crate::terminal::Stream;
use crate::watch::Watch;
use crate::{Ended, load, terminal};

/// Decide whether a release may go further
///
/// Exit codes: 0 proceed, 3 hold, 4 abort, 5 rollback, 1 error, 2 usage. A file that cannot be read or written is an
/// error, except that it never keeps an abort or a rollback from being printed and returned.
///
/// Without `--snapshot` or `--intervals`, the servers of the policy's sources are asked, or the one that `--prometheus` names.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("seen").required(true).args(["snapshot", "revision"])))]
pub(crate) struct Args {
    /// The policy: a file, or a directory with its documents and rules
    #[arg(long, value_name = "DIR|FILE")]
    policy: PathBuf,
    /// What was observed, as JSON; `-` is standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["prometheus", "wait", "probes"])]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Intervals from a file in place of a server: `*.csv`, or else JSON lines; `-` is standard input
    #[arg(long, value_name = "FILE|-", requires = "revision", conflicts_with_all = ["snapshot", "prometheus", "wait"])]
    intervals: Option<PathBuf>,
    #[command(flatten)]
    release: ReleaseArgs,
    /// Look again, for so long, while it holds
    #[arg(long, value_name = "DURATION")]
    wait: Option<davy::Duration>,
    /// The state of this attempt of the release: read if it exists, replaced by the next state
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
    /// How the decision is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Another version of the policy, which looks too and decides nothing: the decision says where it would differ
    #[arg(long, value_name = "DIR|FILE")]
    shadow: Option<PathBuf>,
    /// Append the sealed decision and its inputs as one line, for `davy replay`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// How a decision is printed.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For programs: canonical JSON on one line
    Json,
    /// For a pull request or a chat
    Markdown,
}

pub(crate) fn run(args: &Args) -> Ended {
    let (documents, bundle) = load::policy(&args.policy)?;
    let shadow = args.shadow.as_deref().map(load::policy).transpose()?;
    let plugins = args.plugins.of([(&documents, &bundle)].into_iter().chain(shadow.as_ref().map(|(a, b)| (a, b))));
    let shadow = shadow.map(|(_, shadow)| shadow);
    let engine = engine(&bundle, shadow.as_ref())?;
    let eyes = match (&args.snapshot, &args.intervals) {
        (Some(path), _) => Eyes::Snapshot(path),
        (None, Some(path)) => Eyes::Intervals { path, release: &args.release, runs: args.server.runs(&bundle) },
        (None, None) => args.server.eyes(&bundle, &engine, &args.release)?,
    };
    let watch = Watch {
        bundle: &bundle,
        shadow: shadow.as_ref(),
        engine: &engine,
        eyes,
        plugins: &plugins,
        state: args.state.as_deref(),
        record: args.record.as_deref(),
        patience: args.wait.map_or(Duration::ZERO, |wait| Duration::from_millis(wait.millis())),
        past_proceed: false,
    };
    watch.run(|decision| print(decision, args.format))
}

/// An engine, with its shadow if it has one.
pub(crate) fn engine(bundle: &Bundle, shadow: Option<&Bundle>) -> Result<Engine, Error> {
    let engine = load::engine_of(bundle)?;
    Ok(match shadow {
        Some(shadow) => engine.with_shadow(load::engine_of(shadow)?)?,
        None => engine,
    })
}

/// Prints a decision.
pub(crate) fn print(decision: &Decision, format: Format) -> Result<(), Error> {
    terminal::print(&match format {
        Format::Text => render::text_with(decision, Stream::Out.colour()),
        Format::Markdown => render::markdown(decision),
        Format::Json => {
            let mut json = String::from_utf8_lossy(&canonical_json(decision)?).into_owned();
            json.push('\n');
            json
        }
    })
}
