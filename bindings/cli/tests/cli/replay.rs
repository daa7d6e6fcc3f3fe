//! `davy replay`: records that decide the same again, and records that were touched.

use crate::support::{Place, feed, healthy, later_snapshot, regressed, snapshot};

/// A file of records of three looks that share a state.
fn three_looks() -> Place {
    let place = Place::new();
    for (snapshot, code) in [
        (healthy(), 0),
        (later_snapshot("canary", "promote", &[1, 2], 4), 3),
        (snapshot("canary", "promote", &[1, 2, 3, 200]), 4),
    ] {
        assert_eq!(place.decide(&snapshot, &["--state", "state.json", "--record", "records.jsonl"]).code, code);
    }
    place
}

#[test]
fn written_records_replay() {
    let place = three_looks();
    let ran = place.run(&["replay", "records.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    for (line, (number, verdict)) in lines.iter().zip([(1, "proceed"), (2, "hold"), (3, "abort")]) {
        assert!(line.starts_with(&format!("records.jsonl:{number}: ok 2026-11-23T10:0")), "{line}");
        assert!(line.contains(&format!("checkout r2 → prod, attempt 1: {verdict} (sha256:")), "{line}");
    }
    assert_eq!(lines.len(), 3);
}

#[test]
fn records_of_the_example_policy_replay() {
    let place = Place::new();
    let policy = crate::support::checkout();
    for name in ["healthy", "inconclusive", "regressed"] {
        let snapshot = policy.join("snapshots").join(name).with_extension("json");
        let mut command = place.command(&["decide", "--record", "records.jsonl"]);
        command.arg("--policy").arg(&policy).arg("--snapshot").arg(snapshot).output().unwrap();
    }
    let ran = place.run(&["replay", "records.jsonl"]);
    assert_eq!((ran.code, ran.out.matches(": ok ").count()), (0, 3), "{}", ran.out);
}

#[test]
fn standard_input_and_several_files_are_replayed() {
    let place = three_looks();
    let records = place.read("records.jsonl");
    let ran = feed(&mut place.command(&["replay", "-", "records.jsonl"]), &records);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 6), "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("<stdin>:1: ok "), "{}", ran.out);
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let place = three_looks();
    let records = place.read("records.jsonl");
    let second = records.lines().nth(1).unwrap();
    for (from, to, expected) in [
        // In the record: the verdict, a fact, its form.
        ("\"verdict\":\"hold\"", "\"verdict\":\"bold\"", "R001"),
        ("\"at\":\"2026-11-23T10:02:00Z\"", "\"at\":\"2026-11-23T10:02:01Z\"", "R005"),
        ("{\"record\":{\"bundle\"", "{\"record\":{ \"bundle\"", "R002"),
        // In the inputs.
        (
            "\"snapshot\":{\"now\":\"2026-11-23T10:02:00Z\"",
            "\"snapshot\":{\"now\":\"2026-11-23T10:02:01Z\"",
            "R004: the snapshot",
        ),
        ("\"cohort\":\"canary\",\"bad\":2,", "\"cohort\":\"canary\",\"bad\":3,", "R004: the list of intervals"),
        ("\"latest\":\"2026-11-23T10:01:00Z\"", "\"latest\":\"2026-11-23T10:01:01Z\"", "R004: the prior state"),
        ("max: 1%", "max: 2%", "R004: the bundle"),
        ("max: 1%", "max: 1!", "the bundle: rollouts.yaml:12:"),
        ("\"state\":{\"version\":1", "\"state\":{\"version\":9", "the prior state: line 1, column "),
        // In the line itself.
        ("\"bundle\":{\"rollouts.yaml\"", "\"bundie\":{\"rollouts.yaml\"", "not a line of `davy decide --record`: "),
    ] {
        assert!(second.contains(from), "{from} in {second}");
        let touched = second.replacen(from, to, 1);
        let ran = feed(&mut place.command(&["replay", "-"]), &records.replace(second, &touched));
        let lines: Vec<&str> = ran.out.lines().collect();
        assert_eq!((ran.code, lines.len()), (1, 3), "{to}");
        assert!(lines[0].starts_with("<stdin>:1: ok ") && lines[2].starts_with("<stdin>:3: ok "), "{lines:?}");
        assert!(lines[1].starts_with(&format!("<stdin>:2: differs {expected}")), "{to}: {}", lines[1]);
    }
}

#[test]
fn no_line_with_a_flipped_bit_replays() {
    let place = three_looks();
    let records = place.read("records.jsonl");
    let line = records.lines().nth(1).unwrap();
    // What a record says of its engine cannot be decided again: any version of the same semantics replays it.
    let engine = "\"engine\":\"";
    let start = line.find(engine).unwrap() + engine.len();
    let end = start + line[start..].find('"').unwrap();
    let places: Vec<usize> = (0..line.len()).filter(|index| !(start..end).contains(index)).collect();
    let flipped = places.iter().map(|&index| {
        let mut bytes = line.as_bytes().to_vec();
        bytes[index] ^= 1;
        String::from_utf8(bytes).unwrap() + "\n"
    });
    place.write("flipped.jsonl", &flipped.collect::<String>());
    let ran = place.run(&["replay", "flipped.jsonl"]);
    let replayed: Vec<&str> = ran.out.lines().filter(|line| !line.contains(": differs ")).collect();
    assert!(ran.code == 1 && replayed.is_empty(), "{replayed:?}");
    assert_eq!(ran.out.lines().count(), places.len());
}

#[test]
fn a_verdict_made_milder_is_found() {
    let place = Place::new();
    assert_eq!(place.decide(&regressed(), &["--record", "records.jsonl"]).code, 4);
    let milder = place.read("records.jsonl").replace("\"verdict\":\"abort\"", "\"verdict\":\"proceed\"");
    place.write("records.jsonl", &milder);
    let ran = place.run(&["replay", "records.jsonl"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("the record says proceed (sha256:") && ran.out.contains("this engine abort"),
        "{}",
        ran.out
    );
}

#[test]
fn files_without_records_prove_nothing() {
    let place = Place::new();
    place.write("empty.jsonl", "\n");
    for (name, error) in [("empty.jsonl", "`empty.jsonl` holds no records"), ("nowhere", "cannot read `nowhere`: ")] {
        let ran = place.run(&["replay", name]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(ran.err.starts_with(&format!("davy: error: {error}")), "{}", ran.err);
    }
}
