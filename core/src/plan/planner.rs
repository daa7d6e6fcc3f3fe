//! From a policy and an estimate to times.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::Shortfall;
use super::course::{BUCKETS, Course, Expected, Known};
use super::estimate::Latencies;
use super::seen::{Bounds, Seen};
use super::{
    Effect, Estimate, Hidden, PlanRefused, PlannedEffect, PlannedMetric, PlannedStep, PlannedTest, Prospect, Unknown,
};
use crate::document::Step;
use crate::policy::{
    EvidencePlan, FURTHEST, HealthPlan, Means, MetricPlan, Policy, Proof, Query, Schedule, Stay, Traffic,
};
use crate::stats::Level;
use crate::{Duration, Interval, Name, Rate};

/// A policy, its ramp and the service's traffic.
#[derive(Debug)]
pub(crate) struct Planner<'a> {
    pub(super) health: &'a HealthPlan,
    pub(super) evidence: &'a EvidencePlan,
    /// What was said, or else is expected.
    pub(super) estimate: Estimate,
    said: Estimate,
    /// What was seen of each metric.
    seen: BTreeMap<Name, Seen>,
    steps: &'a [Step],
    pub(super) schedule: Schedule,
    /// What the first attempt is aborted at.
    level: Level,
}

/// One test of a metric, and its part of the composite.
#[derive(Debug, Clone, Copy)]
struct OneTest<'a> {
    metric: &'a MetricPlan,
    proof: &'a Proof,
    estimate: Estimate,
    seen: Option<&'a Seen>,
    /// Where they are known better than by the estimate.
    latencies: Option<&'a Latencies>,
    part: f64,
}

impl<'a> Planner<'a> {
    /// What is said counts before what the policy expects.
    pub(crate) fn new(policy: &'a Policy, said: Estimate) -> Result<Self, PlanRefused> {
        let health = policy.health.as_ref().ok_or(PlanRefused::NoEvidence)?;
        let evidence = health.evidence.as_ref().filter(|evidence| !evidence.beside).ok_or(PlanRefused::NoEvidence)?;
        if policy.steps.is_empty() {
            return Err(PlanRefused::NoSteps);
        }
        let estimate = said.or(health.expected.as_ref().map_or_else(Estimate::default, Estimate::of));
        if !estimate.has_rising_latencies() {
            return Err(PlanRefused::Latencies);
        }
        Ok(Self {
            health,
            evidence,
            estimate,
            said,
            seen: BTreeMap::new(),
            steps: &policy.steps,
            schedule: schedule(health, &policy.steps, estimate.requests),
            level: Level::of_attempt(evidence.false_aborts, NonZeroU32::MIN),
        })
    }

    /// What these intervals show of a metric counts where neither its own `expect` nor anybody says more.
    pub(super) fn with_seen(mut self, healthy: &[Interval]) -> Result<Self, PlanRefused> {
        let metrics = self.health.metrics.iter().filter(|metric| metric.gathers_evidence() && is_of_requests(metric));
        self.seen =
            metrics.filter_map(|metric| Some((metric.name.clone(), Seen::of(&metric.name, healthy)?))).collect();
        if self.seen.is_empty() {
            return Err(PlanRefused::NothingSeen);
        }
        // Steps that want requests count those of whichever metric has most.
        let seen = self.seen.values().filter_map(|seen| seen.estimate.requests);
        let most = seen.max_by(|a, b| a.per_second().total_cmp(&b.per_second()));
        self.schedule = schedule(self.health, self.steps, self.said.requests.or(most).or(self.estimate.requests));
        Ok(self)
    }

    pub(super) fn steps(&self) -> Vec<PlannedStep> {
        let step = |stay: &Stay| PlannedStep { weight: stay.weight, from: stay.from, until: stay.until };
        self.schedule.stays.iter().map(step).collect()
    }

    pub(super) fn metrics(&self) -> Vec<PlannedMetric> {
        self.health
            .metrics
            .iter()
            .map(|metric| {
                let tests: Result<Vec<_>, Unknown> = self.tests(metric).map(|test| self.planned(test)).collect();
                let prospect = match tests {
                    Ok(tests) if tests.is_empty() => Prospect::Outside,
                    Ok(tests) => Prospect::Tests(tests),
                    Err(unknown) => Prospect::Unknown(unknown),
                };
                PlannedMetric { name: metric.name.clone(), estimate: self.estimate_of(metric), prospect }
            })
            .collect()
    }

    /// When the ramp is over and every metric proved, for an identical canary; since the start of the release.
    pub(super) fn promoted(&self, metrics: &[PlannedMetric]) -> Option<Duration> {
        let ramp = self.schedule.stays.last().map_or(Duration::ZERO, |stay| stay.until);
        let (before, after) = (self.schedule.first_judged(), self.health.grid.settle());
        let tests = metrics.iter().flat_map(|metric| match &metric.prospect {
            Prospect::Tests(tests) => tests.as_slice(),
            Prospect::Unknown(_) | Prospect::Outside => &[],
        });
        let unknown = metrics.iter().any(|metric| matches!(metric.prospect, Prospect::Unknown(_)));
        let proved: Option<Duration> = tests
            .map(|test| test.proved)
            .try_fold(ramp, |latest, proved| Some(latest.max(before.plus(proved?).plus(after))));
        proved.filter(|_| !unknown)
    }

    /// What falls short of what the policy asks for. Metrics of whose traffic too little is known say nothing.
    pub(crate) fn shortfalls(&self) -> Vec<Shortfall> {
        let mut found = Vec::new();
        for metric in &self.health.metrics {
            for test in self.tests(metric) {
                let effect = Effect::unacceptable(metric, test.proof);
                if let Ok(None) = self.seen_on_ramp(test, effect) {
                    found.push(Shortfall::Undetected {
                        metric: metric.name.clone(),
                        effect,
                        horizon: self.health.horizon,
                        at_steps: self.at_ends(|weight| self.seen_at(test, effect, weight)),
                        noise: self.hidden(test, effect, |course| self.would_abort(test, course)),
                    });
                }
                if let Ok(None) = self.proved_on_ramp(test) {
                    found.push(Shortfall::Unproved {
                        metric: metric.name.clone(),
                        horizon: self.health.horizon,
                        at_steps: self.at_ends(|weight| self.proved_at(test, weight)),
                        noise: self.hidden(test, Effect::None, |course| self.would_prove(course)),
                    });
                }
            }
        }
        found
    }

    /// How long something takes at the first and at the last weight.
    fn at_ends(
        &self,
        takes: impl Fn(f64) -> Result<Option<Duration>, Unknown>,
    ) -> Vec<(crate::Share, Option<Duration>)> {
        let stays = &self.schedule.stays;
        let mut weights: Vec<crate::Share> =
            stays.first().into_iter().chain(stays.last()).map(|stay| stay.weight).collect();
        weights.dedup();
        weights.into_iter().filter_map(|weight| Some((weight, takes(weight.as_fraction()).ok()?))).collect()
    }

    fn tests<'b>(&'b self, metric: &'b MetricPlan) -> impl Iterator<Item = OneTest<'b>> {
        let gathering = self.health.metrics.iter().filter(|metric| metric.gathers_evidence());
        let weights = gathering.zip(self.evidence.weights.as_slice());
        let weight = weights.filter(|(other, _)| other.name == metric.name).map(|(_, weight)| *weight).next();
        #[expect(clippy::cast_precision_loss, reason = "a few tests")]
        let part = weight.unwrap_or(0.0) / metric.proofs.len().max(1) as f64;
        let (estimate, latencies) = (self.estimate_of(metric), self.latencies_of(metric));
        let seen = self.seen.get(&metric.name);
        let proofs = if metric.gathers_evidence() { metric.proofs.as_slice() } else { &[] };
        proofs.iter().map(move |proof| OneTest { metric, proof, estimate, seen, latencies, part })
    }

    fn estimate_of(&self, metric: &MetricPlan) -> Estimate {
        let own = metric.expected.as_ref().map_or_else(Estimate::default, Estimate::of);
        if !is_of_requests(metric) {
            return own;
        }
        let said = own.or(self.said);
        let Some(seen) = self.seen.get(&metric.name) else { return said.or(self.estimate) };
        let all = if self.latencies_of(metric).is_some() {
            // Nothing that is expected stands beside quantiles that were seen.
            let Estimate { p50, p90, p99, .. } = seen.estimate;
            Estimate { p50, p90, p99, ..said.or(seen.estimate).or(self.estimate) }
        } else {
            said.or(Estimate { p50: None, p90: None, p99: None, ..seen.estimate }).or(self.estimate)
        };
        // A resolution that was seen is a fact.
        let schema = if seen.buckets.is_some() { seen.estimate.schema } else { all.schema };
        Estimate { schema, ..all }
    }

    /// The whole shape of latencies, where it was seen and nobody said anything of them.
    fn latencies_of(&self, metric: &MetricPlan) -> Option<&Latencies> {
        let own = metric.expected.as_ref().map_or_else(Estimate::default, Estimate::of);
        self.seen.get(&metric.name).filter(|_| !own.or(self.said).says_latencies())?.latencies.as_ref()
    }

    fn planned(&self, test: OneTest<'_>) -> Result<PlannedTest, Unknown> {
        let unacceptable = Effect::unacceptable(test.metric, test.proof);
        let usual = Effect::usual(test.proof, test.metric).iter().copied().filter(|effect| *effect != unacceptable);
        let effects = std::iter::once(unacceptable).chain(usual).map(|effect| {
            let at_step = |stay: &Stay| self.seen_at(test, effect, stay.weight.as_fraction());
            Ok(PlannedEffect {
                effect,
                unacceptable: effect == unacceptable,
                at_step: self.schedule.stays.iter().map(at_step).collect::<Result<_, _>>()?,
                on_ramp: self.seen_on_ramp(test, effect)?,
            })
        });
        Ok(PlannedTest {
            effects: effects.collect::<Result<_, _>>()?,
            seen_by: self.seen_by(test)?,
            proved: self.proved_on_ramp(test)?,
        })
    }

    /// For each step, the least effect that is seen by its end.
    fn seen_by(&self, test: OneTest<'_>) -> Result<Vec<Option<Effect>>, Unknown> {
        let mut seen = Vec::new();
        for effect in Effect::rising(test.metric) {
            let on_ramp = |k| self.schedule.weight(k);
            seen.push((
                effect,
                self.reaches(test, effect, on_ramp, self.schedule.until_horizon, |course| self.aborts(test, course))?,
            ));
        }
        let by = |stay: &Stay| {
            let end = self.schedule.judged_by(stay);
            seen.iter().find(|(_, after)| after.is_some_and(|after| after <= end)).map(|(effect, _)| *effect)
        };
        Ok(self.schedule.stays.iter().map(by).collect())
    }

    fn seen_on_ramp(&self, test: OneTest<'_>, effect: Effect) -> Result<Option<Duration>, Unknown> {
        let on_ramp = |k| self.schedule.weight(k);
        let after =
            self.reaches(test, effect, on_ramp, self.schedule.until_horizon, |course| self.aborts(test, course))?;
        Ok(after.map(|intervals| self.schedule.lasting(intervals)))
    }

    fn seen_at(&self, test: OneTest<'_>, effect: Effect, weight: f64) -> Result<Option<Duration>, Unknown> {
        let after = self.reaches(test, effect, |_| weight, FURTHEST, |course| self.aborts(test, course))?;
        Ok(after.map(|intervals| self.schedule.lasting(intervals)))
    }

    fn proved_on_ramp(&self, test: OneTest<'_>) -> Result<Option<Duration>, Unknown> {
        let on_ramp = |k| self.schedule.weight(k);
        let after =
            self.reaches(test, Effect::None, on_ramp, self.schedule.until_horizon, |course| self.proves(course))?;
        Ok(after.map(|intervals| self.schedule.lasting(intervals)))
    }

    fn proved_at(&self, test: OneTest<'_>, weight: f64) -> Result<Option<Duration>, Unknown> {
        let after = self.reaches(test, Effect::None, |_| weight, FURTHEST, |course| self.proves(course))?;
        Ok(after.map(|intervals| self.schedule.lasting(intervals)))
    }

    /// What would be seen in time were requests independent, and the noise hides.
    fn hidden(&self, test: OneTest<'_>, effect: Effect, is_so: impl Fn(&Course<'_>) -> bool) -> Option<Hidden> {
        let on_ramp = |k| self.schedule.weight(k);
        let until = self.schedule.until_horizon;
        let alone = self.reaches(test, effect, on_ramp, until, is_so).ok().flatten()?;
        // What is known of the noise at the horizon.
        let (course, _) = self.course(test, effect, on_ramp, until, |_| false).ok()?;
        Some(Hidden { independent: self.schedule.lasting(alone), source: course.noise_source() })
    }

    /// Both keys.
    fn aborts(&self, test: OneTest<'_>, course: &Course<'_>) -> bool {
        self.would_abort(test, course) && self.level.is_reached(test.part * course.discounted())
    }

    fn proves(&self, course: &Course<'_>) -> bool {
        self.would_prove(course) && self.evidence.proof.is_reached(course.doubted())
    }

    /// The first key alone.
    fn would_abort(&self, test: OneTest<'_>, course: &Course<'_>) -> bool {
        self.level.is_reached(test.part * course.harm())
    }

    fn would_prove(&self, course: &Course<'_>) -> bool {
        self.evidence.proof.is_reached(course.safe())
    }

    /// After how many intervals, of at most so many, it is so.
    fn reaches(
        &self,
        test: OneTest<'_>,
        effect: Effect,
        weight: impl Fn(u32) -> f64,
        most: u32,
        is_so: impl Fn(&Course<'_>) -> bool,
    ) -> Result<Option<u32>, Unknown> {
        let after = self.course(test, effect, weight, most, is_so)?.1;
        Ok(after)
    }

    /// The same, and the course up to there.
    fn course<'b>(
        &'b self,
        test: OneTest<'b>,
        effect: Effect,
        weight: impl Fn(u32) -> f64,
        most: u32,
        is_so: impl Fn(&Course<'_>) -> bool,
    ) -> Result<(Course<'b>, Option<u32>), Unknown> {
        let every = self.health.grid.every();
        let latencies = test.latencies.map_or_else(|| Cow::Owned(test.estimate.latencies()), Cow::Borrowed);
        let buckets = test.seen.and_then(|seen| seen.buckets.as_ref());
        let known = Known {
            estimate: &test.estimate,
            latencies: &latencies,
            schema: buckets.and_then(Bounds::schema),
            bounds: buckets.and_then(Bounds::classic).map_or(&BUCKETS, Vec::as_slice),
        };
        let mut course = Course::new((test.metric, test.proof), &known, effect, self.evidence, every.as_secs_f64())?;
        let requests = test.estimate.requests.ok_or(Unknown::Requests)?.per_second() * every.as_secs_f64();
        let young_for = self.health.grid.warm_up().millis().div_ceil(every.millis().max(1));
        let mut step = 0;
        for k in 0..most {
            let weight_now = weight(k);
            step = self.evidence.ramp.step(step, Traffic::new(weight_now, 1.0 - weight_now));
            course.fold(match test.metric.means {
                // Each cohort is probed by itself.
                Means::Query(Query::Probe(_)) => Expected { canary: requests, baseline: requests, replicas: 1, step },
                _ => {
                    let before = u32::try_from(young_for).map_or(0, |young| k.saturating_sub(young));
                    let all = test.estimate.canary_replicas(weight_now);
                    // New replicas are left out until they are warm; those of the first interval are.
                    let warm = all.min(test.estimate.canary_replicas(weight(before)));
                    let judged = f64::from(warm) / f64::from(all);
                    Expected {
                        canary: requests * weight_now * judged,
                        baseline: requests * (1.0 - weight_now),
                        replicas: warm,
                        step,
                    }
                }
            });
            if is_so(&course) {
                return Ok((course, Some(k.saturating_add(1))));
            }
        }
        Ok((course, None))
    }
}

/// Probes, events and plugins have traffic of their own: that of the service says nothing about it.
const fn is_of_requests(metric: &MetricPlan) -> bool {
    !matches!(metric.means, Means::Plugin(_) | Means::Query(Query::Probe(_) | Query::Events(_)))
}

/// The ramp at so many requests of the service.
fn schedule(health: &HealthPlan, steps: &[Step], requests: Option<Rate>) -> Schedule {
    let per_interval = requests.map(|rate| rate.per_second() * health.grid.every().as_secs_f64());
    Schedule::new(health.grid, health.horizon, steps, per_interval)
}
