//! Events of a service, minute by minute, and the windows that a host would make of them.

use std::num::NonZeroU32;

use davy::{Cohort, Count, Duration, Instant, Part, Seen, Share, SloWindow};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::strategies::{at, name};

/// How many minutes there are.
pub(super) const MINUTES: usize = 24 * 60;
/// The windows of the SLO in minutes: long and short of each pair, the fastest first.
pub(super) const PAIRS: [(usize, usize); 3] = [(60, 5), (180, 15), (360, 30)];
/// The budget's period in minutes.
pub(super) const PERIOD: usize = 12 * 60;

/// Bad events and all events of canary and baseline in every minute.
#[derive(Clone)]
pub(super) struct Traffic {
    pub(super) minutes: Vec<[(u64, u64); 2]>,
    /// How it came about: shorter than a day of minutes.
    recipe: String,
}

impl std::fmt::Debug for Traffic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.recipe)
    }
}

impl Traffic {
    /// The same with every minute changed.
    pub(super) fn map(&self, change: impl Fn([(u64, u64); 2]) -> [(u64, u64); 2]) -> Self {
        Self { minutes: self.minutes.iter().copied().map(change).collect(), ..self.clone() }
    }

    /// Every minute the same.
    pub(super) fn steady(minute: [(u64, u64); 2]) -> Self {
        Self { minutes: vec![minute; MINUTES], recipe: format!("{minute:?}") }
    }

    /// Bad events and all events of one cohort, or of both, in the minutes before `minute`.
    pub(super) fn count(&self, cohort: Option<Cohort>, length: usize, minute: usize) -> (u64, u64) {
        let of = |minute: &[(u64, u64); 2]| match cohort {
            Some(Cohort::Canary) => minute[0],
            Some(Cohort::Baseline) => minute[1],
            None => (minute[0].0 + minute[1].0, minute[0].1 + minute[1].1),
        };
        let within = &self.minutes[minute.saturating_sub(length)..minute];
        within.iter().map(of).fold((0, 0), |(bad, total), (b, t)| (bad + b, total + t))
    }
}

/// So many minutes after the release began.
pub(super) fn instant(minute: usize) -> Instant {
    at(60 * minute as u64)
}

/// One window, counted event by event.
pub(super) fn window(traffic: &Traffic, cohort: Option<Cohort>, length: usize, minute: usize) -> SloWindow {
    let (bad, total) = traffic.count(cohort, length, minute);
    let end = instant(minute);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand events")]
    let amount = |events: u64| Seen::Amount(events as f64);
    SloWindow {
        slo: name("availability"),
        objective: NonZeroU32::MIN,
        cohort,
        from: end.minus(Duration::from_minutes(length as u64)),
        end,
        part: Part::Bad(amount(bad)),
        total: amount(total),
        coverage: Share::ALL,
        oldest: None,
        newest: Some(end),
        resets: Count::ZERO,
    }
}

/// How many windows the SLO needs.
pub(super) const WINDOWS: usize = 4 * PAIRS.len() + 1;

/// Every window that the SLO needs: of each pair the long and the short one, that of the canary and that of the
/// baseline, and the period last.
pub(super) fn windows(traffic: &Traffic, minute: usize) -> Vec<SloWindow> {
    let mut windows = Vec::new();
    for (long, short) in PAIRS {
        windows.extend([long, short].map(|length| window(traffic, None, length, minute)));
        let cohorts = [Cohort::Canary, Cohort::Baseline];
        windows.extend(cohorts.map(|cohort| window(traffic, Some(cohort), short, minute)));
    }
    windows.push(window(traffic, None, PERIOD, minute));
    windows
}

/// A time in which something is otherwise.
#[derive(Debug, Clone)]
struct Spell {
    from: usize,
    length: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// So many of a thousand events of the canary, and of the baseline, are bad.
    Bad(u64, u64),
    /// Nobody comes to the canary, and to the baseline.
    Idle(bool, bool),
}

fn spell() -> impl Strategy<Value = Spell> {
    // Often exactly on a limit.
    let ratio =
        || prop_oneof![3 => Just(0_u64), 3 => select(vec![5, 10, 15, 20, 100]), 3 => 0..=300_u64, 1 => Just(1000)];
    let what = prop_oneof![
        5 => (ratio(), ratio()).prop_map(|(canary, baseline)| What::Bad(canary, baseline)),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(canary, baseline)| What::Idle(canary, baseline)),
    ];
    let length = prop_oneof![2 => 1..20_usize, 2 => 20..200_usize, 1 => 200..MINUTES];
    (0..MINUTES, length, what).prop_map(|(from, length, what)| Spell { from, length, what })
}

/// Events of a day, at most so many a minute.
pub(super) fn traffic(most: u64) -> impl Strategy<Value = Traffic> {
    (0..=most / 4, 0..=most, vec(spell(), 0..=6)).prop_map(|(canary, baseline, spells)| {
        // What is left of a part of an event counts in the next minute.
        let mut owed = [0, 0];
        let of_minute = |minute: usize| {
            let (mut bad, mut total) = ([0, 0], [canary, baseline]);
            for spell in spells.iter().filter(|spell| (spell.from..spell.from + spell.length).contains(&minute)) {
                match spell.what {
                    What::Bad(canary, baseline) => bad = [canary, baseline],
                    What::Idle(canary, baseline) => {
                        total = [if canary { 0 } else { total[0] }, if baseline { 0 } else { total[1] }];
                    }
                }
            }
            [0, 1].map(|cohort| {
                owed[cohort] += bad[cohort] * total[cohort];
                let whole = (owed[cohort] / 1000).min(total[cohort]);
                owed[cohort] -= whole * 1000;
                (whole, total[cohort])
            })
        };
        let recipe = format!("{canary} and {baseline} a minute, {spells:?}");
        Traffic { minutes: (0..MINUTES).map(of_minute).collect(), recipe }
    })
}
