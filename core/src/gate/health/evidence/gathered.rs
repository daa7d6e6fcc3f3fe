//! What one test of a metric has gathered: evidence of harm and of its absence, and what both are discounted by.

use serde::{Deserialize, Serialize};

use super::super::reading::{Sides, classic, events, native};
use super::at_bound::AtBound;
use super::counted::{Bucket, Counted, absolute, bad, counted, replicas, whole};
use super::doubt::{Past, Test, doubted};
use super::replicas::Replicas;
use super::shifted::Shifted;
use super::shown::Shown;
use crate::Share;
use crate::policy::{Criterion, EvidencePlan, MetricPlan, Proof};
use crate::snapshot::Cohort;
use crate::stats::{
    ByReplica, Declared, Exposed, GroupSequential, LookError, Noise, Pair, Process, RatioLimits, RatioRange, Starts,
    is_outage, sick,
};

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

/// One interval as a metric sees it.
#[derive(Clone, Copy)]
pub(super) struct Interval<'a> {
    pub(super) sides: Sides<'a>,
    /// The step of the ramp.
    pub(super) step: usize,
    pub(super) known: &'a Replicas,
    pub(super) past: Past<'a>,
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
