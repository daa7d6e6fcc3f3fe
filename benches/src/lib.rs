//! What the benchmarks measure on: a bundle and a snapshot of any size, and short measurements.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration as Time;

use criterion::Criterion;
use davy::{
    Asked, Buckets, Bundle, Cohort, Count, Duration, Engine, Histogram, Instant, Interval, Name, Observation, Observed,
    Passed, ProbeResult, ProbeVerdict, Release, Snapshot, Stage, State,
};

/// How much a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Metrics of the policy; each is observed for both cohorts.
    pub metrics: usize,
    /// Closed intervals.
    pub intervals: usize,
    /// Replicas of each cohort; with none, each cohort is observed as a whole.
    pub replicas: usize,
}

/// A release that is healthy in every interval, so that nothing is skipped and the verdict is `proceed`.
#[derive(Debug)]
pub struct Case {
    /// Its policy,
    pub engine: Engine,
    /// and the document that it is made of.
    pub policy: String,
    /// Everything that was observed, the whole history included.
    pub snapshot: Snapshot,
}

/// The release of [`Case`] at its newest interval: what a host asks every half minute.
#[derive(Debug)]
pub struct Latest {
    /// What the intervals before added up to.
    pub state: State,
    /// The newest interval alone.
    pub snapshot: Snapshot,
}

impl Shape {
    /// The size that all aims speak of: half an hour of six metrics.
    pub const USUAL: Self = Self { metrics: 6, intervals: 60, replicas: 0 };
}

impl Case {
    /// Builds the bundle and the snapshot, the same for every run.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self::of(shape, &bundle_text(shape))
    }

    /// The same under `judge: evidence`, which judges the gauge alone by its limits.
    #[must_use]
    pub fn evidence(shape: Shape) -> Self {
        let text = bundle_text(shape).replace("judge: threshold", "judge: evidence");
        let text = text.replace(", patience: 2", "").replace("1s, patience: 3", "1s");
        Self::of(shape, &text.replace("    score: { pass: 90, fail: 60 }\n", ""))
    }

    fn of(shape: Shape, text: &str) -> Self {
        let bundle = Bundle::from_files([("rollouts.yaml", text)]).expect("the bundle is well-formed");
        let json = davy::canonical_json(&snapshot(shape)).expect("a snapshot has a canonical form");
        // Parsed, so that it lies in memory as a host's does.
        let snapshot = Snapshot::from_json(&json).expect("what was written is read");
        Self { engine: Engine::new(&bundle), policy: text.to_owned(), snapshot }
    }

    /// Folds all intervals but the newest.
    #[must_use]
    pub fn latest(&self) -> Latest {
        let mut before = self.snapshot.clone();
        let newest = before.intervals.pop().expect("there is an interval");
        before.now = before.now.minus(EVERY);
        let state = self.engine.decide(&State::new(), &before).state;
        Latest { state, snapshot: Snapshot { intervals: vec![newest], ..self.snapshot.clone() } }
    }

    /// The snapshot as a host would send it.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        davy::canonical_json(&self.snapshot).expect("a snapshot has a canonical form")
    }
}

/// Short measurements: the whole suite takes less than three minutes.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Time::from_millis(300))
        .measurement_time(Time::from_millis(1200))
        .sample_size(30)
        .nresamples(10_000)
        .configure_from_args()
}

const EVERY: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_secs(15);
const WARM_UP: Duration = Duration::from_minutes(2);
/// 2026-11-23T09:00:00Z
const STARTED: Instant = Instant::from_millis(1_795_424_400_000);
const FLOWS: [&str; 3] = ["login-and-pay", "search", "refund"];

/// Of six metrics three are ratios, and one each has classic buckets, a native histogram and a gauge.
enum Form {
    Ratio,
    Buckets,
    Histogram,
    Gauge,
}

impl Form {
    const fn of(metric: usize) -> Self {
        match metric % 6 {
            0..3 => Self::Ratio,
            3 => Self::Buckets,
            4 => Self::Histogram,
            _ => Self::Gauge,
        }
    }
}

fn metric_name(metric: usize) -> Name {
    name(&format!("metric-{metric:03}"))
}

fn bundle_text(shape: Shape) -> String {
    let mut text = format!(
        "apiVersion: davy/v1
kind: Rollout
metadata: {{ name: checkout }}
spec:
  steps: [{{ weight: 5%, atLeast: 5m, minRequests: 1000 }}, {{ weight: 25%, atLeast: 10m }}]
  bake: {{ for: 30m, against: retained }}
  holdLimit: {{ after: 2h, then: fail }}
  probes: [{}]
  environments:
    staging: {{ probes: [] }}
    prod: {{ requires: [{{ environment: staging, soak: 2h }}], blastRadius: {{ maxWeight: 50%, concurrent: 1 }} }}
  health:
    judge: threshold
    every: {EVERY}
    settle: {SETTLE}
    warmUp: {WARM_UP}
    horizon: 7d
    score: {{ pass: 90, fail: 60 }}
    metrics:
",
        FLOWS.join(", ")
    );
    for metric in 0..shape.metrics {
        let name = metric_name(metric);
        let form = match Form::of(metric) {
            Form::Ratio => {
                format!("bad: bad_{metric}, total: all_{metric}, max: 2%, tolerate: 2x, unacceptable: 4x, patience: 2")
            }
            Form::Buckets => format!("buckets: seconds_{metric}_bucket, quantile: p95, max: 1s, patience: 3"),
            Form::Histogram => format!("histogram: seconds_{metric}, tolerate: 10%, unacceptable: 50%, patience: 2"),
            Form::Gauge => format!("gauge: cpu_{metric}, max: 85%, patience: 3"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "      - {{ name: {name}, {form} }}");
    }
    text
}

fn snapshot(shape: Shape) -> Snapshot {
    let first = STARTED.plus(WARM_UP);
    let start = |interval: usize| first.plus(EVERY.times(interval as u64));
    let now = start(shape.intervals).plus(SETTLE);
    let mut noise = Noise(7);
    let interval = |interval| {
        let observations = observations(shape, &mut noise);
        Interval::new(start(interval), start(interval + 1), observations).expect("the interval is well-formed")
    };
    let intervals = (0..shape.intervals).map(interval).collect();
    let revision = name("r2");
    Snapshot {
        now,
        release: Release {
            service: name("checkout"),
            environment: name("prod"),
            revision: revision.clone(),
            stable: name("r1"),
            attempt: NonZeroU32::MIN,
            started_at: STARTED,
            change_class: None,
        },
        asked: Asked::Advance { to: "25%".parse().expect("a share") },
        stage: Stage::Canary,
        weight: "5%".parse().expect("a share"),
        since: STARTED,
        intervals,
        probes: FLOWS
            .map(|flow| ProbeResult {
                flow: name(flow),
                cohort: Cohort::Canary,
                at: now.minus(EVERY),
                verdict: ProbeVerdict::Pass,
            })
            .into(),
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: Vec::new(),
        running: Vec::new(),
        passed: vec![Passed {
            environment: name("staging"),
            revision,
            at: STARTED.minus(Duration::from_minutes(24 * 60)),
        }],
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    }
}

/// One interval's observations, sorted as [`Interval::new`] keeps them.
fn observations(shape: Shape, noise: &mut Noise) -> Vec<Observation> {
    let mut observations = Vec::with_capacity(shape.metrics * 2 * shape.replicas.max(1));
    for metric in 0..shape.metrics {
        for cohort in [Cohort::Canary, Cohort::Baseline] {
            let mut observe = |replica| {
                let observed = observed(Form::of(metric), cohort, noise);
                observations.push(Observation { metric: metric_name(metric), cohort, replica, observed });
            };
            if shape.replicas == 0 {
                observe(None);
            } else {
                (0..shape.replicas).for_each(|replica| observe(Some(name(&format!("pod-{replica:02}")))));
            }
        }
    }
    observations
}

fn observed(form: Form, cohort: Cohort, noise: &mut Noise) -> Observed {
    let share = match cohort {
        Cohort::Canary => 1,
        Cohort::Baseline => 19,
    };
    match form {
        Form::Ratio => Observed::Counts { bad: count(share + noise.below(2)), total: count(150 * share) },
        Form::Buckets => {
            let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
            let shares = [0, 2, 11, 40, 90, 128, 142, 148, 150, 150];
            let at_most = bounds.into_iter().zip(shares).map(|(bound, of_150)| (bound, count(of_150 * share)));
            let total = count(150 * share + noise.below(2));
            Observed::Buckets(Buckets::new(at_most.collect(), total).expect("the buckets rise"))
        }
        Form::Histogram => {
            let shares = [1, 1, 2, 3, 5, 8, 11, 14, 16, 17, 17, 15, 13, 10, 7, 5, 3, 1, 1];
            let buckets = (-34..).zip(shares).map(|(index, of_150)| (index, count(of_150 * share + noise.below(2))));
            Observed::Histogram(Histogram::new(3, Count::ZERO, buckets.collect()).expect("the histogram exists"))
        }
        Form::Gauge => Observed::Gauge(0.5 + f64::from(u8::try_from(noise.below(200)).unwrap_or(0)) / 1000.0),
    }
}

/// Small numbers without a pattern, the same in every run (Knuth's MMIX generator).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn count(number: u64) -> Count {
    Count::new(number).expect("a small number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy::{Outcome, Verdict};

    fn proceeds(shape: Shape) {
        let case = Case::new(shape);
        let fresh = State::new();
        let whole = case.engine.decide(&fresh, &case.snapshot);
        assert_eq!(whole.decision.verdict, Verdict::Proceed, "{}", whole.decision);
        let of_metrics = whole.decision.findings.iter().filter(|finding| finding.code() == "health.within-limits");
        assert_eq!(of_metrics.count(), shape.metrics);
        assert!(whole.decision.findings.iter().all(|finding| finding.outcome == Outcome::Pass), "{}", whole.decision);

        let latest = case.latest();
        let last = case.engine.decide(&latest.state, &latest.snapshot);
        assert_eq!(last.decision, whole.decision);
    }

    #[test]
    fn evidence_finds_no_harm_in_it() {
        let case = Case::evidence(Shape::USUAL);
        let decision = case.engine.decide(&State::new(), &case.snapshot).decision;
        assert_eq!(decision.verdict, Verdict::Proceed, "{decision}");
        assert!(decision.findings.iter().any(|finding| finding.code() == "health.no-harm"), "{decision}");
    }

    #[test]
    fn every_interval_is_judged_and_healthy() {
        proceeds(Shape::USUAL);
        proceeds(Shape { intervals: 200, ..Shape::USUAL });
        proceeds(Shape { metrics: 60, ..Shape::USUAL });
        proceeds(Shape { replicas: 30, ..Shape::USUAL });
    }
}
