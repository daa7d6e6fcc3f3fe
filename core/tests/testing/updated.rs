//! A document that is written again passes, and is otherwise as it was.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::support::{document, read, run, why};

fn updated(text: &str) -> String {
    read(text).updated(text, &run(text)).unwrap()
}

#[test]
fn an_expectation_is_replaced_where_it_stands() {
    for (before, after) in [
        // A word, and one that begins to need more.
        ("{ name: a, from: healthy, expect: hold }   # why", "{ name: a, from: healthy, expect: proceed }   # why"),
        // Nothing is said of what was not spoken of.
        (
            "{ name: a, from: healthy, expect: { verdict: hold, reasons: [steps.dwell] } }",
            "{ name: a, from: healthy, expect: proceed }",
        ),
        (
            "{ name: a, from: begun, expect: { verdict: proceed, hold: blind, reasons: [steps.met] } }",
            "{ name: a, from: begun, expect: { verdict: hold, hold: waiting, reasons: [data.first-interval, steps.dwell] } }",
        ),
        (
            "{ name: a, from: healthy, expect: { verdict: proceed, codes: [steps.met, steps.dwell], absent: [steps.met, steps.dwell] } }",
            "{ name: a, from: healthy, expect: { verdict: proceed, codes: [steps.met], absent: [steps.dwell] } }",
        ),
        (
            "{ name: a, from: healthy, expect: { verdict: proceed, findings: [steps.dwell, { code: \"health.within-limits:errors\", outcome: fail, facts: { failed: 7 } }] } }",
            "{ name: a, from: healthy, expect: { verdict: proceed, findings: [{ code: \"health.within-limits:errors\", outcome: pass, facts: {\"failed\":0} }] } }",
        ),
        // A look that expects nothing yet.
        ("{ name: a, from: healthy }", "{ name: a, from: healthy, expect: proceed }"),
        (
            "{ name: a, from: begun, }",
            "{ name: a, from: begun, expect: { verdict: hold, hold: waiting, reasons: [data.first-interval, steps.dwell] }, }",
        ),
        (
            "name: a   # note\n      from: healthy   # note",
            "name: a   # note\n      from: healthy   # note\n      expect: proceed",
        ),
        (
            "name: a\n      from: begun\n      expect:\n        # gone with what it was about\n        verdict: abort\n      # stays",
            "name: a\n      from: begun\n      expect: hold\n      # stays",
        ),
        (
            "name: a\n      from: begun\n      expect:   # note\n        verdict: hold\n        hold: blind",
            "name: a\n      from: begun\n      expect: { verdict: hold, hold: waiting }   # note",
        ),
        (
            "name: a\n      looks:\n        - { from: healthy, expect: abort }\n        - at: 4m\n          expect: { verdict: proceed }",
            "name: a\n      looks:\n        - { from: healthy, expect: proceed }\n        - at: 4m\n          expect: { verdict: proceed }",
        ),
    ] {
        let before = document(&format!("    - {before}\n"));
        assert_eq!(updated(&before), document(&format!("    - {after}\n")));
    }
}

#[test]
fn a_wide_expectation_gets_a_line_for_each_key() {
    let before = document(
        "    - name: a\n      from: begun\n      expect: { verdict: abort, hold: blind, reasons: [steps.met], absent: [asked.already-live, steps.met] }\n",
    );
    let after = document(
        "    - name: a\n      from: begun\n      expect:\n        verdict: hold\n        hold: waiting\n        reasons: [data.first-interval, steps.dwell]\n        absent: [asked.already-live, steps.met]\n",
    );
    assert_eq!(updated(&before), after);
}

#[test]
fn another_text_is_not_written_over() {
    let text = document("    - { name: a, from: healthy, expect: hold }\n");
    let tests = read(&text);
    let error = tests.updated("a: 1\n", &run(&text)).unwrap_err();
    assert!(error.to_string().contains("T004"), "{error}");
}

/// Tests written in many ways, most of which expect what does not come.
fn tests() -> impl Strategy<Value = String> {
    let codes = || {
        proptest::sample::subsequence(
            vec![
                "steps.met",
                "steps.dwell",
                "\"health.within-limits:errors\"",
                "health.limit-exceeded",
                "data.first-interval",
                "probes.failed",
            ],
            1..5,
        )
        .prop_map(|codes| format!("[{}]", codes.join(", ")))
    };
    let verdict = proptest::sample::select(vec!["proceed", "hold", "abort", "rollback"]);
    let key = prop_oneof![
        codes().prop_map(|codes| format!("reasons: {codes}")),
        codes().prop_map(|codes| format!("codes: {codes}")),
        codes().prop_map(|codes| format!("absent: {codes}")),
        codes().prop_map(|codes| format!("findings: {codes}")),
        Just("hold: blind".to_owned()),
        Just("findings: [{ code: health.within-limits, outcome: hold, standing: waived, facts: { failed: 9, limit: 2, no: 1 } }]".to_owned()),
    ];
    let expectation = (verdict.clone(), key, any::<u8>()).prop_map(|(verdict, key, form)| match form % 6 {
        0 => String::new(),
        1 => format!("expect: {verdict}"),
        2 => format!("expect: {{ verdict: {verdict}, {key} }}"),
        3 => format!("expect: {{ {key},\n            verdict: {verdict} }}"),
        4 => format!("expect:\n            {key}   # ü\n            verdict: \"{verdict}\""),
        _ => format!("expect:   # note\n            verdict: {verdict}"),
    });
    let weight = proptest::sample::select(vec!["1%", "5%", "10%"]);
    let look = (proptest::sample::select(vec!["healthy", "begun"]), 0_u32..40, expectation, weight, any::<bool>());
    let look = look.prop_map(|(from, bad, expectation, weight, flow)| {
        let bad = format!("intervals: [{{ from: 3m, to: 4m, observations: [{{ metric: errors, cohort: canary, bad: {bad}, total: 1000 }}] }}]");
        let block = expectation.contains("expect:\n") || expectation.contains("expect:   #");
        if flow && !block {
            let last = if expectation.is_empty() { String::new() } else { format!(", {expectation}") };
            return format!("{{ from: {from}, at: 4m, {bad}, patch: {{ weight: {weight} }}{last} }}");
        }
        let mut lines = vec![format!("from: {from}"), bad, format!("patch: {{ weight: {weight} }}   # ü"), "at: 4m".to_owned()];
        if !expectation.is_empty() {
            // Not always last.
            lines.insert(bad_place(&expectation, lines.len()), expectation);
        }
        lines.join("\n          ")
    });
    proptest::collection::vec(proptest::collection::vec(look, 1..4), 1..4).prop_map(|all| {
        let test = |(number, looks): (usize, Vec<String>)| {
            let looks: String = looks.iter().map(|look| format!("        - {look}\n")).collect();
            format!("    # ü {number}\n    - name: test {number}\n      looks:\n{looks}")
        };
        all.into_iter().enumerate().map(test).collect()
    })
}

fn bad_place(expectation: &str, lines: usize) -> usize {
    expectation.len() % lines + 1
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 256, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() })
}

/// What is written passes, keeps every comment outside of expectations, and is not written again.
fn passes(update: impl Fn(&str) -> String, text: &str) -> Result<(), TestCaseError> {
    let text = document(text);
    let after = update(&text);
    let wrong = why(&run(&after));
    prop_assert!(wrong.is_empty(), "still fails: {:?}\n{}\n{}", wrong, text, after);
    let comments = |text: &str| text.lines().filter(|line| line.trim_start().starts_with('#')).count();
    prop_assert_eq!(comments(&text), comments(&after));
    prop_assert_eq!(update(&after), after);
    Ok(())
}

#[test]
fn what_is_updated_passes() {
    let failing = std::cell::Cell::new(0_u32);
    let result = runner().run(&tests(), |text| {
        failing.set(failing.get() + u32::from(!why(&run(&document(&text))).is_empty()));
        passes(updated, &text)
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(failing.get() > 128, "only {} documents needed an update", failing.get());
}

/// An update that takes holds for aborts.
#[test]
fn an_update_that_leaves_something_as_it_was_is_caught() {
    let gloomy = |text: &str| {
        let after = updated(text);
        after.replace("expect: hold", "expect: abort").replace("verdict: hold", "verdict: abort")
    };
    let result = runner().run(&tests(), |text| passes(gloomy, &text));
    assert!(result.is_err_and(|error| error.to_string().contains("still fails")), "the planted bug was not found");
}
