//! The periods of a rule: every `INTERVAL`-th year, month, week, day, hour, minute or second, counted from `DTSTART`.

use super::Expansion;
use crate::calendar::civil::{DAY, Date, Local, month_length, weekday, year_length};
use crate::calendar::recurrence::rule::Freq;

impl Expansion {
    /// The number of the last period that begins at or before this time; the one of `DTSTART` is 0.
    pub(super) fn period_of(&self, at: Local) -> i64 {
        let steps = match self.walk {
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
    pub(super) fn begin_of(&self, period: i64) -> Option<Local> {
        let steps = period.checked_mul(self.rule.interval.into())?;
        let month = |months: i64| {
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12).unsigned_abs() as u32 + 1);
            Date::new(year, month, 1).map(|date| Local::of(date, 0))
        };
        let seconds = |unit: i64| {
            let number = self.start.seconds().div_euclid(unit).checked_add(steps)?;
            number.checked_mul(unit).filter(|seconds| *seconds < Local::MAX.seconds()).map(Local::from_seconds)
        };
        match self.walk {
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

    /// How many days the period that begins here reaches into.
    pub(super) fn days(&self, begin: Local) -> i64 {
        match self.walk {
            Freq::Yearly => year_length(begin.date().year),
            Freq::Monthly => {
                let date = begin.date();
                month_length(date.year, date.month).into()
            }
            Freq::Weekly => 7,
            Freq::Daily | Freq::Hourly | Freq::Minutely | Freq::Secondly => 1,
        }
    }

    /// The day on which the week of a time begins.
    fn week(&self, at: Local) -> i64 {
        let into = (weekday(at.day()) + 7 - self.rule.week_start) % 7;
        at.day() - i64::from(into)
    }

    /// For periods of a day or less that cannot hold an occurrence: the nearest time, forward or back, that might.
    pub(super) fn dull_until(&self, begin: Local, direction: i64) -> Option<Local> {
        if self.walk > Freq::Daily {
            return None;
        }
        let date = begin.date();
        if self.months != 0 && self.months & (1 << date.month) == 0 {
            let first = Local::of(Date { day: 1, ..date }, 0);
            let length = i64::from(month_length(date.year, date.month)) * DAY;
            return Some(if direction > 0 { first.plus(length) } else { first.plus(-1) });
        }
        if self.walk == Freq::Daily {
            return None;
        }
        let fitting = self.days_of(date.year, date.month);
        if fitting & (1 << date.day) == 0 {
            let (before, after) = (fitting & ((1 << date.day) - 1), fitting >> date.day);
            let day = begin.day();
            return Some(Local::from_seconds(match (direction > 0, before, after) {
                (true, _, 0) => (day - i64::from(date.day) + i64::from(month_length(date.year, date.month)) + 1) * DAY,
                (true, _, after) => (day + i64::from(after.trailing_zeros())) * DAY,
                (false, 0, _) => (day - i64::from(date.day) + 1) * DAY - 1,
                (false, before, _) => (day - i64::from(date.day) + i64::from(before.ilog2()) + 1) * DAY - 1,
            }));
        }
        let hour = begin.seconds().div_euclid(3600);
        let misses = |bits: u64, value: i64| bits != 0 && bits & (1 << value) == 0;
        if self.walk < Freq::Hourly && misses(self.hours, hour.rem_euclid(24)) {
            let hour = Local::from_seconds(hour * 3600);
            return Some(if direction > 0 { hour.plus(3600) } else { hour.plus(-1) });
        }
        let minute = begin.seconds().div_euclid(60);
        if self.walk < Freq::Minutely && misses(self.minutes, minute.rem_euclid(60)) {
            let minute = Local::from_seconds(minute * 60);
            return Some(if direction > 0 { minute.plus(60) } else { minute.plus(-1) });
        }
        None
    }
}

fn month_number(date: Date) -> i64 {
    date.year * 12 + i64::from(date.month) - 1
}
