//! Everything the host observed of a release, the time included: what a decision is made from.

mod error;
mod history;
mod interval;
mod overrides;
mod plugin;
mod probe;
mod series;
mod slo;
mod strict;

pub(crate) use error::read;
pub use error::{SnapshotCode, SnapshotError};
pub use history::NoiseHistory;
pub(crate) use interval::coarser;
pub use interval::{Buckets, Cohort, Histogram, Interval, IntervalError, Missing, Observation, Observed};
pub use overrides::{Override, OverrideAction, Scope, Verification};
pub use plugin::{PluginFault, PluginObservation, PluginOutcome};
pub use probe::{ProbeResult, ProbeVerdict};
pub use series::{Series, SeriesError, SeriesValues};
pub use slo::{Part, Seen, SloWindow};
pub(crate) use strict::Strict;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{Facts, Instant, Name, Share, Text};

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
    /// Whether a person asks for it: some change windows let that pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub manual: bool,
    /// What it is released to, for the selectors of change windows.
    #[serde(default, skip_serializing_if = "Target::is_unknown")]
    pub target: Target,
    /// Counts per interval; those that a state already holds may be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// When replicas started, as far as it is known: what a replica counts within the policy's `warmUp` after that is
    /// left out. A replica that restarts stands here again. One that is not here, and first appears when others of
    /// its cohort are known already, is taken to have started then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replica_starts: Vec<ReplicaStart>,
    /// What past rollouts of this policy showed of the noise; the same at every look at a release. From 20 rollouts on their
    /// noise is used, and from [199 on, where `falseAborts` is 1 %](NoiseHistory), a first attempt is ranked among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_history: Option<NoiseHistory>,
    /// Older intervals that plugins look back on. They are never judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Interval>,
    /// What came of the plugins that measured the intervals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<PluginObservation>,
    /// What was seen of the policy's SLOs, per window and cohort.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slos: Vec<SloWindow>,
    /// Results of synthetic flows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<ProbeResult>,
    /// Other releases that are running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<Running>,
    /// Environments that this revision has passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// What the host knows beside what it measured; only rules read it.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
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
    /// What kind of change it is, such as `feature`, `security` or `rollback`: freezes may let some kinds through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_class: Option<Name>,
}

fn first_attempt() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// What a release goes to, as far as the host knows. A change window that selects by what is not known here holds, blind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Text>,
    /// The URL of the cluster's API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Text>,
    /// The namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// All labels that it has; nothing where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<Name, Text>>,
}

impl Target {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
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

/// When a replica started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicaStart {
    /// Whose traffic it serves.
    pub cohort: Cohort,
    /// Its name, as observations have it.
    pub replica: Name,
    /// When it started.
    pub started_at: Instant,
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
