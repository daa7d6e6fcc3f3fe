//! Settings of `judge: kayenta`, with the names and defaults of Kayenta where it has them.

use super::declare::{keywords, record};
use super::{Named, Number, Spanned};
use crate::kayenta::{Direction, Effect, Measure, NanStrategy};
use crate::{Duration, Name};

record! {
    /// Settings of `judge: kayenta`. The warm-up is Kayenta's `beginAfterMins`, the horizon its `lifetimeDurationMins`.
    pub struct KayentaSettings, blank {
        /// `pass` of Kayenta's thresholds: the last analysis needs at least this score.
        pass: Number = "pass", default(Number(75.0));
        /// `marginal` of Kayenta's thresholds: an analysis with at most this score fails the release.
        marginal: Number = "marginal", default(Number(50.0));
        /// `analysisIntervalMins`: the time from one analysis to the next; the horizon, unless given. A whole number of intervals.
        analysis_every: Duration = "analysisEvery", optional;
        /// `lookbackMins`: the newest points that are compared; all since the warm-up, unless given. A whole number of intervals.
        lookback: Duration = "lookback", optional;
        /// `groupWeights` of Kayenta's classifier, in percent; groups without one share evenly what is left of 100.
        group_weights: Named<Number> = "groupWeights", optional;
    }
}

record! {
    /// Settings of a metric under `judge: kayenta`. `critical` stands with the metric, and `dryRun` is Kayenta's `muted`.
    pub struct KayentaMetric, blank {
        /// In which direction a change is bad.
        direction: KayentaDirection = "direction", default(KayentaDirection::Either);
        /// What becomes of intervals without a value.
        nan_strategy: KayentaNanStrategy = "nanStrategy", default(KayentaNanStrategy::Remove);
        /// Whether a side without any value counts against the canary; it is left out otherwise.
        must_have_data: bool = "mustHaveData", default(false);
        /// The groups that it counts in.
        groups: Vec<Spanned<Name>> = "groups", optional;
        /// How large a change must be.
        effect_size: KayentaEffectSize = "effectSize", optional;
        /// Which values are left out.
        outliers: KayentaOutliers = "outliers", optional;
    }
}

record! {
    /// How large a change must be; without a value, any change counts.
    pub struct KayentaEffectSize {
        /// How it is measured.
        measure: KayentaMeasure = "measure", default(KayentaMeasure::MeanRatio);
        /// An increase counts from here on.
        allowed_increase: Number = "allowedIncrease", optional;
        /// A decrease counts from here down.
        allowed_decrease: Number = "allowedDecrease", optional;
        /// An increase of a critical metric fails the release from here on.
        critical_increase: Number = "criticalIncrease", optional;
        /// A decrease of a critical metric fails the release from here down.
        critical_decrease: Number = "criticalDecrease", optional;
    }
}

record! {
    /// Which values are left out.
    pub struct KayentaOutliers {
        /// What becomes of outliers.
        strategy: KayentaOutlierStrategy = "strategy", default(KayentaOutlierStrategy::Keep);
        /// How many times the distance of the quartiles a value must lie beyond them.
        outlier_factor: Number = "outlierFactor", default(Number(3.0));
    }
}

keywords! {
    /// In which direction a change is bad.
    pub enum KayentaDirection {
        /// Higher is worse.
        Increase = "increase",
        /// Lower is worse.
        Decrease = "decrease",
        /// Any change is bad.
        Either = "either",
    }
}

keywords! {
    /// What becomes of intervals without a value.
    pub enum KayentaNanStrategy {
        /// They are left out.
        Remove = "remove",
        /// They are zero.
        Replace = "replace",
    }
}

keywords! {
    /// How a change is measured.
    pub enum KayentaMeasure {
        /// The canary's mean by the baseline's.
        MeanRatio = "meanRatio",
        /// The part of all pairs of values in which the canary's is higher.
        Cles = "cles",
    }
}

keywords! {
    /// What becomes of outliers.
    pub enum KayentaOutlierStrategy {
        /// They are left out.
        Remove = "remove",
        /// They are compared too.
        Keep = "keep",
    }
}

impl KayentaMetric {
    /// What is judged, as the arithmetic has it.
    pub(crate) fn rules(&self, critical: bool) -> crate::kayenta::Rules {
        crate::kayenta::Rules {
            direction: match self.direction() {
                KayentaDirection::Increase => Direction::Increase,
                KayentaDirection::Decrease => Direction::Decrease,
                KayentaDirection::Either => Direction::Either,
            },
            nan: match self.nan_strategy() {
                KayentaNanStrategy::Remove => NanStrategy::Remove,
                KayentaNanStrategy::Replace => NanStrategy::Replace,
            },
            critical,
            must_have_data: self.must_have_data(),
            effect: self.effect_size.as_ref().map_or(Effect::of(Measure::MeanRatio), |effect| effect.value.effect()),
            outliers: self.outliers.as_ref().and_then(|outliers| outliers.value.factor()),
        }
    }
}

impl KayentaEffectSize {
    fn effect(&self) -> Effect {
        let any = Effect::of(match self.measure() {
            KayentaMeasure::MeanRatio => Measure::MeanRatio,
            KayentaMeasure::Cles => Measure::Cles,
        });
        let or = |given: &Option<Spanned<Number>>, any: f64| given.as_ref().map_or(any, |given| given.value.0);
        Effect {
            measure: any.measure,
            allowed_increase: or(&self.allowed_increase, any.allowed_increase),
            allowed_decrease: or(&self.allowed_decrease, any.allowed_decrease),
            critical_increase: or(&self.critical_increase, any.critical_increase),
            critical_decrease: or(&self.critical_decrease, any.critical_decrease),
        }
    }
}

impl KayentaOutliers {
    fn factor(&self) -> Option<f64> {
        (self.strategy() == KayentaOutlierStrategy::Remove).then_some(self.outlier_factor().0)
    }
}
