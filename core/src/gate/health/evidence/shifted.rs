//! Latency from native histograms: the canary's slow requests beyond buckets that lie later than the baseline's.

use serde::{Deserialize, Serialize};

use super::super::reading::{shift_in_buckets, shift_within_buckets};
use super::counted::{counted, of_histogram, replicas, slow_in_histogram, whole};
use super::doubt::doubted;
use super::gathered::Interval;
use super::shown::Shown;
use super::thresholds::{ENOUGH_TO_CHOOSE, places_to_prove, proved_at, steepness};
use crate::policy::{EvidencePlan, Proof};
use crate::snapshot::Histogram;
use crate::stats::{Arm, ByReplica, Declared, Latency, Noise, Pair, cuts};

/// What native histograms have gathered at the buckets that were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Shifted {
    /// The resolution that the buckets are counted in.
    schema: i8,
    /// Rising.
    at: Vec<i32>,
    /// By how many per cent fewer requests exceed it, if a threshold rises by one.
    pub(super) steepness: Vec<f64>,
    pub(super) harm: Latency<9>,
    pub(super) noise: Vec<Noise<9>>,
    safe: Latency<9>,
    pub(super) doubt: Vec<Noise<9>>,
}

/// The requests of both cohorts, and those of the baseline by replica.
type Split = (Pair, Vec<(usize, Arm)>);

impl Shifted {
    /// Thresholds from the baseline alone, in an interval that is not judged.
    pub(super) fn choose(baseline: &Histogram) -> Option<Self> {
        if baseline.total().get() < ENOUGH_TO_CHOOSE {
            return None;
        }
        let slower = of_histogram(baseline).slower();
        let chosen = cuts(&slower, baseline.total());
        let (at, shares): (Vec<i32>, Vec<f64>) = chosen.iter().map(|cut| (cut.at, cut.share)).unzip();
        let (harm, safe) = (Latency::new(&shares).ok()?, Latency::new(&proved_at(&shares)).ok()?);
        let width = libm::exp2(-f64::from(baseline.schema())) * std::f64::consts::LN_2;
        let steepness = at.iter().map(|at| steepness(&slower, at, |a, b| f64::from(b - a) * width)).collect();
        let noise = vec![Noise::new(); at.len()];
        let doubt = vec![Noise::new(); proved_at(&at).len()];
        Some(Self { schema: baseline.schema(), at, steepness, harm, noise, safe, doubt })
    }

    /// Slow requests of both cohorts at each of these thresholds, those of the canary so many buckets later.
    fn seen(&self, interval: Interval<'_>, cuts: &[i32], later: i32) -> Option<Vec<Split>> {
        let of = |cut: &i32| {
            let of_canary = cut.checked_add(later)?;
            let canary = whole(interval.sides.canary, |observed| slow_in_histogram(observed, self.schema, of_canary))?;
            let slow = |observed: &_| slow_in_histogram(observed, self.schema, *cut);
            let baseline = counted(interval.known, interval.sides.baseline, slow)?;
            Some((Pair { canary, baseline: baseline.whole }, baseline.replicas))
        };
        cuts.iter().map(of).collect()
    }

    pub(super) fn fold(&mut self, plan: &EvidencePlan, proof: &Proof, interval: Interval<'_>, shown: &mut Shown) {
        let Proof::Shift { tolerate, unacceptable, harm, safe } = proof else { return };
        let canary = replicas(interval.sides.canary);
        let tolerated = self.seen(interval, &self.at, shift_in_buckets(*tolerate, self.schema));
        if let Some(seen) = tolerated {
            let pairs: Vec<Pair> = seen.iter().map(|(pair, _)| *pair).collect();
            let noise = &mut self.noise;
            self.harm.fold_each(harm, &pairs, |index, increment| {
                if let (Some((pair, baseline)), Some(noise)) = (seen.get(index), noise.get_mut(index)) {
                    noise.fold(1.0, interval.step, &ByReplica { pair: *pair, canary, baseline }, increment);
                }
            });
        }
        let within = shift_within_buckets(*unacceptable, self.schema);
        if let Some(seen) = self.seen(interval, &proved_at(&self.at), within) {
            let pairs: Vec<Pair> = seen.iter().map(|(pair, _)| *pair).collect();
            let doubt = &mut self.doubt;
            self.safe.fold_each(safe, &pairs, |index, increment| {
                if let (Some((pair, baseline)), Some(noise)) = (seen.get(index), doubt.get_mut(index)) {
                    noise.fold(1.0, 0, &ByReplica { pair: *pair, canary, baseline }, increment);
                }
            });
            let (steepness, places) = (proved_at(&self.steepness), places_to_prove(self.at.len()));
            let least = self.doubt.iter().zip(&steepness).zip(places).map(|((noise, steepness), place)| {
                let of_past = interval.past.of(place, 0, noise.age(0));
                doubted(plan, noise, 1.0, Declared::latency(*steepness), of_past)
            });
            shown.fold(plan, self.safe.least_e(safe), least.fold(f64::INFINITY, f64::min));
        }
    }
}
