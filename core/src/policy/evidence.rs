//! How evidence is gathered under `judge: evidence`: tests per metric, levels and weights for the whole.
//!
//! Everything here is fixed before the first interval, as the guarantee asks.

use std::num::NonZeroU32;

use super::fixed::FixedLooks;
use super::ramp::Ramp;
use super::slo::without_code;
use super::{Criterion, LatencyLimit, MetricPlan, Relative};
use crate::document::decode::Report;
use crate::document::{DiagnosticCode as Code, Health, Position};
use crate::stats::{
    Grid, KnownRateTest, KnownShareTest, LatencyPlan, Level, ODDS, OddsTest, PlanError, RATIOS, RatioGrid, RatioTest,
    Spending, Starts, Weights, noninferior_ratio,
};
use crate::{Count, Share};

/// How many times an absolute limit is unacceptable: between the two nothing is decided.
pub(crate) const BEYOND: f64 = 1.5;
/// Effect sizes that rule out what is unacceptable of a known share or rate.
const BETTER: [f64; 3] = [0.5, 0.67, 0.77];

/// How many intervals the rollout is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned(NonZeroU32);

/// What the whole of the metrics is held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EvidencePlan {
    /// The largest probability that a good release is ever aborted, in all attempts together.
    pub(crate) false_aborts: Share,
    /// The largest probability that a release is promoted of which some metric is unacceptable.
    pub(crate) false_promotions: Share,
    /// The evidence that proves a metric good enough.
    pub(crate) proof: Level,
    pub(crate) starts: Starts,
    /// The abort meter above which the canary gets no more traffic.
    pub(crate) advance_below: Share,
    /// How many intervals must still speak for what was proved.
    pub(crate) recent: usize,
    /// Whether the second key is held against a numerical bound instead of the level itself.
    pub(crate) strict: bool,
    /// Among these, limits on how much worse a canary is are sought.
    pub(crate) ratios: RatioGrid<25>,
    /// At which shares of the traffic a step of the ramp begins.
    pub(crate) ramp: Ramp,
    /// One per metric that gathers evidence, in the order of the metrics.
    pub(crate) weights: Weights,
    /// When looks are fixed beforehand.
    pub(crate) fixed: Option<FixedLooks>,
    /// Whether another judge decides, and this one is only shown.
    pub(crate) beside: bool,
}

/// The tests of one metric; each looks for harm and for its absence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proof {
    /// Bad events per event beside the baseline's.
    Ratio { harm: RatioTest<8>, safe: RatioTest<3> },
    /// Bad events per event beside a known share.
    Share { harm: KnownShareTest<8>, safe: KnownShareTest<3> },
    /// Bad events beside the baseline's, at looks that are fixed beforehand.
    Exact { spending: Spending, safe: RatioTest<3> },
    /// Events per interval beside a known number.
    Rate { harm: KnownRateTest<8>, safe: KnownRateTest<3> },
    /// Slow requests of a native histogram at several thresholds, the canary's at later ones.
    Shift { tolerate: Share, unacceptable: Share, harm: LatencyPlan<9>, safe: LatencyPlan<9> },
    /// Slow requests of classic buckets at several thresholds.
    Slow { harm: RatioTest<8>, safe: RatioTest<3> },
}

impl EvidencePlan {
    /// Checks the settings; what is wrong is reported.
    pub(crate) fn compile(
        health: &Health,
        metrics: &[MetricPlan],
        beside: bool,
        ramp: Ramp,
        report: &mut Report,
    ) -> Option<Self> {
        let before = report.diagnostics.len();
        let probabilities = [
            ("falseAborts", health.false_aborts(), health.false_aborts.as_ref().map(|share| &share.position)),
            (
                "falsePromotions",
                health.false_promotions(),
                health.false_promotions.as_ref().map(|share| &share.position),
            ),
        ];
        for (key, share, position) in probabilities {
            if share == Share::ZERO || share > Share::from_ppm(500_000) {
                let position = position.unwrap_or(&health.position);
                report.error(Code::Range, position, format!("`{key}` is above 0% and at most 50%"), None);
            }
        }
        if let Some(score) = health.score.as_ref().filter(|_| !beside) {
            let hint = "`judge: evidence` weighs metrics by `importance` alone".to_owned();
            report.error(Code::Unused, &score.position, "`score` is not used here", hint);
        }
        let gathering = metrics.iter().filter(|metric| metric.gathers_evidence());
        let weights = Weights::new(gathering.map(|metric| f64::from(metric.importance)));
        if weights.is_err() && !metrics.is_empty() && !beside {
            let hint =
                "compare counts, latencies, probes or events with the baseline, or use `judge: threshold`".to_owned();
            report.error(Code::Choice, &health.position, "no metric gathers evidence", hint);
        }
        let recent = usize::try_from(health.recent_intervals().get()).unwrap_or(usize::MAX);
        if recent == 0 || recent > 1000 {
            let position = health.recent_intervals.as_ref().map_or(&health.position, |recent| &recent.position);
            report.error(Code::Range, position, "`recentIntervals` is from 1 to 1000", None);
        }
        let plan = Self {
            false_aborts: health.false_aborts(),
            false_promotions: health.false_promotions(),
            proof: Level::of(health.false_promotions()),
            starts: Planned::of(health).starts(),
            advance_below: health.advance_below(),
            recent,
            strict: health.strict_noise(),
            ratios: RatioGrid::quarter_doublings(),
            ramp,
            weights: weights.ok()?,
            fixed: None,
            beside,
        };
        (report.diagnostics.len() == before).then_some(plan)
    }
}

impl Planned {
    /// As many as fit until the horizon.
    pub(crate) fn of(health: &Health) -> Self {
        let intervals = health.horizon().millis().checked_div(health.every().millis()).unwrap_or(1);
        Self(u32::try_from(intervals).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN))
    }

    /// A regression may begin late, and a release may be held longer than planned.
    fn starts(self) -> Starts {
        Starts::Open(self.0)
    }
}

impl Proof {
    /// The tests of a metric with this criterion; none where nothing can be proved of it.
    pub(crate) fn compile(
        criterion: &Criterion,
        planned: Planned,
        position: &Position,
        report: &mut Report,
    ) -> Vec<Self> {
        match proofs(criterion, planned) {
            Ok(proofs) => proofs,
            Err(cause) => {
                report.error(Code::Range, position, without_code(&cause), None);
                Vec::new()
            }
        }
    }
}

fn proofs(criterion: &Criterion, planned: Planned) -> Result<Vec<Proof>, PlanError> {
    let mut proofs = Vec::new();
    match criterion {
        Criterion::BadShare { max, relative } => {
            if let Some(relative) = relative {
                let (harm, safe) = ratio(relative)?;
                proofs.push(Proof::Ratio { harm, safe });
            }
            // Of a limit of nothing, or of everything, no evidence can be gathered.
            if let Some(max) = max.filter(|max| *max > Share::ZERO && *max < Share::ALL) {
                proofs.push(share(max.as_fraction())?);
            }
        }
        Criterion::Latency { limit: LatencyLimit::Quantile { quantile, .. }, .. } => {
            proofs.push(share(quantile.beyond())?);
        }
        Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => {
            let (harm, safe) = ratio(&slow.relative)?;
            proofs.push(Proof::Ratio { harm, safe });
        }
        Criterion::Latency { limit: LatencyLimit::Shift { tolerate, unacceptable, .. }, .. } => {
            proofs.push(Proof::Shift {
                tolerate: *tolerate,
                unacceptable: *unacceptable,
                harm: LatencyPlan::new(OddsTest::new(Grid::new(ODDS)?), planned.starts()),
                safe: LatencyPlan::new(OddsTest::new(Grid::new(ODDS)?.reciprocals()), Starts::First),
            });
        }
        Criterion::Latency { limit: LatencyLimit::Slower { relative, .. }, .. } => {
            let (harm, safe) = ratio(relative)?;
            proofs.push(Proof::Slow { harm, safe });
        }
        // A limit of no event at all is broken by the first one.
        Criterion::Events { max: Count::ZERO } => {}
        Criterion::Events { max } => {
            #[expect(clippy::cast_precision_loss, reason = "a count is at most 2^53 - 1")]
            let limit = max.get() as f64;
            proofs.push(Proof::Rate {
                harm: KnownRateTest::new(Grid::new(RATIOS)?, limit)?,
                safe: KnownRateTest::new(Grid::new(BETTER)?, limit * BEYOND)?,
            });
        }
        // A gauge is no count: it is judged by its limits, outside the guarantee.
        Criterion::Gauge { .. } | Criterion::Values { .. } => {}
    }
    Ok(proofs)
}

fn ratio(relative: &Relative) -> Result<(RatioTest<8>, RatioTest<3>), PlanError> {
    let harm = RatioTest::new(Grid::new(RATIOS)?, relative.tolerate.as_f64())?;
    Ok((harm, noninferior_ratio(relative.unacceptable.as_f64())?))
}

fn share(limit: f64) -> Result<Proof, PlanError> {
    Ok(Proof::Share {
        harm: KnownShareTest::new(Grid::new(RATIOS)?, limit)?,
        safe: KnownShareTest::new(Grid::new(BETTER)?, beyond(limit))?,
    })
}

/// The share that is unacceptable where this one is the limit.
pub(crate) fn beyond(limit: f64) -> f64 {
    (limit * BEYOND).min(1.0 - (1.0 - limit) / BEYOND)
}
