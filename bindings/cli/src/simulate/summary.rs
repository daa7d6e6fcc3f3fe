//! What a cell showed of one judge, in numbers.

use serde::Serialize;

use super::proportion;
use super::rollout::Outcome;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    /// Requests per second.
    pub(super) traffic: f64,
    pub(super) scenario: String,
    /// Whether the canary is good, so that an abort is false and a promotion is right.
    pub(super) good: bool,
    pub(super) judge: &'static str,
    /// Rollouts; only those whose effect began.
    pub(super) runs: u32,
    /// Rollouts that were aborted: false aborts, or detections.
    pub(super) aborted: Rate,
    /// Until the abort, in seconds since the effect began; nothing where not half of all rollouts were aborted.
    pub(super) median_abort: Option<f64>,
    /// When the plan expects the abort, in seconds since the effect began; nothing where it does not.
    pub(super) planned_abort: Option<f64>,
    /// Rollouts that might be promoted before any abort: right, or wrong.
    pub(super) promoted: Rate,
    /// Until promotion was possible, in seconds; nothing where not half of them could be promoted.
    pub(super) median_promotion: Option<f64>,
    /// Rollouts that were ended because nothing was decided in time.
    pub(super) inconclusive: u32,
}

/// So many of all rollouts, with the exact interval that contains the probability with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rate {
    pub(super) rollouts: u32,
    pub(super) share: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Row {
    /// Of one judge's outcomes; `every` is the length of an interval in seconds.
    pub(super) fn of(
        outcomes: &[Outcome],
        judge: &'static str,
        (traffic, scenario, good): (f64, String, bool),
        every: f64,
    ) -> Self {
        let times = |time: fn(&Outcome) -> Option<u64>| median(outcomes.iter().map(time)).map(|k| k * every);
        Self {
            traffic,
            scenario,
            good,
            judge,
            runs: number(outcomes.len()),
            aborted: Rate::of(outcomes, |outcome| outcome.aborted.is_some()),
            median_abort: times(|outcome| outcome.aborted),
            planned_abort: None,
            promoted: Rate::of(outcomes, |outcome| outcome.promoted.is_some()),
            median_promotion: times(|outcome| outcome.promoted),
            inconclusive: number(outcomes.iter().filter(|outcome| outcome.inconclusive).count()),
        }
    }
}

impl Rate {
    fn of(outcomes: &[Outcome], holds: fn(&Outcome) -> bool) -> Self {
        let rollouts = number(outcomes.iter().filter(|outcome| holds(outcome)).count());
        let runs = number(outcomes.len());
        let (low, high) = proportion::interval(rollouts, runs);
        let share = if runs == 0 { 0.0 } else { f64::from(rollouts) / f64::from(runs) };
        Self { rollouts, share, low, high }
    }
}

/// Over all rollouts: one in which it never happened counts as later than any other. The upper of the two middle ones.
fn median(times: impl Iterator<Item = Option<u64>>) -> Option<f64> {
    let mut times: Vec<u64> = times.map(|time| time.unwrap_or(u64::MAX)).collect();
    times.sort_unstable();
    let middle = *times.get(times.len() / 2)?;
    (middle != u64::MAX).then_some(middle as f64)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_median_is_one_over_all_rollouts() {
        let median = |times: &[Option<u64>]| super::median(times.iter().copied());
        assert_eq!(median(&[Some(3), Some(1), Some(9)]), Some(3.0));
        assert_eq!(median(&[Some(3), None, Some(1)]), Some(3.0));
        assert_eq!(median(&[Some(3), None, None]), None);
        assert_eq!(median(&[Some(3), None]), None);
        assert_eq!(median(&[]), None);
    }
}
