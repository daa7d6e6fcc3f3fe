//! What was shown of a metric being good enough.

use serde::{Deserialize, Serialize};

use crate::policy::EvidencePlan;
use crate::stats::Peak;

/// By how much the evidence may fall over the recent intervals: by half.
const FALL: f64 = 2.0;

/// What was shown of a metric being good enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Shown {
    /// The most that both keys say so far.
    peak: Peak,
    /// The evidence after the newest intervals, oldest first.
    recent: Vec<f64>,
}

impl Shown {
    pub(super) const fn new() -> Self {
        Self { peak: Peak::new(), recent: Vec::new() }
    }

    /// The evidence after another interval, and what is left of it after the noise.
    pub(super) fn fold(&mut self, plan: &EvidencePlan, e: f64, doubted: f64) {
        self.peak.fold(e.min(doubted));
        let old = self.recent.len().saturating_sub(plan.recent);
        self.recent.drain(..old);
        self.recent.push(e);
    }

    /// The most that both keys say so far.
    pub(super) fn e(&self) -> f64 {
        self.peak.e()
    }

    /// Whether the recent intervals speak against what was shown before them. It is held against the most of the
    /// recent evidence: what good intervals added before a regression must not make up for it.
    pub(super) fn is_reversed(&self) -> bool {
        let before = self.recent.iter().copied().fold(0.0, f64::max);
        self.recent.last().is_some_and(|now| *now < before / FALL)
    }
}
