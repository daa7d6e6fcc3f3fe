//! Names that templates may refer to, and the slots behind them.

use std::collections::BTreeMap;

use crate::document::Position;
use crate::document::decode::{Report, Spanned};
use crate::document::diagnostic::{DiagnosticCode as Code, did_you_mean, shown};
use crate::document::probe::{Template, Tree, TreeValue};
use crate::probe::plan::SlotPlan;
use crate::probe::template::{Body, Part, Piece, Text, parts};

/// All slots of a plan, and what is known of them before any run.
#[derive(Debug, Default)]
pub(super) struct SlotTable {
    pub(super) slots: Vec<SlotPlan>,
    /// Whether a template refers to it.
    pub(super) used: Vec<bool>,
    /// The value, where it is the same in every run.
    pub(super) constants: Vec<Option<Text>>,
}

/// The names of one flow or action.
#[derive(Debug, Default, Clone)]
pub(super) struct Scope {
    pub(super) names: BTreeMap<String, usize>,
    /// Where each name that the author chose stands.
    pub(super) chosen: BTreeMap<String, Position>,
}

impl SlotTable {
    pub(super) fn add(&mut self, name: impl Into<String>, secret: bool) -> usize {
        self.slots.push(SlotPlan { name: name.into(), secret });
        self.used.push(false);
        self.constants.push(None);
        self.slots.len() - 1
    }

    pub(super) fn know(&mut self, slot: usize, value: &Text) {
        if let Some(constant) = self.constants.get_mut(slot) {
            *constant = Some(value.clone());
        }
    }

    /// Whether the value may tell a secret.
    pub(super) fn is_secret(&self, text: &Text) -> bool {
        text.slots().any(|slot| self.slots.get(slot).is_some_and(|slot| slot.secret))
    }

    /// A template with everything that is known put in; `vars` are those of one target.
    pub(super) fn known(&self, text: &Text, vars: &BTreeMap<usize, String>, depth: u8) -> Text {
        let mut known: Vec<Piece> = Vec::new();
        for piece in &text.0 {
            let pieces = match piece {
                Piece::Slot(slot) if depth > 0 => match (vars.get(slot), self.constants.get(*slot)) {
                    (Some(value), _) => vec![Piece::Plain(value.clone())],
                    (None, Some(Some(value))) => self.known(value, vars, depth - 1).0,
                    _ => vec![piece.clone()],
                },
                other => vec![other.clone()],
            };
            for piece in pieces {
                match (known.last_mut(), piece) {
                    (Some(Piece::Plain(text)), Piece::Plain(more)) => text.push_str(&more),
                    (_, piece) => known.push(piece),
                }
            }
        }
        Text(known)
    }
}

impl Scope {
    /// Gives a name that the author chose to a slot; twice is an error.
    pub(super) fn choose(&mut self, name: &str, slot: usize, position: &Position, report: &mut Report) {
        if let Some(first) = self.chosen.get(name).filter(|first| *first != position) {
            let message = format!("`{}` is used twice, first in line {}", shown(name), first.line);
            report.error(Code::ProbeDuplicateId, position, message, "choose another name".to_owned());
        }
        self.chosen.insert(name.to_owned(), position.clone());
        self.names.insert(name.to_owned(), slot);
    }

    /// Compiles a template; what it refers to must be known here.
    pub(super) fn text(&self, template: &Spanned<Template>, table: &mut SlotTable, report: &mut Report) -> Text {
        self.text_at(&template.value.0, &template.position, table, report)
    }

    fn text_at(&self, text: &str, position: &Position, table: &mut SlotTable, report: &mut Report) -> Text {
        let compiled = parts(text).into_iter().filter_map(|part| match part {
            Part::Plain(text) => Some(Piece::Plain(text)),
            Part::Name(name) => match self.names.get(name) {
                Some(slot) => {
                    if let Some(used) = table.used.get_mut(*slot) {
                        *used = true;
                    }
                    Some(Piece::Slot(*slot))
                }
                None => {
                    let message = format!("`${{{}}}` is not known here", shown(name));
                    let near = did_you_mean(name, self.names.keys().map(String::as_str));
                    let hint = near.unwrap_or_else(|| "a name must be set by an earlier step".to_owned());
                    report.error(Code::ProbeReference, position, message, hint);
                    None
                }
            },
            Part::Unclosed => {
                let hint = "write `$${` for a plain `${`".to_owned();
                report.error(Code::ProbeReference, position, "a `${` without its `}`", hint);
                None
            }
        });
        Text(compiled.collect())
    }

    /// Compiles a JSON value.
    pub(super) fn body(&self, tree: &Tree, table: &mut SlotTable, report: &mut Report) -> Body {
        match &tree.value {
            TreeValue::Plain(value) => Body::Plain(value.clone()),
            TreeValue::Text(text) => Body::Text(self.text_at(&text.0, &tree.position, table, report)),
            TreeValue::List(items) => Body::List(items.iter().map(|item| self.body(item, table, report)).collect()),
            TreeValue::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), self.body(value, table, report)));
                Body::Object(entries.collect())
            }
        }
    }
}
