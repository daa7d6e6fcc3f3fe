//! `davy decide`: one look at a release. An abort or a rollback is printed and returned whatever else fails.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use davy::{Decision, Engine, State, Verdict, canonical_json, render};

use crate::error::Error;
use crate::terminal::Stream;
use crate::{Ended, keep, load, record, terminal};

/// Decide whether a release may go further
///
/// Exit codes: 0 proceed, 3 hold, 4 abort, 5 rollback, 1 error, 2 usage. A file that cannot be read or written is an
/// error, except that it never keeps an abort or a rollback from being printed and returned.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy: a file, or a directory with its *.yaml, *.yml and *.json files
    #[arg(long, value_name = "DIR|FILE")]
    policy: PathBuf,
    /// What was observed, as JSON; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    snapshot: PathBuf,
    /// The state of this attempt of the release: read if it exists, replaced by the next state
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How the decision is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Append the sealed decision and its inputs as one line, for `davy replay`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For programs: canonical JSON on one line
    Json,
    /// For a pull request or a chat
    Markdown,
}

pub(crate) fn run(args: &Args) -> Ended {
    let bundle = load::bundle(&args.policy)?;
    let snapshot = load::snapshot(&args.snapshot)?;
    let engine = Engine::new(&bundle);
    let (prior, unread) = match args.state.as_deref().map_or_else(|| Ok(State::new()), load::state) {
        Ok(state) => (state, None),
        Err(error) => (State::new(), Some(error)),
    };
    let step = engine.decide(&prior, &snapshot);
    let verdict = step.decision.verdict;
    let ends_release = matches!(verdict, Verdict::Abort | Verdict::Rollback);
    if !ends_release && let Some(error) = unread {
        return Err(error);
    }

    let printed = print(&step.decision, args.format);
    let recorded = args
        .record
        .as_deref()
        .map_or(Ok(()), |path| keep::append(path, &record::line(&step, &bundle, &prior, &snapshot)?));
    let kept = match &args.state {
        // A file that could not be read as a state may be somebody else's: it stays as it is. And a state that
        // goes further than the records would leave a gap that nobody can replay.
        Some(path) if unread.is_none() && (recorded.is_ok() || ends_release) => {
            keep::replace(path, &step.state.to_json())
        }
        _ => Ok(()),
    };
    let errors: Vec<Error> = [unread, printed.err(), recorded.err(), kept.err()].into_iter().flatten().collect();
    errors.iter().for_each(|error| terminal::complain(error));
    Ok(if errors.is_empty() || ends_release { code(verdict) } else { ExitCode::FAILURE })
}

fn print(decision: &Decision, format: Format) -> Result<(), Error> {
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

fn code(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Proceed => 0,
        Verdict::Hold => 3,
        Verdict::Abort => 4,
        Verdict::Rollback => 5,
    })
}
