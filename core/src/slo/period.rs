//! Periods of error budgets: spans that end now, or that begin where a calendar says.

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use thiserror::Error;

use crate::{Duration, Instant};

/// The period of an error budget.
///
/// ```
/// use davy::Duration;
/// use davy::slo::{CalendarLength, Period};
///
/// let quarter = Period::calendar("2026-01-01 00:00:00", "Europe/Berlin", CalendarLength::Months(3))?;
/// let span = quarter.at("2026-11-23T12:00:00Z".parse()?);
/// assert_eq!(span.from.to_string(), "2026-09-30T22:00:00Z");     // 1 October, 00:00, in summer time
/// assert_eq!(span.end.to_string(), "2026-12-31T23:00:00Z");      // 1 January, 00:00, in winter time
///
/// let month = Period::Rolling("30d".parse::<Duration>()?);
/// assert_eq!(month.at("2026-11-23T12:00:00Z".parse()?).from.to_string(), "2026-10-24T12:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Period {
    /// So long, up to now.
    Rolling(Duration),
    /// From one turn of a calendar to the next.
    Calendar(Calendar),
}

/// Periods that follow each other without gaps, in the local time of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    start: DateTime,
    zone: TimeZone,
    length: CalendarLength,
}

/// How long a calendar period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarLength {
    /// Days, at least one; a week is seven.
    Days(u32),
    /// Months, at least one; a quarter is three.
    Months(u32),
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodSpan {
    /// Its first instant.
    pub from: Instant,
    /// Its end: now for a rolling one, the next turn for a calendar.
    pub end: Instant,
}

/// A calendar that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeriodError {
    /// Not a civil date and time.
    #[error("B016: `{text}` is not a start such as `2026-01-01 00:00:00`, from 1970 to 9998")]
    Start {
        /// What was given.
        text: String,
    },
    /// Not in the zone database.
    #[error("B017: `{name}` is not an IANA time zone such as `Europe/Berlin`")]
    Zone {
        /// What was given.
        name: String,
    },
    /// No time at all, or more than a century.
    #[error("B018: a calendar period lasts from a day to a century")]
    Length,
}

impl Period {
    /// Periods of this length in this zone, one of which begins at `start`, written as OpenSLO does:
    /// `YYYY-MM-DD HH:MM:SS`.
    ///
    /// A start on a day that a month does not have is the month's last day. A local time that a change of
    /// the clock skips is moved on by as much, and one that it repeats is the first (RFC 5545, 3.3.5).
    ///
    /// # Errors
    /// [`PeriodError`].
    pub fn calendar(start: &str, zone: &str, length: CalendarLength) -> Result<Self, PeriodError> {
        let shaped = start.len() == 19 && start.as_bytes().get(10).is_some_and(|byte| *byte == b' ');
        let parsed = start.parse::<DateTime>().ok().filter(|at| shaped && (1970..=9998).contains(&at.year()));
        let start = parsed.ok_or_else(|| PeriodError::Start { text: start.chars().take(64).collect() })?;
        let known = TimeZoneDatabase::bundled().get(zone);
        let zone = known.map_err(|_| PeriodError::Zone { name: zone.chars().take(64).collect() })?;
        match length {
            CalendarLength::Days(1..=36_525) | CalendarLength::Months(1..=1200) => {
                Ok(Self::Calendar(Calendar { start, zone, length }))
            }
            CalendarLength::Days(_) | CalendarLength::Months(_) => Err(PeriodError::Length),
        }
    }

    /// The period that `now` is in. At the edges of time a calendar period is cut off.
    #[must_use]
    pub fn at(&self, now: Instant) -> PeriodSpan {
        match self {
            Self::Rolling(length) => PeriodSpan { from: now.minus(*length), end: now },
            Self::Calendar(calendar) => calendar.at(now),
        }
    }

    /// Its length if every one has the same, for the thresholds of alerts; for a calendar, the length of
    /// its period in days of 24 hours and months of 30 days.
    #[must_use]
    pub fn nominal(&self) -> Duration {
        const DAY: Duration = Duration::from_minutes(24 * 60);
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(Calendar { length: CalendarLength::Days(days), .. }) => DAY.times((*days).into()),
            Self::Calendar(Calendar { length: CalendarLength::Months(months), .. }) => {
                DAY.times(u64::from(*months).saturating_mul(30))
            }
        }
    }
}

impl Calendar {
    fn at(&self, now: Instant) -> PeriodSpan {
        let mut number = self.near(now);
        // The estimate is off by one at most: months differ in length, and clocks change.
        while self.turn(number) > now && number > i64::MIN {
            number = number.saturating_sub(1);
        }
        while self.turn(number.saturating_add(1)) <= now && self.turn(number.saturating_add(1)) < Instant::MAX {
            number = number.saturating_add(1);
        }
        let end = self.turn(number.saturating_add(1));
        PeriodSpan { from: self.turn(number).min(now), end: end.max(now) }
    }

    /// The number of a period close to the one that `now` is in.
    fn near(&self, now: Instant) -> i64 {
        let local = self.zone.to_datetime(timestamp(now));
        match self.length {
            CalendarLength::Days(days) => {
                let passed = local.date().since(self.start.date()).map_or(0, |span| i64::from(span.get_days()));
                passed.div_euclid(i64::from(days))
            }
            CalendarLength::Months(months) => {
                let years = i64::from(local.year()) - i64::from(self.start.year());
                let passed = years * 12 + i64::from(local.month()) - i64::from(self.start.month());
                passed.div_euclid(i64::from(months))
            }
        }
    }

    /// When the period of this number begins; before 1970 and after 9998, the ends of time.
    fn turn(&self, number: i64) -> Instant {
        let edge = if number < 0 { Instant::EPOCH } else { Instant::MAX };
        let span = match self.length {
            CalendarLength::Days(days) => Span::new().try_days(number.saturating_mul(days.into())),
            CalendarLength::Months(months) => Span::new().try_months(number.saturating_mul(months.into())),
        };
        let local = span.and_then(|span| self.start.checked_add(span));
        let turn = local.and_then(|local| self.zone.to_ambiguous_timestamp(local).compatible());
        turn.map_or(edge, |turn| Instant::from_millis(turn.as_millisecond()))
    }
}

fn timestamp(now: Instant) -> Timestamp {
    let millis = i64::try_from(now.millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(period: &Period, now: &str) -> (String, String) {
        let span = period.at(now.parse().unwrap());
        (span.from.to_string(), span.end.to_string())
    }

    fn berlin(start: &str, length: CalendarLength) -> Period {
        Period::calendar(start, "Europe/Berlin", length).unwrap()
    }

    fn text(from: &str, end: &str) -> (String, String) {
        (from.to_owned(), end.to_owned())
    }

    #[test]
    fn a_month_has_its_own_length_before_and_after_its_start() {
        let month = berlin("2026-01-01 00:00:00", CalendarLength::Months(1));
        let february = text("2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z");
        assert_eq!(span(&month, "2026-02-01T00:00:00Z"), february);
        assert_eq!(span(&month, "2026-02-28T22:59:59Z"), february);
        assert_eq!(span(&month, "2024-02-15T00:00:00Z"), text("2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z"));
        // March begins in winter time and ends in summer time.
        assert_eq!(span(&month, "2026-03-31T00:00:00Z"), text("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"));
    }

    #[test]
    fn a_period_begins_exactly_at_its_turn() {
        let week = berlin("2026-11-23 00:00:00", CalendarLength::Days(7));
        let this = text("2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z");
        assert_eq!(span(&week, "2026-11-22T23:00:00Z"), this);
        assert_eq!(span(&week, "2026-11-22T22:59:59.999Z").1, this.0);
        // The week in which the clocks go back has an hour more.
        assert_eq!(span(&week, "2026-10-25T12:00:00Z"), text("2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"));
    }

    #[test]
    fn the_31st_of_a_short_month_is_its_last_day() {
        let month = berlin("2026-01-31 12:00:00", CalendarLength::Months(1));
        assert_eq!(span(&month, "2026-03-01T00:00:00Z"), text("2026-02-28T11:00:00Z", "2026-03-31T10:00:00Z"));
    }

    #[test]
    fn every_instant_lies_in_exactly_one_period() {
        for period in [
            berlin("2026-01-31 02:30:00", CalendarLength::Months(1)),
            berlin("2026-03-29 02:30:00", CalendarLength::Days(1)),
            Period::calendar("2011-12-30 00:00:00", "Pacific/Apia", CalendarLength::Days(1)).unwrap(),
        ] {
            let mut now: Instant = "2026-02-20T00:00:00Z".parse().unwrap();
            for _ in 0..400 {
                let span = period.at(now);
                assert!(span.from <= now && now < span.end);
                let next = period.at(span.end);
                assert_eq!(next.from, span.end);
                now = now.plus(Duration::from_minutes(11 * 60 + 17));
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trap() {
        for length in [CalendarLength::Days(1), CalendarLength::Days(36_525), CalendarLength::Months(1200)] {
            for start in ["1970-01-01 00:00:00", "9998-12-31 23:59:59"] {
                for now in [Instant::EPOCH, Instant::MAX] {
                    let span = berlin(start, length).at(now);
                    assert!(span.from <= now && now <= span.end, "{start} {now}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_calendar_is_refused() {
        let one = CalendarLength::Days(1);
        for start in ["", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01 00:00:00", "1969-01-01 00:00:00"] {
            assert!(matches!(Period::calendar(start, "UTC", one), Err(PeriodError::Start { .. })), "{start}");
        }
        for zone in ["", "Europe/Atlantis", "CEST"] {
            let refused = Period::calendar("2026-01-01 00:00:00", zone, one);
            assert!(matches!(refused, Err(PeriodError::Zone { .. })), "{zone}");
        }
        for length in [CalendarLength::Days(0), CalendarLength::Months(0), CalendarLength::Months(1201)] {
            assert_eq!(Period::calendar("2026-01-01 00:00:00", "UTC", length), Err(PeriodError::Length));
        }
    }
}
