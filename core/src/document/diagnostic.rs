//! What is wrong with a document: where, what, and what to do about it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a file of a bundle; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Path as it was handed in.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The bundle is accepted, but probably does not do what its author expects.
    Warning,
    /// The bundle is refused.
    Error,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal,)*) => {
        /// A stable code of a diagnostic: `D…` for errors, `L…` for lint warnings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum DiagnosticCode { $($(#[doc = $doc])* $variant,)* }

        impl DiagnosticCode {
            /// Every code with its meaning, for documentation.
            pub const ALL: &'static [(DiagnosticCode, &'static str)] =
                &[$((DiagnosticCode::$variant, concat!($($doc),*)),)*];

            /// The code as it is printed, such as `D011`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(DiagnosticCode::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// the file is not UTF-8
    NotUtf8 = "D001",
    /// the file is too large
    TooLarge = "D002",
    /// the file is not well-formed YAML or JSON
    Syntax = "D003",
    /// the file nests too deeply or holds too many values
    Budget = "D004",
    /// anchors and aliases are not allowed
    Alias = "D005",
    /// tags are not allowed
    Tag = "D006",
    /// a key stands twice in one mapping
    DuplicateKey = "D007",
    /// a file holds exactly one document
    DocumentCount = "D008",
    /// a value has the wrong shape
    WrongShape = "D010",
    /// a key is unknown
    UnknownKey = "D011",
    /// a required key is missing
    MissingKey = "D012",
    /// a value cannot be read
    BadValue = "D013",
    /// a plain scalar could mean something else
    AmbiguousScalar = "D014",
    /// a keyword is unknown
    UnknownKeyword = "D015",
    /// a part of the language that this version does not judge yet
    NotSupportedYet = "D016",
    /// `apiVersion` or `kind` is unknown
    UnknownKind = "D017",
    /// keys that exclude each other, or one of which is needed
    Choice = "D018",
    /// a name is used twice, or refers to nothing
    Name = "D019",
    /// a value is out of its range or order
    Range = "D020",
    /// a bundle holds exactly one rollout
    RolloutCount = "D021",
    /// a key that its judge or metric kind does not use
    Unused = "D022",
    /// the ramp never gets a whole interval judged before its first step ends
    LintBlindStep = "L001",
    /// the horizon is shorter than the ramp
    LintHorizon = "L002",
    /// the live stage has nothing to compare with
    LintNoBake = "L003",
    /// a comparison with the baseline counts single events in little traffic
    LintThinTraffic = "L004",
    /// the largest weight that an environment allows stops the ramp before its end
    LintUnreachableStep = "L005",
    /// nothing judges the release
    LintNothingJudged = "L006",
    /// every metric is a dry run
    LintOnlyDryRuns = "L007",
    /// a hold can last for ever
    LintNoHoldLimit = "L008",
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DiagnosticCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code.
    pub code: DiagnosticCode,
    /// Where.
    pub position: Position,
    /// What, in one sentence, with the offending text in backticks.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}: {severity} {}: {}", self.position, self.code, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a bundle, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", lines(.diagnostics))]
pub struct BundleError {
    diagnostics: Vec<Diagnostic>,
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl BundleError {
    pub(crate) fn new(mut diagnostics: Vec<Diagnostic>) -> Self {
        sort(&mut diagnostics);
        Self { diagnostics }
    }

    /// The errors and warnings, in the order of files and lines; at least one error.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (&a.position, a.code, &a.message).cmp(&(&b.position, b.code, &b.message)));
}

/// Foreign text as a message shows it: its beginning, and nothing that could break a line or a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(64) {
        if crate::text::breaks_lines(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if text.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown
}

/// The known name nearest to `given`, if it is near enough to be a slip.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // A longer one is no slip, and comparing would take long.
    if given.len() > 64 {
        return None;
    }
    let distance = |name: &str| strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase());
    let (best, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    (best <= name.len().div_ceil(3)).then(|| format!("did you mean `{name}`?"))
}
