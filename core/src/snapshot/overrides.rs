//! Overrides: signed, scoped, expiring human decisions.

use serde::{Deserialize, Serialize};

use super::Release;
use crate::{Instant, Name, Text};

/// A human decision about releases, as the host verified it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    /// Its own name.
    pub id: Name,
    /// What it does.
    pub action: OverrideAction,
    /// What it is about.
    pub scope: Scope,
    /// Who decided.
    pub by: Text,
    /// Why.
    pub reason: Text,
    /// From when on it acts.
    pub issued_at: Instant,
    /// From when on it no longer acts.
    pub expires_at: Instant,
    /// Whether the host verified its signature. What is not verified can only tighten.
    pub verification: Verification,
}

/// What an override does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum OverrideAction {
    /// Lowers the named findings: holds always, fails where the policy allows it.
    Waive {
        /// Codes such as `steps.dwell`, or with their subject, such as `health.no-data:errors`.
        findings: Vec<Text>,
    },
    /// Holds the release.
    Hold,
    /// Fails the release.
    Abort,
}

/// What an override is about; what is left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scope {
    /// The service.
    pub service: Name,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// The revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
}

/// Whether the host verified a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verification {
    /// The signature is good and its signer may decide this.
    Verified,
    /// Not checked, or not good.
    Unverified,
}

impl Scope {
    /// Whether the release is within this scope.
    #[must_use]
    pub fn covers(&self, release: &Release) -> bool {
        self.service == release.service
            && self.environment.as_ref().is_none_or(|environment| *environment == release.environment)
            && self.revision.as_ref().is_none_or(|revision| *revision == release.revision)
    }
}

impl Override {
    /// Whether it acts at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Instant) -> bool {
        self.issued_at <= now && now < self.expires_at
    }

    /// Whether this waives a finding with this code and subject.
    #[must_use]
    pub fn waives(&self, code: &str, subject: Option<&str>) -> bool {
        let OverrideAction::Waive { findings } = &self.action else { return false };
        findings.iter().any(|named| match (named.as_str().split_once(':'), subject) {
            (None, _) => named.as_str() == code,
            (Some((named_code, named_subject)), Some(subject)) => named_code == code && named_subject == subject,
            (Some(_), None) => false,
        })
    }
}
