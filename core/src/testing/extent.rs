//! Where the values of a document begin and end in its text, so that one can be replaced and the rest left as it is.

use std::ops::Range;

use granit_parser::{Event, Parser};

/// A value and the bytes that it takes.
#[derive(Debug)]
pub(super) struct Extent {
    /// Of a mapping or list in block style: from its first key or dash to the end of its last value.
    pub(super) range: Range<usize>,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar,
    List(Vec<Extent>),
    Map { entries: Vec<Entry>, flow: bool },
}

#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    /// The bytes of its key.
    pub(super) key: Range<usize>,
    pub(super) value: Extent,
}

impl Extent {
    /// Reads a text that was read as a document before.
    pub(super) fn of(text: &str) -> Option<Self> {
        let options = granit_parser::options! { disallow_directives: true, emit_comments: false };
        let mut open: Vec<Open> = Vec::new();
        for item in Parser::new_from_str_with_options(text, options) {
            let (event, span) = item.ok()?;
            let finished = match event {
                Event::Scalar(value, ..) => {
                    let range = span.byte_range()?;
                    Some((Self { range, content: Content::Scalar }, value.into_owned()))
                }
                Event::SequenceStart(..) => {
                    open.push(Open { start: span.byte_range()?.start, content: Content::List(Vec::new()), key: None });
                    None
                }
                Event::MappingStart(..) => {
                    let start = span.byte_range()?.start;
                    let flow = text.get(start..)?.starts_with('{');
                    open.push(Open { start, content: Content::Map { entries: Vec::new(), flow }, key: None });
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    Some((open.pop()?.close(text, span.byte_range()?.end), String::new()))
                }
                _ => None,
            };
            let Some((extent, name)) = finished else { continue };
            match open.last_mut() {
                None => return Some(extent),
                Some(parent) => parent.take(extent, name),
            }
        }
        None
    }

    /// A key with its value.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        let Content::Map { entries, .. } = &self.content else { return None };
        entries.iter().find(|entry| entry.name == name)
    }

    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// The item with this number, from 0.
    pub(super) fn item(&self, number: usize) -> Option<&Self> {
        let Content::List(items) = &self.content else { return None };
        items.get(number)
    }
}

struct Open {
    start: usize,
    content: Content,
    key: Option<(String, Range<usize>)>,
}

impl Open {
    fn take(&mut self, extent: Extent, name: String) {
        match (&mut self.content, self.key.take()) {
            (Content::List(items), _) => items.push(extent),
            (Content::Map { .. }, None) => self.key = Some((name, extent.range)),
            (Content::Map { entries, .. }, Some((name, key))) => entries.push(Entry { name, key, value: extent }),
            (Content::Scalar, _) => {}
        }
    }

    /// In block style the end that a parser tells lies where the next thing begins.
    fn close(self, text: &str, end: usize) -> Extent {
        let flow = text.get(self.start..).is_some_and(|rest| rest.starts_with(['{', '[']));
        let last = match &self.content {
            Content::List(items) => items.last().map(|item| item.range.end),
            Content::Map { entries, .. } => entries.last().map(|entry| entry.value.range.end),
            Content::Scalar => None,
        };
        let end = if flow { end } else { last.unwrap_or(self.start) };
        Extent { range: self.start..end, content: self.content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, path: &[&str]) -> String {
        let root = Extent::of(text).unwrap();
        let step = |extent: &'_ Extent, key: &&str| {
            let found = key.parse().map_or_else(|_| extent.get(key), |number| extent.item(number));
            found.map(|found| found.range.clone())
        };
        let mut at = &root;
        for key in path {
            assert!(step(at, key).is_some(), "{key} of {text}");
            at = key.parse().map_or_else(|_| at.get(key), |number| at.item(number)).unwrap();
        }
        text[at.range.clone()].to_owned()
    }

    #[test]
    fn a_value_is_found_to_its_last_byte() {
        let text = "a: { b: [x, 'ü'], c: 1 }   # note\nd:\n  - e: 1\n    f: { g: h }\n  # note\n  - e: two words  # note\ni: |\n  j\n  k\n";
        for (path, expected) in [
            (&["a"][..], "{ b: [x, 'ü'], c: 1 }"),
            (&["a", "b"], "[x, 'ü']"),
            (&["a", "b", "1"], "'ü'"),
            (&["d", "0"], "e: 1\n    f: { g: h }"),
            (&["d", "0", "f"], "{ g: h }"),
            (&["d", "1", "e"], "two words"),
        ] {
            assert_eq!(found(text, path), expected);
        }
    }
}
