//! `davy demo`, colour, pipes and completions.

use crate::support::{Place, davy, feed, ran, regressed};

#[test]
fn the_demo_shows_three_verdicts_and_explains_them() {
    let ran = ran(&davy(&["demo"]).output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let verdicts =
        ran.out.lines().filter_map(|line| line.split_once("  checkout r2 → prod")).map(|(verdict, _)| verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), ["PROCEED", "HOLD", "ABORT"]);
    for explanation in ["hold errors: undecided: ", "FAIL errors: ", "FAIL latency: ", "passes with ≤ "] {
        assert!(ran.out.contains(explanation), "{explanation}\n{}", ran.out);
    }
}

#[cfg(unix)]
#[test]
fn the_commands_that_the_demo_suggests_work() {
    let place = Place::new();
    let policies = crate::support::checkout().canonicalize().unwrap();
    std::os::unix::fs::symlink(policies.parent().unwrap(), place.path("policies")).unwrap();
    let demo = ran(&davy(&["demo"]).output().unwrap()).out;
    let commands = demo.lines().filter_map(|line| line.strip_prefix(&format!("  {} ", env!("CARGO_BIN_EXE_davy"))));
    let codes = commands.map(|command| place.run(&command.split(' ').collect::<Vec<_>>()).code);
    assert_eq!(codes.collect::<Vec<_>>(), [4, 0, 0, 0, 0]);
}

#[test]
fn a_pipe_has_no_colour_unless_it_is_asked_for() {
    let place = Place::new();
    place.write("snapshot.json", &regressed());
    place.write("bad/rollouts.yaml", "{}");
    for args in [
        &["decide", "--policy", "rollouts.yaml", "--snapshot", "snapshot.json"][..],
        &["decide", "--policy", "bad", "--snapshot", "snapshot.json"],
        &["lint", "bad"],
        &["replay", "snapshot.json"],
        &["demo"],
    ] {
        let coloured = |variables: &[(&str, &str)]| {
            let ran = ran(&place.command(args).envs(variables.iter().copied()).output().unwrap());
            format!("{}{}", ran.out, ran.err).contains('\u{1b}')
        };
        assert!(!coloured(&[]), "{args:?}");
        assert!(coloured(&[("CLICOLOR_FORCE", "1")]), "{args:?}");
        assert!(!coloured(&[("CLICOLOR_FORCE", "0")]), "{args:?}");
        assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{args:?}");
        assert!(coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), "an empty NO_COLOR says nothing: {args:?}");
    }
}

#[test]
fn programs_never_get_colour() {
    let place = Place::new();
    for format in ["json", "markdown"] {
        let args = ["decide", "--policy", "rollouts.yaml", "--snapshot", "-", "--format", format];
        let ran = feed(place.command(&args).env("CLICOLOR_FORCE", "1"), &regressed());
        assert!(ran.code == 4 && !ran.out.contains('\u{1b}'), "{}", ran.out);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    place.write("snapshot.json", &regressed());
    for (args, code) in [
        (&["demo"][..], 0),
        (&["--help"], 0),
        (&["policy", "schema"], 0),
        (&["completions", "bash"], 0),
        (&["lint", "rollouts.yaml"], 0),
        (&["decide", "--policy", "rollouts.yaml", "--snapshot", "snapshot.json"], 4),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = ran(&place.command(args).stdout(writer).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{args:?}");
    }
}

#[test]
fn a_closed_standard_error_keeps_no_answer_back() {
    let place = Place::new();
    place.write("snapshot.json", &regressed());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let args = ["decide", "--policy", "rollouts.yaml", "--snapshot", "snapshot.json", "--state", "nowhere/state.json"];
    let ran = ran(&place.command(&args).stderr(writer).output().unwrap());
    assert_eq!(ran.code, 4);
    assert!(ran.out.starts_with("ABORT"), "{}", ran.out);
}

#[test]
fn shells_complete_every_command() {
    for (shell, sign) in [("bash", "complete -F _davy"), ("zsh", "#compdef davy"), ("fish", "complete -c davy")] {
        let ran = ran(&davy(&["completions", shell]).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.contains(sign), "{shell}");
        for command in ["demo", "init", "lint", "decide", "replay", "policy", "completions", "snapshot"] {
            assert!(ran.out.contains(command), "{shell}: {command}");
        }
    }
}
