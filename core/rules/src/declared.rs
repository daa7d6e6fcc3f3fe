//! What comments of a rule declare to be read, `reads: facts.approvals[*].by`: where a walk cannot tell what is read,
//! the author says so.

use davy::document::DiagnosticCode as Code;
use davy::rule::Shape;

use crate::read::{Place, Step, To, parse, path};
use crate::text::{Declared, Report, column_of, shown};

/// The declarations of one rule.
pub(crate) struct Declarations {
    /// How a comment begins in its language.
    comment: &'static str,
    all: Vec<Declaration>,
}

struct Declaration {
    place: Place,
    at: (u32, u32),
    used: bool,
}

impl Declarations {
    /// Finds them in the comments of a text over documents of this shape; what is wrong with them is reported.
    pub(crate) fn read(text: &str, comment: &'static str, root: Shape, report: &mut Report<'_>) -> Self {
        let mut all = Vec::new();
        for (_, value, (line, column)) in Declared::find(text, comment, &["reads"]).lines {
            for one in value.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                let at = (line, column.saturating_add(column_of(value, one).saturating_sub(1)));
                all.extend(parse(one, root, at, report).map(|place| Declaration { place, at, used: false }));
            }
        }
        Self { comment, all }
    }

    /// All that can be read where `key` is asked of something whose parts cannot be told; it must be declared.
    pub(crate) fn of_key(&mut self, key: &str, at: (u32, u32), report: &mut Report<'_>) -> Vec<Vec<Step>> {
        let names = |step: &Step| matches!(&step.to, To::Key(known) if known == key);
        let found = self.use_all(|place| place.steps.iter().any(names));
        if found.is_empty() {
            let (key, comment) = (shown(key), self.comment);
            let message = format!("it cannot be told where `{key}` is read from");
            let hint = format!("declare it in a comment, such as `{comment} reads: facts.approvals[*].{key}`");
            report.error(Code::RuleUndeclared, at, message, hint);
        }
        found
    }

    /// All that can be read below `each`, of which only judging tells the keys; it must be declared.
    pub(crate) fn of_each(&mut self, each: &Place, at: (u32, u32), report: &mut Report<'_>) -> Vec<Vec<Step>> {
        let begins = |place: &Place| {
            let steps = place.steps.iter().map(|step| &step.to);
            place.steps.len() >= each.steps.len()
                && each.steps.iter().map(|step| &step.to).zip(steps).all(|(a, b)| a == b)
        };
        let found = self.use_all(begins);
        if found.is_empty() {
            let (each, comment) = (path(&each.steps), self.comment);
            let message = format!("which of `{each}` is read is only known when the rule is judged");
            report.error(
                Code::RuleUndeclared,
                at,
                message,
                format!("declare it in a comment: `{comment} reads: {each}`"),
            );
        }
        found
    }

    /// Which of several declarations is meant cannot be told either: all of them are.
    fn use_all(&mut self, is_meant: impl Fn(&Place) -> bool) -> Vec<Vec<Step>> {
        let meant = self.all.iter_mut().filter(|declared| is_meant(&declared.place));
        let used = meant.map(|declared| {
            declared.used = true;
            declared.place.steps.clone()
        });
        used.collect()
    }

    pub(crate) fn warn_of_unused(&self, report: &mut Report<'_>) {
        for declared in self.all.iter().filter(|declared| !declared.used) {
            let message = format!("nothing needs `{}` to be declared", path(&declared.place.steps));
            report.warn(Code::LintRuleUnused, declared.at, message, "remove the comment".to_owned());
        }
    }
}
