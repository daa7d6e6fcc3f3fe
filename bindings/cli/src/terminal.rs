//! How commands speak: answers on standard output, errors on standard error, colour where a person looks.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::ValueEnum;
use davy::render::Colour;

use crate::error::Error;

/// The form of an answer that people and programs read.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Where a text goes, which decides whether it has colour.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Stream {
    /// `NO_COLOR` wins over `CLICOLOR_FORCE`, which wins over what the stream is.
    pub(crate) fn colour(self) -> Colour {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let terminal = match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        };
        if set("NO_COLOR").is_none() && (forced || terminal) { Colour::Always } else { Colour::Never }
    }
}

/// Prints an answer. A reader that has seen enough and closed the pipe is no error.
pub(crate) fn print(answer: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(answer.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => Err(Error::Print { cause }),
        _ => Ok(()),
    }
}

/// Prints to standard error. Where nobody listens, there is nobody to tell.
pub(crate) fn note(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints one error on one line.
pub(crate) fn complain(error: &dyn Display) {
    let label = paint(Stream::Err.colour(), "1;31", "error:");
    note(&format!("davy: {label} {}\n", printable(&error.to_string())));
}

/// Prints on one line what somebody should know, and what keeps nothing from going on.
pub(crate) fn warn(warning: &dyn Display) {
    let label = paint(Stream::Err.colour(), "1;33", "warning:");
    note(&format!("davy: {label} {}\n", printable(&warning.to_string())));
}

/// Wraps `text` in an ANSI style.
pub(crate) fn paint(colour: Colour, style: &str, text: &str) -> String {
    match colour {
        Colour::Never => text.to_owned(),
        Colour::Always => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
    }
}

/// Text from files, without what would move a terminal's cursor or turn its direction: one column for
/// each character.
pub(crate) fn printable(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' => ' ',
        '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn text_from_files_cannot_steer_a_terminal() {
        assert_eq!(printable("a\tb\u{1b}[2J\u{202e}ü"), "a b\u{fffd}[2J\u{fffd}ü");
    }
}
