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
    #[error("`{}` holds no document; `davy init` writes one", path.display())]
    NoDocuments { path: PathBuf },
    #[error("the name of `{}` is not UTF-8", path.display())]
    FileName { path: PathBuf },
    /// Each diagnostic has been printed already.
    #[error("the policy `{}` has {}", path.display(), plural(*errors))]
    Policy { path: PathBuf, errors: usize },
    #[error("{0}")]
    Rules(#[from] davy::BundleError),
    #[error("{}:{}:{}: {}: {}{}", path.display(), cause.line, cause.column, cause.code, cause.message, hint(cause))]
    Json { path: PathBuf, cause: SnapshotError },
    #[error("{}: {cause}{}", path.display(), cause.hint().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Intervals { path: PathBuf, cause: davy_io::file::FileError },
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
    #[error("{}{}", .0, .0.hint().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Server(#[from] davy_io::ClientError),
    #[error("`{argument}` is needed without a snapshot")]
    Argument { argument: &'static str },
    #[error(transparent)]
    Plan(#[from] davy::plan::PlanRefused),
    #[error(transparent)]
    Import(#[from] crate::import::Refused),
    #[error(transparent)]
    Simulation(#[from] crate::simulate::Refused),
    #[error("{}:{line}: not a line of `davy decide --record`: {cause}", path.display())]
    NotARecord { path: PathBuf, line: u64, cause: String },
    #[error("OLD is about the service `{old}`, NEW about `{new}`")]
    OtherService { old: davy::Name, new: davy::Name },
    #[error(transparent)]
    Shadow(#[from] davy::ShadowError),
    #[error("`{}` holds no *_test.yaml or *_test.rego file", path.display())]
    NoTests { path: PathBuf },
    #[error(transparent)]
    Update(#[from] davy::testing::UpdateError),
    #[error("`{}` holds no records", path.display())]
    NoRecords { path: PathBuf },
    #[error("{}:{number}: {cause}", path.display())]
    Line { path: PathBuf, number: u64, cause: String },
    #[error(transparent)]
    Prober(#[from] davy_io::probe::ProberError),
    #[error(transparent)]
    Probe(#[from] davy::probe::ProbeError),
    #[error("`{}` holds no flow called `{flow}`; it has {known}", path.display())]
    NoFlow { path: PathBuf, flow: String, known: String },
    #[error("`{}` holds several flows: say which with `--flow`, one of {known}", path.display())]
    WhichFlow { path: PathBuf, known: String },
    #[error("the flow `{flow}` has several targets: say which with `--target`, one of {known}")]
    WhichTarget { flow: String, known: String },
    #[error("{}: {cause}", path.display())]
    Recording { path: PathBuf, cause: davy::probe::ReplayFault },
    #[error("{}:{line}: not a result of a flow: {cause}", path.display())]
    Result { path: PathBuf, line: usize, cause: serde_json::Error },
    #[error(transparent)]
    Merge(#[from] davy::IntervalError),
    #[error("`{}` holds no recordings", path.display())]
    NoRecordings { path: PathBuf },
    #[error("there is nothing to compare with: the flow has no `drift.baseline`, and `--baseline` is not given")]
    NoBaseline,
    #[error("{}: {cause}", path.display())]
    Har { path: PathBuf, cause: davy::probe::HarError },
    #[error("no flow has a `schedule` that this prober could follow; `davy probe run` runs one once")]
    NothingScheduled,
    #[error("the flow `{flow}` names its locations: say where this prober stands with `--location`, one of {known}")]
    WhichLocation { flow: String, known: String },
    #[error(transparent)]
    Plugin(#[from] davy_plugins::PluginError),
    #[error("{}: {cause}", path.display())]
    PluginFile { path: PathBuf, cause: davy_plugins::PluginError },
    #[error("{}: {cause}", path.display())]
    PluginBuild { path: PathBuf, cause: davy_plugins::build::BuildError },
    #[error("{}: {cause}", path.display())]
    PluginInput { path: PathBuf, cause: String },
    #[error("the parameters do not fit: {causes}")]
    PluginParameters { causes: String },
    #[error("a metric is measured from something: give intervals with `--input`, on which something is measured")]
    PluginNeedsInput,
    #[error("{calls} of {of} calls came to nothing, so what they took says nothing: {why}")]
    PluginCameToNothing { calls: usize, of: usize, why: String },
    #[error("`{name}` cannot name a plugin: use small letters, digits and `-`, beginning with a letter")]
    PluginName { name: String },
    #[error("cargo: {cause}")]
    Cargo { cause: String },
    #[error("cannot listen at `{address}`: {cause}")]
    Listen { address: String, cause: io::Error },
    #[error("the policy has no environment `{environment}`")]
    NoEnvironment { environment: davy::Name },
    #[error("`--until` is {until}, which is not after {at}")]
    NotAfter { at: davy::Instant, until: davy::Instant },
    #[error("from {at} to {until} is more than a year; calendars are listed for 366 days at most")]
    TooFar { at: davy::Instant, until: davy::Instant },
    #[error("the policy is about the service `{expected}`, not about `{service}`")]
    NoService { service: davy::Name, expected: davy::Name },
    #[error("{0} with `--until`")]
    AgendaTooLong(#[from] davy::AgendaTooLong),
    #[error("cannot be told to stop: {cause}")]
    Signals { cause: io::Error },
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
