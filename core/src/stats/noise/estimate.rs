//! How much of a window's evidence counts: the variance of chance beside that of noise, and how well it is known.

use libm::{exp, log, sqrt};

use super::saturation::{MANY, discount};
use super::window::Window;
use super::within::Within;
use crate::stats::process::MOST;
use crate::stats::special::ln_beta_cdf;

/// From so many replicas of the baseline on, how they differ is taken at its word.
pub const MANY_REPLICAS: usize = 8;
/// From so many on, it is used at all.
pub const FEW_REPLICAS: usize = 3;
/// From so many rollouts on, history is used.
pub const HISTORY_ROLLOUTS: u32 = 20;
/// ln of [`MOST`], and a little more.
const MOST_LOG: f64 = 694.0;
/// Degrees of freedom of history: those of the number of rollouts with which it was simulated.
const OF_HISTORY: f64 = 20.0;
/// Weight of the declared noise beside the canary's own intervals, in degrees of freedom.
const OF_DECLARED: f64 = 4.0;
/// Below this many replicas, history that does not fit is doubted as few replicas are.
const DOUBTED_BELOW: usize = 5;
/// History fits today if the variance is below this quantile of what it would be.
const FITS: f64 = 0.95;

/// Where the noise between replicas is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// From many replicas of the baseline (D7 of the study).
    Replicas,
    /// From few, with degrees of freedom that also count what chance seems to explain (D8).
    FewReplicas,
    /// From past rollouts, pooled with the replicas of today (D9).
    History,
    /// From the canary's own intervals, and noise that is assumed: outside of any guarantee (A0).
    Declared,
}

/// Noise that is assumed where nothing shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declared {
    /// Coefficient of variation from one interval to the next.
    pub spread: f64,
    /// Standard deviation of what is always different between two replicas, relative.
    pub offset: f64,
}

/// What is seen of the noise, or is expected to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// Replicas of the baseline that are compared.
    pub(super) replicas: usize,
    /// The variance of their relative excess: s².
    pub(super) spread: f64,
    /// Of single intervals, in the replicas or, for [`Method::Declared`], in the canary: the relative variance and the
    /// correlation of neighbours.
    pub(super) interval_noise: f64,
    pub(super) correlation: f64,
}

/// What was estimated of one window, and what follows; for explanations, and to compare with other implementations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Where the noise is known from.
    pub method: Method,
    /// Replicas of the baseline that are compared.
    pub replicas: usize,
    /// E: events that the canary would have at the baseline's rate.
    pub expected: f64,
    /// O: events of the canary.
    pub observed: f64,
    /// vP: the variance of `O − ρ0·E` among independent requests.
    pub chance: f64,
    /// 1 / the effective number of the canary's replicas.
    pub concentration: f64,
    /// s²: the variance of the replicas' relative excess.
    pub spread: f64,
    /// v0: what chance would make of it.
    pub spread_by_chance: f64,
    /// F: by how much the canary weights later intervals more than the baseline.
    pub weighting: f64,
    /// σ²: the variance of one interval's noise, relative.
    pub interval_noise: f64,
    /// ρ: how neighbouring intervals correlate.
    pub correlation: f64,
    /// τ: the variance of the noise of one replica over the window, relative.
    pub noise: f64,
    /// The part of it that is seen between replicas; more time does not make it less.
    pub noise_between: f64,
    /// V: the variance with noise.
    pub variance: f64,
    /// ν: the degrees of freedom of V.
    pub freedom: f64,
    /// κ: the part of the evidence that counts.
    pub counted: f64,
    /// L: the largest logarithm of evidence over effect sizes, at least 0.
    pub most: f64,
    /// The discounted evidence: the mean over effect sizes, at most 2^1000.
    pub e: f64,
}

/// By how much the evidence of the second key must exceed 1/α for a numerical bound in the Gaussian model: the
/// largest ratio of false alarms to α over sixty looks, in 40 000 simulated runs each.
#[must_use]
pub fn strictness(replicas: usize) -> f64 {
    match replicas {
        0..5 => 3.7,
        5..8 => 3.1,
        8..10 => 2.4,
        10..20 => 2.1,
        20..50 => 1.8,
        _ => 1.7,
    }
}

impl Method {
    /// The method for so many replicas of the baseline, and history or none.
    #[must_use]
    pub const fn of(replicas: usize, history: bool) -> Self {
        match replicas {
            MANY_REPLICAS.. => Self::Replicas,
            2..MANY_REPLICAS if history => Self::History,
            FEW_REPLICAS..MANY_REPLICAS => Self::FewReplicas,
            _ => Self::Declared,
        }
    }
}

impl Declared {
    /// Of errors.
    pub const ERRORS: Self = Self { spread: 0.3, offset: 0.1 };
    /// Of a limit that is known: nothing is compared, so replicas may differ within it.
    pub const KNOWN: Self = Self { spread: 0.3, offset: 0.0 };

    /// Of slow requests, whose share falls by `steepness` per cent where the threshold rises by one.
    #[must_use]
    pub fn latency(steepness: f64) -> Self {
        Self { spread: 0.04 * steepness, offset: 0.03 * steepness }
    }
}

impl Estimate {
    /// The smallest ratio that this noise would ever let be told from what is tolerated, however long it lasts, at a
    /// level of `evidence`; nothing where there is no noise to speak of.
    ///
    /// `exp(z·√(τ·(1/J + 1/K)))` with `z = √(2·(ln e + 2))`: the deviate whose likelihood ratio at its best is the level,
    /// and two nats more for what mixing costs. An approximation, for explanations.
    #[must_use]
    pub fn least_detectable(&self, evidence: f64) -> Option<f64> {
        let deviates = sqrt(2.0 * (log(evidence) + 2.0));
        #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
        let of_baseline = if self.replicas > 0 { 1.0 / self.replicas as f64 } else { 0.0 };
        let ratio = exp(deviates * sqrt(self.noise * (self.concentration + of_baseline)));
        (self.noise > 0.0 && ratio.is_finite()).then_some(ratio)
    }

    /// Whether more replicas would help more than more time.
    #[must_use]
    pub fn needs_replicas(&self) -> bool {
        let over_time = self.noise - self.noise_between;
        self.noise_between > 0.0 && over_time < 0.5 * self.noise_between
    }

    pub(super) fn of<const J: usize>(
        window: &Window<J>,
        within: &Within,
        bound: f64,
        declared: Declared,
        history: Option<f64>,
        method: Option<Method>,
    ) -> Self {
        let (replicas, spread) = spread(window);
        let method = method.unwrap_or(Method::of(replicas, history.is_some()));
        let (interval_noise, correlation) =
            if method == Method::Declared { window.own_noise() } else { within.noise() };
        let seen = Seen { replicas, spread, interval_noise, correlation };
        Self::by(method, window, seen, bound, declared, history)
    }

    /// From the sums of a window, and what is seen of the noise.
    pub(super) fn by<const J: usize>(
        method: Method,
        window: &Window<J>,
        seen: Seen,
        bound: f64,
        declared: Declared,
        history: Option<f64>,
    ) -> Self {
        let chance = bound * window.chance_canary + bound * bound * window.chance_baseline;
        let most = window.logs.iter().copied().fold(0.0, f64::max);
        let mut estimate = Self {
            method,
            replicas: seen.replicas,
            expected: window.expected,
            observed: window.observed,
            chance,
            concentration: 1.0,
            spread: seen.spread,
            spread_by_chance: 0.0,
            weighting: 1.0,
            interval_noise: 0.0,
            correlation: 0.0,
            noise: 0.0,
            noise_between: 0.0,
            variance: chance,
            freedom: MANY,
            counted: 1.0,
            most,
            e: 1.0,
        };
        if window.expected > 0.0 && chance > 0.0 {
            (estimate.interval_noise, estimate.correlation) = (seen.interval_noise, seen.correlation);
            match method {
                Method::Declared => estimate.by_declared(window, bound, declared),
                _ => estimate.by_replicas(window, bound, history),
            }
        }
        estimate.e = mean_of_exponentials(&window.logs, estimate.counted);
        estimate
    }

    fn by_replicas<const J: usize>(&mut self, window: &Window<J>, bound: f64, history: Option<f64>) {
        #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
        let replicas = self.replicas.max(1) as f64;
        let square = window.expected * window.expected;
        let relative_squares = window.squares / square;
        self.concentration = window.canary_concentration();
        self.spread_by_chance = finite(window.seat_chance / (window.seat * window.seat));
        self.weighting = finite(relative_squares / (window.seat_squares / (window.seat * window.seat))).max(1.0);
        let over_time = self.interval_noise * (1.0 + self.correlation) / (1.0 - self.correlation) * relative_squares;
        let scale = bound * bound * (self.concentration + 1.0 / replicas) * square;
        let (spread, by_chance) = (self.weighting * self.spread, self.weighting * self.spread_by_chance);
        let freedom = replicas - 1.0;
        let between = self.weighting * (self.spread - self.spread_by_chance).max(0.0);
        let today = between.max(over_time);
        let few = || {
            Judged::of(self, scale, today, freedom, today.max(self.weighting * self.spread.max(self.spread_by_chance)))
        };
        let many = || Judged::of(self, scale, today, freedom, today);
        let (judged, between) = match (self.method, history) {
            (Method::FewReplicas, _) => (few(), between),
            (Method::History, Some(past)) => {
                let past = self.weighting * past;
                let pooled_freedom = freedom + OF_HISTORY;
                let pooled = (freedom * (spread - by_chance) + OF_HISTORY * past) / pooled_freedom;
                let noise = pooled.max(over_time).max(0.0);
                let mut judged = Judged::of(self, scale, noise, pooled_freedom, noise);
                if !fits(spread, by_chance + past, freedom) {
                    let doubting = if self.replicas >= DOUBTED_BELOW { many() } else { few() };
                    if doubting.counted < judged.counted {
                        judged = doubting;
                    }
                }
                (judged, pooled.max(0.0))
            }
            _ => (many(), between),
        };
        self.noise_between = between;
        (self.noise, self.variance, self.freedom, self.counted) =
            (judged.noise, judged.variance, judged.freedom, judged.counted);
    }

    fn by_declared<const J: usize>(&mut self, window: &Window<J>, bound: f64, declared: Declared) {
        let square = window.expected * window.expected;
        let (seen, correlation) = (self.interval_noise, self.correlation);
        let of_own = f64::from(window.own.intervals().saturating_sub(1));
        let freedom = of_own + OF_DECLARED;
        let pooled = (of_own * seen + OF_DECLARED * declared.spread * declared.spread) / freedom;
        let over_time = pooled * (1.0 + correlation) / (1.0 - correlation) * window.squares / square;
        let noise = over_time + declared.offset * declared.offset;
        let judged = Judged::of(self, bound * bound * square, noise, freedom, noise);
        self.interval_noise = pooled;
        self.noise_between = declared.offset * declared.offset;
        (self.noise, self.variance, self.freedom, self.counted) =
            (judged.noise, judged.variance, judged.freedom, judged.counted);
    }
}

/// What follows from one estimate of the noise.
struct Judged {
    noise: f64,
    variance: f64,
    freedom: f64,
    counted: f64,
}

impl Judged {
    /// `doubted` is the noise for which the degrees of freedom are reckoned.
    fn of(estimate: &Estimate, scale: f64, noise: f64, freedom: f64, doubted: f64) -> Self {
        let variance = estimate.chance + scale * noise;
        let part = variance / (scale * doubted);
        let freedom = freedom * part * part;
        // Without noise, or with a single replica, there is no such number.
        let freedom = if freedom.is_nan() { MANY } else { freedom.min(MANY) };
        let counted = discount(estimate.chance / variance, estimate.most, freedom);
        Self { noise, variance, freedom, counted }
    }
}

/// How many replicas there are, and the variance of their excess.
fn spread<const J: usize>(window: &Window<J>) -> (usize, f64) {
    let (count, sum) = window.excesses().fold((0_usize, 0.0), |(count, sum), y| (count + 1, sum + y));
    if count < 2 {
        return (count, 0.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
    let replicas = count as f64;
    let mean = sum / replicas;
    let squares = window.excesses().fold(0.0, |sum, y| sum + (y - mean) * (y - mean));
    (count, squares / (replicas - 1.0))
}

/// Whether a variance with so many degrees of freedom is one that history makes likely.
fn fits(variance: f64, by_history: f64, freedom: f64) -> bool {
    let ratio = variance / by_history;
    if !ratio.is_finite() || freedom <= 0.0 {
        return ratio.is_nan();
    }
    let x = freedom * ratio / (freedom * ratio + OF_HISTORY);
    ln_beta_cdf(0.5 * freedom, 0.5 * OF_HISTORY, x) <= log(FITS)
}

/// `mean over g of exp(κ·L_g)`, in the order of the effect sizes.
fn mean_of_exponentials(logs: &[f64], counted: f64) -> f64 {
    let sum = logs.iter().fold(0.0, |sum, log| sum + exp((counted * log).min(MOST_LOG)));
    #[expect(clippy::cast_precision_loss, reason = "a handful of effect sizes")]
    let sizes = logs.len() as f64;
    (sum / sizes).min(MOST)
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}
