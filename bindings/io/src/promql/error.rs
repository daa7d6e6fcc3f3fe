//! Why a text of a policy cannot be asked of Prometheus.

use thiserror::Error;

/// A text that is not what is needed there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Not PromQL.
    #[error("I040: column {column} of `{text}`: {cause}")]
    Syntax {
        /// The text, shortened.
        text: String,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        cause: String,
    },
    /// An expression where only raw series will do.
    #[error("I041: `{text}` has {found}, but only the raw series can be counted{}", instead.as_ref().map(|it| format!("; write `{it}`")).unwrap_or_default())]
    NotRaw {
        /// The text, shortened.
        text: String,
        /// What makes it more than a selector.
        found: String,
        /// The selector in it, if there is one alone.
        instead: Option<String>,
    },
    /// An expression about another time.
    #[error("I042: `{text}` has {found}, and would speak of another time than the interval's")]
    OtherTime {
        /// The text, shortened.
        text: String,
        /// What moves it.
        found: String,
    },
    /// An expression without data.
    #[error("I043: `{text}` selects no series")]
    NoSeries {
        /// The text, shortened.
        text: String,
    },
    /// Nothing tells the cohorts apart.
    #[error("I044: nothing says which series are {cohort}")]
    NoMatchers {
        /// Whose.
        cohort: &'static str,
    },
    /// Events whose name is no metric's.
    #[error("I045: `{name}` is no name of a counter")]
    Name {
        /// The name.
        name: String,
    },
}

impl TextError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "I040",
            Self::NotRaw { .. } => "I041",
            Self::OtherTime { .. } => "I042",
            Self::NoSeries { .. } => "I043",
            Self::NoMatchers { .. } => "I044",
            Self::Name { .. } => "I045",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "write a PromQL selector such as `http_requests_total{code=~\"5..\"}`",
            Self::NotRaw { .. } => "davy takes the differences of counters itself, so that every event counts once",
            Self::OtherTime { .. } => "leave out `offset` and `@`",
            Self::NoSeries { .. } => "name a metric",
            Self::NoMatchers { .. } => {
                "give the metric a source with `canary` and `baseline` matchers; `canary: ''` says that the text alone selects"
            }
            Self::Name { .. } => "events from Prometheus have the name of a counter: letters, digits, `_` and `:`",
        }
    }
}

/// A text as errors show it: on one line and not too long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(120).is_some() {
        shown.push('…');
    }
    shown
}
