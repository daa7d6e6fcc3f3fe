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
        /// A stable code of a diagnostic: `D…` for errors, `L…` for lint warnings, `P…` for probes,
        /// `T…` for policy tests, `U…` for rules.
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
    /// an iCalendar file cannot be read
    Ics = "D023",
    /// a plugin is missing, not pinned, or another one
    Plugin = "D024",
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
    /// no ratio of bad events is a burn rate this fast
    LintUnreachableBurn = "L009",
    /// a single bad event is a burn rate this fast
    LintOneEventBurns = "L010",
    /// a window of an SLO is longer than its source keeps data
    LintRetention = "L011",
    /// a pair of windows burns although the budget would last
    LintSlowBurn = "L012",
    /// bad events of the canary and of the baseline cannot be told apart
    LintNoCohorts = "L013",
    /// a rule, or a part of it, is never used
    LintRuleUnused = "L030",
    /// a rule, or a condition of it, always has the same answer
    LintRuleConstant = "L031",
    /// a part of a rule that looks like a slip of the pen
    LintRuleSlip = "L032",
    /// a rule compares with a word that never comes up
    LintRuleWord = "L033",
    /// a rule reads a metric, SLO or flow that the policy does not name
    LintRuleName = "L034",
    /// a rule compares with what may have no value
    LintRulePartial = "L035",
    /// a rule cannot be read
    RuleSyntax = "U001",
    /// a rule is too large or too deep, or could cost too much
    RuleBudget = "U002",
    /// a rule calls a function that is unknown, or not allowed
    RuleFunction = "U003",
    /// a rule reads something that the input never has
    RulePath = "U004",
    /// a rule reads something that cannot be told before it is judged, and does not declare it
    RuleUndeclared = "U005",
    /// the engine has no such language
    RuleLanguage = "U006",
    /// a rule says nothing that the engine listens to
    RuleSilent = "U007",
    /// nothing reads a calendar
    LintUnusedCalendar = "L014",
    /// a window is never open
    LintNeverOpens = "L015",
    /// what the policy calls unacceptable is not expected to be detected in time
    LintUndetectable = "L020",
    /// a good release is not expected to be promoted in time
    LintUnprovable = "L021",
    /// a key of a probe document is unknown
    ProbeUnknownKey = "P001",
    /// a variable, import, action, output or step is unknown
    ProbeReference = "P002",
    /// nothing uses a capture
    ProbeUnusedCapture = "P003",
    /// a credential is written out
    ProbeLiteralSecret = "P004",
    /// a step or a flow expects nothing
    ProbeNoExpectation = "P005",
    /// a step expects only a status
    ProbeStatusOnly = "P006",
    /// a JSONPath or regular expression is invalid
    ProbePattern = "P007",
    /// a path finds several values and it is not said which of them must match
    ProbeQuantifier = "P008",
    /// a run can take longer than it may
    ProbeTime = "P009",
    /// a host is not allowed
    ProbeHost = "P010",
    /// what is repeated may do its work twice
    ProbeIdempotency = "P011",
    /// what a flow changes is not cleaned up
    ProbeNoTeardown = "P012",
    /// certificates are not checked outside staging
    ProbeTlsOff = "P013",
    /// a redirect takes credentials to another host
    ProbeCredentials = "P014",
    /// an import is not pinned, or libraries import each other
    ProbeImport = "P015",
    /// a step's plugin is missing, not pinned, another one, or not one that takes steps
    ProbePlugin = "P016",
    /// a schedule has no jitter
    ProbeJitter = "P017",
    /// a quorum cannot be reached
    ProbeQuorum = "P018",
    /// a name is used twice in a flow
    ProbeDuplicateId = "P019",
    /// an expectation on something that always differs
    ProbeVolatile = "P020",
    /// a capture that looks like a secret would be shown
    ProbeCapturedSecret = "P021",
    /// what is degraded has failed already
    ProbeDegraded = "P022",
    /// a recording is too old, or of another flow
    ProbeOldRecording = "P023",
    /// a broken answer that no expectation notices
    ProbeSurvivor = "P024",
    /// one failed run exceeds the burn rate that pages
    ProbeInfeasible = "P025",
    /// a snapshot of a policy test cannot be read
    TestSnapshot = "T001",
    /// a policy test expects nothing
    TestNoExpectation = "T002",
    /// a file of a policy test is not there
    TestFile = "T003",
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
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // A longer one is no slip, and comparing would take long.
    if given.len() > 64 {
        return None;
    }
    let distance = |name: &str| strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase());
    let (best, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    (best <= name.len().div_ceil(3)).then(|| format!("did you mean `{name}`?"))
}
