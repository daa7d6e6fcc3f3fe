//! `davy policy diff` and `--shadow`: what another version of a policy would have decided.

use crate::support::{POLICY, Place, healthy, later_snapshot, snapshot};

/// Records of one rollout under [`POLICY`], and a stricter policy in `next.yaml`.
fn records() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("log")).unwrap();
    place.write("next.yaml", &POLICY.replace("max: 1%", "max: 0.2%"));
    for (snapshot, code) in [
        (healthy(), 0),
        (without(&snapshot("canary", "promote", &[1, 2, 9]), 2), 0),
        (without(&later_snapshot("canary", "promote", &[1, 2, 9], 6), 3), 3),
    ] {
        assert_eq!(place.decide(&snapshot, &["--state", "state.json", "--record", "log/records.jsonl"]).code, code);
    }
    place
}

/// A snapshot without the intervals that a state holds already, as hosts hand them in.
fn without(snapshot: &str, judged: usize) -> String {
    let mut json: serde_json::Value = serde_json::from_str(snapshot).unwrap();
    json["intervals"].as_array_mut().unwrap().drain(..judged);
    json.to_string()
}

#[test]
fn each_decision_that_would_change_is_shown_with_its_reasons() {
    let place = records();
    let ran = place.run(&["policy", "diff", "rollouts.yaml", "next.yaml", "--records", "log"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0]
            .starts_with("log/records.jsonl:2: 2026-11-23T10:01:30Z checkout r2 → prod, attempt 1: proceed → abort"),
        "{}",
        ran.out
    );
    assert!(lines[1].starts_with("  - ") && lines[1].ends_with("(health.within-limits:errors)"), "{}", ran.out);
    assert!(lines[2].starts_with("  + ") && lines[2].ends_with("(health.limit-exceeded:errors)"), "{}", ran.out);
    assert!(
        ran.out.contains("log/records.jsonl:3: 2026-11-23T10:03:00Z checkout r2 → prod, attempt 1: hold → abort"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("the rollout had differed before"), "{}", ran.out);
    assert!(
        ran.out.ends_with("2 of 3 decisions would change\n  1 × hold → abort\n  1 × proceed → abort\n"),
        "{}",
        ran.out
    );
    assert_eq!(
        place.run(&["policy", "diff", "rollouts.yaml", "next.yaml", "--records", "log", "--deny-changes"]).code,
        1
    );
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    let place = records();
    let args = ["policy", "diff", "rollouts.yaml", "rollouts.yaml", "--records", "log/records.jsonl", "--deny-changes"];
    let ran = place.run(&args);
    assert_eq!((ran.code, ran.out.as_str()), (0, "0 of 3 decisions would change\n"));
}

/// Only the counts since the last record are in a record: a policy is asked about all of them, from the first on.
#[test]
fn a_rollout_is_decided_again_from_its_first_record() {
    let place = records();
    // Three bad intervals in a row: no record holds them all.
    place.write("patient.yaml", &POLICY.replace("max: 1%", "max: 0.05%, patience: 3"));
    let ran = place.run(&["policy", "diff", "rollouts.yaml", "patient.yaml", "--records", "log", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let verdicts: Vec<(u64, String)> = json["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| (difference["line"].as_u64().unwrap(), difference["after"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(verdicts, [(1, "hold".to_owned()), (2, "abort".to_owned()), (3, "abort".to_owned())], "{}", ran.out);
}

#[test]
fn records_that_cannot_be_decided_again_are_counted_and_never_guessed() {
    let place = records();
    let all = place.read("log/records.jsonl");
    let later: String = all.lines().skip(1).map(|line| format!("{line}\n")).collect();
    place.write("log/records.jsonl", &later);
    let ran = place.run(&["policy", "diff", "rollouts.yaml", "next.yaml", "--records", "log"]);
    assert!(ran.out.starts_with("0 of 0 decisions would change\n2 records were left out"), "{}", ran.out);
    // One is missing in between.
    let gap: String =
        all.lines().enumerate().filter(|(number, _)| *number != 1).map(|(_, line)| format!("{line}\n")).collect();
    place.write("log/records.jsonl", &gap);
    let ran = place.run(&["policy", "diff", "rollouts.yaml", "next.yaml", "--records", "log"]);
    assert!(ran.out.contains("0 of 1 decisions would change\n1 records were left out"), "{}", ran.out);
    // In another order.
    let mut lines: Vec<&str> = all.lines().collect();
    lines.swap(1, 2);
    place.write("log/records.jsonl", &lines.join("\n"));
    let ran = place.run(&["policy", "diff", "next.yaml", "rollouts.yaml", "--records", "log"]);
    assert!(ran.code == 1 && ran.err.contains("log/records.jsonl:3: not a line"), "{}{}", ran.out, ran.err);
    place.write("log/records.jsonl", "{}\n");
    assert_eq!(place.run(&["policy", "diff", "rollouts.yaml", "next.yaml", "--records", "log"]).code, 1);
}

#[test]
fn a_shadow_is_recorded_and_replayed() {
    let place = Place::new();
    place.write("next.yaml", &POLICY.replace("max: 1%", "max: 0.1%"));
    let ran =
        place.decide(&healthy(), &["--shadow", "next.yaml", "--state", "state.json", "--record", "records.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("the shadow would abort; it finds fail health.limit-exceeded:errors"), "{}", ran.out);
    let later = snapshot("canary", "promote", &[1, 2, 0]);
    let ran = place.decide(&later, &["--shadow", "next.yaml", "--state", "state.json", "--record", "records.jsonl"]);
    assert!(ran.code == 0 && ran.out.contains("the shadow would abort"), "{}", ran.out);
    let ran = place.run(&["replay", "records.jsonl"]);
    assert_eq!((ran.code, ran.out.matches(": ok ").count()), (0, 2), "{}", ran.out);
    // The record says under which shadow it was made.
    let records = place.read("records.jsonl").replace("max: 0.1%", "max: 0.3%");
    place.write("records.jsonl", &records);
    let ran = place.run(&["replay", "records.jsonl"]);
    assert!(ran.code == 1 && ran.out.contains("R004: the shadow's bundle"), "{}", ran.out);
    place.write("next.yaml", &POLICY.replace("http_errors_total", "other_total"));
    let ran = place.decide(&healthy(), &["--shadow", "next.yaml"]);
    assert!(ran.code == 1 && ran.err.contains("E003"), "{}", ran.err);
}
