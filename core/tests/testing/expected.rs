//! What is expected beside what is decided, and the difference as people read it.

use crate::support::{document, run, why};

fn differs(expect: &str) -> Vec<String> {
    why(&run(&document(&format!("    - {{ name: a, from: healthy, patch: {{ weight: 5% }}, expect: {expect} }}\n"))))
}

fn differs_late(expect: &str) -> Vec<String> {
    let bad = "[{ from: 3m, to: 4m, observations: [{ metric: errors, cohort: canary, bad: 20, total: 1000 }] }]";
    why(&run(&document(&format!(
        "    - {{ name: a, from: healthy, patch: {{ since: 2026-11-23T10:03:00Z }}, intervals: {bad}, expect: {expect} }}\n"
    ))))
}

#[test]
fn what_comes_as_expected_passes() {
    for expect in [
        "proceed",
        "{ verdict: proceed, codes: [steps.met, \"health.within-limits:errors\"], absent: [steps.dwell] }",
        "{ verdict: proceed, reasons: [steps.met, health.within-limits] }",
        "{ verdict: proceed, findings: [{ code: health.within-limits, outcome: pass, standing: counts }] }",
        "{ verdict: proceed, findings: [{ code: \"health.within-limits:errors\", facts: { failed: 0, reading: { share: { bad: 1 } } } }] }",
    ] {
        assert_eq!(differs(expect), Vec::<String>::new(), "{expect}");
    }
    assert_eq!(
        differs_late("{ verdict: abort, codes: [steps.dwell], reasons: [health.limit-exceeded] }"),
        Vec::<String>::new()
    );
}

/// Every key, each with an expectation that does not come true: a comparison that forgot one would pass it.
#[test]
fn what_does_not_come_is_shown_beside_what_did() {
    for (expect, difference) in [
        ("hold", "t_test.yaml:19:64 verdict\n  - hold\n  + proceed"),
        ("{ verdict: proceed, hold: blind }", "t_test.yaml:19:90 hold\n  - blind\n  + no hold"),
        ("{ verdict: proceed, reasons: [steps.met] }", "t_test.yaml:19:93 reasons\n  + health.within-limits:errors"),
        (
            "{ verdict: proceed, codes: [\"health.limit-exceeded:errors\"] }",
            "t_test.yaml:19:92 codes\n  - health.limit-exceeded:errors\n  + health.within-limits:errors",
        ),
        (
            "{ verdict: proceed, codes: [probes.failed] }",
            "t_test.yaml:19:92 codes\n  - probes.failed\n  + nothing of the gate `probes`",
        ),
        ("{ verdict: proceed, absent: [steps.met] }", "t_test.yaml:19:93 absent\n  - no steps.met\n  + steps.met"),
        (
            "{ verdict: proceed, findings: [{ code: steps.met, outcome: hold, hold: waiting, standing: waived }] }",
            "t_test.yaml:19:95 findings\n  - steps.met outcome hold\n  - steps.met hold waiting\n  - steps.met standing waived\n  + steps.met outcome pass\n  + steps.met hold none\n  + steps.met standing counts",
        ),
        (
            "{ verdict: proceed, findings: [{ code: health.within-limits, facts: { failed: 1, reading: { share: { bad: 2, worse: 1 } } } }] }",
            "t_test.yaml:19:95 findings\n  - health.within-limits:errors facts.failed 1\n  - health.within-limits:errors facts.reading.share.bad 2\n  - health.within-limits:errors facts.reading.share.worse 1\n  + health.within-limits:errors facts.failed 0\n  + health.within-limits:errors facts.reading.share.bad 1\n  + health.within-limits:errors facts.reading.share.worse nothing",
        ),
    ] {
        assert_eq!(differs(expect), [difference], "{expect}");
    }
}

#[test]
fn a_test_that_expects_nothing_does_not_pass() {
    let runs = run(&document("    - { name: a, from: healthy }\n"));
    assert!(!runs[0].passed());
    let runs = run(&document("    - { name: a, looks: [{ from: healthy, expect: proceed }, { at: 4m }] }\n"));
    assert!(!runs[0].passed(), "the last look has to expect something");
    let runs = run(&document("    - { name: a, looks: [{ from: begun }, { from: healthy, expect: proceed }] }\n"));
    assert!(runs[0].passed(), "{:?}", why(&runs));
}
