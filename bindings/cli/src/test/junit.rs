//! Results as the XML that JUnit writes and CI servers read: a suite per file, a case per test.

use std::fmt::Write as _;

use davy::render::Colour;

use super::ran::Became;
use super::suite::{Counts, Suite, Tested};
use super::table;
use crate::excerpt;

pub(super) fn results(tested: &Tested) -> String {
    let Counts { passed, failed, skipped } = tested.counts();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let tests = passed + failed + skipped;
    let _ =
        writeln!(out, "<testsuites name=\"davy test\" tests=\"{tests}\" failures=\"{failed}\" skipped=\"{skipped}\">");
    for suite in &tested.suites {
        write_suite(suite, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_suite(suite: &Suite, out: &mut String) {
    let path = escaped(&suite.path.display().to_string());
    let of = |result| suite.runs.iter().filter(|run| run.result() == result).count();
    let errors = of(Became::Broken) + usize::from(!suite.broken.is_empty());
    let (failures, skipped) = (of(Became::Failed), of(Became::Skipped));
    let tests = suite.runs.len() + usize::from(!suite.broken.is_empty());
    let _ = writeln!(
        out,
        "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{:.6}\">",
        suite.took.as_secs_f64()
    );
    let case = |name: &str, line: u32| {
        format!("    <testcase classname=\"{path}\" name=\"{}\" file=\"{path}\" line=\"{line}\"", escaped(name))
    };
    if let Some(first) = suite.broken.first() {
        let all: String = suite.broken.iter().map(|one| excerpt::text(one, suite.line(one), Colour::Never)).collect();
        let _ = writeln!(
            out,
            "{}><error message=\"{}\">{}</error></testcase>",
            case("the tests can be run", first.position.line),
            escaped(&first.message),
            escaped(&all)
        );
    }
    for run in &suite.runs {
        let head = case(run.name(), run.position().line);
        let element = match run.result() {
            Became::Passed => {
                let _ = writeln!(out, "{head}/>");
                continue;
            }
            Became::Skipped => {
                let _ = writeln!(out, "{head}><skipped/></testcase>");
                continue;
            }
            Became::Failed => "failure",
            Became::Broken => "error",
        };
        let why = escaped(&table::why(suite, run, Colour::Never));
        let message = escaped(&run.message());
        let _ = writeln!(out, "{head}><{element} message=\"{message}\">{why}</{element}></testcase>");
    }
    out.push_str("  </testsuite>\n");
}

/// Text as XML has it. What XML 1.0 cannot hold is shown as a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_cannot_end_an_attribute_or_an_element() {
        assert_eq!(escaped("a<b>&\"c\"\u{1b}[2J\n"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}[2J&#10;");
    }
}
