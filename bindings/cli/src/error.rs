//! Why a command ends with exit code 1.

use std::io;
use std::path::{Path, PathBuf};

use davy::{CanonicalError, SnapshotError};
use thiserror::Error;

/// Something that keeps a command from its answer.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("cannot read `{}`: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("cannot read `{}`: it is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("cannot write `{}`: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
    #[error("cannot write the answer: {cause}")]
    Print { cause: io::Error },
    #[error("`{}` is not a regular file, so it cannot hold a state", path.display())]
    StateNotAFile { path: PathBuf },
    #[error("`{}` holds no *.yaml, *.yml or *.json file; `davy init` writes one", path.display())]
    NoDocuments { path: PathBuf },
    #[error("the name of `{}` is not UTF-8", path.display())]
    FileName { path: PathBuf },
    /// Each diagnostic has been printed already.
    #[error("the policy `{}` has {}", path.display(), plural(*errors))]
    Policy { path: PathBuf, errors: usize },
    #[error("{}:{}:{}: {}: {}{}", path.display(), cause.line, cause.column, cause.code, cause.message, hint(cause))]
    Json { path: PathBuf, cause: SnapshotError },
    #[error("the decision cannot be sealed: {0}")]
    Seal(#[from] CanonicalError),
    #[error("the answer cannot be written as JSON: {0}")]
    AsJson(#[from] serde_json::Error),
    #[error("`{}` exists already and is left as it is", path.display())]
    Exists { path: PathBuf },
    #[error(
        "`{name}` cannot name a service: use letters, digits, `.`, `_`, `-`, `:` and `/`, beginning with a letter or \
         digit; `--name` gives another"
    )]
    ServiceName { name: String },
    #[error("`{}` holds no records", path.display())]
    NoRecords { path: PathBuf },
}

impl Error {
    /// For `map_err` on whatever reads `path`.
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Read { path: shown(path), cause }
    }

    /// For `map_err` on whatever writes `path`.
    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Write { path: path.to_owned(), cause }
    }

    /// For `map_err` on whatever parses `path`.
    pub(crate) fn json(path: &Path) -> impl Fn(SnapshotError) -> Self {
        move |cause| Self::Json { path: shown(path), cause }
    }
}

fn plural(count: usize) -> String {
    if count == 1 { "1 error".to_owned() } else { format!("{count} errors") }
}

fn hint(cause: &SnapshotError) -> String {
    cause.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default()
}

/// `-` as people know it.
pub(crate) fn shown(path: &Path) -> PathBuf {
    if path == Path::new("-") { PathBuf::from("<stdin>") } else { path.to_owned() }
}
