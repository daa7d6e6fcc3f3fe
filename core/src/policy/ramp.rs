//! How far the ramp has come, read from the traffic itself: at each step a window of the second key begins.

use crate::document::{Bake, BakeReference, Step};
use crate::snapshot::{Cohort, Observation, Observed};
use crate::stats::MOST_WINDOWS;

/// The shares of the traffic at which the next step of the ramp begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ramp(Vec<f64>);

/// Requests of both cohorts, in the metric in which the canary has most.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Traffic {
    canary: f64,
    baseline: f64,
}

impl Ramp {
    /// A step begins where the odds of a request going to the canary are nearer to those of its weight than to those of
    /// the weight before it. After the last comes the live stage, if it is compared with a baseline.
    pub(crate) fn of(steps: &[Step], bake: Option<&Bake>) -> Self {
        let against = bake.and_then(|bake| bake.against.as_ref());
        let live = against.is_some_and(|against| against.value == BakeReference::Retained);
        let weights: Vec<f64> = steps.iter().map(|step| step.weight.value.as_fraction()).collect();
        let mut turns: Vec<f64> =
            weights.windows(2).filter_map(|pair| between(*pair.first()?, *pair.last()?)).collect();
        if let Some(last) = weights.last().filter(|last| live && **last < 1.0) {
            turns.push(0.5 * (last + 1.0));
        }
        turns.truncate(MOST_WINDOWS - 1);
        Self(turns)
    }

    /// The step after an interval of this traffic; it never goes back.
    pub(crate) fn step(&self, before: usize, traffic: Traffic) -> usize {
        let share = traffic.canary / (traffic.canary + traffic.baseline);
        // Without traffic there is no share, and no comparison holds.
        let begun = self.0.iter().rposition(|turn| share >= *turn).map_or(0, |turn| turn + 1);
        before.max(begun)
    }

    /// Half of the weight is for everything, the other half for the windows that begin with the later steps.
    pub(crate) fn average(&self, e: impl Fn(usize) -> f64) -> f64 {
        if self.0.is_empty() {
            return e(0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few steps")]
        let later = self.0.len() as f64;
        0.5 * e(0) + 0.5 * (1..=self.0.len()).fold(0.0, |sum, window| sum + e(window)) / later
    }
}

impl Traffic {
    /// So many requests of each cohort, or in these proportions.
    pub(crate) const fn new(canary: f64, baseline: f64) -> Self {
        Self { canary, baseline }
    }

    /// Of an interval's observations, sorted by metric.
    pub(crate) fn of(observations: &[Observation]) -> Self {
        let mut most = Self::default();
        for metric in observations.chunk_by(|a, b| a.metric == b.metric) {
            let of = |cohort| metric.iter().filter(|seen| seen.cohort == cohort).map(requests).sum::<f64>();
            let own = Self { canary: of(Cohort::Canary), baseline: of(Cohort::Baseline) };
            if own.canary > most.canary && own.baseline > 0.0 {
                most = own;
            }
        }
        most
    }
}

fn requests(observation: &Observation) -> f64 {
    let total = match &observation.observed {
        Observed::Counts { total, .. } => *total,
        Observed::Buckets(buckets) => buckets.total(),
        Observed::Histogram(histogram) => histogram.total(),
        Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => return 0.0,
    };
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let total = total.get() as f64;
    total
}

/// The share whose odds are the geometric mean of those of two others.
fn between(one: f64, other: f64) -> Option<f64> {
    if other >= 1.0 {
        return Some(0.5 * (one + 1.0));
    }
    let odds = libm::sqrt(one / (1.0 - one) * (other / (1.0 - other)));
    odds.is_finite().then(|| odds / (1.0 + odds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(canary: f64) -> Traffic {
        Traffic { canary, baseline: 100.0 - canary }
    }

    #[test]
    fn a_step_begins_where_its_weight_is_nearest_and_never_ends() {
        let ramp = Ramp([0.05, 0.1, 0.25, 0.5].windows(2).map(|pair| between(pair[0], pair[1]).unwrap()).collect());
        let mut step = 0;
        let steps: Vec<usize> = [5.0, 6.0, 9.5, 5.0, 24.0, 26.0, 49.0, 0.0]
            .map(|share| {
                step = ramp.step(step, at(share));
                step
            })
            .into();
        assert_eq!(steps, [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(ramp.step(1, Traffic::default()), 1, "without traffic nothing begins");
    }

    #[test]
    fn windows_share_the_weight() {
        let ramp = Ramp(vec![0.1, 0.3]);
        assert!((ramp.average(|_| 1.0) - 1.0).abs() < 1e-15);
        assert!((ramp.average(|window| if window == 0 { 1.0 } else { 0.0 }) - 0.5).abs() < 1e-15);
        assert!((Ramp(Vec::new()).average(|_| 7.0) - 7.0).abs() < 1e-15);
    }
}
