//! NetflixACAJudge-v1.0 against Kayenta's own tests, and against what its users complained of.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test that cannot go on should stop"
)]

use std::collections::BTreeMap;

use davy::kayenta::{
    Classified, Counted, Direction, Effect, Label, Limits, Measure, NanStrategy, Rules, classify, fences, mean,
    percentile, score,
};
use davy::stats::{Correction, RankTest};
use serde_json::Value;

const SEED: u64 = 7;

fn upstream() -> Value {
    serde_json::from_str(&std::fs::read_to_string("tests/data/kayenta_upstream.json").unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    if value == "NaN" { f64::NAN } else { value.as_f64().unwrap_or_else(|| panic!("{value} is no number")) }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn same(found: f64, expected: f64, within: f64) -> bool {
    found.is_nan() && expected.is_nan() || (found - expected).abs() <= within * expected.abs().max(1.0)
}

fn rules(case: &Value) -> Rules {
    let measure = if case["effectSizeMeasure"] == "cles" { Measure::Cles } else { Measure::MeanRatio };
    let [allowed, critical] = ["effectSizeThresholds", "criticalThresholds"].map(|key| &case[key]);
    Rules {
        direction: match case["direction"].as_str().unwrap() {
            "increase" => Direction::Increase,
            "decrease" => Direction::Decrease,
            _ => Direction::Either,
        },
        nan: if case["nanStrategy"] == "replace" { NanStrategy::Replace } else { NanStrategy::Remove },
        critical: case["critical"].as_bool().unwrap(),
        effect: Effect {
            measure,
            allowed_increase: number(&allowed["increase"]),
            allowed_decrease: number(&allowed["decrease"]),
            critical_increase: number(&critical["increase"]),
            critical_decrease: number(&critical["decrease"]),
        },
        ..Rules::default()
    }
}

fn label(text: &Value) -> Label {
    match text.as_str().unwrap() {
        "Pass" => Label::Pass,
        "High" => Label::High,
        "Low" => Label::Low,
        "Nodata" => Label::NoData,
        "NodataFailMetric" => Label::NoDataFail,
        "Error" => Label::Error,
        other => panic!("{other}"),
    }
}

/// Whether what was compared is what an independent restatement compared. Constant sides have other noise there.
fn check_reference(found: &Classified, reference: &Value, noisy: bool, name: &str) {
    assert_eq!(found.label, label(&reference["label"]), "{name}");
    if let Some(critical) = reference["critical"].as_bool() {
        assert_eq!(found.critical, critical, "{name}");
    }
    let within = if noisy { 1e-4 } else { 1e-12 };
    if reference["deviation"] != Value::Null {
        assert!(same(found.ratio, number(&reference["deviation"]), within), "{name}: {found:?}");
    }
    match (&reference["ci"], found.compared) {
        (Value::Null, None) => {}
        (ci, Some(compared)) => {
            for (found, expected) in [
                (compared.lower, &ci[0]),
                (compared.upper, &ci[1]),
                (compared.estimate, &reference["estimate"]),
                (compared.effect, &reference["effect"]),
            ] {
                assert!(same(found, number(expected), within), "{name}: {found} is not {expected}");
            }
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

#[test]
fn every_classification_is_kayentas() {
    let all = upstream();
    let cases = all["classifier"].as_array().unwrap();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (canary, baseline) = (numbers(&case["experiment"]), numbers(&case["control"]));
        let limits = Limits { tolerance: number(&case["tolerance"]), confidence: number(&case["confLevel"]) };
        let found = classify(&canary, &baseline, &rules(case), &limits, SEED);
        let expected = &case["expected"];
        if let Some(classification) = expected.get("classification") {
            assert_eq!(found.label, label(classification), "{name}");
        }
        if let Some(critical) = expected.get("critical") {
            assert_eq!(found.critical, critical.as_bool().unwrap(), "{name}");
        }
        if let Some(deviation) = expected.get("deviation") {
            assert!(same(found.ratio, number(deviation), 1e-12), "{name}");
        }
        check_reference(&found, &case["reference_check"], is_constant(&canary) && is_constant(&baseline), name);
    }
    assert_eq!(cases.len(), 34);
}

#[test]
fn every_number_of_its_mann_whitney_test_is_kayentas() {
    let all = upstream();
    let mut checked = 0;
    for case in all["mann_whitney"].as_array().unwrap().iter().filter(|case| case.get("x").is_some()) {
        let name = case["name"].as_str().unwrap();
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let test = RankTest::new(&x, &y).unwrap();
        let near = |found: f64, expected: &Value, tolerance: f64| {
            assert!((found - number(expected)).abs() <= tolerance, "{name}: {found} is not {expected}");
        };
        for check in case["checks"].as_array().into_iter().flatten() {
            let z = test.z(number(&check["mu"]), Correction::Continuity).unwrap();
            near(z - number(&check["quantile"]), &check["expected"], number(&check["tol"]));
            checked += 1;
        }
        let Some(confidence) = case.get("confidenceLevel") else { continue };
        let limits = Limits { tolerance: 0.25, confidence: number(confidence) };
        let compared = classify(&x, &y, &Rules::default(), &limits, SEED).compared.unwrap();
        let expected = &case["expected"];
        if expected.get("ci").is_some() {
            let (of_ends, of_estimate) = (number(&expected["tol_ci"]), number(&expected["tol_estimate"]));
            near(compared.lower, &expected["ci"][0], of_ends);
            near(compared.upper, &expected["ci"][1], of_ends);
            near(compared.estimate, &expected["estimate"], of_estimate);
            checked += 3;
        } else {
            let tolerance = number(&case["tol"]);
            let ends = |values: &[f64]| {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            };
            let ((least_x, most_x), (least_y, most_y)) = (ends(&x), ends(&y));
            let (least, most) = (least_x - most_y, most_x - least_y);
            let quantile = number(&expected["rZqLower"]);
            let z = |by, quantile| test.z(by, Correction::Continuity).unwrap() - quantile;
            for (found, key) in [
                (least, "rMumin"),
                (most, "rMumax"),
                (z(least, quantile), "rFlower1"),
                (z(most, quantile), "rFupper1"),
                (z(least, -quantile), "rFlower2"),
                (z(most, -quantile), "rFupper2"),
                (compared.lower, "rCil"),
                (compared.upper, "rCiu"),
                (compared.estimate, "rEst"),
            ] {
                near(found, &expected[key], tolerance);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 23);
}

#[test]
fn every_score_is_kayentas() {
    let all = upstream();
    let cases = all["scorer"].as_array().unwrap();
    for case in cases {
        let groups: Vec<Vec<&str>> = case["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| metric["groups"].as_array().unwrap().iter().map(|group| group.as_str().unwrap()).collect())
            .collect();
        let counted: Vec<Counted<'_>> = case["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .zip(&groups)
            .map(|(metric, groups)| Counted {
                label: label(&metric["classification"]),
                critical: metric["critical"].as_bool().unwrap(),
                groups,
            })
            .collect();
        let weights: BTreeMap<String, f64> = case["groupWeights"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(group, weight)| (group.clone(), number(weight)))
            .collect();
        let scored = score(&counted, &weights);
        let expected = &case["expected"];
        assert_eq!(scored.score, number(&expected["summaryScore"]), "{}", case["name"]);
        let mut of_groups: Vec<f64> = scored.groups.iter().map(|group| group.score).collect();
        of_groups.sort_by(f64::total_cmp);
        for key in ["groupScores", "groupScores_sorted"] {
            if let Some(expected) = expected.get(key) {
                assert_eq!(of_groups, numbers(expected), "{}", case["name"]);
            }
        }
    }
    assert_eq!(cases.len(), 13);
}

#[test]
fn outliers_percentiles_and_effects_are_kayentas() {
    let all = upstream();
    let mut checked = 0;
    for case in all["detectors"].as_array().unwrap() {
        let data = numbers(&case["data"]);
        let fences = fences(&data, number(&case["param"]), case["reduceSensitivity"].as_bool().unwrap());
        let found: Vec<bool> =
            data.iter().map(|value| fences.is_some_and(|fences| *value < fences.low || *value > fences.high)).collect();
        let expected: Vec<bool> =
            case["outlier"].as_array().unwrap().iter().map(|outlier| outlier.as_bool().unwrap()).collect();
        assert_eq!(found, expected, "{}", case["name"]);
        checked += 1;
    }
    for case in all["statistics"].as_array().unwrap() {
        let name = &case["name"];
        for wanted in case.get("percentiles").and_then(Value::as_array).into_iter().flatten() {
            let found = percentile(&numbers(&case["data"]), number(&wanted["p"])).unwrap();
            assert!(
                (found - number(&wanted["expected"])).abs() <= number(&wanted["tol"]).max(1e-12),
                "{name}: {found}"
            );
            checked += 1;
        }
        if let Some(expected) = case["expected"].get("mean") {
            assert_eq!(mean(&numbers(&case["data"])), number(expected), "{name}");
            checked += 1;
        }
        let Some(measure) = case.get("measure") else { continue };
        let (canary, baseline) = (numbers(&case["experiment"]), numbers(&case["control"]));
        let found = if measure == "cles" {
            RankTest::new(&canary, &baseline).unwrap().above()
        } else {
            classify(&canary, &baseline, &Rules::default(), &Limits::JUDGE, SEED).ratio
        };
        let noise = if is_constant(&canary) { 1e-4 } else { 0.0 };
        assert!(same(found, number(&case["expected"]), number(&case["tol"]) + noise), "{name}: {found}");
        checked += 1;
    }
    assert_eq!(checked, 24);
}

#[test]
fn points_are_prepared_as_kayentas() {
    // Seen through the mean, which is of the prepared points.
    let all = upstream();
    for case in all["transforms"].as_array().unwrap() {
        let (data, expected) = (numbers(&case["data"]), numbers(&case["expected"]));
        let (nan, outliers) = match case["op"].as_str().unwrap() {
            "removeNaNs" => (NanStrategy::Remove, None),
            "replaceNaNs(0.0)" => (NanStrategy::Replace, None),
            "removeOutliers(IQR 1.5)" => (NanStrategy::Remove, Some(1.5)),
            other => panic!("{other}"),
        };
        if let Some(factor) = outliers {
            // The judge's own fences are wider than those of this case.
            let fences = fences(&data, factor, false).unwrap();
            let kept: Vec<f64> = data.into_iter().filter(|value| (fences.low..=fences.high).contains(value)).collect();
            assert_eq!(kept, expected);
            continue;
        }
        let rules = Rules { nan, ..Rules::default() };
        let found = classify(&data, &[1.0, 2.0, 3.0, 4.0], &rules, &Limits::JUDGE, SEED);
        if expected.is_empty() {
            assert_eq!(found.label, Label::NoData);
        } else {
            assert!(same(found.ratio, mean(&expected) / 2.5, 1e-12), "{}", case["name"]);
        }
    }
}

#[test]
fn what_its_users_complained_of_is_kept() {
    let all = upstream();
    let cases = all["complaint_and_edge_cases"].as_array().unwrap();
    for case in cases {
        let (canary, baseline) = (numbers(&case["experiment"]), numbers(&case["control"]));
        let params = &case["params"];
        let pair = |key: &str| params.get(key).map_or([1.0, 1.0], |pair| [number(&pair[0]), number(&pair[1])]);
        let ([allowed_decrease, allowed_increase], [critical_decrease, critical_increase]) =
            (pair("effect"), pair("crit"));
        let effect = Effect {
            measure: Measure::MeanRatio,
            allowed_increase,
            allowed_decrease,
            critical_increase,
            critical_decrease,
        };
        let critical = params.get("critical").is_some_and(|critical| critical.as_bool().unwrap());
        let rules = Rules { effect, critical, ..Rules::default() };
        let found = classify(&canary, &baseline, &rules, &Limits::JUDGE, SEED);
        check_reference(&found, &case["kayenta_result"], false, case["name"].as_str().unwrap());
    }
    assert_eq!(cases.len(), 8);
}

#[test]
fn missing_data_have_four_meanings() {
    let of = |nan, must_have_data, critical| {
        let rules = Rules { nan, must_have_data, critical, ..Rules::default() };
        let found = classify(&[f64::NAN], &[1.0, 2.0], &rules, &Limits::JUDGE, SEED);
        (found.label, found.critical)
    };
    assert_eq!(of(NanStrategy::Remove, false, false), (Label::NoData, false));
    assert_eq!(of(NanStrategy::Remove, true, false), (Label::NoDataFail, false));
    assert_eq!(of(NanStrategy::Remove, true, true), (Label::NoData, true));
    // A missing canary beside zeros is the same as zeros; beside others, one point tells nothing.
    assert_eq!(
        classify(&[], &[1.0], &Rules { nan: NanStrategy::Replace, ..Rules::default() }, &Limits::JUDGE, SEED).label,
        Label::Pass
    );
}

#[test]
fn an_outlier_is_left_out_where_the_rules_say_so() {
    let mut canary: Vec<f64> = (0..30).map(f64::from).collect();
    let baseline = canary.clone();
    canary.push(1e6);
    let ratio =
        |outliers| classify(&canary, &baseline, &Rules { outliers, ..Rules::default() }, &Limits::JUDGE, SEED).ratio;
    assert!(ratio(None) > 1000.0);
    // The fence is moved out to the 99th percentile, which is seven tenths of the way to the outlier.
    assert_eq!(ratio(Some(3.0)), 1.0);
}

#[test]
fn the_same_seed_judges_constant_sides_alike_and_labels_do_not_depend_on_it() {
    let (canary, baseline) = ([10.0; 5], [1.0; 5]);
    let of = |seed| classify(&canary, &baseline, &Rules::default(), &Limits::JUDGE, seed);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert!((0..1000).all(|seed| of(seed).label == Label::High));
}

#[test]
fn the_tolerance_of_roots_has_no_unit() {
    // A third more in everything; only the unit differs.
    let values: Vec<f64> = (0..30).map(|k| 80.0 + f64::from(k * 37 % 30) * 1.3).collect();
    let of = |unit: f64| {
        let canary: Vec<f64> = values.iter().map(|value| value * 1.3 * unit).collect();
        let baseline: Vec<f64> = values.iter().map(|value| value * unit).collect();
        classify(&canary, &baseline, &Rules::default(), &Limits::JUDGE, SEED).label
    };
    assert_eq!([of(1.0), of(1e-2)], [Label::High; 2]);
    assert_eq!(of(1e-7), Label::Pass, "the very same, and it is not seen any more");
}
