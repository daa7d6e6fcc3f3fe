//! What disturbs traffic beyond chance: how a cohort is made of replicas, and what each of them adds of its own.

use std::num::NonZeroU32;

use clap::ValueEnum as _;
use davy::plan::Variation;
use davy::{Cohort, Instant, Name, ReplicaStart};
use libm::{exp, sqrt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Gamma, StandardNormal};

use super::draw::fraction;

/// How requests depend on each other, by name. Standard deviations are those of logarithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Not at all: requests are independent
    None,
    /// Errors vary by 30 %, and latencies by 3 %, from interval to interval
    #[value(name = "dispersed-0.3")]
    Dispersed3,
    /// By 50 % and 5 %
    #[value(name = "dispersed-0.5")]
    Dispersed5,
    /// By 30 % and 5 %, and neighbouring intervals are alike: a correlation of 0.7
    Drift,
    /// Every replica is different for good: by 2 %
    #[value(name = "offset-2")]
    Offset2,
    /// By 5 %
    #[value(name = "offset-5")]
    Offset5,
    /// All replicas drift together: errors by 50 %, latencies by 10 %
    Common,
    /// A little of each: dispersed by 30 %, offsets of 2 %, drift of 10 % and 2 %
    Mixed,
    /// Much of each: dispersed by 50 %, offsets of 5 %, drift of 30 % and 5 %
    Hard,
    /// A replica that has just started has three times the errors and takes 1.3 times as long, for two intervals
    ColdStart,
    /// The same, and replicas restart in one of a hundred intervals
    Restarts,
    /// One replica of the baseline is like that always
    SickReplica,
}

/// The replicas of both cohorts, and their noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise {
    kind: Kind,
    /// Replicas of the baseline; `None`: counts are not kept apart.
    replicas: Option<u32>,
    /// Replicas of the canary; `None`: as many as its weight asks for.
    canary: Option<u32>,
    /// Whether the host says when replicas started.
    says_starts: bool,
}

/// One part of a cohort's traffic in one interval.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Which replica, if the counts are kept apart.
    pub(super) replica: Option<Name>,
    /// Its share of the cohort's requests.
    pub(super) share: f64,
    /// By how many times its errors are more than they would be.
    pub(super) errors: f64,
    /// The natural logarithm of how many times as long its requests take.
    pub(super) slower: f64,
}

/// The noise of one rollout: what remains from one interval to the next.
#[derive(Debug, Clone)]
pub(super) struct Disturbance {
    noise: Noise,
    canary: Vec<Replica>,
    baseline: Vec<Replica>,
    common: Pair,
    began: bool,
    starts: Vec<ReplicaStart>,
}

#[derive(Debug, Clone)]
struct Replica {
    name: Option<Name>,
    offset: Pair,
    drift: Pair,
    /// The interval in which it started last, if it is young.
    started: Option<u64>,
}

/// Of errors, and of latencies.
type Pair = (f64, f64);

/// What kind of noise, in numbers.
#[derive(Debug, Clone, Copy)]
struct Spread {
    dispersion: Pair,
    drift: Pair,
    offset: Pair,
    common: Pair,
}

const CORRELATION: f64 = 0.7;
/// What is wrong with a replica that is cold, or sick: times as many errors, times as slow.
const COLD: Pair = (3.0, 1.3);
/// For how many intervals a replica is cold.
const COLD_FOR: u64 = 2;
/// The chance of a restart, per replica and interval.
const RESTARTS: f64 = 0.01;

impl Kind {
    /// What a plan knows of it; nothing where replicas do not vary.
    pub(crate) fn variation(self) -> Option<Variation> {
        let name = self.to_possible_value()?;
        Variation::of_kind(name.get_name()).ok().flatten()
    }

    const fn spread(self) -> Spread {
        let none = Spread { dispersion: (0.0, 0.0), drift: (0.0, 0.0), offset: (0.0, 0.0), common: (0.0, 0.0) };
        match self {
            Self::None | Self::ColdStart | Self::Restarts | Self::SickReplica => none,
            Self::Dispersed3 => Spread { dispersion: (0.3, 0.03), ..none },
            Self::Dispersed5 => Spread { dispersion: (0.5, 0.05), ..none },
            Self::Drift => Spread { drift: (0.3, 0.05), ..none },
            Self::Offset2 => Spread { offset: (0.02, 0.02), ..none },
            Self::Offset5 => Spread { offset: (0.05, 0.05), ..none },
            Self::Common => Spread { common: (0.5, 0.1), ..none },
            Self::Mixed => Spread { dispersion: (0.3, 0.03), drift: (0.1, 0.02), offset: (0.02, 0.02), ..none },
            Self::Hard => Spread { dispersion: (0.5, 0.05), drift: (0.3, 0.05), offset: (0.05, 0.05), ..none },
        }
    }
}

impl Noise {
    pub(super) const INDEPENDENT: Self = Self { kind: Kind::None, replicas: None, canary: None, says_starts: true };

    pub(super) const fn of(kind: Kind, replicas: Option<u32>, canary: Option<u32>) -> Self {
        Self { kind, replicas, canary, says_starts: true }
    }

    /// What the name of a stream needs of it; nothing where there is none, so that those streams stay as they are.
    pub(super) fn text(self) -> String {
        if self == Self::INDEPENDENT {
            return String::new();
        }
        format!(", {:?} of {:?} and {:?} replicas", self.kind, self.replicas, self.canary)
    }

    /// Replicas of the baseline that a plan reckons with, and how they vary; nothing where it reckons with other replicas of
    /// the canary.
    pub(super) fn planned(self) -> Option<(Option<NonZeroU32>, Option<Variation>)> {
        self.canary.is_none().then(|| (self.replicas.and_then(NonZeroU32::new), self.kind.variation()))
    }

    /// A host that says that all replicas are old, so that none is left out: a mistake that a test plants.
    #[cfg(test)]
    pub(super) const fn with_all_replicas_old(self) -> Self {
        Self { says_starts: false, ..self }
    }

    /// Before the first interval.
    pub(super) fn begin(self, rng: &mut ChaCha8Rng) -> Disturbance {
        // Streams without noise stay as they were before there was any.
        let common = if self == Self::INDEPENDENT { (0.0, 0.0) } else { normals(self.kind.spread().common, rng) };
        Disturbance { noise: self, canary: Vec::new(), baseline: Vec::new(), common, began: false, starts: Vec::new() }
    }

    /// As many replicas as serve the weight as the baseline's serve the rest.
    fn wanted(self, cohort: Cohort, weight: f64) -> u32 {
        let baseline = self.replicas.unwrap_or(1).max(1);
        match (cohort, self.canary) {
            (Cohort::Baseline, _) => baseline,
            (Cohort::Canary, Some(fixed)) => fixed.max(1),
            (Cohort::Canary, None) => {
                let fair = f64::from(baseline) * weight / (1.0 - weight).max(f64::MIN_POSITIVE);
                (fair.round().min(f64::from(baseline)) as u32).max(1)
            }
        }
    }
}

impl Disturbance {
    /// Of what parts interval `k` of a cohort consists, which has this weight and begins at this instant.
    pub(super) fn parts(
        &mut self,
        cohort: Cohort,
        weight: f64,
        k: u64,
        at: Instant,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Part> {
        if self.noise == Noise::INDEPENDENT {
            return vec![Part { replica: None, share: 1.0, errors: 1.0, slower: 0.0 }];
        }
        let Self { noise, canary, baseline, common, began, starts } = self;
        let spread = noise.kind.spread();
        let first = !*began && cohort == Cohort::Canary;
        if cohort == Cohort::Canary && *began {
            *common = drifted(*common, spread.common, rng);
        }
        *began = true;
        let replicas = if cohort == Cohort::Canary { canary } else { baseline };
        let wanted = noise.wanted(cohort, weight);
        while replicas.len() < wanted as usize {
            let name = noise.replicas.is_some().then(|| named(cohort, replicas.len())).flatten();
            let is_new = cohort == Cohort::Canary && !first;
            let replica = Replica {
                offset: normals(spread.offset, rng),
                drift: normals(spread.drift, rng),
                started: is_new.then_some(k),
                name,
            };
            note(starts, noise, cohort, &replica, if is_new { Some(at) } else { None });
            replicas.push(replica);
        }
        let share = 1.0 / f64::from(wanted);
        let mut parts = Vec::with_capacity(replicas.len());
        for (place, replica) in replicas.iter_mut().take(wanted as usize).enumerate() {
            if replica.started != Some(k) {
                replica.drift = drifted(replica.drift, spread.drift, rng);
            }
            if noise.kind == Kind::Restarts && fraction(rng) < RESTARTS {
                replica.started = Some(k);
                note(starts, noise, cohort, replica, Some(at));
            }
            let colds = matches!(noise.kind, Kind::ColdStart | Kind::Restarts);
            let cold = colds && replica.started.is_some_and(|started| k < started + COLD_FOR);
            let sick = noise.kind == Kind::SickReplica && cohort == Cohort::Baseline && place == 0;
            let (more, longer) = if cold || sick { COLD } else { (1.0, 1.0) };
            let logs = unbiased(common.0, spread.common.0)
                + unbiased(replica.offset.0, spread.offset.0)
                + unbiased(replica.drift.0, spread.drift.0);
            let slower = common.1 + replica.offset.1 + replica.drift.1 + spread.dispersion.1 * normal(rng);
            parts.push(Part {
                replica: replica.name.clone(),
                share,
                errors: more * dispersed(spread.dispersion.0, rng) * exp(logs),
                slower: slower + libm::log(longer),
            });
        }
        parts
    }

    /// When replicas started, as the host would say it.
    pub(super) fn starts(&self) -> &[ReplicaStart] {
        &self.starts
    }
}

/// Writes down when a replica started: long ago, unless it is said.
fn note(starts: &mut Vec<ReplicaStart>, noise: &Noise, cohort: Cohort, replica: &Replica, at: Option<Instant>) {
    let Some(name) = &replica.name else { return };
    let started_at = at.filter(|_| noise.says_starts).unwrap_or(Instant::EPOCH);
    starts.push(ReplicaStart { cohort, replica: name.clone(), started_at });
}

fn named(cohort: Cohort, number: usize) -> Option<Name> {
    let cohort = if cohort == Cohort::Canary { "canary" } else { "baseline" };
    format!("{cohort}-{number:03}").parse().ok()
}

fn drifted(now: Pair, spread: Pair, rng: &mut ChaCha8Rng) -> Pair {
    let (errors, latency) = normals(spread, rng);
    let innovation = sqrt(1.0 - CORRELATION * CORRELATION);
    (CORRELATION * now.0 + innovation * errors, CORRELATION * now.1 + innovation * latency)
}

fn normals(spread: Pair, rng: &mut ChaCha8Rng) -> Pair {
    (spread.0 * normal(rng), spread.1 * normal(rng))
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A logarithm whose exponential has the mean 1.
fn unbiased(logarithm: f64, spread: f64) -> f64 {
    logarithm - 0.5 * spread * spread
}

/// A gamma variable of mean 1 with this coefficient of variation.
fn dispersed(variation: f64, rng: &mut ChaCha8Rng) -> f64 {
    let square = variation * variation;
    // What does not vary has no distribution.
    Gamma::new(1.0 / square, square).map_or(1.0, |gamma| gamma.sample(rng))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use davy::Share;
    use davy::plan::Varies;

    use super::super::draw::stream;
    use super::*;

    fn parts(noise: Noise, cohort: Cohort, weight: f64, intervals: u64) -> Vec<Vec<Part>> {
        let mut rng = stream(1, "noise", 1, 1);
        let mut disturbance = noise.begin(&mut rng);
        (0..intervals).map(|k| disturbance.parts(cohort, weight, k, Instant::EPOCH, &mut rng)).collect()
    }

    #[test]
    fn what_a_plan_knows_of_noise_is_what_is_drawn() {
        let share = |part: f64| Share::from_ppm((1e6 * part).round() as u32);
        for kind in Kind::value_variants() {
            let name = kind.to_possible_value().unwrap();
            let known = Variation::of_kind(name.get_name()).unwrap();
            let Spread { dispersion, drift, offset, .. } = kind.spread();
            let of = |which: fn(Pair) -> f64| Varies {
                spread: share(which(dispersion)),
                drift: share(which(drift)),
                correlation: share(if which(drift) > 0.0 { CORRELATION } else { 0.0 }),
                offset: share(which(offset)),
            };
            let drawn = Variation { errors: of(|pair| pair.0), latency: of(|pair| pair.1) };
            assert_eq!(known.unwrap_or_default(), drawn, "{kind:?}");
            assert_eq!(known.is_some(), drawn != Variation::default(), "{kind:?}");
        }
    }

    #[test]
    fn the_canary_has_as_many_replicas_as_its_weight_asks_for() {
        for (replicas, expected) in [(3, [1, 1, 1, 3]), (10, [1, 1, 3, 10]), (30, [2, 3, 10, 30])] {
            let noise = Noise::of(Kind::Mixed, Some(replicas), None);
            assert_eq!([0.05, 0.1, 0.25, 0.5].map(|weight| noise.wanted(Cohort::Canary, weight)), expected);
        }
    }

    #[test]
    fn noise_has_the_mean_that_it_disturbs() {
        for kind in [Kind::Dispersed5, Kind::Drift, Kind::Offset5, Kind::Hard] {
            let noise = Noise::of(kind, Some(2000), None);
            let all = parts(noise, Cohort::Baseline, 0.95, 3);
            let mean = all[2].iter().map(|part| part.errors).sum::<f64>() / 2000.0;
            assert!((mean - 1.0).abs() < 0.05, "{kind:?} {mean}");
        }
    }

    #[test]
    fn neighbouring_intervals_are_alike_only_where_noise_drifts() {
        let correlation = |kind| {
            let all = parts(Noise::of(kind, Some(4000), None), Cohort::Baseline, 0.95, 2);
            let logs = |k: usize| all[k].iter().map(|part| libm::log(part.errors)).collect::<Vec<f64>>();
            let (a, b) = (logs(0), logs(1));
            let centre = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
            let (ma, mb) = (centre(&a), centre(&b));
            let product =
                |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
            product(&a, ma, &b, mb) / sqrt(product(&a, ma, &a, ma) * product(&b, mb, &b, mb))
        };
        assert!((correlation(Kind::Drift) - 0.7).abs() < 0.05);
        assert!(correlation(Kind::Dispersed3).abs() < 0.05);
        assert!(correlation(Kind::Offset5) > 0.999);
    }
}
