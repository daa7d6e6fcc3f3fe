//! Targets: what is scraped together, and whether an interval of it was seen whole.
//!
//! A target is what has the same `job` and `instance`. All of its series are scraped at once, so the times
//! at which any of them has a sample are the times at which it was seen:
//!
//! | a target | is |
//! |---|---|
//! | seen up to the interval's end, without a gap | counted |
//! | with a gap: a scrape failed or never was | missing: nobody knows what happened in it |
//! | not seen any more, and its `up` ended with it, two scrapes ago or more | gone: it was removed, and counted as far as it was seen |
//! | not seen any more, while `up` goes on or is not known | missing, until the look-back has passed |
//! | seen for the first time in the interval | counted from its first sample: what it served before is lost |
//!
//! A gap is more than one and a half of the target's usual time between scrapes, as seen within the look-back;
//! before the end of an interval even one such time is. Counts are decided from samples between the look-back
//! before an interval and its end, so an interval is the same whenever it is fetched.

use std::collections::BTreeMap;

use davy::slo::Sample;
use davy::{Duration, Instant};

use crate::prometheus::{HistogramSample, Series};

/// A stretch of time that is looked at, without its first instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Instant,
    pub(super) end: Instant,
    /// How far back before the start samples are of use.
    pub(super) lookback: Duration,
}

/// How many scrapes after a stretch `up` is of interest.
pub(super) const SILENT_FOR: u64 = 3;

/// Series by target.
pub(super) struct Targets<'a>(Vec<Target<'a>>);

/// One target.
pub(super) struct Target<'a> {
    pub(super) job: &'a str,
    pub(super) instance: &'a str,
    /// When any of its series was seen, rising.
    scrapes: Vec<Instant>,
    pub(super) members: Vec<Member<'a>>,
}

/// A series of a target, and which of several selections it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) family: usize,
    pub(super) series: &'a Series,
}

/// When targets had an `up`, by job and instance.
#[derive(Debug)]
pub(super) struct Ups {
    times: BTreeMap<(String, String), Vec<Instant>>,
    /// When it was asked: later ones there are none yet.
    now: Instant,
}

/// What is known of a target in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It was seen throughout, or from its beginning, or to its end.
    Counted,
    /// It is none of this stretch's: not yet, or no longer.
    Elsewhere,
    /// It should have been seen, and was not.
    Missing,
    /// It is seen so rarely that stretches like this one hold no sample.
    Rare(Duration),
}

impl<'a> Targets<'a> {
    /// Sorts series to their targets; each family is one selection.
    pub(super) fn of(families: &[Vec<&'a Series>]) -> Self {
        let mut by_key: BTreeMap<(&str, &str), Vec<Member<'a>>> = BTreeMap::new();
        for (family, all) in families.iter().enumerate() {
            for series in all {
                let key = (series.labels.get("job"), series.labels.get("instance"));
                by_key.entry(key).or_default().push(Member { family, series });
            }
        }
        let target = |((job, instance), members): ((&'a str, &'a str), Vec<Member<'a>>)| {
            let mut scrapes: Vec<Instant> = members.iter().flat_map(|member| times(member.series)).collect();
            scrapes.sort_unstable();
            scrapes.dedup();
            Target { job, instance, scrapes, members }
        };
        Self(by_key.into_iter().map(target).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Target<'a>> {
        self.0.iter()
    }
}

impl Ups {
    /// Nothing known yet.
    pub(super) const fn at(now: Instant) -> Self {
        Self { times: BTreeMap::new(), now }
    }

    /// Takes series of `up`.
    pub(super) fn add(&mut self, all: &[Series]) {
        for series in all {
            let key = (series.labels.get("job").to_owned(), series.labels.get("instance").to_owned());
            let times = self.times.entry(key).or_default();
            times.extend(series.samples.iter().map(|sample| sample.at));
            times.sort_unstable();
        }
    }

    /// Whether a target was removed after it was last seen: it had an `up`, and has none for two scrapes. One
    /// may only be late.
    fn ended(&self, target: &Target<'_>, last: Instant, stretch: Stretch) -> bool {
        let key = (target.job.to_owned(), target.instance.to_owned());
        let Some(times) = self.times.get(&key) else { return false };
        let pace = target.pace(stretch).unwrap_or(stretch.end.since(stretch.start));
        let until = stretch.end.plus(pace.times(SILENT_FOR)).min(self.now);
        let after = times.partition_point(|at| *at <= last);
        let silent = until.since(last).millis() * 10 > pace.millis() * 21;
        after > 0 && silent && times.get(after).is_none_or(|next| *next > until)
    }
}

impl<'a> Target<'a> {
    /// When it was seen, from the look-back before a stretch to its end.
    pub(super) fn scrapes(&self, stretch: Stretch) -> &[Instant] {
        between(&self.scrapes, |at| *at, stretch.start.minus(stretch.lookback), stretch.end)
    }

    /// The usual time between scrapes: the median of the series that was seen most often, if it was seen
    /// twice. (Exporters that give each series a time of its own are seen more often than they are scraped.)
    pub(super) fn pace(&self, stretch: Stretch) -> Option<Duration> {
        let most = self.members.iter().max_by_key(|member| {
            let (samples, histograms) = seen(member.series, stretch);
            samples.len() + histograms.len()
        })?;
        let (samples, histograms) = seen(most.series, stretch);
        let mut times: Vec<Instant> =
            samples.iter().map(|one| one.at).chain(histograms.iter().map(|one| one.at)).collect();
        times.sort_unstable();
        let mut gaps: Vec<Duration> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.since(*a)).collect();
        let middle = gaps.len() / 2;
        (!gaps.is_empty()).then(|| *gaps.select_nth_unstable(middle).1)
    }

    /// The longest time between scrapes that is no gap.
    fn longest(&self, stretch: Stretch) -> Duration {
        let pace = self.pace(stretch).unwrap_or(stretch.end.since(stretch.start));
        Duration::from_millis(pace.millis() + pace.millis() / 2)
    }

    /// Whether it was not seen up to the end although it could have been, so that its `up` matters.
    pub(super) fn stopped(&self, stretch: Stretch) -> bool {
        let pace = self.pace(stretch).unwrap_or(stretch.end.since(stretch.start));
        let last = self.scrapes(stretch).last();
        // Scrapes come a little early or late.
        last.is_some_and(|last| stretch.end.since(*last).millis() * 10 > pace.millis() * 11)
    }

    /// Whether it was seen in a stretch at all.
    pub(super) fn is_seen_in(&self, stretch: Stretch) -> bool {
        self.scrapes(stretch).last().is_some_and(|last| *last > stretch.start)
    }

    /// Whether a stretch of it was seen.
    pub(super) fn presence(&self, stretch: Stretch, ups: Option<&Ups>) -> Presence {
        let seen = self.scrapes(stretch);
        let Some(last) = seen.last() else { return Presence::Elsewhere };
        let longest = self.longest(stretch);
        let inside = seen.partition_point(|at| *at <= stretch.start);
        let used = seen.get(inside.saturating_sub(1)..).unwrap_or_default();
        let none_inside = inside == seen.len();
        if !none_inside && used.iter().zip(used.iter().skip(1)).any(|(a, b)| b.since(*a) > longest) {
            return Presence::Missing;
        }
        if self.stopped(stretch) {
            let ended = ups.is_some_and(|ups| ups.ended(self, *last, stretch));
            return match (ended, none_inside) {
                (true, true) => Presence::Elsewhere,
                (true, false) => Presence::Counted,
                (false, _) => Presence::Missing,
            };
        }
        if none_inside {
            return Presence::Rare(self.pace(stretch).unwrap_or(longest));
        }
        // A first sample alone counts nothing.
        if used.len() < 2 { Presence::Elsewhere } else { Presence::Counted }
    }

    /// From when to when it lived in a stretch: from the first time it was seen, to the last if it was removed.
    pub(super) fn life(&self, stretch: Stretch, ups: Option<&Ups>) -> Option<(Instant, Instant)> {
        let seen = self.scrapes(stretch);
        let (first, last) = (*seen.first()?, *seen.last()?);
        let removed = self.stopped(stretch) && ups.is_some_and(|ups| ups.ended(self, last, stretch));
        let life = (first.max(stretch.start), if removed { last } else { stretch.end });
        (life.0 < life.1).then_some(life)
    }

    /// The parts of a stretch that were seen: between scrapes without a gap, and up to the end.
    pub(super) fn covered(&self, stretch: Stretch) -> impl Iterator<Item = (Instant, Instant)> {
        let seen = self.scrapes(stretch);
        let longest = self.longest(stretch);
        let ends = seen.iter().skip(1).copied().chain([stretch.end]);
        let spans = seen.iter().copied().zip(ends).filter(move |(a, b)| b.since(*a) <= longest);
        spans.map(move |(a, b)| (a.max(stretch.start), b)).filter(|(a, b)| a < b)
    }

    /// When a series that begins in a stretch was surely not there yet: at the scrape right before its first
    /// sample, if another series of the target shows that there was one.
    pub(super) fn birth(&self, series: &Series, stretch: Stretch) -> Option<Instant> {
        let (samples, histograms) = seen(series, stretch);
        let sample = samples.first().map(|one| one.at);
        let first = sample.into_iter().chain(histograms.first().map(|one| one.at)).min()?;
        if first <= stretch.start {
            return None;
        }
        let scrapes = self.scrapes(stretch);
        let before = *scrapes.get(scrapes.partition_point(|at| *at < first).checked_sub(1)?)?;
        if first.since(before) > self.longest(stretch) {
            return None;
        }
        let both = |member: &Member<'_>| has(member.series, before) && has(member.series, first);
        self.members.iter().any(both).then_some(before)
    }
}

/// The part of a sorted list from one instant to another, both included.
pub(super) fn between<T>(all: &[T], at: impl Fn(&T) -> Instant, from: Instant, to: Instant) -> &[T] {
    let start = all.partition_point(|one| at(one) < from);
    let end = all.partition_point(|one| at(one) <= to);
    all.get(start..end).unwrap_or_default()
}

/// Whether a series was seen at all between the look-back before a stretch and its end.
pub(super) fn is_seen(series: &Series, stretch: Stretch) -> bool {
    let (samples, histograms) = seen(series, stretch);
    !(samples.is_empty() && histograms.is_empty())
}

/// What was seen of a series between the look-back before a stretch and its end.
fn seen(series: &Series, stretch: Stretch) -> (&[Sample], &[HistogramSample]) {
    let (from, to) = (stretch.start.minus(stretch.lookback), stretch.end);
    let samples = between(&series.samples, |one| one.at, from, to);
    (samples, between(&series.histograms, |one| one.at, from, to))
}

/// Whether a series has a sample at this very instant.
fn has(series: &Series, at: Instant) -> bool {
    series.samples.binary_search_by_key(&at, |one| one.at).is_ok()
        || series.histograms.binary_search_by_key(&at, |one| one.at).is_ok()
}

fn times(series: &Series) -> impl Iterator<Item = Instant> {
    series.samples.iter().map(|sample| sample.at).chain(series.histograms.iter().map(|histogram| histogram.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::Labels;

    fn at(second: i64) -> Instant {
        Instant::from_millis(second * 1000)
    }

    fn series(name: &str, seconds: impl Iterator<Item = i64>) -> Series {
        let labels: Labels = [("__name__", name), ("job", "j"), ("instance", "i")].into_iter().collect();
        let samples = seconds.map(|second| Sample { at: at(second), value: 1.0 }).collect();
        Series { labels, samples, histograms: Vec::new() }
    }

    fn quarters(from: i64, to: i64) -> impl Iterator<Item = i64> {
        (from..=to).filter(|second| second % 15 == 2)
    }

    const STRETCH: fn() -> Stretch = || Stretch { start: at(1020), end: at(1050), lookback: Duration::from_minutes(5) };

    fn presence(seconds: impl Iterator<Item = i64>, ups: Option<&Ups>) -> Presence {
        let series = series("c", seconds);
        let targets = Targets::of(&[vec![&series]]);
        let presence = targets.iter().map(|target| target.presence(STRETCH(), ups)).next();
        presence.unwrap()
    }

    #[test]
    fn a_target_is_counted_missing_or_elsewhere() {
        assert_eq!(presence(quarters(0, 2000), None), Presence::Counted);
        assert_eq!(presence(quarters(1022, 2000), None), Presence::Counted, "it is new");
        assert_eq!(presence(quarters(1037, 2000), None), Presence::Elsewhere, "one sample counts nothing");
        assert_eq!(presence(quarters(0, 2000).filter(|second| *second != 1022), None), Presence::Missing);
        assert_eq!(presence(quarters(0, 2000).filter(|second| *second != 1007), None), Presence::Missing);
        assert_eq!(presence(quarters(0, 1022), None), Presence::Missing);
        assert_eq!(presence(quarters(0, 1007), None), Presence::Missing);
        assert_eq!(presence(quarters(0, 700), None), Presence::Elsewhere, "it is forgotten");
        assert_eq!(presence(quarters(1060, 2000), None), Presence::Elsewhere, "it is not there yet");
        let minute = Duration::from_minutes(1);
        assert_eq!(presence((0..20).map(|n| n * 60 + 53), None), Presence::Rare(minute));
    }

    #[test]
    fn a_target_was_removed_once_its_up_is_silent_for_two_scrapes() {
        let ups = |now: i64, to: i64| {
            let mut ups = Ups::at(at(now));
            ups.add(&[series("up", quarters(0, to))]);
            ups
        };
        let stopped = |ups: &Ups| presence(quarters(0, 1022), Some(ups));
        assert_eq!(stopped(&ups(5000, 1022)), Presence::Counted);
        assert_eq!(stopped(&ups(1054, 1022)), Presence::Counted);
        // It may only be late.
        assert_eq!(stopped(&ups(1053, 1022)), Presence::Missing);
        // It is down, or its page is gone.
        assert_eq!(stopped(&ups(5000, 2000)), Presence::Missing);
        // Long ago, and nothing of it in this stretch.
        assert_eq!(presence(quarters(0, 1007), Some(&ups(5000, 1007))), Presence::Elsewhere);
        // Somebody else's.
        let mut others = Ups::at(at(5000));
        let labels: Labels = [("job", "j"), ("instance", "other")].into_iter().collect();
        others.add(&[Series { labels, ..series("up", quarters(0, 1022)) }]);
        assert_eq!(stopped(&others), Presence::Missing);
    }

    #[test]
    fn a_beginning_is_known_where_its_target_was_scraped_without_it() {
        let birth = |other: &Series, first: i64| {
            let own = series("own", quarters(first, 2000));
            let targets = Targets::of(&[vec![other, &own]]);
            let birth = targets.iter().find_map(|target| target.birth(&own, STRETCH()));
            birth.map(|birth| birth.millis() / 1000)
        };
        let steady = series("other", quarters(0, 2000));
        assert_eq!(birth(&steady, 1022), Some(1007));
        assert_eq!(birth(&steady, 1037), Some(1022));
        assert_eq!(birth(&steady, 1007), None, "it was there before");
        assert_eq!(birth(&series("other", quarters(1037, 2000)), 1037), None, "everything is new");
        assert_eq!(
            birth(&series("other", quarters(0, 2000).map(|second| second + 1)), 1037),
            None,
            "not scraped together"
        );
        let gap = series("other", quarters(0, 2000).filter(|second| *second != 1022));
        assert_eq!(birth(&gap, 1037), None, "too long ago");
    }
}
