//! YAML or JSON text into a tree that keeps every position and whether a scalar was quoted.
//!
//! Hardened as measured in the wild: no anchors, aliases, tags, directives, duplicate keys or
//! second documents, and budgets on size, depth and the number of values, so that no input of
//! any length takes more than a moment.

use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::decode::Report;
use super::diagnostic::{DiagnosticCode, Position, shown};

/// The largest file that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) position: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Something that was reported already.
    Refused,
}

/// A scalar as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes, so that YAML readers may disagree about its type.
    pub(crate) plain: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) plain: bool,
    pub(crate) position: Position,
}

/// Parses one file. What is wrong is reported; `None` where nothing can be made of the file.
pub(crate) fn parse(file: &Arc<str>, bytes: &[u8], report: &mut Report) -> Option<Node> {
    let start = Position { file: Arc::clone(file), line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        refuse(report, DiagnosticCode::TooLarge, &start, message, "split the bundle into several files");
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Builder { file, report, nodes: 0 }.document(text),
        Err(cause) => {
            let before = String::from_utf8_lossy(bytes.get(..cause.valid_up_to()).unwrap_or_default());
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            let position = Position { line: to_u32(line), column: to_u32(column), ..start };
            refuse(report, DiagnosticCode::NotUtf8, &position, "the file is not UTF-8".to_owned(), "save it as UTF-8");
            None
        }
    }
}

struct Builder<'a> {
    file: &'a Arc<str>,
    report: &'a mut Report,
    nodes: usize,
}

/// A collection that is still open.
enum Open {
    List(Vec<Node>, Position),
    Map(Vec<(Key, Node)>, Pending, Position),
}

/// The key whose value comes next.
enum Pending {
    Nothing,
    Key(Key),
    /// A key that was refused; its value is read and forgotten.
    Refused,
}

impl Builder<'_> {
    fn document(mut self, text: &str) -> Option<Node> {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut open: Vec<Open> = Vec::new();
        let mut root = None;
        let mut documents = 0;
        for item in Parser::new_from_str_with_options(text, options) {
            let (event, span) = match item {
                Ok(item) => item,
                Err(cause) => {
                    self.scan_error(&cause);
                    return None;
                }
            };
            let position = self.position(span.start);
            let finished = match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        let message = "a second document begins here".to_owned();
                        refuse(
                            self.report,
                            DiagnosticCode::DocumentCount,
                            &position,
                            message,
                            "put it into a file of its own",
                        );
                        return None;
                    }
                    None
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    let message = "an alias stands here".to_owned();
                    refuse(self.report, DiagnosticCode::Alias, &position, message, "write the value out");
                    Some(Node { value: Value::Refused, position })
                }
                Event::Scalar(value, style, anchor, tag) => {
                    self.admit(anchor, tag.is_some(), &position, open.len())?;
                    let scalar = Scalar { text: value.into_owned(), plain: style == ScalarStyle::Plain };
                    Some(Node { value: Value::Scalar(scalar), position })
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.admit(anchor, tag.is_some(), &position, open.len())?;
                    open.push(Open::List(Vec::new(), position));
                    None
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.admit(anchor, tag.is_some(), &position, open.len())?;
                    open.push(Open::Map(Vec::new(), Pending::Nothing, position));
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => open.pop().map(|collection| match collection {
                    Open::List(items, position) => Node { value: Value::List(items), position },
                    Open::Map(entries, _, position) => Node { value: Value::Map(entries), position },
                }),
                _ => None,
            };
            if let Some(node) = finished {
                match open.last_mut() {
                    None => root = Some(node),
                    Some(Open::List(items, _)) => items.push(node),
                    Some(Open::Map(entries, pending, _)) => match std::mem::replace(pending, Pending::Nothing) {
                        Pending::Key(key) => entries.push((key, node)),
                        Pending::Refused => {}
                        Pending::Nothing => *pending = key_of(node, entries, self.report),
                    },
                }
            }
        }
        if root.is_none() {
            let position = Position { file: Arc::clone(self.file), line: 1, column: 1 };
            let message = "the file holds no document".to_owned();
            refuse(
                self.report,
                DiagnosticCode::DocumentCount,
                &position,
                message,
                "`davy init` writes one to start from",
            );
        }
        root
    }

    /// Whether a value may stand here; `None` where reading has to end.
    fn admit(&mut self, anchor: usize, tagged: bool, position: &Position, depth: usize) -> Option<()> {
        self.nodes += 1;
        let mut refuse = |code, message: &str, hint| refuse(self.report, code, position, message.to_owned(), hint);
        if anchor != 0 {
            refuse(DiagnosticCode::Alias, "an anchor stands here", "write the value out where it is used");
        }
        if tagged {
            refuse(DiagnosticCode::Tag, "a tag stands here", "remove it: every key has one type");
        }
        if self.nodes > MAX_NODES {
            let message = "the file holds more than 20000 values";
            refuse(DiagnosticCode::Budget, message, "split the bundle into several files");
            return None;
        }
        if depth > MAX_DEPTH {
            let message = "the file nests more than 32 levels deep";
            refuse(DiagnosticCode::Budget, message, "no document of davy needs that");
            return None;
        }
        Some(())
    }

    fn scan_error(&mut self, cause: &ScanError) {
        let code = match cause.kind() {
            granit_parser::ErrorKind::RecursionLimitExceeded => DiagnosticCode::Budget,
            _ => DiagnosticCode::Syntax,
        };
        let message = format!("not well-formed: {}", shown(&cause.info()));
        let position = self.position(*cause.marker());
        refuse(self.report, code, &position, message, "check the indentation and the quotes");
    }

    fn position(&self, marker: granit_parser::Marker) -> Position {
        Position { file: Arc::clone(self.file), line: to_u32(marker.line()), column: to_u32(marker.col() + 1) }
    }
}

fn key_of(node: Node, entries: &[(Key, Node)], report: &mut Report) -> Pending {
    let scalar = match node.value {
        Value::Scalar(scalar) => scalar,
        Value::Refused => return Pending::Refused,
        Value::List(_) | Value::Map(_) => {
            let message = "a mapping or list stands where a key belongs".to_owned();
            refuse(report, DiagnosticCode::WrongShape, &node.position, message, "keys are plain words");
            return Pending::Refused;
        }
    };
    if let Some((first, _)) = entries.iter().find(|(key, _)| key.text == scalar.text) {
        let message = format!("the key `{}` stands twice, first in line {}", shown(&scalar.text), first.position.line);
        refuse(report, DiagnosticCode::DuplicateKey, &node.position, message, "keep one of them");
        return Pending::Refused;
    }
    Pending::Key(Key { text: scalar.text, plain: scalar.plain, position: node.position })
}

fn refuse(report: &mut Report, code: DiagnosticCode, position: &Position, message: String, hint: &str) {
    report.error(code, position, message, hint.to_owned());
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Diagnostic;

    fn first(bytes: &[u8]) -> Diagnostic {
        let mut report = Report::default();
        parse(&"t.yaml".into(), bytes, &mut report);
        report.diagnostics.swap_remove(0)
    }

    fn code_of(text: &str) -> &'static str {
        first(text.as_bytes()).code.as_str()
    }

    #[test]
    fn positions_are_those_of_the_text() {
        let text = b"a: 1\nb:\n  - x\n  - 'y'\n";
        let node = parse(&"t.yaml".into(), text, &mut Report::default()).unwrap();
        let Value::Map(entries) = node.value else { panic!("a mapping") };
        let Value::List(items) = &entries[1].1.value else { panic!("a list") };
        assert_eq!(items[1].position.to_string(), "t.yaml:4:5");
        assert_eq!(entries[1].0.position.to_string(), "t.yaml:2:1");
    }

    #[test]
    fn what_yaml_offers_beyond_plain_data_is_refused() {
        assert_eq!(code_of("a: &x 1\n"), "D005");
        assert_eq!(code_of("a: *x\n"), "D005");
        assert_eq!(code_of("a: !!str 1\n"), "D006");
        assert_eq!(code_of("a: 1\na: 2\n"), "D007");
        assert_eq!(code_of("a: 1\n---\nb: 2\n"), "D008");
        assert_eq!(code_of(""), "D008");
        assert_eq!(code_of("a: [1\n"), "D003");
        assert_eq!(code_of("{[a]: 1}\n"), "D010");
        assert_eq!(code_of("%YAML 1.2\n---\na: 1\n"), "D003");
    }

    #[test]
    fn bombs_end_within_their_budget() {
        assert_eq!(code_of(&"[".repeat(10_000)), "D004");
        assert_eq!(code_of(&format!("a: [{}]", "1,".repeat(30_000))), "D004");
        assert_eq!(code_of(&"a".repeat(MAX_BYTES + 1)), "D002");
        let bytes = first(b"a: 1\nb: \xff\n");
        assert_eq!((bytes.code.as_str(), bytes.position.to_string().as_str()), ("D001", "t.yaml:2:4"));
    }
}
