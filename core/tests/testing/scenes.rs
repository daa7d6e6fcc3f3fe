//! Snapshots as tests put them together, and the state that goes from look to look.

use davy::Verdict;

use crate::support::{document, run};

fn verdicts(tests: &str) -> Vec<Verdict> {
    let runs = run(&document(tests));
    assert!(runs.iter().all(|run| run.broken.is_empty()), "{:?}", runs[0].broken);
    runs.iter().flat_map(|run| &run.looks).map(|look| look.decision.verdict).collect()
}

#[test]
fn a_patch_changes_what_it_names_and_leaves_the_rest() {
    let runs = run(&document(
        "    - { name: a, from: healthy, patch: { release: { attempt: 3, changeClass: security }, asked: promote, weight: 25% }, expect: hold }\n",
    ));
    let decision = &runs[0].looks[0].decision;
    assert_eq!((decision.release.attempt.get(), decision.release.revision.as_str()), (3, "r2"));
    assert_eq!((decision.asked, decision.verdict), (davy::Asked::Promote, Verdict::Proceed));
}

#[test]
fn observations_replace_those_of_their_metric_and_cohort_and_keep_the_others() {
    let text = |span: &str| format!("    - {{ name: a, from: healthy, intervals: [{span}], expect: hold }}\n");
    let bad = "{ metric: errors, cohort: canary, bad: 500, total: 1000 }";
    let other = "{ metric: errors, cohort: baseline, bad: 500, total: 1000 }";
    let parts = "{ metric: errors, cohort: canary, replica: a, bad: 1, total: 9 }, { metric: errors, cohort: canary, replica: b, bad: 5, total: 9 }";
    for (observation, verdict) in [(bad, Verdict::Abort), (other, Verdict::Proceed), (parts, Verdict::Abort)] {
        let span = format!("{{ from: 3m, to: 4m, observations: [{observation}] }}");
        assert_eq!(verdicts(&text(&span)), [verdict], "{span}");
    }
    // Parts of an interval are none of it.
    let half = format!("{{ from: 2m30s, to: 4m, observations: [{bad}] }}");
    assert_eq!(verdicts(&text(&half)), [Verdict::Abort]);
    let none = format!("{{ from: 3m30s, to: 4m, observations: [{bad}] }}");
    assert!(!run(&document(&text(&none)))[0].broken.is_empty());
}

#[test]
fn looks_are_handed_the_state_that_the_one_before_left() {
    let bad =
        "intervals: [{ from: 4m, to: 5m, observations: [{ metric: errors, cohort: canary, bad: 500, total: 1000 }] }]";
    let after = "at: 6m, intervals: [{ from: 5m, to: 6m, observations: [{ metric: errors, cohort: canary, bad: 0, total: 1000 }] }]";
    let looks = |last: &str| {
        format!(
            "    - name: a\n      looks:\n        - {{ from: healthy }}\n        - {{ at: 5m, {bad} }}\n        - {{ {after}, {last}expect: hold }}\n"
        )
    };
    assert_eq!(verdicts(&looks("")), [Verdict::Proceed, Verdict::Abort, Verdict::Abort], "what failed stays failed");
    // Another attempt, of which the bad interval is no part.
    let attempt = "patch: { intervals: null, release: { attempt: 2, startedAt: 2026-11-23T10:05:00Z } }, ";
    let next = |state: &str| {
        format!(
            "    - name: a\n      looks:\n        - {{ from: healthy }}\n        - {{ at: 5m, {bad} }}\n        - {{ {attempt}at: 1m, intervals: [{{ from: 0s, to: 1m, observations: [{{ metric: errors, cohort: canary, bad: 0, total: 1000 }}] }}], {state}expect: hold }}\n"
        )
    };
    assert_eq!(verdicts(&next("state: nextRelease, "))[2], Verdict::Proceed);
    assert_eq!(verdicts(&next("state: new, "))[2], Verdict::Proceed);
    assert_eq!(verdicts(&next(""))[2], Verdict::Hold, "the state is another attempt's");
}
