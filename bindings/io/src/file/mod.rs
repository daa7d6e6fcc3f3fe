//! Intervals from files, for hosts without Prometheus: JSON lines and CSV. Both are strict: what is not
//! understood is an error with its line and column, and nothing is accepted in part.

mod csv;
mod error;

pub use csv::csv;
pub use error::FileError;

use davy::Interval;

/// Reads intervals from JSON lines: one interval on each, in the form that a snapshot holds.
///
/// # Errors
/// [`FileError`], for the first line that is no interval; an empty line is none either.
///
/// ```
/// let lines = r#"{"start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:00:30Z","observations":[{"metric":"errors","cohort":"canary","bad":3,"total":1204}]}
/// {"start":"2026-11-23T10:00:30Z","end":"2026-11-23T10:01:00Z","observations":[{"metric":"errors","cohort":"canary","missing":"noData"}]}
/// "#;
/// assert_eq!(davy_io::file::json_lines(lines.as_bytes())?.len(), 2);
/// # Ok::<(), davy_io::file::FileError>(())
/// ```
pub fn json_lines(bytes: &[u8]) -> Result<Vec<Interval>, FileError> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if whole.is_empty() {
        return Ok(Vec::new());
    }
    let lines = whole.split(|byte| *byte == b'\n').enumerate();
    let interval = |(place, line): (usize, &[u8])| {
        Interval::from_json(line).map_err(|mut cause| {
            cause.line = place + 1;
            FileError::Interval(cause)
        })
    };
    lines.map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:00:30Z","observations":[]}"#;

    #[test]
    fn each_line_is_an_interval() {
        assert_eq!(json_lines(b"").unwrap(), []);
        for text in [GOOD.to_owned(), format!("{GOOD}\n"), format!("{GOOD}\r\n{GOOD}\r\n"), format!("{GOOD}\n{GOOD}")] {
            assert_eq!(json_lines(text.as_bytes()).unwrap().len(), text.matches("start").count(), "{text}");
        }
    }

    #[test]
    fn what_is_no_interval_is_refused_where_it_stands() {
        let error = |bad: &str| {
            let text = format!("{GOOD}\n{bad}\n{GOOD}\n");
            let FileError::Interval(cause) = json_lines(text.as_bytes()).unwrap_err() else { panic!() };
            (cause.line, cause.column, cause.code.to_string())
        };
        assert_eq!(error(&GOOD.replace("start", "begin")), (2, 8, "S002".to_owned()));
        assert_eq!(error(&GOOD.replace("10:00:30", "09:00:00")).2, "S020");
        assert_eq!(error(&GOOD[..40]).0, 2);
        for bad in ["", " ", "[]", "null", &format!("{GOOD}{GOOD}"), &format!("{GOOD},")] {
            assert_eq!(error(bad).0, 2, "{bad}");
        }
        assert!(json_lines(b"\xff\n").is_err());
    }
}
