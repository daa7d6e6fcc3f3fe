//! The occurrences of a rule next to any local time, without walking there from its beginning.
//!
//! A rule has periods: every `INTERVAL`-th year, month, week, day, hour, minute or second, counted from `DTSTART`. The
//! number of the period that a time lies in follows from arithmetic, so that only the periods around it are looked at;
//! and the days of a month that fit are bits, so that no day is looked at that does not.

mod days;
mod periods;

use super::clock::Clock;
use super::rule::{Day, Freq, Rule};
use crate::calendar::civil::{DAY, Date, Local, month_length, weekday};

/// How many days are looked at before a rule counts as one that never happens: 400 years, after which dates repeat.
const MOST_DAYS: i64 = 146_097;

/// A rule with what `DTSTART` says where the rule is silent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expansion {
    rule: Rule,
    start: Local,
    /// What the rule is gone through by. A rule of days, weeks or years that leaves none out goes by months: what a day
    /// must be to fit is the same in each.
    walk: Freq,
    /// Bits of months; none for any.
    months: u64,
    month_days: MonthDays,
    weekdays: Weekdays,
    hours: u64,
    minutes: u64,
    seconds: u64,
}

/// Days of the month; nothing at all for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct MonthDays {
    /// Bits; the first is 1.
    forward: u64,
    /// Bits, counted back: the last is 1.
    back: u64,
}

/// Days of the week; nothing at all for any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Weekdays {
    /// Bits of those that count every week; Monday is 0.
    every: u64,
    /// Those that count once in a month or year.
    numbered: Vec<Day>,
}

impl Expansion {
    pub(super) fn new(rule: Rule, start: Local) -> Self {
        let (date, second) = (start.date(), start.second_of_day());
        let silent = rule.week_numbers.is_empty()
            && rule.year_days.is_empty()
            && rule.month_days.is_empty()
            && rule.days.is_empty();
        let implied = |bits: u64, finer_than: Freq, value: i64| {
            if bits == 0 && rule.freq > finer_than { 1 << value } else { bits }
        };
        let months =
            if silent && rule.freq == Freq::Yearly && rule.months == 0 { 1 << date.month } else { rule.months };
        let mut month_days = MonthDays::default();
        for day in &rule.month_days {
            let bits = if *day > 0 { &mut month_days.forward } else { &mut month_days.back };
            *bits |= 1 << day.unsigned_abs();
        }
        let mut weekdays = Weekdays::default();
        for day in &rule.days {
            match day.nth {
                None => weekdays.every |= 1 << day.weekday,
                Some(_) => weekdays.numbered.push(*day),
            }
        }
        match rule.freq {
            Freq::Yearly | Freq::Monthly if silent => month_days.forward = 1 << date.day,
            Freq::Weekly if silent => weekdays.every = 1 << weekday(start.day()),
            _ => {}
        }
        let by_months = rule.freq >= Freq::Daily && rule.interval == 1 && rule.positions.is_empty();
        Self {
            start,
            walk: if by_months { Freq::Monthly } else { rule.freq },
            months,
            month_days,
            weekdays,
            hours: implied(rule.hours, Freq::Hourly, second / 3600),
            minutes: implied(rule.minutes, Freq::Minutely, second / 60 % 60),
            seconds: implied(rule.seconds, Freq::Secondly, second % 60),
            rule,
        }
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The first occurrence from `DTSTART` on that is not before `at`.
    pub(super) fn first(&self, at: Local) -> Option<Local> {
        let at = at.max(self.start);
        let mut looked = 0;
        let mut period = self.period_of(at);
        while looked < MOST_DAYS {
            let begin = self.begin_of(period)?;
            if let Some(later) = self.dull_until(begin, 1) {
                // No occurrence before `later`: on to the first period that does not begin before it.
                period = self.period_of(later).max(period.saturating_add(1));
                looked += 1;
                continue;
            }
            if let Some(found) = self.first_in(begin, at) {
                return Some(found);
            }
            looked += self.days(begin);
            period = period.saturating_add(1);
        }
        None
    }

    /// The last occurrence from `DTSTART` on that is not after `at`.
    pub(super) fn last(&self, at: Local) -> Option<Local> {
        let mut looked = 0;
        let mut period = self.period_of(at);
        while looked < MOST_DAYS && period >= 0 {
            let begin = self.begin_of(period)?;
            if let Some(earlier) = self.dull_until(begin, -1) {
                period = self.period_of(earlier).min(period.saturating_sub(1));
                looked += 1;
                continue;
            }
            if let Some(found) = self.last_in(begin, at) {
                return Some(found).filter(|found| *found >= self.start);
            }
            looked += self.days(begin);
            period = period.saturating_sub(1);
        }
        None
    }

    /// The last occurrence of a rule that ends after so many, of which only those that `counts` accepts are counted.
    pub(super) fn last_of(&self, count: u32, counts: impl Fn(Local) -> bool) -> Option<Local> {
        let (mut left, mut last) = (count, None);
        let mut looked = 0;
        let mut period = 0;
        while looked < MOST_DAYS && left > 0 {
            let Some(begin) = self.begin_of(period) else { break };
            if let Some(later) = self.dull_until(begin, 1) {
                period = self.period_of(later).max(period.saturating_add(1));
                looked += 1;
                continue;
            }
            looked += self.days(begin);
            for occurrence in self.occurrences(begin).into_iter().filter(|occurrence| *occurrence >= self.start) {
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

    /// The first occurrence in the period that begins here that is not before `at`.
    fn first_in(&self, begin: Local, at: Local) -> Option<Local> {
        if !self.rule.positions.is_empty() {
            return self.occurrences(begin).into_iter().find(|occurrence| *occurrence >= at);
        }
        let clock = self.clock(begin);
        let end = begin.day() + self.days(begin);
        let mut day = begin.day().max(at.day());
        while day < end {
            let (before, mut fitting, length) = self.month(day);
            // From this day on, and within the period.
            fitting &= below(end - before) & !below(day - before);
            while fitting != 0 {
                let number = before + i64::from(fitting.trailing_zeros());
                let earliest = if number == at.day() { at.second_of_day() } else { 0 };
                if let Some(second) = clock.first_from(earliest) {
                    return Some(Local::from_seconds(number * DAY + second));
                }
                fitting &= fitting - 1;
            }
            day = before + length + 1;
        }
        None
    }

    /// The last occurrence in the period that begins here that is not after `at`.
    fn last_in(&self, begin: Local, at: Local) -> Option<Local> {
        if !self.rule.positions.is_empty() {
            return self.occurrences(begin).into_iter().rev().find(|occurrence| *occurrence <= at);
        }
        let clock = self.clock(begin);
        let first = begin.day();
        let mut day = (first + self.days(begin) - 1).min(at.day());
        while day >= first {
            let (before, mut fitting, _) = self.month(day);
            fitting &= below(day - before + 1) & !below(first - before);
            while fitting != 0 {
                let place = 63 - fitting.leading_zeros();
                let number = before + i64::from(place);
                let latest = if number == at.day() { at.second_of_day() } else { DAY - 1 };
                if let Some(second) = clock.last_until(latest) {
                    return Some(Local::from_seconds(number * DAY + second));
                }
                fitting &= !(1 << place);
            }
            day = before;
        }
        None
    }

    /// Every occurrence in the period that begins here, in order.
    fn occurrences(&self, begin: Local) -> Vec<Local> {
        let clock = self.clock(begin);
        let end = begin.day() + self.days(begin);
        let mut found = Vec::new();
        let mut day = begin.day();
        while day < end {
            let (before, mut fitting, length) = self.month(day);
            fitting &= below(end - before) & !below(day - before);
            while fitting != 0 {
                let number = before + i64::from(fitting.trailing_zeros());
                found.extend(clock.all().map(|second| Local::from_seconds(number * DAY + second)));
                fitting &= fitting - 1;
            }
            day = before + length + 1;
        }
        if !self.rule.positions.is_empty() {
            found = self.rule.positions.iter().filter_map(|position| nth(&found, *position)).collect();
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Of the month that a day lies in: the number of the day before its first, the days that fit, and its length.
    fn month(&self, day: i64) -> (i64, u64, i64) {
        let date = Date::from_number(day);
        let length = month_length(date.year, date.month).into();
        (day - i64::from(date.day), self.days_of(date.year, date.month), length)
    }

    /// The times of day of a period.
    fn clock(&self, begin: Local) -> Clock {
        let second = begin.second_of_day();
        let own = |freq: Freq, bits: u64, value: i64, most: i64| -> u64 {
            let own = if self.walk <= freq { 1 << value } else { (1 << most) - 1 };
            if bits == 0 { own } else { bits & own }
        };
        Clock {
            hours: own(Freq::Hourly, self.hours, second / 3600, 24),
            minutes: own(Freq::Minutely, self.minutes, second / 60 % 60, 60),
            seconds: own(Freq::Secondly, self.seconds, second % 60, 60),
        }
    }
}

/// The bits of all days that are earlier.
const fn below(day: i64) -> u64 {
    if day >= 64 {
        u64::MAX
    } else if day > 0 {
        (1 << day) - 1
    } else {
        0
    }
}

fn nth(found: &[Local], position: i32) -> Option<Local> {
    let index = usize::try_from(position.unsigned_abs()).ok()?;
    if position > 0 {
        found.get(index.checked_sub(1)?).copied()
    } else {
        found.get(found.len().checked_sub(index)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::days::new_year;
    use super::*;
    use crate::calendar::civil::year_length;

    /// Whether a day fits, part by part as RFC 5545 lists them: nothing here is computed for a month at once.
    fn fits(expansion: &Expansion, date: Date) -> bool {
        let rule = &expansion.rule;
        let (number, length) = (date.number(), i64::from(month_length(date.year, date.month)));
        let of_year = number - new_year(date.year) + 1;
        let either_end = |numbers: &[i32], index: i64, length: i64| {
            numbers.is_empty() || numbers.iter().any(|n| i64::from(*n) == index || i64::from(*n) == index - length - 1)
        };
        let silent = [&rule.week_numbers, &rule.year_days, &rule.month_days].iter().all(|list| list.is_empty())
            && rule.days.is_empty();
        let start = expansion.start.date();
        let implied = match rule.freq {
            Freq::Yearly if silent && rule.months == 0 => date.month == start.month && date.day == start.day,
            Freq::Yearly | Freq::Monthly if silent => date.day == start.day,
            Freq::Weekly if silent => weekday(number) == weekday(start.number()),
            _ => true,
        };
        let in_month = rule.freq == Freq::Monthly || rule.months != 0;
        let is_day = |day: &Day| {
            let (index, length) =
                if in_month { (i64::from(date.day), length) } else { (of_year, year_length(date.year)) };
            let from_front = (index - 1) / 7 + 1;
            let from_back = -((length - index) / 7 + 1);
            day.weekday == weekday(number) && day.nth.is_none_or(|nth| [from_front, from_back].contains(&nth.into()))
        };
        let (week, weeks) = expansion.week_of(date);
        (rule.months == 0 || rule.months & (1 << date.month) != 0)
            && implied
            && either_end(&rule.month_days, date.day.into(), length)
            && (rule.days.is_empty() || rule.days.iter().any(is_day))
            && either_end(&rule.year_days, of_year, year_length(date.year))
            && either_end(&rule.week_numbers, week, weeks)
    }

    const RULES: [&str; 24] = [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3;BYMONTH=2,11",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9,17",
        "FREQ=DAILY;BYMONTHDAY=-1,1,31",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=3;BYMONTH=1,12;BYDAY=FR",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=MONTHLY;BYDAY=1MO,-2TU,5WE,SA",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=-31,15,30",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,2",
        "FREQ=YEARLY",
        "FREQ=YEARLY;INTERVAL=4",
        "FREQ=YEARLY;BYDAY=20MO,-1SU,53TH",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
        "FREQ=YEARLY;BYYEARDAY=1,60,366,-1,-366",
        "FREQ=YEARLY;BYWEEKNO=1,20,-1;BYDAY=MO,SU",
        "FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2",
        "FREQ=HOURLY;INTERVAL=5;BYDAY=SA;BYMONTH=6",
        "FREQ=MINUTELY;INTERVAL=977;BYDAY=MO,FR",
        "FREQ=SECONDLY;INTERVAL=86399;BYMONTHDAY=7,29;BYMONTH=2,11",
    ];

    fn expansion(rule: &str, start: &str) -> Expansion {
        Expansion::new(rule.parse().unwrap(), start.parse().unwrap())
    }

    #[test]
    fn the_days_of_a_month_at_once_are_those_that_fit_one_by_one() {
        for rule in RULES {
            for start in ["2015-11-26T09:00", "2016-02-29T00:00", "2014-12-31T23:59:59"] {
                let expansion = expansion(rule, start);
                for month in 0..12 * 33_i64 {
                    let (year, month) = (2011 + month / 12, (month % 12).unsigned_abs() as u32 + 1);
                    let days = (1..=month_length(year, month)).filter(|day| {
                        let date = Date { year, month, day: *day };
                        fits(&expansion, date)
                    });
                    let expected = days.fold(0, |bits, day| bits | 1_u64 << day);
                    assert_eq!(expansion.days_of(year, month), expected, "{rule} {start} {year}-{month}");
                }
            }
        }
    }

    #[test]
    fn what_is_next_and_what_was_last_are_what_all_periods_in_turn_say() {
        for rule in RULES {
            for start in ["2015-11-26T09:00", "2016-02-29T00:00"] {
                let expansion = expansion(rule, start);
                let end: Local = "2023-01-01T00:00".parse().unwrap();
                let mut all: Vec<Local> = Vec::new();
                let mut period = 0;
                while let Some(begin) = expansion.begin_of(period).filter(|begin| *begin < end) {
                    all.extend(expansion.occurrences(begin).into_iter().filter(|at| *at >= expansion.start));
                    period += 1;
                }
                assert!(!all.is_empty() && all.is_sorted_by(|a, b| a < b), "{rule} {start}");
                let last = *all.last().unwrap();
                let mut at = expansion.start.plus(-90_000);
                while at < last {
                    let passed = all.partition_point(|occurrence| *occurrence < at);
                    assert_eq!(expansion.first(at), all.get(passed).copied(), "{rule} {start} {at}");
                    let passed = all.partition_point(|occurrence| *occurrence <= at);
                    assert_eq!(expansion.last(at), all.get(passed.wrapping_sub(1)).copied(), "{rule} {start} {at}");
                    // Wanders through the hours, and hits midnights and the rule's own times.
                    at = at.plus(if at.seconds() % 7 == 0 { 3600 * 25 } else { 3600 * 11 });
                }
                for pair in all.windows(2) {
                    assert_eq!(expansion.first(pair[0].plus(1)), Some(pair[1]), "{rule} {start}");
                    assert_eq!(expansion.last(pair[1].plus(-1)), Some(pair[0]), "{rule} {start}");
                }
            }
        }
    }
}
