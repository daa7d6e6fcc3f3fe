//! Numbers of SciPy, confseq and exact dynamic programming for what decides.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]

use std::num::NonZeroU32;

use davy::stats::{
    Forecast, Grid, GroupSequential, NormalMixture, ODDS, OddsTest, Process, RATIOS, RatioTest, Sides, Spending, Starts,
};
use serde_json::Value;

use crate::pair;

/// The families of the file, read once per test.
pub(crate) fn family(name: &str) -> Value {
    let text = std::fs::read_to_string("tests/data/statistics.json").unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let family = all[name].take();
    assert!(!family.is_null(), "{name}");
    family
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(crate) fn cases(value: &Value) -> &[Value] {
    let cases = value.as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

/// Within 1e-9, relatively.
pub(crate) fn agree(value: f64, expected: f64, what: &dyn std::fmt::Debug) {
    let distance = (value - expected).abs();
    assert!(distance <= 1e-9 * expected.abs() || distance < 1e-300, "{value} instead of {expected}: {what:?}");
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

pub(crate) fn sides(one_sided: &Value) -> Sides {
    if one_sided.as_bool().unwrap() { Sides::One } else { Sides::Two }
}

fn seen(case: &Value) -> davy::stats::Pair {
    pair((count(&case["xC"]), count(&case["nC"])), (count(&case["xB"]), count(&case["nB"])))
}

#[test]
fn increments_of_ratios() {
    let family = family("count_e_increment");
    assert_eq!(numbers(&family["grid"]), RATIOS);
    for case in cases(&family["cases"]) {
        let test = RatioTest::new(Grid::new(RATIOS).unwrap(), number(&case["rho0"])).unwrap();
        for (log_e, expected) in test.increment(&seen(case)).logs().iter().zip(numbers(&case["log_e"])) {
            agree(*log_e, expected, case);
        }
    }
}

#[test]
fn increments_of_odds() {
    let family = family("twobytwo_e_increment");
    assert_eq!(numbers(&family["grid_odds"]), ODDS);
    for case in cases(&family["cases"]) {
        let test = OddsTest::new(Grid::new(ODDS).unwrap());
        let forecast = Forecast::new(number(&case["theta_base"])).unwrap();
        for (log_e, expected) in test.increment(&seen(case), forecast).logs().iter().zip(numbers(&case["log_e"])) {
            agree(*log_e, expected, case);
        }
    }
}

#[test]
fn processes_over_sizes_and_starts() {
    let family = family("count_e_process");
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), number(&family["rho0"])).unwrap();
    let column = |name: &str| family[name].as_array().unwrap().iter().map(count).collect::<Vec<u64>>();
    let [canary_events, baseline_events, canary, baseline] = ["xC", "xB", "nC", "nB"].map(column);
    let planned = NonZeroU32::new(u32::try_from(canary.len()).unwrap()).unwrap();
    for (starts, expected) in [(Starts::First, "log_e_uniform_mixture"), (Starts::Within(planned), "log_e_spending_SR")]
    {
        let mut process = Process::new();
        for (index, expected) in numbers(&family[expected]).into_iter().enumerate() {
            let interval = pair((canary_events[index], canary[index]), (baseline_events[index], baseline[index]));
            process.fold(starts, &test.increment(&interval));
            agree(process.log_e(starts), expected, &(starts, index));
        }
    }
}

#[test]
fn normal_mixtures() {
    for case in cases(&family("confseq_normal_mixture")) {
        let [s, v, v_opt, alpha] = ["s", "v", "v_opt", "alpha_opt"].map(|name| number(&case[name]));
        let mixture = NormalMixture::tuned(v_opt, alpha, sides(&case["one_sided"])).unwrap();
        agree(mixture.log_e(s, v), number(&case["log_mixture"]), case);
        agree(mixture.bound(v, alpha).unwrap(), number(&case["bound"]), case);
    }
}

#[test]
fn group_sequential_boundaries() {
    let family = family("exact_group_sequential");
    let weights = [0.05_f64, 0.1, 0.25, 0.5];
    let information = (0..60).map(|look| weights[look / 15] * (1.0 - weights[look / 15]));
    let spending = Spending::new("1%".parse().unwrap(), information).unwrap();
    for (spent, expected) in spending.as_slice().iter().zip(numbers(&family["cumA"])) {
        agree(*spent, expected, &"spending");
    }
    for case in cases(&family["cases"]) {
        let mut test = GroupSequential::new();
        let looks = cases(&case["xC"]).len();
        let first = (0..looks).find(|look| {
            let at = |name: &str| count(&case[name][*look]);
            let interval = pair((at("xC"), at("nC")), (at("m") - at("xC"), at("nB")));
            test.look(&spending, &interval).unwrap().crossed
        });
        let expected = usize::try_from(count(&case["first_cross_index0"])).unwrap();
        assert_eq!(first.unwrap_or(looks), expected);
    }
}

#[test]
fn an_interval_without_events_says_exactly_nothing_about_ratios() {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    for interval in [pair((0, 75), (0, 1425)), pair((0, 0), (9, 1425)), pair((9, 75), (0, 0)), pair((0, 0), (0, 0))] {
        assert!(test.increment(&interval).logs().iter().all(|log_e| log_e.abs().to_bits() == 0));
    }
}
