//! How far a long command is: one line on a terminal, nothing in a pipe.

use std::io::{self, IsTerminal};

use crate::terminal;

/// Counts what is done. Where the answers themselves run over a terminal, they are the progress.
pub(crate) struct Progress {
    what: &'static str,
    done: u64,
    shown: bool,
}

impl Progress {
    /// Begins to count.
    pub(crate) fn new(what: &'static str) -> Self {
        let shown = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { what, done: 0, shown }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.shown && self.done.is_multiple_of(16) {
            terminal::note(&format!("\r{} {}", self.done, self.what));
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
