//! An outage: so much worse than the baseline that no noise between replicas is like it.

use crate::stats::arms::Pair;

/// Fewer bad requests in one interval say nothing: one request that fails is all of the traffic of a quiet canary.
const ENOUGH: f64 = 5.0;
/// The canary's share of bad requests: at least this,
const MOST: f64 = 0.5;
/// and at least so many times the baseline's.
const TIMES: f64 = 10.0;

/// Whether an interval shows an outage: five bad requests or more, at least half of all that the canary had, and ten
/// times the baseline's share.
///
/// Few replicas never show how large noise can be: two degrees of freedom allow for any, so the more there is of a
/// canary's traffic the longer [`Noise`](super::Noise) doubts even that every request fails, twenty intervals with as
/// much traffic as each of three replicas has. But a healthy replica that fails most of its requests is none. What
/// an outage says is not discounted; the first key still must cross, so for independent requests an abort is false
/// as seldom as ever. More bad requests of the canary never make it less of an outage.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, Pair, is_outage};
///
/// let arm = |bad: u32, total: u32| Arm::new(Count::from(bad), Count::from(total));
/// let baseline = arm(30, 3000)?;
/// assert!(is_outage(&Pair { canary: arm(990, 1000)?, baseline }));
/// assert!(!is_outage(&Pair { canary: arm(300, 1000)?, baseline }));                        // thirty times as many, and no outage
/// assert!(!is_outage(&Pair { canary: arm(990, 1000)?, baseline: arm(2700, 3000)? }));      // everything is down
/// # Ok::<(), davy::stats::ArmError>(())
/// ```
#[must_use]
pub fn is_outage(pair: &Pair) -> bool {
    is_outage_of(pair.canary.as_f64(), pair.baseline.as_f64())
}

/// The same of events and requests that need not be whole, for planning.
pub(in crate::stats) fn is_outage_of(canary: (f64, f64), baseline: (f64, f64)) -> bool {
    let ((bad, requests), (beside, of_baseline)) = (canary, baseline);
    of_baseline > 0.0 && bad >= ENOUGH && bad >= MOST * requests && bad * of_baseline >= TIMES * beside * requests
}
