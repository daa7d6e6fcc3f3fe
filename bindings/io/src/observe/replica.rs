//! What was seen of each replica, or of the cohort as a whole.

use std::collections::BTreeMap;

use davy::{Cohort, Missing, Name, Observation, Observed};

use super::problem::Problem;
use crate::prometheus::{Labels, Series};

/// How the replicas of a cohort are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replicas<'a> {
    /// They are not.
    Whole,
    /// By a label that every series has.
    By(&'a Name),
}

impl<'a> Replicas<'a> {
    /// By the label, if every series has it with a value that can be a name. Where none has it, as with what
    /// a load balancer counts, that is no problem.
    pub(super) fn of<'s>(label: Option<&'a Name>, series: impl Iterator<Item = &'s Series>) -> (Self, Option<Problem>) {
        let Some(label) = label else { return (Self::Whole, None) };
        let (mut some, mut all) = (false, true);
        for one in series {
            let value = one.labels.get(label.as_str());
            some |= !value.is_empty();
            all &= value.parse::<Name>().is_ok();
        }
        match (some, all) {
            (true, true) => (Self::By(label), None),
            (true, false) => (Self::Whole, Some(Problem::NoReplica { label: label.clone() })),
            (false, _) => (Self::Whole, None),
        }
    }

    /// Which replica a series is of; the same text for all where they are not told apart.
    pub(super) fn key<'l>(&self, labels: &'l Labels) -> &'l str {
        match self {
            Self::Whole => "",
            Self::By(label) => labels.get(label.as_str()),
        }
    }

    /// The name of a key.
    pub(super) fn name(&self, key: &str) -> Option<Name> {
        match self {
            Self::Whole => None,
            Self::By(_) => key.parse().ok(),
        }
    }
}

/// Something per replica. What is missing stays missing, whatever else was seen.
#[derive(Debug)]
pub(super) struct Cells<'a, T>(BTreeMap<&'a str, Result<T, Missing>>);

impl<'a, T> Cells<'a, T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The cell of a replica, unless it is missing already.
    pub(super) fn seen(&mut self, key: &'a str) -> Option<&mut T>
    where
        T: Default,
    {
        self.0.entry(key).or_insert_with(|| Ok(T::default())).as_mut().ok()
    }

    pub(super) fn missing(&mut self, key: &'a str, missing: Missing) {
        let cell = self.0.entry(key).or_insert(Err(missing));
        if cell.is_ok() {
            *cell = Err(missing);
        }
    }

    /// As observations: of each replica, or that there are none.
    pub(super) fn observations(
        self,
        metric: &Name,
        cohort: Cohort,
        replicas: Replicas<'_>,
        mut observed: impl FnMut(T) -> Result<Observed, Missing>,
    ) -> Vec<Observation> {
        let of = |replica, observed| Observation { metric: metric.clone(), cohort, replica, observed };
        if self.0.is_empty() {
            return vec![of(None, Observed::Missing(Missing::NoData))];
        }
        let cells = self.0.into_iter();
        cells
            .map(|(key, cell)| {
                let observed = cell.and_then(&mut observed).unwrap_or_else(Observed::Missing);
                of(replicas.name(key), observed)
            })
            .collect()
    }
}
