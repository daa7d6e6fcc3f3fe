//! Expectations in languages of their own, CEL and JSON Schema: what they are to the machine, which knows neither.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::message::{HttpResponse, Micros};
use crate::rule::{Names, Shape, always, if_known};

/// A language that expectations on an answer are written in. `davy-io` brings JSON Schema and `davy-rules` CEL; a host
/// may bring its own.
pub trait ExpectationLanguage: fmt::Debug + Send + Sync {
    /// Under which key of `expect` it stands.
    fn key(&self) -> ExpectationKey;

    /// Compiles an expectation: CEL is a text, a JSON Schema an object or a truth value.
    ///
    /// Whatever it is, this must end soon, and not panic.
    ///
    /// # Errors
    /// What is wrong with it, as one line without a full stop.
    fn compile(&self, source: &Json) -> Result<Arc<dyn Expectation>, String>;
}

/// A compiled expectation.
pub trait Expectation: fmt::Debug + Send + Sync {
    /// Whether an answer is as expected. The same answer is always judged the same.
    ///
    /// Whatever the answer, this must end soon, and not panic.
    ///
    /// # Errors
    /// Why it is not, as one line without a full stop.
    fn judge(&self, answer: &AnswerFacts<'_>) -> Result<(), String>;
}

/// A key of `expect` whose value is in a language of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectationKey {
    /// A CEL expression.
    Cel,
    /// A JSON Schema.
    Schema,
}

/// What an expectation can see of an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerFacts<'a> {
    /// The answer.
    pub response: &'a HttpResponse,
    /// Its body as JSON, if it is any.
    pub json: Option<&'a Json>,
    /// How long the attempt took, redirects included.
    pub duration: Micros,
    /// How many redirects were followed.
    pub redirects: u32,
}

/// The document that an expectation in CEL reads: the variables of the expression.
pub const ANSWER: Shape = Shape::Record(&[
    always("status", Shape::Integer, "The status, 100 to 999."),
    always(
        "headers",
        Shape::Named(Names::Headers, &Shape::Text),
        "The headers, by name in lower case; several of one name are joined with `, `.",
    ),
    always("body", Shape::Text, "The body; what is not UTF-8 in it as U+FFFD."),
    if_known("json", Shape::Anything, "The body as JSON, if it is any. Its whole numbers are integers."),
    always(
        "durationMs",
        Shape::Integer,
        "How long the attempt took, redirects included: whole milliseconds, rounded up.",
    ),
    always("redirects", Shape::Integer, "How many redirects were followed."),
]);

/// The JSON Schema of the document that the expectation `cel` of a flow reads.
///
/// ```
/// let schema = davy::probe::answer_schema();
/// assert_eq!(schema["properties"]["status"]["type"], "integer");
/// ```
#[must_use]
pub fn answer_schema() -> Json {
    ANSWER.document_schema("davy answer of a step")
}

impl ExpectationKey {
    /// As documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cel => "cel",
            Self::Schema => "schema",
        }
    }
}

/// The languages that are there when flows are compiled.
#[derive(Clone, Copy)]
pub(crate) enum Languages<'a> {
    /// These; what is written in another one is an error.
    These(&'a [Arc<dyn ExpectationLanguage>]),
    /// These, and it is not said whether others: a flow that needs one compiles, and a run of it ends with an error of
    /// the prober's.
    AtLeast(&'a [Arc<dyn ExpectationLanguage>]),
}

impl Languages<'_> {
    pub(crate) fn find(&self, key: ExpectationKey) -> Option<&dyn ExpectationLanguage> {
        let (Self::These(all) | Self::AtLeast(all)) = self;
        all.iter().find(|language| language.key() == key).map(|language| &**language)
    }
}
