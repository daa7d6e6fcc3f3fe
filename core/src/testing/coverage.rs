//! What of a policy tests have reached.

use std::fmt;

use serde::Serialize;

use super::branches;
use crate::bundle::Bundle;
use crate::decision::{Cause, Decision, Finding, Outcome, Standing, WindowRole};
use crate::document::Position;
use crate::engine::Engine;
use crate::rule::{ReadyRule, RuleBranch, RuleInput};
use crate::{Count, Name, Share, Text};

/// One way in which a policy can judge: an outcome of a metric, a step that is waited in, a freeze.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch {
    pub(super) gate: &'static str,
    pub(super) position: Position,
    pub(super) subject: Option<Name>,
    pub(super) way: Way,
}

/// What shows that a branch was reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// A decision about the environment.
    Decided,
    /// A finding of the gate about the subject that passes.
    Pass,
    /// One that holds.
    Hold,
    /// One that fails.
    Fail,
    /// A finding with this code from this place of the policy.
    Code(&'static str),
    /// A finding with this code, wherever in the policy it comes from.
    CodeAnywhere(&'static str),
    /// A finding with this code that an override lowered.
    Waived(String),
    /// A change window or freeze that keeps a release from going on.
    Blocks,
    /// One that was looked at and does not.
    Lets,
    /// A rule that says something, wherever in its text.
    Fires,
    /// A rule that has nothing to say.
    Quiet,
    /// A part of a rule's text, in the words of its language.
    Part(Text),
}

/// Which ways of judging the tests of a policy have reached.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    branches: Vec<(Branch, bool)>,
}

/// How much of one gate was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateCoverage {
    /// The gate.
    pub gate: &'static str,
    /// Branches that were reached.
    pub reached: usize,
    /// All of its branches.
    pub branches: usize,
}

impl Coverage {
    /// Of a bundle and its engine before the first test.
    #[must_use]
    pub fn of(bundle: &Bundle, engine: &Engine) -> Self {
        Self { branches: branches::of_bundle(bundle, engine).into_iter().map(|branch| (branch, false)).collect() }
    }

    /// Counts what a decision reached.
    pub fn see(&mut self, decision: &Decision) {
        for (branch, reached) in &mut self.branches {
            *reached = *reached || branch.is_reached(decision);
        }
    }

    /// Counts the parts of rules that judging an input reached.
    pub(crate) fn see_rules(&mut self, rules: &[ReadyRule], input: &RuleInput) {
        for ready in rules {
            let Some(rule) = &ready.rule else { continue };
            let (branches, reached) = (rule.branches(), rule.reached(input));
            for branch in reached.into_iter().filter_map(|number| branches.get(number)) {
                let part = Branch::of_rule(&ready.plan.name, branch);
                if let Some((_, seen)) = self.branches.iter_mut().find(|(known, _)| *known == part) {
                    *seen = true;
                }
            }
        }
    }

    /// Counts the part of a rule that begins at this place of the bundle: for tests in the language of the rules themselves.
    pub fn see_part(&mut self, place: &Position) {
        for (branch, seen) in &mut self.branches {
            *seen |= branch.position == *place && matches!(branch.way, Way::Part(_));
        }
    }

    /// All branches, and whether each was reached.
    pub fn branches(&self) -> impl Iterator<Item = (&Branch, bool)> {
        self.branches.iter().map(|(branch, reached)| (branch, *reached))
    }

    /// The branches that no decision has reached, by gate and place.
    pub fn unreached(&self) -> impl Iterator<Item = &Branch> {
        self.branches().filter(|(_, reached)| !reached).map(|(branch, _)| branch)
    }

    /// How much of each gate was reached, in the order of their names.
    #[must_use]
    pub fn gates(&self) -> Vec<GateCoverage> {
        let mut gates: Vec<GateCoverage> = Vec::new();
        for (branch, reached) in self.branches() {
            let reached = usize::from(reached);
            match gates.last_mut().filter(|last| last.gate == branch.gate) {
                Some(last) => {
                    last.reached += reached;
                    last.branches += 1;
                }
                None => gates.push(GateCoverage { gate: branch.gate, reached, branches: 1 }),
            }
        }
        gates
    }

    /// How many branches were reached, and how many there are.
    #[must_use]
    pub fn reached(&self) -> (usize, usize) {
        (self.branches().filter(|(_, reached)| *reached).count(), self.branches.len())
    }

    /// The part that was reached, rounded down; everything where there is nothing to reach.
    #[must_use]
    pub fn share(&self) -> Share {
        let (reached, all) = self.reached();
        let parts = (reached as u64).saturating_mul(u64::from(Share::ALL.ppm())).checked_div(all as u64);
        parts.and_then(|parts| u32::try_from(parts).ok()).map_or(Share::ALL, Share::from_ppm)
    }

    /// Whether at least this part was reached, in exact integers.
    #[must_use]
    pub fn is_at_least(&self, least: Share) -> bool {
        let (reached, all) = self.reached();
        let count = |number: usize| Count::new(number as u64).unwrap_or(Count::MAX);
        least.complement().admits(count(all.saturating_sub(reached)), count(all))
    }
}

impl Branch {
    pub(super) fn of_rule(name: &Name, branch: &RuleBranch) -> Self {
        let (position, subject) = (branch.position.clone(), Some(name.clone()));
        Self { gate: "rules", position, subject, way: Way::Part(branch.what.clone()) }
    }

    /// The gate.
    #[must_use]
    pub fn gate(&self) -> &'static str {
        self.gate
    }

    /// The place in the policy.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    fn is_reached(&self, decision: &Decision) -> bool {
        if self.way == Way::Decided {
            return self.subject.as_ref() == Some(&decision.release.environment);
        }
        decision.findings.iter().any(|finding| self.is_shown_by(finding))
    }

    fn is_shown_by(&self, finding: &Finding) -> bool {
        let (gate, _) = finding.code().split_once('.').unwrap_or_default();
        if matches!(self.way, Way::Blocks | Way::Lets) {
            return self.is_window_of(&finding.cause);
        }
        let about = gate == self.gate && (self.subject.is_none() || self.subject == finding.subject);
        let here = about && finding.source.as_ref() == Some(&self.position);
        match &self.way {
            // Decisions do not tell which part of a rule made them.
            Way::Decided | Way::Blocks | Way::Lets | Way::Part(_) => false,
            Way::Fires => about && ["rules.fail", "rules.deny", "rules.hold", "rules.warn"].contains(&finding.code()),
            Way::Quiet => about && finding.code() == "rules.passed",
            Way::Pass => here && finding.outcome == Outcome::Pass,
            Way::Hold => here && matches!(finding.outcome, Outcome::Hold(_)),
            Way::Fail => here && finding.outcome == Outcome::Fail,
            Way::Code(code) => here && finding.code() == *code,
            Way::CodeAnywhere(code) => finding.code() == *code,
            Way::Waived(code) => {
                finding.code() == code
                    && finding.outcome == Outcome::Fail
                    && matches!(finding.standing, Standing::Waived(_))
            }
        }
    }
}

impl Branch {
    /// Whether the calendar gate looked at this window, and it did what the branch is about.
    fn is_window_of(&self, cause: &Cause) -> bool {
        let (Cause::CalendarOpen { windows, .. }
        | Cause::CalendarClosed { windows, .. }
        | Cause::CalendarHardFrozen { windows, .. }) = cause
        else {
            return false;
        };
        windows.iter().filter(|seen| Some(&seen.window) == self.subject.as_ref()).any(|seen| match seen.role {
            WindowRole::NotValid | WindowRole::NotGated => false,
            WindowRole::Blocks => self.way == Way::Blocks,
            _ => self.way == Way::Lets,
        })
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Way::Decided, Some(environment)) = (&self.way, &self.subject) {
            return write!(f, "the environment `{environment}`");
        }
        if let Way::Waived(code) = &self.way {
            return write!(f, "a waiver of {code}");
        }
        f.write_str(match &self.way {
            Way::Code(code) | Way::CodeAnywhere(code) => code,
            _ => self.gate,
        })?;
        if let Some(subject) = &self.subject {
            write!(f, " of `{subject}`")?;
        }
        if let Way::Part(what) = &self.way {
            return write!(f, ": {what}");
        }
        f.write_str(match &self.way {
            Way::Pass => ": pass",
            Way::Hold => ": hold",
            Way::Fail => ": fail",
            Way::Blocks => ": blocks",
            Way::Lets => ": does not block",
            Way::Fires => ": fires",
            Way::Quiet => ": has nothing to say",
            _ => "",
        })
    }
}

impl Serialize for Branch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json<'a> {
            gate: &'static str,
            subject: &'a Option<Name>,
            branch: String,
            position: &'a Position,
        }
        let Self { gate, position, subject, .. } = self;
        Json { gate, subject, branch: self.to_string(), position }.serialize(serializer)
    }
}
