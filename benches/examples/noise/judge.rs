//! What looks at the rollouts: the first key alone, each method of the second, and the method that the data choose.

use std::num::NonZeroU32;

use davy::Count;
use davy::stats::{
    Arm, ByReplica, Declared, Forecast, Grid, Method, Noise, ODDS, OddsTest, Pair, Process, RATIOS, RatioTest, Starts,
    Weights, is_outage,
};

use crate::model::{Cell, INTERVALS, Interval, Row};

/// 1/α of this attempt, α = 1 %.
const LEVEL: f64 = 100.0;
const BOUND: f64 = 1.1;
const WINDOWS: usize = 4;
const TESTS: usize = 4;
/// Past rollouts from which history is known.
const HISTORY: u64 = 20;

/// How an abort is decided.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Column {
    /// Without the second key.
    First,
    Chosen,
    Many,
    Few,
    WithHistory,
    Alone,
}

impl Column {
    pub(crate) const ALL: [Self; 6] =
        [Self::First, Self::Chosen, Self::Many, Self::Few, Self::WithHistory, Self::Alone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "first key alone",
            Self::Chosen => "**davy: both keys**",
            Self::Many => "D7 everywhere",
            Self::Few => "D8 everywhere",
            Self::WithHistory => "D9, 20 past rollouts",
            Self::Alone => "A0, no replicas",
        }
    }
}

/// `F·(s² − v0)` of past rollouts, by test, window and interval.
pub(crate) struct Past(Vec<f64>);

impl Past {
    pub(crate) fn learn(cell: &Cell, seed: u64) -> Self {
        let mut sums = vec![0.0; TESTS * WINDOWS * INTERVALS];
        for run in 0..HISTORY {
            let mut rollout = cell.begin(seed ^ 0x9e37_79b9, run);
            let mut judges = Judges::new(cell);
            for k in 0..INTERVALS {
                judges.fold(&rollout.interval(k));
                for test in 0..TESTS {
                    for window in 0..WINDOWS {
                        if let Some(seen) = judges.estimate(test, window, Method::Replicas, None) {
                            sums[(test * WINDOWS + window) * INTERVALS + k] += seen.spread - seen.spread_by_chance;
                        }
                    }
                }
            }
        }
        sums.iter_mut().for_each(|sum| *sum = (*sum / HISTORY as f64).max(0.0));
        Self(sums)
    }
}

pub(crate) struct Judges {
    errors: (RatioTest<8>, Process<8>, Noise<8>),
    slow: Vec<(OddsTest<9>, Forecast, Process<9>, Noise<9>)>,
    weights: Weights,
    starts: Starts,
    sick: Vec<bool>,
    /// Whether sick replicas of the baseline are left out.
    heals: bool,
    /// While an outage lasts: the evidence of its own intervals, of which nothing is discounted.
    outage: Option<Process<8>>,
    peak: f64,
    intervals: usize,
    aborted: [Option<u32>; Column::ALL.len()],
}

impl Judges {
    pub(crate) fn new(cell: &Cell) -> Self {
        let slow = |share: f64| {
            let test = OddsTest::new(Grid::new(ODDS).expect("odds"));
            (test, Forecast::new(share).expect("a share"), Process::new(), Noise::new())
        };
        let sixth = 1.0 / 6.0;
        Self {
            errors: (
                RatioTest::new(Grid::new(RATIOS).expect("ratios"), BOUND).expect("a bound"),
                Process::new(),
                Noise::new(),
            ),
            slow: [0.5, 0.1, 0.01].map(slow).into(),
            weights: Weights::new([0.5, sixth, sixth, sixth]).expect("weights"),
            starts: Starts::Within(NonZeroU32::new(60).expect("60")),
            sick: vec![false; cell.replicas],
            heals: cell.replicas >= 8,
            outage: None,
            peak: 1.0,
            intervals: 0,
            aborted: [None; Column::ALL.len()],
        }
    }

    pub(crate) fn all_aborted(&self) -> bool {
        self.aborted.iter().all(Option::is_some)
    }

    pub(crate) fn aborted(&self) -> impl Iterator<Item = Option<u32>> + '_ {
        self.aborted.iter().copied()
    }

    /// One interval, and whether an abort is due after it.
    pub(crate) fn look(&mut self, k: usize, interval: &Interval, past: &Past) {
        self.fold(interval);
        if self.peak < LEVEL {
            return;
        }
        for (index, column) in Column::ALL.into_iter().enumerate() {
            if self.aborted[index].is_none() && self.second(column, k, past) >= LEVEL {
                self.aborted[index] = u32::try_from(k).ok();
            }
        }
    }

    fn second(&self, column: Column, k: usize, past: &Past) -> f64 {
        if column == Column::First {
            return f64::INFINITY;
        }
        let of = |test: usize| {
            let windows = (0..WINDOWS).map(|window| {
                let weight = if window == 0 { 0.5 } else { 0.5 / (WINDOWS - 1) as f64 };
                let history = past.0[(test * WINDOWS + window) * INTERVALS + k];
                let estimate = match column {
                    Column::Many => self.estimate(test, window, Method::Replicas, None),
                    Column::Few => self.estimate(test, window, Method::FewReplicas, None),
                    Column::WithHistory => self.estimate(test, window, Method::History, Some(history)),
                    Column::Alone => self.estimate(test, window, Method::Declared, None),
                    Column::First | Column::Chosen => self.chosen(test, window),
                };
                weight * estimate.map_or(1.0, |estimate| estimate.e)
            });
            let left = windows.sum::<f64>();
            let outage = self.outage.filter(|_| test == 0 && column == Column::Chosen);
            outage.map_or(left, |outage| outage.e(self.starts).max(left))
        };
        self.weights.average((0..TESTS).map(of))
    }

    fn estimate(&self, test: usize, window: usize, method: Method, past: Option<f64>) -> Option<davy::stats::Estimate> {
        match (test.checked_sub(1).and_then(|slow| self.slow.get(slow)), method) {
            (None, _) => self.errors.2.estimate_by(method, window, BOUND, Declared::ERRORS, past),
            (Some(slow), _) => slow.3.estimate_by(method, window, 1.0, declared(test), past),
        }
    }

    fn chosen(&self, test: usize, window: usize) -> Option<davy::stats::Estimate> {
        match test.checked_sub(1).and_then(|slow| self.slow.get(slow)) {
            None => self.errors.2.estimate(window, BOUND, Declared::ERRORS, None),
            Some(slow) => slow.3.estimate(window, 1.0, declared(test), None),
        }
    }

    fn fold(&mut self, interval: &Interval) {
        let rows: Vec<&(usize, Row)> = interval.baseline.iter().filter(|(place, _)| !self.sick[*place]).collect();
        let of = |metric: usize| {
            let arm = |row: &Row| Arm::new(count(row[metric]), count(row[0])).expect("events of requests");
            let baseline: Vec<(usize, Arm)> = rows.iter().map(|(place, row)| (*place, arm(row))).collect();
            let mut whole = [0; 5];
            rows.iter().for_each(|(_, row)| whole.iter_mut().zip(row).for_each(|(sum, count)| *sum += count));
            (Pair { canary: arm(&interval.canary), baseline: arm(&whole) }, baseline)
        };
        let (step, canary) = (interval.step, interval.canary_replicas);
        let (pair, baseline) = of(1);
        let (test, process, noise) = &mut self.errors;
        let increment = test.increment(&pair);
        self.outage = is_outage(&pair).then(|| {
            let mut lasting = self.outage.unwrap_or(process.without_past());
            lasting.fold(self.starts, &increment);
            lasting
        });
        process.fold(self.starts, &increment);
        noise.fold(BOUND, step, &ByReplica { pair, canary, baseline: &baseline }, &increment);
        for (metric, (test, guess, process, noise)) in self.slow.iter_mut().enumerate() {
            let (pair, baseline) = of(metric + 2);
            let increment = test.increment(&pair, *guess);
            guess.fold(&pair);
            process.fold(self.starts, &increment);
            noise.fold(1.0, step, &ByReplica { pair, canary, baseline: &baseline }, &increment);
        }
        let evidence = [self.errors.1.e(self.starts)].into_iter();
        let e = self.weights.average(evidence.chain(self.slow.iter().map(|slow| slow.2.e(self.starts))));
        self.peak = self.peak.max(e);
        self.intervals += 1;
        if self.heals && self.intervals > 4 {
            self.leave_out_the_sick();
        }
    }

    fn leave_out_the_sick(&mut self) {
        let mut found = davy::stats::sick(&self.errors.2);
        found.extend(davy::stats::sick(&self.slow[0].3));
        for place in found {
            if self.sick.iter().filter(|sick| !**sick).count() <= 2 || self.sick[place] {
                continue;
            }
            self.sick[place] = true;
            self.errors.2.forget(place);
            self.slow.iter_mut().for_each(|slow| slow.3.forget(place));
        }
    }
}

/// By how much shares of slow requests fall where thresholds rise, for lognormal latencies of a spread of 0.6.
fn declared(test: usize) -> Declared {
    Declared::latency([0.0, 1.33, 2.92, 4.44][test])
}

fn count(value: u64) -> Count {
    Count::new(value).expect("below 2^53")
}
