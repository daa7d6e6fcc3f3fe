//! Learning noise: from healthy rollouts to the history that the next ones are judged with.

use std::num::NonZeroU32;

use crate::engine::Engine;
use crate::gate::health::Folded;
use crate::policy::HealthPlan;
use crate::snapshot::{
    Asked, Cohort, Interval, NoiseHistory, Observation, Release, ReplicaStart, Snapshot, Stage, Target,
};
use crate::{Facts, Instant, Name, Share};

impl Engine {
    /// What one rollout showed of the noise, given all of its intervals in time order. It must have been healthy: only
    /// the caller knows what became of it. Nothing if this policy gathers no evidence in this environment, or nothing
    /// was judged.
    ///
    /// The histories of many rollouts are put together with [`NoiseHistory::merge`], and handed in with
    /// [`Snapshot::noise_history`].
    ///
    /// ```
    /// # let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
    /// # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    /// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
    /// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
    /// # let release = davy::Snapshot::from_json(json)?.release;
    /// let engine = davy::Engine::new(&bundle);
    /// assert!(engine.learn(&release, &[], &[]).is_none());   // nothing was judged
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn learn(&self, release: &Release, intervals: &[Interval], starts: &[ReplicaStart]) -> Option<NoiseHistory> {
        let plan = self.policy(&release.environment)?.health.as_ref()?;
        learn(plan, release, intervals, starts)
    }

    /// What the past of the baseline showed, before any rollout: intervals of the stable revision alone, replica by
    /// replica, in time order.
    ///
    /// They are cut into spans as long as a rollout. In each, one replica plays the canary, another one each time, so
    /// that it is one shadow rollout. A span in which fewer than three replicas are seen teaches nothing.
    #[must_use]
    pub fn learn_from_baseline(&self, environment: &Name, intervals: &[Interval]) -> Option<NoiseHistory> {
        let plan = self.policy(environment)?.health.as_ref()?;
        let length = plan.horizon.millis().checked_div(plan.grid.every().millis()).unwrap_or(1).max(1);
        let mut all: Option<NoiseHistory> = None;
        for (turn, span) in intervals.chunks(usize::try_from(length).unwrap_or(usize::MAX)).enumerate() {
            let mut names: Vec<&Name> = span.iter().flat_map(Interval::observations).filter_map(of_baseline).collect();
            names.sort();
            names.dedup();
            let whole = span.len() as u64 == length && names.len() > 2;
            let Some(placebo) = names.get(turn % names.len().max(1)).filter(|_| whole) else { continue };
            let shadow: Option<Vec<Interval>> = span.iter().map(|interval| with_canary(interval, placebo)).collect();
            let started_at = span.first()?.start().minus(plan.grid.warm_up());
            let release = shadow_of(self.service(), environment, started_at)?;
            if let Some(history) = shadow.and_then(|shadow| learn(plan, &release, &shadow, &[])) {
                all.get_or_insert_default().merge(&history);
            }
        }
        all
    }
}

fn learn(
    plan: &HealthPlan,
    release: &Release,
    intervals: &[Interval],
    starts: &[ReplicaStart],
) -> Option<NoiseHistory> {
    plan.evidence.as_ref()?;
    let mut seen = Snapshot {
        now: release.started_at,
        release: release.clone(),
        asked: Asked::Keep,
        stage: Stage::Canary,
        weight: Share::ZERO,
        since: release.started_at,
        manual: false,
        target: Target::default(),
        intervals: Vec::new(),
        replica_starts: starts.to_vec(),
        history: Vec::new(),
        plugins: Vec::new(),
        noise_history: None,
        slos: Vec::new(),
        probes: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: Facts::default(),
    };
    let mut folded = Folded::new(Some(plan));
    let mut history = NoiseHistory::default();
    let mut highest: Option<f64> = None;
    for interval in intervals {
        seen.now = seen.now.max(interval.end().plus(plan.grid.settle()));
        seen.intervals = vec![interval.clone()];
        let before = folded.newest();
        let _ = folded.fold(plan, &seen);
        if folded.newest() != before
            && let Some(e) = folded.teach(plan, &mut history)
        {
            highest = Some(highest.map_or(e, |highest| highest.max(e)));
        }
    }
    history.add_rollout(highest?);
    Some(history)
}

fn of_baseline(observation: &Observation) -> Option<&Name> {
    observation.replica.as_ref().filter(|_| observation.cohort == Cohort::Baseline)
}

/// The same interval, in which one replica is the canary.
fn with_canary(interval: &Interval, placebo: &Name) -> Option<Interval> {
    let of = |observation: &Observation| {
        let cohort = if observation.replica.as_ref() == Some(placebo) { Cohort::Canary } else { observation.cohort };
        Observation { cohort, ..observation.clone() }
    };
    Interval::new(interval.start(), interval.end(), interval.observations().iter().map(of).collect()).ok()
}

fn shadow_of(service: &Name, environment: &Name, started_at: Instant) -> Option<Release> {
    let revision: Name = "shadow".parse().ok()?;
    Some(Release {
        service: service.clone(),
        environment: environment.clone(),
        revision: revision.clone(),
        stable: revision,
        attempt: NonZeroU32::MIN,
        started_at,
        change_class: None,
    })
}
