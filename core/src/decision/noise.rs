//! Facts about noise: how much replicas and intervals differ by themselves, and what that leaves of the evidence.

use serde::{Deserialize, Serialize};

use crate::Count;

/// Where the noise is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Method {
    /// From how eight or more replicas of the baseline differ.
    Replicas,
    /// From three to seven of them, with doubt about what chance seems to explain.
    FewReplicas,
    /// From past rollouts together with today's replicas.
    History,
    /// From the rank among past healthy rollouts: exact, if this one is like them.
    Ranked,
    /// Nothing shows it: from the canary's own intervals and assumptions. Outside the guarantee.
    Declared,
}

/// The two keys of an abort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    /// The evidence as if requests were independent.
    First,
    /// The evidence that the noise leaves.
    Second,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_false(outage: &bool) -> bool {
    !*outage
}

/// What is known of the noise of the test that says most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoiseSeen {
    /// Where the noise is known from.
    pub method: Method,
    /// The key that says less: an abort that has not come yet waits for it.
    pub blocks: Key,
    /// Replicas of the baseline that are compared.
    pub replicas: Count,
    /// The effective number of the canary's replicas, over the whole rollout.
    pub canary_replicas: Option<f64>,
    /// How many times as much the replicas vary as chance alone would make them.
    pub dispersion: Option<f64>,
    /// The standard deviation of one replica's noise over the rollout, relative: 0.05 is ± 5 %.
    pub deviation: f64,
    /// How neighbouring intervals correlate, from 0 to 1.
    pub correlation: f64,
    /// Degrees of freedom of the variance.
    pub freedom: f64,
    /// The part of the evidence that counts, from 0 to 1; what an outage says while it lasts counts whole beside it.
    pub counted: f64,
    /// Whether the canary is down: no noise is like that, and nothing is discounted of what these intervals say.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outage: bool,
    /// By what `strictNoise` divides the evidence that the noise leaves; none without it, and where rollouts are ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strictness: Option<f64>,
    /// The smallest ratio to what is tolerated that could be told from this noise.
    pub detectable: Option<f64>,
    /// Whether more replicas would make that smaller, and more time would not.
    pub needs_replicas: bool,
    /// By how much the canary has more events than the baseline, relative.
    pub excess: Option<f64>,
    /// By how much the worst replica of the baseline has; to look at, not to decide by.
    pub placebo: Option<f64>,
    /// Counts of one replica in one interval that were left out because it had just started.
    pub young: Count,
    /// All of them.
    pub seen: Count,
}
