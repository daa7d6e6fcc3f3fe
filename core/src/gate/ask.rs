//! Whether what is asked makes sense where the release is.

use super::Look;
use crate::Share;
use crate::decision::{Amount, Cause, Finding, FlipBound, FlipOf, HoldKind};
use crate::snapshot::{Asked, Stage};

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let snapshot = look.snapshot;
    let asked = snapshot.asked;
    if snapshot.stage == Stage::Live && asked != Asked::Keep {
        findings.push(Finding::hold(HoldKind::Blocked, Cause::AskedAlreadyLive { asked }));
    } else if let Asked::Advance { to } = asked
        && to <= snapshot.weight
    {
        let weight = snapshot.weight;
        let finding = Finding::hold(HoldKind::Blocked, Cause::AskedNotHigher { weight, to });
        let next = Share::from_ppm(weight.ppm().saturating_add(1));
        let flipped = finding.clone().flips(FlipOf::Weight, FlipBound::AtLeast, Amount::Share(next), Amount::Share(to));
        findings.push(if next > weight { flipped } else { finding });
    }
}
