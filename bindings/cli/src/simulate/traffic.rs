//! The traffic of a rollout: what is observed of both cohorts in one interval after the other.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use davy::{Buckets as Cumulative, Cohort, Count, Histogram, Interval, Observation, Observed, ReplicaStart};
use libm::{exp2, log, sin};
use rand_chacha::ChaCha8Rng;

use super::Refused;
use super::draw::{binomial, fraction, poisson};
use super::latency::{Buckets, LatencyModel};
use super::noise::{Disturbance, Noise};
use super::plan::{Form, Plan};
use super::scenario::Effect;

/// The load of the service, before anything is released.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Requests per second, both cohorts together.
    pub(super) rate: f64,
    /// The share of them that fail.
    pub(super) errors: f64,
    pub(super) latency: LatencyModel,
}

/// Tables that a thread makes once and all of its rollouts use.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    native: BTreeMap<i64, Buckets>,
    classic: BTreeMap<(usize, i64), Buckets>,
}

/// The traffic of one attempt.
#[derive(Debug)]
pub(super) struct Stream {
    load: Load,
    drift: Drift,
    noise: Disturbance,
    rng: ChaCha8Rng,
}

/// How the load changes for both cohorts alike: slow waves, as over a day that is as short as an hour. Where each
/// begins.
#[derive(Debug, Clone, Copy)]
struct Drift {
    requests: f64,
    errors: f64,
    latency: f64,
}

/// A cohort in one interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) cohort: Cohort,
    /// Its part of all requests.
    pub(super) weight: f64,
    pub(super) effect: Effect,
}

/// By how much requests, and the error rate, rise and fall.
const WAVE: f64 = 0.3;
/// By how much the logarithm of latencies does.
const SLOWER: f64 = 0.1;
/// How long a wave is, in seconds.
const WAVE_LENGTH: f64 = 3600.0;
/// Time shifts are rounded to this, in natural logarithms: 0.5 %.
const SHIFT: f64 = 0.005;
/// Buckets of native histograms: schema 4, from 2^-12 s to 2^6 s, each 4.4 % wide.
const SCHEMA: i8 = 4;
const FIRST_INDEX: i32 = -12 * 16;
const LAST_INDEX: i32 = 6 * 16;
/// A flow is run against each cohort this often, in seconds, and fails this often by itself.
const PROBE_EVERY: f64 = 10.0;
const PROBE_FAILS: f64 = 0.005;
/// Events such as restarts, per minute of a whole cohort.
const EVENTS: f64 = 0.01;
/// In an outage there are this many times as many.
const MOST_EVENTS: f64 = 1000.0;
/// The level of a gauge, and its spread from interval to interval.
const GAUGE: f64 = 0.5;
const GAUGE_SPREAD: f64 = 0.02;

/// So many requests that their counts are as good as shares.
const MANY: f64 = 1e12;

impl Load {
    /// What many requests show on average of a metric of latencies; nothing for others.
    pub(super) fn usual(&self, form: &Form) -> Option<Observed> {
        let slower = |bound: f64| MANY * self.latency.slower_than(bound, 0.0);
        let within = |bound: f64| Count::new((MANY - slower(bound)) as u64).ok();
        match form {
            Form::Native => {
                let bound = |index: i32| exp2(f64::from(index) / 16.0);
                let bucket =
                    |index| Some((index, Count::new((slower(bound(index - 1)) - slower(bound(index))) as u64).ok()?));
                let buckets: Option<Vec<(i32, Count)>> = (FIRST_INDEX..LAST_INDEX).map(bucket).collect();
                Histogram::new(SCHEMA, Count::ZERO, buckets?).map(Observed::Histogram).ok()
            }
            Form::Classic(bounds) => {
                let at_most: Option<Vec<(f64, Count)>> =
                    bounds.iter().map(|bound| Some((*bound, within(*bound)?))).collect();
                Cumulative::new(at_most?, Count::new(MANY as u64).ok()?).map(Observed::Buckets).ok()
            }
            Form::Errors { .. } | Form::Probe | Form::Gauge | Form::Events => None,
        }
    }
}

impl Stream {
    /// Every rollout begins somewhere else in each wave.
    pub(super) fn begin(load: Load, noise: Noise, mut rng: ChaCha8Rng) -> Self {
        let mut phase = || fraction(&mut rng) * TAU;
        let drift = Drift { requests: phase(), errors: phase(), latency: phase() };
        let noise = noise.begin(&mut rng);
        Self { load, drift, noise, rng }
    }

    /// When replicas started, as far as it is known by now.
    pub(super) fn starts(&self) -> &[ReplicaStart] {
        self.noise.starts()
    }

    /// Draws interval `k` of both cohorts.
    pub(super) fn interval(
        &mut self,
        plan: &Plan,
        k: u64,
        sides: [Side; 2],
        shapes: &mut Shapes,
    ) -> Result<Interval, Refused> {
        let Self { load, drift, noise, rng } = self;
        let (start, end) = (plan.start_of(k), plan.start_of(k + 1));
        let seconds = start.since(plan.release.started_at).as_secs_f64();
        let length = plan.every.as_secs_f64();
        let wave = |phase| sin(phase + TAU * seconds / WAVE_LENGTH);
        let requests = load.rate * length * (1.0 + WAVE * wave(drift.requests));
        let errors = load.errors * (1.0 + WAVE * wave(drift.errors));
        let slower = SLOWER * wave(drift.latency);
        let mut observations = Vec::with_capacity(2 * plan.metrics.len());
        for side in sides {
            for part in noise.parts(side.cohort, side.weight, k, start, rng) {
                let all = poisson(requests * side.weight * part.share, rng);
                let errors = errors * side.effect.errors * part.errors;
                let slower = slower + log(side.effect.latency) + part.slower;
                for (place, metric) in plan.metrics.iter().enumerate() {
                    let observed = match &metric.form {
                        Form::Errors { .. } => counts(binomial(all, errors, rng), all)?,
                        Form::Native => shapes.native(load.latency, slower, all, rng)?,
                        Form::Classic(bounds) => shapes.classic((place, bounds), load.latency, slower, all, rng)?,
                        Form::Probe => {
                            let runs = (length * part.share / PROBE_EVERY).max(1.0) as u64;
                            counts(binomial(runs, PROBE_FAILS * side.effect.errors, rng), runs)?
                        }
                        Form::Gauge => Observed::Gauge(GAUGE + GAUGE_SPREAD * (2.0 * fraction(rng) - 1.0)),
                        Form::Events => {
                            let expected = EVENTS * length / 60.0 * side.effect.errors.min(MOST_EVENTS);
                            Observed::Events(count(poisson(expected, rng))?)
                        }
                    };
                    let (metric, replica) = (metric.name.clone(), part.replica.clone());
                    observations.push(Observation { metric, cohort: side.cohort, replica, observed });
                }
            }
        }
        Interval::new(start, end, observations).map_err(|_| Refused::Internal)
    }
}

impl Shapes {
    fn native(
        &mut self,
        model: LatencyModel,
        slower: f64,
        all: u64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Observed, Refused> {
        let step = (slower / SHIFT).round() as i64;
        let shape = self.native.entry(step).or_insert_with(|| {
            let bounds: Vec<f64> = (FIRST_INDEX..LAST_INDEX).map(|index| exp2(f64::from(index) / 16.0)).collect();
            model.buckets(&bounds, step as f64 * SHIFT)
        });
        let mut buckets = Vec::with_capacity(96);
        shape.draw(all, rng, &mut |place, requests| {
            buckets.push((FIRST_INDEX + place as i32, Count::new(requests).unwrap_or(Count::MAX)));
        });
        Histogram::new(SCHEMA, Count::ZERO, buckets).map(Observed::Histogram).map_err(|_| Refused::Internal)
    }

    fn classic(
        &mut self,
        (metric, bounds): (usize, &[f64]),
        model: LatencyModel,
        slower: f64,
        all: u64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Observed, Refused> {
        let step = (slower / SHIFT).round() as i64;
        let shape = self.classic.entry((metric, step)).or_insert_with(|| model.buckets(bounds, step as f64 * SHIFT));
        let mut within = vec![0; bounds.len() + 1];
        shape.draw(all, rng, &mut |place, requests| within.get_mut(place).into_iter().for_each(|it| *it = requests));
        let mut so_far = 0;
        let mut at_most = Vec::with_capacity(bounds.len());
        for (bound, requests) in bounds.iter().zip(within) {
            so_far += requests;
            at_most.push((*bound, count(so_far)?));
        }
        Cumulative::new(at_most, count(all)?).map(Observed::Buckets).map_err(|_| Refused::Internal)
    }
}

fn counts(bad: u64, total: u64) -> Result<Observed, Refused> {
    Ok(Observed::Counts { bad: count(bad)?, total: count(total)? })
}

fn count(number: u64) -> Result<Count, Refused> {
    Count::new(number).map_err(|_| Refused::Internal)
}
