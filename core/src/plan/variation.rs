//! How much replicas are assumed to differ, before there are any to look at.

use serde::Serialize;

use crate::Share;
use crate::stats::Disturbance;

/// How much replicas of one revision vary by themselves. By default they do not: requests are independent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variation {
    /// How many of their requests are bad.
    pub errors: Varies,
    /// How long requests take.
    pub latency: Varies,
}

/// Relative standard deviations of one replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Varies {
    /// From one interval to the next, without memory.
    pub spread: Share,
    /// The same with memory,
    pub drift: Share,
    /// whose correlation between neighbouring intervals this is.
    pub correlation: Share,
    /// Always different.
    pub offset: Share,
}

impl Varies {
    /// Of counts that change by so many per cent where this changes by one.
    pub(super) fn disturbance(self, steepness: f64) -> Disturbance {
        let of = |share: Share| steepness * share.as_fraction();
        Disturbance {
            spread: of(self.spread),
            drift: of(self.drift),
            correlation: self.correlation.as_fraction(),
            offset: of(self.offset),
        }
    }
}
