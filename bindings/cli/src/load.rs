//! Reading what commands are given: policies, snapshots, states.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use davy::{Bundle, Diagnostic, Severity, Snapshot, State};

use crate::error::{Error, shown};
use crate::excerpt;
use crate::terminal::{self, Stream};

/// Nothing that davy reads is larger, in bytes; the engine's own limits lie below.
pub(crate) const LARGEST: u64 = 256 << 20;

/// The files of a policy, read but not yet understood.
pub(crate) struct Documents {
    given: PathBuf,
    folder: PathBuf,
    /// Name within the folder, and content: the same bundle has the same digest wherever it lies.
    files: Vec<(String, Vec<u8>)>,
}

impl Documents {
    /// One file, or the `*.yaml`, `*.yml` and `*.json` of a directory, not of those below it.
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
        let files = paths.into_iter().map(named).collect::<Result<Vec<_>, Error>>()?;
        if files.is_empty() {
            return Err(Error::NoDocuments { path: path.to_owned() });
        }
        Ok(Self { given: path.to_owned(), folder, files })
    }

    /// The bundle, or what is wrong with it; positions name files as a shell would find them.
    pub(crate) fn bundle(&self) -> Result<Bundle, Vec<Diagnostic>> {
        Bundle::from_files(self.files.iter().map(|(name, bytes)| (name.as_str(), bytes)))
            .map_err(|error| error.diagnostics().iter().map(|diagnostic| self.locate(diagnostic)).collect())
    }

    /// A diagnostic whose file is a path from here.
    pub(crate) fn locate(&self, diagnostic: &Diagnostic) -> Diagnostic {
        let mut located = diagnostic.clone();
        located.position.file = self.folder.join(&*diagnostic.position.file).display().to_string().into();
        located
    }

    /// The line that a located diagnostic points at.
    pub(crate) fn line(&self, diagnostic: &Diagnostic) -> Option<&str> {
        let here = |name: &str| self.folder.join(name).display().to_string() == *diagnostic.position.file;
        let (_, bytes) = self.files.iter().find(|(name, _)| here(name))?;
        let index = usize::try_from(diagnostic.position.line).ok()?.checked_sub(1)?;
        std::str::from_utf8(bytes).ok()?.lines().nth(index)
    }
}

fn documents_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        let known = path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|it| extension == *it));
        // Editors and mounted volumes keep files of their own, which begin with a dot.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if known && !hidden && !path.is_dir() {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// A bundle for commands that need one: what is wrong with it is shown on standard error.
pub(crate) fn bundle(path: &Path) -> Result<Bundle, Error> {
    let documents = Documents::read(path)?;
    documents.bundle().map_err(|diagnostics| {
        let shown = |diagnostic| excerpt::text(diagnostic, documents.line(diagnostic), Stream::Err.colour());
        terminal::note(&diagnostics.iter().map(shown).collect::<String>());
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        Error::Policy { path: documents.given.clone(), errors }
    })
}

/// A snapshot, from a file or standard input.
pub(crate) fn snapshot(path: &Path) -> Result<Snapshot, Error> {
    Snapshot::from_json(&bytes(path)?).map_err(Error::json(path))
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

/// A file opened for reading; `-` is standard input.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path).map_err(Error::read(path))?))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
    if read as u64 > LARGEST {
        return Err(Error::TooLarge { path: shown(path), limit: LARGEST });
    }
    Ok(bytes)
}
