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
/// canary's traffic the longer [`Noise`](super::Noise) doubts even that every request fails, about twenty intervals with
/// as much traffic as each of three replicas has. But a healthy replica that fails most of its requests is none. More bad
/// requests of the canary never make it less of an outage. The three limits are set, not estimated. Only failures beside
/// a baseline are asked about: slow requests are common enough to be noise.
///
/// What an outage says counts as it is, and what was said before it stays discounted. Each run of intervals that show
/// one is bet on like any start of a regression, by the weights of [`Starts`](crate::stats::Starts), and the first
/// interval that shows none takes all that was bet: the increment is `e_k` in an outage and 0 otherwise, so the whole
/// is a supermartingale from 1 wherever that of `e_k` is. The intervals could not just be picked out and multiplied:
/// which of them are outages depends on what they hold.
///
/// The second key is the larger of this and of what the noise leaves. The larger of two such processes is none, but
/// nothing rests on that: for independent requests the first key bounds false aborts, whatever the second does. Under
/// noise between replicas nothing bounds how often a healthy canary looks like this, so an abort that needs it is
/// within the guarantee for independent requests alone.
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
