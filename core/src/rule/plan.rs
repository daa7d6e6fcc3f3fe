//! From the `rules` of a policy to texts that a language can compile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Origin;
use crate::document::decode::Report;
use crate::document::diagnostic::{did_you_mean, shown};
use crate::document::{DiagnosticCode as Code, Position, RuleEntry, RuleOutcome, Spanned};
use crate::{Name, Text};

/// The largest text of a rule, in bytes.
const LARGEST: usize = 64 << 10;

/// The most rules of an environment.
const MOST: usize = 256;

/// Endings of files that hold rules, which are the names of their languages.
const LANGUAGES: [&str; 2] = ["rego", "cel"];

/// A rule of an environment, not yet compiled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RulePlan {
    pub(crate) name: Name,
    pub(crate) text: RuleText,
    pub(crate) outcome: Option<RuleOutcome>,
    pub(crate) message: Option<Text>,
    pub(crate) shadow: bool,
    pub(crate) instead_of: Option<Name>,
    /// The entry of the policy.
    pub(crate) position: Position,
}

/// The text of a rule and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleText {
    /// The name of its language.
    pub(crate) language: &'static str,
    pub(crate) text: Arc<str>,
    pub(crate) origin: Origin,
}

impl RuleText {
    /// Whether a file holds a rule and not a document.
    pub(crate) fn is_rule(path: &str) -> bool {
        language(path).is_some()
    }

    /// Reads the file of a rule.
    pub(crate) fn read(path: &str, bytes: &[u8], report: &mut Report) -> Option<Self> {
        let position = Position { file: path.into(), line: 1, column: 1 };
        if bytes.len() > LARGEST {
            let message = format!("the rule has {} bytes; at most {LARGEST} are read", bytes.len());
            report.error(Code::TooLarge, &position, message, None);
            return None;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            report.error(Code::NotUtf8, &position, "the file is not UTF-8", None);
            return None;
        };
        Some(Self { language: language(path)?, text: text.into(), origin: Origin::of_file(path, text) })
    }

    /// Finds the lines of a text that stands in a document again, from where its scalar begins.
    fn inline(text: &Spanned<String>, document: Option<&str>) -> Self {
        let position = &text.position;
        let mut below = document.unwrap_or_default().lines().zip(1..).skip_while(|(_, line)| *line < position.line);
        let mut latest = (position.line, position.column);
        let mut find = |line: &str| {
            let wanted = line.trim();
            let found = below.by_ref().take(64).find_map(|(candidate, number)| {
                let from = if number == position.line { (position.column as usize).saturating_sub(1) } else { 0 };
                let skipped: usize = candidate.chars().take(from).map(char::len_utf8).sum();
                let place = skipped + candidate.get(skipped..)?.find(wanted)?;
                let column = candidate.get(..place)?.chars().count() + 1;
                let indent = line.chars().take_while(|c| c.is_whitespace()).count();
                Some((number, u32::try_from(column.saturating_sub(indent).max(1)).ok()?))
            });
            latest = found.unwrap_or(latest);
            latest
        };
        let lines = text.value.lines().map(&mut find).collect();
        let origin = Origin { file: position.file.clone(), lines };
        Self { language: "cel", text: text.value.as_str().into(), origin }
    }
}

fn language(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    LANGUAGES.into_iter().find(|language| *language == ending)
}

/// Files that rules can be in, by path, and the documents that they can stand in.
#[derive(Debug, Default)]
pub(crate) struct RuleFiles {
    pub(crate) rules: BTreeMap<String, RuleText>,
    pub(crate) documents: BTreeMap<String, String>,
    /// Whether a file was refused, and is missing here.
    pub(crate) broken: bool,
}

/// The rules of an environment; what is wrong with them is reported.
pub(crate) fn compile_rules(entries: &[RuleEntry], files: &RuleFiles, report: &mut Report) -> Vec<RulePlan> {
    if let Some(entry) = entries.get(MOST) {
        report.error(Code::Budget, &entry.position, format!("an environment has at most {MOST} rules"), None);
        return Vec::new();
    }
    let plans: Vec<RulePlan> = entries.iter().filter_map(|entry| compile_rule(entry, files, report)).collect();
    let mut seen: BTreeMap<&Name, &Position> = BTreeMap::new();
    for plan in &plans {
        if let Some(first) = seen.insert(&plan.name, &plan.position) {
            let message = format!("the rule `{}` stands twice, first in line {}", plan.name, first.line);
            report.error(Code::Name, &plan.position, message, "give one of them another `name`".to_owned());
        }
    }
    for entry in entries {
        let Some(replaced) = &entry.instead_of else { continue };
        let live = || plans.iter().filter(|plan| !plan.shadow).map(|plan| plan.name.as_str());
        if !live().any(|name| name == replaced.value.as_str()) && plans.len() == entries.len() {
            let message = format!("no rule that counts has the name `{}`", replaced.value);
            report.error(Code::Name, &replaced.position, message, did_you_mean(replaced.value.as_str(), live()));
        }
    }
    plans
}

fn compile_rule(entry: &RuleEntry, files: &RuleFiles, report: &mut Report) -> Option<RulePlan> {
    let text = match (&entry.file, &entry.cel) {
        (Some(file), None) => find_file(file, files, report)?,
        (None, Some(cel)) => RuleText::inline(cel, files.documents.get(&*cel.position.file).map(String::as_str)),
        _ => {
            let hint = "`file` names a file of the bundle, `cel` is an expression".to_owned();
            report.error(Code::Choice, &entry.position, "a rule has either `file` or `cel`", hint);
            return None;
        }
    };
    if entry.instead_of.is_some() && !entry.shadow() {
        let hint = "only a shadow replaces a rule for comparison; to replace it for good, remove it".to_owned();
        report.error(Code::Unused, &entry.position, "`insteadOf` is not used here", hint);
    }
    let of_cel = [
        ("message", entry.message.as_ref().map(|it| &it.position)),
        ("outcome", entry.outcome.as_ref().map(|it| &it.position)),
    ];
    for (key, position) in of_cel {
        if let Some(position) = position.filter(|_| text.language != "cel") {
            let hint = "a file of Rego says it itself, with `fail`, `deny`, `hold` and `warn`".to_owned();
            report.error(Code::Unused, position, format!("`{key}` is not used here"), hint);
        }
    }
    let name = match (&entry.name, &entry.file) {
        (Some(name), _) => name.value.clone(),
        (None, Some(file)) => {
            let stem = file.value.rsplit_once('.').map_or(file.value.as_str(), |(stem, _)| stem);
            let named = stem.parse();
            if named.is_err() {
                let message = format!("`{}` makes no name for the rule", shown(stem));
                report.error(Code::Name, &file.position, message, "add `name`".to_owned());
            }
            named.ok()?
        }
        (None, None) => {
            report.error(Code::MissingKey, &entry.position, "the key `name` is missing", None);
            return None;
        }
    };
    Some(RulePlan {
        name,
        text,
        outcome: entry.outcome.as_ref().map(|it| it.value),
        message: entry.message.as_ref().map(|it| it.value.clone()),
        shadow: entry.shadow(),
        instead_of: entry.instead_of.as_ref().map(|it| it.value.clone()),
        position: entry.position.clone(),
    })
}

fn find_file(file: &Spanned<String>, files: &RuleFiles, report: &mut Report) -> Option<RuleText> {
    if let Some(text) = files.rules.get(&file.value) {
        return Some(text.clone());
    }
    if language(&file.value).is_none() {
        let message = format!("`{}` is no file of a rule", shown(&file.value));
        report.error(
            Code::Name,
            &file.position,
            message,
            "rules are in files that end with `.rego` or `.cel`".to_owned(),
        );
    } else if !files.broken {
        let message = format!("the bundle has no file `{}`", shown(&file.value));
        let hint = did_you_mean(&file.value, files.rules.keys().map(String::as_str));
        report.error(Code::Name, &file.position, message, hint);
    }
    None
}

/// Warns of files that no entry names.
pub(crate) fn warn_of_unused<'a>(used: impl Iterator<Item = &'a RulePlan>, files: &RuleFiles, report: &mut Report) {
    let used: Vec<&str> = used.map(|plan| &*plan.text.origin.file).collect();
    for path in files.rules.keys().filter(|path| !used.contains(&path.as_str())) {
        let position = Position { file: path.as_str().into(), line: 1, column: 1 };
        let hint = "name it in `rules`, or remove it";
        report.warn(Code::LintRuleUnused, &position, "no environment uses this rule", hint);
    }
}
