//! What must survive between two decisions: opaque, small, versioned.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::decision::Finding;
use crate::gate::budget::Frozen;
use crate::gate::burn::Uneasy;
use crate::gate::health::Folded;
use crate::snapshot::{Release, SnapshotError};
use crate::{CanonicalError, Digest, Instant, Name, canonical_json};

/// The version of the layout. A state of another version is refused when it is read.
const VERSION: u32 = 1;

/// What must survive between two decisions about a release.
///
/// It has two parts. The release's part is bound to the policy's digest and to the release with its
/// attempt; it holds one short digest per judged interval and a few numbers per metric. The service's
/// part outlives the release: [`State::next_release`] hands it on.
///
/// Its JSON is stable within a version and otherwise nobody's business.
///
/// ```
/// use davy::State;
/// let state = State::new();
/// assert_eq!(State::from_json(&state.to_json())?, state);
/// # Ok::<(), davy::SnapshotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    version: Version,
    service: ServiceState,
    release: Option<ReleaseState>,
    /// That of the policy's shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shadow: Option<Box<State>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

#[derive(Debug, Error)]
#[error("S031: a state of version {0}; this engine reads version {VERSION}")]
struct VersionError(u32);

/// The part that outlives a release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ServiceState {
    /// Whose it is, once a decision was made with it.
    pub(crate) service: Option<Name>,
    /// Budgets that freeze releases until they have recovered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) frozen: Vec<Frozen>,
}

/// The part of one attempt of one release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReleaseState {
    pub(crate) policy: Digest,
    pub(crate) release: Release,
    /// What came from intervals alone, and can be had again from them.
    pub(crate) folded: Folded,
    pub(crate) course: Course,
}

/// What came from the course of the decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Course {
    /// The latest `now`.
    pub(crate) latest: Instant,
    /// Since when holds that the policy's hold limit counts have lasted without a break.
    pub(crate) holding: Option<Instant>,
    /// Failures that ended the release.
    pub(crate) latched: Vec<Finding>,
    /// Pairs of windows that were not calm when they were last looked at before the live stage, and since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uneasy: Option<Vec<Uneasy>>,
}

impl State {
    /// The state before the first decision about a service.
    #[must_use]
    pub fn new() -> Self {
        Self { version: Version, service: ServiceState::default(), release: None, shadow: None }
    }

    /// The state that the next release, or the next attempt, of the same service begins with.
    #[must_use]
    pub fn next_release(&self) -> Self {
        let shadow = self.shadow.as_ref().map(|shadow| Box::new(shadow.next_release()));
        Self { version: Version, service: self.service.clone(), release: None, shadow }
    }

    /// The release that it is about; nothing before the first decision.
    #[must_use]
    pub fn release(&self) -> Option<&Release> {
        self.release.as_ref().map(|release| &release.release)
    }

    /// Reads a state that [`State::to_json`] wrote.
    ///
    /// # Errors
    /// [`SnapshotError`] for anything else, another version included.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        crate::snapshot::read(bytes)
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Its numbers are finite and its keys are text, so there is nothing to refuse.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The digest that stands for this state in records. It covers everything, and costs the same
    /// however many intervals were judged.
    ///
    /// # Errors
    /// [`CanonicalError`] for a state from elsewhere that holds a number without canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        let release = self.release.as_ref().map(|release| {
            let folded = release.folded.commitment();
            (release.policy, &release.release, folded, &release.course)
        });
        let own = (VERSION, &self.service, release);
        Ok(match &self.shadow {
            None => Digest::of(&canonical_json(&own)?),
            Some(shadow) => Digest::of(&canonical_json(&(own, shadow.digest()?))?),
        })
    }

    pub(crate) fn with(service: ServiceState, release: ReleaseState) -> Self {
        Self { version: Version, service, release: Some(release), shadow: None }
    }

    pub(crate) fn shadow(&self) -> Option<&State> {
        self.shadow.as_deref()
    }

    pub(crate) fn with_shadow(self, shadow: Option<State>) -> Self {
        Self { shadow: shadow.map(Box::new), ..self }
    }

    pub(crate) fn service(&self) -> &ServiceState {
        &self.service
    }

    pub(crate) fn attempt(&self) -> Option<&ReleaseState> {
        self.release.as_ref()
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl Course {
    pub(crate) fn new(now: Instant) -> Self {
        Self { latest: now, holding: None, latched: Vec::new(), uneasy: None }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> u32 {
        VERSION
    }
}

impl TryFrom<u32> for Version {
    type Error = VersionError;
    fn try_from(version: u32) -> Result<Self, VersionError> {
        if version == VERSION { Ok(Self) } else { Err(VersionError(version)) }
    }
}
