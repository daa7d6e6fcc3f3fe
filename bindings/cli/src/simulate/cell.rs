//! One cell of the comparison: many rollouts under one load and one scenario, on all cores.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use super::Refused;
use super::draw::stream;
use super::judge::Judge;
use super::noise::Noise;
use super::plan::Plan;
use super::rollout::{Course, Outcome};
use super::scenario::Name;
use super::traffic::{Load, Shapes};

/// A load and a scenario.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) load: Load,
    pub(super) scenario: Name,
    pub(super) noise: Noise,
}

/// How often, from which seed, on how many threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) runs: u32,
    pub(super) seed: u64,
    pub(super) threads: usize,
}

impl Cell {
    /// Its streams have this name.
    fn name(&self) -> String {
        let noise = self.noise.text();
        format!("{} at {} requests/s{noise}", self.scenario.text(), self.load.rate)
    }

    /// The outcomes of each rollout whose effect began, by judge, in the order of the rollouts.
    pub(super) fn run(
        &self,
        plan: &Plan,
        judges: &[Judge],
        effort: Effort,
        mut one_done: impl FnMut(),
    ) -> Result<Vec<Vec<Outcome>>, Refused> {
        let course = Course { plan, load: self.load, scenario: self.scenario.scenario(self.noise) };
        let name = self.name();
        let (next, stop) = (AtomicU32::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut outcomes: Vec<Option<Vec<Outcome>>> = vec![None; effort.runs as usize];
        thread::scope(|scope| {
            for _ in 0..effort.threads.max(1) {
                let (sender, course, name, next, stop) = (sender.clone(), &course, &name, &next, &stop);
                let mut judges = judges.to_vec();
                scope.spawn(move || {
                    let mut shapes = Shapes::default();
                    while !stop.load(Ordering::Relaxed) {
                        let rollout = next.fetch_add(1, Ordering::Relaxed);
                        if rollout >= effort.runs {
                            break;
                        }
                        let outcome =
                            course.run(&mut judges, &mut shapes, |attempt| stream(effort.seed, name, rollout, attempt));
                        // Nobody listens after an error.
                        let _ = sender.send((rollout, outcome));
                    }
                });
            }
            drop(sender);
            for (rollout, outcome) in receiver {
                if let Some(slot) = outcomes.get_mut(rollout as usize) {
                    *slot = outcome.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
                }
                one_done();
            }
            Ok(outcomes.into_iter().flatten().collect())
        })
    }
}
