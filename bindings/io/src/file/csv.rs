//! Intervals from CSV: one observation a row.

use std::collections::BTreeMap;
use std::str::FromStr;

use davy::{Buckets, Cohort, Count, Instant, Interval, Missing, Name, Observation, Observed};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::FileError;

/// The columns.
pub(super) const COLUMNS: [&str; 11] =
    ["start", "end", "metric", "cohort", "replica", "bad", "total", "buckets", "gauge", "events", "missing"];
/// Those that every file has.
const NEEDED: [&str; 4] = ["start", "end", "metric", "cohort"];

/// Reads intervals from CSV (RFC 4180, commas, UTF-8), one observation a row. The first line names the columns,
/// in any order:
///
/// | column | holds |
/// |---|---|
/// | `start`, `end` | the interval, as RFC 3339 instants |
/// | `metric` | the metric's name in the policy |
/// | `cohort` | `canary` or `baseline` |
/// | `replica` | the pod or zone; may be empty or left out |
/// | `bad`, `total` | counts of bad and of all events |
/// | `buckets`, `total` | classic buckets such as `0.1:39 0.3:58`: how many requests took at most so many seconds |
/// | `gauge` | a number |
/// | `events` | a count |
/// | `missing` | why there is no value: `noData`, `NaN`, `+Inf`, `-Inf` or `noAnswer` |
///
/// Each row has exactly one of the forms. Rows of the same interval may stand apart. Intervals come back in
/// order of time.
///
/// # Errors
/// [`FileError`], for the first thing that is wrong.
///
/// ```
/// let intervals = davy_io::file::csv(b"\
/// start,end,metric,cohort,bad,total
/// 2026-11-23T10:00:00Z,2026-11-23T10:00:30Z,errors,canary,3,1204
/// 2026-11-23T10:00:00Z,2026-11-23T10:00:30Z,errors,baseline,20,9130
/// ")?;
/// assert_eq!(intervals[0].observations().len(), 2);
/// # Ok::<(), davy_io::file::FileError>(())
/// ```
pub fn csv(bytes: &[u8]) -> Result<Vec<Interval>, FileError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
            let (line, column) = end_of(&before);
            return Err(FileError::Csv { line, column, cause: "not UTF-8" });
        }
    };
    let mut rows = Rows { rest: text, line: 1, column: 1 };
    let Some(header) = rows.next_row()? else {
        return Err(FileError::Column { column: 1, name: "start".to_owned(), cause: "there is no column" });
    };
    let columns = columns(&header)?;
    let mut slots: BTreeMap<(Instant, Instant), (usize, Vec<Observation>)> = BTreeMap::new();
    while let Some(cells) = rows.next_row()? {
        let row = Row { columns: &columns, cells: &cells };
        let line = cells.first().map_or(1, |cell| cell.line);
        if cells.len() != columns.len() {
            let column = cells.last().map_or(1, |cell| cell.column);
            return Err(FileError::Csv { line, column, cause: "the row has not as many cells as the first line" });
        }
        let instant = |column| row.needed(column, "an RFC 3339 instant", parsed::<Instant>);
        let slot = (instant("start")?, instant("end")?);
        let (last, observations) = slots.entry(slot).or_default();
        *last = line;
        observations.push(row.observation(line)?);
    }
    let intervals = slots.into_iter().map(|((start, end), (line, observations))| {
        Interval::new(start, end, observations).map_err(|cause| FileError::Rows { line, cause })
    });
    intervals.collect()
}

/// One cell, and where it begins.
struct Cell {
    text: String,
    line: usize,
    column: usize,
}

/// The rows of a text, one by one.
struct Rows<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Rows<'_> {
    /// The cells of the next row; an empty line at the end is none.
    fn next_row(&mut self) -> Result<Option<Vec<Cell>>, FileError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            match self.take() {
                Some(',') => {}
                Some('\r') if self.rest.starts_with('\n') => {
                    self.take();
                    return Ok(Some(cells));
                }
                Some('\n') | None => return Ok(Some(cells)),
                Some(_) => return Err(self.refuse("expected `,` or the end of the line after a quoted cell")),
            }
        }
    }

    fn cell(&mut self) -> Result<Cell, FileError> {
        let (line, column) = (self.line, self.column);
        let mut text = String::new();
        if !self.rest.starts_with('"') {
            while !self.rest.is_empty() && !self.rest.starts_with([',', '\n']) && !self.rest.starts_with("\r\n") {
                if self.rest.starts_with('"') {
                    return Err(self.refuse("a quote within a cell that does not begin with one"));
                }
                text.extend(self.take());
            }
            return Ok(Cell { text, line, column });
        }
        self.take();
        loop {
            match self.take() {
                Some('"') if self.rest.starts_with('"') => text.extend(self.take()),
                Some('"') => return Ok(Cell { text, line, column }),
                Some(c) => text.push(c),
                None => return Err(FileError::Csv { line, column, cause: "a quoted cell that does not end" }),
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let c = rest.next()?;
        self.rest = rest.as_str();
        (self.line, self.column) = if c == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        Some(c)
    }

    fn refuse(&self, cause: &'static str) -> FileError {
        FileError::Csv { line: self.line, column: self.column, cause }
    }
}

/// The line and column behind a text.
fn end_of(text: &str) -> (usize, usize) {
    let line = text.matches('\n').count() + 1;
    (line, text.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// The names of the columns, each known and none twice.
fn columns(header: &[Cell]) -> Result<Vec<&'static str>, FileError> {
    let mut columns: Vec<&str> = Vec::with_capacity(header.len());
    let refuse = |cell: &Cell, cause| FileError::Column { column: cell.column, name: cell.text.clone(), cause };
    for cell in header {
        let known = COLUMNS.into_iter().find(|column| *column == cell.text);
        let column = known.ok_or_else(|| refuse(cell, "nobody reads a column"))?;
        if columns.contains(&column) {
            return Err(refuse(cell, "there are two columns"));
        }
        columns.push(column);
    }
    match NEEDED.into_iter().find(|needed| !columns.contains(needed)) {
        Some(name) => Err(FileError::Column { column: 1, name: name.to_owned(), cause: "there is no column" }),
        None => Ok(columns),
    }
}

/// One row by its columns.
struct Row<'a> {
    columns: &'a [&'static str],
    cells: &'a [Cell],
}

impl Row<'_> {
    /// A cell that is not empty.
    fn cell(&self, column: &str) -> Option<&Cell> {
        let place = self.columns.iter().position(|known| *known == column)?;
        self.cells.get(place).filter(|cell| !cell.text.is_empty())
    }

    fn read<T>(
        &self,
        column: &str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, FileError> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let found = || cell.text.chars().take(60).collect();
        let refuse = || FileError::Value { line: cell.line, column: cell.column, expected, found: found() };
        read(&cell.text).map(Some).ok_or_else(refuse)
    }

    fn needed<T>(
        &self,
        column: &str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, FileError> {
        let empty = || {
            let place = self.columns.iter().position(|known| *known == column).and_then(|place| self.cells.get(place));
            let (line, column) = place.map_or((1, 1), |cell| (cell.line, cell.column));
            FileError::Value { line, column, expected, found: String::new() }
        };
        self.read(column, expected, read)?.ok_or_else(empty)
    }

    fn observation(&self, line: usize) -> Result<Observation, FileError> {
        const COUNT: &str = "a whole number from 0 to 2^53 - 1";
        let count = |column| self.read(column, COUNT, count);
        let buckets = self.read("buckets", "buckets such as `0.1:39 0.3:58`", buckets)?;
        let gauge = self.read("gauge", "a finite number", finite)?;
        let missing = self.read("missing", "`noData`, `NaN`, `+Inf`, `-Inf` or `noAnswer`", word::<Missing>)?;
        let form = || FileError::Form { line };
        let observed = match (count("bad")?, count("total")?, buckets, gauge, count("events")?, missing) {
            (Some(bad), Some(total), None, None, None, None) => Observed::Counts { bad, total },
            (None, Some(total), Some(at_most), None, None, None) => {
                Observed::Buckets(Buckets::new(at_most, total).map_err(|cause| FileError::Rows { line, cause })?)
            }
            (None, None, None, Some(gauge), None, None) => Observed::Gauge(gauge),
            (None, None, None, None, Some(events), None) => Observed::Events(events),
            (None, None, None, None, None, Some(missing)) => Observed::Missing(missing),
            _ => return Err(form()),
        };
        Ok(Observation {
            metric: self.needed("metric", "a metric's name", parsed)?,
            cohort: self.needed("cohort", "`canary` or `baseline`", word::<Cohort>)?,
            replica: self.read("replica", "a replica's name", parsed::<Name>)?,
            observed,
        })
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// A word of the snapshot's own language.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<ValueError>::new(text)).ok()
}

fn count(text: &str) -> Option<Count> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).and_then(|number| Count::new(number).ok())
}

fn finite(text: &str) -> Option<f64> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| decimal && number.is_finite())
}

fn buckets(text: &str) -> Option<Vec<(f64, Count)>> {
    let bucket = |pair: &str| {
        let (bound, of) = pair.split_once(':')?;
        Some((finite(bound)?, count(of)?))
    };
    text.split(' ').map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "start,end,metric,cohort,replica,bad,total,buckets,gauge,events,missing\n";
    const SLOT: &str = "2026-11-23T10:00:00Z,2026-11-23T10:00:30Z";

    fn rows(rows: &[&str]) -> Result<Vec<Interval>, FileError> {
        let rows: Vec<String> = rows.iter().map(|row| format!("{SLOT},{row}\n")).collect();
        csv(format!("{HEAD}{}", rows.concat()).as_bytes())
    }

    fn error(row: &str) -> (String, usize, String) {
        let error = rows(&["errors,canary,,1,2,,,,", row]).unwrap_err();
        (error.code(), error.line(), error.to_string())
    }

    #[test]
    fn every_form_is_read() {
        let intervals = rows(&[
            "errors,canary,pod-a,3,10,,,,",
            "errors,canary,pod-b,0,0,,,,",
            "latency,canary,,,10,0.1:3 1:9,,,",
            "cpu,baseline,,,,,-0.5e1,,",
            "restarts,canary,,,,,,7,",
            "search,canary,,,,,,,noData",
        ]);
        let json = serde_json::to_string(&intervals.unwrap()[0]).unwrap();
        assert_eq!(
            json,
            r#"{"start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:00:30Z","observations":["#.to_owned()
                + r#"{"metric":"cpu","cohort":"baseline","gauge":-5.0},"#
                + r#"{"metric":"errors","cohort":"canary","replica":"pod-a","bad":3,"total":10},"#
                + r#"{"metric":"errors","cohort":"canary","replica":"pod-b","bad":0,"total":0},"#
                + r#"{"metric":"latency","cohort":"canary","buckets":{"atMost":[[0.1,3],[1.0,9]],"total":10}},"#
                + r#"{"metric":"restarts","cohort":"canary","events":7},"#
                + r#"{"metric":"search","cohort":"canary","missing":"noData"}]}"#
        );
    }

    #[test]
    fn rows_may_stand_in_any_order_and_cells_be_quoted() {
        let text = "\u{feff}total,\"bad\",cohort,metric,end,start\r\n\
            10,1,canary,errors,2026-11-23T10:01:00Z,2026-11-23T10:00:30Z\r\n\
            10,2,canary,errors,2026-11-23T10:00:30Z,2026-11-23T10:00:00Z\r\n\
            \"9\",3,baseline,errors,2026-11-23T10:01:00Z,2026-11-23T10:00:30Z";
        let intervals = csv(text.as_bytes()).unwrap();
        assert_eq!(intervals.iter().map(|interval| interval.observations().len()).collect::<Vec<_>>(), [1, 2]);
        assert!(intervals[0].start() < intervals[1].start());
        assert_eq!(csv(HEAD.as_bytes()).unwrap(), []);
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_named_by_line_and_column() {
        for (row, column) in [
            ("errors,canary,,1.5,2,,,,", 58),
            ("errors,canary,,-1,2,,,,", 58),
            ("errors,canary,,+1,2,,,,", 58),
            ("errors,canary,,1,9007199254740992,,,,", 60),
            ("errors,green,,1,2,,,,", 50),
            ("errors,,,1,2,,,,", 50),
            ("er rors,canary,,1,2,,,,", 43),
            (",canary,,1,2,,,,", 43),
            ("errors,canary,a b,1,2,,,,", 57),
            ("cpu,canary,,,,,NaN,,", 58),
            ("cpu,canary,,,,,inf,,", 58),
            ("x,canary,,,,,,,none", 58),
            ("x,canary,,,5,0.1=3,,,", 56),
            ("x,canary,,,5,0.1:3  1:4,,,", 56),
        ] {
            let (code, line, message) = error(row);
            assert_eq!((code.as_str(), line), ("I072", 3), "{row}: {message}");
            assert!(message.starts_with(&format!("line 3, column {column}: I072")), "{row}: {message}");
        }
        let start = format!("{HEAD}yesterday,2026-11-23T10:00:30Z,errors,canary,,1,2,,,,\n");
        assert!(csv(start.as_bytes()).unwrap_err().to_string().starts_with("line 2, column 1: I072"));
    }

    #[test]
    fn a_row_says_one_thing() {
        for row in [
            "a,canary,,,,,,,",
            "a,canary,,1,,,,,",
            "a,canary,,,2,,,,",
            "a,canary,,1,2,,3,,",
            "a,canary,,1,2,0.1:1,,,",
            "a,canary,,,,,1,1,",
        ] {
            assert_eq!(error(row).0, "I073", "{row}");
        }
        for row in
            ["errors,canary,,1,2,,,,", "a,canary,,3,2,,,,", "errors,canary,pod,1,2,,,,", "a,canary,,,5,1:4 0.1:3,,,"]
        {
            assert_eq!(error(row).0, "I074", "{row}");
        }
    }

    #[test]
    fn what_is_no_csv_is_refused_where_it_breaks() {
        let told = |text: &[u8]| csv(text).unwrap_err().to_string();
        assert!(told(b"").contains("I071"));
        assert!(told(b"start,end,metric\n").contains("there is no column `cohort`"));
        assert!(told(b"start,end,metric,cohort,start\n").starts_with("line 1, column 25: I071: there are two columns"));
        assert!(told(b"start,end,metric,cohort,histogram\n").contains("nobody reads a column `histogram`"));
        assert!(told(format!("{HEAD}a,b\n").as_bytes()).starts_with("line 2, column 3: I070"));
        assert!(told(format!("{HEAD}\n{SLOT}").as_bytes()).starts_with("line 2, column 1: I070"));
        assert!(told(format!("{HEAD}\"a\"b").as_bytes()).contains("after a quoted cell"));
        assert!(told(format!("{HEAD}a\"b\"").as_bytes()).starts_with("line 2, column 2: I070"));
        assert!(told(format!("{HEAD}\"a\nb").as_bytes()).starts_with("line 2, column 1: I070: a quoted cell"));
        assert!(told(b"start,end\n\xff").starts_with("line 2, column 1: I070: not UTF-8"));
    }
}
