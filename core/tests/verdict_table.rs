//! What follows from what: asked × stage × outcome → verdict, and which holds each request heeds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeSet;

use davy::{Asked, Cause, Decision, Engine, OverrideAction, ProbeVerdict, Running, Snapshot, Stage, Standing, State};
use serde_json::Value as Json;
use support::*;

const VERDICTS: &str = include_str!("data/verdicts.json");
const NEEDS: &str = include_str!("data/needs.json");
const ASKED: [&str; 4] = ["start", "advance", "promote", "keep"];

/// How an outcome is brought about.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Intervals: healthy, off the grid, or with too many errors.
    Evidence,
    /// A person.
    Override,
}

fn asked(word: &str) -> Asked {
    match word {
        "start" => Asked::Start,
        "advance" => advance("25%"),
        "promote" => Asked::Promote,
        _ => Asked::Keep,
    }
}

fn bring_about(outcome: &str, by: By, asked: Asked, stage: Stage) -> Decision {
    let mut seen = snapshot(asked);
    seen.now = minute(1);
    seen.stage = stage;
    let (healthy, bad) = (canary("errors", counts(0, 100)), canary("errors", counts(9, 100)));
    match (outcome, by) {
        ("fail", By::Evidence) => seen.intervals = vec![interval(1, [bad])],
        ("hold", By::Evidence) => {
            let half = davy::Interval::new(at("09:00"), at("09:00:30"), vec![healthy.clone()]).unwrap();
            seen.intervals = vec![interval(1, [healthy]), half];
        }
        _ => seen.intervals = vec![interval(1, [healthy])],
    }
    match (outcome, by) {
        ("hold", By::Override) => seen.overrides = vec![override_that(OverrideAction::Hold)],
        ("fail", By::Override) => seen.overrides = vec![override_that(OverrideAction::Abort)],
        _ => {}
    }
    decide(&threshold(&[ERRORS]), &seen)
}

#[test]
fn asked_and_stage_and_outcome_make_the_verdict() {
    let rows: Vec<Json> = serde_json::from_str(VERDICTS).unwrap();
    let mut covered = BTreeSet::new();
    for row in &rows {
        let word = |key: &str| row[key].as_str().unwrap_or_default();
        let stage = if word("stage") == "live" { Stage::Live } else { Stage::Canary };
        covered.insert((word("stage"), word("asked"), word("outcome")));
        for by in [By::Evidence, By::Override] {
            let decision = bring_about(word("outcome"), by, asked(word("asked")), stage);
            assert_eq!(decision.verdict.as_str(), word("verdict"), "{row} by {by:?}\n{decision}");
            // Told once as a word and once as what caused it, so that a hold is the hold that was meant.
            let caused = decision.reasons().any(|reason| reason.code() == word("because"));
            assert_eq!(caused, !word("because").is_empty(), "{row} by {by:?}\n{decision}");
        }
    }
    let all = ["canary", "live"].into_iter().flat_map(|stage| {
        ASKED.into_iter().flat_map(move |asked| ["pass", "hold", "fail"].map(|outcome| (stage, asked, outcome)))
    });
    assert_eq!((covered, rows.len()), (all.collect(), 24));
}

#[test]
fn what_is_asked_decides_which_holds_count() {
    let table: Json = serde_json::from_str(NEEDS).unwrap();
    for row in table["holds"].as_array().unwrap() {
        let code = row["code"].as_str().unwrap();
        for word in ASKED {
            let decision = scene(code, asked(word));
            let standing = decision.findings.iter().find(|finding| finding.code() == code && holds(finding));
            let found = match standing.map(|finding| &finding.standing) {
                None => "absent",
                Some(Standing::Counts) => "counts",
                Some(Standing::NotAsked) => "notAsked",
                Some(other) => panic!("{code} with {word} is {other:?}"),
            };
            assert_eq!(found, row[word].as_str().unwrap(), "{code} with {word}:\n{decision}");
            let expected = if found == "counts" { "hold" } else { "proceed" };
            assert_eq!(decision.verdict.as_str(), expected, "{code} alone with {word}:\n{decision}");
        }
    }
}

#[test]
fn every_code_is_in_the_table_of_needs() {
    let table: Json = serde_json::from_str(NEEDS).unwrap();
    let holds = table["holds"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap());
    let never = table["neverHold"].as_array().unwrap().iter().map(|code| code.as_str().unwrap());
    let listed: Vec<&str> = holds.chain(never).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), Cause::CODES.iter().copied().collect());
    assert_eq!(listed.len(), Cause::CODES.len(), "each stands once");
}

const COMPARED: &str = "name: errors, bad: b, total: t, tolerate: 1.5x, unacceptable: 3x";
const FLOW: &str = "probes: [{ flow: pay, within: 10m, patience: 2, degraded: hold }]";

/// A decision in which a finding with this code holds, if the request can meet it at all, and no other does.
fn scene(code: &str, asked: Asked) -> Decision {
    let good = || canary("errors", counts(0, 100));
    let watched = threshold(&[ERRORS]);
    let after_one_minute = |spec: &str, observation| Watch::of(spec).asks(asked).sees([observation]);
    let with = |spec: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut seen = Snapshot { now: at("09:30"), ..snapshot(asked) };
        change(&mut seen);
        decide(spec, &seen)
    };
    let undecided = [canary("errors", counts(2, 100)), baseline("errors", counts(1, 100))];
    match code {
        "release.unknown-service" => with("", &|seen| seen.release.service = name("basket")),
        "release.unknown-environment" => with("environments: { staging: {} }", &|_| {}),
        "state.other-release" => {
            let mut seen = Snapshot { now: at("09:30"), ..snapshot(asked) };
            let engine = engine("");
            let state = engine.decide(&State::new(), &seen).state;
            seen.release.revision = name("r3");
            engine.decide(&state, &seen).decision
        }
        "state.other-policy" => {
            let seen = Snapshot { now: at("09:30"), ..snapshot(asked) };
            let (before, after) = (engine("steps: []"), engine(""));
            let state = before.decide(&State::new(), &seen).state;
            after.decide(&state, &seen).decision
        }
        "clock.backwards" => with("", &|seen| seen.now = at("08:59")),
        "asked.already-live" => with("", &|seen| seen.stage = Stage::Live),
        "asked.not-higher" => with("", &|seen| seen.weight = share("25%")),
        "data.conflict" => {
            let mut watch = Watch::of(&watched).asks(asked);
            watch.sees([good()]);
            watch.snapshot.intervals = vec![interval(1, [canary("errors", counts(0, 101))])];
            watch.looks()
        }
        "data.late" => {
            let mut watch = Watch::of(&watched).asks(asked);
            watch.misses(1);
            watch.sees([good()]);
            watch.snapshot.intervals = vec![interval(1, [good()])];
            watch.looks()
        }
        "data.off-grid" => bring_about("hold", By::Evidence, asked, Stage::Canary),
        "data.stale" => with(&watched, &|seen| {
            (seen.now, seen.intervals) = (minute(2), vec![interval(1, [good()])]);
        }),
        "data.first-interval" => with(&watched, &|seen| seen.now = at("09:00:59")),
        "steps.dwell" => with("steps: [{ weight: 5%, atLeast: 1h }]", &|_| {}),
        "steps.exposure" => with("steps: [{ weight: 5%, minRequests: 1 }]", &|_| {}),
        "steps.ended" => with("steps: [{ weight: 5% }]", &|_| {}),
        "steps.skipped" => with("steps: [{ weight: 5% }, { weight: 10% }, { weight: 25% }]", &|seen| {
            // Nothing is unfinished for those who ask to promote.
            if asked == Asked::Promote {
                seen.weight = share("25%");
            }
        }),
        "steps.unfinished" => with("steps: [{ weight: 5% }, { weight: 25% }]", &|_| {}),
        "bake.no-reference" => {
            let engine = engine(&threshold(&[COMPARED]));
            let mut seen = Snapshot { now: minute(1), stage: Stage::Live, ..snapshot(asked) };
            seen.intervals = vec![interval(1, [canary("errors", counts(1, 100)), baseline("errors", counts(1, 100))])];
            engine.decide(&State::new(), &seen).decision
        }
        "health.breach-tolerated" => {
            after_one_minute(&threshold(&[&format!("{ERRORS}, patience: 2")]), canary("errors", counts(9, 100)))
        }
        "health.inconclusive" => Watch::of(&threshold(&[COMPARED])).asks(asked).sees(undecided),
        "health.too-inconclusive" => {
            Watch::of(&threshold(&[&format!("{COMPARED}, inconclusiveLimit: 0")])).asks(asked).sees(undecided)
        }
        "health.no-traffic" => after_one_minute(&watched, canary("errors", counts(0, 0))),
        "health.too-few-requests" => {
            after_one_minute(&threshold(&[&format!("{ERRORS}, minRequests: 10")]), canary("errors", counts(0, 9)))
        }
        "health.no-data" => after_one_minute(&watched, canary("errors", NO_DATA)),
        "health.wrong-form" => after_one_minute(&watched, canary("errors", gauge(0.5))),
        "health.horizon" => {
            let spec = health("judge: threshold, horizon: 1m", &[&format!("{ERRORS}, patience: 2")]);
            let mut seen = Snapshot { now: minute(1), ..snapshot(asked) };
            seen.intervals = vec![interval(1, [canary("errors", counts(9, 100))])];
            seen.overrides = vec![waive(&["health.breach-tolerated"])];
            decide(&spec, &seen)
        }
        "health.argo-running" => {
            after_one_minute(&health("judge: argo", &[&format!("{ERRORS}, argo: {{ count: 2 }}")]), good())
        }
        "health.argo-inconclusive" => Watch::of(&health("judge: argo", &[COMPARED])).asks(asked).sees(undecided),
        "health.outside-limits" | "health.flagger-check-failed" => {
            after_one_minute(&health("judge: flagger", &[ERRORS]), canary("errors", counts(9, 100)))
        }
        "probes.degraded" => with(FLOW, &|seen| seen.probes = vec![run("pay", "09:25", ProbeVerdict::Degraded)]),
        "probes.failing" => with(FLOW, &|seen| seen.probes = vec![run("pay", "09:25", ProbeVerdict::Fail)]),
        "probes.upstream" => with(FLOW, &|seen| {
            let failed = run("pay", "09:25", ProbeVerdict::Fail);
            seen.probes = vec![failed.clone(), of_baseline(failed)];
        }),
        "probes.stale" => with(FLOW, &|_| {}),
        "probes.not-run" => with(FLOW, &|seen| seen.probes = vec![run("pay", "09:25", ProbeVerdict::Error)]),
        "dependencies.not-passed" => with(IN_PROD_AFTER_STAGING, &|_| {}),
        "dependencies.soaking" => with(IN_PROD_AFTER_STAGING, &|seen| {
            seen.passed = vec![davy::Passed { environment: name("staging"), revision: name("r2"), at: at("09:15") }];
        }),
        "blast-radius.weight" => with("environments: { prod: { blastRadius: { maxWeight: 10% } } }", &|_| {}),
        "blast-radius.concurrent" => with("environments: { prod: { blastRadius: { concurrent: 1 } } }", &|seen| {
            let (service, environment, revision) = (name("basket"), name("prod"), name("r8"));
            seen.running = vec![Running { service, environment, revision }];
        }),
        "override.hold" => with("", &|seen| seen.overrides = vec![override_that(OverrideAction::Hold)]),
        "hold.limit" => {
            let engine: Engine = engine("holdLimit: { after: 10m, then: hold, kinds: [blocked] }");
            let mut seen = Snapshot { now: at("09:30"), ..snapshot(asked) };
            seen.overrides = vec![override_that(OverrideAction::Hold)];
            let state = engine.decide(&State::new(), &seen).state;
            seen.now = at("09:40");
            engine.decide(&state, &seen).decision
        }
        other => panic!("no scene for {other}"),
    }
}

const IN_PROD_AFTER_STAGING: &str =
    "environments: { staging: {}, prod: { requires: [{ environment: staging, soak: 1h }] } }";
