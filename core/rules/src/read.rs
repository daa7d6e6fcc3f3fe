//! What a rule reads: places of the input, followed through the rule when it is loaded, and looked for in each
//! document before the rule is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use davy::document::{DiagnosticCode as Code, did_you_mean};
use davy::rule::{Names, Shape};
use davy::{Fact, Operand, Text};

use crate::limits::LOOKS;
use crate::text::{Report, one_line, shown};
use crate::value::Is;

/// A place of the input document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) steps: Vec<Step>,
    /// What may stand there.
    pub(crate) shape: Shape,
    /// What the rule has instead, where a step that it asks about leads nowhere; nothing at all for [`Instead::Nothing`],
    /// so that the many places without one stay small.
    instead: Option<Box<Instead>>,
}

/// What a rule puts in the place of what is not there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Instead {
    /// Nothing.
    Nothing,
    /// A list, set or map without elements.
    Empty,
    /// This.
    Value(Box<Is>),
    /// Something that lacks what is read of it, so that the rule would read nothing there without a word.
    Lacking,
}

impl Instead {
    fn boxed(self) -> Option<Box<Self>> {
        (self != Self::Nothing).then(|| Box::new(self))
    }

    /// One step down what stands there instead.
    fn step(&self, to: &To) -> Self {
        match (self, to) {
            // What has no elements has none that could lack something.
            (Self::Nothing, _) | (Self::Empty, To::Each) => Self::Nothing,
            (Self::Value(is), To::Entry { keys, .. }) => match &**is {
                Is::Text(key) if keys.contains(key) => Self::Nothing,
                _ => Self::Lacking,
            },
            (Self::Value(is), To::Key(key)) => match &**is {
                Is::Object(fields) => fields.get(key).map_or(Self::Lacking, |is| Self::Value(Box::new(is.clone()))),
                _ => Self::Lacking,
            },
            (Self::Value(is), To::Each) => match &**is {
                Is::Of(_) | Is::Object(_) => Self::Value(Box::new(is.element())),
                _ => Self::Lacking,
            },
            (Self::Empty | Self::Value(_) | Self::Lacking, _) => Self::Lacking,
        }
    }
}

/// One step down the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) to: To,
    /// Whether the rule says what it means that nothing is there.
    pub(crate) asked: bool,
}

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    Key(String),
    Index(usize),
    /// Every element.
    Each,
    /// The key that stands at another place.
    KeyAt(Vec<Step>),
    /// From a key to what a table has under it that the rule writes out.
    Entry {
        table: String,
        keys: Arc<BTreeSet<String>>,
    },
}

impl Place {
    /// The whole document.
    pub(crate) fn root(shape: Shape) -> Self {
        Self { steps: Vec::new(), shape, instead: None }
    }

    /// One step further; nothing where nothing can stand there.
    pub(crate) fn step(&self, to: To) -> Option<Self> {
        let shape = match &to {
            To::Key(key) => self.shape.field(key)?,
            To::Index(_) | To::Each | To::KeyAt(_) => self.shape.element()?,
            To::Entry { .. } => Shape::Anything,
        };
        let instead = self.instead().step(&to).boxed();
        let mut steps = self.steps.clone();
        steps.push(Step { to, asked: false });
        Some(Self { steps, shape, instead })
    }

    /// The same place, where the rule asked whether its last step leads anywhere.
    pub(crate) fn asked(mut self) -> Self {
        if let Some(last) = self.steps.last_mut() {
            last.asked = true;
        }
        self.instead = None;
        self
    }

    /// The same place, where the rule has something instead if nothing is there.
    pub(crate) fn or(self, instead: Instead) -> Self {
        Self { instead: instead.boxed(), ..self }
    }

    /// What the rule has instead.
    pub(crate) fn instead(&self) -> &Instead {
        self.instead.as_deref().unwrap_or(&Instead::Nothing)
    }

    /// The steps that lead there; what the rule has instead counts only where it has what is read.
    pub(crate) fn read(&self) -> Vec<Step> {
        let is_lacking = *self.instead() == Instead::Lacking;
        self.steps.iter().map(|step| Step { to: step.to.clone(), asked: step.asked && !is_lacking }).collect()
    }

    /// Whether the same document always has the same one value there, whatever is iterated.
    pub(crate) fn is_single(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.to, To::Key(_) | To::Index(_)))
    }

    /// One step down by key, with a report of what is wrong with it.
    pub(crate) fn key(&self, key: &str, at: (u32, u32), report: &mut Report<'_>) -> Option<Self> {
        if let Shape::Named(names, _) = self.shape {
            warn_of_name(names, key, at, report);
        }
        let further = self.step(To::Key(key.to_owned()));
        if further.is_none() {
            let parent = path(&self.steps);
            let parent = if parent.is_empty() { "the input".to_owned() } else { format!("`{parent}`") };
            let known: Vec<&str> = self.shape.keys().into_iter().flatten().collect();
            let hint = did_you_mean(key, known.iter().copied())
                .or_else(|| (!known.is_empty()).then(|| format!("there are: {}", known.join(", "))));
            report.error(Code::RulePath, at, format!("{parent} never has `{}`", shown(key)), hint);
        }
        further
    }
}

fn warn_of_name(names: Names, key: &str, at: (u32, u32), report: &mut Report<'_>) {
    let Some(known) = report.source.names.and_then(|known| known.get(names)) else { return };
    if known.iter().any(|name| name == key) {
        return;
    }
    let what = match names {
        Names::Facts | Names::Windows | Names::Headers => return,
        Names::Annotations => "annotation",
        Names::Metrics => "metric",
        Names::Slos => "SLO",
        Names::Flows => "flow",
    };
    let hint = did_you_mean(key, known.iter().map(String::as_str))
        .unwrap_or_else(|| "where it is not, the rule holds".to_owned());
    report.warn(Code::LintRuleName, at, format!("the policy has no {what} `{}`", shown(key)), hint);
}

/// A path as people write it, such as `facts.images[*].digest`.
pub(crate) fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match &step.to {
            To::Key(key) if is_plain(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            To::Key(key) => path.push_str(&format!("[\"{}\"]", shown(key))),
            To::Index(index) => path.push_str(&format!("[{index}]")),
            To::Each => path.push_str("[*]"),
            To::KeyAt(other) => path.push_str(&format!("[{}]", self::path(other))),
            To::Entry { table, .. } => path = format!("{table}[{path}]"),
        }
    }
    path
}

fn is_plain(key: &str) -> bool {
    let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Reads what a comment declares, such as `facts.approvals[*].by?`; the `?` says that a missing value is thought of.
pub(crate) fn parse(text: &str, root: Shape, at: (u32, u32), report: &mut Report<'_>) -> Option<Place> {
    let (text, asked) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
    let text = text.strip_prefix("input.").unwrap_or(text);
    let mut place = Place::root(root);
    for part in text.split('.') {
        let (key, brackets) = part.find('[').map_or((part, ""), |from| part.split_at(from));
        let is_clean = brackets.replace("[*]", "").is_empty() && !key.is_empty();
        if !is_clean {
            let hint = "write it as `facts.approvals[*].by`".to_owned();
            report.error(Code::RuleSyntax, at, format!("`{}` is no path", shown(text)), hint);
            return None;
        }
        place = place.key(key, at, report)?;
        for _ in 0..brackets.matches("[*]").count() {
            let Some(each) = place.step(To::Each) else {
                let message = format!("`{}` is neither a list nor a map of names", path(&place.steps));
                report.error(Code::RulePath, at, message, None);
                return None;
            };
            place = each;
        }
    }
    Some(if asked { place.asked() } else { place })
}

/// All places that are read, merged by their beginnings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    below: BTreeMap<To, Reads>,
    /// Whether it matters that nothing is there.
    needed: bool,
    /// Where it is read first.
    at: Option<(u32, u32)>,
}

/// What is missing of a document.
pub(crate) enum Missing {
    /// All that is read is there.
    Nothing,
    /// What is not there, and where the first of it is read.
    Paths { paths: Vec<Text>, at: (u32, u32) },
    /// It is read in so many ways that the search gave up before it had seen all: something may be missing.
    Untold,
}

impl Reads {
    pub(crate) fn add(&mut self, steps: &[Step], at: (u32, u32)) {
        let mut node = self;
        for step in steps {
            node = node.below.entry(step.to.clone()).or_default();
            node.needed |= !step.asked;
            node.at = Some(node.at.map_or(at, |known| known.min(at)));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    /// What the rule reads and `document` does not have.
    pub(crate) fn missing(&self, document: &Fact) -> Missing {
        let mut search = Search { document, trail: Vec::with_capacity(8), found: Vec::new(), visited: 0 };
        search.look(self, document);
        let Some(at) = search.found.iter().map(|(_, at)| *at).min() else {
            return if search.gave_up() { Missing::Untold } else { Missing::Nothing };
        };
        let mut paths: Vec<Text> = search.found.iter().filter_map(|(path, _)| one_line(path)).collect();
        paths.sort();
        paths.dedup();
        paths.truncate(MOST_SHOWN);
        Missing::Paths { paths, at }
    }
}

/// The most missing paths that are named.
const MOST_SHOWN: usize = 16;

struct Search<'a> {
    document: &'a Fact,
    /// Where it is; only what is missing is spelled out.
    trail: Vec<Hop<'a>>,
    found: Vec<(String, (u32, u32))>,
    visited: u64,
}

/// One step of a search.
#[derive(Clone, Copy)]
enum Hop<'a> {
    To(&'a To),
    Key(&'a str),
    Index(usize),
}

impl Hop<'_> {
    fn step(self) -> Step {
        let to = match self {
            Self::To(to) => to.clone(),
            Self::Key(key) => To::Key(key.to_owned()),
            Self::Index(index) => To::Index(index),
        };
        Step { to, asked: false }
    }
}

impl<'a> Search<'a> {
    fn gave_up(&self) -> bool {
        self.visited > LOOKS
    }

    fn look(&mut self, reads: &'a Reads, fact: &'a Fact) {
        for (to, below) in &reads.below {
            let hop = Hop::To(to);
            match (to, fact) {
                (To::Key(key), fact) => self.one(hop, below, fact.get(key)),
                (To::Index(index), Fact::List(items)) => self.one(hop, below, items.get(*index)),
                (To::KeyAt(steps), fact) => match (value_at(self.document, steps), fact) {
                    // Where the key itself is missing, that is what is reported.
                    (None, _) => {}
                    (Some(Fact::Text(key)), fact) => self.one(Hop::Key(key), below, fact.get(key)),
                    (Some(Fact::Integer(index)), Fact::List(items)) => match usize::try_from(*index) {
                        Ok(index) => self.one(Hop::Index(index), below, items.get(index)),
                        Err(_) => self.one(hop, below, None),
                    },
                    // Nothing else is a key.
                    (Some(_), _) => self.one(hop, below, None),
                },
                (To::Entry { keys, .. }, fact) => {
                    let is_there = matches!(fact, Fact::Text(key) if keys.contains(&**key));
                    self.one(hop, below, is_there.then_some(fact));
                }
                // Each element of what has elements is there.
                (To::Each, Fact::List(_) | Fact::Map(_)) if below.below.is_empty() => {}
                (To::Each, Fact::List(items)) => {
                    items.iter().enumerate().for_each(|(index, item)| self.one(Hop::Index(index), below, Some(item)));
                }
                (To::Each, Fact::Map(map)) => {
                    map.iter().for_each(|(key, item)| self.one(Hop::Key(key), below, Some(item)));
                }
                // Neither list nor map: nothing to go through, which the reader cannot have meant.
                (To::Each | To::Index(_), _) => self.one(hop, below, None),
            }
        }
    }

    fn one(&mut self, hop: Hop<'a>, below: &'a Reads, fact: Option<&'a Fact>) {
        self.visited = self.visited.saturating_add(1);
        if self.gave_up() || self.found.len() > MOST_SHOWN {
            return;
        }
        self.trail.push(hop);
        match fact {
            Some(fact) if !below.below.is_empty() => self.look(below, fact),
            Some(_) => {}
            None if below.needed => self.absent(below),
            None => {}
        }
        self.trail.pop();
    }

    /// Names what is read below a place that is not there, as far as it goes in one line.
    fn absent(&mut self, reads: &'a Reads) {
        // What is not there is the key, and not what a table has under it.
        let goes_on = reads.below.iter().filter(|(to, below)| below.needed && !matches!(to, To::Entry { .. }));
        let needed: Vec<_> = goes_on.collect();
        if needed.is_empty() || self.found.len() > MOST_SHOWN {
            let steps: Vec<Step> = self.trail.iter().map(|hop| hop.step()).collect();
            self.found.push((path(&steps), reads.at.unwrap_or((1, 1))));
            return;
        }
        for (to, below) in needed {
            self.trail.push(Hop::To(to));
            self.absent(below);
            self.trail.pop();
        }
    }
}

/// What stands at a place that is a single one.
pub(crate) fn value_at<'a>(document: &'a Fact, steps: &[Step]) -> Option<&'a Fact> {
    steps.iter().try_fold(document, |fact, step| match (&step.to, fact) {
        (To::Key(key), fact) => fact.get(key),
        (To::Index(index), Fact::List(items)) => items.get(*index),
        (To::KeyAt(other), fact) => match value_at(document, other) {
            Some(Fact::Text(key)) => fact.get(key),
            _ => None,
        },
        _ => None,
    })
}

/// What stood at places that a condition read; places without one value are left out.
pub(crate) fn operands(document: &Fact, places: &[Vec<Step>]) -> Vec<Operand> {
    let shown = |fact: &Fact| one_line(&brief(fact));
    let one = |steps: &Vec<Step>| {
        let value = value_at(document, steps)?;
        Some(Operand { path: one_line(&path(steps))?, value: shown(value)? })
    };
    places.iter().filter_map(one).take(8).collect()
}

/// A value as JSON, shortened.
fn brief(fact: &Fact) -> String {
    const MOST: usize = 120;
    match fact {
        Fact::Null => "null".to_owned(),
        Fact::Bool(value) => value.to_string(),
        Fact::Integer(integer) => integer.to_string(),
        Fact::Number(number) => number.to_string(),
        Fact::Text(text) => {
            let cut: String = text.chars().take(MOST).collect();
            let more = if text.chars().nth(MOST).is_some() { "…" } else { "" };
            format!("\"{}{more}\"", cut.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Fact::List(items) => format!("a list of {}", items.len()),
        Fact::Map(map) => format!("a map of {}", map.len()),
    }
}
