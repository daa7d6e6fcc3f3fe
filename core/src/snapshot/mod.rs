//! Everything the host observed of a release, the time included: what a decision is made from.

mod error;
mod interval;
mod overrides;
mod probe;
mod strict;

pub(crate) use error::read;
pub use error::{SnapshotCode, SnapshotError};
pub(crate) use interval::coarser;
pub use interval::{Buckets, Cohort, Histogram, Interval, IntervalError, Missing, Observation, Observed};
pub use overrides::{Override, OverrideAction, Scope, Verification};
pub use probe::{ProbeResult, ProbeVerdict};
pub(crate) use strict::Strict;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{Instant, Name, Share};

/// What was observed of a release, and what the host wants to do next.
///
/// Lists may come in any order. In JSON, keys are camelCase, unknown and duplicate keys are errors,
/// instants are RFC 3339 and weights are percentages.
///
/// ```
/// let snapshot = davy::Snapshot::from_json(br#"{
///   "now": "2026-11-23T10:00:00Z",
///   "release": { "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
///                "startedAt": "2026-11-23T09:30:00Z" },
///   "asked": { "advance": { "to": "25%" } },
///   "stage": "canary", "weight": "5%", "since": "2026-11-23T09:30:00Z"
/// }"#)?;
/// assert_eq!(snapshot.release.attempt.get(), 1);
/// # Ok::<(), davy::SnapshotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// When this was observed: the only clock that a decision knows.
    pub now: Instant,
    /// Which release.
    pub release: Release,
    /// What the host wants to do.
    pub asked: Asked,
    /// Whether the canary is compared or serves everyone.
    pub stage: Stage,
    /// The canary's share of the traffic.
    pub weight: Share,
    /// When the release reached this stage and weight.
    pub since: Instant,
    /// Counts per interval; those that a state already holds may be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// Results of synthetic flows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<ProbeResult>,
    /// Other releases that are running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<Running>,
    /// Environments that this revision has passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Human decisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// One revision of one service going to one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The service.
    pub service: Name,
    /// Where it goes.
    pub environment: Name,
    /// The new revision.
    pub revision: Name,
    /// The revision that serves until now.
    pub stable: Name,
    /// Which try of this revision, from 1. A new attempt starts with a new state.
    #[serde(default = "first_attempt")]
    pub attempt: NonZeroU32,
    /// When this attempt began.
    pub started_at: Instant,
}

fn first_attempt() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// What the host wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Asked {
    /// Begin the release.
    Start,
    /// Give the canary more traffic.
    Advance {
        /// The weight wanted.
        to: Share,
    },
    /// Give the canary everyone.
    Promote,
    /// Nothing: just watch.
    Keep,
}

/// How far the release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The new revision serves a part of the traffic; a failure aborts.
    Canary,
    /// The new revision serves everyone; a failure rolls back.
    Live,
}

/// A release that is running elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Running {
    /// Its service.
    pub service: Name,
    /// Its environment.
    pub environment: Name,
    /// Its revision.
    pub revision: Name,
}

/// An environment that a revision has passed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Passed {
    /// The environment.
    pub environment: Name,
    /// The revision.
    pub revision: Name,
    /// When it was promoted there.
    pub at: Instant,
}

impl Snapshot {
    /// Reads a snapshot from JSON.
    ///
    /// # Errors
    /// [`SnapshotError`], with a code, line and column; nothing is accepted in part.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        error::read(bytes)
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Advance { to } => write!(f, "advance to {to}"),
            Self::Promote => f.write_str("promote"),
            Self::Keep => f.write_str("keep"),
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary",
            Self::Live => "live",
        })
    }
}
