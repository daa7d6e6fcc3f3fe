//! The guarantee, measured: a good canary is aborted no more often than declared, and mistakes that would void
//! this are seen.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use davy::stats::{Arm, Grid, Pair, Process, RATIOS, RatioTest, Starts};
use davy::{Bundle, Cohort, Count, Interval, Observed};

use super::cell::{Cell, Effort};
use super::judge::Judge;
use super::latency::LatencyModel;
use super::noise::{Kind, Noise};
use super::plan::Plan;
use super::planned::planned;
use super::rollout::Outcome;
use super::scenario::Name;
use super::summary::Row;
use super::traffic::Load;

/// Nothing is tolerated, so that an identical canary is as bad as a good one may be.
fn bundle() -> Bundle {
    bundle_of(
        "
      - { name: latency, histogram: c, importance: 2, tolerate: 0%, unacceptable: 25% }
      - { name: journey, probe: login, max: 10% }
",
    )
}

/// Errors, and these metrics.
fn bundle_of(others: &str) -> Bundle {
    let text = "
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 5%, atLeast: 4m }, { weight: 50%, atLeast: 4m }]
  health:
    judge: evidence
    warmUp: 1m
    horizon: 16m
    falseAborts: 1%
    metrics:
      - { name: errors, bad: a, total: b, importance: 3, tolerate: 1x, unacceptable: 1.5x }";
    Bundle::from_files([("rollouts.yaml", format!("{text}{others}"))]).unwrap()
}

const RUNS: u32 = 150;
const LOAD: Load = Load { rate: 50.0, errors: 0.01, latency: LatencyModel::Heavy };

/// How many of [`RUNS`] rollouts each judge aborts.
fn aborts(scenario: Name, bundle: &Bundle, others: Vec<Judge>) -> Vec<u32> {
    aborts_under(LOAD, Noise::INDEPENDENT, scenario, bundle, others)
}

fn aborts_under(load: Load, noise: Noise, scenario: Name, bundle: &Bundle, others: Vec<Judge>) -> Vec<u32> {
    let plan = Plan::of(bundle, None).unwrap();
    let mut judges = vec![Judge::policy(bundle)];
    judges.extend(others);
    let effort = Effort { runs: RUNS, seed: 5, threads: 2 };
    let outcomes = Cell { load, scenario, noise }.run(&plan, &judges, effort, || {}).unwrap();
    let of = |judge: usize| outcomes.iter().filter(|of: &&Vec<Outcome>| of[judge].aborted.is_some()).count();
    (0..judges.len()).map(|judge| u32::try_from(of(judge)).unwrap()).collect()
}

/// As many as 1 % may seem to be, by three standard deviations.
fn most() -> f64 {
    let runs = f64::from(RUNS);
    0.01 * runs + 3.0 * (0.01 * 0.99 * runs).sqrt()
}

/// Evidence that comes from each interval alone, without the level: twice what it began with aborts.
fn without_the_level(intervals: &[Interval]) -> bool {
    evidence(intervals.iter().map(errors)) >= 2.0
}

/// The right level, and the totals since the start, folded at every look as if all of them were new.
fn folded_again(intervals: &[Interval]) -> bool {
    let mut totals = [(0, 0); 2];
    let sums = intervals.iter().map(|interval| {
        for (total, new) in totals.iter_mut().zip(errors(interval)) {
            *total = (total.0 + new.0, total.1 + new.1);
        }
        totals
    });
    evidence(sums) >= 200.0
}

/// Errors and requests of the canary and of the baseline.
fn errors(interval: &Interval) -> [(u64, u64); 2] {
    let of = |cohort| {
        let own =
            |observation: &&davy::Observation| observation.metric.as_str() == "errors" && observation.cohort == cohort;
        match interval.observations().iter().find(own).map(|observation| &observation.observed) {
            Some(Observed::Counts { bad, total }) => (bad.get(), total.get()),
            _ => panic!("errors are counted"),
        }
    };
    [Cohort::Canary, Cohort::Baseline].map(of)
}

fn evidence(arms: impl Iterator<Item = [(u64, u64); 2]>) -> f64 {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    let arm = |(bad, total)| Arm::new(Count::new(bad).unwrap(), Count::new(total).unwrap()).unwrap();
    let mut process = Process::new();
    for [canary, baseline] in arms {
        process.fold(Starts::First, &test.increment(&Pair { canary: arm(canary), baseline: arm(baseline) }));
    }
    process.e(Starts::First)
}

#[test]
fn a_good_canary_is_aborted_no_more_often_than_declared() {
    for scenario in [Name::Identical, Name::Hurried] {
        let aborts = aborts(scenario, &bundle(), Vec::new());
        assert!(f64::from(aborts[0]) <= most(), "{scenario:?}: {aborts:?} of {RUNS}");
    }
}

#[test]
fn mistakes_that_void_the_guarantee_are_seen() {
    let plan = Plan::of(&bundle(), None).unwrap();
    let peeking = Judge::others(&plan, &LOAD).unwrap().into_iter().take(1);
    let planted =
        [Judge::planted("without the level", without_the_level), Judge::planted("totals folded again", folded_again)];
    let aborts = aborts(Name::Identical, &bundle(), planted.into_iter().chain(peeking).collect());
    assert_eq!(aborts.len(), 4);
    assert!(aborts.iter().skip(1).all(|aborts| f64::from(*aborts) > most()), "{aborts:?} of {RUNS}");
}

#[test]
fn what_is_broken_is_found() {
    for scenario in [Name::Outage, Name::Latency2] {
        let aborts = aborts(scenario, &bundle(), Vec::new());
        assert_eq!(aborts[0], RUNS, "{scenario:?}");
    }
}

/// The first key alone: what every test of requests does, however exact.
fn without_the_second_key(intervals: &[Interval]) -> bool {
    let mut peak: f64 = 0.0;
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    let arm = |(bad, total)| Arm::new(Count::new(bad).unwrap(), Count::new(total).unwrap()).unwrap();
    let mut process = Process::new();
    for [canary, baseline] in intervals.iter().map(errors_of_all) {
        process.fold(Starts::First, &test.increment(&Pair { canary: arm(canary), baseline: arm(baseline) }));
        peak = peak.max(process.e(Starts::First));
    }
    peak >= 200.0
}

/// Errors and requests of each cohort, over its replicas.
fn errors_of_all(interval: &Interval) -> [(u64, u64); 2] {
    [Cohort::Canary, Cohort::Baseline].map(|cohort| {
        let own = |seen: &&davy::Observation| seen.metric.as_str() == "errors" && seen.cohort == cohort;
        interval.observations().iter().filter(own).fold((0, 0), |(bad, total), seen| match seen.observed {
            Observed::Counts { bad: of_replica, total: all } => (bad + of_replica.get(), total + all.get()),
            _ => panic!("errors are counted"),
        })
    })
}

/// Much traffic: the more there is, the surer a test of requests is of what is noise.
const BUSY: Load = Load { rate: 500.0, ..LOAD };

#[test]
fn noise_between_replicas_is_no_harm_and_without_the_second_key_it_would_be() {
    for kind in [Kind::Dispersed5, Kind::Hard] {
        let noise = Noise::of(kind, Some(10), None);
        let planted = Judge::planted("without the second key", without_the_second_key);
        let aborts = aborts_under(BUSY, noise, Name::Identical, &bundle_of(""), vec![planted]);
        assert!(f64::from(aborts[0]) <= most(), "{kind:?}: {aborts:?} of {RUNS}");
        assert!(f64::from(aborts[1]) > 2.0 * most(), "{kind:?}: {aborts:?} of {RUNS}");
    }
}

#[test]
fn a_cold_start_is_no_harm_and_would_be_were_young_replicas_not_left_out() {
    let noise = Noise::of(Kind::ColdStart, Some(10), None);
    let aborts = |noise| aborts_under(BUSY, noise, Name::Identical, &bundle_of(""), Vec::new())[0];
    let (left_out, counted) = (aborts(noise), aborts(noise.with_all_replicas_old()));
    assert!(f64::from(left_out) <= most(), "{left_out} of {RUNS}");
    assert!(f64::from(counted) > 2.0 * most(), "{counted} of {RUNS}");
}

#[test]
fn what_is_planned_is_about_the_median_with_and_without_noise() {
    let (bundle, latency) = (bundle_of(""), bundle());
    for (bundle, kind, replicas, rate, scenario) in [
        (&bundle, Kind::None, Some(10), 50.0, Name::Errors5),
        (&bundle, Kind::Mixed, Some(10), 50.0, Name::Errors5),
        (&bundle, Kind::Mixed, Some(10), 500.0, Name::Errors2),
        (&bundle, Kind::Hard, Some(30), 500.0, Name::Errors2),
        (&bundle, Kind::Mixed, Some(3), 50.0, Name::Errors5),
        (&bundle, Kind::Hard, Some(3), 500.0, Name::Outage),
        (&bundle, Kind::None, None, 500.0, Name::Errors2),
        (&latency, Kind::None, Some(10), 50.0, Name::Latency125),
        (&latency, Kind::None, None, 500.0, Name::Latency125),
    ] {
        let plan = Plan::of(bundle, None).unwrap();
        let every = plan.every.as_secs_f64();
        let cell = Cell { load: Load { rate, ..LOAD }, scenario, noise: Noise::of(kind, replicas, None) };
        let effort = Effort { runs: 61, seed: 6, threads: 2 };
        let outcomes = cell.run(&plan, &[Judge::policy(bundle)], effort, || {}).unwrap();
        let outcomes: Vec<Outcome> = outcomes.iter().map(|of| of[0]).collect();
        let row = Row::of(&outcomes, "policy", (rate, scenario.text(), false), every);
        let (Some(median), Some(planned)) = (row.median_abort, planned(bundle, None, &plan, &cell)) else {
            panic!(
                "{kind:?} {replicas:?} {rate} {scenario:?}: {:?} {:?}",
                row.median_abort,
                planned(bundle, None, &plan, &cell)
            )
        };
        // Intervals are whole.
        let about = planned / 1.3 - every..=1.3 * planned + every;
        assert!(about.contains(&median), "{kind:?} {replicas:?} {rate} {scenario:?}: {median} {planned}");
    }
}
