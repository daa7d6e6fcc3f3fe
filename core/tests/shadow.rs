//! Shadows: what the decision says of them, which policies cannot be one, and what is fetched for them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use davy::{Asked, Duration, Engine, ShadowError, Snapshot, Stage, State, Verdict};
use support::*;

const STRICTER: &str = "name: errors, bad: b, total: t, max: 0.1%";

fn with_shadow(live: &str, shadow: &str) -> Result<Engine, ShadowError> {
    engine(live).with_shadow(engine(shadow))
}

fn look(bad: u64) -> Snapshot {
    let mut seen = snapshot(Asked::Promote);
    seen.now = minute(1);
    seen.intervals = vec![interval(1, [canary("errors", counts(bad, 1000))])];
    seen
}

#[test]
fn the_decision_says_where_the_shadow_differs() {
    let both = with_shadow(&threshold(&[ERRORS]), &threshold(&[STRICTER])).unwrap();
    let (state, seen) = (State::new(), look(5));
    let step = both.decide(&state, &seen);
    assert_eq!(step.decision.verdict, Verdict::Proceed);
    let shadow = step.decision.shadow.as_ref().unwrap();
    assert_eq!((shadow.verdict, shadow.bundle), (Verdict::Abort, both.shadow().unwrap().digest()));
    assert_eq!(shadow.lacks, ["health.within-limits:errors"]);
    assert_eq!(shadow.adds.iter().map(davy::Finding::label).collect::<Vec<_>>(), ["health.limit-exceeded:errors"]);
    let sentence = "the shadow would abort; it finds fail health.limit-exceeded:errors; it does not find health.within-limits:errors";
    assert_eq!(davy::render::shadow_sentence(&step.decision).as_deref(), Some(sentence));
    for text in [davy::render::text(&step.decision), davy::render::markdown(&step.decision)] {
        assert!(text.contains(sentence), "{text}");
    }
    // It latches what it found, for itself.
    let mut later = look(5);
    later.now = minute(2);
    later.intervals.push(interval(2, [canary("errors", counts(0, 1000))]));
    let next = both.decide(&step.state, &later).decision;
    assert_eq!((next.verdict, next.shadow.unwrap().verdict), (Verdict::Proceed, Verdict::Abort));
}

#[test]
fn a_shadow_that_decides_alike_agrees() {
    let both = with_shadow(&threshold(&[ERRORS]), &threshold(&[ERRORS])).unwrap();
    let (state, seen) = (State::new(), look(20));
    let decision = both.decide(&state, &seen).decision;
    assert!(decision.shadow.as_ref().unwrap().agrees_with(&decision));
    assert_eq!(davy::render::shadow_sentence(&decision).as_deref(), Some("the shadow agrees"));
    assert_eq!(davy::render::shadow_sentence(&engine(&threshold(&[ERRORS])).decide(&state, &seen).decision), None);
}

#[test]
fn what_would_mean_two_things_is_refused_with_its_place() {
    let refused = |live: &str, shadow: &str| with_shadow(live, shadow).unwrap_err().to_string();
    let live = threshold(&[ERRORS]);
    let other = refused(&live, &threshold(&["name: errors, bad: other, total: t, max: 1%"]));
    assert!(
        other.starts_with("rollouts.yaml:4:")
            && other.contains(": E003: the shadow's `errors` asks for something else"),
        "{other}"
    );
    let grid = refused(&live, &live.replace("every: 1m", "every: 30s"));
    assert!(grid.contains("E002: the shadow's intervals last 30s, the policy's 1m"), "{grid}");
    let service =
        davy::Bundle::from_files([("rollouts.yaml", document(&live).replace("name: checkout", "name: search"))])
            .unwrap();
    let service = engine(&live).with_shadow(Engine::new(&service)).unwrap_err();
    assert!(matches!(service, ShadowError::OtherService { .. }), "{service}");
    let nested = engine(&live).with_shadow(with_shadow(&live, &live).unwrap()).unwrap_err();
    assert_eq!(nested, ShadowError::Nested);
    // What one of them alone asks for is nobody's contradiction.
    assert!(with_shadow(&live, &threshold(&["name: latency, histogram: h, max: 1s"])).is_ok());
}

#[test]
fn what_the_shadow_needs_is_fetched_with_the_rest() {
    let both = with_shadow(&threshold(&[ERRORS]), &threshold(&[STRICTER, "name: cpu, gauge: c, max: 1"])).unwrap();
    let release = snapshot(Asked::Keep).release;
    let wanted = |state: &State, now| {
        let all = both.requirements(state, &release, Asked::Keep, Stage::Canary, now);
        all.iter().map(|wanted| (wanted.about.to_string(), wanted.from, wanted.to)).collect::<Vec<_>>()
    };
    let from_to =
        |from, to| [("errors".to_owned(), minute(from), minute(to)), ("cpu".to_owned(), minute(from), minute(to))];
    assert_eq!(wanted(&State::new(), minute(3)), from_to(0, 3));
    // A shadow that comes later is not shown what was judged before: the policy would see it twice, with other counts.
    let alone = engine(&threshold(&[ERRORS]));
    let (state, seen) = (State::new(), look(0));
    let begun = alone.decide(&state, &seen).state;
    assert_eq!(wanted(&begun, minute(3)), from_to(1, 3));
    assert!(wanted(&begun, minute(1).plus(Duration::from_secs(1))).is_empty());
}
