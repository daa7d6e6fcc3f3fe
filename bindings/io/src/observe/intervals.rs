//! From answers to the intervals of a grid.

use std::collections::BTreeMap;

use davy::{Cohort, Instant, Interval, Missing, Observation, Observed};

use super::buckets::{self, Histograms};
use super::counts;
use super::fetch::Answers;
use super::gauge::{self, Steps};
use super::native;
use super::plan::{Kind, Task};
use super::problem::{Notes, Problem};
use super::replica::Replicas;
use super::scene::Scene;
use super::target::Stretch;

/// Observations as they are made, by the start and end of their interval.
#[derive(Default)]
pub(super) struct Grid {
    slots: BTreeMap<(Instant, Instant), Vec<Observation>>,
    /// Whether any metric was answered.
    answered: bool,
}

impl Grid {
    /// Takes what was seen of a metric in each interval.
    pub(super) fn fill(&mut self, task: &Task<'_>, cohort: Cohort, mut scene: Scene<'_>, notes: &mut Notes) {
        self.answered = true;
        let metric = &task.requirement.about;
        let histograms = matches!(task.kind, Kind::Buckets(_)).then(|| Histograms::of(&scene.targets));
        for stretch in task.stretches() {
            let observed = match (&task.kind, &histograms) {
                (Kind::Counts { ratio, .. }, _) => counts::ratio(&mut scene, metric, cohort, ratio, stretch),
                (Kind::Events(_), _) => counts::events(&mut scene, metric, cohort, stretch),
                (_, Some(histograms)) => buckets::buckets(&mut scene, histograms, metric, cohort, stretch),
                (Kind::Native(_), _) => native::histograms(&mut scene, metric, cohort, stretch),
                _ => gauge::values(&mut scene, metric, cohort, stretch),
            };
            self.add(stretch, observed);
        }
        scene.into_problems().into_iter().for_each(|problem| notes.add(Some(metric), problem));
    }

    /// Takes the values of an expression at the end of each interval.
    pub(super) fn fill_steps(
        &mut self,
        task: &Task<'_>,
        cohort: Cohort,
        answers: &Answers,
        notes: &mut Notes,
    ) -> Result<(), Problem> {
        let Kind::Steps { values, fresh, selectors } = &task.kind else { return Ok(()) };
        let (values, fresh) = (answers.get(*values)?, answers.get(*fresh)?);
        self.answered = true;
        let metric = &task.requirement.about;
        let (replicas, problem) = Replicas::of(task.requirement.replica.as_ref(), values.iter());
        let steps = Steps::of(values, fresh, replicas);
        let mut problems: Vec<Problem> = problem.into_iter().collect();
        for stretch in task.stretches() {
            let observed = steps.observe(*selectors, replicas, metric, cohort, stretch, &mut problems);
            self.add(stretch, observed);
        }
        problems.into_iter().for_each(|problem| notes.add(Some(metric), problem));
        Ok(())
    }

    /// Takes that a metric was not answered.
    pub(super) fn fill_unanswered(&mut self, task: &Task<'_>, cohort: Cohort) {
        for stretch in task.stretches() {
            let metric = task.requirement.about.clone();
            let observed = Observed::Missing(Missing::NoAnswer);
            self.add(stretch, vec![Observation { metric, cohort, replica: None, observed }]);
        }
    }

    /// The intervals. Where no metric at all was answered there are none: the same intervals are asked for
    /// again next time, and nothing is lost.
    pub(super) fn into_intervals(self, notes: &mut Notes) -> Vec<Interval> {
        if !self.answered {
            return Vec::new();
        }
        let mut intervals = Vec::new();
        for ((start, end), observations) in self.slots {
            match Interval::new(start, end, observations) {
                Ok(interval) => intervals.push(interval),
                Err(error) => notes.add(None, Problem::Refused(error.to_string())),
            }
        }
        intervals
    }

    fn add(&mut self, stretch: Stretch, observations: Vec<Observation>) {
        self.slots.entry((stretch.start, stretch.end)).or_default().extend(observations);
    }
}
