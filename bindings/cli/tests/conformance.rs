//! One corpus, every host: what Rust and the command line answer to `bindings/conformance/cases.txt`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use davy::{Bundle, Cause, Engine, Snapshot, State};

/// One case, as its lines stand.
#[derive(Clone, PartialEq)]
struct Case {
    name: String,
    bundle: String,
    state: String,
    snapshot: String,
    kind: String,
    answer: String,
    next: String,
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(corpus().join("cases.txt")).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let case = |lines: &[&str]| match lines {
        [name, bundle, state, snapshot, kind, answer, next, ..] => Case {
            name: (*name).to_owned(),
            bundle: (*bundle).to_owned(),
            state: (*state).to_owned(),
            snapshot: (*snapshot).to_owned(),
            kind: (*kind).to_owned(),
            answer: (*answer).to_owned(),
            next: (*next).to_owned(),
        },
        _ => panic!("a case has seven lines"),
    };
    lines.chunks(8).filter(|lines| lines.len() >= 7).map(case).collect()
}

fn engines() -> BTreeMap<String, Engine> {
    let folders = fs::read_dir(corpus().join("bundles")).unwrap().map(|entry| entry.unwrap().path());
    let compiled = folders.map(|folder| {
        let bundle = Bundle::from_files(davy_cli::read_policy(&folder).unwrap()).unwrap();
        let engine = Engine::builder(&bundle).rules(davy_rules::languages()).build().unwrap();
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), engine)
    });
    compiled.collect()
}

/// The same question, answered by the library.
fn answered(engines: &BTreeMap<String, Engine>, case: &Case) -> Case {
    let refused = |kind: &str, error: &dyn std::fmt::Display| Case {
        kind: kind.to_owned(),
        answer: error.to_string(),
        next: String::new(),
        ..case.clone()
    };
    let state = if case.state.is_empty() { Ok(State::new()) } else { State::from_json(case.state.as_bytes()) };
    let state = match state {
        Ok(state) => state,
        Err(error) => return refused("state", &error),
    };
    let snapshot = match Snapshot::from_json(case.snapshot.as_bytes()) {
        Ok(snapshot) => snapshot,
        Err(error) => return refused("snapshot", &error),
    };
    let step = engines.get(&case.bundle).unwrap().decide(&state, &snapshot);
    Case {
        kind: "record".to_owned(),
        answer: String::from_utf8(step.seal().unwrap().bytes().to_vec()).unwrap(),
        next: String::from_utf8(step.state.to_json()).unwrap(),
        ..case.clone()
    }
}

#[test]
fn rust_answers_every_case_with_the_same_bytes() {
    let (engines, mut cases) = (engines(), cases());
    assert!(cases.len() >= 200, "{} cases", cases.len());
    if std::env::var_os("DAVY_UPDATE").is_some() {
        let mut previous = String::new();
        for case in &mut cases {
            if case.state == "@previous" {
                case.state.clone_from(&previous);
            }
            *case = answered(&engines, case);
            previous.clone_from(&case.next);
        }
        let write = |case: &Case| {
            let lines = [&case.name, &case.bundle, &case.state, &case.snapshot, &case.kind, &case.answer, &case.next];
            lines.map(|line| format!("{line}\n")).concat() + "\n"
        };
        fs::write(corpus().join("cases.txt"), cases.iter().map(write).collect::<String>()).unwrap();
    }
    for case in &cases {
        let now = answered(&engines, case);
        assert!(now == *case, "`{}`\nwas {} {}\nis  {} {}", case.name, case.kind, case.answer, now.kind, now.answer);
    }
}

#[test]
fn the_corpus_reaches_every_verdict_and_most_codes() {
    let text: String = cases().iter().map(|case| case.answer.as_str()).collect();
    for verdict in ["proceed", "hold", "abort", "rollback"] {
        assert!(text.contains(&format!("\"verdict\":\"{verdict}\"")), "no case is answered with {verdict}");
    }
    let gates = ["asked", "bake", "budget", "burn", "calendar", "clock", "data", "dependencies", "health", "override"];
    let of_rules = Cause::CODES.iter().filter(|code| code.starts_with("rules.") && **code != "rules.no-language");
    let of_kayenta = Cause::CODES.iter().filter(|code| code.starts_with("health.kayenta"));
    let more = ["probes", "release", "state", "steps", "calendar.hard-frozen", "calendar.target-unknown"];
    for code in gates.iter().chain(&more).chain(of_rules).chain(of_kayenta) {
        assert!(text.contains(&format!("\"code\":\"{code}")), "no case has a finding of `{code}`");
    }
}

#[test]
fn the_command_line_answers_every_case_with_the_same_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str| scratch.path().join(name);
    for case in cases() {
        fs::write(file("snapshot.json"), &case.snapshot).unwrap();
        let _ = fs::remove_file(file("state.json"));
        let _ = fs::remove_file(file("records.jsonl"));
        if !case.state.is_empty() {
            fs::write(file("state.json"), &case.state).unwrap();
        }
        let run = Command::new(env!("CARGO_BIN_EXE_davy"))
            .args(["decide", "--format", "json", "--policy"])
            .arg(corpus().join("bundles").join(&case.bundle))
            .arg("--snapshot")
            .arg(file("snapshot.json"))
            .arg("--state")
            .arg(file("state.json"))
            .arg("--record")
            .arg(file("records.jsonl"))
            .output()
            .unwrap();
        let name = &case.name;
        if case.kind != "record" {
            assert_eq!(run.status.code(), Some(1), "`{name}`");
            continue;
        }
        let line = fs::read_to_string(file("records.jsonl")).unwrap();
        assert!(line.contains(&case.answer), "`{name}`: the record is another one");
        assert_eq!(fs::read_to_string(file("state.json")).unwrap().trim_end(), case.next, "`{name}`: the next state");
        assert!(case.answer.contains(String::from_utf8(run.stdout).unwrap().trim_end()), "`{name}`: the decision");
    }
}
