//! `davy lint`: positions, excerpts, exit codes.

use crate::support::{POLICY, Place};

#[test]
fn an_error_has_its_position_its_line_a_caret_and_a_hint() {
    let place = Place::new();
    place.write("policy/rollouts.yaml", &POLICY.replace("max: 1%", "maxx: 1%"));
    let ran = place.run(&["lint", "policy"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let expected = "\
policy/rollouts.yaml:12:77: error D011: unknown key `maxx`
  12 | …";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    let lines: Vec<&str> = ran.out.lines().collect();
    let caret = lines[2].chars().position(|c| c == '^').unwrap();
    assert!(lines[1].chars().skip(caret).collect::<String>().starts_with("maxx: 1%"), "{}", ran.out);
    assert_eq!(lines[3], "  hint: did you mean `max`?");
}

#[test]
fn all_errors_of_a_policy_are_shown_at_once() {
    let place = Place::new();
    place.write("rollouts.yaml", &POLICY.replace("30s", "30x").replace("threshold", "treshold"));
    let ran = place.run(&["lint", "rollouts.yaml"]);
    assert_eq!(
        ran.out,
        "\
rollouts.yaml:7:12: error D015: expected `evidence` or `threshold` or `groupSequential` or `argo` or `flagger` or `kayenta`, found `treshold`
  7 |     judge: treshold
    |            ^
  hint: did you mean `threshold`?
rollouts.yaml:8:12: error D013: expected a duration such as `30s`, `5m` or `1h30m`, found `30x`
  8 |     every: 30x
    |            ^
2 errors, no warnings
"
    );
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let place = Place::new();
    place.write("rollouts.yaml", &POLICY.replace("  holdLimit: { after: 2h, then: fail }\n", ""));
    for (args, code) in [(&["lint", "rollouts.yaml"][..], 0), (&["lint", "--deny-warnings", "rollouts.yaml"], 1)] {
        let ran = place.run(args);
        assert_eq!(ran.code, code);
        assert!(ran.out.starts_with("rollouts.yaml:5:3: warning L008: "), "{}", ran.out);
        assert!(ran.out.ends_with("no errors, 1 warning\n"), "{}", ran.out);
    }
}

#[test]
fn a_clean_policy_is_clean() {
    let place = Place::new();
    let ran = place.run(&["lint", "--deny-warnings", "rollouts.yaml", "."]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "no errors, no warnings\n", ""));
    assert_eq!(place.run(&["lint", "--format", "json", "."]).out, "[]\n");
}

#[test]
fn json_has_what_the_text_has() {
    let place = Place::new();
    place.write("policy/rollouts.yaml", &POLICY.replace("judge", "juge"));
    let ran = place.run(&["lint", "--format", "json", "policy", "rollouts.yaml"]);
    assert_eq!(ran.code, 1);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        found,
        serde_json::json!([{
            "severity": "error",
            "code": "D011",
            "position": { "file": "policy/rollouts.yaml", "line": 7, "column": 5 },
            "message": "unknown key `juge`",
            "hint": "did you mean `judge`?",
        }])
    );
}

#[test]
fn a_path_that_cannot_be_read_does_not_hide_the_others() {
    let place = Place::new();
    place.write("bad.yaml", "kind: Rollout\napiVersion: davy/v2\n");
    let ran = place.run(&["lint", "nowhere", "bad.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("davy: error: cannot read `nowhere`: "), "{}", ran.err);
    assert!(ran.out.contains("bad.yaml:2:13: error "), "{}", ran.out);
    assert_eq!(place.run(&["lint", "nowhere", "rollouts.yaml"]).code, 1);
}

#[test]
fn text_from_a_policy_cannot_steer_the_terminal() {
    let place = Place::new();
    place.write("rollouts.yaml", "apiVersion: davy/v1\nkind: \"\\e[2J\\n\"\n# \u{202e}\n");
    let ran = place.run(&["lint", "rollouts.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("`\\u{1b}[2J\\u{a}`") && !ran.out.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.out);
}

#[test]
fn a_file_that_is_not_text_has_no_excerpt() {
    let place = Place::new();
    std::fs::write(place.path("rollouts.yaml"), b"kind: \xff").unwrap();
    let ran = place.run(&["lint", "rollouts.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("rollouts.yaml:1:7: error D001: "), "{}", ran.out);
    assert!(!ran.out.contains('^'), "{}", ran.out);
}
