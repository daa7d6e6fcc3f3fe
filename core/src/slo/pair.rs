//! Pairs of windows, and the Workbook's four for a budget of any period.

use super::alert::Condition;
use super::target::ErrorBudget;
use super::threshold::{Threshold, ThresholdError};
use crate::{Duration, Share};

/// A long and a short window with one threshold: the long one says that it matters, the short one that it
/// still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The long window.
    pub long: Duration,
    /// The short window, a twelfth of the long one in the Workbook.
    pub short: Duration,
    /// The burn rate that both must exceed.
    pub threshold: Threshold,
}

/// How urgent a burning pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It can wait for working hours.
    Ticket,
    /// A person is called.
    Page,
}

/// How the Workbook's pairs, which are for 30 days, become those of another period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scaling {
    /// The windows stay 1 h, 6 h, 1 d, 3 d, and the thresholds become `share · period / window`; as Sloth
    /// does. Below about a week the slow thresholds fall under 1, where the budget would last.
    Thresholds,
    /// The thresholds stay 14.4, 6, 3, 1, and the windows keep their part of the period; as Pyrra does.
    /// Short periods make windows of few scrapes.
    Windows,
}

impl Pair {
    /// The pair whose long window spends `share` of the budget of `period`.
    ///
    /// # Errors
    /// [`ThresholdError`] for an empty share, or windows that are not `0 < short ≤ long ≤ period`.
    pub fn new(share: Share, period: Duration, long: Duration, short: Duration) -> Result<Self, ThresholdError> {
        if short.is_zero() || short > long {
            return Err(ThresholdError::Window { window: short, period: long });
        }
        Ok(Self { long, short, threshold: Threshold::from_budget_share(share, period, long)? })
    }

    /// The Workbook's four pairs for a budget of this period, the fastest first: 2 % of it in 1 h, 5 % in
    /// 6 h (page), 10 % in 1 d, 10 % in 3 d (ticket), each with a short window of a twelfth.
    ///
    /// Source: SRE Workbook, table 5-8, with the one-day row of its rules.
    ///
    /// # Errors
    /// [`ThresholdError::Window`] where the period is too short for the windows.
    ///
    /// ```
    /// use davy::slo::{Pair, Scaling};
    ///
    /// let [(_, fast), (_, slow), ..] = Pair::workbook("30d".parse()?, Scaling::Windows)?;
    /// assert_eq!((fast.long.to_string(), fast.short.to_string()), ("1h".to_owned(), "5m".to_owned()));
    /// assert_eq!([fast.threshold, slow.threshold], ["14.4x".parse()?, "6x".parse()?]);
    ///
    /// let [(_, fast), ..] = Pair::workbook("7d".parse()?, Scaling::Windows)?;
    /// assert_eq!((fast.long.to_string(), fast.threshold), ("14m".to_owned(), "14.4x".parse()?));
    /// let [(_, fast), ..] = Pair::workbook("7d".parse()?, Scaling::Thresholds)?;
    /// assert_eq!((fast.long.to_string(), fast.threshold), ("1h".to_owned(), "3.36x".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn workbook(period: Duration, scaling: Scaling) -> Result<[(Urgency, Self); 4], ThresholdError> {
        let pair = |urgency, percent: u32, hours: u64| {
            let long = match scaling {
                Scaling::Thresholds => Duration::from_minutes(hours * 60),
                // Of the 720 hours of 30 days.
                Scaling::Windows => Duration::from_millis(period.millis() / (720 / hours)),
            };
            let short = Duration::from_millis(long.millis() / 12);
            Ok((urgency, Self::new(Share::from_ppm(percent * 10_000), period, long, short)?))
        };
        Ok([
            pair(Urgency::Page, 2, 1)?,
            pair(Urgency::Page, 5, 6)?,
            pair(Urgency::Ticket, 10, 24)?,
            pair(Urgency::Ticket, 10, 72)?,
        ])
    }

    /// Computes what does not change from look to look.
    #[must_use]
    pub fn against(self, budget: ErrorBudget) -> Condition {
        Condition::new(self, self.threshold.limit(budget))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    #[test]
    fn the_workbooks_pairs_fit_any_period() {
        let of = |period: &str, scaling| Pair::workbook(period.parse().unwrap(), scaling);
        let windows =
            |pairs: [(Urgency, Pair); 4]| pairs.map(|(_, pair)| (pair.long.to_string(), pair.short.to_string()));
        let text = |long: &str, short: &str| (long.to_owned(), short.to_owned());
        let month = [text("1h", "5m"), text("6h", "30m"), text("1d", "2h"), text("3d", "6h")];
        assert_eq!(of("30d", Scaling::Windows).map(windows), Ok(month.clone()));
        assert_eq!(of("30d", Scaling::Windows), of("30d", Scaling::Thresholds));
        assert_eq!(of("28d", Scaling::Thresholds).map(windows), Ok(month));
        let weeks = [text("56m", "4m40s"), text("5h36m", "28m"), text("22h24m", "1h52m"), text("2d19h12m", "5h36m")];
        assert_eq!(of("28d", Scaling::Windows).map(windows), Ok(weeks));
        for period in ["1d", "7d", "28d", "30d", "90d", "1ms"] {
            let Ok(pairs) = of(period, Scaling::Windows) else {
                assert_eq!(period, "1ms");
                continue;
            };
            let thresholds = pairs.map(|(_, pair)| pair.threshold.as_f64());
            assert_eq!(thresholds, [14.4, 6.0, 3.0, 1.0], "{period}");
            assert_eq!(pairs.map(|(urgency, _)| urgency == Urgency::Page), [true, true, false, false]);
        }
        assert!(of("2d", Scaling::Thresholds).is_err(), "three days do not fit into two");
        let (hour, minute) = (Duration::from_minutes(60), Duration::from_minutes(1));
        assert!(Pair::new(Share::ALL, hour, minute, hour).is_err());
        assert!(Pair::new(Share::ALL, hour, minute, Duration::ZERO).is_err());
        assert!(Pair::new(Share::ALL, hour, hour, minute).is_ok());
    }
}
