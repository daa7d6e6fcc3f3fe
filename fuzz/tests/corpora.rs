//! Replays every corpus on stable Rust, without a fuzzer.

use std::fs;
use std::path::Path;

use davy_fuzz::Input;

/// Replays a corpus; a seed says in its name what it is, and those that are refused begin with `refused-`.
fn replay(target: &str, run: fn(&[u8]) -> Input) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 10, "{target} has {} seeds", seeds.len());
    let mut wrong = Vec::new();
    for seed in seeds {
        let name = seed.file_name().unwrap().to_str().unwrap().to_owned();
        println!("{target}: {name}");
        let expected = if name.starts_with("refused-") { Input::Refused } else { Input::Read };
        if run(&fs::read(&seed).unwrap()) != expected {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{target}: not {wrong:?}");
}

#[test]
fn bundles() {
    replay("bundle", davy_fuzz::bundle);
}

#[test]
fn snapshots() {
    replay("snapshot", davy_fuzz::snapshot);
}

#[test]
fn states() {
    replay("state", davy_fuzz::state);
}

#[test]
fn records() {
    replay("record", davy_fuzz::record);
}

#[test]
fn decisions() {
    replay("decide", davy_fuzz::decide);
}

#[test]
fn flows() {
    replay("flows", davy_fuzz::flows);
}

#[test]
fn answers_to_a_flow() {
    replay("answers", davy_fuzz::answers);
}

#[test]
fn browsers_recordings() {
    replay("har", davy_fuzz::har);
}

#[test]
fn recordings_of_runs() {
    replay("recordings", davy_fuzz::recordings);
}

#[test]
fn crons() {
    replay("cron", davy_fuzz::cron);
}

#[test]
fn rules() {
    replay("rrule", davy_fuzz::rrule);
}

#[test]
fn icalendar_files() {
    replay("ics", davy_fuzz::ics);
}

#[test]
fn calendars() {
    replay("calendar", davy_fuzz::calendar);
}

#[test]
fn policy_tests() {
    replay("policy_test", davy_fuzz::policy_test);
}
