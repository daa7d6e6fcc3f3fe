//! What of a policy its tests reach, shown on the ready policy of the shop.

use std::collections::BTreeMap;

use davy::testing::{Coverage, PolicyTests, TestRun};
use davy::{Bundle, Engine, Share};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/checkout");

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}")).unwrap()
}

/// What the checkout's tests reach of a policy, all of them passing.
fn reached(policy: &str, tests: &str) -> Coverage {
    let bundle = Bundle::from_files([("rollouts.yaml", policy)]).unwrap_or_else(|error| panic!("{error}"));
    let tests = PolicyTests::from_yaml("checkout_test.yaml", tests.as_bytes()).unwrap();
    let files: BTreeMap<String, Vec<u8>> =
        tests.files().into_iter().map(|name| (name.to_owned(), text(name).into_bytes())).collect();
    let engine = Engine::new(&bundle);
    let mut coverage = Coverage::of(&bundle, &engine);
    let runs = tests.run(&engine, &files, &mut coverage);
    assert!(runs.iter().all(TestRun::passed), "{:?}", crate::support::why(&runs));
    coverage
}

/// The document without the test of this name.
fn without(tests: &str, name: &str) -> String {
    let from = tests.find(&format!("    - name: {name}\n")).unwrap();
    let rest = &tests[from + 1..];
    let end =
        rest.find("\n    - name: ").or_else(|| rest.find("\n    #")).map_or(tests.len(), |end| from + 1 + end + 1);
    format!("{}{}", &tests[..from], &tests[end..])
}

#[test]
fn the_tests_of_the_checkout_reach_everything() {
    let coverage = reached(&text("rollouts.yaml"), &text("checkout_test.yaml"));
    let unreached: Vec<String> = coverage.unreached().map(ToString::to_string).collect();
    assert_eq!(unreached, Vec::<String>::new());
    assert_eq!(coverage.share(), Share::ALL);
    assert!(coverage.is_at_least(Share::ALL));
    let (reached, all) = coverage.reached();
    assert_eq!(reached, all);
    let gates = coverage.gates();
    assert_eq!(gates.iter().map(|gate| gate.branches).sum::<usize>(), all);
    assert!(gates.len() >= 9, "{gates:?}");
}

/// Each of these tests alone reaches something: without it, that and nothing else is missing.
#[test]
fn a_test_that_is_removed_lowers_the_coverage() {
    let (policy, tests) = (text("rollouts.yaml"), text("checkout_test.yaml"));
    for (name, missing) in [
        ("half of the traffic is the most that a canary gets in production", "blast-radius.weight"),
        ("a second release in production waits for the first", "blast-radius.concurrent"),
        ("a revision that was not in staging does not begin", "dependencies.not-passed of `staging`"),
        ("nor one that has been there for less than two hours", "dependencies.soaking of `staging`"),
        ("data that stay away hold the release, and end it after two hours", "hold.limit"),
        ("the journey is a dry run, shown and never counted", "health of `journey`: fail"),
        ("a single crash loop ends the release", "health of `crash-loops`: fail"),
        ("staging asks for no journeys and no other environment", "the environment `staging`"),
        ("and is done then", "bake.done"),
        ("a signed waiver lets it go on", "a waiver of probes.failed"),
        ("nobody leaves the first step before a thousand requests", "steps.exposure"),
    ] {
        let coverage = reached(&policy, &without(&tests, name));
        let unreached: Vec<String> = coverage.unreached().map(ToString::to_string).collect();
        assert_eq!(unreached, [missing], "without {name}");
        assert!(coverage.share() < Share::ALL && !coverage.is_at_least(Share::ALL), "{name}");
        let (_, all) = coverage.reached();
        let ppm = u32::try_from((all - 1) * 1_000_000 / all).unwrap();
        assert!(
            coverage.is_at_least(Share::from_ppm(ppm)) && !coverage.is_at_least(Share::from_ppm(ppm + 1)),
            "{name}"
        );
    }
}

/// Whatever a policy is given besides, the tests that there are do not reach it.
#[test]
fn what_is_added_to_a_policy_is_not_covered() {
    let policy = text("rollouts.yaml");
    let tests = text("checkout_test.yaml");
    for (from, to, missing) in [
        ("waiveFails: [probes.failed]", "waiveFails: [probes.failed, health.harm]", 1),
        ("    - { weight: 50%, atLeast: 10m }\n", "    - { weight: 50%, atLeast: 10m, minRequests: 1 }\n", 1),
        ("    staging: { probes: [] }\n", "    staging: { probes: [] }\n    test: { probes: [search] }\n", 4),
    ] {
        assert!(policy.contains(from), "{from}");
        let coverage = reached(&policy.replace(from, to), &tests);
        assert_eq!(coverage.unreached().count(), missing, "{to}: {:?}", coverage.unreached().collect::<Vec<_>>());
    }
}
