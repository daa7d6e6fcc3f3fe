//! The decision: every finding, the strictest of them, and what would have changed it.

mod burned;
mod calendar;
mod cause;
mod finding;
mod noise;
mod ruled;

pub use burned::{Burned, Unclear, WindowSeen};
pub use calendar::{ChangeWindow, WindowRole};
pub use cause::{Bound, Cause, IgnoredOverride, Reading};
pub use finding::{
    Amount, Assumption, Finding, Flip, FlipBound, FlipOf, Guarantee, HoldKind, NoFlip, Outcome, Outside, Standing,
};
pub use noise::{Key, Method, NoiseSeen};
pub use ruled::{Condition, Limit, Operand};

use serde::{Deserialize, Serialize};

use crate::comparison::Shadowed;
use crate::document::Points;
use crate::{Asked, Duration, Instant, Release, Share, Stage};

/// What the host may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Do exactly what was asked.
    Proceed,
    /// Change nothing and ask again.
    Hold,
    /// Take all traffic from the canary.
    Abort,
    /// Go back to the stable revision.
    Rollback,
}

impl Verdict {
    /// The verdict of an outcome in a stage: a fail aborts a canary and rolls back what is live.
    #[must_use]
    pub const fn of(outcome: Outcome, stage: Stage) -> Self {
        match (outcome, stage) {
            (Outcome::Pass, _) => Self::Proceed,
            (Outcome::Hold(_), _) => Self::Hold,
            (Outcome::Fail, Stage::Canary) => Self::Abort,
            (Outcome::Fail, Stage::Live) => Self::Rollback,
        }
    }

    /// The word as it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proceed => "proceed",
            Self::Hold => "hold",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
        }
    }
}

/// All findings of one look at a release, combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decision {
    /// What the host may do.
    pub verdict: Verdict,
    /// What it asked for.
    pub asked: Asked,
    /// How far the release was.
    pub stage: Stage,
    /// The canary's share of the traffic.
    pub weight: Share,
    /// Which release.
    pub release: Release,
    /// The snapshot's `now`.
    pub at: Instant,
    /// What is waited for, if the verdict is to hold.
    pub hold: Option<Hold>,
    /// The health score, from 0 to 100; nothing where no interval was judged.
    ///
    /// - `judge: evidence`: how much of the way to an abort is left, in logarithms: `100·(1 − ln E / ln(2^i/α))` in attempt
    ///   i, rounded and held between 0 and 100, where E is the most that the weighted evidence of harm has been. 100 means
    ///   that there is no evidence of harm, which is no proof of health; 0 that the release fails; 50 that E is the square
    ///   root of what an abort takes: for α = 1 % in the first attempt, odds of 14 to 1. A metric's own score, in its
    ///   finding, is the same of its own evidence now, at the level of the whole.
    /// - `judge: groupSequential`: 100 until a test crosses, then 0.
    /// - Other judges: the share of importance of the metrics that have not failed.
    ///
    /// The lower, the worse; scores of different judges do not compare.
    pub score: Option<Points>,
    /// Every finding: strictest first, then in the order of the gates.
    pub findings: Vec<Finding>,
    /// What another version of the policy would have said; nothing without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadowed>,
}

/// What a hold waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    /// The gravest kind among the holding findings.
    pub kind: HoldKind,
    /// When the hold ends if nothing else changes; known only if every holding finding knows it.
    pub until: Option<Instant>,
    /// How soon asking again may give another answer.
    pub retry_after: Option<Duration>,
}

impl Decision {
    /// The findings that made the verdict: all of the strictest outcome that counts.
    pub fn reasons(&self) -> impl Iterator<Item = &Finding> {
        let strictest = self.findings.iter().map(Finding::effective).max().unwrap_or(Outcome::Pass);
        self.findings.iter().filter(move |finding| finding.effective().severity() == strictest.severity())
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
