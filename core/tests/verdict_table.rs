//! What follows from what: asked × stage × outcome → verdict, and which holds each request heeds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use davy::document::RuleOutcome;
use davy::plugin::{Evaluated, MetricInput, MetricPlugin, NoResult, PluginFault, Plugins};
use davy::rule::{RuleSource, Said};
use davy::{
    Asked, Bundle, Cause, Decision, Diagnostic, Digest, Engine, Limit, Outcome, OverrideAction, ProbeVerdict, Rule,
    RuleInput, RuleLanguage, Running, Snapshot, Stage, Standing, State,
};
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
            let meant = |finding: &&davy::Finding| finding.code() == code && finding.outcome != Outcome::Pass;
            let found = match decision.findings.iter().find(meant) {
                None => "absent",
                Some(finding) if finding.outcome == Outcome::Fail => "fails",
                Some(finding) => match &finding.standing {
                    Standing::Counts => "counts",
                    Standing::NotAsked => "notAsked",
                    other => panic!("{code} with {word} is {other:?}"),
                },
            };
            assert_eq!(found, row[word].as_str().unwrap(), "{code} with {word}:\n{decision}");
            let expected = match found {
                "counts" => "hold",
                "fails" => "abort",
                _ => "proceed",
            };
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
    let codes: BTreeSet<&str> = Cause::CODES.iter().copied().collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), codes);
    assert_eq!(listed.len(), codes.len(), "each stands once");
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
    let compared = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";
    let gather = |minutes: &[(u64, u64, usize)]| {
        let mut watch = Watch::of(&health("judge: evidence, recentIntervals: 3", &[compared])).asks(asked);
        let seen =
            |bad, baseline_bad| [canary("errors", counts(bad, 4000)), baseline("errors", counts(baseline_bad, 4000))];
        for (bad, baseline_bad, times) in minutes {
            for _ in 0..*times {
                watch.sees(seen(*bad, *baseline_bad));
            }
        }
        watch.looks()
    };
    // A fixed schedule of looks, whose first step is so long.
    let fixed = |length: &str, attempt: u32, bad: u64, total: u64| {
        let ramp = format!(
            "steps: [{{ weight: 5%, atLeast: {length} }}, {{ weight: 10%, atLeast: 1m }}, {{ weight: 25%, atLeast: 1m }}]"
        );
        let mut watch = Watch::of(&format!("{ramp}, {}", health("judge: groupSequential", &[compared]))).asks(asked);
        watch.snapshot.release.attempt = attempt.try_into().unwrap();
        let (weight, minutes) = if asked == Asked::Promote { ("25%", 12) } else { ("10%", 3) };
        watch.snapshot.weight = share(weight);
        for _ in 0..minutes {
            watch.sees([canary("errors", counts(bad, total)), baseline("errors", counts(bad, total))]);
        }
        watch.looks()
    };
    match code {
        "health.suspicion" => gather(&[(88, 40, 3)]),
        "health.within-noise" => gather(&[(60, 40, 25)]),
        "health.sick-replicas" => {
            let mut watch = Watch::of(&health("judge: evidence", &[compared])).asks(asked);
            let pod = |number: u64| of(&format!("pod-{number}"), baseline("errors", counts(10 + 60 / number, 1000)));
            let seen = || vec![canary("errors", counts(10, 1000)), pod(1), pod(100), pod(101), pod(102)];
            (0..6).map(|_| watch.sees(seen())).last().unwrap()
        }
        "health.schedule-left" => fixed("1h", 1, 40, 4000),
        "health.retried" => fixed("1m", 2, 40, 4000),
        "health.too-many-events" => fixed("1m", 1, 1 << 40, 1 << 42),
        "health.not-proved" => gather(&[(40, 40, 1)]),
        "health.reversed" => gather(&[(40, 40, 12), (57, 40, 3)]),
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
        "burn.shared" => {
            let short = window("5m", 20.0, 100.0);
            watched_slo(asked, [burning(), vec![by_canary(short.clone()), by_baseline(short)]].concat())
        }
        "burn.unattributed" => {
            let (canary, baseline) = (window("5m", 0.0, 100.0), window("5m", 20.0, 100.0));
            watched_slo(asked, [burning(), vec![by_canary(canary), by_baseline(baseline)]].concat())
        }
        "burn.before" => {
            let mut watch = Watch::by(engine_with(BUDGET, &[slo("availability")])).asks(Asked::Keep);
            (watch.snapshot.now, watch.snapshot.slos) = (now(), burning());
            watch.looks();
            watch.live().asks(asked).looks()
        }
        "burn.burning" => {
            let spec = "budget: { slos: [availability], burn: { page: hold } }";
            look_with(&engine_with(spec, &[slo("availability")]), asked, burning())
        }
        "burn.thin" => watched_slo(asked, [window("1h", 0.0, 0.0), window("5m", 0.0, 0.0), month()]),
        "burn.unknown" => watched_slo(asked, [month()]),
        "budget.frozen" => watched_slo(asked, [&calm()[..2], &[window("30d", 20_000.0, 1_000_000.0)]].concat()),
        "budget.thin" => watched_slo(asked, [&calm()[..2], &[window("30d", 0.0, 0.0)]].concat()),
        "budget.unknown" => watched_slo(asked, &calm()[..2]),
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
        "rules.deny" | "rules.hold" | "rules.missing" | "rules.broken" | "rules.exhausted" => {
            let (_, what) = code.split_once('.').unwrap();
            let bundle = bundle(&format!("rules: [{{ name: r, cel: {what} }}]"));
            let engine = Engine::builder(&bundle).rules([Arc::new(Says) as Arc<dyn RuleLanguage>]).build().unwrap();
            engine.decide(&State::new(), &snapshot(asked)).decision
        }
        "rules.no-language" => decide("rules: [{ name: r, cel: hold }]", &snapshot(asked)),
        "calendar.closed" => under_calendar("selector: { everything: true },", ALWAYS, asked),
        "calendar.hard-frozen" => {
            under_calendar("selector: { everything: true },", &format!("{ALWAYS}, hard: true"), asked)
        }
        "calendar.target-unknown" => under_calendar("selector: { clusters: [eu-1] },", ALWAYS, asked),
        "plugin.rejected" => measured(asked, NoResult::Rejected("too few".to_owned()), &|_| {}),
        "plugin.faulted" => measured(asked, NoResult::Faulted(PluginFault::Trap, "a detail".to_owned()), &|_| {}),
        "plugin.other" => measured_well(asked, &|seen| seen.plugins[0].plugin = Some(Digest::of(b"another"))),
        "plugin.unrecorded" => measured_well(asked, &|seen| seen.plugins.clear()),
        "health.kayenta-waiting" => under_kayenta(asked, 1),
        "health.kayenta-running" => under_kayenta(asked, 2),
        other => panic!("no scene for {other}"),
    }
}

/// A language whose rules say the one thing that they are called after.
#[derive(Debug)]
struct Says;

#[derive(Debug)]
struct Word(String, davy::Position);

impl RuleLanguage for Says {
    fn name(&self) -> &'static str {
        "cel"
    }

    fn compile(&self, source: &RuleSource<'_>, _: &mut Vec<Diagnostic>) -> Option<Arc<dyn Rule>> {
        Some(Arc::new(Word(source.text.to_owned(), source.position(1, 1))))
    }
}

impl Rule for Word {
    fn judge(&self, _: &RuleInput) -> Vec<Said> {
        let position = self.1.clone();
        let fired = |outcome, position| {
            let (message, conditions) = (text("said so"), Vec::new());
            Said::Fired { outcome, message, code: None, conditions, position }
        };
        vec![match self.0.as_str() {
            "deny" => fired(RuleOutcome::Deny, position),
            "hold" => fired(RuleOutcome::Hold, position),
            "missing" => Said::Missing { paths: vec![text("facts.ticket")], position },
            "broken" => Said::Failed { problem: text("no"), position },
            "exhausted" => Said::Exhausted { limit: Limit::Instructions(count(25_000)), position },
            other => panic!("{other}"),
        }]
    }
}

const ALWAYS: &str = "name: always, kind: deny, cron: \"* * * * *\", duration: 1h";

/// A look under a calendar with one window.
fn under_calendar(settings: &str, window: &str, asked: Asked) -> Decision {
    let calendar = format!(
        "apiVersion: davy/v1\nkind: Calendar\nmetadata: {{ name: c }}\nspec: {{ zone: UTC, {settings} windows: [{{ {window} }}] }}\n"
    );
    let files = [("rollouts.yaml", document("calendars: [c]")), ("c.yaml", calendar)];
    let bundle = Bundle::from_files(files).unwrap_or_else(|error| panic!("{error}"));
    Engine::new(&bundle).decide(&State::new(), &snapshot(asked)).decision
}

/// Says that it measured nothing, and why.
struct Fails(NoResult);

impl MetricPlugin for Fails {
    fn evaluate(&self, _: &MetricInput<'_>) -> Evaluated {
        Evaluated { result: Err(self.0.clone()), fuel: Some(7) }
    }
}

const QUEUE: &str = "name: queue, plugin: { native: queue, inputs: [{ name: depth, gauge: depth }] }, max: 10";

fn measured_by(plugins: &Plugins, asked: Asked, change: &dyn Fn(&mut Snapshot)) -> Decision {
    let engine = engine(&threshold(&[QUEUE]));
    let observed = [canary("queue.depth", gauge(3.0))];
    let mut seen = Snapshot { now: minute(1), intervals: vec![interval(1, observed)], ..snapshot(asked) };
    engine.measure(plugins, &mut seen);
    change(&mut seen);
    engine.decide(&State::new(), &seen).decision
}

fn measured(asked: Asked, nothing: NoResult, change: &dyn Fn(&mut Snapshot)) -> Decision {
    measured_by(&Plugins::new().native(name("queue"), Fails(nothing)), asked, change)
}

fn measured_well(asked: Asked, change: &dyn Fn(&mut Snapshot)) -> Decision {
    let three =
        |_: &MetricInput<'_>| -> Result<davy::plugin::Measured, String> { Ok(davy::plugin::Measured::Value(3.0)) };
    measured_by(&Plugins::new().native(name("queue"), three), asked, change)
}

/// So many minutes of a release that Kayenta's judge analyses every two of six.
fn under_kayenta(asked: Asked, minutes: u32) -> Decision {
    let metric = "name: latency, gauge: seconds, kayenta: { direction: increase, groups: [latency] }";
    let spec = health("judge: kayenta, horizon: 6m, kayenta: { analysisEvery: 2m }", &[metric]);
    let level = |minute: u32| gauge(100.0 + f64::from(minute * 7 % 5));
    let mut watch = Watch::of(&spec).asks(asked);
    let seen = |minute| [canary("latency", level(minute)), baseline("latency", level(minute + 3))];
    (0..minutes).map(|minute| watch.sees(seen(minute))).last().unwrap()
}

fn watched_slo(asked: Asked, windows: impl Into<Vec<davy::SloWindow>>) -> Decision {
    look_with(&engine_with(BUDGET, &[slo("availability")]), asked, windows)
}

const IN_PROD_AFTER_STAGING: &str =
    "environments: { staging: {}, prod: { requires: [{ environment: staging, soak: 1h }] } }";
