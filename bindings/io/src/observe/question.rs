//! What would be asked, for people who want to see it.

use std::fmt;

use davy::{Duration, Instant};

use super::fetch::{Ask, What};

/// One question to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The server's host and port.
    pub host: String,
    /// In PromQL. A bare selector stands for its raw samples in the span.
    pub query: String,
    /// From here; for a single instant, that instant.
    pub from: Instant,
    /// To here.
    pub to: Instant,
    /// The distance of the instants at which an expression is evaluated.
    pub step: Option<Duration>,
}

impl Question {
    /// The question as it will be asked; the time is asked of every server, and is nobody's interest.
    pub(super) fn of(ask: &Ask, host: &str) -> Option<Self> {
        let (query, from, to, step) = match &ask.what {
            What::Clock => return None,
            What::Raw { selector, from, to } => (selector.to_string(), *from, *to, None),
            What::Steps { query, from, to, step } => (query.clone(), *from, *to, Some(*step)),
            What::Once { query, at } => (query.clone(), *at, *at, None),
        };
        Some(Self { host: host.to_owned(), query, from, to, step })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ", self.host, self.query.trim_end())?;
        if self.from == self.to {
            write!(f, "at {}", self.to)
        } else {
            write!(f, "from {} to {}", self.from, self.to)
        }?;
        self.step.map_or(Ok(()), |step| write!(f, " every {step}"))
    }
}
