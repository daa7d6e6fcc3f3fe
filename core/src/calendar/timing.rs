//! When a window is open: local starts and lengths, mapped to instants under an explicit policy for gaps and folds.

use serde::{Deserialize, Serialize};

use super::CalendarError;
use super::civil::Local;
use super::cron::Cron;
use super::recurrence::Recurrence;
use super::zone::{Resolved, Segment, Zone};
use crate::{Duration, Instant};

/// What becomes of a start that the clock jumps over. The window moves as a whole and keeps its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Gap {
    /// It starts with the first instant after the jump.
    FirstAfter,
    /// It starts as much later as the clock jumps (RFC 5545, 3.3.5): 02:30 becomes 03:30.
    Shift,
    /// It does not happen.
    Skip,
}

/// What becomes of a start or end that the clock shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fold {
    /// Only the first time counts.
    First,
    /// Each time counts on its own.
    Both,
    /// From the first time to what would be the end after the second.
    Span,
}

/// How long a window lasts: first a step on the clock on the wall, then elapsed time.
///
/// `PT8H` of RFC 5545 is elapsed time, `P1D` a step on the clock: from one noon to the next, be it 23, 24 or 25 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Seconds on the clock.
    pub(super) wall: i64,
    /// Milliseconds elapsed.
    pub(super) exact: i64,
}

const LONGEST: i64 = 366 * 86_400_000;

impl Length {
    /// Elapsed time.
    ///
    /// # Errors
    /// [`CalendarError::Length`] for more than 366 days.
    pub fn exact(length: Duration) -> Result<Self, CalendarError> {
        Self::new(0, length)
    }

    /// A step on the clock on the wall, in whole seconds.
    ///
    /// # Errors
    /// [`CalendarError::Length`] for more than 366 days or a part of a second.
    pub fn wall(length: Duration) -> Result<Self, CalendarError> {
        if !length.millis().is_multiple_of(1000) {
            return Err(CalendarError::Length);
        }
        Self::new((length.millis() / 1000).cast_signed(), Duration::ZERO)
    }

    /// A step on the clock, then elapsed time.
    pub(super) fn new(wall: i64, exact: Duration) -> Result<Self, CalendarError> {
        let exact = i64::try_from(exact.millis()).map_err(|_| CalendarError::Length)?;
        let fits = (0..=LONGEST / 1000).contains(&wall) && (0..=LONGEST).contains(&exact);
        if fits { Ok(Self { wall, exact }) } else { Err(CalendarError::Length) }
    }
}

/// Local times at which a window starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Starts {
    /// By a cron schedule.
    Cron(Cron),
    /// By a recurrence of RFC 5545, single dates included.
    Recurrence(Recurrence),
}

/// When a window that has started ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ends {
    /// After so long.
    After(Length),
    /// At the next time of a schedule.
    At(Cron),
}

/// Starts, ends, the zone whose clock they are read from, and what to do where that clock jumps.
///
/// ```
/// use davy::calendar::{Ends, Fold, Gap, Length, Starts, Timing, Zone};
/// let starts = Starts::Cron("30 2 * * *".parse()?);
/// let half_an_hour = Ends::After(Length::exact("30m".parse()?)?);
/// let timing = Timing::new(starts, half_an_hour, Zone::new("Europe/Berlin")?, Gap::FirstAfter, Fold::Span);
/// // The clock goes from 02:00 to 03:00: the window is not lost.
/// let span = timing.next_start("2026-03-29T00:00:00Z".parse()?).ok_or("never")?;
/// assert_eq!((span.start.to_string(), span.end.to_string()), ("2026-03-29T01:00:00Z".into(), "2026-03-29T01:30:00Z".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    pub(super) starts: Starts,
    pub(super) ends: Ends,
    pub(super) zone: Zone,
    gap: Gap,
    fold: Fold,
    /// Whether every span ends after the next has started, whatever the clock does.
    always: bool,
}

/// From one instant up to, but without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Span {
    /// The first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
}

impl Span {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }
}

/// A start as an instant in milliseconds, and how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    at: i64,
    /// What the clock shows then.
    local: Local,
    /// The second time that the clock shows this: the window counts from there under [`Fold::Span`].
    again: Option<i64>,
    /// Whether this is itself a second time.
    is_second: bool,
}

/// No offset is larger.
const LARGEST_OFFSET: i64 = 26 * 3600;

impl Starts {
    /// The first that is not before `at`.
    #[must_use]
    pub fn first_at_or_after(&self, at: Local) -> Option<Local> {
        match self {
            Self::Cron(cron) => cron.first_at_or_after(at),
            Self::Recurrence(recurrence) => recurrence.first_at_or_after(at),
        }
    }

    /// The last that is not after `at`.
    #[must_use]
    pub fn last_at_or_before(&self, at: Local) -> Option<Local> {
        match self {
            Self::Cron(cron) => cron.last_at_or_before(at),
            Self::Recurrence(recurrence) => recurrence.last_at_or_before(at),
        }
    }

    /// Whether there is no certain time of day, but one around the clock.
    #[must_use]
    pub fn runs_all_day(&self) -> bool {
        match self {
            Self::Cron(cron) => cron.runs_all_day(),
            Self::Recurrence(recurrence) => recurrence.runs_all_day(),
        }
    }

    /// Whether there is any.
    #[must_use]
    pub fn ever(&self) -> bool {
        match self {
            Self::Cron(cron) => cron.ever(),
            Self::Recurrence(recurrence) => recurrence.ever(),
        }
    }
}

impl Timing {
    /// A timing; `gap` is for starts that the clock jumps over, `fold` for times that it shows twice.
    #[must_use]
    pub fn new(starts: Starts, ends: Ends, zone: Zone, gap: Gap, fold: Fold) -> Self {
        let always = match (&starts, &ends) {
            // A start may fall into a gap, so one of two must suffice.
            (Starts::Cron(cron), Ends::After(Length { wall: 0, exact })) if fold != Fold::First => {
                cron.widest_gap().is_some_and(|gap| gap.saturating_mul(2000) <= *exact)
            }
            _ => false,
        };
        Self { starts, ends, zone, gap, fold, always }
    }

    /// The local times at which it starts.
    #[must_use]
    pub fn starts(&self) -> &Starts {
        &self.starts
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Whose clock it is read from.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// For starts that the clock jumps over.
    #[must_use]
    pub fn gap(&self) -> Gap {
        self.gap
    }

    /// For times that the clock shows twice.
    #[must_use]
    pub fn fold(&self) -> Fold {
        self.fold
    }

    /// The span that `at` lies in; of several, the one that began last and still lasts.
    #[must_use]
    pub fn active(&self, at: Instant) -> Option<Span> {
        if self.always {
            return Some(Span { start: Instant::EPOCH, end: Instant::MAX });
        }
        let now = at.millis().cast_signed();
        let start = self.last_start(now)?;
        let holds = |start: &Start| Some(self.span(start)).filter(|span| span.holds(at));
        if let Some(span) = holds(&start) {
            return Some(span);
        }
        // Only around a fold does an earlier start end later: the clock shows 02:10 again after 02:50.
        let from = self.zone.segment(start.at).from;
        if start.is_second { self.last_start(from.saturating_sub(1)).and_then(|earlier| holds(&earlier)) } else { None }
    }

    /// The first span that starts after `after`.
    #[must_use]
    pub fn next_start(&self, after: Instant) -> Option<Span> {
        let start = self.first_start(after.millis().cast_signed().saturating_add(1))?;
        Some(self.span(&start)).filter(|_| start.at <= Instant::MAX.millis().cast_signed())
    }

    fn span(&self, start: &Start) -> Span {
        Span { start: Instant::from_millis(start.at), end: Instant::from_millis(self.end(start)) }
    }

    fn end(&self, start: &Start) -> i64 {
        let from = start.again.unwrap_or(start.at);
        match &self.ends {
            Ends::After(Length { wall: 0, exact }) => from.saturating_add(*exact),
            Ends::After(Length { wall, exact }) => self.end_at(start, start.local.plus(*wall)).saturating_add(*exact),
            Ends::At(cron) => match cron.first_at_or_after(start.local.plus(1)) {
                Some(local) => self.end_at(start, local),
                None => i64::MAX,
            },
        }
    }

    /// The instant at which the clock shows the end.
    fn end_at(&self, start: &Start, local: Local) -> i64 {
        match self.zone.resolve(local) {
            Resolved::Once(at) => at,
            Resolved::Gap { shifted, .. } if self.gap == Gap::Shift => shifted,
            Resolved::Gap { jump, .. } => jump,
            Resolved::Fold { second, .. } if self.fold == Fold::Span => second,
            Resolved::Fold { first, second } => {
                if first > start.at {
                    first
                } else {
                    second
                }
            }
        }
    }

    /// The last start that is not after an instant.
    fn last_start(&self, mut now: i64) -> Option<Start> {
        loop {
            let segment = self.zone.segment(now);
            let shown = local(now, segment.offset);
            if let Some(start) = self.last_in(&segment, shown) {
                return Some(start);
            }
            if segment.from == i64::MIN {
                return None;
            }
            // However the clock was set, what it showed last cannot have been shown after this.
            let earlier = self.starts.last_at_or_before(shown.max(local(segment.from, segment.before)))?;
            let latest = earlier.seconds().saturating_add(LARGEST_OFFSET).saturating_mul(1000);
            now = latest.min(segment.from.saturating_sub(1));
        }
    }

    /// The last start in a stretch of one offset, up to what the clock shows at `shown`.
    fn last_in(&self, segment: &Segment, shown: Local) -> Option<Start> {
        let Bounds { begin, jumped_from, repeated_until } = Bounds::of(segment);
        let plain = match self.fold {
            Fold::Both => begin,
            Fold::First | Fold::Span => repeated_until,
        };
        let plain = self.starts.last_at_or_before(shown).filter(|start| *start >= plain);
        let plain = plain.map(|local| self.plain(segment, local, repeated_until));
        let moved = match self.gap {
            Gap::Skip => None,
            Gap::FirstAfter => Some(begin.plus(-1)),
            Gap::Shift => Some(begin.plus(-1).min(shown.plus(jumped_from.seconds() - begin.seconds()))),
        };
        // What moved out of a gap starts within as much time after the jump as the clock jumped.
        let jumped = (begin.seconds() - jumped_from.seconds()).saturating_mul(1000);
        let is_later = |start: Start| start.at >= segment.from.saturating_add(jumped);
        let moved = moved.filter(|_| jumped_from < begin && shown >= begin && !plain.is_some_and(is_later));
        let moved = moved.and_then(|until| self.starts.last_at_or_before(until)).filter(|start| *start >= jumped_from);
        let moved = moved.map(|nominal| self.moved(segment, nominal, begin, jumped_from));
        [plain, moved].into_iter().flatten().max_by_key(|start| start.at)
    }

    /// The first start that is not before an instant.
    fn first_start(&self, mut now: i64) -> Option<Start> {
        loop {
            let segment = self.zone.segment(now);
            if let Some(start) = self.first_in(&segment, now) {
                return Some(start);
            }
            if segment.until == i64::MAX {
                return None;
            }
            // A start in the fold or gap at the end of this stretch belongs to the next one.
            let shown = local(now, segment.offset).min(local(segment.until, self.zone.offset(segment.until)));
            let later = self.starts.first_at_or_after(shown)?;
            let earliest = later.seconds().saturating_sub(LARGEST_OFFSET).saturating_mul(1000);
            now = earliest.max(segment.until);
        }
    }

    /// The first start in a stretch of one offset, from an instant on.
    fn first_in(&self, segment: &Segment, now: i64) -> Option<Start> {
        let Bounds { begin, jumped_from, repeated_until } = Bounds::of(segment);
        // Starts lie on whole seconds.
        let shown = local(now.saturating_add(999), segment.offset);
        let least = match self.fold {
            Fold::Both => shown,
            Fold::First | Fold::Span => shown.max(repeated_until),
        };
        let ends = |start: &Start| start.at < segment.until;
        let plain = self.starts.first_at_or_after(least);
        let plain = plain.map(|local| self.plain(segment, local, repeated_until)).filter(ends);
        let from = match self.gap {
            Gap::Skip => None,
            Gap::FirstAfter => (now <= segment.from).then_some(jumped_from),
            Gap::Shift => Some(jumped_from.max(shown.plus(jumped_from.seconds() - begin.seconds()))),
        };
        let from = from.filter(|_| jumped_from < begin);
        let moved = from.and_then(|from| self.starts.first_at_or_after(from)).filter(|start| *start < begin);
        let moved = moved.map(|nominal| self.moved(segment, nominal, begin, jumped_from)).filter(ends);
        [plain, moved].into_iter().flatten().min_by_key(|start| start.at)
    }

    fn plain(&self, segment: &Segment, shown: Local, repeated_until: Local) -> Start {
        let at = instant(shown, segment.offset);
        let again = if self.fold == Fold::Span { self.shown_again(segment, shown) } else { None };
        Start { at, local: shown, again, is_second: shown < repeated_until }
    }

    /// When the clock shows this for the second time, in the stretch that follows.
    fn shown_again(&self, segment: &Segment, shown: Local) -> Option<i64> {
        if segment.until == i64::MAX {
            return None;
        }
        let again = instant(shown, self.zone.offset(segment.until));
        (again >= segment.until).then_some(again)
    }

    fn moved(&self, segment: &Segment, nominal: Local, begin: Local, jumped_from: Local) -> Start {
        let local = match self.gap {
            Gap::Shift => nominal.plus(begin.seconds() - jumped_from.seconds()),
            Gap::FirstAfter | Gap::Skip => begin,
        };
        let again = if self.fold == Fold::Span { self.shown_again(segment, local) } else { None };
        Start { at: instant(local, segment.offset), local, again, is_second: false }
    }
}

/// What the clock shows around the beginning of a stretch of one offset.
struct Bounds {
    /// At its first instant.
    begin: Local,
    /// Where a clock that jumped ahead came from; `begin` if it did not.
    jumped_from: Local,
    /// Up to where a clock that was set back repeats itself; `begin` if it was not.
    repeated_until: Local,
}

impl Bounds {
    fn of(segment: &Segment) -> Self {
        if segment.from == i64::MIN {
            return Self { begin: Local::MIN, jumped_from: Local::MIN, repeated_until: Local::MIN };
        }
        let begin = local(segment.from, segment.offset);
        let showed = local(segment.from, segment.before);
        Self { begin, jumped_from: begin.min(showed), repeated_until: begin.max(showed) }
    }
}

fn local(millis: i64, offset: i64) -> Local {
    Local::from_seconds(millis.div_euclid(1000).saturating_add(offset))
}

fn instant(local: Local, offset: i64) -> i64 {
    local.seconds().saturating_sub(offset).saturating_mul(1000)
}
