//! Cases: one decision about anything that a host could hand in, however odd.

use std::fmt;

use davy::{
    Asked, Buckets, Cause, Cohort, Count, Duration, Histogram, Instant, Interval, Observation, Observed, Override,
    OverrideAction, Release, Scope, Share, Snapshot, Stage, State, Verification,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::policy::{Kind, Policy, Shape, watched};
use super::run::{Run, at, closed, release, run};
use super::slos::Weather;
use super::traffic::{Evidence, Worsening, intervals, middling, missing, name, worsen, worsenings};

/// What one decision is made from.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) policy: Policy,
    pub(crate) prior: State,
    pub(crate) snapshot: Snapshot,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = serde_json::to_string(&self.snapshot).unwrap_or_default();
        let prior = String::from_utf8(self.prior.to_json()).unwrap_or_default();
        write!(f, "{}prior state: {prior}\nsnapshot: {snapshot}", self.policy.text)
    }
}

/// A run's last look under any policy, with the state of its earlier looks, and with trouble.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let run = select(Shape::ALL.to_vec()).prop_flat_map(|shape| run(shape, Evidence::Patchy));
    (run, trouble()).prop_map(|(run, trouble)| trouble.befall(&run))
}

/// A state and a snapshot with a number in every place where one can stand.
pub(crate) fn thorough_case(shape: Shape) -> Case {
    let policy = Policy::of_every_kind(shape);
    let intervals = intervals(&policy.metrics, &[middling()], at(0));
    let mut snapshot = Snapshot {
        now: at(45),
        release: release(at(0)),
        asked: Asked::Promote,
        stage: Stage::Canary,
        weight: Share::from_ppm(50_000),
        since: at(0),
        intervals,
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: Vec::new(),
        probes: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    };
    snapshot.slos = Weather::burning().windows(watched(&policy.text), snapshot.now);
    let prior = policy.engine.decide(&State::new(), &snapshot).state.clone();
    snapshot.now = at(75);
    snapshot.slos = Weather::burning().windows(watched(&policy.text), snapshot.now);
    snapshot.intervals.clear();
    Case { policy, prior, snapshot }
}

/// What goes wrong around a run.
#[derive(Debug, Clone)]
struct Trouble {
    /// Intervals that earlier looks did not see.
    hidden: Vec<Index>,
    /// The same intervals with other counts.
    twins: Vec<Worsening>,
    odd: Vec<Interval>,
    observations: Vec<(Index, Observation)>,
    overrides: Vec<Override>,
    release: Option<Release>,
    now: Option<Instant>,
    since: Option<Instant>,
    asked: Option<Asked>,
    forgets: Forgets,
}

/// What became of the state of the earlier looks.
#[derive(Debug, Clone, Copy)]
enum Forgets {
    Nothing,
    TheRelease,
    Everything,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let twins = prop_oneof![2 => Just(Vec::new()), 1 => worsenings()];
    let forgets = select(vec![Forgets::Nothing, Forgets::Nothing, Forgets::TheRelease, Forgets::Everything]);
    let evidence = (vec(any::<Index>(), 0..=2), twins, vec(odd_interval(), 0..=1), vec(odd_observation(), 0..=2));
    let rest = (vec(override_(), 0..=3), rarely(odd_release()), rarely(odd_instant()), rarely(odd_instant()));
    (evidence, rest, rarely(odd_ask()), forgets).prop_map(
        |((hidden, twins, odd, observations), (overrides, release, now, since), asked, forgets)| Trouble {
            hidden,
            twins,
            odd,
            observations,
            overrides,
            release,
            now,
            since,
            asked,
            forgets,
        },
    )
}

fn rarely<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>> {
    option::weighted(0.1, strategy)
}

impl Trouble {
    fn befall(self, run: &Run) -> Case {
        let hidden = |interval: &Interval| {
            let same = |index: &Index| run.intervals[index.index(run.intervals.len())] == *interval;
            self.hidden.iter().any(same)
        };
        let mut prior = State::new();
        for (index, look) in run.looks.iter().enumerate().take(run.looks.len() - 1) {
            let mut seen = closed(&run.intervals, look.now);
            seen.retain(|interval| !hidden(interval));
            prior = run.policy.engine.decide(&prior, &run.look(index, seen)).state.clone();
        }
        let prior = match self.forgets {
            Forgets::Nothing => prior,
            Forgets::TheRelease => prior.next_release(),
            Forgets::Everything => State::new(),
        };
        let mut snapshot = run.last();
        if !self.twins.is_empty() {
            snapshot.intervals.extend(worsen(&run.intervals, &self.twins));
        }
        for (index, odd) in self.observations.iter().filter(|_| !run.intervals.is_empty()) {
            let at = index.index(snapshot.intervals.len());
            snapshot.intervals[at] = with_observation(&snapshot.intervals[at], odd);
        }
        snapshot.intervals.extend(self.odd);
        snapshot.overrides = self.overrides;
        snapshot.release = self.release.unwrap_or(snapshot.release);
        snapshot.now = self.now.unwrap_or(snapshot.now);
        snapshot.since = self.since.unwrap_or(snapshot.since);
        snapshot.asked = self.asked.unwrap_or(snapshot.asked);
        Case { policy: run.policy.clone(), prior, snapshot }
    }
}

/// The interval with `odd` in the place of what it said of that metric and cohort.
fn with_observation(interval: &Interval, odd: &Observation) -> Interval {
    let other = |known: &&Observation| (&known.metric, known.cohort) != (&odd.metric, odd.cohort);
    let mut observations: Vec<Observation> = interval.observations().iter().filter(other).cloned().collect();
    observations.push(odd.clone());
    Interval::new(interval.start(), interval.end(), observations).unwrap()
}

fn odd_interval() -> impl Strategy<Value = Interval> {
    (0..600_u64, prop_oneof![Just(30_u64), 1..90_u64], vec(odd_observation(), 0..=2)).prop_map(
        |(start, length, mut observations)| {
            observations.sort_by_key(|(_, odd)| (odd.metric.clone(), odd.cohort));
            observations.dedup_by_key(|(_, odd)| (odd.metric.clone(), odd.cohort));
            let observations = observations.into_iter().map(|(_, odd)| odd).collect();
            Interval::new(at(start), at(start + length), observations).unwrap()
        },
    )
}

fn odd_observation() -> impl Strategy<Value = (Index, Observation)> {
    let metrics: Vec<&str> = Shape::THRESHOLD.kinds.iter().map(|kind| kind.name()).chain(["unknown"]).collect();
    let cohort = select(vec![Cohort::Canary, Cohort::Baseline]);
    (any::<Index>(), select(metrics), cohort, any::<bool>(), odd_observed()).prop_map(
        |(interval, metric, cohort, replica, observed)| {
            let replica = replica.then(|| name("pod-x"));
            (interval, Observation { metric: name(metric), cohort, replica, observed })
        },
    )
}

/// Every form at the edges of what it can hold.
fn odd_observed() -> impl Strategy<Value = Observed> {
    let gauge = select(vec![0.0, -0.0, 5e-324, 0.1, 0.65, 1.0 / 3.0, 1e21, -1e308, 1e308, f64::MAX, f64::MIN]);
    let buckets = (vec((odd_bound(), odd_count()), 0..=3), odd_count()).prop_map(|(mut at_most, total)| {
        at_most.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        at_most.dedup_by(|(a, _), (b, _)| a.total_cmp(b).is_eq());
        let mut most = Count::ZERO;
        at_most.iter_mut().for_each(|(_, count)| {
            most = most.max(*count).min(total);
            *count = most;
        });
        Buckets::new(at_most, total).unwrap()
    });
    // Lower bounds from 2^-64 s to the last one below the largest double, at every resolution.
    let exponent = prop_oneof![2 => -10..10_i32, 1 => select(vec![-64, 0, 1023])];
    let indexed = proptest::collection::btree_set(exponent, 0..=3);
    let histogram = (-4..=8_i8, odd_count(), indexed, odd_count()).prop_map(|(schema, zero, exponents, count)| {
        let index = |exponent: i32| if schema < 0 { (exponent >> -schema) + 1 } else { (exponent << schema) + 1 };
        let mut buckets: Vec<(i32, Count)> = exponents.into_iter().map(|exponent| (index(exponent), count)).collect();
        buckets.dedup_by_key(|(index, _)| *index);
        Histogram::new(schema, zero, buckets).unwrap()
    });
    prop_oneof![
        (odd_count(), odd_count()).prop_map(|(a, b)| Observed::Counts { bad: a.min(b), total: a.max(b) }),
        buckets.prop_map(Observed::Buckets),
        histogram.prop_map(Observed::Histogram),
        gauge.prop_map(Observed::Gauge),
        odd_count().prop_map(Observed::Events),
        missing().prop_map(Observed::Missing),
    ]
}

fn odd_bound() -> impl Strategy<Value = f64> {
    select(vec![-1.0, 0.0, 5e-324, 0.1, 0.3, 0.5, 1.0, 1e308])
}

fn odd_count() -> impl Strategy<Value = Count> {
    prop_oneof![
        4 => (0..200_u32).prop_map(Count::from),
        1 => Just(Count::MAX),
        1 => (0..=Count::MAX.get()).prop_map(|count| Count::new(count).unwrap()),
    ]
}

fn odd_instant() -> impl Strategy<Value = Instant> {
    prop_oneof![
        2 => (0..1200_u64).prop_map(at),
        1 => select(vec![Instant::EPOCH, Instant::EPOCH.plus(Duration::from_secs(44)), Instant::MAX]),
    ]
}

fn odd_release() -> impl Strategy<Value = Release> {
    let names = (
        select(vec!["checkout", "checkout", "other"]),
        select(vec!["prod", "staging", "elsewhere"]),
        select(vec!["r1", "r2", "sha256:0a"]),
        select(vec![1, 2, u32::MAX]),
    );
    (names, odd_instant()).prop_map(|((service, environment, revision, attempt), started_at)| Release {
        service: name(service),
        environment: name(environment),
        revision: name(revision),
        stable: name("r1"),
        attempt: attempt.try_into().unwrap(),
        started_at,
        change_class: None,
    })
}

fn odd_ask() -> impl Strategy<Value = Asked> {
    (0..=Share::ALL.ppm()).prop_map(|ppm| Asked::Advance { to: Share::from_ppm(ppm) })
}

/// Signed or not, in force or not, about this release or another.
fn override_() -> impl Strategy<Value = Override> {
    let code = select(Cause::CODES.to_vec());
    let subject = option::of(select(Kind::ONE_SIDED.iter().map(|kind| kind.name()).collect::<Vec<_>>()));
    let named = (code, subject).prop_map(|(code, subject)| match subject {
        Some(subject) => format!("{code}:{subject}").parse().unwrap(),
        None => code.parse().unwrap(),
    });
    let action = prop_oneof![
        1 => Just(OverrideAction::Hold),
        1 => Just(OverrideAction::Abort),
        3 => vec(named, 1..=3).prop_map(|findings| OverrideAction::Waive { findings }),
    ];
    let scope = (option::of(select(vec!["prod", "staging"])), option::of(select(vec!["r2", "r1"])));
    let times = (0..400_u64, select(vec![1, 300, 3600, 100_000_u64]));
    (select(vec!["o1", "o2"]), action, scope, times, any::<bool>()).prop_map(
        |(id, action, (environment, revision), (issued, lives), verified)| Override {
            id: name(id),
            action,
            scope: Scope {
                service: name("checkout"),
                environment: environment.map(name),
                revision: revision.map(name),
            },
            by: "Ada \"on call\" Byron".parse().unwrap(),
            reason: "grün ✓".parse().unwrap(),
            issued_at: at(issued),
            expires_at: at(issued + lives),
            verification: if verified { Verification::Verified } else { Verification::Unverified },
        },
    )
}
