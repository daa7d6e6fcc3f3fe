//! `davy test`: results, formats, coverage, updates, and looking again when something changes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Place, checkout, healthy, regressed};

const TESTS: &str = "\
apiVersion: davy/v1
kind: PolicyTest
metadata: { name: errors }
spec:
  tests:
    - { name: few errors, file: seen/healthy.json, expect: proceed }
    - { name: many errors <end> the release, file: seen/regressed.json, expect: { verdict: abort, reasons: [health.limit-exceeded] } }
";

/// A policy with its tests.
fn place() -> Place {
    let place = Place::new();
    place.write("seen/healthy.json", &healthy());
    place.write("seen/regressed.json", &regressed());
    place.write("errors_test.yaml", TESTS);
    place
}

/// The same with an expectation that does not come true.
fn failing() -> Place {
    let place = place();
    place.write("errors_test.yaml", &TESTS.replace("expect: proceed", "expect: abort"));
    place
}

#[test]
fn the_tests_of_a_policy_are_found_and_pass() {
    let place = place();
    for path in [".", "errors_test.yaml"] {
        let ran = place.run(&["test", path]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(
            ran.out.ends_with("  ok    few errors\n  ok    many errors <end> the release\n2 passed, 0 failed\n"),
            "{}",
            ran.out
        );
    }
    place.write(
        "deep/down/errors_test.yaml",
        &TESTS.replace("tests:", "policy: ../..\n  tests:").replace("seen/", "../../seen/"),
    );
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 0 && ran.out.ends_with("4 passed, 0 failed\n"), "{}{}", ran.out, ran.err);
}

#[test]
fn tests_are_no_part_of_the_policy() {
    let place = place();
    let decided = |place: &Place| place.decide(&healthy(), &["--record", "records.jsonl"]).code;
    assert_eq!(place.run(&["lint", "."]).code, 0);
    assert_eq!(decided(&place), 0);
    let ran = place.run(&["decide", "--policy", ".", "--snapshot", "seen/healthy.json", "--record", "records.jsonl"]);
    assert_eq!(ran.code, 0);
    let digests: Vec<String> = place
        .read("records.jsonl")
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["record"]["bundle"].to_string()
        })
        .collect();
    assert_eq!(digests[0], digests[1], "a test that is written changes no policy");
}

#[test]
fn what_fails_is_shown_beside_what_was_decided() {
    let ran = failing().run(&["test", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.contains("  FAIL  few errors\n        ./errors_test.yaml:6:60: verdict\n          - abort\n          + proceed\n        proceed because\n"), "{}", ran.out);
    assert!(ran.out.ends_with("1 passed, 1 failed\n"), "{}", ran.out);
}

#[test]
fn a_file_that_cannot_be_run_fails_with_place_and_hint() {
    let place = place();
    place.write("errors_test.yaml", &TESTS.replace("expect: proceed", "expect: procede"));
    let ran = place.run(&["test", "."]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("./errors_test.yaml:6:60: error D015:") && ran.out.contains("hint: did you mean `proceed`?"),
        "{}",
        ran.out
    );
    place.write("errors_test.yaml", TESTS);
    place.write("rollouts.yaml", "kind: Rollout\n");
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 1 && ran.out.contains("rollouts.yaml:1:1: error D012"), "{}", ran.out);
    place.write("rollouts.yaml", crate::support::POLICY);
    place.write("seen/healthy.json", "{");
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 1 && ran.out.contains("seen/healthy.json:1:1: error T001: S001"), "{}", ran.out);
    let ran = place.run(&["test", "seen"]);
    assert!(ran.code == 1 && ran.err.contains("`seen` holds no *_test.yaml or *_test.rego file"), "{}", ran.err);
    assert_eq!(place.run(&["test", "nowhere"]).code, 1);
    assert_eq!(place.run(&["test"]).code, 2);
}

#[test]
fn programs_read_json() {
    let ran = failing().run(&["test", ".", "--format", "json", "--coverage"]);
    assert_eq!(ran.code, 1);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((json["passed"].as_u64(), json["failed"].as_u64()), (Some(1), Some(1)));
    let look = &json["files"][0]["tests"][0]["looks"][0];
    assert_eq!(look["verdict"], "proceed");
    assert_eq!(look["mismatches"][0]["expected"][0], "abort");
    assert_eq!(look["mismatches"][0]["position"]["line"], 6);
    let coverage = &json["coverage"][0];
    assert_eq!(
        coverage["branches"].as_u64().unwrap() - coverage["reached"].as_u64().unwrap(),
        coverage["unreached"].as_array().unwrap().len() as u64
    );
}

#[test]
fn ci_servers_read_junit() {
    let ran = failing().run(&["test", ".", "--format", "junit"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    for part in [
        "<testsuites name=\"davy test\" tests=\"2\" failures=\"1\" skipped=\"0\">",
        "<testsuite name=\"./errors_test.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0.",
        "<testcase classname=\"./errors_test.yaml\" name=\"few errors\" file=\"./errors_test.yaml\" line=\"6\"><failure message=\"verdict: expected abort, decided proceed\">",
        "name=\"many errors &lt;end&gt; the release\" file=\"./errors_test.yaml\" line=\"7\"/>",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
}

/// A policy with a rule in Rego, one in CEL, and tests of the first in Rego itself.
fn with_rules() -> Place {
    let place = Place::new();
    let rules = "  rules:\n    - ticket.rego\n    - { name: replicas, cel: \"facts.replicas >= 3 || facts.canary\", message: few, outcome: hold }\n";
    place.write("rollouts.yaml", &format!("{}{rules}", crate::support::POLICY));
    place.write(
        "ticket.rego",
        "package ticket\n\ndeny contains \"none\" if not input.facts.ticket\n\nwarn contains \"old\" if startswith(input.facts.ticket, \"OLD-\")\n",
    );
    place.write(
        "ticket_test.rego",
        "package ticket_test\n\nimport data.ticket\n\ntest_none if count(ticket.deny) == 1 with input as {\"facts\": {}}\n\ntest_wrong if {\n\tcount(ticket.deny) == 0\n\tticket.deny == {\"other\"}\n\ttrue\n}\n\ntodo_test_later if false\n",
    );
    place
}

#[test]
fn tests_in_rego_run_beside_the_rules_that_they_are_about() {
    let place = with_rules();
    let ran = place.run(&["test", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let shown = "./ticket_test.rego\n  ok    ticket_test.test_none\n  FAIL  ticket_test.test_wrong\n        ./ticket_test.rego:8:1: expected true, found undefined; it came to\n          count(ticket.deny) == 0\n  skip  ticket_test.todo_test_later\n1 passed, 1 failed, 1 skipped\n";
    assert_eq!(ran.out, shown);

    let ran = place.run(&["test", "ticket_test.rego", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["passed"], &json["failed"], &json["skipped"]), (&1.into(), &1.into(), &1.into()));
    let failed = &json["files"][0]["tests"][1];
    assert_eq!(failed["failure"]["message"], "expected true, found undefined");
    assert_eq!(failed["failure"]["position"]["line"], 8);

    let ran = place.run(&["test", ".", "--format", "junit"]);
    for part in [
        "tests=\"3\" failures=\"1\" skipped=\"1\">",
        "name=\"ticket_test.test_none\" file=\"./ticket_test.rego\" line=\"5\"/>",
        "line=\"7\"><failure message=\"expected true, found undefined\">./ticket_test.rego:8:1",
        "name=\"ticket_test.todo_test_later\" file=\"./ticket_test.rego\" line=\"13\"><skipped/></testcase>",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    // Rules alone, as people have them who come from `opa test`.
    std::fs::remove_file(place.path("rollouts.yaml")).unwrap();
    place.write("data.json", "{}");
    place.write(
        "ticket_test.rego",
        &place.read("ticket_test.rego").replace("== 0", "== 1").replace("\"other\"", "\"none\""),
    );
    let ran = place.run(&["test", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.ends_with("2 passed, 0 failed, 1 skipped\n"), "{}", ran.out);
    place.write("ticket_test.rego", "package ticket_test\n\ntest_x if {\n");
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 1 && ran.out.contains("./ticket_test.rego:3:1: error U001"), "{}", ran.out);
}

#[test]
fn a_file_of_rego_without_tests_does_not_pass() {
    let place = with_rules();
    place.write(
        "ticket_test.rego",
        "package ticket_test\n\nimport data.ticket\n\ntset_none if count(ticket.deny) == 1 with input as {\"facts\": {}}\n",
    );
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 1 && ran.out.contains("ticket_test.rego:1:1: error"), "{}", ran.out);
    assert!(ran.out.contains("there is no test") && ran.out.ends_with("0 passed, 1 failed\n"), "{}", ran.out);
}

#[test]
fn coverage_tells_the_parts_of_rules_that_no_test_reached() {
    let place = with_rules();
    let ran = place.run(&["test", ".", "--coverage"]);
    for part in [
        "    ./rollouts.yaml:15:31: rules of `replicas`: `facts.replicas >= 3` is false\n",
        "    ./rollouts.yaml:15:54: rules of `replicas`: `facts.canary` is true\n",
        "    ./rollouts.yaml:14:7: rules of `ticket`: fires\n",
        "    ./ticket.rego:5:15: rules of `ticket`: `warn contains \"old\"` is reached\n",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    // What tests in Rego have been through is reached.
    assert!(!ran.out.contains("./ticket.rego:3"), "{}", ran.out);
    assert!(place.run(&["test", ".", "--min-coverage", "100%"]).err.contains("less than 100%"));
}

#[test]
fn too_little_coverage_fails() {
    let place = place();
    let ran = place.run(&["test", ".", "--coverage"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("coverage of .: 33.3333% (2 of 6)\n"), "{}", ran.out);
    assert!(ran.out.contains("    ./rollouts.yaml:12:9: health of `errors`: hold\n"), "{}", ran.out);
    assert_eq!(place.run(&["test", ".", "--min-coverage", "33.3333%"]).code, 0);
    let ran = place.run(&["test", ".", "--min-coverage", "33.3334%"]);
    assert!(ran.code == 1 && ran.err.contains("33.3333% is covered, less than 33.3334%"), "{}", ran.err);
    assert_eq!(place.run(&["test", ".", "--min-coverage", "lots"]).code, 2);
}

#[test]
fn rules_without_a_policy_cover_nothing() {
    let place = with_rules();
    std::fs::remove_file(place.path("rollouts.yaml")).unwrap();
    for name in ["ticket_test.rego", "more_test.rego"] {
        let test = "package more_test\n\nimport data.ticket\n\ntest_none if count(ticket.deny) == 1 with input as {\"facts\": {}}\n";
        place.write(name, test);
    }
    assert_eq!(place.run(&["test", "."]).code, 0);
    let ran = place.run(&["test", ".", "--min-coverage", "1%"]);
    let told = ran.err.matches("there is no policy, so there is nothing to cover").count();
    assert_eq!((ran.code, told), (1, 1), "once for a folder: {}", ran.err);
    assert!(ran.out.ends_with("2 passed, 0 failed\n"), "{}", ran.out);
}

#[test]
fn every_branch_of_the_ready_policy_is_tested() {
    let path = checkout();
    let ran = Place::new().run(&["test", path.to_str().unwrap(), "--min-coverage", "100%"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
}

#[test]
fn update_writes_what_is_decided_and_then_tests_pass() {
    let place = failing();
    let ran = place.run(&["test", ".", "--update"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains("updated ./errors_test.yaml") && ran.out.ends_with("2 passed, 0 failed\n"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert_eq!(place.read("errors_test.yaml"), TESTS);
    let ran = place.run(&["test", ".", "--update"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "nothing is left to write");
}

#[test]
fn watch_runs_again_when_a_policy_a_test_or_a_snapshot_changes() {
    let place = place();
    let mut child =
        place.command(&["test", ".", "--watch"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
    let next = || {
        let until = Instant::now() + Duration::from_secs(30);
        while let Ok(line) = heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if line.ends_with(" failed") {
                return line;
            }
        }
        panic!("nothing was run");
    };
    assert_eq!(next(), "2 passed, 0 failed");
    place.write("rollouts.yaml", &crate::support::POLICY.replace("max: 1%", "max: 99%"));
    assert_eq!(next(), "1 passed, 1 failed");
    place.write("errors_test.yaml", &TESTS.replace("{ verdict: abort, reasons: [health.limit-exceeded] }", "proceed"));
    assert_eq!(next(), "2 passed, 0 failed");
    place.write("seen/healthy.json", "{");
    assert_eq!(next(), "1 passed, 1 failed");
    child.kill().unwrap();
    child.wait().unwrap();
}
