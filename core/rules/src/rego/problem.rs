//! What `regorus` says went wrong, in words that do not show its insides, and never longer than a line.

use std::fmt::{self, Write};

use regorus::rvm::vm::VmError;

/// What kept a set from its answer, and the instruction that did; `pc` is where the machine stopped.
pub(super) fn explain(problem: &VmError, pc: usize) -> (String, usize) {
    let plain = |what: &str, pc: usize| (what.to_owned(), pc);
    match problem {
        VmError::InvalidAddition { pc, .. } => plain("`+` takes numbers", *pc),
        VmError::InvalidSubtraction { pc, .. } => plain("`-` takes numbers, or sets", *pc),
        VmError::InvalidMultiplication { pc, .. } => plain("`*` takes numbers", *pc),
        VmError::InvalidDivision { pc, .. } => plain("division by zero, or of something that is no number", *pc),
        VmError::InvalidModulo { pc, .. } | VmError::ModuloOnFloat { pc, .. } => {
            plain("`%` takes integers, and not zero", *pc)
        }
        VmError::InvalidIteration { pc, .. } => plain("only a list, set or map can be gone through", *pc),
        VmError::NumericOverflow { .. } => plain("a number is too large", pc),
        other => {
            // Errors show the values that they are about, which can be large.
            let (_, what) = place_of(&brief(other));
            let what = what.rsplit_once(" (pc=").map_or(what.as_str(), |(what, _)| what);
            (what.to_owned(), pc)
        }
    }
}

/// The beginning of what something says.
pub(super) fn brief(problem: &dyn fmt::Display) -> String {
    let mut brief = Brief(String::new());
    // It ends early where there is more than is wanted.
    let _ = write!(brief, "{problem}");
    brief.0
}

/// The column of a place in a line, from 1, in characters; `regorus` counts a tab as four.
pub(super) fn column(text: &str, line: u32, column: u32) -> u32 {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut seen = 1;
    let before = text.lines().nth(index).unwrap_or_default().chars().take_while(|c| {
        let is_before = seen < column;
        seen += if *c == '\t' { 4 } else { 1 };
        is_before
    });
    u32::try_from(before.count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The beginning of a text: what is longer is not even made.
struct Brief(String);

impl Write for Brief {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const MOST: usize = 2000;
        let left = MOST.saturating_sub(self.0.len());
        let cut = (0..=left.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(text.get(..cut).unwrap_or_default());
        if cut < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The place and the last line of an error that `regorus` draws: `--> file:line:column`, and a caret below the line.
pub(super) fn place_of(text: &str) -> ((u32, u32), String) {
    let arrow = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let numbers = arrow.map(|place| {
        let mut parts = place.rsplit(':');
        let column = parts.next().and_then(|part| part.trim().parse().ok());
        let line = parts.next().and_then(|part| part.trim().parse().ok());
        (line.unwrap_or(1_u32), column.unwrap_or(1_u32))
    });
    let what = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('|') && !line.starts_with("-->"))
        .unwrap_or("it cannot be read");
    let what = what.strip_prefix("error:").unwrap_or(what).trim().trim_end_matches('.');
    let mut chars = what.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_lowercase).collect();
    (numbers.unwrap_or((1, 1)), format!("{first}{}", chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_show_large_values_stay_short() {
        let large = regorus::Value::from(vec![regorus::Value::from("x".repeat(10_000)); 1000]);
        let error = VmError::RegisterNotObject { register: 0, value: large, pc: 7 };
        assert!(explain(&error, 7).0.len() <= 2000);
        let error = VmError::InvalidAddition { left: 1_u64.into(), right: "a".into(), pc: 3 };
        assert_eq!(explain(&error, 7), ("`+` takes numbers".to_owned(), 3));
    }

    #[test]
    fn a_tab_is_one_character() {
        assert_eq!(column("a\n\tif x\n", 2, 5), 2);
        assert_eq!(column("a\n\t\tx", 2, 9), 3);
        assert_eq!(column("abc", 1, 3), 3);
    }

    #[test]
    fn the_place_is_read_from_the_drawing() {
        let drawn = "\n--> r.rego:3:14\n  |\n3 | x := \n  |      ^\nerror: expecting expression";
        assert_eq!(place_of(drawn), ((3, 14), "expecting expression".to_owned()));
    }
}
