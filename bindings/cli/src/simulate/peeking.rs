//! What many do by hand: add up all counts since the start, test at every look, stop at the first small p-value.
//!
//! Errors and probe runs by the test of two proportions, latencies by Mann–Whitney's (H. B. Mann, D. R. Whitney,
//! Annals of Mathematical Statistics 18 (1947) 50) with its correction for ties, each at its part of the declared
//! level. Both are right where one looks once and the split never changes. It is here to be compared with.

use std::collections::BTreeMap;

use davy::{Asked, Cohort, Observed, Snapshot};
use libm::{erfc, sqrt};

use super::judge::Said;
use super::plan::Plan;

/// Everything since the start.
#[derive(Debug, Clone)]
pub(super) struct Peeking {
    level: f64,
    metrics: Vec<(davy::Name, Pooled)>,
}

/// Requests by place (bad or good, or bucket) of the canary and the baseline.
type Pooled = BTreeMap<i64, [f64; 2]>;

impl Peeking {
    pub(super) fn new(plan: &Plan) -> Self {
        let metrics: Vec<_> = plan.metrics.iter().map(|metric| (metric.name.clone(), Pooled::new())).collect();
        Self { level: plan.false_aborts.as_fraction() / metrics.len().max(1) as f64, metrics }
    }

    pub(super) fn begin(&mut self) {
        self.metrics.iter_mut().for_each(|(_, pooled)| pooled.clear());
    }

    pub(super) fn look(&mut self, snapshot: &Snapshot) -> Said {
        for observation in snapshot.intervals.iter().flat_map(davy::Interval::observations) {
            if let Some((_, pooled)) = self.metrics.iter_mut().find(|(name, _)| *name == observation.metric) {
                add(pooled, observation.cohort, &observation.observed);
            }
        }
        let fails = self.metrics.iter().any(|(_, pooled)| p_value(pooled) < self.level);
        let proceed = !fails && snapshot.asked != Asked::Keep;
        Said { proceed, fails, inconclusive: false, proved: !fails }
    }
}

fn add(pooled: &mut Pooled, cohort: Cohort, observed: &Observed) {
    let mut count = |place: i64, requests: u64| {
        let [canary, baseline] = pooled.entry(place).or_default();
        let side = if cohort == Cohort::Canary { canary } else { baseline };
        *side += requests as f64;
    };
    match observed {
        Observed::Counts { bad, total } => {
            count(0, total.get() - bad.get());
            count(1, bad.get());
        }
        Observed::Histogram(histogram) => {
            histogram.buckets().iter().for_each(|(index, requests)| count(i64::from(*index), requests.get()));
        }
        Observed::Buckets(buckets) => {
            let mut before = 0;
            let all = buckets.at_most().iter().map(|(_, requests)| requests.get()).chain([buckets.total().get()]);
            for (place, within) in all.enumerate() {
                count(place as i64, within - before);
                before = within;
            }
        }
        Observed::Gauge(_) | Observed::Events(_) | Observed::Missing(_) => {}
    }
}

/// One-sided: how likely the canary would rank at least as high if it were alike. With two places it is the test of
/// two proportions.
fn p_value(pooled: &Pooled) -> f64 {
    let (mut canary, mut baseline, mut ties, mut wins) = (0.0, 0.0, 0.0, 0.0);
    for [own, other] in pooled.values() {
        wins += own * (baseline + 0.5 * other);
        canary += own;
        baseline += other;
        let tied = own + other;
        ties += tied * tied * tied - tied;
    }
    let all = canary + baseline;
    let variance = canary * baseline / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if canary > 0.0 && baseline > 0.0 && variance > 0.0 {
        let z = (wins - 0.5 * canary * baseline) / sqrt(variance);
        0.5 * erfc(z / std::f64::consts::SQRT_2)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_those_of_the_textbook() {
        // 30 of 200 beside 20 of 300: the test of two proportions, z = 3.048 with n − 1 for n.
        let pooled = Pooled::from([(0, [170.0, 280.0]), (1, [30.0, 20.0])]);
        let (share, spread) = (50.0 / 500.0, 1.0 / 200.0 + 1.0 / 300.0);
        let z = (30.0 / 200.0 - 20.0 / 300.0) / (share * (1.0 - share) * spread * (500.0 / 499.0_f64)).sqrt();
        assert!((p_value(&pooled) - 0.5 * erfc(z / 2_f64.sqrt())).abs() < 1e-12);
        // Without ties: ranks 3, 4, 5 of the canary beside 1, 2 of the baseline: U = 6, variance 3·2·6/12 = 3.
        let pooled: Pooled = (0..5).map(|place| (place, if place < 2 { [0.0, 1.0] } else { [1.0, 0.0] })).collect();
        assert!((p_value(&pooled) - 0.5 * erfc((6.0 - 3.0) / 3_f64.sqrt() / 2_f64.sqrt())).abs() < 1e-12);
        assert!(p_value(&Pooled::new()) > 0.99);
    }
}
