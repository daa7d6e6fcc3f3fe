//! The ramp: how long and with how much traffic a step must last, and which step comes next.

use super::Look;
use crate::decision::{Amount, Cause, Finding, FlipBound, FlipOf, HoldKind};
use crate::snapshot::{Asked, Stage};

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let (snapshot, steps) = (look.snapshot, &look.policy.steps);
    let goes_on = matches!(snapshot.asked, Asked::Advance { .. } | Asked::Promote);
    if steps.is_empty() || snapshot.stage == Stage::Live || !goes_on {
        return;
    }
    let before = findings.len();
    let next = steps.iter().find(|step| step.weight.value > snapshot.weight);
    let current = steps.iter().rev().find(|step| step.weight.value <= snapshot.weight);
    if let Some(step) = current {
        let (at_least, elapsed) = (step.at_least(), snapshot.now.since(snapshot.since));
        if elapsed < at_least {
            let finding = Finding::hold(HoldKind::Waiting, Cause::StepsDwell { at_least, elapsed });
            findings.push(finding.from(&step.position).until(snapshot.since.plus(at_least), snapshot.now));
        }
        let (needed, requests) = (step.min_requests(), look.folded.requests);
        if requests < needed {
            let finding = Finding::hold(HoldKind::Waiting, Cause::StepsExposure { at_least: needed, requests });
            let every = look.policy.health.as_ref().map_or(crate::Duration::from_minutes(1), |plan| plan.grid.every());
            findings.push(finding.from(&step.position).retry_after(every).flips(
                FlipOf::Requests,
                FlipBound::AtLeast,
                Amount::Count(needed),
                Amount::Count(requests),
            ));
        }
    }
    match (snapshot.asked, next) {
        (Asked::Advance { to }, Some(step)) if to > step.weight.value => {
            let next = step.weight.value;
            let finding = Finding::hold(HoldKind::Blocked, Cause::StepsSkipped { to, next });
            findings.push(finding.from(&step.position).flips(
                FlipOf::Weight,
                FlipBound::AtMost,
                Amount::Share(next),
                Amount::Share(to),
            ));
        }
        (Asked::Advance { to }, None) => {
            // More than the last step is everyone, and that is what `promote` asks for.
            let last = steps.last().map_or(snapshot.weight, |step| step.weight.value);
            findings.push(Finding::hold(HoldKind::Blocked, Cause::StepsEnded { to, last }));
        }
        (Asked::Promote, Some(_)) => {
            let last = steps.last().map_or(snapshot.weight, |step| step.weight.value);
            let finding = Finding::hold(HoldKind::Blocked, Cause::StepsUnfinished { weight: snapshot.weight, last });
            let finding =
                finding.flips(FlipOf::Weight, FlipBound::AtLeast, Amount::Share(last), Amount::Share(snapshot.weight));
            findings.push(steps.last().map_or(finding.clone(), |step| finding.from(&step.position)));
        }
        _ => {}
    }
    if findings.len() == before {
        let finding = Finding::pass(Cause::StepsMet { weight: snapshot.weight });
        findings.push(current.map_or(finding.clone(), |step| finding.from(&step.position)));
    }
}
