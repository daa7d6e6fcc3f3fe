//! The days of a month that fit every part of a rule that speaks of days, as bits.

use super::{Expansion, MonthDays, below};
use crate::calendar::civil::{Date, month_length, weekday, year_length};
use crate::calendar::recurrence::rule::{Day, Freq};

impl Expansion {
    /// The days of a month that fit every part of the rule that speaks of days, as bits; the first is 1.
    pub(super) fn days_of(&self, year: i64, month: u32) -> u64 {
        if self.months != 0 && self.months & (1 << month) == 0 {
            return 0;
        }
        let length = month_length(year, month);
        let first = Date { year, month, day: 1 }.number();
        let mut days = below(i64::from(length) + 1) & !1;
        if self.month_days != MonthDays::default() {
            days &= self.month_days.of(length);
        }
        if self.weekdays.every != 0 || !self.weekdays.numbered.is_empty() {
            days &= self.weekdays_of(year, first, length);
        }
        if !self.rule.year_days.is_empty() {
            let passed = first - new_year(year);
            let last = year_length(year);
            let of_year = |day: &i32| if *day > 0 { i64::from(*day) } else { last + 1 + i64::from(*day) };
            days &= self.rule.year_days.iter().fold(0, |bits, day| bits | bit(of_year(day) - passed));
        }
        if !self.rule.week_numbers.is_empty() {
            let candidates = days;
            for day in (1..=length).filter(|day| candidates & bit(i64::from(*day)) != 0) {
                let (week, weeks) = self.week_of(Date { year, month, day });
                let named = |number: &i32| i64::from(*number) == week || i64::from(*number) == week - weeks - 1;
                if !self.rule.week_numbers.iter().any(named) {
                    days &= !(1 << day);
                }
            }
        }
        days
    }

    /// The days of a month that are one of the days of the week, as bits; numbers count in the month or in the year.
    fn weekdays_of(&self, year: i64, first: i64, length: u32) -> u64 {
        let begins = weekday(first);
        // Bit 0 is now the weekday of the first of the month.
        let week = (self.weekdays.every >> begins | self.weekdays.every << (7 - begins)) & 0x7f;
        let mut days = (week | week << 7 | week << 14 | week << 21 | week << 28) << 1;
        let in_month = self.rule.freq == Freq::Monthly || self.rule.months != 0;
        let (begin, length) = if in_month { (first, i64::from(length)) } else { (new_year(year), year_length(year)) };
        for Day { nth, weekday: wanted } in &self.weekdays.numbered {
            let nth = i64::from(nth.unwrap_or(1));
            let earliest = i64::from((wanted + 7 - weekday(begin)) % 7) + 1;
            let latest = earliest + (length - earliest) / 7 * 7;
            let day = if nth > 0 { earliest + 7 * (nth - 1) } else { latest + 7 * (nth + 1) };
            if (1..=length).contains(&day) {
                days |= bit(day + begin - first);
            }
        }
        days
    }

    /// The number of the week that a day lies in, and how many its year has (RFC 5545: a week belongs to the year that
    /// holds at least four of its days).
    pub(super) fn week_of(&self, date: Date) -> (i64, i64) {
        let first_week = |year: i64| {
            let first = new_year(year);
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

impl MonthDays {
    /// In a month of so many days, as bits.
    const fn of(self, length: u32) -> u64 {
        // Reversed, the day that is `n` from the end stands at 63 - n; it belongs to length + 1 - n.
        self.forward | self.back.reverse_bits() >> (62 - length)
    }
}

/// The number of the first day of a year.
pub(super) const fn new_year(year: i64) -> i64 {
    Date { year, month: 1, day: 1 }.number()
}

/// The bit of a day of a month; none for a number that is no day of any.
fn bit(day: i64) -> u64 {
    if (1..=31).contains(&day) { 1 << day } else { 0 }
}
