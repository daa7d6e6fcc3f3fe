//! `judge: groupSequential`: what the exact tests say at the looks that were planned for them.

use super::Look;
use super::evidence::Evidence;
use crate::Count;
use crate::decision::{Assumption, Cause, Finding, HoldKind, NoFlip, Outside};
use crate::document::Points;
use crate::policy::{FixedLooks, HealthPlan};
use crate::snapshot::Stage;

/// One finding for all tests, and what is amiss with the schedule that they rest on. The score is all or nothing.
pub(super) fn judge(
    look: Look<'_>,
    health: &HealthPlan,
    fixed: &FixedLooks,
    evidence: &Evidence,
    findings: &mut Vec<Finding>,
) -> Points {
    let (snapshot, planned) = (look.snapshot, Count::from(fixed.looks()));
    let elapsed = snapshot.now.since(snapshot.release.started_at);
    let is_left = snapshot.stage == Stage::Canary && !fixed.is_kept(snapshot.weight, elapsed);
    let is_retry = snapshot.release.attempt.get() > 1;
    let own = |finding: Finding| {
        let finding = finding.from(&health.position).no_flip(NoFlip::NotOneNumber);
        if is_left || is_retry {
            finding.outside(Outside::ScheduleLeft)
        } else {
            finding.declared(Assumption::FixedSchedule)
        }
    };
    let looks = Count::from(evidence.exact(health).map(|(_, test, _)| test.looks()).max().unwrap_or_default());
    let crossed = evidence.exact(health).find(|(_, test, _)| test.has_crossed());
    findings.push(own(match crossed {
        Some((metric, test, _)) => {
            let events = Count::new(test.events()).unwrap_or(Count::MAX);
            Finding::fail(Cause::HealthCrossed { suspect: metric.name.clone(), events, looks, planned })
        }
        None => Finding::pass(Cause::HealthNotCrossed { looks, planned }),
    }));
    if is_left {
        findings.push(own(Finding::hold(HoldKind::Blocked, Cause::HealthScheduleLeft { weight: snapshot.weight })));
    }
    if is_retry {
        let attempt = Count::from(snapshot.release.attempt.get());
        findings.push(own(Finding::hold(HoldKind::Blocked, Cause::HealthRetried { attempt })));
    }
    let unjudged = evidence.exact(health).map(|(_, _, unjudged)| unjudged).max().unwrap_or_default();
    if unjudged > 0 {
        let unjudged = Count::from(unjudged);
        findings.push(own(Finding::hold(HoldKind::Blind, Cause::HealthTooManyEvents { unjudged })));
    }
    if crossed.is_some() { Points::new(0) } else { Points::FULL }
}
