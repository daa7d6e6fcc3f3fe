//! `davy policy simulate`.

use serde_json::Value;

use crate::support::{Place, Ran};

const POLICY: &str = "\
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 10%, atLeast: 2m }, { weight: 50%, atLeast: 2m }]
  health:
    judge: evidence
    warmUp: 1m
    horizon: 8m
    metrics:
      - { name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 2x }
      - { name: search, buckets: c, tolerate: 1.2x, unacceptable: 2x }
";

fn simulate(place: &Place, args: &[&str]) -> Ran {
    place.write("policy.yaml", POLICY);
    place.run(&[&["policy", "simulate", "policy.yaml", "--runs", "8"], args].concat())
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    for format in ["text", "json", "csv", "markdown"] {
        let on = |threads, seed| {
            simulate(&place, &["--format", format, "--threads", threads, "--seed", seed, "--scenario", "errors-2x"])
        };
        let (one, many) = (on("1", "7"), on("5", "7"));
        assert_eq!((one.code, one.err.as_str()), (0, ""), "{format}");
        assert_eq!(one.out, many.out, "{format}");
        assert_ne!(one.out, on("1", "8").out, "{format}");
    }
}

#[test]
fn every_judge_sees_the_same_rollouts() {
    let place = Place::new();
    let args = ["--format", "json", "--traffic", "50,500", "--scenario", "identical,outage"];
    let report: Value = serde_json::from_str(&simulate(&place, &args).out).unwrap();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2 * 2 * 8);
    let of = |traffic: f64, scenario: &str, judge: &str| {
        let is = |row: &&Value| row["traffic"] == traffic && row["scenario"] == scenario && row["judge"] == judge;
        rows.iter().find(is).unwrap()
    };
    assert_eq!(of(50.0, "outage", "policy")["aborted"]["rollouts"], 8);
    assert_eq!(of(50.0, "outage", "policy")["medianAbort"], 30.0);
    assert_eq!(of(50.0, "outage", "policy")["promoted"]["rollouts"], 0);
    assert_eq!(of(500.0, "identical", "policy")["aborted"]["rollouts"], 0);
    assert_eq!(of(500.0, "identical", "policy")["good"], true);
    assert_eq!(of(500.0, "outage", "kayenta, 6 analyses, every metric critical")["aborted"]["rollouts"], 8);
    // A policy is simulated alone as it is beside others.
    let alone: Value = serde_json::from_str(&simulate(&place, &[&args[..], &["--alone"]].concat()).out).unwrap();
    let beside: Vec<&Value> = rows.iter().filter(|row| row["judge"] == "policy").collect();
    assert_eq!(alone["rows"].as_array().unwrap().iter().collect::<Vec<_>>(), beside);
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let place = Place::new();
    let bare =
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: a }\nspec: { environments: { prod: {}, dev: {} } }\n";
    place.write("several.yaml", bare);
    let ran = place.run(&["policy", "simulate", "several.yaml"]);
    assert!(ran.code == 1 && ran.err.contains("`prod`, `dev`"), "{}", ran.err);
    let ran = place.run(&["policy", "simulate", "several.yaml", "--environment", "dev"]);
    assert!(ran.code == 1 && ran.err.contains("nothing is measured in the environment `dev`"), "{}", ran.err);
    for args in [["--traffic", "0"], ["--traffic", "NaN"], ["--runs", "0"], ["--scenario", "unknown"]] {
        assert_eq!(simulate(&place, &args).code, 2, "{args:?}");
    }
}
