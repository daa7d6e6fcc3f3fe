//! A diagnostic with the line that it is about and a caret under the place.

use std::fmt::Write as _;

use davy::render::Colour;
use davy::{Diagnostic, Severity};

use crate::terminal::{paint, printable};

/// Characters of a long line that are shown before and after the place.
const BEFORE: usize = 60;
const AFTER: usize = 60;

/// The diagnostic as text: `file:line:column`, severity, code, message, the line, a caret and the hint.
pub(crate) fn text(diagnostic: &Diagnostic, line: Option<&str>, colour: Colour) -> String {
    let (severity, style) = match diagnostic.severity {
        Severity::Warning => ("warning", "1;33"),
        Severity::Error => ("error", "1;31"),
    };
    let label = paint(colour, style, &format!("{severity} {}", diagnostic.code));
    let position = printable(&diagnostic.position.to_string());
    let mut out = format!("{}: {label}: {}\n", paint(colour, "1", &position), printable(&diagnostic.message));
    if let Some(line) = line {
        let (shown, caret) = around(line, diagnostic.position.column);
        let number = diagnostic.position.line;
        let margin = " ".repeat(number.to_string().len());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {} {shown}", paint(colour, "2", &format!("{number} |")));
        let _ = writeln!(
            out,
            "  {} {}{}",
            paint(colour, "2", &format!("{margin} |")),
            " ".repeat(caret),
            paint(colour, style, "^")
        );
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "  hint: {}", printable(hint));
    }
    out
}

/// The part of a line around a column (from 1), and how many characters of it stand before that column.
fn around(line: &str, column: u32) -> (String, usize) {
    let place = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1).min(line.chars().count());
    let skipped = place.saturating_sub(BEFORE);
    let mut shown: String = line.chars().skip(skipped).take(place - skipped + AFTER).collect();
    if skipped > 0 {
        shown = format!("…{shown}");
    }
    if line.chars().count() > place + AFTER {
        shown.push('…');
    }
    (printable(&shown), place - skipped + usize::from(skipped > 0))
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn the_caret_stands_under_the_character_of_the_column() {
        assert_eq!(around("\tkey: ü", 2), (" key: ü".to_owned(), 1));
        assert_eq!(around("", 1), (String::new(), 0));
        assert_eq!(around("ab", 9), ("ab".to_owned(), 2));
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides_of_the_place() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (shown, caret) = around(&line, 501);
        assert_eq!(shown.chars().nth(caret), Some('X'));
        assert!(shown.starts_with("…a") && shown.ends_with("b…") && shown.chars().count() < 130, "{shown}");
    }
}
