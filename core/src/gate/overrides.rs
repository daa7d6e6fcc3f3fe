//! Human decisions: forcing a hold or an abort is a finding like any other; a waiver lowers named findings.

use crate::decision::{Cause, Finding, HoldKind, IgnoredOverride, NoFlip, Outcome, Standing};
use crate::document::{OverridePolicy, Spanned};
use crate::snapshot::{Override, OverrideAction, Snapshot, Verification};
use crate::{Duration, Name};

/// Adds what people decided to the findings of the gates, and lowers those that they waive.
///
/// Without a policy (an unknown environment) nothing can be waived, while holding and aborting always work.
pub(crate) fn judge(policy: Option<&OverridePolicy>, snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    if snapshot.overrides.is_empty() {
        return;
    }
    let mut overrides: Vec<&Override> = snapshot.overrides.iter().collect();
    overrides.sort();
    overrides.dedup();
    let mut decided = Vec::new();
    for given in overrides {
        let finding = match check(policy, given, snapshot) {
            Err(why) => Finding::pass(Cause::OverrideIgnored { why }),
            Ok(()) => act(policy, given, findings),
        };
        decided.push(finding.about(&given.id).no_flip(NoFlip::Person));
    }
    findings.append(&mut decided);
}

/// Whether the override acts at all.
fn check(policy: Option<&OverridePolicy>, given: &Override, snapshot: &Snapshot) -> Result<(), IgnoredOverride> {
    if !given.scope.covers(&snapshot.release) {
        return Err(IgnoredOverride::OutOfScope);
    }
    if !given.is_in_force(snapshot.now) {
        return Err(IgnoredOverride::NotInForce);
    }
    let OverrideAction::Waive { .. } = given.action else { return Ok(()) };
    let longest = policy.map_or(Duration::from_minutes(24 * 60), OverridePolicy::longest);
    if given.verification == Verification::Unverified {
        Err(IgnoredOverride::Unverified)
    } else if given.expires_at.since(given.issued_at) > longest {
        Err(IgnoredOverride::TooLong)
    } else {
        Ok(())
    }
}

fn act(policy: Option<&OverridePolicy>, given: &Override, findings: &mut [Finding]) -> Finding {
    let (by, reason) = (given.by.clone(), given.reason.clone());
    match given.action {
        OverrideAction::Hold => {
            let cause = Cause::OverrideHold { by, reason, expires: given.expires_at };
            Finding { until: Some(given.expires_at), ..Finding::hold(HoldKind::Blocked, cause) }
        }
        OverrideAction::Abort => Finding::fail(Cause::OverrideAbort { by, reason }),
        OverrideAction::Waive { .. } if waive(policy, given, findings) => {
            Finding::pass(Cause::OverrideWaived { by, reason, expires: given.expires_at })
        }
        OverrideAction::Waive { .. } => Finding::pass(Cause::OverrideIgnored { why: IgnoredOverride::NothingToWaive }),
    }
}

/// Lowers what it names, as far as the policy allows; whether there was anything.
fn waive(policy: Option<&OverridePolicy>, given: &Override, findings: &mut [Finding]) -> bool {
    let fails: &[Spanned<String>] =
        policy.and_then(|policy| policy.waive_fails.as_ref()).map_or(&[], |codes| &codes.value);
    let mut waived = false;
    for finding in findings.iter_mut().filter(|finding| finding.standing == Standing::Counts) {
        let allowed = match finding.outcome {
            Outcome::Pass => false,
            Outcome::Hold(_) => true,
            Outcome::Fail => fails.iter().any(|code| code.value == finding.code()),
        };
        if allowed && given.waives(finding.code(), finding.subject.as_ref().map(Name::as_str)) {
            finding.standing = Standing::Waived(given.id.clone());
            waived = true;
        }
    }
    waived
}
