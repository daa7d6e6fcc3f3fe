//! Rules in languages of their own: what a language and a rule *are* to the engine, which knows none of them.
//!
//! A language compiles the text of a rule once. A compiled rule judges the input document, made once per
//! decision from the snapshot and the gates' findings, and says things; what they mean for the release is
//! decided here, so that it is the same in every language.

mod fact;
mod gate;
mod input;
mod plan;
mod ready;
mod shape;

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

pub use fact::{Fact, FactError, Facts};
pub(crate) use gate::{differences, judge};
pub(crate) use input::document;
pub(crate) use plan::{RuleFiles, RulePlan, RuleText, compile_rules, warn_of_unused};
pub(crate) use ready::{ReadyRule, Rules};
pub use shape::{Field, INPUT, Names, Shape, rule_input_schema};
pub(crate) use shape::{always, if_known};

use crate::decision::{Condition, Limit};
use crate::document::{Diagnostic, Position, RuleOutcome};
use crate::{Name, Text};

/// A language that rules are written in.
///
/// `davy-rules` brings Rego and CEL; a host may bring its own judge of either. Bundles take files that end with `.rego` and
/// `.cel`, and expressions under `cel` in the document itself; the text of each goes to the language of that name.
///
/// # What a language owes
///
/// * It reads a text once, in [`compile`](Self::compile), and says what is wrong with it where it stands:
///   [`RuleSource::position`] turns lines and columns of the text into places of its file, also where it stands in a document.
///   The codes of rules are `U001` to `U007`, those of doubts `L030` to `L035`.
/// * Its rules read [`RuleInput::document`], whose shape is [`INPUT`]; [`Shape`] tells what of it can be there at all, and
///   [`RuleSource::names`] which metrics, SLOs and flows the policy knows.
/// * What is missing is not false. A rule that reads what is not there, and does not say what that means, says
///   [`Said::Missing`]; one that cannot be evaluated [`Said::Failed`], one that would cost too much [`Said::Exhausted`]. All of
///   them hold the release. A rule that says nothing lets it go on.
/// * The same document always gives the same answer, on every machine: no clock, chance, network, files or environment, and limits
///   that are counted, never timed.
/// * What it makes of the document, it makes once for all of its rules: [`RuleInput::converted`].
/// * [`RuleSource::outcome`] and [`RuleSource::message`] come before what the text says of itself.
///
/// # Example: a rule is the name of a fact that must be true
///
/// ```
/// use std::sync::Arc;
///
/// use davy::document::{DiagnosticCode, Position, RuleOutcome};
/// use davy::rule::{RuleSource, Said};
/// use davy::{
///     Bundle, Diagnostic, Engine, Fact, Rule, RuleInput, RuleLanguage, Severity, Snapshot, State, Text, Verdict,
/// };
///
/// #[derive(Debug)]
/// struct MustBeTrue;
///
/// impl RuleLanguage for MustBeTrue {
///     fn name(&self) -> &'static str {
///         "cel"
///     }
///
///     fn compile(&self, source: &RuleSource<'_>, report: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
///         let (fact, position) = (source.text.trim(), source.position(1, 1));
///         let (path, why) = (format!("facts.{fact}").parse::<Text>(), format!("{fact} must be true").parse::<Text>());
///         let (Ok(path), Ok(why)) = (path, why) else {
///             report.push(Diagnostic {
///                 severity: Severity::Error,
///                 code: DiagnosticCode::RuleSyntax,
///                 position,
///                 message: "a rule is the name of a fact".to_owned(),
///                 hint: None,
///             });
///             return None;
///         };
///         let message = source.message.cloned().unwrap_or(why);
///         let outcome = source.outcome.unwrap_or(RuleOutcome::Deny);
///         Some(Arc::new(Named { fact: fact.to_owned(), path, outcome, message, position }))
///     }
/// }
///
/// #[derive(Debug)]
/// struct Named {
///     fact: String,
///     path: Text,
///     outcome: RuleOutcome,
///     message: Text,
///     position: Position,
/// }
///
/// impl Rule for Named {
///     fn judge(&self, input: &RuleInput) -> Vec<Said> {
///         let fact = input.document().get("facts").and_then(|facts| facts.get(&self.fact));
///         let position = self.position.clone();
///         let said = match fact {
///             Some(Fact::Bool(true)) => None,
///             Some(_) => Some(Said::Fired {
///                 outcome: self.outcome,
///                 message: self.message.clone(),
///                 code: None,
///                 conditions: Vec::new(),
///                 position,
///             }),
///             None => Some(Said::Missing { paths: vec![self.path.clone()], position }),
///         };
///         said.into_iter().collect()
///     }
/// }
///
/// let rollout = "
/// apiVersion: davy/v1
/// kind: Rollout
/// metadata: { name: checkout }
/// spec:
///   rules: [{ name: reviewed, cel: reviewed }]
/// ";
/// let bundle = Bundle::from_files([("rollouts.yaml", rollout)])?;
/// let language: Arc<dyn RuleLanguage> = Arc::new(MustBeTrue);
/// let engine = Engine::builder(&bundle).rules([language]).build()?;
/// for (facts, verdict) in [
///     (r#"{ "reviewed": true }"#, Verdict::Proceed),
///     (r#"{ "reviewed": false }"#, Verdict::Abort),
///     ("{}", Verdict::Hold),
/// ] {
///     let json = format!(
///         r#"{{ "now": "2026-11-23T10:00:00Z", "asked": "start", "stage": "canary", "weight": "0%",
///               "since": "2026-11-23T10:00:00Z", "facts": {facts},
///               "release": {{ "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
///                             "startedAt": "2026-11-23T10:00:00Z" }} }}"#
///     );
///     let (state, snapshot) = (State::new(), Snapshot::from_json(json.as_bytes())?);
///     assert_eq!(engine.decide(&state, &snapshot).decision.verdict, verdict, "{facts}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RuleLanguage: fmt::Debug + Send + Sync {
    /// Its name, which is also how its files end, without the dot: `rego`, `cel`.
    fn name(&self) -> &'static str;

    /// Compiles the text of one rule. What is wrong or doubtful with it is put into `report`; a rule with errors
    /// is refused whether or not it is returned.
    ///
    /// Whatever the text, this must end soon, and neither panic nor exhaust a stack of 2 MiB.
    fn compile(&self, source: &RuleSource<'_>, report: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>>;
}

/// A compiled rule.
pub trait Rule: fmt::Debug + Send + Sync {
    /// What it says of a release. The same input always gives the same answer, whatever was asked before.
    ///
    /// Whatever the input, this must end soon, and neither panic nor exhaust a stack of 2 MiB.
    fn judge(&self, input: &RuleInput) -> Vec<Said>;

    /// What of its text tests can reach, always in the same order; nothing where its language cannot tell.
    fn branches(&self) -> Vec<RuleBranch> {
        Vec::new()
    }

    /// Which of its branches judging this input reaches, by their number. Only tests of policies ask.
    fn reached(&self, _input: &RuleInput) -> Vec<usize> {
        Vec::new()
    }
}

/// A part of a rule's text that tests can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBranch {
    /// Where it stands.
    pub position: Position,
    /// What has to happen, such as: `facts.replicas >= 3` is false.
    pub what: Text,
}

/// One thing that a rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It fired.
    Fired {
        /// What that asks for.
        outcome: RuleOutcome,
        /// Why, in its author's words.
        message: Text,
        /// The author's own code for it.
        code: Option<Name>,
        /// What was true, with the values that made it so, where the language can tell.
        conditions: Vec<Condition>,
        /// Where it stands.
        position: Position,
    },
    /// Something that it reads is not there, and it does not say what that means: it cannot be judged.
    Missing {
        /// The paths, sorted.
        paths: Vec<Text>,
        /// Where the first of them is read.
        position: Position,
    },
    /// It could not be evaluated.
    Failed {
        /// Why.
        problem: Text,
        /// Where.
        position: Position,
    },
    /// It would have cost more than a rule may.
    Exhausted {
        /// What it used up.
        limit: Limit,
        /// Where it stands.
        position: Position,
    },
}

/// The text of a rule, and what is known about it.
#[derive(Debug, Clone)]
pub struct RuleSource<'a> {
    /// The rule's name.
    pub name: &'a Name,
    /// Its text.
    pub text: &'a str,
    /// What the document says that its firing asks for; nothing where the text says it.
    pub outcome: Option<RuleOutcome>,
    /// What the document says is the reason; nothing where the text says it.
    pub message: Option<&'a Text>,
    /// Names that the policy knows; nothing where there is no policy to know them.
    pub names: Option<&'a KnownNames>,
    origin: Origin,
}

/// The names that a policy knows, of all environments together.
#[derive(Debug, Clone, Default)]
pub struct KnownNames(pub(crate) BTreeMap<Names, Vec<String>>);

impl KnownNames {
    /// The names of this kind, sorted; nothing where any name may come up.
    #[must_use]
    pub fn get(&self, names: Names) -> Option<&[String]> {
        self.0.get(&names).map(Vec::as_slice)
    }
}

/// Where the lines of a text stand in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    /// Line and column of each line's beginning.
    pub(crate) lines: Vec<(u32, u32)>,
}

impl Origin {
    pub(crate) fn of_file(file: &str, text: &str) -> Self {
        Self { file: file.into(), lines: (1..).take(text.lines().count().max(1)).map(|line| (line, 1)).collect() }
    }
}

impl<'a> RuleSource<'a> {
    /// A rule that is a file of its own.
    #[must_use]
    pub fn new(name: &'a Name, file: &str, text: &'a str) -> Self {
        Self { name, text, outcome: None, message: None, names: None, origin: Origin::of_file(file, text) }
    }

    /// The place in its file of a line and column of the text, both from 1, columns in characters.
    #[must_use]
    pub fn position(&self, line: u32, column: u32) -> Position {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.origin.lines.get(index).or(self.origin.lines.last()).copied().unwrap_or((1, 1));
        Position { file: self.origin.file.clone(), line: start.0, column: start.1 + column.saturating_sub(1) }
    }
}

/// The document that rules judge, and what their languages made of it.
#[derive(Debug)]
pub struct RuleInput {
    document: Fact,
    converted: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
}

impl RuleInput {
    /// Takes a document; [`INPUT`] is its shape.
    #[must_use]
    pub fn new(document: Fact) -> Self {
        Self { document, converted: RefCell::new(Vec::new()) }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Fact {
        &self.document
    }

    /// What a language makes of the document: made the first time, and shared by all of its rules.
    #[must_use]
    pub fn converted<T: 'static>(&self, convert: impl FnOnce(&Fact) -> T) -> Rc<T> {
        let of = TypeId::of::<T>();
        let known = self.converted.borrow().iter().find(|(known, _)| *known == of).map(|(_, it)| Rc::clone(it));
        if let Some(known) = known.and_then(|known| known.downcast::<T>().ok()) {
            return known;
        }
        let made = Rc::new(convert(&self.document));
        self.converted.borrow_mut().push((of, Rc::clone(&made) as Rc<dyn Any>));
        made
    }
}
