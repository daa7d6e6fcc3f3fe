//! Environments that the same revision must have passed. Only holds.

use super::Look;
use crate::decision::{Cause, Finding, HoldKind};
use crate::snapshot::Asked;

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let snapshot = look.snapshot;
    if snapshot.asked == Asked::Keep {
        return;
    }
    for dependency in &look.policy.requires {
        let name = &dependency.environment.value;
        // Passed more than once: the soak counts from the latest time, and the future does not count.
        let passed_at = snapshot
            .passed
            .iter()
            .filter(|passed| passed.environment == *name && passed.revision == snapshot.release.revision)
            .filter(|passed| passed.at <= snapshot.now)
            .map(|passed| passed.at)
            .max();
        let soak = dependency.soak();
        let finding = match passed_at {
            None => Finding::hold(HoldKind::Blocked, Cause::DependenciesNotPassed {}),
            Some(passed_at) if snapshot.now < passed_at.plus(soak) => {
                let finding = Finding::hold(HoldKind::Blocked, Cause::DependenciesSoaking { passed_at, soak });
                finding.until(passed_at.plus(soak), snapshot.now)
            }
            Some(passed_at) => Finding::pass(Cause::DependenciesMet { passed_at }),
        };
        findings.push(finding.about(name).from(&dependency.position));
    }
}
