//! Facts about error budgets: what a pair of windows saw, and why nothing can be said.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::slo::{Condition, Measured, Why};
use crate::{Duration, Share};

/// What a pair of windows saw of one objective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Burned {
    /// Which objective of the SLO, from 1.
    pub objective: NonZeroU32,
    /// The burn rate that is too fast in both windows.
    pub threshold: f64,
    /// The ratio of bad events that is this burn rate.
    pub limit: f64,
    /// The long window.
    pub long: WindowSeen,
    /// The short window.
    pub short: WindowSeen,
}

/// What was seen in one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowSeen {
    /// How long it is.
    pub window: Duration,
    /// Bad events, if they are known.
    pub bad: Option<f64>,
    /// All events, if they are known.
    pub total: Option<f64>,
}

/// Why nothing can be said about an SLO.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Unclear {
    /// There is no such window, or no series of the events.
    NoData,
    /// There is no series of bad events, and the SLO does not say that it appears with the first one.
    NoErrorSeries,
    /// The newest sample is too old, or nobody knows how old it is.
    Stale {
        /// How old it is.
        age: Option<Duration>,
    },
    /// There were no events.
    NoTraffic,
    /// What the source says are no numbers of events.
    Invalid,
    /// The window has gaps, and what was seen is not too much.
    Partial {
        /// The part that was seen.
        coverage: Share,
    },
    /// Too many are bad, of too few events.
    FewEvents {
        /// All events.
        total: f64,
    },
    /// Too many are bad, but too few in number.
    FewErrors {
        /// Bad events.
        bad: f64,
    },
    /// Too many are bad, but it may be chance.
    Unsure,
    /// The same window was given twice, with other numbers.
    Twice,
}

impl Unclear {
    /// Whether more traffic alone would make it clear.
    #[must_use]
    pub const fn is_thin(self) -> bool {
        matches!(self, Self::NoTraffic | Self::FewEvents { .. } | Self::FewErrors { .. } | Self::Unsure)
    }
}

impl From<Why> for Unclear {
    fn from(why: Why) -> Self {
        match why {
            Why::NoData => Self::NoData,
            Why::NoErrorSeries => Self::NoErrorSeries,
            Why::Stale { age } => Self::Stale { age },
            Why::NoTraffic => Self::NoTraffic,
            Why::Invalid(_) => Self::Invalid,
            Why::Partial { coverage } => Self::Partial { coverage },
            Why::FewEvents { total } => Self::FewEvents { total },
            Why::FewErrors { bad } => Self::FewErrors { bad },
            Why::Unsure => Self::Unsure,
        }
    }
}

impl WindowSeen {
    pub(crate) fn new(window: Duration, seen: Option<&Measured>) -> Self {
        let usable = |amount: Option<f64>| amount.filter(|amount| amount.is_finite());
        Self { window, bad: usable(seen.and_then(|seen| seen.bad)), total: usable(seen.and_then(|seen| seen.total)) }
    }

    /// Bad events per event, if there were any.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        self.bad.zip(self.total.filter(|total| *total > 0.0)).map(|(bad, total)| bad / total)
    }
}

impl Burned {
    pub(crate) fn new(
        objective: NonZeroU32,
        condition: &Condition,
        long: Option<&Measured>,
        short: Option<&Measured>,
    ) -> Self {
        let pair = condition.pair();
        Self {
            objective,
            threshold: pair.threshold.as_f64(),
            limit: condition.limit(),
            long: WindowSeen::new(pair.long, long),
            short: WindowSeen::new(pair.short, short),
        }
    }

    /// The burn rate of a window, for people; nothing without traffic, or without a budget.
    #[must_use]
    pub fn rate(&self, seen: &WindowSeen) -> Option<f64> {
        let rate = seen.ratio()? / self.limit * self.threshold;
        Some(rate).filter(|rate| rate.is_finite())
    }
}
