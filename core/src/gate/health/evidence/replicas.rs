//! Who is who among the replicas: the place of each, and which are left out of an interval.
//!
//! Both are known before the interval's counts are: a replica is left out for having started lately, or for what it
//! did in earlier intervals. So nothing that the evidence guarantees is lost.

use serde::{Deserialize, Serialize};

use crate::snapshot::{Cohort, Observation, ReplicaStart};
use crate::{Count, Duration, Instant, Name};

/// The most replicas of a cohort that are told apart; the others count in the whole.
const MOST: usize = 64;
/// A baseline keeps at least so many that are compared.
const LEAST_LEFT: usize = 2;

/// The replicas that were seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Replicas {
    canary: Vec<Known>,
    /// The index is the place.
    baseline: Vec<Known>,
    /// Counts of one replica in one interval: those that were left out for being young, and all.
    pub(super) young: Count,
    pub(super) seen: Count,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Known {
    name: Name,
    /// The newest interval that it was in.
    newest: u64,
    /// When it was first seen, if that is all that is known of its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    appeared: Option<Instant>,
    #[serde(default, skip_serializing_if = "is_false")]
    sick: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// An interval in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) slot: u64,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

/// Who is left out of one interval.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Vec<(Cohort, Name)>);

/// What an interval begins with.
#[derive(Debug, Default)]
pub(super) struct Admitted {
    pub(super) left_out: LeftOut,
    /// Places that another replica had until now.
    pub(super) vacated: Vec<usize>,
}

impl LeftOut {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn holds(&self, observation: &Observation) -> bool {
        let same = |(cohort, name): &(Cohort, Name)| {
            *cohort == observation.cohort && observation.replica.as_ref() == Some(name)
        };
        self.0.iter().any(same)
    }
}

impl Replicas {
    /// Gets to know the replicas of an interval.
    ///
    /// `starts` need not name all. One that is not named and was not there before has appeared with this interval,
    /// unless its cohort has.
    pub(super) fn admit(
        &mut self,
        span: Span,
        observations: &[Observation],
        starts: &[ReplicaStart],
        warm_up: Duration,
    ) -> Admitted {
        let began = (!self.canary.is_empty(), !self.baseline.is_empty());
        let mut admitted = Admitted::default();
        let mut next = 0;
        for observation in observations {
            let Some(name) = &observation.replica else { continue };
            let (known, began) = match observation.cohort {
                Cohort::Canary => (&mut self.canary, began.0),
                Cohort::Baseline => (&mut self.baseline, began.1),
            };
            let place = place_of(known, name, next);
            next = place.map_or(next, |place| place + 1);
            let own = |start: &&ReplicaStart| start.cohort == observation.cohort && start.replica == *name;
            let mut of_list = starts.iter().filter(own).peekable();
            let listed = of_list.peek().is_some();
            let place = match place {
                Some(place) if known.get(place).is_some_and(|known| known.newest == span.slot) => continue,
                Some(place) => Some(place),
                None => {
                    let appeared = (began && !listed).then_some(span.start);
                    let newcomer = Known { name: name.clone(), newest: span.slot, appeared, sick: false };
                    let place = settle(known, newcomer, span.slot);
                    if observation.cohort == Cohort::Baseline {
                        admitted.vacated.extend(place.filter(|(_, vacated)| *vacated).map(|(place, _)| place));
                    }
                    place.map(|(place, _)| place)
                }
            };
            let known = place.and_then(|place| known.get_mut(place));
            let is_young = |start: Instant| span.start < start.plus(warm_up) && span.end > start;
            let appeared = known.as_ref().and_then(|known| known.appeared);
            let young = of_list.any(|start| is_young(start.started_at)) || appeared.is_some_and(is_young);
            let sick = known.as_ref().is_some_and(|known| known.sick);
            if let Some(known) = known {
                known.newest = span.slot;
            }
            self.seen = self.seen.saturating_add(Count::from(1));
            if young {
                self.young = self.young.saturating_add(Count::from(1));
            }
            if young || sick {
                admitted.left_out.0.push((observation.cohort, name.clone()));
            }
        }
        admitted
    }

    /// The place of a replica of the baseline; `next` is a guess.
    pub(super) fn place(&self, name: &Name, next: usize) -> Option<usize> {
        place_of(&self.baseline, name, next)
    }

    /// Leaves a replica of the baseline out from now on; whether there are enough others.
    pub(super) fn leave_out(&mut self, place: usize, newest: u64) -> bool {
        let left = self.baseline.iter().filter(|known| !known.sick && known.newest == newest).count();
        match self.baseline.get_mut(place) {
            Some(known) if !known.sick && left > LEAST_LEFT => {
                known.sick = true;
                true
            }
            _ => false,
        }
    }

    /// How many replicas of the baseline were compared in the newest interval that had any.
    pub(super) fn compared(&self) -> usize {
        let newest = self.baseline.iter().map(|known| known.newest).max();
        self.baseline.iter().filter(|known| !known.sick && Some(known.newest) == newest).count()
    }

    /// The name of the replica at this place.
    pub(super) fn name(&self, place: usize) -> Option<&Name> {
        self.baseline.get(place).map(|known| &known.name)
    }

    /// Replicas of the baseline that are left out as sick.
    pub(super) fn sick(&self) -> Vec<Name> {
        self.baseline.iter().filter(|known| known.sick).map(|known| known.name.clone()).collect()
    }
}

fn place_of(known: &[Known], name: &Name, next: usize) -> Option<usize> {
    // Intervals name their replicas in the same order, mostly.
    if known.get(next).is_some_and(|known| known.name == *name) {
        return Some(next);
    }
    known.iter().position(|known| known.name == *name)
}

/// A place for a newcomer, and whether another had it: the one that is gone for longest.
fn settle(known: &mut Vec<Known>, newcomer: Known, slot: u64) -> Option<(usize, bool)> {
    if known.len() < MOST {
        known.push(newcomer);
        return Some((known.len() - 1, false));
    }
    let gone = known.iter_mut().enumerate().filter(|(_, known)| known.newest.saturating_add(1) < slot);
    let (place, oldest) = gone.min_by_key(|(_, known)| known.newest)?;
    *oldest = newcomer;
    Some((place, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Observed;

    const WARM_UP: Duration = Duration::from_minutes(1);

    fn at(seconds: u64) -> Instant {
        Instant::EPOCH.plus(Duration::from_secs(seconds))
    }

    fn span(slot: u64) -> Span {
        Span { slot, start: at(30 * slot), end: at(30 * slot + 30) }
    }

    fn seen(cohort: Cohort, name: &str) -> Observation {
        let replica = Some(name.parse().unwrap());
        let observed = Observed::Counts { bad: Count::ZERO, total: Count::from(9) };
        Observation { metric: "errors".parse().unwrap(), cohort, replica, observed }
    }

    fn left_out(replicas: &mut Replicas, slot: u64, names: &[&str], starts: &[ReplicaStart]) -> Vec<String> {
        let observations: Vec<Observation> = names.iter().map(|name| seen(Cohort::Baseline, name)).collect();
        let admitted = replicas.admit(span(slot), &observations, starts, WARM_UP);
        admitted.left_out.0.iter().map(|(_, name)| name.to_string()).collect()
    }

    fn started(name: &str, seconds: u64) -> ReplicaStart {
        ReplicaStart { cohort: Cohort::Baseline, replica: name.parse().unwrap(), started_at: at(seconds) }
    }

    #[test]
    fn a_replica_is_left_out_until_its_warm_up_ends() {
        let mut replicas = Replicas::default();
        let starts = [started("a", 0), started("b", 40)];
        for (slot, expected) in [(0, vec!["a"]), (1, vec!["a", "b"]), (2, vec!["b"]), (3, vec!["b"]), (4, vec![])] {
            assert_eq!(left_out(&mut replicas, slot, &["a", "b"], &starts), expected, "{slot}");
        }
        assert_eq!((replicas.young.get(), replicas.seen.get()), (5, 10));
    }

    #[test]
    fn one_that_appears_later_is_young_and_those_of_the_first_interval_are_not() {
        let mut replicas = Replicas::default();
        assert!(left_out(&mut replicas, 10, &["a", "b"], &[]).is_empty());
        assert_eq!(left_out(&mut replicas, 11, &["a", "b", "c"], &[]), ["c"]);
        assert_eq!(left_out(&mut replicas, 12, &["a", "b", "c"], &[]), ["c"]);
        assert!(left_out(&mut replicas, 13, &["a", "b", "c"], &[]).is_empty());
        // It was named, and is old.
        assert!(left_out(&mut replicas, 14, &["a", "d"], &[started("d", 0)]).is_empty());
    }

    #[test]
    fn a_place_is_kept_and_taken_over_only_when_all_are_taken() {
        let mut replicas = Replicas::default();
        let names: Vec<String> = (0..MOST).map(|n| format!("pod-{n:02}")).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        left_out(&mut replicas, 0, &all, &[]);
        left_out(&mut replicas, 1, &all[1..], &[]);
        left_out(&mut replicas, 2, &all[1..], &[]);
        let admitted = replicas.admit(span(3), &[seen(Cohort::Baseline, "late")], &[], WARM_UP);
        assert_eq!(admitted.vacated, [0]);
        assert_eq!(replicas.place(&"late".parse().unwrap(), 9), Some(0));
        assert_eq!(replicas.place(&"pod-00".parse().unwrap(), 0), None);
        assert_eq!(replicas.baseline.len(), MOST);
    }

    #[test]
    fn at_least_two_replicas_are_left() {
        let mut replicas = Replicas::default();
        left_out(&mut replicas, 0, &["a", "b", "c"], &[]);
        assert!(replicas.leave_out(0, 0));
        assert!(!replicas.leave_out(0, 0), "it is left out already");
        assert!(!replicas.leave_out(1, 0));
        assert_eq!(left_out(&mut replicas, 1, &["a", "b", "c"], &[]), ["a"]);
        assert_eq!(replicas.sick().len(), 1);
    }
}
