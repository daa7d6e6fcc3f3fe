//! What the first answers leave open: whether targets that were not seen to the end were removed (then their
//! `up` ended too), and what series that begin were before. Mostly nothing is open, and nothing is asked.

use std::collections::{BTreeMap, BTreeSet};

use davy::{Duration, Instant};

use super::fetch::{Ask, AskId, Asks, What};
use super::past::{Past, is_open};
use super::plan::{Plan, Task};
use super::problem::{Notes, Problem};
use super::scene::Scene;
use super::target::{SILENT_FOR, Stretch, Ups};
use crate::client::{Deadline, wall_clock};
use crate::prometheus::{Labels, Series};
use crate::promql::Selector;

/// How far back a series that begins is looked up.
const DAY: Duration = Duration::from_minutes(24 * 60);

/// How many targets are asked about at once.
const AT_ONCE: usize = 100;

/// Targets that were not seen to the end, by job and instance, and when.
struct Stopped<'a> {
    keys: BTreeSet<(&'a str, &'a str)>,
    from: Instant,
    to: Instant,
}

/// What was found out, by server and by task.
#[derive(Default)]
pub(super) struct FollowUp {
    ups: BTreeMap<usize, Ups>,
    pasts: BTreeMap<usize, Past>,
}

/// Series that begin, and the question what they were before.
struct Begun<'a> {
    task: usize,
    series: Vec<&'a Series>,
    ask: AskId,
}

/// A task, its place, and its scene.
type Set<'a> = (usize, &'a Task<'a>, &'a Scene<'a>);

impl FollowUp {
    /// Asks what the scenes of the tasks leave open.
    pub(super) fn ask(
        plan: &Plan<'_>,
        scenes: &[Result<Option<Scene<'_>>, Problem>],
        deadline: Deadline,
        notes: &mut Notes,
    ) -> Self {
        let scenes = plan.tasks.iter().zip(scenes).enumerate();
        let sets = scenes.filter_map(|(place, (task, scene))| Some((place, task, scene.as_ref().ok()?.as_ref()?)));
        let sets: Vec<Set<'_>> = sets.collect();
        let mut asks = Asks::default();
        let ups = ask_for_ups(&sets, &mut asks);
        let pasts: Vec<Begun<'_>> = sets.iter().filter_map(|set| ask_for_past(*set, &mut asks)).collect();
        let now = wall_clock();
        let answers = asks.run(&plan.servers, deadline);
        let mut found = Self::default();
        for (server, id) in ups {
            match answers.get(id) {
                Ok(series) => found.ups.entry(server).or_insert_with(|| Ups::at(now)).add(series),
                Err(error) => notes.add(None, Problem::Source(error.clone())),
            }
        }
        for Begun { task, series, ask } in pasts {
            let past = found.pasts.entry(task).or_default();
            match answers.get(ask) {
                Ok(known) => past.learn(known),
                Err(error) => {
                    past.despair(series.into_iter());
                    let about = plan.tasks.get(task).map(|task| &task.requirement.about);
                    notes.add(about, Problem::Source(error.clone()));
                }
            }
        }
        found
    }

    /// What is known of a server's targets.
    pub(super) fn ups(&self, server: usize) -> Option<&Ups> {
        self.ups.get(&server)
    }

    /// What is known of the series of a task.
    pub(super) fn past(&self, task: usize) -> Option<&Past> {
        self.pasts.get(&task)
    }
}

fn ask_for_ups(sets: &[Set<'_>], asks: &mut Asks) -> Vec<(usize, AskId)> {
    let mut stopped: BTreeMap<usize, Stopped<'_>> = BTreeMap::new();
    for (_, task, scene) in sets {
        for stretch in task.stretches() {
            for target in scene.targets.iter().filter(|target| target.stopped(stretch)) {
                let all = stopped.entry(task.server).or_insert_with(|| Stopped::at(stretch));
                let pace = target.pace(stretch).unwrap_or(stretch.end.since(stretch.start));
                all.add((target.job, target.instance), stretch, stretch.end.plus(pace.times(SILENT_FOR)));
            }
        }
    }
    let mut ids = Vec::new();
    for (server, stopped) in &stopped {
        let keys: Vec<(&str, &str)> = stopped.keys.iter().copied().collect();
        for keys in keys.chunks(AT_ONCE) {
            let jobs: BTreeSet<&str> = keys.iter().map(|(job, _)| *job).collect();
            let instances: BTreeSet<&str> = keys.iter().map(|(_, instance)| *instance).collect();
            let selector = Selector::up(jobs.into_iter(), instances.into_iter());
            let what = What::Raw { selector, from: stopped.from, to: stopped.to };
            ids.push((*server, asks.add(Ask { server: *server, what })));
        }
    }
    ids
}

/// The last sample of the day before of every series that begins, if any does.
fn ask_for_past<'a>((place, task, scene): Set<'a>, asks: &mut Asks) -> Option<Begun<'a>> {
    if !task.counts() {
        return None;
    }
    let mut begun: BTreeMap<&Labels, &Series> = BTreeMap::new();
    for stretch in task.stretches() {
        for target in scene.targets.iter() {
            let open = target.members.iter().filter(|member| is_open(target, member.series, stretch));
            begun.extend(open.map(|member| (&member.series.labels, member.series)));
        }
    }
    if begun.is_empty() {
        return None;
    }
    let series: Vec<&Series> = begun.into_values().collect();
    let selector = Selector::of_all(&series.iter().map(|series| &series.labels).collect::<Vec<_>>());
    let whole = task.whole();
    let query = format!("last_over_time({selector}[{}s])", DAY.millis() / 1000);
    let what = What::Once { query, at: whole.start.minus(whole.lookback) };
    Some(Begun { task: place, series, ask: asks.add(Ask { server: task.server, what }) })
}

impl<'a> Stopped<'a> {
    fn at(stretch: Stretch) -> Self {
        Self { keys: BTreeSet::new(), from: stretch.start, to: stretch.end }
    }

    fn add(&mut self, key: (&'a str, &'a str), stretch: Stretch, until: Instant) {
        self.keys.insert(key);
        self.from = self.from.min(stretch.start.minus(stretch.lookback));
        self.to = self.to.max(until);
    }
}
