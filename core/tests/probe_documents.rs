//! Probe documents: every rule with what breaks it and what mends it, and the ready flows.
//!
//! A document of `data/bad_probes` ends with lines that begin with `#!`. `#! P002 5:3 hint` is expected to be
//! reported, in this order, and nothing else; `#! fix 5: text` is a line that mends it. A line `#! lib` ends
//! the flow, and what follows up to the notes is the library `lib.yaml`.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use davy::document::DiagnosticCode;
use davy::{Bundle, Diagnostic, Digest, ProbeFlows};

/// A component beside every case; whether it is one, only what runs it can tell.
const PLUGIN: &[u8] = b"\0asm\x0d\0\x01\0";

struct Case {
    name: String,
    flow: String,
    library: Option<String>,
    expected: Vec<(String, String, Option<String>)>,
    fixes: Vec<(usize, Option<String>)>,
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bad_probes");
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            read_case(path.file_stem().unwrap().to_str().unwrap(), &std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn read_case(name: &str, file: &str) -> Case {
    let mut case =
        Case { name: name.to_owned(), flow: String::new(), library: None, expected: Vec::new(), fixes: Vec::new() };
    for line in file.lines() {
        let Some(note) = line.strip_prefix("#! ") else {
            let text = case.library.as_mut().unwrap_or(&mut case.flow);
            text.push_str(line);
            text.push('\n');
            continue;
        };
        if note == "lib" {
            case.library = Some(String::new());
        } else if let Some(fix) = note.strip_prefix("fix ") {
            let (line, text) = fix.split_once(": ").map_or((fix, None), |(line, text)| (line, Some(text.to_owned())));
            case.fixes.push((line.parse().unwrap(), text));
        } else {
            let mut words = note.splitn(3, ' ').map(str::to_owned);
            case.expected.push((words.next().unwrap(), words.next().unwrap(), words.next()));
        }
    }
    case
}

impl Case {
    fn mended(&self, without: Option<usize>) -> String {
        let mut lines: Vec<Option<String>> = self.flow.lines().map(|line| Some(line.to_owned())).collect();
        for (number, (line, text)) in self.fixes.iter().enumerate() {
            if Some(number) != without {
                lines[line - 1].clone_from(text);
            }
        }
        lines.into_iter().flatten().fold(String::new(), |text, line| text + &line + "\n")
    }

    fn diagnostics(&self, flow: &str) -> Vec<Diagnostic> {
        let digest = self.library.as_ref().map(|library| Digest::of(library.as_bytes()).to_string());
        let flow =
            flow.replace("DIGEST", &digest.unwrap_or_default()).replace("PLUGIN", &Digest::of(PLUGIN).to_string());
        let plugin = [("score.wasm", String::from_utf8_lossy(PLUGIN).into_owned())];
        let library = self.library.iter().map(|library| ("lib.yaml", library.clone()));
        match ProbeFlows::from_files([("flow.yaml", flow)].into_iter().chain(library).chain(plugin)) {
            Ok(flows) => flows.warnings().to_vec(),
            Err(error) => error.diagnostics().to_vec(),
        }
    }
}

fn place(diagnostic: &Diagnostic) -> String {
    let position = &diagnostic.position;
    let file = if &*position.file == "flow.yaml" { "" } else { "lib:" };
    format!("{file}{}:{}", position.line, position.column)
}

#[test]
fn every_rule_reports_what_breaks_it_and_where() {
    let mut wrong = String::new();
    for case in cases() {
        let found = case.diagnostics(&case.flow);
        let fits = found.len() == case.expected.len()
            && found.iter().zip(&case.expected).all(|(found, (code, position, hint))| {
                found.code.as_str() == code
                    && place(found) == *position
                    && hint.as_ref().is_none_or(|hint| found.hint.as_ref() == Some(hint))
            });
        if !fits {
            let found: String = found.iter().map(|d| format!("\n    #! {} {}  {d}", d.code, place(d))).collect();
            writeln!(wrong, "{}: expected {:?}, found{found}", case.name, case.expected).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_rule_is_silent_once_its_lines_are_mended_and_not_before() {
    let mut wrong = String::new();
    for case in cases() {
        let still = |flow: &str| {
            let found = case.diagnostics(flow);
            let broken: Vec<String> = found
                .iter()
                .filter(|d| case.expected.iter().any(|(code, ..)| code == d.code.as_str()) || d.code.as_str() < "L")
                .map(ToString::to_string)
                .collect();
            broken
        };
        assert!(!case.fixes.is_empty(), "{} has no negative case", case.name);
        let left = still(&case.mended(None));
        if !left.is_empty() {
            writeln!(wrong, "{} is mended and still {left:?}", case.name).unwrap();
        }
        for (number, (line, _)) in case.fixes.iter().enumerate() {
            if still(&case.mended(Some(number))).is_empty() {
                writeln!(wrong, "{} needs no mending in line {line}", case.name).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_rule_of_a_document_has_a_case() {
    let covered: BTreeSet<String> = cases().into_iter().flat_map(|case| case.expected).map(|(code, ..)| code).collect();
    // These two look at recordings and are tested there.
    let elsewhere = ["P023", "P024"];
    for (code, _) in DiagnosticCode::ALL {
        let code = code.as_str();
        assert!(!code.starts_with('P') || elsewhere.contains(&code) || covered.contains(code), "{code} has no case");
    }
}

#[test]
fn messages_are_in_the_style_of_the_house() {
    for case in cases() {
        for diagnostic in case.diagnostics(&case.flow) {
            for text in [Some(&diagnostic.message), diagnostic.hint.as_ref()].into_iter().flatten() {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains("::"), "{}: {text}", case.name);
                assert!(!text.starts_with(char::is_uppercase) || text.starts_with("a "), "{}: {text}", case.name);
            }
        }
    }
}

fn ready() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/probes");
    let mut files = Vec::new();
    for sub in ["", "lib"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn the_ready_flows_have_neither_errors_nor_warnings() {
    let flows = ProbeFlows::from_files(ready()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(flows.warnings(), []);
    let names: Vec<&str> = flows.iter().map(|plan| plan.name().as_str()).collect();
    assert_eq!(names, ["account", "login-and-pay"]);
}

#[test]
fn a_bundle_holds_a_rollout_and_the_flows_that_it_asks_for() {
    let rollout =
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec: { probes: [login-and-pay] }\n";
    let files = ready().into_iter().chain([("rollouts.yaml".to_owned(), rollout.to_owned())]);
    let bundle = Bundle::from_files(files).unwrap();
    assert!(bundle.probes().get("login-and-pay").is_some());
}

#[test]
fn a_changed_library_is_another_flow() {
    let digest = |files: &[(String, String)]| {
        let flows = ProbeFlows::from_files(files.to_vec()).unwrap();
        flows.get("account").unwrap().digest()
    };
    let files = ready();
    let before = digest(&files);
    let mut changed = files.clone();
    let library = changed.iter_mut().find(|(path, _)| path == "lib/basic.yaml").unwrap();
    let old = Digest::of(library.1.as_bytes()).to_string();
    library.1.push_str("# changed\n");
    let new = Digest::of(library.1.as_bytes()).to_string();
    let error = ProbeFlows::from_files(changed.clone()).unwrap_err();
    assert_eq!(error.diagnostics()[0].code.as_str(), "P015");
    for (_, text) in &mut changed {
        *text = text.replace(&old, &new);
    }
    assert_ne!(digest(&changed), before);
}

#[test]
fn libraries_that_import_each_other_are_refused() {
    let library = |import: &str, uses: &str| {
        format!(
            "apiVersion: davy/v1\nkind: ProbeLibrary\nmetadata: {{ name: x }}\nspec:\n  imports: {{ i: {{ file: {import} }} }}\n  \
             actions: {{ a: {{ steps: [{{ use: {uses} }}] }} }}\n"
        )
    };
    let circles = |files: [(&str, String); 3]| {
        let error = ProbeFlows::from_files(files).unwrap_err();
        error
            .diagnostics()
            .iter()
            .filter(|d| d.message.contains("import each other"))
            .map(|d| d.message.clone())
            .collect()
    };
    let found: Vec<String> = circles([
        ("a.yaml", library("b.yaml", "i.a")),
        ("b.yaml", library("c.yaml", "i.a")),
        ("c.yaml", library("a.yaml", "i.a")),
    ]);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], "these libraries import each other: a.yaml → b.yaml → c.yaml → a.yaml");
    let found: Vec<String> = circles([
        ("a.yaml", library("b.yaml", "i.a")),
        ("b.yaml", library("c.yaml", "i.a")),
        ("c.yaml", library("c.yaml", "i.a")),
    ]);
    assert_eq!(found, ["these libraries import each other: c.yaml → c.yaml"]);
}

#[test]
fn no_document_takes_more_than_a_moment() {
    let action = |uses: &str| format!("      steps: [{}]\n", vec![format!("{{ use: {uses} }}"); 10].join(", "));
    let head = |kind: &str| format!("apiVersion: davy/v1\nkind: {kind}\nmetadata: {{ name: x }}\nspec:\n");
    let mut files = vec![(
        "l0.yaml".to_owned(),
        head("ProbeLibrary")
            + "  actions:\n    a:\n      steps: [{ request: { path: / }, expect: { status: 200, body: { contains: a } } }]\n",
    )];
    for level in 1..9 {
        let below = Digest::of(files[level - 1].1.as_bytes());
        let import = format!("  imports: {{ i: {{ file: l{}.yaml, digest: \"{below}\" }} }}\n", level - 1);
        files
            .push((format!("l{level}.yaml"), head("ProbeLibrary") + &import + "  actions:\n    a:\n" + &action("i.a")));
    }
    let error = ProbeFlows::from_files(files).unwrap_err();
    assert!(error.diagnostics().iter().any(|d| d.code == DiagnosticCode::Budget));
}
