//! The text of an `RRULE`.

use std::fmt;
use std::str::FromStr;

use super::MOST_COUNTED;
use crate::calendar::CalendarError;
use crate::calendar::civil::{Local, number};
use crate::calendar::zone::Zone;

/// A recurrence rule of RFC 5545, 3.3.10, such as `FREQ=WEEKLY;BYDAY=MO,FR`.
///
/// All of the RFC's parts are read. Refused are parts that RFC 5545 does not know, or not with this `FREQ`, and a
/// `COUNT` above 10 000. Where the RFC is silent it does as python-dateutil: `BYWEEKNO` alone means all seven days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    pub(super) freq: Freq,
    pub(super) interval: u32,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    /// Bits of months; none for any.
    pub(super) months: u64,
    pub(super) week_numbers: Vec<i32>,
    pub(super) year_days: Vec<i32>,
    pub(super) month_days: Vec<i32>,
    pub(super) days: Vec<Day>,
    /// Bits; none for any.
    pub(super) hours: u64,
    pub(super) minutes: u64,
    pub(super) seconds: u64,
    pub(super) positions: Vec<i32>,
    /// Monday is 0.
    pub(super) week_start: u32,
    until_utc: bool,
}

/// How often, from seconds to years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freq {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// The last possible local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Until(pub(super) Local);

/// A day of the week; the so-manieth of a month or year, or every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) nth: Option<i32>,
    /// Monday is 0.
    pub(super) weekday: u32,
}

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Rule {
    /// Whether it goes on around the clock: `FREQ` of hours or less.
    #[must_use]
    pub fn runs_all_day(&self) -> bool {
        self.freq < Freq::Daily
    }

    /// The rule with an `UNTIL` in UTC as a local time of the zone, which the others are in.
    pub(crate) fn in_zone(mut self, zone: &Zone) -> Self {
        if let Some(Until(until)) = self.until.as_mut().filter(|_| self.until_utc) {
            let millis = until.seconds().saturating_mul(1000);
            *until = zone.local(crate::Instant::from_millis(millis));
            self.until_utc = false;
        }
        self
    }
}

impl FromStr for Rule {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let body = text.strip_prefix("RRULE:").unwrap_or(text);
        let rule = read(body).and_then(|rule| rule.checked());
        rule.map_err(|problem| CalendarError::rule(text, problem))
    }
}

fn read(text: &str) -> Result<Rule, String> {
    let mut parts: Vec<(String, &str)> = Vec::new();
    if text.len() > 4096 {
        return Err("it is longer than 4096 bytes".to_owned());
    }
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("`{}` has no `=`", shown(part)))?;
        let key = key.to_ascii_uppercase();
        if parts.iter().any(|(known, _)| *known == key) {
            return Err(format!("`{}` stands twice", shown(&key)));
        }
        parts.push((key, value));
    }
    let freq = parts.iter().find(|(key, _)| key == "FREQ").ok_or("`FREQ` is missing")?;
    let mut rule = Rule {
        text: text.to_owned(),
        freq: read_freq(freq.1)?,
        interval: 1,
        count: None,
        until: None,
        months: 0,
        week_numbers: Vec::new(),
        year_days: Vec::new(),
        month_days: Vec::new(),
        days: Vec::new(),
        hours: 0,
        minutes: 0,
        seconds: 0,
        positions: Vec::new(),
        week_start: 0,
        until_utc: false,
    };
    for (key, value) in &parts {
        match key.as_str() {
            "FREQ" => {}
            "INTERVAL" => rule.interval = whole(value, 1, 1_000_000)?,
            "COUNT" => rule.count = Some(whole(value, 1, MOST_COUNTED)?),
            "UNTIL" => {
                let (until, utc) = read_time(value).ok_or_else(|| format!("`{}` is not a time", shown(value)))?;
                (rule.until, rule.until_utc) = (Some(Until(until)), utc);
            }
            "BYMONTH" => rule.months = bits(value, 1, 12)?,
            "BYWEEKNO" => rule.week_numbers = signed(value, 53)?,
            "BYYEARDAY" => rule.year_days = signed(value, 366)?,
            "BYMONTHDAY" => rule.month_days = signed(value, 31)?,
            "BYDAY" => rule.days = value.split(',').map(read_day).collect::<Result<_, _>>()?,
            "BYHOUR" => rule.hours = bits(value, 0, 23)?,
            "BYMINUTE" => rule.minutes = bits(value, 0, 59)?,
            "BYSECOND" => rule.seconds = bits(value, 0, 59)?,
            "BYSETPOS" => rule.positions = signed(value, 366)?,
            "WKST" => rule.week_start = read_weekday(value)?,
            _ => return Err(format!("`{}` is not a part of RFC 5545's rules", shown(key))),
        }
    }
    Ok(rule)
}

impl Rule {
    /// What the RFC says of several parts together.
    fn checked(self) -> Result<Self, String> {
        let refuse = |wrong: bool, problem: &str| if wrong { Err(problem.to_owned()) } else { Ok(()) };
        let numbered = self.days.iter().any(|day| day.nth.is_some());
        refuse(self.count.is_some() && self.until.is_some(), "`COUNT` and `UNTIL` exclude each other")?;
        refuse(numbered && self.freq < Freq::Monthly, "`BYDAY` has a number only with `MONTHLY` and `YEARLY`")?;
        refuse(numbered && !self.week_numbers.is_empty(), "`BYDAY` has no number beside `BYWEEKNO`")?;
        refuse(!self.week_numbers.is_empty() && self.freq != Freq::Yearly, "`BYWEEKNO` goes with `YEARLY` only")?;
        let years = matches!(self.freq, Freq::Daily | Freq::Weekly | Freq::Monthly);
        refuse(!self.year_days.is_empty() && years, "`BYYEARDAY` does not go with `DAILY`, `WEEKLY` and `MONTHLY`")?;
        refuse(!self.month_days.is_empty() && self.freq == Freq::Weekly, "`BYMONTHDAY` does not go with `WEEKLY`")?;
        let other = [self.months, self.hours, self.minutes, self.seconds].iter().any(|bits| *bits != 0)
            || !(self.week_numbers.is_empty() && self.year_days.is_empty() && self.month_days.is_empty())
            || !self.days.is_empty();
        refuse(!self.positions.is_empty() && !other, "`BYSETPOS` needs another `BY…` part")?;
        Ok(self)
    }
}

fn read_freq(text: &str) -> Result<Freq, String> {
    Ok(match text.to_ascii_uppercase().as_str() {
        "SECONDLY" => Freq::Secondly,
        "MINUTELY" => Freq::Minutely,
        "HOURLY" => Freq::Hourly,
        "DAILY" => Freq::Daily,
        "WEEKLY" => Freq::Weekly,
        "MONTHLY" => Freq::Monthly,
        "YEARLY" => Freq::Yearly,
        _ => return Err(format!("`{}` is no `FREQ`, such as `WEEKLY`", shown(text))),
    })
}

/// `YYYYMMDD`, perhaps with `THHMMSS` and `Z`; and whether it is in UTC. A date alone is its end, so that `UNTIL` holds it.
fn read_time(text: &str) -> Option<(Local, bool)> {
    match text.split_once('T') {
        Some(_) => read_stamp(text),
        None => Some((read_stamp(text)?.0.plus(86_399), false)),
    }
}

/// `YYYYMMDD`, perhaps with `THHMMSS` and `Z`; and whether it is in UTC.
pub(in crate::calendar) fn read_stamp(text: &str) -> Option<(Local, bool)> {
    let (plain, utc) = text.strip_suffix('Z').map_or((text, false), |plain| (plain, true));
    let (date, time) = plain.split_once('T').map_or((plain, None), |(date, time)| (date, Some(time)));
    let part = |text: &str, from: usize, to: usize| text.get(from..to).and_then(|part| number::<u32>(part, to - from));
    if date.len() != 8 || (utc && time.is_none()) {
        return None;
    }
    let (year, month, day) = (part(date, 0, 4)?, part(date, 4, 6)?, part(date, 6, 8)?);
    let time = time.unwrap_or("000000");
    if time.len() != 6 {
        return None;
    }
    let (hour, minute, second) = (part(time, 0, 2)?, part(time, 2, 4)?, part(time, 4, 6)?);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    Some((text.parse().ok()?, utc))
}

fn whole(text: &str, min: u32, max: u32) -> Result<u32, String> {
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| plain && (min..=max).contains(number));
    number.ok_or_else(|| format!("`{}` is not a number from {min} to {max}", shown(text)))
}

fn bits(text: &str, min: u32, max: u32) -> Result<u64, String> {
    text.split(',').try_fold(0, |bits, part| Ok(bits | 1 << whole(part, min, max)?))
}

/// Numbers from 1 to `max`, and the same from the end.
fn signed(text: &str, max: u32) -> Result<Vec<i32>, String> {
    let read = |part: &str| {
        let (sign, digits) = match part.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, part.strip_prefix('+').unwrap_or(part)),
        };
        Ok(sign * whole(digits, 1, max)?.cast_signed())
    };
    let mut numbers: Vec<i32> = text.split(',').map(read).collect::<Result<_, String>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn read_day(text: &str) -> Result<Day, String> {
    let letters = text.len().saturating_sub(2);
    let (number, day) = text.split_at_checked(letters).unwrap_or((text, ""));
    let nth = match number {
        "" => None,
        number => signed(number, 53)?.first().copied(),
    };
    Ok(Day { nth, weekday: read_weekday(day)? })
}

fn read_weekday(text: &str) -> Result<u32, String> {
    let upper = text.to_ascii_uppercase();
    let found = WEEKDAYS.iter().zip(0..).find(|(name, _)| **name == upper).map(|(_, number)| number);
    found.ok_or_else(|| format!("`{}` is not a day such as `MO`", shown(text)))
}

fn shown(text: &str) -> String {
    crate::calendar::error::shown(text)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
