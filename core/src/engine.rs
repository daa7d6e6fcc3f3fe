//! A bundle, compiled once and asked often.

use std::sync::Arc;

use crate::bundle::Bundle;
use crate::decide::decide;
use crate::decision::Decision;
use crate::document::Source;
use crate::policy::{Policies, Policy};
use crate::record::{Record, seal};
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::{CanonicalError, Digest, Name};

/// What a bundle says, ready to decide. Cheap to clone, and shared between threads without locks.
///
/// ```
/// # let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
/// # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
/// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
/// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
/// # let snapshot = davy::Snapshot::from_json(json)?;
/// use davy::{Engine, State, Verdict};
/// let engine = Engine::new(&bundle);
/// let mut state = State::new();
/// let step = engine.decide(&state, &snapshot);
/// assert_eq!(step.decision.verdict, Verdict::Proceed);
/// state = step.state;                                 // keep it for the next look
/// # drop(state);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Engine {
    service: Name,
    digest: Digest,
    policies: Arc<Policies>,
    sources: Arc<[(Name, Source)]>,
}

/// One look at a release: the decision, and the state for the next.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// What the host may do, and why.
    pub decision: Decision,
    /// What must be handed in next time.
    pub state: State,
    pub(crate) engine: &'a Engine,
    pub(crate) prior: &'a State,
    pub(crate) snapshot: &'a Snapshot,
}

impl Engine {
    /// Takes what the bundle compiled to.
    #[must_use]
    pub fn new(bundle: &Bundle) -> Self {
        let sources = bundle.rollout().spec.value.sources.iter().flat_map(|sources| &sources.value.0);
        Self {
            service: bundle.service().clone(),
            digest: bundle.digest(),
            policies: Arc::clone(bundle.policies()),
            sources: sources.map(|(name, source)| (name.value.clone(), source.clone())).collect(),
        }
    }

    /// Decides. Never fails and never panics: what cannot be evaluated is a finding that holds.
    ///
    /// `state` is what the previous decision about this release returned, or [`State::new`], or
    /// [`State::next_release`] of an earlier release of the service. Intervals that it already holds
    /// may be left out of the snapshot; cost grows with those that are new.
    #[must_use]
    pub fn decide<'a>(&'a self, state: &'a State, snapshot: &'a Snapshot) -> Step<'a> {
        decide(self, state, snapshot)
    }

    /// The service that the bundle is about.
    #[must_use]
    pub fn service(&self) -> &Name {
        &self.service
    }

    /// The bundle's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn policy(&self, environment: &Name) -> Option<&Policy> {
        self.policies.named.get(environment).or(self.policies.any.as_ref())
    }

    pub(crate) fn source(&self, name: &Name) -> Option<&Source> {
        self.sources.iter().find(|(known, _)| known == name).map(|(_, source)| source)
    }

    pub(crate) fn environments(&self) -> impl Iterator<Item = &Name> {
        self.policies.named.keys()
    }
}

impl Step<'_> {
    /// Seals the decision into a record: canonical bytes that bind the decision to its inputs.
    ///
    /// # Errors
    /// [`CanonicalError`] where an input has no canonical form. The decision stands all the same.
    pub fn seal(&self) -> Result<Record, CanonicalError> {
        seal(self)
    }
}
