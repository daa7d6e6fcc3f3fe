//! `davy run`: a release under watch on the policy's grid, every look on record.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgGroup;

use crate::decide::{Format, engine, print};
use crate::observe::ServerArgs;
use crate::plugins::PluginArgs;
use crate::release::ReleaseArgs;
use crate::watch::Watch;
use crate::{Ended, load};

/// Watch a release until it is decided, and record every look
///
/// Asked to `start`, `advance` or `promote`, it ends when the release may, or must not. Asked to `keep`, it ends when
/// the release fails or the time is up. Exit codes are those of `davy decide`.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("which").required(true).args(["revision"])))]
pub(crate) struct Args {
    /// The policy: a file, or a directory with its documents and rules
    #[arg(long, value_name = "DIR|FILE")]
    policy: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    release: ReleaseArgs,
    /// How long to watch at most
    #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
    patience: davy::Duration,
    /// The state of this attempt of the release: read if it exists, replaced at every look
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Another version of the policy, which looks too and decides nothing: decisions say where it would differ
    #[arg(long, value_name = "DIR|FILE")]
    shadow: Option<PathBuf>,
    /// Append every sealed decision and its inputs as one line of JSON, for `davy replay`
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    #[command(flatten)]
    plugins: PluginArgs,
    /// How the last decision is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Ended {
    let (documents, bundle) = load::policy(&args.policy)?;
    let shadow = args.shadow.as_deref().map(load::policy).transpose()?;
    let plugins = args.plugins.of([(&documents, &bundle)].into_iter().chain(shadow.as_ref().map(|(a, b)| (a, b))));
    let shadow = shadow.map(|(_, shadow)| shadow);
    let engine = engine(&bundle, shadow.as_ref())?;
    let watch = Watch {
        bundle: &bundle,
        shadow: shadow.as_ref(),
        engine: &engine,
        eyes: args.server.eyes(&bundle, &engine, &args.release)?,
        plugins: &plugins,
        state: args.state.as_deref(),
        record: Some(&args.record),
        patience: Duration::from_millis(args.patience.millis()),
        past_proceed: args.release.only_watches(),
    };
    watch.run(|decision| print(decision, args.format))
}
