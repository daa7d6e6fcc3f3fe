//! What is wrong with a time, zone or schedule.

use thiserror::Error;

/// A text that is not what it should be. Every message says what would be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// Not in the zone database.
    #[error("C001: `{name}` is not an IANA time zone such as `Europe/Berlin`")]
    Zone {
        /// What was given.
        name: String,
    },
    /// Not a local date and time.
    #[error("C002: `{text}` is not a local date and time such as `2026-12-24T18:00`, from 1970 to 9999")]
    Local {
        /// What was given.
        text: String,
    },
    /// Not a cron schedule.
    #[error("C003: `{text}` is not a cron schedule of five fields: {problem}")]
    Cron {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a recurrence rule.
    #[error("C004: `{text}` is not a recurrence rule: {problem}")]
    Rule {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not an iCalendar file.
    #[error("C005: line {line}: {problem}")]
    Ics {
        /// Line, from 1.
        line: u32,
        /// What is wrong.
        problem: String,
    },
    /// Longer than a year, or a step on the clock that is no whole number of seconds.
    #[error("C006: a window lasts at most 366 days, and on the clock a whole number of seconds")]
    Length,
}

impl CalendarError {
    pub(super) fn zone(name: &str) -> Self {
        Self::Zone { name: shown(name) }
    }

    pub(super) fn local(text: &str) -> Self {
        Self::Local { text: shown(text) }
    }

    pub(super) fn cron(text: &str, problem: impl Into<String>) -> Self {
        Self::Cron { text: shown(text), problem: problem.into() }
    }

    pub(super) fn ics(line: u32, problem: impl Into<String>) -> Self {
        Self::Ics { line, problem: problem.into() }
    }

    pub(super) fn rule(text: &str, problem: impl Into<String>) -> Self {
        Self::Rule { text: shown(text), problem: problem.into() }
    }
}

/// The beginning of a foreign text, with nothing that could break a line.
pub(super) fn shown(text: &str) -> String {
    crate::document::diagnostic::shown(text)
}
