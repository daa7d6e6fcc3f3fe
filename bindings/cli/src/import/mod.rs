//! `davy import`: the configuration of another tool as a bundle, and by name what has no equal in it.
//!
//! A format has a file here. It reads documents as trees that remember what was read of them; what nobody read is
//! reported, so that nothing is lost in silence.

mod argo;
mod argocd;
mod calendar;
mod flagger;
mod gitlab;
mod kayenta;
mod promql;
mod rails;
mod spinnaker;
mod text;
mod tree;
mod watch;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use davy::{Bundle, Calendars, Diagnostic};

use crate::error::{Error, shown};
use crate::{Ended, ExitCode, excerpt, load, terminal};
use tree::{Node, Place};

/// Turn the configuration of another tool into a policy, naming what has no equal
#[derive(Subcommand)]
pub(crate) enum Command {
    /// A Canary of Flagger, with the MetricTemplates that it names
    ///
    /// The judge is `flagger`; where counters can be told from a query, davy's own judge watches beside it.
    Flagger(flagger::Args),
    /// An AnalysisTemplate of Argo Rollouts
    ///
    /// The judge is `argo`; where counters can be told from a query, davy's own judge watches beside it.
    ArgoAnalysis(argo::Args),
    /// A canary config of Kayenta, as Spinnaker keeps it
    ///
    /// The judge is `kayenta`; where counters can be told from a query, davy's own judge watches beside it.
    Kayenta(kayenta::Args),
    /// The sync windows of AppProjects of Argo CD, as calendars
    Argocd(argocd::Args),
    /// The deploy freezes of a project of GitLab, as a calendar
    ///
    /// What `GET /projects/:id/freeze_periods` answers.
    Gitlab(gitlab::Args),
    /// The execution windows of a pipeline of Spinnaker, as a calendar for each stage that has one
    Spinnaker(spinnaker::Args),
}

/// What is read, and where the bundle goes.
#[derive(clap::Args)]
pub(crate) struct Files {
    /// What to import: files in YAML or JSON, `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the bundle into this directory; without it, it is printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Let it fail if anything has no equal, or no exact one
    #[arg(long)]
    strict: bool,
}

/// A document of a foreign file.
pub(crate) struct Document {
    pub(crate) root: Node,
}

/// What became of foreign documents.
pub(crate) struct Imported {
    /// Files of the bundle: name and text.
    pub(crate) files: Vec<(String, String)>,
    /// What they are.
    pub(crate) becomes: Becomes,
    /// What a person should know.
    pub(crate) remarks: Vec<Remark>,
}

/// What files of a bundle hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// A whole policy.
    Policy,
    /// Calendars, for policies to name.
    Calendars,
}

impl Imported {
    /// What its files warn of, or why they are not what they should be.
    fn check(&self) -> Result<Vec<Diagnostic>, Refused> {
        let files = || self.files.iter().map(|(name, text)| (name.as_str(), text));
        let checked = match self.becomes {
            Becomes::Policy => Bundle::from_files(files()).map(|bundle| bundle.warnings().to_vec()),
            Becomes::Calendars => Calendars::from_files(files()).map(|calendars| calendars.warnings().to_vec()),
        };
        checked.map_err(|cause| Refused::NoPolicy { cause: cause.to_string() })
    }
}

/// Something about a value that is imported otherwise than it was meant there.
pub(crate) struct Remark {
    place: Place,
    path: String,
    text: String,
    means: Means,
}

/// What became of the meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// It is as near as what is imported can be.
    Same,
    /// More is held here than there.
    More,
}

impl Remark {
    /// Something to know.
    pub(crate) fn note(node: &Node, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: node.place(), path: path.into(), text: text.into(), means: Means::Same }
    }

    /// Something that has no exact equal, so that what came of it holds more: `--strict` refuses it.
    pub(crate) fn held(node: &Node, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { means: Means::More, ..Self::note(node, path, text) }
    }
}

/// What cannot be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("`{}`: {cause}", file.display())]
    Malformed { file: PathBuf, cause: tree::TreeError },
    #[error("`{}` is not UTF-8", file.display())]
    NotText { file: PathBuf },
    #[error("there is no {what} among the documents")]
    Nothing { what: &'static str },
    #[error("there are {count} of {what}; give one at a time")]
    Several { what: &'static str, count: usize },
    #[error("{what} is missing")]
    Missing { what: String },
    #[error("`{name}` has no value; give it as `--arg {name}=VALUE`")]
    Argument { name: String },
    #[error("what was imported is no valid policy: {cause}")]
    NoPolicy { cause: String },
    #[error("{count} values have no equal, or no exact one")]
    Lossy { count: usize },
    #[error("`{path}` in line {line} {text}: correct it, or leave the stage out")]
    Unreadable { path: String, line: usize, text: &'static str },
}

pub(crate) fn run(command: &Command) -> Ended {
    match command {
        Command::Flagger(args) => import(&args.files, |documents| flagger::import(documents, args)),
        Command::ArgoAnalysis(args) => import(&args.files, |documents| argo::import(documents, args)),
        Command::Kayenta(args) => import(&args.files, |documents| kayenta::import(documents, args)),
        Command::Argocd(args) => import(&args.files, argocd::import),
        Command::Gitlab(args) => import(&args.files, |documents| gitlab::import(documents, args)),
        Command::Spinnaker(args) => import(&args.files, |documents| spinnaker::import(documents, args)),
    }
}

/// Reads, converts, checks that the result is a policy, and says what was lost.
fn import(files: &Files, convert: impl FnOnce(&[Document]) -> Result<Imported, Refused>) -> Ended {
    let documents = read(&files.files)?;
    let imported = convert(&documents)?;
    let warnings = imported.check()?;
    let unread = documents.iter().flat_map(|document| document.root.unread());
    let mut notes: Vec<_> = unread.map(|(path, place)| (place, format!("`{path}` has no equal"))).collect();
    let lost = notes.len() + imported.remarks.iter().filter(|remark| remark.means == Means::More).count();
    notes.extend(imported.remarks.iter().map(|remark| (remark.place, format!("`{}` {}", remark.path, remark.text))));
    notes.sort();
    for (Place { file, line, column }, text) in &notes {
        let file = files.files.get(*file).map_or_else(PathBuf::new, |file| shown(file));
        terminal::note(&format!("davy: {}:{line}:{column}: {}\n", file.display(), terminal::printable(text)));
    }
    for warning in &warnings {
        terminal::note(&excerpt::text(warning, None, terminal::Stream::Err.colour()));
    }
    if files.strict && lost > 0 {
        return Err(Refused::Lossy { count: lost }.into());
    }
    match &files.out {
        None => {
            terminal::print(&imported.files.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("---\n"))?
        }
        Some(folder) => {
            fs::create_dir_all(folder).map_err(Error::write(folder))?;
            for (name, text) in &imported.files {
                write_new(&folder.join(name), text)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(files: &[PathBuf]) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let text = String::from_utf8(load::bytes(file)?).map_err(|_| Refused::NotText { file: shown(file) })?;
        let roots = tree::read(&text, place).map_err(|cause| Refused::Malformed { file: shown(file), cause })?;
        documents.extend(roots.into_iter().map(|root| Document { root }));
    }
    Ok(documents)
}

/// Never over a file that is there.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::write(path)(cause),
    })?;
    file.write_all(text.as_bytes()).map_err(Error::write(path))
}

/// The documents of one kind.
fn of_kind<'a>(documents: &'a [Document], kinds: &[&str]) -> Vec<&'a Document> {
    let is_one =
        |document: &&Document| document.root.get("kind").and_then(Node::text).is_some_and(|kind| kinds.contains(&kind));
    documents.iter().filter(is_one).collect()
}

/// The only one.
fn only<'a>(found: &[&'a Document], what: &'static str) -> Result<&'a Document, Refused> {
    match found {
        [one] => Ok(one),
        [] => Err(Refused::Nothing { what }),
        several => Err(Refused::Several { what, count: several.len() }),
    }
}

/// What says nothing about how a release is judged: of Kubernetes' own.
fn pass_over_kubernetes(root: &Node) {
    root.get("apiVersion").into_iter().for_each(Node::pass_over);
    root.get("kind").into_iter().for_each(Node::pass_over);
    root.get("status").into_iter().for_each(Node::pass_over);
    root.get("metadata").into_iter().for_each(Node::pass_over);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    /// What becomes of a text, as far as a bundle.
    fn become_of(format: &str, text: &str) -> Result<(), Refused> {
        let cli = Cli::parse_from(
            ["davy", format, "in", "--name", "a"]
                .into_iter()
                .filter(|arg| !["flagger", "argocd", "spinnaker"].contains(&format) || !["--name", "a"].contains(arg)),
        );
        let roots = tree::read(text, 0).map_err(|cause| Refused::Malformed { file: "in".into(), cause })?;
        let documents: Vec<Document> = roots.into_iter().map(|root| Document { root }).collect();
        let imported = match &cli.command {
            Command::Flagger(args) => flagger::import(&documents, args),
            Command::ArgoAnalysis(args) => argo::import(&documents, args),
            Command::Kayenta(args) => kayenta::import(&documents, args),
            Command::Argocd(_) => argocd::import(&documents),
            Command::Gitlab(args) => gitlab::import(&documents, args),
            Command::Spinnaker(args) => spinnaker::import(&documents, args),
        }?;
        documents.iter().for_each(|document| drop(document.root.unread()));
        imported.check().map(drop)
    }

    #[test]
    fn whatever_is_in_a_file_ends_in_an_answer() {
        let texts = [
            ("flagger", include_str!("../../tests/data/import/canary.yaml")),
            ("argo-analysis", include_str!("../../tests/data/import/template.yaml")),
            ("kayenta", include_str!("../../tests/data/import/config.json")),
            ("argocd", include_str!("../../tests/data/import/projects.yaml")),
            ("gitlab", include_str!("../../tests/data/import/freeze_periods.json")),
            ("spinnaker", include_str!("../../tests/data/import/pipeline.json")),
        ];
        let mut state = 7_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let pieces = [
            "{", "}", "[", "]", ": ", "\"", "'", "\n", "- ", "null", "-1", "1e999", "${scope}", "{{", "}}", "%", ",",
            "#", "ü",
        ];
        let (mut good, mut bad) = (0, 0);
        for round in 0..3000 {
            let (format, text) = texts[round % texts.len()];
            let mut text: Vec<char> = text.chars().collect();
            for _ in 0..=below(4) {
                let (from, length) = (below(text.len()), below(12));
                let to = (from + length).min(text.len());
                let piece: Vec<char> = pieces[below(pieces.len())].chars().collect();
                text.splice(from..to, piece);
            }
            match become_of(format, &text.iter().collect::<String>()) {
                Ok(()) => good += 1,
                Err(_) => bad += 1,
            }
        }
        assert!(good > 100 && bad > 100, "{good} good and {bad} bad ones prove little");
    }
}
