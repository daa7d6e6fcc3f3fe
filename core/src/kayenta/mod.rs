//! Kayenta's judge, NetflixACAJudge-v1.0, as plain arithmetic: from the points of a canary and of its baseline to a
//! label per metric, and from labels to a score.
//!
//! It is here so that whoever used it can move without a change of behaviour, and compare. So everything is as there,
//! whatever one thinks of it; what surprises is written down, and tested. But for one thing: where both sides are
//! constant, Kayenta adds unseeded noise. Here the noise has a seed, so that a judgement can be replayed.
//!
//! | surprise | consequence |
//! |---|---|
//! | roots are found to 1e-4, whatever the unit | error ratios near 1e-4 are compared with that blur: far less is found |
//! | one point on each side, or constant sides within rounding | [`Label::Error`], which no score counts |
//! | two or three points on each side | a good canary is called [`Label::High`] or [`Label::Low`] in 23 or 5 of 100 looks |
//! | a group without any label that counts | adds its whole weight to the score |
//! | a weighted group without metrics | adds nothing: no score reaches 100 |
//! | half of the metrics without data | score 0 |
//! | nothing about earlier looks | the more often it is asked, the more often a good canary fails |
//!
//! Source: Spinnaker Kayenta, `kayenta-judge` (Apache-2.0), restated from its documented behaviour and tests; its
//! tests' numbers are `tests/data/kayenta_upstream.json`.

mod classify;
mod noise;
mod prepare;
mod score;

pub use classify::{Classified, Compared, Label, Limits, classify};
pub use prepare::{Fences, fences, mean, percentile};
pub use score::{Counted, GroupScore, Scored, score};

/// What is judged of a metric, and how: its `analysisConfigurations.canary`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// In which direction a change is bad.
    pub direction: Direction,
    /// What becomes of values that are not there.
    pub nan: NanStrategy,
    /// Whether a label other than [`Label::Pass`] alone ends the canary, if its effect is large enough.
    pub critical: bool,
    /// Whether missing data count against the canary.
    pub must_have_data: bool,
    /// How large a change must be.
    pub effect: Effect,
    /// The factor of the fences beyond which values are left out; nothing keeps all.
    pub outliers: Option<f64>,
}

/// In which direction a change is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher is worse.
    Increase,
    /// Lower is worse.
    Decrease,
    /// Any change is bad.
    Either,
}

/// What becomes of values that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NanStrategy {
    /// They are left out.
    Remove,
    /// They are zero.
    Replace,
}

/// How large a change must be to count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// How it is measured.
    pub measure: Measure,
    /// At least so much for [`Label::High`].
    pub allowed_increase: f64,
    /// At most so much for [`Label::Low`].
    pub allowed_decrease: f64,
    /// At least so much for a critical [`Label::High`].
    pub critical_increase: f64,
    /// At most so much for a critical [`Label::Low`].
    pub critical_decrease: f64,
}

/// How the size of a change is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The canary's mean by the baseline's.
    MeanRatio,
    /// The part of all pairs of points in which the canary's is higher.
    Cles,
}

impl Effect {
    /// What a measure begins with: any change at all.
    #[must_use]
    pub const fn of(measure: Measure) -> Self {
        let all = match measure {
            Measure::MeanRatio => 1.0,
            Measure::Cles => 0.5,
        };
        Self { measure, allowed_increase: all, allowed_decrease: all, critical_increase: all, critical_decrease: all }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            direction: Direction::Either,
            nan: NanStrategy::Remove,
            critical: false,
            must_have_data: false,
            effect: Effect::of(Measure::MeanRatio),
            outliers: None,
        }
    }
}
