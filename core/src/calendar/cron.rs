//! Cron schedules as robfig/cron's standard parser reads them, which Argo CD and most of Kubernetes use.

use std::fmt;
use std::str::FromStr;

use super::CalendarError;
use super::civil::{Date, Local, month_length, weekday};

/// A cron schedule of five fields: minute, hour, day of the month, month, day of the week.
///
/// The dialect is that of robfig/cron's `ParseStandard`: `*`, `?`, lists, ranges, steps and English names; days of the
/// week are 0 (Sunday) to 6; `a/n` goes from `a` to the end; where both days are restricted, **either** suffices, and
/// `*/2` restricts. `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` are read. Refused,
/// because they mean something else elsewhere or nothing here: six fields, 7 for Sunday, `L`, `W`, `#`, `@every`,
/// `@reboot`, a zone inside the text, and parts that robfig ignores, such as the end of `*-5`.
///
/// It is a set of local times; which instants they are, a zone and a policy for gaps and folds decide.
///
/// ```
/// use davy::calendar::Cron;
/// let mornings: Cron = "30 9 * * MON-FRI".parse()?;
/// let next = mornings.first_at_or_after("2026-11-27T12:00".parse()?);      // a Friday
/// assert_eq!(next.map(|at| at.to_string()).as_deref(), Some("2026-11-30T09:30"));
/// # Ok::<(), davy::calendar::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the days of the month and of the week must both fit; otherwise either does.
    both_days: bool,
    runs_all_day: bool,
}

/// Between two leap days lie at most eight years.
const MOST_MONTHS: u32 = 12 * 9;

/// A field of the schedule.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", min: 0, max: 59, names: &[] };
const HOUR: Field = Field { name: "hour", min: 0, max: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", min: 1, max: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field =
    Field { name: "day of the week", min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Cron {
    /// The first scheduled time that is not before `at`; nothing where there is none within nine years or before 10000.
    #[must_use]
    pub fn first_at_or_after(&self, at: Local) -> Option<Local> {
        let minute = at.plus(59).seconds().div_euclid(60);
        let (day, time) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        let mut date = Date::from_number(day);
        if self.fits(date)
            && let Some(time) = self.time_from(time)
        {
            return within(Local::of(date, time * 60));
        }
        let time = self.time_from(0)?;
        let mut from = date.day + 1;
        for _ in 0..MOST_MONTHS {
            let later = self.days_of(date.year, date.month) & !below(from);
            if later != 0 {
                let date = Date { day: later.trailing_zeros(), ..date };
                return within(Local::of(date, time * 60));
            }
            from = 1;
            (date.year, date.month) = if date.month == 12 { (date.year + 1, 1) } else { (date.year, date.month + 1) };
        }
        None
    }

    /// The last scheduled time that is not after `at`; nothing where there is none within nine years or since 1970.
    #[must_use]
    pub fn last_at_or_before(&self, at: Local) -> Option<Local> {
        let minute = at.seconds().div_euclid(60);
        let (day, time) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        let mut date = Date::from_number(day);
        if self.fits(date)
            && let Some(time) = self.time_until(time)
        {
            return within(Local::of(date, time * 60));
        }
        let time = self.time_until(1439)?;
        let mut until = date.day - 1;
        for _ in 0..MOST_MONTHS {
            let earlier = self.days_of(date.year, date.month) & below(until + 1);
            if earlier != 0 {
                let date = Date { day: 63 - earlier.leading_zeros(), ..date };
                return within(Local::of(date, time * 60));
            }
            until = 31;
            (date.year, date.month) = if date.month == 1 { (date.year - 1, 12) } else { (date.year, date.month - 1) };
        }
        None
    }

    /// Whether it names no time of day but goes on around the clock: a minute or hour of `*`, also with a step, or of all
    /// values. When the clock changes, such a schedule happens whenever the clock shows one of its times.
    #[must_use]
    pub const fn runs_all_day(&self) -> bool {
        self.runs_all_day
    }

    /// Whether it was written as a descriptor such as `@daily`, which Argo CD does not read.
    #[must_use]
    pub fn is_descriptor(&self) -> bool {
        self.text.starts_with('@')
    }

    /// Whether there is any day on which it happens.
    pub(super) fn ever(&self) -> bool {
        self.first_at_or_after(Local::EPOCH).is_some()
    }

    /// The longest time between two starts in seconds, for a schedule that is the same on every day.
    pub(super) fn widest_gap(&self) -> Option<i64> {
        let daily = self.months == every(&MONTH) && self.days == every(&DAY) && self.weekdays == every(&WEEKDAY);
        let first = self.time_from(0).filter(|_| daily)?;
        let (mut at, mut widest) = (first, 0);
        while let Some(next) = self.time_from(at + 1).filter(|next| *next < 1440 && *next > at) {
            widest = widest.max(next - at);
            at = next;
        }
        Some(widest.max(first + 1440 - at) * 60)
    }

    /// Every day at this time of day, on these days of the week, Monday being bit 0.
    pub(crate) fn weekly(days: u8, hour: u32, minute: u32) -> Self {
        let sunday_first = u64::from((days << 1 | days >> 6) & 0x7f);
        Self {
            text: format!("{minute} {hour} weekly"),
            minutes: 1 << minute.min(59),
            hours: 1 << hour.min(23),
            days: every(&DAY),
            months: every(&MONTH),
            weekdays: sunday_first,
            both_days: true,
            runs_all_day: false,
        }
    }

    fn fits(&self, date: Date) -> bool {
        self.days_of(date.year, date.month) & (1 << date.day) != 0
    }

    /// The days of a month on which it happens; bit 1 is the first.
    fn days_of(&self, year: i64, month: u32) -> u64 {
        if self.months & (1 << month) == 0 {
            return 0;
        }
        let exist = below(month_length(year, month) + 1) & !1;
        let first = weekday(Date { year, month, day: 1 }.number());
        // Bit 0 is now the weekday of the first of the month.
        let week = (self.weekdays >> ((first + 1) % 7) | self.weekdays << (7 - (first + 1) % 7)) & 0x7f;
        let weekdays = (week | week << 7 | week << 14 | week << 21 | week << 28) << 1;
        let either = if self.both_days { self.days & weekdays } else { self.days | weekdays };
        either & exist
    }

    /// The first minute of a day from this one on.
    fn time_from(&self, minute: i64) -> Option<i64> {
        let (hour, minute) = ((minute / 60).unsigned_abs() as u32, (minute % 60).unsigned_abs() as u32);
        let rest = self.minutes & !below(minute);
        if self.hours & (1 << hour) != 0 && rest != 0 {
            return Some(i64::from(hour * 60 + rest.trailing_zeros()));
        }
        let later = self.hours & !below(hour + 1);
        (later != 0).then(|| i64::from(later.trailing_zeros() * 60 + self.minutes.trailing_zeros()))
    }

    /// The last minute of a day up to this one.
    fn time_until(&self, minute: i64) -> Option<i64> {
        let (hour, minute) = ((minute / 60).unsigned_abs() as u32, (minute % 60).unsigned_abs() as u32);
        let rest = self.minutes & below(minute + 1);
        if self.hours & (1 << hour) != 0 && rest != 0 {
            return Some(i64::from(hour * 60 + 63 - rest.leading_zeros()));
        }
        let earlier = self.hours & below(hour);
        (earlier != 0).then(|| i64::from((63 - earlier.leading_zeros()) * 60 + 63 - self.minutes.leading_zeros()))
    }
}

/// The bits of all smaller numbers.
const fn below(number: u32) -> u64 {
    if number >= 64 { u64::MAX } else { (1 << number) - 1 }
}

fn within(at: Local) -> Option<Local> {
    (Local::MIN < at && at < Local::MAX).then_some(at)
}

const fn every(field: &Field) -> u64 {
    below(field.max + 1) & !below(field.min)
}

impl FromStr for Cron {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let refuse = |problem: String| CalendarError::cron(text, problem);
        if ["TZ=", "CRON_TZ="].iter().any(|prefix| text.trim_start().starts_with(prefix)) {
            return Err(refuse("the zone has a key of its own, such as `zone: Europe/Berlin`".to_owned()));
        }
        let descriptor = text.trim().starts_with('@').then_some(text.trim());
        let standard = descriptor.map_or(Ok(text), |text| expand(text).map_err(refuse))?;
        let fields: Vec<&str> = standard.split_ascii_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(refuse(format!("it has {}", fields.len())));
        };
        let [minutes, hours, days, months, weekdays] =
            [(&MINUTE, minute), (&HOUR, hour), (&DAY, day), (&MONTH, month), (&WEEKDAY, weekday)]
                .map(|(field, text)| read(field, text));
        let (minutes, minute_star) = minutes.map_err(refuse)?;
        let (hours, hour_star) = hours.map_err(refuse)?;
        let (days, day_star) = days.map_err(refuse)?;
        let (months, _) = months.map_err(refuse)?;
        let (weekdays, weekday_star) = weekdays.map_err(refuse)?;
        let around = |star: Star, bits: u64, field: &Field| star != Star::None || bits == every(field);
        Ok(Self {
            text: descriptor.map_or_else(|| fields.join(" "), str::to_owned),
            minutes,
            hours,
            days,
            months,
            weekdays,
            both_days: day_star == Star::All || weekday_star == Star::All,
            runs_all_day: around(minute_star, minutes, &MINUTE) || around(hour_star, hours, &HOUR),
        })
    }
}

/// The fields that a descriptor stands for.
fn expand(text: &str) -> Result<&'static str, String> {
    match text {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        text if text.starts_with("@every") => {
            Err("`@every` counts from when a process began; use a step such as `*/5`".to_owned())
        }
        _ => Err("known are `@yearly`, `@monthly`, `@weekly`, `@daily` and `@hourly`".to_owned()),
    }
}

/// Whether a field holds a star.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Star {
    None,
    /// With a step, which restricts.
    Stepped,
    All,
}

/// The values of a field as bits.
fn read(field: &Field, text: &str) -> Result<(u64, Star), String> {
    let mut bits = 0;
    let mut star = Star::None;
    for part in text.split(',') {
        let (more, its_star) = read_part(field, part)?;
        bits |= more;
        star = star.max(its_star);
    }
    Ok((bits, star))
}

/// `*`, `a`, `a-b`, each perhaps with `/n`.
fn read_part(field: &Field, part: &str) -> Result<(u64, Star), String> {
    let shown = super::error::shown(part);
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let step = match step {
        None => 1,
        Some(text) => whole(text)
            .filter(|step| *step > 0)
            .ok_or_else(|| format!("the step of `{shown}` is not a number from 1"))?,
    };
    let stars = range == "*" || range == "?";
    let (from, to) = if stars {
        (field.min, field.max)
    } else {
        let value = |text: &str| value(field, text);
        match range.split_once('-') {
            Some((from, to)) => (value(from)?, value(to)?),
            None if part.contains('/') => (value(range)?, field.max),
            None => (value(range)?, value(range)?),
        }
    };
    if from > to {
        return Err(format!("the {} `{shown}` ends before it begins", field.name));
    }
    let mut bits = 0;
    let mut at = from;
    while at <= to {
        bits |= 1 << at;
        at = at.saturating_add(step);
    }
    let star = match (stars, step) {
        (false, _) => Star::None,
        (true, 1) => Star::All,
        (true, _) => Star::Stepped,
    };
    Ok((bits, star))
}

fn value(field: &Field, text: &str) -> Result<u32, String> {
    let lower = text.to_ascii_lowercase();
    let named = field.names.iter().zip(field.min..).find(|(name, _)| **name == lower).map(|(_, number)| number);
    let known = named.or_else(|| whole(text));
    known.filter(|number| (field.min..=field.max).contains(number)).ok_or_else(|| {
        let (shown, Field { name, min, max, .. }) = (super::error::shown(text), field);
        let sunday = if *max == 6 && text == "7" { "; Sunday is 0" } else { "" };
        format!("`{shown}` is not a {name} from {min} to {max}{sunday}")
    })
}

fn whole(text: &str) -> Option<u32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
