//! What a simulation must know of a policy: what is measured, on which grid, and how its ramp rises.

use std::num::NonZeroU32;

use davy::document::{Environment, Health, Limit, Metric, Spanned, Step};
use davy::{Asked, Bundle, Duration, Engine, Instant, Name, Query, Release, Share, Stage, State};

use super::Refused;

/// The part of a policy that makes traffic and time.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) release: Release,
    /// The first interval that is judged.
    pub(super) first: Instant,
    pub(super) every: Duration,
    pub(super) settle: Duration,
    pub(super) horizon: Duration,
    /// At least one.
    pub(super) ramp: Vec<Stay>,
    pub(super) metrics: Vec<Measured>,
    pub(super) false_aborts: Share,
}

/// A weight, and how long the canary stays there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) weight: Share,
    pub(super) at_least: Duration,
}

/// A metric and the form of its observations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    pub(super) name: Name,
    pub(super) form: Form,
}

/// What is observed of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Requests that fail. `good`: the policy counts those that do not.
    Errors {
        good: bool,
    },
    Native,
    /// Rising bounds in seconds.
    Classic(Vec<f64>),
    Probe,
    Gauge,
    Events,
}

/// Prometheus's default buckets.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// 2026-01-01T00:00:00Z
const STARTED: Instant = Instant::from_millis(1_767_225_600_000);
/// The canary's weight where the policy has no steps.
const WEIGHT: Share = Share::from_ppm(100_000);

impl Plan {
    /// Reads it from the bundle, for one of its environments.
    pub(super) fn of(bundle: &Bundle, environment: Option<&Name>) -> Result<Self, Refused> {
        let spec = &bundle.rollout().spec.value;
        let named = spec.environments.as_ref().map_or(&[][..], |named| &named.value.0);
        let (environment, finer) = match (environment, named) {
            (Some(wanted), _) => (wanted.clone(), named.iter().find(|(name, _)| name.value == *wanted)),
            (None, []) => ("prod".parse().map_err(|_| Refused::Internal)?, None),
            (None, [only]) => (only.0.value.clone(), Some(only)),
            (None, several) => {
                let known: Vec<&str> = several.iter().map(|(name, _)| name.value.as_str()).collect();
                return Err(Refused::Environment { known: known.join("`, `") });
            }
        };
        let finer: Option<&Environment> = finer.map(|(_, environment)| environment);
        let name = |text: &str| text.parse::<Name>().map_err(|_| Refused::Internal);
        let release = Release {
            service: bundle.service().clone(),
            environment,
            revision: name("canary")?,
            stable: name("baseline")?,
            attempt: NonZeroU32::MIN,
            started_at: STARTED,
            change_class: None,
        };
        let health: Vec<&Health> = [finer.and_then(|finer| finer.health.as_ref()), spec.health.as_ref()]
            .into_iter()
            .flatten()
            .map(|h| &h.value)
            .collect();
        let first_of = |key: fn(&Health) -> Option<Duration>, default: fn(&Health) -> Duration| {
            health
                .iter()
                .copied()
                .find_map(key)
                .or_else(|| health.first().copied().map(default))
                .unwrap_or(Duration::ZERO)
        };
        let settle = first_of(|health| health.settle.as_ref().map(|it| it.value), Health::settle);
        let horizon = first_of(|health| health.horizon.as_ref().map(|it| it.value), Health::horizon);
        // Long after the start everything is wanted.
        let late = STARTED.plus(Duration::from_minutes(2 * 24 * 60));
        let engine = Engine::new(bundle);
        let wanted = engine.requirements(&State::new(), &release, Asked::Keep, Stage::Canary, late);
        let metrics_of =
            || health.iter().filter_map(|health| health.metrics.as_ref()).flat_map(|metrics| &metrics.value);
        let mut plan = Self {
            first: STARTED,
            every: Duration::ZERO,
            settle,
            horizon,
            ramp: Self::ramp(finer.and_then(|finer| finer.steps.as_ref()).or(spec.steps.as_ref())),
            metrics: Vec::new(),
            false_aborts: health
                .iter()
                .find_map(|health| health.false_aborts.as_ref())
                .map_or(Share::from_ppm(10_000), |it| it.value),
            release,
        };
        for wanted in &wanted {
            let Some(every) = wanted.every else { continue };
            (plan.first, plan.every) = (wanted.from, every);
            let form = match &wanted.query {
                Query::Bad { .. } => Form::Errors { good: false },
                Query::Good { .. } => Form::Errors { good: true },
                Query::Histogram(_) => Form::Native,
                Query::Buckets(_) => {
                    Form::Classic(bounds(metrics_of().filter(|metric| metric.name.value == wanted.about)))
                }
                Query::Probe(_) => Form::Probe,
                Query::Gauge(_) => Form::Gauge,
                Query::Events(_) => Form::Events,
                Query::Slo(_) => continue,
            };
            if plan.metrics.last().is_none_or(|last| last.name != wanted.about) {
                plan.metrics.push(Measured { name: wanted.about.clone(), form });
            }
        }
        if plan.metrics.is_empty() {
            return Err(Refused::NothingMeasured { environment: plan.release.environment.to_string() });
        }
        Ok(plan)
    }

    fn ramp(steps: Option<&Spanned<Vec<Step>>>) -> Vec<Stay> {
        let steps = steps.map_or(&[][..], |steps| &steps.value);
        let stay = |step: &Step| Stay { weight: step.weight.value, at_least: step.at_least() };
        if steps.is_empty() {
            vec![Stay { weight: WEIGHT, at_least: Duration::ZERO }]
        } else {
            steps.iter().map(stay).collect()
        }
    }

    /// When interval `k` begins.
    pub(super) fn start_of(&self, k: u64) -> Instant {
        self.first.plus(self.every.times(k))
    }

    /// How many intervals are judged within so many horizons; at least one.
    pub(super) fn intervals(&self, horizons: u64) -> u64 {
        let watched = STARTED.plus(self.horizon.times(horizons)).since(self.first);
        (watched.millis() / self.every.millis().max(1)).max(1)
    }
}

/// The default bounds, and those that the metric's limits speak of.
fn bounds<'a>(metrics: impl Iterator<Item = &'a Metric>) -> Vec<f64> {
    let mut bounds = BUCKETS.to_vec();
    for metric in metrics {
        bounds.extend(metric.slower_than.as_ref().map(|bound| bound.value.as_secs_f64()));
        bounds.extend(metric.max.as_ref().and_then(|max| match max.value {
            Limit::Duration(max) => Some(max.as_secs_f64()),
            Limit::Share(_) | Limit::Number(_) => None,
        }));
    }
    bounds.sort_by(f64::total_cmp);
    bounds.dedup_by(|a, b| a.total_cmp(b).is_eq());
    bounds.retain(|bound| *bound > 0.0);
    bounds
}
