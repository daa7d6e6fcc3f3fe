//! Latency from classic buckets: slow requests beyond one bound.

use serde::{Deserialize, Serialize};

use super::counted::{counted, replicas, slow_in_buckets, whole};
use super::doubt::doubted;
use super::gathered::Interval;
use super::shown::Shown;
use super::thresholds::{ENOUGH_TO_CHOOSE, steepness};
use crate::Count;
use crate::policy::{EvidencePlan, Proof};
use crate::snapshot::Buckets;
use crate::stats::{ByReplica, Declared, Noise, Pair, Process, Starts, cuts};

/// What classic buckets have gathered at one bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AtBound {
    /// In seconds.
    bound: f64,
    pub(super) steepness: f64,
    pub(super) harm: Process<8>,
    pub(super) noise: Noise<8>,
    safe: Process<3>,
    pub(super) doubt: Noise<3>,
}

impl AtBound {
    /// Bounds from the baseline alone, in an interval that is not judged; none where there is too little traffic.
    pub(super) fn choose(baseline: &Buckets) -> Vec<Self> {
        if baseline.total().get() < ENOUGH_TO_CHOOSE {
            return Vec::new();
        }
        let slower = |(bound, fast): &(f64, Count)| (*bound, baseline.total().saturating_sub(*fast));
        let slower: Vec<(f64, Count)> = baseline.at_most().iter().map(slower).collect();
        let apart = |a: f64, b: f64| if a > 0.0 { libm::log(b / a) } else { f64::INFINITY };
        let of = |bound| Self {
            bound,
            steepness: steepness(&slower, &bound, apart),
            harm: Process::new(),
            noise: Noise::new(),
            safe: Process::new(),
            doubt: Noise::new(),
        };
        cuts(&slower, baseline.total()).into_iter().map(|cut| of(cut.at)).collect()
    }

    pub(super) fn fold(
        all: &mut [Self],
        plan: &EvidencePlan,
        proof: &Proof,
        interval: Interval<'_>,
        shown: &mut Shown,
    ) {
        let (Proof::Slow { harm, safe }, sides) = (proof, interval.sides) else { return };
        let seen = |at: &Self| {
            let of = |observed: &_| slow_in_buckets(observed, at.bound);
            Some((whole(sides.canary, of)?, counted(interval.known, sides.baseline, of)?))
        };
        let Some(seen) = all.iter().map(seen).collect::<Option<Vec<_>>>() else { return };
        let (mut least, mut least_doubted) = (f64::INFINITY, f64::INFINITY);
        for (place, (at, (canary, baseline))) in all.iter_mut().zip(&seen).enumerate() {
            let pair = Pair { canary: *canary, baseline: baseline.whole };
            let seen = ByReplica { pair, canary: replicas(sides.canary), baseline: &baseline.replicas };
            let (worse_now, better_now) = (harm.increment(&pair), safe.increment(&pair));
            at.harm.fold(plan.starts, &worse_now);
            at.noise.fold(harm.bound(), interval.step, &seen, &worse_now);
            at.safe.fold(Starts::First, &better_now);
            at.doubt.fold(safe.bound(), 0, &seen, &better_now);
            least = least.min(at.safe.e(Starts::First));
            let declared = Declared::latency(at.steepness);
            let of_past = interval.past.of(place, 0, at.doubt.age(0));
            least_doubted = least_doubted.min(doubted(plan, &at.doubt, safe.bound(), declared, of_past));
        }
        shown.fold(plan, least, least_doubted);
    }
}
