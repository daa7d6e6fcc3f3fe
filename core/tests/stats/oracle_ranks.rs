//! Numbers of R 4.2 and SciPy for samples that are compared by rank.
#![allow(clippy::float_cmp, reason = "whole numbers, and the same arithmetic twice")]

use davy::stats::{Alternative, Correction, RankTest, SampleError};
use serde_json::Value;

use crate::oracle::{agree, cases, family, number, numbers};

/// A pair of samples of R's family.
fn test(sets: &Value, name: &str) -> RankTest {
    let of = |side: &str| numbers(&sets[name][side]);
    RankTest::new(&of("x"), &of("y")).unwrap()
}

fn alternative(text: &str) -> Alternative {
    match text {
        "two.sided" | "two-sided" => Alternative::Differs,
        "greater" => Alternative::Greater,
        other => panic!("{other}"),
    }
}

/// R's roots are as near as its tolerance makes them.
fn near(value: f64, expected: &Value, what: &str) {
    match expected.as_f64() {
        Some(expected) => {
            assert!((value - expected).abs() < 1e-6 * expected.abs().max(1.0), "{value} {expected}: {what}")
        }
        None => assert!(value.is_infinite(), "{value}: {what}"),
    }
}

#[test]
fn wilcoxon_tests_are_those_of_r() {
    let family = family("wilcoxon_R");
    let mut compared = [0, 0];
    for (key, expected) in family.as_object().unwrap().iter().filter(|(key, _)| key.contains('/')) {
        let parts: Vec<&str> = key.split('/').collect();
        let (test, kind) = (test(&family, parts[0]), parts[1]);
        let confidence: f64 = parts[2].trim_start_matches("conf").parse().unwrap();
        let alternative = alternative(parts[3]);
        assert_eq!(test.statistic(), number(&expected["W"]), "{key}");
        let (p, shift) = if kind == "exact" {
            compared[1] += 1;
            (test.exact_p(alternative), test.exact_shift(confidence, alternative))
        } else {
            compared[0] += 1;
            let correction = if parts[4] == "correct=TRUE" { Correction::Continuity } else { Correction::None };
            (test.p(alternative, correction), test.shift(confidence, alternative, correction, 1e-12))
        };
        agree(p.unwrap(), number(&expected["p"]), key);
        let shift = shift.unwrap();
        near(shift.estimate, &expected["estimate"], key);
        near(shift.lower, &expected["ci"][0], key);
        near(shift.upper, &expected["ci"][1], key);
    }
    assert_eq!(compared, [40, 2]);
}

#[test]
fn mann_whitney_tests_are_those_of_scipy() {
    let sets = family("wilcoxon_R");
    let family = family("mannwhitney_scipy");
    for case in cases(&family) {
        let test = test(&sets, case["set"].as_str().unwrap());
        let alternative = alternative(case["alternative"].as_str().unwrap());
        assert_eq!(test.statistic(), number(&case["U1"]), "{case}");
        let p = match case["use_continuity"].as_bool() {
            Some(true) => test.p(alternative, Correction::Continuity),
            Some(false) => test.p(alternative, Correction::None),
            None => test.exact_p(alternative),
        };
        agree(p.unwrap(), number(&case["p"]), case);
    }
    assert_eq!(cases(&family).len(), 22);
}

#[test]
fn the_judge_of_kayenta_is_a_test_at_its_bound() {
    // An interval above the bound is a shift that is refuted at the bound: no root is needed to know.
    let sets = family("wilcoxon_R");
    for case in cases(&family("kayenta_judge_high")) {
        let test = test(&sets, case["set"].as_str().unwrap());
        let bound = number(&case["bound"]);
        agree(test.z(bound, Correction::Continuity).unwrap(), number(&case["z_at_bound"]), case);
        let interval = test.shift(0.98, Alternative::Differs, Correction::Continuity, 1e-12).unwrap();
        near(interval.lower, &case["ci98"][0], "lower");
        near(interval.upper, &case["ci98"][1], "upper");
        let high = test.z(bound, Correction::Continuity).unwrap() > number(&case["z_crit"]);
        assert_eq!((high, interval.lower > bound), (case["high"].as_bool().unwrap(), high), "{case}");
    }
}

#[test]
fn samples_that_cannot_be_ranked_are_refused_or_say_nothing() {
    assert_eq!(RankTest::new(&[], &[1.0]), Err(SampleError::Empty));
    assert_eq!(RankTest::new(&[1.0], &[f64::NAN]), Err(SampleError::NotFinite));
    assert_eq!(RankTest::new(&[1.0], &[f64::INFINITY]), Err(SampleError::NotFinite));
    let alike = RankTest::new(&[2.0, 2.0], &[2.0]).unwrap();
    assert_eq!(alike.p(Alternative::Differs, Correction::None), None);
    assert_eq!(alike.exact_p(Alternative::Differs), None);
    assert_eq!(alike.shift(0.95, Alternative::Differs, Correction::None, 1e-9), None);
    let apart = RankTest::new(&[4.0, 5.0], &[1.0, 2.0]).unwrap();
    for confidence in [0.0, 1.0, f64::NAN, -1.0] {
        let shift = apart.shift(confidence, Alternative::Greater, Correction::None, 1e-9);
        assert!(shift.is_none(), "{confidence}: {shift:?}");
        assert_eq!(apart.exact_shift(confidence, Alternative::Greater), None, "{confidence}");
    }
}

#[test]
fn both_sides_mirror_each_other() {
    let (x, y) = ([1.5, 2.5, 8.0, 9.5, 3.25], [0.5, 2.25, 7.0, 1.0]);
    let (test, mirrored) = (RankTest::new(&x, &y).unwrap(), RankTest::new(&y, &x).unwrap());
    assert_eq!(test.statistic() + mirrored.statistic(), 20.0);
    for correction in [Correction::None, Correction::Continuity] {
        let p = |test: &RankTest, alternative| test.p(alternative, correction).unwrap();
        assert_eq!(p(&test, Alternative::Greater), p(&mirrored, Alternative::Less));
        assert_eq!(p(&test, Alternative::Differs), p(&mirrored, Alternative::Differs));
    }
    assert_eq!(test.exact_p(Alternative::Greater), mirrored.exact_p(Alternative::Less));
    let (there, back) = (
        test.exact_shift(0.9, Alternative::Differs).unwrap(),
        mirrored.exact_shift(0.9, Alternative::Differs).unwrap(),
    );
    assert_eq!((there.estimate, there.lower, there.upper), (-back.estimate, -back.upper, -back.lower));
}
