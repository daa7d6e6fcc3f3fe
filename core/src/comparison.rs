//! Two decisions about one snapshot, under two policies: where they differ.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::decision::{Decision, Finding, Verdict};

/// Where two decisions about one snapshot differ. Findings are alike that have the same code, subject and counted
/// outcome; their facts, limits for example, may differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// What the one says.
    pub before: Verdict,
    /// What the other says.
    pub after: Verdict,
    /// Findings of the one that the other has none like.
    pub lacks: Vec<Finding>,
    /// Findings of the other that the one has none like.
    pub adds: Vec<Finding>,
}

/// What another version of a policy says of the same snapshot, beside the decision that counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shadowed {
    /// The digest of its bundle.
    pub bundle: Digest,
    /// What it would say.
    pub verdict: Verdict,
    /// Findings of the decision that it has none like: codes, with their subject if they have one.
    pub lacks: Vec<String>,
    /// Findings that it has and the decision has none like.
    pub adds: Vec<Finding>,
}

impl Comparison {
    /// Compares what was decided `before` and `after` a change of the policy.
    ///
    /// ```
    /// # let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
    /// # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    /// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
    /// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
    /// # let snapshot = davy::Snapshot::from_json(json)?;
    /// let engine = davy::Engine::new(&bundle);
    /// let state = davy::State::new();
    /// let step = engine.decide(&state, &snapshot);
    /// assert!(davy::Comparison::between(&step.decision, &step.decision).is_same());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn between(before: &Decision, after: &Decision) -> Self {
        let only = |these: &Decision, those: &Decision| {
            let known = |finding: &&Finding| !those.findings.iter().any(|other| are_alike(finding, other));
            these.findings.iter().filter(known).cloned().collect()
        };
        Self { before: before.verdict, after: after.verdict, lacks: only(before, after), adds: only(after, before) }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.before == self.after && self.lacks.is_empty() && self.adds.is_empty()
    }
}

impl Shadowed {
    /// What a shadow with this bundle said beside a decision.
    pub(crate) fn beside(live: &Decision, shadow: &Decision, bundle: Digest) -> Self {
        let Comparison { after, lacks, adds, .. } = Comparison::between(live, shadow);
        Self { bundle, verdict: after, lacks: lacks.iter().map(Finding::label).collect(), adds }
    }

    /// Whether it would have decided the same, for the same reasons.
    #[must_use]
    pub fn agrees_with(&self, decision: &Decision) -> bool {
        self.verdict == decision.verdict && self.lacks.is_empty() && self.adds.is_empty()
    }
}

fn are_alike(one: &Finding, other: &Finding) -> bool {
    one.code() == other.code() && one.subject == other.subject && one.effective() == other.effective()
}
