//! Whether the intervals can be trusted and are complete.

use super::Look;
use crate::decision::{Cause, Finding, HoldKind};

pub(crate) fn judge(look: Look<'_>, findings: &mut Vec<Finding>) {
    let Some(plan) = &look.policy.health else { return };
    let (snapshot, irregular, grid) = (look.snapshot, look.irregular, plan.grid);
    let blind = |cause| Finding::hold(HoldKind::Blind, cause).from(&plan.position).retry_after(grid.every());
    if let Some(start) = irregular.conflicts.first {
        findings.push(blind(Cause::DataConflict { start, intervals: irregular.conflicts.intervals }));
    }
    if let Some(start) = irregular.late.first {
        findings.push(blind(Cause::DataLate { start, intervals: irregular.late.intervals }));
    }
    if let Some((start, end)) = irregular.off_grid {
        findings.push(blind(Cause::DataOffGrid { start, end, every: grid.every() }));
    }
    if plan.metrics.iter().all(|metric| look.policy.leaves_out(metric, snapshot.stage)) {
        return;
    }
    let first = grid.first_judged(snapshot.release.started_at);
    let Some(expected) = grid.newest_closed(snapshot.now).filter(|newest| *newest >= first) else {
        let closes = grid.closes(first);
        let waiting = Finding::hold(HoldKind::Waiting, Cause::DataFirstInterval { closes });
        findings.push(waiting.from(&plan.position).until(closes, snapshot.now));
        return;
    };
    let newest = look.folded.newest();
    if newest.is_none_or(|newest| newest < expected) {
        let end = |slot| grid.start_of(slot).plus(grid.every());
        findings.push(blind(Cause::DataStale { expected: end(expected), newest: newest.map(end) }));
    }
}
