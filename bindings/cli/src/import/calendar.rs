//! What importers of change windows share: writing a calendar, zones, schedules.

use davy::calendar::{Cron, Zone};

use super::text::{self, quoted};

/// A calendar as a file.
pub(super) struct Calendar {
    /// What it was, for its reader.
    pub(super) comment: String,
    pub(super) name: String,
    /// Keys of `spec` before the windows, each with its line break.
    pub(super) settings: String,
    /// One after the other.
    pub(super) windows: Vec<Window>,
}

/// A window: its keys in their order, with values as a document writes them.
#[derive(Default)]
pub(super) struct Window(Vec<(&'static str, String)>);

impl Window {
    pub(super) fn new(name: &str, kind: &str) -> Self {
        Self(vec![("name", text::word(name)), ("kind", kind.to_owned())])
    }

    pub(super) fn with(mut self, key: &'static str, value: String) -> Self {
        self.0.push((key, value));
        self
    }

    /// Keys that are `true`, where they are.
    pub(super) fn flag(self, key: &'static str, on: bool) -> Self {
        if on { self.with(key, "true".to_owned()) } else { self }
    }

    /// Free text: one line of at most a thousand bytes.
    pub(super) fn text(self, key: &'static str, text: &str) -> Self {
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, "");
        while line.len() > 1000 {
            line.pop();
        }
        if line.parse::<davy::Text>().is_ok() { self.with(key, quoted(&line)) } else { self }
    }
}

impl Calendar {
    /// The name of its file, and its text.
    pub(super) fn file(&self) -> (String, String) {
        let comment: String = self.comment.lines().map(|line| format!("# {line}\n")).collect();
        let windows: String = self.windows.iter().map(written).collect();
        let text = format!(
            "{comment}apiVersion: davy/v1\nkind: Calendar\nmetadata: {{ name: {} }}\nspec:\n{}  windows:\n{windows}",
            text::word(&self.name),
            self.settings
        );
        (format!("{}.yaml", self.name.replace(['/', ':'], "-")), text)
    }
}

fn written(window: &Window) -> String {
    let lines = window.0.iter().enumerate().map(|(place, (key, value))| {
        let indent = if place == 0 { "    - " } else { "      " };
        format!("{indent}{key}: {value}\n")
    });
    lines.collect()
}

/// A list as a document writes it in a line.
pub(super) fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// A zone by its IANA name, if there is one.
pub(super) fn zone(name: &str) -> Option<String> {
    Zone::new(name).ok().map(|zone| zone.name().to_owned())
}

/// A schedule of five fields, if davy reads it. What other dialects say of Sundays is translated.
pub(super) fn schedule(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let &[minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    let text = [minute, hour, day, month, &sundays(weekday)?].join(" ");
    text.parse::<Cron>().ok().filter(|cron| !cron.is_descriptor())?;
    Some(text)
}

/// Days of the week without 7, which is a Sunday to some.
fn sundays(field: &str) -> Option<String> {
    let part = |part: &str| match part.split_once('-') {
        _ if part == "7" => Some("0".to_owned()),
        Some((from, "7")) => Some(format!("{from}-6,0")),
        // Such as `5-7/2`.
        Some((_, to)) if to.starts_with("7/") => None,
        _ => Some(part.to_owned()),
    };
    field.split(',').map(part).collect::<Option<Vec<_>>>().map(|parts| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sundays_of_other_dialects_are_davys() {
        for (text, expected) in [
            ("0 23 * * 5", Some("0 23 * * 5")),
            ("0 23 * * 7", Some("0 23 * * 0")),
            ("0 23 * * 5-7", Some("0 23 * * 5-6,0")),
            ("0  23 * * 1,7", Some("0 23 * * 1,0")),
            ("0 23 * * 5-7/2", None),
            ("0 23 L * *", None),
            ("0 0 23 * * 5", None),
            ("@daily", None),
            ("0 23 * * 8", None),
        ] {
            assert_eq!(schedule(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_cannot_end_its_line() {
        let window = Window::new("a: b", "deny").text("reason", "x\"\n- { y }\u{1b}");
        assert_eq!(written(&window), "    - name: \"a: b\"\n      kind: deny\n      reason: \"x\\\" - { y }\"\n");
    }
}
