//! Recurrences of RFC 5545: a first time, a rule, further dates and exceptions, in local time.

mod clock;
mod expand;
mod rule;

use super::civil::Local;
use expand::Expansion;
pub use rule::Rule;
use rule::Until;
pub(in crate::calendar) use rule::read_stamp;

/// The most occurrences that are counted through for `COUNT`.
const MOST_COUNTED: u32 = 10_000;

/// A set of local times: `DTSTART`, `RRULE`, `RDATE` and `EXDATE` of RFC 5545.
///
/// As in python-dateutil and unlike calendar applications, `DTSTART` itself is an occurrence only where it fits the rule.
/// Finding the occurrence next to any time takes as long for a rule that began last month as for one that began ten
/// years ago: `COUNT` is turned into an end once, when the set is made.
///
/// ```
/// use davy::calendar::{Recurrence, Rule};
/// let rule: Rule = "FREQ=MONTHLY;BYDAY=-1FR".parse()?;
/// let fridays = Recurrence::new("2016-01-29T17:00".parse()?, Some(rule), [], []);
/// let next = fridays.first_at_or_after("2026-11-26T12:00".parse()?);
/// assert_eq!(next.map(|at| at.to_string()).as_deref(), Some("2026-11-27T17:00"));
/// # Ok::<(), davy::calendar::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    /// Apart, because most windows have none.
    rule: Option<Box<Bounded>>,
    /// Sorted, each once, without the exceptions.
    dates: Vec<Local>,
    /// Sorted.
    except: Vec<Local>,
}

/// A rule with its first and last possible times.
#[derive(Debug, Clone, PartialEq)]
struct Bounded {
    expansion: Expansion,
    first: Local,
    /// From `UNTIL` or `COUNT`.
    last: Local,
}

impl Recurrence {
    /// The set. Without a rule it is `start` and the further dates.
    pub fn new(
        start: Local,
        rule: Option<Rule>,
        dates: impl IntoIterator<Item = Local>,
        except: impl IntoIterator<Item = Local>,
    ) -> Self {
        Self::counting(start, rule, dates, except, |_| true)
    }

    /// The set, in which only times that `counts` accepts are counted for `COUNT`: a local time that a zone skips is
    /// no occurrence (RFC 5545, 3.3.10).
    pub(crate) fn counting(
        start: Local,
        rule: Option<Rule>,
        dates: impl IntoIterator<Item = Local>,
        except: impl IntoIterator<Item = Local>,
        counts: impl Fn(Local) -> bool,
    ) -> Self {
        let mut except: Vec<Local> = except.into_iter().collect();
        except.sort_unstable();
        except.dedup();
        let mut dates: Vec<Local> = dates.into_iter().collect();
        if rule.is_none() {
            dates.push(start);
        }
        dates.sort_unstable();
        dates.dedup();
        dates.retain(|date| except.binary_search(date).is_err());
        Self { rule: rule.and_then(|rule| Bounded::new(rule, start, counts)).map(Box::new), dates, except }
    }

    /// The same, with a further date.
    pub(crate) fn with(mut self, date: Local) -> Self {
        if let (Err(place), Err(_)) = (self.dates.binary_search(&date), self.except.binary_search(&date)) {
            self.dates.insert(place, date);
        }
        self
    }

    /// The first occurrence that is not before `at`.
    #[must_use]
    pub fn first_at_or_after(&self, at: Local) -> Option<Local> {
        let date = self.dates.get(self.dates.partition_point(|date| *date < at)).copied();
        let ruled = self.rule.as_ref().and_then(|rule| {
            let mut next = rule.first_at_or_after(at);
            while let Some(excepted) = next.filter(|next| self.except.binary_search(next).is_ok()) {
                next = rule.first_at_or_after(excepted.plus(1));
            }
            next
        });
        [date, ruled].into_iter().flatten().min()
    }

    /// The last occurrence that is not after `at`.
    #[must_use]
    pub fn last_at_or_before(&self, at: Local) -> Option<Local> {
        let passed = self.dates.partition_point(|date| *date <= at);
        let date = self.dates.get(passed.wrapping_sub(1)).copied();
        let ruled = self.rule.as_ref().and_then(|rule| {
            let mut last = rule.last_at_or_before(at);
            while let Some(excepted) = last.filter(|last| self.except.binary_search(last).is_ok()) {
                last = rule.last_at_or_before(excepted.plus(-1));
            }
            last
        });
        [date, ruled].into_iter().flatten().max()
    }

    /// Whether its rule goes on around the clock.
    #[must_use]
    pub fn runs_all_day(&self) -> bool {
        self.rule.as_ref().is_some_and(|bounded| bounded.expansion.rule().runs_all_day())
    }

    /// Whether it has any occurrence.
    pub(super) fn ever(&self) -> bool {
        self.first_at_or_after(Local::MIN).is_some()
    }
}

impl Bounded {
    /// Nothing for a rule that has no occurrence.
    fn new(rule: Rule, start: Local, counts: impl Fn(Local) -> bool) -> Option<Self> {
        let expansion = Expansion::new(rule, start);
        let first = expansion.first(start)?;
        let mut last = match expansion.rule().until {
            Some(Until(until)) => until,
            None => Local::MAX,
        };
        if let Some(count) = expansion.rule().count {
            last = expansion.last_of(count, counts)?;
        }
        (first <= last).then_some(Self { expansion, first, last })
    }

    fn first_at_or_after(&self, at: Local) -> Option<Local> {
        if at > self.last {
            return None;
        }
        self.expansion.first(at.max(self.first)).filter(|next| *next <= self.last)
    }

    fn last_at_or_before(&self, at: Local) -> Option<Local> {
        if at < self.first {
            return None;
        }
        self.expansion.last(at.min(self.last))
    }
}
