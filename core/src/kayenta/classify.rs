//! One metric: the canary's points beside the baseline's, and the label that they get.

use std::cmp::Ordering;

use super::noise::Noise;
use super::prepare::{mean, prepared};
use super::{Direction, Measure, NanStrategy, Rules};
use crate::stats::{Correction, RankTest, exceeded_with, zeroin};

/// How near a root is found, in the unit of the points, whatever that is.
const TOLERANCE: f64 = 1e-4;

/// What two samples must exceed. The judge's are [`Limits::JUDGE`]; Kayenta has no setting for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How far the interval of the shift must be from zero, as a part of the estimate.
    pub tolerance: f64,
    /// The confidence of that interval.
    pub confidence: f64,
}

/// What a metric is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Label {
    /// Nothing speaks against it.
    Pass,
    /// The canary is higher.
    High,
    /// The canary is lower.
    Low,
    /// A side has no points.
    NoData,
    /// A side has no points, and that counts against the canary.
    NoDataFail,
    /// It could not be judged: no score counts it.
    Error,
}

/// What two samples say beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// By how much the canary is above the baseline, in the unit of the points.
    pub estimate: f64,
    /// The lower end of its interval. The tolerance of roots can put it above the upper one.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The size of the effect in the measure of the rules; NaN for a ratio where a mean is zero.
    pub effect: f64,
}

/// A metric that was judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Classified {
    /// What it is called.
    pub label: Label,
    /// Whether it ends the canary alone.
    pub critical: bool,
    /// The canary's mean by the baseline's; NaN where one is zero, 1 where nothing was compared.
    pub ratio: f64,
    /// What was compared, if it was.
    pub compared: Option<Compared>,
}

impl Limits {
    /// Those of NetflixACAJudge-v1.0.
    pub const JUDGE: Self = Self { tolerance: 0.25, confidence: 0.98 };
}

/// Judges one metric. Points that are not there are NaN. `seed` is for the noise that makes constant sides
/// comparable.
///
/// ```
/// use davy::kayenta::{Label, Limits, Rules, classify};
/// let of = |canary: &[f64], baseline: &[f64]| classify(canary, baseline, &Rules::default(), &Limits::JUDGE, 7).label;
/// assert_eq!(of(&[20.0, 21.0, 22.0, 23.0], &[10.0, 11.0, 12.0, 13.0]), Label::High);
/// assert_eq!(of(&[10.0, 11.0, 12.0, 13.0], &[10.5, 11.5, 12.5, 13.5]), Label::Pass);
/// assert_eq!(of(&[5.0], &[3.0]), Label::Error);                              // one point on each side
/// ```
#[must_use]
pub fn classify(canary: &[f64], baseline: &[f64], rules: &Rules, limits: &Limits, seed: u64) -> Classified {
    let (mut canary, mut baseline) = (prepared(canary, rules), prepared(baseline, rules));
    let alone = |label, critical| Classified { label, critical, ratio: 1.0, compared: None };
    if canary.is_empty() || baseline.is_empty() {
        return match rules.nan {
            NanStrategy::Replace => alone(Label::Pass, false),
            NanStrategy::Remove if rules.must_have_data && !rules.critical => alone(Label::NoDataFail, false),
            NanStrategy::Remove => alone(Label::NoData, rules.critical),
        };
    }
    if are_alike(&canary, &baseline) {
        return alone(Label::Pass, false);
    }
    if is_constant(&canary) && is_constant(&baseline) {
        let mut noise = Noise::of(seed);
        noise.disturb(&mut canary);
        noise.disturb(&mut baseline);
    }
    let (of_canary, of_baseline) = (mean(&canary), mean(&baseline));
    let zero = |mean: f64| mean.abs() <= 0.0;
    let ratio = if zero(of_canary) || zero(of_baseline) { f64::NAN } else { of_canary / of_baseline };
    let Some(compared) = compare(&canary, &baseline, rules, limits, ratio) else {
        return Classified { label: Label::Error, critical: false, ratio, compared: None };
    };
    let (label, critical) = label(&compared, rules, limits);
    Classified { label, critical, ratio, compared: Some(compared) }
}

/// The shift, its interval and its effect; nothing where ranks cannot be told apart.
fn compare(canary: &[f64], baseline: &[f64], rules: &Rules, limits: &Limits, ratio: f64) -> Option<Compared> {
    let test = RankTest::new(canary, baseline).ok()?;
    let at = |by: f64| test.z(by, Correction::Continuity);
    let span = test.span();
    let end = |quantile: f64| {
        if at(span.0)? <= quantile {
            return Some(span.0);
        }
        if at(span.1)? >= quantile {
            return Some(span.1);
        }
        zeroin(span, TOLERANCE, |by| Some(at(by)? - quantile))
    };
    let quantile = exceeded_with((1.0 - limits.confidence) / 2.0);
    let (lower, upper) = (end(quantile)?, end(-quantile)?);
    let estimate = zeroin(span, TOLERANCE, at)?;
    let effect = match rules.effect.measure {
        Measure::MeanRatio => ratio,
        Measure::Cles => test.above(),
    };
    Some(Compared { estimate, lower, upper, effect })
}

/// High is looked for first.
fn label(compared: &Compared, rules: &Rules, limits: &Limits) -> (Label, bool) {
    let Compared { estimate, lower, upper, effect } = *compared;
    let bound = limits.tolerance * estimate.abs();
    let at_least = |least: f64| effect.is_nan() || effect >= least;
    let at_most = |most: f64| effect.is_nan() || effect <= most;
    let of = rules.effect;
    if rules.direction != Direction::Decrease && lower > bound && at_least(of.allowed_increase) {
        return (Label::High, rules.critical && at_least(of.critical_increase));
    }
    if rules.direction != Direction::Increase && upper < -bound && at_most(of.allowed_decrease) {
        return (Label::Low, rules.critical && at_most(of.critical_decrease));
    }
    (Label::Pass, false)
}

/// Whether both have the same values, in any order, or one value throughout.
fn are_alike(canary: &[f64], baseline: &[f64]) -> bool {
    let sorted = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    };
    let one_value = is_constant(canary) && is_constant(baseline) && canary.first() == baseline.first();
    one_value || sorted(canary) == sorted(baseline)
}

fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| matches!(pair, [a, b] if a.partial_cmp(b).is_some_and(Ordering::is_eq)))
}
