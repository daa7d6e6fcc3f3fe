//! Documents that are refused, with place, code and advice; and snapshots that cannot be put together.

use davy::testing::PolicyTests;

use crate::support::{document, run};

/// `line:column code (hint)` of everything that is wrong.
fn refused(text: &str) -> Vec<String> {
    let error = PolicyTests::from_yaml("t_test.yaml", text.as_bytes()).unwrap_err();
    let show = |d: &davy::Diagnostic| {
        format!("{}:{} {} {}", d.position.line, d.position.column, d.code, d.hint.as_deref().unwrap_or("-"))
    };
    error.diagnostics().iter().map(show).collect()
}

/// The same of a document whose snapshots cannot be put together.
fn broken(tests: &str) -> Vec<String> {
    let runs = run(&document(tests));
    let broken = runs.iter().flat_map(|run| &run.broken);
    broken.map(|d| format!("{}:{} {} {}", d.position.line, d.position.column, d.code, d.message)).collect()
}

#[test]
fn a_document_is_refused_with_everything_that_is_wrong() {
    let mut wrong = Vec::new();
    // The first line behind the head is the 19th.
    for (tests, expected) in [
        ("    - { from: healthy, expect: proceed }\n", &["19:7 D012 -"][..]),
        ("    - { name: a, form: healthy, expect: proceed }\n", &["19:18 D011 did you mean `from`?"]),
        ("    - { name: a, from: heathy, expect: proceed }\n", &["19:24 D019 did you mean `healthy`?"]),
        ("    - { name: a, from: healthy, expect: procede }\n", &["19:41 D015 did you mean `proceed`?"]),
        ("    - { name: a, from: healthy, expect: { hold: blind } }\n", &["19:41 D012 -"]),
        (
            "    - { name: a, from: healthy, expect: { verdict: hold, codes: [steps.dwel] } }\n",
            &["19:66 D019 did you mean `steps.dwell`?"],
        ),
        (
            "    - { name: a, from: healthy, expect: { verdict: hold, findings: [{ code: zzzzzzz }] } }\n",
            &["19:77 D019 `davy policy codes` prints them all"],
        ),
        (
            "    - { name: a, expect: proceed }\n",
            &["19:7 D018 give `from` with a shared snapshot, `snapshot` with its data, or `file`"],
        ),
        (
            "    - { name: a, from: healthy, file: x.json, expect: proceed }\n",
            &["19:24 D018 keep one, and put what differs into `patch`"],
        ),
        (
            "    - { name: a, from: healthy, expect: proceed, looks: [{ from: healthy, expect: hold }] }\n",
            &["19:24 D018 put it into one of the `looks`"],
        ),
        ("    - { name: a, looks: [] }\n", &["19:7 D018 add one"]),
        (
            "    - { name: a, looks: [{ expect: hold }] }\n",
            &["19:26 D018 give `from` with a shared snapshot, `snapshot` with its data, or `file`"],
        ),
        (
            "    - { name: a, from: healthy, expect: hold }\n    - { name: a, from: healthy, expect: hold }\n",
            &["20:15 D019 say what this one shows"],
        ),
        (
            "    - { name: a, from: healthy, patch: { weight: no }, expect: hold }\n",
            &["19:50 D014 put it in quotes: \"no\""],
        ),
        (
            "    - { name: a, from: healthy, intervals: [{ from: 2m, to: 1m, observations: [] }], expect: hold }\n",
            &["19:61 D020 -"],
        ),
    ] {
        let is = refused(&document(tests));
        if is != expected {
            wrong.push(format!("{tests}{is:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(refused(&document("    []\n")), ["19:5 D018 write one, or remove the file"]);
    assert_eq!(refused("apiVersion: davy/v1\nkind: PolicyTests\n"), ["2:7 D017 did you mean `PolicyTest`?"]);
    assert_eq!(refused("a: [\n").len(), 1);
}

#[test]
fn what_a_snapshot_cannot_be_is_reported_where_it_stands() {
    let mut wrong = Vec::new();
    for (tests, expected) in [
        (
            "    - { name: a, from: healthy, patch: { weight: 105% }, expect: hold }\n",
            "19:50 T001 S013: `105%` is not a percentage such as `5%`",
        ),
        (
            "    - name: a\n      from: healthy\n      patch:\n        release:\n          reversion: r3\n      expect: hold\n",
            "23:11 T001 S002: unknown key or word `reversion`",
        ),
        (
            "    - { name: a, from: healthy, patch: { stage: null }, expect: hold }\n",
            "19:40 T001 S003: the key `stage` is missing",
        ),
        (
            "    - { name: a, from: healthy, patch: { weight: 5 }, expect: hold }\n",
            "19:50 T001 S004: expected a percentage such as `5%`, found integer `5`",
        ),
        (
            "    - name: a\n      from: healthy\n      intervals:\n        - { from: 0s, to: 1m, observations: [{ metric: errors, cohort: canary, bad: 2, total: 1 }] }\n      expect: hold\n",
            "22:95 T001 S023: 2 bad events of 1",
        ),
        (
            "    - { name: a, from: healthy, intervals: [{ from: 10s, to: 50s, observations: [] }], expect: hold }\n",
            "19:45 D020 no interval of 1m lies between 10s and 50s",
        ),
        (
            "    - { name: a, from: healthy, intervals: [{ from: 0s, to: 365d, observations: [] }], expect: hold }\n",
            "19:45 D004 the span holds 525600 intervals; at most 10000 are made",
        ),
        ("    - { name: a, file: nowhere.json, expect: hold }\n", "19:24 T003 there is no file `nowhere.json`"),
    ] {
        let is = broken(tests);
        if is != [expected] {
            wrong.push(format!("{tests}{is:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_snapshot_in_a_file_is_reported_at_its_own_place() {
    let bundle = crate::support::bundle();
    let tests = crate::support::read(&document("    - { name: a, file: s.json, expect: hold }\n"));
    assert_eq!(tests.files().into_iter().collect::<Vec<_>>(), ["s.json"]);
    let files = [("s.json".to_owned(), b"{\n  \"now\": 5}".to_vec())].into();
    let engine = davy::Engine::new(&bundle);
    let runs = tests.run(&engine, &files, &mut davy::testing::Coverage::of(&bundle, &engine));
    let broken = &runs[0].broken[0];
    assert_eq!((broken.position.to_string().as_str(), broken.code.as_str()), ("s.json:2:10", "T001"));
}

#[test]
fn tests_are_no_part_of_a_bundle() {
    let files = [("rollouts.yaml", crate::support::POLICY.to_owned()), ("t.yaml", document("    []\n"))];
    let error = davy::Bundle::from_files(files).unwrap_err();
    let first = &error.diagnostics()[0];
    assert_eq!((first.code.as_str(), first.position.to_string().as_str()), ("D017", "t.yaml:2:7"));
    assert!(first.hint.as_ref().unwrap().contains("davy test"), "{first}");
}
