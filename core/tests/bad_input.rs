//! Broken input: every code, where it points, what it advises, and that nothing is accepted in part.
//!
//! A document of `data/bad_documents` ends with lines that begin with `#!`. `#! D011 5:3 hint` is
//! expected to be reported, in this order, and nothing else; `#! fix 5: text` is a line that mends it.
//! It is `rollouts.yaml` of a bundle; `#! file slo.yaml` begins another file, whose places are written as
//! `slo.yaml:5:3` and `slo.yaml:5`.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use davy::document::DiagnosticCode;
use davy::{Bundle, Diagnostic, Engine, Record, ReplayError, Severity, Snapshot, SnapshotError, State};
use serde_json::Value as Json;

/// The documents of a bundle, what is wrong with them, and how they are mended.
struct Case {
    name: String,
    files: Vec<(String, String)>,
    expected: Vec<Expected>,
    fixes: Vec<Fix>,
}

/// Another text for a line, or none.
struct Fix {
    file: String,
    line: usize,
    text: Option<String>,
}

#[derive(Debug, PartialEq)]
struct Expected {
    code: String,
    position: String,
    hint: Option<String>,
}

fn documents() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bad_documents");
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            read_case(name, &std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// The file that a place is in unless it names another.
const MAIN: &str = "rollouts.yaml";

fn read_case(name: String, text: &str) -> Case {
    let files = vec![(MAIN.to_owned(), String::new())];
    let mut case = Case { name, files, expected: Vec::new(), fixes: Vec::new() };
    for line in text.lines() {
        let Some(note) = line.strip_prefix("#! ") else {
            let (_, file) = case.files.last_mut().unwrap();
            file.push_str(line);
            file.push('\n');
            continue;
        };
        if let Some(file) = note.strip_prefix("file ") {
            case.files.push((file.to_owned(), String::new()));
        } else if let Some(fix) = note.strip_prefix("fix ") {
            let (place, text) =
                fix.split_once(": ").map_or((fix, None), |(place, text)| (place, Some(text.to_owned())));
            let (file, line) = place.split_once(':').unwrap_or((MAIN, place));
            case.fixes.push(Fix { file: file.to_owned(), line: line.parse().unwrap(), text });
        } else {
            let mut words = note.splitn(3, ' ');
            let mut word = || words.next().map(str::to_owned);
            case.expected.push(Expected { code: word().unwrap(), position: word().unwrap(), hint: word() });
        }
    }
    case
}

impl Case {
    /// The files with their fixes, the one with the number `without` left out.
    fn mended(&self, without: Option<usize>) -> Vec<(String, String)> {
        let lines = |text: &str| text.lines().map(|line| Some(line.to_owned())).collect::<Vec<_>>();
        let mut files: Vec<_> = self.files.iter().map(|(name, text)| (name.clone(), lines(text))).collect();
        for (number, fix) in self.fixes.iter().enumerate() {
            if Some(number) != without {
                let (_, lines) = files.iter_mut().find(|(name, _)| *name == fix.file).unwrap();
                lines[fix.line - 1].clone_from(&fix.text);
            }
        }
        let join = |lines: Vec<Option<String>>| {
            lines.into_iter().flatten().fold(String::new(), |text, line| text + &line + "\n")
        };
        files.into_iter().map(|(name, lines)| (name, join(lines))).collect()
    }
}

/// Everything that is reported: the errors, or the warnings of a bundle that was accepted.
fn diagnostics(text: impl AsRef<[u8]>) -> Vec<Diagnostic> {
    diagnostics_of(&[(MAIN, text)])
}

fn diagnostics_of<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> Vec<Diagnostic> {
    match Bundle::from_files(files.iter().map(|(path, text)| (path.as_ref(), text))) {
        Ok(bundle) => bundle.warnings().to_vec(),
        Err(error) => error.diagnostics().to_vec(),
    }
}

fn codes_of(text: impl AsRef<[u8]>) -> Vec<&'static str> {
    diagnostics(text).iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

/// Fails with every case that is wrong, not only the first.
fn report(wrong: &str) {
    assert!(wrong.is_empty(), "\n{wrong}");
}

// Documents.

#[test]
fn every_document_reports_all_that_is_wrong_and_where() {
    let mut wrong = String::new();
    for case in documents() {
        let found: Vec<Expected> = diagnostics_of(&case.files)
            .iter()
            .enumerate()
            .map(|(index, diagnostic)| {
                let position = diagnostic.position.to_string();
                let position = position.strip_prefix("rollouts.yaml:").unwrap_or(&position).to_owned();
                // A hint that the case does not name is not compared.
                let named = case.expected.get(index).is_some_and(|expected| expected.hint.is_some());
                let hint = diagnostic.hint.clone().filter(|_| named);
                Expected { code: diagnostic.code.to_string(), position, hint }
            })
            .collect();
        if found != case.expected {
            writeln!(wrong, "{}:\n  expected {:?}\n  found    {found:?}", case.name, case.expected).unwrap();
        }
    }
    report(&wrong);
}

#[test]
fn a_document_with_an_error_is_refused_and_one_with_a_warning_is_not() {
    let mut wrong = String::new();
    for case in documents() {
        let refused = Bundle::from_files(case.files).is_err();
        if refused != case.expected.iter().any(|expected| expected.code.starts_with('D')) {
            writeln!(wrong, "{}: {}", case.name, if refused { "refused" } else { "accepted" }).unwrap();
        }
    }
    report(&wrong);
}

#[test]
fn each_document_is_accepted_once_its_lines_are_mended_and_not_before() {
    let mut wrong = String::new();
    for case in documents().iter().filter(|case| !case.fixes.is_empty()) {
        let codes =
            |files: &[(String, String)]| diagnostics_of(files).iter().map(|d| d.code.as_str()).collect::<Vec<_>>();
        let still = |files: &[(String, String)]| {
            let expected = |code: &str| case.expected.iter().any(|expected| expected.code == code);
            codes(files).iter().any(|code| code.starts_with('D') || expected(code))
        };
        if still(&case.mended(None)) {
            writeln!(wrong, "{} is mended and still {:?}", case.name, codes(&case.mended(None))).unwrap();
        }
        for (number, Fix { file, line, .. }) in case.fixes.iter().enumerate() {
            if !still(&case.mended(Some(number))) {
                writeln!(wrong, "{} needs no mending in line {line} of {file}", case.name).unwrap();
            }
        }
    }
    report(&wrong);
}

#[test]
fn messages_are_in_the_style_of_the_house() {
    let mut wrong = String::new();
    for case in documents() {
        for diagnostic in diagnostics_of(&case.files) {
            let texts = [Some(&diagnostic.message), diagnostic.hint.as_ref()];
            for text in texts.into_iter().flatten() {
                // Names of products keep their capital.
                let begins_well = !text.starts_with(char::is_uppercase) || text.starts_with("Flagger");
                if !begins_well || text.ends_with('.') || text.is_empty() {
                    writeln!(wrong, "{}: {text}", case.name).unwrap();
                }
            }
            let severity = if diagnostic.code.as_str().starts_with('L') { Severity::Warning } else { Severity::Error };
            assert_eq!(diagnostic.severity, severity, "{}", case.name);
        }
    }
    report(&wrong);
}

#[test]
fn messages_name_keys_and_no_types_of_the_program() {
    for (text, key) in [
        ("{ apiVersion: davy/v1, kind: Rollout, metadata: { name: a }, spec: { bake: 5m } }", "Bake"),
        ("{ apiVersion: davy/v1, kind: Rollout, metadata: { name: a }, spec: { holdLimit: 5m } }", "HoldLimit"),
        ("{ apiVersion: davy/v1, kind: Rollout, metadata: { name: a }, spec: 5 }", "Spec"),
    ] {
        let all = diagnostics(text);
        assert_eq!(all[0].code, DiagnosticCode::WrongShape);
        assert!(!all[0].message.contains(key), "{}", all[0].message);
    }
}

/// Each message about a document or snapshot in which `given` stands wherever text can stand.
fn messages_about(given: &str) -> Vec<String> {
    // The escapes that YAML and JSON share.
    let given: String = given.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let documents = [
        format!("kind: \"{given}\"\n"),
        format!("\"{given}\": 1\n"),
        format!("{{ \"{given}\": 1, \"{given}\": 2 }}\n"),
        format!("metadata: {{ name: \"{given}\" }}\nspec: {{ bake: \"{given}\" }}\n"),
        format!("{HEAD} {{ environments: {{ \"a {given}\": {{}} }} }}\n"),
        format!("{HEAD} {{ overrides: {{ waiveFails: [\"{given}\"] }} }}\n"),
    ];
    let texts = [
        ("\"now\"", format!("\"{given}\"")),
        ("\"2026-11-23T09:03:00Z\"", format!("\"{given}\"")),
        ("\"5%\"", format!("\"{given}\"")),
        ("\"pod-a\"", format!("\"-{given}\"")),
        ("\"ana\"", format!("\"\\n{given}\"")),
        ("\"bad\": 2", format!("\"bad\": \"{given}\"")),
        ("\"canary\"", format!("\"{given}\"")),
    ];
    let slo = |from: &str, to: &str| [("rollouts.yaml", POLICY.to_owned()), ("slo.yaml", SLO.replacen(from, to, 1))];
    let calendar = |start: &str, zone: &str| {
        format!("{{ duration: 1M, isRolling: false, calendar: {{ startTime: \"{start}\", timeZone: \"{zone}\" }} }}")
    };
    let slos = [
        slo("availability", &format!("\"{given}\"")),
        slo("name: availability", &format!("name: availability, annotations: {{ davy/scaling: \"{given}\" }}")),
        slo("name: availability", &format!("name: availability, annotations: {{ \"davy/{given}\": a }}")),
        slo("{ duration: 30d, isRolling: true }", &calendar(&given, "UTC")),
        slo("{ duration: 30d, isRolling: true }", &calendar("2026-01-01 00:00:00", &given)),
        slo("30d", &format!("\"{given}\"")),
        slo("0.999", &format!("\"{given}\"")),
        slo("failure", &format!("\"{given}\"")),
        slo("Occurrences", &format!("Occurrences\n  alertPolicies: [\"{given}\"]")),
    ];
    let of_slos = slos.iter().flat_map(|files| {
        let all = diagnostics_of(files);
        assert!(!all.is_empty(), "{files:?}");
        all
    });
    let of_documents =
        documents.iter().flat_map(diagnostics).chain(of_slos).flat_map(|d| [Some(d.message), d.hint]).flatten();
    let of_texts = texts.iter().map(|(from, to)| {
        let text = SNAPSHOT.replacen(from, to, 1);
        Snapshot::from_json(text.as_bytes()).unwrap_err().to_string()
    });
    of_documents.chain(of_texts).collect()
}

#[test]
fn what_is_refused_cannot_take_over_a_terminal_or_a_log() {
    for given in ["\u{1b}[2J", "\n\n", "\u{7}"] {
        for message in messages_about(given) {
            assert!(!message.contains(char::is_control), "{message:?}");
        }
    }
}

#[test]
fn of_a_long_text_a_part_is_shown() {
    for message in messages_about(&"x".repeat(5000)) {
        assert!(message.len() < 1000, "{} bytes: {}…", message.len(), message.get(..80).unwrap());
    }
}

#[test]
fn the_same_text_is_the_same_report_whatever_the_form() {
    // JSON is YAML: the positions are those of the file that was given.
    let json = "{ \"apiVersion\": \"davy/v1\", \"kind\": \"Rollout\",\n  \"metadata\": { \"name\": \"checkout\" },\n  \"spec\": { \"stepps\": [] } }";
    let all = diagnostics(json);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].code.as_str(), all[0].position.to_string().as_str()), ("D011", "rollouts.yaml:3:13"));
    assert_eq!(all[0].hint.as_deref(), Some("did you mean `steps`?"));
}

#[test]
fn columns_count_characters() {
    let text = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { annotations: { owner: \"zażółć\" }, nam: checkout }\nspec: {}\n";
    let places: Vec<String> = diagnostics(text).iter().map(|d| format!("{} {}", d.code, d.position)).collect();
    assert_eq!(places, ["D012 rollouts.yaml:3:11", "D011 rollouts.yaml:3:47"]);
}

/// Everything before the `spec`.
const HEAD: &str = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec:";

// Bytes, sizes and numbers of files that a text file cannot show.

const GOOD: &str = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec: {}\n";

type Files = Vec<(&'static str, Vec<u8>)>;

/// Bundles whose files are made here: what they are, their files, and what is expected.
fn other_bundles() -> Vec<(&'static str, Files, Vec<&'static str>)> {
    let with = |more: &[u8]| [GOOD.as_bytes(), more].concat();
    vec![
        ("not UTF-8", vec![("a.yaml", with(b"x: \xff\n"))], vec!["D001 a.yaml:5:4"]),
        ("too large", vec![("a.yaml", with(&b"#".repeat(1 << 20)))], vec!["D002 a.yaml:1:1"]),
        ("empty", vec![("a.yaml", Vec::new())], vec!["D008 a.yaml:1:1"]),
        ("only a comment", vec![("a.yaml", b"# nothing\n".to_vec())], vec!["D008 a.yaml:1:1"]),
        (
            "too many values",
            vec![("a.yaml", [b"[", &b"1,".repeat(20_000)[..], b"]"].concat())],
            vec!["D004 a.yaml:1:40000"],
        ),
        ("no file", vec![], vec!["D021 bundle:1:1"]),
        ("two rollouts", vec![("a.yaml", with(b"")), ("b.yaml", with(b""))], vec!["D021 b.yaml:1:1"]),
        (
            "errors of several files",
            vec![("b.yaml", b"[".to_vec()), ("a.yaml", b"kind: Calendar".to_vec()), ("c.yaml", with(b"more: 1\n"))],
            vec!["D012 a.yaml:1:1", "D012 a.yaml:1:1", "D012 a.yaml:1:1", "D003 b.yaml:1:1", "D011 c.yaml:5:1"],
        ),
    ]
}

#[test]
fn bundles_report_the_errors_of_all_their_files() {
    let mut wrong = String::new();
    for (what, files, expected) in other_bundles() {
        let error = Bundle::from_files(files).unwrap_err();
        let found: Vec<String> = error.diagnostics().iter().map(|d| format!("{} {}", d.code, d.position)).collect();
        if found != expected {
            writeln!(wrong, "{what}: expected {expected:?}, found {found:?}").unwrap();
        }
    }
    report(&wrong);
}

#[test]
fn every_code_of_a_document_is_covered() {
    let mut covered: BTreeSet<String> =
        documents().into_iter().flat_map(|case| case.expected).map(|expected| expected.code).collect();
    let others = other_bundles().into_iter().flat_map(|(_, _, expected)| expected);
    covered.extend(others.filter_map(|expected| expected.split(' ').next().map(str::to_owned)));
    // Those of probes and of policy tests have tests of their own; so have those that only the languages of rules find.
    let of_rules = |code: &str| code.starts_with('U') || ("L031"..="L035").contains(&code);
    let elsewhere = |code: &str| code.starts_with(['P', 'T']) || of_rules(code);
    let all = DiagnosticCode::ALL.iter().map(|(code, _)| code.to_string()).filter(|code| !elsewhere(code));
    let all: BTreeSet<String> = all.collect();
    assert_eq!(covered, all);
}

// Snapshots, states and records.

const SNAPSHOT: &str = include_str!("data/snapshot.json");
const BAD_JSON: &str = include_str!("data/bad_json.json");
/// Every limit with a unit of its own, so that a record of it holds each kind of value.
const POLICY: &str = "
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  budget: { slos: [availability] }
  health:
    judge: threshold
    every: 30s
    warmUp: 0s
    metrics:
      - { name: errors, bad: b, total: t, tolerate: 1.5x, unacceptable: 3x }
      - { name: latency, histogram: h, max: 1s }
";
const SLO: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  indicator: { spec: { ratioMetric: { raw: { metricSource: { spec: { query: r } } }, rawType: failure } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.999 }]
";
const BUNDLE: [(&str, &str); 2] = [("rollouts.yaml", POLICY), ("slo.yaml", SLO)];

/// The texts that a case may break: a snapshot, and the state and the record that it leads to.
fn originals() -> (Engine, Snapshot, [(&'static str, String); 3]) {
    let engine = Engine::new(&Bundle::from_files(BUNDLE).unwrap());
    let snapshot = Snapshot::from_json(SNAPSHOT.as_bytes()).unwrap();
    let start = State::new();
    let step = engine.decide(&start, &snapshot);
    let state = String::from_utf8(step.state.to_json()).unwrap();
    let record = String::from_utf8(step.seal().unwrap().bytes().to_vec()).unwrap();
    (engine, snapshot, [("snapshot", SNAPSHOT.to_owned()), ("state", state), ("record", record)])
}

fn read(what: &str, text: &str) -> Result<(), SnapshotError> {
    match what {
        "snapshot" => Snapshot::from_json(text.as_bytes()).map(drop),
        "state" => State::from_json(text.as_bytes()).map(drop),
        _ => match Record::from_bytes(text.as_bytes()) {
            Err(ReplayError::Unreadable(error)) => Err(error),
            Err(other) => panic!("{other}"),
            Ok(_) => Ok(()),
        },
    }
}

#[test]
fn every_broken_text_says_what_is_wrong_and_where() {
    let (_, _, originals) = originals();
    let rows: Vec<Json> = serde_json::from_str(BAD_JSON).unwrap();
    let mut wrong = String::new();
    for row in &rows {
        let word = |key: &str| row[key].as_str();
        let what = word("in").unwrap_or("snapshot");
        let (_, original) = originals.iter().find(|(name, _)| *name == what).unwrap();
        assert_eq!(read(what, original), Ok(()), "what is not broken is accepted");
        let (from, to) = (word("replace").unwrap(), word("by").unwrap());
        assert!(original.contains(from), "{from} is in no {what}:\n{original}");
        let broken = original.replacen(from, to, 1);
        let Err(error) = read(what, &broken) else {
            writeln!(wrong, "{row} is accepted").unwrap();
            continue;
        };
        let place = format!("{}:{}", error.line, error.column);
        // The layout of a state and a record is nobody's business: not before what is wrong is all that is asked.
        let at_or_behind = error.line == 1 && error.column > original.find(from).unwrap();
        let place_fits = word("at").map_or(at_or_behind, |at| at == place);
        let hint_fits = word("hint").is_none_or(|hint| Some(hint) == error.hint.as_deref());
        if word("code") != Some(&error.code.to_string()) || !place_fits || !hint_fits {
            writeln!(wrong, "{row}\n  found {place}: {error}").unwrap();
        }
    }
    report(&wrong);
}

#[test]
fn messages_about_a_text_name_no_types_of_the_program() {
    for (from, to) in
        [("\"bad\": 2,", "\"bad\": -2,"), ("\"bad\": 2,", "\"bad\": 2.5,"), ("\"attempt\": 1", "\"attempt\": 0")]
    {
        let error = Snapshot::from_json(SNAPSHOT.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert!(!error.message.contains("u64") && !error.message.contains("u32"), "{error}");
    }
}

#[test]
fn a_text_that_ends_early_or_late_is_refused() {
    let (_, _, originals) = originals();
    for (what, original) in &originals {
        let text = original.trim_end();
        for end in 0..text.len() {
            let Err(error) = read(what, &text[..end]) else { panic!("{what}: {}", &text[..end]) };
            assert_eq!(error.code.to_string(), "S001", "{what}: {}", &text[..end]);
        }
        assert_eq!(read(what, &format!("{text} x")).unwrap_err().code.to_string(), "S001");
    }
}

#[test]
fn a_text_beyond_the_largest_size_is_not_read() {
    let mut huge = b" ".repeat((64 << 20) + 1);
    huge.extend_from_slice(SNAPSHOT.as_bytes());
    let error = Snapshot::from_json(&huge).unwrap_err();
    assert_eq!((error.code.to_string().as_str(), error.line, error.column), ("S006", 1, 1));
}

#[test]
fn a_gauge_that_is_no_number_is_refused_in_memory_too() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let observation = support::canary("cpu", davy::Observed::Gauge(value));
        let error = davy::Interval::new(support::at("09:00"), support::at("09:01"), vec![observation]).unwrap_err();
        assert!(error.to_string().starts_with("S027: "), "{error}");
    }
}

#[test]
fn every_code_of_a_text_is_covered() {
    let rows: Vec<Json> = serde_json::from_str(BAD_JSON).unwrap();
    let mut covered: BTreeSet<String> = rows.iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect();
    // These have tests of their own, those of facts beside their code.
    covered.extend(["S006", "S027", "S040", "S041", "S042", "S043"].map(str::to_owned));
    assert_eq!(covered, codes_in_the_sources());
}

/// The reader's own codes, and those that the errors of single values begin with: `"S012: …`.
fn codes_in_the_sources() -> BTreeSet<String> {
    let mut codes: BTreeSet<String> = (1..=7).map(|number| format!("S{number:03}")).collect();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split("\"S").skip(1).filter_map(|rest| rest.split_once(':')).map(|(digits, _)| digits);
            let digits = quoted.filter(|digits| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()));
            codes.extend(digits.map(|digits| format!("S{digits}")));
        }
    }
    codes
}

#[test]
fn a_record_that_is_not_what_it_was_does_not_replay() {
    let (engine, snapshot, [_, _, (_, record)]) = originals();
    let start = State::new();
    let code = |result: Result<(), ReplayError>| result.unwrap_err().to_string().get(..4).map(str::to_owned).unwrap();
    let sealed = Record::from_bytes(record.as_bytes()).unwrap();
    sealed.replay(&engine, &start, &snapshot).unwrap();

    let changed = |from: &str, to: &str| {
        assert!(record.contains(from), "{record}");
        Record::from_bytes(record.replacen(from, to, 1).as_bytes())
    };
    assert_eq!(code(changed("{", "[").map(drop)), "R001");
    assert_eq!(code(changed("{", "{ ").map(drop)), "R002");
    let semantics = format!("\"semantics\":{}", davy::SEMANTICS);
    let other = changed(&semantics, "\"semantics\":99").unwrap();
    assert_eq!(code(other.replay(&engine, &start, &snapshot)), "R003");
    let verdict = format!("\"verdict\":\"{}\"", sealed.decision().verdict);
    let other = changed(&verdict, "\"verdict\":\"rollback\"").unwrap();
    assert_eq!(code(other.replay(&engine, &start, &snapshot)), "R005");

    let other_engine = Engine::new(&Bundle::from_files([("other.yaml", POLICY), BUNDLE[1]]).unwrap());
    assert_eq!(code(sealed.replay(&other_engine, &start, &snapshot)), "R004");
    let other_state = engine.decide(&start, &snapshot).state;
    assert_eq!(code(sealed.replay(&engine, &other_state, &snapshot)), "R004");
    let mut other_snapshot = snapshot.clone();
    other_snapshot.weight = support::share("6%");
    assert_eq!(code(sealed.replay(&engine, &start, &other_snapshot)), "R004");
    other_snapshot = snapshot.clone();
    other_snapshot.intervals.pop();
    assert_eq!(code(sealed.replay(&engine, &start, &other_snapshot)), "R004");
}

#[test]
fn a_small_file_does_not_become_a_large_engine() {
    let metrics: String = (0..101).map(|n| format!("{{ name: m{n}, gauge: g, max: 1 }}, ")).collect();
    let environments: String = (0..100).map(|n| format!("e{n}: {{}}, ")).collect();
    let text = |environments: &str| {
        format!("{HEAD} {{ health: {{ metrics: [{metrics}] }}, environments: {{ {environments} }} }}\n")
    };
    assert_eq!(codes_of(text(&environments)), ["D004"]);
    assert!(Bundle::from_files([("rollouts.yaml", text("prod: {}"))]).is_ok());
}

#[test]
fn a_small_slo_does_not_become_a_large_engine() {
    let objectives = |number: usize| format!("objectives: [{}]", "{ target: 0.999 }, ".repeat(number));
    let codes = |slo: String| diagnostics_of(&[("rollouts.yaml", POLICY.to_owned()), ("slo.yaml", slo)]);
    let of = |number| codes(SLO.replace("objectives: [{ target: 0.999 }]", &objectives(number)));
    assert_eq!(of(251).iter().map(|d| d.code).collect::<Vec<_>>(), [DiagnosticCode::Budget]);
    assert!(of(250).iter().all(|d| d.severity == Severity::Warning));
}
