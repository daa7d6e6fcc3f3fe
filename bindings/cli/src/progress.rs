//! How far a long command is: one line on a terminal, nothing in a pipe.

use std::io::{self, IsTerminal};
use std::time::Duration;

use davy::{Decision, render};

use crate::terminal;

/// Counts what is done. Where the answers themselves run over a terminal, they are the progress.
pub(crate) struct Progress {
    what: &'static str,
    done: u64,
    of: Option<u64>,
    shown: bool,
}

impl Progress {
    /// Begins to count.
    pub(crate) fn new(what: &'static str) -> Self {
        let shown = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { what, done: 0, of: None, shown }
    }

    /// Begins to count to a number that is known, for a command that answers at its end alone.
    pub(crate) fn of(what: &'static str, all: u64) -> Self {
        Self { what, done: 0, of: Some(all), shown: io::stderr().is_terminal() }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.shown && self.done.is_multiple_of(16) {
            let of = self.of.map_or_else(String::new, |all| format!(" of {all}"));
            terminal::note(&format!("\r{}{of} {}", self.done, self.what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            terminal::note("\r\u{1b}[K");
        }
    }
}

/// The latest of many looks, in one line that is written over.
pub(crate) struct Status {
    shown: bool,
}

impl Status {
    /// Shown on a terminal only.
    pub(crate) fn new() -> Self {
        Self { shown: io::stderr().is_terminal() }
    }

    /// What was decided, and how long until the next look.
    pub(crate) fn show(&self, decision: &Decision, pause: Duration) {
        if self.shown {
            let reason = decision.reasons().next().map(render::sentence).unwrap_or_default();
            let line = format!("{} at {}: {reason}; again in {} s", decision.verdict, decision.at, pause.as_secs());
            let line: String = terminal::printable(&line).chars().take(150).collect();
            terminal::note(&format!("\r\u{1b}[K{line}"));
        }
    }

    /// Makes room for what follows.
    pub(crate) fn clear(&self) {
        if self.shown {
            terminal::note("\r\u{1b}[K");
        }
    }
}
