//! What a rollout can detect, and when: worked out before it begins, from the policy and an estimate of the traffic.
//!
//! Detection is limited by information, not by the method: at 5 % of 5 requests/s twice the errors take hours to see,
//! whoever looks. A policy that calls such a thing unacceptable promises what it cannot keep. [`plan`] says what each
//! metric can show at each step of the ramp and when promotion is possible; lint warns of what falls short.
//!
//! Times are those at which evidence that grows as fast as on average reaches its level: about the median. They
//! assume an effect that is there from the first judged interval on, and a ramp that follows the clock.
//!
//! Both keys of an abort must turn, and both of a promotion: the second discounts the evidence by noise, as the gate
//! does. How large that is nobody knows before there are replicas to look at, so the plan is told:
//! [`Estimate::replicas`] and [`Estimate::noise`]. Replicas that are known and do not vary are discounted by what so
//! many could not show. Where none are known, noise is assumed as the gate assumes it, and some effects are never
//! seen, however long a canary lasts; [`Hidden`] says what more replicas would change.

mod course;
mod effect;
mod estimate;
mod planner;
mod seen;
mod shortfall;
mod variation;

pub use effect::Effect;
pub use estimate::Estimate;
pub(crate) use planner::Planner;
pub use shortfall::{Hidden, NoiseSource, Shortfall};
pub use variation::{UnknownNoise, Variation, Varies};

use serde::Serialize;
use thiserror::Error;

use crate::bundle::Bundle;
use crate::policy::Policy;
use crate::{Duration, Interval, Name, Share};

/// What can be detected under the policy of one environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Whose policy it is.
    pub service: Name,
    /// For which environment; none where the policy names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// The service's traffic, as it was said or is expected; with each metric is the one that it reckons with.
    pub estimate: Estimate,
    /// The probability that a good release is ever aborted.
    pub false_aborts: Share,
    /// The probability that an unacceptable one is promoted.
    pub false_promotions: Share,
    /// The length of an interval.
    pub every: Duration,
    /// Since the start of the release: when the first judged interval begins, and when a judgement must be reached.
    pub first_judged: Duration,
    /// Until when a judgement must be reached, since the start of the release.
    pub horizon: Duration,
    /// The ramp by the clock.
    pub steps: Vec<PlannedStep>,
    /// One per metric.
    pub metrics: Vec<PlannedMetric>,
    /// When an identical canary is expected to be promoted, since the start of the release; nothing if a metric is
    /// not expected to be proved good enough.
    pub promoted: Option<Duration>,
    /// What falls short of what the policy asks for.
    pub shortfalls: Vec<Shortfall>,
}

impl Plan {
    /// When the first of the metrics is expected to detect an effect on the ramp, since the first judged interval
    /// began; nothing if none does before the horizon, or if it is none of the effects that are planned for.
    #[must_use]
    pub fn detected(&self, effect: Effect) -> Option<Duration> {
        let tests = self.metrics.iter().filter_map(|metric| match &metric.prospect {
            Prospect::Tests(tests) => Some(tests),
            Prospect::Unknown(_) | Prospect::Outside => None,
        });
        let effects = tests.flatten().flat_map(|test| &test.effects).filter(|planned| planned.effect == effect);
        effects.filter_map(|planned| planned.on_ramp).min()
    }
}

/// A step of the ramp by the clock. Times are since the start of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// The canary's share of the traffic.
    pub weight: Share,
    /// When it begins.
    pub from: Duration,
    /// When the next one, or `promote`, may be asked for.
    pub until: Duration,
}

/// What can be detected by a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedMetric {
    /// Its name.
    pub name: Name,
    /// The traffic of its own that it reckons with.
    pub estimate: Estimate,
    /// What comes of it.
    #[serde(flatten)]
    pub prospect: Prospect,
}

/// Whether a plan can be made of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Prospect {
    /// It gathers evidence: one entry per test.
    Tests(Vec<PlannedTest>),
    /// It gathers evidence, and this is not known of its traffic.
    Unknown(Unknown),
    /// It is judged by its limits, outside the guarantee, or never counts.
    Outside,
}

/// What a plan needs to know, and nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unknown {
    /// How many requests, runs or events there are.
    Requests,
    /// What share of them is bad.
    Bad,
    /// How long requests take, or all take about the same.
    Latencies,
    /// Looks are fixed beforehand: what they find depends on more than averages, and no plan speaks of them.
    Looks,
}

/// What one test of a metric can detect. Times are since the first judged interval began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTest {
    /// What the policy calls unacceptable, and what else is often asked about.
    pub effects: Vec<PlannedEffect>,
    /// For each step: the least of these effects that is expected to be seen by its end; nothing if none is.
    pub seen_by: Vec<Option<Effect>>,
    /// When an identical canary is expected to be proved good enough on the ramp; nothing if not before the horizon.
    pub proved: Option<Duration>,
}

/// When an effect is expected to be detected, by this test alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEffect {
    /// What is true of the canary, from the first judged interval on.
    pub effect: Effect,
    /// Whether it is what the policy calls unacceptable.
    pub unacceptable: bool,
    /// For each step, how long it takes if the canary has this weight all the time; nothing if longer than any plan.
    pub at_step: Vec<Option<Duration>>,
    /// How long it takes on the ramp; nothing if not before the horizon.
    pub on_ramp: Option<Duration>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanRefused {
    /// The policy has several environments, and none of them was named.
    #[error("Q001: say for which environment: `{known}`")]
    Environment {
        /// Those that there are.
        known: String,
    },
    /// Nothing gathers evidence.
    #[error("Q002: no metric gathers evidence there: a plan is about `judge: evidence`")]
    NoEvidence,
    /// The weights of the ramp are not known.
    #[error("Q003: the policy has no `steps`: without weights nothing can be planned")]
    NoSteps,
    /// Latencies that are none.
    #[error("Q004: latencies rise from p50 to p99, above 0")]
    Latencies,
    /// Intervals that are to show the traffic, and show none.
    #[error(
        "Q007: the intervals count no request of the baseline for any metric that gathers evidence: observations name the \
         metric as the policy does, with the cohort `baseline`"
    )]
    NothingSeen,
}

/// Works out what the policy of an environment can detect, and when.
///
/// What `estimate` says of the service's traffic counts before `expect` in the policy's `health`; what a metric's own
/// `expect` says counts before both.
///
/// # Errors
/// [`PlanRefused`] where there is nothing to plan.
///
/// ```
/// use davy::plan::{Estimate, plan};
/// use davy::{Bundle, Duration};
///
/// let policy = "
/// apiVersion: davy/v1
/// kind: Rollout
/// metadata: { name: checkout }
/// spec:
///   steps: [{ weight: 5%, atLeast: 10m }, { weight: 25%, atLeast: 30m }]
///   health:
///     metrics: [{ name: errors, bad: errors_total, total: requests_total, tolerate: 1.1x, unacceptable: 2x }]
/// ";
/// let bundle = Bundle::from_files([("rollouts.yaml", policy)])?;
/// let traffic = |requests: &str| -> Result<Estimate, Box<dyn std::error::Error>> {
///     Ok(Estimate { requests: Some(requests.parse()?), bad: Some("1%".parse()?), ..Estimate::default() })
/// };
/// let busy = plan(&bundle, None, traffic("500/s")?)?;
/// assert!(busy.promoted.is_some() && busy.shortfalls.is_empty());
///
/// let quiet = plan(&bundle, None, traffic("5/s")?)?;
/// println!("{}", quiet.shortfalls[0]);   // what it calls unacceptable, and when it would be seen
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(bundle: &Bundle, environment: Option<&Name>, estimate: Estimate) -> Result<Plan, PlanRefused> {
    planned(bundle, environment, |policy| Planner::new(policy, estimate))
}

/// The same for traffic like that of these intervals of a healthy service: of each metric requests, the share of bad ones, how
/// many replicas there usually were, and latencies in their whole shape, which three quantiles cannot say. Each of these
/// counts where neither the metric's own `expect` nor `estimate` says it, and before the `expect` of the policy's `health`;
/// shares of which fewer than ten requests speak count for nothing. The resolution of the buckets is always the one that
/// was seen with them. How much replicas differ is not estimated from them: that is what [`Estimate::noise`] says, and
/// without it they do not. Metrics with traffic of their own, such as probes, say for themselves what they expect.
///
/// # Errors
/// [`PlanRefused`] where there is nothing to plan, or no metric was seen.
///
/// ```
/// use davy::plan::{Estimate, plan_from};
/// use davy::{Bundle, Snapshot};
///
/// let policy = "
/// apiVersion: davy/v1
/// kind: Rollout
/// metadata: { name: checkout }
/// spec:
///   steps: [{ weight: 5%, atLeast: 10m }, { weight: 25%, atLeast: 30m }]
///   health:
///     metrics: [{ name: errors, bad: errors_total, total: requests_total, tolerate: 1.1x, unacceptable: 2x }]
/// ";
/// let yesterday = r#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
///     "since": "2026-11-23T09:00:00Z",
///     "release": { "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
///                  "startedAt": "2026-11-23T09:00:00Z" },
///     "intervals": [{ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "observations": [
///         { "metric": "errors", "cohort": "baseline", "bad": 18000, "total": 1800000 }] }] }"#;
/// let bundle = Bundle::from_files([("rollouts.yaml", policy)])?;
/// let snapshot = Snapshot::from_json(yesterday.as_bytes())?;
/// let plan = plan_from(&bundle, None, Estimate::default(), &snapshot.intervals)?;
/// assert_eq!(plan.metrics[0].estimate.requests, Some("500/s".parse()?));
/// assert_eq!(plan.metrics[0].estimate.bad, Some("1%".parse()?));
/// assert!(plan.promoted.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan_from(
    bundle: &Bundle,
    environment: Option<&Name>,
    estimate: Estimate,
    healthy: &[Interval],
) -> Result<Plan, PlanRefused> {
    planned(bundle, environment, |policy| Planner::new(policy, estimate)?.with_seen(healthy))
}

fn planned<'a>(
    bundle: &'a Bundle,
    environment: Option<&Name>,
    planner: impl FnOnce(&'a Policy) -> Result<Planner<'a>, PlanRefused>,
) -> Result<Plan, PlanRefused> {
    let policies = bundle.policies();
    let (environment, policy) = match environment {
        Some(name) => (Some(name), policies.named.get(name).or(policies.any.as_ref())),
        None => {
            let mut named = policies.named.iter();
            match (policies.any.as_ref(), named.next(), named.next()) {
                (Some(policy), _, _) => (None, Some(policy)),
                (None, Some((name, policy)), None) => (Some(name), Some(policy)),
                _ => (None, None),
            }
        }
    };
    let Some(policy) = policy else {
        let known: Vec<&str> = policies.named.keys().map(Name::as_str).collect();
        return Err(PlanRefused::Environment { known: known.join("`, `") });
    };
    let planner = planner(policy)?;
    let metrics = planner.metrics();
    let promoted = planner.promoted(&metrics);
    let shortfalls = planner.shortfalls();
    Ok(Plan {
        service: bundle.service().clone(),
        environment: environment.cloned(),
        estimate: planner.estimate,
        false_aborts: planner.evidence.false_aborts,
        false_promotions: planner.evidence.false_promotions,
        every: planner.health.grid.every(),
        first_judged: planner.schedule.first_judged(),
        horizon: planner.health.horizon,
        steps: planner.steps(),
        metrics,
        promoted,
        shortfalls,
    })
}
