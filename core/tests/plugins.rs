//! Metrics that plugins measure: what they see, what their results count for, and that what fails holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod support;

use std::sync::Arc;

use davy::plugin::{
    Data, Evaluated, Measured, MetricInput, MetricPlugin, NoResult, PluginFault, PluginOutcome, Plugins,
};
use davy::{Asked, Bundle, Cohort, Decision, Digest, Engine, Observed, Query, Record, Snapshot, State};

use support::*;

/// Counts of abandoned carts, of one cohort.
const CARTS: &str = "name: abandonment, plugin: { native: carts, measures: counts, \
    inputs: [{ name: carts, bad: b, total: t }] }, tolerate: 1.1x, unacceptable: 1.5x";

/// A value from the newest and the oldest gauge that is seen.
const QUEUE: &str =
    "name: queue, plugin: { native: queue, window: 3, inputs: [{ name: depth, gauge: depth }] }, max: 10";

fn counts_of(input: &MetricInput<'_>) -> Result<Measured, String> {
    match &input.series[0].data {
        Data::Counts(all) => Ok(Measured::Counts { bad: all[0].0.get(), total: all[0].1.get() }),
        _ => Err("no counts".to_owned()),
    }
}

fn growth_of(input: &MetricInput<'_>) -> Result<Measured, String> {
    let depth = input.series[0].gauges();
    Ok(Measured::Value(depth[depth.len() - 1] - depth[0]))
}

fn plugins() -> Plugins {
    Plugins::new().native(name("carts"), counts_of).native(name("queue"), growth_of)
}

/// Fails in this way.
struct Fails(NoResult);

impl MetricPlugin for Fails {
    fn evaluate(&self, _: &MetricInput<'_>) -> Evaluated {
        Evaluated { result: Err(self.0.clone()), fuel: Some(7) }
    }
}

fn failing(fault: PluginFault) -> Plugins {
    Plugins::new().native(name("queue"), Fails(NoResult::Faulted(fault, "a detail".to_owned())))
}

/// The first minute of a release, with these observations, measured.
fn measured(spec: &str, plugins: &Plugins, observations: &[davy::Observation]) -> (Engine, Snapshot) {
    let engine = engine(spec);
    let mut seen = Snapshot { now: minute(1), intervals: vec![interval(1, observations)], ..snapshot(Asked::Promote) };
    engine.measure(plugins, &mut seen);
    (engine, seen)
}

fn decided(spec: &str, plugins: &Plugins, observations: &[davy::Observation]) -> Decision {
    let (engine, seen) = measured(spec, plugins, observations);
    engine.decide(&State::new(), &seen).decision
}

fn depth(value: f64) -> davy::Observation {
    canary("queue.depth", gauge(value))
}

#[test]
fn a_value_is_judged_by_its_limits_outside_the_guarantee() {
    let spec = threshold(&[QUEUE]);
    let good = decided(&spec, &plugins(), &[depth(3.0)]);
    assert_eq!(said(&good), "proceed");
    assert!(matches!(finding(&good, "health.within-limits").guarantee, davy::Guarantee::Outside(_)));
    assert!(holds(finding(&decided(&spec, &plugins(), &[]), "health.no-data")));

    let engine = engine(&spec);
    let mut seen = Snapshot { now: minute(3), ..snapshot(Asked::Promote) };
    seen.intervals = (1..=3).map(|end| interval(end, [depth(20.0 * end as f64)])).collect();
    engine.measure(&plugins(), &mut seen);
    let decision = engine.decide(&State::new(), &seen).decision;
    assert_eq!(said(&decision), "abort health.limit-exceeded:queue");
}

#[test]
fn counts_enter_the_evidence_and_its_guarantee() {
    let spec = health("judge: evidence", &[CARTS]);
    let engine = engine(&spec);
    let mut seen = Snapshot { now: minute(1), ..snapshot(Asked::Keep) };
    let both = [canary("abandonment.carts", counts(75, 75)), baseline("abandonment.carts", counts(14, 1425))];
    seen.intervals = vec![interval(1, both)];
    engine.measure(&plugins(), &mut seen);
    assert_eq!(seen.plugins.len(), 2);
    let decision = engine.decide(&State::new(), &seen).decision;
    assert_eq!(said(&decision), "abort health.harm");
    assert!(matches!(finding(&decision, "health.harm").guarantee, davy::Guarantee::Declared(_)));
    // The same counts from a source are the same evidence.
    let metric = "name: abandonment, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";
    let mut plain = Snapshot { now: minute(1), ..snapshot(Asked::Keep) };
    let both = [canary("abandonment", counts(75, 75)), baseline("abandonment", counts(14, 1425))];
    plain.intervals = vec![interval(1, both)];
    let of_source = decide(&health("judge: evidence", &[metric]), &plain);
    assert_eq!(finding(&of_source, "health.harm").cause, finding(&decision, "health.harm").cause);
}

#[test]
fn a_plugin_of_counts_sees_one_cohort_and_one_interval() {
    let spy = |input: &MetricInput<'_>| {
        assert_eq!((input.window, input.series.len(), input.baseline.len()), (1, 1, 0));
        assert_eq!(input.series[0].at, [0]);
        counts_of(input)
    };
    let engine = engine(&health("judge: evidence", &[CARTS]));
    let mut seen = Snapshot { now: minute(2), ..snapshot(Asked::Keep) };
    let both = || [canary("abandonment.carts", counts(1, 75)), baseline("abandonment.carts", counts(14, 1425))];
    seen.intervals = vec![interval(1, both()), interval(2, both())];
    engine.measure(&Plugins::new().native(name("carts"), spy), &mut seen);
    assert_eq!(seen.plugins.len(), 4);
}

#[test]
fn a_window_reaches_into_the_history_and_shows_its_gaps() {
    let engine = engine(&threshold(&[QUEUE]));
    let mut seen = Snapshot { now: minute(3), ..snapshot(Asked::Keep) };
    seen.history = vec![interval(1, [depth(1.0)])];
    seen.intervals = vec![interval(3, [depth(5.0)])];
    let spy = |input: &MetricInput<'_>| {
        assert_eq!((input.window, input.series[0].at.as_slice()), (3, &[0, 2][..]));
        growth_of(input)
    };
    engine.measure(&Plugins::new().native(name("queue"), spy), &mut seen);
    assert_eq!(seen.plugins[0].outcome, PluginOutcome::Value(4.0));
    assert_eq!(seen.history[0].observations().len(), 1, "what is past is not measured");
}

#[test]
fn a_comparison_sees_the_baseline_beside_the_canary() {
    let metric = "name: distance, plugin: { native: distance, measures: comparison, \
        inputs: [{ name: lines, events: lines, by: template, optional: true }] }, max: 0.5";
    let distance = |input: &MetricInput<'_>| {
        let replicas =
            |series: &[davy::plugin::Series<'_>]| series.iter().filter_map(|one| one.replica.cloned()).count();
        Ok(Measured::Value((replicas(&input.series) - replicas(&input.baseline)) as f64))
    };
    let seen = [
        of("timeout", canary("distance.lines", events(3))),
        of("started", canary("distance.lines", events(1))),
        of("started", baseline("distance.lines", events(20))),
    ];
    let plugins = Plugins::new().native(name("distance"), distance);
    assert_eq!(said(&decided(&threshold(&[metric]), &plugins, &seen)), "abort health.limit-exceeded:distance");
}

#[test]
fn what_an_input_lacks_the_metric_lacks() {
    let spec = threshold(&[QUEUE]);
    let missing = |observed: Observed| {
        let (_, seen) = measured(&spec, &plugins(), &[canary("queue.depth", observed)]);
        assert!(seen.plugins.is_empty());
        seen.intervals[0].observations()[0].observed.clone()
    };
    assert_eq!(missing(NO_DATA), NO_DATA);
    assert_eq!(missing(NAN), NAN);
    assert_eq!(missing(events(1)), Observed::Missing(davy::Missing::NoAnswer), "of another form");
}

#[test]
fn every_fault_holds_blind_and_only_the_policy_lets_it_fail() {
    let faults = [
        PluginFault::OutOfFuel,
        PluginFault::Trap,
        PluginFault::Memory,
        PluginFault::Stack,
        PluginFault::BadOutput,
        PluginFault::BadInput,
        PluginFault::Deadline,
        PluginFault::NotLoaded,
    ];
    let strict = threshold(&[&QUEUE.replace("window: 3", "window: 3, onFault: fail")]);
    for fault in faults {
        let seen = [depth(1.0)];
        let held = decided(&threshold(&[QUEUE]), &failing(fault), &seen);
        assert_eq!(said(&held), "hold health.no-data:queue plugin.faulted:queue", "{fault:?}");
        assert_eq!(held.hold.unwrap().kind, davy::HoldKind::Blind);
        let failed = decided(&strict, &failing(fault), &seen);
        let expected = if fault.is_of_the_host() {
            "hold health.no-data:queue plugin.faulted:queue"
        } else {
            "abort plugin.faulted:queue"
        };
        assert_eq!(said(&failed), expected, "{fault:?}");
    }
}

#[test]
fn a_rejection_holds_and_says_why() {
    let rejects = |_: &MetricInput<'_>| -> Result<Measured, String> { Err("too few\u{1b}[2J requests".to_owned()) };
    let spec = threshold(&[&QUEUE.replace("window: 3", "window: 3, onFault: fail")]);
    let decision = decided(&spec, &Plugins::new().native(name("queue"), rejects), &[depth(1.0)]);
    assert_eq!(said(&decision), "hold health.no-data:queue plugin.rejected:queue");
    let sentence = davy::render::sentence(finding(&decision, "plugin.rejected"));
    assert!(sentence.contains("`too few\u{fffd}[2J requests`"), "{sentence}");
}

#[test]
fn results_that_were_not_promised_are_faults() {
    let returns = |measured: Measured| move |_: &MetricInput<'_>| -> Result<Measured, String> { Ok(measured) };
    let bad = |plugins: Plugins, spec: &str, observations: &[davy::Observation]| {
        let (_, seen) = measured(spec, &plugins, observations);
        matches!(seen.plugins[0].outcome, PluginOutcome::Faulted { fault: PluginFault::BadOutput, .. })
    };
    let queue = threshold(&[QUEUE]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(bad(Plugins::new().native(name("queue"), returns(Measured::Value(value))), &queue, &[depth(1.0)]));
    }
    let counted = Measured::Counts { bad: 1, total: 2 };
    assert!(bad(Plugins::new().native(name("queue"), returns(counted)), &queue, &[depth(1.0)]));
    let carts = health("judge: evidence", &[CARTS]);
    let seen = [canary("abandonment.carts", counts(1, 2)), baseline("abandonment.carts", counts(1, 2))];
    for measured in
        [Measured::Value(1.0), Measured::Counts { bad: 2, total: 1 }, Measured::Counts { bad: 0, total: u64::MAX }]
    {
        assert!(bad(Plugins::new().native(name("carts"), returns(measured)), &carts, &seen), "{measured:?}");
    }
}

#[test]
fn a_plugin_that_nobody_loaded_holds() {
    let decision = decided(&threshold(&[QUEUE]), &Plugins::new(), &[depth(1.0)]);
    assert_eq!(said(&decision), "hold health.no-data:queue plugin.faulted:queue");
}

#[test]
fn results_without_their_record_hold() {
    let (engine, seen) = measured(&threshold(&[QUEUE]), &plugins(), &[depth(1.0)]);
    let look = |seen: &Snapshot| said(&engine.decide(&State::new(), seen).decision);
    assert_eq!(look(&seen), "proceed");
    let mut without = seen.clone();
    without.plugins.clear();
    assert_eq!(look(&without), "hold plugin.unrecorded:queue");
    let mut changed = seen.clone();
    changed.plugins[0].outcome = PluginOutcome::Value(1e9);
    assert_eq!(look(&changed), "hold plugin.unrecorded:queue");
    let mut other = seen;
    other.plugins[0].plugin = Some(Digest::of(b"another plugin"));
    assert_eq!(look(&other), "hold plugin.other:queue");
}

#[test]
fn measuring_again_changes_nothing() {
    let (engine, seen) = measured(&threshold(&[QUEUE]), &plugins(), &[depth(1.0)]);
    let mut again = seen.clone();
    engine.measure(&plugins(), &mut again);
    assert_eq!(again, seen);
}

#[test]
fn a_replay_needs_no_plugin_and_the_record_binds_what_they_said() {
    let (engine, seen) = measured(&threshold(&[QUEUE]), &plugins(), &[depth(1.0)]);
    let seen = Snapshot::from_json(&serde_json::to_vec(&seen).unwrap()).unwrap();
    let state = State::new();
    let record = engine.decide(&state, &seen).seal().unwrap();
    let record = Record::from_bytes(record.bytes()).unwrap();
    record.replay(&engine, &state, &seen).unwrap();
    let mut changed = seen.clone();
    changed.plugins[0].fuel = Some(count(1));
    assert!(record.replay(&engine, &state, &changed).is_err());
    let mut longer = seen;
    longer.history = vec![interval(1, [depth(9.0)])];
    assert!(record.replay(&engine, &state, &longer).is_err());
}

#[test]
fn intervals_that_are_not_judged_are_not_measured() {
    let engine = engine(&threshold(&[QUEUE]));
    let mut seen = Snapshot { now: minute(1), ..snapshot(Asked::Keep) };
    seen.intervals = vec![interval(2, [depth(1.0)])];
    let before = seen.clone();
    engine.measure(&plugins(), &mut seen);
    assert_eq!(seen, before, "the interval has not ended");
}

#[test]
fn the_host_is_told_what_plugins_read_and_how_far_they_look_back() {
    let engine = engine(&format!(
        "sources: {{ prom: {{ prometheus: 'http://p' }} }}, {}",
        threshold(&[
            "name: queue, from: prom, plugin: { native: queue, window: 3, inputs: [{ name: depth, gauge: depth, by: node }] }, max: 10",
        ])
    ));
    let release = snapshot(Asked::Keep).release;
    let wanted = engine.requirements(&State::new(), &release, Asked::Keep, davy::Stage::Canary, minute(5));
    let [depth] = wanted.as_slice() else { panic!("{wanted:?}") };
    assert_eq!((depth.about.as_str(), depth.cohort), ("queue.depth", Some(Cohort::Canary)));
    assert_eq!(depth.query, Query::Gauge("depth".to_owned()));
    assert_eq!(depth.replica, Some(name("node")));
    let judged = engine.judged_from(&State::new(), &release, minute(5)).unwrap();
    assert_eq!((judged, depth.from), (minute(0), minute(0).minus(davy::Duration::from_minutes(2))));
}

#[test]
fn a_component_is_found_by_path_and_must_be_the_pinned_one() {
    let bytes = b"pretend that this is a component";
    let spec = |digest: Digest| {
        threshold(&[&format!(
            "name: queue, plugin: {{ path: plugins/queue.wasm, digest: {digest}, inputs: [{{ name: depth, gauge: d }}] }}, max: 10"
        )])
    };
    let files = |spec: &str| [("rollouts.yaml", document(spec).into_bytes()), ("plugins/queue.wasm", bytes.to_vec())];
    let right = Digest::of(bytes);
    let bundle = Bundle::from_files(files(&spec(right))).unwrap();
    assert_eq!(
        bundle.plugins().map(|(path, digest, _)| (path, digest)).collect::<Vec<_>>(),
        [("plugins/queue.wasm", right)]
    );
    let other = Bundle::from_files(files(&spec(Digest::of(b"")))).unwrap_err();
    assert_eq!(other.diagnostics()[0].code.as_str(), "D024");

    let engine = Engine::new(&bundle);
    let mut seen = Snapshot { now: minute(1), intervals: vec![interval(1, [depth(1.0)])], ..snapshot(Asked::Promote) };
    engine.measure(&Plugins::new().pinned(right, Arc::new(growth_of)), &mut seen);
    assert_eq!(seen.plugins[0].plugin, Some(right));
    let decision = engine.decide(&State::new(), &seen).decision;
    assert_eq!(said(&decision), "proceed");
    assert!(davy::render::sentence(finding(&decision, "plugin.measured")).contains(&right.to_string()));
}

#[test]
fn a_shadow_is_measured_by_the_same_plugins_and_by_its_own() {
    let live = threshold(&[QUEUE]);
    // The same question, though faults mean something else and the document has moved.
    let other = QUEUE.replace("name: queue,", "name: growth,").replace("max: 10", "max: 2");
    let shadow = threshold(&[ERRORS, &QUEUE.replace("window: 3", "window: 3, onFault: fail"), &other]);
    let both = engine(&live).with_shadow(engine(&shadow)).unwrap();
    let mut seen = Snapshot { now: minute(1), ..snapshot(Asked::Promote) };
    seen.intervals = vec![interval(
        1,
        [depth(1.0), canary("growth.depth", davy::Observed::Gauge(1.0)), canary("errors", counts(0, 10))],
    )];
    both.measure(&plugins(), &mut seen);
    let metrics: Vec<&str> = seen.plugins.iter().map(|run| run.metric.as_str()).collect();
    assert_eq!(metrics, ["queue", "growth"]);
    let decision = both.decide(&State::new(), &seen).decision;
    assert!(decision.shadow.unwrap().adds.iter().all(|finding| finding.code() != "plugin.unrecorded"));
    let parameters = QUEUE.replace("window: 3", "window: 3, parameters: { limit: 3 }");
    assert!(engine(&live).with_shadow(engine(&threshold(&[&parameters]))).is_err(), "another question");
}

#[test]
fn a_bundle_decides_and_replays_alike_without_the_bytes_of_its_components() {
    let bytes = b"pretend that this is a component";
    let digest = Digest::of(bytes);
    let spec = threshold(&[&format!(
        "name: queue, plugin: {{ path: queue.wasm, digest: {digest}, inputs: [{{ name: depth, gauge: d }}] }}, max: 10"
    )]);
    let document = ("rollouts.yaml", document(&spec).into_bytes());
    let whole = Bundle::from_files([document.clone(), ("queue.wasm", bytes.to_vec())]).unwrap();
    let component = |digest| Bundle::with_components([document.clone()], [("queue.wasm".to_owned(), digest)]);
    let bare = component(digest).unwrap();
    assert_eq!(whole.digest(), bare.digest());
    assert_eq!(whole.components().collect::<Vec<_>>(), bare.components().collect::<Vec<_>>());
    assert_eq!((whole.plugins().count(), bare.plugins().count()), (1, 0));
    assert!(component(Digest::of(b"another")).is_err(), "another component than the pinned one");
    assert!(Bundle::from_files([document]).is_err(), "no component at all");

    let mut seen = Snapshot { now: minute(1), intervals: vec![interval(1, [depth(1.0)])], ..snapshot(Asked::Promote) };
    Engine::new(&whole).measure(&Plugins::new().pinned(digest, Arc::new(growth_of)), &mut seen);
    let (state, engine) = (State::new(), Engine::new(&whole));
    let record = engine.decide(&state, &seen).seal().unwrap();
    record.replay(&Engine::new(&bare), &state, &seen).unwrap();
}

#[test]
fn whether_a_plugin_looks_back_is_known() {
    let looks = |metric: &str| engine(&threshold(&[metric])).looks_back(&name("prod"));
    assert!(looks(QUEUE));
    assert!(!looks(&QUEUE.replace("window: 3", "window: 1")) && !looks(ERRORS));
}
