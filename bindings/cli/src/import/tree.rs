//! A file of another tool as a tree that remembers what was read of it: what nobody read has no equal here.

use std::cell::Cell;

use granit_parser::{Event, Parser, ScalarStyle};

/// No file nests deeper.
const MOST_LEVELS: usize = 64;
/// Nor holds more values.
const MOST_VALUES: usize = 100_000;

/// A value, where it stands, and whether it was read.
#[derive(Debug)]
pub(crate) struct Node {
    value: Value,
    place: Place,
    read: Cell<bool>,
}

#[derive(Debug)]
enum Value {
    Scalar { text: String, plain: bool },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Which of several files, from 0, and a line and a column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What is not well-formed.
#[derive(Debug, thiserror::Error)]
#[error("{}:{}: {cause}", place.line, place.column)]
pub(crate) struct TreeError {
    place: Place,
    cause: String,
}

/// Reads YAML or JSON, one or more documents, from one of several files. Empty documents are left out.
pub(crate) fn read(text: &str, file: usize) -> Result<Vec<Node>, TreeError> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MOST_LEVELS,
        block_nesting_limit: MOST_LEVELS,
    };
    let mut documents = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut values = 0;
    for item in Parser::new_from_str_with_options(text, options) {
        let (event, span) = item.map_err(|cause| {
            let place = Place { file, line: cause.marker().line(), column: cause.marker().col() + 1 };
            TreeError { place, cause: format!("not well-formed: {}", cause.info()) }
        })?;
        let place = Place { file, line: span.start.line(), column: span.start.col() + 1 };
        let refuse = |cause: &str| Err(TreeError { place, cause: cause.to_owned() });
        values += 1;
        if values > MOST_VALUES {
            return refuse("the file holds too many values");
        }
        let finished = match event {
            Event::Alias(_) | Event::UnresolvedAlias(_) => return refuse("an alias stands here; write the value out"),
            Event::Scalar(value, style, ..) => {
                Some(Value::Scalar { text: value.into_owned(), plain: style == ScalarStyle::Plain })
            }
            Event::SequenceStart(..) => {
                open.push(Open { value: Value::List(Vec::new()), key: None, place });
                None
            }
            Event::MappingStart(..) => {
                open.push(Open { value: Value::Map(Vec::new()), key: None, place });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { value, place, .. }) = open.pop() else { continue };
                add(Node::new(value, place), &mut open, &mut documents)?;
                None
            }
            _ => None,
        };
        if let Some(value) = finished {
            add(Node::new(value, place), &mut open, &mut documents)?;
        }
    }
    documents.retain(|document| !document.is_nothing());
    Ok(documents)
}

/// A collection that is still open, and the key whose value comes next.
struct Open {
    value: Value,
    key: Option<String>,
    place: Place,
}

fn add(node: Node, open: &mut [Open], documents: &mut Vec<Node>) -> Result<(), TreeError> {
    let Some(last) = open.last_mut() else {
        documents.push(node);
        return Ok(());
    };
    match (&mut last.value, last.key.take()) {
        (Value::List(items), _) => items.push(node),
        (Value::Map(entries), Some(key)) => entries.push((key, node)),
        (Value::Map(entries), None) => {
            let refuse = |cause: String| Err(TreeError { place: node.place, cause });
            match node.value {
                Value::Scalar { text, .. } if entries.iter().any(|(known, _)| *known == text) => {
                    return refuse(format!("the key `{text}` stands twice"));
                }
                Value::Scalar { text, .. } => last.key = Some(text),
                _ => return refuse("a key is not a word".to_owned()),
            }
        }
        (Value::Scalar { .. }, _) => {}
    }
    Ok(())
}

impl Node {
    fn new(value: Value, place: Place) -> Self {
        Self { value, place, read: Cell::new(false) }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What stands under a key, unless that is nothing. The value counts as read once something is taken of it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(known, _)| known == key).map(|(_, node)| node).filter(|node| !node.is_nothing())
    }

    /// Key by key.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text of a scalar, which does not count as read by that.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => {
                self.read.set(true);
                Some(text)
            }
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A finite number, quoted or not. A scalar that is none does not count as read.
    pub(crate) fn number(&self) -> Option<f64> {
        let Value::Scalar { text, .. } = &self.value else { return None };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
        self.read.set(true);
        Some(number)
    }

    /// `true` or `false`.
    pub(crate) fn truth(&self) -> Option<bool> {
        let Value::Scalar { text, .. } = &self.value else { return None };
        let truth = text.parse().ok()?;
        self.read.set(true);
        Some(truth)
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        self.list().unwrap_or_default()
    }

    /// The items, if it is a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => {
                self.read.set(true);
                Some(items)
            }
            Value::Scalar { .. } | Value::Map(_) => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries = match &self.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Scalar { .. } | Value::List(_) => &[],
        };
        entries.iter().map(|(key, node)| (key.as_str(), node))
    }

    /// Counts everything below as read: it says nothing that would be lost.
    pub(crate) fn pass_over(&self) {
        self.read.set(true);
        match &self.value {
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(Self::pass_over),
            Value::Map(entries) => entries.iter().for_each(|(_, node)| node.pass_over()),
        }
    }

    /// Everything that nobody read, with its path: the highest places of which nothing was read.
    pub(crate) fn unread(&self) -> Vec<(String, Place)> {
        let mut found = Vec::new();
        self.collect_unread(String::new(), &mut found);
        found
    }

    fn collect_unread(&self, path: String, found: &mut Vec<(String, Place)>) {
        if !self.is_touched() {
            if !self.is_empty() {
                found.push((path, self.place));
            }
            return;
        }
        match &self.value {
            Value::Scalar { .. } => {}
            Value::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    item.collect_unread(format!("{path}[{place}]"), found);
                }
            }
            Value::Map(entries) => {
                for (key, node) in entries {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    node.collect_unread(path, found);
                }
            }
        }
    }

    fn is_touched(&self) -> bool {
        self.read.get()
            || match &self.value {
                Value::Scalar { .. } => false,
                Value::List(items) => items.iter().any(Self::is_touched),
                Value::Map(entries) => entries.iter().any(|(_, node)| node.is_touched()),
            }
    }

    /// An empty collection, or nothing.
    fn is_empty(&self) -> bool {
        match &self.value {
            Value::Scalar { .. } => self.is_nothing(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if ["", "~", "null"].contains(&text.as_str()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        read(text, 0).unwrap().swap_remove(0)
    }

    #[test]
    fn what_nobody_read_is_told_at_its_highest_place() {
        let node = one("a: 1\nb: { c: 2, d: { e: 3 } }\nf: [{ g: 4, h: 5 }, { g: 6 }]\ni: null\nj: []\n");
        assert_eq!(node.at(&["b", "c"]).and_then(Node::number), Some(2.0));
        for item in node.get("f").unwrap().items() {
            item.get("g").unwrap().number();
        }
        let unread = node.unread();
        let paths: Vec<&str> = unread.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "b.d", "f[0].h"]);
        assert_eq!(unread[1].1, Place { file: 0, line: 2, column: 15 });
        node.pass_over();
        assert!(node.unread().is_empty());
    }

    #[test]
    fn json_and_several_documents_are_read() {
        let node = one(r#"{"name": "a", "critical": true, "missing": null}"#);
        assert_eq!(node.get("name").and_then(Node::text), Some("a"));
        assert_eq!(node.get("critical").and_then(Node::truth), Some(true));
        assert!(node.get("missing").is_none() && node.get("other").is_none());
        assert_eq!(read("---\na: 1\n---\n---\nb: 2\n", 0).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_well_formed_is_told_with_its_place() {
        for (text, expected) in [
            ("a: [1\n", "1:4: not well-formed"),
            ("a: 1\na: 2\n", "2:1: the key `a` stands twice"),
            ("{[1]: 2}\n", "1:2: a key is not a word"),
            ("a: &x 1\nb: *x\n", "2:4: an alias stands here"),
        ] {
            let error = read(text, 0).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep, 0).is_err());
    }
}
