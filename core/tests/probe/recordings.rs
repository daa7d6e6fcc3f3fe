//! Recordings: run again, broken on purpose, compared in shape.

use davy::document::probe::DriftKind;
use davy::probe::{Mutation, Recording, ReplayFault, Shapes, check_recordings, survivors};
use davy::{Duration, ProbeVerdict as Verdict};

use crate::host::{Host, answer, plan, start};

const LOOSE: &str =
    "  steps: [{ id: cart, request: { path: / }, expect: { status: 200, jsonpath: { $.total: { exists: true } } } }]\n";
const STRICT: &str = "  steps: [{ id: cart, request: { path: / }, expect: { status: 200, jsonpath: { $.total: { type: number }, \"$.items[*].sku\": { all: { type: string } } } } }]\n";
const CART: &str = r#"{"total":9.5,"items":[{"sku":"a"}]}"#;

fn record(spec: &str, body: &str) -> (std::sync::Arc<davy::probe::Plan>, Recording) {
    let plan = plan(spec);
    let mut host = Host::new(|_, _| answer(200, body));
    let mut run = host.begin(&plan);
    assert_eq!(host.finish(&mut run).verdict, Verdict::Pass);
    (plan, run.recording().unwrap())
}

#[test]
fn what_no_expectation_notices_survives() {
    let at = |at: &str| at.to_owned();
    let (loose, recording) = record(LOOSE, CART);
    let found: Vec<Mutation> =
        survivors(&loose, &[recording.clone(), recording]).into_iter().map(|s| s.mutation).collect();
    let expected = [
        Mutation::Dropped { at: at("/items") },
        Mutation::Dropped { at: at("/items/0/sku") },
        Mutation::Null { at: at("/items") },
        Mutation::Null { at: at("/items/0/sku") },
        Mutation::Null { at: at("/total") },
        Mutation::OtherType { at: at("/items") },
        Mutation::OtherType { at: at("/items/0/sku") },
        Mutation::OtherType { at: at("/total") },
        Mutation::EmptyList { at: at("/items") },
    ];
    assert_eq!(found, expected);
    let (strict, recording) = record(STRICT, CART);
    assert_eq!(survivors(&strict, &[recording]), []);
}

#[test]
fn recordings_that_are_old_or_of_another_flow_are_told() {
    let (plan, recording) = record(STRICT, CART);
    let day = Duration::from_minutes(24 * 60);
    let codes = |recordings: &[Recording], now| -> Vec<&'static str> {
        check_recordings(&plan, recordings, day, now).iter().map(|found| found.code.as_str()).collect()
    };
    assert!(codes(std::slice::from_ref(&recording), start().plus(day)).is_empty());
    assert_eq!(codes(std::slice::from_ref(&recording), start().plus(day).plus(Duration::from_secs(1))), ["P023"]);
    let (loose, other) = record(LOOSE, CART);
    assert_eq!(codes(std::slice::from_ref(&other), start()), ["P023"]);
    assert!(
        check_recordings(&loose, std::slice::from_ref(&other), day, start())
            .iter()
            .all(|found| found.code.as_str() == "P024")
    );
    assert!(matches!(other.replay(&plan), Err(ReplayFault::OtherFlow { .. })));
    // Another version of the flow can be asked what it would have said.
    assert_eq!(other.run_on(&plan).unwrap().verdict, Verdict::Pass);
}

#[test]
fn a_recording_that_was_changed_comes_to_another_result_or_does_not_fit() {
    let (plan, recording) = record(STRICT, CART);
    let line = recording.to_line();
    let changed = line.replace("9.5", "null");
    let changed = &Recording::from_lines(&changed).unwrap()[0];
    assert!(matches!(changed.replay(&plan), Err(ReplayFault::OtherResult { .. })));
    assert_eq!(changed.run_on(&plan).unwrap().verdict, Verdict::Fail);
    let mut short = recording.clone();
    short.inputs.truncate(1);
    assert_eq!(short.replay(&plan), Err(ReplayFault::Unfinished));
    let mut twice = recording.clone();
    twice.inputs.insert(1, recording.inputs[1].clone());
    assert!(matches!(twice.replay(&plan), Err(ReplayFault::Input { index: 2, .. })));
    assert!(matches!(Recording::from_lines("\n{}\n"), Err(ReplayFault::Unreadable { line: 2, .. })));
    assert_eq!(Recording::from_lines(&format!("{line}\n\n{line}\n")).unwrap().len(), 2);
}

#[test]
fn shapes_differ_where_fields_come_go_or_change() {
    let shapes = |bodies: &[&str]| {
        let mut shapes = Shapes::default();
        for body in bodies {
            shapes.add("cart", &serde_json::from_str(body).unwrap());
        }
        shapes
    };
    let before = shapes(&[
        r#"{"a":1,"b":"x","c":null,"d":1.5,"l":[{"p":1},{"p":2,"q":1}],"o":{"x":1},"e":[]}"#,
        r#"{"a":2,"b":"y","c":null,"d":2,"l":[{"p":3}],"o":{"x":1},"e":[1]}"#,
    ]);
    let differences = |body: &str| -> Vec<(String, DriftKind)> {
        before.compare(&shapes(&[body])).into_iter().map(|found| (found.path, found.kind)).collect()
    };
    use DriftKind::{Added, NewlyNull, Removed, TypeChanged};
    let found = |path: &str, kind| (path.to_owned(), kind);
    assert_eq!(differences(r#"{"a":3,"b":"","c":"now text","d":7,"l":[{"p":1}],"o":{"x":1},"e":[]}"#), []);
    assert_eq!(
        differences(r#"{"a":"3","b":null,"c":null,"d":1,"l":[{"p":1},{"q":2}],"e":[],"new":1}"#),
        [
            found("$.a", TypeChanged),
            found("$.b", NewlyNull),
            found("$.l[*].p", Removed),
            found("$.new", Added),
            found("$.o", Removed),
        ]
    );
    let (plan, recording) = record(STRICT, CART);
    assert_eq!(
        Shapes::of(&plan, &[recording]).steps().map(|(step, shape)| (step, shape.len())).next(),
        Some(("cart", 5))
    );
}
