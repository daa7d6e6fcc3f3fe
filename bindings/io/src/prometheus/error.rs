//! Why an answer of Prometheus is not used.

use davy::Duration;
use thiserror::Error;

use super::AnswerError;
use crate::client::ClientError;

/// A query without an answer that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrometheusError {
    /// No answer at all.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An answer that is garbled, or that says no.
    #[error("the answer of {host}: {cause}")]
    Answer {
        /// Whose.
        host: String,
        /// What is wrong.
        cause: AnswerError,
    },
    /// Something else than JSON.
    #[error("I022: {host} answers with {content_type:?} instead of JSON (status {status})")]
    NotJson {
        /// Whose.
        host: String,
        /// The media type.
        content_type: String,
        /// The HTTP status.
        status: u16,
    },
    /// Who asks is not known, or may not.
    #[error("I023: {host} does not let us in (status {status})")]
    Unauthorized {
        /// Whose.
        host: String,
        /// 401 or 403.
        status: u16,
    },
    /// A status that goes with no answer.
    #[error("I024: {host} answers with status {status}")]
    Status {
        /// Whose.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// Data that the server itself warns of.
    #[error("I025: {host} warns, so its data are not used: {}", warnings.join("; "))]
    Warned {
        /// Whose.
        host: String,
        /// The warnings.
        warnings: Vec<String>,
    },
    /// An answer to another question.
    #[error("I026: {host} answers another question: {cause}")]
    Unasked {
        /// Whose.
        host: String,
        /// What tells.
        cause: String,
    },
    /// Two clocks that disagree.
    #[error("I027: the clock of {host} is {by} {direction} this one, more than {tolerance}")]
    Clock {
        /// Whose.
        host: String,
        /// By how much, at least.
        by: Duration,
        /// `ahead of` or `behind`.
        direction: &'static str,
        /// How much is tolerated.
        tolerance: Duration,
    },
}

impl PrometheusError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client(cause) => cause.code(),
            Self::Answer { cause: AnswerError::Garbled { .. }, .. } => "I020",
            Self::Answer { cause: AnswerError::Refused { .. }, .. } => "I021",
            Self::NotJson { .. } => "I022",
            Self::Unauthorized { .. } => "I023",
            Self::Status { .. } => "I024",
            Self::Warned { .. } => "I025",
            Self::Unasked { .. } => "I026",
            Self::Clock { .. } => "I027",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Client(cause) => return cause.hint(),
            Self::Answer { cause: AnswerError::Garbled { .. }, .. } => "is something between here and Prometheus?",
            Self::Answer { cause: AnswerError::Refused { .. }, .. } => "ask the server the same in its own page",
            Self::NotJson { .. } => "is it the URL of a Prometheus API, and not of a page to log in?",
            Self::Unauthorized { .. } => "give a token or a password",
            Self::Status { .. } => "is the path of the URL right?",
            Self::Warned { .. } => "what is missing may be what is bad; see the server's own log",
            Self::Unasked { .. } => "does a proxy change queries, or cache answers?",
            Self::Clock { .. } => "synchronise the clocks of both",
        })
    }
}
