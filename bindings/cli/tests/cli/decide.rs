//! `davy decide`: verdicts, formats, and what it refuses.

use crate::support::{Place, Ran, checkout, davy, healthy, later_snapshot, ran, regressed, snapshot};

#[test]
fn each_verdict_of_each_stage_has_its_exit_code() {
    let place = Place::new();
    for (stage, bad, closed, code, word) in [
        ("canary", [1, 2], 2, 0, "PROCEED"),
        ("canary", [1, 2], 4, 3, "HOLD"),
        ("canary", [1, 200], 2, 4, "ABORT"),
        ("live", [1, 2], 2, 0, "PROCEED"),
        ("live", [1, 2], 4, 3, "HOLD"),
        ("live", [1, 200], 2, 5, "ROLLBACK"),
    ] {
        let ran = place.decide(&later_snapshot(stage, "keep", &bad, closed), &[]);
        assert_eq!((ran.code, ran.out.split(' ').next().unwrap()), (code, word), "{stage} {bad:?}\n{}", ran.out);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn the_example_policy_decides_its_three_snapshots() {
    for (name, code) in [("healthy", 0), ("inconclusive", 3), ("regressed", 4)] {
        let snapshot = checkout().join("snapshots").join(name).with_extension("json");
        let mut command = davy(&["decide"]);
        command.arg("--policy").arg(checkout()).arg("--snapshot").arg(snapshot);
        assert_eq!(ran(&command.output().unwrap()).code, code, "{name}");
    }
}

#[test]
fn bad_usage_is_2() {
    let place = Place::new();
    for args in [
        &["decide"][..],
        &["decide", "--policy", "rollouts.yaml"],
        &["decide", "--policy", "rollouts.yaml", "--snapshot", "-", "--format", "xml"],
        &["decide", "--policy", "rollouts.yaml", "--snapshot", "-", "--sate", "s.json"],
        &["decided"],
        &["lint"],
        &["replay"],
        &["completions", "cobol"],
        &[],
    ] {
        let Ran { code, out, err } = place.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("--help"), "{args:?}: {err}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let place = Place::new();
    for args in [&["--help"][..], &["decide", "--help"], &["--version"]] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
        assert!(ran.out.contains("davy"), "{args:?}");
    }
}

#[test]
fn a_broken_snapshot_is_1_with_its_position() {
    let place = Place::new();
    for (broken, expected) in [
        (healthy().replace("\"release\"", "\"relase\""), "davy: error: <stdin>:2:8: S002: "),
        (healthy().replace("\"bad\": 2", "\"bad\": -2"), "davy: error: <stdin>:5:"),
        (String::new(), "davy: error: <stdin>:1:1: S001: "),
    ] {
        let Ran { code, out, err } = place.decide(&broken, &[]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.starts_with(expected) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn a_snapshot_is_an_object_and_not_a_list_of_its_values() {
    let values = r#"["2026-11-23T10:00:00Z", ["checkout", "prod", "r2", "r1", 1, "2026-11-23T09:00:00Z"], "keep", "canary",
        "5%", "2026-11-23T09:00:00Z", [], [], [], [], []]"#;
    let ran = Place::new().decide(values, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
}

#[test]
fn a_broken_policy_is_1_with_its_position() {
    let place = Place::new();
    place.write("rollouts.yaml", &crate::support::POLICY.replace("metrics:", "metrix:"));
    let Ran { code, out, err } = place.decide(&regressed(), &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("rollouts.yaml:11:5: error D011: unknown key `metrix`\n"), "{err}");
    assert!(err.ends_with("davy: error: the policy `rollouts.yaml` has 1 error\n"), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let place = Place::new();
    place.write("empty/notes.txt", "");
    for (policy, snapshot, start) in [
        ("nowhere", "-", "davy: error: cannot read `nowhere`: "),
        ("rollouts.yaml", "nowhere.json", "davy: error: cannot read `nowhere.json`: "),
        ("rollouts.yaml", "empty", "davy: error: cannot read `empty`: "),
        ("empty", "-", "davy: error: `empty` holds no document"),
    ] {
        let Ran { code, out, err } = place.run(&["decide", "--policy", policy, "--snapshot", snapshot]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.starts_with(start) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn json_is_the_canonical_decision_on_one_line() {
    let place = Place::new();
    let ran = place.decide(&regressed(), &["--format", "json"]);
    let decision: davy::Decision = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, decision.verdict), (4, davy::Verdict::Abort));
    let canonical = String::from_utf8(davy::canonical_json(&decision).unwrap()).unwrap();
    assert_eq!(ran.out, canonical + "\n");
}

#[test]
fn markdown_is_a_headline_and_a_table() {
    let ran = Place::new().decide(&regressed(), &["--format", "markdown"]);
    assert_eq!(ran.code, 4);
    assert!(ran.out.starts_with("### abort: `checkout` `r2` → `prod`\n"), "{}", ran.out);
    assert!(ran.out.contains("| `health.limit-exceeded` | `rollouts.yaml:12:9` |"), "{}", ran.out);
}

#[test]
fn a_snapshot_comes_from_a_file_or_from_standard_input() {
    let place = Place::new();
    place.write("snapshot.json", &regressed());
    let from_file = place.run(&["decide", "--policy", "rollouts.yaml", "--snapshot", "snapshot.json"]);
    let from_input = place.decide(&regressed(), &[]);
    assert_eq!((from_file.code, from_file.out), (from_input.code, from_input.out));
}

#[test]
fn a_directory_is_the_bundle_of_its_own_documents() {
    let place = Place::new();
    place.write("policy/rollouts.yaml", crate::support::POLICY);
    for ignored in ["notes.txt", ".rollouts.yaml.swp", ".hidden.yaml", "snapshots/one.json", "nested/rollouts.yaml"] {
        place.write(&format!("policy/{ignored}"), "not: a policy");
    }
    let digest = |policy: &str| {
        let name = format!("{}.jsonl", policy.len());
        place.write("snapshot.json", &snapshot("canary", "promote", &[1, 1]));
        let args = ["decide", "--policy", policy, "--snapshot", "snapshot.json", "--record", &name];
        assert_eq!(place.run(&args).code, 0);
        let line: serde_json::Value = serde_json::from_str(&place.read(&name)).unwrap();
        line["record"]["bundle"].clone()
    };
    assert_eq!(digest("policy"), digest("rollouts.yaml"), "a bundle has the same digest wherever it lies");

    for second in ["more.yml", "more.json"] {
        place.write(&format!("policy/{second}"), r#"{"kind": "Rollout"}"#);
        let ran = place.run(&["decide", "--policy", "policy", "--snapshot", "snapshot.json"]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.starts_with(&format!("policy/{second}:1:1: error ")), "{}", ran.err);
        std::fs::remove_file(place.path(&format!("policy/{second}"))).unwrap();
    }
}

#[test]
fn intervals_may_come_from_lines_and_tables() {
    let place = Place::new();
    let rows = |bad: u32| {
        let from = davy::Duration::from_secs(30);
        let now = davy::Instant::EPOCH.plus(davy::Duration::from_secs(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 30 * 30,
        ));
        (now.minus(from), now, bad)
    };
    let (start, end, bad) = rows(200);
    let json = format!(
        r#"{{"start":"{start}","end":"{end}","observations":[{{"metric":"errors","cohort":"canary","bad":{bad},"total":1000}}]}}"#
    );
    place.write("seen.jsonl", &json);
    place.write("torn.jsonl", &json[..40]);
    let started = start.to_string();
    let decide = |file: &str| {
        let args = ["decide", "--policy", "rollouts.yaml", "--revision", "r2", "--stable", "r1", "--started", &started];
        place.run(&[&args[..], &["--intervals", file]].concat())
    };
    let Ran { code, out, err } = decide("seen.jsonl");
    assert_eq!(code, 4, "{out}{err}");
    let Ran { code, err, .. } = decide("torn.jsonl");
    assert!(code == 1 && err.contains("torn.jsonl"), "{err}");
}
