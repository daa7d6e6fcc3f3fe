//! What may only hold never stands in the way of an abort or a rollback.

use davy::document::Judge;
use davy::{
    Asked, Cohort, Count, Decision, Engine, HoldKind, Instant, Interval, Observation, Observed, Outcome, Override,
    OverrideAction, Passed, ProbeResult, ProbeVerdict, Running, Scope, Share, Snapshot, Stage, State, Text, Verdict,
    Verification,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::runner::{breaks, holds};
use crate::strategies::{Case, Kind, Policy, Weather, at, name, release, stage, weather};
use crate::{Decider, engine};

/// A release that must end, and everything that might keep it from ending.
fn must_end(case: &Case, decide: Decider<'_>) -> Result<(), TestCaseError> {
    let (decision, _) = decide(&case.policy.engine, &case.prior, &case.snapshot);
    let wanted = Verdict::of(Outcome::Fail, case.snapshot.stage);
    prop_assert_eq!(decision.verdict, wanted, "kept from ending by {:?}", decision.findings);
    Ok(())
}

/// Why the release must end; at least one of them.
#[derive(Debug, Clone, Copy)]
struct Doom {
    metric: bool,
    probe: bool,
    person: bool,
}

/// What may only hold.
#[derive(Debug, Clone)]
struct Obstacles {
    asked: Asked,
    weight: Share,
    /// Seconds after the newest interval closed.
    silence: u64,
    since: Instant,
    /// Per interval after the bad ones: whether it came, came before, and came with other counts.
    later: Vec<(bool, bool, bool)>,
    off_grid: bool,
    state: Kept,
    running: Vec<Running>,
    passed: Option<Passed>,
    overrides: Vec<Override>,
    /// What is seen of an SLO that only holds, and of its budget.
    weather: Weather,
    /// Where the policy does not know the release; only a person can end it there.
    elsewhere: (Option<&'static str>, Option<&'static str>),
}

/// Which state the host hands in.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Nothing,
    /// That of an earlier look, which saw the bad intervals; they may come again, or with other counts.
    OfThisRelease {
        again: bool,
        differently: bool,
    },
    OfAnotherRelease,
    OfAnotherPolicy,
    /// Of a look at a later time.
    FromTheFuture,
}

fn doomed() -> impl Strategy<Value = Case> {
    let judge = select(vec![Judge::Threshold, Judge::Argo, Judge::Flagger]);
    let doom = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(metric, probe, person)| Doom {
        metric: metric || !(probe || person),
        probe,
        person,
    });
    (judge, doom, stage(), obstacles()).prop_map(|(judge, doom, stage, obstacles)| obstacles.before(judge, doom, stage))
}

fn obstacles() -> impl Strategy<Value = Obstacles> {
    let asked = prop_oneof![
        Just(Asked::Start),
        Just(Asked::Promote),
        Just(Asked::Keep),
        select(vec!["1%", "25%", "100%"]).prop_map(|to| Asked::Advance { to: to.parse().unwrap() }),
    ];
    let kept = prop_oneof![
        Just(Kept::Nothing),
        (any::<bool>(), any::<bool>()).prop_map(|(again, differently)| Kept::OfThisRelease { again, differently }),
        Just(Kept::OfAnotherRelease),
        Just(Kept::OfAnotherPolicy),
        Just(Kept::FromTheFuture),
    ];
    let when = (select(vec![0, 20, 3600_u64]), select(vec![0, 100, 1_000_000_u64]));
    let later = vec(any::<(bool, bool, bool)>(), 0..=4);
    let overrides = vec(hold_only_override(), 0..=3);
    let around = (vec(running(), 0..=2), proptest::option::of(passed()), overrides, weather());
    let elsewhere = (select(vec![None, None, Some("elsewhere")]), select(vec![None, None, None, Some("other")]));
    (asked, select(vec!["5%", "60%"]), when, later, any::<bool>(), kept, around, elsewhere).prop_map(
        |(
            asked,
            weight,
            (silence, since),
            later,
            off_grid,
            state,
            (running, passed, overrides, weather),
            elsewhere,
        )| {
            let (weight, since) = (weight.parse().unwrap(), at(since));
            Obstacles {
                asked,
                weight,
                silence,
                since,
                later,
                off_grid,
                state,
                running,
                passed,
                overrides,
                weather,
                elsewhere,
            }
        },
    )
}

fn running() -> impl Strategy<Value = Running> {
    select(vec!["cart", "search"]).prop_map(|service| Running {
        service: name(service),
        environment: name("prod"),
        revision: name("r7"),
    })
}

fn passed() -> impl Strategy<Value = Passed> {
    let at = select(vec![Instant::EPOCH, at(0), at(2_000_000)]);
    at.prop_map(|at| Passed { environment: name("staging"), revision: name("r2"), at })
}

/// A forced hold, or a waiver that may lower holds alone: by its signature, or by the policy.
fn hold_only_override() -> impl Strategy<Value = Override> {
    let codes = |codes: &[&str]| codes.iter().map(|code| code.parse().unwrap()).collect::<Vec<Text>>();
    let all = codes(&[
        "health.limit-exceeded",
        "health.flagger-failed-checks",
        "probes.failed",
        "override.abort",
        "data.stale",
        "steps.dwell",
        "dependencies.not-passed",
    ]);
    let action = prop_oneof![Just(OverrideAction::Hold), Just(OverrideAction::Waive { findings: all })];
    (action, any::<bool>()).prop_map(|(action, verified)| override_("o1", action, verified))
}

fn override_(id: &str, action: OverrideAction, verified: bool) -> Override {
    Override {
        id: name(id),
        action,
        scope: Scope { service: name("checkout"), environment: None, revision: None },
        by: "ada".parse().unwrap(),
        reason: "because".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(10_000),
        verification: if verified { Verification::Verified } else { Verification::Unverified },
    }
}

impl Obstacles {
    fn before(self, judge: Judge, doom: Doom, stage: Stage) -> Case {
        let policy = policy(judge);
        let bad = if doom.metric { 100 } else { 0 };
        let first: Vec<Interval> = (0..2).map(|slot| interval(slot, bad)).collect();
        let later = |slot: usize, bad| interval(slot as u64 + 2, bad);
        let end = 30 * (2 + self.later.len() as u64) + 15 + self.silence;
        let mut snapshot = Snapshot {
            now: at(end),
            release: release(at(0)),
            asked: self.asked,
            stage,
            weight: self.weight,
            since: self.since,
            intervals: Vec::new(),
            replica_starts: Vec::new(),
            noise_history: None,
            history: Vec::new(),
            plugins: Vec::new(),
            slos: self.weather.windows("availability", at(end)),
            probes: Vec::new(),
            running: self.running,
            passed: self.passed.into_iter().collect(),
            overrides: self.overrides,
            facts: davy::Facts::default(),
            manual: false,
            target: davy::Target::default(),
        };

        let mut before = snapshot.clone();
        before.now = at(end).minus(davy::Duration::from_secs(self.silence));
        before.since = at(0);
        before.intervals = first.clone();
        let came_before = self.later.iter().enumerate().filter(|(_, (_, before, _))| *before);
        before.intervals.extend(came_before.map(|(slot, _)| later(slot, 0)));
        let mut sends_first = true;
        let engine = &policy.engine;
        let prior = match self.state {
            Kept::Nothing => State::new(),
            Kept::OfThisRelease { again, differently } => {
                sends_first = again;
                if differently {
                    snapshot.intervals.extend((0..2).map(|slot| interval(slot, 1)));
                }
                engine.decide(&State::new(), &before).state.clone()
            }
            Kept::OfAnotherRelease => {
                before.release.attempt = 7.try_into().unwrap();
                engine.decide(&State::new(), &before).state.clone()
            }
            Kept::OfAnotherPolicy => {
                let other = Policy::compile(format!("# another\n{}", policy.text), policy.metrics.clone());
                other.engine.decide(&State::new(), &before).state.clone()
            }
            Kept::FromTheFuture => {
                before.now = at(1_000_000);
                before.intervals.clear();
                engine.decide(&State::new(), &before).state.clone()
            }
        };

        if sends_first {
            snapshot.intervals.extend(first);
        }
        for (slot, (came, _, twice)) in self.later.iter().enumerate() {
            snapshot.intervals.extend(came.then(|| later(slot, 0)));
            snapshot.intervals.extend(twice.then(|| later(slot, 1)));
        }
        if self.off_grid {
            snapshot.intervals.push(Interval::new(at(3), at(33), Vec::new()).unwrap());
        }
        if doom.probe {
            let (flow, at) = (name("login"), snapshot.now);
            let failed = ProbeResult { flow, cohort: Cohort::Canary, at, verdict: ProbeVerdict::Fail };
            snapshot.probes.push(failed);
        }
        if doom.person {
            snapshot.overrides.push(override_("end", OverrideAction::Abort, self.off_grid));
            let (environment, service) = self.elsewhere;
            snapshot.release.environment = environment.map_or(snapshot.release.environment, name);
            snapshot.release.service = service.map_or(snapshot.release.service, name);
            snapshot.overrides.iter_mut().for_each(|given| given.scope.service = snapshot.release.service.clone());
        }
        Case { policy, prior, snapshot }
    }
}

fn interval(slot: u64, bad: u32) -> Interval {
    let observation = |cohort, bad| Observation {
        metric: name("share"),
        cohort,
        replica: None,
        observed: Observed::Counts { bad: Count::from(bad), total: Count::from(100) },
    };
    let observations = vec![observation(Cohort::Canary, bad), observation(Cohort::Baseline, 0)];
    Interval::new(at(30 * slot), at(30 * slot + 30), observations).unwrap()
}

/// Every gate that may hold, and one metric, one flow and any person that may fail.
fn policy(judge: Judge) -> Policy {
    let text = format!(
        "apiVersion: davy/v1
kind: Rollout
metadata: {{ name: checkout }}
spec:
  steps: [{{ weight: 5%, atLeast: 1h, minRequests: 1000000 }}, {{ weight: 25%, atLeast: 1h }}, {{ weight: 50% }}]
  bake: {{ for: 30m }}
  holdLimit: {{ after: 1s, then: hold, kinds: [waiting, blocked, blind] }}
  probes: [login, never-run]
  calendars: [frozen]
  budget: {{ slos: [availability], burn: {{ page: hold }} }}
  health:
    judge: {judge}
    every: 30s
    settle: 15s
    warmUp: 0s
    metrics: [{{ name: share, bad: b, total: t, max: 5% }}, {{ name: unseen, gauge: g, max: 5, dryRun: true }}]
  environments:
    staging: {{}}
    prod:
      requires: [{{ environment: staging, soak: 1h }}]
      blastRadius: {{ maxWeight: 10%, concurrent: 1 }}
      overrides: {{ longest: 4h }}
"
    );
    Policy::compile(text, vec![Kind::Share])
}

#[test]
fn nothing_that_only_holds_blocks_an_abort_or_a_rollback() {
    holds(192, doomed(), |case| must_end(&case, &engine));
}

/// Returns as soon as something of this kind holds.
fn returns_early_on(kind: HoldKind) -> impl Fn(&Engine, &State, &Snapshot) -> (Decision, State) {
    move |of, state, snapshot| {
        let (mut decision, state) = engine(of, state, snapshot);
        if decision.findings.iter().any(|finding| finding.effective() == Outcome::Hold(kind)) {
            decision.verdict = Verdict::Hold;
        }
        (decision, state)
    }
}

#[test]
fn an_engine_that_returns_early_when_blocked_is_caught() {
    let bug = returns_early_on(HoldKind::Blocked);
    breaks(512, doomed(), "kept from ending", |case| must_end(&case, &bug));
}

#[test]
fn an_engine_that_returns_early_when_blind_is_caught() {
    let bug = returns_early_on(HoldKind::Blind);
    breaks(512, doomed(), "kept from ending", |case| must_end(&case, &bug));
}

#[test]
fn an_engine_that_takes_unsigned_aborts_for_nothing_is_caught() {
    let signed_only = |of: &Engine, state: &State, snapshot: &Snapshot| {
        let mut snapshot = snapshot.clone();
        snapshot.overrides.retain(|given| given.verification == Verification::Verified);
        engine(of, state, &snapshot)
    };
    breaks(512, doomed(), "kept from ending", |case| must_end(&case, &signed_only));
}
