//! `davy plugin`, and plugins where other commands meet them: measured before decisions, replayed without, held against lint.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Place, Ran, feed};

/// A place with the two plugins of the tests, built; and the digest of the metric.
fn place() -> (Place, String) {
    let place = Place::new();
    for name in ["sum", "ping"] {
        fs::copy(data(&format!("{name}.wat")), place.path(&format!("{name}.wat"))).unwrap();
        let built = place.run(&["plugin", "build", &format!("{name}.wat")]);
        assert_eq!(built.code, 0, "{}", built.err);
    }
    let digest = digest(&place, "sum.wasm");
    (place, digest)
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/plugins").join(name)
}

fn digest(place: &Place, file: &str) -> String {
    let checked = place.run(&["plugin", "check", "--format", "json", file]);
    let json: Value = serde_json::from_str(&checked.out).unwrap();
    json[0]["digest"].as_str().unwrap().to_owned()
}

/// A policy that aborts where the sum of `depth` is above 10.
fn policy(plugin: &str) -> String {
    format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  health:\n    judge: threshold\n    every: 30s\n    \
         settle: 0s\n    warmUp: 0s\n    metrics:\n      - name: sum\n        max: 10\n        plugin: {{ {plugin} }}\n"
    )
}

fn used(digest: &str) -> String {
    format!("path: sum.wasm, digest: {digest}, inputs: [{{ name: samples, gauge: depth }}]")
}

/// The first minute, in which the depth was this.
fn seen(depth: &[f64]) -> String {
    let interval = |(index, depth): (usize, &f64)| {
        let at = |index: usize| format!("2026-11-23T10:00:{:02}Z", index * 30);
        format!(
            r#"{{"start": "{}", "end": "{}", "observations": [{{"metric": "sum.samples", "cohort": "canary", "gauge": {depth}}}]}}"#,
            at(index),
            at(index + 1).replace("00:60", "01:00")
        )
    };
    let intervals: Vec<String> = depth.iter().enumerate().map(interval).collect();
    format!(
        r#"{{"now": "2026-11-23T10:01:00Z", "asked": "promote", "stage": "canary", "weight": "50%", "since": "2026-11-23T10:00:00Z",
"release": {{"service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z"}},
"intervals": [{}]}}"#,
        intervals.join(",")
    )
}

fn decide(place: &Place, depth: &[f64], args: &[&str]) -> Ran {
    let args = [&["decide", "--policy", ".", "--snapshot", "-"], args].concat();
    feed(&mut place.command(&args), &seen(depth))
}

/// The place of a policy whose metric the plugin measures.
fn measured() -> Place {
    let (place, digest) = place();
    place.write("rollouts.yaml", &policy(&used(&digest)));
    fs::remove_file(place.path("ping.wasm")).unwrap();
    place
}

#[test]
fn a_plugin_begins_in_the_language_of_ones_choice() {
    let place = Place::new();
    for (language, file, expected) in [
        ("rust", "src/lib.rs", "name: \"cart-size\""),
        ("c", "cart_size.c", "DAVY_TEXT(\"cart-size\")"),
        ("python", "cart_size.py", "name=\"cart-size\""),
        ("javascript", "cart_size.js", "name: \"cart-size\""),
        ("assemblyscript", "cart_size.ts", "\"cart-size\""),
        ("wat", "cart_size.wat", "(module"),
    ] {
        let ran = place.run(&["plugin", "new", "cart-size", "--language", language, "--dir", language]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let text = place.read(&format!("{language}/cart-size/{file}"));
        assert!(text.contains(expected), "{language}: {text}");
        let page = place.read(&format!("{language}/cart-size/README.md"));
        assert!(page.contains("davy plugin ") && !page.contains("plugins/wit"), "{language}: {page}");
    }
    assert!(place.read("python/cart-size/wit/metric.wit").contains("world metric"));
    assert!(place.read("rust/cart-size/Cargo.toml").contains("davy-plugin = \"0.1\""));
    // A page is about the folder that it is in.
    assert!(!place.read("rust/cart-size/README.md").contains("cp -r"));
    let step = place.run(&["plugin", "check", "c/cart-size/is_there.c"]);
    assert!(step.err.contains("W005"), "it is there, and is to be built first: {}", step.err);
    let ran = place.run(&["plugin", "new", "own", "--sdk", "rust"]);
    assert!(ran.code == 0 && place.read("own/Cargo.toml").contains("davy-plugin = { path = \"/"), "{}", ran.err);
    let built = place.run(&["plugin", "build", "wat/cart-size/cart_size.wat"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let again = place.run(&["plugin", "new", "own"]);
    assert!(again.code == 1 && again.err.contains("`./own` exists already"), "{}", again.err);
    for name in ["Cart", "cart_size", "1cart", "cart/size"] {
        let refused = place.run(&["plugin", "new", name]);
        assert!(refused.code == 1 && refused.err.contains("cannot name a plugin"), "{name}: {}", refused.err);
    }
}

#[test]
fn a_decision_measures_what_plugins_measure() {
    let place = measured();
    let fine = decide(&place, &[4.0, 9.5], &[]);
    assert_eq!(fine.code, 0, "{}{}", fine.out, fine.err);
    let bad = decide(&place, &[4.0, 10.5], &[]);
    assert_eq!(bad.code, 4, "{}{}", bad.out, bad.err);
    assert!(bad.out.contains("10.5"), "{}", bad.out);
}

#[test]
fn a_single_file_finds_the_component_that_it_names() {
    let place = measured();
    let alone = feed(&mut place.command(&["decide", "--policy", "rollouts.yaml", "--snapshot", "-"]), &seen(&[11.0]));
    assert_eq!(alone.code, 4, "{}{}", alone.out, alone.err);
    // Also below its folder; not above.
    fs::create_dir(place.path("plugins")).unwrap();
    fs::rename(place.path("sum.wasm"), place.path("plugins/sum.wasm")).unwrap();
    let text = place.read("rollouts.yaml");
    place.write("rollouts.yaml", &text.replace("path: sum", "path: plugins/sum"));
    assert_eq!(decide(&place, &[11.0], &[]).code, 4);
    place.write("rollouts.yaml", &text.replace("path: sum", "path: ../sum"));
    let outside = decide(&place, &[11.0], &[]);
    assert!(outside.code == 1 && outside.err.contains("D024"), "{}", outside.err);
}

#[test]
fn a_component_that_measures_takes_no_step() {
    let (place, sum) = place();
    let flow = |component: &str, digest: &str| {
        format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: home }}\nspec:\n  targets: {{ prod: {{ baseUrl: https://shop.example }} }}\n  steps: [{{ id: a, wasm: {{ path: {component}, digest: \"{digest}\" }} }}]\n"
        )
    };
    place.write("home.yaml", &flow("sum.wasm", &sum));
    let refused = place.run(&["probe", "lint", "home.yaml"]);
    assert!(
        refused.code == 1 && refused.out.contains("error P016: `sum.wasm`: W014"),
        "{}{}",
        refused.out,
        refused.err
    );
    place.write("home.yaml", &flow("ping.wasm", &digest(&place, "ping.wasm")));
    let fine = place.run(&["probe", "lint", "home.yaml"]);
    assert!(!fine.out.contains("P016"), "{}{}", fine.out, fine.err);
}

#[test]
fn records_replay_without_the_component() {
    let place = measured();
    for depth in [4.0, 11.0] {
        decide(&place, &[depth], &["--record", "records.jsonl"]);
    }
    let records = place.read("records.jsonl");
    assert!(records.len() < 20_000, "the component is in them by digest alone: {}", records.len());
    fs::remove_file(place.path("sum.wasm")).unwrap();
    let replayed = place.run(&["replay", "records.jsonl"]);
    assert_eq!((replayed.code, replayed.out.matches(": ok ").count()), (0, 2), "{}", replayed.out);
    // What a plugin measured is bound by the record, and so is which plugin it was.
    let line: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    let mut other = line.clone();
    other["snapshot"]["plugins"][0]["fuel"] = 1.into();
    place.write("fuel.jsonl", &format!("{other}\n"));
    let mut other = line.clone();
    other["components"]["sum.wasm"] = format!("sha256:{}", "0".repeat(64)).into();
    place.write("component.jsonl", &format!("{other}\n"));
    for file in ["fuel.jsonl", "component.jsonl"] {
        assert_eq!(place.run(&["replay", file]).code, 1, "{file}");
    }
}

#[test]
fn a_plugin_that_cannot_be_used_never_keeps_an_abort_from_being_said() {
    let place = measured();
    let text = place.read("rollouts.yaml");
    let errors = "      - { name: errors, bad: e, total: t, max: 1% }\n";
    place.write("rollouts.yaml", &(text.replace("inputs:", "parameters: { limit: 0 }, inputs:") + errors));
    let with_errors = |bad: u32| {
        let more = format!(
            r#"{{"metric": "errors", "cohort": "canary", "bad": {bad}, "total": 100}}, {{"metric": "sum.samples""#
        );
        let snapshot = seen(&[1.0]).replace(r#"{"metric": "sum.samples""#, &more);
        feed(&mut place.command(&["decide", "--policy", ".", "--snapshot", "-"]), &snapshot)
    };
    let held = with_errors(0);
    assert_eq!(held.code, 3, "{}{}", held.out, held.err);
    assert!(held.err.contains("parameter limit: expected a whole number from 1, found `0`"), "{}", held.err);
    assert!(held.out.contains("plugin.faulted"), "{}", held.out);
    assert_eq!(with_errors(50).code, 4);
}

#[test]
fn lint_holds_parameters_against_the_plugins_own_schema() {
    let place = measured();
    assert_eq!(place.run(&["lint", "."]).code, 0);
    let text = place.read("rollouts.yaml");
    place.write("rollouts.yaml", &text.replace("inputs:", "parameters: { limti: 3 }, inputs:"));
    let linted = place.run(&["lint", "."]);
    assert_eq!(linted.code, 1, "{}", linted.out);
    let expected = "parameter limti: unknown parameter; known here: `limit`";
    assert!(linted.out.contains("./rollouts.yaml:13:") && linted.out.contains(expected), "{}", linted.out);
}

#[test]
fn tests_of_policies_measure_too() {
    let place = measured();
    place.write("snapshots/calm.json", &seen(&[4.0, 9.5]));
    place.write(
        "sum_test.yaml",
        "apiVersion: davy/v1\nkind: PolicyTest\nmetadata: { name: sum }\nspec:\n  snapshots:\n    calm: { file: snapshots/calm.json }\n  tests:\n    \
         - { name: a calm queue goes on, from: calm, expect: { verdict: proceed } }\n",
    );
    let ran = place.run(&["test", "."]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    place.write("snapshots/calm.json", &seen(&[4.0, 10.5]));
    let ran = place.run(&["test", "."]);
    assert!(ran.code == 1 && ran.out.contains("abort"), "{}", ran.out);
}

#[test]
fn check_says_what_a_policy_needs_to_know() {
    let (place, digest) = place();
    let checked = place.run(&["plugin", "check", "sum.wasm", "ping.wasm"]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    for expected in [
        "sum 1.0.0, the sum of samples",
        "davy:plugin/metric@0.1.0",
        "imports   none",
        "value in `items`",
        "samples (gauge): the sum of samples",
        "100000000 fuel, 64 MiB memory",
        r#"{"properties":{"limit":{"minimum":1,"type":"integer"}},"type":"object"}"#,
        &format!("plugin: {{ path: sum.wasm, digest: {digest}, inputs: [{{ name: samples, gauge: … }}] }}"),
        "davy:plugin/probe-step@0.1.0",
        "wasm: { path: ping.wasm",
        "captures: [token]",
    ] {
        assert!(checked.out.contains(expected), "{expected} is not in\n{}", checked.out);
    }
}

#[test]
fn what_is_no_plugin_is_refused_by_name() {
    let (place, _) = place();
    place.write("text.wasm", "hello");
    fs::write(place.path("native.wasm"), b"\x7fELF\x02\x01\x01\x00").unwrap();
    fs::write(place.path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    for (file, code) in [("text.wasm", "W005"), ("native.wasm", "W004"), ("core.wasm", "W003"), ("sum.wat", "W005")] {
        for command in ["check", "precompile"] {
            let refused = place.run(&["plugin", command, file]);
            assert!(refused.code == 1 && refused.err.contains(code), "{command} {file}: {}", refused.err);
        }
    }
    let missing = place.run(&["plugin", "check", "nothing.wasm"]);
    assert!(missing.code == 1 && missing.err.contains("cannot read `nothing.wasm`"), "{}", missing.err);
    place.write("empty.wat", "(module)");
    let neither = place.run(&["plugin", "build", "empty.wat"]);
    assert!(neither.code == 1 && neither.err.contains("W022"), "{}", neither.err);
    place.write("broken.wat", "(module");
    let broken = place.run(&["plugin", "build", "broken.wat"]);
    assert!(broken.code == 1 && broken.err.contains("W020"), "{}", broken.err);
    assert!(!place.names().contains(&"broken.wasm".to_owned()));
}

#[test]
fn a_metric_is_run_on_intervals() {
    let (place, _) = place();
    let line = |start: &str, end: &str, gauge: f64| {
        format!(
            "{{\"start\": \"2026-11-23T10:{start}Z\", \"end\": \"2026-11-23T10:{end}Z\", \"observations\": [{{\"metric\": \"samples\", \"cohort\": \"canary\", \"gauge\": {gauge}}}]}}\n"
        )
    };
    place.write("seen.jsonl", &(line("00:00", "00:30", 4.25) + &line("00:30", "01:00", 7.0)));
    let ran = place.run(&["plugin", "run", "sum.wasm", "--input", "seen.jsonl"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0].starts_with("2026-11-23T10:00:00Z canary: 4.25 items (") && lines[0].ends_with(" fuel)"),
        "{}",
        ran.out
    );
    assert!(lines[1].contains(": 7 items"), "{}", ran.out);
    let json = place.run(&["plugin", "run", "sum.wasm", "--input", "seen.jsonl", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json[1]["outcome"]["value"], 7.0, "{json}");
    for (args, expected) in [
        (&["--parameters", "{\"limit\": 0}"][..], "limit: expected a whole number from 1"),
        (&["--parameters", "[]"], "they are a mapping"),
        (&["--parameters", "{"], "the parameters do not fit"),
        (&["--parameters", "@nothing.json"], "cannot read `nothing.json`"),
    ] {
        let refused = place.run(&[&["plugin", "run", "sum.wasm", "--input", "seen.jsonl"], args].concat());
        assert!(refused.code == 1 && refused.err.contains(expected), "{}", refused.err);
    }
    place.write("other.jsonl", &line("00:00", "00:30", 1.0).replace("samples", "depth"));
    let other = place.run(&["plugin", "run", "sum.wasm", "--input", "other.jsonl"]);
    assert!(other.err.contains("the plugin does not read `depth`; it reads `samples`"), "{}", other.err);
    place.write("events.jsonl", &line("00:00", "00:30", 1.0).replace("gauge", "events"));
    let other = place.run(&["plugin", "run", "sum.wasm", "--input", "events.jsonl"]);
    assert!(other.err.contains("reads `samples` as gauge, and the file has it as events"), "{}", other.err);
    place.write("askew.jsonl", &line("00:07", "00:37", 1.0));
    let other = place.run(&["plugin", "run", "sum.wasm", "--input", "askew.jsonl"]);
    assert!(other.code == 1 && other.err.contains("nothing was measured"), "{}", other.err);
    let nothing = place.run(&["plugin", "run", "sum.wasm"]);
    assert!(nothing.code == 1 && nothing.err.contains("--input"), "{}", nothing.err);
}

#[test]
fn a_step_is_run_on_answers() {
    let (place, _) = place();
    let told = |answers: &str| {
        place.write("answers.json", answers);
        place.run(&["plugin", "run", "ping.wasm", "--input", "answers.json"])
    };
    let fine = told(r#"[{ "status": 200, "body": "t1" }]"#);
    assert_eq!(fine.code, 0, "{}", fine.err);
    for expected in ["begin (", "sends GET /ping", "200 (", "pass status: expected 200, was 200", "captures token = t1"]
    {
        assert!(fine.out.contains(expected), "{expected} is not in\n{}", fine.out);
    }
    assert!(told(r#"[{ "status": 503 }]"#).out.contains("fail status: expected 200, was not 200"));
    let json = place.run(&["plugin", "run", "ping.wasm", "--input", "answers.json", "--format", "json"]);
    assert_eq!(json.code, 0, "{}", json.err);
    let turns: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(turns[0]["before"], "begin");
    assert!(turns[0]["fuel"].as_u64().unwrap() > 0);
    assert_eq!(turns[0]["outcome"]["send"]["url"], "/ping");
    let done = &turns[1]["outcome"]["done"];
    assert_eq!(turns[1]["before"], "503");
    assert_eq!(done["checks"][0]["outcome"], "fail", "{turns}");
    assert_eq!(done["captures"][0]["name"], "token");
    let broken = told(r#"[{ "stats": 503 }]"#);
    assert!(broken.code == 1 && broken.err.contains("no list of answers"), "{}", broken.err);
}

#[test]
fn bench_says_what_a_call_costs() {
    let (place, _) = place();
    let ran = place.run(&["plugin", "bench", "ping.wasm", "--for", "10ms"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for expected in ["compile ", "call ", "fuel "] {
        assert!(ran.out.contains(expected), "{}", ran.out);
    }
}

#[test]
fn how_soon_a_plugin_fails_is_not_what_it_costs() {
    let (place, _) = place();
    let sum = fs::read_to_string(data("sum.wat")).unwrap();
    let begin = "(local $at i32) (local $end i32) (local $sum f64)";
    place.write("trap.wat", &sum.replace(begin, &format!("{begin} (unreachable)")));
    assert_eq!(place.run(&["plugin", "build", "trap.wat"]).code, 0);
    let seen = data("seen.jsonl").display().to_string();
    let bench = |file: &str| place.run(&["plugin", "bench", file, "--input", &seen, "--for", "10ms"]);
    assert_eq!(bench("sum.wasm").code, 0);
    let failed = bench("trap.wasm");
    let expected = "calls came to nothing, so what they took says nothing: it trapped: ";
    assert!(failed.code == 1 && failed.err.contains(expected) && failed.out.is_empty(), "{}{}", failed.out, failed.err);
}

#[test]
fn what_keeps_compiled_code_from_its_folder_is_told_once() {
    let place = measured();
    let decide = || {
        let mut command = place.command(&["decide", "--policy", ".", "--shadow", ".", "--snapshot", "-"]);
        feed(command.env("XDG_CACHE_HOME", place.path("cache")), &seen(&[11.0]))
    };
    let warned = |ran: &Ran, code: &str| ran.err.matches(&format!("warning: {code}")).count();
    let first = decide();
    assert_eq!((first.code, warned(&first, "W0")), (4, 0), "{}", first.err);
    let kept = || fs::read_dir(place.path("cache/davy/plugins")).unwrap().next().unwrap().unwrap().path();
    fs::write(kept(), "changed").unwrap();
    let spoilt = decide();
    assert_eq!((spoilt.code, warned(&spoilt, "W017")), (4, 1), "{}", spoilt.err);
    let again = decide();
    assert_eq!((again.code, warned(&again, "W0")), (4, 0), "it was compiled and kept again: {}", again.err);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.path("cache/davy/plugins"), open).unwrap();
        let open = decide();
        assert_eq!((open.code, warned(&open, "W015")), (4, 1), "{}", open.err);
    }
    // A file where the folder would be: nobody can make it, whoever it is.
    fs::remove_dir_all(place.path("cache")).unwrap();
    place.write("cache", "");
    let none = decide();
    assert_eq!((none.code, warned(&none, "W015")), (4, 1), "{}", none.err);
    assert!(none.err.contains("--plugin-cache"), "{}", none.err);
}

#[test]
fn precompiled_code_is_kept_in_a_private_folder_and_found_again() {
    let (place, digest) = place();
    place.write("rollouts.yaml", &policy(&used(&digest)));
    let kept = || fs::read_dir(place.path("compiled")).map_or(0, |entries| entries.count());
    let ran = place.run(&["plugin", "precompile", "--plugin-cache", "compiled", "sum.wasm", "ping.wasm", "."]);
    assert_eq!((ran.code, kept()), (0, 2), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(&digest), "{}", ran.out);
    assert_eq!(decide(&place, &[11.0], &["--plugin-cache", "compiled"]).code, 4);
    assert_eq!(kept(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(place.path("compiled"), fs::Permissions::from_mode(0o755)).unwrap();
        let open = place.run(&["plugin", "precompile", "--plugin-cache", "compiled", "sum.wasm"]);
        assert!(open.code == 1 && open.err.contains("W015"), "{}", open.err);
        // Whoever decides is told, and decides all the same.
        assert_eq!(decide(&place, &[11.0], &["--plugin-cache", "compiled"]).code, 3);
    }
}
