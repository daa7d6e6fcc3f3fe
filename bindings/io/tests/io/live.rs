//! Releases decided from a real Prometheus with a day of data, also while it fails.

use std::num::NonZeroU32;
use std::sync::Arc;

use davy::{
    Asked, Bundle, Cohort, Decision, Engine, HoldKind, Outcome, Release, Share, Snapshot, Stage, State, Verdict,
};
use davy_io::Observations;
use davy_io::prometheus::Prometheus;

use crate::support::peer::{Metrics, Peer, shared};
use crate::support::relay::{Mood, Relay};
use crate::support::{at, impatient, soon};

const POLICY: &str = r#"
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  sources:
    prom:
      prometheus: "http://prometheus:9090"
      canary: 'revision="${revision}"'
      baseline: 'revision="${stable}"'
      replica: pod
  steps: [{ weight: 5% }, { weight: 50% }]
  health:
    judge: threshold
    every: 30s
    settle: 15s
    warmUp: 1m
    metrics:
      - { name: errors, from: prom, bad: 'http_requests_total{code=~"5.."}', total: http_requests_total, max: 1%, tolerate: 2x, unacceptable: 4x, minRequests: 50, patience: 2 }
      - { name: latency, from: prom, buckets: http_request_duration_seconds_bucket, quantile: p95, max: 1s, patience: 2 }
      - { name: cpu, from: prom, gauge: 'sum by (pod) (rate(cpu_seconds_total[1m]))', max: 85% }
      - { name: memory, from: prom, gauge: memory_ratio, max: 90% }
      - { name: restarts, from: prom, events: container_restarts_total, max: 3 }
"#;

const REQUESTS: (&str, &str) = ("http_requests", "counter");
const DURATION: (&str, &str) = ("http_request_duration_seconds", "histogram");
const CPU: (&str, &str) = ("cpu_seconds", "counter");
const MEMORY: (&str, &str) = ("memory_ratio", "gauge");
const RESTARTS: (&str, &str) = ("container_restarts", "counter");
const UP: (&str, &str) = ("up", "gauge");

/// One pod, and what happens to it.
struct Pod {
    revision: &'static str,
    name: &'static str,
    from: i64,
    to: i64,
    /// Errors per 100 requests, at first and later on.
    errors: (f64, f64),
    /// When the process begins anew.
    restarts_at: Option<i64>,
    /// When its metrics are gone.
    vanishes_at: Option<i64>,
    /// Whether its target is removed then, and not just down.
    removed: bool,
}

pub(crate) const NOON: i64 = 12 * 3600;
pub(crate) const END: i64 = NOON + 1200;
/// When releases begin.
const STARTED: i64 = NOON + 60;
/// When things happen to them.
pub(crate) const LATER: i64 = NOON + 400;

impl Pod {
    const fn of(revision: &'static str, name: &'static str) -> Self {
        let errors = (0.1, 0.1);
        Self { revision, name, from: NOON, to: END, errors, restarts_at: None, vanishes_at: None, removed: false }
    }

    fn add(&self, metrics: &mut Metrics) {
        let Self { revision, name, from, to, restarts_at, vanishes_at, .. } = *self;
        let target = format!("job=\"checkout\",instance=\"{name}:8080\"");
        let labels = format!("{target},pod=\"{name}\",revision=\"{revision}\"");
        let span = (from, to);
        let alive = move |second: i64| vanishes_at.is_none_or(|at| second < at);
        // Everything is counted since the process began: a day ago, or at the restart.
        let age = move |second: i64| match restarts_at {
            Some(at) if second >= at => second - at,
            _ => second - from + 86_400,
        };
        let number = |value: i64| value as f64;
        let (first, later) = self.errors;
        let bad = move |second: i64| {
            let begun = second - age(second);
            let seconds = |from: i64, to: i64| number((to - from.max(begun)).max(0));
            (0.1 * (first * seconds(begun, second.min(LATER)) + later * seconds(LATER, second))).floor()
        };
        let counted = move |second: i64, value: f64| alive(second).then_some(value);
        metrics.add(REQUESTS, &format!("{labels},code=\"200\""), span, |second| {
            counted(second, number(age(second)) * 10.0)
        });
        metrics.add(REQUESTS, &format!("{labels},code=\"500\""), span, |second| {
            counted(second, bad(second)).filter(|bad| *bad > 0.0)
        });
        for (le, share) in [("0.1", 0.7), ("1.0", 0.97), ("5.0", 1.0), ("+Inf", 1.0)] {
            let labels = format!("{labels},le=\"{le}\"");
            metrics
                .add(DURATION, &labels, span, |second| counted(second, (number(age(second)) * 10.0 * share).floor()));
        }
        metrics.add(CPU, &labels, span, |second| counted(second, number(age(second)) * 0.5));
        metrics.add(MEMORY, &labels, span, |second| counted(second, 0.6));
        let restarts = move |second: i64| restarts_at.is_some_and(|at| second >= at);
        metrics.add(RESTARTS, &labels, span, |second| counted(second, f64::from(u8::from(restarts(second)))));
        let removed = self.removed;
        metrics.add(UP, &target, span, |second| match (alive(second), removed) {
            (true, _) => Some(1.0),
            (false, true) => None,
            (false, false) => Some(0.0),
        });
    }
}

/// A day of the stable revision, and twenty minutes of new ones to each of which something else happens.
fn day() -> Metrics {
    let mut metrics = Metrics::default();
    Pod { from: 0, to: 86_400, ..Pod::of("r1", "stable-1") }.add(&mut metrics);
    for name in ["stable-2", "stable-3"] {
        Pod { from: NOON - 7200, ..Pod::of("r1", name) }.add(&mut metrics);
    }
    for pod in [
        Pod::of("good", "good-1"),
        Pod::of("good", "good-2"),
        Pod { errors: (0.0, 0.0), ..Pod::of("clean", "clean-1") },
        Pod { errors: (0.1, 8.0), ..Pod::of("worse", "worse-1") },
        Pod::of("worse", "worse-2"),
        Pod { errors: (0.0, 8.0), ..Pod::of("late", "late-1") },
        Pod { restarts_at: Some(LATER), ..Pod::of("restarted", "restarted-1") },
        Pod::of("restarted", "restarted-2"),
        Pod { errors: (0.1, 80.0), ..Pod::of("burning", "burning-1") },
        Pod { vanishes_at: Some(LATER), ..Pod::of("down", "down-1") },
        Pod::of("down", "down-2"),
        Pod { vanishes_at: Some(LATER), removed: true, ..Pod::of("scaled", "scaled-1") },
        Pod::of("scaled", "scaled-2"),
        Pod { vanishes_at: Some(LATER), removed: true, ..Pod::of("gone", "gone-1") },
    ] {
        pod.add(&mut metrics);
    }
    // An exporter that left out what stood still, and brings it back with one more.
    Pod { errors: (0.0, 0.0), ..Pod::of("idle", "idle-1") }.add(&mut metrics);
    let idle = "job=\"checkout\",instance=\"idle-1:8080\",pod=\"idle-1\",revision=\"idle\",code=\"500\"";
    metrics.add(REQUESTS, idle, (NOON - 7200, END), |second| match second {
        ..LATER => Some(4000.0).filter(|_| second < NOON - 3600),
        LATER.. => Some(4001.0),
    });
    metrics
}

/// A release that is watched: one look every half minute.
pub(crate) struct Watch {
    engine: Engine,
    state: State,
    release: Release,
    pub(crate) source: Prometheus,
    pub(crate) now: i64,
}

impl Watch {
    fn of(revision: &str, url: &str) -> Self {
        Self::with(&[POLICY], revision, url)
    }

    pub(crate) fn with(documents: &[&str], revision: &str, url: &str) -> Self {
        let names = ["rollouts.yaml", "slo.yaml"];
        let bundle = Bundle::from_files(names.into_iter().zip(documents.iter().copied())).unwrap();
        let release = Release {
            service: "checkout".parse().unwrap(),
            environment: "prod".parse().unwrap(),
            revision: revision.parse().unwrap(),
            stable: "r1".parse().unwrap(),
            attempt: NonZeroU32::MIN,
            started_at: at(STARTED),
            change_class: None,
        };
        let source = Prometheus::new(impatient(url)).unwrap();
        Self { engine: Engine::new(&bundle), state: State::new(), release, source, now: STARTED + 60 }
    }

    /// Half a minute later: may it go on?
    pub(crate) fn look(&mut self) -> (Decision, Observations) {
        self.now += 30;
        let (asked, now) = (Asked::Advance { to: "50%".parse().unwrap() }, at(self.now + 20));
        let required = self.engine.requirements(&self.state, &self.release, asked, Stage::Canary, now);
        let observed = self.source.observe(&required, soon());
        let snapshot = Snapshot {
            now,
            release: self.release.clone(),
            asked,
            stage: Stage::Canary,
            weight: "5%".parse::<Share>().unwrap(),
            since: at(STARTED),
            intervals: observed.intervals.clone(),
            replica_starts: Vec::new(),
            noise_history: None,
            history: Vec::new(),
            plugins: Vec::new(),
            slos: observed.slos.clone(),
            probes: Vec::new(),
            running: Vec::new(),
            passed: Vec::new(),
            overrides: Vec::new(),
            facts: davy::Facts::default(),
            manual: false,
            target: davy::Target::default(),
        };
        let step = self.engine.decide(&self.state, &snapshot);
        let (decision, state) = (step.decision.clone(), step.state.clone());
        drop(step);
        self.state = state;
        (decision, observed)
    }

    /// The verdicts of looks up to an instant.
    pub(crate) fn verdicts_until(&mut self, second: i64) -> Vec<String> {
        let mut said = Vec::new();
        while self.now < second {
            said.push(told(&self.look().0));
        }
        said
    }
}

/// The verdict, and the codes of what does not pass.
pub(crate) fn told(decision: &Decision) -> String {
    let counts = |finding: &&davy::Finding| finding.outcome != Outcome::Pass;
    let codes: Vec<&str> = decision.findings.iter().filter(counts).map(|finding| finding.code()).collect();
    let verdict = match decision.verdict {
        Verdict::Proceed => "proceed",
        Verdict::Hold => "hold",
        Verdict::Abort => "abort",
        Verdict::Rollback => "rollback",
    };
    [verdict].into_iter().chain(codes).collect::<Vec<_>>().join(" ")
}

fn is_blind(decision: &Decision) -> bool {
    decision.verdict == Verdict::Hold
        && decision.findings.iter().any(|finding| matches!(finding.outcome, Outcome::Hold(HoldKind::Blind)))
}

pub(crate) fn peer() -> Option<Arc<Peer>> {
    shared(day)
}

fn all_proceed(said: &[String]) {
    assert!(said.iter().all(|told| told == "proceed"), "{said:#?}");
}

#[test]
fn a_good_release_proceeds_at_every_look() {
    let Some(peer) = peer() else { return };
    for revision in ["good", "clean", "restarted", "idle"] {
        all_proceed(&Watch::of(revision, &peer.url()).verdicts_until(END - 60));
    }
}

#[test]
fn a_release_that_gets_worse_is_aborted_in_the_second_bad_interval() {
    let Some(peer) = peer() else { return };
    for revision in ["worse", "late"] {
        let mut watch = Watch::of(revision, &peer.url());
        all_proceed(&watch.verdicts_until(LATER - 30));
        let said = watch.verdicts_until(LATER + 120);
        assert!(said.iter().all(|told| told == "proceed" || !told.starts_with("proceed")), "{said:#?}");
        assert!(said.contains(&"abort health.limit-exceeded".to_owned()), "{revision}: {said:#?}");
    }
}

#[test]
fn a_replica_that_is_down_holds_blind_and_one_that_was_removed_does_not() {
    let Some(peer) = peer() else { return };
    let mut watch = Watch::of("down", &peer.url());
    all_proceed(&watch.verdicts_until(LATER - 30));
    watch.verdicts_until(LATER);
    for _ in 0..8 {
        let (decision, observed) = watch.look();
        assert!(is_blind(&decision), "{}", told(&decision));
        assert!(observed.notes.iter().any(|note| note.problem.code() == "I058"), "{:?}", observed.notes);
    }
    all_proceed(&Watch::of("scaled", &peer.url()).verdicts_until(END - 60));
}

#[test]
fn a_canary_without_replicas_never_proceeds() {
    let Some(peer) = peer() else { return };
    for revision in ["gone", "never-was"] {
        let mut watch = Watch::of(revision, &peer.url());
        watch.verdicts_until(LATER + 30);
        for _ in 0..8 {
            let (decision, _) = watch.look();
            assert_ne!(decision.verdict, Verdict::Proceed, "{}", told(&decision));
        }
    }
}

#[test]
fn a_server_that_fails_holds_blind_and_costs_nothing_once_it_is_back() {
    let Some(peer) = peer() else { return };
    // Also where missing data are bad: a server that fails is nothing that the release did.
    let strict = POLICY.replace("patience: 2 }", "patience: 2, noData: fail }");
    for mood in Mood::BAD {
        let relay = Relay::to(peer.url());
        let mut watch = Watch::with(&[&strict], "good", &relay.server.url());
        let mut undisturbed = Watch::with(&[&strict], "good", &peer.url());
        for _ in 0..3 {
            assert_eq!(told(&watch.look().0), "proceed");
            undisturbed.look();
        }
        relay.turn(mood);
        for _ in 0..3 {
            let (decision, observed) = watch.look();
            assert!(is_blind(&decision), "{mood:?}: {}", told(&decision));
            assert!(observed.intervals.is_empty() && !observed.notes.is_empty());
            undisturbed.look();
        }
        relay.turn(Mood::Well);
        let (decision, observed) = watch.look();
        assert_eq!((told(&decision).as_str(), observed.intervals.len()), ("proceed", 4), "{mood:?}");
        undisturbed.look();
        assert_eq!(watch.state, undisturbed.state, "{mood:?}: the same intervals, as if nothing had been");
    }
}

#[test]
fn a_release_that_gets_worse_while_the_server_is_away_is_aborted_when_it_is_back() {
    let Some(peer) = peer() else { return };
    let relay = Relay::to(peer.url());
    let mut watch = Watch::of("worse", &relay.server.url());
    all_proceed(&watch.verdicts_until(LATER - 30));
    relay.turn(Mood::Dead);
    for _ in 0..6 {
        assert!(is_blind(&watch.look().0));
    }
    relay.turn(Mood::Well);
    assert_eq!(told(&watch.look().0), "abort health.limit-exceeded");
}

#[test]
fn intervals_add_up_to_what_the_server_itself_counts() {
    let Some(peer) = peer() else { return };
    let bundle = Bundle::from_files([("rollouts.yaml", POLICY)]).unwrap();
    let watch = Watch::of("restarted", &peer.url());
    let now = at(END - 60);
    let required = Engine::new(&bundle).requirements(&State::new(), &watch.release, Asked::Keep, Stage::Canary, now);
    let observed = watch.source.observe(&required, soon());
    let (first, last) = (observed.intervals.first().unwrap().start(), observed.intervals.last().unwrap().end());
    for (cohort, revision) in [(Cohort::Canary, "restarted"), (Cohort::Baseline, "r1")] {
        let counted: u64 = observed
            .intervals
            .iter()
            .flat_map(davy::Interval::observations)
            .filter(|observation| observation.metric.as_str() == "errors" && observation.cohort == cohort)
            .map(|observation| match observation.observed {
                davy::Observed::Counts { total, .. } => total.get(),
                ref other => panic!("{other:?}"),
            })
            .sum();
        // Between the last samples before both ends of the span, reset by reset.
        let length = (last.millis() - first.millis()) / 1000 + 8;
        let query = format!("sum(increase(http_requests_total{{revision=\"{revision}\"}}[{length}s]))");
        let answer = watch.source.instant(&query, last, soon()).unwrap();
        let davy_io::prometheus::Data::Vector(series) = answer.data else { panic!() };
        let theirs = series[0].samples[0].value;
        // Theirs is extrapolated over the seconds without a sample at the end.
        #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
        let (ours, span) = (counted as f64, length as f64);
        assert!((theirs / ours - span / (span - 8.0)).abs() < 0.005, "{revision}: {ours} {theirs}");
    }
}
