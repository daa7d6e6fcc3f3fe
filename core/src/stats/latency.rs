//! Latency as evidence: slow requests at several thresholds, each tested by itself, averaged.
//!
//! Where every threshold τ and the tolerated shift δ were fixed before the rollout, counting the canary's requests
//! slower than τ·(1 + δ) beside the baseline's slower than τ tests *the canary, were it 1 + δ times as fast, is not
//! slower than the baseline*, stochastically (E. L. Lehmann, Annals of Mathematical Statistics 26 (1955) 399). The
//! thresholds look at the middle of the distribution and at its tail at once, and the average of their evidence needs
//! no correction.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arms::{Arm, Pair};
use super::grid::PlanError;
use super::growth::Traffic;
use super::known::KnownShareTest;
use super::odds::{Forecast, OddsTest};
use super::packed;
use super::process::{Increment, Process};
use super::starts::Starts;

/// How latency is judged: made once per policy.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyPlan<const J: usize> {
    test: OddsTest<J>,
    starts: Starts,
}

/// The evidence of one metric's latency: the state, one process and one forecast per threshold.
///
/// With five thresholds and nine odds it is 0.5 KB, and 0.6 KB as JSON.
///
/// ```
/// use davy::Count;
/// use davy::stats::{Arm, Grid, Latency, LatencyPlan, ODDS, OddsTest, Pair, Starts};
/// use std::num::NonZeroU32;
///
/// // Once per policy.
/// let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS)?), Starts::Within(NonZeroU32::new(60).expect("60")));
///
/// // Once per release: thresholds that half and a tenth of the requests exceed.
/// let mut latency = Latency::new(&[0.5, 0.1])?;
///
/// // Once per interval: slow requests of each arm at each threshold.
/// let arm = |slow: u32, total: u32| Arm::new(Count::from(slow), Count::from(total));
/// let pairs = [
///     Pair { canary: arm(60, 75)?, baseline: arm(712, 1425)? },
///     Pair { canary: arm(20, 75)?, baseline: arm(140, 1425)? },
/// ];
/// latency.fold(&plan, &pairs);
/// assert!(latency.e(&plan) > 1000.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Latency<const J: usize>(Vec<Threshold<J>>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Threshold<const J: usize> {
    forecast: Forecast,
    process: Process<J>,
}

impl<const J: usize> LatencyPlan<J> {
    /// One test for all thresholds.
    #[must_use]
    pub const fn new(test: OddsTest<J>, starts: Starts) -> Self {
        Self { test, starts }
    }
}

impl<const J: usize> Latency<J> {
    /// Before the first interval. Each threshold is known here by the share of requests that exceed it: that of its
    /// [`Cut`](super::Cut), or a guess.
    ///
    /// # Errors
    /// [`PlanError::Weights`] without thresholds, [`PlanError::Share`] for a share of 0 or 1.
    pub fn new(shares: &[f64]) -> Result<Self, PlanError> {
        if shares.is_empty() {
            return Err(PlanError::Weights);
        }
        let threshold = |share: &f64| Ok(Threshold { forecast: Forecast::new(*share)?, process: Process::new() });
        shares.iter().map(threshold).collect::<Result<_, _>>().map(Self)
    }

    /// Takes in one interval beside a baseline: slow requests at each threshold, in the order of their shares.
    ///
    /// If there are not as many pairs as thresholds, nothing is folded: an interval counts whole or not at all.
    pub fn fold(&mut self, plan: &LatencyPlan<J>, pairs: &[Pair]) {
        self.fold_each(plan, pairs, |_, _| {});
    }

    /// The same, and hands on what each threshold says, by its index: for the noise beside it.
    pub fn fold_each(&mut self, plan: &LatencyPlan<J>, pairs: &[Pair], mut each: impl FnMut(usize, &Increment<J>)) {
        if pairs.len() != self.0.len() {
            return;
        }
        for (index, (threshold, pair)) in self.0.iter_mut().zip(pairs).enumerate() {
            // The forecast is from before this interval.
            let increment = plan.test.increment(pair, threshold.forecast);
            threshold.process.fold(plan.starts, &increment);
            threshold.forecast.fold(pair);
            each(index, &increment);
        }
    }

    /// Takes in one interval of the live stage, without a baseline: slow requests at each threshold, and the test
    /// against the share that a frozen reference had there. The same evidence goes on.
    ///
    /// If there are not as many as thresholds, nothing is folded.
    pub fn fold_known(&mut self, plan: &LatencyPlan<J>, seen: &[(Arm, &KnownShareTest<J>)]) {
        if seen.len() != self.0.len() {
            return;
        }
        for (threshold, (arm, test)) in self.0.iter_mut().zip(seen) {
            let increment: Increment<J> = test.increment(*arm);
            threshold.process.fold(plan.starts, &increment);
        }
    }

    /// Takes in what an interval of this traffic says on average, given per threshold, once the guesses are right: for
    /// planning. Hands on what each threshold says, by its index.
    ///
    /// If there are not as many as thresholds, nothing is folded.
    pub fn fold_expected(
        &mut self,
        plan: &LatencyPlan<J>,
        traffic: &[Traffic],
        mut each: impl FnMut(usize, &Increment<J>),
    ) {
        if traffic.len() == self.0.len() {
            for (index, (threshold, traffic)) in self.0.iter_mut().zip(traffic).enumerate() {
                let increment = plan.test.growth(traffic);
                threshold.process.fold(plan.starts, &increment);
                each(index, &increment);
            }
        }
    }

    /// The evidence: the average over thresholds.
    #[must_use]
    pub fn e(&self, plan: &LatencyPlan<J>) -> f64 {
        mean(self.at_thresholds(plan))
    }

    /// The evidence where it is weakest. To show that latency is acceptable, it must be so at every threshold.
    #[must_use]
    pub fn least_e(&self, plan: &LatencyPlan<J>) -> f64 {
        self.at_thresholds(plan).fold(f64::INFINITY, f64::min)
    }

    /// The evidence at each threshold, in their order; for explanations.
    pub fn at_thresholds<'a>(&'a self, plan: &'a LatencyPlan<J>) -> impl Iterator<Item = f64> + 'a {
        self.0.iter().map(|threshold| threshold.process.e(plan.starts))
    }

    /// How many intervals were folded.
    #[must_use]
    pub fn intervals(&self) -> u32 {
        self.0.first().map_or(0, |threshold| threshold.process.intervals())
    }
}

fn mean(evidence: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = evidence.fold((0.0, 0.0), |(sum, count), e| (sum + e, count + 1.0));
    sum / count
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    intervals: u32,
    thresholds: String,
}

impl<const J: usize> Serialize for Latency<J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers =
            self.0.iter().flat_map(|threshold| threshold.forecast.sums().into_iter().chain(*threshold.process.mass()));
        Written { intervals: self.intervals(), thresholds: packed::write(numbers) }.serialize(serializer)
    }
}

impl<'de, const J: usize> Deserialize<'de> for Latency<J> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let read = || {
            let numbers = packed::read(&written.thresholds).filter(|numbers| !numbers.is_empty())?;
            let thresholds = numbers.chunks(2 + J).map(|numbers| {
                let (sums, mass) = numbers.split_first_chunk::<2>()?;
                let process = Process::restore(written.intervals, mass)?;
                Some(Threshold { forecast: Forecast::restore(*sums)?, process })
            });
            thresholds.collect::<Option<Vec<_>>>()
        };
        read().map(Self).ok_or_else(|| D::Error::custom("not the state of a latency"))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;
    use crate::Count;
    use crate::stats::{Arm, Grid};

    const SHARES: &[f64] = &[0.5, 0.1];

    fn plan() -> LatencyPlan<2> {
        LatencyPlan::new(OddsTest::new(Grid::new([1.5, 3.0]).unwrap()), Starts::First)
    }

    fn pair(canary: u32, baseline: u32) -> Pair {
        let arm = |slow, total| Arm::new(Count::from(slow), Count::from(total)).unwrap();
        Pair { canary: arm(canary, 100), baseline: arm(baseline, 1000) }
    }

    #[test]
    fn an_interval_counts_whole_or_not_at_all() {
        let plan = plan();
        let mut latency = Latency::new(SHARES).unwrap();
        latency.fold(&plan, &[pair(90, 500)]);
        let test = KnownShareTest::new(Grid::new([1.5, 3.0]).unwrap(), 0.5).unwrap();
        latency.fold_known(&plan, &[(pair(90, 500).canary, &test)]);
        assert_eq!(latency, Latency::new(SHARES).unwrap());
        latency.fold(&plan, &[pair(90, 500), pair(10, 100)]);
        assert_eq!(latency.intervals(), 1);
    }

    #[test]
    fn evidence_is_averaged_and_its_absence_is_not() {
        let plan = plan();
        let mut latency = Latency::new(SHARES).unwrap();
        latency.fold(&plan, &[pair(90, 500), pair(5, 100)]);
        let at: Vec<f64> = latency.at_thresholds(&plan).collect();
        assert!(at[0] > 1e6 && at[1] < 1.0);
        assert!((latency.e(&plan) / (0.5 * at[0]) - 1.0).abs() < 1e-6);
        assert_eq!(latency.least_e(&plan), at[1]);
    }

    #[test]
    fn evidence_goes_on_without_a_baseline() {
        let plan = plan();
        let mut latency = Latency::new(SHARES).unwrap();
        latency.fold(&plan, &[pair(60, 500), pair(14, 100)]);
        let before = latency.e(&plan);
        let grid = Grid::new([1.5, 3.0]).unwrap();
        let [median, tail] = [0.5, 0.1].map(|share| KnownShareTest::new(grid.clone(), share).unwrap());
        let slow = [(pair(60, 0).canary, &median), (pair(14, 0).canary, &tail)];
        latency.fold_known(&plan, &slow);
        assert!(latency.e(&plan) > 1.5 * before);
        assert_eq!(latency.intervals(), 2);
    }

    #[test]
    fn there_are_thresholds_and_each_has_a_share() {
        assert_eq!(Latency::<2>::new(&[]), Err(PlanError::Weights));
        assert_eq!(Latency::<2>::new(&[0.5, 1.0]), Err(PlanError::Share(1.0)));
    }

    #[test]
    fn what_is_expected_is_what_an_average_interval_says() {
        let plan = plan();
        let average = [(90, 500), (20, 100)].map(|(canary, baseline)| pair(canary, baseline));
        let traffic = [(0.9, 0.5), (0.2, 0.1)]
            .map(|(canary, baseline)| Traffic::new((100.0, canary), (1000.0, baseline)).unwrap());
        let mut latency = Latency::new(SHARES).unwrap();
        latency.fold(&plan, &average);
        let mut expected = Latency::new(SHARES).unwrap();
        expected.fold_expected(&plan, &traffic, |_, _| {});
        assert!((expected.e(&plan) / latency.e(&plan) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_state_survives_as_json_and_forged_ones_do_not() {
        let plan = plan();
        let mut latency = Latency::new(SHARES).unwrap();
        latency.fold(&plan, &[pair(60, 500), pair(12, 100)]);
        let json = serde_json::to_string(&latency).unwrap();
        assert_eq!(serde_json::from_str::<Latency<2>>(&json).unwrap(), latency);
        assert!(serde_json::from_str::<Latency<3>>(&json).is_err());
        let forged = |numbers: &[f64]| {
            let text = packed::write(numbers.iter().copied());
            serde_json::from_str::<Latency<2>>(&format!(r#"{{"intervals":1,"thresholds":"{text}"}}"#))
        };
        assert!(forged(&[1.0, 2.0, 1.0, 0.0]).is_ok());
        for numbers in [&[2.0, 1.0, 1.0, 0.0][..], &[0.0, 0.0, 1.0, 0.0], &[1.0, 2.0, f64::NAN, 0.0], &[1.0, 2.0], &[]]
        {
            assert!(forged(numbers).is_err(), "{numbers:?}");
        }
    }
}
