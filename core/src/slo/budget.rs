//! What was spent of an error budget, by whom, and how long the rest lasts.
//!
//! For target `T`, budget `B = 1 − T`, period `W`, and `e(w)` bad of `n(w)` events in a window `w`:
//!
//! | number | formula |
//! |---|---|
//! | burn rate of `w` | `e(w) / (B · n(w))` |
//! | consumed | `e(W) / (B · n(W))`, which is the burn rate of the period |
//! | left | `1 − consumed`, below 0 when more was spent than there is |
//! | attributed to `w` | `e(w) / (B · n(W))`, or with constant traffic `burn rate(w) · w / W` |
//! | time to exhaustion | `left · W / burn rate(w)` |
//!
//! Sources: SRE Workbook, chapters 2 and 5; OpenSLO v1, `budgetingMethod: Occurrences`. Sloth's
//! `slo:period_error_budget_remaining:ratio` and Pyrra's remaining budget are the same `left`.

use super::events::Events;
use super::target::ErrorBudget;
use crate::{Count, Duration, Factor};

/// When an error budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhaustion {
    /// It is already: nothing is left.
    Exhausted,
    /// After so long.
    After(Duration),
    /// Never, as long as no event is bad.
    Never,
}

impl ErrorBudget {
    /// How many times as fast as the target allows the budget is spent, from 0 to `1 / B`; nothing without
    /// traffic. With a budget of zero it is infinite as soon as an event is bad.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::slo::{Events, Target};
    ///
    /// let budget = "99.9%".parse::<Target>()?.budget();
    /// let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total));
    /// assert_eq!(budget.burn_rate(of(144, 10_000)?), Some(14.4));
    /// assert_eq!(budget.burn_rate(of(0, 0)?), None);
    ///
    /// // Ten requests an hour, one of them bad: a hundredfold burn, 13.9 % of a month's budget.
    /// assert_eq!(budget.burn_rate(of(1, 10)?), Some(100.0));
    /// assert_eq!(budget.attributed(of(1, 10)?, of(1, 7200)?), Some(1.0 / 7.2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn burn_rate(self, window: Events) -> Option<f64> {
        self.attributed(window, window)
    }

    /// The burn rate that a single bad event of so many would make: `1 / (B · total)`; nothing without
    /// traffic. Above a threshold, one event breaches it.
    #[must_use]
    pub fn single_error_burn_rate(self, total: Count) -> Option<f64> {
        (total > Count::ZERO).then(|| self.multiple(1.0, Events::of_both(total, Count::ZERO).total()))
    }

    /// The part of the budget that the period's events spent: 1 is all of it, and more is possible; nothing
    /// without traffic.
    #[must_use]
    pub fn consumed(self, period: Events) -> Option<f64> {
        self.burn_rate(period)
    }

    /// The part of the budget that is left, at most 1, and below 0 when more was spent than there is;
    /// nothing without traffic.
    ///
    /// ```
    /// use davy::Count;
    /// use davy::slo::{Events, Target};
    ///
    /// let budget = "99.9%".parse::<Target>()?.budget();
    /// let left = |bad: u32| budget.left(Events::of_bad(Count::from(bad), Count::from(1_000_000)).unwrap());
    /// assert_eq!([left(0), left(250), left(1000), left(3000)], [1.0, 0.75, 0.0, -2.0].map(Some));
    /// # Ok::<(), davy::slo::TargetError>(())
    /// ```
    #[must_use]
    pub fn left(self, period: Events) -> Option<f64> {
        self.consumed(period).map(|consumed| 1.0 - consumed)
    }

    /// The part of the period's budget that the bad events of a window within it spent; nothing if the
    /// period had no traffic. Adjoining windows add up to what the period consumed.
    #[must_use]
    pub fn attributed(self, window: Events, period: Events) -> Option<f64> {
        (period.total() > 0.0).then(|| self.multiple(window.bad(), period.total()))
    }

    /// The same as [`ErrorBudget::attributed`] where the period's events are not known: traffic is taken
    /// as constant, so that a window has its length's part of it. `burn rate · length / period`.
    #[must_use]
    pub fn attributed_by_length(self, window: Events, length: Duration, period: Duration) -> Option<f64> {
        let part = length.as_secs_f64() / period.as_secs_f64();
        self.burn_rate(window).map(|burn| burn * part).filter(|share| !period.is_zero() && !share.is_nan())
    }

    /// When the budget of a rolling period is used up if errors go on as in `recent`, with constant
    /// traffic: `left · length / burn rate`. Nothing if either had no traffic, or the period no length.
    ///
    /// Old errors leave a rolling period meanwhile, so it lasts at least so long.
    ///
    /// ```
    /// use davy::slo::{Events, Exhaustion, Target};
    /// use davy::{Count, Duration};
    ///
    /// let budget = "99.9%".parse::<Target>()?.budget();
    /// let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total));
    /// let month = Duration::from_minutes(30 * 24 * 60);
    /// // Half of the budget is left, and it burns ten times too fast: a day and a half.
    /// let end = budget.exhaustion(of(500, 1_000_000)?, of(10, 1000)?, month);
    /// assert_eq!(end, Some(Exhaustion::After(Duration::from_minutes(36 * 60))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn exhaustion(self, period: Events, recent: Events, length: Duration) -> Option<Exhaustion> {
        self.exhaustion_of_part(Factor::ONE, period, recent, length)
    }

    /// The same for a part of a composite that counts `weight` times: its budget is used up as much sooner.
    ///
    /// Source: OpenSLO v1, `compositeWeight`, which multiplies burn rates.
    #[must_use]
    pub fn exhaustion_of_part(
        self,
        weight: Factor,
        period: Events,
        recent: Events,
        length: Duration,
    ) -> Option<Exhaustion> {
        let consumed = self.consumed(period)? * weight.as_f64();
        let burn = self.burn_rate(recent)? * weight.as_f64();
        (!length.is_zero()).then(|| lasting(1.0 - consumed, burn / length.as_secs_f64()))
    }

    /// When the budget of a calendar period is used up: `(B · expected − bad so far) / bad per second`.
    ///
    /// `expected` is a forecast of all events of the whole period; what is said here is as good as it is.
    /// Nothing if `bad_per_second` is no number from 0 on.
    #[must_use]
    pub fn exhaustion_of_calendar(self, so_far: Events, expected: Count, bad_per_second: f64) -> Option<Exhaustion> {
        if bad_per_second.is_nan() || bad_per_second < 0.0 {
            return None;
        }
        let allowed = self.fraction().times_count(expected);
        Some(lasting(allowed - so_far.bad(), bad_per_second))
    }
}

/// How long an amount lasts that is spent so fast per second, to the millisecond below.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at the longest duration")]
fn lasting(left: f64, per_second: f64) -> Exhaustion {
    if left <= 0.0 {
        Exhaustion::Exhausted
    } else if per_second <= 0.0 {
        Exhaustion::Never
    } else {
        Exhaustion::After(Duration::from_millis((left / per_second * 1000.0) as u64))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;
    use crate::slo::Target;

    fn budget(target: &str) -> ErrorBudget {
        target.parse::<Target>().unwrap().budget()
    }

    fn events(bad: u32, total: u32) -> Events {
        Events::of_bad(Count::from(bad), Count::from(total)).unwrap()
    }

    #[test]
    fn without_traffic_nothing_is_said() {
        let (budget, none, some) = (budget("99.9%"), events(0, 0), events(1, 10));
        assert_eq!(budget.burn_rate(none), None);
        assert_eq!(budget.left(none), None);
        assert_eq!(budget.attributed(some, none), None);
        assert_eq!(budget.attributed(none, some), Some(0.0), "a window without traffic spent nothing");
        assert_eq!(budget.exhaustion(none, some, Duration::from_secs(1)), None);
        assert_eq!(budget.exhaustion(some, none, Duration::from_secs(1)), None);
        assert_eq!(budget.single_error_burn_rate(Count::ZERO), None);
    }

    #[test]
    fn one_error_of_few_burns_fast() {
        assert_eq!(budget("99.9%").single_error_burn_rate(Count::from(10)), Some(100.0));
        assert_eq!(budget("100%").single_error_burn_rate(Count::from(10)), Some(f64::INFINITY));
    }

    #[test]
    fn a_target_of_everything_has_no_budget_to_lose_until_it_is_lost() {
        let none = budget("100%");
        assert_eq!(none.burn_rate(events(0, 10)), Some(0.0));
        assert_eq!(none.left(events(0, 10)), Some(1.0));
        assert_eq!(none.burn_rate(events(1, 10)), Some(f64::INFINITY));
        assert_eq!(none.left(events(1, 10)), Some(f64::NEG_INFINITY));
        let month = Duration::from_minutes(30 * 24 * 60);
        assert_eq!(none.exhaustion(events(1, 10), events(0, 1), month), Some(Exhaustion::Exhausted));
        assert_eq!(none.exhaustion(events(0, 10), events(1, 1), month), Some(Exhaustion::After(Duration::ZERO)));
    }

    #[test]
    fn what_windows_spent_adds_up_to_what_the_period_spent() {
        let budget = budget("99.9%");
        let period = events(700, 1_000_000);
        let parts = [events(500, 10_000), events(0, 500_000), events(200, 490_000)];
        let spent: Vec<f64> = parts.iter().filter_map(|part| budget.attributed(*part, period)).collect();
        assert_eq!(spent, [0.5, 0.0, 0.2]);
        assert_eq!(budget.consumed(period), Some(0.7));
    }

    #[test]
    fn with_constant_traffic_both_attributions_agree() {
        let budget = budget("99.9%");
        let (hour, month) = (Duration::from_minutes(60), Duration::from_minutes(30 * 24 * 60));
        let exact = budget.attributed(events(144, 10_000), events(144, 7_200_000)).unwrap();
        let by_length = budget.attributed_by_length(events(144, 10_000), hour, month).unwrap();
        assert!((exact - by_length).abs() < 1e-15);
        assert_eq!(by_length, 0.02);
        assert_eq!(budget.attributed_by_length(events(1, 10), hour, Duration::ZERO), None);
    }

    #[test]
    fn what_is_spent_up_is_exhausted_and_what_is_not_spent_never_is() {
        let (budget, day) = (budget("99.9%"), Duration::from_minutes(24 * 60));
        let end = |bad, recent| budget.exhaustion(events(bad, 1_000_000), events(recent, 1000), day);
        assert_eq!(end(1000, 0), Some(Exhaustion::Exhausted));
        assert_eq!(end(999, 0), Some(Exhaustion::Never));
        assert_eq!(budget.exhaustion(events(0, 1), events(0, 1), Duration::ZERO), None);
        assert_eq!(end(0, 1), Some(Exhaustion::After(day)));
        assert_eq!(end(0, 2), Some(Exhaustion::After(Duration::from_minutes(12 * 60))));
    }

    #[test]
    fn a_part_that_counts_twice_is_used_up_sooner() {
        let (budget, day) = (budget("99.9%"), Duration::from_minutes(24 * 60));
        let end = |bad| {
            budget.exhaustion_of_part(Factor::from_thousandths(2000), events(bad, 1_000_000), events(1, 1000), day)
        };
        assert_eq!(end(0), Some(Exhaustion::After(Duration::from_minutes(12 * 60))));
        assert_eq!(end(250), Some(Exhaustion::After(Duration::from_minutes(6 * 60))));
        assert_eq!(end(500), Some(Exhaustion::Exhausted));
    }

    #[test]
    fn a_calendar_needs_a_forecast() {
        let budget = budget("99.9%");
        let end =
            |bad, per_second| budget.exhaustion_of_calendar(events(bad, 5000), Count::from(1_000_000), per_second);
        assert_eq!(end(400, 0.1), Some(Exhaustion::After(Duration::from_secs(6000))));
        assert_eq!(end(1000, 0.1), Some(Exhaustion::Exhausted));
        assert_eq!(end(400, 0.0), Some(Exhaustion::Never));
        assert_eq!(end(400, f64::NAN), None);
        assert_eq!(end(400, -1.0), None);
        assert_eq!(end(400, 1e-300), Some(Exhaustion::After(Duration::from_millis(u64::MAX))));
    }
}
