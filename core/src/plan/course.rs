//! What a test is expected to gather, interval by interval, if every interval says what it says on average.
//!
//! This mirrors what the health gate folds: the same tests, grids and thresholds, with expected counts in the place
//! of counts. The logarithm of an increment is linear in the counts, so each expected increment is exact.

use std::num::NonZeroU32;

use libm::{ceil, exp2, floor, log2};

use super::estimate::{Estimate, Latencies};
use super::{Effect, NoiseSource, Unknown};
use crate::Count;
use crate::gate::health::{proved_at, shift_in_buckets, shift_within_buckets};
use crate::policy::{Criterion, EvidencePlan, LatencyLimit, Means, MetricPlan, Proof, Query};
use crate::stats::{
    Declared, ExpectedNoise, KnownRateTest, KnownShareTest, Latency, LatencyPlan, MANY_REPLICAS, Method, Process,
    RatioTest, Starts, Traffic, cuts, strictness,
};

/// One test of one metric, as it is expected to go.
#[derive(Debug, Clone)]
pub(super) struct Course<'a> {
    evidence: &'a EvidencePlan,
    /// Replicas of the baseline that are told apart; 0 for none.
    replicas: u32,
    test: Test<'a>,
    /// Intervals that are not judged, because thresholds are chosen in them.
    unjudged: u32,
}

/// One interval of the ramp.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// Requests of each cohort.
    pub(super) canary: f64,
    pub(super) baseline: f64,
    /// Replicas of the canary that these are from.
    pub(super) replicas: u32,
    /// The step of the ramp.
    pub(super) step: usize,
}

/// The share of bad events of each cohort.
#[derive(Debug, Clone, Copy)]
struct Shares {
    canary: f64,
    baseline: f64,
}

#[derive(Debug, Clone)]
enum Test<'a> {
    Ratio {
        tests: (&'a RatioTest<8>, &'a RatioTest<3>),
        of: Shares,
        gathered: Gathered,
        /// Whether bad events are failures,
        fails: bool,
        /// and while so many fail that it is an outage: the evidence of it alone.
        outage: Option<Process<8>>,
    },
    Share {
        tests: (&'a KnownShareTest<8>, &'a KnownShareTest<3>),
        share: f64,
        gathered: Gathered,
    },
    Rate {
        tests: (&'a KnownRateTest<8>, &'a KnownRateTest<3>),
        events: f64,
        gathered: Gathered,
    },
    /// At the thresholds for harm, and at those where health must be proved.
    Shift {
        harm: Shift<'a>,
        safe: Shift<'a>,
    },
    Slow {
        tests: (&'a RatioTest<8>, &'a RatioTest<3>),
        at: Vec<(Shares, Gathered)>,
    },
}

/// Evidence of harm and of its absence, each with the noise that it is discounted by.
#[derive(Debug, Clone)]
struct Gathered {
    harm: (Process<8>, ExpectedNoise<8>),
    safe: (Process<3>, ExpectedNoise<3>),
    declared: Declared,
}

/// Evidence at several thresholds.
#[derive(Debug, Clone)]
struct Shift<'a> {
    test: &'a LatencyPlan<9>,
    of: Vec<Shares>,
    gathered: Latency<9>,
    noise: Vec<(ExpectedNoise<9>, Declared)>,
}

/// What is known of the traffic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) estimate: &'a Estimate,
    pub(super) latencies: &'a Latencies,
    /// The resolution of native buckets, where it was seen.
    pub(super) schema: Option<i8>,
    /// The bounds of classic buckets, in seconds.
    pub(super) bounds: &'a [f64],
}

/// Prometheus's default buckets, which classic buckets are expected to be.
pub(super) const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Of so many requests thresholds are chosen.
const MANY: f64 = 1e12;
/// Native buckets within so many doublings of the median.
const DOUBLINGS: f64 = 12.0;

impl<'a> Course<'a> {
    /// Before the first interval, under an effect that lasts from it on.
    pub(super) fn new(
        (metric, proof): (&MetricPlan, &'a Proof),
        known: &Known<'_>,
        effect: Effect,
        evidence: &'a EvidencePlan,
        every: f64,
    ) -> Result<Self, Unknown> {
        let Known { estimate, latencies, .. } = *known;
        let replicas = estimate.replicas.map_or(0, NonZeroU32::get);
        let noise = estimate.noise.unwrap_or_default();
        let varies = match metric.criterion {
            Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => {
                noise.latency.disturbance(latencies.steepness(slow.above))
            }
            Criterion::Latency { limit: LatencyLimit::Quantile { max, .. }, .. } => {
                noise.latency.disturbance(latencies.steepness(max))
            }
            _ => noise.errors.disturbance(1.0),
        };
        let gathered = |declared| Gathered {
            harm: (Process::new(), ExpectedNoise::new(replicas, varies)),
            safe: (Process::new(), ExpectedNoise::new(replicas, varies)),
            declared,
        };
        let test = match proof {
            Proof::Ratio { harm, safe } => {
                let of = shares(metric, estimate, latencies, effect)?;
                let fails = matches!(metric.criterion, Criterion::BadShare { .. });
                let gathered = gathered(Declared::ERRORS);
                Test::Ratio { tests: (harm, safe), of, gathered, fails, outage: None }
            }
            Proof::Exact { .. } => return Err(Unknown::Looks),
            Proof::Share { harm, safe } => {
                let share = shares(metric, estimate, latencies, effect)?.canary;
                Test::Share { tests: (harm, safe), share, gathered: gathered(Declared::KNOWN) }
            }
            Proof::Rate { harm, safe } => {
                let usual = estimate.requests.ok_or(Unknown::Requests)?.per_second() * every;
                let events = match effect {
                    Effect::None | Effect::Slower(_) | Effect::Share(_) => usual,
                    Effect::Times(times) => usual * times.as_f64(),
                    Effect::Events(events) => events,
                };
                Test::Rate { tests: (harm, safe), events, gathered: gathered(Declared::KNOWN) }
            }
            Proof::Shift { tolerate, unacceptable, harm, safe } => {
                let schema = known.schema.unwrap_or(estimate.native_schema());
                let chosen = native_cuts(latencies, schema);
                let at = |test, cuts: &[i32], later: i32| -> Result<Shift<'a>, Unknown> {
                    let slower = |cut, times| latencies.slower_than(upper_bound(cut, schema), times);
                    let of: Vec<Shares> = cuts
                        .iter()
                        .map(|cut| Shares {
                            canary: affected(effect, |times| slower(cut.saturating_add(later), times)),
                            baseline: slower(*cut, 1.0),
                        })
                        .collect();
                    let shares: Vec<f64> = of.iter().map(|of| of.baseline).collect();
                    let noise_at = |cut: &i32| {
                        let steepness = latencies.steepness(upper_bound(*cut, schema));
                        let varies = noise.latency.disturbance(steepness);
                        (ExpectedNoise::new(replicas, varies), Declared::latency(steepness))
                    };
                    let gathered = Latency::new(&shares).map_err(|_| Unknown::Latencies)?;
                    Ok(Shift { test, of, gathered, noise: cuts.iter().map(noise_at).collect() })
                };
                Test::Shift {
                    harm: at(harm, &chosen, shift_in_buckets(*tolerate, schema))?,
                    safe: at(safe, &proved_at(&chosen), shift_within_buckets(*unacceptable, schema))?,
                }
            }
            Proof::Slow { harm, safe } => {
                if !latencies.is_located {
                    return Err(Unknown::Latencies);
                }
                let of = |bound| {
                    let steepness = latencies.steepness(bound);
                    let varies = noise.latency.disturbance(steepness);
                    let shares = Shares {
                        canary: affected(effect, |times| latencies.slower_than(bound, times)),
                        baseline: latencies.slower_than(bound, 1.0),
                    };
                    let gathered = Gathered {
                        harm: (Process::new(), ExpectedNoise::new(replicas, varies)),
                        safe: (Process::new(), ExpectedNoise::new(replicas, varies)),
                        declared: Declared::latency(steepness),
                    };
                    (shares, gathered)
                };
                let at: Vec<_> = classic_cuts(latencies, known.bounds).into_iter().map(of).collect();
                if at.is_empty() {
                    return Err(Unknown::Latencies);
                }
                Test::Slow { tests: (harm, safe), at }
            }
        };
        let unjudged = u32::from(matches!(test, Test::Shift { .. } | Test::Slow { .. }));
        Ok(Self { evidence, replicas, test, unjudged })
    }

    /// Takes in an interval.
    pub(super) fn fold(&mut self, interval: Expected) {
        if self.unjudged > 0 {
            self.unjudged -= 1;
            return;
        }
        let Expected { canary, baseline, replicas, step } = interval;
        // What is no traffic says nothing.
        let traffic = |of: &Shares| Traffic::new((canary, of.canary), (baseline, of.baseline)).ok();
        let starts = self.evidence.starts;
        match &mut self.test {
            Test::Ratio { tests, of, gathered, fails, outage } => {
                let Some(traffic) = traffic(of) else { return };
                *outage = (*fails && traffic.is_outage()).then(|| {
                    let mut lasting = outage.unwrap_or(gathered.harm.0.without_past());
                    lasting.fold(starts, &tests.0.growth(&traffic));
                    lasting
                });
                gathered.fold_ratio(*tests, starts, &traffic, interval);
            }
            Test::Share { tests, share, gathered } => {
                if let (Ok(worse), Ok(better)) = (tests.0.growth(canary, *share), tests.1.growth(canary, *share)) {
                    gathered.harm.0.fold(starts, &worse);
                    gathered.safe.0.fold(Starts::First, &better);
                    let beside = |known: f64| (canary * share.min(1.0), canary * known, canary * known * (1.0 - known));
                    let (events, expected, chance) = beside(tests.0.share());
                    gathered.harm.1.fold_known(step, events, expected, chance, &worse);
                    let (events, expected, chance) = beside(tests.1.share());
                    gathered.safe.1.fold_known(0, events, expected, chance, &better);
                }
            }
            Test::Rate { tests, events, gathered } => {
                if let (Ok(worse), Ok(better)) = (tests.0.growth(*events, 1.0), tests.1.growth(*events, 1.0)) {
                    gathered.harm.0.fold(starts, &worse);
                    gathered.safe.0.fold(Starts::First, &better);
                    gathered.harm.1.fold_known(step, *events, tests.0.rate(), tests.0.rate(), &worse);
                    gathered.safe.1.fold_known(0, *events, tests.1.rate(), tests.1.rate(), &better);
                }
            }
            Test::Shift { harm, safe } => {
                harm.fold(step, replicas, traffic);
                safe.fold(0, replicas, traffic);
            }
            Test::Slow { tests, at } => {
                for (of, gathered) in at {
                    let Some(traffic) = traffic(of) else { continue };
                    gathered.fold_ratio(*tests, starts, &traffic, interval);
                }
            }
        }
    }

    /// The evidence of harm, as if requests were independent.
    pub(super) fn harm(&self) -> f64 {
        let starts = self.evidence.starts;
        match &self.test {
            Test::Ratio { gathered, .. } | Test::Share { gathered, .. } | Test::Rate { gathered, .. } => {
                gathered.harm.0.e(starts)
            }
            Test::Shift { harm, .. } => harm.gathered.e(harm.test),
            Test::Slow { at, .. } => mean(at.iter().map(|(_, gathered)| gathered.harm.0.e(starts))),
        }
    }

    /// What the noise leaves of it.
    pub(super) fn discounted(&self) -> f64 {
        let ramp = &self.evidence.ramp;
        let e = match &self.test {
            Test::Ratio { tests, gathered, outage, .. } => {
                let (noise, bound) = (&gathered.harm.1, tests.0.bound());
                let discounted = ramp.average(|window| left(noise, window, bound, gathered.declared));
                outage.map_or(discounted, |outage| outage.e(self.evidence.starts).max(discounted))
            }
            Test::Share { gathered, .. } | Test::Rate { gathered, .. } => {
                ramp.average(|window| left(&gathered.harm.1, window, 1.0, gathered.declared))
            }
            Test::Shift { harm, .. } => mean(
                harm.noise.iter().map(|(noise, declared)| ramp.average(|window| left(noise, window, 1.0, *declared))),
            ),
            Test::Slow { tests, at } => mean(at.iter().map(|(_, gathered)| {
                let (noise, bound) = (&gathered.harm.1, tests.0.bound());
                ramp.average(|window| left(noise, window, bound, gathered.declared))
            })),
        };
        if self.evidence.strict { e / strictness(usize::try_from(self.replicas).unwrap_or(usize::MAX)) } else { e }
    }

    /// The evidence of being good enough, where it is weakest, as if requests were independent.
    pub(super) fn safe(&self) -> f64 {
        match &self.test {
            Test::Ratio { gathered, .. } | Test::Share { gathered, .. } | Test::Rate { gathered, .. } => {
                gathered.safe.0.e(Starts::First)
            }
            // Until thresholds are chosen nothing is shown.
            Test::Shift { .. } | Test::Slow { .. } if self.unjudged > 0 => 1.0,
            Test::Shift { safe, .. } => safe.gathered.least_e(safe.test),
            Test::Slow { at, .. } => least(at.iter().map(|(_, gathered)| gathered.safe.0.e(Starts::First))),
        }
    }

    /// What the noise leaves of it.
    pub(super) fn doubted(&self) -> f64 {
        match &self.test {
            Test::Ratio { tests, gathered, .. } => self.doubt(&gathered.safe.1, tests.1.bound(), gathered.declared),
            Test::Share { gathered, .. } | Test::Rate { gathered, .. } => {
                self.doubt(&gathered.safe.1, 1.0, gathered.declared)
            }
            Test::Shift { .. } | Test::Slow { .. } if self.unjudged > 0 => 1.0,
            Test::Shift { safe, .. } => {
                least(safe.noise.iter().map(|(noise, declared)| self.doubt(noise, 1.0, *declared)))
            }
            Test::Slow { tests, at } => {
                let of = |(_, gathered): &(Shares, Gathered)| {
                    self.doubt(&gathered.safe.1, tests.1.bound(), gathered.declared)
                };
                least(at.iter().map(of))
            }
        }
    }

    fn doubt<const J: usize>(&self, noise: &ExpectedNoise<J>, bound: f64, declared: Declared) -> f64 {
        let Some(estimate) = noise.estimate(0, bound, declared) else { return 1.0 };
        if self.evidence.strict && estimate.method != Method::Declared {
            return estimate.e / strictness(estimate.replicas);
        }
        estimate.e
    }

    /// Where the noise is known from.
    pub(super) fn noise_source(&self) -> NoiseSource {
        let estimates: Vec<_> = match &self.test {
            Test::Ratio { tests, gathered, .. } => {
                gathered.harm.1.estimate(0, tests.0.bound(), gathered.declared).into_iter().collect()
            }
            // A limit that is known is not compared with replicas.
            Test::Share { .. } | Test::Rate { .. } => return NoiseSource::KnownLimit,
            Test::Shift { harm, .. } => {
                harm.noise.iter().filter_map(|(noise, declared)| noise.estimate(0, 1.0, *declared)).collect()
            }
            Test::Slow { tests, at } => {
                let of = |(_, gathered): &(Shares, Gathered)| {
                    gathered.harm.1.estimate(0, tests.0.bound(), gathered.declared)
                };
                at.iter().filter_map(of).collect()
            }
        };
        let Some(count) = NonZeroU32::new(self.replicas) else { return NoiseSource::NoReplicas };
        let few = usize::try_from(self.replicas).is_ok_and(|replicas| replicas < MANY_REPLICAS);
        NoiseSource::Replicas { count, more_help: few || estimates.iter().any(crate::stats::Estimate::needs_replicas) }
    }
}

impl Gathered {
    fn fold_ratio(
        &mut self,
        (worse, better): (&RatioTest<8>, &RatioTest<3>),
        starts: Starts,
        traffic: &Traffic,
        Expected { replicas, step, .. }: Expected,
    ) {
        let (worse_now, better_now) = (worse.growth(traffic), better.growth(traffic));
        self.harm.0.fold(starts, &worse_now);
        self.harm.1.fold(worse.bound(), step, traffic, replicas, &worse_now);
        self.safe.0.fold(Starts::First, &better_now);
        self.safe.1.fold(better.bound(), 0, traffic, replicas, &better_now);
    }
}

impl Shift<'_> {
    fn fold(&mut self, step: usize, replicas: u32, traffic: impl Fn(&Shares) -> Option<Traffic>) {
        let Some(all) = self.of.iter().map(traffic).collect::<Option<Vec<_>>>() else { return };
        let noise = &mut self.noise;
        self.gathered.fold_expected(self.test, &all, |index, increment| {
            if let (Some(traffic), Some((noise, _))) = (all.get(index), noise.get_mut(index)) {
                noise.fold(1.0, step, traffic, replicas, increment);
            }
        });
    }
}

/// What the noise leaves of a window's evidence; 1 before the window began.
fn left<const J: usize>(noise: &ExpectedNoise<J>, window: usize, bound: f64, declared: Declared) -> f64 {
    noise.estimate(window, bound, declared).map_or(1.0, |estimate| estimate.e)
}

fn mean(evidence: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = evidence.fold((0.0, 0.0_f64), |(sum, count), e| (sum + e, count + 1.0));
    sum / count.max(1.0)
}

fn least(evidence: impl Iterator<Item = f64>) -> f64 {
    evidence.fold(f64::INFINITY, f64::min)
}

/// The shares of bad events that a criterion counts.
fn shares(metric: &MetricPlan, estimate: &Estimate, latencies: &Latencies, effect: Effect) -> Result<Shares, Unknown> {
    let above = match metric.criterion {
        Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => Some(slow.above),
        Criterion::Latency { limit: LatencyLimit::Quantile { max, .. }, .. } => Some(max),
        _ => None,
    };
    if let Some(above) = above {
        if !latencies.is_located {
            return Err(Unknown::Latencies);
        }
        let slower = |times| latencies.slower_than(above, times);
        return Ok(Shares { canary: affected(effect, slower), baseline: slower(1.0) });
    }
    // A flow that nobody knows to fail is not expected to.
    let usual = match (estimate.bad, &metric.means) {
        (Some(bad), _) => bad.as_fraction(),
        (None, Means::Query(Query::Probe(_))) if !metric.is_relative() => 0.0,
        (None, _) => return Err(Unknown::Bad),
    };
    Ok(Shares { canary: affected(effect, |_| usual), baseline: usual })
}

/// The share of the canary, given that of a canary whose requests take so many times as long.
fn affected(effect: Effect, share: impl Fn(f64) -> f64) -> f64 {
    match effect {
        Effect::None | Effect::Events(_) => share(1.0),
        Effect::Times(times) => (share(1.0) * times.as_f64()).min(1.0),
        Effect::Slower(times) => share(times.as_f64()),
        Effect::Share(share) => share.as_fraction(),
    }
}

/// The latency at which a native bucket ends.
fn upper_bound(index: i32, schema: i8) -> f64 {
    exp2(f64::from(index) / exp2(f64::from(schema)))
}

fn native_cuts(latencies: &Latencies, schema: i8) -> Vec<i32> {
    let per_doubling = exp2(f64::from(schema));
    #[expect(clippy::cast_possible_truncation, reason = "within 30 doublings of a second, at most 256 buckets each")]
    let (middle, reach) =
        (floor(log2(latencies.median()) * per_doubling) as i32, ceil(DOUBLINGS * per_doubling) as i32);
    let bounds =
        (middle.saturating_sub(reach)..=middle.saturating_add(reach)).map(|index| (index, upper_bound(index, schema)));
    chosen(bounds, latencies)
}

fn classic_cuts(latencies: &Latencies, bounds: &[f64]) -> Vec<f64> {
    chosen(bounds.iter().map(|bound| (*bound, *bound)), latencies)
}

fn chosen<B: Copy>(bounds: impl Iterator<Item = (B, f64)>, latencies: &Latencies) -> Vec<B> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 10^12")]
    let count = |share: f64| Count::new((share * MANY) as u64).unwrap_or(Count::MAX);
    let slower: Vec<(B, Count)> = bounds.map(|(at, bound)| (at, count(latencies.slower_than(bound, 1.0)))).collect();
    cuts(&slower, count(1.0)).into_iter().map(|cut| cut.at).collect()
}
