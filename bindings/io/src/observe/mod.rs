//! From what an engine requires to what was observed.

mod buckets;
mod counter;
mod counts;
mod fetch;
mod follow_up;
mod gauge;
mod intervals;
mod merge;
mod native;
mod past;
mod plan;
mod problem;
#[cfg(test)]
mod properties;
mod question;
mod replica;
mod scene;
mod slo;
mod target;

pub use merge::merge;
pub use problem::{Note, Problem};
pub use question::Question;

use std::collections::BTreeMap;

use davy::{Interval, Name, Requirement, SloWindow};

use crate::client::Deadline;
use crate::prometheus::Prometheus;
use fetch::Ask;
use follow_up::FollowUp;
use intervals::Grid;
use plan::{Kind, Plan};
use problem::Notes;
use scene::Scene;

/// The servers behind the sources of a policy.
///
/// ```
/// use davy_io::{ClientConfig, Sources, prometheus::Prometheus};
/// let server = |url| Prometheus::new(ClientConfig::new(url)?);
/// let one_for_all = Sources::one(server("http://prometheus:9090")?);
/// let several = Sources::default()
///     .with("prom".parse()?, server("http://prometheus:9090")?)
///     .with("edge".parse()?, server("http://edge-prometheus:9090")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sources {
    named: BTreeMap<Name, Prometheus>,
    other: Option<Prometheus>,
}

/// What was observed, ready for a snapshot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// The intervals that were required, in order. None of them where no source answered at all: they will
    /// be required again.
    pub intervals: Vec<Interval>,
    /// The windows of SLOs that could be had.
    pub slos: Vec<SloWindow>,
    /// What a person should see: why something is missing, and what the servers said.
    pub notes: Vec<Note>,
}

impl Sources {
    /// One server for every source, whatever its name.
    #[must_use]
    pub fn one(server: Prometheus) -> Self {
        Self { named: BTreeMap::new(), other: Some(server) }
    }

    /// The server behind one source.
    #[must_use]
    pub fn with(mut self, source: Name, server: Prometheus) -> Self {
        self.named.insert(source, server);
        self
    }

    fn get(&self, source: Option<&Name>) -> Option<&Prometheus> {
        source.and_then(|name| self.named.get(name)).or(self.other.as_ref())
    }

    /// What would be asked for these requirements, and what is wrong with those that cannot be asked. What the
    /// answers leave open may bring further questions: what became of targets that vanished, and where series
    /// that begin came from.
    #[must_use]
    pub fn questions(&self, requirements: &[Requirement]) -> (Vec<Question>, Vec<Note>) {
        let plan = Plan::new(self, requirements);
        let mut notes = Notes::default();
        for task in &plan.tasks {
            let problem = match &task.kind {
                Kind::Broken(problem) => problem.clone(),
                Kind::Elsewhere(what) => Problem::NotHere { what },
                _ => continue,
            };
            notes.add(Some(&task.requirement.about), problem);
        }
        let host = |ask: &Ask| plan.servers.get(ask.server).map_or("", |server| server.host());
        let questions = plan.asks.iter().filter_map(|ask| Question::of(ask, host(ask)));
        (questions.collect(), notes.into_vec())
    }

    /// Fetches everything that is required, until the deadline. Nothing here fails: what could not be had is
    /// [`Missing::NoAnswer`](davy::Missing::NoAnswer) in its intervals, or a window or all intervals that are
    /// not there, and a note says why. A decision on it is blind there, and holds.
    #[must_use]
    pub fn observe(&self, requirements: &[Requirement], deadline: Deadline) -> Observations {
        let plan = Plan::new(self, requirements);
        let mut notes = Notes::default();
        let answers = plan.asks.run(&plan.servers, deadline);
        for (server, info) in plan.asks.infos(&answers) {
            let host = plan.servers.get(server).map_or("", |server| server.host()).to_owned();
            notes.add(None, Problem::Remark { host, text: info.to_owned() });
        }
        let scenes: Vec<Result<Option<Scene<'_>>, Problem>> =
            plan.tasks.iter().map(|task| task.scene(&answers)).collect();
        let follow_up = FollowUp::ask(&plan, &scenes, deadline, &mut notes);
        let mut grid = Grid::default();
        let mut slos = Vec::new();
        for (place, (task, scene)) in plan.tasks.iter().zip(scenes).enumerate() {
            let (ups, past) = (follow_up.ups(task.server), follow_up.past(place));
            let scene = scene.map(|scene| scene.map(|scene| scene.with(ups, past)));
            let about = Some(&task.requirement.about);
            let outcome = match (&task.kind, task.requirement.cohort, scene) {
                (Kind::Elsewhere(what), _, _) => Err(Problem::NotHere { what }),
                (_, _, Err(problem)) => Err(problem),
                (Kind::Slo(slo), _, Ok(scene)) => {
                    let stretch = task.whole();
                    let window = slo::window(slo, task.requirement, stretch, scene, &answers, &mut notes);
                    window.map(|window| slos.push(window))
                }
                (Kind::Steps { .. }, Some(cohort), _) => grid.fill_steps(task, cohort, &answers, &mut notes),
                (_, Some(cohort), Ok(Some(scene))) => {
                    grid.fill(task, cohort, scene, &mut notes);
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(problem) = outcome {
                if let (Some(cohort), true, true) = (task.requirement.cohort, problem.blinds(), task.is_on_grid()) {
                    grid.fill_unanswered(task, cohort);
                }
                notes.add(about, problem);
            }
        }
        let intervals = grid.into_intervals(&mut notes);
        Observations { intervals, slos, notes: notes.into_vec() }
    }
}

impl Prometheus {
    /// [`Sources::observe`] with this server for every source.
    #[must_use]
    pub fn observe(&self, requirements: &[Requirement], deadline: Deadline) -> Observations {
        Sources::one(self.clone()).observe(requirements, deadline)
    }
}
