//! Reading what commands are given: policies, snapshots, states.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use davy::plugin::named_components;
use davy::probe::{ExpectationLanguage, FlowResult, Glance, glance};
use davy::testing::is_test_file;
use davy::{
    Bundle, BundleError, Calendars, Diagnostic, Engine, Interval, NoiseHistory, Position, ProbeFlows, Severity,
    Snapshot, State,
};

use crate::error::{Error, shown};
use crate::excerpt;
use crate::terminal::{self, Stream};

/// Nothing that davy reads is larger, in bytes; the engine's own limits lie below.
pub(crate) const LARGEST: u64 = 256 << 20;

/// The most files that imports may add up to.
const MOST_FILES: usize = 1000;

/// The files of a policy, read but not yet understood.
pub(crate) struct Documents {
    given: PathBuf,
    folder: PathBuf,
    /// Name within the folder, and content: the same bundle has the same digest wherever it lies.
    files: Vec<(String, Vec<u8>)>,
}

impl Documents {
    /// One file, or the documents, calendars, rules and plugins of a directory, not of those below it, and none that
    /// holds tests.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let (folder, paths) = if fs::metadata(path).map_err(Error::read(path))?.is_dir() {
            (path.to_owned(), documents_in(path)?)
        } else {
            (path.parent().unwrap_or(Path::new("")).to_owned(), vec![path.to_owned()])
        };
        let named = |path: PathBuf| {
            let name = path.file_name().and_then(OsStr::to_str);
            let name = name.ok_or_else(|| Error::FileName { path: path.clone() })?.to_owned();
            Ok((name, bytes(&path)?))
        };
        let mut files = paths.into_iter().map(named).collect::<Result<Vec<_>, Error>>()?;
        if files.is_empty() {
            return Err(Error::NoDocuments { path: path.to_owned() });
        }
        import(&folder, &mut files)?;
        add_components(&folder, &mut files)?;
        Ok(Self { given: path.to_owned(), folder, files })
    }

    /// The flows among the files and what they import, or what is wrong with them; other documents are left out.
    pub(crate) fn flows(&self) -> Result<ProbeFlows, Vec<Diagnostic>> {
        let files = self
            .files
            .iter()
            .filter(|(name, bytes)| !matches!(glance(name, bytes), Glance::Other | Glance::Calendar { .. }));
        ProbeFlows::with_languages(files.map(|(name, bytes)| (name.as_str(), bytes)), &languages())
            .map_err(|error| error.diagnostics().iter().map(|diagnostic| self.locate(diagnostic)).collect())
    }

    /// The calendars of files that hold nothing but calendars, or what is wrong with them; nothing for other files.
    pub(crate) fn calendars(&self) -> Option<Result<Calendars, Vec<Diagnostic>>> {
        let calendar =
            |(name, bytes): &(String, Vec<u8>)| is_ics(name) || matches!(glance(name, bytes), Glance::Calendar { .. });
        let files = || self.files.iter().map(|(name, bytes)| (name.as_str(), bytes));
        let alone = self.files.iter().all(calendar) && self.files.iter().any(|(name, _)| !is_ics(name));
        alone.then(|| Calendars::from_files(files()).map_err(|error| self.all_of(&error)))
    }

    /// The bundle, or what is wrong with it; positions name files as a shell would find them.
    pub(crate) fn bundle(&self) -> Result<Bundle, Vec<Diagnostic>> {
        Bundle::with_languages(self.files.iter().map(|(name, bytes)| (name.as_str(), bytes)), &languages())
            .map_err(|error| self.all_of(&error))
    }

    /// The engine that judges the bundle, its rules included, or what is wrong with them.
    pub(crate) fn engine(&self, bundle: &Bundle) -> Result<Engine, Vec<Diagnostic>> {
        engine_of(bundle).map_err(|error| self.all_of(&error))
    }

    fn all_of(&self, error: &BundleError) -> Vec<Diagnostic> {
        error.diagnostics().iter().map(|diagnostic| self.locate(diagnostic)).collect()
    }

    /// Shows what is wrong on standard error.
    pub(crate) fn show(&self, diagnostics: &[Diagnostic]) {
        let shown = |diagnostic| excerpt::text(diagnostic, self.line(diagnostic), Stream::Err.colour());
        terminal::note(&diagnostics.iter().map(shown).collect::<String>());
    }

    /// The same, as an error.
    pub(crate) fn refuse(&self, diagnostics: &[Diagnostic]) -> Error {
        self.show(diagnostics);
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        Error::Policy { path: self.given.clone(), errors }
    }

    /// The components among the files, as paths and contents.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let components = self.files.iter().filter(|(name, _)| name.ends_with(".wasm"));
        components.map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    pub(crate) fn into_files(self) -> Vec<(String, Vec<u8>)> {
        self.files
    }

    /// A diagnostic whose file is a path from here.
    pub(crate) fn locate(&self, diagnostic: &Diagnostic) -> Diagnostic {
        Diagnostic { position: self.located(&diagnostic.position), ..diagnostic.clone() }
    }

    /// A position whose file is a path from here.
    pub(crate) fn located(&self, position: &Position) -> Position {
        Position { file: self.folder.join(&*position.file).display().to_string().into(), ..position.clone() }
    }

    /// What was asked for.
    pub(crate) fn given(&self) -> &Path {
        &self.given
    }

    /// The line that a located diagnostic points at.
    pub(crate) fn line(&self, diagnostic: &Diagnostic) -> Option<&str> {
        let here = |name: &str| self.folder.join(name).display().to_string() == *diagnostic.position.file;
        let (_, bytes) = self.files.iter().find(|(name, _)| here(name))?;
        line(bytes, diagnostic.position.line)
    }
}

/// Endings of the files that are part of a policy.
const READ: [&str; 7] = ["yaml", "yml", "json", "ics", "wasm", "rego", "cel"];

/// Endings of the files that may name components.
const DOCUMENTS: [&str; 3] = [".yaml", ".yml", ".json"];

fn is_ics(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics"))
}

/// A line of a file, by its number.
pub(crate) fn line(bytes: &[u8], number: u32) -> Option<&str> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    std::str::from_utf8(bytes).ok()?.lines().nth(index)
}

/// The languages of expectations that this command line was built with.
fn languages() -> Vec<Arc<dyn ExpectationLanguage>> {
    vec![
        Arc::new(davy_rules::Cel),
        #[cfg(feature = "json-schema")]
        Arc::new(davy_io::probe::JsonSchema),
    ]
}

/// Whether a file of this name holds tests in Rego.
pub(crate) fn is_rego_test(name: &str) -> bool {
    name.ends_with("_test.rego")
}

/// Adds the files that flows import, those that these import, and those that calendars read. One that is not there is the compiler's to report.
fn import(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let mut next = 0;
    while let Some((name, bytes)) = files.get(next) {
        next += 1;
        let needed = match glance(name, bytes) {
            Glance::Probe { imports } => imports,
            Glance::Calendar { files } => files,
            Glance::Other | Glance::Unclear => continue,
        };
        for name in needed {
            let path = folder.join(&name);
            let known = files.iter().any(|(known, _)| *known == name);
            if !known && files.len() < MOST_FILES && path.is_file() {
                files.push((name, self::bytes(&path)?));
            }
        }
    }
    Ok(())
}

/// Adds the components that documents name and that lie below the folder. One that is not there is the compiler's to
/// report.
fn add_components(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let documents = files.iter().filter(|(name, _)| DOCUMENTS.iter().any(|ending| name.ends_with(ending)));
    let named: BTreeSet<String> = documents.flat_map(|(name, bytes)| named_components(name, bytes)).collect();
    for name in named {
        let inside = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = folder.join(&name);
        let known = files.iter().any(|(known, _)| *known == name);
        if inside && !known && files.len() < MOST_FILES && path.is_file() {
            files.push((name, self::bytes(&path)?));
        }
    }
    Ok(())
}

/// The flows of a path, for commands that need them: what is wrong with them is shown on standard error.
pub(crate) fn flows(path: &Path) -> Result<ProbeFlows, Error> {
    flows_with_files(path).map(|(_, flows)| flows)
}

/// The same, with the files that they were read from.
pub(crate) fn flows_with_files(path: &Path) -> Result<(Documents, ProbeFlows), Error> {
    let documents = Documents::read(path)?;
    let flows = documents.flows().map_err(|diagnostics| documents.refuse(&diagnostics))?;
    Ok((documents, flows))
}

fn documents_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        let known = path.extension().is_some_and(|extension| READ.iter().any(|it| extension == *it));
        // Editors and mounted volumes keep files of their own, which begin with a dot.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let tests =
            path.file_name().and_then(OsStr::to_str).is_some_and(|name| is_test_file(name) || is_rego_test(name));
        if known && !hidden && !tests && !path.is_dir() {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The rules in Rego of a folder, and whether it holds a policy as well.
pub(crate) struct RegoFiles {
    /// Names within the folder, and texts.
    pub(crate) rules: Vec<(String, String)>,
    pub(crate) has_policy: bool,
}

/// Reads the rules in Rego that tests of this folder are about.
pub(crate) fn rego_in(folder: &Path) -> Result<RegoFiles, Error> {
    let mut paths = documents_in(folder)?;
    paths.sort();
    let is = |path: &Path, ending: &str| path.extension().is_some_and(|extension| extension == ending);
    // Other tools keep documents of their own beside such rules.
    let is_policy = |path: &PathBuf| {
        let text = ["yaml", "yml", "json"].iter().any(|ending| is(path, ending)).then(|| bytes(path).ok()).flatten();
        let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        text.contains("davy/v1") && text.contains("Rollout")
    };
    let has_policy = paths.iter().any(is_policy);
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        let name = name.ok_or_else(|| Error::FileName { path: path.clone() })?.to_owned();
        Ok((name, String::from_utf8_lossy(&bytes(path)?).into_owned()))
    };
    let rules = paths.iter().filter(|path| is(path, "rego")).map(named).collect::<Result<Vec<_>, Error>>()?;
    Ok(RegoFiles { rules, has_policy })
}

/// A bundle for commands that need one: what is wrong with it is shown on standard error.
pub(crate) fn bundle(path: &Path) -> Result<Bundle, Error> {
    policy(path).map(|(_, bundle)| bundle)
}

/// The same, with the documents that it was read from.
pub(crate) fn policy(path: &Path) -> Result<(Documents, Bundle), Error> {
    let documents = Documents::read(path)?;
    let bundle = documents.bundle().map_err(|diagnostics| documents.refuse(&diagnostics))?;
    Ok((documents, bundle))
}

/// Change windows, for commands about them: of a policy's engine, or of calendars alone. What is wrong with them is shown
/// on standard error.
pub(crate) fn windows(path: &Path) -> Result<Windows, Error> {
    let documents = Documents::read(path)?;
    let refuse = |diagnostics: Vec<Diagnostic>| documents.refuse(&diagnostics);
    if let Some(calendars) = documents.calendars() {
        return calendars.map(Windows::Calendars).map_err(refuse);
    }
    let bundle = documents.bundle().map_err(refuse)?;
    Ok(Windows::Policy(Box::new(documents.engine(&bundle).map_err(refuse)?)))
}

/// What holds change windows.
pub(crate) enum Windows {
    /// A policy: windows by environment.
    Policy(Box<Engine>),
    /// Calendars that no policy names yet.
    Calendars(Calendars),
}

/// A bundle and its engine, for commands that decide: what is wrong with them is shown on standard error.
pub(crate) fn engine(path: &Path) -> Result<(Bundle, Engine), Error> {
    let documents = Documents::read(path)?;
    let bundle = documents.bundle().map_err(|diagnostics| documents.refuse(&diagnostics))?;
    let engine = documents.engine(&bundle).map_err(|diagnostics| documents.refuse(&diagnostics))?;
    Ok((bundle, engine))
}

/// The engine of a bundle, with every language that this program knows.
pub(crate) fn engine_of(bundle: &Bundle) -> Result<Engine, BundleError> {
    Engine::builder(bundle).rules(davy_rules::languages()).build()
}

/// A snapshot, from a file or standard input.
pub(crate) fn snapshot(path: &Path) -> Result<Snapshot, Error> {
    Snapshot::from_json(&bytes(path)?).map_err(Error::json(path))
}

/// Intervals, from a file or standard input: CSV where the name says so, JSON lines otherwise.
pub(crate) fn intervals(path: &Path) -> Result<Vec<Interval>, Error> {
    let is_csv = path.extension().is_some_and(|extension| extension == "csv");
    let bytes = bytes(path)?;
    let read = if is_csv { davy_io::file::csv(&bytes) } else { davy_io::file::json_lines(&bytes) };
    read.map_err(|cause| Error::Intervals { path: shown(path), cause })
}

/// Results of flows, one line of JSON each.
pub(crate) fn results(path: &Path) -> Result<Vec<FlowResult>, Error> {
    let bytes = bytes(path)?;
    let text = String::from_utf8_lossy(&bytes);
    // The last line may be in the middle of being written.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
    let lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = lines.map(|(index, line)| {
        serde_json::from_str(line).map_err(|cause| Error::Result { path: shown(path), line: index + 1, cause })
    });
    read.collect()
}

/// The state that a file holds, or a new one where there is no file yet.
pub(crate) fn state(path: &Path) -> Result<State, Error> {
    match fs::metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(State::new()),
        Err(cause) => Err(Error::read(path)(cause)),
        Ok(metadata) if !metadata.is_file() => Err(Error::StateNotAFile { path: path.to_owned() }),
        Ok(_) => State::from_json(&bytes(path)?).map_err(Error::json(path)),
    }
}

/// A history of a service's noise.
pub(crate) fn history(path: &Path) -> Result<NoiseHistory, Error> {
    NoiseHistory::from_json(&bytes(path)?).map_err(Error::json(path))
}

/// A file opened for reading; `-` is standard input.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path).map_err(Error::read(path))?))
}

/// The bytes of a file, or of standard input.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
    if read as u64 > LARGEST {
        return Err(Error::TooLarge { path: shown(path), limit: LARGEST });
    }
    Ok(bytes)
}
