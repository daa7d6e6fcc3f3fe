//! What one test of a metric has gathered: evidence of harm and of its absence, and what both are discounted by.

use serde::{Deserialize, Serialize};

use super::super::reading::{Sides, classic, events, native, shift_in_buckets, shift_within_buckets};
use super::counted::{
    Bucket, Counted, absolute, bad, counted, of_histogram, replicas, slow_in_buckets, slow_in_histogram, whole,
};
use super::replicas::Replicas;
use super::shown::Shown;
use crate::policy::{Criterion, EvidencePlan, MetricPlan, Proof};
use crate::snapshot::{Buckets, Cohort, Histogram, NoiseHistory};
use crate::stats::{
    Arm, ByReplica, Declared, Estimate, Exposed, GroupSequential, Latency, LookError, Method, Noise, Pair, Process,
    RatioLimits, RatioRange, Starts, cuts, is_outage, sick, strictness,
};
use crate::{Count, Name, Share};

/// Requests of the baseline in the interval that chooses thresholds.
const ENOUGH_TO_CHOOSE: u64 = 20;

/// How sure the limits on a ratio are, at all looks together.
const RATIO_CONFIDENCE: Share = Share::from_ppm(950_000);

/// What one test of a metric has gathered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Gathered {
    /// Counts beside the baseline's.
    Compared {
        harm: Process<8>,
        noise: Noise<8>,
        safe: Process<3>,
        doubt: Noise<3>,
        ratio: Box<RatioRange<25>>,
        shown: Shown,
        /// While an outage lasts: the evidence of its own intervals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outage: Option<Process<8>>,
    },
    /// Counts beside one bound.
    Counts { harm: Process<8>, noise: Noise<8>, safe: Process<3>, doubt: Noise<3>, shown: Shown },
    /// Native histograms, once their thresholds are chosen.
    Native { chosen: Option<Shifted>, shown: Shown },
    /// Classic buckets: a process per bound, once they are chosen.
    Classic { chosen: Vec<AtBound>, shown: Shown },
    /// Counts at looks that are fixed beforehand; some may have had too many events for an exact test.
    Exact { test: GroupSequential, unjudged: u32, safe: Process<3>, doubt: Noise<3>, shown: Shown },
}

/// What native histograms have gathered at the buckets that were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Shifted {
    /// The resolution that the buckets are counted in.
    schema: i8,
    /// Rising.
    at: Vec<i32>,
    /// By how many per cent fewer requests exceed it, if a threshold rises by one.
    steepness: Vec<f64>,
    harm: Latency<9>,
    noise: Vec<Noise<9>>,
    safe: Latency<9>,
    doubt: Vec<Noise<9>>,
}

/// What classic buckets have gathered at one bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AtBound {
    /// In seconds.
    bound: f64,
    steepness: f64,
    harm: Process<8>,
    noise: Noise<8>,
    safe: Process<3>,
    doubt: Noise<3>,
}

/// One interval as a metric sees it.
#[derive(Clone, Copy)]
pub(super) struct Interval<'a> {
    pub(super) sides: Sides<'a>,
    /// The step of the ramp.
    pub(super) step: usize,
    pub(super) known: &'a Replicas,
    pub(super) past: Past<'a>,
}

/// What past rollouts showed of a metric; its tests are numbered from `first` on.
#[derive(Clone, Copy)]
pub(super) struct Past<'a> {
    pub(super) history: Option<&'a NoiseHistory>,
    pub(super) metric: &'a Name,
    pub(super) first: usize,
}

impl Past<'_> {
    pub(super) fn of(&self, test: usize, window: usize, age: u32) -> Option<f64> {
        self.history?.noise(self.metric, self.first + test, window, age)
    }
}

/// The noise beside one process of harm, whatever its effect sizes.
pub(super) trait Doubted {
    fn age(&self, window: usize) -> u32;
    fn estimate(&self, window: usize, bound: f64, declared: Declared, past: Option<f64>) -> Option<Estimate>;
    fn estimate_by(
        &self,
        method: Method,
        window: usize,
        bound: f64,
        declared: Declared,
        past: Option<f64>,
    ) -> Option<Estimate>;
    /// How many replicas of the baseline are compared.
    fn replicas(&self) -> usize;
    /// The largest relative excess of one of them.
    fn worst(&self) -> Option<f64>;
}

impl<const J: usize> Doubted for Noise<J> {
    fn age(&self, window: usize) -> u32 {
        Self::age(self, window)
    }

    fn estimate(&self, window: usize, bound: f64, declared: Declared, past: Option<f64>) -> Option<Estimate> {
        Self::estimate(self, window, bound, declared, past)
    }

    fn estimate_by(
        &self,
        method: Method,
        window: usize,
        bound: f64,
        declared: Declared,
        past: Option<f64>,
    ) -> Option<Estimate> {
        Self::estimate_by(self, method, window, bound, declared, past)
    }

    fn replicas(&self) -> usize {
        self.excesses().count()
    }

    fn worst(&self) -> Option<f64> {
        self.excesses().map(|(_, excess, _)| excess).max_by(f64::total_cmp)
    }
}

/// One process of harm with its noise.
#[derive(Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) noise: &'a dyn Doubted,
    pub(super) bound: f64,
    pub(super) declared: Declared,
    /// Whether it compares with a baseline, rather than with what is known.
    pub(super) is_compared: bool,
    /// What says that the canary is down, while it is: no noise is like that.
    pub(super) outage: Option<&'a Process<8>>,
}

impl Gathered {
    pub(super) fn new(proof: &Proof) -> Self {
        let shown = Shown::new();
        match proof {
            Proof::Ratio { .. } => Self::Compared {
                harm: Process::new(),
                noise: Noise::new(),
                safe: Process::new(),
                doubt: Noise::new(),
                ratio: Box::default(),
                shown,
                outage: None,
            },
            Proof::Share { .. } | Proof::Rate { .. } => Self::Counts {
                harm: Process::new(),
                noise: Noise::new(),
                safe: Process::new(),
                doubt: Noise::new(),
                shown,
            },
            Proof::Exact { .. } => Self::Exact {
                test: GroupSequential::new(),
                unjudged: 0,
                safe: Process::new(),
                doubt: Noise::new(),
                shown,
            },
            Proof::Shift { .. } => Self::Native { chosen: None, shown },
            Proof::Slow { .. } => Self::Classic { chosen: Vec::new(), shown },
        }
    }

    pub(super) fn fits(&self, proof: &Proof) -> bool {
        matches!(
            (self, proof),
            (Self::Compared { .. }, Proof::Ratio { .. })
                | (Self::Counts { .. }, Proof::Share { .. } | Proof::Rate { .. })
                | (Self::Native { .. }, Proof::Shift { .. })
                | (Self::Classic { .. }, Proof::Slow { .. })
                | (Self::Exact { .. }, Proof::Exact { .. })
        )
    }

    pub(super) const fn shown(&self) -> &Shown {
        match self {
            Self::Compared { shown, .. }
            | Self::Counts { shown, .. }
            | Self::Native { shown, .. }
            | Self::Classic { shown, .. }
            | Self::Exact { shown, .. } => shown,
        }
    }

    /// The evidence of harm.
    pub(super) fn harm(&self, plan: &EvidencePlan, proof: &Proof) -> f64 {
        match (self, proof) {
            (Self::Compared { harm, .. } | Self::Counts { harm, .. }, _) => harm.e(plan.starts),
            (Self::Native { chosen: Some(chosen), .. }, Proof::Shift { harm, .. }) => chosen.harm.e(harm),
            (Self::Classic { chosen, .. }, _) if !chosen.is_empty() => {
                let sum: f64 = chosen.iter().map(|at| at.harm.e(plan.starts)).sum();
                #[expect(clippy::cast_precision_loss, reason = "a few thresholds")]
                let thresholds = chosen.len() as f64;
                sum / thresholds
            }
            // Nothing gathered yet, or nothing that is an e-value: no evidence either way.
            (Self::Native { .. } | Self::Classic { .. } | Self::Exact { .. }, _) => 1.0,
        }
    }

    /// How many times as often as the baseline the canary has bad events, where that is what it counts.
    pub(super) fn ratio(&self, plan: &EvidencePlan) -> Option<RatioLimits> {
        let Self::Compared { ratio, .. } = self else { return None };
        let limits = ratio.limits(&plan.ratios, RATIO_CONFIDENCE);
        (limits.above.is_some() || limits.below.is_some()).then_some(limits)
    }

    /// Its processes of harm with their noise, each of the same weight.
    pub(super) fn tests<'a>(&'a self, proof: &'a Proof) -> impl Iterator<Item = Test<'a>> {
        (0_usize..).map_while(move |place| self.test(proof, place))
    }

    fn test<'a>(&'a self, proof: &'a Proof, place: usize) -> Option<Test<'a>> {
        match (self, proof) {
            (Self::Compared { noise, outage, .. }, Proof::Ratio { harm, .. }) if place == 0 => {
                let (bound, declared) = (harm.bound(), Declared::ERRORS);
                Some(Test { noise, bound, declared, is_compared: true, outage: outage.as_ref() })
            }
            (Self::Counts { noise, .. }, _) if place == 0 => {
                Some(Test { noise, bound: 1.0, declared: Declared::KNOWN, is_compared: false, outage: None })
            }
            (Self::Native { chosen: Some(chosen), .. }, _) => {
                let (noise, steepness) = chosen.noise.get(place).zip(chosen.steepness.get(place))?;
                let declared = Declared::latency(*steepness);
                Some(Test { noise, bound: 1.0, declared, is_compared: true, outage: None })
            }
            (Self::Classic { chosen, .. }, Proof::Slow { harm, .. }) => {
                let at = chosen.get(place)?;
                let (bound, declared) = (harm.bound(), Declared::latency(at.steepness));
                Some(Test { noise: &at.noise, bound, declared, is_compared: true, outage: None })
            }
            (
                Self::Compared { .. }
                | Self::Counts { .. }
                | Self::Native { .. }
                | Self::Classic { .. }
                | Self::Exact { .. },
                _,
            ) => None,
        }
    }

    /// Places of replicas of the baseline that have far more bad events, or slow requests, than the others.
    pub(super) fn sick(&self) -> Vec<usize> {
        match self {
            Self::Compared { noise, .. } | Self::Counts { noise, .. } => sick(noise),
            Self::Native { chosen, .. } => {
                chosen.as_ref().and_then(|chosen| chosen.noise.first()).map(sick).unwrap_or_default()
            }
            Self::Classic { chosen, .. } => chosen.first().map(|at| sick(&at.noise)).unwrap_or_default(),
            // Looks that are fixed beforehand leave nothing out.
            Self::Exact { .. } => Vec::new(),
        }
    }

    /// Compares the replica at this place no longer.
    pub(super) fn forget(&mut self, place: usize) {
        match self {
            Self::Compared { noise, doubt, .. } | Self::Counts { noise, doubt, .. } => {
                noise.forget(place);
                doubt.forget(place);
            }
            Self::Native { chosen, .. } => {
                let all = chosen.iter_mut().flat_map(|chosen| chosen.noise.iter_mut().chain(&mut chosen.doubt));
                all.for_each(|noise| noise.forget(place));
            }
            Self::Classic { chosen, .. } => chosen.iter_mut().for_each(|at| {
                at.noise.forget(place);
                at.doubt.forget(place);
            }),
            Self::Exact { doubt, .. } => doubt.forget(place),
        }
    }

    /// What is not there, or not a count, says nothing and is left out.
    pub(super) fn fold(&mut self, plan: &EvidencePlan, proof: &Proof, metric: &MetricPlan, interval: Interval<'_>) {
        let Interval { sides, step, known, past } = interval;
        match (self, proof) {
            (
                Self::Compared { harm, noise, safe, doubt, ratio, shown, outage },
                Proof::Ratio { harm: worse, safe: better },
            ) => {
                let of = |observed: &_| bad(&metric.criterion, observed);
                let Some(canary) = whole(sides.canary, of) else { return };
                let Some(Counted { whole: baseline, replicas: parts }) = counted(known, sides.baseline, of) else {
                    return;
                };
                let pair = Pair { canary, baseline };
                let seen = ByReplica { pair, canary: replicas(sides.canary), baseline: &parts };
                let (worse_now, better_now) = (worse.increment(&pair), better.increment(&pair));
                // Slow requests are common enough to be noise.
                let is_down = matches!(metric.criterion, Criterion::BadShare { .. }) && is_outage(&pair);
                *outage = is_down.then(|| {
                    let mut lasting = outage.unwrap_or(harm.without_past());
                    lasting.fold(plan.starts, &worse_now);
                    lasting
                });
                harm.fold(plan.starts, &worse_now);
                noise.fold(worse.bound(), step, &seen, &worse_now);
                ratio.fold(&plan.ratios, &pair);
                safe.fold(Starts::First, &better_now);
                doubt.fold(better.bound(), 0, &seen, &better_now);
                shown.fold(
                    plan,
                    safe.e(Starts::First),
                    doubted(plan, doubt, better.bound(), Declared::ERRORS, past.of(0, 0, doubt.age(0))),
                );
            }
            (Self::Counts { harm, noise, safe, doubt, shown }, Proof::Share { harm: worse, safe: better }) => {
                if let Some(arm) = absolute(&metric.criterion, sides.canary, Bucket::Beyond) {
                    let increment = worse.increment(arm);
                    harm.fold(plan.starts, &increment);
                    noise.fold_share(step, arm, worse.share(), &increment);
                }
                if let Some(arm) = absolute(&metric.criterion, sides.canary, Bucket::Within) {
                    let increment = better.increment(arm);
                    safe.fold(Starts::First, &increment);
                    doubt.fold_share(0, arm, better.share(), &increment);
                    shown.fold(plan, safe.e(Starts::First), doubted(plan, doubt, 1.0, Declared::KNOWN, None));
                }
            }
            (Self::Counts { harm, noise, safe, doubt, shown }, Proof::Rate { harm: worse, safe: better }) => {
                let seen = events(Cohort::Canary, sides.canary).ok().and_then(|events| Exposed::new(events, 1.0).ok());
                let Some(seen) = seen else { return };
                let (worse_now, better_now) = (worse.increment(seen), better.increment(seen));
                harm.fold(plan.starts, &worse_now);
                noise.fold_rate(step, seen, worse.rate(), &worse_now);
                safe.fold(Starts::First, &better_now);
                doubt.fold_rate(0, seen, better.rate(), &better_now);
                shown.fold(plan, safe.e(Starts::First), doubted(plan, doubt, 1.0, Declared::KNOWN, None));
            }
            (Self::Exact { test, unjudged, safe, doubt, shown }, Proof::Exact { spending, safe: better }) => {
                let of = |observed: &_| bad(&metric.criterion, observed);
                let both = whole(sides.canary, of).zip(counted(known, sides.baseline, of));
                let pair = both
                    .as_ref()
                    .map_or(Pair::EMPTY, |(canary, counted)| Pair { canary: *canary, baseline: counted.whole });
                // An interval is a look, whatever it holds.
                if test.look(spending, &pair) == Err(LookError::TooManyEvents) {
                    *unjudged = unjudged.saturating_add(1);
                    let _ = test.look(spending, &Pair::EMPTY);
                }
                let Some((_, Counted { replicas: parts, .. })) = both else { return };
                let seen = ByReplica { pair, canary: replicas(sides.canary), baseline: &parts };
                let increment = better.increment(&pair);
                safe.fold(Starts::First, &increment);
                doubt.fold(better.bound(), 0, &seen, &increment);
                let past = past.of(0, 0, doubt.age(0));
                shown.fold(plan, safe.e(Starts::First), doubted(plan, doubt, better.bound(), Declared::ERRORS, past));
            }
            (Self::Native { chosen, shown }, Proof::Shift { .. }) => {
                let Some(chosen) = chosen else {
                    *chosen = native(Cohort::Baseline, sides.baseline).ok().and_then(|seen| Shifted::choose(&seen));
                    return;
                };
                chosen.fold(plan, proof, interval, shown);
            }
            (Self::Classic { chosen, shown }, Proof::Slow { .. }) => {
                if chosen.is_empty() {
                    let both = classic(Cohort::Canary, sides.canary).and(classic(Cohort::Baseline, sides.baseline));
                    *chosen = both.map(|baseline| AtBound::choose(&baseline)).unwrap_or_default();
                    return;
                }
                AtBound::fold(chosen, plan, proof, interval, shown);
            }
            _ => {}
        }
    }
}

/// The requests of both cohorts, and those of the baseline by replica.
type Split = (Pair, Vec<(usize, Arm)>);

impl Shifted {
    /// Thresholds from the baseline alone, in an interval that is not judged.
    fn choose(baseline: &Histogram) -> Option<Self> {
        if baseline.total().get() < ENOUGH_TO_CHOOSE {
            return None;
        }
        let slower = of_histogram(baseline).slower();
        let chosen = cuts(&slower, baseline.total());
        let (at, shares): (Vec<i32>, Vec<f64>) = chosen.iter().map(|cut| (cut.at, cut.share)).unzip();
        let (harm, safe) = (Latency::new(&shares).ok()?, Latency::new(&proved_at(&shares)).ok()?);
        let width = libm::exp2(-f64::from(baseline.schema())) * std::f64::consts::LN_2;
        let steepness = at.iter().map(|at| steepness(&slower, at, |a, b| f64::from(b - a) * width)).collect();
        let noise = vec![Noise::new(); at.len()];
        let doubt = vec![Noise::new(); proved_at(&at).len()];
        Some(Self { schema: baseline.schema(), at, steepness, harm, noise, safe, doubt })
    }

    /// Slow requests of both cohorts at each of these thresholds, those of the canary so many buckets later.
    fn seen(&self, interval: Interval<'_>, cuts: &[i32], later: i32) -> Option<Vec<Split>> {
        let of = |cut: &i32| {
            let of_canary = cut.checked_add(later)?;
            let canary = whole(interval.sides.canary, |observed| slow_in_histogram(observed, self.schema, of_canary))?;
            let slow = |observed: &_| slow_in_histogram(observed, self.schema, *cut);
            let baseline = counted(interval.known, interval.sides.baseline, slow)?;
            Some((Pair { canary, baseline: baseline.whole }, baseline.replicas))
        };
        cuts.iter().map(of).collect()
    }

    fn fold(&mut self, plan: &EvidencePlan, proof: &Proof, interval: Interval<'_>, shown: &mut Shown) {
        let Proof::Shift { tolerate, unacceptable, harm, safe } = proof else { return };
        let canary = replicas(interval.sides.canary);
        let tolerated = self.seen(interval, &self.at, shift_in_buckets(*tolerate, self.schema));
        if let Some(seen) = tolerated {
            let pairs: Vec<Pair> = seen.iter().map(|(pair, _)| *pair).collect();
            let noise = &mut self.noise;
            self.harm.fold_each(harm, &pairs, |index, increment| {
                if let (Some((pair, baseline)), Some(noise)) = (seen.get(index), noise.get_mut(index)) {
                    noise.fold(1.0, interval.step, &ByReplica { pair: *pair, canary, baseline }, increment);
                }
            });
        }
        let within = shift_within_buckets(*unacceptable, self.schema);
        if let Some(seen) = self.seen(interval, &proved_at(&self.at), within) {
            let pairs: Vec<Pair> = seen.iter().map(|(pair, _)| *pair).collect();
            let doubt = &mut self.doubt;
            self.safe.fold_each(safe, &pairs, |index, increment| {
                if let (Some((pair, baseline)), Some(noise)) = (seen.get(index), doubt.get_mut(index)) {
                    noise.fold(1.0, 0, &ByReplica { pair: *pair, canary, baseline }, increment);
                }
            });
            let (steepness, places) = (proved_at(&self.steepness), places_to_prove(self.at.len()));
            let least = self.doubt.iter().zip(&steepness).zip(places).map(|((noise, steepness), place)| {
                let of_past = interval.past.of(place, 0, noise.age(0));
                doubted(plan, noise, 1.0, Declared::latency(*steepness), of_past)
            });
            shown.fold(plan, self.safe.least_e(safe), least.fold(f64::INFINITY, f64::min));
        }
    }
}

impl AtBound {
    /// As [`Shifted::choose`]; none where there is too little traffic.
    fn choose(baseline: &Buckets) -> Vec<Self> {
        if baseline.total().get() < ENOUGH_TO_CHOOSE {
            return Vec::new();
        }
        let slower = |(bound, fast): &(f64, Count)| (*bound, baseline.total().saturating_sub(*fast));
        let slower: Vec<(f64, Count)> = baseline.at_most().iter().map(slower).collect();
        let apart = |a: f64, b: f64| if a > 0.0 { libm::log(b / a) } else { f64::INFINITY };
        let of = |bound| Self {
            bound,
            steepness: steepness(&slower, &bound, apart),
            harm: Process::new(),
            noise: Noise::new(),
            safe: Process::new(),
            doubt: Noise::new(),
        };
        cuts(&slower, baseline.total()).into_iter().map(|cut| of(cut.at)).collect()
    }

    fn fold(all: &mut [Self], plan: &EvidencePlan, proof: &Proof, interval: Interval<'_>, shown: &mut Shown) {
        let (Proof::Slow { harm, safe }, sides) = (proof, interval.sides) else { return };
        let seen = |at: &Self| {
            let of = |observed: &_| slow_in_buckets(observed, at.bound);
            Some((whole(sides.canary, of)?, counted(interval.known, sides.baseline, of)?))
        };
        let Some(seen) = all.iter().map(seen).collect::<Option<Vec<_>>>() else { return };
        let (mut least, mut least_doubted) = (f64::INFINITY, f64::INFINITY);
        for (place, (at, (canary, baseline))) in all.iter_mut().zip(&seen).enumerate() {
            let pair = Pair { canary: *canary, baseline: baseline.whole };
            let seen = ByReplica { pair, canary: replicas(sides.canary), baseline: &baseline.replicas };
            let (worse_now, better_now) = (harm.increment(&pair), safe.increment(&pair));
            at.harm.fold(plan.starts, &worse_now);
            at.noise.fold(harm.bound(), interval.step, &seen, &worse_now);
            at.safe.fold(Starts::First, &better_now);
            at.doubt.fold(safe.bound(), 0, &seen, &better_now);
            least = least.min(at.safe.e(Starts::First));
            let declared = Declared::latency(at.steepness);
            let of_past = interval.past.of(place, 0, at.doubt.age(0));
            least_doubted = least_doubted.min(doubted(plan, &at.doubt, safe.bound(), declared, of_past));
        }
        shown.fold(plan, least, least_doubted);
    }
}

/// What is left of the evidence that something is good enough.
fn doubted<const J: usize>(
    plan: &EvidencePlan,
    noise: &Noise<J>,
    bound: f64,
    declared: Declared,
    past: Option<f64>,
) -> f64 {
    let Some(estimate) = noise.estimate(0, bound, declared, past) else { return 1.0 };
    if plan.strict && estimate.method != Method::Declared {
        return estimate.e / strictness(estimate.replicas);
    }
    estimate.e
}

/// Where latency must be shown to be good enough: in the middle, between, and in the tail.
pub(crate) fn proved_at<T: Copy>(chosen: &[T]) -> Vec<T> {
    places_to_prove(chosen.len()).iter().filter_map(|place| chosen.get(*place).copied()).collect()
}

fn places_to_prove(thresholds: usize) -> Vec<usize> {
    let places = [0, thresholds / 2, thresholds.saturating_sub(1)];
    let mut all: Vec<usize> = places.into_iter().filter(|place| *place < thresholds).collect();
    all.dedup();
    all
}

/// `−d ln(share of slow requests)/d ln(threshold)` around a bound, between its neighbours; 1 where there are none.
fn steepness<B: Copy + PartialEq>(slower: &[(B, Count)], at: &B, apart: impl Fn(B, B) -> f64) -> f64 {
    let Some(place) = slower.iter().position(|(bound, _)| bound == at) else { return 1.0 };
    let neighbour = |place: Option<usize>| {
        place.and_then(|place| slower.get(place)).filter(|(_, above)| *above > Count::ZERO).copied()
    };
    let own = neighbour(Some(place));
    let (before, after) = (neighbour(place.checked_sub(1)).or(own), neighbour(Some(place + 1)).or(own));
    let (Some((from, more)), Some((to, fewer))) = (before, after) else { return 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let fall = libm::log(more.get() as f64 / fewer.get() as f64);
    let steepness = fall / apart(from, to);
    if steepness.is_finite() && steepness > 0.0 { steepness } else { 1.0 }
}
