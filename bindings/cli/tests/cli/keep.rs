//! What a decision leaves on disk, and that a disk never stands between an abort and its host.

use crate::support::{Place, Ran, healthy, later_snapshot, regressed, snapshot};

#[test]
fn the_state_of_one_look_is_the_next_ones() {
    let place = Place::new();
    assert_eq!(place.decide(&regressed(), &["--state", "state.json"]).code, 4);
    // The evidence is lost, and the abort stands.
    let lost = later_snapshot("canary", "promote", &[], 3);
    assert_eq!(place.decide(&lost, &["--state", "state.json"]).code, 4);
    assert_eq!(place.decide(&lost, &[]).code, 3);
}

#[test]
fn intervals_that_the_state_holds_may_be_left_out() {
    let place = Place::new();
    assert_eq!(place.decide(&healthy(), &["--state", "state.json"]).code, 0);
    let before = place.read("state.json");
    let all = snapshot("canary", "promote", &[1, 2, 3]);
    let (head, tail) = all.split_once("\"intervals\": [\n").unwrap();
    let newest_only = format!("{head}\"intervals\": [\n{}", tail.splitn(3, ",\n").last().unwrap());
    assert_eq!(place.decide(&newest_only, &["--state", "state.json"]).code, 0);
    assert_ne!(place.read("state.json"), before);
    let other = Place::new();
    assert_eq!(other.decide(&all, &["--state", "state.json"]).code, 0);
    assert_eq!(place.read("state.json"), other.read("state.json"));
}

#[test]
fn a_state_is_replaced_whole_and_nothing_is_left_beside_it() {
    let place = Place::new();
    for bad in [&[1, 1][..], &[1, 1, 1]] {
        assert_eq!(place.decide(&snapshot("canary", "promote", bad), &["--state", "state.json"]).code, 0);
        davy::State::from_json(place.read("state.json").as_bytes()).unwrap();
    }
    assert_eq!(place.names(), ["rollouts.yaml", "state.json"]);
}

#[cfg(unix)]
#[test]
fn replacing_a_state_keeps_its_permissions_and_the_links_to_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    assert_eq!(place.decide(&healthy(), &["--state", "state.json"]).code, 0);
    std::fs::set_permissions(place.path("state.json"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("state.json", place.path("link.json")).unwrap();
    let before = place.read("state.json");
    assert_eq!(place.decide(&snapshot("canary", "promote", &[1, 2, 3]), &["--state", "link.json"]).code, 0);
    assert_ne!(place.read("state.json"), before);
    assert_eq!(std::fs::metadata(place.path("state.json")).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::symlink_metadata(place.path("link.json")).unwrap().is_symlink());
}

#[test]
fn a_state_that_cannot_be_written_never_blocks_an_abort_or_a_rollback() {
    let place = Place::new();
    for (stage, code, word) in [("canary", 4, "ABORT"), ("live", 5, "ROLLBACK")] {
        let ran = place.decide(&snapshot(stage, "keep", &[200]), &["--state", "nowhere/state.json"]);
        assert_eq!(ran.code, code);
        assert!(ran.out.starts_with(word), "{}", ran.out);
        assert!(ran.err.starts_with("davy: error: cannot write `nowhere/state.json`: "), "{}", ran.err);
    }
}

#[test]
fn a_state_that_cannot_be_written_is_an_error_for_what_may_wait() {
    let place = Place::new();
    for (closed, word) in [(2, "PROCEED"), (4, "HOLD")] {
        let snapshot = later_snapshot("canary", "promote", &[1, 2], closed);
        let ran = place.decide(&snapshot, &["--state", "nowhere/state.json"]);
        assert_eq!(ran.code, 1);
        assert!(ran.out.starts_with(word), "the decision is printed all the same: {}", ran.out);
        assert!(ran.err.starts_with("davy: error: cannot write `nowhere/state.json`: "), "{}", ran.err);
    }
}

#[test]
fn a_state_that_cannot_be_read_never_blocks_an_abort_and_is_left_alone() {
    let place = Place::new();
    place.write("state.json", "{\"version\":1,");
    let Ran { code, out, err } = place.decide(&regressed(), &["--state", "state.json"]);
    assert_eq!(code, 4);
    assert!(out.starts_with("ABORT"), "{out}");
    assert!(err.starts_with("davy: error: state.json:1:13: S001: "), "{err}");
    assert_eq!(place.read("state.json"), "{\"version\":1,");

    let Ran { code, out, err } = place.decide(&healthy(), &["--state", "state.json"]);
    assert_eq!((code, out.as_str()), (1, ""), "without its state nothing is decided that may wait");
    assert!(err.starts_with("davy: error: state.json:1:13: S001: "), "{err}");
}

#[test]
fn a_state_is_a_regular_file() {
    let place = Place::new();
    std::fs::create_dir(place.path("state")).unwrap();
    let ran = place.decide(&healthy(), &["--state", "state"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "davy: error: `state` is not a regular file, so it cannot hold a state\n");
}

#[test]
fn the_state_goes_no_further_than_the_records() {
    let place = Place::new();
    let args = ["--record", "nowhere/records.jsonl", "--state", "state.json"];
    let ran = place.decide(&healthy(), &args);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("davy: error: cannot write `nowhere/records.jsonl`: "), "{}", ran.err);
    assert_eq!(place.names(), ["rollouts.yaml"]);

    // An abort is latched all the same.
    assert_eq!(place.decide(&regressed(), &args).code, 4);
    assert_eq!(place.names(), ["rollouts.yaml", "state.json"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_never_blocks_an_abort() {
    use crate::support::ran;
    let place = Place::new();
    assert_eq!(place.decide(&regressed(), &["--record", "/dev/full"]).code, 4);
    assert_eq!(place.decide(&healthy(), &["--record", "/dev/full"]).code, 1);

    // Nor one that the answer itself goes to.
    for (snapshot, code) in [(regressed(), 4), (healthy(), 1)] {
        place.write("snapshot.json", &snapshot);
        let mut command = place.command(&["decide", "--policy", "rollouts.yaml", "--snapshot", "snapshot.json"]);
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = ran(&command.stdout(full).output().unwrap());
        assert_eq!(ran.code, code);
        assert!(ran.err.starts_with("davy: error: cannot write the answer: "), "{}", ran.err);
    }
}

#[test]
fn records_are_appended_one_per_line() {
    let place = Place::new();
    for bad in [&[1, 1][..], &[1, 1, 1]] {
        place.decide(&snapshot("canary", "promote", bad), &["--record", "records.jsonl"]);
    }
    let records = place.read("records.jsonl");
    assert!(records.ends_with('\n'));
    let keys = |line: &str| {
        let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        line.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(records.lines().map(keys).collect::<Vec<_>>(), [["bundle", "record", "snapshot", "state"]; 2]);
}

#[test]
fn a_record_never_joins_a_line_that_was_cut_off() {
    let place = Place::new();
    place.write("records.jsonl", "{\"record\":{\"bun");
    assert_eq!(place.decide(&healthy(), &["--record", "records.jsonl"]).code, 0);
    let replayed = place.run(&["replay", "records.jsonl"]);
    assert_eq!(replayed.code, 1);
    let lines: Vec<&str> = replayed.out.lines().collect();
    assert!(lines[0].starts_with("records.jsonl:1: differs "), "{lines:?}");
    assert!(lines[1].starts_with("records.jsonl:2: ok "), "{lines:?}");
    assert_eq!(lines.len(), 2);
}
