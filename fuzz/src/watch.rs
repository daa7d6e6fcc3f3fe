//! A release to watch, for targets whose input is not a snapshot: one interval of every form of every metric.

use davy::{
    Asked, Buckets, Bundle, Cohort, Count, Duration, Engine, Histogram, Instant, Interval, Missing, Name, Observation,
    Observed, ProbeResult, ProbeVerdict, Record, Release, Share, Snapshot, Stage, State,
};
use serde_json::Value;

use crate::decided;

/// 2026-11-23T09:00:00Z, on every grid whose intervals divide an hour.
const STARTED: Instant = Instant::from_millis(1_795_424_400_000);

/// The metrics of the bundles in this folder.
const METRICS: [&str; 9] =
    ["cpu", "crash-loops", "errors", "journey", "latency", "native", "search", "shop", "unknown"];

/// Decides under a bundle that was read, in each of its environments and in an unknown one.
pub(crate) fn under(bundle: &Bundle) {
    let engine = Engine::new(bundle);
    let spec = &bundle.rollout().spec.value;
    let mut environments = vec![name("prod")];
    environments.extend(spec.environments.iter().flat_map(|named| &named.value.0).map(|(name, _)| name.value.clone()));
    let health = spec.health.as_ref().map(|health| &health.value);
    let every = health.map_or(Duration::from_secs(30), davy::document::Health::every);
    let warm_up = health.map_or(Duration::ZERO, davy::document::Health::warm_up);
    let metrics = health.and_then(|health| health.metrics.as_ref());
    let metrics: Vec<Name> =
        metrics.iter().flat_map(|metrics| &metrics.value).map(|metric| metric.name.value.clone()).collect();
    for environment in environments {
        let release = release(bundle.service().clone(), environment);
        // The first whole interval after the warm-up.
        let begins = STARTED.plus(warm_up).plus(every).millis() / every.millis();
        let snapshot = snapshot(release, &metrics, Instant::EPOCH.plus(every.times(begins)), every);
        let state = State::new();
        let wanted = engine.requirements(&state, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now);
        assert!(wanted.iter().all(|wanted| wanted.from <= wanted.to), "{wanted:?}");
        decided::holds(&engine, &state, &snapshot);
        interval_by_interval(&engine, state, &snapshot);
    }
}

/// Decides on a release that asks for everything at each of these instants, once as the host and once as a person.
pub(crate) fn when(engine: &Engine, instants: &[Instant]) {
    for now in instants {
        for (asked, manual) in [(Asked::Start, false), (Asked::Promote, true), (Asked::Keep, false)] {
            let release = Release {
                started_at: now.minus(Duration::from_minutes(90)),
                ..release(name("checkout"), name("prod"))
            };
            let snapshot = snapshot(release, &[], *now, Duration::from_secs(30));
            let snapshot = Snapshot { now: *now, since: *now, intervals: Vec::new(), asked, manual, ..snapshot };
            decided::holds(engine, &State::new(), &snapshot);
        }
    }
}

/// Decides on a state, about its own release and at its own time as far as it names them.
pub(crate) fn continues(engine: &Engine, state: &State) {
    let json: Value = serde_json::from_slice(&state.to_json()).expect("a state is JSON");
    let known: Option<Release> = serde_json::from_value(json["release"]["release"].clone()).ok();
    let latest: Option<Instant> = serde_json::from_value(json["release"]["course"]["latest"].clone()).ok();
    let release = known.unwrap_or_else(|| release(name("checkout"), name("prod")));
    let metrics = METRICS.map(name);
    for every in [30, 60, 1].map(Duration::from_secs) {
        let from = latest.unwrap_or(STARTED).max(release.started_at).millis() / every.millis() + 10;
        let from = Instant::EPOCH.plus(every.times(from));
        let snapshot = snapshot(release.clone(), &metrics, from, every);
        let wanted = engine.requirements(state, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now);
        assert!(wanted.iter().all(|wanted| wanted.from <= wanted.to), "{wanted:?}");
        decided::holds(engine, state, &snapshot);
        interval_by_interval(engine, state.clone(), &snapshot);
        let live = Snapshot { stage: Stage::Live, asked: Asked::Keep, intervals: Vec::new(), ..snapshot };
        decided::holds(engine, state, &live);
    }
}

/// Replays a record of whatever inputs from these, which are hardly ever its own.
pub(crate) fn replays(engine: &Engine, record: &Record) {
    let snapshot = snapshot(record.decision().release.clone(), &[], STARTED, Duration::from_secs(30));
    let outcome = record.replay(engine, &State::new(), &snapshot);
    assert!(outcome.is_ok() || !outcome.expect_err("not replayed").to_string().is_empty());
}

/// Shows the decision after every interval, since a later one replaces what an earlier one said.
fn interval_by_interval(engine: &Engine, mut state: State, snapshot: &Snapshot) {
    for interval in &snapshot.intervals {
        let now = interval.end().plus(Duration::from_secs(15));
        let look = Snapshot { now, intervals: vec![interval.clone()], ..snapshot.clone() };
        let step = engine.decide(&state, &look);
        decided::shows(&step.decision);
        state = step.state;
    }
}

fn release(service: Name, environment: Name) -> Release {
    Release {
        service,
        environment,
        revision: name("r2"),
        stable: name("r1"),
        attempt: std::num::NonZeroU32::MIN,
        started_at: STARTED,
        change_class: None,
    }
}

/// Asks to promote after some intervals, in the n-th of which each metric has the n-th form.
fn snapshot(release: Release, metrics: &[Name], from: Instant, every: Duration) -> Snapshot {
    let forms = forms();
    let mut intervals = Vec::new();
    let mut start = from;
    for (canary, baseline) in forms.iter().zip(forms.iter().rev()).chain(forms.iter().zip(&forms)) {
        let end = start.plus(every);
        let observe = |metric: &Name| {
            let of = |cohort, observed: &Observed| Observation {
                metric: metric.clone(),
                cohort,
                replica: None,
                observed: observed.clone(),
            };
            [of(Cohort::Canary, canary), of(Cohort::Baseline, baseline)]
        };
        // Names may stand twice, and time may end.
        let interval = Interval::new(start, end, metrics.iter().flat_map(observe).collect());
        intervals.extend(interval.ok());
        start = end;
    }
    let run = |verdict| ProbeResult { flow: name("login-and-pay"), cohort: Cohort::Canary, at: start, verdict };
    Snapshot {
        now: start.plus(Duration::from_secs(15)),
        release,
        asked: Asked::Promote,
        stage: Stage::Canary,
        weight: Share::from_ppm(50_000),
        since: STARTED,
        intervals,
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: Vec::new(),
        probes: vec![run(ProbeVerdict::Degraded), run(ProbeVerdict::Fail)],
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    }
}

fn forms() -> Vec<Observed> {
    let count = Count::from;
    let buckets = |fast, total| {
        let at_most = vec![(0.1, count(fast)), (1.0, count(total))];
        Observed::Buckets(Buckets::new(at_most, count(total)).expect("the buckets rise"))
    };
    let histogram = |schema, index| {
        let buckets = vec![(index, count(7)), (index + 1, Count::MAX)];
        Observed::Histogram(Histogram::new(schema, Count::ZERO, buckets).expect("the histogram exists"))
    };
    vec![
        Observed::Counts { bad: count(1), total: count(1000) },
        Observed::Counts { bad: Count::MAX, total: Count::MAX },
        Observed::Counts { bad: Count::ZERO, total: Count::ZERO },
        buckets(990, 1000),
        buckets(0, 3),
        histogram(8, -16_383),
        histogram(-4, 63),
        Observed::Gauge(0.5),
        Observed::Gauge(f64::MAX),
        Observed::Gauge(-0.0),
        Observed::Events(Count::ZERO),
        Observed::Events(Count::MAX),
        Observed::Missing(Missing::NoData),
        Observed::Missing(Missing::PositiveInfinity),
    ]
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}
