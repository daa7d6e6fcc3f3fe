//! Local civil time: what a clock on the wall shows, without a zone. Proleptic Gregorian.

use std::fmt;
use std::str::FromStr;

use super::CalendarError;
use crate::Duration;

pub(super) const DAY: i64 = 86_400;

/// A date and a time of day as a clock on the wall shows them, in whole seconds, from 1970 to 9999.
///
/// Written `2026-12-24T18:00`, with seconds where they are not zero. A date alone is its midnight.
///
/// ```
/// use davy::calendar::Local;
/// let eve: Local = "2026-12-24T18:00".parse()?;
/// assert_eq!(eve.to_string(), "2026-12-24T18:00");
/// assert!("2026-02-29".parse::<Local>().is_err());
/// # Ok::<(), davy::calendar::CalendarError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Local(i64);

/// A day in the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u32,
    /// From 1.
    pub(super) day: u32,
}

impl Local {
    /// 1970-01-01T00:00.
    pub const EPOCH: Self = Self(0);
    /// The last second of 9999.
    pub(super) const MAX: Self = Self(253_402_300_799);
    /// A little before 1970, for zones west of Greenwich.
    pub(super) const MIN: Self = Self(-2 * DAY);

    /// From seconds since 1970-01-01T00:00:00 of the same clock, held within the range.
    pub(super) const fn from_seconds(seconds: i64) -> Self {
        if seconds < Self::MIN.0 {
            Self::MIN
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    pub(super) const fn seconds(self) -> i64 {
        self.0
    }

    pub(super) const fn plus(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// What the clock runs through up to a later time; nothing for one that is not later.
    #[must_use]
    pub fn until(self, later: Local) -> Option<Duration> {
        let seconds = u64::try_from(later.0.saturating_sub(self.0)).ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    pub(super) fn of(date: Date, second_of_day: i64) -> Self {
        Self::from_seconds(date.number().saturating_mul(DAY).saturating_add(second_of_day))
    }

    /// Days since 1970-01-01.
    pub(super) const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    pub(super) const fn second_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    pub(super) fn date(self) -> Date {
        Date::from_number(self.day())
    }
}

impl Date {
    /// Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
    pub(super) const fn number(self) -> i64 {
        let shifted = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month = (self.month as i64 + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + self.day as i64 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The inverse of [`Date::number`] (`civil_from_days`).
    pub(super) const fn from_number(number: i64) -> Self {
        let shifted = number + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + (month <= 2) as i64;
        Self { year, month: month.unsigned_abs() as u32, day: day.unsigned_abs() as u32 }
    }

    /// A date that exists, from 1970 to 9999.
    pub(super) fn new(year: i64, month: u32, day: u32) -> Option<Self> {
        let exists = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_length(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }
}

/// Monday is 0, of days since 1970-01-01, a Thursday.
pub(super) const fn weekday(number: i64) -> u32 {
    (number + 3).rem_euclid(7).unsigned_abs() as u32
}

pub(super) const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) const fn year_length(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

pub(super) const fn month_length(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Local {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        parse(text).ok_or_else(|| CalendarError::local(text))
    }
}

/// `YYYY-MM-DD`, then perhaps `THH:MM` or `THH:MM:SS`.
fn parse(text: &str) -> Option<Local> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let date = Date::new(number(year, 4)?, number(month, 2)?, number(day, 2)?).filter(|_| parts.next().is_none())?;
    let Some(time) = time else { return Some(Local::of(date, 0)) };
    let mut parts = time.split(':');
    let (hour, minute): (i64, i64) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second: i64 = parts.next().map_or(Some(0), |text| number(text, 2))?;
    let exists = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    exists.then(|| Local::of(date, hour * 3600 + minute * 60 + second))
}

/// Exactly so many decimal digits.
pub(super) fn number<T: FromStr>(text: &str, digits: usize) -> Option<T> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Date { year, month, day }, second) = (self.date(), self.second_of_day());
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}", second / 3600, second / 60 % 60)?;
        if second % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", second % 60) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse_over_the_whole_range() {
        let mut date = Date { year: 1970, month: 1, day: 1 };
        for number in 0..2_932_897 {
            assert_eq!((date.number(), Date::from_number(number)), (number, date));
            date.day += 1;
            if date.day > month_length(date.year, date.month) {
                (date.day, date.month) = (1, date.month + 1);
            }
            if date.month > 12 {
                (date.month, date.year) = (1, date.year + 1);
            }
        }
        assert_eq!(date.year, 10_000);
    }

    #[test]
    fn the_first_day_was_a_thursday() {
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(Date { year: 2026, month: 11, day: 26 }.number()), 3);
        assert_eq!(weekday(-1), 2);
    }

    #[test]
    fn local_times_read_and_write_the_same_text() {
        for text in ["2026-12-24T18:00", "1970-01-01T00:00", "9999-12-31T23:59:59", "2024-02-29T00:00"] {
            assert_eq!(text.parse::<Local>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-12-24T24:00",
            "2026-12-24T18",
            "2026-12-24 18:00",
            "26-12-24",
            "1969-12-31",
        ] {
            assert!(text.parse::<Local>().is_err(), "{text}");
        }
    }
}
