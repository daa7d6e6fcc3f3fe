//! The ramp by the clock: which weight each interval has, if nothing holds it.

use super::Grid;
use crate::document::Step;
use crate::{Duration, Share};

/// When the ramp is where, on the grid of intervals. Times are since the start of the release.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    every: Duration,
    settle: Duration,
    first: Duration,
    /// At least one.
    pub(crate) stays: Vec<Stay>,
    /// Intervals that are judged before the horizon.
    pub(crate) until_horizon: u32,
}

/// A weight, from when to when; the last one stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stay {
    pub(crate) weight: Share,
    pub(crate) from: Duration,
    /// When the next step, or `promote`, may be asked for.
    pub(crate) until: Duration,
}

/// No plan looks further than so many intervals.
pub(crate) const FURTHEST: u32 = 3000;

impl Schedule {
    /// By the clock: whoever asks after every interval goes on as soon as the step has lasted, and the canary has
    /// had its requests at so many of the service per interval.
    pub(crate) fn new(grid: Grid, horizon: Duration, steps: &[Step], requests: Option<f64>) -> Self {
        let (every, settle) = (grid.every(), grid.settle());
        let first = every.times(grid.warm_up().millis().div_ceil(every.millis().max(1)));
        let judged = horizon.millis().saturating_sub(first.plus(settle).millis()) / every.millis().max(1);
        let mut schedule = Self {
            every,
            settle,
            first,
            stays: Vec::with_capacity(steps.len()),
            until_horizon: u32::try_from(judged).unwrap_or(u32::MAX).min(FURTHEST),
        };
        let (mut from, mut looks, mut served) = (Duration::ZERO, 0, 0.0);
        for step in steps {
            let weight = step.weight.value;
            #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
            let needed = step.min_requests().get() as f64;
            // The first look that finds the step long enough.
            let until = loop {
                let look = schedule.look(looks);
                looks = looks.saturating_add(1);
                served += requests.unwrap_or(f64::INFINITY) * weight.as_fraction();
                if (look >= from.plus(step.at_least()) && served >= needed) || looks >= FURTHEST {
                    break look;
                }
            };
            schedule.stays.push(Stay { weight, from, until });
            from = until;
        }
        schedule
    }

    /// When interval `k` can be looked at.
    pub(crate) fn look(&self, k: u32) -> Duration {
        self.first.plus(self.every.times(u64::from(k).saturating_add(1))).plus(self.settle)
    }

    /// How long `intervals` last.
    pub(crate) fn lasting(&self, intervals: u32) -> Duration {
        self.every.times(u64::from(intervals))
    }

    pub(crate) fn first_judged(&self) -> Duration {
        self.first
    }

    /// How many intervals have been judged at the end of a stay.
    pub(crate) fn judged_by(&self, stay: &Stay) -> u32 {
        let judged = stay.until.millis().saturating_sub(self.first.plus(self.settle).millis());
        u32::try_from(judged / self.every.millis().max(1)).unwrap_or(u32::MAX)
    }

    /// The mean weight of interval `k`: it changes when somebody has looked, not at an interval's end.
    pub(crate) fn weight(&self, k: u32) -> f64 {
        let from = self.first.plus(self.every.times(u64::from(k)));
        let to = from.plus(self.every);
        let mut sum = 0.0;
        for (place, stay) in self.stays.iter().enumerate() {
            let is_last = place + 1 == self.stays.len();
            let end = if is_last { to } else { stay.until.min(to) };
            let millis = end.millis().saturating_sub(stay.from.max(from).millis());
            sum += stay.weight.as_fraction() * Duration::from_millis(millis).as_secs_f64();
        }
        sum / self.every.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Whether the canary has this weight at this time or within two intervals before it.
    pub(crate) fn has_lately(&self, weight: Share, elapsed: Duration) -> bool {
        let earliest = elapsed.millis().saturating_sub(self.every.times(2).plus(self.settle).millis());
        self.stays.iter().enumerate().any(|(place, stay)| {
            let is_last = place + 1 == self.stays.len();
            stay.weight == weight && stay.from <= elapsed && (is_last || stay.until.millis() >= earliest)
        })
    }
}
