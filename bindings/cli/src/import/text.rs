//! Writing documents: names, quoted text, durations.

use std::collections::BTreeSet;

use davy::Duration;

/// Any text as YAML and JSON quote it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text in single quotes, for queries that are full of double ones.
pub(super) fn query(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("'{}'", one_line.replace('\'', "''"))
}

/// A name made of any text: what a name cannot hold becomes a dash.
pub(super) fn name(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "._:/-".contains(c) { c } else { '-' };
    let dashed: String = text.trim().chars().map(allowed).collect();
    let mut name = dashed.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim_end_matches('-').to_owned();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    name.truncate(200);
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// A name as a document writes it: quoted where YAML readers might take it for something else.
pub(super) fn word(name: &str) -> String {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !words.contains(&name.to_ascii_lowercase().as_str());
    if plain { name.to_owned() } else { quoted(name) }
}

/// Names that differ, whatever they were made of.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name, or the name with the first number that is free.
    pub(super) fn fresh(&mut self, text: &str) -> String {
        let name = name(text);
        let fresh = (2..).map(|number| format!("{name}-{number}"));
        let fresh = std::iter::once(name.clone()).chain(fresh).find(|name| !self.0.contains(name)).unwrap_or(name);
        self.0.insert(fresh.clone());
        fresh
    }
}

/// A duration as Go and Prometheus write it, such as `1m30s`, `500ms` or `1.5h`; nothing for what is none, or above zero
/// and below a millisecond.
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut millis = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(length)?;
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        millis += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    // Decimals of doubles may miss a whole millisecond by a little.
    let whole = millis.round();
    let fits = (0.0..=1e15).contains(&whole) && (millis - whole).abs() < 1e-6 && !text.trim().is_empty();
    fits.then(|| Duration::from_millis(whole as u64))
}

/// A number as documents write it: no exponent, no more digits than it needs.
pub(super) fn number(number: f64) -> String {
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_go_are_read() {
        for (text, millis) in [("1m", 60_000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("500ms", 500), ("0", 0)] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "m", "1y", "-1m", "1m3", "0.1ms"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_made_of_anything_and_differ() {
        let mut names = Names::default();
        let made = ["404s percentage", "404s-percentage", "  ü ", "", "a"].map(|text| names.fresh(text));
        assert_eq!(made, ["404s-percentage", "404s-percentage-2", "unnamed", "unnamed-2", "a"]);
        assert_eq!(
            ["a-b", "on", "404s", "a:", "v1.10"].map(word),
            ["a-b", "\"on\"", "\"404s\"", "\"a:\"", "\"v1.10\""]
        );
        assert_eq!(query("sum(\n\trate(a{b='c'}[1m])\n)"), "'sum( rate(a{b=''c''}[1m]) )'");
    }
}
