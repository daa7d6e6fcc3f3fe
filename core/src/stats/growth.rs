//! How fast evidence would grow: what a planner needs to say when something can be detected.
//!
//! The expected increment of an interval is exact, since its logarithm is linear in the counts. For a test at
//! ρ0 = 1 whose effect size is the true ratio r it is
//!
//! ```text
//! G = p·[ nC·r·ln r − (nC·r + nB)·ln((nC·r + nB)/(nC + nB)) ]      nats per interval
//! ```
//!
//! (the Kullback-Leibler divergence; "growth rate" in P. Grünwald, R. de Heide, W. Koolen, "Safe Testing" (2019)).
//! Detection takes about `ln(1/α_eff)/G` intervals: it is limited by information, not by the method.

use super::grid::PlanError;
use super::level::Level;
use super::noise::is_outage_of;
use super::process::{Increment, Process};
use super::starts::Starts;

/// What an interval is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    canary_requests: f64,
    canary_share: f64,
    baseline_requests: f64,
    baseline_share: f64,
}

impl Traffic {
    /// Requests of each arm per interval, and the share of them that are events.
    ///
    /// # Errors
    /// [`PlanError::Traffic`] for numbers that are not those of any traffic.
    pub fn new(canary: (f64, f64), baseline: (f64, f64)) -> Result<Self, PlanError> {
        let known = |(requests, share): (f64, f64)| (0.0..=1e15).contains(&requests) && (0.0..=1.0).contains(&share);
        if !known(canary) || !known(baseline) {
            return Err(PlanError::Traffic);
        }
        Ok(Self {
            canary_requests: canary.0,
            canary_share: canary.1,
            baseline_requests: baseline.0,
            baseline_share: baseline.1,
        })
    }

    /// Whether it is that of an outage.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        is_outage_of(self.canary(), self.baseline())
    }

    pub(super) const fn baseline_share(&self) -> f64 {
        self.baseline_share
    }

    /// Expected events, and requests.
    pub(super) fn canary(&self) -> (f64, f64) {
        (self.canary_requests * self.canary_share, self.canary_requests)
    }

    pub(super) fn baseline(&self) -> (f64, f64) {
        (self.baseline_requests * self.baseline_share, self.baseline_requests)
    }
}

/// After how many intervals a process that carries this weight in the composite reaches the level by itself, if
/// every interval says what it says on average: about the median. Nothing, if it does not within these intervals.
///
/// ```
/// use davy::stats::{Grid, Level, RATIOS, RatioTest, Starts, Traffic, intervals_to};
/// use std::num::NonZeroU32;
///
/// // Errors twice as many as 1 %, at 5 % of 5 requests/s, judged every 30 s.
/// let test = RatioTest::new(Grid::new(RATIOS)?, 1.0)?;
/// let traffic = |weight: f64| Traffic::new((150.0 * weight, 0.02), (150.0 * (1.0 - weight), 0.01));
/// let starts = Starts::Within(NonZeroU32::new(600).expect("600"));
/// let level = Level::of("1%".parse()?);
/// let until = |weight| -> Result<_, davy::stats::PlanError> {
///     let each = test.growth(&traffic(weight)?);
///     Ok(intervals_to(level, 1.0, starts, (0..600).map(|_| each)))
/// };
/// let hours = |intervals: u32| f64::from(intervals) / 120.0;
/// assert!(hours(until(0.05)?.expect("it is seen")) > 1.8);
/// assert!(hours(until(0.25)?.expect("it is seen")) < 0.8);   // raise the weight, or stay longer
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn intervals_to<const J: usize>(
    level: Level,
    weight: f64,
    starts: Starts,
    growth: impl IntoIterator<Item = Increment<J>>,
) -> Option<u32> {
    let mut process = Process::new();
    growth.into_iter().find_map(|increment| {
        process.fold(starts, &increment);
        level.is_reached(weight * process.e(starts)).then_some(process.intervals())
    })
}
