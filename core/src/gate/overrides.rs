//! Human decisions: forcing a hold or an abort is a finding like any other; a waiver lowers named findings.

use crate::Name;
use crate::decision::{Cause, Finding, HoldKind, IgnoredOverride, NoFlip, Outcome, Standing};
use crate::document::{LONGEST_WAIVER, OverridePolicy};
use crate::policy::Policy;
use crate::snapshot::{Override, OverrideAction, Snapshot, Verification};

/// Forced holds and aborts, as findings like any other. They work even where there is no policy.
pub(crate) fn forced(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    for given in sorted(snapshot).into_iter().filter(|given| check(None, given, snapshot).is_ok()) {
        let (by, reason) = (given.by.clone(), given.reason.clone());
        let finding = match given.action {
            OverrideAction::Hold => {
                let cause = Cause::OverrideHold { by, reason, expires: given.expires_at };
                Finding { until: Some(given.expires_at), ..Finding::hold(HoldKind::Blocked, cause) }
            }
            OverrideAction::Abort => Finding::fail(Cause::OverrideAbort { by, reason }),
            OverrideAction::Waive { .. } => continue,
        };
        findings.push(finding.about(&given.id).no_flip(NoFlip::Person));
    }
}

/// The waivers of a snapshot.
pub(crate) struct Waivers<'a> {
    policy: &'a Policy,
    given: Vec<(&'a Override, Result<(), IgnoredOverride>)>,
}

impl<'a> Waivers<'a> {
    /// Every override, with the reason of those that do not act.
    pub(crate) fn new(policy: &'a Policy, snapshot: &'a Snapshot) -> Self {
        let check = |given| (given, check(policy.overrides.as_ref(), given, snapshot));
        Self { policy, given: sorted(snapshot).into_iter().map(check).collect() }
    }

    /// Lowers what they name, as far as the policy allows. What people forced is not theirs to lower.
    pub(crate) fn lower(&self, findings: &mut [Finding]) {
        let fails = self.policy.overrides.as_ref().and_then(|overrides| overrides.waive_fails.as_ref());
        let may_fail = |code: &str| fails.is_some_and(|codes| codes.value.iter().any(|known| known.value == code));
        for finding in findings.iter_mut() {
            let allowed = match finding.effective() {
                Outcome::Pass => false,
                Outcome::Hold(_) => finding.outcome != Outcome::Fail || may_fail(finding.code()),
                Outcome::Fail => may_fail(finding.code()),
            };
            if !allowed || finding.code().starts_with("override.") {
                continue;
            }
            let subject = finding.subject.as_ref().map(Name::as_str);
            let names =
                |(given, acts): &&(&Override, Result<(), _>)| acts.is_ok() && given.waives(finding.code(), subject);
            if let Some((given, _)) = self.given.iter().find(names) {
                finding.standing = Standing::Waived(given.id.clone());
            }
        }
    }

    /// What they did, recorded wherever they acted and where they did not.
    pub(crate) fn findings(self, lowered: &[Finding]) -> Vec<Finding> {
        let waived = |id: &Name| lowered.iter().any(|finding| finding.standing == Standing::Waived(id.clone()));
        self.given
            .into_iter()
            .filter_map(|(given, acts)| {
                let waiver = matches!(given.action, OverrideAction::Waive { .. });
                let cause = match acts {
                    Err(why) => Cause::OverrideIgnored { why },
                    Ok(()) if !waiver => return None,
                    Ok(()) if waived(&given.id) => {
                        let (by, reason) = (given.by.clone(), given.reason.clone());
                        Cause::OverrideWaived { by, reason, expires: given.expires_at }
                    }
                    Ok(()) => Cause::OverrideIgnored { why: IgnoredOverride::NothingToWaive },
                };
                Some(Finding::pass(cause).about(&given.id).no_flip(NoFlip::Person))
            })
            .collect()
    }
}

/// Each once, in an order that does not depend on the host.
fn sorted(snapshot: &Snapshot) -> Vec<&Override> {
    let mut overrides: Vec<&Override> = snapshot.overrides.iter().collect();
    overrides.sort();
    overrides.dedup();
    overrides
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
    let longest = policy.map_or(LONGEST_WAIVER, OverridePolicy::longest);
    if given.verification == Verification::Unverified {
        Err(IgnoredOverride::Unverified)
    } else if given.expires_at.since(given.issued_at) > longest {
        Err(IgnoredOverride::TooLong)
    } else {
        Ok(())
    }
}
