//! `davy policy diff`: which recorded decisions a change of the policy would change, and why.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use davy::render::{self, Colour};
use davy::{Comparison, Engine, Instant, Record, Release, Snapshot, State, Verdict};
use serde::Serialize;

use crate::error::{Error, shown};
use crate::exit::ExitCode;
use crate::progress::Progress;
use crate::record::Line;
use crate::terminal::{self, Format, Stream, paint, printable};
use crate::{Ended, load};

/// Two policies and the records that are decided again.
#[derive(Args)]
pub(crate) struct DiffArgs {
    /// The policy as it is: a file, or a directory with its *.yaml, *.yml and *.json files
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The policy as it would be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Files that `davy decide --record` or `davy run --record` wrote, or directories with *.jsonl files of such lines
    #[arg(long, required = true, value_name = "DIR|FILE")]
    records: Vec<PathBuf>,
    /// Exit with 1 if any decision would change
    #[arg(long)]
    deny_changes: bool,
    /// How the differences are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One rollout, decided again from its first record under both policies.
struct Rollout {
    old: State,
    new: State,
    latest: Instant,
    differed: bool,
}

/// What became of all records.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Decisions that were made again.
    decisions: u64,
    /// Those that another verdict would have been given.
    verdicts: BTreeMap<String, u64>,
    /// Those that differ, in their reasons at least.
    changed: u64,
    /// Records that a policy other than OLD made.
    of_other_policies: u64,
    /// Records that cannot be decided again, because the rollout's earlier ones are missing.
    without_beginning: u64,
    differences: Vec<Difference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Difference {
    file: String,
    line: u64,
    at: Instant,
    release: Release,
    /// Whether the rollout had differed before: then it would not have come to this look.
    after_another: bool,
    #[serde(flatten)]
    comparison: Comparison,
}

pub(crate) fn run(args: &DiffArgs) -> Ended {
    let ((_, old), (_, new)) = (load::engine(&args.old)?, load::engine(&args.new)?);
    if old.service() != new.service() {
        return Err(Error::OtherService { old: old.service().clone(), new: new.service().clone() });
    }
    let mut diff = Diff { old: &old, new: &new, rollouts: BTreeMap::new(), summary: Summary::default() };
    let mut progress = Progress::new("records");
    for path in files(&args.records)? {
        diff.read(&path, &mut progress)?;
    }
    drop(progress);
    let summary = diff.summary;
    if summary.decisions + summary.without_beginning == 0 {
        let path = args.records.first().cloned().unwrap_or_default();
        return Err(Error::NoRecords { path });
    }
    terminal::print(&match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&summary)?),
        Format::Text => text(&summary, Stream::Out.colour()),
    })?;
    let denied = args.deny_changes && summary.changed > 0;
    Ok(if denied { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The files of records, those of a directory in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut all = Vec::new();
    for path in paths {
        if path == Path::new("-") || !fs::metadata(path).map_err(Error::read(path))?.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(Error::read(path))?;
        let found: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut found = found.map_err(Error::read(path))?;
        found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        if found.is_empty() {
            return Err(Error::NoRecords { path: path.clone() });
        }
        found.sort();
        all.append(&mut found);
    }
    Ok(all)
}

struct Diff<'e> {
    old: &'e Engine,
    new: &'e Engine,
    rollouts: BTreeMap<String, Rollout>,
    summary: Summary,
}

impl Diff<'_> {
    fn read(&mut self, path: &Path, progress: &mut Progress) -> Result<(), Error> {
        let mut reader = BufReader::new(load::open(path)?);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read =
                reader.by_ref().take(load::LARGEST + 1).read_until(b'\n', &mut line).map_err(Error::read(path))?;
            if read as u64 > load::LARGEST {
                return Err(Error::TooLarge { path: shown(path), limit: load::LARGEST });
            }
            if read == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                self.again(path, number, &line)?;
                progress.step();
            }
        }
        Ok(())
    }

    /// Decides one record again.
    fn again(&mut self, path: &Path, number: u64, line: &[u8]) -> Result<(), Error> {
        let refused = |cause: String| Error::NotARecord { path: shown(path), line: number, cause };
        let line: Line<'_> = serde_json::from_slice(line).map_err(|cause| refused(cause.to_string()))?;
        let record = Record::from_bytes(line.record.get().as_bytes()).map_err(|cause| refused(cause.to_string()))?;
        let prior = State::from_json(line.state.get().as_bytes()).map_err(|cause| refused(cause.to_string()))?;
        let snapshot =
            Snapshot::from_json(line.snapshot.get().as_bytes()).map_err(|cause| refused(cause.to_string()))?;
        let is_ours = record.bundle() == self.old.digest();
        let release = &snapshot.release;
        let key = serde_json::to_string(release)?;
        let rollout = match self.rollouts.remove(&key) {
            Some(known) if known.latest <= snapshot.now => known,
            Some(_) => return Err(refused("it is older than a record of the same rollout before it".to_owned())),
            // Somebody has looked at this release before, and that is not here.
            None if prior.release() == Some(release) => {
                self.summary.without_beginning += 1;
                return Ok(());
            }
            None => Rollout { old: prior.clone(), new: prior.clone(), latest: snapshot.now, differed: false },
        };
        // Under the policy that made it, a rollout comes through the same states again, unless records are missing.
        if is_ours && rollout.old.digest()? != record.inputs().state {
            self.summary.without_beginning += 1;
            return Ok(());
        }
        self.summary.decisions += 1;
        self.summary.of_other_policies += u64::from(!is_ours);
        let (old, new) = (self.old.decide(&rollout.old, &snapshot), self.new.decide(&rollout.new, &snapshot));
        let comparison = Comparison::between(&old.decision, &new.decision);
        let differs = !comparison.is_same();
        if differs {
            self.summary.changed += 1;
            if comparison.before != comparison.after {
                *self.summary.verdicts.entry(verdicts(comparison.before, comparison.after)).or_default() += 1;
            }
            self.summary.differences.push(Difference {
                file: shown(path).display().to_string(),
                line: number,
                at: snapshot.now,
                release: release.clone(),
                after_another: rollout.differed,
                comparison,
            });
        }
        let differed = rollout.differed || differs;
        let next = Rollout { old: old.state, new: new.state, latest: snapshot.now, differed };
        self.rollouts.insert(key, next);
        Ok(())
    }
}

fn verdicts(before: Verdict, after: Verdict) -> String {
    format!("{before} → {after}")
}

fn text(summary: &Summary, colour: Colour) -> String {
    let mut out = String::new();
    for difference in &summary.differences {
        let Difference { file, line, at, release, after_another, comparison } = difference;
        let verdict = if comparison.before == comparison.after {
            format!("{} as before, for other reasons", comparison.before)
        } else {
            paint(colour, "1", &verdicts(comparison.before, comparison.after))
        };
        out.push_str(&printable(&format!(
            "{file}:{line}: {at} {} {} → {}, attempt {}: ",
            release.service, release.revision, release.environment, release.attempt
        )));
        out.push_str(&verdict);
        out.push('\n');
        for (sign, style, findings) in [("-", "31", &comparison.lacks), ("+", "32", &comparison.adds)] {
            for finding in findings {
                let said = printable(&format!("  {sign} {} ({})", render::sentence(finding), finding.label()));
                out.push_str(&paint(colour, style, &said));
                out.push('\n');
            }
        }
        if *after_another {
            out.push_str("  the rollout had differed before, and would not have come to this look as it did\n");
        }
    }
    out.push_str(&format!("{} of {} decisions would change\n", summary.changed, summary.decisions));
    for (verdicts, times) in &summary.verdicts {
        out.push_str(&format!("  {times} × {verdicts}\n"));
    }
    if summary.of_other_policies > 0 {
        let times = summary.of_other_policies;
        out.push_str(&format!("{times} of the records were made under another policy than OLD\n"));
    }
    if summary.without_beginning > 0 {
        let times = summary.without_beginning;
        out.push_str(&format!("{times} records were left out: earlier ones of their rollouts are missing\n"));
    }
    out
}
