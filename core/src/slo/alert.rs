//! Whether a budget burns too fast: two windows against one threshold, and three answers.
//!
//! The condition is the Workbook's: the burn rate is above the threshold in the long window *and* in the
//! short one, strictly. What the Workbook leaves open is said here: what is not known is neither burning
//! nor not burning, but [`Burn::Unknown`] with its reason.
//!
//! | in a window | is |
//! |---|---|
//! | NaN, infinite, negative, more bad than all | unknown: [`Why::Invalid`], never compared |
//! | no samples, or the newest one too old | unknown: [`Why::NoData`], [`Why::Stale`] |
//! | samples, but no event | unknown: [`Why::NoTraffic`]; a ratio of nothing is not zero |
//! | no series of bad events | unknown: [`Why::NoErrorSeries`], unless the source leaves out zeros |
//! | above the limit, by too few events | unknown: [`Why::FewEvents`], [`Why::FewErrors`], [`Why::Unsure`] |
//! | not above the limit, in a window with gaps | unknown: [`Why::Partial`] |
//! | above the limit, in a window with gaps | burning: what was seen already exceeds |
//!
//! Of two windows, one that does not burn decides. Of two reasons, missing data outrank too few events, and
//! gaps count as missing data even where a window exceeds the limit by few: more bad events must never turn
//! "look again when the data are there" into "wait for traffic", which asks less.
//!
//! Sources: SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"; the three answers and the guards
//! are davy's own.

use super::bound::surely_exceeds;
use super::events::{Events, EventsError};
use super::pair::Pair;
use crate::{Count, Duration, Instant, Share};

/// What was seen of an SLO in one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Bad events; `None` where there is no such series.
    pub bad: Option<f64>,
    /// All events; `None` where there is no such series.
    pub total: Option<f64>,
    /// Whether the source leaves the series of bad events out until there is one, so that its absence says
    /// zero as long as `total` is there and fresh.
    pub sparse: bool,
    /// The part of the samples expected in the window that were there.
    pub coverage: Share,
    /// When the newest sample of `total` was taken.
    pub newest: Option<Instant>,
}

/// What an answer must rest on. Guards can only weaken one: *burning* becomes *unknown* for too little
/// evidence, *not burning* becomes *unknown* for missing data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// The least coverage at which a window can be called not burning; 0 % is off.
    pub coverage: Share,
    /// The oldest that the newest sample may be; `None` is off.
    pub staleness: Option<Duration>,
    /// The fewest events of a burning window; 0 is off. [`minimum_total`](super::Threshold::minimum_total) says how many make one
    /// error harmless.
    pub events: Count,
    /// The fewest bad events of a burning window; 0 is off.
    pub errors: Count,
    /// The one-sided confidence with which the ratio of a burning window must exceed the limit
    /// ([`surely_exceeds`]); 0 % is off.
    pub confidence: Share,
}

/// Whether a budget burns faster than a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Burn {
    /// It does.
    Burning,
    /// It does not.
    NotBurning,
    /// It cannot be said.
    Unknown(Why),
}

/// Why it cannot be said whether a budget burns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// The source has no series of the events.
    NoData,
    /// The source has no series of the bad events, and does not leave out zeros.
    NoErrorSeries,
    /// The newest sample is too old, or nobody knows how old it is.
    Stale {
        /// How old it is.
        age: Option<Duration>,
    },
    /// The events were seen, and there were none.
    NoTraffic,
    /// What the source says are no numbers of events.
    Invalid(EventsError),
    /// The window has gaps, and what was seen does not exceed the limit.
    Partial {
        /// The part that was seen.
        coverage: Share,
    },
    /// The limit is exceeded by too few events.
    FewEvents {
        /// All events, rounded up.
        total: f64,
    },
    /// The limit is exceeded by too few errors.
    FewErrors {
        /// Bad events, rounded down.
        bad: f64,
    },
    /// The limit is exceeded, but it may be chance.
    Unsure,
}

/// A pair against the budget of one target: everything that does not change from look to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    pair: Pair,
    limit: f64,
}

/// What a pair says, and what each of its windows did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Both windows together.
    pub burn: Burn,
    /// The long window alone.
    pub long: Burn,
    /// The short window alone.
    pub short: Burn,
}

impl Measured {
    /// Events of a window that was seen whole, the newest sample at its end.
    #[must_use]
    pub fn whole(events: Events, end: Instant) -> Self {
        let (bad, total) = (Some(events.bad()), Some(events.total()));
        Self { bad, total, sparse: false, coverage: Share::ALL, newest: Some(end) }
    }

    /// The events, if they are known. `staleness` is the oldest that the newest sample may be.
    ///
    /// # Errors
    /// [`Why`] they are not known.
    pub fn events(&self, staleness: Option<Duration>, now: Instant) -> Result<Events, Why> {
        let total = self.total.ok_or(Why::NoData)?;
        if let Some(oldest) = staleness {
            let age = self.newest.map(|newest| now.since(newest));
            if age.is_none_or(|age| age > oldest) {
                return Err(Why::Stale { age });
            }
        }
        let bad = match self.bad {
            Some(bad) => bad,
            None if self.sparse => 0.0,
            None => return Err(Why::NoErrorSeries),
        };
        Events::of_bad_amount(bad, total).map_err(Why::Invalid)
    }
}

impl Guards {
    /// No guards: the plain comparison that Prometheus' alert rules make.
    pub const NONE: Self = Self {
        coverage: Share::ZERO,
        staleness: None,
        events: Count::ZERO,
        errors: Count::ZERO,
        confidence: Share::ZERO,
    };
}

/// 90 % coverage, five minutes (Prometheus' look-back), no fewest events, two errors, 95 % confidence.
impl Default for Guards {
    fn default() -> Self {
        Self {
            coverage: Share::from_ppm(900_000),
            staleness: Some(Duration::from_minutes(5)),
            events: Count::ZERO,
            errors: Count::from(2),
            confidence: Share::from_ppm(950_000),
        }
    }
}

impl Burn {
    /// Both: one that does not burn decides, then one that is unknown. Of two reasons the one that is not
    /// [thin](Why::is_thin) is kept, then the first.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotBurning, _) | (_, Self::NotBurning) => Self::NotBurning,
            (Self::Unknown(first), Self::Unknown(second)) => Self::Unknown(first.or_graver(second)),
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Burning, Self::Burning) => Self::Burning,
        }
    }

    /// Either, as over the pairs of an SLO: one that burns decides, then one that is unknown. Of two reasons
    /// the one that is not [thin](Why::is_thin) is kept, then the first.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Burning, _) | (_, Self::Burning) => Self::Burning,
            (Self::Unknown(first), Self::Unknown(second)) => Self::Unknown(first.or_graver(second)),
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::NotBurning, Self::NotBurning) => Self::NotBurning,
        }
    }
}

impl Why {
    /// Whether more traffic alone would make it clear: the data are there, and say too little.
    #[must_use]
    pub const fn is_thin(self) -> bool {
        matches!(self, Self::NoTraffic | Self::FewEvents { .. } | Self::FewErrors { .. } | Self::Unsure)
    }

    const fn or_graver(self, other: Self) -> Self {
        if self.is_thin() && !other.is_thin() { other } else { self }
    }
}

impl Condition {
    /// The condition that both windows of a pair have a ratio above this limit.
    pub(super) const fn new(pair: Pair, limit: f64) -> Self {
        Self { pair, limit }
    }

    /// The windows and their threshold.
    #[must_use]
    pub const fn pair(&self) -> Pair {
        self.pair
    }

    /// The ratio of bad events that both windows must exceed: threshold times error budget. At 1 or above
    /// the condition can never hold.
    #[must_use]
    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// What both windows say at `now`.
    ///
    /// ```
    /// use davy::slo::{Burn, Events, Guards, Measured, Pair, Scaling, Target, Why};
    /// use davy::{Count, Instant};
    ///
    /// let [(_, fast), ..] = Pair::workbook("30d".parse()?, Scaling::Windows)?;
    /// let condition = fast.against("99.9%".parse::<Target>()?.budget());
    /// let now: Instant = "2026-11-23T12:00:00Z".parse()?;
    /// let seen = |bad: u32, total: u32| -> Result<Measured, Box<dyn std::error::Error>> {
    ///     Ok(Measured::whole(Events::of_bad(Count::from(bad), Count::from(total))?, now))
    /// };
    /// let judge = |long, short| condition.judge(&long, &short, &Guards::default(), now).burn;
    ///
    /// assert_eq!(judge(seen(300, 14_000)?, seen(30, 1200)?), Burn::Burning);
    /// assert_eq!(judge(seen(300, 14_000)?, seen(0, 1200)?), Burn::NotBurning);          // it is over
    /// assert_eq!(judge(seen(1, 10)?, seen(1, 1)?), Burn::Unknown(Why::FewErrors { bad: 1.0 }));
    /// assert_eq!(judge(seen(300, 14_000)?, seen(0, 0)?), Burn::Unknown(Why::NoTraffic));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn judge(&self, long: &Measured, short: &Measured, guards: &Guards, now: Instant) -> Judged {
        let gaps = [long, short].into_iter().map(|seen| seen.coverage).find(|coverage| *coverage < guards.coverage);
        let (long, short) = (self.judge_window(long, guards, now), self.judge_window(short, guards, now));
        let burn = match (long.and(short), gaps) {
            (Burn::Unknown(why), Some(coverage)) if why.is_thin() => Burn::Unknown(Why::Partial { coverage }),
            (burn, _) => burn,
        };
        Judged { burn, long, short }
    }

    fn judge_window(&self, seen: &Measured, guards: &Guards, now: Instant) -> Burn {
        let events = match seen.events(guards.staleness, now) {
            Ok(events) => events,
            Err(why) => return Burn::Unknown(why),
        };
        match events.ratio() {
            None => Burn::Unknown(Why::NoTraffic),
            Some(ratio) if ratio > self.limit => self.doubt(events, guards).map_or(Burn::Burning, Burn::Unknown),
            Some(_) if seen.coverage < guards.coverage => Burn::Unknown(Why::Partial { coverage: seen.coverage }),
            Some(_) => Burn::NotBurning,
        }
    }

    /// What speaks against calling these events burning, though their ratio is above the limit.
    fn doubt(&self, events: Events, guards: &Guards) -> Option<Why> {
        let (bad, total) = events.surely();
        let fewest = |count: Count| Events::of_both(count, Count::ZERO).total();
        if total < fewest(guards.events) {
            Some(Why::FewEvents { total })
        } else if bad < fewest(guards.errors) {
            Some(Why::FewErrors { bad })
        } else if guards.confidence > Share::ZERO && !surely_exceeds(events, self.limit, guards.confidence) {
            Some(Why::Unsure)
        } else {
            None
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;
    use crate::slo::{Scaling, Target};

    const NOW: Instant = Instant::from_millis(1_000_000_000);

    fn condition() -> Condition {
        let target: Target = "99.9%".parse().unwrap();
        let [(_, fast), ..] = Pair::workbook("30d".parse().unwrap(), Scaling::Windows).unwrap();
        fast.against(target.budget())
    }

    fn seen(bad: f64, total: f64) -> Measured {
        Measured { bad: Some(bad), total: Some(total), sparse: false, coverage: Share::ALL, newest: Some(NOW) }
    }

    fn alone(seen: Measured, guards: Guards) -> Burn {
        condition().judge_window(&seen, &guards, NOW)
    }

    #[test]
    fn a_burn_rate_on_the_threshold_does_not_burn() {
        assert_eq!(condition().limit(), 0.0144);
        assert_eq!(alone(seen(144.0, 10_000.0), Guards::NONE), Burn::NotBurning);
        assert_eq!(alone(seen(145.0, 10_000.0), Guards::NONE), Burn::Burning);
    }

    #[test]
    fn nothing_seen_no_traffic_and_zero_errors_are_three_things() {
        let sparse = Measured { bad: None, sparse: true, ..seen(0.0, 50.0) };
        for guards in [Guards::NONE, Guards::default()] {
            assert_eq!(alone(Measured { total: None, ..seen(0.0, 0.0) }, guards), Burn::Unknown(Why::NoData));
            assert_eq!(alone(seen(0.0, 0.0), guards), Burn::Unknown(Why::NoTraffic));
            assert_eq!(alone(seen(0.0, 50.0), guards), Burn::NotBurning);
            assert_eq!(alone(sparse, guards), Burn::NotBurning);
            assert_eq!(alone(Measured { sparse: false, ..sparse }, guards), Burn::Unknown(Why::NoErrorSeries));
            assert_eq!(alone(Measured { total: None, ..sparse }, guards), Burn::Unknown(Why::NoData));
        }
    }

    #[test]
    fn absent_errors_are_zero_only_while_the_total_is_fresh() {
        let old = Measured { bad: None, sparse: true, newest: Some(Instant::EPOCH), ..seen(0.0, 50.0) };
        assert!(matches!(alone(old, Guards::default()), Burn::Unknown(Why::Stale { age: Some(_) })));
    }

    #[test]
    fn old_samples_say_nothing_even_where_they_burn() {
        let five = Duration::from_minutes(5);
        let aged = |age| Measured { newest: Some(NOW.minus(age)), ..seen(900.0, 1000.0) };
        assert_eq!(alone(aged(five), Guards::default()), Burn::Burning);
        let age = five.plus(Duration::from_millis(1));
        assert_eq!(alone(aged(age), Guards::default()), Burn::Unknown(Why::Stale { age: Some(age) }));
        let unknown = Measured { newest: None, ..seen(900.0, 1000.0) };
        assert_eq!(alone(unknown, Guards::default()), Burn::Unknown(Why::Stale { age: None }));
        assert_eq!(alone(unknown, Guards::NONE), Burn::Burning);
    }

    #[test]
    fn what_is_no_number_is_never_compared() {
        for (bad, total) in
            [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, 0.0)]
        {
            for guards in [Guards::NONE, Guards::default()] {
                let burn = alone(seen(bad, total), guards);
                assert!(matches!(burn, Burn::Unknown(Why::Invalid(_))), "{bad} of {total}: {burn:?}");
            }
        }
    }

    #[test]
    fn a_window_with_gaps_may_burn_but_cannot_be_cleared() {
        let coverage: Share = "89.9%".parse().unwrap();
        let gaps = |bad| alone(Measured { coverage, ..seen(bad, 1000.0) }, Guards::default());
        assert_eq!(gaps(900.0), Burn::Burning);
        assert_eq!(gaps(0.0), Burn::Unknown(Why::Partial { coverage }));
        let enough = Measured { coverage: "90%".parse().unwrap(), ..seen(0.0, 1000.0) };
        assert_eq!(alone(enough, Guards::default()), Burn::NotBurning);
    }

    #[test]
    fn few_events_prove_no_burn() {
        let guards = Guards { events: Count::from(70), ..Guards::default() };
        assert_eq!(alone(seen(30.0, 69.0), guards), Burn::Unknown(Why::FewEvents { total: 69.0 }));
        assert_eq!(alone(seen(30.0, 70.0), guards), Burn::Burning);
        assert_eq!(alone(seen(1.9, 10.0), Guards::default()), Burn::Unknown(Why::FewErrors { bad: 1.0 }));
        assert_eq!(alone(seen(2.0, 10.0), Guards::default()), Burn::Burning);
        assert_eq!(alone(seen(19.0, 1204.0), Guards::default()), Burn::Unknown(Why::Unsure));
        assert_eq!(alone(seen(19.0, 1204.0), Guards::NONE), Burn::Burning);
        assert_eq!(alone(seen(0.0, 1.0), guards), Burn::NotBurning, "guards of volume say nothing of calm");
    }

    #[test]
    fn without_a_budget_one_error_burns() {
        let [(_, fast), ..] = Pair::workbook("30d".parse().unwrap(), Scaling::Windows).unwrap();
        let condition = fast.against("100%".parse::<Target>().unwrap().budget());
        let judge = |bad| condition.judge(&seen(bad, 1e6), &seen(bad, 1e6), &Guards::NONE, NOW).burn;
        assert_eq!([judge(0.0), judge(1.0)], [Burn::NotBurning, Burn::Burning]);
    }

    #[test]
    fn one_window_that_does_not_burn_decides_a_pair_and_one_pair_that_burns_decides_an_slo() {
        let unknown = Burn::Unknown(Why::NoData);
        let other = Burn::Unknown(Why::NoTraffic);
        let table = [
            (Burn::Burning, Burn::Burning, Burn::Burning, Burn::Burning),
            (Burn::Burning, Burn::NotBurning, Burn::NotBurning, Burn::Burning),
            (Burn::Burning, unknown, unknown, Burn::Burning),
            (Burn::NotBurning, Burn::NotBurning, Burn::NotBurning, Burn::NotBurning),
            (Burn::NotBurning, unknown, Burn::NotBurning, unknown),
            (unknown, other, unknown, unknown),
            (Burn::Unknown(Why::Unsure), other, Burn::Unknown(Why::Unsure), Burn::Unknown(Why::Unsure)),
        ];
        for (a, b, and, or) in table {
            assert_eq!((a.and(b), a.or(b)), (and, or), "{a:?} {b:?}");
            if (a, b) != (Burn::Unknown(Why::Unsure), other) {
                assert_eq!((b.and(a), b.or(a)), (and, or), "{b:?} {a:?}");
            }
        }
    }

    #[test]
    fn missing_data_outrank_too_few_events() {
        let gaps = |bad| Measured { coverage: "50%".parse().unwrap(), ..seen(bad, 1000.0) };
        let few = seen(1.0, 10.0);
        let judge = |long: &Measured, short: &Measured| condition().judge(long, short, &Guards::default(), NOW).burn;
        let partial = Burn::Unknown(Why::Partial { coverage: "50%".parse().unwrap() });
        assert_eq!(judge(&few, &few), Burn::Unknown(Why::FewErrors { bad: 1.0 }));
        // The more is bad in the window with gaps, the less it may be taken for a matter of traffic.
        for bad in [0.0, 16.0, 900.0] {
            assert_eq!([judge(&gaps(bad), &few), judge(&few, &gaps(bad))], [partial; 2], "{bad}");
        }
        assert_eq!(judge(&gaps(900.0), &seen(900.0, 1000.0)), Burn::Burning);
        assert_eq!(judge(&gaps(900.0), &seen(0.0, 1000.0)), Burn::NotBurning);
        let nothing = Measured { total: None, ..few };
        assert_eq!([judge(&few, &nothing), judge(&nothing, &few)], [Burn::Unknown(Why::NoData); 2]);
    }
}
