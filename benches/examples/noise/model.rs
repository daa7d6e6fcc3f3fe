//! The service that is simulated: replicas with noise of their own, a ramp, and what the canary does worse.

use std::f64::consts::{SQRT_2, TAU};

use libm::{erfc, exp, log, sin, sqrt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rand_distr::{Binomial, Distribution as _, Gamma, Poisson, StandardNormal};

/// Half an hour of 30 s.
pub(crate) const INTERVALS: usize = 60;
/// Intervals in each step of the ramp.
const STEP: usize = 15;
const WEIGHTS: [f64; 4] = [0.05, 0.1, 0.25, 0.5];
const ERRORS: f64 = 0.01;
/// The spread of the logarithm of latencies, and the thresholds that a half, a tenth and a hundredth exceed.
const LATENCY: f64 = 0.6;
const THRESHOLDS: [f64; 3] = [0.0, 1.281_551_565_544_6, 2.326_347_874_040_8];
/// The tolerated shift at which the canary's slow requests are counted.
const TOLERATED: f64 = 1.05;
/// For how many intervals a replica is cold, and is left out.
pub(crate) const WARM_UP: usize = 2;
/// What is wrong while it is cold.
const COLD: (f64, f64) = (3.0, 1.3);
/// Waves of an hour, the same for all replicas: of traffic, errors, and the logarithm of latencies.
const WAVES: [f64; 3] = [0.3, 0.3, 0.1];

/// What the canary has, in multiples of the baseline's.
#[derive(Clone, Copy)]
pub(crate) struct Effect {
    pub(crate) errors: f64,
    pub(crate) latency: f64,
}

/// How replicas and intervals differ. Standard deviations of logarithms, but for the dispersion.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    /// Coefficient of variation of errors, per replica and interval.
    dispersion: f64,
    /// Of latencies.
    dispersion_latency: f64,
    /// Errors and latencies that drift in each replica, with a correlation of 0.7 between neighbours.
    drift: (f64, f64),
    /// Always different, per replica.
    offset: (f64, f64),
    /// Drift that all replicas share.
    common: (f64, f64),
    /// New replicas are cold.
    cold: bool,
    /// The chance of a restart, per replica and interval.
    restarts: f64,
    /// Whether young replicas are left out.
    pub(crate) leaves_out: bool,
    /// One replica of the baseline is sick.
    sick: bool,
    /// Of traffic, errors, and the logarithm of latencies.
    waves: [f64; 3],
}

#[derive(Clone, Copy)]
pub(crate) struct Cell {
    /// Requests per second of both cohorts.
    pub(crate) rate: f64,
    /// Replicas of the baseline.
    pub(crate) replicas: usize,
    pub(crate) scenario: Scenario,
}

/// Requests, errors, and requests slower than each threshold.
pub(crate) type Row = [u64; 5];

/// One interval.
pub(crate) struct Interval {
    pub(crate) step: usize,
    pub(crate) canary: Row,
    pub(crate) canary_replicas: u32,
    /// Place and counts.
    pub(crate) baseline: Vec<(usize, Row)>,
}

/// One rollout as it goes on.
pub(crate) struct Rollout {
    cell: Cell,
    rng: ChaCha8Rng,
    phases: [f64; 3],
    common: (f64, f64),
    canary: Vec<Replica>,
    baseline: Vec<Replica>,
}

struct Replica {
    offset: (f64, f64),
    drift: (f64, f64),
    /// The interval in which it started last; none for those that are warm.
    started: Option<usize>,
    sick: bool,
}

const CORRELATION: f64 = 0.7;

impl Scenario {
    pub(crate) const fn clean() -> Self {
        Self {
            name: "clean",
            effect: Effect { errors: 1.0, latency: 1.0 },
            dispersion: 0.0,
            dispersion_latency: 0.0,
            drift: (0.0, 0.0),
            offset: (0.0, 0.0),
            common: (0.0, 0.0),
            cold: false,
            restarts: 0.0,
            leaves_out: true,
            sick: false,
            waves: WAVES,
        }
    }

    /// Without noise, and without waves.
    pub(crate) const fn still() -> Self {
        Self { name: "still", waves: [0.0; 3], ..Self::clean() }
    }

    pub(crate) const fn mixed() -> Self {
        Self {
            name: "mixed",
            dispersion: 0.3,
            dispersion_latency: 0.03,
            drift: (0.1, 0.02),
            offset: (0.02, 0.02),
            ..Self::clean()
        }
    }

    pub(crate) const fn hard() -> Self {
        Self {
            name: "hard: ar1+od.5+off5%",
            dispersion: 0.5,
            dispersion_latency: 0.05,
            drift: (0.3, 0.05),
            offset: (0.05, 0.05),
            ..Self::clean()
        }
    }

    /// The same noise, and a canary that is worse.
    pub(crate) const fn with(self, name: &'static str, effect: Effect) -> Self {
        Self { name, effect, ..self }
    }

    /// Every scenario in which an abort is false.
    pub(crate) fn healthy() -> Vec<Self> {
        let clean = Self::clean();
        let dispersed = |name, dispersion, dispersion_latency| Self { name, dispersion, dispersion_latency, ..clean };
        let offset = |name, errors, latency| Self { name, offset: (errors, latency), ..clean };
        let worse = |errors, latency| Effect { errors, latency };
        let noisy = Self { dispersion: 0.3, dispersion_latency: 0.03, offset: (0.02, 0.02), ..clean };
        vec![
            clean,
            dispersed("od_cv0.3", 0.3, 0.03),
            dispersed("od_cv0.5", 0.5, 0.05),
            Self { name: "ar1", drift: (0.3, 0.05), ..clean },
            offset("off2%", 0.02, 0.02),
            offset("off5%", 0.05, 0.05),
            offset("off5%_err30%", 0.3, 0.05),
            Self { name: "common", common: (0.5, 0.1), ..clean },
            Self::mixed(),
            Self::hard(),
            Self { name: "benign", effect: worse(1.05, 1.03), ..clean },
            Self { name: "benign+od.3+off2%", effect: worse(1.05, 1.03), ..noisy },
            Self { name: "boundary", effect: worse(1.1, 1.05), ..clean },
            Self { name: "boundary+od.3+off2%", effect: worse(1.1, 1.05), ..noisy },
            Self { name: "sick_base", sick: true, ..clean },
            Self { name: "coldstart", cold: true, ..clean },
            Self { name: "restarts", restarts: 0.01, ..clean },
            // What would be without leaving out young replicas.
            Self { name: "coldstart, not left out", cold: true, leaves_out: false, ..clean },
            Self { name: "restarts, not left out", restarts: 0.01, leaves_out: false, ..clean },
        ]
    }
}

impl Cell {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}/{}", self.rate, self.replicas, self.scenario.name)
    }

    /// Replicas of the canary in each step.
    fn canary(&self) -> [usize; 4] {
        match self.replicas {
            0..=5 => [1, 1, 1, self.replicas],
            6..=20 => [1, 1, 3, self.replicas],
            _ => [2, 3, 10, self.replicas],
        }
    }

    /// The stream depends on the seed, the cell and the number alone.
    pub(crate) fn begin(&self, seed: u64, run: u64) -> Rollout {
        let name = format!("davy noise 1, seed {seed}, {}, rollout {run}", self.name());
        let mut rng = ChaCha8Rng::from_seed(*davy::Digest::of(name.as_bytes()).as_bytes());
        let phases = [(); 3].map(|()| TAU * fraction(&mut rng));
        let common = self.scenario.common;
        let common = (common.0 * normal(&mut rng), common.1 * normal(&mut rng));
        let mut baseline: Vec<Replica> = (0..self.replicas).map(|_| self.replica(&mut rng, None)).collect();
        if let Some(first) = baseline.first_mut() {
            first.sick = self.scenario.sick;
        }
        Rollout { cell: *self, rng, phases, common, canary: Vec::new(), baseline }
    }

    fn replica(&self, rng: &mut ChaCha8Rng, started: Option<usize>) -> Replica {
        let Scenario { offset, drift, .. } = self.scenario;
        let mut pair = |(errors, latency): (f64, f64)| (errors * normal(rng), latency * normal(rng));
        Replica { offset: pair(offset), drift: pair(drift), started, sick: false }
    }
}

impl Rollout {
    pub(crate) fn interval(&mut self, k: usize) -> Interval {
        let step = (k / STEP).min(WEIGHTS.len() - 1);
        let (cell, weight, wanted) = (self.cell, WEIGHTS[step], self.cell.canary()[step]);
        let scenario = cell.scenario;
        while self.canary.len() < wanted {
            let started = scenario.cold.then_some(k);
            self.canary.push(cell.replica(&mut self.rng, started));
        }
        let wave = |which: usize| scenario.waves[which] * sin(self.phases[which] + TAU * k as f64 / 120.0);
        let requests = cell.rate * 30.0 * (1.0 + wave(0));
        let (errors, slower) = (ERRORS * (1.0 + wave(1)), wave(2));
        if k > 0 {
            self.common = step_of_drift(self.common, scenario.common, &mut self.rng);
        }
        let shared = (unbiased(self.common.0, scenario.common.0), self.common.1);
        let mut draw = |replica: &mut Replica, share: f64, effect: Effect, tolerated: f64| {
            if k > 0 {
                replica.drift = step_of_drift(replica.drift, scenario.drift, &mut self.rng);
            }
            if scenario.restarts > 0.0 && fraction(&mut self.rng) < scenario.restarts {
                replica.started = Some(k);
            }
            let young = replica.started.is_some_and(|started| k < started + WARM_UP);
            let cold = if young { COLD } else { (1.0, 1.0) };
            let sick = if replica.sick { COLD } else { (1.0, 1.0) };
            let dispersion = dispersion(scenario.dispersion, &mut self.rng);
            let rate = errors
                * effect.errors
                * cold.0
                * sick.0
                * dispersion
                * exp(shared.0
                    + unbiased(replica.offset.0, scenario.offset.0)
                    + unbiased(replica.drift.0, scenario.drift.0));
            let later = slower
                + shared.1
                + replica.offset.1
                + replica.drift.1
                + scenario.dispersion_latency * normal(&mut self.rng)
                + log(effect.latency * cold.1 * sick.1 / tolerated);
            (young, row(poisson(requests * share, &mut self.rng), rate, later, &mut self.rng))
        };
        let each = weight / wanted as f64;
        let mut canary = [0; 5];
        let mut canary_replicas = 0;
        for replica in &mut self.canary {
            let (young, row) = draw(replica, each, scenario.effect, TOLERATED);
            if !(young && scenario.leaves_out) {
                canary.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
                canary_replicas += 1;
            }
        }
        let each = (1.0 - weight) / cell.replicas as f64;
        let none = Effect { errors: 1.0, latency: 1.0 };
        let mut baseline = Vec::with_capacity(cell.replicas);
        for (place, replica) in self.baseline.iter_mut().enumerate() {
            let (young, row) = draw(replica, each, none, 1.0);
            if !(young && scenario.leaves_out) {
                baseline.push((place, row));
            }
        }
        Interval { step, canary, canary_replicas, baseline }
    }
}

fn row(requests: u64, errors: f64, later: f64, rng: &mut ChaCha8Rng) -> Row {
    let mut row = [requests, binomial(requests, errors, rng), 0, 0, 0];
    let (mut left, mut above) = (requests, 1.0);
    for (slow, threshold) in row[2..].iter_mut().zip(THRESHOLDS) {
        let share = 0.5 * erfc((threshold - later / LATENCY) / SQRT_2);
        *slow = binomial(left, share / above, rng);
        (left, above) = (*slow, share);
    }
    row
}

fn step_of_drift(now: (f64, f64), spread: (f64, f64), rng: &mut ChaCha8Rng) -> (f64, f64) {
    let innovation = sqrt(1.0 - CORRELATION * CORRELATION);
    let mut next = |now: f64, spread: f64| {
        if spread > 0.0 { CORRELATION * now + innovation * spread * normal(rng) } else { 0.0 }
    };
    (next(now.0, spread.0), next(now.1, spread.1))
}

/// A logarithm whose exponential has the mean 1.
fn unbiased(logarithm: f64, spread: f64) -> f64 {
    logarithm - 0.5 * spread * spread
}

fn dispersion(variation: f64, rng: &mut ChaCha8Rng) -> f64 {
    if variation <= 0.0 {
        return 1.0;
    }
    let square = variation * variation;
    Gamma::new(1.0 / square, square).expect("a variation above 0").sample(rng)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn fraction(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
}

fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> u64 {
    let drawn: f64 = Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng));
    drawn as u64
}

fn binomial(requests: u64, share: f64, rng: &mut ChaCha8Rng) -> u64 {
    if requests <= 16 {
        return (0..requests).map(|_| u64::from(fraction(rng) < share)).sum();
    }
    Binomial::new(requests, share.clamp(0.0, 1.0)).map_or(0, |binomial| binomial.sample(rng))
}
