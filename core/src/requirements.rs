//! What a host should fetch before it asks: queries as the policy wrote them, per cohort, with their span.

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde::Serialize;

use crate::document::Measures;
use crate::document::Spanned;
use crate::engine::Engine;
use crate::policy::{HealthPlan, InputPlan, Means, MetricPlan, PluginPlan, Policy, Query};
use crate::snapshot::{Asked, Cohort, Release, Stage};
use crate::state::State;
use crate::{Duration, Instant, Name};

/// One thing to fetch. What the texts of a query mean is the source's business.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The metric, flow or SLO that the answer is about.
    pub about: Name,
    /// The source, if the policy names one.
    pub source: Option<Name>,
    /// What to ask it.
    pub query: Query,
    /// Which objective of an SLO, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<NonZeroU32>,
    /// Whose traffic; nothing for the whole service.
    pub cohort: Option<Cohort>,
    /// Label matchers that select the cohort, with the release's revisions filled in.
    pub selector: Option<String>,
    /// The label that names a replica.
    pub replica: Option<Name>,
    /// From here; for intervals, the start of the first one that is wanted. For an SLO, the start of the window.
    pub from: Instant,
    /// To here; for intervals, the end of the last one. For an SLO, the end of the window.
    pub to: Instant,
    /// The length of one interval, if counts per interval are wanted.
    pub every: Option<Duration>,
}

impl Engine {
    /// What to fetch for the next decision: the closed intervals that `state` does not hold yet, recent runs
    /// of the required flows, and the windows of SLOs. Before a release starts, SLOs alone; for an unknown
    /// environment, nothing.
    ///
    /// ```
    /// use davy::{Asked, Bundle, Engine, Stage, State};
    /// # let json = br#"{ "now": "2026-11-23T10:04:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    /// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
    /// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
    /// # let snapshot = davy::Snapshot::from_json(json)?;
    /// let engine = Engine::new(&Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?);
    /// let wanted = engine.requirements(&State::new(), &snapshot.release, Asked::Keep, Stage::Canary, snapshot.now);
    /// assert_eq!(wanted[0].selector.as_deref(), Some("revision=\"r2\""));
    /// assert_eq!(wanted[0].from.to_string(), "2026-11-23T10:02:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn requirements(
        &self,
        state: &State,
        release: &Release,
        asked: Asked,
        stage: Stage,
        now: Instant,
    ) -> Vec<Requirement> {
        let known = (release.service == *self.service()).then(|| self.policy(&release.environment)).flatten();
        let Some(policy) = known else { return Vec::new() };
        let mut wanted =
            Wanted { engine: self, policy, release, started: asked != Asked::Start, stage, now, all: Vec::new() };
        if wanted.started {
            wanted.health(state);
            wanted.probes();
        }
        wanted.budget();
        let mut all = wanted.all;
        if let Some(shadow) = self.shadow() {
            let counted = span_of(policy, state, release, now);
            let begun = state.shadow().map_or_else(|| Cow::Owned(state.next_release()), Cow::Borrowed);
            for mut wanted in shadow.requirements(&begun, release, asked, stage, now) {
                if wanted.every.is_some() && policy.health.is_some() {
                    // An interval is fetched once, with everything that was counted in it: a shadow that asks for older
                    // ones would show the policy intervals that it has judged already, with other counts.
                    let Some((from, to)) = counted else { continue };
                    let behind = shadow.judged_from(&begun, release, now).map_or(Duration::ZERO, |own| from.since(own));
                    (wanted.from, wanted.to) = (wanted.from.plus(behind), to);
                }
                if !all.contains(&wanted) {
                    all.push(wanted);
                }
            }
        }
        all
    }

    /// Whether a plugin of this environment's policy looks back beyond the interval that it measures: then the host
    /// keeps what has been judged in [`Snapshot::history`](crate::Snapshot::history).
    #[must_use]
    pub fn looks_back(&self, environment: &Name) -> bool {
        let health = self.policy(environment).and_then(|policy| policy.health.as_ref());
        let metrics = health.into_iter().flat_map(|plan| &plan.metrics);
        metrics.filter_map(|metric| metric.plugin()).any(|plugin| plugin.window > 1)
    }

    /// Where the intervals begin that `state` does not hold yet. What a plugin looks back on lies before it and
    /// belongs into [`Snapshot::history`](crate::Snapshot::history); nothing while no interval has closed.
    #[must_use]
    pub fn judged_from(&self, state: &State, release: &Release, now: Instant) -> Option<Instant> {
        let plan = self.policy(&release.environment)?.health.as_ref()?;
        span(plan, state, release, now).map(|(from, _)| from)
    }
}

/// The intervals that a policy needs.
fn span_of(policy: &Policy, state: &State, release: &Release, now: Instant) -> Option<(Instant, Instant)> {
    policy.health.as_ref().and_then(|plan| span(plan, state, release, now))
}

/// What is wanted so far, and for which release.
struct Wanted<'a> {
    engine: &'a Engine,
    policy: &'a Policy,
    release: &'a Release,
    started: bool,
    stage: Stage,
    now: Instant,
    all: Vec<Requirement>,
}

impl Wanted<'_> {
    fn health(&mut self, state: &State) {
        let (policy, stage) = (self.policy, self.stage);
        let Some(plan) = &policy.health else { return };
        let Some((from, to)) = span(plan, state, self.release, self.now) else { return };
        for metric in plan.metrics.iter().filter(|metric| !policy.leaves_out(metric, stage)) {
            let query = match &metric.means {
                Means::Query(query) => query,
                Means::Plugin(plugin) => {
                    self.inputs(plan, metric, plugin, from, to);
                    continue;
                }
            };
            let compared = metric.is_relative() || matches!(query, Query::Events(_));
            for cohort in cohorts(compared) {
                let every = Some(plan.grid.every());
                let wanted = self.of(&metric.name, metric.source.as_ref(), query, Some(*cohort), from, to);
                self.all.push(Requirement { every, ..wanted });
            }
        }
    }

    /// What a plugin reads, which may look back on intervals that are judged already.
    fn inputs(&mut self, plan: &HealthPlan, metric: &MetricPlan, plugin: &PluginPlan, from: Instant, to: Instant) {
        let every = plan.grid.every();
        let from = from.minus(every.times(u64::from(plugin.window.saturating_sub(1))));
        let compared = metric.is_relative() || plugin.measures == Measures::Comparison;
        for InputPlan { about, source, query, by, .. } in &plugin.inputs {
            for cohort in cohorts(compared) {
                let wanted = self.of(about, source.as_ref(), query, Some(*cohort), from, to);
                let replica = by.clone().or(wanted.replica);
                self.all.push(Requirement { every: Some(every), replica, ..wanted });
            }
        }
    }

    fn probes(&mut self) {
        for probe in &self.policy.probes {
            let flow = &probe.flow.value;
            let from = self.now.minus(probe.within()).max(self.release.started_at);
            for cohort in [Cohort::Canary, Cohort::Baseline] {
                let wanted = self.of(flow, None, &Query::Probe(flow.clone()), Some(cohort), from, self.now);
                self.all.push(wanted);
            }
        }
    }

    /// Every window once: pairs share some, and some are the whole period.
    fn budget(&mut self) {
        let Some(plan) = &self.policy.budget else { return };
        let has_baseline = self.started && self.policy.has_baseline(self.stage);
        for slo in &plan.slos {
            let period = slo.period.at(self.now);
            for objective in &slo.objectives {
                let mut windows = vec![(None, period.from)];
                for (urgency, condition) in &objective.pairs {
                    let [long, short] =
                        [condition.pair().long, condition.pair().short].map(|length| self.now.minus(length));
                    windows.extend([(None, long), (None, short)]);
                    if has_baseline && plan.attributes(*urgency) {
                        windows.extend([(Some(Cohort::Canary), short), (Some(Cohort::Baseline), short)]);
                    }
                }
                windows.sort();
                windows.dedup();
                let query = Query::Slo(objective.query.clone());
                for (cohort, from) in windows.into_iter().filter(|(_, from)| *from < self.now) {
                    let wanted = self.of(&slo.name, objective.source.as_ref(), &query, cohort, from, self.now);
                    self.all.push(Requirement { objective: Some(objective.number), ..wanted });
                }
            }
        }
    }

    fn of(
        &self,
        about: &Name,
        source: Option<&Name>,
        query: &Query,
        cohort: Option<Cohort>,
        from: Instant,
        to: Instant,
    ) -> Requirement {
        let known = source.and_then(|name| self.engine.source(name));
        let selector = known.and_then(|source| match cohort? {
            Cohort::Canary => text(&source.canary),
            Cohort::Baseline => text(&source.baseline),
        });
        // Names hold no character that could end a quoted label value.
        let fill = |text: String| {
            text.replace("${revision}", self.release.revision.as_str())
                .replace("${stable}", self.release.stable.as_str())
        };
        Requirement {
            about: about.clone(),
            source: source.cloned(),
            query: query.clone(),
            objective: None,
            cohort,
            selector: selector.map(fill),
            replica: known.and_then(|source| source.replica.as_ref()).map(|replica| replica.value.clone()),
            from,
            to,
            every: None,
        }
    }
}

fn cohorts(compared: bool) -> &'static [Cohort] {
    if compared { &[Cohort::Canary, Cohort::Baseline] } else { &[Cohort::Canary] }
}

fn text(field: &Option<Spanned<String>>) -> Option<String> {
    field.as_ref().map(|spanned| spanned.value.clone())
}

/// The closed intervals that the state does not hold; a state of another release holds none.
fn span(plan: &HealthPlan, state: &State, release: &Release, now: Instant) -> Option<(Instant, Instant)> {
    let held = state.attempt().filter(|known| known.release == *release).and_then(|known| known.folded.newest());
    let first = held.map_or_else(|| plan.grid.first_judged(release.started_at), |newest| newest.saturating_add(1));
    let newest = plan.grid.newest_closed(now).filter(|newest| *newest >= first)?;
    Some((plan.grid.start_of(first), plan.grid.start_of(newest).plus(plan.grid.every())))
}
