//! One rollout: intervals pass, the ramp moves, every judge looks at the same stream.

use std::num::NonZeroU32;

use davy::{Asked, Cohort, Instant, Interval, Observed, Share, Snapshot, Stage};
use rand_chacha::ChaCha8Rng;

use super::Refused;
use super::judge::{Judge, Said};
use super::plan::{Form, Plan};
use super::scenario::{Effect, Onset, Ramp, Scenario};
use super::traffic::{Load, Shapes, Side, Stream};

/// What became of one rollout under one judge. Times are intervals since the effect began, this one included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// When it was aborted, in any attempt.
    pub(super) aborted: Option<u64>,
    /// When it might first be promoted, before any abort.
    pub(super) promoted: Option<u64>,
    /// It was ended because nothing was decided in time.
    pub(super) inconclusive: bool,
}

/// Everything about a rollout but chance.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub(super) plan: &'a Plan,
    pub(super) load: Load,
    pub(super) scenario: Scenario,
}

/// Where the canary is on its ramp.
struct Place {
    /// Weights and since when, rising in time.
    changes: Vec<(Instant, Share)>,
    /// The step that it is in.
    step: usize,
}

impl Course<'_> {
    /// Runs all attempts, the first judge being the one whose word may move the ramp.
    ///
    /// Nothing where the effect never began.
    pub(super) fn run(
        &self,
        judges: &mut [Judge],
        shapes: &mut Shapes,
        stream: impl Fn(u32) -> ChaCha8Rng,
    ) -> Result<Option<Vec<Outcome>>, Refused> {
        let mut outcomes = vec![Outcome::default(); judges.len()];
        let mut began = false;
        for attempt in (1..=self.scenario.attempts).filter_map(NonZeroU32::new) {
            began |= self.attempt(attempt, judges, &mut outcomes, shapes, stream(attempt.get()))?;
        }
        Ok(began.then_some(outcomes))
    }

    /// One attempt; whether the effect began.
    fn attempt(
        &self,
        attempt: NonZeroU32,
        judges: &mut [Judge],
        outcomes: &mut [Outcome],
        shapes: &mut Shapes,
        rng: ChaCha8Rng,
    ) -> Result<bool, Refused> {
        let (plan, scenario) = (self.plan, self.scenario);
        judges.iter_mut().for_each(Judge::begin);
        let mut ended = vec![false; judges.len()];
        let mut onset = match scenario.onset {
            Onset::At(interval) => Some(interval),
            Onset::Proved { .. } => None,
        };
        let mut traffic = Stream::begin(self.load, scenario.noise, rng);
        let mut place = Place::begin(plan);
        let mut snapshot = self.snapshot(attempt, &place);
        let intervals = plan.intervals(scenario.horizons);
        for k in 0..intervals {
            let effect = if onset.is_some_and(|onset| k >= onset) { scenario.effect } else { Effect::NONE };
            let weight = place.weight_between(plan.start_of(k), plan.start_of(k + 1));
            let sides = [
                Side { cohort: Cohort::Canary, weight, effect },
                Side { cohort: Cohort::Baseline, weight: 1.0 - weight, effect: Effect::NONE },
            ];
            let interval = traffic.interval(plan, k, sides, shapes)?;
            let looks_worse = worse_by(&interval, plan) > 1.0;
            snapshot.intervals.push(interval);
            snapshot.replica_starts = traffic.starts().to_vec();
            snapshot.now = plan.start_of(k + 1).plus(plan.settle);
            if (k + 1) % scenario.look_every != 0 && k + 1 < intervals {
                continue;
            }
            let (at, weight) = place.now();
            (snapshot.since, snapshot.weight) = (at, weight);
            snapshot.asked = place.asked(plan, self.may_promote(onset, k));
            let mut lead = Said::default();
            for (index, (judge, outcome)) in judges.iter_mut().zip(outcomes.iter_mut()).enumerate() {
                let Some(ended) = ended.get_mut(index).filter(|ended| !**ended) else { continue };
                let said = judge.look(&snapshot);
                if index == 0 {
                    lead = said;
                }
                let since = k + 1 - onset.unwrap_or(0).min(k + 1);
                if said.fails {
                    *ended = true;
                    if said.inconclusive {
                        outcome.inconclusive = true;
                    } else {
                        outcome.aborted = outcome.aborted.or(Some(since));
                    }
                } else if said.proceed && snapshot.asked == Asked::Promote && outcome.aborted.is_none() {
                    outcome.promoted = outcome.promoted.or(Some(since));
                }
            }
            snapshot.intervals.clear();
            if onset.is_none() && lead.proved {
                onset = Some(k + 1);
            }
            let lasted = snapshot.now.since(at) >= place.at_least(plan);
            let advances = match scenario.ramp {
                Ramp::Timed => lasted,
                Ramp::Judged => lead.proceed,
                Ramp::Hurried => looks_worse,
                Ramp::Hesitant => lasted && !looks_worse,
            };
            if advances {
                place.advance(plan, snapshot.now);
            }
            if ended.iter().all(|ended| *ended) {
                break;
            }
        }
        Ok(onset.is_some_and(|onset| onset < intervals))
    }

    fn may_promote(&self, onset: Option<u64>, k: u64) -> bool {
        match (self.scenario.onset, onset) {
            (Onset::At(_), _) => true,
            (Onset::Proved { asked_after }, Some(onset)) => k + 1 >= onset + asked_after,
            (Onset::Proved { .. }, None) => false,
        }
    }

    fn snapshot(&self, attempt: NonZeroU32, place: &Place) -> Snapshot {
        let (since, weight) = place.now();
        Snapshot {
            now: self.plan.first,
            release: davy::Release { attempt, ..self.plan.release.clone() },
            asked: Asked::Keep,
            stage: Stage::Canary,
            weight,
            since,
            intervals: Vec::new(),
            replica_starts: Vec::new(),
            noise_history: None,
            history: Vec::new(),
            plugins: Vec::new(),
            slos: Vec::new(),
            probes: Vec::new(),
            running: Vec::new(),
            passed: Vec::new(),
            overrides: Vec::new(),
            facts: davy::Facts::default(),
            manual: false,
            target: davy::Target::default(),
        }
    }
}

impl Place {
    fn begin(plan: &Plan) -> Self {
        let first = plan.ramp.first().map_or(Share::ZERO, |stay| stay.weight);
        Self { changes: vec![(plan.release.started_at, first)], step: 0 }
    }

    fn now(&self) -> (Instant, Share) {
        self.changes.last().copied().unwrap_or((Instant::EPOCH, Share::ZERO))
    }

    fn at_least(&self, plan: &Plan) -> davy::Duration {
        plan.ramp.get(self.step).map_or(davy::Duration::ZERO, |stay| stay.at_least)
    }

    fn advance(&mut self, plan: &Plan, now: Instant) {
        if let Some(next) = plan.ramp.get(self.step + 1) {
            self.step += 1;
            self.changes.push((now, next.weight));
        }
    }

    fn asked(&self, plan: &Plan, may_promote: bool) -> Asked {
        match plan.ramp.get(self.step + 1) {
            Some(next) => Asked::Advance { to: next.weight },
            None if may_promote => Asked::Promote,
            None => Asked::Keep,
        }
    }

    /// The mean weight over a span: it changes when a judge has looked, not at an interval's end.
    fn weight_between(&self, from: Instant, to: Instant) -> f64 {
        let mut sum = 0.0;
        for (index, (at, weight)) in self.changes.iter().enumerate() {
            let until = self.changes.get(index + 1).map_or(to, |(next, _)| (*next).min(to));
            sum += weight.as_fraction() * until.since((*at).max(from)).as_secs_f64();
        }
        sum / to.since(from).as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// By how many standard errors the canary's errors are more than the baseline's, in this interval.
fn worse_by(interval: &Interval, plan: &Plan) -> f64 {
    let errors = plan.metrics.iter().find(|metric| matches!(metric.form, Form::Errors { .. }));
    let Some(errors) = errors else { return 0.0 };
    let mut arms = [(0.0, 0.0); 2];
    for observation in interval.observations().iter().filter(|observation| observation.metric == errors.name) {
        if let (Observed::Counts { bad, total }, [canary, baseline]) = (&observation.observed, &mut arms) {
            let arm = if observation.cohort == Cohort::Canary { canary } else { baseline };
            *arm = (arm.0 + bad.get() as f64, arm.1 + total.get() as f64);
        }
    }
    let [(bad, total), (baseline_bad, baseline_total)] = arms;
    let share = (bad + baseline_bad) / (total + baseline_total);
    let variance = share * (1.0 - share) * (1.0 / total + 1.0 / baseline_total);
    let z = (bad / total - baseline_bad / baseline_total) / libm::sqrt(variance);
    if z.is_finite() { z } else { 0.0 }
}
