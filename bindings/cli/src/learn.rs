//! `davy policy learn`: the history of a service's noise, from its records or from its baseline's past.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use davy::{Asked, Interval, Name, NoiseHistory, Record, Release, ReplicaStart, Snapshot, Verdict};
use thiserror::Error;

use crate::error::{Error, shown};

use crate::record::Line;
use crate::{Ended, ExitCode, load, terminal};

/// What is learned from.
#[derive(Args)]
pub(crate) struct LearnArgs {
    /// The policy: a file, or a directory with its *.yaml, *.yml and *.json files
    #[arg(value_name = "DIR|FILE")]
    policy: PathBuf,
    /// Files that `davy decide --record` wrote, those of one rollout together; `-` is standard input
    #[arg(required = true, value_name = "FILE|-")]
    files: Vec<PathBuf>,
    /// The files hold lines of intervals of the stable revision alone instead, replica by replica
    #[arg(long)]
    baseline: bool,
    /// The environment; with `--baseline`
    #[arg(long, default_value = "prod")]
    environment: Name,
    /// A history of the same policy to add to
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

#[derive(Debug, Error)]
enum Refused {
    #[error("not a line of `davy decide --record`: {0}")]
    Line(#[from] serde_json::Error),
    #[error("{0}")]
    Record(#[from] davy::ReplayError),
    #[error("{0}")]
    Unreadable(#[from] davy::SnapshotError),
}

/// One rollout, as its records tell it.
#[derive(Default)]
struct Rollout {
    intervals: BTreeMap<davy::Instant, Interval>,
    starts: Vec<ReplicaStart>,
    /// It was handed everyone.
    promoted: bool,
    /// It was aborted or rolled back.
    failed: bool,
}

pub(crate) fn run(args: &LearnArgs) -> Ended {
    let (_, engine) = load::engine(&args.policy)?;
    let mut history = args.into.as_deref().map_or_else(|| Ok(NoiseHistory::default()), load::history)?;
    let known = history.rollouts();
    let mut rollouts: BTreeMap<String, (Release, Rollout)> = BTreeMap::new();
    let mut past = Vec::new();
    for path in &args.files {
        if args.baseline {
            past.extend(load::intervals(path)?);
        } else {
            read_records(path, &mut rollouts)?;
        }
    }
    past.sort_by_key(Interval::start);
    if let Some(learned) = engine.learn_from_baseline(&args.environment, &past) {
        history.merge(&learned);
    }
    for (release, rollout) in rollouts.values().filter(|(_, rollout)| rollout.promoted && !rollout.failed) {
        let intervals: Vec<Interval> = rollout.intervals.values().cloned().collect();
        if let Some(learned) = engine.learn(release, &intervals, &rollout.starts) {
            history.merge(&learned);
        }
    }
    terminal::note(&format!("learned from {} healthy rollouts\n", history.rollouts().saturating_sub(known)));
    terminal::print(&format!("{}\n", String::from_utf8_lossy(&history.to_json())))?;
    Ok(ExitCode::SUCCESS)
}

fn read_records(path: &Path, rollouts: &mut BTreeMap<String, (Release, Rollout)>) -> Result<(), Error> {
    let mut reader = BufReader::new(load::open(path)?);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = reader.by_ref().take(load::LARGEST + 1).read_until(b'\n', &mut line).map_err(Error::read(path))?;
        if read as u64 > load::LARGEST {
            return Err(Error::TooLarge { path: shown(path), limit: load::LARGEST });
        }
        if read == 0 {
            break;
        }
        if !line.trim_ascii().is_empty() {
            let refused = |cause: Refused| Error::Line { path: shown(path), number, cause: cause.to_string() };
            take_in(&line, rollouts).map_err(refused)?;
        }
    }
    Ok(())
}

fn take_in(line: &[u8], rollouts: &mut BTreeMap<String, (Release, Rollout)>) -> Result<(), Refused> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let record = Record::from_bytes(line.record.get().as_bytes())?;
    let snapshot = Snapshot::from_json(line.snapshot.get().as_bytes())?;
    let release = snapshot.release.clone();
    let key = serde_json::to_string(&release)?;
    let (_, rollout) = rollouts.entry(key).or_insert_with(|| (release, Rollout::default()));
    rollout.intervals.extend(snapshot.intervals.into_iter().map(|interval| (interval.start(), interval)));
    rollout.starts.extend(snapshot.replica_starts);
    rollout.starts.sort();
    rollout.starts.dedup();
    let decision = record.decision();
    rollout.promoted |= decision.verdict == Verdict::Proceed && decision.asked == Asked::Promote;
    rollout.failed |= matches!(decision.verdict, Verdict::Abort | Verdict::Rollback);
    Ok(())
}
