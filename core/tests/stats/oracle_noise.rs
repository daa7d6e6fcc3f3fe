//! Both keys beside an independent implementation: every interval of five noisy rollouts, with the internals.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]

use std::num::NonZeroU32;

use davy::stats::{
    Arm, ByReplica, Declared, Estimate, Forecast, Grid, Increment, Method, Noise, ODDS, OddsTest, Pair, Process,
    RATIOS, RatioTest, Starts, Weights, discount,
};
use serde_json::Value;

use crate::oracle::{agree, cases, number, numbers};
use crate::pair;

fn file() -> Value {
    serde_json::from_str(&std::fs::read_to_string("tests/data/noise.json").unwrap()).unwrap()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn index(value: &Value) -> usize {
    usize::try_from(count(value)).unwrap()
}

#[test]
fn evidence_saturates_as_students_t_does() {
    for case in cases(&file()["blocks"]["t_discount"]) {
        let [chance, most, freedom] = ["kappa1", "Lmax", "nu"].map(|name| number(&case[name]));
        agree(discount(chance, most, freedom), number(&case["kappa"]), case);
    }
}

#[test]
fn the_increments_of_both_keys_are_the_same() {
    let file = file();
    let seen = |case: &Value| {
        let [xc, nc, xb, nb] = ["xC", "nC", "xB", "nB"].map(|name| count(&case[name]));
        pair((xc, nc), (xb, nb))
    };
    for case in cases(&file["blocks"]["count_e"]) {
        let test = RatioTest::new(Grid::new([number(&case["g"])]).unwrap(), number(&case["rho0"])).unwrap();
        let [log_e] = *test.increment(&seen(case)).logs();
        agree(log_e, number(&case["log_e"]), case);
    }
    for case in cases(&file["blocks"]["two_by_two"]) {
        let test = OddsTest::new(Grid::new([number(&case["odds"])]).unwrap());
        let [log_e] = *test.increment(&seen(case), Forecast::new(number(&case["theta0"])).unwrap()).logs();
        agree(log_e, number(&case["log_e"]), case);
    }
}

/// Errors, and slow requests at three thresholds.
struct Rollout {
    errors: (RatioTest<8>, Starting<8>, Noise<8>),
    slow: Vec<(OddsTest<9>, Guess, Starting<9>, Noise<9>)>,
    weights: Weights,
}

/// Half of the bet from the first interval on, half evenly over starts at the others.
struct Starting<const J: usize> {
    first: Process<J>,
    second: Process<J>,
    evenly: (Starts, Process<J>),
}

/// The share of slow requests so far, and one of each kind beside them.
struct Guess {
    first: f64,
    slow: u64,
    total: u64,
}

impl<const J: usize> Starting<J> {
    fn new(intervals: u32) -> Self {
        let evenly = Starts::Within(NonZeroU32::new(intervals - 1).unwrap());
        Self { first: Process::new(), second: Process::new(), evenly: (evenly, Process::new()) }
    }

    fn fold(&mut self, increment: &Increment<J>) {
        if self.first.intervals() > 0 {
            self.second.fold(Starts::First, increment);
            self.evenly.1.fold(self.evenly.0, increment);
        }
        self.first.fold(Starts::First, increment);
    }

    fn e(&self) -> f64 {
        let (starts, evenly) = &self.evenly;
        0.5 * self.first.e(Starts::First) + evenly.e(*starts) - 0.5 * self.second.e(Starts::First)
    }
}

impl Guess {
    fn forecast(&self) -> Forecast {
        let of_seen = (self.slow as f64 + 1.0) / (self.total as f64 + 2.0);
        Forecast::new(if self.total == 0 { self.first } else { of_seen }).unwrap()
    }
}

impl Rollout {
    fn of(case: &Value) -> Self {
        let intervals = u32::try_from(count(&case["n_intervals"])).unwrap();
        let of_odds = |first: f64| {
            let test = OddsTest::new(Grid::new(ODDS).unwrap());
            (test, Guess { first, slow: 0, total: 0 }, Starting::new(intervals), Noise::new())
        };
        let ratio = RatioTest::new(Grid::new(RATIOS).unwrap(), number(&case["rho0"])).unwrap();
        Self {
            errors: (ratio, Starting::new(intervals), Noise::new()),
            slow: numbers(&case["theta0"]).into_iter().skip(1).map(of_odds).collect(),
            weights: Weights::new(numbers(&case["metric_weights"])).unwrap(),
        }
    }

    /// Folds one interval; the weighted average of the first key.
    fn fold(&mut self, bound: f64, interval: &Value) -> f64 {
        let step = index(&interval["step"]);
        let canary = u32::try_from(count(&interval["canary_replicas"])).unwrap();
        let of = |metric: usize| {
            let arm = |row: &Value| {
                Arm::new(count(&row[metric]).try_into().unwrap(), count(&row[0]).try_into().unwrap()).unwrap()
            };
            let baseline: Vec<(usize, Arm)> = cases(&interval["baseline"]).iter().map(arm).enumerate().collect();
            let sum = |of: fn(&Arm) -> u64| baseline.iter().map(|(_, arm)| of(arm)).sum::<u64>();
            let (bad, all) = (sum(|arm| arm.events().get()), sum(|arm| arm.total().get()));
            let whole = Arm::new(bad.try_into().unwrap(), all.try_into().unwrap()).unwrap();
            (Pair { canary: arm(&interval["canary"]), baseline: whole }, baseline)
        };
        let (pair, baseline) = of(1);
        let (test, process, noise) = &mut self.errors;
        let increment = test.increment(&pair);
        process.fold(&increment);
        noise.fold(bound, step, &ByReplica { pair, canary, baseline: &baseline }, &increment);
        for (metric, (test, guess, process, noise)) in self.slow.iter_mut().enumerate() {
            let (pair, baseline) = of(metric + 2);
            let increment = test.increment(&pair, guess.forecast());
            guess.slow += pair.baseline.events().get();
            guess.total += pair.baseline.total().get();
            process.fold(&increment);
            noise.fold(1.0, step, &ByReplica { pair, canary, baseline: &baseline }, &increment);
        }
        let slow = self.slow.iter().map(|slow| slow.2.e());
        self.weights.average([self.errors.1.e()].into_iter().chain(slow))
    }

    fn estimates(&self, bound: f64, window: usize, method: Method, history: &Value) -> Vec<Option<Estimate>> {
        // The file has F·(s² − v0); what history holds is not weighted yet.
        let now = usize::try_from(self.errors.2.age(0)).unwrap() - 1;
        let of = |metric: usize, today: Option<Estimate>| {
            today.map(|today| number(&history[metric][window][now]) / today.weighting)
        };
        let errors = &self.errors.2;
        let today = errors.estimate_by(Method::Replicas, window, bound, Declared::ERRORS, None);
        let errors = errors.estimate_by(method, window, bound, Declared::ERRORS, of(0, today));
        let slow = self.slow.iter().enumerate().map(|(metric, (.., noise))| {
            let today = noise.estimate_by(Method::Replicas, window, 1.0, Declared::ERRORS, None);
            noise.estimate_by(method, window, 1.0, Declared::ERRORS, of(metric + 1, today))
        });
        [errors].into_iter().chain(slow).collect()
    }

    /// The logarithm of the second key.
    fn discounted(&self, case: &Value, method: Method) -> f64 {
        let steps = index(&case["steps"]);
        let bound = number(&case["rho0"]);
        let mut of_metrics = vec![0.0; 1 + self.slow.len()];
        for window in 0..steps {
            let weight = if window == 0 { 0.5 } else { 0.5 / (steps as f64 - 1.0) };
            for (sum, estimate) in
                of_metrics.iter_mut().zip(self.estimates(bound, window, method, &case["history_tau2"]))
            {
                *sum += weight * estimate.map_or(1.0, |estimate| estimate.e);
            }
        }
        libm::log(self.weights.average(of_metrics))
    }
}

#[test]
fn every_interval_of_noisy_rollouts() {
    let file = file();
    assert_eq!((numbers(&file["odds_grid_errors"]), numbers(&file["odds_grid_latency"])), (RATIOS.into(), ODDS.into()));
    let mut checked = 0;
    for case in cases(&file["cases"]) {
        let bound = number(&case["rho0"]);
        let mut rollout = Rollout::of(case);
        // The largest so far; before the first interval there is none.
        let mut most = f64::NEG_INFINITY;
        for (interval, expected) in cases(&case["intervals"]).iter().zip(cases(&case["expected"])) {
            let e = rollout.fold(bound, interval);
            let what = (&case["name"], &interval["k"]);
            agree(libm::log(e), number(&expected["plain"]), &what);
            most = most.max(libm::log(e));
            for (method, raw, both) in [
                (Method::Replicas, "raw_D7", "D7"),
                (Method::FewReplicas, "raw_D8", "D8"),
                (Method::History, "raw_D9", "D9"),
            ] {
                let discounted = rollout.discounted(case, method);
                agree(discounted, number(&expected[raw]), &(what, raw));
                agree(discounted.min(most), number(&expected[both]), &(what, both));
            }
            // Every sixteenth interval or so has them.
            for internals in expected["window0"].as_array().into_iter().flatten() {
                checked += 1;
                let metric = index(&internals["metric"]);
                let of = |method| rollout.estimates(bound, 0, method, &case["history_tau2"])[metric].unwrap();
                let (many, few) = (of(Method::Replicas), of(Method::FewReplicas));
                for (name, value) in [
                    ("E", many.expected),
                    ("O", many.observed),
                    ("vP", many.chance),
                    ("cJ", many.concentration),
                    ("s2", many.spread),
                    ("v0", many.spread_by_chance),
                    ("F", many.weighting),
                    ("sigma2", many.interval_noise),
                    ("rho", many.correlation),
                    ("tau2", many.noise),
                    ("V", many.variance),
                    ("nu_D7", many.freedom),
                    ("nu_D8", few.freedom),
                    ("kappa_D7", many.counted),
                    ("kappa_D8", few.counted),
                    ("Lmax", many.most),
                ] {
                    agree(value, number(&internals[name]), &(what, metric, name));
                }
            }
        }
    }
    assert_eq!(checked, 76, "four tests in nineteen intervals");
}
