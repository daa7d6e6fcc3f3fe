//! How much may be at stake at once. Only holds.

use super::Look;
use crate::Count;
use crate::decision::{Amount, Cause, Finding, FlipBound, FlipOf, HoldKind};
use crate::snapshot::Asked;

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let Some(radius) = &look.policy.blast_radius else { return };
    let snapshot = look.snapshot;
    let before = findings.len();
    if let (Asked::Advance { to }, Some(max)) = (snapshot.asked, &radius.max_weight)
        && to > max.value
    {
        let finding = Finding::hold(HoldKind::Blocked, Cause::BlastRadiusWeight { to, max: max.value });
        let (value, observed) = (Amount::Share(max.value), Amount::Share(to));
        findings.push(finding.from(&max.position).flips(FlipOf::Weight, FlipBound::AtMost, value, observed));
    }
    // Only at the start: two releases that run already would otherwise wait for each other for ever.
    if let (Asked::Start, Some(concurrent)) = (snapshot.asked, &radius.concurrent) {
        let allowed = concurrent.value;
        let others = others(look);
        if others >= allowed {
            let finding = Finding::hold(HoldKind::Blocked, Cause::BlastRadiusConcurrent { running: others, allowed });
            let last = allowed.saturating_sub(Count::from(1));
            let (value, observed) = (Amount::Count(last), Amount::Count(others));
            findings.push(finding.from(&concurrent.position).flips(
                FlipOf::RunningReleases,
                FlipBound::AtMost,
                value,
                observed,
            ));
        }
    }
    if findings.len() == before && snapshot.asked != Asked::Keep {
        findings.push(Finding::pass(Cause::BlastRadiusWithin {}).from(&radius.position));
    }
}

/// Releases in the same environment, this one not counted, and each once.
fn others(look: Look<'_>) -> Count {
    let release = &look.snapshot.release;
    let mut others: Vec<_> = look
        .snapshot
        .running
        .iter()
        .filter(|running| running.environment == release.environment)
        .filter(|running| (&running.service, &running.revision) != (&release.service, &release.revision))
        .collect();
    others.sort();
    others.dedup();
    u32::try_from(others.len()).map_or(Count::MAX, Count::from)
}
