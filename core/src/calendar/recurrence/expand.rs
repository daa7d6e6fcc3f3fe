//! The occurrences of a rule next to any local time, without walking there from its beginning.
//!
//! A rule has periods: every `INTERVAL`-th year, month, week, day, hour, minute or second, counted from `DTSTART`. The
//! number of the period that a time lies in follows from arithmetic, so that only the periods around it are expanded.

use super::rule::{Day, Freq, Rule};
use crate::calendar::civil::{DAY, Date, Local, month_length, weekday, year_length};

/// How many days are looked at before a rule counts as one that never happens: 400 years, after which dates repeat.
const MOST_DAYS: i64 = 146_097;

/// The first occurrence of the rule from `start` on that is not before `at`.
pub(super) fn first(rule: &Rule, start: Local, at: Local) -> Option<Local> {
    let expansion = Expansion::new(rule, start);
    let at = at.max(start);
    let mut looked = 0;
    let mut period = expansion.period_of(at);
    while looked < MOST_DAYS {
        let begin = expansion.begin_of(period)?;
        if let Some(later) = expansion.dull_until(begin, 1) {
            // No occurrence before `later`: on to the first period that does not begin before it.
            period = expansion.period_of(later).max(period.saturating_add(1));
            looked += 1;
            continue;
        }
        let (occurrences, days) = expansion.occurrences(begin);
        if let Some(found) = occurrences.into_iter().find(|occurrence| *occurrence >= at) {
            return Some(found);
        }
        looked += days;
        period = period.saturating_add(1);
    }
    None
}

/// The last occurrence of the rule from `start` on that is not after `at`.
pub(super) fn last(rule: &Rule, start: Local, at: Local) -> Option<Local> {
    let expansion = Expansion::new(rule, start);
    let mut looked = 0;
    let mut period = expansion.period_of(at);
    while looked < MOST_DAYS && period >= 0 {
        let begin = expansion.begin_of(period)?;
        if let Some(earlier) = expansion.dull_until(begin, -1) {
            period = expansion.period_of(earlier).min(period.saturating_sub(1));
            looked += 1;
            continue;
        }
        let (occurrences, days) = expansion.occurrences(begin);
        let fits = |occurrence: &Local| *occurrence <= at && *occurrence >= start;
        if let Some(found) = occurrences.into_iter().rev().find(fits) {
            return Some(found);
        }
        looked += days;
        period = period.saturating_sub(1);
    }
    None
}

/// The last occurrence of a rule that ends after so many, of which only those that `counts` accepts are counted.
pub(super) fn last_of(rule: &Rule, start: Local, count: u32, counts: impl Fn(Local) -> bool) -> Option<Local> {
    let expansion = Expansion::new(rule, start);
    let (mut left, mut last) = (count, None);
    let mut looked = 0;
    let mut period = 0;
    while looked < MOST_DAYS && left > 0 {
        let Some(begin) = expansion.begin_of(period) else { break };
        if let Some(later) = expansion.dull_until(begin, 1) {
            period = expansion.period_of(later).max(period.saturating_add(1));
            looked += 1;
            continue;
        }
        let (occurrences, days) = expansion.occurrences(begin);
        looked += days;
        for occurrence in occurrences.into_iter().filter(|occurrence| *occurrence >= start) {
            if left == 0 {
                break;
            }
            looked = 0;
            last = Some(occurrence);
            left = left.saturating_sub(counts(occurrence).into());
        }
        period = period.saturating_add(1);
    }
    last
}

/// A rule with what `DTSTART` says where the rule is silent.
struct Expansion<'a> {
    rule: &'a Rule,
    start: Local,
    months: u64,
    month_days: &'a [i32],
    days: &'a [Day],
    implied_month_day: [i32; 1],
    implied_day: [Day; 1],
    uses_implied_month_day: bool,
    uses_implied_day: bool,
    hours: u64,
    minutes: u64,
    seconds: u64,
}

impl<'a> Expansion<'a> {
    fn new(rule: &'a Rule, start: Local) -> Self {
        let (date, second) = (start.date(), start.second_of_day());
        let silent = rule.week_numbers.is_empty()
            && rule.year_days.is_empty()
            && rule.month_days.is_empty()
            && rule.days.is_empty();
        let implied = |bits: u64, finer_than: Freq, value: i64| {
            if bits == 0 && rule.freq > finer_than { 1 << value } else { bits }
        };
        let month = if silent && rule.freq == Freq::Yearly && rule.months == 0 { 1 << date.month } else { rule.months };
        Self {
            rule,
            start,
            months: month,
            month_days: &rule.month_days,
            days: &rule.days,
            implied_month_day: [date.day.cast_signed()],
            implied_day: [Day { nth: None, weekday: weekday(start.day()) }],
            uses_implied_month_day: silent && matches!(rule.freq, Freq::Yearly | Freq::Monthly),
            uses_implied_day: silent && rule.freq == Freq::Weekly,
            hours: implied(rule.hours, Freq::Hourly, second / 3600),
            minutes: implied(rule.minutes, Freq::Minutely, second / 60 % 60),
            seconds: implied(rule.seconds, Freq::Secondly, second % 60),
        }
    }

    /// The number of the last period that begins at or before this time; the one of `DTSTART` is 0.
    fn period_of(&self, at: Local) -> i64 {
        let steps = match self.rule.freq {
            Freq::Yearly => at.date().year - self.start.date().year,
            Freq::Monthly => month_number(at.date()) - month_number(self.start.date()),
            Freq::Weekly => (self.week(at) - self.week(self.start)) / 7,
            Freq::Daily => at.day() - self.start.day(),
            Freq::Hourly => at.seconds().div_euclid(3600) - self.start.seconds().div_euclid(3600),
            Freq::Minutely => at.seconds().div_euclid(60) - self.start.seconds().div_euclid(60),
            Freq::Secondly => at.seconds() - self.start.seconds(),
        };
        steps.div_euclid(self.rule.interval.into())
    }

    /// When a period begins; nothing beyond the year 9999.
    fn begin_of(&self, period: i64) -> Option<Local> {
        let steps = period.checked_mul(self.rule.interval.into())?;
        let month = |months: i64| {
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12).unsigned_abs() as u32 + 1);
            Date::new(year, month, 1).map(|date| Local::of(date, 0))
        };
        let seconds = |unit: i64| {
            let number = self.start.seconds().div_euclid(unit).checked_add(steps)?;
            number.checked_mul(unit).filter(|seconds| *seconds < Local::MAX.seconds()).map(Local::from_seconds)
        };
        match self.rule.freq {
            Freq::Yearly => month(self.start.date().year.checked_add(steps)?.checked_mul(12)?),
            Freq::Monthly => month(month_number(self.start.date()).checked_add(steps)?),
            Freq::Weekly => {
                let day = self.week(self.start).checked_add(steps.checked_mul(7)?)?;
                day.checked_mul(DAY).filter(|seconds| *seconds < Local::MAX.seconds()).map(Local::from_seconds)
            }
            Freq::Daily => seconds(DAY),
            Freq::Hourly => seconds(3600),
            Freq::Minutely => seconds(60),
            Freq::Secondly => seconds(1),
        }
    }

    /// The day on which the week of a time begins.
    fn week(&self, at: Local) -> i64 {
        let into = (weekday(at.day()) + 7 - self.rule.week_start) % 7;
        at.day() - i64::from(into)
    }

    /// For periods of a day or less that cannot hold an occurrence: the nearest time, forward or back, that might.
    fn dull_until(&self, begin: Local, direction: i64) -> Option<Local> {
        if self.rule.freq > Freq::Daily {
            return None;
        }
        let date = begin.date();
        if self.months != 0 && self.months & (1 << date.month) == 0 {
            let first = Local::of(Date { day: 1, ..date }, 0);
            let length = i64::from(month_length(date.year, date.month)) * DAY;
            return Some(if direction > 0 { first.plus(length) } else { first.plus(-1) });
        }
        if self.rule.freq == Freq::Daily {
            return None;
        }
        if !self.fits(date) {
            let midnight = Local::of(date, 0);
            return Some(if direction > 0 { midnight.plus(DAY) } else { midnight.plus(-1) });
        }
        let hour = begin.seconds().div_euclid(3600);
        let misses = |bits: u64, value: i64| bits != 0 && bits & (1 << value) == 0;
        if self.rule.freq < Freq::Hourly && misses(self.hours, hour.rem_euclid(24)) {
            let hour = Local::from_seconds(hour * 3600);
            return Some(if direction > 0 { hour.plus(3600) } else { hour.plus(-1) });
        }
        let minute = begin.seconds().div_euclid(60);
        if self.rule.freq < Freq::Minutely && misses(self.minutes, minute.rem_euclid(60)) {
            let minute = Local::from_seconds(minute * 60);
            return Some(if direction > 0 { minute.plus(60) } else { minute.plus(-1) });
        }
        None
    }

    /// The occurrences in the period that begins here, in order, and how many days were looked at.
    fn occurrences(&self, begin: Local) -> (Vec<Local>, i64) {
        let date = begin.date();
        let length = match self.rule.freq {
            Freq::Yearly => year_length(date.year),
            Freq::Monthly => month_length(date.year, date.month).into(),
            Freq::Weekly => 7,
            Freq::Daily | Freq::Hourly | Freq::Minutely | Freq::Secondly => 1,
        };
        let mut found = Vec::new();
        let mut day = begin.day();
        let end = day + length;
        while day < end {
            let date = Date::from_number(day);
            if self.months != 0 && self.months & (1 << date.month) == 0 {
                // Weeks reach into the next month, so only whole months are skipped.
                day += i64::from(month_length(date.year, date.month) + 1 - date.day);
                continue;
            }
            if self.fits(date) {
                self.times(begin, |second| found.push(Local::of(date, second)));
            }
            day += 1;
        }
        if !self.rule.positions.is_empty() {
            found = self.rule.positions.iter().filter_map(|position| nth(&found, *position)).collect();
            found.sort_unstable();
            found.dedup();
        }
        (found, length)
    }

    /// The times of day of a period, in order.
    fn times(&self, begin: Local, mut push: impl FnMut(i64)) {
        let second = begin.second_of_day();
        let own = |freq: Freq, bits: u64, value: i64, most: i64| -> u64 {
            let own = if self.rule.freq <= freq { 1 << value } else { (1 << most) - 1 };
            if bits == 0 { own } else { bits & own }
        };
        let hours = own(Freq::Hourly, self.hours, second / 3600, 24);
        let minutes = own(Freq::Minutely, self.minutes, second / 60 % 60, 60);
        let seconds = own(Freq::Secondly, self.seconds, second % 60, 60);
        for hour in ones(hours) {
            for minute in ones(minutes) {
                for second in ones(seconds) {
                    push(hour * 3600 + minute * 60 + second);
                }
            }
        }
    }

    /// Whether a day fits every part of the rule that speaks of days.
    fn fits(&self, date: Date) -> bool {
        let month_days = if self.uses_implied_month_day { &self.implied_month_day } else { self.month_days };
        let days = if self.uses_implied_day { &self.implied_day } else { self.days };
        let length = month_length(date.year, date.month).cast_signed();
        let month_day = date.day.cast_signed();
        (self.months == 0 || self.months & (1 << date.month) != 0)
            && fits_either_end(month_days, month_day, length)
            && (days.is_empty() || days.iter().any(|day| self.is_day(*day, date)))
            && (self.rule.year_days.is_empty() || {
                let (day, length) = (date.day_of_year(), year_length(date.year));
                fits_either_end(&self.rule.year_days, small(day), small(length))
            })
            && (self.rule.week_numbers.is_empty() || {
                let (week, weeks) = self.week_of(date);
                fits_either_end(&self.rule.week_numbers, small(week), small(weeks))
            })
    }

    fn is_day(&self, day: Day, date: Date) -> bool {
        if day.weekday != weekday(date.number()) {
            return false;
        }
        let Some(nth) = day.nth else { return true };
        let in_month = self.rule.freq == Freq::Monthly || self.rule.months != 0;
        let (index, length) = if in_month {
            (i64::from(date.day), i64::from(month_length(date.year, date.month)))
        } else {
            (date.day_of_year(), year_length(date.year))
        };
        let nth = i64::from(nth);
        if nth > 0 { (index - 1) / 7 + 1 == nth } else { (length - index) / 7 + 1 == -nth }
    }

    /// The number of the week that a day lies in, and how many its year has (RFC 5545: a week belongs to the year that
    /// holds at least four of its days).
    fn week_of(&self, date: Date) -> (i64, i64) {
        let first_week = |year: i64| {
            let first = Date { year, month: 1, day: 1 }.number();
            let into = i64::from((weekday(first) + 7 - self.rule.week_start) % 7);
            if into <= 3 { first - into } else { first + 7 - into }
        };
        let day = date.number();
        let year = if day < first_week(date.year) {
            date.year - 1
        } else if day >= first_week(date.year + 1) {
            date.year + 1
        } else {
            date.year
        };
        let (first, next) = (first_week(year), first_week(year + 1));
        ((day - first) / 7 + 1, (next - first) / 7)
    }
}

fn month_number(date: Date) -> i64 {
    date.year * 12 + i64::from(date.month) - 1
}

fn ones(bits: u64) -> impl Iterator<Item = i64> {
    (0..64).filter(move |bit| bits & (1 << bit) != 0)
}

/// Whether numbers that count from 1, or back from -1, name this index of so many.
fn fits_either_end(numbers: &[i32], index: i32, length: i32) -> bool {
    numbers.is_empty() || numbers.iter().any(|number| *number == index || *number == index - length - 1)
}

/// A number of days or weeks of a year.
fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn nth(found: &[Local], position: i32) -> Option<Local> {
    let index = usize::try_from(position.unsigned_abs()).ok()?;
    if position > 0 {
        found.get(index.checked_sub(1)?).copied()
    } else {
        found.get(found.len().checked_sub(index)?).copied()
    }
}
