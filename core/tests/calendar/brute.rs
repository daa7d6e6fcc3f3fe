//! Windows by brute force: every minute of some days is looked at on the clock, and nothing is computed from offsets.
//!
//! It shares no code with the library but the zone database, which both read through jiff.

use std::collections::BTreeMap;

use davy::calendar::{Fold, Gap, Span};
use davy::{Duration, Instant};
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// How long a window lasts, in minutes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lasts {
    Exact(usize),
    Wall(usize),
}

/// Every minute of a stretch of time as the clock shows it.
pub(crate) struct Minutes {
    from: Instant,
    shown: Vec<DateTime>,
    /// The minutes at which the clock shows something, in their order.
    at: BTreeMap<DateTime, Vec<usize>>,
    /// The minutes that the clock jumps over, each with the minute at which it arrives and its place in the jump.
    jumped: Vec<(usize, usize, DateTime)>,
}

impl Minutes {
    pub(crate) fn new(zone: &str, from: Instant, days: usize) -> Self {
        let zone: TimeZone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let first = i64::try_from(from.millis()).unwrap();
        let shown = |minute: usize| {
            let at = jiff::Timestamp::from_millisecond(first + i64::try_from(minute).unwrap() * 60_000).unwrap();
            zone.to_datetime(at)
        };
        let shown: Vec<DateTime> = (0..days * 1440).map(shown).collect();
        let mut jumped: Vec<(usize, usize, DateTime)> = Vec::new();
        for (before, pair) in shown.windows(2).enumerate() {
            let mut missing = pair[0] + jiff::Span::new().minutes(1);
            while missing < pair[1] {
                let place = jumped.iter().filter(|(minute, ..)| *minute == before + 1).count();
                jumped.push((before + 1, place, missing));
                missing += jiff::Span::new().minutes(1);
            }
        }
        let mut at: BTreeMap<DateTime, Vec<usize>> = BTreeMap::new();
        shown.iter().enumerate().for_each(|(minute, shown)| at.entry(*shown).or_default().push(minute));
        Self { from, shown, at, jumped }
    }

    pub(crate) fn instant(&self, minute: usize) -> Instant {
        self.from.plus(Duration::from_minutes(minute.try_into().unwrap()))
    }

    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether the clock jumps over something.
    pub(crate) fn jumps(&self) -> bool {
        !self.jumped.is_empty()
    }

    /// Every window as minutes: the first, and the first after it.
    pub(crate) fn windows(
        &self,
        starts: impl Fn(DateTime) -> bool,
        lasts: Lasts,
        gap: Gap,
        fold: Fold,
    ) -> Vec<(usize, usize)> {
        let mut windows = Vec::new();
        let mut push = |start: usize, nominal: DateTime, counted_from: usize| {
            if let Some(end) = self.end(start, nominal, counted_from, lasts, gap, fold) {
                windows.push((start, end));
            }
        };
        for (minute, place, missing) in &self.jumped {
            let start = match gap {
                Gap::Skip => break,
                Gap::FirstAfter => *minute,
                Gap::Shift => minute + place,
            };
            if starts(*missing) && start < self.len() {
                push(start, self.shown[start], start);
            }
        }
        for minute in 0..self.len() {
            let shown = self.shown[minute];
            if !starts(shown) {
                continue;
            }
            let same = self.at[&shown].iter().copied();
            let earlier = same.clone().rfind(|other| *other < minute);
            let later = same.clone().rfind(|other| *other > minute);
            match (fold, earlier, later) {
                (Fold::Both, ..) | (_, None, None) | (Fold::First, None, _) => push(minute, shown, minute),
                (Fold::Span, None, Some(later)) => push(minute, shown, later),
                (Fold::First | Fold::Span, Some(_), _) => {}
            }
        }
        windows.sort_unstable();
        // Of windows with the same start, the longest.
        let mut each: Vec<(usize, usize)> = Vec::new();
        for window in windows {
            match each.last_mut() {
                Some(last) if last.0 == window.0 => *last = window,
                _ => each.push(window),
            }
        }
        each
    }

    fn end(&self, start: usize, nominal: DateTime, from: usize, lasts: Lasts, gap: Gap, fold: Fold) -> Option<usize> {
        let length = match lasts {
            Lasts::Exact(length) => return Some(from + length),
            Lasts::Wall(length) => length,
        };
        let end = nominal + jiff::Span::new().minutes(i64::try_from(length).unwrap());
        let mut shown = self.at.get(&end).into_iter().flatten().copied().filter(|minute| *minute > start);
        let found = if fold == Fold::Span { shown.next_back() } else { shown.next() };
        let arrives =
            |(minute, place, _): &(usize, usize, DateTime)| if gap == Gap::Shift { minute + place } else { *minute };
        found.or_else(|| self.jumped.iter().find(|(.., missing)| *missing == end).map(arrives))
    }

    pub(crate) fn span(&self, (start, end): (usize, usize)) -> Span {
        Span { start: self.instant(start), end: self.instant(end) }
    }
}
