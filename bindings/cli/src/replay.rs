//! `davy replay`: decides again from what records hold, and compares every byte.

use crate::ExitCode;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use davy::{Bundle, BundleError, Digest, Engine, Record, ReplayError, ShadowError, Snapshot, SnapshotError, State};
use thiserror::Error;

use crate::error::{Error, shown};
use crate::progress::Progress;
use crate::record::Line;
use crate::terminal::{self, Stream, paint, printable};
use crate::{Ended, load};

/// Decide again from records, and compare every byte
///
/// Exit codes: 0 if every record replays, 1 if one does not, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files that `davy decide --record` wrote; `-` is standard input
    #[arg(required = true, value_name = "FILE|-")]
    files: Vec<PathBuf>,
}

/// Why a line does not replay.
#[derive(Debug, Error)]
enum Difference {
    #[error("not a line of `davy decide --record`: {0}")]
    Line(#[from] serde_json::Error),
    #[error("the bundle: {}", .0.diagnostics().first().map(ToString::to_string).unwrap_or_default())]
    Bundle(#[from] BundleError),
    #[error("the shadow: {0}")]
    Shadow(#[from] ShadowError),
    #[error("the prior state: {0}")]
    State(SnapshotError),
    #[error("the snapshot: {0}")]
    Snapshot(SnapshotError),
    #[error("{0}")]
    Replay(#[from] ReplayError),
}

/// The engine of the bundle of the last line: records of one rollout mostly share it.
#[derive(Default)]
struct Engines {
    last: Option<(Bundles, Engine)>,
}

/// A line's bundle, and that of its shadow.
type Bundles = (Files, Option<Files>);

/// The files of a bundle, and the digests of its components.
#[derive(PartialEq)]
struct Files {
    files: BTreeMap<String, String>,
    components: BTreeMap<String, Digest>,
}

pub(crate) fn run(args: &Args) -> Ended {
    let mut engines = Engines::default();
    let mut all_replay = true;
    for path in &args.files {
        match replay_file(path, &mut engines) {
            Ok(replays) => all_replay &= replays,
            Err(error) => {
                terminal::complain(&error);
                all_replay = false;
            }
        }
    }
    Ok(if all_replay { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay_file(path: &Path, engines: &mut Engines) -> Result<bool, Error> {
    let mut reader = BufReader::new(load::open(path)?);
    let mut progress = Progress::new("records");
    let (mut all_replay, mut records) = (true, 0_u64);
    let mut line = Vec::new();
    let colour = Stream::Out.colour();
    for number in 1_u64.. {
        line.clear();
        let read = reader.by_ref().take(load::LARGEST + 1).read_until(b'\n', &mut line).map_err(Error::read(path))?;
        if read as u64 > load::LARGEST {
            return Err(Error::TooLarge { path: shown(path), limit: load::LARGEST });
        }
        if read == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        records += 1;
        let said = match replay(&line, engines) {
            Ok(record) => format!("{} {}", paint(colour, "32", "ok"), about(&record)),
            Err(difference) => {
                all_replay = false;
                format!("{} {}", paint(colour, "1;31", "differs"), printable(&difference.to_string()))
            }
        };
        terminal::print(&format!("{}:{number}: {said}\n", shown(path).display()))?;
        progress.step();
    }
    if records == 0 {
        return Err(Error::NoRecords { path: shown(path) });
    }
    Ok(all_replay)
}

fn replay(line: &[u8], engines: &mut Engines) -> Result<Record, Difference> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let record = Record::from_bytes(line.record.get().as_bytes())?;
    let state = State::from_json(line.state.get().as_bytes()).map_err(Difference::State)?;
    let snapshot = Snapshot::from_json(line.snapshot.get().as_bytes()).map_err(Difference::Snapshot)?;
    let bundle = Files { files: line.bundle, components: line.components };
    let shadow = line.shadow.map(|files| Files { files, components: line.shadow_components });
    record.replay(engines.of((bundle, shadow))?, &state, &snapshot)?;
    Ok(record)
}

impl Engines {
    fn of(&mut self, bundles: Bundles) -> Result<&Engine, Difference> {
        let (_, engine) = match self.last.take().filter(|(known, _)| *known == bundles) {
            Some(known) => self.last.insert(known),
            None => {
                let compiled = |of: &Files| {
                    let files = of.files.iter().map(|(name, text)| (name.as_str(), text));
                    let components = of.components.iter().map(|(path, digest)| (path.clone(), *digest));
                    Bundle::with_components(files, components).and_then(|bundle| load::engine_of(&bundle))
                };
                let mut engine = compiled(&bundles.0)?;
                if let Some(shadow) = &bundles.1 {
                    engine = engine.with_shadow(compiled(shadow)?)?;
                }
                self.last.insert((bundles, engine))
            }
        };
        Ok(engine)
    }
}

fn about(record: &Record) -> String {
    let decision = record.decision();
    let release = &decision.release;
    format!(
        "{} {} {} → {}, attempt {}: {} ({})",
        decision.at,
        release.service,
        release.revision,
        release.environment,
        release.attempt,
        decision.verdict,
        record.digest()
    )
}
