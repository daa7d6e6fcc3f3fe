//! What findings speak of, reckoned once per interval rather than once per finding, and kept until the next.

use std::sync::Arc;

use super::second::Keys;
use super::{Beside, ENOUGH_TO_DIAGNOSE, Evidence, Gathered};
use crate::Name;
use crate::policy::{EvidencePlan, HealthPlan};
use crate::stats::RatioLimits;

/// What follows from the evidence. It is not written, and no part of what two states are compared by: it can be had
/// again from the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) keys: Option<Arc<Keys>>,
    pub(super) explained: Option<Arc<Explained>>,
}

/// What no key needs.
#[derive(Debug, Clone)]
pub(super) struct Explained {
    /// One per metric of the policy.
    ratios: Vec<Option<RatioLimits>>,
    /// Replicas of the baseline that look sick and are compared all the same.
    pub(super) suspected: Vec<Name>,
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Evidence {
    /// Begins a look: what past rollouts had a part in is reckoned anew, for they may be others now.
    pub(crate) fn begin_look(&mut self, beside: Beside<'_>) {
        let is_stale = |keys: &Arc<Keys>| keys.by_history || beside.history.is_some();
        if self.kept.keys.as_ref().is_some_and(is_stale) {
            self.kept.keys = None;
        }
    }

    /// Ends it, once all intervals are folded: reckons what is not known yet.
    pub(crate) fn end_look(&mut self, health: &HealthPlan, plan: &EvidencePlan, beside: Beside<'_>) {
        if self.kept.keys.is_none() {
            self.kept.keys = Some(Arc::new(self.keys(health, plan, beside)));
        }
        if self.kept.explained.is_none() {
            self.kept.explained = Some(Arc::new(self.explain(plan)));
        }
    }

    fn explain(&self, plan: &EvidencePlan) -> Explained {
        let ratio = |gathered: &Vec<Gathered>| gathered.iter().find_map(|gathered| gathered.ratio(plan));
        Explained { ratios: self.metrics.iter().map(ratio).collect(), suspected: self.suspected() }
    }

    fn suspected(&self) -> Vec<Name> {
        if self.intervals < ENOUGH_TO_DIAGNOSE {
            return Vec::new();
        }
        self.sick().into_iter().filter_map(|place| self.replicas.name(place)).cloned().collect()
    }
}

impl Explained {
    /// How many times as often as the baseline the canary has bad events, by the first test that says so.
    pub(super) fn ratio(&self, metric: usize) -> Option<RatioLimits> {
        self.ratios.get(metric).copied().flatten()
    }
}
