//! What was answered about one metric of one cohort: its targets, its replicas, and what was noticed there.

use std::collections::BTreeSet;

use davy::{Duration, Missing, Name};

use super::past::{Origin, Past};
use super::problem::Problem;
use super::replica::{Cells, Replicas};
use super::target::{Presence, Stretch, Target, Targets, Ups, is_seen};
use crate::prometheus::Series;

/// The answers to one requirement, sorted to targets.
pub(super) struct Scene<'a> {
    pub(super) replicas: Replicas<'a>,
    pub(super) targets: Targets<'a>,
    ups: Option<&'a Ups>,
    past: Option<&'a Past>,
    problems: Vec<Problem>,
    /// Targets with an interval that was not seen whole.
    unseen: BTreeSet<&'a str>,
    /// The slowest pace that is too slow for intervals of this length.
    rare: Option<(Duration, Duration)>,
}

/// How to look at a series: whose it is, and where it began.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) replicas: Replicas<'a>,
    past: Option<&'a Past>,
}

impl<'a> Sight<'a> {
    /// Which replica a series is of.
    pub(super) fn key(&self, series: &'a Series) -> &'a str {
        self.replicas.key(&series.labels)
    }

    /// Where a series began, if it begins in a stretch.
    pub(super) fn origin(&self, target: &Target<'_>, series: &'a Series, stretch: Stretch) -> Origin<'a> {
        Past::origin(self.past, target, series, stretch)
    }
}

impl<'a> Scene<'a> {
    /// Sorts families of series to their targets and replicas.
    pub(super) fn new(replica: Option<&'a Name>, families: &[Vec<&'a Series>]) -> Self {
        let (replicas, problem) = Replicas::of(replica, families.iter().flatten().copied());
        let targets = Targets::of(families);
        Self {
            replicas,
            targets,
            ups: None,
            past: None,
            problems: problem.into_iter().collect(),
            unseen: BTreeSet::new(),
            rare: None,
        }
    }

    /// The same with what is known of targets that stopped, and of series that began.
    pub(super) fn with(mut self, ups: Option<&'a Ups>, past: Option<&'a Past>) -> Self {
        (self.ups, self.past) = (ups, past);
        self
    }

    /// How to look at the series of a target.
    pub(super) fn sight(&self) -> Sight<'a> {
        Sight { replicas: self.replicas, past: self.past }
    }

    pub(super) fn ups(&self) -> Option<&Ups> {
        self.ups
    }

    /// Visits the targets that were seen throughout a stretch, and marks the replicas of those that were not.
    pub(super) fn each_counted<T>(
        &mut self,
        stretch: Stretch,
        cells: &mut Cells<'a, T>,
        visit: impl FnMut(&Target<'a>, &mut Cells<'a, T>, Sight<'a>),
    ) {
        self.each(stretch, cells, |_| false, visit);
    }

    /// The same for targets that were seen in a stretch at all, gaps or not.
    pub(super) fn each_seen<T>(
        &mut self,
        stretch: Stretch,
        cells: &mut Cells<'a, T>,
        visit: impl FnMut(&Target<'a>, &mut Cells<'a, T>, Sight<'a>),
    ) {
        self.each(stretch, cells, |target| target.is_seen_in(stretch), visit);
    }

    fn each<T>(
        &mut self,
        stretch: Stretch,
        cells: &mut Cells<'a, T>,
        counts_anyway: impl Fn(&Target<'a>) -> bool,
        mut visit: impl FnMut(&Target<'a>, &mut Cells<'a, T>, Sight<'a>),
    ) {
        let sight = self.sight();
        for target in self.targets.iter() {
            if counts_anyway(target) {
                visit(target, cells, sight);
                continue;
            }
            match target.presence(stretch, self.ups) {
                Presence::Counted => visit(target, cells, sight),
                Presence::Elsewhere => {}
                Presence::Missing => {
                    self.unseen.insert(target.instance);
                    mark(target, stretch, cells, self.replicas);
                }
                Presence::Rare(pace) => {
                    let slowest = self.rare.map_or(pace, |(slowest, _)| slowest.max(pace));
                    self.rare = Some((slowest, stretch.end.since(stretch.start)));
                    mark(target, stretch, cells, self.replicas);
                }
            }
        }
    }

    /// Whether any series of a family was seen.
    pub(super) fn sees(&self, family: usize, stretch: Stretch) -> bool {
        let mut members = self.targets.iter().flat_map(|target| &target.members);
        members.any(|member| member.family == family && is_seen(member.series, stretch))
    }

    /// Whether series with these labels are in a family, so that none with certain values is none.
    pub(super) fn proves_zero(&self, family: usize, labels: Option<&[String]>, stretch: Stretch) -> bool {
        let members = || self.targets.iter().flat_map(|target| &target.members);
        let has = |label: &String| {
            let labelled = |series: &Series| !series.labels.get(label).is_empty();
            members().any(|one| one.family == family && labelled(one.series) && is_seen(one.series, stretch))
        };
        labels.is_some_and(|labels| labels.iter().all(has))
    }

    pub(super) fn note(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// Everything that was noticed.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        if let Some(first) = self.unseen.first() {
            self.problems.push(Problem::Unseen { targets: self.unseen.len(), first: (*first).to_owned() });
        }
        if let Some((scrape, every)) = self.rare {
            self.problems.push(Problem::RareSamples { scrape, every });
        }
        self.problems
    }
}

fn mark<'a, T>(target: &Target<'a>, stretch: Stretch, cells: &mut Cells<'a, T>, replicas: Replicas<'_>) {
    for member in target.members.iter().filter(|member| is_seen(member.series, stretch)) {
        cells.missing(replicas.key(&member.series.labels), Missing::NoData);
    }
}
