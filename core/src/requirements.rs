//! What a host should fetch before it asks: queries as the policy wrote them, per cohort, with their span.

use serde::Serialize;

use crate::document::Spanned;
use crate::engine::Engine;
use crate::policy::{HealthPlan, MetricPlan, Query};
use crate::snapshot::{Asked, Cohort, Release};
use crate::state::State;
use crate::{Duration, Instant, Name};

/// One thing to fetch. What the texts of a query mean is the source's business.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The metric or flow that the answer is about.
    pub about: Name,
    /// The source, if the policy names one.
    pub source: Option<Name>,
    /// What to ask it.
    pub query: Query,
    /// Whose traffic.
    pub cohort: Cohort,
    /// Label matchers that select the cohort, with the release's revisions filled in.
    pub selector: Option<String>,
    /// The label that names a replica.
    pub replica: Option<Name>,
    /// From here; for intervals, the start of the first one that is wanted.
    pub from: Instant,
    /// To here; for intervals, the end of the last one.
    pub to: Instant,
    /// The length of one interval, if counts per interval are wanted.
    pub every: Option<Duration>,
}

impl Engine {
    /// What to fetch for the next decision: the closed intervals that `state` does not hold yet, and
    /// recent runs of the required flows. Empty before a release starts, or for an unknown environment.
    ///
    /// ```
    /// use davy::{Asked, Bundle, Engine, State};
    /// # let json = br#"{ "now": "2026-11-23T10:04:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    /// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
    /// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
    /// # let snapshot = davy::Snapshot::from_json(json)?;
    /// let engine = Engine::new(&Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?);
    /// let wanted = engine.requirements(&State::new(), &snapshot.release, Asked::Keep, snapshot.now);
    /// assert_eq!(wanted[0].selector.as_deref(), Some("revision=\"r2\""));
    /// assert_eq!(wanted[0].from.to_string(), "2026-11-23T10:02:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn requirements(&self, state: &State, release: &Release, asked: Asked, now: Instant) -> Vec<Requirement> {
        let mut wanted = Vec::new();
        let known = (release.service == *self.service()).then(|| self.policy(&release.environment)).flatten();
        let Some(policy) = known.filter(|_| asked != Asked::Start) else { return wanted };
        if let Some(plan) = &policy.health
            && let Some((from, to)) = span(plan, state, release, now)
        {
            for metric in &plan.metrics {
                let compared = metric.is_relative() || matches!(metric.query, Query::Events(_));
                let cohorts = if compared { &[Cohort::Canary, Cohort::Baseline][..] } else { &[Cohort::Canary][..] };
                wanted.extend(cohorts.iter().map(|cohort| self.of_metric(plan, metric, *cohort, release, from, to)));
            }
        }
        for probe in &policy.probes {
            wanted.extend([Cohort::Canary, Cohort::Baseline].map(|cohort| Requirement {
                about: probe.flow.value.clone(),
                source: None,
                query: Query::Probe(probe.flow.value.clone()),
                cohort,
                selector: None,
                replica: None,
                from: now.minus(probe.within()).max(release.started_at),
                to: now,
                every: None,
            }));
        }
        wanted
    }

    fn of_metric(
        &self,
        plan: &HealthPlan,
        metric: &MetricPlan,
        cohort: Cohort,
        release: &Release,
        from: Instant,
        to: Instant,
    ) -> Requirement {
        let source = metric.source.as_ref().and_then(|name| self.source(name));
        let selector = source.and_then(|source| match cohort {
            Cohort::Canary => text(&source.canary),
            Cohort::Baseline => text(&source.baseline),
        });
        // Names hold no character that could end a quoted label value.
        let fill = |text: String| {
            text.replace("${revision}", release.revision.as_str()).replace("${stable}", release.stable.as_str())
        };
        Requirement {
            about: metric.name.clone(),
            source: metric.source.clone(),
            query: metric.query.clone(),
            cohort,
            selector: selector.map(fill),
            replica: source.and_then(|source| source.replica.as_ref()).map(|replica| replica.value.clone()),
            from,
            to,
            every: Some(plan.grid.every()),
        }
    }
}

fn text(field: &Option<Spanned<String>>) -> Option<String> {
    field.as_ref().map(|spanned| spanned.value.clone())
}

/// The closed intervals that the state does not hold; a state of another release holds none.
fn span(plan: &HealthPlan, state: &State, release: &Release, now: Instant) -> Option<(Instant, Instant)> {
    let held = state.release().filter(|known| known.release == *release).and_then(|known| known.folded.newest());
    let first = held.map_or_else(|| plan.grid.first_judged(release.started_at), |newest| newest.saturating_add(1));
    let newest = plan.grid.newest_closed(now).filter(|newest| *newest >= first)?;
    Some((plan.grid.start_of(first), plan.grid.start_of(newest).plus(plan.grid.every())))
}
