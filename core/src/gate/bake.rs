//! The live stage: how long it is watched, and against what.

use super::Look;
use crate::decision::{Cause, Finding, HoldKind};
use crate::snapshot::Stage;

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let snapshot = look.snapshot;
    if snapshot.stage != Stage::Live {
        return;
    }
    let bake = look.policy.bake.as_ref();
    if let Some(bake) = bake {
        let ends = snapshot.since.plus(bake.duration.value);
        let cause = if snapshot.now < ends { Cause::BakeWatching { ends } } else { Cause::BakeDone { ended: ends } };
        findings.push(Finding::pass(cause).from(&bake.position));
    }
    let Some(plan) = &look.policy.health else { return };
    let compares = plan.metrics.iter().any(|metric| metric.is_relative() && !metric.dry_run);
    if compares && bake.is_none_or(|bake| bake.against.is_none()) {
        let position = bake.map_or(&plan.position, |bake| &bake.position);
        findings.push(Finding::hold(HoldKind::Blind, Cause::BakeNoReference {}).from(position));
    }
}
