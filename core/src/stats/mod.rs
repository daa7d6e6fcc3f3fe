//! Arithmetic of evidence: from counts to "a good canary would seldom look like this", at every look at once.
//!
//! A *test* is made once per policy and holds what does not depend on counts. Per interval it turns counts into an
//! [`Increment`]. A *process* folds increments into a small state and says how much evidence there is: an e-value,
//! 1 where nothing is known, large where the hypothesis is refuted. Everything here is a pure function of numbers;
//! it knows nothing of documents, gates or snapshots, folding allocates nothing (but in [`GroupSequential`]), sums
//! have a fixed order, and logarithms are `libm`'s, so the same counts give the same bits in every build and on every platform.
//!
//! | what | begin with | guarantee | source |
//! |---|---|---|---|
//! | more events per request, rare | [`RatioTest`] | requests: from above; Poisson: exact | Przyborowski, Wilenski 1940 |
//! | more events per request, common | [`OddsTest`], [`Forecast`] | from above | Turner, Ly, Grünwald 2021 |
//! | more events than is known or allowed | [`KnownShareTest`], [`KnownRateTest`] | exact | Wald 1945 |
//! | mixed over sizes and starts | [`Process`], [`Starts`] | supermartingale from 1 | Pollak 1985; Ramdas 2023 |
//! | slow requests, never interpolated | [`Latency`], [`cuts`], [`Native`], [`bucketed`] | as odds | Lehmann 1955 |
//! | one composite of many metrics | [`Weights`] | under any dependence | Vovk, Wang 2021 |
//! | when it decides: 2^i/α in attempt i | [`Level`], [`Peak`] | P(ever) ≤ α over all attempts | Ville 1939 |
//! | the same, discounted by what replicas show | [`Noise`], [`Method`] | simulated, see there | |
//! | good enough to promote | [`noninferior_ratio`], [`HEALTHY_ODDS`] | P(unacceptable, yet promoted) ≤ β | Berger 1982 |
//! | limits on the ratio, to explain | [`RatioRange`] | at all looks together | Darling, Robbins 1967 |
//! | gauges | [`Gauge`] | as far as the declared noise is right | Howard and others 2021 |
//! | when something is detected | [`intervals_to`], [`Traffic`] | none: an average | Grünwald and others 2019 |
//! | a fixed schedule of looks | [`GroupSequential`] | exact, if nothing reacts to what is seen | Lan, DeMets 1983 |
//! | values that are no counts, ranked | [`RankTest`], [`Shift`] | one look, independent values | Mann, Whitney 1947 |
//! | others' methods, to compare with | [`published`] | there | there |
//!
//! # What is proved, and of what
//!
//! Let "the past" of interval k be everything that was seen of any metric in the intervals before it, and the
//! numbers of requests in it. The hypothesis of harm's absence is: *in every interval, given its past, the canary's
//! mean probability of an event is at most ρ0 times the baseline's* (ratio), *at most the baseline's* (odds), or
//! *at most p0* (known), where requests of one interval fail or are slow independently of each other. They need not
//! be alike, and rates may drift as they like as long as they drift for both arms. Each test says in its module why
//! then `E[e_k | past] ≤ 1`, so that every process is a nonnegative supermartingale from 1, and so is their
//! weighted average, whatever the metrics have to do with each other. By Ville's inequality, the probability that
//! the *running maximum of the average* ever reaches c is at most 1/c:
//!
//! - over the whole rollout, canary and live, however often and whenever it is looked at;
//! - on any ramp, also one that reacts to what was seen: what counts is the realised number of requests, not the
//!   weight;
//! - with holds, pauses and early ends, at any time;
//! - over all attempts at the same artifact together, if attempt i uses 2^i/α.
//!
//! It is the maximum of the average that is bounded, not the average of maxima.
//!
//! One process may fold increments of different tests with the same number of sizes: beside a baseline while there
//! is one, against a known share in the live stage. That is how one guarantee spans both.
//!
//! # What is outside
//!
//! - Requests that fail together: retries, sessions, one bad pod, one slow node. Then evidence of chance looks like
//!   harm, and the more traffic, the more surely. Noise between replicas needs a second look at the same
//!   [`Increment`]s.
//! - A weight that changes *within* an interval while rates drift within it: an interval must see one mix of traffic.
//! - Intervals that are missing *because* of what happened in them. Those that are missing for other reasons are
//!   just not folded; evidence stands still.
//! - Anything chosen after seeing the canary: metrics, thresholds, effect sizes, weights, starts. They belong to
//!   the plan.
//! - Different users, caches or nodes in the two arms: that is a difference, and it will be found. A tolerance is
//!   for it.
//! - Rounding: an increment is right to about 1e-15 of its largest term, which matters from 10^13 events per
//!   interval on.
//!
//! # An example
//!
//! ```
//! use davy::Count;
//! use davy::stats::{
//!     Arm, Grid, Latency, LatencyPlan, Level, ODDS, OddsTest, Pair, Peak, Process, RATIOS, RatioTest, SLOW_SHARES,
//!     Starts, Weights,
//! };
//! use std::num::NonZeroU32;
//!
//! // Once per policy.
//! let starts = Starts::Open(NonZeroU32::new(180).expect("an hour, and half an hour of bake, every 30 s"));
//! let errors = RatioTest::new(Grid::new(RATIOS)?, 1.1)?;
//! let latency = LatencyPlan::new(OddsTest::new(Grid::new(ODDS)?), starts);
//! let weights = Weights::new([3.0, 2.0])?;
//! let level = Level::of_attempt("1%".parse()?, NonZeroU32::MIN);
//!
//! // Once per release: the state.
//! let mut evidence = (Process::new(), Latency::new(&SLOW_SHARES)?, Peak::new());
//!
//! // Once per interval.
//! let arm = |events: u32, total: u32| Arm::new(Count::from(events), Count::from(total));
//! let failed = Pair { canary: arm(9, 75)?, baseline: arm(14, 1425)? };
//! let slow = [
//!     Pair { canary: arm(66, 75)?, baseline: arm(713, 1425)? },
//!     Pair { canary: arm(48, 75)?, baseline: arm(357, 1425)? },
//!     Pair { canary: arm(21, 75)?, baseline: arm(141, 1425)? },
//!     Pair { canary: arm(12, 75)?, baseline: arm(70, 1425)? },
//!     Pair { canary: arm(3, 75)?, baseline: arm(15, 1425)? },
//! ];
//! evidence.0.fold(starts, &errors.increment(&failed));
//! evidence.1.fold(&latency, &slow);
//! evidence.2.fold(weights.average([evidence.0.e(starts), evidence.1.e(&latency)]));
//!
//! assert!(level.is_reached(evidence.2.e()));   // twelve times as many errors, and twice as slow: abort
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arms;
mod average;
mod cuts;
mod gauge;
mod grid;
mod group_sequential;
mod growth;
mod known;
mod latency;
mod level;
mod noise;
mod noninferiority;
mod normal;
mod odds;
mod packed;
mod process;
pub mod published;
mod range;
mod ranks;
mod ratio;
mod special;
mod starts;

pub use arms::{Arm, ArmError, Exposed, Pair};
pub use average::Weights;
pub use cuts::{Bucketed, Cut, Native, SAMPLE_SCHEMA, SLOW_SHARES, bucketed, cuts, slower_than};
pub use gauge::{Gauge, GaugeTest};
pub use grid::{Grid, ODDS, PlanError, RATIOS, Side};
pub use group_sequential::{GroupSequential, Look, LookError, Spending};
pub use growth::{Traffic, intervals_to};
pub use known::{KnownRateTest, KnownShareTest};
pub use latency::{Latency, LatencyPlan};
pub use level::{Level, Peak};
pub use noise::{
    ByReplica, Declared, Disturbance, Estimate, ExpectedNoise, FEW_REPLICAS, HISTORY_ROLLOUTS, MANY_REPLICAS,
    MOST_WINDOWS, Method, Noise, discount, is_outage, sick, strictness,
};
pub use noninferiority::{HEALTHY_ODDS, noninferior_ratio};
pub use normal::{NormalMixture, Sides};
pub use odds::{Forecast, OddsTest};
pub use process::{Increment, Process};
pub use range::{RatioGrid, RatioLimits, RatioRange};
pub use ranks::{Alternative, Correction, RankTest, SampleError, Shift};
pub(crate) use ranks::{exceeded_with, length, zeroin};
pub use ratio::RatioTest;
pub use starts::Starts;
