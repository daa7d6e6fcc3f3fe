//! Runs: one release under one policy, looked at again and again as its intervals close.

use std::fmt;

use davy::{
    Asked, Cohort, Duration, Instant, Interval, Passed, ProbeResult, ProbeVerdict, Release, Running, Share, Snapshot,
    Stage,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::policy::{Policy, Shape, policy, watched};
use super::slos::{Weather, weather};
use super::traffic::{Evidence, Slot, intervals, name, slots};

/// How long a judged interval may change after its end, as every policy here says.
const SETTLE: Duration = Duration::from_secs(15);

/// A release and its looks in time order. The last look is after the last interval closed.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) policy: Policy,
    /// All of them, in time order.
    pub(crate) intervals: Vec<Interval>,
    /// What the host knows at each look, without the intervals.
    pub(crate) looks: Vec<Snapshot>,
}

/// The first instant of every run, on the grid.
fn epoch() -> Instant {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

/// So many seconds after the first instant of every run.
pub(crate) fn at(seconds: u64) -> Instant {
    epoch().plus(Duration::from_secs(seconds))
}

/// The release of every run.
pub(crate) fn release(started_at: Instant) -> Release {
    Release {
        service: name("checkout"),
        environment: name("prod"),
        revision: name("r2"),
        stable: name("r1"),
        attempt: 1.try_into().unwrap(),
        started_at,
        change_class: None,
    }
}

/// The intervals that are closed at `now`.
pub(crate) fn closed(intervals: &[Interval], now: Instant) -> Vec<Interval> {
    intervals.iter().filter(|interval| interval.end().plus(SETTLE) <= now).cloned().collect()
}

/// A run under a policy of this shape.
pub(crate) fn run(shape: Shape, evidence: Evidence) -> impl Strategy<Value = Run> {
    run_of(shape, slots(evidence, 1..=10))
}

/// A run with this traffic.
pub(crate) fn run_of(shape: Shape, slots: impl Strategy<Value = Vec<Slot>>) -> impl Strategy<Value = Run> {
    let starts = prop_oneof![3 => Just(0_u64), 1 => 1..30_u64];
    let silence = prop_oneof![6 => Just(0_u64), 1 => 1..100_u64];
    (policy(shape), slots, starts, stage(), vec(look(), 0..=3), look(), silence, around()).prop_map(
        |(policy, slots, starts, stage, earlier, last, silence, around)| {
            let started_at = at(starts);
            let look = |look: Look, seconds: u64| Snapshot {
                now: at(seconds).plus(SETTLE).max(started_at),
                slos: look.weather.windows(watched(&policy.text), at(seconds).plus(SETTLE).max(started_at)),
                release: release(started_at),
                asked: if stage == Stage::Live && !look.asks_live { Asked::Keep } else { look.asked },
                stage,
                weight: if stage == Stage::Live { Share::ALL } else { look.weight },
                since: started_at,
                ..around.clone()
            };
            let end = 30 * slots.len() as u64;
            let mut looks: Vec<Snapshot> = earlier
                .into_iter()
                .map(|earlier| {
                    let seconds = earlier.at.index(end as usize) as u64;
                    look(earlier, seconds)
                })
                .collect();
            looks.sort_by_key(|look| look.now);
            looks.push(look(last, end + silence));
            Run { intervals: intervals(&policy.metrics, &slots, at(0)), policy, looks }
        },
    )
}

/// One look: when between start and end, and what is asked.
#[derive(Debug, Clone)]
struct Look {
    at: Index,
    asked: Asked,
    /// Asks for more even where everyone is served already.
    asks_live: bool,
    weight: Share,
    weather: Weather,
}

fn look() -> impl Strategy<Value = Look> {
    let weight = select(vec!["5%", "5%", "25%", "50%"]).prop_map(|weight| weight.parse().unwrap());
    (any::<Index>(), asked(), prop::bool::weighted(0.1), weight, weather())
        .prop_map(|(at, asked, asks_live, weight, weather)| Look { at, asked, asks_live, weight, weather })
}

impl Run {
    /// A look with these intervals.
    pub(crate) fn look(&self, index: usize, intervals: Vec<Interval>) -> Snapshot {
        Snapshot { intervals, ..self.looks[index].clone() }
    }

    /// A look with the intervals that are closed by then.
    pub(crate) fn look_with_closed(&self, look: &Snapshot) -> Snapshot {
        Snapshot { intervals: closed(&self.intervals, look.now), ..look.clone() }
    }

    /// The last look with all intervals.
    pub(crate) fn last(&self) -> Snapshot {
        self.look(self.looks.len() - 1, self.intervals.clone())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.policy.text)?;
        for interval in &self.intervals {
            writeln!(f, "{}", serde_json::to_string(interval).unwrap_or_default())?;
        }
        self.looks.iter().try_for_each(|look| writeln!(f, "{}", serde_json::to_string(look).unwrap_or_default()))
    }
}

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let to = select(vec!["25%", "51%", "100%"]).prop_map(|to| Asked::Advance { to: to.parse().unwrap() });
    prop_oneof![4 => to, 3 => Just(Asked::Promote), 2 => Just(Asked::Keep), 1 => Just(Asked::Start)]
}

pub(crate) fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![4 => Just(Stage::Canary), 1 => Just(Stage::Live)]
}

/// The lists of a snapshot beside its intervals.
fn around() -> impl Strategy<Value = Snapshot> {
    let target = (proptest::option::of(select(vec!["eu-1", "us-1"])), any::<bool>()).prop_map(|(cluster, manual)| {
        let cluster = cluster.map(|cluster: &str| cluster.parse().unwrap());
        (davy::Target { cluster, ..davy::Target::default() }, manual)
    });
    let lists = (vec(probe(), 0..=4), vec(running(), 0..=2), vec(passed(), 0..=2), target);
    lists.prop_map(|(probes, running, passed, (target, manual))| Snapshot {
        now: epoch(),
        release: release(epoch()),
        asked: Asked::Keep,
        stage: Stage::Canary,
        weight: Share::ZERO,
        since: epoch(),
        intervals: Vec::new(),
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: Vec::new(),
        probes,
        running,
        passed,
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual,
        target,
    })
}

pub(crate) fn probe() -> impl Strategy<Value = ProbeResult> {
    let verdict = select(vec![
        ProbeVerdict::Pass,
        ProbeVerdict::Fail,
        ProbeVerdict::Degraded,
        ProbeVerdict::Skipped,
        ProbeVerdict::Error,
    ]);
    let cohort = select(vec![Cohort::Canary, Cohort::Canary, Cohort::Baseline]);
    let flow = select(vec!["login", "login", "search", "unknown"]);
    (flow, cohort, (0..20_u64).prop_map(|step| step * 15), verdict)
        .prop_map(|(flow, cohort, seconds, verdict)| ProbeResult { flow: name(flow), cohort, at: at(seconds), verdict })
}

pub(crate) fn running() -> impl Strategy<Value = Running> {
    let parts = (select(vec!["checkout", "cart"]), select(vec!["prod", "staging"]), select(vec!["r1", "r2", "r7"]));
    parts.prop_map(|(service, environment, revision)| Running {
        service: name(service),
        environment: name(environment),
        revision: name(revision),
    })
}

pub(crate) fn passed() -> impl Strategy<Value = Passed> {
    (select(vec!["staging", "prod"]), select(vec!["r2", "r2", "r1"]), select(vec![10, 59, 60, 180_u64])).prop_map(
        |(environment, revision, minutes)| Passed {
            environment: name(environment),
            revision: name(revision),
            at: epoch().minus(Duration::from_minutes(minutes)),
        },
    )
}
