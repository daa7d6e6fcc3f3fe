//! A shadow: another version of the policy that looks at the same snapshots and decides nothing.

use std::sync::Arc;

use thiserror::Error;

use crate::document::Position;
use crate::engine::Engine;
use crate::policy::{MetricPlan, Policy, SloPlan};
use crate::{Digest, Duration, Name};

/// Why a policy cannot be the shadow of another: what is observed once would have to mean two things.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShadowError {
    /// It is about another service.
    #[error("E001: the shadow is about the service `{shadow}`, the policy about `{live}`")]
    OtherService {
        /// The policy's service.
        live: Name,
        /// The shadow's service.
        shadow: Name,
    },
    /// It counts in intervals of another length.
    #[error("{position}: E002: the shadow's intervals last {shadow}, the policy's {live} (give both the same `every`)")]
    OtherGrid {
        /// Where the shadow says so.
        position: Position,
        /// The policy's.
        live: Duration,
        /// The shadow's.
        shadow: Duration,
    },
    /// A metric of the same name asks for something else.
    #[error(
        "{position}: E003: the shadow's `{name}` asks for something else than the policy's at {live} (give it another name)"
    )]
    OtherQuestion {
        /// Where the shadow has it.
        position: Position,
        /// The metric or SLO.
        name: Name,
        /// Where the policy has it.
        live: Position,
    },
    /// One of them has a shadow already.
    #[error("E004: a policy has one shadow, which has none itself")]
    Nested,
}

impl Engine {
    /// The same engine with a shadow beside it: a policy that is handed every snapshot too, keeps a state of its own
    /// within the [`State`](crate::State), and has no part in any verdict. Where it would decide otherwise, the decision
    /// says so in [`Decision::shadow`](crate::Decision::shadow), and so do records.
    ///
    /// A shadow that is added in the middle of a rollout judges what it sees from then on.
    ///
    /// # Errors
    /// [`ShadowError`] where both would read something else into the same observation.
    ///
    /// ```
    /// use davy::{Bundle, Engine};
    /// let live = Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
    /// let stricter = davy::starter("checkout").replace("holdLimit: { after: 2h", "holdLimit: { after: 1h");
    /// let next = Bundle::from_files([("rollouts.yaml", stricter)])?;
    /// let engine = Engine::new(&live).with_shadow(Engine::new(&next))?;
    /// assert_eq!(engine.shadow().map(Engine::digest), Some(next.digest()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_shadow(self, shadow: Engine) -> Result<Engine, ShadowError> {
        if self.shadow().is_some() || shadow.shadow().is_some() {
            return Err(ShadowError::Nested);
        }
        if self.service() != shadow.service() {
            return Err(ShadowError::OtherService { live: self.service().clone(), shadow: shadow.service().clone() });
        }
        let environments: Vec<&Name> = self.environments().chain(shadow.environments()).collect();
        let named = environments.into_iter().map(|name| (self.policy(name), shadow.policy(name)));
        let any = std::iter::once((self.policies().any.as_ref(), shadow.policies().any.as_ref()));
        for (live, other) in named.chain(any).filter_map(|(live, shadow)| live.zip(shadow)) {
            check(live, other)?;
        }
        Ok(self.and_shadow(Arc::new(shadow)))
    }
}

/// A shadow's digest; nothing of an engine without one.
pub(crate) fn digest_of(engine: &Engine) -> Option<Digest> {
    engine.shadow().map(Engine::digest)
}

fn check(live: &Policy, shadow: &Policy) -> Result<(), ShadowError> {
    if let (Some(live), Some(shadow)) = (&live.health, &shadow.health) {
        if live.grid.every() != shadow.grid.every() {
            let position = shadow.position.clone();
            return Err(ShadowError::OtherGrid { position, live: live.grid.every(), shadow: shadow.grid.every() });
        }
        let same = |a: &MetricPlan, b: &MetricPlan| a.means.asks_the_same(&b.means) && a.source == b.source;
        for metric in &shadow.metrics {
            let known = live.metrics.iter().find(|known| known.name == metric.name);
            if let Some(known) = known.filter(|known| !same(known, metric)) {
                return Err(other_question(&metric.name, &metric.position, &known.position));
            }
        }
    }
    if let (Some(live), Some(shadow)) = (&live.budget, &shadow.budget) {
        let questions = |slo: &SloPlan| {
            let objectives = slo.objectives.iter();
            objectives.map(|objective| (objective.query.clone(), objective.source.clone())).collect::<Vec<_>>()
        };
        for slo in &shadow.slos {
            let known = live.slos.iter().find(|known| known.name == slo.name);
            if let Some(known) = known.filter(|known| questions(known) != questions(slo)) {
                return Err(other_question(&slo.name, &slo.position, &known.position));
            }
        }
    }
    Ok(())
}

fn other_question(name: &Name, position: &Position, live: &Position) -> ShadowError {
    ShadowError::OtherQuestion { position: position.clone(), name: name.clone(), live: live.clone() }
}
