//! `davy policy learn`: history from the past of a baseline, and from records.

use std::fmt::Write as _;

use crate::support::{Place, healthy, regressed};

/// Intervals of the stable revision alone: three replicas, half a minute each.
fn past(intervals: usize) -> String {
    let at = |index: usize| format!("2026-11-22T{:02}:{:02}:{:02}Z", index / 120, index / 2 % 60, index % 2 * 30);
    let mut lines = String::new();
    for index in 0..intervals {
        let pods: Vec<String> = (0..3)
            .map(|pod| {
                let bad = 8 + (index * 5 + pod * 3) % 7;
                format!(
                    r#"{{"metric": "errors", "cohort": "baseline", "replica": "pod-{pod}", "bad": {bad}, "total": 1000}}"#
                )
            })
            .collect();
        let (start, end) = (at(index), at(index + 1));
        writeln!(lines, r#"{{"start": "{start}", "end": "{end}", "observations": [{}]}}"#, pods.join(", ")).unwrap();
    }
    lines
}

fn place() -> Place {
    let place = Place::new();
    place.write(
        "evidence.yaml",
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec:\n  health:\n    judge: evidence\n    \
         settle: 0s\n    warmUp: 0s\n    horizon: 5m\n    metrics:\n      - { name: errors, bad: a, total: b, \
         tolerate: 1.1x, unacceptable: 1.5x }\n",
    );
    place
}

fn rollouts(history: &str) -> u64 {
    let history: serde_json::Value = serde_json::from_str(history).unwrap();
    history["rollouts"].as_u64().unwrap()
}

#[test]
fn the_past_of_the_baseline_becomes_history_that_adds_up() {
    let place = place();
    place.write("past.jsonl", &past(205));
    let learned = place.run(&["policy", "learn", "evidence.yaml", "past.jsonl", "--baseline"]);
    assert_eq!((learned.code, rollouts(&learned.out)), (0, 20), "{}", learned.err);
    assert_eq!(learned.err, "learned from 20 healthy rollouts\n");
    place.write("history.json", &learned.out);
    let more = place.run(&["policy", "learn", "evidence.yaml", "past.jsonl", "--baseline", "--into", "history.json"]);
    assert_eq!((more.code, rollouts(&more.out)), (0, 40), "{}", more.err);
    assert!(more.out.len() < 4000, "{}", more.out.len());
}

#[test]
fn records_of_healthy_rollouts_alone_are_learned_from() {
    let place = place();
    for (snapshot, code) in [(healthy(), 0), (regressed(), 4)] {
        let _ = std::fs::remove_file(place.path("records.jsonl"));
        assert_eq!(place.decide(&snapshot, &["--record", "records.jsonl"]).code, code);
        let learned = place.run(&["policy", "learn", "evidence.yaml", "records.jsonl"]);
        assert_eq!((learned.code, rollouts(&learned.out)), (0, u64::from(code == 0)), "{}", learned.err);
    }
}

#[test]
fn the_help_says_how_many_rollouts_are_enough() {
    let help = place().run(&["policy", "learn", "--help"]).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("From 20 healthy rollouts on") && help.contains("from 199 on in the first"), "{help}");
}

#[test]
fn what_is_no_record_is_named_with_its_line() {
    let place = place();
    place.write("records.jsonl", "\n{}\n");
    let ran = place.run(&["policy", "learn", "evidence.yaml", "records.jsonl"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("records.jsonl:2: not a line of `davy decide --record`"), "{}", ran.err);
}
