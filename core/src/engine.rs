//! A bundle, compiled once and asked often.

use std::sync::Arc;

use crate::bundle::Bundle;
use crate::decide::decide;
use crate::decision::Decision;
use crate::document::{BundleError, Diagnostic, Source};
use crate::policy::{PlannedWindow, Policies, Policy};
use crate::record::{Record, seal};
use crate::rule::{Fact, ReadyRule, RuleLanguage, Rules};
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::{CanonicalError, Digest, Duration, Name};

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
    shadow: Option<Arc<Engine>>,
    sources: Arc<[(Name, Source)]>,
    rules: Arc<Rules>,
}

/// An engine in the making.
#[derive(Debug)]
pub struct EngineBuilder<'a> {
    bundle: &'a Bundle,
    languages: Vec<Arc<dyn RuleLanguage>>,
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
    /// Takes what the bundle compiled to. For bundles without rules: it knows no language, and a rule that it
    /// cannot judge holds every release. [`Engine::builder`] refuses such a bundle instead.
    #[must_use]
    pub fn new(bundle: &Bundle) -> Self {
        Self::with(bundle, Rules::compile(bundle, &[]).0)
    }

    /// Begins an engine that judges rules.
    ///
    /// ```
    /// # let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
    /// # let languages: [std::sync::Arc<dyn davy::RuleLanguage>; 0] = [];
    /// let engine = davy::Engine::builder(&bundle).rules(languages).build()?;     // `davy_rules::languages()`
    /// # Ok::<(), davy::BundleError>(())
    /// ```
    #[must_use]
    pub fn builder(bundle: &Bundle) -> EngineBuilder<'_> {
        EngineBuilder { bundle, languages: Vec::new() }
    }

    fn with(bundle: &Bundle, rules: Rules) -> Self {
        let sources = bundle.rollout().spec.value.sources.iter().flat_map(|sources| &sources.value.0);
        Self {
            service: bundle.service().clone(),
            digest: bundle.digest(),
            policies: Arc::clone(bundle.policies()),
            shadow: None,
            sources: sources.map(|(name, source)| (name.value.clone(), source.clone())).collect(),
            rules: Arc::new(rules),
        }
    }

    /// What is doubtful about the rules, in the order of files and lines.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        self.rules.warnings()
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

    /// How often asking anew can give another answer in this environment: the length of an interval, or a
    /// minute where none is judged. Nothing for an environment that the policy does not name.
    #[must_use]
    pub fn every(&self, environment: &Name) -> Option<Duration> {
        let policy = self.policy(environment)?;
        Some(policy.health.as_ref().map_or(Duration::from_minutes(1), |plan| plan.grid.every()))
    }

    /// The change windows and freezes that releases to this environment may be held by.
    pub fn windows(&self, environment: &Name) -> impl Iterator<Item = &PlannedWindow> {
        let calendar = self.policy(environment).and_then(|policy| policy.calendar.as_ref());
        calendar.into_iter().flat_map(|calendar| &calendar.windows).map(Arc::as_ref)
    }

    /// The sources of the policy, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&Name, &Source)> {
        self.sources.iter().map(|(name, source)| (name, source))
    }

    /// The shadow that was put beside it with [`Engine::with_shadow`].
    #[must_use]
    pub fn shadow(&self) -> Option<&Engine> {
        self.shadow.as_deref()
    }

    pub(crate) fn and_shadow(self, shadow: Arc<Engine>) -> Self {
        Self { shadow: Some(shadow), ..self }
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(crate) fn policy(&self, environment: &Name) -> Option<&Policy> {
        self.policies.named.get(environment).or(self.policies.any.as_ref())
    }

    pub(crate) fn rules(&self, environment: &Name) -> &[ReadyRule] {
        self.rules.of(environment)
    }

    pub(crate) fn all_rules(&self) -> impl Iterator<Item = &ReadyRule> {
        self.rules.all()
    }

    pub(crate) fn annotations(&self) -> &Fact {
        self.rules.annotations()
    }

    pub(crate) fn source(&self, name: &Name) -> Option<&Source> {
        self.sources.iter().find(|(known, _)| known == name).map(|(_, source)| source)
    }

    pub(crate) fn environments(&self) -> impl Iterator<Item = &Name> {
        self.policies.named.keys()
    }
}

impl EngineBuilder<'_> {
    /// Adds languages that rules may be written in.
    #[must_use]
    pub fn rules(mut self, languages: impl IntoIterator<Item = Arc<dyn RuleLanguage>>) -> Self {
        self.languages.extend(languages);
        self
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong with the rules; a rule whose language was not added is.
    pub fn build(self) -> Result<Engine, BundleError> {
        let (rules, errors) = Rules::compile(self.bundle, &self.languages);
        if errors.is_empty() { Ok(Engine::with(self.bundle, rules)) } else { Err(BundleError::new(errors)) }
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
