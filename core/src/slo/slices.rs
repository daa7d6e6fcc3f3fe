//! Time slices: an SLO over spans of time instead of events.
//!
//! OpenSLO v1 `budgetingMethod: Timeslices` calls a slice good if its ratio of good events meets
//! `timeSliceTarget`, and its budget is a part of the slices. `RatioTimeslices` averages the slices' ratios.
//! OpenSLO does not say what a slice without traffic is; here it is counted apart, and the caller decides.

use super::events::Events;
use super::target::Target;
use crate::Count;

/// The slices of a period, folded one after the other.
///
/// ```
/// use davy::Count;
/// use davy::slo::{Events, Slices, Target};
///
/// let slice_target: Target = "95%".parse()?;
/// let of = |bad: u32, total: u32| Events::of_bad(Count::from(bad), Count::from(total)).ok();
/// let mut slices = Slices::default();
/// for slice in [of(5, 100), of(6, 100), of(0, 0), None] {
///     slices.add(slice, slice_target);
/// }
/// assert_eq!([slices.good(), slices.bad(), slices.idle(), slices.unknown()].map(Count::get), [1, 1, 1, 1]);
/// assert_eq!(slices.mean_bad_ratio(), Some(0.055));
///
/// // Of the 2880 slices of the period, one per mille may be bad.
/// let budget = "99.9%".parse::<Target>()?.budget();
/// assert_eq!(budget.consumed(slices.events(Count::from(2880))), Some(1.0 / 2.88));
/// # Ok::<(), davy::slo::TargetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slices {
    good: Count,
    bad: Count,
    idle: Count,
    unknown: Count,
    bad_ratios: f64,
}

impl Slices {
    /// Adds one slice: its events, or nothing if they are not known.
    pub fn add(&mut self, slice: Option<Events>, slice_target: Target) {
        let one = Count::from(1);
        let Some(events) = slice else {
            self.unknown = self.unknown.saturating_add(one);
            return;
        };
        let (Some(ratio), Some(burn)) = (events.ratio(), slice_target.budget().burn_rate(events)) else {
            self.idle = self.idle.saturating_add(one);
            return;
        };
        self.bad_ratios += ratio;
        // At most the budget of the slice is spent: exact for counts, so a slice on the target is good.
        let slices = if burn <= 1.0 { &mut self.good } else { &mut self.bad };
        *slices = slices.saturating_add(one);
    }

    /// Slices that met the target.
    #[must_use]
    pub const fn good(self) -> Count {
        self.good
    }

    /// Slices that did not.
    #[must_use]
    pub const fn bad(self) -> Count {
        self.bad
    }

    /// Slices without traffic.
    #[must_use]
    pub const fn idle(self) -> Count {
        self.idle
    }

    /// Slices of which nothing is known.
    #[must_use]
    pub const fn unknown(self) -> Count {
        self.unknown
    }

    /// The bad slices of so many in the whole period, as the events of a budget. A period has at least the
    /// slices that were judged.
    #[must_use]
    pub fn events(self, in_period: Count) -> Events {
        let judged = self.good.saturating_add(self.bad);
        Events::of_both(in_period.max(judged).saturating_sub(self.bad), self.bad)
    }

    /// The mean over slices with traffic of the ratio of bad events, from 0 to 1: OpenSLO's
    /// `RatioTimeslices`. Nothing without such slices.
    #[must_use]
    pub fn mean_bad_ratio(self) -> Option<f64> {
        let judged = Events::of_both(self.good, self.bad).total();
        (judged > 0.0).then(|| self.bad_ratios / judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_on_the_target_is_good() {
        let mut slices = Slices::default();
        for (bad, total) in [(1, 1000), (3, 3000), (7, 7000), (10_000_001, 10_000_000_000)] {
            let (bad, total) = (Count::new(bad).unwrap(), Count::new(total).unwrap());
            slices.add(Events::of_bad(bad, total).ok(), "99.9%".parse().unwrap());
        }
        assert_eq!([slices.good(), slices.bad()].map(Count::get), [3, 1]);
    }

    #[test]
    fn a_period_has_at_least_the_slices_that_were_judged() {
        let mut slices = Slices::default();
        assert_eq!(slices.mean_bad_ratio(), None);
        for bad in [0, 10] {
            slices.add(Events::of_bad(Count::from(bad), Count::from(10)).ok(), "50%".parse().unwrap());
        }
        assert_eq!(slices.events(Count::ZERO).ratio(), Some(0.5));
        assert_eq!(slices.events(Count::from(10)).ratio(), Some(0.1));
        assert_eq!(slices.mean_bad_ratio(), Some(0.5));
    }
}
