//! What rules say, as findings. Rules see the findings of all gates and never each other's, and only add
//! findings, so that their order cannot matter.

use super::{ReadyRule, RuleInput, RulePlan, Said};
use crate::decision::{Cause, Finding, HoldKind, NoFlip, Outcome, Standing, Verdict};
use crate::document::RuleOutcome;
use crate::snapshot::{Asked, Snapshot};

/// Adds what every rule says.
pub(crate) fn judge(rules: &[ReadyRule], input: &RuleInput, asked: Asked, findings: &mut Vec<Finding>) {
    for ready in rules {
        let before = findings.len();
        match &ready.rule {
            Some(rule) => findings.extend(rule.judge(input).into_iter().map(|said| finding(said, asked))),
            None => {
                let cause = Cause::RulesNoLanguage { language: language(ready) };
                findings.push(Finding::hold(HoldKind::Blind, cause).from(&ready.plan.position));
            }
        }
        if findings.len() == before {
            findings.push(Finding::pass(Cause::RulesPassed {}).from(&ready.plan.position));
        }
        for finding in findings.iter_mut().skip(before) {
            finding.subject = Some(ready.plan.name.clone());
            if ready.plan.shadow {
                finding.standing = Standing::DryRun;
            }
        }
    }
}

fn language(ready: &ReadyRule) -> crate::Name {
    // The names of languages are names.
    ready.plan.text.language.parse().unwrap_or_else(|_| ready.plan.name.clone())
}

fn finding(said: Said, asked: Asked) -> Finding {
    match said {
        Said::Fired { outcome, message, code, conditions, position } => {
            let finding = match outcome {
                RuleOutcome::Fail => Finding::fail(Cause::RulesFail { message, code, conditions }),
                RuleOutcome::Deny => {
                    let cause = Cause::RulesDeny { message, code, conditions };
                    if asked == Asked::Start { Finding::fail(cause) } else { Finding::hold(HoldKind::Blocked, cause) }
                }
                RuleOutcome::Hold => Finding::hold(HoldKind::Blocked, Cause::RulesHold { message, code, conditions }),
                RuleOutcome::Warn => Finding::pass(Cause::RulesWarn { message, code, conditions }),
            };
            finding.from(&position).no_flip(NoFlip::NotOneNumber)
        }
        Said::Missing { paths, position } => {
            let cause = Cause::RulesMissing { paths };
            Finding::hold(HoldKind::Blind, cause).from(&position).no_flip(NoFlip::NoValue)
        }
        Said::Failed { problem, position } => {
            Finding::hold(HoldKind::Blind, Cause::RulesBroken { problem }).from(&position)
        }
        Said::Exhausted { limit, position } => {
            Finding::hold(HoldKind::Blind, Cause::RulesExhausted { limit }).from(&position)
        }
    }
}

/// Where the verdict would be another if a shadow counted, alone, and the rule that it is to replace did not.
/// Overrides do not lower what a shadow says.
pub(crate) fn differences(
    rules: &[ReadyRule],
    snapshot: &Snapshot,
    findings: &[Finding],
    is_needed: impl Fn(&Finding) -> bool,
) -> Vec<Finding> {
    let is_of = |finding: &Finding, name: &crate::Name| {
        finding.code().starts_with("rules.") && finding.subject.as_ref() == Some(name)
    };
    let strictest = |outcomes: &mut dyn Iterator<Item = Outcome>| outcomes.max().unwrap_or(Outcome::Pass);
    let live = strictest(&mut findings.iter().map(Finding::effective));
    let mut differences = Vec::new();
    for RulePlan { name, instead_of, position, .. } in rules.iter().map(|ready| &ready.plan).filter(|plan| plan.shadow)
    {
        let others = findings.iter().filter(|finding| {
            let replaced = instead_of.as_ref().is_some_and(|replaced| is_of(finding, replaced));
            !replaced && !is_of(finding, name)
        });
        let own = findings
            .iter()
            .filter(|finding| is_of(finding, name))
            .map(|finding| Finding { standing: Standing::Counts, ..finding.clone() });
        let own = own.filter(|finding| is_needed(finding)).map(|finding| finding.effective());
        let would = strictest(&mut others.map(Finding::effective).chain(own));
        if would.severity() != live.severity() {
            let verdict = Verdict::of(would, snapshot.stage);
            let cause = Cause::RulesShadow { verdict, instead_of: instead_of.clone() };
            differences.push(Finding::pass(cause).about(name).from(position));
        }
    }
    differences
}
